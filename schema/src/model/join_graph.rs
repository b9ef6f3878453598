//! Relationships in, the shortest ways between entities out. Knows cardinality, not metrics or views.
//!
//! One breadth-first search per entity walks three layers: safe hops only; after one weighted bridge; after one hop that multiplies
//! rows. A way that could be walked in two ways of the same length is ambiguous and is never chosen silently. Of several
//! relationships to one entity, the one that bears the entity's name is its default.

use std::collections::{BTreeMap, VecDeque};

use super::{
    EntityId, RelationshipId, RelationshipIndex,
    entity::{Cardinality, Entity},
    path::Path,
};

/// Which hops a way may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Many-to-one and one-to-one.
    Safe,
    /// Exactly one weighted bridge, the rest safe.
    Weighted,
    /// Exactly one one-to-many relationship or bridge without weights, the rest safe.
    Overlapping,
}

const LAYERS: usize = 3;

/// The shortest ways from one entity to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// There is none.
    None,
    /// There is exactly one.
    One(Path),
    /// There are at least two of the same length.
    Ambiguous(Path, Path),
}

/// Ways between all entities.
#[derive(Debug)]
pub(crate) struct JoinGraph {
    entities: usize,
    /// Per start, per layer and entity.
    states: Vec<Vec<State>>,
}

/// How a state of the search was first reached, and how else in as many hops.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    distance: Option<u32>,
    first: Option<Hop>,
    second: Option<Hop>,
}

#[derive(Debug, Clone, Copy)]
struct Hop {
    from: usize,
    relationship: RelationshipId,
}

/// A relationship as the search sees it.
struct Edge {
    to: usize,
    layer: Layer,
    relationship: RelationshipId,
}

impl JoinGraph {
    /// Searches from every entity.
    pub(crate) fn new(entities: &[Entity]) -> Self {
        let edges: Vec<Vec<Edge>> = (0..entities.len()).map(|index| edges(entities, EntityId(index as u16))).collect();
        let states = (0..entities.len()).map(|start| search(&edges, start)).collect();
        Self { entities: entities.len(), states }
    }

    /// The shortest way of a layer.
    pub(crate) fn way(&self, from: EntityId, to: EntityId, layer: Layer) -> Way {
        let states = &self.states[from.index()];
        let mut ways = ways(states, self.entities * layer as usize + to.index()).into_iter();
        match (ways.next(), ways.next()) {
            (None, _) => Way::None,
            (Some(only), None) => Way::One(only),
            (Some(one), Some(other)) => Way::Ambiguous(one, other),
        }
    }
}

/// Whether each of our rows meets at most one of theirs.
pub(crate) fn is_safe(cardinality: &Cardinality) -> bool {
    match cardinality {
        Cardinality::ManyToOne | Cardinality::OneToOne => true,
        Cardinality::OneToMany | Cardinality::ManyToMany { .. } => false,
    }
}

/// What a relationship does to the rows it starts from.
pub(crate) fn layer_of(cardinality: &Cardinality) -> Layer {
    match cardinality {
        Cardinality::ManyToOne | Cardinality::OneToOne => Layer::Safe,
        Cardinality::ManyToMany { weight: Some(_), .. } => Layer::Weighted,
        Cardinality::OneToMany | Cardinality::ManyToMany { weight: None, .. } => Layer::Overlapping,
    }
}

fn edges(entities: &[Entity], from: EntityId) -> Vec<Edge> {
    let relationships = &entities[from.index()].relationships;
    let mut named: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, relationship) in relationships.iter().enumerate() {
        if is_safe(&relationship.cardinality) && relationship.name == entities[relationship.to.index()].name {
            named.insert(relationship.to.index(), index);
        }
    }
    let mut edges = Vec::with_capacity(relationships.len());
    for (index, relationship) in relationships.iter().enumerate() {
        let to = relationship.to.index();
        let layer = layer_of(&relationship.cardinality);
        if layer == Layer::Safe && named.get(&to).is_some_and(|default| *default != index) {
            continue;
        }
        edges.push(Edge { to, layer, relationship: RelationshipId { entity: from, index: RelationshipIndex(index as u16) } });
    }
    edges
}

fn search(edges: &[Vec<Edge>], start: usize) -> Vec<State> {
    let entities = edges.len();
    let mut states = vec![State::default(); entities * LAYERS];
    states[start].distance = Some(0);
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let distance = states[at].distance.expect("a queued state has been reached") + 1;
        let layer = at / entities;
        for edge in &edges[at % entities] {
            let next_layer = match (layer, edge.layer) {
                (layer, Layer::Safe) => layer,
                (0, multiplying) => multiplying as usize,
                _ => continue,
            };
            let next = next_layer * entities + edge.to;
            let hop = Hop { from: at, relationship: edge.relationship };
            let state = &mut states[next];
            match state.distance {
                None => {
                    state.distance = Some(distance);
                    state.first = Some(hop);
                    queue.push_back(next);
                }
                Some(known) if known == distance && state.second.is_none() => state.second = Some(hop),
                Some(_) => {}
            }
        }
    }
    states
}

/// Up to two of the shortest ways to a state.
fn ways(states: &[State], to: usize) -> Vec<Path> {
    let state = &states[to];
    if state.distance.is_none() {
        return Vec::new();
    }
    let Some(first) = state.first else {
        return vec![Path::new()];
    };
    let mut found = Vec::with_capacity(1);
    for hop in [Some(first), state.second].into_iter().flatten() {
        for mut path in ways(states, hop.from) {
            path.push(hop.relationship);
            found.push(path);
            if found.len() == 2 {
                return found;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
