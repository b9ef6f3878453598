//! Relationships of all entities in, column pairs with a cardinality out.

use super::{
    Draft,
    index::unknown,
    words::{column, owned},
};
use crate::{
    definition::{Text, entity as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{
        Cardinality, Entity, EntityId, Relationship, RelationshipIndex,
        entity::{ColumnName, Top},
    },
};

/// Fills the relationships of `draft.entities`. A relationship that is wrong is left out and its entity noted.
pub(super) fn resolve(draft: &mut Draft<'_>, out: &mut Diagnostics) {
    for position in 0..draft.entities.len() {
        let (_, definition) = draft.index.entities.at(position);
        let mut relationships: Vec<Relationship> = Vec::with_capacity(definition.relationships.len());
        // What leads to a top needs what it follows.
        let (tops, others): (Vec<_>, Vec<_>) =
            definition.relationships.iter().partition(|(_, relationship)| relationship.top_of.is_some());
        for (name, relationship) in others.into_iter().chain(tops) {
            if relationships.iter().any(|first| first.name == name.value) {
                continue; // Reported with the entity's other names.
            }
            let found = match &relationship.top_of {
                None => one(draft, &draft.entities[position], name, relationship, out),
                Some(of) => {
                    let id = EntityId(position as u16);
                    top(id, &draft.entities[position], (definition, &relationships), (name, relationship, of), out)
                }
            };
            match found {
                Some(relationship) => relationships.push(relationship),
                None => draft.unconnected.push(EntityId(position as u16)),
            }
        }
        draft.entities[position].relationships = relationships;
    }
}

fn one(
    draft: &Draft<'_>,
    from: &Entity,
    name: &Text,
    definition: &written::Relationship,
    out: &mut Diagnostics,
) -> Option<Relationship> {
    let many = definition.many.as_ref().is_some_and(|many| many.value);
    let unique = definition.unique.as_ref().is_some_and(|unique| unique.value);
    if [many, unique, definition.through.is_some()].iter().filter(|kind| **kind).count() > 1 {
        out.push(
            Diagnostic::error("M022", name.span, format!("`{}` is of more than one kind", name.value))
                .label("expected one of `many: true`, `unique: true` and `through:`"),
        );
        return None;
    }
    if let Some(levels) = &definition.levels {
        out.push(
            Diagnostic::error("M022", levels.span, format!("`{}` follows no chain", name.value))
                .label("`levels:` stands with `top_of:`, the relationship whose chain is followed"),
        );
        return None;
    }
    // What cannot be read as the name of a relationship to follow has been told.
    let to = definition.to.as_ref()?;
    let to = draft.find_entity(&to.value, to.span, out)?;
    let target = draft.entity(to);
    let key: Vec<ColumnName> = definition.key.iter().map(|key| column(key, out)).collect();
    let own_key: Vec<ColumnName> = from.key_columns().cloned().collect();
    let other_key: Vec<ColumnName> = target.key_columns().cloned().collect();

    let (cardinality, own, other) = match &definition.through {
        Some(through) => {
            let bridge = draft.find_entity(&through.entity.value, through.entity.span, out)?;
            let near: Vec<ColumnName> = through.key.iter().map(|key| column(key, out)).collect();
            let far: Vec<ColumnName> = through.other_key.iter().map(|key| column(key, out)).collect();
            let whose = |entity: &Entity| format!("the key of `{}`", entity.name);
            let near_fits = same_number(name, &near, &own_key, &whose(from), out);
            let far_fits = same_number(name, &far, &other_key, &whose(target), out);
            if !(near_fits && far_fits) {
                return None;
            }
            let weight = through.weight.as_ref().map(|weight| column(weight, out));
            (Cardinality::ManyToMany { bridge, near, far, weight }, own_key, other_key)
        }
        None if many => {
            same_number(name, &key, &own_key, &format!("the key of `{}`", from.name), out).then_some(())?;
            (Cardinality::OneToMany, own_key, key)
        }
        None => {
            same_number(name, &key, &other_key, &format!("the key of `{}`", target.name), out).then_some(())?;
            let cardinality = if unique { Cardinality::OneToOne } else { Cardinality::ManyToOne };
            (cardinality, key, other_key)
        }
    };
    Some(Relationship {
        name: name.value.clone(),
        description: owned(definition.description.as_ref()),
        to,
        cardinality,
        own,
        other,
        top: None,
        span: name.span,
    })
}

/// The longest chain that is followed; each level is a join.
const MOST_LEVELS: u8 = 12;

/// A relationship to the last row of a chain.
fn top(
    id: EntityId,
    from: &Entity,
    (entity, others): (&written::Entity, &[Relationship]),
    (name, definition, of): (&Text, &written::Relationship, &Text),
    out: &mut Diagnostics,
) -> Option<Relationship> {
    let written::Relationship { to, key, many, unique, through, top_of: _, levels, description } = definition;
    if to.is_some() || !key.is_empty() || many.is_some() || unique.is_some() || through.is_some() {
        out.push(
            Diagnostic::error("M022", name.span, format!("`{}` is of more than one kind", name.value))
                .label("`top_of:` stands with `levels:` and `description:` alone"),
        );
        return None;
    }
    let number = levels.as_ref().and_then(|levels| u8::try_from(levels.value).ok());
    let found_levels = number.filter(|number| (1..=MOST_LEVELS).contains(number));
    if found_levels.is_none() {
        let span = levels.as_ref().map_or(name.span, |levels| levels.span);
        out.push(
            Diagnostic::error("M023", span, format!("`{}` does not say how long a chain can be", name.value))
                .label(format!("expected `levels:` with a whole number from 1 to {MOST_LEVELS}")),
        );
    }
    let Some(index) = others.iter().position(|other| other.name == of.value) else {
        // One that is written, but wrong, has been reported.
        if !entity.relationships.iter().any(|(written, other)| written.value == of.value && other.top_of.is_none()) {
            let names = others.iter().map(|other| other.name.as_str());
            out.push(unknown("M012", &format!("relationship of `{}`", from.name), &of.value, of.span, names));
        }
        return None;
    };
    let followed = &others[index];
    let is_one = matches!(followed.cardinality, Cardinality::ManyToOne | Cardinality::OneToOne) && followed.top.is_none();
    if followed.to != id || !is_one {
        out.push(
            Diagnostic::error("M023", of.span, format!("`{}` does not lead from one `{1}` to another `{1}`", of.value, from.name))
                .also(followed.span, "the relationship")
                .help(format!("follow one with `to: {}` and a `key:` of its own", from.name)),
        );
        return None;
    }
    let levels = found_levels?;
    let keys: Vec<ColumnName> = from.key_columns().cloned().collect();
    Some(Relationship {
        name: name.value.clone(),
        description: owned(description.as_ref()),
        to: id,
        cardinality: Cardinality::ManyToOne,
        own: keys.clone(),
        other: keys,
        top: Some(Top { of: RelationshipIndex(index as u16), levels }),
        span: name.span,
    })
}

fn same_number(name: &Text, written: &[ColumnName], key: &[ColumnName], whose: &str, out: &mut Diagnostics) -> bool {
    // An entity without a usable key has been reported.
    if written.len() == key.len() || key.is_empty() {
        return !key.is_empty();
    }
    let columns: Vec<&str> = key.iter().map(|column| column.0.as_str()).collect();
    out.push(
        Diagnostic::error(
            "M021",
            name.span,
            format!("`{}` names {} column{}, {whose} has {}", name.value, written.len(), plural(written.len()), key.len()),
        )
        .label(format!("expected one column for each of: {}", columns.join(", ")))
        .help("`key:` pairs with the key of the one side, column by column, in its order"),
    );
    false
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
