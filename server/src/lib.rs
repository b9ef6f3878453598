//! Everything with a side effect: settings, warehouses, cache, HTTP, the command line.

pub mod config;

pub mod definitions;

pub mod demo;
pub mod warehouse;

pub mod cache;

pub mod engine;

pub mod telemetry;
