//! Documents as a whole: failures inside of them, mistakes, and limits.

use async_graphql::Request;
use expect_test::expect;
use holdfast_resolvers::{Limits, Settings};
use serde_json::json;

use super::{ask, codes};
use crate::fake::{Fake, send};

#[test]
fn a_failed_answer_nulls_what_may_be_null_and_says_where() {
    let fake = Fake { metrics_fail: true, ..Fake::default() };
    let text = "{ account(id: \"A1\") { name metrics { mrr } } }";
    let (answer, body, _) = send(Settings::default(), fake, Request::new(text));
    expect![[r#"
        {
          "data": {
            "account": {
              "name": "name of A1",
              "metrics": null
            }
          },
          "errors": [
            {
              "message": "the warehouse is not available",
              "locations": [
                {
                  "line": 1,
                  "column": 3
                }
              ],
              "path": [
                "account",
                "metrics"
              ],
              "extensions": {
                "code": "WAREHOUSE_UNAVAILABLE",
                "correlationId": "c-1"
              }
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body).expect("it is JSON"));
    assert!(answer.had_errors && !answer.is_request_error);
    let fake = Fake { metrics_fail: true, ..Fake::default() };
    let text = "{ a: __typename retention(by: []) { rows { mrr } } account(id: \"A1\") { name } }";
    let (_, body, _) = send(Settings::default(), fake, Request::new(text));
    assert_eq!(body["data"], json!({"a": "Query", "retention": null, "account": {"name": "name of A1"}}));
    assert_eq!(body["errors"][0]["path"], json!(["retention"]));
    assert_eq!(body["errors"].as_array().map(Vec::len), Some(1));
}

#[test]
fn documents_that_are_wrong_are_refused_as_a_whole() {
    codes("{ retention(", &["GRAPHQL_PARSE_FAILED"]);
    codes("", &["GRAPHQL_PARSE_FAILED"]);
    codes("{ nothing }", &["GRAPHQL_VALIDATION_FAILED"]);
    let (body, _) = ask("{ retentoin { rows { mrrr } } metric(nam: \"x\") { nmae } }");
    let suggested: Vec<_> =
        body["errors"].as_array().into_iter().flatten().map(|error| error["extensions"]["suggestions"][0].clone()).collect();
    assert!(suggested.contains(&json!("retention")) && suggested.contains(&json!("name")), "{body:#}");
    let settings = Settings { suggestions: false, ..Settings::default() };
    let (_, body, _) = send(settings, Fake::default(), Request::new("{ retentoin { asOf } }"));
    assert!(body["errors"][0]["extensions"].get("suggestions").is_none());
    codes("{ retention(limit: 1) { asOf } retention(limit: 2) { asOf } }", &["GRAPHQL_VALIDATION_FAILED"]);
    codes("{ retention { rows { a: mrr a: invoiced } } }", &["GRAPHQL_VALIDATION_FAILED"]);
    codes("query A { __typename } query B { __typename }", &["OPERATION_RESOLUTION_FAILURE"]);
    codes("query ($n: Int!) { retention(limit: $n) { asOf } }", &["BAD_USER_INPUT"]);
    codes("mutation { x }", &["GRAPHQL_VALIDATION_FAILED"]);
}

#[test]
fn limits_stop_a_document_before_anything_is_asked() {
    let aliases: String = (0..31).map(|n| format!("a{n}: mrr ")).collect();
    let over = [
        format!("{{ retention {{ rows {{ {aliases} }} }} }}"),
        format!("{{ retention {{ rows {{ {} }} }} }}", "__typename ".repeat(40)),
        format!("{{ {} }}", (0..21).map(|n| format!("r{n}: __typename ")).collect::<String>()),
        format!("{{ {} {} }}", "... on Query { a: __typename ".repeat(51), "}".repeat(51)),
        format!("{{ account(id: \"A1\") {{ {} id {} }} }}", "contracts { nodes { account {".repeat(5), "} } }".repeat(5)),
        format!("{{ retention(by: [{}]) {{ asOf }} }}", "{dimension: SEGMENT} ".repeat(1_000)),
        "query ($a: Boolean = true) { ".to_owned() + &"__typename @include(if: $a) ".repeat(51) + "}",
    ];
    for text in over {
        let (body, asked) = ask(&text);
        assert_eq!(body["errors"][0]["extensions"]["code"], "DOCUMENT_LIMIT_EXCEEDED", "{text}: {body}");
        assert!(body.get("data").is_none() && asked.is_empty());
    }
}

#[test]
fn a_response_that_grows_too_large_is_given_up_at_once_and_as_a_whole() {
    let limits = Limits { response_bytes: 200, ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    for text in [
        // A field that may be null does not make room for the next one.
        "{ a: account(id: \"A1\") { ...all } b: account(id: \"A1\") { ...all } c: accounts { nodes { id name } } }
         fragment all on Account { contracts { nodes { id account { id name } } } w: id x: id y: id z: id u: id v: id }",
        "{ a: __schema { types { name } } b: __schema { types { name } } c: entities { name } }",
        "{ metrics { name label formula } }",
    ] {
        let (answer, body, _) = send(settings, Fake::default(), Request::new(text));
        let fields = body["data"].as_object().expect("root fields may be null, so that `data` never is");
        assert!(fields.values().all(serde_json::Value::is_null), "{body:#}");
        let codes: Vec<_> = body["errors"].as_array().into_iter().flatten().map(|error| &error["extensions"]["code"]).collect();
        assert_eq!(codes, ["RESULT_TOO_LARGE"], "{body:#}");
        assert!(answer.had_errors && answer.body.len() < 1_000);
    }
}

#[test]
fn fragments_that_multiply_each_other_end_at_the_limit() {
    let mut text = "{ ...F0 }".to_owned();
    for n in 0..20 {
        text += &format!(" fragment F{n} on Query {{ ...F{} ...F{} }}", n + 1, n + 1);
    }
    text += " fragment F20 on Query { __typename }";
    codes(&text, &["DOCUMENT_LIMIT_EXCEEDED"]);
}
