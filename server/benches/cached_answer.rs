//! How long a cached answer takes over HTTP, one request at a time: `cargo bench -p holdfast-server --bench cached_answer`.
//!
//! Starts the built server with the golden fixture, asks one question until its answer is kept, then asks it again and again over one
//! connection. The ratio is to `/health/live` over the same connection in the same run: what HTTP itself costs here.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const QUESTION: &str = r#"{"query":"{ retention(by: [{time: {grain: MONTH}}], range: {between: {from: \"2025-01-01\", to: \"2025-04-01\"}}) { rows { period(grain: MONTH) { label } nrr grr contractionRate contractionMrr } totals { nrr contractionRate } } }"}"#;
const REQUESTS: usize = 5_000;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let definitions = concat!(env!("CARGO_MANIFEST_DIR"), "/../metrics-defs");
    let server = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(["serve", "--demo", "golden", "--listen", &address, "--definitions", definitions])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _server = Server(server);
    let mut connection = connect(&address);
    let question = format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{QUESTION}",
        QUESTION.len()
    );
    let live = format!("GET /health/live HTTP/1.1\r\nhost: {address}\r\n\r\n");

    let first = Instant::now();
    let (_, body) = ask(&mut connection, &question);
    let cold = first.elapsed();
    assert!(body.contains("\"contractionRate\":\"0.05\""), "{body}");
    let (head, again) = ask(&mut connection, &question);
    assert!(head.contains("x-holdfast-cache: hit"), "{head}");
    assert_eq!(body, again, "a kept answer is the same answer");

    let kept = measure(&mut connection, &question);
    let floor = measure(&mut connection, &live);
    println!("first answer {cold:?} ({} bytes)", body.len());
    println!("cached answer: p50 {:?}, p99 {:?} over {REQUESTS} requests", percentile(&kept, 50), percentile(&kept, 99));
    println!("/health/live:  p50 {:?}, p99 {:?}", percentile(&floor, 50), percentile(&floor, 99));
    println!("ratio at p50: {:.2}", percentile(&kept, 50).as_secs_f64() / percentile(&floor, 50).as_secs_f64());
}

fn connect(address: &str) -> TcpStream {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => {
                stream.set_nodelay(true).unwrap();
                return stream;
            }
            Err(error) if Instant::now() > deadline => panic!("the server did not come up: {error}"),
            Err(_) => sleep(Duration::from_millis(50)),
        }
    }
}

/// Sends a request and reads its whole answer, whose length the head tells.
fn ask(connection: &mut TcpStream, request: &str) -> (String, String) {
    connection.write_all(request.as_bytes()).unwrap();
    let mut received = Vec::new();
    let mut buffer = [0; 16_384];
    loop {
        let count = connection.read(&mut buffer).unwrap();
        assert!(count > 0, "the server closed the connection");
        received.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&received);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
            .map_or(0, |length| length.trim().parse().unwrap());
        if body.len() >= length {
            return (head.to_owned(), body.to_owned());
        }
    }
}

fn measure(connection: &mut TcpStream, request: &str) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..REQUESTS)
        .map(|_| {
            let started = Instant::now();
            ask(connection, request);
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}
