//! The surface of a small model: its schema, and requests against a runner that records what it is asked.

mod fake;
mod hidden;
mod hidden_metrics;
mod requests;
mod schema;
mod signals;
