//! Live queries against a warehouse whose data changes.

use std::{fs, time::Duration};

use holdfast_tests::{
    binary::Server,
    postgres::{Database, Postgres},
    tables::table,
};
use holdfast_warehouse::postgres::{Settings, load};
use serde_json::{Value, json};
use tokio::time::timeout;

const DEFINITIONS: &str = "
project: live
version: 1
---
entity: sale
source: sale
key: sale_id
time: {sold_on: {}}
dimensions: {shop: string}
freshness: {ttl: 1h, refresh: sale_id}
measures: {revenue: {sum: amount}}
---
metrics: {revenue: {measure: sale.revenue}}
---
view: selling
metrics: [revenue]
dimensions: [sale.shop]
";

const SETTINGS: &str = "[cache]\nrefresh_interval = \"200ms\"\n";

const BY_SHOP: &str = "subscription { selling(by: [{dimension: SHOP}]) { rows { shop revenue } } }";

/// Longest wait for what should come within two seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// What comes of changes would have come by then: live queries look once a second here.
const QUIET: Duration = Duration::from_millis(2_500);

async fn shop() -> (Database, tempfile::TempDir, Server) {
    let database = Postgres::shared().database().await;
    let sales =
        table("sale", "sale_id int, sold_on date, shop text, amount decimal", "1 2025-01-01 north 2.50\n2 2025-01-02 south 4");
    load::load(&Settings::new(&database.url), &[sales], load::Existing::Refuse).await.expect("the table is taken");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("live.yaml"), DEFINITIONS).expect("written");
    fs::write(folder.path().join("holdfast.toml"), SETTINGS).expect("written");
    let server = Server::start(folder.path(), &["--anonymous", "--warehouse", &database.url, "--definitions", "."]);
    (database, folder, server)
}

/// A subscription over server-sent events.
struct Subscription {
    response: reqwest::Response,
    read: String,
}

impl Subscription {
    async fn open(server: &Server, query: &str) -> Self {
        let request = reqwest::Client::new().post(format!("{}/graphql", server.url)).header("accept", "text/event-stream");
        let response = request.json(&json!({ "query": query })).send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        Self { response, read: String::new() }
    }

    /// The next event: its name and its data. Comments that keep the stream alive are none.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some(end) = self.read.find("\n\n") {
                let event: String = self.read.drain(..end + 2).collect();
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned());
                if let Some(name) = field("event:") {
                    return (name, field("data:").and_then(|data| serde_json::from_str(&data).ok()).unwrap_or_default());
                }
                continue;
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("an event comes").expect("the stream goes on");
            self.read.push_str(&String::from_utf8_lossy(&chunk.expect("the stream goes on")));
        }
    }

    /// The rows of the next answer.
    async fn rows(&mut self) -> Value {
        let (name, data) = self.next().await;
        assert_eq!(name, "next");
        data["data"]["selling"]["rows"].clone()
    }

    /// Whether nothing comes for a while.
    async fn is_quiet(&mut self) -> bool {
        timeout(QUIET, self.next()).await.is_err()
    }
}

/// Statements that the warehouse has run for questions, without those that ask for refresh keys.
async fn statements(server: &Server) -> u64 {
    let (_, metrics) = server.get("/metrics").await;
    let count = metrics.lines().find_map(|line| line.strip_prefix("holdfast_statement_duration_seconds_count "));
    count.map_or(0, |count| count.trim().parse().expect("a number"))
}

#[tokio::test]
async fn an_answer_comes_again_when_it_has_changed_and_only_then() {
    let (database, _folder, server) = shop().await;
    let mut live = Subscription::open(&server, BY_SHOP).await;
    assert_eq!(live.rows().await, json!([{"shop": "north", "revenue": "2.5"}, {"shop": "south", "revenue": "4"}]));
    assert!(live.is_quiet().await);
    database.execute("insert into sale values (3, '2025-01-03', 'north', 0.25)").await;
    assert_eq!(live.rows().await, json!([{"shop": "north", "revenue": "2.75"}, {"shop": "south", "revenue": "4"}]));
    // The data has another version, and the answer is the same.
    database.execute("insert into sale values (4, '2025-01-03', 'north', 0)").await;
    assert!(live.is_quiet().await);
}

#[tokio::test]
async fn equal_live_queries_are_asked_once() {
    let (database, _folder, server) = shop().await;
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(Subscription::open(&server, BY_SHOP).await);
    }
    for live in &mut all {
        assert_eq!(live.rows().await[0]["revenue"], "2.5");
    }
    assert_eq!(statements(&server).await, 1);
    database.execute("insert into sale values (3, '2025-01-03', 'north', 0.25)").await;
    for live in &mut all {
        assert_eq!(live.rows().await[0]["revenue"], "2.75");
    }
    assert_eq!(statements(&server).await, 2);
    // With its last subscriber a live query ends: nothing is asked any more.
    drop(all);
    tokio::time::sleep(QUIET).await;
    database.execute("insert into sale values (4, '2025-01-03', 'north', 1)").await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(statements(&server).await, 2);
}

#[tokio::test]
async fn definitions_that_change_reach_a_live_query_or_end_it() {
    let (_database, folder, server) = shop().await;
    let mut live = Subscription::open(&server, BY_SHOP).await;
    assert_eq!(live.rows().await[0]["revenue"], "2.5");
    let file = folder.path().join("live.yaml");
    fs::write(&file, DEFINITIONS.replace("revenue: {sum: amount}", "revenue: {sum: amount, where: shop = 'south'}"))
        .expect("written");
    assert_eq!(live.rows().await, json!([{"shop": "north", "revenue": null}, {"shop": "south", "revenue": "4"}]));
    fs::write(&file, DEFINITIONS.replace("dimensions: [sale.shop]", "dimensions: [{name: store, path: sale.shop}]"))
        .expect("written");
    let (name, data) = live.next().await;
    assert_eq!((name.as_str(), &data["errors"][0]["extensions"]["code"]), ("next", &json!("GRAPHQL_VALIDATION_FAILED")), "{data}");
    assert_eq!(live.next().await.0, "complete");
}
