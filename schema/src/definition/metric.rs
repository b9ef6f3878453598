//! Entries of a `metrics:` mapping.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{
    Named, Text,
    json_schema::{Number, OneOrMany},
    test,
};
use crate::source::{Span, Spanned};

/// One metric: what it is called and how it is computed.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields, transform = super::json_schema::one_kind)]
pub struct Metric {
    /// The whole entry.
    #[schemars(skip)]
    pub span: Span,
    /// `label:` what people call it.
    pub label: Option<Text>,
    /// `description:` plain words.
    pub description: Option<Text>,
    /// How it is computed; exactly one of `measure`, `ratio`, `expr`, `cumulative`, `offset`, `movement`, `per_entity`, `share`, `score`,
    /// `series`, `cohort`, `peers`.
    #[schemars(flatten)]
    pub kind: MetricKind,
    /// `where:` rows that count, over dimensions reachable from its fact; only with `measure`, `movement`, `cohort` and `cumulative`.
    #[schemars(rename = "where")]
    pub filter: Option<Text>,
    /// `empty:` what a group without rows shows: `null` (default) or `zero`.
    #[schemars(extend("enum" = ["null", "zero"]))]
    pub empty: Option<Text>,
    /// `unit:` such as `currency`, `currency/month`, `percent`, `count`, `days`.
    pub unit: Option<Text>,
    /// `format:` `percent(1)`, `currency(0)`, `number(2)`.
    pub format: Option<Text>,
    /// `direction:` `higher_is_better`, `lower_is_better` or `neutral` (default).
    #[schemars(extend("enum" = ["higher_is_better", "lower_is_better", "neutral"]))]
    pub direction: Option<Text>,
    /// `owner:`
    pub owner: Option<Text>,
    /// `version:` of this definition, from 1.
    pub version: Option<Spanned<i64>>,
    /// `deprecated:` why, and what to use instead.
    pub deprecated: Option<Text>,
    /// `tags:`
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub tags: Vec<Text>,
    /// `source:` where the formula comes from.
    pub source: Option<Text>,
    /// `tests:` rows in, question, expected answer.
    #[schemars(with = "Option<OneOrMany<test::Test>>")]
    pub tests: Vec<test::Test>,
}

/// The ways to compute a metric.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum MetricKind {
    /// `measure: component_value.mrr`.
    Measure(Text),
    /// `ratio: contraction_mrr / opening_mrr`; null when the divisor is zero or missing.
    Ratio(Text),
    /// `expr: opening_mrr + expansion_mrr`, over metrics.
    Expr(Text),
    /// `cumulative: {of: bookings, window: 12 months}` or `{of: bookings, to_date: year}`.
    Cumulative(Cumulative),
    /// `offset: {of: mrr, by: 12 months}`: the metric so much earlier.
    Offset(Offset),
    /// `movement: {of: component_value.mrr, is: contraction}`.
    Movement(Movement),
    /// `per_entity: {entity: account, where: contraction_mrr > 0, count: true}`.
    PerEntity(PerEntity),
    /// `share: {of: contraction_mrr}`: the group's part of the total over all groups of the same period.
    Share(Share),
    /// `score: {inputs: {low_seats: {weight: 1}}}`: a weighted composite; or `{of: health, take: coverage}`.
    Score(Score),
    /// `series: {of: bookings, grain: month, window: 6 months, take: slope}`: one number about a metric's values period after period.
    Series(Series),
    /// `cohort: {of: component_value.mrr, take: retained}`: a movement between two ages of members that began together.
    Cohort(Cohort),
    /// `peers: {of: seat_utilization, entity: account, group: [segment], take: percentile}`: an entity compared with the others of its group.
    Peers(Peers),
    /// Could not be read: reported where it stands.
    #[schemars(skip)]
    Unread,
}

/// A running total.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cumulative {
    /// `of:` a metric of type `measure`.
    pub of: Text,
    /// `window:` trailing window such as `12 months` or `90 days`, or `all`: from the beginning.
    pub window: Option<Text>,
    /// `to_date:` a grain; from its start to the end of the period.
    #[schemars(extend("enum" = ["day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year"]))]
    pub to_date: Option<Text>,
}

/// A metric at an earlier time.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Offset {
    /// `of:` a metric.
    pub of: Text,
    /// `by:` how much earlier: `1 month`, `1 year`, `7 days`.
    pub by: Text,
}

/// A line of the bridge between two balances.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Movement {
    /// `of:` `entity.measure` of a snapshot with `movements:`.
    pub of: Text,
    /// `is:` one class or a list: `new`, `reactivation`, `expansion`, `contraction`, `churn`, `component_add`, `component_loss`, `flat`; absent means all.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub is: Vec<Text>,
    /// `take:` `amount` (default: the size of the change, never negative), `opening`, `closing`, `retained`, `change`, `credit`, `transfer_in`,
    /// `transfer_out`, `fx`, `members`, `owners`, or an expression over the values of a member.
    #[schemars(extend("anyOf" = [
        {"enum": ["amount", "opening", "closing", "retained", "change", "credit", "transfer_in", "transfer_out", "fx", "members", "owners"]},
        {"type": "string"},
    ]))]
    pub take: Option<Text>,
    /// `with:` further measures of the same snapshot, and dimensions that are numbers, by name: `quantity` gives `opening_quantity` and `closing_quantity`.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub with: Named<Text>,
    /// `grain:` fixes the movement grain, whatever the query says.
    pub grain: Option<Text>,
    /// `when:` condition over `opening`, `closing`, `owner_opening`, `owner_closing` of each member, and over what `with` adds.
    pub when: Option<Text>,
}

/// A movement between two ages of members that began together.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cohort {
    /// `of:` `entity.measure` of a snapshot whose `movements:` have a `cohort:`.
    pub of: Text,
    /// `over:` `life` (default: from the beginning to the age, end to end), `step` (from the age before to the age), `steps` (every step from the beginning to the age, added up).
    #[schemars(extend("enum" = ["life", "step", "steps"]))]
    pub over: Option<Text>,
    /// `is:` as in a `movement`; a rise from nothing after the beginning is a `reactivation`, or a `component_add`.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub is: Vec<Text>,
    /// `take:` as in a `movement`, without transfers and rates.
    #[schemars(extend("anyOf" = [
        {"enum": ["amount", "opening", "closing", "retained", "change", "credit", "members", "owners"]},
        {"type": "string"},
    ]))]
    pub take: Option<Text>,
    /// `grain:` fixes the movement grain, whatever the query says.
    pub grain: Option<Text>,
    /// `when:` condition over `opening`, `closing`, `owner_opening`, `owner_closing` of each member.
    pub when: Option<Text>,
}

/// A metric evaluated per entity, or per entity and period, then aggregated.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PerEntity {
    /// `entity:` evaluated for each.
    pub entity: Text,
    /// `each:` a grain; evaluated for every entity and each of these periods.
    #[schemars(extend("enum" = ["day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year"]))]
    pub each: Option<Text>,
    /// `of:` expression over metrics; not needed for `count`.
    pub of: Option<Text>,
    /// `aggregate:` `count` (default without `of`), `sum`, `avg` (default with `of`), `min`, `max`, `median`, `top_share` (what the entities with the largest values have of the sum).
    #[schemars(extend("enum" = ["count", "sum", "avg", "min", "max", "median", "top_share"]))]
    pub aggregate: Option<Text>,
    /// `top:` with `top_share`: the share of the entities, above 0 and at most 1; so many as it makes are rounded up.
    #[schemars(with = "Option<Number>")]
    pub top: Option<Text>,
    /// `at_least:` with `top_share`: entities with a value below which it is null; default 1.
    #[schemars(with = "Option<Number>")]
    pub at_least: Option<Text>,
    /// `where:` condition over metrics; entities that fail it, or for which it is unknown, do not count.
    #[schemars(rename = "where")]
    pub condition: Option<Text>,
}

/// A part of a total.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Share {
    /// `of:` a metric.
    pub of: Text,
    /// `as:` `ratio` (default: value ÷ total) or `difference` (value − total).
    #[schemars(rename = "as", extend("enum" = ["ratio", "difference"]))]
    pub as_: Option<Text>,
}

/// A weighted composite, or something read of one.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Score {
    /// `inputs:` by name; a name is that of a metric, unless `of` says which. Exactly one of `inputs` and `of`.
    #[schemars(with = "Option<std::collections::BTreeMap<String, ScoreInput>>")]
    pub inputs: Named<ScoreInput>,
    /// `min_coverage:` share of the weights that must be known, from 0 to 1; default 0.5. With less, the score is null.
    #[schemars(with = "Option<Number>")]
    pub min_coverage: Option<Text>,
    /// `scale:` the score when every input is at its most; default 100.
    #[schemars(with = "Option<Number>")]
    pub scale: Option<Text>,
    /// `of:` a score, of which something is taken.
    pub of: Option<Text>,
    /// `take:` with `of`: `coverage` (share of the weights that is known) or `top_driver` (name of the input that contributes most).
    #[schemars(extend("enum" = ["coverage", "top_driver"]))]
    pub take: Option<Text>,
}

/// One input of a score.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ScoreInput {
    /// `of:` the metric; default the one of the input's name.
    pub of: Option<Text>,
    /// `weight:` above zero; default 1.
    #[schemars(with = "Option<Number>")]
    pub weight: Option<Text>,
    /// `from:` the value that counts 0; default 0. Only for numbers.
    #[schemars(with = "Option<Number>")]
    pub from: Option<Text>,
    /// `to:` the value that counts 1; default 1. Less than `from` when less is more. Only for numbers.
    #[schemars(with = "Option<Number>")]
    pub to: Option<Text>,
}

/// One number about a metric's values period after period.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Series {
    /// `of:` a metric.
    pub of: Text,
    /// `grain:` the periods of the series.
    #[schemars(extend("enum" = ["day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year"]))]
    pub grain: Text,
    /// `window:` how far back, a whole number of periods: `6 months`, `90 days`.
    pub window: Text,
    /// `take:` what is said of the values: `count`, `sum`, `mean`, `min`, `max`, `median`, `first`, `last`, `stdev`, `slope`, `residual_stdev`, `forecast`, `mad_score`, `falls`, `rises`, `product`, `days_to_first`, `correlation`.
    #[schemars(extend("enum" = [
        "count", "sum", "mean", "min", "max", "median", "first", "last", "stdev", "slope", "residual_stdev", "forecast", "mad_score",
        "falls", "rises", "product", "days_to_first", "correlation",
    ]))]
    pub take: Text,
    /// `per:` with `correlation`: an entity; each has a series of its own, and how alike they are is said.
    pub per: Option<Text>,
    /// `at_least:` periods with a value below which nothing is said; default 1. With `per` entities with a value in every period; default 2.
    pub at_least: Option<Spanned<i64>>,
    /// `horizon:` how far ahead a `forecast` looks; default one period.
    pub horizon: Option<Text>,
}

/// An entity compared with the others of its group, itself left out.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Peers {
    /// `of:` a metric; a number.
    pub of: Text,
    /// `entity:` what is compared; a question has to group by it.
    pub entity: Text,
    /// `group:` dimensions of the entity that peers have in common, as they are on the last day of the period; absent means all are peers.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub group: Vec<Text>,
    /// `take:` `percentile` (share of the peers below, half of the equal ones included, times 100), `gap` (own value minus the median of the peers), `median` (of the peers) or `count` (of the peers).
    #[schemars(extend("enum" = ["percentile", "gap", "median", "count"]))]
    pub take: Text,
    /// `at_least:` peers with a value below which nothing but their number is said; default 5.
    #[schemars(with = "Option<Number>")]
    pub at_least: Option<Text>,
}
