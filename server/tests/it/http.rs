//! Requests and what comes back: statuses, headers, limits, health.

use holdfast_resolvers::RunError;
use poem::http::Method;

use crate::support::{Behaviour, QUERY, app, get, post, send};

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";

fn encoded(query: &str) -> String {
    let path =
        query.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    format!("/graphql?query={}", path.collect::<String>())
}

#[tokio::test]
async fn answers_say_how_they_may_be_reused() {
    let fresh = post(&app(Behaviour::Empty, true, &[]), GRAPHQL, QUERY).await;
    assert_eq!(
        (fresh.status, fresh.header("x-holdfast-cache"), fresh.header("age")),
        (200, Some("miss"), Some("0")),
        "{}",
        fresh.body
    );
    assert_eq!(fresh.header("content-type"), Some("application/graphql-response+json; charset=utf-8"));
    assert_eq!(fresh.header("cache-control"), Some("no-store"), "answers to POST are not for caches");
    let app = app(Behaviour::Reuse, true, &[]);
    let reused = get(&app, &encoded(QUERY), &[("accept", JSON)]).await;
    assert_eq!(
        (reused.status, reused.header("x-holdfast-cache"), reused.header("age")),
        (200, Some("hit"), Some("20")),
        "{}",
        reused.body
    );
    assert_eq!(reused.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(reused.json()["data"]["selling"]["rows"], serde_json::json!([]));
}

#[tokio::test]
async fn numbers_of_rows_are_kept_as_long_as_rows_are() {
    let app = app(Behaviour::Reuse, true, &[]);
    let counted = get(&app, &encoded("{ sales { totalCount } }"), &[("accept", JSON)]).await;
    assert_eq!(counted.body, "{\"data\":{\"sales\":{\"totalCount\":0}}}");
    assert_eq!((counted.header("x-holdfast-cache"), counted.header("age")), (Some("hit"), Some("15")));
    assert_eq!(counted.header("cache-control"), Some("public, max-age=60"));
    // The older of two answers is the age of both.
    let both = get(&app, &encoded("{ sales { totalCount } selling(by: []) { rows { revenue } } }"), &[("accept", JSON)]).await;
    assert_eq!((both.header("age"), both.header("cache-control")), (Some("20"), Some("public, max-age=60")));
}

#[tokio::test]
async fn a_refused_document_is_400_only_for_clients_that_know_the_media_type() {
    let app = app(Behaviour::Empty, true, &[]);
    for (accept, status) in [(GRAPHQL, 400), (JSON, 200), ("*/*", 200)] {
        let answer = post(&app, accept, "{ nothing }").await;
        assert_eq!(answer.status, status, "{accept}: {}", answer.body);
        assert!(answer.json()["errors"][0]["message"].is_string());
        assert!(answer.json().get("data").is_none());
    }
}

#[tokio::test]
async fn what_is_no_graphql_request_is_refused_with_a_status_of_its_own() {
    let app = app(Behaviour::Empty, true, &[]);
    let json = [("content-type", JSON)];
    let large = format!("{{\"query\":\"{}\"}}", " ".repeat(256 * 1024));
    for (method, headers, body, status) in [
        (Method::POST, &json[..], "{\"query\":", 400),
        (Method::POST, &json[..], "[{\"query\":\"{__typename}\"}]", 400),
        (Method::POST, &json[..], "{}", 400),
        (Method::POST, &json[..], "{\"query\":1}", 400),
        (Method::POST, &json[..], "{\"query\":\"{__typename}\",\"variables\":[]}", 400),
        (Method::POST, &json[..], "{\"query\":\"{__typename}\",\"operationName\":7}", 400),
        (Method::POST, &json[..], large.as_str(), 413),
        (Method::POST, &[("content-type", "text/plain")], "{\"query\":\"{__typename}\"}", 415),
        (Method::POST, &[], "{\"query\":\"{__typename}\"}", 415),
        (Method::POST, &[("content-type", JSON), ("accept", "text/html")], "{\"query\":\"{__typename}\"}", 406),
        (Method::PUT, &json[..], "{\"query\":\"{__typename}\"}", 405),
    ] {
        let answer = send(&app, method.clone(), "/graphql", headers, body).await;
        let shown = &body[..body.len().min(60)];
        assert_eq!(answer.status, status, "{method} {headers:?} {shown}: {}", answer.body);
        assert!(answer.json()["errors"][0]["extensions"]["code"].is_string(), "{}", answer.body);
    }
    let missing = get(&app, "/graphql", &[("accept", JSON)]).await;
    assert_eq!(missing.status, 400, "{}", missing.body);
}

#[tokio::test]
async fn a_saved_document_is_asked_by_its_name() {
    let app = app(Behaviour::Empty, true, &[]);
    let json = [("content-type", JSON)];
    let asked = |body: &'static str| send(&app, Method::POST, "/graphql", &json, body);
    let answer = asked("{\"documentId\":\"by_region\",\"variables\":{\"limit\":1}}").await;
    assert_eq!((answer.status, &answer.json()["data"]["selling"]["rows"]), (200, &serde_json::json!([])), "{}", answer.body);
    let got = get(&app, "/graphql?documentId=by_region", &[("accept", JSON)]).await;
    assert_eq!(got.status, 200, "{}", got.body);
    for wrong in ["{\"documentId\":\"nothing\"}", "{\"documentId\":1}", "{\"documentId\":\"by_region\",\"query\":\"{__typename}\"}"]
    {
        assert_eq!(asked(wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_cannot_make_a_browser_ask() {
    let app = app(Behaviour::Empty, true, &[]);
    for (headers, status) in [
        (&[("sec-fetch-site", "cross-site")][..], 403),
        (&[("sec-fetch-site", "same-site")][..], 403),
        (&[("sec-fetch-site", "cross-site"), ("apollo-require-preflight", "1")][..], 200),
        (&[("sec-fetch-site", "same-origin")][..], 200),
        (&[][..], 200),
    ] {
        assert_eq!(get(&app, &encoded(QUERY), headers).await.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn the_correlation_id_is_the_same_in_header_and_error_and_never_the_clients_markup() {
    let app = app(Behaviour::Fail(RunError::WarehouseUnavailable), false, &[]);
    let body = serde_json::json!({ "query": QUERY }).to_string();
    let headers = [("content-type", JSON), ("x-request-id", "abc-1")];
    let answer = send(&app, Method::POST, "/graphql", &headers, &body).await;
    assert_eq!(answer.header("x-request-id"), Some("abc-1"));
    let error = &answer.json()["errors"][0];
    assert_eq!(error["extensions"]["code"], "WAREHOUSE_UNAVAILABLE", "{error}");
    assert_eq!(error["extensions"]["correlationId"], "abc-1", "{error}");
    let headers = [("content-type", JSON), ("x-request-id", "<script>")];
    let answer = send(&app, Method::POST, "/graphql", &headers, &body).await;
    assert_eq!(answer.header("x-request-id").map(str::len), Some(36));
}

#[tokio::test]
async fn a_bug_is_a_500_with_an_id_and_without_details() {
    let answer = post(&app(Behaviour::Panic, true, &[]), JSON, QUERY).await;
    assert_eq!(answer.status, 500, "{}", answer.body);
    let error = &answer.json()["errors"][0];
    assert_eq!(error["extensions"]["code"], "INTERNAL_SERVER_ERROR");
    assert_eq!(error["extensions"]["correlationId"].as_str(), answer.header("x-request-id"));
    assert!(!answer.body.contains("a bug in the runner"));
}

#[tokio::test]
async fn a_request_does_not_last_longer_than_its_limit() {
    let app = app(Behaviour::Hang, true, &[("http.request_timeout", "50ms")]);
    let answer = post(&app, JSON, QUERY).await;
    assert_eq!((answer.status, answer.json()["errors"][0]["extensions"]["code"].as_str()), (504, Some("QUERY_TIMEOUT")));
}

#[tokio::test]
async fn what_went_wrong_is_told_in_the_format_that_was_asked_for() {
    let late = app(Behaviour::Hang, true, &[("http.request_timeout", "50ms")]);
    let broken = app(Behaviour::Panic, true, &[]);
    for app in [&late, &broken] {
        for wanted in ["application/graphql-response+json", "application/json"] {
            let answer = post(app, wanted, QUERY).await;
            assert_eq!(answer.header("content-type"), Some(format!("{wanted}; charset=utf-8").as_str()));
        }
    }
}

#[tokio::test]
async fn a_warehouse_that_is_down_stops_readiness_and_not_life() {
    let app = app(Behaviour::Empty, false, &[]);
    assert_eq!(get(&app, "/health/live", &[]).await.status, 200);
    let ready = get(&app, "/health/ready", &[]).await;
    assert_eq!((ready.status, ready.json()["warehouse"]["reachable"].as_bool()), (503, Some(false)), "{}", ready.body);
    let typename = post(&app, JSON, "{ __typename }").await;
    assert_eq!((typename.status, typename.json()["data"]["__typename"].as_str()), (200, Some("Query")));
}

#[tokio::test]
async fn readiness_tells_what_serves() {
    let app = app(Behaviour::Empty, true, &[]);
    let ready = get(&app, "/health/ready", &[]).await;
    assert_eq!((ready.status, ready.json()["definitions"]["state"].as_str()), (200, Some("current")));
    assert_eq!(ready.json()["definitions"]["fingerprint"].as_str(), Some(app.generation().model.fingerprint.as_str()));
}

#[tokio::test]
async fn the_console_needs_no_other_host() {
    let app = app(Behaviour::Empty, true, &[]);
    let page = get(&app, "/", &[("accept", "text/html,*/*;q=0.8")]).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(!page.body.contains("http://") && !page.body.contains("https://"));
    for path in page.body.split('"').filter(|part| part.starts_with("/console/")) {
        let file = get(&app, path, &[]).await;
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("content-encoding").is_some(), path != "/console/console.js", "{path}");
    }
    assert_eq!(get(&app, "/", &[("accept", JSON)]).await.status, 404);
    let without = crate::support::app(Behaviour::Empty, true, &[("http.console", "false")]);
    assert_eq!(get(&without, "/", &[("accept", "text/html")]).await.status, 404);
}

#[tokio::test]
async fn head_is_answered_as_get_is() {
    let app = app(Behaviour::Reuse, true, &[]);
    let graphql = encoded(QUERY);
    let wrong = encoded("{ nothing }");
    for path in [&graphql, &wrong, "/graphql", "/health/live", "/health/ready", "/nowhere"] {
        let headers = [("accept", GRAPHQL), ("x-request-id", "same")];
        let got = get(&app, path, &headers).await;
        let head = send(&app, Method::HEAD, path, &headers, "").await;
        let names = ["content-type", "etag", "cache-control", "vary", "age", "x-holdfast-cache"];
        let told = |answer: &crate::support::Answer| names.map(|name| answer.header(name).map(str::to_owned));
        assert_eq!((head.status, told(&head)), (got.status, told(&got)), "{path}");
    }
    let tag = get(&app, &graphql, &[]).await.header("etag").expect("a validator").to_owned();
    assert_eq!(send(&app, Method::HEAD, &graphql, &[("if-none-match", &tag)], "").await.status, 304);
    let mutation = send(&app, Method::HEAD, &encoded("mutation { x }"), &[("accept", GRAPHQL)], "").await;
    assert_eq!(mutation.status, 400, "there is none");
    assert_eq!(send(&app, Method::HEAD, &graphql, &[("sec-fetch-site", "cross-site")], "").await.status, 403);
}

/// A wrong variable is known before anything runs, so nothing of the request is answered, whatever the transport.
#[tokio::test]
async fn a_variable_that_cannot_be_used_refuses_the_request() {
    let text = "query ($day: Date) { one: selling(by: [], asOf: $day) { rows { revenue } } two: selling(by: [], asOf: $day) { rowCount } }";
    let body = serde_json::json!({ "query": text, "variables": {"day": "2026-13-01"} }).to_string();
    let draft = app(Behaviour::Empty, true, &[("http.statuses", "draft")]);
    let stable = app(Behaviour::Empty, true, &[]);
    for (app, accept, status) in [(&stable, GRAPHQL, 400), (&stable, JSON, 200), (&draft, GRAPHQL, 422), (&draft, JSON, 200)] {
        let answer = send(app, Method::POST, "/graphql", &[("content-type", JSON), ("accept", accept)], &body).await;
        assert_eq!(answer.status, status, "{accept}: {}", answer.body);
        let json = answer.json();
        assert_eq!((json.get("data"), json["errors"].as_array().map(Vec::len)), (None, Some(1)), "{json:#}");
        assert_eq!(json["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(json["errors"][0]["locations"], serde_json::json!([{"line": 1, "column": 8}]));
    }
    let events = [("content-type", JSON), ("accept", "text/event-stream")];
    let answer = send(&stable, Method::POST, "/graphql", &events, &body).await;
    assert!(answer.body.starts_with("event: next\ndata: {\"errors\":[{\"message\":\"`$day`"), "{}", answer.body);
    assert!(answer.body.ends_with("\n\nevent: complete\ndata: \n\n") && !answer.body.contains("\"data\""), "{}", answer.body);
}
