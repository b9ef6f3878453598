//! Files → [`Definitions`]: reads the YAML of every file, then decodes every document; mistakes in one do not hide the others.

use super::{Definitions, decode, yaml};
use crate::{diagnostic::Diagnostics, source::SourceMap};

/// Reads all files. What could not be read is reported and left out; `incomplete` has the names of what was left out or is
/// not whole.
pub fn parse(sources: &SourceMap, diagnostics: &mut Diagnostics) -> Definitions {
    let (mut documents, mut unread) = (Vec::new(), Vec::new());
    for (id, file) in sources.files() {
        let found = yaml::documents(id, &file.text, diagnostics);
        documents.extend(found.nodes);
        unread.extend(found.unread);
    }
    let mut definitions = Definitions::default();
    let context = decode::Context::new(sources);
    for node in &documents {
        decode::document(&context, node, &mut definitions);
    }
    let (found, incomplete) = context.into_findings();
    diagnostics.extend(found);
    unread.extend(incomplete);
    definitions.incomplete = unread;
    definitions
}

#[cfg(test)]
mod tests;
