//! Everything with a side effect: warehouses, cache, HTTP, settings, the command line.

pub mod warehouse;
