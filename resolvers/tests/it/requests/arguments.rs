//! Arguments and variables: what reaches the question, and what is refused.

use async_graphql::{Request, Variables};
use expect_test::expect;
use holdfast_resolvers::Settings;
use holdfast_schema::{query::Filter, value::Value};
use serde_json::json;

use super::{ask, check, codes, metrics};
use crate::fake::{Fake, send};

#[test]
fn conditions_keep_the_meaning_of_empty_lists() {
    let (_, asked) =
        ask("{ retention(by: [], where: {or: [], and: [], segment: {in: []}, not: {account: {eq: \"A1\"}}}) { rows { mrr } } }");
    let key = Filter::KeyIn { field: "account".to_owned(), keys: vec![vec![Value::Text("A1".to_owned())]] };
    assert_eq!(
        metrics(&asked[0]).filter,
        Some(Filter::And(vec![
            Filter::Or(Vec::new()),
            Filter::And(Vec::new()),
            Filter::In { field: "segment".to_owned(), values: Vec::new(), negated: false },
            Filter::Not(Box::new(key)),
        ]))
    );
}

#[test]
fn a_comparison_with_null_points_to_is_null() {
    check(
        "{ retention(by: [], where: {segment: {eq: null}}) { rows { mrr } } }",
        expect![[r#"
        {
          "data": {
            "retention": null
          },
          "errors": [
            {
              "message": "`segment.eq`: null is not a value here",
              "locations": [
                {
                  "line": 1,
                  "column": 3
                }
              ],
              "path": [
                "retention"
              ],
              "extensions": {
                "code": "BAD_USER_INPUT",
                "correlationId": "c-1",
                "help": "write `segment: {isNull: true}` to find missing values, or leave `eq` out"
              }
            }
          ]
        }"#]],
    );
}

#[test]
fn skip_by_a_variable_with_a_default_asks_for_nothing_more() {
    let text = "query ($short: Boolean = true) { retention(by: []) { rows { mrr invoiced @skip(if: $short) } } }";
    let (body, asked) = ask(text);
    assert_eq!(metrics(&asked[0]).metrics.len(), 1);
    assert_eq!(body["data"]["retention"]["rows"][0], json!({"mrr": "10.5"}));
    let request = Request::new(text).variables(Variables::from_json(json!({"short": false})));
    let (_, _, asked) = send(Settings::default(), Fake::default(), request);
    assert_eq!(metrics(&asked[0]).metrics.len(), 2);
}

#[test]
fn variables_reach_every_kind_of_argument() {
    let text = "query ($by: [RetentionBy!], $where: RetentionWhere, $n: Int!, $order: [RetentionOrder!]) {
        retention(by: $by, where: $where, limit: $n, orderBy: $order, having: {mrr: {gt: 1e3}}) { rows { segment mrr } } }";
    let variables = json!({
        "by": [{"dimension": "SEGMENT"}],
        "where": {"openedOn": {"between": {"from": "2024-01-01"}}},
        "n": 5,
        "order": [{"mrr": {"dir": "DESC"}}],
    });
    let (_, body, asked) =
        send(Settings::default(), Fake::default(), Request::new(text).variables(Variables::from_json(variables)));
    assert_eq!(body["errors"], json!(null));
    let query = metrics(&asked[0]);
    assert_eq!((query.limit, query.order_by[0].key.as_str()), (Some(5), "mrr"));
    assert_eq!(
        query.having.as_ref().map(|having| format!("{having:?}")).as_deref(),
        Some(r#"Compare { field: "mrr", operator: Greater, value: Decimal("1000") }"#)
    );
}

#[test]
fn one_of_takes_exactly_one_field() {
    codes("{ retention(by: [{dimension: SEGMENT, time: {grain: DAY}}]) { rows { mrr } } }", &["GRAPHQL_VALIDATION_FAILED"]);
    codes("{ retention(by: [{}]) { rows { mrr } } }", &["GRAPHQL_VALIDATION_FAILED"]);
    codes("query ($preset: RangePreset) { retention(range: {preset: $preset}) { rows { mrr } } }", &["GRAPHQL_VALIDATION_FAILED"]);
    codes("{ retention(range: {preset: null}) { rows { mrr } } }", &["GRAPHQL_VALIDATION_FAILED"]);
    let text = "query ($by: [RetentionBy!]) { retention(by: $by) { rows { mrr } } }";
    for by in [json!([{}]), json!([{"dimension": "SEGMENT", "age": null}])] {
        let request = Request::new(text).variables(Variables::from_json(json!({ "by": by })));
        let (_, body, _) = send(Settings::default(), Fake::default(), request);
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{body}");
    }
}
