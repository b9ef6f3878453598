//! Relationships that tell what a caller may not read: those whose rows meet by the column behind it. Whoever follows one sees the value
//! as the key of the other side, and whoever groups, orders or chooses by what lies beyond sorts rows by it.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

use crate::model::{
    Cardinality, DimensionId, DimensionIndex, Entity, EntityId, MetricId, Model, Relationship, RelationshipId, RelationshipIndex,
    ViewDimension, entity::ColumnName,
};

/// The relationships that tell one of these dimensions.
pub(super) fn relationships_that_tell(model: &Model, taken: &BTreeSet<DimensionId>) -> BTreeSet<RelationshipId> {
    let columns = columns_behind(model, taken);
    if columns.is_empty() {
        return BTreeSet::new();
    }
    let mut out = BTreeSet::new();
    for (entity, definition) in model.entity_ids() {
        let is_behind = |of: EntityId, list: &[ColumnName]| {
            columns.get(&of).is_some_and(|columns| list.iter().any(|column| columns.contains(column.as_str())))
        };
        let joins = |relationship: &Relationship| {
            let through = match &relationship.cardinality {
                Cardinality::ManyToMany { bridge, near, far, .. } => is_behind(*bridge, near) || is_behind(*bridge, far),
                Cardinality::ManyToOne | Cardinality::OneToOne | Cardinality::OneToMany => false,
            };
            through || is_behind(entity, &relationship.own) || is_behind(relationship.to, &relationship.other)
        };
        for (index, relationship) in definition.relationships.iter().enumerate() {
            // What leads to the top of a chain joins along the chain.
            let walked = relationship.top.map(|top| &definition.relationships[top.of.index()]);
            if joins(relationship) || walked.is_some_and(joins) {
                out.insert(RelationshipId { entity, index: RelationshipIndex(index as u16) });
            }
        }
    }
    out
}

/// The columns that dimensions are read from, by entity, without those that are there to be read anyway.
fn columns_behind(model: &Model, taken: &BTreeSet<DimensionId>) -> BTreeMap<EntityId, BTreeSet<SmolStr>> {
    let mut columns: BTreeMap<EntityId, BTreeSet<SmolStr>> = BTreeMap::new();
    for id in taken {
        let of_entity = columns.entry(id.entity).or_default();
        model.dimension(*id).expr.visit_refs(&mut |column| {
            of_entity.insert(SmolStr::new(column.as_str()));
        });
    }
    for (id, columns) in &mut columns {
        let entity = model.entity(*id);
        columns.retain(|column| !is_shown(*id, entity, column, taken));
    }
    columns.retain(|_, columns| !columns.is_empty());
    columns
}

/// Whether a column is told as it is: by ids, or by a dimension that is nothing else.
fn is_shown(id: EntityId, entity: &Entity, column: &str, taken: &BTreeSet<DimensionId>) -> bool {
    let mut dimensions = entity.dimensions.iter().enumerate().filter(|(_, dimension)| !dimension.hidden);
    entity.key_columns().any(|key| key.as_str() == column)
        || dimensions.any(|(index, dimension)| {
            let is_it = dimension.column().is_some_and(|known| known.as_str() == column);
            is_it && !taken.contains(&DimensionId { entity: id, index: DimensionIndex(index as u16) })
        })
}

/// Whether rows of these facts are grouped by a dimension along relationships that are all there.
pub(super) fn shows_way<'f>(
    model: &Model,
    facts: impl IntoIterator<Item = &'f EntityId>,
    dimension: &ViewDimension,
    hidden: &BTreeSet<RelationshipId>,
) -> bool {
    let is_there = |fact: &EntityId| model.reach(*fact, dimension).is_none_or(|reach| is_open(&reach.path, hidden));
    hidden.is_empty() || facts.into_iter().all(is_there)
}

/// Whether a fact leads to an entity along relationships that are all there.
pub(super) fn leads_to(model: &Model, fact: EntityId, entity: EntityId, hidden: &BTreeSet<RelationshipId>) -> bool {
    fact == entity || model.path_between(fact, entity).is_some_and(|reach| is_open(&reach.path, hidden))
}

fn is_open(path: &[RelationshipId], hidden: &BTreeSet<RelationshipId>) -> bool {
    !path.iter().any(|hop| hidden.contains(hop))
}

/// The facts behind metrics.
pub(super) fn facts_of<'m>(model: &Model, metrics: impl IntoIterator<Item = &'m MetricId>) -> BTreeSet<EntityId> {
    metrics.into_iter().flat_map(|metric| &model.metric(*metric).facts).copied().collect()
}
