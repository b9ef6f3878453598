//! What each caller may spend, in units of cost: a bucket that holds so much, and fills again at a steady rate.
//!
//! A bucket is remembered only until it is full again, because then it is like a new one, and of callers with names of their own
//! choice only so many are remembered: memory is bounded without a task that tidies up.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use holdfast_resolvers::{Budget, BudgetSpent};
use moka::sync::Cache;

/// Callers whose buckets are remembered. Those who asked least often are forgotten first, and begin with a full bucket.
const CALLERS: u64 = 20_000;

/// How long a bucket that is not asked for is remembered at most.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The buckets of all callers.
pub(super) struct Budgets {
    buckets: Cache<String, Arc<Mutex<Bucket>>>,
    size: u64,
    refill_per_second: u64,
}

/// One caller's bucket, as the instant at which it will be full if nothing more is taken.
#[derive(Debug)]
struct Bucket {
    full_at: Instant,
}

impl Budgets {
    /// Buckets that hold `size` units and get `refill_per_second` back.
    pub(super) fn new(size: u64, refill_per_second: u64) -> Self {
        let refill_per_second = refill_per_second.max(1);
        let until_full = time_of(size, refill_per_second).clamp(Duration::from_secs(1), LONGEST);
        let buckets = Cache::builder().max_capacity(CALLERS).time_to_idle(until_full).build();
        Self { buckets, size, refill_per_second }
    }

    /// Takes units from a caller's bucket; who has no name shares one with all others without.
    pub(super) fn take(&self, caller: &str, units: u64, now: Instant) -> Result<Budget, BudgetSpent> {
        let bucket = self.buckets.get_with_by_ref(caller, || Arc::new(Mutex::new(Bucket { full_at: now })));
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = bucket.full_at.saturating_duration_since(now);
        // What costs more than a bucket holds takes all of it, and is not refused for ever.
        let taken = missing + time_of(units.min(self.size), self.refill_per_second);
        let whole = time_of(self.size, self.refill_per_second);
        if taken > whole {
            return Err(BudgetSpent { remaining: self.left(missing), retry_after: taken - whole });
        }
        bucket.full_at = now + taken;
        Ok(Budget { remaining: self.left(taken), refill_per_second: self.refill_per_second })
    }

    /// Units in a bucket that is full again after a while.
    fn left(&self, missing: Duration) -> u64 {
        let missing = missing.as_nanos().saturating_mul(u128::from(self.refill_per_second)).div_ceil(1_000_000_000);
        self.size.saturating_sub(u64::try_from(missing).unwrap_or(u64::MAX))
    }
}

/// How long it takes until so many units are back.
fn time_of(units: u64, per_second: u64) -> Duration {
    let nanos = u128::from(units).saturating_mul(1_000_000_000) / u128::from(per_second);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_bucket_is_spent_and_fills_again_and_no_further_than_full() {
        let (budgets, start) = (Budgets::new(100, 10), Instant::now());
        assert_eq!(budgets.take("a", 70, start).map(|budget| budget.remaining), Ok(30));
        assert_eq!(budgets.take("a", 70, start), Err(BudgetSpent { remaining: 30, retry_after: 4 * SECOND }));
        assert_eq!(budgets.take("a", 70, start + 4 * SECOND).map(|budget| budget.remaining), Ok(0));
        assert_eq!(budgets.take("a", 100, start + 100 * SECOND).map(|budget| budget.remaining), Ok(0));
        assert_eq!(budgets.take("a", 1, start + 100 * SECOND).map_err(|spent| spent.remaining), Err(0));
    }

    #[test]
    fn callers_do_not_spend_what_is_others() {
        let (budgets, start) = (Budgets::new(10, 1), Instant::now());
        assert!(budgets.take("a", 10, start).is_ok());
        assert!(budgets.take("a", 1, start).is_err());
        assert!(budgets.take("b", 10, start).is_ok());
        assert!(budgets.take("", 10, start).is_ok(), "those without a name have one bucket");
        assert!(budgets.take("", 1, start).is_err());
    }

    #[test]
    fn what_costs_more_than_a_bucket_holds_waits_for_a_full_one() {
        let (budgets, start) = (Budgets::new(10, 1), Instant::now());
        assert_eq!(budgets.take("a", 1_000, start).map(|budget| budget.remaining), Ok(0));
        assert_eq!(budgets.take("a", 1_000, start).map_err(|spent| spent.retry_after), Err(10 * SECOND));
        assert!(budgets.take("a", u64::MAX, start + 10 * SECOND).is_ok());
    }

    #[test]
    fn many_names_are_not_remembered_for_ever() {
        let (budgets, start) = (Budgets::new(10, 1), Instant::now());
        for caller in 0..CALLERS + 2_000 {
            assert!(budgets.take(&caller.to_string(), 10, start).is_ok());
        }
        budgets.buckets.run_pending_tasks();
        assert!(budgets.buckets.entry_count() <= CALLERS);
    }
}
