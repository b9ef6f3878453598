//! Names of schemas, tables and columns as people make them: what PostgreSQL quotes is found under our quoting, whatever it is.

use std::{collections::BTreeSet, sync::Arc};

use holdfast_schema::{source::SourceMap, value::Value};
use holdfast_tests::{
    desk::{Counter, api, model, without_cache},
    postgres::{Database, Postgres},
};
use holdfast_warehouse::{
    Limits,
    embedded::Embedded,
    postgres::{self, Settings},
    table::{ColumnType, Table},
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};

/// Names that someone thought of, and some that nobody did. None holds a dot, which parts schema and table in `source`; PostgreSQL
/// keeps 63 bytes of a name.
fn names() -> BTreeSet<String> {
    let odd = [
        "Plain",
        "two words",
        " spaces ",
        "tab\tand\nline",
        "say \"hi\"",
        "\"",
        "\"\"",
        "it's",
        "back\\slash",
        "$1",
        "$$",
        "%I",
        "semi;colon",
        "--",
        "/* no */",
        "naïve",
        "表",
        "🦀",
        "U&\"x",
        "select",
        "table",
        "user",
        "order",
        "1st",
        "_",
        "NULL",
    ];
    let longest = [format!("{}é", "x".repeat(61)), "\"".repeat(63)];
    let mut runner = TestRunner::deterministic();
    let mut any = || "\\PC{1,12}".new_tree(&mut runner).expect("there are such texts").current();
    let thought_up: Vec<String> = (0..40).map(|_| any()).filter(|name| !name.contains('.')).collect();
    odd.into_iter().map(str::to_owned).chain(longest).chain(thought_up).collect()
}

/// YAML in double quotes.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON, and JSON is YAML")
}

fn definitions(names: &BTreeSet<String>) -> SourceMap {
    let mut text = "project: names\nversion: 1\n".to_owned();
    for (n, name) in names.iter().enumerate() {
        let (source, column) = (quoted(&format!("{name}.{name}")), quoted(name));
        text += &format!(
            "---\nentity: thing_{n}\nsource: {source}\nkey: key_id\ndimensions:\n  what: {{type: string, column: {column}}}\n\
             measures: {{things: {{count: rows}}}}\n---\nmetrics: {{things_{n}: {{measure: thing_{n}.things}}}}\n\
             ---\nview: names_{n}\nmetrics: [things_{n}]\ndimensions: [thing_{n}.what]\n"
        );
    }
    SourceMap::new([("names.yaml".to_owned(), text)])
}

/// Creates a schema, a table in it and a column in that, all of this name in PostgreSQL's own quoting, and puts the name in.
async fn create(database: &Database, name: &str) {
    let template = "select format('create schema %1$I; create table %1$I.%1$I (key_id text primary key, %1$I text); \
                    insert into %1$I.%1$I values (''k'', %1$L)', $1::text)";
    let client = database.connect().await;
    let statements: String = client.query_one(template, &[&name]).await.expect("it can be quoted").get(0);
    client.batch_execute(&statements).await.unwrap_or_else(|error| panic!("{error:?} in\n{statements}"));
}

fn table(name: &str) -> Table {
    let mut table = Table::new(Some(name), name, &[("key_id", ColumnType::Text), (name, ColumnType::Text)]);
    table.push(&[Value::Text("k".to_owned()), Value::Text(name.to_owned())]);
    table
}

#[tokio::test]
async fn names_are_found_as_postgresql_quotes_them() {
    let names = names();
    let database = Postgres::shared().database().await;
    for name in &names {
        create(&database, name).await;
    }
    let api = api(&model(definitions(&names)));
    let postgres = postgres::Postgres::new(&Settings::new(&database.url)).expect("the address is right");
    let tables: Vec<Table> = names.iter().map(|name| table(name)).collect();
    let embedded = Embedded::new("names", &tables, Limits::default()).expect("the embedded engine takes the tables");
    for counter in
        [Counter::new(&api, Arc::new(postgres), without_cache()), Counter::new(&api, Arc::new(embedded), without_cache())]
    {
        for (n, name) in names.iter().enumerate() {
            let of_view = format!("{{ names{n}(by: [{{dimension: WHAT}}]) {{ rows {{ what things{n} }} }} }}");
            let answer = counter.ask(&of_view).await;
            let row = serde_json::json!([{"what": name, format!("things{n}"): "1"}]);
            assert_eq!(answer.at(&format!("/data/names{n}/rows")), &row, "{name:?}");
        }
    }
}
