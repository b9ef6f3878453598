//! Requests against the recording runner: what is asked, and what comes back.

mod arguments;
mod catalogue;
mod costs;
mod documents;
mod entities;
mod federation;
mod ids;
mod lists;
mod names;
mod planning;
mod rules;
mod variables;
mod views;

use async_graphql::Request;
use expect_test::Expect;
use holdfast_resolvers::Settings;
use holdfast_schema::query::MetricQuery;

use crate::fake::{Asked, Fake, send};

fn ask(text: &str) -> (serde_json::Value, Vec<Asked>) {
    let (_, body, asked) = send(Settings::default(), Fake::default(), Request::new(text));
    (body, asked)
}

#[track_caller]
fn check(text: &str, expected: Expect) -> Vec<Asked> {
    let (body, asked) = ask(text);
    expected.assert_eq(&serde_json::to_string_pretty(&body).expect("it is JSON"));
    asked
}

#[track_caller]
fn metrics(asked: &Asked) -> &MetricQuery {
    match asked {
        Asked::Metrics(query) => query,
        other => panic!("expected a metric question: {other:?}"),
    }
}

#[track_caller]
fn codes(text: &str, expected: &[&str]) {
    let (body, _) = ask(text);
    let mut found: Vec<_> =
        body["errors"].as_array().into_iter().flatten().map(|error| error["extensions"]["code"].clone()).collect();
    found.dedup();
    assert_eq!(found, expected, "{body:#}");
}
