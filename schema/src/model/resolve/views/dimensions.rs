//! Items of a view's `dimensions:` in, dimensions with their way from each fact out.

use super::{
    super::{Draft, index::unknown, movements::split, words::label},
    facts::FactSet,
};
use crate::{
    definition::{Text, view as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{
        DimensionId, DimensionIndex, EntityId, RelationshipId, ViewDimension, ViewTarget,
        join_graph::{Layer, Way, layer_of},
        path::{Fan, Path, Reach},
    },
    source::Span,
    value::ValueType,
};

/// A dimension of a view and where it was written.
pub(super) struct Found {
    pub(super) dimension: ViewDimension,
    pub(super) span: Span,
    /// As an author would write it alone: `account.segment`.
    pub(super) path_text: String,
    /// The way was named: how it begins.
    start: Start,
    /// Relationships after the beginning.
    hops: Vec<RelationshipId>,
}

/// How a path begins.
#[derive(Clone)]
enum Start {
    /// At an entity that facts reach on their own.
    Entity(EntityId),
    /// With a relationship of the fact.
    Relationship(String),
}

/// Expands every item, the stars included.
pub(super) fn expand(draft: &mut Draft<'_>, definition: &written::View, facts: &FactSet, out: &mut Diagnostics) -> Vec<Found> {
    let written: Vec<&str> = definition.dimensions.iter().map(|item| item.path.value.as_str()).collect();
    let mut found = Vec::new();
    for item in &definition.dimensions {
        let parts = split(&item.path);
        let Some((last, before)) = parts.split_last() else { continue };
        if last.value == "*" {
            if let Some(name) = &item.name {
                out.push(Diagnostic::error("M051", name.span, "`*` stands for many dimensions, which cannot share one name"));
            }
            found.extend(star(draft, item, before, facts, &written, out));
        } else {
            found.extend(single(draft, item, &parts, facts, out));
        }
    }
    for item in &found {
        record_ways(draft, item);
    }
    found
}

/// The entity itself and its dimensions that are neither hidden nor its key, except those that stand in the view on their own.
fn star(
    draft: &Draft<'_>,
    item: &written::ViewDimension,
    before: &[Text],
    facts: &FactSet,
    written: &[&str],
    out: &mut Diagnostics,
) -> Vec<Found> {
    let Some((start, hops, end)) = walk(draft, before, facts, out) else {
        return Vec::new();
    };
    let entity = draft.entity(end);
    let prefix: Vec<&str> = before.iter().map(|part| part.value.as_str()).collect();
    let prefix = prefix.join(".");
    let dimensions = entity.dimensions.iter().enumerate().map(|(index, dimension)| (DimensionIndex(index as u16), dimension));
    let shown = dimensions.filter(|(index, dimension)| !dimension.hidden && !entity.key.contains(index));
    let targets = shown.map(|(index, dimension)| {
        (ViewTarget::Dimension(DimensionId { entity: end, index }), dimension.name.clone(), format!("{prefix}.{}", dimension.name))
    });
    let itself = (ViewTarget::Entity(end), before.last().map(|part| part.value.clone()).unwrap_or_default(), prefix.clone());
    std::iter::once(itself)
        .chain(targets)
        .filter(|(_, _, path)| !written.contains(&path.as_str()))
        .map(|(target, name, path_text)| {
            let via = via(&start, &hops, draft);
            Found {
                dimension: view_dimension(draft, target, name, via, item.overlapping),
                span: item.path.span,
                path_text,
                start: start.clone(),
                hops: hops.clone(),
            }
        })
        .collect()
}

fn single(
    draft: &Draft<'_>,
    item: &written::ViewDimension,
    parts: &[Text],
    facts: &FactSet,
    out: &mut Diagnostics,
) -> Option<Found> {
    let (last, before) = parts.split_last()?;
    let name = item.name.as_ref().unwrap_or(last).value.clone();
    let owner = if before.is_empty() { None } else { Some(walk(draft, before, facts, out)?) };
    let (start, hops, target) = match owner {
        None => {
            let (start, hops, end) = walk(draft, parts, facts, out)?;
            (start, hops, ViewTarget::Entity(end))
        }
        Some((start, hops, end)) => {
            let entity = draft.entity(end);
            if let Some(index) = entity.dimension_named(&last.value) {
                (start, hops, ViewTarget::Dimension(DimensionId { entity: end, index }))
            } else if entity.relationship_named(&last.value).is_some() {
                let (start, hops, end) = walk(draft, parts, facts, out)?;
                (start, hops, ViewTarget::Entity(end))
            } else {
                let dimensions = entity.dimensions.iter().map(|dimension| dimension.name.as_str());
                let relationships = entity.relationships.iter().map(|relationship| relationship.name.as_str());
                let what = format!("dimension or relationship of `{}`", entity.name);
                if !draft.is_reported(end, &last.value) {
                    out.push(unknown("M011", &what, &last.value, last.span, dimensions.chain(relationships)));
                }
                return None;
            }
        }
    };
    let via = via(&start, &hops, draft);
    Some(Found {
        dimension: view_dimension(draft, target, name, via, item.overlapping),
        span: item.path.span,
        path_text: item.path.value.clone(),
        start,
        hops,
    })
}

fn walk(
    draft: &Draft<'_>,
    parts: &[Text],
    facts: &FactSet,
    out: &mut Diagnostics,
) -> Option<(Start, Vec<RelationshipId>, EntityId)> {
    let (first, rest) = parts.split_first()?;
    let (start, mut at) = match draft.index.entities.get(&first.value) {
        Some(id) => (Start::Entity(EntityId(id as u16)), EntityId(id as u16)),
        None => {
            let ends = facts.members().filter_map(|fact| relationship(draft, fact, &first.value));
            let Some(end) = ends.map(|id| target_of(draft, id)).next() else {
                let relationships = facts.members().flat_map(|fact| draft.entity(fact).relationships.iter());
                let names = relationships.map(|relationship| relationship.name.as_str());
                out.push(unknown("M010", "entity", &first.value, first.span, names.chain(draft.index.entities.names())));
                return None;
            };
            (Start::Relationship(first.value.clone()), end)
        }
    };
    let mut hops = Vec::with_capacity(rest.len());
    for part in rest {
        let Some(id) = relationship(draft, at, &part.value) else {
            let names = draft.entity(at).relationships.iter().map(|relationship| relationship.name.as_str());
            if !draft.is_reported(at, &part.value) {
                out.push(unknown("M012", &format!("relationship of `{}`", draft.entity(at).name), &part.value, part.span, names));
            }
            return None;
        };
        at = target_of(draft, id);
        hops.push(id);
    }
    Some((start, hops, at))
}

fn relationship(draft: &Draft<'_>, entity: EntityId, name: &str) -> Option<RelationshipId> {
    draft.entity(entity).relationship_named(name).map(|index| RelationshipId { entity, index })
}

fn target_of(draft: &Draft<'_>, id: RelationshipId) -> EntityId {
    draft.entity(id.entity).relationships[id.index.index()].to
}

/// The way as names; empty when the fact finds it on its own.
fn via(start: &Start, hops: &[RelationshipId], draft: &Draft<'_>) -> Vec<String> {
    let names = hops.iter().map(|hop| draft.entity(hop.entity).relationships[hop.index.index()].name.clone());
    match start {
        Start::Entity(_) if hops.is_empty() => Vec::new(),
        Start::Entity(entity) => std::iter::once(draft.entity(*entity).name.clone()).chain(names).collect(),
        Start::Relationship(name) => std::iter::once(name.clone()).chain(names).collect(),
    }
}

fn view_dimension(draft: &Draft<'_>, target: ViewTarget, name: String, via: Vec<String>, overlapping: bool) -> ViewDimension {
    let entity = draft.entity(target.entity());
    let (own_label, own_name, value_type) = match target {
        ViewTarget::Dimension(id) => {
            let dimension = &entity.dimensions[id.index.index()];
            (&dimension.label, &dimension.name, dimension.value_type)
        }
        ViewTarget::Entity(_) => {
            let value_type = match entity.key.as_slice() {
                [only] => entity.dimensions[only.index()].value_type,
                _ => ValueType::Text,
            };
            (&entity.label, &entity.name, value_type)
        }
    };
    let shown = if name == *own_name { own_label.clone() } else { label(None, &name) };
    ViewDimension { name, label: shown, target, via, value_type, overlapping }
}

/// Writes down how every fact gets to a dimension, where that is not the plain safe way.
fn record_ways(draft: &mut Draft<'_>, found: &Found) {
    let target = found.dimension.target.entity();
    for position in 0..draft.entities.len() {
        let fact = EntityId(position as u16);
        if draft.entity(fact).measures.is_empty() || draft.paths.get(fact, target, &found.dimension.via).is_some() {
            continue;
        }
        if let Ok(reach) = way(draft, found, fact) {
            draft.paths.insert(fact, target, &found.dimension.via, reach);
        }
    }
}

/// The facts that a view's dimension may be used with.
pub(super) fn facts_that_reach(draft: &Draft<'_>, found: &Found) -> FactSet {
    let target = found.dimension.target.entity();
    let reaches = |fact: &EntityId| {
        let reach = draft.paths.get(*fact, target, &found.dimension.via);
        reach.is_some_and(|reach| reach.fan != Fan::Overlapping || found.dimension.overlapping)
    };
    FactSet::of(draft.entities.len(), (0..draft.entities.len()).map(|id| EntityId(id as u16)).filter(reaches))
}

/// Why a fact does not reach a dimension.
pub(super) fn why_not(draft: &Draft<'_>, found: &Found, fact: EntityId) -> Diagnostic {
    let target = found.dimension.target.entity();
    match way(draft, found, fact) {
        Err(Missing::Ambiguous(start, one, other)) => draft.ambiguous(fact, start, &one, &other, found.span),
        Err(Missing::NoWay(start)) => draft.unreachable(fact, start, found.span),
        Err(Missing::NoRelationship(name)) => {
            let message = format!("`{}` has no relationship `{name}`", draft.entity(fact).name);
            Diagnostic::error("M050", found.span, message).help("begin the path with an entity that all facts of the view reach")
        }
        Err(Missing::TwoFans) => {
            Diagnostic::error("M050", found.span, "this way multiplies rows more than once").help("begin nearer to the dimension")
        }
        Ok(_) => {
            let (from, to) = (&draft.entity(fact).name, &draft.entity(target).name);
            Diagnostic::error("M050", found.span, format!("one `{from}` has many `{to}`"))
                .help(format!("if a row may count in several groups, say so: `{{path: {}, overlapping: true}}`", found.path_text))
        }
    }
}

enum Missing {
    Ambiguous(EntityId, Path, Path),
    NoWay(EntityId),
    NoRelationship(String),
    TwoFans,
}

fn way(draft: &Draft<'_>, found: &Found, fact: EntityId) -> Result<Reach, Missing> {
    let mut path = match &found.start {
        Start::Relationship(name) => vec![relationship(draft, fact, name).ok_or_else(|| Missing::NoRelationship(name.clone()))?],
        Start::Entity(entity) => shortest(draft, fact, *entity)?,
    };
    path.extend(&found.hops);
    let mut fan = Fan::None;
    for hop in &path {
        fan = match (fan, layer_of(&draft.entity(hop.entity).relationships[hop.index.index()].cardinality)) {
            (fan, Layer::Safe) => fan,
            (Fan::None, Layer::Weighted) => Fan::Weighted,
            (Fan::None, Layer::Overlapping) => Fan::Overlapping,
            (Fan::Weighted | Fan::Overlapping, Layer::Weighted | Layer::Overlapping) => return Err(Missing::TwoFans),
        };
    }
    Ok(Reach { path, fan })
}

/// Safe before weighted before overlapping; within one of these the shortest, if there is only one.
fn shortest(draft: &Draft<'_>, fact: EntityId, to: EntityId) -> Result<Path, Missing> {
    for layer in [Layer::Safe, Layer::Weighted, Layer::Overlapping] {
        match draft.graph.way(fact, to, layer) {
            Way::One(path) => return Ok(path),
            Way::Ambiguous(one, other) => return Err(Missing::Ambiguous(to, one, other)),
            Way::None => {}
        }
    }
    Err(Missing::NoWay(to))
}
