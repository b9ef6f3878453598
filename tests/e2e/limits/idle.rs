//! Clients that hold a connection and neither ask nor read: it ends. Whoever waits for an answer or listens to a stream is not idle.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use holdfast_tests::postgres::Postgres;
use serde_json::json;

use super::{House, NAP, SLOW, read};

/// Longest time until something ends that should end within a second, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(10);

const IMPATIENT: [(&str, &str); 2] = [("HTTP_IDLE_TIMEOUT", "1s"), ("HTTP_HEADER_TIMEOUT", "300ms")];

fn connect(house: &House) -> TcpStream {
    let address = house.server.url.strip_prefix("http://").expect("it speaks HTTP");
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a time that is not none");
    stream.set_write_timeout(Some(Duration::from_millis(50))).expect("a time that is not none");
    stream
}

/// Whether a connection has ended; what comes until then is read.
fn has_ended(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 4_096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

/// How long it takes until a connection ends on which `act` is done again and again.
fn time_to_end(stream: &mut TcpStream, mut act: impl FnMut(&mut TcpStream)) -> Duration {
    let began = Instant::now();
    while !has_ended(stream) {
        assert!(began.elapsed() < PATIENCE, "the connection is still open");
        act(stream);
    }
    began.elapsed()
}

/// Writes again and again without reading; how long that takes until it fails.
fn time_until_refused(stream: &mut TcpStream, bytes: &[u8]) -> Duration {
    let began = Instant::now();
    let mut rest: &[u8] = &[];
    loop {
        assert!(began.elapsed() < PATIENCE * 2, "the connection is still open");
        if rest.is_empty() {
            rest = bytes;
        }
        match stream.write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return began.elapsed(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_request_ends() {
    let house = House::open(Postgres::shared(), SLOW, &IMPATIENT).await;
    let mut silent = connect(&house);
    assert!(time_to_end(&mut silent, |_| ()) >= Duration::from_millis(900), "it may be silent for a second");
    let mut used = connect(&house);
    for _ in 0..3 {
        used.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").expect("it is open");
        std::thread::sleep(Duration::from_millis(700));
        assert!(!has_ended(&mut used), "the time begins anew with each answer");
    }
    time_to_end(&mut used, |_| ());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_request_ends_its_connection_however_it_goes_on() {
    let house = House::open(Postgres::shared(), SLOW, &[("HTTP_HEADER_TIMEOUT", "300ms")]).await;
    let mut half = connect(&house);
    half.write_all(b"POST /graphql HTTP/1.1\r\nhost: x\r\n").expect("it is open");
    time_to_end(&mut half, |_| ());
    let mut slow = connect(&house);
    // What cannot be written is found by reading.
    time_to_end(&mut slow, |stream| drop(stream.write(b"G")));
}

/// What a connection says until it ends.
fn all(stream: &mut TcpStream) -> String {
    let (began, mut said, mut bytes) = (Instant::now(), Vec::new(), [0; 4_096]);
    loop {
        assert!(began.elapsed() < PATIENCE, "the connection is still open: {}", String::from_utf8_lossy(&said));
        match stream.read(&mut bytes) {
            Ok(0) => return String::from_utf8_lossy(&said).into_owned(),
            Ok(count) => said.extend_from_slice(&bytes[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_come_is_told_and_ends_its_connection() {
    let house = House::open(Postgres::shared(), SLOW, &[("HTTP_REQUEST_TIMEOUT", "300ms")]).await;
    let mut slow = connect(&house);
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"query\":";
    slow.write_all(head.as_bytes()).expect("it is open");
    let said = all(&mut slow);
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("\r\nconnection: close\r\n"), "{said}");
    assert!(said.contains("\"code\":\"BODY_TIMEOUT\""), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_has_the_length_of_what_get_has_and_nothing_of_it() {
    let house = House::open(Postgres::shared(), SLOW, &[]).await;
    for path in ["/graphql?query=%7B__typename%7D", "/health/live", "/health/ready", "/metrics"] {
        let ask = |method: &str| {
            let mut stream = connect(&house);
            let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nx-request-id: same\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("it is open");
            let said = all(&mut stream);
            let (head, body) = said.split_once("\r\n\r\n").expect("the head has an end");
            let line = |name: &str| head.lines().find(|line| line.starts_with(name)).map(str::to_owned);
            ([line("HTTP/1.1 200"), line("content-type")], line("content-length"), body.to_owned())
        };
        let (got, asked) = (ask("GET"), ask("HEAD"));
        assert!(got.0.iter().all(Option::is_some) && !got.2.is_empty(), "{path}: {got:?}");
        assert_eq!((&asked.0, asked.2.as_str()), (&got.0, ""), "{path}");
        // What is counted in between changes the length of the others.
        if path.starts_with("/graphql") || path == "/health/live" {
            assert_eq!(asked.1, got.1, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_or_listens_is_not_idle() {
    let settings = [IMPATIENT[0], IMPATIENT[1], ("HTTP_REQUEST_TIMEOUT", "3s")];
    let house = House::open(Postgres::shared(), SLOW, &settings).await;
    let url = format!("{}/graphql", house.server.url);
    let waits = async { read(house.ask(NAP).await).await };
    let listens = async {
        let live = json!({ "query": "subscription { shop(by: []) { totals { sales } } }" });
        let request = house.client.post(&url).header("accept", "text/event-stream").json(&live);
        let mut stream = request.send().await.expect("it is open");
        let first = stream.chunk().await.expect("it is open").expect("an event");
        assert!(first.starts_with(b"event: next"), "{first:?}");
        // Nothing is sent meanwhile: the next sign of life is due after 12 seconds.
        tokio::time::timeout(Duration::from_secs(3), stream.chunk()).await.expect_err("nothing comes, not even an end");
    };
    let mut socket = open_socket(&house).expect("there is room");
    let ((status, _, body), ()) = tokio::join!(waits, listens);
    assert_eq!((status, body["errors"][0]["extensions"]["code"].as_str()), (504, Some("QUERY_TIMEOUT")), "{body:#}");
    assert!(!has_ended(&mut socket));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_its_answers_is_not_waited_for() {
    let house = House::open(Postgres::shared(), SLOW, &IMPATIENT).await;
    time_until_refused(&mut connect(&house), b"GET / HTTP/1.1\r\nhost: x\r\naccept: text/html\r\n\r\n");
    assert_eq!(house.server.get("/health/live").await.0, 200);
}

/// Opens a socket and says who is there; `None` when there is no room.
fn open_socket(house: &House) -> Option<TcpStream> {
    let mut stream = connect(house);
    let handshake = "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                     sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n";
    stream.write_all(handshake.as_bytes()).expect("it is open");
    let mut status = [0; 12];
    stream.set_read_timeout(Some(PATIENCE)).expect("a time that is not none");
    stream.read_exact(&mut status).expect("it answers");
    stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a time that is not none");
    stream.write_all(&message(r#"{"type":"connection_init"}"#)).expect("it is open");
    (&status == b"HTTP/1.1 101").then_some(stream)
}

/// A text as a client sends it, with a mask that changes nothing.
fn message(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a short text").to_be_bytes();
    [&[0x81, 0xfe, length[0], length[1], 0, 0, 0, 0][..], text.as_bytes()].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_is_not_read_gives_its_place_back() {
    let settings = [("STREAMS_MAX", "1"), ("STREAMS_KEEP_ALIVE", "1s")];
    let house = House::open(Postgres::shared(), SLOW, &settings).await;
    let mut stalled = open_socket(&house).expect("there is room");
    assert!(open_socket(&house).is_none(), "for one");
    let ping = message(&json!({ "type": "ping", "payload": { "text": "x".repeat(20_000) } }).to_string());
    time_until_refused(&mut stalled, &ping);
    let began = Instant::now();
    while open_socket(&house).is_none() {
        assert!(began.elapsed() < PATIENCE, "nobody else gets its place");
        std::thread::sleep(Duration::from_millis(50));
    }
}
