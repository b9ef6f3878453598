//! The port through which GraphQL asks for numbers and rows: the server answers it, tests answer it with fakes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use holdfast_schema::{
    compile::{CompiledCount, CompiledEntities, CompiledMetrics},
    model::Model,
    query::{Caller, EntityQuery, MetricQuery, QueryError},
    value::RowSet,
};
use jiff::Timestamp;

use crate::Planning;

/// What belongs to one request and is the same for all its questions.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Which request of this process it is.
    pub request: RequestId,
    /// The generation of definitions the request was validated against.
    pub model: Arc<Model>,
    /// Who asks.
    pub caller: Caller,
    /// The instant of the request; read from the clock once.
    pub now: Timestamp,
    /// Identifies the request in answers and logs. A client may choose it, so others may have the same.
    pub correlation_id: String,
    /// Whether the answer tells what it cost.
    pub shows_cost: bool,
    /// How long its planning has taken. A runner adds the time in which it compiles questions.
    pub planning: Planning,
}

/// Tells the requests of a process apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// One that no other request has.
    #[must_use]
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// Answers questions over one model and one warehouse.
#[async_trait::async_trait]
pub trait Runner: Send + Sync + 'static {
    /// Takes what an operation costs from what its caller may spend. Asked once per operation that costs anything, before any of the
    /// questions. `None` where callers may spend what they want.
    fn charge(&self, context: &RequestContext, cost: u64) -> Result<Option<Budget>, BudgetSpent> {
        let _ = (context, cost);
        Ok(None)
    }

    /// Answers a metric question.
    async fn metrics(&self, context: &RequestContext, query: &MetricQuery) -> Result<MetricAnswer, RunError>;

    /// Answers one level of an entity selection.
    async fn entities(&self, context: &RequestContext, query: &EntityQuery) -> Result<EntityAnswer, RunError>;

    /// Counts the rows of an entity question regardless of its page: per parent, in the order of `parents.keys`, or one number.
    async fn count(&self, context: &RequestContext, query: &EntityQuery) -> Result<CountAnswer, RunError>;

    /// The SQL of a metric question, for the catalogue and provenance. `None` when the server does not show SQL.
    fn explain(&self, context: &RequestContext, query: &MetricQuery) -> Result<Option<String>, RunError>;
}

/// What a caller may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Units that are left.
    pub remaining: u64,
    /// Units that come back each second.
    pub refill_per_second: u64,
}

/// A caller has not enough left for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{remaining} units of the budget are left")]
pub struct BudgetSpent {
    /// Units that are left.
    pub remaining: u64,
    /// When there will be enough, if nothing else is asked.
    pub retry_after: Duration,
}

/// Rows of a metric question.
#[derive(Debug, Clone)]
pub struct MetricAnswer {
    /// How to read the rows.
    pub plan: Arc<CompiledMetrics>,
    /// The rows, possibly one more than the limit.
    pub rows: Arc<RowSet>,
    /// The totals row, when asked for.
    pub totals: Option<Arc<RowSet>>,
    /// Where the answer comes from.
    pub provenance: Provenance,
}

/// Rows of an entity question.
#[derive(Debug, Clone)]
pub struct EntityAnswer {
    /// How to read the rows.
    pub plan: Arc<CompiledEntities>,
    /// The rows, possibly one more than the limit (per parent).
    pub rows: Arc<RowSet>,
    /// Where the answer comes from.
    pub provenance: Provenance,
}

/// Numbers of rows.
#[derive(Debug, Clone)]
pub struct CountAnswer {
    /// What was counted.
    pub plan: Arc<CompiledCount>,
    /// The numbers, in the order of the parents.
    pub counts: Vec<i64>,
    /// Where the answer comes from.
    pub provenance: Provenance,
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Digest of the statement and its values.
    pub statement: String,
    /// Fresh from the warehouse, or from the cache.
    pub cache: CacheState,
    /// How old the answer is.
    pub age: Duration,
    /// How long it may still be reused.
    pub max_age: Duration,
    /// Data version it was computed from, when the scanned entities declare a refresh key.
    pub data_version: Option<String>,
}

/// Whether an answer was reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheState {
    /// Reused.
    Hit,
    /// Computed for this request (or for another at the same moment).
    Miss,
    /// Not cached by setting.
    Bypass,
}

/// Why a question was not answered. Safe to show; details are in the log under the correlation id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The question itself is wrong.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The warehouse cannot be reached or refuses connections for now.
    #[error("the warehouse is not available")]
    WarehouseUnavailable,
    /// The statement ran longer than allowed and was stopped.
    #[error("the query took longer than {limit_ms} ms and was stopped")]
    Timeout {
        /// The limit.
        limit_ms: u64,
    },
    /// More rows or bytes than allowed.
    #[error("the result is larger than {limit}")]
    ResultTooLarge {
        /// The limit in words, such as `50000 rows`.
        limit: String,
    },
    /// Too many questions at once.
    #[error("too many queries are waiting for the warehouse")]
    Overloaded {
        /// When there may be room.
        retry_after: Duration,
    },
    /// A value of the question is none of the type that the warehouse compares it with. Where it is a key, no row has it.
    #[error(
        "a value is none that its column can hold, which takes values of a type of its own, such as UUIDs or the words of a list"
    )]
    Value,
    /// Values of the data that cannot be computed with, such as an overflow.
    #[error("the data could not be computed with: {0}")]
    Data(String),
    /// The definitions name a table or a column that is not there. Which one is for those who keep them.
    #[error("the definitions name a table or a column that the warehouse does not have")]
    Misfit,
    /// A bug of ours, or definitions that do not fit the warehouse in another way.
    #[error("the query could not be run")]
    Internal,
}
