//! Who asks, over HTTP: statuses, challenges, and what is open to everybody.

use std::sync::Arc;

use holdfast_schema::{query::Caller, source::SourceMap};
use holdfast_server::{
    app::App,
    config::secret::Secret,
    identity::mint::{self, TokenFacts},
};
use jiff::Timestamp;
use poem::http::Method;

use crate::support::{Answer, Behaviour, PROJECT, QUERY, app, app_of, get, send};

const SECRET: &str = "a secret of tests, which is long enough";

fn closed() -> Arc<App> {
    app(Behaviour::Empty, true, &[("identity.anonymous", "false"), ("identity.jwt_secret", SECRET)])
}

fn token(expires: i64) -> String {
    token_of(&Caller { subject: "ann".to_owned(), ..Caller::default() }, expires)
}

fn token_of(caller: &Caller, expires: i64) -> String {
    let now = Timestamp::now();
    let facts = TokenFacts {
        expires: Timestamp::from_second(now.as_second() + expires).expect("an instant"),
        issued: now,
        issuer: None,
        audience: None,
        roles_claim: "roles".to_owned(),
    };
    format!("Bearer {}", mint::token(&Secret::new(SECRET.to_owned()), caller, &facts).expect("signed"))
}

async fn asked(app: &Arc<App>, credentials: &[(&str, &str)]) -> Answer {
    let body = serde_json::json!({ "query": QUERY }).to_string();
    let mut headers = vec![("content-type", "application/json"), ("x-request-id", "one")];
    headers.extend(credentials);
    send(app, Method::POST, "/graphql", &headers, &body).await
}

#[tokio::test]
async fn credentials_decide_whether_a_question_is_answered() {
    let app = closed();
    let (good, ended) = (token(600), token(-600));
    let known = asked(&app, &[("authorization", &good)]).await;
    assert_eq!((known.status, known.header("www-authenticate")), (200, None), "{}", known.body);
    assert_eq!(known.header("vary"), Some("accept, authorization, x-api-key"));
    for (headers, challenge, message) in [
        (&[][..], "Bearer", "credentials are needed"),
        (&[("authorization", ended.as_str())], "Bearer error=\"invalid_token\", error_description=\"expired\"", "expired"),
        (&[("authorization", "Bearer a.b.c")], "Bearer error=\"invalid_token\"", "not valid"),
        (&[("authorization", "")], "Bearer error=\"invalid_token\"", "not valid"),
        (&[("authorization", "Basic YTpi")], "Bearer error=\"invalid_token\"", "not valid"),
        (&[("x-api-key", "hf_x")], "Bearer error=\"invalid_token\"", "not valid"),
        (&[("authorization", &good), ("x-api-key", "hf_x")], "Bearer error=\"invalid_token\"", "not valid"),
        (&[("authorization", &good), ("authorization", &good)], "Bearer error=\"invalid_token\"", "not valid"),
        (&[("authorization", "Bearer \u{e9}")], "Bearer error=\"invalid_token\"", "not valid"),
    ] {
        let answer = asked(&app, headers).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some(challenge)), "{headers:?}: {}", answer.body);
        let error = &answer.json()["errors"][0];
        assert_eq!(error["extensions"], serde_json::json!({"code": "UNAUTHENTICATED", "correlationId": "one"}), "{headers:?}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(message)), "{headers:?}: {error}");
        assert!(answer.json().get("data").is_none());
    }
}

#[tokio::test]
async fn a_refusal_comes_before_the_body_is_read_and_in_the_format_that_was_asked_for() {
    let app = closed();
    for (accept, written) in [
        ("application/json", "application/json; charset=utf-8"),
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
    ] {
        let answer = send(&app, Method::POST, "/graphql", &[("content-type", "text/plain"), ("accept", accept)], "no JSON").await;
        assert_eq!((answer.status, answer.header("content-type")), (401, Some(written)), "{}", answer.body);
    }
    assert_eq!(get(&app, "/graphql?query=%7B__typename%7D", &[]).await.status, 401);
    let token = token(600);
    assert_eq!(get(&app, "/graphql?query=%7B__typename%7D", &[("authorization", &token)]).await.status, 200);
}

#[tokio::test]
async fn the_inside_is_told_to_those_who_may_ask_and_health_to_everybody() {
    let (closed, open, token) = (closed(), app(Behaviour::Empty, true, &[]), token(600));
    for (path, status_when_known) in [("/definitions/diagnostics", 200), ("/metrics", 404)] {
        let stranger = get(&closed, path, &[]).await;
        assert_eq!((stranger.status, stranger.header("www-authenticate")), (401, Some("Bearer")), "{path}");
        assert_eq!(get(&closed, path, &[("authorization", "Bearer x")]).await.status, 401, "{path}");
        // No recorder is installed in tests, so that there are no metrics.
        assert_eq!(get(&closed, path, &[("authorization", &token)]).await.status, status_when_known, "{path}");
        assert_eq!(get(&open, path, &[]).await.status, status_when_known, "{path}");
    }
    for path in ["/health/live", "/health/ready", "/console/console.js"] {
        assert_eq!(get(&closed, path, &[]).await.status, 200, "{path}");
        assert_eq!(get(&closed, path, &[("authorization", "Bearer x")]).await.status, 200, "{path}");
    }
    assert_eq!(get(&closed, "/", &[("accept", "text/html")]).await.status, 200, "the console itself tells nothing");
    assert_eq!(get(&closed, "/nothing", &[]).await.status, 404);
}

/// Diagnostics quote the definitions, names of what is hidden among them.
#[tokio::test]
async fn diagnostics_are_for_those_from_whom_nothing_is_hidden() {
    let policies =
        "policies:\n  outside: {applies_to: sale, roles: external, hide: [region]}\n  few: {roles: guest, metrics: []}\n";
    let files = PROJECT.into_iter().chain([("policies.yaml", policies)]);
    let sources = SourceMap::new(files.map(|(name, text)| (name.to_owned(), text.to_owned())));
    let app = app_of(sources, Behaviour::Empty, true, &[("identity.anonymous", "true"), ("identity.jwt_secret", SECRET)]);
    for (role, status) in [("external", 403), ("guest", 403), ("csm", 200)] {
        let caller = Caller { subject: "ann".to_owned(), roles: vec![role.to_owned()], ..Caller::default() };
        let answer = get(&app, "/definitions/diagnostics", &[("authorization", &token_of(&caller, 600))]).await;
        assert_eq!(answer.status, status, "{role}: {}", answer.body);
        assert_eq!(answer.body.contains("\"FORBIDDEN\""), status == 403, "{}", answer.body);
    }
    assert_eq!(get(&app, "/definitions/diagnostics", &[]).await.status, 200);
    assert_eq!(get(&app, "/definitions/diagnostics", &[("authorization", "Bearer x")]).await.status, 401);
}

#[tokio::test]
async fn where_nobody_needs_credentials_bad_ones_are_refused_all_the_same() {
    let open = app(Behaviour::Empty, true, &[]);
    assert_eq!(asked(&open, &[]).await.status, 200);
    for headers in [("authorization", "Bearer a.b.c"), ("x-api-key", "hf_x")] {
        assert_eq!(asked(&open, &[headers]).await.status, 401, "{headers:?}");
        assert_eq!(get(&open, "/metrics", &[headers]).await.status, 401, "{headers:?}");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_the_servers_trouble_and_not_the_clients() {
    // Nobody listens on the port that belongs to no service.
    let app = app(Behaviour::Empty, true, &[("identity.anonymous", "false"), ("identity.jwks", "http://127.0.0.1:1/keys")]);
    // RS256, so that the key set would have the key: {"alg":"RS256"}.{}.
    let answer = asked(&app, &[("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.AA")]).await;
    let code = answer.json()["errors"][0]["extensions"]["code"].clone();
    assert_eq!((answer.status, code.as_str()), (503, Some("IDENTITY_UNAVAILABLE")), "{}", answer.body);
}
