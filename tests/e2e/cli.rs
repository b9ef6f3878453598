//! The program from its command line: mistakes, tests of definitions, reload, the demo.

use std::{
    fs,
    time::{Duration, Instant},
};

use holdfast_tests::binary::{Server, copy_definitions, repository, run};
use tokio::time::sleep;

/// Longest wait for a reload, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(10);

const METRIC: &str = "metrics:\n  mrr_per_account: {ratio: mrr / active_accounts}\n---\nview: brand_new\nmetrics: [mrr_per_account]\ndimensions: [account.segment]\n";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn ten_mistakes_are_ten_diagnostics_of_one_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mistakes = repository().join("schema/tests/it/golden/failing/ten_mistakes/model.yaml");
    fs::copy(mistakes, folder.path().join("model.yaml")).expect("the file can be copied");
    let output = run(folder.path(), &["check", "--definitions", "."]);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(shown.matches("error[").count(), 10, "{shown}");
    assert!(shown.contains("model.yaml:") && shown.contains('^') && shown.contains("did you mean"), "{shown}");

    let output = run(folder.path(), &["check", "--definitions", ".", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("editors get JSON");
    assert_eq!(found.to_string().matches("\"severity\":\"error\"").count(), 10, "{found:#}");
}

#[test]
fn the_shipped_definitions_pass_their_own_tests() {
    let output = run(repository(), &["test"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn a_wrong_command_line_is_not_a_wrong_model() {
    let output = run(repository(), &["check", "--no-such-flag"]);
    assert_eq!(output.status.code(), Some(2));
    let output = run(repository(), &["check", "--definitions", "no/such/folder"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
}

#[tokio::test]
async fn a_new_metric_answers_soon_and_a_broken_file_changes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_definitions(folder.path());
    let holdfast = Server::start(folder.path(), &["--demo", "golden", "--definitions", "metrics-defs"]);
    let question = r#"{ brandNew(by: [{dimension: SEGMENT}], range: {between: {from: "2025-01-01", to: "2025-02-01"}}) { rows { segment mrrPerAccount } } }"#;
    assert!(!holdfast.ask(question).await.codes().is_empty(), "there is no such view yet");

    let file = folder.path().join("metrics-defs/brand_new.yaml");
    fs::write(&file, METRIC).expect("the file can be written");
    let began = Instant::now();
    while holdfast.ask(question).await.json.get("errors").is_some() {
        assert!(began.elapsed() < PATIENCE, "the new metric does not answer: {:#}", holdfast.ask(question).await.json);
        sleep(Duration::from_millis(50)).await;
    }
    let answered = holdfast.ask(question).await;
    assert_eq!(answered.rows("brandNew").len(), 3);

    fs::write(&file, METRIC.replace("mrr / active_accounts", "mrr / activ_accounts")).expect("the file can be written");
    let began = Instant::now();
    while !holdfast.get("/definitions/diagnostics").await.1.contains("activ_accounts") {
        assert!(began.elapsed() < PATIENCE, "the mistake is not shown");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(holdfast.ask(question).await, answered, "the earlier definitions keep serving");

    fs::write(&file, METRIC.replace("brand_new", "brand_newer")).expect("the file can be written");
    let began = Instant::now();
    while holdfast.ask(&question.replace("brandNew(", "brandNewer(")).await.json.get("errors").is_some() {
        assert!(began.elapsed() < PATIENCE, "a repaired file is not served");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_golden_demo_answers_the_founding_numbers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let holdfast = Server::start(folder.path(), &["--demo", "golden"]);
    let months = holdfast
        .ask(
            r#"{ retention(by: [{time: {grain: MONTH}}], range: {between: {from: "2025-01-01", to: "2025-04-01"}}) {
                 rows { period(grain: MONTH) { label } nrr contractionRate } } }"#,
        )
        .await;
    assert_eq!(
        months.rows("retention"),
        [["2025-01", "1", "0.05"], ["2025-02", "1.01", "0.055"], ["2025-03", "0.9900990099009901", "0.0594059405940594"]]
    );
    let segments = holdfast
        .ask(
            r#"{ retention(by: [{dimension: SEGMENT}], range: {between: {from: "2025-01-01", to: "2025-02-01"}}) {
                 rows { segment contractionRate } totals { contractionRate contractedAccounts } } }"#,
        )
        .await;
    assert_eq!(segments.rows("retention"), [["ENTERPRISE", "0.02"], ["MID_MARKET", "0.06"], ["SMB", "0.084"]]);
    assert_eq!(segments.totals("retention"), ["0.05", "60"]);
}
