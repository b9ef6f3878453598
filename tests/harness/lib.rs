//! What end-to-end tests stand on: a PostgreSQL of their own, tables written as text, and the product over both warehouses.

pub mod answer;
pub mod binary;
pub mod desk;
pub mod postgres;
pub mod tables;
pub mod yaml;
