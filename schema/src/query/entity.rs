//! A question about rows of an entity whose every name and value has been checked.

use jiff::{Timestamp, civil::Date};

use super::{Direction, Nulls, Page, access::Access, condition::Condition};
use crate::{
    model::{EntityId, RelationshipId, path::PathDimension},
    value::Value,
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
    pub field: PathDimension,
    /// Which way.
    pub direction: Direction,
    /// Where nulls go.
    pub nulls: Nulls,
}
