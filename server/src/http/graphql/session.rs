//! One caller's way to answers: the same for a request over HTTP, an event stream, and a socket.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_graphql::Request as GraphqlRequest;
use bytes::Bytes;
use futures_util::{
    FutureExt as _, Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use holdfast_resolvers::{Answer, Api, OperationKind, Prepared, RequestContext, RequestId};
use holdfast_schema::query::Caller;
use jiff::Timestamp;
use poem::Request;

use super::Asked;
use crate::{
    app::App,
    generation::Generation,
    http::{around::CorrelationId, caller::Proof, problem::Problem},
    identity,
    live::{self, Event},
    panics, stopwatch,
};

/// The header by which a client asks what its operation costs.
pub(in crate::http) const COST: &str = "x-holdfast-cost";

/// Whether a request asks what its operation costs.
pub(in crate::http) fn wants_cost(request: &Request) -> bool {
    request.header(COST).is_some_and(|wish| wish != "0" && wish != "false")
}

/// Who asks, and under which correlation id.
#[derive(Clone)]
pub(in crate::http) struct Session {
    /// What all requests share.
    pub(in crate::http) app: Arc<App>,
    /// Finds the request in the log.
    pub(in crate::http) id: CorrelationId,
    /// Who asks.
    pub(in crate::http) caller: Caller,
    proof: Proof,
    /// Whether answers tell what they cost.
    pub(in crate::http) shows_cost: bool,
}

/// Why an operation is not asked.
pub(in crate::http) enum Refused {
    /// There is no document.
    Problem(Problem),
    /// The document, or a variable, is wrong: the response to send.
    Answer(Answer),
}

/// An operation that can be asked.
pub(in crate::http) struct Ready {
    session: Session,
    generation: Arc<Generation>,
    api: Arc<Api>,
    request: GraphqlRequest,
    prepared: Prepared,
}

impl Session {
    /// A session of whoever sends a request.
    pub(in crate::http) async fn open(app: Arc<App>, request: &Request, id: &CorrelationId) -> Result<Self, Problem> {
        Self::of(app, Proof::of_headers(request.headers())?, wants_cost(request), id.clone()).await
    }

    /// A session of whoever has proved who they are.
    pub(in crate::http) async fn of(app: Arc<App>, proof: Proof, shows_cost: bool, id: CorrelationId) -> Result<Self, Problem> {
        let caller = proof.caller(&app.identity).await?;
        Ok(Self { app, id, caller, proof, shows_cost })
    }

    /// Whether nobody has said who they are: then everybody gets the same answers.
    pub(in crate::http) fn is_anonymous(&self) -> bool {
        self.proof.is_empty()
    }

    /// Looks again whether what once proved who asks still does; the error is why it does not.
    pub(in crate::http) async fn prove_again(&self) -> Result<(), Problem> {
        if self.proof.caller(&self.app.identity).await? == self.caller {
            return Ok(());
        }
        Err(Problem::Unauthenticated(identity::Refused::NotValid("they are somebody else's by now".to_owned())))
    }

    /// Resolves when what once proved who asks does so no more. It has to be waited for in one piece.
    pub(in crate::http) async fn expired(&self) {
        loop {
            tokio::time::sleep(self.app.streams.keep_alive).await;
            if self.prove_again().await.is_err() {
                return;
            }
        }
    }

    /// Finds and validates the document.
    pub(in crate::http) async fn prepare(&self, asked: &Asked) -> Result<Ready, Refused> {
        let generation = self.app.generation();
        let api = generation.api_of(&self.caller).await;
        let text = self
            .app
            .documents
            .text(&asked.reference, |name| api.saved_document(name))
            .map_err(|refusal| Refused::Problem(Problem::Document(refusal)))?;
        let request = asked.request(&text);
        let prepared = api.prepare(&request, &self.id.0).await.map_err(Refused::Answer)?;
        self.app.documents.register(&asked.reference);
        Ok(Ready { session: self.clone(), generation, api, request, prepared })
    }
}

impl Ready {
    /// What kind of operation it is.
    pub(in crate::http) fn kind(&self) -> OperationKind {
        self.prepared.kind()
    }

    /// Asks once.
    pub(in crate::http) async fn answer(self) -> Answer {
        let context = RequestContext {
            request: RequestId::next(),
            model: Arc::clone(&self.generation.model),
            caller: self.session.caller,
            now: Timestamp::now(),
            correlation_id: self.session.id.0,
            shows_cost: self.session.shows_cost,
            planning: stopwatch::planning(),
        };
        self.api.run(Arc::clone(&self.session.app.runner), context, &self.prepared).await
    }

    /// Asks again and again.
    pub(in crate::http) fn live(self) -> impl Stream<Item = Event> + Send {
        let Session { app, id, caller, .. } = self.session;
        let prepared = (self.generation, self.api, self.prepared);
        let changes = app.live.subscribe(&app, caller, id.0.clone(), self.request, prepared, body(&Problem::Timeout, &id));
        changes.map(move |change| change.unwrap_or_else(|live::Died| refusal(&Problem::Internal, &id)))
    }
}

/// Answers of an operation as they come, one for a query and any number for a subscription. Dropping the stream stops the work.
pub(in crate::http) fn events(session: Session, asked: Asked) -> BoxStream<'static, Event> {
    stream::once(async move {
        match guarded(&session.app, session.prepare(&asked)).await {
            Ok(Ok(ready)) => ready.events(),
            Ok(Err(Refused::Answer(answer))) => only(Event::Refused(answer.body)),
            Ok(Err(Refused::Problem(problem))) => only(refusal(&problem, &session.id)),
            Err(problem) => only(refusal(&problem, &session.id)),
        }
    })
    .flatten()
    .boxed()
}

impl Ready {
    /// Answers as they come.
    pub(in crate::http) fn events(self) -> BoxStream<'static, Event> {
        if self.kind() == OperationKind::Subscription {
            return self.live().boxed();
        }
        let (app, id) = (Arc::clone(&self.session.app), self.session.id.clone());
        let answer = async move {
            match guarded(&app, self.answer()).await {
                Ok(answer) => Event::Next(answer.body),
                Err(problem) => refusal(&problem, &id),
            }
        };
        stream::once(answer).boxed()
    }
}

/// A part of an operation on a stream, with the limits that a request over HTTP has around it.
async fn guarded<T>(app: &App, work: impl Future<Output = T>) -> Result<T, Problem> {
    match tokio::time::timeout(app.http.request_timeout, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(panic)) => {
            panics::note(panic.as_ref(), "operation");
            Err(Problem::Internal)
        }
        Err(_) => Err(Problem::Timeout),
    }
}

fn only(event: Event) -> BoxStream<'static, Event> {
    stream::once(std::future::ready(event)).boxed()
}

fn refusal(problem: &Problem, id: &CorrelationId) -> Event {
    Event::Refused(body(problem, id))
}

fn body(problem: &Problem, id: &CorrelationId) -> Bytes {
    serde_json::json!({ "errors": problem.errors(&id.0) }).to_string().into()
}
