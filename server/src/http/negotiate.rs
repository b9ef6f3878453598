//! `Accept` → the format of the answer, as GraphQL over HTTP says.

/// What an answer is written as. The two differ in their statuses: see [`Format::request_error_status`].
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

    /// Status of a well-formed request whose document was refused. Clients of plain JSON cannot tell a 400 of ours from one of a
    /// proxy, so they get 200.
    pub(super) fn request_error_status(self) -> u16 {
        match self {
            Format::GraphqlResponse => 400,
            Format::Json => 200,
        }
    }
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

/// Whether a browser asks for a page.
pub(super) fn wants_page(accept: Option<&str>) -> bool {
    accept.is_some_and(|accept| {
        accept.split(',').any(|range| range.split(';').next().is_some_and(|media| media.trim() == "text/html"))
    })
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
