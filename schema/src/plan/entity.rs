//! Rows of an entity as a plan: how they are matched to the rows above, which are kept, in which order, which part is taken.

use crate::{
    compile::EntityColumn,
    model::{Cardinality, DimensionId, EntityId, Model, Path, RelationshipId, entity::ColumnName, path::PathDimension},
    plan::{
        self, Plan,
        keyset::{self, SortKey},
    },
    query::{
        Direction, Page, QueryError,
        access::Access,
        bind_entity::METRICS,
        condition::Condition,
        entity::{BoundEntities, BoundParents, RowField},
    },
    value::{Value, ValueType},
};

/// Rows of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityPlan {
    /// Whose rows.
    pub entity: EntityId,
    /// How they are matched to the rows above.
    pub link: Option<Link>,
    /// Rows that count; all hold.
    pub filter: Vec<Condition<PathDimension>>,
    /// Metrics of all rows, when order or conditions speak of any; the plan's keys are the entity's. A row without any has nulls.
    pub metrics: Option<Plan>,
    /// Rows that count by their metrics, over positions in the outputs of `metrics`.
    pub having: Option<Condition<usize>>,
    /// Rows on the wanted side of the cursors; all hold.
    pub seek: Vec<Condition<RowField>>,
    /// Order of the statement's rows (of each parent), the key last.
    pub order: Vec<SortKey<RowField>>,
    /// Which part is taken.
    pub slice: Slice,
    /// Columns in statement order.
    pub columns: Vec<Column>,
    /// Whether few rows are found by key.
    pub is_lookup: bool,
}

/// One column of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    /// What it is.
    pub role: EntityColumn,
    /// What is read; for the parents' key, a dimension of the parents.
    pub field: RowField,
    /// Type of its values.
    pub value_type: ValueType,
}

/// The way from the rows above.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Link {
    /// Leads from the entity above to this one.
    pub relationship: RelationshipId,
    /// Keys of the rows above.
    pub keys: Vec<Vec<Value>>,
    /// Where the parents' key is found.
    pub parent_key: ParentKey,
}

/// Where the parents' key is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ParentKey {
    /// In the columns that are joined anyway, at these positions; the parents are not read.
    Joined(Vec<usize>),
    /// In the parents' rows.
    Scanned,
}

/// Which part of the list is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slice {
    /// All of it: at most one row for each parent.
    Whole,
    /// So many after so many.
    List {
        /// Rows at most.
        limit: u64,
        /// Rows passed over.
        offset: u64,
    },
    /// So many after so many, for each parent.
    PerParent {
        /// Rows at most.
        limit: u64,
        /// Rows passed over.
        offset: u64,
    },
}

/// Plans the rows of a checked question.
///
/// # Errors
/// What cannot be right about the metrics of rows, as for [`plan::plan`].
pub fn build(model: &Model, bound: &BoundEntities) -> Result<EntityPlan, QueryError> {
    let metrics =
        bound.metrics.as_ref().map(|metrics| plan::plan(model, metrics).map_err(|error| error.within(METRICS))).transpose()?;
    let link = bound.parents.as_ref().map(|parents| link(model, parents, &bound.access));
    let order = order(model, bound);
    let Page { limit, offset, after, before, backwards } = &bound.page;
    let seek = after.iter().map(|values| keyset::after(&order, values));
    let seek = seek.chain(before.iter().map(|values| keyset::before(&order, values))).collect();
    // One more than asked tells whether there are more.
    let (limit, offset) = (limit.saturating_add(1), *offset);
    Ok(EntityPlan {
        entity: bound.entity,
        filter: bound.filter.clone(),
        having: bound.having.clone(),
        seek,
        slice: match bound.parents.as_ref().map(|parents| &model.relationship(parents.relationship).cardinality) {
            Some(Cardinality::ManyToOne | Cardinality::OneToOne) => Slice::Whole,
            Some(Cardinality::OneToMany | Cardinality::ManyToMany { .. }) => Slice::PerParent { limit, offset },
            None => Slice::List { limit, offset },
        },
        columns: columns(model, bound),
        order: if *backwards { order.iter().map(SortKey::reversed).collect() } else { order },
        // Metrics are computed over all rows, whichever are then taken.
        is_lookup: metrics.is_none()
            && (link.is_some() || bound.filter.iter().any(|condition| finds_by_key(model, bound.entity, condition))),
        metrics,
        link,
    })
}

fn order(model: &Model, bound: &BoundEntities) -> Vec<SortKey<RowField>> {
    let asked = bound.order_by.iter().map(|order| SortKey {
        field: order.field.clone(),
        direction: order.direction,
        nulls: Some(order.nulls),
    });
    let key = key(model, bound.entity).map(|dimension| SortKey {
        field: RowField::Dimension(dimension),
        direction: Direction::Ascending,
        nulls: None,
    });
    asked.chain(key).collect()
}

fn columns(model: &Model, bound: &BoundEntities) -> Vec<Column> {
    let above = bound.parents.iter().flat_map(|parents| key(model, parents.relationship.entity)).enumerate();
    let parent = above.map(|(part, field)| (EntityColumn::ParentKey(part), field));
    let own = key(model, bound.entity).enumerate().map(|(part, field)| (EntityColumn::Key(part), field));
    let dimensions = bound.dimensions.iter().cloned().enumerate();
    let dimensions = dimensions.map(|(position, field)| (EntityColumn::Dimension(position), field));
    let dimension = |(role, place): (_, PathDimension)| {
        let value_type = model.dimension(place.dimension).value_type;
        Column { role, field: RowField::Dimension(place), value_type }
    };
    let order = bound.order_by.iter().enumerate().map(|(position, order)| Column {
        role: EntityColumn::Order(position),
        field: order.field.clone(),
        value_type: order.value_type,
    });
    parent.chain(own).chain(dimensions).map(dimension).chain(order).collect()
}

fn key(model: &Model, entity: EntityId) -> impl Iterator<Item = PathDimension> {
    let dimension = move |index: &_| DimensionId { entity, index: *index };
    model.entity(entity).key.iter().map(move |index| PathDimension { path: Path::new(), dimension: dimension(index) })
}

/// The parents are read when their key is not among the joined columns, when no column leads on from them, and when a policy restricts
/// them: a key that somebody made up must not lead to the rows below it.
fn link(model: &Model, parents: &BoundParents, access: &Access) -> Link {
    let above = model.entity(parents.relationship.entity);
    let relationship = model.relationship(parents.relationship);
    let position = |column: &ColumnName| relationship.own.iter().position(|own| own == column);
    let positions: Option<Vec<usize>> = above.key_columns().map(position).collect();
    let parent_key = match positions {
        Some(positions) if relationship.top.is_none() && !access.restricts(model, parents.relationship.entity) => {
            ParentKey::Joined(positions)
        }
        Some(_) | None => ParentKey::Scanned,
    };
    Link { relationship: parents.relationship, keys: parents.keys.clone(), parent_key }
}

fn finds_by_key(model: &Model, entity: EntityId, condition: &Condition<PathDimension>) -> bool {
    match condition {
        Condition::KeyIn { fields, .. } => key(model, entity).eq(fields.iter().cloned()),
        Condition::And(_)
        | Condition::Or(_)
        | Condition::Not(_)
        | Condition::Compare { .. }
        | Condition::In { .. }
        | Condition::IsNull { .. }
        | Condition::Matches { .. }
        | Condition::Expr(_) => false,
    }
}
