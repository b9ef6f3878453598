//! The program from its command line: mistakes, tests of definitions, reload, the demo.

use std::{
    fs,
    time::{Duration, Instant},
};

use holdfast_tests::{
    binary::{Server, copy_definitions, repository, run},
    postgres::Postgres,
};
use tokio::time::sleep;

/// Longest wait for a reload, which takes about a second; other tests run beside it.
const PATIENCE: Duration = Duration::from_secs(60);

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
fn what_definitions_save_is_asked_by_name() {
    let output = run(repository(), &["ask", "--demo", "golden", "--saved", "mrr_bridge", "--format", "csv"]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines[0],
        "period,opening_mrr,new_mrr,reactivation_mrr,expansion_mrr,component_add_mrr,contraction_mrr,component_loss_mrr,churned_mrr,credit_adjustment_mrr,closing_mrr"
    );
    assert_eq!(lines[1], "2025-01-01,1000000,0,0,80000,0,50000,0,30000,0,1000000");

    let few =
        ["ask", "--demo", "golden", "--metrics", "mrr", "--by", "account", "--range", "2025-01", "--limit", "2", "--format", "csv"];
    let output = run(repository(), &few);
    let shown = text(&output.stdout);
    assert_eq!(shown.lines().count(), 3, "a header and two rows: {shown}");
    assert!(text(&output.stderr).contains("there are more rows"), "{}", text(&output.stderr));

    let output = run(repository(), &["ask", "--demo", "golden", "--saved", "mrr_brigde"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`mrr_brigde`"), "{}", text(&output.stderr));
}

#[test]
fn every_mistake_of_a_question_is_underlined_with_what_was_meant() {
    let words = ["ask", "--demo", "golden", "--metrics", "nrr,grrr,mrrr", "--by", "segmnt", "--range", "2025-13"];
    let output = run(repository(), &words);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(shown.matches("error[Q001]").count(), 4, "{shown}");
    for (line, word, help) in [
        ("--metrics nrr,grrr,mrrr", "grrr", "did you mean `grr`?"),
        ("--metrics nrr,grrr,mrrr", "mrrr", "did you mean `mrr`?"),
        ("--by segmnt", "segmnt", "did you mean `segment`?"),
        ("--range 2025-13", "2025-13", "write `2025`"),
    ] {
        let carets = " ".repeat(line.find(word).expect("a word of the line")) + &"^".repeat(word.len());
        let mut blocks = shown.split("error[Q001]").filter(|block| block.contains(&format!("`{word}`")));
        let block = blocks.next().unwrap_or_else(|| panic!("nothing is said of `{word}`:\n{shown}"));
        let mut lines = block.lines().skip_while(|shown| !shown.ends_with(line));
        let (shown_line, under) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let before = shown_line.len() - line.len();
        assert_eq!(under.get(before..).map(str::trim_end), Some(carets.as_str()), "{shown}");
        assert!(block.contains(help), "{shown}");
    }

    let output = run(repository(), &["ask", "--demo", "golden", "--metrics", "nrr", "--view", "cohorts"]);
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert!(shown.contains("view `cohorts` has no metric `nrr`") && shown.contains("`nrr` is in: "), "{shown}");
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
    let write = |text: &str| fs::write(&file, text).expect("the file can be written");
    write(METRIC);
    let new = until("the new metric answers", async || holdfast.ask(question).await.json.get("errors").is_none()).await;
    let answered = holdfast.ask(question).await;
    assert_eq!(answered.rows("brandNew").len(), 3);
    // A file that was read while it was being written is refused, and read again.
    let is_current = async || holdfast.get_json("/health/ready").await["definitions"]["state"] == "current";
    until("the new file is what serves", is_current).await;
    let current = holdfast.get_json("/health/ready").await;

    write(&METRIC.replace("mrr / active_accounts", "mrr / activ_accounts"));
    let refused = async || holdfast.get_json("/health/ready").await["definitions"]["state"] == "refused";
    let mistake = until("the mistake is seen", refused).await;
    let (status, ready) = holdfast.get("/health/ready").await;
    assert_eq!(status, 200, "what serves is not worse than before: {ready}");
    let ready: serde_json::Value = serde_json::from_str(&ready).expect("it is JSON");
    assert_eq!(ready["definitions"]["errors"], 1, "{ready:#}");
    assert_eq!(ready["definitions"]["fingerprint"], current["definitions"]["fingerprint"], "{ready:#}");
    assert!(ready["warnings"][0].as_str().is_some_and(|text| text.contains("/definitions/diagnostics")), "{ready:#}");
    let diagnostics = holdfast.get_json("/definitions/diagnostics").await.to_string();
    assert!(diagnostics.contains("activ_accounts") && diagnostics.contains("brand_new.yaml"), "{diagnostics}");
    assert_eq!(holdfast.ask(question).await, answered, "the earlier definitions keep serving");

    write(&METRIC.replace("brand_new", "brand_newer"));
    let question = question.replace("brandNew(", "brandNewer(");
    let repair = until("the repaired file serves", async || holdfast.ask(&question).await.json.get("errors").is_none()).await;
    until("the repaired file is what serves", is_current).await;
    println!("until a new metric answers: {new:?}, until a mistake is seen: {mistake:?}, until the repair serves: {repair:?}");
}

/// Asks again until it is so; tells how long that took.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
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

#[test]
fn a_survey_shows_value_rows_and_time_of_every_metric_or_why_there_is_no_value() {
    let output = run(repository(), &["survey", "--demo", "golden", "--as-of", "2025-02-01", "contraction_rate"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}{}", text(&output.stderr));
    assert!(shown.starts_with("Each metric for 2025-01-01 up to 2025-02-01 (excluded)"), "{shown}");
    let mut lines = shown.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next().as_deref(), Some(&["metric", "value", "rows", "ms", "note"][..]));
    let of = |name: &str| lines.clone().find(|line| line.first() == Some(&name)).unwrap_or_else(|| panic!("no {name} in {shown}"));
    assert_eq!(&of("contraction_rate")[1..3], ["0.05", "1"], "{shown}");
    assert!(shown.contains(" with a value\n") && shown.contains("\n  0 failed\n") && shown.contains(" ms in all; "), "{shown}");

    // On a machine that has much to do the first time may take longer than answers are trusted without looking.
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("holdfast.toml"), "[cache]\nrefresh_interval = \"1h\"\n").expect("the file can be written");
    copy_definitions(folder.path());
    let variables = r#"{"asOf": "2025-02-01"}"#;
    let output =
        run(folder.path(), &["survey", "--demo", "golden", "--saved", "retention_at_two_grains", "--variables", variables]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}{}", text(&output.stderr));
    let cells: Vec<&str> = shown.lines().nth(3).expect("a line for the document").split_whitespace().collect();
    assert!(cells[1].parse::<usize>().is_ok_and(|statements| statements > 0), "{shown}");
    assert_eq!(cells[3], "0", "an answer that is kept costs no statement: {shown}");
}

#[test]
fn money_is_asked_in_another_currency_as_in_the_api() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("the file can be written");
    write(
        "tables.sql",
        "create table sale (sale_id bigint not null, amount numeric(12,2), primary key (sale_id));
         create table rate (code text not null, base text not null, kind text not null, since date not null, value numeric(12,4));",
    );
    write("sale.csv", "sale_id,amount\n1,2.50\n2,7.50\n");
    write("rate.csv", "code,base,kind,since,value\nEUR,USD,month_end,2025-01-31,1.25\nEUR,USD,budget,2025-01-01,1.6\n");
    fs::create_dir(folder.path().join("model")).expect("a folder");
    write(
        "model/sales.yaml",
        "project: sales
currency: USD
exchange_rates: {entity: rate, from: code, to: base, rate: value, kind: kind, default_kind: month_end}
---
entity: rate
source: rate
key: [code, base, kind, since]
time: {since: {}}
dimensions: {code: string, base: string, kind: {values: [month_end, budget]}, value: decimal}
---
entity: sale
source: sale
key: sale_id
measures: {revenue: {sum: amount}}
---
metrics: {revenue: {measure: sale.revenue, unit: currency}}
---
view: selling
metrics: [revenue]
---
saved_queries: {in_euros: {ask: {metrics: [revenue], currency: EUR, exchange_rate: budget, as_of: 2025-06-01}}}
",
    );
    let place = format!("file://{}", folder.path().display());
    let ask = |words: &[&str]| {
        let fixed = ["ask", "--definitions", "model", "--warehouse", &place, "--format", "csv"];
        let output = run(folder.path(), &[&fixed[..], words].concat());
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let question = ["--metrics", "revenue", "--as-of", "2025-06-01"];
    let revenue = |words: &[&str]| {
        let (code, shown) = ask(&[&question[..], words].concat());
        assert_eq!(code, Some(0), "{shown}");
        shown.lines().nth(1).and_then(|line| line.split(',').next()).unwrap_or_default().to_owned()
    };
    for (words, arguments, expected) in [
        (&[][..], "", "10"),
        (&["--currency", "USD"], ", currency: \"USD\"", "10"),
        (&["--currency", "EUR"], ", currency: \"EUR\"", "8"),
        (&["--currency", "EUR", "--exchange-rate", "budget"], ", currency: \"EUR\", exchangeRate: \"budget\"", "6.25"),
    ] {
        let document = format!("{{ selling(asOf: \"2025-06-01\"{arguments}) {{ rows {{ revenue }} }} }}");
        write("q.graphql", &document);
        let (_, answer) = ask(&["q.graphql"]);
        let (found, answer) = (revenue(words), serde_json::from_str::<serde_json::Value>(&answer).expect("it is JSON"));
        assert_eq!((found.as_str(), &answer["data"]["selling"]["rows"][0]["revenue"]), (expected, &expected.into()));
    }
    assert!(ask(&["--saved", "in_euros"]).1.contains("6.25"));
    for (words, told) in [
        (&["--currency", "euro"][..], "`euro` is not the code of a currency"),
        (&["--currency", "EUR", "--exchange-rate", "bugdet"], "no exchange rate is called `bugdet`"),
    ] {
        let (code, shown) = ask(&[&question[..], words].concat());
        assert!(code == Some(1) && shown.contains(told), "{code:?}: {shown}");
    }
    assert_eq!(ask(&[&question[..], &["--exchange-rate", "budget"]].concat()).0, Some(2));
}

/// A table of which definitions may ask more than there is.
const SALES: &str = "create table sale (sale_id bigint not null, shop text, amount numeric(12,2), primary key (sale_id));";

fn sales(columns: &str) -> String {
    format!(
        "project: sales\nversion: 1\n---\nentity: sale\nsource: sale\nkey: sale_id\ndimensions: {{{columns}}}\n\
         measures: {{revenue: {{sum: amount}}}}\n---\nmetrics:\n  revenue: {{measure: sale.revenue}}\n---\nview: selling\n\
         metrics: [revenue]\ndimensions: [sale.*]\n"
    )
}

#[tokio::test]
async fn definitions_that_do_not_fit_the_tables_serve_and_are_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        fs::create_dir_all(folder.path().join("model")).expect("a folder");
        fs::write(folder.path().join(name), text).expect("the file can be written");
    };
    write("tables.sql", SALES);
    write("sale.csv", "sale_id,shop,amount\n1,here,2.50\n");
    write("model/sales.yaml", &sales("sale_id: int, shop: string, chanel: string"));
    let place = format!("file://{}", folder.path().display());
    let holdfast = Server::start(folder.path(), &["--anonymous", "--warehouse", &place, "--definitions", "model"]);
    let misfits = async || holdfast.get_json("/health/ready").await["definitions"]["misfits"].clone();
    until("the tables were compared", async || misfits().await == 1).await;
    let ready = holdfast.get_json("/health/ready").await;
    assert!(ready["warnings"][0].as_str().is_some_and(|text| text.contains("/definitions/diagnostics")), "{ready:#}");
    let diagnostics = holdfast.get_json("/definitions/diagnostics").await.to_string();
    assert!(diagnostics.contains("W002") && diagnostics.contains("chanel") && diagnostics.contains("sales.yaml"), "{diagnostics}");
    let answer = holdfast.ask("{ selling { rows { revenue } } }").await;
    assert_eq!(answer.rows("selling"), [["2.5"]], "what does not need the column is answered");

    write("model/sales.yaml", &sales("sale_id: int, shop: string"));
    until("the mended definitions were compared", async || misfits().await == 0).await;
    let ready = holdfast.get_json("/health/ready").await;
    assert_eq!(ready["warnings"].as_array().map(Vec::len), Some(0), "{ready:#}");

    write("model/sales.yaml", &sales("sale_id: int, shop: string, price: decimal"));
    until("the new definitions were compared", async || misfits().await == 1).await;
    assert!(holdfast.has_logged("do not fit").await, "{}", holdfast.log());
}

#[tokio::test]
async fn tables_that_change_under_a_server_are_noticed_when_a_statement_fails() {
    let database = Postgres::shared().database().await;
    database.execute(SALES).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("sales.yaml"), sales("sale_id: int, shop: string")).expect("the file can be written");
    let holdfast = Server::start(folder.path(), &["--anonymous", "--warehouse", &database.url, "--definitions", "."]);
    let misfits = async || holdfast.get_json("/health/ready").await["definitions"]["misfits"].clone();
    until("the tables were compared", async || misfits().await == 0).await;
    database.execute("alter table sale rename column amount to total").await;
    assert_eq!(holdfast.ask("{ selling { rows { revenue } } }").await.codes().len(), 1);
    until("the tables were compared again", async || misfits().await == 1).await;
}
