//! The `entity:` document: a table or query of the warehouse, what can be asked of it, and what it is related to.

use schemars::JsonSchema;
use std::collections::BTreeMap;

use super::{
    Named, Text,
    json_schema::{Number, OneOrMany, OrText},
};
use crate::source::Spanned;

/// One kind of thing, or one kind of fact, in the warehouse.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Entity {
    /// `entity:` its name.
    pub entity: Text,
    /// `label:` what people call it.
    pub label: Option<Text>,
    /// `description:` one sentence.
    pub description: Option<Text>,
    /// `owner:` team or person that answers for it.
    pub owner: Option<Text>,
    /// `tags:` free words.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub tags: Vec<Text>,
    /// `source:` a table (`schema.table`), or `{sql: …}`.
    pub source: Source,
    /// `key:` one column or a list; identifies a row (for an effective-dated entity: the thing, of which there are versions).
    #[schemars(with = "OneOrMany<String>")]
    pub key: Vec<Text>,
    /// `valid:` columns that say from when to when a version holds.
    pub valid: Option<Validity>,
    /// `display:` the dimension a person reads.
    pub display: Option<Text>,
    /// `freshness:` how long an answer may be reused, and what tells that data changed.
    pub freshness: Option<Freshness>,
    /// `dimensions:`
    #[schemars(with = "Option<BTreeMap<String, OrText<Dimension>>>")]
    pub dimensions: Named<Dimension>,
    /// `time:` time dimensions; the first is the entity's own time.
    #[schemars(with = "Option<BTreeMap<String, OrText<TimeDimension>>>")]
    pub time: Named<TimeDimension>,
    /// `relationships:`
    #[schemars(with = "Option<BTreeMap<String, Relationship>>")]
    pub relationships: Named<Relationship>,
    /// `measures:`
    #[schemars(with = "Option<BTreeMap<String, Measure>>")]
    pub measures: Named<Measure>,
    /// `movements:` how members of this snapshot are compared between two instants.
    pub movements: Option<Movements>,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// `schema.table` or `table`.
    Table(Text),
    /// A select statement; used as a subquery.
    Sql(Text),
}

/// Effective dating: `valid: {from: valid_from, to: valid_to, recorded: recorded_at}`; of facts that are corrected, `valid: {recorded: recorded_at}`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Validity {
    /// From when to when a version holds; both or neither.
    #[schemars(flatten)]
    pub period: Option<Period>,
    /// Column of the instant at which the row became known; of rows with one key the newest that was known counts.
    pub recorded: Option<Text>,
    /// `corrected: false`: no two rows have one key, so that none has to be looked for; late rows are still told from others.
    #[schemars(with = "Option<bool>")]
    pub corrected: Option<Spanned<bool>>,
}

/// From when to when a version holds.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
pub struct Period {
    /// Column of the first instant at which the version holds (inclusive).
    pub from: Text,
    /// Column of the end (exclusive); null means still valid.
    pub to: Text,
}

/// `freshness: {ttl: 5m, refresh: recorded_at}`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Freshness {
    /// How long an answer may be reused: `30s`, `5m`, `1h`, `1d`.
    pub ttl: Option<Text>,
    /// Column whose maximum changes whenever rows change; checked cheaply to drop stale answers early.
    pub refresh: Option<Text>,
}

/// `name: string` or `name: {type: …, column: …}`.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Dimension {
    /// `type:` `string`, `int`, `decimal`, `bool`, `date`, `timestamp`; default `string`, or the type of `expr`.
    #[schemars(rename = "type", extend("enum" = ["string", "int", "decimal", "bool", "date", "timestamp"]))]
    pub value_type: Option<Text>,
    /// `column:` the physical column; default the dimension's name.
    pub column: Option<Text>,
    /// `expr:` an expression over columns and other dimensions of the same entity, instead of a column.
    pub expr: Option<Text>,
    /// `bands:` a derived dimension that names ranges of a number.
    pub bands: Option<Bands>,
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
    /// `unit:` such as `seats`, `currency`, `percent`.
    pub unit: Option<Text>,
    /// `values:` the values that can occur; becomes an enum in GraphQL.
    #[schemars(with = "Option<OneOrMany<Number>>")]
    pub values: Option<Vec<Text>>,
    /// `read:` `opening` (default) or `closing`: at which end of a movement the value is read.
    #[schemars(extend("enum" = ["opening", "closing"]))]
    pub read: Option<Text>,
    /// `hidden:` not shown in the API; usable in expressions and filters of definitions.
    pub hidden: Option<Spanned<bool>>,
}

/// `bands: {of: mrr, edges: [{below: 10000, name: smb}, {up_to: 50000, name: mid_market}, {name: enterprise}]}`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Bands {
    /// A column or dimension of the entity, or an expression over them.
    pub of: Text,
    /// From low to high; the last has no edge.
    pub edges: Vec<BandEdge>,
}

/// One band; exactly one of `below`, `up_to` except for the last, which has neither.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BandEdge {
    /// Its name.
    pub name: Text,
    /// Values smaller than this (exclusive upper edge), as decimal text.
    #[schemars(with = "Option<Number>")]
    pub below: Option<Text>,
    /// Values up to and including this (inclusive upper edge), as decimal text.
    #[schemars(with = "Option<Number>")]
    pub up_to: Option<Text>,
}

/// `month: {type: date, grain: month, snapshot: end_of_period}`.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TimeDimension {
    /// `type:` `date` (default) or `timestamp`.
    #[schemars(rename = "type", extend("enum" = ["date", "timestamp"]))]
    pub value_type: Option<Text>,
    /// `column:` default the name.
    pub column: Option<Text>,
    /// `grain:` the finest grain of the values; default `day`.
    #[schemars(extend("enum" = ["day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year"]))]
    pub grain: Option<Text>,
    /// `snapshot:` `end_of_period` says each row is a balance at the end of its period of `grain`.
    #[schemars(extend("enum" = ["end_of_period"]))]
    pub snapshot: Option<Text>,
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
}

/// `contract: {to: contract, key: contract_id}`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields, extend("oneOf" = [{"required": ["to"]}, {"required": ["top_of"]}]))]
pub struct Relationship {
    /// `to:` the other entity; left out with `top_of`.
    pub to: Option<Text>,
    /// `key:` many-to-one and one-to-one: own columns that hold the other's key. With `many: true`: the other's columns that hold ours.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub key: Vec<Text>,
    /// `many:` true for one-to-many.
    pub many: Option<Spanned<bool>>,
    /// `unique:` true for one-to-one.
    pub unique: Option<Spanned<bool>>,
    /// `through:` a bridge entity, for many-to-many: `{entity: component_allocation, key: component_id, other_key: geography_id, weight: share}`.
    pub through: Option<Through>,
    /// `top_of:` instead of all these: a relationship of the entity to itself, whose chain is followed to its last row.
    pub top_of: Option<Text>,
    /// `levels:` how many hops the longest chain has, 1 to 12.
    pub levels: Option<Spanned<i64>>,
    /// `description:`
    pub description: Option<Text>,
}

/// The bridge of a many-to-many relationship.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Through {
    /// `entity:` the bridge.
    pub entity: Text,
    /// `key:` the bridge's columns that hold our key.
    #[schemars(with = "OneOrMany<String>")]
    pub key: Vec<Text>,
    /// `other_key:` the bridge's columns that hold the other's key.
    #[schemars(with = "OneOrMany<String>")]
    pub other_key: Vec<Text>,
    /// `weight:` the bridge's column whose sum per row of ours is 1; without it values overlap.
    pub weight: Option<Text>,
}

/// `mrr: {sum: mrr, unit: currency/month, over_time: last}`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields, transform = super::json_schema::measure)]
pub struct Measure {
    /// `sum:`, `avg:`, `min:`, `max:`, `count:`, `count_distinct:` with an expression over columns; `count: rows` counts rows.
    #[schemars(skip)]
    pub aggregate: Spanned<String>,
    /// The expression after the aggregate's key.
    #[schemars(skip)]
    pub expr: Text,
    /// `where:` rows that count, an expression over columns and dimensions of the entity.
    #[schemars(rename = "where")]
    pub filter: Option<Text>,
    /// `latest:` with `over_time: as_of`: of the rows that count, only the newest per key.
    pub latest: Option<Latest>,
    /// `over_time:` `sum` (default), for balances `last`, `first`, `average`, or `as_of`: all rows, seen from the last day of the period.
    #[schemars(extend("enum" = ["sum", "last", "first", "average", "as_of"]))]
    pub over_time: Option<Text>,
    /// `time:` the time dimension it belongs to; default the entity's first.
    pub time: Option<Text>,
    /// `currency:` the amount before conversion, so that movements tell changes of rates from changes of value.
    pub currency: Option<Currency>,
    /// `label:`
    pub label: Option<Text>,
    /// `description:`
    pub description: Option<Text>,
    /// `unit:`
    pub unit: Option<Text>,
}

/// `latest: {per: stakeholder_id, by: observed_on}`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Latest {
    /// `per:` columns or dimensions of which each combination keeps one row.
    #[schemars(with = "OneOrMany<String>")]
    pub per: Vec<Text>,
    /// `by:` what tells which row is newest.
    pub by: Text,
}

/// `currency: {local: mrr_local, rate: fx_rate, code: currency}`, expressions over columns of the row.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Currency {
    /// `local:` the amount in its own currency.
    pub local: Text,
    /// `rate:` what one unit of that currency is worth in the currency of the measure.
    pub rate: Text,
    /// `code:` which currency it is; rates are compared within one currency only.
    pub code: Text,
}

/// `movements: {owner: account, grains: {account: [account], component: [account, component]}}`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Movements {
    /// `owner:` the entity whose activity tells churn from a component's loss.
    pub owner: Text,
    /// `grains:` each names the entities and dimensions whose values identify a member; the first is the default.
    #[schemars(with = "BTreeMap<String, OneOrMany<String>>")]
    pub grains: Named<Vec<Text>>,
    /// `cohort:` a date of the owner that says when it began, such as `first_active_date`; it puts owners into cohorts.
    pub cohort: Option<Text>,
    /// `component:` the entity whose rows keep their identity while their attributes change; value that moves with one is a transfer.
    pub component: Option<Text>,
    /// `replaces:` a relationship of the component to the component that it replaces; both are compared as one.
    pub replaces: Option<Text>,
}
