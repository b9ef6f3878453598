//! Paths through relationships, and the table of the safe ones.

use std::collections::HashMap;

use super::{DimensionId, EntityId, RelationshipId};

/// Relationships walked one after another; empty means the entity itself.
pub type Path = Vec<RelationshipId>;

/// A dimension at the end of a path that starts at a given fact or entity. All hops are many-to-one or one-to-one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathDimension {
    /// The way there.
    pub path: Path,
    /// The dimension; its entity is where the path ends.
    pub dimension: DimensionId,
}

/// How an entity is reached from a fact.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reach {
    /// The way there.
    pub path: Path,
    /// Whether the way multiplies rows.
    pub fan: Fan,
}

/// What a path does to the rows of the fact it starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fan {
    /// Each row of the fact meets at most one row: grouping partitions the fact.
    None,
    /// A weighted bridge: parts add up to the whole.
    Weighted,
    /// A row counts in every value it has: groups overlap and totals are computed separately. The path ends with the one hop that
    /// multiplies (one-to-many, or many-to-many without a weight), possibly followed by many-to-one hops.
    Overlapping,
}

/// Every way from every fact to every entity that a view or expression needs, computed once at load.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathTable {
    /// Keyed by fact, target and the relationship names the author insisted on.
    pub(crate) reaches: HashMap<(EntityId, EntityId, Vec<String>), Reach>,
    /// Safe ways of equal length, none of which is chosen for questions; policies hold along each.
    ambiguous: HashMap<(EntityId, EntityId), [Path; 2]>,
}

impl PathTable {
    pub(crate) fn insert(&mut self, from: EntityId, to: EntityId, via: &[String], reach: Reach) {
        self.reaches.insert((from, to, via.to_vec()), reach);
    }

    pub(crate) fn insert_ambiguous(&mut self, from: EntityId, to: EntityId, ways: [Path; 2]) {
        self.ambiguous.insert((from, to), ways);
    }

    pub(crate) fn ambiguous(&self, from: EntityId, to: EntityId) -> &[Path] {
        self.ambiguous.get(&(from, to)).map_or(&[], |ways| ways)
    }

    pub(crate) fn get(&self, from: EntityId, to: EntityId, via: &[String]) -> Option<&Reach> {
        self.reaches.get(&(from, to, via.to_vec()))
    }
}
