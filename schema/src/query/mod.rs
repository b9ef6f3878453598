//! Questions as they are asked: names as written, values typed by whoever asks. `bind` says what they mean.

pub mod access;
mod ages;
pub(crate) mod bind;
mod bind_condition;
mod bind_currency;
pub(crate) mod bind_entity;
pub mod bound;
pub mod caller;
pub mod condition;
mod condition_text;
pub mod entity;
pub mod error;
mod related;
pub(crate) mod scope;
mod telling;
mod value_check;

pub use access::{Access, Hidden, hidden_from};
pub use ages::Ages;
pub use bind::bind;
pub(crate) use bind::bind_for;
pub use bind_entity::bind_entities;
pub(crate) use bind_entity::bind_entities_for;
pub use bound::BoundQuery;
pub use caller::Caller;
pub use error::{QueryError, QueryErrorCode};
use jiff::{Timestamp, civil::Date};
pub use related::related_joins;

use crate::{
    model::score::ScorePart,
    time::{Grain, Step},
    value::Value,
};

/// A question about metrics: which, by what, over which time, for which rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MetricQuery {
    /// Where the names are looked up.
    pub scope: Scope,
    /// Metrics, each under the key its column gets.
    pub metrics: Vec<MetricSelection>,
    /// Group keys, each under the key its column gets.
    pub by: Vec<GroupBy>,
    /// Which time; `None` is all time.
    pub range: Option<TimeRange>,
    /// Rows that count.
    pub filter: Option<Filter>,
    /// Groups that are shown, by their metrics' keys.
    pub having: Option<Filter>,
    /// The same at another time, beside it.
    pub compare: Option<Comparison>,
    /// Order of rows; group keys ascending, nulls last, come after as tie breakers.
    pub order_by: Vec<OrderBy>,
    /// Rows at most. One more is fetched, to tell whether there are more.
    pub limit: Option<u64>,
    /// Rows passed over.
    pub offset: u64,
    /// Whether a column tells the number of groups there are regardless of `limit` (`crate::compile::ColumnRole::RowCount`).
    pub row_count: bool,
    /// Whether periods without rows are shown.
    pub fill: Fill,
    /// Whether a row over everything is wanted.
    pub totals: bool,
    /// Members of movements, by name; `None` is the default.
    pub movement_grain: Option<String>,
    /// Movements from end to end of a period, or summed over its steps.
    pub movement_basis: MovementBasis,
    /// At which end of a period what members are is read, or whether all of history is read as of today.
    pub dimension_basis: DimensionBasis,
    /// The day that counts as today: periods that end after it are incomplete, effective-dated entities are read as of it when
    /// nothing else says when.
    pub as_of: Date,
    /// Only what was recorded by then.
    pub as_known_at: Option<Timestamp>,
    /// Zone in which days begin; `None` is the project's.
    pub time_zone: Option<String>,
    /// Money in another currency than the project's.
    pub currency: Option<InCurrency>,
}

impl MetricQuery {
    /// Metrics of all rows over all time as one group, and nothing else asked.
    #[must_use]
    pub fn new(scope: Scope, metrics: Vec<MetricSelection>, as_of: Date) -> Self {
        Self {
            scope,
            metrics,
            by: Vec::new(),
            range: None,
            filter: None,
            having: None,
            compare: None,
            order_by: Vec::new(),
            limit: None,
            offset: 0,
            row_count: false,
            fill: Fill::None,
            totals: false,
            movement_grain: None,
            movement_basis: MovementBasis::default(),
            dimension_basis: DimensionBasis::default(),
            as_of,
            as_known_at: None,
            time_zone: None,
            currency: None,
        }
    }
}

/// Another currency than the project's, for all money of an answer at one rate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InCurrency {
    /// ISO 4217 code.
    pub code: String,
    /// Name of the rate; `None` is the project's default.
    pub rate: Option<String>,
}

/// Where names are looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A view by name.
    View(String),
    /// An entity by name: every metric that can be grouped by it; the only group keys are the entity itself and time.
    Entity(String),
}

/// One metric of a question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MetricSelection {
    /// Key of its column, unique in the question.
    pub key: String,
    /// Metric name.
    pub metric: String,
    /// Rows that count for this one only.
    pub filter: Option<Filter>,
    /// Whether a second column says why a value is missing (`crate::compile::ColumnRole::Status`).
    pub status: bool,
    /// One input's part of a score instead of the metric itself.
    pub part: Option<ScorePart>,
}

impl MetricSelection {
    /// A metric as it is, in a column of its own name.
    pub fn of(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { key: name.clone(), metric: name, filter: None, status: false, part: None }
    }
}

/// One group key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupBy {
    /// Key of its column, unique in the question.
    pub key: String,
    /// What it is.
    pub item: GroupItem,
}

/// What rows are grouped by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupItem {
    /// A dimension (or entity) of the scope, by name.
    Dimension(String),
    /// Periods. Without a dimension: the metrics' own time.
    Time {
        /// A date or timestamp dimension of the scope.
        dimension: Option<String>,
        /// How finely.
        grain: Grain,
    },
    /// Cohorts: periods in which the owners of a movement began. With it, or with ages, the question's range is about those beginnings.
    Cohort {
        /// How finely.
        grain: Grain,
    },
    /// Time since the beginning; only for cohort metrics, which need it.
    Age(Ages),
}

/// A span of days, the end excluded. An open end is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// First day.
    pub from: Option<Date>,
    /// One past the last day.
    pub to: Option<Date>,
}

/// The same question at another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// So much earlier.
    Earlier(Step),
    /// Exactly this range; periods are matched by their distance from the start of the range.
    Range(TimeRange),
}

/// Which periods are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Fill {
    /// Those with rows.
    #[default]
    None,
    /// Every period of the range for every group that occurs. Needs a closed range.
    Dense,
}

/// How a movement looks at a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MovementBasis {
    /// Opening against closing of the period; what lies between is not seen.
    #[default]
    PointToPoint,
    /// Every step of the snapshot's own grain inside the period, added up.
    Flow,
}

/// When the dimensions of a question are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DimensionBasis {
    /// As they were at each instant; of a movement, at its opening, unless a dimension says otherwise.
    #[default]
    Opening,
    /// As they were at each instant; of a movement, at its closing.
    Closing,
    /// As they are on the day that counts as today, for all of history: what was merged since is one.
    Current,
}

/// One part of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderBy {
    /// Key of a group or metric column of the question.
    pub key: String,
    /// Which way.
    pub direction: Direction,
    /// Where nulls go; `None` is last either way.
    pub nulls: Option<Nulls>,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "the variants are SQL's words")]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

/// Where nulls go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are SQL's words")]
pub enum Nulls {
    First,
    Last,
}

/// A condition over named fields. Values are typed by the asker; `bind` checks them against the field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// All hold; an empty list holds.
    And(Vec<Filter>),
    /// One holds; an empty list does not hold.
    Or(Vec<Filter>),
    /// Does not hold (unknown stays unknown, as in SQL).
    Not(Box<Filter>),
    /// Comparison with a value that is not null.
    Compare {
        /// Field name.
        field: String,
        /// Comparison.
        operator: Comparator,
        /// Never null.
        value: Value,
    },
    /// Membership; an empty list does not hold.
    In {
        /// Field name.
        field: String,
        /// Members, none null.
        values: Vec<Value>,
        /// Not in.
        negated: bool,
    },
    /// Whether the value is missing.
    IsNull {
        /// Field name.
        field: String,
        /// Is missing, or is not.
        is_null: bool,
    },
    /// Text tests.
    Matches {
        /// Field name of a text dimension.
        field: String,
        /// Which test.
        test: TextTest,
        /// The text or pattern.
        text: String,
    },
    /// One of these keys of an entity (a field that is an entity); each key has the entity's key columns in order.
    KeyIn {
        /// Field name of an entity; for entity questions the empty string is the entity itself.
        field: String,
        /// The keys.
        keys: Vec<Vec<Value>>,
    },
    /// Rows of a named segment.
    InSegment(String),
    /// There is a row that a relationship to one leads to, and it fulfils a condition, in the names of its entity. In questions about
    /// rows only.
    Related {
        /// Name of the relationship.
        relationship: String,
        /// What the row fulfils; what always holds asks for no more than that there is one.
        filter: Box<Filter>,
    },
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the operators themselves")]
pub enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Tests on text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// SQL pattern with `%` and `_`.
    Like,
    /// The same, regardless of case.
    LikeIgnoringCase,
    /// Begins with, literally.
    StartsWith,
    /// Holds, literally.
    Contains,
}

/// A question about rows of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityQuery {
    /// Entity name.
    pub entity: String,
    /// Dimensions wanted, by name; each is a column under its name. Key columns are always returned too (see `sql::OutputRole`).
    pub dimensions: Vec<String>,
    /// Only rows related to these rows of another entity: one level of a nested selection.
    pub parents: Option<Parents>,
    /// Rows that count.
    pub filter: Option<Filter>,
    /// Rows that count, by their metrics.
    pub having: Option<Filter>,
    /// Order; key columns come after as tie breakers.
    pub order_by: Vec<EntityOrderBy>,
    /// How the metrics in `having` and `order_by` are computed.
    pub metrics: EntityMetrics,
    /// Which part of the list. With `parents`, per parent.
    pub page: Page,
    /// The day effective-dated entities are read at.
    pub as_of: Date,
    /// Only what was recorded by then.
    pub as_known_at: Option<Timestamp>,
}

/// One part of the order of rows of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityOrderBy {
    /// What is ordered by.
    pub by: EntityOrderKey,
    /// Which way.
    pub direction: Direction,
    /// Where nulls go; `None` is last either way.
    pub nulls: Option<Nulls>,
}

/// What rows of an entity are ordered by. A dimension and a metric may have one name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EntityOrderKey {
    /// A dimension, by name or path.
    Dimension(String),
    /// A metric, by name.
    Metric(String),
}

/// How metrics of an entity's rows are computed: over which time, as of when, between which members.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct EntityMetrics {
    /// Which time; `None` is all time.
    pub range: Option<TimeRange>,
    /// Members of movements, by name; `None` is the default.
    pub movement_grain: Option<String>,
    /// Movements from end to end of a period, or summed over its steps.
    pub movement_basis: MovementBasis,
    /// When dimensions and what identifies members are read.
    pub dimension_basis: DimensionBasis,
    /// The day that counts as today; `None` is that of the rows.
    pub as_of: Option<Date>,
    /// Only what was recorded by then; `None` is as for the rows.
    pub as_known_at: Option<Timestamp>,
    /// Zone in which days begin; `None` is the project's.
    pub time_zone: Option<String>,
    /// Money in another currency than the project's.
    pub currency: Option<InCurrency>,
}

impl EntityMetrics {
    /// The question for metrics of all rows of an entity that are read `as_of` a day, `as_known_at` an instant. Whoever shows, orders or
    /// filters by metrics of rows asks this, so that all of them speak of the same numbers.
    #[must_use]
    pub fn question(
        &self,
        entity: &str,
        metrics: Vec<MetricSelection>,
        as_of: Date,
        as_known_at: Option<Timestamp>,
    ) -> MetricQuery {
        // No metric has this name, so that the key's column and a metric's never meet.
        let key = String::new();
        MetricQuery {
            by: vec![GroupBy { key, item: GroupItem::Dimension(entity.to_owned()) }],
            range: self.range,
            movement_grain: self.movement_grain.clone(),
            movement_basis: self.movement_basis,
            dimension_basis: self.dimension_basis,
            as_known_at: self.as_known_at.or(as_known_at),
            time_zone: self.time_zone.clone(),
            currency: self.currency.clone(),
            ..MetricQuery::new(Scope::Entity(entity.to_owned()), metrics, self.as_of.unwrap_or(as_of))
        }
    }
}

/// The rows one level above.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parents {
    /// The entity above.
    pub entity: String,
    /// Its relationship that leads here.
    pub relationship: String,
    /// Keys of the rows above, in the entity's key order.
    pub keys: Vec<Vec<Value>>,
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page {
    /// Rows at most; one more is fetched to tell whether there are more.
    pub limit: u64,
    /// Rows passed over.
    pub offset: u64,
    /// Begin after the row with these values of the order's columns and the key (keyset pagination).
    pub after: Option<Vec<Value>>,
    /// End before the row with these values.
    pub before: Option<Vec<Value>>,
    /// Take the last rows instead of the first; the statement returns them in reverse order.
    pub backwards: bool,
}
