//! The time that planning one request takes, from its document to its statements, and the end of it.
//!
//! What is counted is our own work, piece by piece: waiting is not, nor what the warehouse makes of a statement. The clock comes from
//! whoever answers the request.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use holdfast_schema::{
    compile::Checkpoint,
    query::{QueryError, QueryErrorCode},
};

/// The planning of one request. Clones are of the same request.
#[derive(Clone)]
pub struct Planning {
    /// Absent where nobody minds how long it takes.
    clock: Option<Clock>,
    limit: Duration,
    /// Nanoseconds of the pieces that are done.
    spent: Arc<AtomicU64>,
}

/// Time since some instant, which never runs backwards.
type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

impl Planning {
    /// Planning that may take as long as the limits of the surface say, by a clock that tells the time since any instant.
    pub fn timed(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { clock: Some(Arc::new(clock)), ..Self::untimed() }
    }

    /// Planning that may take as long as it takes.
    #[must_use]
    pub fn untimed() -> Self {
        Self { clock: None, limit: Duration::MAX, spent: Arc::default() }
    }

    /// The same planning, within a limit.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Does a piece of planning, which may ask in between whether to go on. What a piece has done counts even when it is refused; a
    /// piece that is done within the limit, or that does not ask, is good.
    ///
    /// # Errors
    /// When there was no time left before it began; else its own.
    pub fn spend<T, E: From<QueryError>>(&self, piece: impl FnOnce(Checkpoint<'_>) -> Result<T, E>) -> Result<T, E> {
        let Some(clock) = &self.clock else { return piece(&|| Ok(())) };
        let before = Duration::from_nanos(self.spent.load(Ordering::Relaxed));
        self.check(before)?;
        let started = clock();
        let so_far = || before + clock().saturating_sub(started);
        let done = piece(&|| self.check(so_far()));
        self.spent.store(u64::try_from(so_far().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        done
    }

    fn check(&self, spent: Duration) -> Result<(), QueryError> {
        if spent <= self.limit {
            return Ok(());
        }
        let message = format!(
            "planning the operation took {} ms when it was stopped, and may take {} ms",
            spent.as_millis(),
            self.limit.as_millis()
        );
        Err(QueryError::new(QueryErrorCode::PlanningTimeout, message)
            .help("ask for less at once; what was planned is kept, so that the same operation gets further when it is sent again"))
    }
}

impl fmt::Debug for Planning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planning").field("limit", &self.limit).field("spent", &self.spent).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that a test turns on.
    fn turned() -> (Arc<AtomicU64>, Planning) {
        let hand = Arc::new(AtomicU64::new(7_000));
        let read = Arc::clone(&hand);
        let clock = move || Duration::from_millis(read.load(Ordering::Relaxed));
        (hand, Planning::timed(clock).within(Duration::from_millis(250)))
    }

    fn code(result: Result<(), QueryError>) -> Option<QueryErrorCode> {
        result.err().map(|error| error.code)
    }

    #[test]
    fn pieces_add_up_and_waiting_between_them_does_not_count() {
        let (hand, planning) = turned();
        let work = |ms| {
            let hand = Arc::clone(&hand);
            planning.clone().spend(move |_| {
                hand.fetch_add(ms, Ordering::Relaxed);
                Ok(())
            })
        };
        assert_eq!(code(work(200)), None);
        hand.fetch_add(60_000, Ordering::Relaxed);
        assert_eq!(code(work(50)), None, "250 of 250 ms");
        assert_eq!(code(work(1)), None, "what is done is good");
        assert_eq!(code(work(0)), Some(QueryErrorCode::PlanningTimeout));
    }

    #[test]
    fn a_piece_that_asks_is_stopped_in_the_middle_and_its_time_counts() {
        let (hand, planning) = turned();
        let mut stages = 0;
        let done: Result<(), QueryError> = planning.spend(|checkpoint| {
            for _ in 0..4 {
                hand.fetch_add(100, Ordering::Relaxed);
                checkpoint()?;
                stages += 1;
            }
            Ok(())
        });
        let error = done.expect_err("400 ms are too long");
        assert_eq!((stages, error.code), (2, QueryErrorCode::PlanningTimeout));
        assert_eq!(error.message, "planning the operation took 300 ms when it was stopped, and may take 250 ms");
        assert!(error.help.is_some());
        assert_eq!(code(planning.spend(|_| Ok(()))), Some(QueryErrorCode::PlanningTimeout));
    }

    #[test]
    fn whoever_has_no_clock_has_no_limit() {
        let planning = Planning::untimed().within(Duration::ZERO);
        assert_eq!(code(planning.spend(|checkpoint| checkpoint())), None);
    }
}
