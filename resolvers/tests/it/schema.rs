//! The schema of a small model, and of the shipped definitions.

use std::{fs, path::Path, sync::Arc};

use holdfast_resolvers::{Api, Limits, Settings};
use holdfast_schema::{load, query::Filter, source::SourceMap};

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

#[test]
fn conditions_speak_of_what_one_row_leads_to_and_those_of_signals_of_the_row_alone() {
    let api = shipped();
    let schema = apollo_compiler::Schema::parse(api.sdl(), "schema").expect("it is a schema");
    let field = |input: &str, name: &str| {
        Some(schema.get_input_object(input).expect("it is there").fields.get(name)?.ty.inner_named_type().to_string())
    };
    for (name, kind) in [("parent", Some("AccountWhere")), ("ultimateParent", Some("AccountWhere")), ("contracts", None)] {
        assert_eq!(field("AccountWhere", name).as_deref(), kind, "{name}");
        assert_eq!(field("AccountOwnWhere", name), None, "{name}");
    }
    assert_eq!(field("ValueComponentWhere", "account").as_deref(), Some("AccountWhere"));
    assert_eq!(field("SignalWhere", "account").as_deref(), Some("AccountOwnWhere"));
    assert_eq!(field("AccountOwnWhere", "segment"), field("AccountWhere", "segment"));
    let parent = "{ signals(where: {account: {parent: {}}}) { totalCount } }";
    let (_, body) = fake::send_to(&api, Arc::new(fake::Fake::default()), async_graphql::Request::new(parent));
    assert_eq!(body["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{body}");
}

#[test]
fn what_joins_conditions_keeps_its_names() {
    let files = |member: &str, relationship: &str| {
        format!(
            "project: p\nversion: 1\n---\nentity: thing\nsource: thing\nkey: thing_id\ndimensions: {{{member}: string}}\n\
             relationships: {{{relationship}: {{to: thing, key: other_id}}}}\nmeasures: {{things: {{count: rows}}}}\n---\n\
             metrics: {{things: {{measure: thing.things}}}}\n---\nview: of_things\nmetrics: [things]\ndimensions: [thing.*]\n---\n\
             segments: {{some: {{entity: thing, where: thing_id = 'x'}}}}\n"
        )
    };
    let api = |member: &str, relationship: &str| {
        let (model, diagnostics) = load(SourceMap::new([("thing.yaml".to_owned(), files(member, relationship))]));
        Api::new(model.unwrap_or_else(|| panic!("{:?}", diagnostics.sorted())), Settings::default())
    };
    for (member, relationship, expected) in [("not", "other", 2), ("size", "or", 1), ("and", "not", 3)] {
        let wrong = api(member, relationship).expect_err("a name is taken");
        let codes: Vec<_> = wrong.sorted().iter().map(|wrong| wrong.code).collect();
        assert_eq!(codes, vec!["G001"; expected], "{member} {relationship}: {wrong:#?}");
    }
    // Names of ours that a member may have are its own.
    let text = "{ things(where: {inSegment: {size: {eq: \"x\"}}}) { totalCount } }";
    let fake = Arc::new(fake::Fake::default());
    fake::send_to(&api("size", "in_segment").expect("nothing is taken"), Arc::clone(&fake), async_graphql::Request::new(text));
    let asked = fake.asked.lock().expect("nobody panics while noting");
    let [fake::Asked::Count(query)] = &asked[..] else { panic!("{asked:?}") };
    assert!(matches!(&query.filter, Some(Filter::Related { relationship, .. }) if relationship == "in_segment"), "{query:?}");
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
