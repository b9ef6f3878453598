//! A body or a query string → which document is asked for, and with what.

use async_graphql::{Request as GraphqlRequest, Variables};
use poem::{Request, error::ReadBodyError};
use serde_json::{Map, Value};

use crate::{
    config::http::Cors,
    documents::Reference,
    http::{around::AwaitsBody, body, cors, negotiate, problem::Problem},
};

/// Headers that a page of another site cannot set without asking first.
pub(in crate::http) const OWN_HEADERS: [&str; 3] = ["x-requested-with", "apollo-require-preflight", "x-graphql-client"];

/// What a request asks for.
#[derive(Debug, Clone)]
pub(in crate::http) struct Asked {
    /// Which document.
    pub(in crate::http) reference: Reference,
    /// `extensions.operationId` of a stream that several operations share.
    pub(in crate::http) operation_id: Option<String>,
    operation_name: Option<String>,
    variables: Variables,
}

impl Asked {
    /// The request, with the text of its document.
    pub(super) fn request(&self, text: &str) -> GraphqlRequest {
        let request = GraphqlRequest::new(text).variables(self.variables.clone());
        match &self.operation_name {
            Some(name) => request.operation_name(name),
            None => request,
        }
    }

    /// Reads the fields of a request, as they are in a body, a query string, or a message of a socket.
    pub(in crate::http) fn parse(mut body: Map<String, Value>) -> Result<Self, Problem> {
        let expected = |name: &str, what: &str| Problem::BadRequest(format!("`{name}` must be {what}"));
        let mut text = |name: &str| match body.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(expected(name, "a string")),
        };
        let (query, name) = (text("query")?, text("documentId")?);
        let operation_name = text("operationName")?;
        let variables = match body.remove("variables") {
            None | Some(Value::Null) => Variables::default(),
            Some(variables @ Value::Object(_)) => Variables::from_json(variables),
            Some(_) => return Err(expected("variables", "an object or null")),
        };
        let mut extensions = match body.remove("extensions") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(extensions)) => extensions,
            Some(_) => return Err(expected("extensions", "an object or null")),
        };
        let operation_id = match extensions.remove("operationId") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id),
            Some(_) => return Err(expected("extensions.operationId", "a string")),
        };
        let digest = digest(extensions.remove("persistedQuery"))?;
        let reference = match (query, name, digest) {
            (Some(text), None, None) => Reference::Text(text),
            (text, None, Some(digest)) => Reference::Digest { digest, text },
            (None, Some(name), None) => Reference::Name(name),
            (None, None, None) => return Err(Problem::BadRequest("`query` is missing".into())),
            (Some(_), Some(_), _) => return Err(Problem::BadRequest("`query` and `documentId` exclude each other".into())),
            (None, Some(_), Some(_)) => {
                return Err(Problem::BadRequest("`documentId` and `extensions.persistedQuery` exclude each other".into()));
            }
        };
        Ok(Self { reference, operation_id, operation_name, variables })
    }
}

/// The digest of the protocol of automatic persisted queries.
fn digest(given: Option<Value>) -> Result<Option<String>, Problem> {
    let wrong = "`extensions.persistedQuery` must be `{\"version\": 1, \"sha256Hash\": …}` with 64 hexadecimal digits";
    match given {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(given)) => match (given.get("version"), given.get("sha256Hash")) {
            (Some(version), Some(Value::String(digest)))
                if *version == 1 && digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                Ok(Some(digest.to_ascii_lowercase()))
            }
            _ => Err(Problem::BadRequest(wrong.into())),
        },
        Some(_) => Err(Problem::BadRequest(wrong.into())),
    }
}

/// Reads a body.
pub(in crate::http) async fn body_of(request: &mut Request, limit: usize) -> Result<Asked, Problem> {
    if !negotiate::is_json(request.content_type()) {
        return Err(Problem::UnsupportedMediaType);
    }
    let awaits_body = request.data::<AwaitsBody>().cloned().unwrap_or_default();
    let declared = request.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        awaits_body.during(body::discard(request.take_body(), limit.saturating_mul(4))).await;
        return Err(Problem::BodyTooLarge(limit));
    }
    let bytes = match awaits_body.during(request.take_body().into_bytes_limit(limit)).await {
        Ok(bytes) => bytes,
        Err(ReadBodyError::PayloadTooLarge) => return Err(Problem::BodyTooLarge(limit)),
        Err(_) => return Err(Problem::BadRequest("the body ended early".into())),
    };
    let body: Value =
        serde_json::from_slice(&bytes).map_err(|error| Problem::BadRequest(format!("the body is not JSON: {error}")))?;
    match body {
        Value::Object(body) => Asked::parse(body),
        Value::Array(_) => {
            Err(Problem::BadRequest("batches are not accepted; ask for several root fields in one operation".into()))
        }
        _ => Err(Problem::BadRequest("the body must be a JSON object with `query` or `documentId`".into())),
    }
}

/// Reads a query string.
pub(in crate::http) fn query_of(request: &Request, cors: &Cors) -> Result<Asked, Problem> {
    // Browsers say where a request comes from. A page of another site must not be able to make ours work, unless it may read answers.
    let is_cross_site = request.header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    if is_cross_site
        && !cors::decide(cors, request).is_allowed()
        && !OWN_HEADERS.iter().any(|name| request.headers().contains_key(*name))
    {
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
    Asked::parse(body)
}
