//! Streams of events that several operations share: reserved, opened once, written to by operations until their client goes away.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use holdfast_schema::query::Caller;
use poem::web::sse::Event as Message;
use serde_json::{Value, json};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::AbortHandle,
};
use uuid::Uuid;

use crate::{
    http::{
        graphql::{Ready, Session},
        problem::Problem,
    },
    live::Event,
};

/// How long a reserved stream waits to be opened.
const PATIENCE: Duration = Duration::from_secs(30);

/// Messages that wait for a slow client, per stream; operations wait then.
const WAITING: usize = 16;

/// Streams by their tokens.
#[derive(Clone, Default)]
pub struct SharedStreams(Arc<Mutex<HashMap<String, Shared>>>);

struct Shared {
    /// Only who reserved a stream may use it.
    caller: Caller,
    reserved_at: Instant,
    sender: mpsc::Sender<Message>,
    /// There until somebody opens the stream.
    receiver: Option<mpsc::Receiver<Message>>,
    operations: HashMap<String, AbortHandle>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.operations.values().for_each(AbortHandle::abort);
    }
}

/// An open stream; dropping it ends its operations.
pub(super) struct Opened {
    messages: mpsc::Receiver<Message>,
    token: String,
    streams: SharedStreams,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Opened {
    /// The next message.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.messages.recv().await
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.streams.with(|streams| streams.remove(&self.token));
    }
}

impl SharedStreams {
    /// Reserves a stream and returns its token.
    pub(super) fn reserve(&self, session: &Session) -> Result<String, Problem> {
        self.with(|streams| {
            streams.retain(|_, shared| shared.receiver.is_none() || shared.reserved_at.elapsed() < PATIENCE);
            let permit = Arc::clone(&session.app.stream_permits).try_acquire_owned().map_err(|_| Problem::TooManyStreams)?;
            let (sender, receiver) = mpsc::channel(WAITING);
            let token = Uuid::new_v4().to_string();
            let shared = Shared {
                caller: session.caller.clone(),
                reserved_at: Instant::now(),
                sender,
                receiver: Some(receiver),
                operations: HashMap::new(),
                permit: Some(permit),
            };
            streams.insert(token.clone(), shared);
            Ok(token)
        })
    }

    /// Opens a reserved stream.
    pub(super) fn open(&self, token: &str, session: &Session) -> Result<Opened, Problem> {
        self.shared(token, session, |shared| {
            let messages = shared.receiver.take().ok_or(Problem::StreamTaken("this stream is open"))?;
            Ok(Opened { messages, token: token.to_owned(), streams: self.clone(), _permit: shared.permit.take() })
        })
    }

    /// Runs an operation whose answers go to a stream.
    pub(super) fn run(&self, token: &str, session: &Session, operation: String, ready: Ready) -> Result<(), Problem> {
        self.shared(token, session, |shared| {
            if shared.operations.contains_key(&operation) {
                return Err(Problem::StreamTaken("an operation with this id runs"));
            }
            let limit = session.app.streams.operations;
            if shared.operations.len() >= limit {
                return Err(Problem::BadRequest(format!("a stream has {limit} operations at most")));
            }
            let (sender, streams, name) = (shared.sender.clone(), self.clone(), token.to_owned());
            let id = operation.clone();
            let running = tokio::spawn(async move {
                let mut events = ready.events();
                while let Some(Event::Next(body) | Event::Refused(body)) = events.next().await {
                    if sender.send(message("next", json!({ "id": id, "payload": payload(&body) }))).await.is_err() {
                        return;
                    }
                }
                streams.with(|streams| streams.get_mut(&name).and_then(|shared| shared.operations.remove(&id)));
                // Nobody is left to tell when the stream is gone.
                let _ = sender.send(message("complete", json!({ "id": id }))).await;
            });
            shared.operations.insert(operation, running.abort_handle());
            Ok(())
        })
    }

    /// Stops an operation; one that has ended is stopped already.
    pub(super) fn stop(&self, token: &str, session: &Session, operation: &str) -> Result<(), Problem> {
        self.shared(token, session, |shared| {
            if let Some(running) = shared.operations.remove(operation) {
                running.abort();
                // A client that is too slow to be told has asked for the end itself.
                let _ = shared.sender.try_send(message("complete", json!({ "id": operation })));
            }
            Ok(())
        })
    }

    fn shared<T>(&self, token: &str, session: &Session, act: impl FnOnce(&mut Shared) -> Result<T, Problem>) -> Result<T, Problem> {
        self.with(|streams| match streams.get_mut(token) {
            Some(shared) if shared.caller == session.caller => act(shared),
            Some(_) | None => Err(Problem::UnknownStream),
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, Shared>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn message(kind: &str, data: Value) -> Message {
    Message::message(data.to_string()).event_type(kind)
}

fn payload(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
