use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{definition, diagnostic::Diagnostics, source::SourceMap};

/// For each mapping of the language a document in which only that mapping has the key `zzz`; `@` is where it goes.
const MAPPINGS: [(&str, &str); 37] = [
    ("Project", "project: p\n@"),
    ("ExchangeRates", "project: p\nexchange_rates: {@}"),
    ("Entity", "entity: e\n@"),
    ("Validity", "entity: e\nvalid: {@}"),
    ("Freshness", "entity: e\nfreshness: {@}"),
    ("Dimension", "entity: e\ndimensions: {d: {@}}"),
    ("Bands", "entity: e\ndimensions: {d: {bands: {@}}}"),
    ("BandEdge", "entity: e\ndimensions: {d: {bands: {edges: [{@}]}}}"),
    ("TimeDimension", "entity: e\ntime: {d: {@}}"),
    ("Relationship", "entity: e\nrelationships: {d: {@}}"),
    ("Through", "entity: e\nrelationships: {d: {through: {@}}}"),
    ("Measure", "entity: e\nmeasures: {d: {@}}"),
    ("Latest", "entity: e\nmeasures: {d: {latest: {@}}}"),
    ("Currency", "entity: e\nmeasures: {d: {currency: {@}}}"),
    ("Movements", "entity: e\nmovements: {@}"),
    ("View", "view: v\n@"),
    ("ViewDimension", "view: v\ndimensions: [{@}]"),
    ("Metric", "metrics: {m: {@}}"),
    ("Cumulative", "metrics: {m: {cumulative: {@}}}"),
    ("Offset", "metrics: {m: {offset: {@}}}"),
    ("Movement", "metrics: {m: {movement: {@}}}"),
    ("PerEntity", "metrics: {m: {per_entity: {@}}}"),
    ("Share", "metrics: {m: {share: {@}}}"),
    ("Score", "metrics: {m: {score: {@}}}"),
    ("ScoreInput", "metrics: {m: {score: {inputs: {i: {@}}}}}"),
    ("Parameter", "parameters: {p: {@}}"),
    ("Series", "metrics: {m: {series: {@}}}"),
    ("Cohort", "metrics: {m: {cohort: {@}}}"),
    ("Peers", "metrics: {m: {peers: {@}}}"),
    ("Segment", "segments: {s: {@}}"),
    ("Rule", "rules: {r: {@}}"),
    ("Policy", "policies: {p: {@}}"),
    ("SavedQuery", "saved_queries: {q: {@}}"),
    ("Ask", "saved_queries: {q: {ask: {@}}}"),
    ("Fixture", "fixtures: {f: {@}}"),
    ("Test", "tests: [{@}]"),
    ("Source", "entity: e\nsource: {@}"),
];

/// The keys a decoder knows, as its complaint about an unknown one lists them.
fn decoder_keys(document: &str) -> BTreeSet<String> {
    let sources = SourceMap::new([("a.yaml".to_owned(), document.replace('@', "zzz: 1"))]);
    let mut diagnostics = Diagnostics::default();
    definition::parse(&sources, &mut diagnostics);
    let complaint =
        diagnostics.sorted().into_iter().find(|item| item.code == "D001").unwrap_or_else(|| panic!("no D001: {document}"));
    let (_, keys) = complaint.help.iter().find_map(|help| help.split_once(" has: ")).expect("it lists the keys");
    keys.split(", ").map(str::to_owned).collect()
}

fn definitions() -> BTreeMap<String, Value> {
    let schema = definition::json_schema();
    let mut definitions: BTreeMap<String, Value> =
        schema["$defs"].as_object().expect("definitions").iter().map(|(name, schema)| (name.clone(), schema.clone())).collect();
    let source = definitions["Entity"]["properties"]["source"]["anyOf"][1].clone();
    definitions.insert("Source".to_owned(), source);
    definitions
}

#[test]
fn every_mapping_has_the_same_keys_in_the_decoder_and_in_the_schema() {
    let definitions = definitions();
    for (name, document) in MAPPINGS {
        let properties = definitions[name]["properties"].as_object().unwrap_or_else(|| panic!("{name} has properties"));
        let properties: BTreeSet<String> = properties.keys().cloned().collect();
        assert_eq!(properties, decoder_keys(document), "{name}");
        assert_eq!(definitions[name]["additionalProperties"], json!(false), "{name}");
    }
    let named: BTreeSet<&str> = MAPPINGS.iter().map(|(name, _)| *name).collect();
    assert_eq!(definitions.keys().map(String::as_str).collect::<BTreeSet<_>>(), named, "a mapping is missing from the table above");
}

#[test]
fn subjects_are_those_of_the_decoder() {
    let schema = definition::json_schema();
    let subjects: Vec<&String> = schema["oneOf"][3]["properties"].as_object().expect("properties").keys().collect();
    assert_eq!(subjects, ["metrics", "parameters", "segments", "rules", "policies", "saved_queries", "fixtures", "tests"]);
}

#[test]
fn an_editor_is_told_what_a_person_needs() {
    let definitions = definitions();
    let metric = &definitions["Metric"];
    assert_eq!(metric["properties"]["label"], json!({"type": "string", "description": "What people call it."}));
    assert_eq!(metric["properties"]["version"]["type"], json!("integer"));
    assert_eq!(metric["properties"]["movement"]["$ref"], json!("#/$defs/Movement"));
    assert_eq!(metric["oneOf"].as_array().map(Vec::len), Some(12));
    assert_eq!(definitions["Relationship"]["oneOf"], json!([{"required": ["to"]}, {"required": ["top_of"]}]));
    assert_eq!(definitions["Rule"]["properties"]["for"]["type"], json!("integer"));
    assert_eq!(definitions["Measure"]["properties"]["over_time"]["enum"], json!(["sum", "last", "first", "average", "as_of"]));
    let dimension = &definitions["Entity"]["properties"]["dimensions"]["additionalProperties"]["anyOf"];
    assert_eq!(*dimension, json!([{"type": "string"}, {"$ref": "#/$defs/Dimension"}]));
}

#[test]
fn only_constants_may_be_null() {
    fn nulls(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text == "null" && path.contains("/type") => found.push(path.to_owned()),
            Value::Array(items) => items.iter().for_each(|item| nulls(item, path, found)),
            Value::Object(entries) => entries.iter().for_each(|(key, item)| nulls(item, &format!("{path}/{key}"), found)),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut found = Vec::new();
    nulls(&definition::json_schema(), "", &mut found);
    assert!(found.iter().all(|path| path.contains("/Fixture/") || path.contains("/Test/")), "{found:?}");
    assert!(!definition::json_schema().to_string().contains("x-keep-null"));
}
