//! The `view:` document: a named subject area.

use schemars::JsonSchema;

use super::{
    Text,
    json_schema::{OneOrMany, OrText},
};

/// Metrics and dimensions that belong together; only combinations valid for all members.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct View {
    /// `view:` its name.
    pub view: Text,
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
    /// `metrics:` names; `"*"` is every metric that fits.
    #[schemars(with = "OneOrMany<String>")]
    pub metrics: Vec<Text>,
    /// `dimensions:` `account` (the entity), `account.segment`, `account.*`, or `{name: …, path: …}`.
    #[schemars(with = "Option<OneOrMany<OrText<ViewDimension>>>")]
    pub dimensions: Vec<ViewDimension>,
}

/// One item of `dimensions:`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ViewDimension {
    /// `path:` entity, `entity.dimension` or `entity.relationship.dimension`, or `entity.*`.
    pub path: Text,
    /// `name:` what it is called in this view; default the last part of the path.
    pub name: Option<Text>,
    /// `overlapping:` allows a one-to-many path: a member counts in every value it has, totals stay right.
    #[schemars(with = "Option<bool>")]
    pub overlapping: bool,
}
