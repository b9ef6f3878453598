//! Where definitions are and whether they are watched.

use std::{path::PathBuf, time::Duration};

use super::read::Reader;

/// Settings of section `definitions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definitions {
    /// `definitions.path`
    pub path: PathBuf,
    /// `definitions.watch`
    pub watch: bool,
    /// `definitions.poll_interval`
    pub poll_interval: Duration,
}

impl Definitions {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            path: reader.text("definitions.path").unwrap_or_else(|| "metrics-defs".to_owned()).into(),
            watch: reader.flag("definitions.watch"),
            poll_interval: reader.duration("definitions.poll_interval").max(Duration::from_millis(50)),
        }
    }
}
