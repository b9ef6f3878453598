//! The cases of `tests/cases/`: rows in, GraphQL out of both warehouses, and a second opinion in SQL written by hand.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    sync::{Arc, LazyLock},
};

use holdfast_resolvers::Api;
use holdfast_server::{definitions::Origin, demo};
use holdfast_tests::{
    answer::plain,
    desk::{Counter, Desk, api, model, without_cache},
    yaml,
};
use serde_json::Value;

/// One test per file of cases.
macro_rules! cases {
    ($($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                run(stringify!($name)).await;
            }
        )*

        #[test]
        fn every_file_of_cases_is_run() {
            let run: HashSet<_> = [$(stringify!($name)),*].into();
            let there = fs::read_dir(folder()).expect("the folder is there").flatten().map(|entry| entry.path());
            let there: Vec<_> = there.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
            for path in &there {
                assert!(path.file_stem().and_then(|name| name.to_str()).is_some_and(|name| run.contains(name)), "{path:?}");
            }
            assert_eq!(there.len(), run.len());
        }
    };
}

cases! { cohorts late g01 g02 g03 g04 g05 g06 g07 g08 g09 g10 g11 g12 g13 t01 t02 t03 t04 t06 t07 t09 t11 t12 t13 t15 t16 t17 t21 t22 t23 t25 t27 t28 t29 t30 t32 t33 t34 t35 t37 t39 t40 t43 t44 }

/// The shipped definitions as an API; shared, because it takes a while to make.
pub(crate) static SHIPPED: LazyLock<Arc<Api>> =
    LazyLock::new(|| api(&model(Origin::Shipped.read().expect("the shipped definitions are in the program"))));

/// A row by the names of its columns, sorted by them.
type Row = Vec<(String, String)>;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/cases"))
}

/// Runs every case of a file and reports all that fail.
async fn run(file: &str) {
    let text = fs::read_to_string(folder().join(file).with_extension("yaml")).expect("the file can be read");
    let file = yaml::read(&text);
    let cases = file["cases"].as_array().expect("a file holds a list of cases");
    let mut failures = Vec::new();
    for case in cases {
        let differences = differences(case).await;
        if !differences.is_empty() {
            failures.push(format!("{}: {}", case["name"].as_str().unwrap_or("?"), differences.join("\n  ")));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

async fn differences(case: &Value) -> Vec<String> {
    let text = |key: &str| case[key].as_str();
    let name = text("fixture").expect("a case names its fixture");
    let Some((_, fixture)) = SHIPPED.model().fixtures.iter().find(|(known, _)| known == name) else {
        return vec![format!("there is no fixture `{name}`")];
    };
    let tables = demo::fixture(fixture).expect("the fixture fits the tables");
    let desk = Desk::with(&SHIPPED, &tables, &without_cache()).await;
    let mut found = Vec::new();
    for (warehouse, counter) in [("embedded", &desk.embedded), ("PostgreSQL", &desk.postgres)] {
        found.extend(ask(case, counter).await.into_iter().map(|difference| format!("{warehouse}: {difference}")));
    }
    let is_ordered = case["ordered"].as_bool() != Some(false);
    if let Some(sql) = text("check_sql") {
        let checked = in_order(desk.database.named_rows(sql).await.into_iter().map(sorted).collect(), is_ordered);
        found.extend(compare("check_sql", &expected(case, is_ordered), &checked));
    }
    if let Some(sql) = text("check_totals_sql") {
        let checked: Vec<Row> = desk.database.named_rows(sql).await.into_iter().map(sorted).collect();
        found.extend(compare("check_totals_sql", &[flat(&case["expect_totals"])], &checked));
    }
    found
}

async fn ask(case: &Value, counter: &Counter) -> Vec<String> {
    let answer = counter.ask(case["graphql"].as_str().expect("a case asks")).await;
    if let Some(errors) = answer.json.get("errors") {
        return vec![errors.to_string()];
    }
    let root = answer.json["data"].as_object().and_then(|data| data.values().next()).expect("a case has one root field");
    let is_ordered = case["ordered"].as_bool() != Some(false);
    let rows = in_order(root["rows"].as_array().expect("a view has rows").iter().map(flat).collect(), is_ordered);
    let mut found = compare("rows", &expected(case, is_ordered), &rows);
    if let Some(totals) = case.get("expect_totals") {
        found.extend(compare("totals", &[flat(totals)], &[flat(&root["totals"])]));
    }
    found
}

fn expected(case: &Value, is_ordered: bool) -> Vec<Row> {
    in_order(case["expect"].as_array().expect("a case expects rows").iter().map(flat).collect(), is_ordered)
}

fn in_order(mut rows: Vec<Row>, is_ordered: bool) -> Vec<Row> {
    if !is_ordered {
        rows.sort();
    }
    rows
}

fn compare(what: &str, expected: &[Row], found: &[Row]) -> Vec<String> {
    if expected == found {
        return Vec::new();
    }
    if expected.len() != found.len() {
        return vec![format!("{what}: expected {} rows, found {}: {found:?}", expected.len(), found.len())];
    }
    let pairs = expected.iter().zip(found).enumerate().filter(|(_, (expected, found))| expected != found);
    pairs.map(|(n, (expected, found))| format!("{what} {n}: expected {expected:?}\n    found {found:?}")).collect()
}

/// The leaves of a row under their paths.
fn flat(row: &Value) -> Row {
    let mut found = Vec::new();
    collect(row, "", &mut found);
    sorted(found)
}

fn collect(value: &Value, path: &str, into: &mut Row) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(field, &path, into);
            }
        }
        Value::String(text) => into.push((path.to_owned(), plain(text))),
        other => into.push((path.to_owned(), plain(&other.to_string()))),
    }
}

fn sorted(mut row: Row) -> Row {
    row.sort();
    row
}
