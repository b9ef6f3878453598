//! Apollo's federation: the keys of entities, and which row a representation speaks of.

use std::sync::OnceLock;

use holdfast_schema::{
    model::{DimensionId, DimensionIndex, EntityId, Model},
    value::Value,
};

use crate::{
    error::Problem,
    ids::{self, Row},
    input::Input,
    limits::Limits,
    scalar,
    surface::{EntityMember, EntityNames, Surface},
    types,
};

/// The schema for gateways, printed when one first asks.
#[derive(Debug, Default)]
pub(crate) struct Service(OnceLock<String>);

impl Service {
    /// The schema with keys.
    pub(crate) fn sdl(&self, model: &Model, surface: &Surface, limits: &Limits) -> &str {
        self.0.get_or_init(|| {
            types::sdl(model, surface, limits, types::Reader::Gateway).expect("the same names made a schema for clients")
        })
    }
}

/// The fields of an entity's own key; `None` when a part of it is not shown.
pub(crate) fn natural_key<'n>(model: &Model, id: EntityId, names: &'n EntityNames) -> Option<Vec<&'n str>> {
    let field = |part| names.dimensions.iter().find(|(_, index)| *index == part).map(|(field, _)| field.as_str());
    model.entity(id).key.iter().map(|part| field(*part)).collect()
}

/// The row that a representation speaks of, and its entity; no row when its key is no value such a key can have.
pub(crate) fn represented(model: &Model, surface: &Surface, input: &Input) -> Result<(EntityId, Option<Row>), Problem> {
    let type_name = input.get("__typename").and_then(Input::text).unwrap_or_default();
    let Some((id, _)) = model.entity_ids().find(|(id, _)| surface.entity(*id).type_name == type_name) else {
        return Err(Problem::input("each of `representations` needs the `__typename` of an entity"));
    };
    let names = surface.entity(id);
    if let Some(global) = input.get("id").filter(|_| names.members.get("id") == Some(&EntityMember::Id)).and_then(Input::text) {
        return Ok((id, ids::parse(model, id, global)));
    }
    let entity = model.entity(id);
    let parts = natural_key(model, id, names).and_then(|fields| {
        let given = fields.into_iter().map(|field| input.get(field)).collect::<Option<Vec<_>>>()?;
        Some(given.into_iter().zip(&entity.key))
    });
    let Some(parts) = parts else {
        return Err(Problem::input(format!("a representation of `{type_name}` has the fields of none of its keys")));
    };
    let value = |(given, part): (&Input, &DimensionIndex)| {
        if let Some(declared) = surface.enums.get(&DimensionId { entity: id, index: *part }) {
            return given.text().and_then(|name| declared.value_of(name)).map(|value| Value::Text(value.to_owned()));
        }
        scalar::read(given, entity.dimensions[part.index()].value_type).ok()
    };
    let key: Option<Vec<Value>> = parts.map(value).collect();
    Ok((id, key.map(|key| Row { key, moment: None })))
}
