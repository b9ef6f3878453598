//! GraphQL over a model: the schema, the executor, the shape of answers. Knows no HTTP, no driver, no cache.

pub mod runner;
