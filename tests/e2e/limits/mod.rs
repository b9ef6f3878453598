//! What one client may do to the server and to others: limits, budgets, turns, and requests made to break something.

mod disconnect;
mod hostile;
mod idle;

use std::{fs, process::Command, time::Duration};

use holdfast_tests::{
    binary::{self, Server},
    postgres::{Database, Postgres},
};
use reqwest::{Response, header::HeaderMap};
use serde_json::{Value, json};

/// A shop of which every question sleeps as long as it says itself.
const SLOW: &str = "
project: slow
version: 1
---
entity: nap
source: {sql: \"select g as nap_id, 'here'::text as place from generate_series(1, 30) g where pg_sleep(1)::text = ''\"}
key: nap_id
measures: {naps: {count: rows}}
dimensions: {place: string}
---
entity: sale
source: {sql: \"select 1 as sale_id, 'north'::text as shop\"}
key: sale_id
measures: {sales: {count: rows}}
dimensions: {shop: string}
---
metrics:
  naps: {measure: nap.naps}
  sales: {measure: sale.sales}
---
view: bed
metrics: [naps]
dimensions: [nap.place]
---
view: shop
metrics: [sales]
dimensions: [sale.shop]
";

const NAP: &str = "{ bed { rows { naps } } }";
const SALES: &str = "{ shop(by: []) { totals { sales } } }";

/// A server over definitions of a test's own, with settings.
struct House {
    database: Database,
    server: Server,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl House {
    async fn open(postgres: &Postgres, definitions: &str, settings: &[(&str, &str)]) -> Self {
        Self::over(postgres.database().await, definitions, settings)
    }

    fn over(database: Database, definitions: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("all.yaml"), definitions).expect("the file can be written");
        let mut command: Command =
            binary::command(folder.path(), &["serve", "--anonymous", "--warehouse", &database.url, "--definitions", "."]);
        for (name, value) in settings {
            command.env(format!("HOLDFAST_{name}"), value);
        }
        let server = Server::run(&mut command);
        Self { database, server, client: reqwest::Client::new(), _folder: folder }
    }

    /// Asks as a client that trusts statuses.
    async fn ask(&self, document: &str) -> Response {
        self.post(&json!({ "query": document }).to_string()).await
    }

    async fn post(&self, body: &str) -> Response {
        let request = self.client.post(format!("{}/graphql", self.server.url)).body(body.to_owned());
        let request = request.header("content-type", "application/json").header("accept", "application/graphql-response+json");
        request.send().await.expect("the server answers")
    }

    /// Statements of ours that sleep now, and when the oldest of them began.
    async fn sleeping(&self) -> (i64, Option<String>) {
        let row = self
            .database
            .connect()
            .await
            .query_one(
                "select count(*), min(query_start)::text from pg_stat_activity
                 where application_name = 'holdfast' and datname = current_database() and state = 'active' and query like '%pg_sleep%'",
                &[],
            )
            .await
            .expect("the server tells");
        (row.get(0), row.get(1))
    }

    async fn running(&self) -> i64 {
        self.sleeping().await.0
    }

    async fn oldest(&self) -> Option<String> {
        self.sleeping().await.1
    }

    /// Waits until so many run; how long that took.
    async fn wait_for(&self, wanted: i64, patience: Duration) -> Duration {
        let began = std::time::Instant::now();
        while self.running().await != wanted {
            assert!(began.elapsed() < patience, "{} statements run instead of {wanted}", self.running().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

async fn read(response: Response) -> (u16, HeaderMap, Value) {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.text().await.expect("the answer is text");
    (status, headers, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error} in {body}")))
}

#[tokio::test]
async fn a_budget_that_is_spent_comes_back() {
    let settings = [("LIMITS_BUDGET", "40"), ("LIMITS_BUDGET_REFILL", "8"), ("LIMITS_SHOW_COST", "true")];
    let house = House::open(Postgres::shared(), SLOW, &settings).await;
    let (status, _, body) = read(house.ask(SALES).await).await;
    let cost = json!({"requested": 32, "limit": 5_000, "remaining": 8, "refillPerSecond": 8});
    assert_eq!((status, &body["extensions"]["cost"]), (200, &cost), "{body:#}");
    // The answer is kept, and costs as much as before: what it costs is known before anything is looked for.
    let (status, headers, body) = read(house.ask(SALES).await).await;
    assert_eq!(status, 429, "{body:#}");
    let seconds: u64 = text(&headers, "retry-after").and_then(|seconds| seconds.parse().ok()).expect("whole seconds");
    assert!((1..=3).contains(&seconds), "{seconds}");
    assert_eq!(body["errors"][0]["extensions"]["code"], "BUDGET_EXCEEDED");
    assert!(body.get("data").is_none());
    let (status, _, body) = read(house.ask("{ metrics { name } }").await).await;
    assert_eq!((status, &body["extensions"]["cost"]["requested"]), (200, &json!(0)), "what asks nothing costs nothing");
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    assert_eq!(read(house.ask(SALES).await).await.0, 200, "after the time that was named");
    let (_, metrics) = house.server.get("/metrics").await;
    assert!(metrics.contains("holdfast_budget_refusals_total 1"), "{metrics}");
}

#[tokio::test]
async fn a_full_house_says_when_to_come_back() {
    let settings = [("WAREHOUSE_POOL_SIZE", "1"), ("WAREHOUSE_QUEUE", "1"), ("WAREHOUSE_QUEUE_WAIT", "1500ms")];
    let house = House::open(Postgres::shared(), SLOW, &settings).await;
    let sleeps = house.ask(NAP);
    tokio::pin!(sleeps);
    tokio::select! {
        _ = &mut sleeps => panic!("it should still run"),
        _ = house.wait_for(1, Duration::from_secs(10)) => {}
    }
    let rest = async {
        // One may wait, and does so for as long as it may; the others are turned away at once.
        let ask = async |document: &str| read(house.ask(document).await).await;
        let (one, two, three) = tokio::join!(
            ask(SALES),
            ask("{ shop(by: [{dimension: SHOP}]) { rows { sales } } }"),
            ask("{ shop(by: [{dimension: SHOP}], limit: 3) { rows { sales } } }")
        );
        for (status, headers, body) in [one, two, three] {
            assert_eq!((status, text(&headers, "retry-after").as_deref()), (503, Some("2")), "{body:#}");
            assert_eq!(body["errors"][0]["extensions"]["code"], "OVERLOADED");
            assert!(body.get("data").is_none());
        }
        let (status, headers, body) = read(house.ask("{ shop(by: []) { totals { sales } } metrics { name } }").await).await;
        assert_eq!((status, text(&headers, "retry-after")), (200, None), "{body:#}");
        assert_eq!((&body["data"]["shop"], body["data"]["metrics"].as_array().map(Vec::len)), (&Value::Null, Some(2)));
        assert_eq!(body["errors"][0]["extensions"]["retryAfterSeconds"], 2);
    };
    tokio::select! {
        _ = &mut sleeps => panic!("it should still run"),
        () = rest => {}
    }
}
