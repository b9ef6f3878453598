//! A question about rows of an entity whose every name and value has been checked.

use jiff::{Timestamp, civil::Date};

use super::{BoundQuery, Direction, Nulls, Page, access::Access, condition::Condition};
use crate::{
    model::{EntityId, RelationshipId, path::PathDimension},
    value::{Value, ValueType},
};

/// Rows of an entity, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundEntities {
    /// Whose rows.
    pub entity: EntityId,
    /// Dimensions wanted, in the question's order.
    pub dimensions: Vec<PathDimension>,
    /// The rows one level above.
    pub parents: Option<BoundParents>,
    /// Rows that count; all hold.
    pub filter: Vec<Condition<PathDimension>>,
    /// The question that gives the metrics of rows, when order or conditions speak of any.
    pub metrics: Option<BoundQuery>,
    /// Rows that count by their metrics, over positions in the question for them.
    pub having: Option<Condition<usize>>,
    /// Order as asked, without tie breakers.
    pub order_by: Vec<BoundOrder>,
    /// Which part of the list; cursor values have the types of the order's columns and the key.
    pub page: Page,
    /// The day effective-dated entities are read at.
    pub as_of: Date,
    /// Only what was recorded by then.
    pub as_known_at: Option<Timestamp>,
    /// What the asker may see.
    pub access: Access,
}

/// The rows one level above, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundParents {
    /// Leads from the entity above to this one.
    pub relationship: RelationshipId,
    /// Keys of the rows above: typed, sorted, each once.
    pub keys: Vec<Vec<Value>>,
}

/// One part of an order, checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BoundOrder {
    /// What is ordered by.
    pub field: RowField,
    /// Type of its values.
    pub value_type: ValueType,
    /// Which way.
    pub direction: Direction,
    /// Where nulls go.
    pub nulls: Nulls,
}

/// What is compared and ordered by in rows of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowField {
    /// A dimension reached from the row.
    Dimension(PathDimension),
    /// A metric of the row, by position in the question for metrics.
    Metric(usize),
}
