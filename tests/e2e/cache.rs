//! Kept answers: reused while they are true, dropped when the data changes, computed once for many.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use holdfast_server::engine::Settings as EngineSettings;
use holdfast_tests::{
    answer::Answer,
    desk::{Counter, api, definitions, model},
    postgres::{Database, Postgres},
    tables::table,
};
use holdfast_warehouse::postgres::{self, Settings, load};

const DEFINITIONS: &str = "
project: kept
version: 1
---
entity: sale
source: sale
key: sale_id
freshness: {ttl: 1h, refresh: recorded_at}
dimensions: {recorded_at: timestamp}
measures: {revenue: {sum: amount}}
---
entity: visit
source: visit
key: visit_id
freshness: {ttl: 1s}
measures: {visits: {count: rows}}
---
entity: nap
source: nap
key: nap_id
freshness: {ttl: 1h}
measures: {naps: {count: rows}}
---
metrics: {revenue: {measure: sale.revenue}, visits: {measure: visit.visits}, naps: {measure: nap.naps}}
---
view: till
metrics: [revenue]
dimensions: [sale.recorded_at]
---
view: door
metrics: [visits]
---
view: bed
metrics: [naps]
";

const TILL: &str = "{ till { rows { revenue } provenance { cache } } }";
const DOOR: &str = "{ door { rows { visits } provenance { cache } } }";

async fn kept(settings: EngineSettings) -> (Counter, Database) {
    let database = Postgres::shared().database().await;
    let tables = [
        table("sale", "sale_id int, recorded_at timestamp, amount decimal", "1 2025-01-01T00:00:00Z 10"),
        table("visit", "visit_id int, at date", "1 2025-01-01"),
    ];
    load::load(&Settings::new(&database.url), &tables, load::Existing::Refuse).await.expect("the tables are taken");
    database.execute("create view nap as select g as nap_id from generate_series(1, 2) g where pg_sleep(0.3)::text = ''").await;
    let warehouse = postgres::Postgres::new(&Settings { connections: 1, ..Settings::new(&database.url) });
    let warehouse = Arc::new(warehouse.expect("the address is right"));
    (Counter::new(&api(&model(definitions(DEFINITIONS))), warehouse, settings), database)
}

/// The only value and how it was come by.
fn value(answer: &Answer, field: &str) -> (String, String) {
    let state = answer.at(&format!("/data/{field}/provenance/cache")).as_str().expect("a word").to_owned();
    (answer.rows(field)[0][0].clone(), state)
}

fn found(value: &str, state: &str) -> (String, String) {
    (value.to_owned(), state.to_owned())
}

#[tokio::test]
async fn a_changed_refresh_key_drops_an_answer_before_its_time() {
    let (counter, database) =
        kept(EngineSettings { refresh_interval: Duration::from_millis(1), ..EngineSettings::default() }).await;
    assert_eq!(value(&counter.ask(TILL).await, "till"), found("10", "MISS"));
    assert_eq!(value(&counter.ask(TILL).await, "till"), found("10", "HIT"));
    database.execute("insert into sale values (2, '2025-01-02T00:00:00Z', 5)").await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(value(&counter.ask(TILL).await, "till"), found("15", "MISS"));
}

#[tokio::test]
async fn an_answer_lives_as_long_as_its_entity_allows_and_no_longer() {
    let (counter, database) = kept(EngineSettings::default()).await;
    assert_eq!(value(&counter.ask(DOOR).await, "door"), found("1", "MISS"));
    database.execute("insert into visit values (2, '2025-01-02')").await;
    // A machine that is busy may be late for it: then the answer is made anew, and lives from then on.
    let (mut expected, mut is_kept) = ("1", false);
    for _ in 0..20 {
        let (number, state) = value(&counter.ask(DOOR).await, "door");
        if state == "MISS" {
            expected = "2";
        }
        is_kept |= state == "HIT";
        assert_eq!(number, expected, "{state}");
    }
    assert!(is_kept, "one of twenty in a row comes in time");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(value(&counter.ask(DOOR).await, "door"), found("2", "MISS"));
}

#[tokio::test]
async fn many_who_ask_the_same_wait_for_one_statement() {
    let (counter, _) = kept(EngineSettings::default()).await;
    let began = Instant::now();
    let asked: Vec<_> = (0..10)
        .map(|_| {
            let counter = counter.clone();
            tokio::spawn(async move { counter.ask("{ bed { rows { naps } } }").await })
        })
        .collect();
    for task in asked {
        assert_eq!(task.await.expect("no panic").rows("bed"), [["2"]]);
    }
    assert!(began.elapsed() < Duration::from_secs(4), "ten statements of 0.6 s on one connection take 6 s");
}

#[tokio::test]
async fn nothing_is_kept_when_nothing_may_be() {
    let (counter, database) = kept(EngineSettings { cache_bytes: 0, ..EngineSettings::default() }).await;
    assert_eq!(value(&counter.ask(TILL).await, "till"), found("10", "BYPASS"));
    database.execute("update sale set amount = 11").await;
    assert_eq!(value(&counter.ask(TILL).await, "till"), found("11", "BYPASS"));
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let (counter, database) = kept(EngineSettings::default()).await;
    database.execute("alter table sale rename to sale_elsewhere").await;
    assert_eq!(counter.ask(TILL).await.codes().len(), 1);
    database.execute("alter table sale_elsewhere rename to sale").await;
    assert_eq!(counter.ask(TILL).await.rows("till")[0][0], "10");
}
