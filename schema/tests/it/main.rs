//! Tests of the schema crate through its public functions.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod golden;
mod language;
mod large_model;
mod properties;
mod questions;
mod scores;
