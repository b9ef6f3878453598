//! `Accept` → the format of the answer, as GraphQL over HTTP says.

use holdfast_resolvers::{Answer, RetryReason};
use poem::http::StatusCode;

/// Which statuses tell how an answer of `application/graphql-response+json` went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statuses {
    /// 200 with data, 400 without.
    Stable,
    /// As the draft of 2025 says: 294 for data with errors, 422 for a document or variables that are understood and wrong.
    /// <https://github.com/graphql/graphql-over-http/pull/354>
    Draft,
}

/// What an answer is written as. The two differ in their statuses: see [`Format::status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `application/graphql-response+json`.
    GraphqlResponse,
    /// `application/json`.
    Json,
}

impl Format {
    /// The header's value.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Format::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Format::Json => "application/json; charset=utf-8",
        }
    }

    /// Status of an answer. Clients of plain JSON cannot tell an error of ours from one of a proxy, so they get 200 also for what was
    /// refused.
    pub(super) fn status(self, statuses: Statuses, answer: &Answer) -> StatusCode {
        if self == Format::Json {
            return StatusCode::OK;
        }
        match (answer.is_request_error, answer.retry) {
            (true, Some(retry)) => match retry.reason {
                RetryReason::BudgetSpent => StatusCode::TOO_MANY_REQUESTS,
                RetryReason::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            },
            (true, None) if statuses == Statuses::Draft && !answer.is_unreadable => StatusCode::UNPROCESSABLE_ENTITY,
            (true, None) => StatusCode::BAD_REQUEST,
            (false, _) if statuses == Statuses::Draft && answer.had_errors => partial_success(),
            (false, _) => StatusCode::OK,
        }
    }
}

/// 294: data, and errors beside it.
fn partial_success() -> StatusCode {
    StatusCode::from_u16(294).expect("statuses have three digits")
}

/// Picks the format with the highest weight; plain JSON when the client has no wish. `None` when nothing we write is acceptable.
pub(super) fn format(accept: Option<&str>) -> Option<Format> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return Some(Format::Json);
    };
    let mut best: Option<(f32, Format)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut weight = 1.0;
        let mut is_utf8 = true;
        for parameter in parts {
            match parameter.split_once('=').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"')))
            {
                Some((name, value)) if name == "q" => weight = value.parse().unwrap_or(0.0),
                Some((name, value)) if name == "charset" => is_utf8 = value.eq_ignore_ascii_case("utf-8"),
                _ => {}
            }
        }
        let format = match media.as_str() {
            "application/graphql-response+json" => Format::GraphqlResponse,
            "application/json" | "application/*" | "*/*" => Format::Json,
            _ => continue,
        };
        if is_utf8 && weight > 0.0 && best.is_none_or(|(heaviest, _)| weight > heaviest) {
            best = Some((weight, format));
        }
    }
    best.map(|(_, format)| format)
}

/// Whether a client asks for a stream of events.
pub(super) fn wants_events(accept: Option<&str>) -> bool {
    names(accept, "text/event-stream")
}

/// Whether a browser asks for a page.
pub(super) fn wants_page(accept: Option<&str>) -> bool {
    names(accept, "text/html")
}

/// Whether `Accept` names a media type by itself.
fn names(accept: Option<&str>, expected: &str) -> bool {
    let is_named = |range: &str| range.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case(expected));
    accept.is_some_and(|accept| accept.split(',').any(is_named))
}

/// Whether a body of this content type is JSON in UTF-8.
pub(super) fn is_json(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else {
        return false;
    };
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json")) {
        return false;
    }
    parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}

#[cfg(test)]
mod tests {
    use holdfast_resolvers::Retry;

    use super::*;

    #[test]
    fn clients_get_what_they_weigh_most() {
        for (accept, expected) in [
            (None, Some(Format::Json)),
            (Some("*/*"), Some(Format::Json)),
            (Some("application/json"), Some(Format::Json)),
            (Some("application/graphql-response+json, application/json;q=0.9"), Some(Format::GraphqlResponse)),
            (Some("application/json, application/graphql-response+json; q=0.5"), Some(Format::Json)),
            (Some("application/graphql-response+json; charset=utf-8"), Some(Format::GraphqlResponse)),
            (Some("application/graphql-response+json; charset=latin1"), None),
            (Some("text/html"), None),
            (Some("application/json;q=0"), None),
        ] {
            assert_eq!(format(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn the_status_tells_how_it_went_where_clients_expect_that() {
        let answer = |had_errors, is_request_error, is_unreadable| Answer {
            body: Default::default(),
            had_errors,
            is_request_error,
            is_unreadable,
            cache: None,
            retry: None,
        };
        let late = |reason| Answer { retry: Some(Retry { reason, after_seconds: 1 }), ..answer(true, true, false) };
        for (answer, stable, draft) in [
            (late(RetryReason::BudgetSpent), 429, 429),
            (late(RetryReason::Overloaded), 503, 503),
            (answer(false, false, false), 200, 200),
            (answer(true, false, false), 200, 294),
            (answer(true, true, false), 400, 422),
            (answer(true, true, true), 400, 400),
        ] {
            assert_eq!(Format::GraphqlResponse.status(Statuses::Stable, &answer), stable);
            assert_eq!(Format::GraphqlResponse.status(Statuses::Draft, &answer), draft);
            assert_eq!(Format::Json.status(Statuses::Draft, &answer), 200);
        }
    }

    #[test]
    fn simple_requests_of_forms_are_not_json() {
        for (content_type, expected) in [
            (None, false),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some("application/json"), true),
            (Some("Application/JSON; charset=UTF-8"), true),
            (Some("application/json; charset=utf-16"), false),
        ] {
            assert_eq!(is_json(content_type), expected, "{content_type:?}");
        }
    }
}
