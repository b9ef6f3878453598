//! What happens around every request: correlation id, time limit, panics, one log line and one count.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use poem::{Request, Response, http::HeaderValue};
use tracing::Instrument as _;

use super::{
    negotiate::{self, Format},
    problem::Problem,
};
use crate::panics;

/// The header that carries the correlation id, in and out.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Identifies a request in answers and logs; made here or taken from the client when it is harmless.
#[derive(Debug, Clone)]
pub(super) struct CorrelationId(pub(super) String);

/// Whether the body of a request is still awaited: when its time is over then, its client is late and not we.
#[derive(Debug, Clone, Default)]
pub(super) struct AwaitsBody(Arc<AtomicBool>);

impl AwaitsBody {
    /// Waits for a body, or a part of one.
    pub(super) async fn during<T>(&self, body: impl Future<Output = T>) -> T {
        self.0.store(true, Ordering::Relaxed);
        let read = body.await;
        self.0.store(false, Ordering::Relaxed);
        read
    }
}

/// Runs `handle` for a request of a known route.
pub(super) async fn around<F>(
    mut request: Request,
    route: &'static str,
    limit: Duration,
    handle: impl FnOnce(Request, CorrelationId) -> F + Send,
) -> Response
where
    F: Future<Output = Response> + Send,
{
    let id = correlation_id(&request);
    let format = negotiate::format(request.header("accept")).unwrap_or(Format::Json);
    let method = request.method().clone();
    request.set_data(id.clone());
    let awaits_body = AwaitsBody::default();
    request.set_data(awaits_body.clone());
    let span = tracing::info_span!("request", otel.name = format!("{method} {route}"), %method, route, correlation_id = id.0);
    let started = Instant::now();
    let work = AssertUnwindSafe(handle(request, id.clone())).catch_unwind();
    let mut response = async {
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => {
                panics::note(panic.as_ref(), "request");
                Problem::Internal.response(format, &id.0)
            }
            Err(_) if awaits_body.0.load(Ordering::Relaxed) => Problem::BodyTooSlow.response(format, &id.0),
            Err(_) => Problem::Timeout.response(format, &id.0),
        }
    }
    .instrument(span.clone())
    .await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| {
        if route == "/graphql" {
            tracing::info!(status, duration_ms = elapsed.as_secs_f64() * 1_000.0, "request answered");
        } else {
            tracing::debug!(status, duration_ms = elapsed.as_secs_f64() * 1_000.0, "request answered");
        }
    });
    metrics::counter!("holdfast_http_requests_total", "route" => route, "status" => status.to_string()).increment(1);
    metrics::histogram!("holdfast_http_request_duration_seconds", "route" => route).record(elapsed.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// The client's id when it is short and plain, or a new one.
fn correlation_id(request: &Request) -> CorrelationId {
    let given = request.header(REQUEST_ID).filter(|id| {
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    });
    CorrelationId(given.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned))
}
