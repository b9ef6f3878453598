//! What an engine may use.

use std::time::Duration;

/// Settings of an [`Engine`](super::Engine).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of kept answers; 0 keeps none.
    pub cache_bytes: usize,
    /// Bytes of kept statements, for each kind of question; 0 compiles every question anew.
    pub compiled_bytes: usize,
    /// How long an answer is kept when its entities do not say.
    pub default_ttl: Duration,
    /// How seldom refresh keys are asked for.
    pub refresh_interval: Duration,
    /// Statements that run at once.
    pub concurrency: usize,
    /// Requests that may wait for their turn.
    pub queue: usize,
    /// How long they wait.
    pub queue_wait: Duration,
    /// Units of cost that a caller may spend at once; 0 lets everybody spend what they want.
    pub budget: u64,
    /// Units that come back each second.
    pub budget_refill: u64,
    /// Whether [`Runner::explain`](holdfast_resolvers::Runner::explain) shows SQL.
    pub show_sql: bool,
}

impl Default for Settings {
    /// 256 MiB, three times 16 MiB, a minute, every 10 s; 16 at once, 256 waiting for 5 s; no budget; SQL is shown.
    fn default() -> Self {
        Self {
            cache_bytes: 256 << 20,
            compiled_bytes: 16 << 20,
            default_ttl: Duration::from_secs(60),
            refresh_interval: Duration::from_secs(10),
            concurrency: 16,
            queue: 256,
            queue_wait: Duration::from_secs(5),
            budget: 0,
            budget_refill: 0,
            show_sql: true,
        }
    }
}
