//! A question whose every name, type and range has been checked.

use jiff::{Timestamp, civil::Date};

use super::{Ages, DimensionBasis, Fill, InCurrency, MovementBasis, OrderBy, TimeRange, access::Access, condition::Condition};
use crate::{
    model::{DimensionId, MetricId, ViewDimension, score::ScorePart},
    time::{Grain, Step},
    value::ValueType,
};

/// A field of a scope: one dimension, and how the scope's author said it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// The scope's dimension it comes from.
    pub of: ViewDimension,
    /// The dimension itself; for an entity, one part of its key.
    pub dimension: DimensionId,
}

/// A question about metrics, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundQuery {
    /// Metrics in the question's order.
    pub metrics: Vec<BoundMetric>,
    /// Group keys in the question's order; an entity with a composite key gives several.
    pub keys: Vec<BoundKey>,
    /// Which time.
    pub range: TimeRange,
    /// Rows that count.
    pub filter: Vec<Condition<Field>>,
    /// Groups that are shown, over positions in `metrics`.
    pub having: Option<Condition<usize>>,
    /// The same so much earlier, beside it.
    pub compare: Option<Step>,
    /// Order of rows; keys are known to exist.
    pub order_by: Vec<OrderBy>,
    /// Rows at most.
    pub limit: Option<u64>,
    /// Rows passed over.
    pub offset: u64,
    /// Whether a column counts the groups.
    pub row_count: bool,
    /// Which periods are shown.
    pub fill: Fill,
    /// Whether totals are wanted.
    pub totals: bool,
    /// Name of the movement grain, when the question says one.
    pub movement_grain: Option<String>,
    /// How movements look at a period.
    pub movement_basis: MovementBasis,
    /// When dimensions are read.
    pub dimension_basis: DimensionBasis,
    /// Whether keys in `filter` only say which entities are on a page: they narrow the groups, not the totals groups are shares of.
    pub is_page_of_entities: bool,
    /// The day that counts as today.
    pub as_of: Date,
    /// Only what was recorded by then.
    pub as_known_at: Option<Timestamp>,
    /// Zone in which days begin.
    pub time_zone: String,
    /// Money in another currency than the project's; the code differs from it and rates are known.
    pub currency: Option<InCurrency>,
    /// What the asker may see.
    pub access: Access,
}

/// One metric of a question, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundMetric {
    /// Key of its column.
    pub key: String,
    /// Which metric.
    pub metric: MetricId,
    /// Rows that count for this one only.
    pub filter: Vec<Condition<Field>>,
    /// Whether a second column says why a value is missing.
    pub status: bool,
    /// One input's part of a score instead of the metric itself; the metric is a score that has the input.
    pub part: Option<ScorePart>,
}

/// One column of the group key, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BoundKey {
    /// Key of the group in the question.
    pub key: String,
    /// Position in the question's `by`.
    pub by: usize,
    /// Position in a key of several parts.
    pub part: usize,
    /// What it is.
    pub item: KeyItem,
    /// Type of its values.
    pub value_type: ValueType,
}

impl BoundKey {
    /// The grain, when the key is a period of the metrics' own time.
    pub fn period(&self) -> Option<Grain> {
        match self.item {
            KeyItem::Period(grain) => Some(grain),
            KeyItem::Field(_) | KeyItem::FieldPeriod(..) | KeyItem::Cohort(_) | KeyItem::Age(_) => None,
        }
    }
}

/// What a group key is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyItem {
    /// Periods of the metrics' own time.
    Period(Grain),
    /// A dimension.
    Field(Field),
    /// A date dimension cut into periods.
    FieldPeriod(Field, Grain),
    /// Periods in which the owners of a movement began.
    Cohort(Grain),
    /// Time since then.
    Age(Ages),
}

impl BoundQuery {
    /// Finest grain of the metrics' own time among the keys.
    pub fn period(&self) -> Option<Grain> {
        Grain::finest(self.keys.iter().filter_map(BoundKey::period))
    }

    /// The ages asked for.
    pub fn ages(&self) -> Option<Ages> {
        self.keys.iter().find_map(|key| match key.item {
            KeyItem::Age(ages) => Some(ages),
            KeyItem::Period(_) | KeyItem::Field(_) | KeyItem::FieldPeriod(..) | KeyItem::Cohort(_) => None,
        })
    }
}
