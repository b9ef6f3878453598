//! Movement grains of snapshots in, the dimensions that identify a member out.

use super::Draft;
use crate::{
    definition::{Text, entity as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{
        DimensionId, DimensionIndex, EntityId,
        entity::{MovementGrain, Movements},
        path::PathDimension,
    },
    source::Spanned,
    value::ValueType,
};

/// Fills the movements of `draft.entities`.
pub(super) fn resolve(draft: &mut Draft<'_>, out: &mut Diagnostics) {
    for position in 0..draft.entities.len() {
        let (name, definition) = draft.index.entities.at(position);
        let Some(movements) = &definition.movements else { continue };
        let fact = EntityId(position as u16);
        let snapshot = draft.entity(fact).dimensions.iter().any(|dimension| dimension.time.is_some_and(|time| time.snapshot));
        if !snapshot {
            out.push(
                Diagnostic::error("M030", movements.owner.span, format!("`{}` has movements but no snapshots", name.value))
                    .help("add a time with `grain:` and `snapshot: end_of_period`"),
            );
        }
        let resolved = one(draft, fact, movements, out);
        draft.entities[position].movements = resolved;
    }
}

fn one(draft: &Draft<'_>, fact: EntityId, movements: &written::Movements, out: &mut Diagnostics) -> Option<Movements> {
    let owner = draft.find_entity(&movements.owner.value, movements.owner.span, out)?;
    draft.safe_path(fact, owner, movements.owner.span, out)?;
    if movements.grains.is_empty() {
        out.push(
            Diagnostic::error("M030", movements.owner.span, "movements without a grain")
                .help(format!("add `grains: {{{0}: [{0}]}}`", movements.owner.value)),
        );
    }
    let mut grains: Vec<MovementGrain> = Vec::with_capacity(movements.grains.len());
    for (name, items) in &movements.grains {
        let members: Option<Vec<_>> = items.iter().map(|item| members(draft, fact, item, out)).collect();
        let Some(members) = members else { continue };
        let mut members: Vec<PathDimension> = members.into_iter().flatten().collect();
        let mut seen = std::collections::HashSet::new();
        members.retain(|member| seen.insert(member.clone()));
        let has_owner = draft.entity(owner).key.iter().all(|key| {
            let key = DimensionId { entity: owner, index: *key };
            members.iter().any(|member| member.dimension == key)
        });
        if !has_owner {
            out.push(
                Diagnostic::error(
                    "M030",
                    name.span,
                    format!("grain `{}` does not hold its owner `{}`", name.value, movements.owner.value),
                )
                .label("a member must belong to one owner")
                .help(format!("put `{}` first in its list", movements.owner.value)),
            );
        }
        if grains.iter().any(|first| first.name == name.value) {
            out.push(Diagnostic::error("M002", name.span, format!("movement grain `{}` is defined twice", name.value)));
            continue;
        }
        grains.push(MovementGrain { name: name.value.clone(), members });
    }
    let cohort = movements.cohort.as_ref().and_then(|text| cohort(draft, owner, text, out));
    (!grains.is_empty()).then_some(Movements { owner, grains, cohort })
}

/// The date of the owner itself on which it begins.
fn cohort(draft: &Draft<'_>, owner: EntityId, text: &Text, out: &mut Diagnostics) -> Option<DimensionIndex> {
    let name = Spanned::new(text.value.trim().to_owned(), text.span);
    let found = draft.dimension(owner, &[name], out)?.dimension;
    let dimension = &draft.entity(owner).dimensions[found.index.index()];
    if !draft.untyped.contains(&found) && !matches!(dimension.value_type, ValueType::Date | ValueType::Timestamp) {
        out.push(
            Diagnostic::error("M049", text.span, format!("`{}` is not a date, so nothing begins on it", text.value))
                .also(dimension.span, "the dimension")
                .help("name a dimension of type date or timestamp that says when an owner began"),
        );
        return None;
    }
    Some(found.index)
}

/// An entity stands for its key; anything else is a dimension.
fn members(draft: &Draft<'_>, fact: EntityId, item: &Text, out: &mut Diagnostics) -> Option<Vec<PathDimension>> {
    let parts = split(item);
    let is_entity = |name: &str| draft.index.entities.get(name).is_some() || draft.entity(fact).relationship_named(name).is_some();
    let is_own_dimension = |name: &str| draft.entity(fact).dimension_named(name).is_some();
    if let [only] = parts.as_slice()
        && (is_entity(&only.value) || !is_own_dimension(&only.value))
    {
        let (path, entity) = draft.walk(fact, &parts, out)?;
        let keys = draft.entity(entity).key.iter();
        return Some(
            keys.map(|key| PathDimension { path: path.clone(), dimension: DimensionId { entity, index: *key } }).collect(),
        );
    }
    draft.dimension(fact, &parts, out).map(|member| vec![member])
}

/// The parts of a dotted name with their places.
pub(super) fn split(text: &Text) -> Vec<Text> {
    let mut start = text.span.start;
    // A quoted scalar is longer than its text; its parts then share the place of the whole.
    let exact = (text.span.end - text.span.start) as usize == text.value.len();
    let parts = text.value.split('.').map(|part| {
        let mut span = text.span;
        if exact {
            span.start = start;
            span.end = start + part.len() as u32;
            start = span.end + 1;
        }
        Spanned::new(part.to_owned(), span)
    });
    parts.collect()
}
