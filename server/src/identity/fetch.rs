//! A small file over HTTP or HTTPS, with limits on time and size. Redirects are not followed: an address that moves is a setting
//! to change.

use std::{error::Error, time::Duration};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, StatusCode, Uri, body::Bytes, header};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connect, HttpConnector},
    },
    rt::TokioExecutor,
};
use rustls::crypto::ring;

/// Longest time to fetch it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Largest file. Sets of keys have some kilobytes.
const LARGEST: usize = 1 << 20;

/// The address, when it is one.
pub(super) fn address(url: &str) -> Result<Uri, String> {
    let uri = url
        .parse::<Uri>()
        .ok()
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty()));
    uri.ok_or_else(|| format!("`{url}` is not an address such as `https://example.com/keys.json`"))
}

/// Whether nobody in between can change what is fetched.
pub(super) fn is_safe(uri: &Uri) -> bool {
    let is_near = |host: &str| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    uri.scheme_str() == Some("https") || uri.host().is_some_and(is_near)
}

/// The text at an address. Certificates are the system's; `SSL_CERT_FILE` names others.
pub(super) async fn text(uri: &Uri) -> Result<String, String> {
    let fetched = async {
        if uri.scheme_str() == Some("http") {
            return get(HttpConnector::new(), uri).await;
        }
        let builder = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(ring::default_provider())
            .map_err(|error| format!("no certificates to trust: {error}"))?;
        get(builder.https_only().enable_http1().build(), uri).await
    };
    tokio::time::timeout(PATIENCE, fetched).await.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
}

async fn get<C>(connector: C, uri: &Uri) -> Result<String, String>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    // A client for one request: the next one is minutes away, and certificates may be others then.
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::get(uri)
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .header(header::USER_AGENT, "holdfast")
        .body(Empty::<Bytes>::new())
        .map_err(whole)?;
    let response = client.request(request).await.map_err(whole)?;
    if response.status() != StatusCode::OK {
        return Err(format!("the answer has status {}", response.status().as_u16()));
    }
    let body = Limited::new(response.into_body(), LARGEST).collect().await.map_err(|error| error.to_string())?;
    String::from_utf8(body.to_bytes().into()).map_err(|_| "the answer is not text".to_owned())
}

/// An error with everything that it comes from: the outermost only says that connecting failed.
fn whole(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
