//! Pages of other sites: which may read answers, and what browsers are told when they ask beforehand. Closed unless a setting opens
//! it: a browser then keeps every answer from pages that are not ours.

use poem::{
    Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};

use super::{
    caller::API_KEY,
    graphql::{COST, OWN_HEADERS},
    negotiate::Format,
    problem::Problem,
    sse::STREAM_TOKEN,
};
use crate::config::http::{Cors, Origins};

/// Headers that pages may send, beside those of [`OWN_HEADERS`].
const REQUEST_HEADERS: [&str; 11] = [
    "accept",
    "apollographql-client-name",
    "apollographql-client-version",
    "authorization",
    "content-type",
    "if-none-match",
    "traceparent",
    API_KEY,
    COST,
    STREAM_TOKEN,
    super::around::REQUEST_ID,
];

/// Headers of answers that pages may read.
const RESPONSE_HEADERS: &str = "age, etag, retry-after, x-holdfast-cache, x-request-id";

/// How long a browser may remember what it was told, in seconds.
const MAX_AGE: &str = "600";

/// What a browser is told about the page that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// Who may read the answer; `None` keeps it from the page.
    allowed: Option<HeaderValue>,
    /// Whether it may be read by pages that send cookies and the like.
    credentials: bool,
    /// Whether another page would be told something else.
    varies: bool,
}

/// Decides about the page that sends a request.
pub(super) fn decide(cors: &Cors, request: &Request) -> Told {
    let origin = request.headers().get(header::ORIGIN);
    let allowed = origin.and_then(|origin| match &cors.origins {
        Origins::Any => Some(HeaderValue::from_static("*")),
        Origins::These(known) => known.iter().any(|known| known.as_bytes() == origin.as_bytes()).then(|| origin.clone()),
    });
    let varies = matches!(&cors.origins, Origins::These(known) if !known.is_empty());
    Told { allowed, credentials: cors.credentials, varies }
}

/// Whether a browser asks what it may send, before it sends it.
pub(super) fn is_preflight(request: &Request) -> bool {
    *request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

impl Told {
    /// Whether the page may read answers.
    pub(super) fn is_allowed(&self) -> bool {
        self.allowed.is_some()
    }

    /// The answer to a browser that asks beforehand.
    pub(super) fn preflight(&self, correlation_id: &str) -> Response {
        if !self.is_allowed() {
            return Problem::OriginNotAllowed.response(Format::Json, correlation_id);
        }
        let headers: Vec<&str> = REQUEST_HEADERS.iter().chain(&OWN_HEADERS).copied().collect();
        Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE")
            .header(header::ACCESS_CONTROL_ALLOW_HEADERS, headers.join(", "))
            .header(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE)
            .finish()
    }

    /// Adds to any answer what the browser has to know.
    pub(super) fn write(self, response: &mut Response) {
        let headers = response.headers_mut();
        if self.varies {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        if let Some(allowed) = self.allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
            if self.credentials {
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            }
        }
    }
}
