//! GraphQL over server-sent events, in both modes of <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>: a stream for
//! each operation, and one stream that all operations of a client share.

mod shared;

use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, stream};
use poem::{
    IntoResponse as _, Request, Response,
    http::{Method, StatusCode},
    web::sse::{Event as Message, SSE},
};

use self::shared::Opened;
pub use self::shared::SharedStreams;
use super::{
    around::CorrelationId,
    graphql::{self, Asked, Refused, Session, read},
    negotiate::{self, Format},
    problem::Problem,
};
use crate::{app::App, live::Event};

/// The header that names a shared stream.
pub(super) const STREAM_TOKEN: &str = "x-graphql-event-stream-token";

/// Answers one operation with a stream of its own.
pub(super) async fn distinct(session: Session, asked: Asked) -> Response {
    let Ok(permit) = Arc::clone(&session.app.stream_permits).try_acquire_owned() else {
        return Problem::TooManyStreams.response(Format::Json, &session.id.0);
    };
    let listener = session.clone();
    let answers = graphql::events(session, asked).map(move |event| {
        let _held = &permit;
        let (Event::Next(body) | Event::Refused(body)) = event;
        next(&body)
    });
    respond(&listener, answers.chain(stream::once(std::future::ready(complete()))))
}

/// Answers a request to `/graphql/stream`.
pub(super) async fn handle(app: Arc<App>, mut request: Request, id: &CorrelationId) -> Response {
    let refuse = |problem: Problem| problem.response(Format::Json, &id.0);
    let token = token(&request);
    let session = match Session::open(Arc::clone(&app), &request, id).await {
        Ok(session) => session,
        Err(problem) => return refuse(problem),
    };
    match (request.method().clone(), token) {
        (Method::PUT, _) => match app.shared_streams.reserve(&session) {
            Ok(token) => Response::builder().status(StatusCode::CREATED).content_type("text/plain; charset=utf-8").body(token),
            Err(problem) => refuse(problem),
        },
        (Method::GET | Method::POST, _) if !accepts(&request) => refuse(Problem::NotAcceptable),
        (Method::GET, Some(token)) => match app.shared_streams.open(&token, &session) {
            Ok(opened) => respond(&session, shared_messages(opened)),
            Err(problem) => refuse(problem),
        },
        (Method::GET, None) => match read::query_of(&request, &app.http.cors) {
            Ok(asked) => distinct(session, asked).await,
            Err(problem) => refuse(problem),
        },
        (Method::POST, token) => match (read::body_of(&mut request, app.http.body_limit).await, token) {
            (Ok(asked), None) => distinct(session, asked).await,
            (Ok(asked), Some(token)) => add(&session, &token, asked).await,
            (Err(problem), _) => refuse(problem),
        },
        (Method::DELETE, Some(token)) => match operation_id(&request) {
            Some(operation) => match app.shared_streams.stop(&token, &session, &operation) {
                Ok(()) => StatusCode::OK.into_response(),
                Err(problem) => refuse(problem),
            },
            None => refuse(Problem::BadRequest("`operationId` of the query string is missing".into())),
        },
        (Method::DELETE, None) => refuse(Problem::UnknownStream),
        _ => refuse(Problem::MethodNotAllowed("GET, POST, PUT, DELETE")),
    }
}

/// Runs an operation on a shared stream; what it answers goes there.
async fn add(session: &Session, token: &str, asked: Asked) -> Response {
    let refuse = |problem: Problem| problem.response(Format::Json, &session.id.0);
    let Some(operation) = asked.operation_id.clone() else {
        return refuse(Problem::BadRequest(
            "`extensions.operationId` is missing; it tells the operations of a stream apart".into(),
        ));
    };
    let ready = match session.prepare(&asked).await {
        Ok(ready) => ready,
        Err(Refused::Problem(problem)) => return refuse(problem),
        Err(Refused::Answer(answer)) => {
            return Response::builder().status(StatusCode::BAD_REQUEST).content_type(Format::Json.content_type()).body(answer.body);
        }
    };
    match session.app.shared_streams.run(token, session, operation, ready) {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(problem) => refuse(problem),
    }
}

fn respond(session: &Session, messages: impl Stream<Item = Message> + Send + 'static) -> Response {
    let mut stopping = session.app.stopping.subscribe();
    let listener = session.clone();
    let ended = async move {
        tokio::select! {
            // A sender that is gone is a process that is, too.
            _ = async { stopping.wait_for(|stopping| *stopping).await.is_ok() } => {}
            () = listener.expired() => {}
        }
    };
    let events = SSE::new(messages.take_until(Box::pin(ended))).keep_alive(session.app.streams.keep_alive);
    let mut response = events.into_response();
    for (name, value) in [("cache-control", "no-store"), ("x-accel-buffering", "no")] {
        response.headers_mut().insert(name, poem::http::HeaderValue::from_static(value));
    }
    response
}

fn shared_messages(opened: Opened) -> impl Stream<Item = Message> + Send {
    stream::unfold(opened, |mut opened| async move { Some((opened.next().await?, opened)) })
}

fn next(body: &[u8]) -> Message {
    Message::message(String::from_utf8_lossy(body)).event_type("next")
}

/// The end of an operation with a stream of its own. Clients pass over messages without a line of data, so there is an empty one.
fn complete() -> Message {
    Message::message("\n").event_type("complete")
}

fn accepts(request: &Request) -> bool {
    let accept = request.header("accept");
    token(request).is_some() && *request.method() == Method::POST || negotiate::wants_events(accept)
}

fn token(request: &Request) -> Option<String> {
    let given = request.header(STREAM_TOKEN).map(str::to_owned);
    given.or_else(|| parameter(request, "token"))
}

fn operation_id(request: &Request) -> Option<String> {
    parameter(request, "operationId")
}

fn parameter(request: &Request, name: &str) -> Option<String> {
    let parameters: Vec<(String, String)> = request.params().ok()?;
    parameters.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}
