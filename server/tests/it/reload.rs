//! Definitions that change while the server runs.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use holdfast_server::{definitions::Origin, watch};
use serde_json::Value;

use crate::support::{Behaviour, app_of, get, post, write_project};

/// How long a change may take to arrive.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_edits_serve_within_a_second_and_bad_ones_never() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_project(folder.path());
    let origin = Origin::Folder(folder.path().to_owned());
    let app = app_of(origin.read().expect("readable"), Behaviour::Empty, true, &[]);
    tokio::spawn(watch::run(Arc::clone(&app), origin, Duration::from_millis(200)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let question = "{ selling { rows { orders } } }";
    assert!(post(&app, "application/json", question).await.json()["errors"].is_array());

    let metrics = fs::read_to_string(folder.path().join("metrics.yaml")).expect("readable");
    fs::write(folder.path().join("more.yaml"), "metrics:\n  orders:\n    measure: sale.orders\n").expect("written");
    let sale = fs::read_to_string(folder.path().join("sale.yaml")).expect("readable");
    fs::write(folder.path().join("sale.yaml"), format!("{sale}  orders: {{count: rows}}\n")).expect("written");
    fs::write(folder.path().join("view.yaml"), "view: selling\nmetrics: [revenue, orders]\ndimensions: [sale.region]\n")
        .expect("written");
    eventually("the new metric answers", async || post(&app, "application/json", question).await.json()["errors"].is_null()).await;

    let served = app.generation().model.fingerprint.clone();
    fs::write(folder.path().join("metrics.yaml"), metrics.replace("sale.amount", "sale.amont")).expect("written");
    eventually("the mistake is reported", async || !app.definitions().is_current).await;
    assert_eq!(app.generation().model.fingerprint, served, "the earlier definitions serve");
    assert!(post(&app, "application/json", question).await.json()["errors"].is_null());
    let diagnostics = get(&app, "/definitions/diagnostics", &[]).await;
    assert!(diagnostics.body.contains("amont"), "{}", diagnostics.body);
    let ready = get(&app, "/health/ready", &[]).await;
    assert_eq!((ready.status, &ready.json()["definitions"]["state"]), (200, &Value::from("refused")), "{}", ready.body);
    assert_eq!(ready.json()["warnings"].as_array().map(Vec::len), Some(1));

    fs::write(folder.path().join("metrics.yaml"), metrics).expect("written");
    eventually("the repair serves", async || app.definitions().is_current).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cannot_be_read_are_told_and_read_again() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = parent.path().join("definitions");
    fs::create_dir(&folder).expect("made");
    write_project(&folder);
    let origin = Origin::Folder(folder.clone());
    let app = app_of(origin.read().expect("readable"), Behaviour::Empty, true, &[]);
    tokio::spawn(watch::run(Arc::clone(&app), origin, Duration::from_millis(200)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let served = app.generation().model.fingerprint.clone();
    for (what, text) in [("a file of bytes", "stream did not contain valid UTF-8"), ("no folder", "no folder of definitions at")] {
        match what {
            "no folder" => fs::remove_dir_all(&folder).expect("removed"),
            _ => fs::write(folder.join("bytes.yaml"), [0xff, 0xfe]).expect("written"),
        }
        eventually(what, async || get(&app, "/definitions/diagnostics", &[]).await.body.contains(text)).await;
        assert!(get(&app, "/definitions/diagnostics", &[]).await.body.contains("\"F002\""));
        let ready = get(&app, "/health/ready", &[]).await;
        assert_eq!((ready.status, &ready.json()["definitions"]["state"]), (200, &Value::from("refused")), "{}", ready.body);
        assert_eq!(ready.json()["warnings"].as_array().map(Vec::len), Some(1), "{}", ready.body);
        assert!(!ready.body.contains("definitions at"), "health is for everybody: {}", ready.body);
        assert_eq!(app.generation().model.fingerprint, served, "the earlier definitions serve");
    }
    fs::create_dir(&folder).expect("made");
    write_project(&folder);
    eventually("the folder is there again", async || app.definitions().is_current).await;
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < SOON, "within a second: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
