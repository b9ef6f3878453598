//! What an asker sees when the warehouse dies, is slow, or is no longer wanted.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use holdfast_server::engine::Settings as EngineSettings;
use holdfast_tests::{
    answer::Answer,
    binary::Server,
    desk::{Counter, api, definitions, model, without_cache},
    postgres::{Database, Postgres},
    tables::table,
};
use holdfast_warehouse::postgres::{self, Settings, load};
use tokio::time::sleep;

const SLOW: &str = "
project: slow
version: 1
---
entity: sale
source: sale
key: sale_id
measures: {revenue: {sum: amount}, sales: {count: rows}}
dimensions: {shop: string}
---
entity: nap
source: nap
key: nap_id
measures: {naps: {count: rows}}
dimensions: {place: string}
---
entity: slow_sale
source: slow_sale
key: sale_id
measures: {sales: {count: rows}}
dimensions: {shop: string}
---
metrics:
  revenue: {measure: sale.revenue}
  sales: {measure: sale.sales}
  naps: {measure: nap.naps}
  slow_sales: {measure: slow_sale.sales}
---
view: shop
metrics: [revenue, sales]
dimensions: [sale.shop]
---
view: bed
metrics: [naps]
dimensions: [nap.place]
---
view: stand
metrics: [slow_sales]
dimensions: [slow_sale.shop]
";

const QUESTION: &str = "{ shop(by: [{dimension: SHOP}]) { rows { shop revenue sales } } }";

const NAP: &str = "{ bed { rows { naps } } }";

/// Longest wait for something that should happen at once, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sales of three shops, and a view that takes half a minute to read.
async fn database(server: &Postgres) -> Database {
    let rows: Vec<String> = (0..3_000).map(|n| format!("{n} s{} {}.25", n % 3, n % 17)).collect();
    let database = server.database().await;
    let tables = [table("sale", "sale_id int, shop text, amount decimal", &rows.join("\n"))];
    load::load(&Settings::new(&database.url), &tables, load::Existing::Refuse).await.expect("the tables are taken");
    database
        .execute("create view nap as select g as nap_id, 'here'::text as place from generate_series(1, 30) g where pg_sleep(1)::text = ''")
        .await;
    // The test server confirms before it writes: what it should still know after a crash is written now.
    database.execute("checkpoint").await;
    database
}

fn counter(settings: &Settings) -> Counter {
    let warehouse = postgres::Postgres::new(settings).expect("the address is right");
    Counter::new(&api(&model(definitions(SLOW))), Arc::new(warehouse), without_cache())
}

/// Statements of ours that run now, and connections of ours that are open.
async fn activity(database: &Database) -> (i64, i64) {
    let row = database
        .connect()
        .await
        .query_one(
            "select count(*) filter (where state = 'active'), count(*) from pg_stat_activity where application_name = 'holdfast' and datname = current_database()",
            &[],
        )
        .await
        .expect("the server tells");
    (row.get(0), row.get(1))
}

/// The server's processes behind our connections: another one tells that a connection was closed and another opened.
async fn processes(database: &Database) -> Vec<Vec<String>> {
    let sql = "select pid from pg_stat_activity where application_name = 'holdfast' and datname = current_database() order by pid";
    database.rows(sql).await
}

/// Waits until so many connections are open.
async fn wait_for_connections(database: &Database, wanted: i64) {
    let began = Instant::now();
    while activity(database).await.1 != wanted {
        assert!(began.elapsed() < PATIENCE, "{} connections are open instead of {wanted}", activity(database).await.1);
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until so many statements run.
async fn wait_for_statements(database: &Database, wanted: i64) {
    let began = Instant::now();
    while activity(database).await.0 != wanted {
        assert!(began.elapsed() < PATIENCE, "{} statements run instead of {wanted}", activity(database).await.0);
        sleep(Duration::from_millis(50)).await;
    }
}

fn shows_nothing_of_the_inside(answer: &Answer) {
    let text = answer.json["errors"].to_string();
    for word in ["select", "127.0.0.1", "FATAL", "sale", "tokio", "pg_"] {
        assert!(!text.contains(word), "`{word}` in {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warehouse_killed_under_load_gives_errors_and_then_right_answers_again() {
    let server = Postgres::start();
    let database = database(&server).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("slow.yaml"), SLOW).expect("the file can be written");
    let settings = "[warehouse]\npool_size = 4\n[cache]\nenabled = false\n";
    fs::write(folder.path().join("holdfast.toml"), settings).expect("the file can be written");
    let holdfast = Arc::new(Server::start(folder.path(), &["--anonymous", "--warehouse", &database.url, "--definitions", "."]));
    let expected = holdfast.ask(QUESTION).await;
    assert_eq!(
        expected.rows("shop"),
        database.rows("select shop, sum(amount), count(*) from sale group by shop order by shop").await
    );
    let stop = Arc::new(AtomicBool::new(false));
    let (right, unavailable) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (holdfast, expected, stop) = (Arc::clone(&holdfast), expected.clone(), Arc::clone(&stop));
            let (right, unavailable) = (Arc::clone(&right), Arc::clone(&unavailable));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = holdfast.ask(QUESTION).await;
                    if answer.codes().is_empty() {
                        assert_eq!(answer, expected);
                        right.fetch_add(1, Ordering::Relaxed);
                    } else {
                        assert_eq!(answer.codes(), ["WAREHOUSE_UNAVAILABLE"]);
                        shows_nothing_of_the_inside(&answer);
                        unavailable.fetch_add(1, Ordering::Relaxed);
                        sleep(Duration::from_millis(5)).await;
                    }
                }
            })
        })
        .collect();
    let more = async |count: &AtomicUsize, what: &str| {
        let (before, began) = (count.load(Ordering::Relaxed), Instant::now());
        while count.load(Ordering::Relaxed) < before + 20 {
            assert!(began.elapsed() < PATIENCE, "{what}");
            sleep(Duration::from_millis(20)).await;
        }
    };
    more(&right, "no answers at all").await;
    wait_for_connections(&database, 4).await;
    tokio::task::block_in_place(|| server.kill());
    more(&unavailable, "nobody notices that the warehouse is gone").await;
    tokio::task::block_in_place(|| server.restart());
    more(&right, "it does not recover by itself").await;
    wait_for_connections(&database, 4).await;
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.expect("no wrong answer, no panic");
    }
    wait_for_statements(&database, 0).await;
    assert_eq!(activity(&database).await, (0, 4), "as many connections as before");
    let log = holdfast.log();
    assert!(log.contains("warehouse unavailable") && !log.contains("panic"), "{log}");
}

#[tokio::test]
async fn a_request_with_more_statements_than_may_run_or_wait_is_answered_whole() {
    let database = database(Postgres::shared()).await;
    let settings = Settings { connections: 2, ..Settings::new(&database.url) };
    let warehouse = postgres::Postgres::new(&settings).expect("the address is right");
    let settings = EngineSettings { concurrency: 2, queue: 1, queue_wait: Duration::from_secs(1), ..without_cache() };
    let counter = Counter::new(&api(&model(definitions(SLOW))), Arc::new(warehouse), settings);
    // Twenty different statements, which together take longer than a request may wait for others.
    database.execute("create view slow_sale as select sale.* from sale, (select pg_sleep(0.1)) as pause").await;
    let fields: Vec<String> =
        (0..20).map(|n| format!(r#"f{n}: stand(where: {{shop: {{ne: "s{n}"}}}}) {{ rows {{ slowSales }} }}"#)).collect();
    let document = format!("{{ {} }}", fields.join(" "));
    let (first, second) = tokio::join!(counter.ask(&document), counter.ask(&document));
    for answer in [first, second] {
        assert_eq!(answer.codes(), [""; 0], "{:#}", answer.json);
        assert_eq!((answer.rows("f0"), answer.rows("f19")), (vec![vec!["2000".to_owned()]], vec![vec!["3000".to_owned()]]));
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped_and_its_connection_goes_on() {
    let database = database(Postgres::shared()).await;
    let mut settings = Settings { connections: 1, ..Settings::new(&database.url) };
    settings.limits.timeout = Duration::from_millis(300);
    let counter = counter(&settings);
    assert_eq!(counter.ask(QUESTION).await.rows("shop").len(), 3);
    let before = processes(&database).await;
    for _ in 0..3 {
        let answer = counter.ask(NAP).await;
        assert_eq!(answer.codes(), ["QUERY_TIMEOUT"], "{:#}", answer.json);
        shows_nothing_of_the_inside(&answer);
        assert_eq!(counter.ask(QUESTION).await.rows("shop").len(), 3);
    }
    assert_eq!(processes(&database).await, before, "no other connection was opened for it");
}

#[tokio::test]
async fn a_failure_says_which_field_it_belongs_to() {
    let database = database(Postgres::shared()).await;
    let mut settings = Settings::new(&database.url);
    settings.limits.timeout = Duration::from_millis(1_500);
    let answer = counter(&settings).ask("{ shop { rows { sales } } mine: bed { rows { naps } } }").await;
    assert_eq!(answer.codes(), ["QUERY_TIMEOUT"], "{:#}", answer.json);
    assert_eq!(answer.at("/errors/0/path"), &serde_json::json!(["mine"]));
}

#[tokio::test]
async fn an_asker_that_stops_waiting_stops_the_statement() {
    let server = Postgres::start();
    let database = database(&server).await;
    let counter = counter(&Settings::new(&database.url));
    tokio::select! {
        answer = counter.ask(NAP) => panic!("it should still run: {:#}", answer.json),
        () = wait_for_statements(&database, 1) => {}
    }
    wait_for_statements(&database, 0).await;
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_statement_along() {
    let server = Postgres::start();
    let database = database(&server).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("slow.yaml"), SLOW).expect("the file can be written");
    let holdfast = Server::start(folder.path(), &["--anonymous", "--warehouse", &database.url, "--definitions", "."]);
    {
        let question = holdfast.ask(NAP);
        tokio::pin!(question);
        tokio::select! {
            answer = &mut question => panic!("it should still run: {:#}", answer.json),
            () = wait_for_statements(&database, 1) => {}
        }
    }
    wait_for_statements(&database, 0).await;
    assert_eq!(holdfast.ask(QUESTION).await.rows("shop").len(), 3, "others go on");
}

#[tokio::test]
async fn a_server_starts_without_its_warehouse_and_finds_it_later() {
    let server = Postgres::start();
    let database = database(&server).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("slow.yaml"), SLOW).expect("the file can be written");
    server.stop();
    let holdfast = Server::start(folder.path(), &["--anonymous", "--warehouse", &database.url, "--definitions", "."]);
    assert_eq!(holdfast.get("/health/live").await.0, 200);
    assert_eq!(holdfast.get("/health/ready").await.0, 503);
    assert_eq!(holdfast.ask(QUESTION).await.codes(), ["WAREHOUSE_UNAVAILABLE"]);
    assert_eq!(holdfast.ask("{ __schema { queryType { name } } }").await.codes(), [""; 0]);
    server.restart();
    let began = Instant::now();
    while holdfast.ask(QUESTION).await.json.get("errors").is_some() {
        assert!(began.elapsed() < PATIENCE, "it does not find the warehouse");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(holdfast.get("/health/ready").await.0, 200);
}
