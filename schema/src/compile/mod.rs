//! The compiler's front door: a question in, statements out.

mod entities;
mod metrics;

pub use entities::{count, count_on, entities, entities_on, explain_entities, refresh_key};
pub use metrics::{explain, metrics, metrics_on};

use std::collections::BTreeSet;

use crate::{
    model::{EntityId, MetricId, Model},
    query::{Access, QueryError},
    sql::{Dialect, Statement},
    time::Grain,
};

/// On what terms questions are compiled. With the definitions and the question it is all that a compilation depends on: of an asker
/// nothing but what they may see gets into a statement.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// What the asker may see.
    pub access: &'a Access,
    /// The engine that is to run it.
    pub dialect: Dialect,
    /// Asked between stages, which are the longest pieces of work that cannot be left half done; its error ends the compilation.
    pub checkpoint: Checkpoint<'a>,
}

/// Says whether to go on.
pub type Checkpoint<'a> = &'a dyn Fn() -> Result<(), QueryError>;

impl<'a> Terms<'a> {
    /// Terms of somebody who waits for as long as it takes.
    pub fn unhurried(access: &'a Access, dialect: Dialect) -> Self {
        Self { access, dialect, checkpoint: &|| Ok(()) }
    }
}

/// Everything needed to run a metric question and to read its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledMetrics {
    /// The rows. Returns one more than the limit when there are more.
    pub rows: Statement,
    /// One row over everything, when asked for: the same question without group keys, having, order and limit.
    pub totals: Option<Statement>,
    /// What each column of `rows` is, in statement order.
    pub columns: Vec<ColumnRole>,
    /// What each column of `totals` is, in statement order.
    pub total_columns: Vec<ColumnRole>,
    /// Every entity that is scanned, sorted: what freshness and refresh keys are taken from.
    pub entities: Vec<EntityId>,
    /// The metrics asked for, in the question's order.
    pub metrics: Vec<MetricId>,
    /// Grain of the time key, when there is one: for labels and completeness of periods.
    pub time_grain: Option<Grain>,
    /// Name of the movement grain that was used, with the dimensions that refined it, such as `account × product`.
    pub movement_grain: Option<String>,
    /// Whether rows do not add up to totals: a member may count in several groups, or groups made the members of a movement finer.
    pub overlapping: bool,
    /// Names of the policies that were applied, sorted.
    pub policies: Vec<String>,
    /// The shortest declared time an answer may be reused, in seconds, over all entities scanned.
    pub ttl_seconds: Option<u64>,
}

/// What a column of a metric answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnRole {
    /// Part `part` of group key `by` (entities with composite keys have several parts).
    Group {
        /// Position in the question's `by`.
        by: usize,
        /// Position in the key.
        part: usize,
    },
    /// Value of a metric, by position in the question's `metrics`.
    Metric(usize),
    /// Its value in the comparison.
    Previous(usize),
    /// Why a metric's value is missing, as text: `NO_ROWS`, `NULL_INPUT`, `ZERO_DENOMINATOR`, `FILLED`, `IMMATURE`, `SUPPRESSED`,
    /// `NO_RATE`, `NOT_APPLICABLE`; null when it is not.
    Status(usize),
    /// Number of groups there are, the same in every row.
    RowCount,
}

/// Everything needed to run an entity question and to read its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledEntities {
    /// The rows: up to `page.limit + 1` (per parent); in reverse order when the page is backwards.
    pub rows: Statement,
    /// What each column is, in statement order.
    pub columns: Vec<EntityColumn>,
    /// Every entity that is scanned, sorted.
    pub entities: Vec<EntityId>,
    /// Names of the policies that were applied, sorted.
    pub policies: Vec<String>,
    /// The shortest declared time an answer may be reused, in seconds.
    pub ttl_seconds: Option<u64>,
}

/// What a column of an entity answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityColumn {
    /// Part of the key of the parent row, with `parents`.
    ParentKey(usize),
    /// Part of the row's own key.
    Key(usize),
    /// A dimension, by position in the question's `dimensions`.
    Dimension(usize),
    /// A value of the order, by position in `order_by`: for cursors.
    Order(usize),
}

/// The number of rows of an entity question, regardless of its page.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledCount {
    /// One row per parent (its key first) or one row; the last column is the count.
    pub rows: Statement,
    /// What is scanned and applied, as for rows.
    pub entities: Vec<EntityId>,
    /// Names of the policies that were applied, sorted.
    pub policies: Vec<String>,
    /// The shortest declared time an answer may be reused, in seconds.
    pub ttl_seconds: Option<u64>,
}

/// The shortest declared time an answer over these entities may be reused.
fn ttl_seconds(model: &Model, scanned: &BTreeSet<EntityId>) -> Option<u64> {
    scanned.iter().filter_map(|id| model.entity(*id).freshness.ttl_seconds).min()
}
