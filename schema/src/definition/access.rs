//! Entries of `segments:`, `rules:` and `policies:`.

use super::Text;
use crate::source::{Span, Spanned};

/// A named filter on an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// `entity:` whose rows it selects.
    pub entity: Text,
    /// `where:` over its dimensions.
    pub filter: Text,
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
}

/// A threshold with an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The whole entry.
    pub span: Span,
    /// `per:` entity it is evaluated for.
    pub per: Text,
    /// `when:` a comparison of a metric with a constant, such as `seat_utilization < 0.70`.
    pub when: Text,
    /// `at:` `last_complete_month` (default), `last_complete_quarter`, `as_of`.
    pub at: Option<Text>,
    /// `for:` number of consecutive periods it must hold; default 1.
    pub persistence: Option<Spanned<i64>>,
    /// `unknown:` what a missing value means: `unknown` (default) or `fires`.
    pub unknown: Option<Text>,
    /// `severity:` `info`, `warning` (default), `critical`.
    pub severity: Option<Text>,
    /// `play:` names of recommended plays.
    pub plays: Vec<Text>,
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
    /// `source:`
    pub source: Option<Text>,
}

/// Who may see which rows and members.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The whole entry.
    pub span: Span,
    /// `applies_to:` an entity; facts that lead to it are restricted with it.
    pub applies_to: Text,
    /// `roles:` callers it restricts; absent means everyone.
    pub roles: Vec<Text>,
    /// `rows:` condition over dimensions of the entity and `claims.name`; rows for which it does not hold are not there.
    pub rows: Option<Text>,
    /// `hide:` dimensions that do not exist for these callers.
    pub hide: Vec<Text>,
    /// `mask:` dimensions that are always null for these callers.
    pub mask: Vec<Text>,
    /// `description:`
    pub description: Option<Text>,
}
