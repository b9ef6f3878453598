//! Types, limits and manners of the PostgreSQL connector.

use std::time::Duration;

use holdfast_schema::{
    compile, load,
    query::{Caller, Comparator, EntityMetrics, EntityQuery, Filter, Page},
    source::SourceMap,
    sql::{Dialect, Param, Statement},
    value::{Value, ValueType},
};
use holdfast_tests::postgres::{Database, Postgres};
use holdfast_warehouse::{
    Error, Limits, Warehouse as _,
    postgres::{
        self, Settings,
        load::{self as loader, Existing},
    },
    table::{ColumnType, Table},
};
use tokio::time::{sleep, timeout};

use crate::{shown, statement};

fn open(database: &Database, change: impl FnOnce(&mut Settings)) -> postgres::Postgres {
    let mut settings = Settings::new(&database.url);
    change(&mut settings);
    postgres::Postgres::new(&settings).expect("the address is right")
}

#[tokio::test]
async fn every_type_arrives_exactly() {
    let database = Postgres::shared().database().await;
    database.execute("create type mood as enum ('sad', 'ok'); create domain cents as numeric(20, 2)").await;
    let warehouse = open(&database, |_| {});
    let one = |types: &'static str, sql: &'static str| {
        let warehouse = &warehouse;
        async move { warehouse.run(&statement(types, sql, vec![])).await.map(|rows| shown(&rows).join("\n")) }
    };
    assert_eq!(
        one("iiii", "select 1::int2, -2::int4, 9223372036854775807::int8, 12.00::numeric").await.as_deref(),
        Ok("1|-2|9223372036854775807|12")
    );
    assert_eq!(
        one("nnnn", "select 123456789012345678901234567890.12345678901234567890, 0.1::float8, 7::int2, 5.10::cents")
            .await
            .as_deref(),
        Ok("123456789012345678901234567890.1234567890123456789|0.1|7|5.1")
    );
    assert_eq!(
        one(
            "tttttt",
            "select 'a'::varchar, 'b '::char(2), 'c'::name, 'sad'::mood, '00000000-0000-0000-0000-00000000000a'::uuid, null::text"
        )
        .await
        .as_deref(),
        Ok("a|b |c|sad|00000000-0000-0000-0000-00000000000a|∅")
    );
    assert_eq!(
        one("ddzzb", "select date '0001-01-01', 'infinity'::date, timestamptz '2024-03-10 07:00:00.000001+00', timestamp '1999-12-31 23:59:59', true")
            .await
            .as_deref(),
        Ok("0001-01-01|9999-12-31|2024-03-10T07:00:00.000001Z|1999-12-31T23:59:59Z|true")
    );
    assert!(matches!(one("n", "select 'NaN'::numeric").await, Err(Error::Data(_))));
    assert!(matches!(one("i", "select 1.5::numeric").await, Err(Error::Data(_))));
    assert!(matches!(one("n", "select 1 / 0").await, Err(Error::Data(_))));
    assert!(matches!(one("n", "select 'a'::text").await, Err(Error::Statement(_))));
    assert!(matches!(one("n", "select nothing from nowhere").await, Err(Error::Misfit(_))));
}

#[tokio::test]
async fn text_finds_enums_and_uuids_by_their_own_type() {
    let database = Postgres::shared().database().await;
    database
        .execute(
            "create type mood as enum ('sad', 'ok'); create table t (id uuid primary key, mood mood); \
             insert into t values ('00000000-0000-0000-0000-00000000000a', 'ok')",
        )
        .await;
    let warehouse = open(&database, |_| {});
    let params = vec![Param::Text("ok".into()), Param::Text("00000000-0000-0000-0000-00000000000a".into())];
    for is_lookup in [false, true, true] {
        let question =
            Statement { is_lookup, ..statement("tt", "select id, mood from t where mood = $1 and id = $2", params.clone()) };
        let rows = warehouse.run(&question).await.expect("it is found");
        assert_eq!(shown(&rows), ["00000000-0000-0000-0000-00000000000a|ok"]);
    }
}

#[tokio::test]
async fn compiled_questions_find_enums_and_uuids_too() {
    let database = Postgres::shared().database().await;
    database
        .execute(
            "create type mood as enum ('sad', 'ok'); create table t (thing_id uuid primary key, mood mood, note text); \
             insert into t values ('00000000-0000-0000-0000-00000000000a', 'ok', 'ok'), ('00000000-0000-0000-0000-00000000000b', 'sad', 'ok')",
        )
        .await;
    let definitions =
        "project: p\n---\nentity: thing\nsource: t\nkey: thing_id\ndimensions: {thing_id: string, mood: string, note: string}\n";
    let (model, diagnostics) = load(SourceMap::new([("t.yaml".to_owned(), definitions.to_owned())]));
    let model = model.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let equal =
        |field: &str| Filter::Compare { field: field.to_owned(), operator: Comparator::Equal, value: Value::Text("ok".to_owned()) };
    let key = vec![Value::Text("00000000-0000-0000-0000-00000000000a".to_owned())];
    let query = EntityQuery {
        entity: "thing".to_owned(),
        dimensions: vec!["mood".to_owned()],
        parents: None,
        filter: Some(Filter::And(vec![equal("mood"), equal("note"), Filter::KeyIn { field: String::new(), keys: vec![key] }])),
        having: None,
        order_by: Vec::new(),
        metrics: EntityMetrics::default(),
        page: Page { limit: 10, offset: 0, after: None, before: None, backwards: false },
        as_of: jiff::civil::date(2025, 1, 1),
        as_known_at: None,
    };
    let compiled = compile::entities(&model, &query, &Caller::default(), Dialect::Postgres).expect("it compiles");
    let rows = open(&database, |_| {}).run(&compiled.rows).await.expect("it is found");
    assert_eq!(shown(&rows), ["00000000-0000-0000-0000-00000000000a|ok"]);
}

#[tokio::test]
async fn many_rows_of_an_enum_do_not_hang() {
    let database = Postgres::shared().database().await;
    database.execute("create type mood as enum ('sad', 'ok')").await;
    let warehouse = open(&database, |_| {});
    let question = statement("t", "select 'ok'::mood from generate_series(1, 200000)", vec![]);
    let rows = timeout(Duration::from_secs(10), warehouse.run(&question)).await.expect("it ends").expect("it runs");
    assert_eq!(rows.row_count(), 200_000);
}

#[tokio::test]
async fn nothing_can_be_written_not_even_by_functions_or_after_changing_the_session() {
    let database = Postgres::shared().database().await;
    database
        .execute(
            "create table t (x int); \
             create function sneak() returns int language sql as $$ insert into t values (1) returning x $$",
        )
        .await;
    let warehouse = open(&database, |settings| settings.connections = 1);
    assert!(warehouse.run(&statement("i", "select sneak()", vec![])).await.is_err());
    let unlock = statement("t", "select set_config('default_transaction_read_only', 'off', false)", vec![]);
    warehouse.run(&unlock).await.expect("it is only a setting");
    assert!(warehouse.run(&statement("t", "select set_config('transaction_read_only', 'off', false)", vec![])).await.is_err());
    assert!(warehouse.run(&statement("i", "select sneak()", vec![])).await.is_err());
    let count = database.connect().await.query_one("select count(*) from t", &[]).await.expect("it runs").get::<_, i64>(0);
    assert_eq!(count, 0);
}

/// Statements of this database that run, as the server sees it.
async fn running(database: &Database) -> i64 {
    database
        .connect()
        .await
        .query_one(
            "select count(*) from pg_stat_activity where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()",
            &[],
        )
        .await
        .expect("it runs")
        .get(0)
}

async fn until_idle(database: &Database) {
    for _ in 0..50 {
        if running(database).await == 0 {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("a statement still runs");
}

#[tokio::test]
async fn a_statement_whose_asker_goes_away_is_stopped_in_the_server() {
    let database = Postgres::shared().database().await;
    let warehouse = open(&database, |settings| settings.connections = 2);
    for _ in 0..4 {
        let sleep = statement("i", "select 1 from pg_sleep(60)", vec![]);
        let abandoned = timeout(Duration::from_millis(300), warehouse.run(&sleep));
        let (abandoned, seen) = tokio::join!(abandoned, async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            running(&database).await
        });
        assert!(abandoned.is_err() && seen == 1, "it was running before: {seen}");
        until_idle(&database).await;
    }
    assert_eq!(warehouse.status().running, 0);
    warehouse.ping().await.expect("connections are left");
    assert!(warehouse.status().connections <= 2);
}

#[tokio::test]
async fn limits_stop_a_statement_and_leave_the_pool_usable() {
    let database = Postgres::shared().database().await;
    let limits = Limits { timeout: Duration::from_millis(200), rows: 1_000, bytes: 1 << 20, ..Limits::default() };
    let warehouse = open(&database, |settings| (settings.connections, settings.limits) = (1, limits));
    for _ in 0..3 {
        let slow = warehouse.run(&statement("i", "select 1 from pg_sleep(20)", vec![])).await;
        assert_eq!(slow, Err(Error::Timeout { limit: limits.timeout }));
        let long = warehouse.run(&statement("i", "select generate_series(1, 10000000)", vec![])).await;
        assert_eq!(long, Err(Error::ResultTooLarge { limit: "1000 rows".into() }));
        let wide = warehouse.run(&statement("t", "select repeat('x', 2000000)", vec![])).await;
        assert_eq!(wide, Err(Error::ResultTooLarge { limit: "1 MiB".into() }));
        warehouse.ping().await.expect("the pool works");
    }
    until_idle(&database).await;
    assert_eq!(warehouse.status().connections, 1);
}

/// The server process behind the only connection of a pool.
async fn process(warehouse: &postgres::Postgres) -> String {
    let rows = warehouse.run(&statement("i", "select pg_backend_pid()", vec![])).await.expect("it runs");
    shown(&rows).join("")
}

#[tokio::test]
async fn a_statement_that_is_refused_costs_no_connection() {
    let database = Postgres::shared().database().await;
    database.execute("create type mood as enum ('sad', 'ok'); create table t (id uuid, mood mood)").await;
    let limits = Limits { timeout: Duration::from_millis(200), ..Limits::default() };
    let warehouse = open(&database, |settings| (settings.connections, settings.limits) = (1, limits));
    let before = process(&warehouse).await;
    let nobody = || vec![Param::Text("nobody".into())];
    let refused = [
        ("a value that cannot be computed", statement("n", "select 1 / 0", vec![])),
        ("a table that is not there", statement("n", "select x from nowhere", vec![])),
        ("time", statement("i", "select 1 from pg_sleep(20)", vec![])),
        ("a value of an enum", statement("t", "select mood from t where mood = $1", nobody())),
        ("a uuid to look up", Statement { is_lookup: true, ..statement("t", "select id from t where id = $1", nobody()) }),
        ("a table to look up", Statement { is_lookup: true, ..statement("t", "select x from nowhere", vec![]) }),
        ("writing", statement("i", "select 1 from set_config('transaction_read_only', 'off', false)", vec![])),
    ];
    for (what, statement) in &refused {
        for _ in 0..3 {
            warehouse.run(statement).await.expect_err(what);
            assert_eq!(process(&warehouse).await, before, "after {what}");
        }
    }
}

#[tokio::test]
async fn a_value_of_the_question_is_told_from_one_of_the_data() {
    let database = Postgres::shared().database().await;
    database.execute("create type mood as enum ('sad', 'ok'); create table t (id uuid, mood mood, note text); insert into t values (null, 'ok', 'x')").await;
    let warehouse = open(&database, |_| {});
    let nobody = || vec![Param::Text("nobody".into())];
    for is_lookup in [false, true] {
        let run = async |types, sql, params| warehouse.run(&Statement { is_lookup, ..statement(types, sql, params) }).await;
        for sql in ["select note from t where mood = $1", "select note from t where id = $1", "select note from t where id in ($1)"]
        {
            let refused = run("t", sql, nobody()).await;
            assert!(matches!(refused, Err(Error::Value(_))), "{sql}: {refused:?}");
        }
        let data = run("i", "select note::int from t where note <> $1", nobody()).await;
        assert!(matches!(data, Err(Error::Data(_))), "{data:?}");
    }
}

#[tokio::test]
async fn more_enums_than_a_list_of_columns_holds_are_known_and_those_of_others_do_no_harm() {
    let database = Postgres::shared().database().await;
    let many: Vec<String> = (0..1_700).map(|n| format!("create type mood_{n} as enum ('ok')")).collect();
    database.execute(&many.join(";")).await;
    database.execute("create schema secret; create type secret.mood as enum ('ok'); create role guest_of_enums login").await;
    let url = database.url.replace("holdfast@", "guest_of_enums@");
    let settings = Settings { connect_timeout: Duration::from_secs(30), ..Settings::new(&url) };
    let warehouse = postgres::Postgres::new(&settings).expect("the address is right");
    for last in ["mood_0", "mood_1699"] {
        let sql = Box::leak(format!("select 'ok'::{last} from generate_series(1, 200000)").into_boxed_str());
        let question = statement("t", sql, vec![]);
        let rows = timeout(Duration::from_secs(60), warehouse.run(&question)).await.expect("it ends").expect("it runs");
        assert_eq!(rows.row_count(), 200_000);
    }
}

#[tokio::test]
async fn columns_that_an_index_only_includes_are_no_part_of_the_key() {
    let database = Postgres::shared().database().await;
    database.execute("create table t (extra text, b int, a int, primary key (a, b) include (extra))").await;
    let columns = open(&database, |_| {}).columns().await.expect("it answers");
    let keys: Vec<_> = columns.iter().map(|column| (column.column.as_str(), column.key_position)).collect();
    assert_eq!(keys, [("extra", None), ("b", Some(2)), ("a", Some(1))]);
}

#[tokio::test]
async fn a_kept_statement_whose_table_has_changed_fails_once_and_costs_no_connection() {
    let database = Postgres::shared().database().await;
    database.execute("create table t (id int); insert into t values (7)").await;
    let warehouse = open(&database, |settings| settings.connections = 1);
    let question = Statement { is_lookup: true, ..statement("i", "select id from t", vec![]) };
    let before = process(&warehouse).await;
    warehouse.run(&question).await.expect("it is kept");
    database.execute("alter table t alter column id type bigint").await;
    warehouse.run(&question).await.expect_err("its columns are others");
    assert_eq!(shown(&warehouse.run(&question).await.expect("it is prepared anew")), ["7"]);
    assert_eq!(process(&warehouse).await, before);
}

#[tokio::test]
async fn a_result_that_is_too_large_is_not_read_to_its_end() {
    let database = Postgres::shared().database().await;
    let limits = Limits { timeout: Duration::from_secs(60), rows: 1_000, ..Limits::default() };
    let warehouse = open(&database, |settings| settings.limits = limits);
    // All of it would take a minute.
    let long = statement("i", "select generate_series(1, 1000000000)", vec![]);
    let refused = timeout(Duration::from_secs(5), warehouse.run(&long)).await.expect("it ends at once");
    assert_eq!(refused, Err(Error::ResultTooLarge { limit: "1000 rows".into() }));
    until_idle(&database).await;
}

#[tokio::test]
async fn a_full_pool_turns_askers_away_in_time() {
    let database = Postgres::shared().database().await;
    let warehouse = open(&database, |settings| (settings.connections, settings.wait) = (1, Duration::from_millis(100)));
    let sleep = statement("i", "select 1 from pg_sleep(1)", vec![]);
    let (first, second) = tokio::join!(warehouse.run(&sleep), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        warehouse.ping().await
    });
    assert!(first.is_ok());
    assert_eq!(second, Err(Error::Overloaded { waited: Duration::from_millis(100) }));
}

#[tokio::test]
async fn tables_are_loaded_whole_or_not_at_all_and_described_with_their_keys() {
    let database = Postgres::shared().database().await;
    let mut parent = Table::new(Some("crm"), "parent", &[("Key", ColumnType::Text)]).primary_key(&["Key"]);
    parent.push(&[Value::Text("a,\"b\"\n\\.".into())]);
    let mut child = Table::new(
        Some("crm"),
        "child",
        &[("id", ColumnType::Int), ("parent", ColumnType::Text), ("amount", ColumnType::Decimal { scale: 2 })],
    )
    .primary_key(&["id"])
    .foreign_key(&["parent"], "parent", &["Key"]);
    child.push(&[Value::Int(1), Value::Text("a,\"b\"\n\\.".into()), Value::Null]);
    loader::load(&Settings::new(&database.url), &[parent.clone(), child.clone()], Existing::Refuse).await.expect("it loads");
    child.push(&[Value::Int(2), Value::Text("nobody".into()), Value::Int(3)]);
    assert!(loader::load(&Settings::new(&database.url), &[parent.clone(), child.clone()], Existing::Refuse).await.is_err());
    assert!(
        loader::load(&Settings::new(&database.url), &[parent, child], Existing::Replace).await.is_err(),
        "a child without a parent"
    );

    let warehouse = open(&database, |_| {});
    let rows = warehouse.run(&statement("itn", "select id, parent, amount from crm.child", vec![])).await.expect("it is there");
    assert_eq!(shown(&rows), ["1|a,\"b\"\n\\.|∅"]);
    let columns = warehouse.columns().await.expect("it answers");
    let names: Vec<String> = columns.iter().map(|column| format!("{}.{}", column.table, column.column)).collect();
    assert_eq!(names, ["child.id", "child.parent", "child.amount", "parent.Key"]);
    assert_eq!((columns[0].key_position, columns[0].nullable, columns[0].value_type), (Some(1), false, Some(ValueType::Int)));
    assert_eq!(columns[1].references[0].column, "Key");
    assert_eq!((columns[2].type_name.as_str(), columns[2].nullable), ("numeric(38,2)", true));
}
