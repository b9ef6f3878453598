//! The `view:` document: a named subject area.

use super::Text;

/// Metrics and dimensions that belong together; only combinations valid for all members.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// `view:` its name.
    pub view: Text,
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
    /// `metrics:` names; `"*"` is every metric that fits.
    pub metrics: Vec<Text>,
    /// `dimensions:` `account` (the entity), `account.segment`, `account.*`, or `{name: …, path: …}`.
    pub dimensions: Vec<ViewDimension>,
}

/// One item of `dimensions:`.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewDimension {
    /// `path:` entity, `entity.dimension` or `entity.relationship.dimension`, or `entity.*`.
    pub path: Text,
    /// `name:` what it is called in this view; default the last part of the path.
    pub name: Option<Text>,
    /// `overlapping:` allows a one-to-many path: a member counts in every value it has, totals stay right.
    pub overlapping: bool,
}
