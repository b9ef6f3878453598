//! A database that is not there, dies, and comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use holdfast_tests::postgres::Postgres;
use holdfast_warehouse::{
    Error, Warehouse as _,
    postgres::{self, Settings},
};
use tokio::time::sleep;

use crate::{shown, statement};

#[tokio::test]
async fn a_warehouse_that_is_down_says_so_at_once() {
    let warehouse = postgres::Postgres::new(&Settings::new("postgres://holdfast@127.0.0.1:1/none")).expect("the address is right");
    assert_eq!(warehouse.status().reachable, None);
    let started = Instant::now();
    assert!(matches!(warehouse.ping().await, Err(Error::Unavailable(_))));
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(warehouse.status().reachable, Some(false));
}

#[tokio::test]
async fn a_host_that_never_answers_is_not_waited_for_by_everyone() {
    // A socket that listens and never speaks.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = silent.local_addr().expect("it has an address");
    let mut settings = Settings::new(&format!("postgres://holdfast@{address}/none"));
    settings.connect_timeout = Duration::from_millis(300);
    let warehouse = postgres::Postgres::new(&settings).expect("the address is right");
    assert!(matches!(warehouse.ping().await, Err(Error::Unavailable(_))));
    let started = Instant::now();
    assert!(matches!(warehouse.ping().await, Err(Error::Unavailable(_))));
    assert!(started.elapsed() < Duration::from_millis(100));
}

#[tokio::test]
async fn encryption_that_the_server_does_not_have_is_not_done_without() {
    let database = Postgres::shared().database().await;
    let required =
        postgres::Postgres::new(&Settings::new(&format!("{}?sslmode=require", database.url))).expect("it is well formed");
    assert!(matches!(required.ping().await, Err(Error::Unavailable(_))));
    let preferred =
        postgres::Postgres::new(&Settings::new(&format!("{}?sslmode=prefer", database.url))).expect("it is well formed");
    preferred.ping().await.expect("it goes on without");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_and_brought_back() {
    let server = Postgres::start();
    let database = server.database().await;
    let mut settings = Settings::new(&database.url);
    settings.connections = 4;
    let warehouse = Arc::new(postgres::Postgres::new(&settings).expect("the address is right"));
    let stop = Arc::new(AtomicBool::new(false));
    let (right, unavailable) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (warehouse, stop) = (warehouse.clone(), stop.clone());
            let (right, unavailable) = (right.clone(), unavailable.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let question = statement("in", "select 7, sum(g)::numeric / 2 from generate_series(1, 1000) g", vec![]);
                    match warehouse.run(&question).await {
                        Ok(rows) => {
                            assert_eq!(shown(&rows), ["7|250250"]);
                            right.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(Error::Unavailable(_)) => {
                            unavailable.fetch_add(1, Ordering::Relaxed);
                            sleep(Duration::from_millis(5)).await;
                        }
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    for restart in 0..2 {
        sleep(Duration::from_millis(300)).await;
        let before = unavailable.load(Ordering::Relaxed);
        tokio::task::block_in_place(|| if restart == 0 { server.kill() } else { server.stop() });
        sleep(Duration::from_millis(300)).await;
        assert!(unavailable.load(Ordering::Relaxed) > before, "errors are seen while it is down");
        assert_eq!(warehouse.status().reachable, Some(false));
        tokio::task::block_in_place(|| server.restart());
        let before = right.load(Ordering::Relaxed);
        sleep(Duration::from_millis(500)).await;
        assert!(right.load(Ordering::Relaxed) > before, "it recovers by itself");
    }
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.expect("no wrong answer, no panic");
    }
    let status = warehouse.status();
    assert!(status.connections <= 4 && status.running == 0 && status.waiting == 0, "{status:?}");
    let open: i64 = database
        .connect()
        .await
        .query_one("select count(*) from pg_stat_activity where application_name = 'holdfast'", &[])
        .await
        .expect("it runs")
        .get(0);
    assert!(open <= 4, "{open} connections");
}
