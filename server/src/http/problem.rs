//! Errors that HTTP itself finds → status and a GraphQL-shaped body. The only place that picks a status for them.

use poem::{Response, http::StatusCode};

use super::negotiate::Format;
use crate::{documents::Refusal, identity::Refused};

/// Why a request is refused before GraphQL sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The request is not a GraphQL request.
    BadRequest(String),
    /// Nobody whom we know asks.
    Unauthenticated(Refused),
    /// The place speaks of everything in the definitions, and policies hide some of it from whoever asks.
    SpeaksOfHidden,
    /// Cross-site without a header that only a script of ours can set.
    CrossSite,
    /// A page of another site asks what it may send, and may send nothing.
    OriginNotAllowed,
    /// No such place.
    NotFound,
    /// The place exists, the method does not.
    MethodNotAllowed(&'static str),
    /// No media type we can write is acceptable.
    NotAcceptable,
    /// The body is larger than allowed.
    BodyTooLarge(usize),
    /// The body has not come in the time that a request may take.
    BodyTooSlow,
    /// The body is not JSON by its content type.
    UnsupportedMediaType,
    /// The request names a document that is not answered.
    Document(Refusal),
    /// A subscription over a transport that answers once.
    NeedsStream,
    /// No such stream of events.
    UnknownStream,
    /// The stream is open already, or an operation with this id runs on it.
    StreamTaken(&'static str),
    /// More streams than the server keeps.
    TooManyStreams,
    /// The request took longer than allowed.
    Timeout,
    /// A bug of ours.
    Internal,
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Problem::BadRequest(_) => StatusCode::BAD_REQUEST,
            Problem::SpeaksOfHidden | Problem::CrossSite | Problem::OriginNotAllowed => StatusCode::FORBIDDEN,
            Problem::Unauthenticated(Refused::Missing | Refused::Expired(_) | Refused::NotValid(_)) => StatusCode::UNAUTHORIZED,
            Problem::Unauthenticated(Refused::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Problem::NotFound => StatusCode::NOT_FOUND,
            Problem::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Problem::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Problem::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Problem::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            // The protocol of automatic persisted queries has 200 for what the client mends by itself.
            Problem::Document(Refusal::NotRegistered | Refusal::NotSupported) => StatusCode::OK,
            Problem::Document(_) => StatusCode::BAD_REQUEST,
            Problem::NeedsStream => StatusCode::NOT_ACCEPTABLE,
            Problem::UnknownStream => StatusCode::NOT_FOUND,
            Problem::StreamTaken(_) => StatusCode::CONFLICT,
            Problem::TooManyStreams => StatusCode::SERVICE_UNAVAILABLE,
            Problem::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Problem::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Problem::BadRequest(_) => "BAD_REQUEST",
            Problem::Unauthenticated(Refused::Missing | Refused::Expired(_) | Refused::NotValid(_)) => "UNAUTHENTICATED",
            Problem::Unauthenticated(Refused::Unavailable(_)) => "IDENTITY_UNAVAILABLE",
            Problem::SpeaksOfHidden => "FORBIDDEN",
            Problem::CrossSite => "CROSS_SITE_REQUEST",
            Problem::OriginNotAllowed => "ORIGIN_NOT_ALLOWED",
            Problem::NotFound => "NOT_FOUND",
            Problem::MethodNotAllowed(_) => "METHOD_NOT_ALLOWED",
            Problem::NotAcceptable => "NOT_ACCEPTABLE",
            Problem::BodyTooLarge(_) => "BODY_TOO_LARGE",
            Problem::BodyTooSlow => "BODY_TIMEOUT",
            Problem::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Problem::Document(refusal) => refusal.code(),
            Problem::NeedsStream => "SUBSCRIPTION_NEEDS_STREAM",
            Problem::UnknownStream => "STREAM_NOT_FOUND",
            Problem::StreamTaken(_) => "STREAM_CONFLICT",
            Problem::TooManyStreams => "OVERLOADED",
            Problem::Timeout => "QUERY_TIMEOUT",
            Problem::Internal => "INTERNAL_SERVER_ERROR",
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Problem::BadRequest(message) => message.clone(),
            Problem::Unauthenticated(Refused::Missing) => {
                "credentials are needed: a token as `authorization: Bearer …`, or a key as `x-api-key`".into()
            }
            // Why they are not valid would help those who make up credentials.
            Problem::Unauthenticated(Refused::Expired(_)) => "the credentials are expired".into(),
            Problem::Unauthenticated(Refused::NotValid(_)) => "the credentials are not valid".into(),
            Problem::Unauthenticated(Refused::Unavailable(_)) => "credentials cannot be checked at the moment".into(),
            Problem::SpeaksOfHidden => "this speaks of all definitions, and policies hide some of them from you".into(),
            Problem::CrossSite => {
                "a cross-site GET needs the header `x-requested-with`, `apollo-require-preflight` or `x-graphql-client`".into()
            }
            Problem::OriginNotAllowed => {
                "pages of this origin may not read answers; `http.cors_origins` names those that may".into()
            }
            Problem::NotFound => "there is nothing at this address; GraphQL is at `/graphql`".into(),
            Problem::MethodNotAllowed(allowed) => format!("this method is not allowed here; allowed: {allowed}"),
            Problem::NotAcceptable => {
                "this server writes `application/graphql-response+json`, `application/json` and `text/event-stream`; accept one of them"
                    .into()
            }
            Problem::BodyTooLarge(limit) => format!("the body is larger than {limit} bytes"),
            Problem::BodyTooSlow => "the body did not come in the time that a request may take".into(),
            Problem::UnsupportedMediaType => "the body must be `application/json` in UTF-8".into(),
            Problem::Document(refusal) => refusal.to_string(),
            Problem::NeedsStream => {
                "a subscription is answered over WebSocket (`graphql-transport-ws`) or with `accept: text/event-stream`".into()
            }
            Problem::UnknownStream => "no stream has this token: reserve one with PUT, and open it with GET".into(),
            Problem::StreamTaken(what) => format!("{what} already"),
            Problem::TooManyStreams => "too many streams of events are open".into(),
            Problem::Timeout => "the request took longer than allowed and was stopped".into(),
            Problem::Internal => "something went wrong on our side; the correlation id finds it in the log".into(),
        }
    }

    /// `errors` of a response.
    pub(super) fn errors(&self, correlation_id: &str) -> serde_json::Value {
        serde_json::json!([{
            "message": self.message(),
            "extensions": { "code": self.code(), "correlationId": correlation_id },
        }])
    }

    /// The response in the format that was asked for.
    pub(super) fn response(&self, format: Format, correlation_id: &str) -> Response {
        let body = serde_json::json!({ "errors": self.errors(correlation_id) });
        let builder = Response::builder().status(self.status()).content_type(format.content_type());
        let builder = match self {
            Problem::MethodNotAllowed(allowed) => builder.header("allow", *allowed),
            // What still comes of the body would be taken for another request.
            Problem::BodyTooSlow => builder.header("connection", "close"),
            Problem::Unauthenticated(Refused::Missing) => builder.header("www-authenticate", "Bearer"),
            Problem::Unauthenticated(Refused::Expired(_)) => {
                builder.header("www-authenticate", "Bearer error=\"invalid_token\", error_description=\"expired\"")
            }
            Problem::Unauthenticated(Refused::NotValid(_)) => builder.header("www-authenticate", "Bearer error=\"invalid_token\""),
            Problem::Unauthenticated(Refused::Unavailable(_))
            | Problem::BadRequest(_)
            | Problem::SpeaksOfHidden
            | Problem::CrossSite
            | Problem::OriginNotAllowed
            | Problem::Document(_)
            | Problem::NeedsStream
            | Problem::UnknownStream
            | Problem::StreamTaken(_)
            | Problem::TooManyStreams
            | Problem::NotFound
            | Problem::NotAcceptable
            | Problem::BodyTooLarge(_)
            | Problem::UnsupportedMediaType
            | Problem::Timeout
            | Problem::Internal => builder,
        };
        builder.body(body.to_string())
    }
}
