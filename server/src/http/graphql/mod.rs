//! GraphQL over HTTP: GET and POST → a request of the surface → bytes, status and headers.

pub(super) mod read;
mod session;
mod write;

use std::sync::Arc;

use holdfast_resolvers::OperationKind;
use poem::{Request, Response, http::Method};

use self::write::Reuse;
pub(super) use self::{
    read::{Asked, OWN_HEADERS},
    session::{COST, Ready, Refused, Session, events, wants_cost},
};
use super::{
    around::CorrelationId,
    negotiate::{self, Format},
    problem::Problem,
    sse, websocket,
};
use crate::app::App;

/// Answers a request to `/graphql`.
pub(super) async fn handle(app: Arc<App>, mut request: Request, id: &CorrelationId) -> Response {
    if websocket::is_upgrade(&request) {
        return websocket::open(app, &request, id).await;
    }
    let format = negotiate::format(request.header("accept"));
    // Some clients accept events with everything they ask: one answer is then JSON, with its status and validators.
    let takes_events = negotiate::wants_events(request.header("accept"));
    let takes_only_events = takes_events && format.is_none();
    let Some(format) = format.or(takes_events.then_some(Format::Json)) else {
        return Problem::NotAcceptable.response(Format::Json, &id.0);
    };
    // Before the body is read: who may not ask has nothing to send.
    let session = match Session::open(app, &request, id).await {
        Ok(session) => session,
        Err(problem) => return problem.response(format, &id.0),
    };
    let http = &session.app.http;
    // What is asked with HEAD is answered as with GET; the HTTP library keeps the body.
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    let asked = match *request.method() {
        Method::POST => read::body_of(&mut request, http.body_limit).await,
        Method::GET | Method::HEAD => read::query_of(&request, &http.cors),
        _ => Err(Problem::MethodNotAllowed("GET, HEAD, POST")),
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(problem) => return problem.response(format, &id.0),
    };
    if takes_only_events {
        return sse::distinct(session, asked).await;
    }
    let prepared = match session.prepare(&asked).await {
        Ok(prepared) => prepared,
        Err(Refused::Problem(problem)) => return problem.response(format, &id.0),
        Err(Refused::Answer(answer)) => return write::answer(answer, format, http.statuses, None),
    };
    match prepared.kind() {
        OperationKind::Mutation if is_get => Problem::MethodNotAllowed("POST").response(format, &id.0),
        OperationKind::Subscription if takes_events => sse::distinct(session, asked).await,
        OperationKind::Subscription => Problem::NeedsStream.response(format, &id.0),
        OperationKind::Query | OperationKind::Mutation => {
            let answer = prepared.answer().await;
            // What is left of a budget is not for caches.
            let is_reusable = is_get && !session.shows_cost;
            let reuse = is_reusable
                .then(|| Reuse { known: request.header("if-none-match").unwrap_or_default(), is_private: !session.is_anonymous() });
            write::answer(answer, format, http.statuses, reuse)
        }
    }
}
