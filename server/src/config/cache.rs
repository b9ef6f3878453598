//! How answers are kept.

use std::time::Duration;

use super::read::Reader;

/// Settings of section `cache`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// `cache.enabled`
    pub enabled: bool,
    /// `cache.max_bytes`
    pub max_bytes: usize,
    /// `cache.compiled_bytes`
    pub compiled_bytes: usize,
    /// `cache.default_ttl`
    pub default_ttl: Duration,
    /// `cache.refresh_interval`
    pub refresh_interval: Duration,
}

impl Cache {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            enabled: reader.flag("cache.enabled"),
            max_bytes: reader.bytes("cache.max_bytes"),
            compiled_bytes: reader.bytes("cache.compiled_bytes"),
            default_ttl: reader.duration_or_none("cache.default_ttl"),
            refresh_interval: reader.duration_or_none("cache.refresh_interval"),
        }
    }
}
