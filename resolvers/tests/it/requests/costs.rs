//! What operations cost, what happens to those that cost too much, and what is told about it.

use async_graphql::Request;
use holdfast_resolvers::{Answer, Limits, Retry, RetryReason, Settings};
use serde_json::{Value, json};

use crate::fake::{Asked, Fake, send};

fn telling() -> Settings {
    Settings { show_cost: true, ..Settings::default() }
}

#[track_caller]
fn cost(text: &str) -> u64 {
    let (_, body, _) = send(telling(), Fake::default(), Request::new(text));
    // What cannot be computed without a range costs the same: it is found out later.
    body["extensions"]["cost"]["requested"].as_u64().unwrap_or_else(|| panic!("{text}: {body:#}"))
}

#[test]
fn a_statement_costs_by_what_it_reads_and_how_much_it_may_return() {
    for (text, expected) in [
        // A statement, a reading of weight 1, 1,000 rows.
        ("{ retention(by: [{dimension: SEGMENT}]) { rows { mrr } } }", 10 + 5 + 10),
        ("{ retention(by: [{dimension: SEGMENT}], limit: 101) { rows { mrr } } }", 10 + 5 + 2),
        // Rows that are passed over are computed too.
        ("{ retention(by: [{dimension: SEGMENT}], limit: 100, offset: 900) { rows { mrr } } }", 10 + 5 + 10),
        // Metrics of one fact share a reading, also under several names.
        ("{ retention(by: [{dimension: SEGMENT}], limit: 1) { rows { mrr invoiced a: mrr } } }", 10 + 5 + 1),
        // Balances that are compared weigh 2, however many lines of the bridge are shown.
        ("{ retention(by: [{dimension: SEGMENT}], limit: 1) { rows { openingMrr } } }", 10 + 10 + 1),
        ("{ retention(by: [{dimension: SEGMENT}], limit: 1) { rows { openingMrr contractionMrr contractionRate } } }", 10 + 10 + 1),
        ("{ retention(by: [{dimension: SEGMENT}], limit: 1) { rows { contractionRate mrr } } }", 10 + 15 + 1),
        // Totals are a statement of their own, and so is what is compared with.
        ("{ retention(by: [{dimension: SEGMENT}], limit: 1) { rows { mrr } totals { mrr } } }", 2 * (10 + 5 + 1)),
        (
            "{ retention(by: [], compare: {previousPeriods: 1}, range: {between: {from: \"2025-01-01\", to: \"2025-02-01\"}}) { rows { mrr } } }",
            10 + 10 + 1,
        ),
        ("{ vintages(by: [{age: {grain: MONTH, step: 6}}], limit: 1) { rows { age initialMrr } } }", 10 + 15 + 1),
        // The same question twice is asked once.
        ("{ a: retention(by: []) { rows { mrr } } b: retention(by: []) { rows { x: mrr } } }", 10 + 5 + 1),
        // Nothing is asked.
        ("{ retention(by: []) { asOf } }", 0),
        ("{ __typename __schema { queryType { name } } metrics { name } }", 0),
    ] {
        assert_eq!(cost(text), expected, "{text}");
    }
}

#[test]
fn pages_cost_by_level_and_multiply_their_rows() {
    for (text, expected) in [
        ("{ accounts(first: 50) { nodes { name } } }", 10 + 1),
        ("{ accounts(first: 200) { nodes { name } totalCount } }", 10 + 2 + 10 + 1),
        ("{ accounts(first: 50) { totalCount } }", 10 + 1),
        // 50 in each of 50 are 2,500.
        ("{ accounts(first: 50) { nodes { contracts(first: 50) { nodes { title } } } } }", 10 + 1 + 10 + 25),
        ("{ accounts(first: 50) { nodes { contracts(first: 50) { nodes { account { name } } } } } }", 11 + 35 + 10 + 25),
        // Metrics of a page, and a page that is ordered and chosen by metrics.
        ("{ accounts(first: 50) { nodes { metrics { mrr } more: metrics { invoiced openingMrr } } } }", 11 + 10 + 15 + 1),
        ("{ accounts(first: 50, orderBy: [{metrics: {mrr: {}}}]) { nodes { name } totalCount } }", 10 + 5 + 1 + 10 + 1),
        ("{ accounts(first: 50, having: {mrr: {gt: \"1\"}}) { nodes { name } totalCount } }", 10 + 5 + 1 + 10 + 5 + 1),
        // A row that conditions speak of is read once in each statement, however many of them do.
        (
            "{ contracts(first: 50, where: {account: {segment: {eq: ENTERPRISE}}}) { nodes { title } totalCount } }",
            2 * (10 + 5 + 1),
        ),
        (
            "{ contracts(first: 50, where: {or: [{account: {}}, {not: {account: {name: {eq: \"x\"}}}}]}) { totalCount } }",
            10 + 5 + 1,
        ),
        (
            "{ accounts(first: 50) { nodes { contracts(first: 50, where: {account: {}}) { nodes { title } } } } }",
            10 + 1 + 10 + 5 + 25,
        ),
        ("{ account(id: \"A1\") { name } }", 10 + 1),
        ("{ nodes(ids: [\"account:A1\", \"account:A2\", \"what\"]) { id } }", 10 + 1),
        ("{ retention(by: [{dimension: ACCOUNT}], limit: 100) { rows { account { name } mrr } } }", 10 + 5 + 1 + 10 + 1),
    ] {
        assert_eq!(cost(text), expected, "{text}");
    }
}

#[test]
fn what_costs_too_much_is_refused_before_anything_is_asked() {
    let text = "{ accounts(first: 200) { nodes { contracts(first: 200) { nodes { account { contracts(first: 200) { nodes { title } } } } } } } }";
    let (answer, body, asked) = send(Settings::default(), Fake::default(), Request::new(text));
    let error = &body["errors"][0];
    assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{body:#}");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("80842 units") && message.contains("5000"), "{message}");
    assert!(error["extensions"]["help"].is_string());
    assert!(body.get("data").is_none() && asked.is_empty());
    assert!(answer.is_request_error && answer.retry.is_none(), "it would cost as much later");
    let limits = Limits { cost: 24, ..Limits::default() };
    let text = "{ retention(by: [{dimension: SEGMENT}]) { rows { mrr } } }";
    let (_, body, asked) = send(Settings { limits, ..Settings::default() }, Fake::default(), Request::new(text));
    assert_eq!((body["errors"][0]["extensions"]["code"].as_str(), asked.len()), (Some("LIMIT_EXCEEDED"), 0));
}

fn refused(fake: Fake, text: &str) -> (Answer, Value, Vec<Asked>) {
    let (answer, body, asked) = send(Settings::default(), fake, Request::new(text));
    assert!(body.get("data").is_none() && answer.is_request_error, "{body:#}");
    (answer, body, asked)
}

#[test]
fn who_has_spent_everything_is_told_when_to_come_back() {
    let spent = || Fake { is_spent: true, ..Fake::default() };
    let (answer, body, asked) = refused(spent(), "{ retention(by: []) { rows { mrr } } }");
    assert_eq!(body["errors"][0]["extensions"]["code"], "BUDGET_EXCEEDED");
    assert_eq!(body["errors"][0]["extensions"]["retryAfterSeconds"], 2, "never before there is enough");
    assert_eq!(body["errors"][0]["message"], "the operation costs 16 units, and 3 are left of your budget; try again in 2 s");
    assert_eq!(answer.retry, Some(Retry { reason: RetryReason::BudgetSpent, after_seconds: 2 }));
    assert!(asked.is_empty());
    let (answer, body, _) = send(Settings::default(), spent(), Request::new("{ metrics { name } }"));
    assert!(!answer.had_errors, "what costs nothing is free: {body:#}");
}

#[test]
fn costs_are_told_to_those_who_want_to_know() {
    let text = "{ retention { rows { mrr } } }";
    let (_, body, _) = send(Settings::default(), Fake::default(), Request::new(text));
    assert_eq!(body["extensions"], json!({"groupBy": {"retention": []}}), "bodies do not change by themselves");
    let (_, body, _) = send(telling(), Fake::default(), Request::new(text));
    let cost = json!({"requested": 16, "limit": 5_000, "remaining": 984, "refillPerSecond": 50});
    assert_eq!(body["extensions"], json!({"groupBy": {"retention": []}, "cost": cost}));
    let (_, body, _) = send(telling(), Fake::default(), Request::new("{ __typename }"));
    assert_eq!(body["extensions"], json!({"cost": {"requested": 0, "limit": 5_000}}));
}

#[test]
fn an_operation_of_which_nothing_was_answered_in_a_crowd_has_not_begun() {
    let busy = || Fake { is_busy: true, ..Fake::default() };
    for text in [
        "{ retention(by: []) { rows { mrr } } }",
        "{ a: retention(by: []) { rows { mrr } } __typename b: retention(by: []) { rows { invoiced } } }",
    ] {
        let (answer, body, _) = refused(busy(), text);
        assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{body:#}");
        assert_eq!(body["errors"][0]["extensions"]["code"], "OVERLOADED");
        assert!(body["errors"][0].get("path").is_none(), "{body:#}");
        assert_eq!(answer.retry, Some(Retry { reason: RetryReason::Overloaded, after_seconds: 3 }));
    }
    for text in [
        "{ retention(by: []) { rows { mrr } } account(id: \"A1\") { name } }",
        "{ account(id: \"A1\") { name metrics { mrr } } }",
        "{ retention(by: []) { rows { mrr } } metric(name: \"mrr\") { name } }",
    ] {
        let (answer, body, _) = send(Settings::default(), busy(), Request::new(text));
        assert!(body["data"].is_object() && !answer.is_request_error && answer.retry.is_none(), "{body:#}");
        assert_eq!(body["errors"][0]["extensions"]["code"], "OVERLOADED");
        assert_eq!(body["errors"][0]["extensions"]["retryAfterSeconds"], 3);
        assert!(body["errors"][0]["path"].is_array());
    }
}
