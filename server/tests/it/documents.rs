//! Documents by name and by digest, over HTTP.

use poem::http::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Answer, Behaviour, QUERY, app, get, send};

const HEADERS: [(&str, &str); 2] = [("content-type", "application/json"), ("accept", "application/graphql-response+json")];

fn digest(text: &str) -> String {
    holdfast_schema::hex::digits(Sha256::digest(text.as_bytes()))
}

fn persisted(digest: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": digest } })
}

fn code(answer: &Answer) -> String {
    answer.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_digest_is_registered_with_its_text_and_then_enough() {
    let app = app(Behaviour::Empty, true, &[]);
    let post = async |body: Value| send(&app, Method::POST, "/graphql", &HEADERS, &body.to_string()).await;
    let known = digest(QUERY);
    let unknown = post(json!({ "extensions": persisted(&known) })).await;
    // Clients of the protocol read message and code, and send the text then; 200 is what they expect.
    assert_eq!((unknown.status, code(&unknown).as_str()), (200, "PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(unknown.json()["errors"][0]["message"], "PersistedQueryNotFound");
    let wrong = post(json!({ "query": "{ __typename }", "extensions": persisted(&known) })).await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    assert_eq!(post(json!({ "query": QUERY, "extensions": persisted(&known) })).await.status, 200);
    let registered = post(json!({ "extensions": persisted(&known) })).await;
    assert_eq!(registered.json()["data"]["selling"]["rows"], json!([]), "{}", registered.body);
    let path = format!("/graphql?extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{known}%22%7D%7D");
    assert_eq!(get(&app, &path, &[]).await.status, 200);
}

#[tokio::test]
async fn what_is_refused_is_not_registered() {
    let app = app(Behaviour::Empty, true, &[]);
    let post = async |body: Value| send(&app, Method::POST, "/graphql", &HEADERS, &body.to_string()).await;
    let text = "{ nothing }";
    assert_eq!(post(json!({ "query": text, "extensions": persisted(&digest(text)) })).await.status, 400);
    assert_eq!(code(&post(json!({ "extensions": persisted(&digest(text)) })).await), "PERSISTED_QUERY_NOT_FOUND");
    for wrong in
        [json!(1), json!({}), json!({ "version": 2, "sha256Hash": digest(text) }), json!({ "version": 1, "sha256Hash": "x" })]
    {
        let answer = post(json!({ "extensions": { "persistedQuery": wrong } })).await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, "BAD_REQUEST"), "{}", answer.body);
    }
}

#[tokio::test]
async fn an_allow_list_answers_what_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("manifest.json");
    let operations = json!([{ "id": "selling-1", "name": "Selling", "type": "query", "body": QUERY }]);
    let text = json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": operations }).to_string();
    std::fs::write(&manifest, text).expect("written");
    let path = manifest.display().to_string();
    let app = app(Behaviour::Empty, true, &[("documents.mode", "allow_list"), ("documents.manifests", &path)]);
    let post = async |body: Value| send(&app, Method::POST, "/graphql", &HEADERS, &body.to_string()).await;
    for body in [
        json!({ "documentId": "selling-1" }),
        json!({ "documentId": "by_region" }),
        json!({ "query": QUERY }),
        json!({ "extensions": persisted(&digest(QUERY)) }),
    ] {
        let answer = post(body.clone()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
    }
    for body in [
        json!({ "query": "{ __typename }" }),
        json!({ "query": format!("{QUERY} ") }),
        json!({ "query": "{ __schema { types { name } } }" }),
        json!({ "query": "{ __typename }", "extensions": persisted(&digest("{ __typename }")) }),
        json!({ "extensions": persisted(&digest("{ __typename }")) }),
    ] {
        let answer = post(body.clone()).await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, "DOCUMENT_NOT_TRUSTED"), "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_is_known_is_not_sent_again() {
    let app = app(Behaviour::Reuse, true, &[]);
    let path = "/graphql?documentId=by_region";
    let first = get(&app, path, &[]).await;
    let tag = first.header("etag").expect("a validator").to_owned();
    assert_eq!(first.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(first.header("vary"), Some("accept, authorization, x-api-key"));
    let again = get(&app, path, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", Some(tag.as_str())));
    assert_eq!(get(&app, path, &[("if-none-match", "\"other\"")]).await.status, 200);
    let failed =
        get(&crate::support::app(Behaviour::Fail(holdfast_resolvers::RunError::WarehouseUnavailable), true, &[]), path, &[]).await;
    assert_eq!((failed.header("etag"), failed.header("cache-control")), (None, Some("no-store")));
}

#[tokio::test]
async fn the_newer_draft_tells_more_by_its_statuses() {
    let app = app(Behaviour::Fail(holdfast_resolvers::RunError::Internal), true, &[("http.statuses", "draft")]);
    for (query, status) in [("{ nothing }", 422), ("{", 400), (QUERY, 294), ("{ __typename }", 200)] {
        let answer = send(&app, Method::POST, "/graphql", &HEADERS, &json!({ "query": query }).to_string()).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
    }
}
