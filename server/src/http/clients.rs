//! Clients that go away while they are answered: what is computed for them stops.
//!
//! The HTTP library sees that a connection ends and still computes the answer, so the connection itself tells.

use std::{
    collections::HashMap,
    future::pending,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use futures_util::StreamExt as _;
use poem::{Body, Endpoint, Request, Response, http::StatusCode};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
};

/// Connected clients. A receiver learns that its client is gone by its sender being dropped.
#[derive(Clone, Default)]
pub(super) struct Clients(Arc<Mutex<HashMap<SocketAddr, watch::Receiver<()>>>>);

impl Clients {
    /// Watches a connection.
    pub(super) fn watch(&self, stream: TcpStream) -> io::Result<Connection> {
        let address = stream.peer_addr()?;
        let (here, gone) = watch::channel(());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(address, gone);
        Ok(Connection { stream, here: Some(here), address, clients: self.clone() })
    }

    /// Resolves when a client is gone.
    async fn gone(&self, address: Option<SocketAddr>) {
        let known = address.and_then(|address| self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned());
        match known {
            // Nothing is ever sent: the only change is the end.
            Some(mut gone) => while gone.changed().await.is_ok() {},
            None => pending().await,
        }
    }
}

/// A connection that notices its end.
pub(super) struct Connection {
    stream: TcpStream,
    here: Option<watch::Sender<()>>,
    address: SocketAddr,
    clients: Clients,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.clients.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.address);
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let is_end = match &read {
            Poll::Ready(Ok(())) => room > 0 && buffer.filled().len() == before,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if is_end {
            self.here = None;
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// An endpoint that stops working for a client that is gone.
pub(super) struct WhileConnected<E> {
    /// What answers.
    pub(super) endpoint: E,
    /// Who is there.
    pub(super) clients: Clients,
}

impl<E> WhileConnected<E> {
    /// A stream of events may have nothing to write for long: without this, only the next event would find that nobody reads it.
    fn while_connected(&self, mut response: Response, address: Option<SocketAddr>) -> Response {
        if !response.content_type().is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return response;
        }
        let clients = self.clients.clone();
        let gone = Box::pin(async move { clients.gone(address).await });
        let events = response.take_body().into_bytes_stream().take_until(gone);
        response.set_body(Body::from_bytes_stream(events));
        response
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for WhileConnected<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let address = request.remote_addr().as_socket_addr().copied();
        tokio::select! {
            biased;
            response = self.endpoint.call(request) => response.map(|response| self.while_connected(response, address)),
            () = self.clients.gone(address) => {
                metrics::counter!("holdfast_http_requests_abandoned_total").increment(1);
                tracing::debug!("the client went away before it was answered");
                // Nobody reads it.
                Ok(Response::builder().status(StatusCode::REQUEST_TIMEOUT).finish())
            }
        }
    }
}
