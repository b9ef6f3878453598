//! Who asks.

use std::collections::BTreeMap;

use crate::value::Value;

/// Identity of the asker, as far as policies need it. Made by the server from credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Caller {
    /// Who; empty for anonymous.
    pub subject: String,
    /// Roles, sorted.
    pub roles: Vec<String>,
    /// Claims by name; a single value is a list of one.
    pub claims: BTreeMap<String, Vec<Value>>,
}
