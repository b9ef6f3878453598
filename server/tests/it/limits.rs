//! Limits as clients see them: statuses, headers, codes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use holdfast_resolvers::RunError;
use holdfast_server::http::Router;
use poem::{Body, Endpoint as _, Request, http::Method};

use crate::support::{Behaviour, QUERY, app, get, post, send};

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";

fn busy() -> Behaviour {
    Behaviour::Fail(RunError::Overloaded { retry_after: Duration::from_millis(4_100) })
}

#[tokio::test]
async fn refusals_for_now_have_a_status_and_a_time_where_clients_can_trust_them() {
    for (behaviour, status, seconds, code) in [(Behaviour::Spent, 429, "7", "BUDGET_EXCEEDED"), (busy(), 503, "5", "OVERLOADED")] {
        let app = app(behaviour, true, &[]);
        let answer = post(&app, GRAPHQL, QUERY).await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, Some(seconds)), "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.json().get("data").is_none(), "{}", answer.body);
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], code);
        // A proxy's error looks the same in plain JSON: the body alone tells.
        let answer = post(&app, JSON, QUERY).await;
        assert_eq!((answer.status, answer.header("retry-after")), (200, None), "{}", answer.body);
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], code);
        assert_eq!(answer.json()["errors"][0]["extensions"]["retryAfterSeconds"].to_string(), seconds);
    }
}

#[tokio::test]
async fn a_part_that_could_be_answered_makes_it_an_answer() {
    let app = app(busy(), true, &[]);
    let query = "{ selling(by: []) { totals { revenue } } metrics { name } }";
    for accept in [GRAPHQL, JSON] {
        let answer = post(&app, accept, query).await;
        assert_eq!((answer.status, answer.header("retry-after")), (200, None), "{}", answer.body);
        let json = answer.json();
        assert_eq!(json["data"], serde_json::json!({"selling": null, "metrics": [{"name": "revenue"}]}));
        assert_eq!((json["errors"][0]["path"][0].as_str(), json["errors"].as_array().map(Vec::len)), (Some("selling"), Some(1)));
    }
}

#[tokio::test]
async fn an_operation_that_costs_too_much_is_wrong_also_later() {
    let app = app(Behaviour::Empty, true, &[("limits.cost", "20")]);
    let answer = post(&app, GRAPHQL, QUERY).await;
    assert_eq!((answer.status, answer.header("retry-after")), (400, None), "{}", answer.body);
    assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
    let cheaper = post(&app, GRAPHQL, &QUERY.replace("by: [{dimension: REGION}]", "by: [{dimension: REGION}], limit: 10")).await;
    assert_eq!(cheaper.status, 200, "{}", cheaper.body);
}

#[tokio::test]
async fn what_takes_too_long_to_plan_fails_by_itself() {
    let app = app(Behaviour::Empty, true, &[("limits.planning", "0ms")]);
    for accept in [GRAPHQL, JSON] {
        let answer = post(&app, accept, "{ __typename selling(by: []) { totals { revenue } } }").await;
        assert_eq!((answer.status, answer.header("retry-after")), (200, None), "{}", answer.body);
        assert_eq!(answer.json()["data"], serde_json::json!({"__typename": "Query", "selling": null}));
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "PLANNING_TIMEOUT");
        let message = answer.json()["errors"][0]["message"].to_string();
        assert!(message.contains("may take 0 ms"), "{message}");
    }
    let app = crate::support::app(Behaviour::Empty, true, &[("limits.planning", "1h")]);
    assert_eq!(post(&app, JSON, QUERY).await.json().get("errors"), None);
}

#[tokio::test]
async fn costs_are_told_on_demand_and_such_answers_are_not_kept() {
    let app = app(Behaviour::Reuse, true, &[]);
    let body = serde_json::json!({ "query": QUERY }).to_string();
    let ask = async |headers: &[(&str, &str)]| {
        let headers = [&[("content-type", JSON)], headers].concat();
        send(&app, Method::POST, "/graphql", &headers, &body).await.json()
    };
    assert_eq!(ask(&[]).await.get("extensions"), None);
    assert_eq!(ask(&[("x-holdfast-cost", "0")]).await.get("extensions"), None);
    assert_eq!(ask(&[("x-holdfast-cost", "1")]).await["extensions"]["cost"], serde_json::json!({"requested": 25, "limit": 5_000}));
    let path = "/graphql?query=%7Bselling(by:[])%7Btotals%7Brevenue%7D%7D%7D";
    assert!(get(&app, path, &[]).await.header("cache-control").is_some_and(|header| header.contains("max-age")));
    assert_eq!(get(&app, path, &[("x-holdfast-cost", "1")]).await.header("cache-control"), Some("no-store"));
    let always = crate::support::app(Behaviour::Empty, true, &[("limits.show_cost", "true")]);
    assert_eq!(post(&always, JSON, QUERY).await.json()["extensions"]["cost"]["requested"], 25);
}

#[tokio::test]
async fn names_are_suggested_to_developers_only() {
    let suggested = async |settings: &[(&'static str, &str)]| {
        let app = app(Behaviour::Empty, true, settings);
        let answer = post(&app, JSON, "{ sellin { asOf } }").await;
        assert!(answer.json()["errors"][0]["message"].is_string(), "{}", answer.body);
        answer.body.contains("selling")
    };
    assert!(suggested(&[]).await, "on loopback");
    assert!(!suggested(&[("http.listen", "0.0.0.0:4000")]).await, "for everybody");
    assert!(!suggested(&[("limits.suggestions", "false")]).await);
    assert!(suggested(&[("http.listen", "0.0.0.0:4000"), ("limits.suggestions", "true")]).await);
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_told_from_an_answer_that_does_not() {
    let app = app(Behaviour::Hang, true, &[("http.request_timeout", "100ms")]);
    let begin = Bytes::from("{\"query\":");
    for path in ["/graphql", "/graphql/stream"] {
        for length in ["100", "100000000"] {
            let half = stream::iter([Ok::<_, std::io::Error>(begin.clone())]).chain(stream::pending());
            let request = Request::builder().method(Method::POST).uri_str(path).header("content-type", JSON);
            let request = request.header("accept", "text/event-stream").header("content-length", length);
            let mut response = Router::new(Arc::clone(&app)).get_response(request.body(Body::from_bytes_stream(half))).await;
            assert_eq!((response.status().as_u16(), response.header("connection")), (408, Some("close")), "{path} {length}");
            let body = response.take_body().into_string().await.expect("text");
            assert!(body.contains("\"code\":\"BODY_TIMEOUT\""), "{body}");
        }
    }
    let answer = post(&app, JSON, QUERY).await;
    assert_eq!((answer.status, answer.header("connection")), (504, None), "{}", answer.body);
}
