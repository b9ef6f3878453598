//! Errors that HTTP itself finds → status and a GraphQL-shaped body. The only place that picks a status for them.

use poem::{Response, http::StatusCode};

use super::negotiate::Format;

/// Why a request is refused before GraphQL sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The request is not a GraphQL request.
    BadRequest(String),
    /// Cross-site without a header that only a script of ours can set.
    CrossSite,
    /// No such place.
    NotFound,
    /// The place exists, the method does not.
    MethodNotAllowed(&'static str),
    /// No media type we can write is acceptable.
    NotAcceptable,
    /// The body is larger than allowed.
    BodyTooLarge(usize),
    /// The body is not JSON by its content type.
    UnsupportedMediaType,
    /// The request took longer than allowed.
    Timeout,
    /// A bug of ours.
    Internal,
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Problem::BadRequest(_) => StatusCode::BAD_REQUEST,
            Problem::CrossSite => StatusCode::FORBIDDEN,
            Problem::NotFound => StatusCode::NOT_FOUND,
            Problem::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Problem::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Problem::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Problem::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Problem::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Problem::BadRequest(_) => "BAD_REQUEST",
            Problem::CrossSite => "CROSS_SITE_REQUEST",
            Problem::NotFound => "NOT_FOUND",
            Problem::MethodNotAllowed(_) => "METHOD_NOT_ALLOWED",
            Problem::NotAcceptable => "NOT_ACCEPTABLE",
            Problem::BodyTooLarge(_) => "BODY_TOO_LARGE",
            Problem::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Problem::Timeout => "QUERY_TIMEOUT",
            Problem::Internal => "INTERNAL_SERVER_ERROR",
        }
    }

    fn message(&self) -> String {
        match self {
            Problem::BadRequest(message) => message.clone(),
            Problem::CrossSite => {
                "a cross-site GET needs the header `x-requested-with`, `apollo-require-preflight` or `x-graphql-client`".into()
            }
            Problem::NotFound => "there is nothing at this address; GraphQL is at `/graphql`".into(),
            Problem::MethodNotAllowed(allowed) => format!("this method is not allowed here; allowed: {allowed}"),
            Problem::NotAcceptable => {
                "this server writes `application/graphql-response+json` and `application/json`; accept one of them".into()
            }
            Problem::BodyTooLarge(limit) => format!("the body is larger than {limit} bytes"),
            Problem::UnsupportedMediaType => "the body must be `application/json` in UTF-8".into(),
            Problem::Timeout => "the request took longer than allowed and was stopped".into(),
            Problem::Internal => "something went wrong on our side; the correlation id finds it in the log".into(),
        }
    }

    /// The response in the format that was asked for.
    pub(super) fn response(&self, format: Format, correlation_id: &str) -> Response {
        let body = serde_json::json!({
            "errors": [{
                "message": self.message(),
                "extensions": { "code": self.code(), "correlationId": correlation_id },
            }]
        });
        let builder = Response::builder().status(self.status()).content_type(format.content_type());
        let builder = match self {
            Problem::MethodNotAllowed(allowed) => builder.header("allow", *allowed),
            _ => builder,
        };
        builder.body(body.to_string())
    }
}
