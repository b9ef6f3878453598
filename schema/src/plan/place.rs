//! Where a dimension is, seen from one fact, and which dimensions decide which others.

use std::collections::BTreeSet;

use crate::{
    model::{
        DimensionId, EntityId, Model, RelationshipId,
        entity::{ColumnName, ReadAt},
        path::{Fan, Path, PathDimension, Reach},
    },
    query::bound::Field,
};

/// A dimension seen from one fact.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The way there.
    pub reach: Reach,
    /// The dimension; its entity is where the way ends.
    pub dimension: DimensionId,
}

impl Place {
    /// A field of a question, seen from a fact; `None` when it is not reachable.
    pub(crate) fn of(model: &Model, fact: EntityId, field: &Field) -> Option<Self> {
        let reach = model.reach(fact, &field.of).or_else(|| model.path_between(fact, field.dimension.entity))?;
        Some(Self { reach: reach.clone(), dimension: field.dimension })
    }

    /// A dimension of the definitions, whose path is known.
    pub(crate) fn safe(place: &PathDimension) -> Self {
        Self { reach: Reach { path: place.path.clone(), fan: Fan::None }, dimension: place.dimension }
    }

    /// The place as a path, for places that do not multiply.
    pub(crate) fn path(&self) -> PathDimension {
        PathDimension { path: self.reach.path.clone(), dimension: self.dimension }
    }
}

/// A physical column at the end of a path: two dimensions with one identity always have one value.
pub(crate) type Identity = (Path, ColumnName);

/// The column a plain dimension is read from, walked back over hops whose foreign key already holds it: a key needs no join.
pub(crate) fn identity(model: &Model, path: &[RelationshipId], dimension: DimensionId) -> Option<Identity> {
    Some(reduce(model, path, model.dimension(dimension).column()?))
}

/// The same for a physical column.
pub(crate) fn reduce(model: &Model, path: &[RelationshipId], column: &ColumnName) -> Identity {
    let mut column = column.clone();
    let mut path = path.to_vec();
    while let Some(last) = path.last() {
        let relationship = model.relationship(*last);
        if relationship.top.is_some() {
            break;
        }
        let Some(position) = relationship.other.iter().position(|other| *other == column) else { break };
        column = relationship.own[position].clone();
        path.pop();
    }
    (path, column)
}

/// What identifies the members of a movement, to ask which dimensions it decides.
pub(crate) struct Members<'a> {
    model: &'a Model,
    fact: EntityId,
    identities: BTreeSet<Identity>,
    /// Members themselves, for those that are no plain column.
    listed: BTreeSet<PathDimension>,
}

impl<'a> Members<'a> {
    pub(crate) fn new(model: &'a Model, fact: EntityId, members: &[PathDimension]) -> Self {
        let identities = members.iter().filter_map(|member| identity(model, &member.path, member.dimension)).collect();
        Self { model, fact, identities, listed: members.iter().cloned().collect() }
    }

    /// Whether a member has one value of this dimension at one instant: the dimension is part of what identifies it, or belongs to an
    /// entity on the way whose key is.
    pub(crate) fn decide(&self, place: &PathDimension) -> bool {
        if self.listed.contains(place) {
            return true;
        }
        if identity(self.model, &place.path, place.dimension).is_some_and(|known| self.identities.contains(&known)) {
            return true;
        }
        (0..=place.path.len()).any(|hops| self.have_key_of(&place.path[..hops]))
    }

    fn have_key_of(&self, path: &[RelationshipId]) -> bool {
        let id = path.last().map_or(self.fact, |last| self.model.relationship(*last).to);
        let keys = own_key(self.model, id, path.is_empty());
        !keys.is_empty()
            && keys
                .iter()
                .all(|dimension| identity(self.model, path, *dimension).is_some_and(|known| self.identities.contains(&known)))
    }
}

/// The key of an entity; of a snapshot fact, without its time: what is left identifies one balance.
pub(crate) fn own_key(model: &Model, id: EntityId, without_time: bool) -> Vec<DimensionId> {
    let entity = model.entity(id);
    entity
        .key
        .iter()
        .filter(|index| !(without_time && entity.dimensions[index.index()].time.is_some()))
        .map(|index| DimensionId { entity: id, index: *index })
        .collect()
}

/// Whether a dimension has the same value at every instant, as far as the model says: no effective-dated entity on the way, and not a
/// column of the snapshot itself.
pub(crate) fn is_constant(model: &Model, place: &PathDimension) -> bool {
    !place.path.is_empty()
        && model.dimension(place.dimension).read == ReadAt::Opening
        && place.path.iter().all(|hop| model.entity(model.relationship(*hop).to).validity.is_none())
}
