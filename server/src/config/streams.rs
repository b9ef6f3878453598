//! Limits of sockets and streams of events.

use std::time::Duration;

use super::read::Reader;

/// Settings of section `streams`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    /// `streams.operations`
    pub operations: usize,
    /// `streams.init_timeout`
    pub init_timeout: Duration,
    /// `streams.keep_alive`
    pub keep_alive: Duration,
    /// `streams.max`
    pub max: usize,
}

impl Streams {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            operations: reader.count("streams.operations"),
            init_timeout: reader.duration("streams.init_timeout"),
            keep_alive: reader.duration("streams.keep_alive"),
            max: reader.count("streams.max"),
        }
    }
}
