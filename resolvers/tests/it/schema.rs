//! The schema of a small model, and of the shipped definitions.

use std::{fs, path::Path, sync::Arc};

use holdfast_resolvers::{Api, Limits, Settings};
use holdfast_schema::{load, source::SourceMap};

use crate::fake;

fn read(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            read(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push((path.display().to_string(), fs::read_to_string(&path).expect("it is text")));
        }
    }
}

#[test]
fn a_small_model_has_this_schema() {
    insta::assert_snapshot!(fake::api(Settings::default()).sdl());
}

#[test]
fn a_saved_document_that_would_be_refused_is_refused_with_the_definitions() {
    let with = |document: &str| {
        let saved = format!("saved_queries:\n  page:\n    document: \"{document}\"\n");
        let (model, diagnostics) = load(SourceMap::new([
            ("p.yaml".to_owned(), "project: p\nversion: 1\n---\nentity: account\nsource: account\nkey: account_id\n".to_owned()),
            ("saved.yaml".to_owned(), saved),
        ]));
        Api::new(model.unwrap_or_else(|| panic!("{:?}", diagnostics.sorted())), Settings::default())
    };
    let api = with("{ accounts { totalCount } }").unwrap_or_else(|wrong| panic!("{:#?}", wrong.sorted()));
    assert_eq!(api.saved_document("page"), Some("{ accounts { totalCount } }"));
    assert_eq!(api.saved_document("other"), None);
    for (document, told) in [
        ("{ accounts { totalCont } }", "totalCont"),
        ("{ accounts { totalCount }", "expected"),
        ("query a { accounts { totalCount } } query b { accounts { totalCount } }", "exactly one operation"),
    ] {
        let wrong = with(document).expect_err(document);
        let found = wrong.sorted();
        let is_told = found.iter().any(|item| item.code == "G010" && item.message.contains(told));
        assert!(is_told, "{document}: {found:?}");
    }
}

fn shipped() -> Api {
    let mut files = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../metrics-defs"), &mut files);
    let (model, diagnostics) = load(SourceMap::new(files));
    let model = model.unwrap_or_else(|| panic!("{:?}", diagnostics.sorted()));
    let limits = Limits { height: 10_000, ..Limits::default() };
    Api::new(model, Settings { limits, ..Settings::default() }).unwrap_or_else(|wrong| panic!("{:#?}", wrong.sorted()))
}

#[test]
fn every_shipped_metric_can_be_asked_for_by_month_or_by_age() {
    let api = shipped();
    let model = Arc::clone(api.model());
    let mut refused = Vec::new();
    for view in &model.views {
        for metric_id in &view.metrics {
            let is_cohort = model.metric(*metric_id).is_cohort;
            let (view, metric) = (camel(&view.name), camel(&model.metric(*metric_id).name));
            let range = "range: {between: {from: \"2025-01-01\", to: \"2025-04-01\"}}";
            let text = if is_cohort {
                format!(
                    "{{ {view}({range}, by: [{{cohort: {{grain: MONTH}}}}, {{age: {{grain: YEAR, upTo: 1}}}}]) {{
                         rows {{ id cohort(grain: MONTH) {{ label }} age {metric} }} totals {{ {metric} }} }} }}"
                )
            } else if model.metric(*metric_id).compares.iter().any(|entity| model.entity(*entity).name == "account") {
                format!(
                    "{{ {view}({range}, by: [{{dimension: ACCOUNT}}]) {{ rows {{ id account {{ id }} {metric} }} totals {{ {metric} }} }} }}"
                )
            } else {
                format!("{{ {view}({range}) {{ rows {{ id period(grain: MONTH) {{ label }} {metric} }} totals {{ {metric} }} }} }}")
            };
            let (_, body) = fake::send_to(&api, Arc::new(fake::Fake::default()), async_graphql::Request::new(text));
            if let Some(error) = body["errors"].get(0) {
                refused.push(format!("{view}.{metric}: {error}"));
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn every_member_of_every_shipped_entity_can_be_asked_for() {
    let api = shipped();
    let schema = apollo_compiler::Schema::parse(api.sdl(), "schema").expect("it is a schema");
    let mut refused = Vec::new();
    for (list, field) in &schema.get_object("Query").expect("the root").fields {
        let Some(name) = field.ty.inner_named_type().strip_suffix("Connection") else { continue };
        let mut selection = String::new();
        for (member, definition) in &schema.get_object(name).expect("an entity").fields {
            let kind = definition.ty.inner_named_type();
            selection += &match schema.get_object(kind) {
                None => format!("{member} "),
                Some(_) if kind.ends_with("Connection") => format!("{member} {{ totalCount nodes {{ id }} }} "),
                Some(metrics) if member == "metrics" => {
                    let names: Vec<_> = metrics.fields.keys().map(|name| name.as_str()).collect();
                    format!("metrics(range: {{preset: LAST_QUARTER}}) {{ {} }} ", names.join(" "))
                }
                Some(_) => format!("{member} {{ id }} "),
            };
        }
        let text = format!("{{ {list}(first: 2) {{ totalCount nodes {{ {selection} }} }} }}");
        let (_, body) = fake::send_to(&api, Arc::new(fake::Fake::default()), async_graphql::Request::new(text));
        if let Some(error) = body["errors"].get(0) {
            refused.push(format!("{name}: {error}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |out, word| out + &word[..1].to_uppercase() + &word[1..])
}

#[test]
fn a_view_named_like_the_list_of_an_entity_is_reported_with_both_places() {
    let entity = "entity: visit\nsource: visit\nkey: visit_id\nmeasures:\n  visits: {count: rows}\n";
    let metrics = "metrics:\n  visit_count: {measure: visit.visits}\n";
    let view = "view: visits\nmetrics: [visit_count]\ndimensions: [visit]\n";
    let files = [("entity.yaml", entity), ("metrics.yaml", metrics), ("view.yaml", view)];
    let (model, diagnostics) = load(SourceMap::new(files.map(|(path, text)| (path.to_owned(), text.to_owned()))));
    let model = model.unwrap_or_else(|| panic!("{:#?}", diagnostics.sorted()));
    let wrong = Api::new(model, Settings::default()).expect_err("two root fields are one");
    let sorted = wrong.sorted();
    assert_eq!(sorted.len(), 1, "{sorted:#?}");
    assert_eq!((sorted[0].code, sorted[0].secondary.len()), ("G001", 1));
}
