//! Keeps answers of the warehouse, within bytes and time, and lets equal questions at the same moment share one run.
//!
//! It knows statements by their digests, not what they mean.

pub mod refresh;
mod runs;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use holdfast_schema::{sql::Statement, value::RowSet};
use holdfast_warehouse::Error;
use metrics::{counter, gauge};
use moka::Expiry;

use runs::Runs;

/// Memory an entry needs beside its key and values.
const OVERHEAD: usize = 256;

/// A statement and its digest, computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digested {
    /// What a warehouse runs.
    pub statement: Statement,
    /// [`Statement::digest`] of it.
    pub digest: String,
}

impl Digested {
    /// Computes the digest.
    pub fn new(statement: Statement) -> Self {
        let digest = statement.digest();
        Self { statement, digest }
    }
}

/// The cache.
pub struct Cache {
    /// `None` when switched off by setting.
    entries: Option<moka::future::Cache<Key, Entry>>,
    /// Answers that are being made.
    runs: Runs,
}

/// What an answer depends on. Equal keys have equal answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which warehouse.
    pub warehouse: Arc<str>,
    /// Digest of the statement's text and values.
    pub statement: String,
    /// Version of the data scanned, when the entities tell.
    pub data_version: Option<String>,
    /// Policies that were applied. Their conditions are part of the statement; this tells answers apart even if one were not.
    pub policies: Vec<String>,
}

/// An answer and where it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The rows.
    pub rows: Arc<RowSet>,
    /// How.
    pub state: State,
    /// How old they are.
    pub age: Duration,
    /// How long they may still be reused.
    pub max_age: Duration,
}

/// Whether an answer was reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was there before.
    Hit,
    /// It was computed now.
    Miss,
    /// It is not kept.
    Bypass,
}

#[derive(Clone)]
struct Entry {
    rows: Arc<RowSet>,
    made: Instant,
    lifetime: Duration,
}

impl Cache {
    /// A cache that holds so many bytes; 0 switches it off.
    pub fn new(most_bytes: usize) -> Self {
        let entries = (most_bytes > 0).then(|| {
            moka::future::Cache::builder()
                .max_capacity(most_bytes as u64)
                .weigher(|key: &Key, entry: &Entry| u32::try_from(weight(key, entry)).unwrap_or(u32::MAX))
                .expire_after(Lifetime)
                .build()
        });
        Self { entries, runs: Runs::default() }
    }

    /// The kept answer, or the one that `run` gives, kept for `lifetime`. Of equal questions at the same moment one runs, for all who
    /// ask: it goes on when its first asker goes away, and stops when the last one does. Errors are not kept.
    pub async fn get_or_run(
        &self,
        key: Key,
        lifetime: Duration,
        run: impl FnOnce() -> BoxFuture<'static, Result<RowSet, Error>>,
    ) -> Result<Found, Error> {
        let Some(entries) = self.entries.as_ref().filter(|_| !lifetime.is_zero()) else {
            counter!("holdfast_cache_bypasses_total").increment(1);
            let rows = Arc::new(run().await?);
            return Ok(Found { rows, state: State::Bypass, age: Duration::ZERO, max_age: Duration::ZERO });
        };
        let asked = Instant::now();
        let entry = match entries.get(&key).await {
            Some(entry) => entry,
            None => self.runs.join(&key, || make(entries.clone(), key.clone(), lifetime, run())).await?,
        };
        let state = if entry.made < asked { State::Hit } else { State::Miss };
        match state {
            State::Hit => counter!("holdfast_cache_hits_total").increment(1),
            State::Miss | State::Bypass => counter!("holdfast_cache_misses_total").increment(1),
        }
        gauge!("holdfast_cache_bytes").set(entries.weighted_size() as f64);
        let age = entry.made.elapsed();
        Ok(Found { rows: entry.rows, state, age, max_age: entry.lifetime.saturating_sub(age) })
    }
}

/// Makes an entry and keeps it.
fn make(
    entries: moka::future::Cache<Key, Entry>,
    key: Key,
    lifetime: Duration,
    run: BoxFuture<'static, Result<RowSet, Error>>,
) -> BoxFuture<'static, Result<Entry, Error>> {
    async move {
        // The run before this one may have ended since nothing was found.
        if let Some(entry) = entries.get(&key).await {
            return Ok(entry);
        }
        let entry = Entry { rows: Arc::new(run.await?), made: Instant::now(), lifetime };
        entries.insert(key, entry.clone()).await;
        Ok(entry)
    }
    .boxed()
}

fn weight(key: &Key, entry: &Entry) -> usize {
    let policies: usize = key.policies.iter().map(String::len).sum();
    OVERHEAD + key.statement.len() + policies + entry.rows.byte_size()
}

/// Each entry lives as long as it says.
struct Lifetime;

impl Expiry<Key, Entry> for Lifetime {
    fn expire_after_create(&self, _: &Key, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.lifetime)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::ready,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use futures_util::future::join_all;
    use holdfast_schema::value::Column;
    use tokio::time::sleep;

    use super::*;

    fn key(statement: &str) -> Key {
        Key { warehouse: "w".into(), statement: statement.into(), data_version: None, policies: Vec::new() }
    }

    fn rows(values: usize) -> RowSet {
        RowSet::new(vec!["n".into()], vec![Column::Int(vec![Some(1); values])])
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn equal_questions_at_once_run_once_and_later_ones_hit() {
        let (cache, runs) = (Cache::new(1 << 20), Arc::new(AtomicUsize::new(0)));
        let ask = || {
            let runs = Arc::clone(&runs);
            cache.get_or_run(key("a"), MINUTE, move || {
                async move {
                    runs.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(20)).await;
                    Ok(rows(3))
                }
                .boxed()
            })
        };
        let answers = join_all((0..10).map(|_| ask())).await;
        assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|found| found.state == State::Miss)));
        let later = ask().await.expect("it is kept");
        assert_eq!((later.state, runs.load(Ordering::Relaxed)), (State::Hit, 1));
        assert!(later.age >= Duration::ZERO && later.max_age <= MINUTE);
    }

    #[tokio::test]
    async fn errors_are_shared_and_not_kept() {
        let cache = Cache::new(1 << 20);
        let failed = cache.get_or_run(key("a"), MINUTE, || ready(Err(Error::Unavailable("down".into()))).boxed()).await;
        assert_eq!(failed.err(), Some(Error::Unavailable("down".into())));
        let found = cache.get_or_run(key("a"), MINUTE, || ready(Ok(rows(1))).boxed()).await.expect("it runs again");
        assert_eq!(found.state, State::Miss);
    }

    /// Counts itself away.
    struct Gone(Arc<AtomicUsize>);

    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn a_run_goes_on_while_anybody_waits_and_stops_when_nobody_does() {
        let cache = Arc::new(Cache::new(1 << 20));
        let (begun, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let ask = |name: &'static str, takes: Duration| {
            let (cache, begun, gone) = (Arc::clone(&cache), Arc::clone(&begun), Arc::clone(&stopped));
            tokio::spawn(async move {
                let run = || {
                    begun.fetch_add(1, Ordering::Relaxed);
                    let gone = Gone(gone);
                    async move {
                        sleep(takes).await;
                        std::mem::forget(gone);
                        Ok(rows(1))
                    }
                    .boxed()
                };
                cache.get_or_run(key(name), MINUTE, run).await.map(|found| found.state)
            })
        };
        let counts = || (begun.load(Ordering::Relaxed), stopped.load(Ordering::Relaxed));
        let first = ask("a", Duration::from_millis(60));
        sleep(Duration::from_millis(20)).await;
        let second = ask("a", MINUTE);
        sleep(Duration::from_millis(10)).await;
        first.abort();
        assert_eq!(second.await.expect("it ends"), Ok(State::Miss));
        assert_eq!(counts(), (1, 0), "what the first began went on for the second");
        let (one, other) = (ask("b", MINUTE), ask("b", MINUTE));
        sleep(Duration::from_millis(10)).await;
        assert_eq!(counts(), (2, 0));
        one.abort();
        sleep(Duration::from_millis(10)).await;
        assert_eq!(counts(), (2, 0), "one still waits");
        other.abort();
        sleep(Duration::from_millis(10)).await;
        assert_eq!(counts(), (2, 1), "nobody waits");
        assert!(cache.runs.is_empty());
        assert_eq!(ask("b", Duration::ZERO).await.expect("it ends"), Ok(State::Miss), "it begins anew");
        assert!(cache.runs.is_empty());
    }

    #[tokio::test]
    async fn policies_and_data_versions_part_answers_and_time_ends_them() {
        let cache = Cache::new(1 << 20);
        let ask = |key| cache.get_or_run(key, Duration::from_millis(40), || ready(Ok(rows(1))).boxed());
        ask(key("a")).await.expect("it runs");
        for other in [
            Key { policies: vec!["own_region".into()], ..key("a") },
            Key { data_version: Some("2".into()), ..key("a") },
            Key { warehouse: "v".into(), ..key("a") },
        ] {
            assert_eq!(ask(other).await.expect("it runs").state, State::Miss);
        }
        assert_eq!(ask(key("a")).await.expect("it is kept").state, State::Hit);
        sleep(Duration::from_millis(60)).await;
        assert_eq!(ask(key("a")).await.expect("it runs").state, State::Miss);
    }

    #[tokio::test]
    async fn bytes_are_bounded_and_zero_switches_off() {
        let cache = Cache::new(10_000);
        for n in 0..50 {
            cache.get_or_run(key(&n.to_string()), MINUTE, || ready(Ok(rows(100))).boxed()).await.expect("it runs");
        }
        let entries = cache.entries.as_ref().expect("it is on");
        entries.run_pending_tasks().await;
        assert!(entries.weighted_size() <= 10_000);
        let off = Cache::new(0).get_or_run(key("a"), MINUTE, || ready(Ok(rows(1))).boxed()).await.expect("it runs");
        assert_eq!(off.state, State::Bypass);
    }
}
