//! GraphQL over HTTP: GET and POST → a request of the surface → bytes, status and headers.

use async_graphql::{Request as GraphqlRequest, Variables};
use holdfast_resolvers::{Answer, Api, CacheState, OperationKind, RequestContext, RequestId};
use holdfast_schema::query::Caller;
use jiff::Timestamp;
use poem::{
    Request, Response,
    error::ReadBodyError,
    http::{Method, StatusCode},
};
use serde_json::{Map, Value};

use super::{
    around::CorrelationId,
    negotiate::{self, Format},
    problem::Problem,
};
use crate::app::App;

/// Headers that a page of another site cannot set without asking first.
const OWN_HEADERS: [&str; 3] = ["x-requested-with", "apollo-require-preflight", "x-graphql-client"];

/// Answers a request to `/graphql`.
pub(super) async fn handle(app: &App, mut request: Request, id: &CorrelationId) -> Response {
    let Some(format) = negotiate::format(request.header("accept")) else {
        return Problem::NotAcceptable.response(Format::Json, &id.0);
    };
    let generation = app.generation();
    let read = match *request.method() {
        Method::POST => read_body(app, &mut request, &generation.api).await,
        Method::GET => read_query(&request, &generation.api),
        _ => Err(Problem::MethodNotAllowed("GET, POST")),
    };
    let graphql = match read {
        Ok(graphql) => graphql,
        Err(problem) => return problem.response(format, &id.0),
    };
    let context = RequestContext {
        request: RequestId::next(),
        model: std::sync::Arc::clone(&generation.model),
        caller: Caller::default(),
        now: Timestamp::now(),
        correlation_id: id.0.clone(),
    };
    let answer = generation.api.execute(std::sync::Arc::clone(&app.runner), context, graphql).await;
    if *request.method() == Method::GET && answer.operation == Some(OperationKind::Mutation) {
        return Problem::MethodNotAllowed("POST").response(format, &id.0);
    }
    write(answer, format, *request.method() == Method::GET)
}

async fn read_body(app: &App, request: &mut Request, api: &Api) -> Result<GraphqlRequest, Problem> {
    if !negotiate::is_json(request.content_type()) {
        return Err(Problem::UnsupportedMediaType);
    }
    let limit = app.http.body_limit;
    let declared = request.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Problem::BodyTooLarge(limit));
    }
    let bytes = match request.take_body().into_bytes_limit(limit).await {
        Ok(bytes) => bytes,
        Err(ReadBodyError::PayloadTooLarge) => return Err(Problem::BodyTooLarge(limit)),
        Err(_) => return Err(Problem::BadRequest("the body ended early".into())),
    };
    let body: Value =
        serde_json::from_slice(&bytes).map_err(|error| Problem::BadRequest(format!("the body is not JSON: {error}")))?;
    match body {
        Value::Object(body) => parse(body, api),
        Value::Array(_) => {
            Err(Problem::BadRequest("batches are not accepted; ask for several root fields in one operation".into()))
        }
        _ => Err(Problem::BadRequest("the body must be a JSON object with `query` or `documentId`".into())),
    }
}

fn read_query(request: &Request, api: &Api) -> Result<GraphqlRequest, Problem> {
    // Browsers say where a request comes from. A page of another site must not be able to make ours work.
    let is_cross_site = request.header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    if is_cross_site && !OWN_HEADERS.iter().any(|name| request.headers().contains_key(*name)) {
        return Err(Problem::CrossSite);
    }
    let parameters: Vec<(String, String)> =
        request.params().map_err(|_| Problem::BadRequest("the query string cannot be read".into()))?;
    let mut body = Map::new();
    for (name, text) in parameters {
        let value = match name.as_str() {
            "query" | "operationName" | "documentId" => Value::String(text),
            "variables" | "extensions" => serde_json::from_str(&text)
                .map_err(|error| Problem::BadRequest(format!("parameter `{name}` is not JSON: {error}")))?,
            _ => continue,
        };
        body.insert(name, value);
    }
    parse(body, api)
}

fn parse(mut body: Map<String, Value>, api: &Api) -> Result<GraphqlRequest, Problem> {
    let expected = |name: &str, what: &str| Problem::BadRequest(format!("`{name}` must be {what}"));
    let query = match (body.remove("query"), body.remove("documentId")) {
        (Some(Value::String(query)), None | Some(Value::Null)) => query,
        (None | Some(Value::Null), Some(Value::String(name))) => match api.saved_document(&name) {
            Some(document) => document.to_owned(),
            None => {
                return Err(Problem::BadRequest(
                    "`documentId` names no saved query that is a document; `savedQueries { name document }` lists them".into(),
                ));
            }
        },
        (None, None) => return Err(Problem::BadRequest("`query` is missing".into())),
        (Some(Value::String(_)), Some(_)) => {
            return Err(Problem::BadRequest("`query` and `documentId` exclude each other".into()));
        }
        (_, Some(_)) => return Err(expected("documentId", "a string")),
        (Some(_), None) => return Err(expected("query", "a string")),
    };
    let mut request = GraphqlRequest::new(query);
    match body.remove("operationName") {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) => request = request.operation_name(name),
        Some(_) => return Err(expected("operationName", "a string or null")),
    }
    match body.remove("variables") {
        None | Some(Value::Null) => {}
        Some(variables @ Value::Object(_)) => request = request.variables(Variables::from_json(variables)),
        Some(_) => return Err(expected("variables", "an object or null")),
    }
    match body.remove("extensions") {
        None | Some(Value::Null | Value::Object(_)) => Ok(request),
        Some(_) => Err(expected("extensions", "an object or null")),
    }
}

fn write(answer: Answer, format: Format, is_get: bool) -> Response {
    let status = if answer.is_request_error { format.request_error_status() } else { 200 };
    let mut response = Response::builder()
        .status(StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
        .content_type(format.content_type())
        .header("vary", "accept");
    let mut cache_control = String::from("no-store");
    if let Some(cache) = answer.cache {
        let state = match cache.state {
            CacheState::Hit => "hit",
            CacheState::Miss => "miss",
            CacheState::Bypass => "bypass",
        };
        response = response.header("x-holdfast-cache", state).header("age", cache.age.as_secs().to_string());
        if is_get && !answer.had_errors && cache.state != CacheState::Bypass {
            // `max-age` counts from when the answer was made, as `age` does.
            cache_control = format!("private, max-age={}", (cache.age + cache.max_age).as_secs());
        }
    }
    response.header("cache-control", cache_control).body(answer.body)
}
