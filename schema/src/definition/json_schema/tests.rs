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

/// Where a word of a short list is asked for, with the wrong one `zzz` there. The documents follow [`AROUND`], or stand alone when they
/// are a project.
const WORDS: [(&str, &str, &str); 28] = [
    ("Project", "fiscal_year_start", "project: p\nfiscal_year_start: zzz"),
    ("Project", "week_start", "project: p\nweek_start: zzz"),
    ("Dimension", "type", "entity: e\nsource: e\nkey: k\ndimensions: {d: {type: zzz}}"),
    ("Dimension", "read", "entity: e\nsource: e\nkey: k\ndimensions: {d: {read: zzz}}"),
    ("TimeDimension", "type", "entity: e\nsource: e\nkey: k\ntime: {d: {type: zzz}}"),
    ("TimeDimension", "grain", "entity: e\nsource: e\nkey: k\ntime: {d: {grain: zzz}}"),
    ("TimeDimension", "snapshot", "entity: e\nsource: e\nkey: k\ntime: {d: {grain: month, snapshot: zzz}}"),
    ("Measure", "over_time", "entity: e\nsource: e\nkey: k\ntime: {d: {}}\nmeasures: {m: {sum: x, over_time: zzz}}"),
    ("Metric", "empty", "metrics: {m: {measure: f.v, empty: zzz}}"),
    ("Metric", "direction", "metrics: {m: {measure: f.v, direction: zzz}}"),
    ("Cumulative", "to_date", "metrics: {m: {cumulative: {of: v, to_date: zzz}}}"),
    ("Movement", "is", "metrics: {m: {movement: {of: f.v, is: zzz}}}"),
    ("Movement", "take", "metrics: {m: {movement: {of: f.v, take: zzz}}}"),
    ("Cohort", "over", "metrics: {m: {cohort: {of: f.v, over: zzz}}}"),
    ("PerEntity", "each", "metrics: {m: {per_entity: {entity: a, of: v, each: zzz}}}"),
    ("PerEntity", "aggregate", "metrics: {m: {per_entity: {entity: a, of: v, aggregate: zzz}}}"),
    ("Share", "as", "metrics: {m: {share: {of: v, as: zzz}}}"),
    ("Score", "take", "metrics: {s: {score: {inputs: {v: {}}}}, m: {score: {of: s, take: zzz}}}"),
    ("Series", "grain", "metrics: {m: {series: {of: v, grain: zzz, window: 6 months, take: mean}}}"),
    ("Series", "take", "metrics: {m: {series: {of: v, grain: month, window: 6 months, take: zzz}}}"),
    ("Peers", "take", "metrics: {m: {peers: {of: v, entity: a, take: zzz}}}"),
    ("Rule", "at", "rules: {r: {per: a, when: v > 1, at: zzz}}"),
    ("Rule", "unknown", "rules: {r: {per: a, when: v > 1, unknown: zzz}}"),
    ("Rule", "severity", "rules: {r: {per: a, when: v > 1, severity: zzz}}"),
    ("Policy", "peers", "policies: {p: {applies_to: a, rows: a_id = 'x', peers: zzz}}"),
    ("Ask", "movement_basis", "saved_queries: {q: {ask: {metrics: v, movement_basis: zzz}}}"),
    ("Ask", "dimension_basis", "saved_queries: {q: {ask: {metrics: v, dimension_basis: zzz}}}"),
    ("Ask", "fill", "saved_queries: {q: {ask: {metrics: v, fill: zzz}}}"),
];

const AROUND: &str = "project: p\nversion: 1\n---\nentity: a\nsource: a\nkey: a_id\ndimensions: {began: date}\n---\n\
    entity: f\nsource: f\nkey: [a_id, month]\ntime: {month: {grain: month, snapshot: end_of_period}}\n\
    relationships: {a: {to: a, key: a_id}}\nmeasures: {v: {sum: x, over_time: last}}\n\
    movements: {owner: a, cohort: began, grains: {a: [a]}}\n---\nmetrics: {v: {measure: f.v}}\n---\n\
    view: all_of_it\nmetrics: [v]\n---\n";

/// The words that are possible, as the complaint about another lists them.
fn known_words(document: &str) -> Vec<String> {
    let around = if document.starts_with("project:") { "" } else { AROUND };
    let (_, diagnostics) = crate::load(SourceMap::new([("a.yaml".to_owned(), format!("{around}{document}\n"))]));
    let complaint = diagnostics.sorted().into_iter().find(|item| item.code == "M006" && item.message.starts_with("`zzz` is not "));
    let complaint = complaint.unwrap_or_else(|| panic!("no M006: {document}"));
    let label = &complaint.primary.as_ref().expect("it has a place").text;
    let words = label.strip_prefix("expected one of: ").unwrap_or_else(|| panic!("`{label}` lists no words: {document}"));
    words.split(", ").map(str::to_owned).collect()
}

/// The words that the schema of a key allows, other text aside.
fn words_of_schema(property: &Value) -> Option<&Vec<Value>> {
    let choices = property["anyOf"].as_array().into_iter().flatten().chain([property, &property["items"]]);
    choices.into_iter().find_map(|choice| choice["enum"].as_array())
}

#[test]
fn every_list_of_words_is_the_same_in_the_compiler_and_in_the_schema() {
    let definitions = definitions();
    let mut listed = BTreeSet::new();
    for (name, key, document) in WORDS {
        listed.insert((name, key));
        let property = &definitions[name]["properties"][key];
        let words = known_words(document);
        match words_of_schema(property) {
            Some(words_of_schema) => assert_eq!(*words_of_schema, words, "{name}.{key}"),
            // One or several, told apart by the compiler alone.
            None => assert_eq!((name, key), ("Movement", "is"), "{property}"),
        }
    }
    for (name, schema) in &definitions {
        for (key, property) in schema["properties"].as_object().expect("properties") {
            let is_listed = listed.contains(&(name.as_str(), key.as_str()));
            // What a cohort takes is what a movement takes, transfers and rates aside.
            assert!(
                words_of_schema(property).is_none() || is_listed || (name == "Cohort" && key == "take"),
                "{name}.{key} is not in the table"
            );
        }
    }
    let words = |name: &str| -> Vec<Value> { words_of_schema(&definitions[name]["properties"]["take"]).expect("words").clone() };
    let kept: Vec<Value> = words("Movement")
        .into_iter()
        .filter(|word| !["transfer_in", "transfer_out", "fx"].contains(&word.as_str().unwrap_or_default()))
        .collect();
    assert_eq!(words("Cohort"), kept);
}

/// Expressions of a member's values are taken wherever words are.
#[test]
fn what_is_taken_of_members_may_be_an_expression() {
    let definitions = definitions();
    for name in ["Movement", "Cohort"] {
        let choices = &definitions[name]["properties"]["take"]["anyOf"];
        assert!(choices.as_array().is_some_and(|choices| choices.contains(&json!({"type": "string"}))), "{name}: {choices}");
    }
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
    assert_eq!(definitions["Policy"]["oneOf"], json!([{"required": ["applies_to"]}, {"required": ["metrics"]}]));
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
