//! A bounded queue before the warehouse: so many statements run, so many requests wait, the rest is turned away at once.
//!
//! The statements of one request wait for each other first, in a lane of their own: a request is never refused because of itself, and
//! one with many statements has no more of them in the common queue than can run at once. In the common queue turns go round by
//! caller, and when it is full, whoever has most in it makes room for those who have less.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use holdfast_resolvers::RequestId;
use holdfast_warehouse::Error;
use metrics::counter;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::turns::{self, Turns};

/// The queue.
pub(super) struct Admission {
    turns: Turns,
    concurrency: usize,
    /// Each with the number of statements in it.
    lanes: Mutex<HashMap<RequestId, (Arc<Lane>, usize)>>,
    waiting: Mutex<Waiting>,
    most_waiting: usize,
    longest_wait: Duration,
}

/// Requests that wait for their first turn.
#[derive(Default)]
struct Waiting {
    count: usize,
    /// By caller, in order of arrival.
    lanes: HashMap<Arc<str>, Vec<Arc<Lane>>>,
}

/// What is known of one request while statements of it run or wait.
struct Lane {
    caller: Arc<str>,
    /// Statements that may run or stand in the common queue.
    turns: Arc<Semaphore>,
    /// Statements that stand in the common queue for the first turn of the request.
    queued: Mutex<usize>,
    /// Whether the request had its first turn: it then takes no place that others could wait in, and is not refused halfway.
    is_admitted: AtomicBool,
    /// Whether it had to make room for another.
    is_turned_away: AtomicBool,
    turned_away: Notify,
}

/// The right to run one statement, until it is dropped.
pub(super) struct Turn<'a> {
    _common: turns::Turn,
    _own: OwnedSemaphorePermit,
    _visit: Visit<'a>,
}

impl Admission {
    /// A queue for so many statements at once and so many requests waiting.
    pub(super) fn new(concurrency: usize, most_waiting: usize, longest_wait: Duration) -> Self {
        Self {
            turns: Turns::new(concurrency),
            concurrency,
            lanes: Mutex::default(),
            waiting: Mutex::default(),
            most_waiting,
            longest_wait,
        }
    }

    /// Waits for a turn: without a limit behind statements of the same request, which has a limit of its own; then so long and so far
    /// as the queue allows behind those of others.
    pub(super) async fn enter(&self, request: RequestId, caller: &Arc<str>) -> Result<Turn<'_>, Error> {
        let visit = Visit::begin(self, request, caller);
        let own = Arc::clone(&visit.lane.turns).acquire_owned().await.expect("the semaphore is never closed");
        let common = self.wait(&visit.lane).await?;
        Ok(Turn { _common: common, _own: own, _visit: visit })
    }

    async fn wait(&self, lane: &Arc<Lane>) -> Result<turns::Turn, Error> {
        let turn = match self.turns.try_take() {
            Some(turn) => turn,
            None => {
                let place = Place::take(self, lane);
                if place.is_none() && !lane.is_admitted.load(Ordering::Relaxed) {
                    return Err(turned_away(Duration::ZERO));
                }
                tokio::select! {
                    biased;
                    turn = timeout(self.longest_wait, self.turns.take(&lane.caller)) => {
                        turn.map_err(|_| turned_away(self.longest_wait))?
                    }
                    () = lane.makes_room(), if place.is_some() => return Err(turned_away(Duration::ZERO)),
                }
            }
        };
        lane.is_admitted.store(true, Ordering::Relaxed);
        Ok(turn)
    }
}

fn turned_away(waited: Duration) -> Error {
    counter!("holdfast_admission_refusals_total").increment(1);
    Error::Overloaded { waited }
}

impl Lane {
    /// Resolves when the request has to make room.
    async fn makes_room(&self) {
        let news = self.turned_away.notified();
        if !self.is_turned_away.load(Ordering::Relaxed) {
            news.await;
        }
    }
}

impl Waiting {
    /// Adds a request, if there is room or can be made.
    fn add(&mut self, lane: &Arc<Lane>, most: usize) -> bool {
        if self.count >= most && !self.make_room(&lane.caller) {
            return false;
        }
        self.count += 1;
        self.lanes.entry(Arc::clone(&lane.caller)).or_default().push(Arc::clone(lane));
        true
    }

    /// Turns away the newest request of the caller who has most, if that is more than this one would have.
    fn make_room(&mut self, caller: &Arc<str>) -> bool {
        let own = self.lanes.get(caller).map_or(0, Vec::len);
        let Some((_, lanes)) = self.lanes.iter_mut().max_by_key(|(_, lanes)| lanes.len()) else { return false };
        if lanes.len() <= own + 1 {
            return false;
        }
        if let Some(lane) = lanes.pop() {
            self.count -= 1;
            lane.is_turned_away.store(true, Ordering::Relaxed);
            lane.turned_away.notify_waiters();
        }
        true
    }

    /// Takes a request out, unless it was turned away.
    fn remove(&mut self, lane: &Arc<Lane>) {
        let Some(lanes) = self.lanes.get_mut(&lane.caller) else { return };
        if let Some(position) = lanes.iter().position(|known| Arc::ptr_eq(known, lane)) {
            lanes.remove(position);
            self.count -= 1;
        }
        if lanes.is_empty() {
            self.lanes.remove(&lane.caller);
        }
    }
}

/// One statement of a request, from its arrival to its end, however it ends. The last one takes the lane with it.
struct Visit<'a> {
    admission: &'a Admission,
    request: RequestId,
    lane: Arc<Lane>,
}

impl<'a> Visit<'a> {
    fn begin(admission: &'a Admission, request: RequestId, caller: &Arc<str>) -> Self {
        let mut lanes = admission.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Lane {
            caller: Arc::clone(caller),
            turns: Arc::new(Semaphore::new(admission.concurrency)),
            queued: Mutex::new(0),
            is_admitted: AtomicBool::new(false),
            is_turned_away: AtomicBool::new(false),
            turned_away: Notify::new(),
        };
        let (lane, statements) = lanes.entry(request).or_insert_with(|| (Arc::new(new()), 0));
        *statements += 1;
        Self { admission, request, lane: Arc::clone(lane) }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut lanes = self.admission.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = lanes.entry(self.request) {
            let (_, statements) = entry.get_mut();
            *statements -= 1;
            if *statements == 0 {
                entry.remove();
            }
        }
    }
}

/// A place in the common queue. A request has one for all its statements until its first turn; it is given back when the last of
/// those that came for it stops waiting.
struct Place<'a> {
    waiting: &'a Mutex<Waiting>,
    lane: &'a Arc<Lane>,
}

impl<'a> Place<'a> {
    fn take(admission: &'a Admission, lane: &'a Arc<Lane>) -> Option<Self> {
        if lane.is_admitted.load(Ordering::Relaxed) {
            return None;
        }
        let mut queued = lane.queued.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = &admission.waiting;
        if *queued == 0 && !waiting.lock().unwrap_or_else(PoisonError::into_inner).add(lane, admission.most_waiting) {
            return None;
        }
        *queued += 1;
        Some(Place { waiting, lane })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut queued = self.lane.queued.lock().unwrap_or_else(PoisonError::into_inner);
        *queued -= 1;
        if *queued == 0 {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(self.lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::{FutureExt as _, future::join_all};
    use tokio::time::sleep;

    use super::*;

    fn nobody() -> Arc<str> {
        Arc::from("")
    }

    /// Nothing is left behind.
    fn is_empty(admission: &Admission) -> bool {
        let lanes = admission.lanes.lock().expect("no test panics while it holds this");
        let waiting = admission.waiting.lock().expect("no test panics while it holds this");
        lanes.is_empty() && waiting.count == 0 && waiting.lanes.is_empty() && admission.turns.is_empty()
    }

    #[tokio::test]
    async fn the_queue_is_bounded_in_length_and_time_and_gives_places_back() {
        let admission = Admission::new(1, 1, Duration::from_millis(20));
        let first = admission.enter(RequestId::next(), &nobody()).await.expect("nobody is here");
        let caller = nobody();
        let (waited, refused) =
            tokio::join!(admission.enter(RequestId::next(), &caller), admission.enter(RequestId::next(), &caller));
        assert_eq!(waited.err(), Some(Error::Overloaded { waited: Duration::from_millis(20) }));
        assert_eq!(refused.err(), Some(Error::Overloaded { waited: Duration::ZERO }));
        drop(first);
        assert!(admission.enter(RequestId::next(), &nobody()).await.is_ok());
        assert!(is_empty(&admission));
    }

    /// Runs statements of a request for a while each, and tells how many at once at most.
    async fn run_for(admission: &Admission, caller: &Arc<str>, request: RequestId, statements: usize) -> usize {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        join_all((0..statements).map(|_| async {
            let _turn = admission.enter(request, caller).await.expect("a request is not refused because of itself");
            most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            sleep(Duration::from_millis(10)).await;
            running.fetch_sub(1, Ordering::Relaxed);
        }))
        .await;
        most.into_inner()
    }

    async fn run(admission: &Admission, request: RequestId, statements: usize) -> usize {
        run_for(admission, &nobody(), request, statements).await
    }

    #[tokio::test]
    async fn a_request_waits_for_itself_as_long_as_it_takes_and_uses_all_there_is() {
        // Room for nobody who waits, and a wait shorter than all statements together.
        let admission = Admission::new(2, 0, Duration::from_millis(20));
        assert_eq!(run(&admission, RequestId::next(), 20).await, 2);
        assert!(is_empty(&admission));
    }

    #[tokio::test]
    async fn a_large_request_lets_a_small_one_through_before_it_ends() {
        let admission = Admission::new(2, 2, Duration::from_secs(5));
        let small_first = async {
            sleep(Duration::from_millis(5)).await;
            run(&admission, RequestId::next(), 1).await
        };
        tokio::select! {
            biased;
            _ = run(&admission, RequestId::next(), 20) => panic!("the small request waited for all of the large one"),
            _ = small_first => {}
        }
        assert!(is_empty(&admission));
    }

    #[tokio::test]
    async fn a_request_that_goes_away_while_it_waits_leaves_nothing() {
        let admission = Admission::new(1, 1, Duration::from_secs(5));
        let first = admission.enter(RequestId::next(), &nobody()).await.expect("nobody is here");
        assert!(timeout(Duration::from_millis(5), run(&admission, RequestId::next(), 3)).await.is_err());
        drop(first);
        assert!(is_empty(&admission));
    }

    #[tokio::test]
    async fn a_caller_with_many_requests_does_not_keep_others_waiting() {
        let admission = Admission::new(1, 256, Duration::from_secs(5));
        let (many, one): (Arc<str>, Arc<str>) = (Arc::from("many"), Arc::from("one"));
        let held = admission.enter(RequestId::next(), &many).await.expect("nobody is here");
        let order = Mutex::new(Vec::new());
        let ask = async |caller: &Arc<str>| {
            let _turn = admission.enter(RequestId::next(), caller).await.expect("there is room for all");
            order.lock().expect("no test panics while it holds this").push(caller.to_string());
            sleep(Duration::from_millis(1)).await;
        };
        let crowd = join_all((0..100).map(|_| ask(&many)));
        let late = async {
            sleep(Duration::from_millis(5)).await;
            let others = join_all((0..3).map(|_| ask(&one)));
            let release = async {
                sleep(Duration::from_millis(5)).await;
                drop(held);
            };
            tokio::join!(others, release)
        };
        tokio::join!(crowd, late);
        let order = order.into_inner().expect("nobody holds it");
        assert_eq!(order.len(), 103);
        assert_eq!(&order[..6], ["many", "one", "many", "one", "many", "one"]);
        assert!(is_empty(&admission));
    }

    #[tokio::test]
    async fn who_has_most_in_a_full_queue_makes_room() {
        let admission = Admission::new(1, 4, Duration::from_secs(5));
        let (many, few): (Arc<str>, Arc<str>) = (Arc::from("many"), Arc::from("few"));
        let held = admission.enter(RequestId::next(), &many).await.expect("nobody is here");
        let ask = |caller: &Arc<str>| {
            let (admission, caller) = (&admission, Arc::clone(caller));
            async move { admission.enter(RequestId::next(), &caller).await.map(|_turn| ()) }.boxed_local()
        };
        let overloaded = Err(Error::Overloaded { waited: Duration::ZERO });
        // Whether it has been decided, after everybody had a look.
        let mut crowd: Vec<_> = (0..4).map(|_| ask(&many)).collect();
        for waiting in &mut crowd {
            assert_eq!(waiting.as_mut().now_or_never(), None);
        }
        assert_eq!(ask(&many).await, overloaded, "it is full");
        let mut first = ask(&few);
        assert_eq!(first.as_mut().now_or_never(), None);
        assert_eq!(crowd.pop().expect("four").await, overloaded, "the newest of them makes room");
        let mut second = ask(&few);
        assert_eq!(second.as_mut().now_or_never(), None);
        assert_eq!(crowd.pop().expect("three").await, overloaded);
        assert_eq!(ask(&few).await, overloaded, "both have as much");
        drop(held);
        crowd.extend([first, second]);
        assert_eq!(join_all(crowd).await, vec![Ok(()); 4]);
        assert!(is_empty(&admission));
    }
}
