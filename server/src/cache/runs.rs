//! Runs that several askers may wait for. A run goes on for as long as anybody waits for it, whoever began it, and stops when nobody
//! does.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};
use holdfast_warehouse::Error;

use super::{Entry, Key};

/// What comes of a run.
type Outcome = Result<Entry, Error>;

/// A run that is waited for.
pub(super) type Run = Shared<BoxFuture<'static, Outcome>>;

/// Everything that runs now.
#[derive(Default)]
pub(super) struct Runs {
    running: Arc<Mutex<Running>>,
    last: AtomicU64,
}

/// By key; each with a number, because another one may follow under the same key before the first has left.
type Running = HashMap<Key, (u64, WeakShared<BoxFuture<'static, Outcome>>)>;

impl Runs {
    /// The run of a key, begun when there is none.
    pub(super) fn join(&self, key: &Key, begin: impl FnOnce() -> BoxFuture<'static, Outcome>) -> Run {
        let mut running = lock(&self.running);
        if let Some(run) = running.get(key).and_then(|(_, run)| run.upgrade()) {
            return run;
        }
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let leaves = Leaves { running: Arc::clone(&self.running), key: key.clone(), number };
        let outcome = begin();
        let run = async move {
            let _leaves = leaves;
            outcome.await
        };
        let run = run.boxed().shared();
        running.insert(key.clone(), (number, run.downgrade().expect("nobody has waited for its end yet")));
        run
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.running).is_empty()
    }
}

/// Takes a run out of those that run, at its end or when nobody waits for it.
struct Leaves {
    running: Arc<Mutex<Running>>,
    key: Key,
    number: u64,
}

impl Drop for Leaves {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        if running.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            running.remove(&self.key);
        }
    }
}

fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
