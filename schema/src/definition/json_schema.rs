//! The structs of the language → a JSON Schema (draft 2020-12) of one document, for completion in editors.
//!
//! The schema is derived from the structs and their doc comments; the rules below turn what suits Rust (options, a flattened
//! enum, spans) into what suits a reader of YAML.

mod shapes;

use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema as schema, transform::transform_subschemas,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::{access, entity, metric, parameter, project, test, view};
pub(super) use shapes::{Number, OneOrMany, OrText, Scalar};

/// The schema of one document of a definition file.
pub fn json_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let single = [
        generator.subschema_for::<project::Project>(),
        generator.subschema_for::<entity::Entity>(),
        generator.subschema_for::<view::View>(),
        subjects(&mut generator),
    ];
    let mut document = schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Holdfast definitions",
        "description": "One document: a project, an entity, a view, or any of the collections of named things.",
        "oneOf": single,
    });
    document.insert("$defs".to_owned(), Value::Object(generator.take_definitions(false)));
    tidy(&mut document);
    document.to_value()
}

/// A document that holds collections of named things.
fn subjects(generator: &mut SchemaGenerator) -> Schema {
    fn named<T: JsonSchema>(generator: &mut SchemaGenerator, description: &str) -> Schema {
        let mut schema = generator.subschema_for::<BTreeMap<String, T>>();
        schema.insert("description".to_owned(), description.into());
        schema
    }
    fn or_number(generator: &mut SchemaGenerator) -> Schema {
        let mapping = generator.subschema_for::<parameter::Parameter>();
        let number = generator.subschema_for::<Number>();
        schema!({
            "type": "object",
            "additionalProperties": { "anyOf": [number, mapping] },
            "description": "Numbers with names, used in definitions as `parameters.name`.",
        })
    }
    let properties = [
        ("metrics", named::<metric::Metric>(generator, "Metrics by name.")),
        ("parameters", or_number(generator)),
        ("segments", named::<access::Segment>(generator, "Named filters.")),
        ("rules", named::<access::Rule>(generator, "Thresholds with an action.")),
        ("policies", named::<access::Policy>(generator, "Who may see which rows and members, or which metrics.")),
        ("saved_queries", named::<test::SavedQuery>(generator, "Questions with a name.")),
        ("fixtures", named::<test::Fixture>(generator, "Rows for warehouse tables, by name.")),
        ("tests", generator.subschema_for::<OneOrMany<test::Test>>()),
    ];
    let properties: Map<String, Value> = properties.into_iter().map(|(key, schema)| (key.to_owned(), schema.to_value())).collect();
    schema!({ "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1 })
}

/// Everywhere: no nulls (an empty value is a mistake), and descriptions without the key that stands beside them anyway.
fn tidy(schema: &mut Schema) {
    remove_null(schema);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (key, property) in properties.iter_mut() {
            if let Value::Object(property) = property {
                shorten_description(key, property);
            }
        }
    }
    transform_subschemas(&mut tidy, schema);
}

fn remove_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    // The constants of fixtures and answers are the one place where null is a value.
    if object.remove(shapes::KEEP_NULL).is_some() {
        return;
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|found| found != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|found| found != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}

fn shorten_description(key: &str, property: &mut Map<String, Value>) {
    let Some(Value::String(description)) = property.get("description") else { return };
    let rest = description.strip_prefix(&format!("`{key}:`")).unwrap_or(description).trim_start();
    let mut letters = rest.chars();
    match letters.next() {
        Some(first) => {
            let sentence: String = first.to_uppercase().chain(letters).collect();
            property.insert("description".to_owned(), sentence.into());
        }
        None => {
            property.remove("description");
        }
    }
}

/// Something of several kinds: the kinds become ordinary keys of which exactly one is required.
pub(super) fn one_kind(schema: &mut Schema) {
    let kinds = match schema.remove("oneOf") {
        Some(Value::Array(kinds)) => kinds,
        other => unreachable!("a flattened enum becomes a list of choices, not {other:?}"),
    };
    let mut found = Map::new();
    for mut kind in kinds {
        let description = kind.get("description").cloned();
        let Some(Value::Object(properties)) = kind.get_mut("properties") else { continue };
        for (key, property) in properties {
            if let (Value::Object(property), Some(description)) = (&mut *property, &description) {
                property.insert("description".to_owned(), description.clone());
            }
            found.insert(key.clone(), property.take());
        }
    }
    one_of(schema, found);
}

/// A measure: each aggregate is a key of which exactly one is required.
pub(super) fn measure(schema: &mut Schema) {
    let keys = [
        ("sum", "Adds up an expression over columns."),
        ("avg", "The mean of an expression over columns, exact."),
        ("min", "The smallest value of an expression over columns."),
        ("max", "The largest value of an expression over columns."),
        ("count", "`rows`, or an expression whose values that are not null are counted."),
        ("count_distinct", "How many different values an expression over columns has."),
    ];
    let keys = keys.into_iter().map(|(key, description)| {
        let property = schemars::json_schema!({ "type": ["string", "number"], "description": description });
        (key.to_owned(), property.to_value())
    });
    one_of(schema, keys.collect());
}

/// Adds keys of which exactly one is required.
fn one_of(schema: &mut Schema, keys: Map<String, Value>) {
    let choices: Vec<Value> = keys.keys().map(|key| schema!({ "required": [key] }).to_value()).collect();
    schema.insert("oneOf".to_owned(), Value::Array(choices));
    schema.remove("unevaluatedProperties");
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    match schema.get_mut("properties") {
        Some(Value::Object(properties)) => properties.extend(keys),
        _ => unreachable!("a struct with named fields has properties"),
    }
}

#[cfg(test)]
mod tests;
