//! A bounded queue before the warehouse: so many run, so many wait, the rest is turned away at once.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use metrics::counter;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::warehouse::Error;

/// The queue.
pub(super) struct Admission {
    turns: Semaphore,
    waiting: AtomicUsize,
    most_waiting: usize,
    longest_wait: Duration,
}

impl Admission {
    /// A queue for so many at once and so many waiting.
    pub(super) fn new(concurrency: usize, most_waiting: usize, longest_wait: Duration) -> Self {
        Self { turns: Semaphore::new(concurrency), waiting: AtomicUsize::new(0), most_waiting, longest_wait }
    }

    /// Waits for a turn, which lasts until the permit is dropped.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, Error> {
        if let Ok(turn) = self.turns.try_acquire() {
            return Ok(turn);
        }
        let Some(_place) = Place::take(&self.waiting, self.most_waiting) else {
            return Err(turned_away(Duration::ZERO));
        };
        match timeout(self.longest_wait, self.turns.acquire()).await {
            Ok(turn) => Ok(turn.expect("the semaphore is never closed")),
            Err(_) => Err(turned_away(self.longest_wait)),
        }
    }
}

fn turned_away(waited: Duration) -> Error {
    counter!("holdfast_admission_refusals_total").increment(1);
    Error::Overloaded { waited }
}

/// A place in the queue, given back when the waiting ends, however it ends.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let place = Place(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_queue_is_bounded_in_length_and_time_and_gives_places_back() {
        let admission = Admission::new(1, 1, Duration::from_millis(20));
        let first = admission.enter().await.expect("nobody is here");
        let (waited, refused) = tokio::join!(admission.enter(), admission.enter());
        assert_eq!(waited.err(), Some(Error::Overloaded { waited: Duration::from_millis(20) }));
        assert_eq!(refused.err(), Some(Error::Overloaded { waited: Duration::ZERO }));
        drop(first);
        assert!(admission.enter().await.is_ok());
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
    }
}
