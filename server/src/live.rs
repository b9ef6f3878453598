//! Live queries: one operation as a stream of answers, the first at once and another whenever the answer has changed.
//!
//! Answers are asked for at the pace at which they can change: the refresh keys' where data has one, or the time for which answers
//! are kept. Equal live queries of equal callers are one.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use async_graphql::Request;
use bytes::Bytes;
use futures_util::{FutureExt as _, Stream, stream};
use holdfast_resolvers::{Answer, Api, CacheState, Prepared, RequestContext, RequestId};
use holdfast_schema::query::Caller;
use jiff::Timestamp;
use tokio::{sync::watch, task::JoinHandle};

use crate::{app::App, generation::Generation, panics, stopwatch};

/// The shortest time between two looks at one live query.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Live queries that run.
pub struct Live {
    /// How often refresh keys are asked for.
    refresh_interval: Duration,
    watched: Mutex<HashMap<Question, Weak<Watched>>>,
}

/// What makes two live queries the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    caller: Caller,
    document: String,
    operation: Option<String>,
    variables: String,
}

/// What the watcher of a live query last found.
#[derive(Debug, Clone)]
enum State {
    /// Nothing yet.
    Asking,
    /// The newest answer.
    Answered(Bytes),
    /// The operation cannot be asked any more, because the definitions have changed; holds the response that says so.
    Refused(Bytes),
}

/// A live query and who keeps asking it; that ends with the last subscriber.
struct Watched {
    state: watch::Receiver<State>,
    asking: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

/// What a subscriber gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A whole answer.
    Next(Bytes),
    /// The last answer: why there will be no other.
    Refused(Bytes),
}

/// Nobody asks a live query any more, and nobody has said why: a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Died;

impl Live {
    /// No live queries yet.
    pub fn new(refresh_interval: Duration) -> Self {
        Self { refresh_interval, watched: Mutex::default() }
    }

    /// The number of different live queries that run.
    pub fn count(&self) -> usize {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|_, watched| watched.strong_count() > 0);
        watched.len()
    }

    /// Answers of an operation, which has been prepared by the generation that serves now, until the stream is dropped; `late` in place
    /// of one that takes longer than a request may.
    pub fn subscribe(
        &self,
        app: &Arc<App>,
        caller: Caller,
        correlation_id: String,
        request: Request,
        prepared: (Arc<Generation>, Arc<Api>, Prepared),
        late: Bytes,
    ) -> impl Stream<Item = Result<Event, Died>> + Send + use<> {
        let question = Question {
            caller: caller.clone(),
            document: request.query.clone(),
            operation: request.operation_name.clone(),
            variables: serde_json::to_string(&request.variables).expect("variables came as JSON"),
        };
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|_, watched| watched.strong_count() > 0);
        // What has ended is only held by those who have still to be told.
        let running = watched.get(&question).and_then(Weak::upgrade).filter(|found| !found.asking.is_finished());
        let found = running.unwrap_or_else(|| {
            let (sender, state) = watch::channel(State::Asking);
            let asker = Asker { app: Arc::clone(app), caller, correlation_id, request, pace: self.refresh_interval, late };
            let asking = async move {
                if let Err(panic) = AssertUnwindSafe(asker.run(prepared, sender)).catch_unwind().await {
                    panics::note(panic.as_ref(), "live query");
                }
            };
            let found = Arc::new(Watched { state, asking: tokio::spawn(asking) });
            watched.insert(question, Arc::downgrade(&found));
            found
        });
        drop(watched);
        events(found)
    }
}

/// The changes of what is watched, from the newest answer on.
fn events(watched: Arc<Watched>) -> impl Stream<Item = Result<Event, Died>> + Send {
    let mut state = watched.state.clone();
    state.mark_changed();
    stream::unfold(Some((watched, state)), |subscribed| async move {
        let (watched, mut state) = subscribed?;
        loop {
            if state.changed().await.is_err() {
                // Whoever asks says so before it ends.
                return Some((Err(Died), None));
            }
            let newest = state.borrow_and_update().clone();
            match newest {
                State::Asking => {}
                State::Answered(body) => return Some((Ok(Event::Next(body)), Some((watched, state)))),
                State::Refused(body) => return Some((Ok(Event::Refused(body)), None)),
            }
        }
    })
}

/// Asks one operation again and again.
struct Asker {
    app: Arc<App>,
    caller: Caller,
    /// The same for every answer, so that equal failures are equal answers.
    correlation_id: String,
    request: Request,
    pace: Duration,
    /// What is said of an answer that takes too long.
    late: Bytes,
}

impl Asker {
    async fn run(
        self,
        (mut generation, mut api, mut prepared): (Arc<Generation>, Arc<Api>, Prepared),
        state: watch::Sender<State>,
    ) {
        let mut last = Bytes::new();
        loop {
            let newest = self.app.generation();
            if !Arc::ptr_eq(&newest, &generation) {
                generation = newest;
                api = generation.api_of(&self.caller).await;
                prepared = match api.prepare(&self.request, &self.correlation_id).await {
                    Ok(prepared) => prepared,
                    Err(refused) => {
                        state.send_replace(State::Refused(refused.body));
                        return;
                    }
                };
            }
            let context = RequestContext {
                request: RequestId::next(),
                model: Arc::clone(&generation.model),
                caller: self.caller.clone(),
                now: Timestamp::now(),
                correlation_id: self.correlation_id.clone(),
                shows_cost: false,
                planning: stopwatch::planning(),
            };
            let asked = api.run(Arc::clone(&self.app.runner), context, &prepared);
            let (body, pause) = match tokio::time::timeout(self.app.http.request_timeout, asked).await {
                Ok(answer) => (answer.body.clone(), pause(&answer, self.pace)),
                Err(_) => (self.late.clone(), self.pace.max(SHORTEST_PAUSE)),
            };
            if body != last {
                last = body;
                state.send_replace(State::Answered(last.clone()));
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// How long an answer cannot have changed, as far as this server can know.
fn pause(answer: &Answer, refresh_interval: Duration) -> Duration {
    let pause = match answer.cache {
        Some(cache) if !cache.is_versioned && cache.state != CacheState::Bypass && !answer.had_errors => cache.max_age,
        Some(_) | None => refresh_interval,
    };
    pause.max(SHORTEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use holdfast_resolvers::CacheSummary;

    use super::*;

    #[test]
    fn answers_are_asked_for_as_often_as_they_can_change() {
        let refresh = Duration::from_secs(10);
        let answer = |cache: Option<(bool, CacheState, u64)>, had_errors| Answer {
            body: Bytes::new(),
            had_errors,
            is_request_error: false,
            is_unreadable: false,
            retry: None,
            cache: cache.map(|(is_versioned, state, max_age)| CacheSummary {
                state,
                age: Duration::ZERO,
                max_age: Duration::from_secs(max_age),
                is_versioned,
                is_restricted: false,
            }),
        };
        for (answer, seconds) in [
            (answer(Some((true, CacheState::Hit, 300)), false), 10),
            (answer(Some((false, CacheState::Hit, 300)), false), 300),
            (answer(Some((false, CacheState::Miss, 0)), false), 1),
            (answer(Some((false, CacheState::Bypass, 300)), false), 10),
            (answer(Some((false, CacheState::Hit, 300)), true), 10),
            (answer(None, false), 10),
        ] {
            assert_eq!(pause(&answer, refresh), Duration::from_secs(seconds), "{answer:?}");
        }
    }
}
