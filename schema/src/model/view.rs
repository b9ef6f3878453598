//! Views, resolved.

use super::{DimensionId, EntityId, MetricId, ViewDimensionIndex};
use crate::{source::Span, value::ValueType};

/// One named subject area.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Name, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// One sentence.
    pub description: Option<String>,
    /// Its metrics, in written order.
    pub metrics: Vec<MetricId>,
    /// Its dimensions, in written order; each is valid for every metric.
    pub dimensions: Vec<ViewDimension>,
    /// Names of the movement grains a query may choose; the first is the default. Empty without movement metrics.
    pub movement_grains: Vec<String>,
    /// Where it was written.
    pub span: Span,
}

impl View {
    /// Looks a dimension up by name.
    pub fn dimension_named(&self, name: &str) -> Option<ViewDimensionIndex> {
        self.dimensions.iter().position(|dimension| dimension.name == name).map(|index| ViewDimensionIndex(index as u16))
    }
}

/// Something the view can be grouped and filtered by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ViewDimension {
    /// Name in this view, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Dimension or entity.
    pub target: ViewTarget,
    /// Relationship names the author insisted on, from the fact's side; usually empty.
    pub via: Vec<String>,
    /// Type of its values; for an entity that of its key (text for composite keys).
    pub value_type: ValueType,
    /// Whether a member may count in several groups.
    pub overlapping: bool,
}

/// What a view's dimension is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViewTarget {
    /// A dimension of an entity.
    Dimension(DimensionId),
    /// An entity by its key.
    Entity(EntityId),
}

impl ViewTarget {
    /// The entity it belongs to.
    pub fn entity(self) -> EntityId {
        match self {
            ViewTarget::Dimension(id) => id.entity,
            ViewTarget::Entity(id) => id,
        }
    }
}
