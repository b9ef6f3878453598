//! What end-to-end tests stand on: a PostgreSQL of their own.

pub mod postgres;
