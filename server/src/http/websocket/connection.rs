//! One socket, from its first message to its close code.

use std::{collections::HashMap, sync::Arc};

use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink};
use poem::web::websocket::{Message, WebSocketStream};
use serde_json::{Map, Value};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinError, JoinSet},
    time::{Instant, interval, sleep_until, timeout},
};

use super::message::{Incoming, write};
use crate::{
    app::App,
    http::{
        around::CorrelationId,
        caller::Proof,
        graphql::{self, Asked, Session},
        problem::Problem,
    },
    identity::Refused,
    live::Event,
    panics,
};

/// Messages of operations that wait for a slow client; operations wait then.
const WAITING: usize = 16;

/// Bytes of a reason: what a control frame of RFC 6455 §5.5 has room for beside the code.
const LONGEST_REASON: usize = 123;

/// Why a socket is closed by us: code and reason.
type Closed = (u16, String);

/// What an operation has to say.
enum Outgoing {
    /// A whole message.
    Message(String),
    /// It has ended; the message that says so, unless an error has.
    Ended(String, Option<String>),
}

/// Who has opened a socket, as its handshake says it.
pub(super) struct Client {
    /// What all requests share.
    pub(super) app: Arc<App>,
    /// From headers; the first message may have another.
    pub(super) proof: Proof,
    /// Whether answers tell what they cost.
    pub(super) shows_cost: bool,
    /// Finds the socket in the log.
    pub(super) id: CorrelationId,
}

/// The state of a socket.
struct Connection {
    sink: SplitSink<WebSocketStream, Message>,
    client: Client,
    /// There once the client has said who it is.
    session: Option<Session>,
    operations: HashMap<String, AbortHandle>,
    /// Their tasks, which end with the socket.
    running: JoinSet<()>,
    sender: mpsc::Sender<Outgoing>,
}

/// Serves a socket until either side closes it.
pub(super) async fn run(client: Client, stream: WebSocketStream, speaks: bool) {
    let (mut sink, mut incoming) = stream.split();
    if !speaks {
        close(&mut sink, (4406, "Subprotocol not acceptable".to_owned())).await;
        return;
    }
    let (sender, mut outgoing) = mpsc::channel(WAITING);
    let mut stopping = client.app.stopping.subscribe();
    let init_until = Instant::now() + client.app.streams.init_timeout;
    let patience = client.app.streams.keep_alive;
    let mut keep_alive = interval(patience);
    let mut connection = Connection { sink, client, session: None, operations: HashMap::new(), running: JoinSet::new(), sender };
    let closed = loop {
        let is_initialised = connection.session.is_some();
        let done = tokio::select! {
            message = incoming.next() => match message {
                Some(Ok(message)) => connection.receive(message).await,
                // The client is gone, or broke the rules of the transport, which then has closed the socket.
                Some(Err(_)) | None => return,
            },
            Some(said) = outgoing.recv() => connection.say(said).await,
            Some(ended) = connection.running.join_next() => survived(ended),
            () = sleep_until(init_until), if !is_initialised => Err((4408, "Connection initialisation timeout".to_owned())),
            _ = keep_alive.tick() => connection.look_after().await,
            _ = async { stopping.wait_for(|stopping| *stopping).await.is_ok() } => Err((1001, "Going away".to_owned())),
        };
        match done {
            Ok(true) => {}
            Ok(false) => {
                // What the transport has to say last, such as the answer to the client's own close, is still to be sent.
                let _ = timeout(patience, connection.sink.close()).await;
                return;
            }
            Err(closed) => break closed,
        }
    };
    // A client that reads nothing does not read the reason either.
    let _ = timeout(patience, close(&mut connection.sink, closed)).await;
}

async fn close(sink: &mut SplitSink<WebSocketStream, Message>, (code, mut reason): Closed) {
    reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
    // A client that is gone needs no reason.
    let _ = sink.send(Message::close_with(code, reason)).await;
    let _ = sink.close().await;
}

impl Connection {
    /// Acts on a message: whether the socket goes on, or why it is closed.
    async fn receive(&mut self, message: Message) -> Result<bool, Closed> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err((4400, "the message is not text".to_owned())),
            Message::Ping(_) | Message::Pong(_) => return Ok(true),
            Message::Close(_) => return Ok(false),
        };
        match Incoming::parse(&text).map_err(|wrong| (4400, wrong.to_owned()))? {
            Incoming::Init(payload) => self.initialise(&payload).await,
            Incoming::Ping(payload) => {
                let payload = payload.map(|payload| Value::Object(payload).to_string());
                self.text(write("pong", None, payload.as_deref())).await
            }
            Incoming::Pong => Ok(true),
            Incoming::Complete(id) => {
                if let Some(running) = self.operations.remove(&id) {
                    running.abort();
                }
                Ok(true)
            }
            Incoming::Subscribe { id, payload } => self.subscribe(id, payload).await,
        }
    }

    async fn initialise(&mut self, payload: &Map<String, Value>) -> Result<bool, Closed> {
        if self.session.is_some() {
            return Err((4429, "Too many initialisation requests".to_owned()));
        }
        let Client { app, proof, shows_cost, id } = &self.client;
        let proof = Proof::of_payload(payload).map_err(shut_out)?.unwrap_or_else(|| proof.clone());
        self.session = Some(Session::of(Arc::clone(app), proof, *shows_cost, id.clone()).await.map_err(shut_out)?);
        self.text(write("connection_ack", None, None)).await
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Value>) -> Result<bool, Closed> {
        let Some(session) = self.session.clone() else {
            return Err((4401, "Unauthorized".to_owned()));
        };
        if self.operations.contains_key(&id) {
            return Err((4409, format!("Subscriber for {id} already exists")));
        }
        let asked = Asked::parse(payload).map_err(|problem| (4400, problem.message()))?;
        let limit = session.app.streams.operations;
        if self.operations.len() >= limit {
            let problem = Problem::BadRequest(format!("a socket has {limit} operations at most; complete one first"));
            return self.text(write("error", Some(&id), Some(&problem.errors(&session.id.0).to_string()))).await;
        }
        let running = self.running.spawn(operation(session, id.clone(), asked, self.sender.clone()));
        self.operations.insert(id, running);
        Ok(true)
    }

    /// Passes on what an operation says, unless the client has completed it meanwhile.
    async fn say(&mut self, said: Outgoing) -> Result<bool, Closed> {
        match said {
            Outgoing::Message(text) => self.text(text).await,
            Outgoing::Ended(id, last) => match (self.operations.remove(&id), last) {
                (Some(_), Some(last)) => self.text(last).await,
                _ => Ok(true),
            },
        }
    }

    /// What is due now and then, however busy the socket is: is the client still who it was, and still there?
    async fn look_after(&mut self) -> Result<bool, Closed> {
        if let Some(session) = &self.session {
            session.prove_again().await.map_err(shut_out)?;
        }
        self.send(Message::Ping(Vec::new())).await
    }

    async fn text(&mut self, text: String) -> Result<bool, Closed> {
        self.send(Message::Text(text)).await
    }

    /// Sends a message; a client that is gone ends the socket, and so does one that does not read: it would hold its place for ever.
    async fn send(&mut self, message: Message) -> Result<bool, Closed> {
        let patience = self.client.app.streams.keep_alive;
        Ok(timeout(patience, self.sink.send(message)).await.is_ok_and(|sent| sent.is_ok()))
    }
}

/// How a client is shut out whose credentials do not make a caller: because of them, or because nobody can look into them now.
fn shut_out(problem: Problem) -> Closed {
    match problem {
        Problem::Unauthenticated(Refused::Unavailable(_)) => internal(),
        _ => (4403, "Forbidden".to_owned()),
    }
}

/// What is not the client's fault, and leaves nothing to say to it under any id.
fn internal() -> Closed {
    (4500, "Internal server error".to_owned())
}

/// Whether a socket goes on after a task of it has ended. Tasks say by themselves how their operations end; one that could not
/// leaves its client without an answer.
fn survived(ended: Result<(), JoinError>) -> Result<bool, Closed> {
    match ended.map_err(JoinError::try_into_panic) {
        Ok(()) | Err(Err(_)) => Ok(true),
        Err(Ok(panic)) => {
            panics::note(panic.as_ref(), "task of a socket");
            Err(internal())
        }
    }
}

/// Runs one operation and tells what comes of it.
async fn operation(session: Session, id: String, asked: Asked, sender: mpsc::Sender<Outgoing>) {
    let mut events = graphql::events(session, asked);
    while let Some(event) = events.next().await {
        let said = match event {
            Event::Next(body) => Outgoing::Message(write("next", Some(&id), Some(&String::from_utf8_lossy(&body)))),
            Event::Refused(body) => {
                // An error ends an operation: no `complete` follows.
                let _ = sender.send(Outgoing::Ended(id.clone(), Some(write("error", Some(&id), Some(&errors(&body)))))).await;
                return;
            }
        };
        if sender.send(said).await.is_err() {
            return;
        }
    }
    let complete = write("complete", Some(&id), None);
    // Nobody is left to tell when the socket is gone.
    let _ = sender.send(Outgoing::Ended(id, Some(complete))).await;
}

/// `errors` of a response, as JSON.
fn errors(body: &[u8]) -> String {
    let response: Value = serde_json::from_slice(body).unwrap_or_default();
    response.get("errors").map_or_else(|| "[]".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_task_that_broke_closes_its_socket() {
        let mut tasks = JoinSet::new();
        tasks.spawn(async {});
        assert_eq!(survived(tasks.join_next().await.expect("a task")), Ok(true));
        tasks.spawn(std::future::pending()).abort();
        assert_eq!(survived(tasks.join_next().await.expect("a task")), Ok(true), "its client has completed it");
        tasks.spawn(async { panic!("a bug") });
        assert_eq!(survived(tasks.join_next().await.expect("a task")).map_err(|(code, _)| code), Err(4500));
    }

    #[test]
    fn clients_are_shut_out_for_what_they_sent_or_for_what_we_lack() {
        let code = |refused| shut_out(Problem::Unauthenticated(refused)).0;
        let why = || "why".to_owned();
        assert_eq!(code(Refused::Missing), 4403);
        assert_eq!(code(Refused::Expired(why())), 4403);
        assert_eq!(code(Refused::NotValid(why())), 4403);
        assert_eq!(code(Refused::Unavailable(why())), 4500);
    }
}
