//! A connection while a statement runs on it. Dropped before the end, it stops the statement and throws the connection away.

use std::time::Duration;

use deadpool_postgres::Object;
use tokio::{runtime::Handle, time::timeout};
use tokio_postgres::CancelToken;
use tracing::debug;

use super::tls::Connector;

/// Longest time spent on telling the server to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connection.
pub(super) struct InFlight {
    client: Option<Object>,
    token: CancelToken,
    tls: Connector,
    is_fresh: bool,
}

impl InFlight {
    /// Watches over a pooled connection.
    pub(super) fn new(client: Object, tls: Connector, is_fresh: bool) -> Self {
        Self { token: client.cancel_token(), client: Some(client), tls, is_fresh }
    }

    /// The connection itself.
    pub(super) fn client(&self) -> &Object {
        self.client.as_ref().expect("the connection is there until finish or drop")
    }

    /// Whether it was opened for this statement.
    pub(super) fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// Gives the connection back: everything that was asked has been answered.
    pub(super) fn finish(mut self) {
        self.client.take();
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        // Out of the pool first: what is left unread on it must not be read by the next.
        let client = Object::take(client);
        if client.is_closed() {
            return;
        }
        let (token, tls) = (self.token.clone(), self.tls.clone());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let outcome = timeout(PATIENCE, token.cancel_query(tls)).await;
                debug!(stopped = matches!(outcome, Ok(Ok(()))), "statement cancelled");
                drop(client);
            });
        }
    }
}
