//! Streams of server-sent events.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use holdfast_server::{app::App, http::Router};
use poem::{Endpoint as _, Request, http::Method};
use serde_json::json;

use crate::support::{Behaviour, QUERY, app, get, send};

const JSON: (&str, &str) = ("content-type", "application/json");
const EVENTS: (&str, &str) = ("accept", "text/event-stream");

#[tokio::test]
async fn a_query_is_one_event_and_an_end() {
    let app = app(Behaviour::Empty, true, &[]);
    let body = json!({ "query": QUERY }).to_string();
    for path in ["/graphql", "/graphql/stream"] {
        let answer = send(&app, Method::POST, path, &[JSON, EVENTS], &body).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
        assert_eq!(
            answer.body, "event: next\ndata: {\"data\":{\"selling\":{\"rows\":[]}}}\n\nevent: complete\ndata: \n\n",
            "{path}"
        );
    }
    let wrong = send(&app, Method::POST, "/graphql", &[JSON, EVENTS], &json!({ "query": "{ nothing }" }).to_string()).await;
    assert!(wrong.body.starts_with("event: next\ndata: {\"errors\":[{\"message\":"), "{}", wrong.body);
    assert!(wrong.body.ends_with("\n\nevent: complete\ndata: \n\n"), "{}", wrong.body);
}

#[tokio::test]
async fn a_subscription_needs_a_transport_that_streams() {
    let app = app(Behaviour::Empty, true, &[]);
    let body = json!({ "query": "subscription { selling(by: []) { rows { revenue } } }" }).to_string();
    let answer = send(&app, Method::POST, "/graphql", &[JSON], &body).await;
    assert_eq!((answer.status, &answer.json()["errors"][0]["extensions"]["code"]), (406, &json!("SUBSCRIPTION_NEEDS_STREAM")));
}

/// The first event of a live query that goes on.
async fn first_event(app: &Arc<App>) -> String {
    let body = json!({ "query": format!("subscription {QUERY}") }).to_string();
    let request = Request::builder().method(Method::POST).uri_str("/graphql").header(JSON.0, JSON.1).header(EVENTS.0, EVENTS.1);
    let mut response = Router::new(Arc::clone(app)).get_response(request.body(body)).await;
    let mut events = response.take_body().into_bytes_stream();
    let first = tokio::time::timeout(Duration::from_secs(5), events.next()).await.expect("an event comes");
    String::from_utf8_lossy(&first.expect("the stream goes on").expect("bytes")).into_owned()
}

#[tokio::test]
async fn a_live_query_tells_when_its_answer_takes_too_long() {
    let late = first_event(&app(Behaviour::Hang, true, &[("http.request_timeout", "200ms")])).await;
    assert!(late.starts_with("event: next\n") && late.contains("\"code\":\"QUERY_TIMEOUT\""), "{late}");
}

/// One that ended in silence would look as if there were nothing more to come.
#[tokio::test]
async fn a_live_query_that_breaks_is_an_error_and_not_a_mere_end() {
    let app = app(Behaviour::Panic, true, &[]);
    let body = json!({ "query": "subscription { selling(by: []) { rows { revenue } } }" }).to_string();
    for _ in 0..2 {
        let answer = send(&app, Method::POST, "/graphql", &[JSON, EVENTS], &body).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.starts_with("event: next\ndata: {\"errors\":[{\"message\":"), "{}", answer.body);
        assert!(answer.body.contains("INTERNAL_SERVER_ERROR") && !answer.body.contains("a bug"), "{}", answer.body);
        assert!(answer.body.ends_with("\n\nevent: complete\ndata: \n\n"), "{}", answer.body);
        assert_eq!(app.live.count(), 0, "nobody asks it any more");
    }
}

#[tokio::test]
async fn a_shared_stream_is_reserved_opened_once_and_known_by_its_token() {
    let app = app(Behaviour::Empty, true, &[]);
    let reserved = send(&app, Method::PUT, "/graphql/stream", &[], "").await;
    assert_eq!((reserved.status, reserved.body.len()), (201, 36), "{}", reserved.body);
    let token = ("x-graphql-event-stream-token", reserved.body.as_str());
    let post = async |extensions: serde_json::Value, query: &str, token: (&str, &str)| {
        let body = json!({ "query": query, "extensions": extensions }).to_string();
        send(&app, Method::POST, "/graphql/stream", &[JSON, token], &body).await.status
    };
    // Answers wait in the stream until it is opened.
    assert_eq!(post(json!({ "operationId": "1" }), QUERY, token).await, 202);
    assert_eq!(post(json!({}), QUERY, token).await, 400, "an operation needs an id");
    assert_eq!(post(json!({ "operationId": "2" }), "{ nothing }", token).await, 400);
    assert_eq!(post(json!({ "operationId": "3" }), QUERY, ("x-graphql-event-stream-token", "other")).await, 404);
    let stop = send(&app, Method::DELETE, "/graphql/stream?operationId=1", &[token], "").await;
    assert_eq!(stop.status, 200, "{}", stop.body);
    assert_eq!(send(&app, Method::DELETE, "/graphql/stream", &[token], "").await.status, 400);
    let not_there = get(&app, "/graphql/stream?token=other", &[EVENTS]).await;
    assert_eq!(not_there.status, 404, "{}", not_there.body);
    assert_eq!(get(&app, "/graphql/stream?token=other", &[("accept", "text/html")]).await.status, 406);
}

#[tokio::test]
async fn no_more_streams_are_open_than_the_server_allows() {
    let app = app(Behaviour::Empty, true, &[("streams.max", "1")]);
    let reserve = async || send(&app, Method::PUT, "/graphql/stream", &[], "").await.status;
    assert_eq!((reserve().await, reserve().await), (201, 503));
    let body = json!({ "query": QUERY }).to_string();
    assert_eq!(send(&app, Method::POST, "/graphql", &[JSON, EVENTS], &body).await.status, 503);
}
