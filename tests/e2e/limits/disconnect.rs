//! Statements whose askers are gone, as the warehouse sees it: they end within a second, unless somebody else waits for them.

use std::time::{Duration, Instant};

use holdfast_tests::postgres::Postgres;
use serde_json::json;
use tokio::time::sleep;

use super::{House, NAP, SALES, SLOW, read};

/// Longest wait for a statement to begin, on a machine that does much else.
const BEGINS: Duration = Duration::from_secs(10);

/// Longest time that a statement nobody waits for goes on. It would sleep for half a minute.
const ENDS: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_takes_its_statement_along_at_once() {
    let house = House::open(Postgres::shared(), SLOW, &[]).await;
    {
        let question = house.ask(NAP);
        tokio::pin!(question);
        tokio::select! {
            _ = &mut question => panic!("it should still run"),
            _ = house.wait_for(1, BEGINS) => {}
        }
    }
    let took = house.wait_for(0, ENDS).await;
    assert!(took < ENDS, "{took:?}");
    assert_eq!(read(house.ask(SALES).await).await.0, 200, "others go on");
    let (_, metrics) = house.server.get("/metrics").await;
    assert!(metrics.contains("holdfast_http_requests_abandoned_total 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_takes_too_long_takes_its_statement_along() {
    let house = House::open(Postgres::shared(), SLOW, &[("HTTP_REQUEST_TIMEOUT", "1500ms")]).await;
    let began = Instant::now();
    let question = house.ask(NAP);
    let (answer, _) = tokio::join!(async { read(question.await).await }, house.wait_for(1, BEGINS));
    let (status, _, body) = answer;
    assert_eq!((status, body["errors"][0]["extensions"]["code"].as_str()), (504, Some("QUERY_TIMEOUT")), "{body:#}");
    assert!(began.elapsed() >= Duration::from_millis(1_500));
    house.wait_for(0, ENDS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_another_waits_for_goes_on_without_who_began_it() {
    let house = House::open(Postgres::shared(), SLOW, &[]).await;
    let ask = || tokio::spawn(house.client.post(format!("{}/graphql", house.server.url)).json(&json!({ "query": NAP })).send());
    let first = ask();
    house.wait_for(1, BEGINS).await;
    let start = house.oldest().await;
    assert!(start.is_some());
    let second = ask();
    // The second has come to the run of the first when there is still one statement after a while.
    sleep(Duration::from_millis(500)).await;
    assert_eq!(house.running().await, 1, "equal questions at the same moment are one statement");
    first.abort();
    sleep(Duration::from_secs(2)).await;
    assert_eq!((house.running().await, house.oldest().await), (1, start), "it is the same statement, not a new one");
    second.abort();
    house.wait_for(0, ENDS).await;
}
