//! How long planning may take: what is refused, and what is answered beside it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_graphql::Request;
use holdfast_resolvers::{Limits, Planning, RequestContext, Settings};
use serde_json::{Value, json};

use crate::fake::{Asked, Fake, api, context};

/// Answers with a clock that goes on by 100 ms whenever somebody looks at it: planning takes as long as it has stages.
fn ask(limit_ms: u64, text: &str) -> (Value, Vec<Asked>) {
    let limits = Limits { planning: Duration::from_millis(limit_ms), ..Limits::default() };
    let api = api(Settings { limits, ..Settings::default() });
    let hand = AtomicU64::new(0);
    let planning = Planning::timed(move || Duration::from_millis(hand.fetch_add(100, Ordering::Relaxed)));
    let fake = Arc::new(Fake::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let runner: Arc<Fake> = Arc::clone(&fake);
    let answer = runtime.block_on(api.execute(runner, RequestContext { planning, ..context(&api) }, Request::new(text)));
    let asked = fake.asked.lock().expect("no test panics while it notes").clone();
    (serde_json::from_slice(&answer.body).expect("it is JSON"), asked)
}

const TWO: &str = "{ one: retention(by: []) { rows { mrr } } two: retention(by: []) { rows { invoiced } } }";

#[test]
fn a_question_for_which_there_is_no_time_fails_by_itself() {
    // Two root fields are 200 ms, the first question is 600 ms: five stages and the end. The second is stopped after its fifth stage.
    let (body, _) = ask(1_200, TWO);
    assert_eq!(body["data"]["one"]["rows"][0]["mrr"], "10.5", "{body:#}");
    assert_eq!(body["data"]["two"], Value::Null);
    let error = &body["errors"][0];
    assert_eq!((body["errors"].as_array().map(Vec::len), &error["path"]), (Some(1), &json!(["two"])));
    assert_eq!(error["extensions"]["code"], "PLANNING_TIMEOUT");
    assert_eq!(error["message"], "planning the operation took 1300 ms when it was stopped, and may take 1200 ms");
    assert!(error["extensions"]["help"].as_str().is_some_and(|help| help.contains("ask for less")), "{error:#}");
    let (body, _) = ask(1_300, TWO);
    assert_eq!(body.get("errors"), None, "{body:#}");
}

#[test]
fn root_fields_are_planned_while_there_is_time() {
    let text = "{ a: metric(name: \"mrr\") { name } b: metric(name: \"mrr\") { name } c: retention(by: []) { rows { mrr } } }";
    let (body, asked) = ask(150, text);
    assert_eq!(body["data"], json!({"a": {"name": "mrr"}, "b": {"name": "mrr"}, "c": null}));
    assert_eq!((body["errors"][0]["path"].to_string(), asked.len()), ("[\"c\"]".to_owned(), 0), "{body:#}");
    let (body, _) = ask(0, "{ metric(name: \"mrr\") { name } __typename __schema { queryType { name } } }");
    assert_eq!(body.get("errors"), None, "introspection has limits of its own: {body:#}");
    let (body, asked) = ask(0, TWO);
    assert_eq!((&body["data"], asked.len()), (&json!({"one": null, "two": null}), 1), "the first began in time");
}

#[test]
fn levels_below_and_statements_of_the_catalogue_are_planned_too() {
    let text = "{ accounts { nodes { contracts { nodes { title } } metrics { mrr } } } }";
    let (body, _) = ask(100_000, text);
    assert_eq!(body.get("errors"), None, "{body:#}");
    // The root is 100 ms and the page 400 ms.
    let (body, _) = ask(600, text);
    assert!(body["data"]["accounts"]["nodes"].is_array(), "{body:#}");
    let errors = body["errors"].as_array().expect("there was no time for all of it");
    assert!(errors.iter().all(|error| error["extensions"]["code"] == "PLANNING_TIMEOUT"), "{body:#}");
    assert!(errors.iter().any(|error| error["path"].as_array().is_some_and(|path| path.len() > 1)), "{body:#}");
    // Each statement is 600 ms: there is one, and then none.
    let (body, _) = ask(750, "{ metrics { name sql } }");
    let metrics = body["data"]["metrics"].as_array().expect("the catalogue is not nulled").clone();
    let with_sql = metrics.iter().filter(|metric| metric["sql"].is_string()).count();
    assert_eq!((with_sql, metrics.len() > 3), (1, true), "{body:#}");
    assert_eq!(body["errors"][0]["path"], json!(["metrics", 1, "sql"]));
    assert_eq!(body["errors"][0]["extensions"]["code"], "PLANNING_TIMEOUT");
}
