//! An answer → status, headers and body.

use holdfast_resolvers::{Answer, CacheState, CacheSummary};
use holdfast_schema::hex;
use poem::{Response, http::StatusCode};
use sha2::{Digest as _, Sha256};

use crate::http::{
    caller::API_KEY,
    negotiate::{Format, Statuses},
};

/// How an answer may be used again.
pub(super) struct Reuse<'a> {
    /// `if-none-match`, empty when there is none.
    pub(super) known: &'a str,
    /// Whether it is for its asker alone, whatever it says.
    pub(super) is_private: bool,
}

/// Writes an answer. Only those to GET are used again.
pub(super) fn answer(answer: Answer, format: Format, statuses: Statuses, reuse: Option<Reuse<'_>>) -> Response {
    let status = format.status(statuses, &answer);
    let mut response = Response::builder()
        .status(status)
        .content_type(format.content_type())
        // What one caller sees another may not, even in one browser.
        .header("vary", format!("accept, authorization, {API_KEY}"));
    if let Some(retry) = answer.retry.filter(|_| !status.is_success()) {
        response = response.header("retry-after", retry.after_seconds.to_string());
    }
    if let Some(cache) = answer.cache {
        let state = match cache.state {
            CacheState::Hit => "hit",
            CacheState::Miss => "miss",
            CacheState::Bypass => "bypass",
        };
        response = response.header("x-holdfast-cache", state).header("age", cache.age.as_secs().to_string());
    }
    match (reuse, answer.cache) {
        (Some(reuse), Some(cache)) if !answer.had_errors && cache.state != CacheState::Bypass => {
            let tag = tag(&answer.body);
            response = response.header("cache-control", cache_control(cache, reuse.is_private)).header("etag", &tag);
            if matches(reuse.known, &tag) {
                return response.status(StatusCode::NOT_MODIFIED).finish();
            }
        }
        (Some(_) | None, _) => response = response.header("cache-control", "no-store"),
    }
    response.body(answer.body)
}

/// For how long, and by whom, an answer may be kept. `max-age` counts from when the answer was made, as `age` does.
fn cache_control(cache: CacheSummary, is_private: bool) -> String {
    let who = if is_private || cache.is_restricted { "private" } else { "public" };
    format!("{who}, max-age={}", (cache.age + cache.max_age).as_secs())
}

/// A strong validator: the same for the same bytes.
fn tag(body: &[u8]) -> String {
    let digest = hex::digits(&Sha256::digest(body)[..16]);
    format!("\"{digest}\"")
}

/// Whether `if-none-match` names a validator. Weak ones count, as RFC 9110 §13.1.2 says: proxies that compress make them weak.
fn matches(known: &str, tag: &str) -> bool {
    known.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validators_are_found_in_lists_and_weak() {
        let tag = tag(b"{}");
        for (known, expected) in [
            (tag.clone(), true),
            (format!("W/{tag}"), true),
            (format!("\"a\", {tag}"), true),
            ("*".into(), true),
            ("\"a\"".into(), false),
            (String::new(), false),
        ] {
            assert_eq!(matches(&known, &tag), expected, "{known}");
        }
    }
}
