//! How the server listens and what it accepts.

use std::{net::SocketAddr, time::Duration};

use super::read::{Reader, flag};
use crate::http::Statuses;

/// Settings of section `http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// `http.listen`
    pub listen: SocketAddr,
    /// `http.allow_public`
    pub allow_public: bool,
    /// `http.body_limit`
    pub body_limit: usize,
    /// `http.request_timeout`
    pub request_timeout: Duration,
    /// `http.idle_timeout`
    pub idle_timeout: Duration,
    /// `http.header_timeout`
    pub header_timeout: Duration,
    /// `http.shutdown_grace`
    pub shutdown_grace: Duration,
    /// `http.console`
    pub console: bool,
    /// `http.statuses`
    pub statuses: Statuses,
    /// Pages of other sites.
    pub cors: Cors,
}

/// Which pages of other sites may read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// `http.cors_origins`
    pub origins: Origins,
    /// `http.cors_credentials`
    pub credentials: bool,
}

/// Where pages are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// One of these.
    These(Vec<String>),
    /// Anywhere.
    Any,
}

impl Origins {
    /// `*`, or origins with commas between them; browsers compare them letter by letter, so nothing else is an origin.
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Origins::Any);
        }
        let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        origins.map(|origin| is_origin(origin).then(|| origin.to_owned())).collect::<Option<_>>().map(Origins::These)
    }
}

/// Whether a text is an origin as browsers write it: scheme, host in lower case and a port that is not the scheme's own.
fn is_origin(text: &str) -> bool {
    let (own_port, place) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(place), _) => (":443", place),
        (None, Some(place)) => (":80", place),
        (None, None) => return false,
    };
    let is_plain =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, b'.' | b'-' | b':' | b'[' | b']');
    !place.is_empty() && place.bytes().all(is_plain) && !place.ends_with(own_port)
}

impl Http {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let origins = reader
            .parse(
                "http.cors_origins",
                "origins such as `https://app.example.com` with commas between them, or `*`",
                Origins::parse,
            )
            .unwrap_or_else(|| Origins::These(Vec::new()));
        let is_any = origins == Origins::Any;
        let credentials = reader.parse(
            "http.cors_credentials",
            if is_any { "`false` while `http.cors_origins` is `*`" } else { "`true` or `false`" },
            |text| flag(text).filter(|credentials| !(*credentials && is_any)),
        );
        Self {
            listen: reader
                .parse("http.listen", "an address and port such as `127.0.0.1:4000`", |text| text.parse().ok())
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 4000))),
            allow_public: reader.flag("http.allow_public"),
            body_limit: reader.bytes("http.body_limit"),
            request_timeout: reader.duration("http.request_timeout"),
            idle_timeout: reader.duration("http.idle_timeout"),
            header_timeout: reader.duration("http.header_timeout"),
            shutdown_grace: reader.duration_or_none("http.shutdown_grace"),
            console: reader.flag("http.console"),
            statuses: reader
                .parse("http.statuses", "`stable` or `draft`", |text| match text {
                    "stable" => Some(Statuses::Stable),
                    "draft" => Some(Statuses::Draft),
                    _ => None,
                })
                .unwrap_or(Statuses::Stable),
            cors: Cors { origins, credentials: credentials.unwrap_or_default() },
        }
    }
}
