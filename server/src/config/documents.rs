//! Which documents are answered.

use std::path::PathBuf;

use super::read::Reader;
use crate::documents::Mode;

/// Settings of section `documents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// `documents.mode`
    pub mode: Mode,
    /// `documents.manifests`
    pub manifests: Vec<PathBuf>,
}

impl Documents {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let mode = reader.parse("documents.mode", "`off`, `apq`, `log_only` or `allow_list`", Mode::named).unwrap_or(Mode::Apq);
        let manifests = reader.text("documents.manifests").unwrap_or_default();
        let manifests = manifests.split(',').map(str::trim).filter(|path| !path.is_empty()).map(PathBuf::from).collect();
        Self { mode, manifests }
    }
}
