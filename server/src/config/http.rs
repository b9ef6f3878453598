//! How the server listens and what it accepts.

use std::{net::SocketAddr, time::Duration};

use super::read::Reader;
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
    /// `http.shutdown_grace`
    pub shutdown_grace: Duration,
    /// `http.console`
    pub console: bool,
    /// `http.statuses`
    pub statuses: Statuses,
}

impl Http {
    /// Reads the section.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            listen: reader
                .parse("http.listen", "an address and port such as `127.0.0.1:4000`", |text| text.parse().ok())
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 4000))),
            allow_public: reader.flag("http.allow_public"),
            body_limit: reader.bytes("http.body_limit"),
            request_timeout: reader.duration("http.request_timeout"),
            shutdown_grace: reader.duration("http.shutdown_grace"),
            console: reader.flag("http.console"),
            statuses: reader
                .parse("http.statuses", "`stable` or `draft`", |text| match text {
                    "stable" => Some(Statuses::Stable),
                    "draft" => Some(Statuses::Draft),
                    _ => None,
                })
                .unwrap_or(Statuses::Stable),
        }
    }
}
