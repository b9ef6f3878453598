//! Pages of other sites: nothing is open by itself, and what a setting opens is open for those it names.

use std::sync::Arc;

use holdfast_server::app::App;
use poem::http::Method;

use crate::support::{Answer, Behaviour, QUERY, app, get, send};

const OURS: &str = "https://app.example.com";
const THEIRS: &str = "https://evil.example.com";
const ORIGINS: (&str, &str) = ("http.cors_origins", "https://app.example.com, http://localhost:3000");

async fn preflight(app: &Arc<App>, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,authorization,x-holdfast-cost"),
    ];
    send(app, Method::OPTIONS, "/graphql", &headers, "").await
}

async fn ask(app: &Arc<App>, origin: &str) -> Answer {
    let body = serde_json::json!({ "query": QUERY }).to_string();
    send(app, Method::POST, "/graphql", &[("content-type", "application/json"), ("origin", origin)], &body).await
}

fn opens(answer: &Answer) -> bool {
    [
        "access-control-allow-origin",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-allow-credentials",
    ]
    .iter()
    .any(|name| answer.header(name).is_some())
}

#[tokio::test]
async fn nothing_is_open_by_itself() {
    let app = app(Behaviour::Empty, true, &[]);
    for origin in [OURS, "null", "http://localhost:4000"] {
        let asked = preflight(&app, origin).await;
        assert_eq!(asked.status, 403, "{origin}: {}", asked.body);
        assert!(!opens(&asked), "{origin}");
        let answer = ask(&app, origin).await;
        assert!(answer.status == 200 && !opens(&answer), "our own page sends an origin too");
        assert_eq!(answer.header("vary"), Some("accept, authorization, x-api-key"));
    }
    let options = send(&app, Method::OPTIONS, "/graphql", &[], "").await;
    assert_eq!((options.status, options.header("allow")), (405, Some("GET, HEAD, POST")));
}

#[tokio::test]
async fn origins_that_are_named_are_told_what_they_may_send() {
    let app = app(Behaviour::Empty, true, &[ORIGINS]);
    for origin in [OURS, "http://localhost:3000"] {
        let asked = preflight(&app, origin).await;
        assert_eq!((asked.status, asked.body.as_str()), (204, ""), "{origin}");
        assert_eq!(asked.header("access-control-allow-origin"), Some(origin));
        assert_eq!(asked.header("access-control-allow-methods"), Some("GET, POST, PUT, DELETE"));
        let headers = asked.header("access-control-allow-headers").unwrap_or_default().to_owned();
        for name in ["content-type", "authorization", "x-holdfast-cost", "x-request-id", "apollo-require-preflight"] {
            assert!(headers.split(", ").any(|header| header == name), "{name} in {headers}");
        }
        assert_eq!(asked.header("vary"), Some("origin"));
        assert_eq!(asked.header("access-control-allow-credentials"), None);
        let answer = ask(&app, origin).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(origin)));
        assert!(answer.header("access-control-expose-headers").is_some_and(|headers| headers.contains("retry-after")));
    }
}

#[tokio::test]
async fn other_origins_are_told_nothing_and_caches_keep_them_apart() {
    let app = app(Behaviour::Empty, true, &[ORIGINS]);
    for origin in [THEIRS, "https://app.example.com.evil.com", "https://APP.example.com", "https://app.example.com:444", "null"] {
        let asked = preflight(&app, origin).await;
        assert_eq!(asked.status, 403, "{origin}");
        assert_eq!(asked.json()["errors"][0]["extensions"]["code"], "ORIGIN_NOT_ALLOWED");
        assert!(!asked.body.contains("app.example.com"), "who may is nobody's business: {}", asked.body);
        let answer = ask(&app, origin).await;
        assert!(!opens(&asked) && !opens(&answer), "{origin}");
        assert_eq!(asked.header("vary"), Some("origin"));
    }
}

#[tokio::test]
async fn a_page_that_may_read_answers_may_get_them() {
    let app = app(Behaviour::Empty, true, &[ORIGINS]);
    let path = "/graphql?query=%7B__typename%7D";
    for (origin, status) in [(OURS, 200), (THEIRS, 403)] {
        let answer = get(&app, path, &[("origin", origin), ("sec-fetch-site", "cross-site")]).await;
        assert_eq!(answer.status, status, "{origin}: {}", answer.body);
    }
    // Failures are readable too, or a page would not know why.
    let hangs = crate::support::app(Behaviour::Hang, true, &[ORIGINS, ("http.request_timeout", "50ms")]);
    let late = ask(&hangs, OURS).await;
    assert_eq!((late.status, late.header("access-control-allow-origin")), (504, Some(OURS)));
}

#[tokio::test]
async fn everybody_or_cookies_but_not_both() {
    let all = app(Behaviour::Empty, true, &[("http.cors_origins", "*")]);
    let answer = ask(&all, THEIRS).await;
    assert_eq!(
        (answer.header("access-control-allow-origin"), answer.header("vary")),
        (Some("*"), Some("accept, authorization, x-api-key"))
    );
    let cookies = app(Behaviour::Empty, true, &[ORIGINS, ("http.cors_credentials", "true")]);
    let answer = ask(&cookies, OURS).await;
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(ask(&cookies, THEIRS).await.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn only_graphql_is_open() {
    let app = app(Behaviour::Empty, true, &[ORIGINS]);
    for path in ["/health/ready", "/definitions/diagnostics", "/"] {
        assert!(!opens(&get(&app, path, &[("origin", OURS)]).await), "{path}");
    }
}
