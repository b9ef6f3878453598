//! A database that is not there, dies, and comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use holdfast_schema::sql::Statement;
use holdfast_tests::postgres::{Database, Postgres};
use holdfast_warehouse::{
    Error, Limits, Warehouse as _,
    postgres::{
        self, Settings,
        load::{self, Existing},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::{sleep, timeout},
};

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

/// A way to a server that stops passing anything on when the client has sent a certain text.
async fn freezing(database: &Database, at: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let (before, after) = database.url.split_once('@').expect("it has a user");
    let (server, name) = after.split_once('/').expect("it has a database");
    let url = format!("{before}@{}/{name}", listener.local_addr().expect("it has an address"));
    let server = server.to_owned();
    tokio::spawn(async move {
        let frozen = Arc::new(AtomicBool::new(false));
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.expect("the server is there");
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::spawn(pass(from_client, to_server, at, Arc::clone(&frozen)));
            tokio::spawn(pass(from_server, to_client, "\0never\0", Arc::clone(&frozen)));
        }
    });
    url
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, at: &str, frozen: Arc<AtomicBool>) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if bytes[..count].windows(at.len()).any(|window| window == at.as_bytes()) {
            frozen.store(true, Ordering::Relaxed);
        }
        if frozen.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_not_waited_for_wherever_it_does() {
    let database = Postgres::shared().database().await;
    let limits = Limits { timeout: Duration::from_millis(300), ..Limits::default() };
    let open = async |at| {
        let url = freezing(&database, at).await;
        let settings = Settings { limits, connect_timeout: Duration::from_secs(1), ..Settings::new(&url) };
        postgres::Postgres::new(&settings).expect("the address is right")
    };
    for (is_lookup, at) in [(false, "select 7"), (true, "select 7"), (true, "begin read only")] {
        let warehouse = open(at).await;
        let question = Statement { is_lookup, ..statement("i", "select 7", vec![]) };
        let answer = timeout(Duration::from_secs(10), warehouse.run(&question)).await.expect("it ends");
        assert_eq!(answer, Err(Error::Timeout { limit: limits.timeout }), "{is_lookup} {at}");
    }
    let warehouse = open("pg_catalog.pg_type").await;
    let answer = timeout(Duration::from_secs(10), warehouse.ping()).await.expect("it ends");
    assert_eq!(answer, Err(Error::Unavailable("the host does not answer".into())), "what a new connection has to learn");
}

#[tokio::test]
async fn loading_does_not_wait_for_a_host_that_never_answers() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = silent.local_addr().expect("it has an address");
    let settings =
        Settings { connect_timeout: Duration::from_millis(300), ..Settings::new(&format!("postgres://holdfast@{address}/none")) };
    let loading = load::load(&settings, &[], Existing::Refuse);
    let loaded = timeout(Duration::from_secs(5), loading).await.expect("it ends");
    assert!(matches!(loaded, Err(Error::Unavailable(_))), "{loaded:?}");
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
