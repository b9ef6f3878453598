//! Conditions on related rows → how many joins they take. Two conditions on the same row share its join.

use std::collections::BTreeSet;

use super::{
    Filter,
    error::{QueryError, QueryErrorCode as Code},
};
use crate::model::{EntityId, Model, Path, RelationshipId};

/// Joins that the conditions of one question may take.
pub(super) const MOST_JOINS: usize = 16;

/// How many joins the conditions on related rows take, in a question about rows of an entity. Names that lead nowhere take none.
pub fn related_joins(model: &Model, entity: EntityId, filter: &Filter) -> usize {
    let mut ways = BTreeSet::new();
    collect(model, entity, &Path::new(), filter, &mut ways);
    ways.iter().filter_map(|way| way.last()).map(|hop| joins(model, *hop)).sum()
}

/// A relationship to the top of a chain joins each level, one more that tells whether the chain has ended, and the row itself.
fn joins(model: &Model, hop: RelationshipId) -> usize {
    model.relationship(hop).top.map_or(1, |top| usize::from(top.levels) + 2)
}

fn collect(model: &Model, entity: EntityId, way: &Path, filter: &Filter, out: &mut BTreeSet<Path>) {
    match filter {
        Filter::And(list) | Filter::Or(list) => list.iter().for_each(|item| collect(model, entity, way, item, out)),
        Filter::Not(inner) => collect(model, entity, way, inner, out),
        Filter::Related { relationship, filter } => {
            let Some(index) = model.entity(entity).relationship_named(relationship) else { return };
            let hop = RelationshipId { entity, index };
            let further: Path = way.iter().copied().chain([hop]).collect();
            collect(model, model.relationship(hop).to, &further, filter, out);
            out.insert(further);
        }
        Filter::Compare { .. }
        | Filter::In { .. }
        | Filter::IsNull { .. }
        | Filter::Matches { .. }
        | Filter::KeyIn { .. }
        | Filter::InSegment(_) => {}
    }
}

/// Refuses conditions that take more joins than they may.
pub(super) fn check_joins(model: &Model, entity: EntityId, filter: &Filter) -> Result<(), QueryError> {
    let joins = related_joins(model, entity, filter);
    if joins <= MOST_JOINS {
        return Ok(());
    }
    let message = format!("conditions on related rows take {joins} joins, and those of one list may take {MOST_JOINS}");
    Err(QueryError::new(Code::InvalidArgument, message)
        .help("follow fewer relationships in one list; the top of a chain takes one for each level"))
}
