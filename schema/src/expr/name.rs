//! A name as written in an expression: one or more parts with dots between them, not yet resolved to anything.

use std::fmt;

use crate::source::{Span, Spanned};

/// `mrr`, `account.segment`, `claims.regions`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The words between the dots; at least one.
    pub parts: Vec<Spanned<String>>,
    /// From the first part to the last.
    pub span: Span,
}

impl Name {
    /// The only part, when there is no dot.
    pub fn single(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [part] => Some(&part.value),
            _ => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&part.value)?;
        }
        Ok(())
    }
}
