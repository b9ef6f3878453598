//! The shipped definitions with a policy on accounts: whoever may see a part of the accounts gets exactly the answers of a warehouse
//! that never knew the others. Views with all their metrics and dimensions, entities with what they lead to and chosen by it, metrics
//! of entities, signals and saved pages are asked of both.
//!
//! There are about 1,900 questions. A run takes some of them, on PostgreSQL many and on the embedded engine, which takes its time in
//! an unoptimised build, a few; with `EVERY_QUESTION` in the environment PostgreSQL gets all, which takes about ten minutes.

mod portfolio;
mod questions;
mod surface;

use std::{
    collections::BTreeMap,
    env,
    sync::{Arc, LazyLock},
    time::Duration,
};

use holdfast_resolvers::Api;
use holdfast_schema::{query::Caller, source::SourceMap, value::Value};
use holdfast_server::definitions::Origin;
use holdfast_tests::{
    desk::{Counter, api, model, without_cache},
    postgres::Postgres as Server,
};
use holdfast_warehouse::{
    Limits, Warehouse,
    embedded::Embedded,
    postgres::{
        Postgres, Settings,
        load::{Existing, load},
    },
    table::Table,
};
use serde_json::json;

use self::{
    portfolio::{REGIONS, SEEN, SEGMENTS, UNSEEN},
    surface::Surface,
};

const POLICIES: &str = "
policies:
  own_accounts:
    applies_to: account
    roles: csm
    rows: region in claims.regions and segment in claims.segments
";

/// The shipped definitions, and the policy.
static RESTRICTING: LazyLock<Arc<Api>> = LazyLock::new(|| {
    let shipped = Origin::Shipped.read().expect("the shipped definitions are in the program");
    let files = shipped.files().map(|(_, file)| (file.path.to_string(), file.text.to_string()));
    api(&model(SourceMap::new(files.chain([("policies_of_the_test.yaml".to_owned(), POLICIES.to_owned())]))))
});

/// The rows of everybody.
static WHOLE: LazyLock<Vec<Table>> = LazyLock::new(portfolio::whole);

const PATIENCE: Limits = Limits { timeout: Duration::from_secs(300), rows: 1_000_000, bytes: 1 << 30, memory: 1 << 32 };

/// A document with its variables.
type Question = (String, serde_json::Value);

fn caller() -> Caller {
    let claim = |values: &[&str]| values.iter().map(|value| Value::Text((*value).to_owned())).collect();
    let claims = BTreeMap::from([("regions".to_owned(), claim(&REGIONS)), ("segments".to_owned(), claim(&SEGMENTS))]);
    Caller { roles: vec!["csm".to_owned()], claims, ..Caller::default() }
}

fn counter(warehouse: impl Warehouse + 'static, caller: Caller) -> Counter {
    let mut counter = Counter::new(&RESTRICTING, Arc::new(warehouse), without_cache());
    counter.caller = caller;
    counter
}

fn embedded(name: &str, tables: &[Table]) -> Embedded {
    Embedded::new(name, tables, PATIENCE).expect("the engine takes the tables")
}

async fn postgres(tables: &[Table]) -> Postgres {
    let database = Server::shared().database().await;
    load(&Settings::new(&database.url), tables, Existing::Refuse).await.expect("PostgreSQL takes the tables");
    Postgres::new(&Settings { limits: PATIENCE, ..Settings::new(&database.url) }).expect("the address is right")
}

/// Everything there is to ask, the saved documents last.
async fn every_question(counter: &Counter) -> Vec<Question> {
    let mut all: Vec<Question> =
        questions::all(&Surface::of(counter).await).into_iter().map(|document| (document, json!({}))).collect();
    for (name, _) in &RESTRICTING.model().saved_queries {
        // The card of a metric shows its statement, which holds the policies.
        let Some(document) = RESTRICTING.saved_document(name).filter(|_| name != "definition_card") else { continue };
        for account in SEEN.into_iter().chain(UNSEEN) {
            all.push((document.to_owned(), json!({"asOf": "2026-01-01", "account": format!("account:{account}")})));
        }
    }
    all
}

/// Asks whoever may not see everything, and a warehouse where there is no more.
async fn compare(restricted: &Counter, smaller: &Counter, questions: impl Iterator<Item = &Question>) {
    let (mut asked, mut refused) = (0, Vec::new());
    let mut wrong = Vec::new();
    for (document, variables) in questions {
        let found = restricted.ask_with(document, variables).await;
        let expected = smaller.ask_with(document, variables).await;
        asked += 1;
        if !expected.codes().is_empty() {
            refused.push(format!("{document}: {:?}", expected.codes()));
        }
        if found != expected {
            let mut differences = Vec::new();
            differ("", &found.json, &expected.json, &mut differences);
            differences.truncate(5);
            wrong.push(format!("{document}\n  {variables}\n    {}", differences.join("\n    ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {asked} answers tell of more than the caller may see:\n{}", wrong.len(), wrong.join("\n"));
    assert!(refused.len() * 50 < asked, "{} of {asked} questions are refused:\n{}", refused.len(), refused.join("\n"));
}

/// Where two answers differ.
fn differ(path: &str, found: &serde_json::Value, expected: &serde_json::Value, into: &mut Vec<String>) {
    use serde_json::Value::{Array, Object};
    match (found, expected) {
        _ if found == expected => {}
        (Object(found), Object(expected)) if found.keys().eq(expected.keys()) => {
            found.iter().for_each(|(key, value)| differ(&format!("{path}/{key}"), value, &expected[key], into));
        }
        (Array(found), Array(expected)) if found.len() == expected.len() => {
            for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
                differ(&format!("{path}/{number}"), found, expected, into);
            }
        }
        (Array(found), Array(expected)) => {
            let more = found.iter().find(|item| !expected.contains(item));
            into.push(format!("{path}: {} instead of {} items, such as {more:?}", found.len(), expected.len()));
        }
        _ => into.push(format!("{path}: {found} instead of {expected}")),
    }
}

#[tokio::test]
async fn no_answer_tells_of_more_than_the_caller_may_see() {
    let restricted = counter(postgres(&WHOLE).await, caller());
    let smaller = counter(postgres(&portfolio::smaller(&WHOLE)).await, Caller::default());
    let all = every_question(&smaller).await;
    let every = if env::var_os("EVERY_QUESTION").is_some() { 1 } else { 17 };
    compare(&restricted, &smaller, all.iter().step_by(every)).await;
    // A source that is SQL reads its tables past every policy; what it gives is restricted by where its rows lead.
    let is_of_sql = |(document, _): &&Question| ["suggestions", "continuousRetention"].iter().any(|view| document.contains(view));
    compare(&restricted, &smaller, all.iter().filter(is_of_sql)).await;
    // Of what rows lead to, lists choose by paths beside those that policies take.
    let is_of_related = |(document, _): &&Question| document.starts_with("{ c0: ");
    compare(&restricted, &smaller, all.iter().filter(is_of_related)).await;
    // The last are pages, which hold many questions each.
    compare(&restricted, &smaller, all.iter().rev().step_by(3).take(5)).await;
}

#[tokio::test]
async fn no_answer_of_the_embedded_engine_does() {
    let restricted = counter(embedded("whole", &WHOLE), caller());
    let smaller = counter(embedded("smaller", &portfolio::smaller(&WHOLE)), Caller::default());
    let mut unrestricted = restricted.clone();
    unrestricted.caller = Caller::default();
    let accounts = "{ accounts { totalCount } }";
    let count = |answer: holdfast_tests::answer::Answer| answer.at("/data/accounts/totalCount").as_u64().expect("a number");
    let (some, everybody) = (count(restricted.ask(accounts).await), count(unrestricted.ask(accounts).await));
    assert!(10 < some && some + 10 < everybody, "{some} of {everybody}");
    let all = every_question(&smaller).await;
    compare(&restricted, &smaller, all.iter().step_by(499)).await;
}
