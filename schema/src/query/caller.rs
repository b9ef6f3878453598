//! Who asks, and on which day.

use std::collections::BTreeMap;

use jiff::civil::Date;

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
    /// The day on which they ask, by the clock of whoever made the caller. What they may see is what holds on it, whatever day the
    /// question is about: a question says `as_of` itself, and could choose a day on which a policy let more through. Left at its
    /// default, the first day of the calendar, no version holds, and what a policy decides by versions is not there.
    pub today: Date,
}
