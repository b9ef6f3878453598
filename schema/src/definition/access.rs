//! Entries of `segments:`, `rules:` and `policies:`.

use schemars::JsonSchema;

use super::{Text, json_schema::OneOrMany};
use crate::source::{Span, Spanned};

/// A named filter on an entity.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Segment {
    /// `entity:` whose rows it selects.
    pub entity: Text,
    /// `where:` over its dimensions.
    #[schemars(rename = "where")]
    pub filter: Text,
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
}

/// A threshold with an action.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rule {
    /// The whole entry.
    #[schemars(skip)]
    pub span: Span,
    /// `per:` entity it is evaluated for.
    pub per: Text,
    /// `when:` a comparison of a metric with a constant, such as `seat_utilization < 0.70`.
    pub when: Text,
    /// `at:` `last_complete_month` (default), `last_complete_quarter`, `as_of`.
    #[schemars(extend("enum" = ["last_complete_month", "last_complete_quarter", "as_of"]))]
    pub at: Option<Text>,
    /// `for:` number of consecutive periods it must hold; default 1.
    #[schemars(rename = "for")]
    pub persistence: Option<Spanned<i64>>,
    /// `unknown:` what a missing value means: `unknown` (default) or `fires`.
    #[schemars(extend("enum" = ["unknown", "fires"]))]
    pub unknown: Option<Text>,
    /// `severity:` `info`, `warning` (default), `critical`.
    #[schemars(extend("enum" = ["info", "warning", "critical"]))]
    pub severity: Option<Text>,
    /// `play:` names of recommended plays.
    #[schemars(rename = "play", with = "Option<OneOrMany<String>>")]
    pub plays: Vec<Text>,
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
    /// `source:`
    pub source: Option<Text>,
}

/// Who may see which rows and members of an entity, or which metrics.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields, extend("oneOf" = [{"required": ["applies_to"]}, {"required": ["metrics"]}]))]
pub struct Policy {
    /// The whole entry.
    #[schemars(skip)]
    pub span: Span,
    /// `applies_to:` an entity; facts that lead to it are restricted with it.
    pub applies_to: Option<Text>,
    /// `metrics:` the metrics that exist for these callers, and no others; rules about others do not exist either.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub metrics: Option<Vec<Text>>,
    /// `rules:` of the rules about these metrics those that exist; absent means all of them.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub rules: Option<Vec<Text>>,
    /// `roles:` callers it restricts; absent means everyone.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub roles: Vec<Text>,
    /// `rows:` condition over dimensions of the entity and `claims.name`; rows for which it does not hold are not there.
    pub rows: Option<Text>,
    /// `hide:` dimensions that do not exist for these callers.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub hide: Vec<Text>,
    /// `mask:` dimensions that are always null for these callers.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub mask: Vec<Text>,
    /// `peers:` who counts in metrics about peers: `visible` (default), only rows that are there; `everyone`, all rows.
    #[schemars(extend("enum" = ["visible", "everyone"]))]
    pub peers: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
}
