//! Two schemas → what changes for the clients of the first when the second is served.
//!
//! Severities are those of graphql-js (`findBreakingChanges`, `findDangerousChanges`), with two differences that follow from what
//! clients can notice: an optional input without a default changes nothing for who leaves it out, and a new value of an enum that no
//! field returns reaches nobody.

mod compare;

use std::fmt;

use apollo_compiler::{Schema, parser::Parser, validation::Valid};

/// What a change means to a client that is not changed with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Its documents may be refused, or its answers not be read any more.
    Breaking,
    /// Its documents stay right, but may be answered in a way it does not expect.
    Dangerous,
    /// It cannot notice.
    Safe,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Breaking => "breaking",
            Severity::Dangerous => "dangerous",
            Severity::Safe => "safe",
        })
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it means.
    pub severity: Severity,
    /// Where: a type, `Type.member`, `Type.field(argument)` or `@directive`.
    pub path: String,
    /// What has changed, in words.
    pub what: String,
}

/// All changes from one schema to another, the worst first. The error says which text is no schema, and why.
pub fn changes(old: &str, new: &str) -> Result<Vec<Change>, String> {
    let (old, new) = (schema("the old schema", old)?, schema("the new schema", new)?);
    let mut changes = compare::schemas(&old, &new);
    changes.sort();
    changes.dedup();
    Ok(changes)
}

fn schema(name: &str, text: &str) -> Result<Valid<Schema>, String> {
    let parsed = Parser::new().parse_ast(text, name).map_err(|wrong| format!("{name} is no GraphQL: {}", wrong.errors))?;
    parsed.to_schema_validate().map_err(|wrong| format!("{name} is not valid: {}", wrong.errors))
}

#[cfg(test)]
mod tests;
