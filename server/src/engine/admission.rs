//! A bounded queue before the warehouse: so many statements run, so many requests wait, the rest is turned away at once.
//!
//! The statements of one request wait for each other first, in a lane of their own: a request is never refused because of itself, and
//! one with many statements has no more of them in the common queue than can run at once.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use holdfast_resolvers::RequestId;
use holdfast_warehouse::Error;
use metrics::counter;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::timeout,
};

/// The queue.
pub(super) struct Admission {
    turns: Semaphore,
    concurrency: usize,
    /// Each with the number of statements in it.
    lanes: Mutex<HashMap<RequestId, (Arc<Lane>, usize)>>,
    waiting: AtomicUsize,
    most_waiting: usize,
    longest_wait: Duration,
}

/// What is known of one request while statements of it run or wait.
struct Lane {
    /// Statements that may run or stand in the common queue.
    turns: Arc<Semaphore>,
    /// Statements that stand in the common queue for the first turn of the request.
    queued: Mutex<usize>,
    /// Whether the request had its first turn: it then takes no place that others could wait in, and is not refused halfway.
    is_admitted: AtomicBool,
}

/// The right to run one statement, until it is dropped.
pub(super) struct Turn<'a> {
    _common: SemaphorePermit<'a>,
    _own: OwnedSemaphorePermit,
    _visit: Visit<'a>,
}

impl Admission {
    /// A queue for so many statements at once and so many requests waiting.
    pub(super) fn new(concurrency: usize, most_waiting: usize, longest_wait: Duration) -> Self {
        Self {
            turns: Semaphore::new(concurrency),
            concurrency,
            lanes: Mutex::default(),
            waiting: AtomicUsize::new(0),
            most_waiting,
            longest_wait,
        }
    }

    /// Waits for a turn: without a limit behind statements of the same request, which has a limit of its own; then so long and so far
    /// as the queue allows behind those of others.
    pub(super) async fn enter(&self, request: RequestId) -> Result<Turn<'_>, Error> {
        let visit = Visit::begin(self, request);
        let own = Arc::clone(&visit.lane.turns).acquire_owned().await.expect("the semaphore is never closed");
        let common = self.wait(&visit.lane).await?;
        Ok(Turn { _common: common, _own: own, _visit: visit })
    }

    async fn wait(&self, lane: &Lane) -> Result<SemaphorePermit<'_>, Error> {
        let turn = match self.turns.try_acquire() {
            Ok(turn) => turn,
            Err(_) => {
                let place = Place::take(self, lane);
                if place.is_none() && !lane.is_admitted.load(Ordering::Relaxed) {
                    return Err(turned_away(Duration::ZERO));
                }
                let turn = timeout(self.longest_wait, self.turns.acquire()).await.map_err(|_| turned_away(self.longest_wait))?;
                turn.expect("the semaphore is never closed")
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

/// One statement of a request, from its arrival to its end, however it ends. The last one takes the lane with it.
struct Visit<'a> {
    admission: &'a Admission,
    request: RequestId,
    lane: Arc<Lane>,
}

impl<'a> Visit<'a> {
    fn begin(admission: &'a Admission, request: RequestId) -> Self {
        let mut lanes = admission.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Lane {
            turns: Arc::new(Semaphore::new(admission.concurrency)),
            queued: Mutex::new(0),
            is_admitted: AtomicBool::new(false),
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
    waiting: &'a AtomicUsize,
    lane: &'a Lane,
}

impl<'a> Place<'a> {
    fn take(admission: &'a Admission, lane: &'a Lane) -> Option<Self> {
        if lane.is_admitted.load(Ordering::Relaxed) {
            return None;
        }
        let mut queued = lane.queued.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = &admission.waiting;
        if *queued == 0 && waiting.fetch_add(1, Ordering::Relaxed) >= admission.most_waiting {
            waiting.fetch_sub(1, Ordering::Relaxed);
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
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;

    /// Nothing is left behind.
    fn is_empty(admission: &Admission) -> bool {
        let lanes = admission.lanes.lock().expect("no test panics while it holds this");
        lanes.is_empty() && admission.waiting.load(Ordering::Relaxed) == 0
    }

    #[tokio::test]
    async fn the_queue_is_bounded_in_length_and_time_and_gives_places_back() {
        let admission = Admission::new(1, 1, Duration::from_millis(20));
        let first = admission.enter(RequestId::next()).await.expect("nobody is here");
        let (waited, refused) = tokio::join!(admission.enter(RequestId::next()), admission.enter(RequestId::next()));
        assert_eq!(waited.err(), Some(Error::Overloaded { waited: Duration::from_millis(20) }));
        assert_eq!(refused.err(), Some(Error::Overloaded { waited: Duration::ZERO }));
        drop(first);
        assert!(admission.enter(RequestId::next()).await.is_ok());
        assert!(is_empty(&admission));
    }

    /// Runs statements of a request for a while each, and tells how many at once at most.
    async fn run(admission: &Admission, request: RequestId, statements: usize) -> usize {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        join_all((0..statements).map(|_| async {
            let _turn = admission.enter(request).await.expect("a request is not refused because of itself");
            most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            sleep(Duration::from_millis(10)).await;
            running.fetch_sub(1, Ordering::Relaxed);
        }))
        .await;
        most.into_inner()
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
        let first = admission.enter(RequestId::next()).await.expect("nobody is here");
        assert!(timeout(Duration::from_millis(5), run(&admission, RequestId::next(), 3)).await.is_err());
        drop(first);
        assert!(is_empty(&admission));
    }
}
