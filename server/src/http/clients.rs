//! Clients that go away while they are answered: what is computed for them stops. Clients that stay and neither ask nor read: their
//! connection ends.
//!
//! The HTTP library sees that a connection ends and still computes the answer, and waits for ever for the rest of a request or for
//! somebody to read; so the connection itself tells, and keeps the time.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::StreamExt as _;
use poem::{Body, Endpoint, Request, Response, http::StatusCode};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::{Instant, Sleep, sleep_until},
};

/// How long a client may do nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Between two requests, and while it is sent something.
    pub(super) idle: Duration,
    /// From the first byte of a request to the end of its head.
    pub(super) head: Duration,
}

/// Connected clients.
#[derive(Clone)]
pub(super) struct Clients {
    here: Arc<Mutex<HashMap<SocketAddr, Client>>>,
    patience: Patience,
}

/// What is known of a client.
#[derive(Clone)]
struct Client {
    /// Tells that it is gone by its sender being dropped.
    gone: watch::Receiver<()>,
    /// Requests that are being answered, and streams.
    busy: Arc<AtomicUsize>,
}

impl Clients {
    /// Nobody yet.
    pub(super) fn new(patience: Patience) -> Self {
        Self { here: Arc::default(), patience }
    }

    /// Watches a connection.
    pub(super) fn watch(&self, stream: TcpStream) -> io::Result<Connection> {
        let address = stream.peer_addr()?;
        let (here, gone) = watch::channel(());
        let busy = Arc::default();
        self.here.lock().unwrap_or_else(PoisonError::into_inner).insert(address, Client { gone, busy: Arc::clone(&busy) });
        let since = Instant::now();
        let timer = Box::pin(sleep_until(since));
        Ok(Connection {
            stream,
            here: Some(here),
            address,
            clients: self.clone(),
            busy,
            idle_since: since,
            head: Head::Awaited,
            read_timer: timer,
            stalled: None,
        })
    }

    fn find(&self, address: Option<SocketAddr>) -> Option<Client> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner).get(&address?).cloned()
    }
}

impl Client {
    /// Resolves when it is gone.
    async fn gone(mut self) {
        // Nothing is ever sent: the only change is the end.
        while self.gone.changed().await.is_ok() {}
    }
}

/// Counts a request for as long as it is being answered.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn start(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }

    /// Counts it until the connection ends.
    fn stay(self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that notices its end, and whose time is limited while nothing is answered on it.
pub(super) struct Connection {
    stream: TcpStream,
    here: Option<watch::Sender<()>>,
    address: SocketAddr,
    clients: Clients,
    busy: Arc<AtomicUsize>,
    /// When something was last answered or sent.
    idle_since: Instant,
    head: Head,
    read_timer: Pin<Box<Sleep>>,
    /// Runs while the client takes nothing of what it is sent.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// The head of the next request.
#[derive(Debug, Clone, Copy)]
enum Head {
    /// None of it has come.
    Awaited,
    /// Some of it has come, the first byte then.
    Begun(Instant),
    /// Several requests share the connection: what comes need not be the head of one.
    Many,
}

/// What a client of HTTP/2 says first.
const SEVERAL: &[u8] = b"PRI * HTTP/2";

impl Drop for Connection {
    fn drop(&mut self) {
        self.clients.here.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.address);
    }
}

impl Connection {
    /// Ready when nothing has been asked for too long.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.busy.load(Ordering::Relaxed) > 0 {
            self.note_answer();
            return Poll::Pending;
        }
        let patience = self.clients.patience;
        let until = self.idle_since + patience.idle;
        let until = match self.head {
            Head::Begun(since) => until.min(since + patience.head),
            Head::Awaited | Head::Many => until,
        };
        if self.read_timer.deadline() != until {
            self.read_timer.as_mut().reset(until);
        }
        self.read_timer.as_mut().poll(context)
    }

    /// Takes note of bytes that were read.
    fn note_read(&mut self, bytes: &[u8]) {
        self.head = match self.head {
            Head::Awaited if bytes.starts_with(SEVERAL) => Head::Many,
            Head::Awaited => Head::Begun(Instant::now()),
            seen @ (Head::Begun(_) | Head::Many) => seen,
        };
    }

    /// Takes note that something is answered or sent.
    fn note_answer(&mut self) {
        self.idle_since = Instant::now();
        self.head = match self.head {
            Head::Awaited | Head::Begun(_) => Head::Awaited,
            Head::Many => Head::Many,
        };
    }

    /// What has been written, or an error when the client has taken nothing for too long.
    fn written(&mut self, written: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            self.note_answer();
            return written;
        }
        let idle = self.clients.patience.idle;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + idle)));
        ready!(stalled.as_mut().poll(context));
        tracing::debug!("a client takes nothing of what it is sent");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let is_end = match &read {
            Poll::Ready(Ok(())) => room > 0 && buffer.filled().len() == before,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => {
                ready!(self.poll_idle(context));
                tracing::debug!("a client asks nothing");
                // As if it had ended the connection itself: the library then ends it in an orderly way.
                self.here = None;
                return Poll::Ready(Ok(()));
            }
        };
        if is_end {
            self.here = None;
        } else {
            self.note_read(&buffer.filled()[before..]);
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(written, context)
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

/// A stream of events may have nothing to write for long: without this, only the next event would find that nobody reads it. Until
/// it ends its client is not idle, and neither is one whose connection has become a socket.
fn while_connected(mut response: Response, client: Client, busy: Busy) -> Response {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        busy.stay();
    } else if response.content_type().is_some_and(|kind| kind.starts_with("text/event-stream")) {
        let gone = Box::pin(async move {
            let _busy = busy;
            client.gone().await;
        });
        let events = response.take_body().into_bytes_stream().take_until(gone);
        response.set_body(Body::from_bytes_stream(events));
    }
    response
}

impl<E: Endpoint<Output = Response>> Endpoint for WhileConnected<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let Some(client) = self.clients.find(request.remote_addr().as_socket_addr().copied()) else {
            return self.endpoint.call(request).await;
        };
        let busy = Busy::start(&client.busy);
        tokio::select! {
            biased;
            response = self.endpoint.call(request) => response.map(|response| while_connected(response, client, busy)),
            () = client.clone().gone() => {
                metrics::counter!("holdfast_http_requests_abandoned_total").increment(1);
                tracing::debug!("the client went away before it was answered");
                // Nobody reads it.
                Ok(Response::builder().status(StatusCode::REQUEST_TIMEOUT).finish())
            }
        }
    }
}
