//! Movement grains of snapshots in, the dimensions that identify a member out.

use super::{Draft, index::unknown};
use crate::{
    definition::{Text, entity as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{
        Cardinality, DimensionId, DimensionIndex, EntityId,
        entity::{ColumnName, MovementComponent, MovementGrain, Movements},
        path::PathDimension,
    },
    source::Spanned,
    value::ValueType,
};

/// Fills the movements of `draft.entities`.
pub(super) fn resolve(draft: &mut Draft<'_>, out: &mut Diagnostics) {
    for position in 0..draft.entities.len() {
        let (name, definition) = draft.index.entities.at(position);
        check_currencies(definition, out);
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

/// What a rate did to a balance is told component by component.
fn check_currencies(definition: &written::Entity, out: &mut Diagnostics) {
    if definition.movements.as_ref().is_some_and(|movements| movements.component.is_some()) {
        return;
    }
    for (name, measure) in &definition.measures {
        if let Some(currency) = &measure.currency {
            let message =
                format!("`{}` has a currency, but nothing tells which balance at the opening it is compared with", name.value);
            out.push(
                Diagnostic::error("M030", currency.local.span, message)
                    .help("add `component:` to the `movements:` of the entity: what identifies a balance over time"),
            );
        }
    }
}

fn one(draft: &Draft<'_>, fact: EntityId, movements: &written::Movements, out: &mut Diagnostics) -> Option<Movements> {
    let owner = draft.find_entity(&movements.owner.value, movements.owner.span, out);
    let Some((owner, owner_path)) = owner.and_then(|owner| Some((owner, draft.safe_path(fact, owner, movements.owner.span, out)?)))
    else {
        // What is said beside the owner is looked at all the same.
        movements.grains.iter().flat_map(|(_, items)| items).for_each(|item| {
            members(draft, fact, item, out);
        });
        component(draft, fact, movements, out);
        return None;
    };
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
        let keys = draft.entity(owner).key.iter().map(|index| DimensionId { entity: owner, index: *index });
        let owner_key: Vec<Option<&PathDimension>> =
            keys.map(|key| members.iter().find(|member| member.dimension == key)).collect();
        let has_owner = owner_key.iter().all(Option::is_some);
        // Attributes of the owner alone are owners themselves: the parents of accounts.
        let is_of_owner = |member: &PathDimension| {
            member.path.starts_with(&owner_path) && (member.dimension.entity == owner || member.path.len() > owner_path.len())
        };
        let is_above_owner = !members.is_empty() && members.iter().all(is_of_owner);
        let owner_members: Vec<PathDimension> = match has_owner {
            true => owner_key.into_iter().flatten().cloned().collect(),
            false => members.clone(),
        };
        if !has_owner && !is_above_owner {
            out.push(
                Diagnostic::error(
                    "M030",
                    name.span,
                    format!("grain `{}` does not hold its owner `{}`", name.value, movements.owner.value),
                )
                .label("a member must belong to one owner")
                .help(format!("put `{0}` first in its list, or list attributes of `{0}` alone", movements.owner.value)),
            );
        }
        if grains.iter().any(|first| first.name == name.value) {
            out.push(Diagnostic::error("M002", name.span, format!("movement grain `{}` is defined twice", name.value)));
            continue;
        }
        grains.push(MovementGrain { name: name.value.clone(), members, owner: owner_members });
    }
    let component = component(draft, fact, movements, out);
    let cohort = movements.cohort.as_ref().and_then(|text| cohort(draft, owner, text, out));
    (!grains.is_empty()).then_some(Movements { owner, grains, component, cohort })
}

/// The component that carries value: a snapshot has at most one row of it, and its key is on that row.
fn component(
    draft: &Draft<'_>,
    fact: EntityId,
    movements: &written::Movements,
    out: &mut Diagnostics,
) -> Option<MovementComponent> {
    let Some(text) = &movements.component else {
        if let Some(replaces) = &movements.replaces {
            out.push(
                Diagnostic::error("M030", replaces.span, "there is no component that could replace another")
                    .help("add `component:` with the entity whose rows replace each other"),
            );
        }
        return None;
    };
    let (path, entity) = draft.walk(fact, &split(text), out)?;
    let fact_entity = draft.entity(fact);
    let [hop] = path.as_slice() else {
        out.push(
            Diagnostic::error(
                "M030",
                text.span,
                format!("the key of `{}` is not on the rows of `{}`", text.value, fact_entity.name),
            )
            .help(format!("relate `{}` to it directly", fact_entity.name)),
        );
        return None;
    };
    let relationship = &fact_entity.relationships[hop.index.index()];
    let is_told_apart =
        fact_entity.key.iter().map(|index| &fact_entity.dimensions[index.index()]).all(|dimension| {
            dimension.time.is_some() || dimension.column().is_some_and(|column| relationship.own.contains(column))
        });
    if !is_told_apart {
        out.push(
            Diagnostic::error(
                "M030",
                text.span,
                format!("a snapshot of `{}` may have several rows of one `{}`", fact_entity.name, text.value),
            )
            .label("the key of a component and a time must identify a row")
            .help("leave it out, or name what the key of the entity holds beside time"),
        );
        return None;
    }
    let replaces = match &movements.replaces {
        None => None,
        Some(name) => Some(replaced(draft, entity, name, &relationship.other, out)?),
    };
    Some(MovementComponent { entity, columns: relationship.own.clone(), key: relationship.other.clone(), replaces })
}

/// The columns of a component that hold the key of the one it replaces, in the order of `key`.
fn replaced(draft: &Draft<'_>, id: EntityId, name: &Text, key: &[ColumnName], out: &mut Diagnostics) -> Option<Vec<ColumnName>> {
    let entity = draft.entity(id);
    let Some(index) = entity.relationship_named(&name.value) else {
        let names = entity.relationships.iter().map(|relationship| relationship.name.as_str());
        out.push(unknown("M012", &format!("relationship of `{}`", entity.name), &name.value, name.span, names));
        return None;
    };
    let relationship = &entity.relationships[index.index()];
    if let Some(top) = relationship.top {
        let followed = &entity.relationships[top.of.index()].name;
        out.push(
            Diagnostic::error(
                "M030",
                name.span,
                format!("`{}` is the end of a chain, not what one `{}` replaces", name.value, entity.name),
            )
            .also(relationship.span, "the end of a chain")
            .help(format!(
                "`replaces: {followed}`, the relationship whose chain it follows: movements are traced one step at a time"
            )),
        );
        return None;
    }
    let is_one = matches!(relationship.cardinality, Cardinality::ManyToOne | Cardinality::OneToOne);
    if relationship.to != id || !is_one {
        out.push(
            Diagnostic::error(
                "M030",
                name.span,
                format!("`{}` does not lead from one `{1}` to another `{1}`", name.value, entity.name),
            )
            .also(relationship.span, "the relationship")
            .help(format!("`replaces: {{to: {0}, key: replaces_{0}_id}}` under `relationships:` of `{0}`", entity.name)),
        );
        return None;
    }
    key.iter()
        .map(|column| relationship.other.iter().position(|other| other == column).map(|at| relationship.own[at].clone()))
        .collect()
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
