//! Asks entities for their refresh keys, seldom, and makes a data version of the answers: when it changes, kept answers are stale.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use holdfast_schema::{hex, sql::Statement};
use holdfast_warehouse::{Error, Warehouse};
use metrics::counter;
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::Digested;

/// Entities whose keys are remembered.
const MOST_KEYS: u64 = 10_000;

/// The newest refresh keys.
pub struct RefreshKeys {
    /// By the digest of the statement that asks; entries live as long as they need not be asked again.
    recent: moka::future::Cache<String, String>,
    /// What was last known, for when the warehouse does not answer: kept answers then go on serving until their time is over.
    last: Mutex<HashMap<String, String>>,
}

impl RefreshKeys {
    /// Asks each key at most once in `interval`.
    pub fn new(interval: Duration) -> Self {
        let recent = moka::future::Cache::builder().max_capacity(MOST_KEYS).time_to_live(interval).build();
        Self { recent, last: Mutex::default() }
    }

    /// The version of the data behind these keys; `None` when there are none, or nothing is known of one.
    pub async fn version(&self, warehouse: &dyn Warehouse, asked: &[Digested]) -> Option<String> {
        if asked.is_empty() {
            return None;
        }
        let keys = join_all(asked.iter().map(|asked| self.key(warehouse, asked))).await;
        let mut hash = Sha256::new();
        for key in keys {
            let key = key?;
            hash.update((key.len() as u64).to_le_bytes());
            hash.update(key.as_bytes());
        }
        Some(hex::digits(&hash.finalize()[..8]))
    }

    async fn key(&self, warehouse: &dyn Warehouse, asked: &Digested) -> Option<String> {
        let Digested { statement, digest } = asked;
        let key = self.recent.try_get_with_by_ref(digest, Box::pin(ask(warehouse, statement))).await;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match key {
            Ok(key) => {
                if last.get(digest) != Some(&key) {
                    last.insert(digest.clone(), key.clone());
                }
                Some(key)
            }
            Err(error) => {
                warn!(%error, "refresh key not answered");
                last.get(digest).cloned()
            }
        }
    }
}

async fn ask(warehouse: &dyn Warehouse, statement: &Statement) -> Result<String, Error> {
    counter!("holdfast_refresh_polls_total").increment(1);
    let rows = warehouse.run(statement).await?;
    Ok(if rows.row_count() == 0 { String::new() } else { rows.cell(0, 0).to_string() })
}
