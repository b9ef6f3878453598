//! Entity documents in, entities out, with everything that one document tells on its own: source, key, dimensions, measures.
//! Relationships and movements need the other entities and come later.

use super::{
    Draft,
    dimensions::{self, Described},
    index::{twice_named, unknown},
    measures,
    parameters::Parameters,
    words::{self, column, label, owned},
};
use crate::{
    definition::{Text, entity as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{
        DimensionId, DimensionIndex, Entity, EntityId,
        entity::{Freshness, Recorded, Source, Validity},
    },
};

/// Fills `draft.entities`.
pub(super) fn resolve(draft: &mut Draft<'_>, out: &mut Diagnostics) {
    for (position, (name, definition)) in draft.index.entities.iter().enumerate() {
        let (entity, untyped) = one(name, definition, &draft.parameters, out);
        let id = EntityId(position as u16);
        draft.untyped.extend(untyped.into_iter().map(|index| DimensionId { entity: id, index }));
        draft.entities.push(entity);
    }
}

fn one(name: &Text, definition: &written::Entity, parameters: &Parameters, out: &mut Diagnostics) -> (Entity, Vec<DimensionIndex>) {
    members_named_once(definition, out);
    let described = dimensions::resolve(definition, parameters, out);
    let measures = measures::resolve(definition, &described, parameters, out);
    let Described { dimensions, key, time, known, .. } = described;
    let untyped = (0..dimensions.len()).filter(|index| known[*index].is_none()).map(|index| DimensionIndex(index as u16)).collect();
    let valid = definition.valid.as_ref();
    let mut entity = Entity {
        name: name.value.clone(),
        label: label(definition.label.as_ref(), &name.value),
        description: owned(definition.description.as_ref()),
        owner: owned(definition.owner.as_ref()),
        tags: words::all(&definition.tags),
        source: source(&definition.source, out),
        key,
        validity: valid
            .and_then(|valid| valid.period.as_ref())
            .map(|period| Validity { from: column(&period.from, out), to: column(&period.to, out) }),
        recorded: valid.and_then(|valid| {
            let is_corrected = valid.corrected.as_ref().is_none_or(|corrected| corrected.value);
            valid.recorded.as_ref().map(|recorded| Recorded { column: column(recorded, out), is_corrected })
        }),
        display: None,
        freshness: definition.freshness.as_ref().map_or_else(Freshness::default, |freshness| Freshness {
            ttl_seconds: freshness.ttl.as_ref().and_then(|ttl| words::seconds(ttl, out)),
            refresh: freshness.refresh.as_ref().map(|refresh| column(refresh, out)),
        }),
        dimensions,
        time,
        relationships: Vec::new(),
        measures,
        movements: None,
        span: name.span,
    };
    entity.display = definition.display.as_ref().and_then(|display| {
        let found = entity.dimension_named(&display.value);
        if found.is_none() {
            let names = entity.dimensions.iter().map(|dimension| dimension.name.as_str());
            out.push(unknown("M011", &format!("dimension of `{}`", entity.name), &display.value, display.span, names));
        }
        found
    });
    (entity, untyped)
}

/// Dimensions, times and relationships become fields of one type, so they share their names.
fn members_named_once(definition: &written::Entity, out: &mut Diagnostics) {
    let names = definition.dimensions.iter().map(|(name, _)| name);
    let names = names.chain(definition.time.iter().map(|(name, _)| name));
    let mut names: Vec<&Text> = names.chain(definition.relationships.iter().map(|(name, _)| name)).collect();
    names.sort_by(|one, other| one.value.cmp(&other.value).then(one.span.cmp(&other.span)));
    if names.len().max(definition.measures.len()) > usize::from(u16::MAX) {
        out.push(Diagnostic::error("M008", definition.entity.span, "more members than an entity can have"));
    }
    for pair in names.windows(2).filter(|pair| pair[0].value == pair[1].value) {
        out.push(twice_named(&format!("`{}`: dimension or relationship", definition.entity.value), pair[1], pair[0].span));
    }
}

fn source(source: &written::Source, out: &mut Diagnostics) -> Source {
    match source {
        written::Source::Table(text) => table(text, out),
        written::Source::Sql(text) => select(text, out),
    }
}

fn table(text: &Text, out: &mut Diagnostics) -> Source {
    let parts: Vec<&str> = text.value.split('.').collect();
    for part in &parts {
        words::physical_name("table", part, text, out);
    }
    match parts.as_slice() {
        [table] => Source::Table { schema: None, table: (*table).to_owned() },
        [schema, table] => Source::Table { schema: Some((*schema).to_owned()), table: (*table).to_owned() },
        _ => {
            out.push(
                Diagnostic::error("M004", text.span, "a source has at most a schema and a table")
                    .label("expected `schema.table` or `table`"),
            );
            Source::Table { schema: None, table: text.value.clone() }
        }
    }
}

/// A query of the author stands in the FROM of ours, so it must be one select and nothing more.
fn select(text: &Text, out: &mut Diagnostics) -> Source {
    let sql = text.value.trim();
    let first = sql.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase();
    let outside_quotes = sql.split('\'').step_by(2);
    if !matches!(first.as_str(), "select" | "with") {
        out.push(Diagnostic::error("M009", text.span, "the query of a source begins with `select` or `with`"));
    } else if outside_quotes.into_iter().any(|part| part.contains(';')) {
        out.push(Diagnostic::error("M009", text.span, "the query of a source is one statement, without a semicolon"));
    }
    Source::Sql(sql.to_owned())
}
