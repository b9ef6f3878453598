//! The GraphiQL page and its files, out of the binary: no other host is contacted.

use poem::Response;

const PAGE: &str = include_str!("../../assets/console/console.html");

/// Everything the page loads comes from here. Styles are set by script in GraphiQL, so inline styles must be allowed.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
                      object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The page.
pub(super) fn page() -> Response {
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header("content-security-policy", POLICY)
        .header("referrer-policy", "no-referrer")
        .header("cache-control", "no-cache")
        .header("vary", "accept")
        .body(PAGE)
}

/// A file of the page; `None` when there is no such file.
pub(super) fn file(path: &str) -> Option<Response> {
    let (bytes, content_type): (&'static [u8], _) = match path {
        "/console/console.js" => {
            let script = include_bytes!("../../assets/console/console.js");
            return Some(Response::builder().content_type(SCRIPT).header("cache-control", "no-cache").body(script.as_slice()));
        }
        "/console/graphiql.js" => (include_bytes!("../../assets/console/graphiql.min.js.gz"), SCRIPT),
        "/console/graphiql.css" => (include_bytes!("../../assets/console/graphiql.min.css.gz"), "text/css; charset=utf-8"),
        "/console/react.js" => (include_bytes!("../../assets/console/react.min.js.gz"), SCRIPT),
        "/console/react-dom.js" => (include_bytes!("../../assets/console/react-dom.min.js.gz"), SCRIPT),
        _ => return None,
    };
    let response = Response::builder()
        .content_type(content_type)
        // Kept compressed; every browser that runs GraphiQL understands gzip.
        .header("content-encoding", "gzip")
        .header("cache-control", "public, max-age=86400");
    Some(response.body(bytes))
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
