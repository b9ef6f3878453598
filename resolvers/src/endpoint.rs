//! async-graphql's `Executor` over an [`Api`], for transports that want values instead of bytes (WebSocket, SSE, batches).

use std::{fmt, sync::Arc};

use async_graphql::{Data, Executor, Request, Response, ServerError};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use crate::{Api, RequestContext, Runner};

/// Everything one request needs.
#[derive(Clone)]
pub struct Session {
    /// The generation of the schema that answers.
    pub api: Arc<Api>,
    /// Who runs its questions.
    pub runner: Arc<dyn Runner>,
    /// Who asks, and when.
    pub context: RequestContext,
}

/// An executor that takes a fresh [`Session`] for each request, so that a reload of the definitions reaches open sockets.
#[derive(Clone)]
pub struct Endpoint {
    open: Arc<dyn Fn() -> Session + Send + Sync>,
}

impl Endpoint {
    /// An endpoint that calls `open` once per request.
    pub fn new(open: impl Fn() -> Session + Send + Sync + 'static) -> Self {
        Self { open: Arc::new(open) }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

impl Executor for Endpoint {
    async fn execute(&self, request: Request) -> Response {
        let session = (self.open)();
        let answer = session.api.execute(session.runner, session.context, request).await;
        serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| Response::from_errors(vec![ServerError::new("the response could not be read back", None)]))
    }

    fn execute_stream(&self, request: Request, _session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let endpoint = self.clone();
        stream::once(async move { endpoint.execute(request).await }).boxed()
    }
}
