//! Entries of `fixtures:`, `tests:` and `saved_queries:`.

use schemars::JsonSchema;
use std::collections::BTreeMap;

use super::{
    Named, Text,
    json_schema::{Number, OneOrMany, Scalar},
};
use crate::source::{Span, Spanned};

/// Rows for warehouse tables.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Fixture {
    /// `description:`
    pub description: Option<Text>,
    /// `tables:` per table (`schema.table`) its rows.
    #[schemars(with = "BTreeMap<String, Vec<BTreeMap<String, Scalar>>>")]
    pub tables: Named<Vec<FixtureRow>>,
}

/// One row: column names and values as written.
pub type FixtureRow = Named<Literal>;

/// A constant as written in YAML.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// Text of the scalar, or `None` for null.
    pub text: Option<String>,
    /// Whether it was quoted: then it is text, whatever it looks like.
    pub quoted: bool,
    /// Where.
    pub span: Span,
}

/// Rows in, question, expected answer.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Test {
    /// The whole entry.
    #[schemars(skip)]
    pub span: Span,
    /// `name:`
    pub name: Option<Text>,
    /// `given:` fixtures to load.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub given: Vec<Text>,
    /// `ask:` the question.
    pub ask: Ask,
    /// `expect:` rows in order; each names the columns that matter. Values may be fractions such as `60/1010`.
    #[schemars(with = "Option<OneOrMany<BTreeMap<String, Scalar>>>")]
    pub expect: Vec<Named<Literal>>,
    /// `expect_totals:` the totals row.
    #[schemars(with = "Option<BTreeMap<String, Scalar>>")]
    pub expect_totals: Option<Named<Literal>>,
    /// `tolerance:` largest accepted difference of a number; default 0.
    #[schemars(with = "Option<Number>")]
    pub tolerance: Option<Text>,
}

/// A question in the words of the API.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ask {
    /// The whole entry.
    #[schemars(skip)]
    pub span: Span,
    /// `view:` default: the only view that has the metric.
    pub view: Option<Text>,
    /// `metrics:` default: the metric the test stands beside.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub metrics: Vec<Text>,
    /// `by:` dimension names and `period(month)`, `month(quarter)`, `cohort(quarter)`, `age(6 months)`.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub by: Vec<Text>,
    /// `range:` `2025-Q1`, `2025-01`, `2025`, or `2025-01-01..2025-04-01` (end excluded).
    #[schemars(with = "Option<Number>")]
    pub range: Option<Text>,
    /// `where:` condition over dimensions of the view.
    #[schemars(rename = "where")]
    pub filter: Option<Text>,
    /// `having:` condition over metrics.
    pub having: Option<Text>,
    /// `order_by:` `mrr desc`, `segment`.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub order_by: Vec<Text>,
    /// `limit:`
    pub limit: Option<Spanned<i64>>,
    /// `movement_grain:`
    pub movement_grain: Option<Text>,
    /// `movement_basis:` `point_to_point` (default) or `flow`.
    #[schemars(extend("enum" = ["point_to_point", "flow"]))]
    pub movement_basis: Option<Text>,
    /// `dimension_basis:` `opening` (default), `closing` or `current`: when dimensions are read.
    #[schemars(extend("enum" = ["opening", "closing", "current"]))]
    pub dimension_basis: Option<Text>,
    /// `as_of:` the day that counts as today.
    pub as_of: Option<Text>,
    /// `fill:` `none` (default) or `dense`: a row for every period.
    #[schemars(extend("enum" = ["none", "dense"]))]
    pub fill: Option<Text>,
    /// `currency:` ISO 4217 code: money in another currency than the project's.
    pub currency: Option<Text>,
    /// `exchange_rate:` name of the rate; default the project's.
    pub exchange_rate: Option<Text>,
}

/// A question with a name.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields, transform = super::json_schema::one_kind)]
pub struct SavedQuery {
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
    /// What is asked; exactly one of `ask`, `document`.
    #[schemars(flatten)]
    pub question: SavedQuestion,
}

/// What a saved query asks.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum SavedQuestion {
    /// `ask:` one question about metrics.
    Ask(Box<Ask>),
    /// `document:` a GraphQL document with one operation, for whole pages.
    Document(Text),
}
