//! Question → statements that are ready to run, kept: the same question of the same caller over the same definitions is compiled
//! once.
//!
//! It holds no answers, and knows neither warehouse nor data.

use std::{hash::Hash, sync::Arc, time::Instant};

use holdfast_schema::{
    compile::{self, CompiledCount, CompiledEntities, CompiledMetrics},
    model::{EntityId, Model},
    query::{Caller, EntityQuery, MetricQuery, QueryError},
    sql::{Dialect, Param, Statement},
};
use metrics::{counter, histogram};
use moka::sync::Cache;

use crate::cache::Digested;

/// Memory an entry needs beside texts and values.
const OVERHEAD: usize = 1024;

/// Compiled questions of every kind.
pub(super) struct Compiled {
    dialect: Dialect,
    metrics: Kept<MetricQuery, CompiledMetrics>,
    entities: Kept<EntityQuery, CompiledEntities>,
    counts: Kept<EntityQuery, CompiledCount>,
}

/// A compiled question, with the digests of all statements that it may take to answer it.
pub(super) struct Ready<P> {
    /// How to read the rows.
    pub(super) plan: Arc<P>,
    /// The rows.
    pub(super) rows: Digested,
    /// The row over everything, when asked for.
    pub(super) totals: Option<Digested>,
    /// One per scanned entity that declares how its data's version is told.
    pub(super) refresh: Vec<Digested>,
}

impl Compiled {
    /// Keeps about so many bytes of each kind; 0 compiles every question anew.
    pub(super) fn new(dialect: Dialect, most_bytes: usize) -> Self {
        Self { dialect, metrics: Kept::new(most_bytes), entities: Kept::new(most_bytes), counts: Kept::new(most_bytes) }
    }

    /// Statements of a metric question.
    pub(super) fn metrics(
        &self,
        model: &Model,
        caller: &Caller,
        query: &MetricQuery,
    ) -> Result<Arc<Ready<CompiledMetrics>>, QueryError> {
        let compile = || {
            let plan = compile::metrics(model, query, caller, self.dialect)?;
            let refresh = self.refresh(model, &plan.entities);
            let (rows, totals) = (Digested::new(plan.rows.clone()), plan.totals.clone().map(Digested::new));
            Ok(Ready { plan: Arc::new(plan), rows, totals, refresh })
        };
        self.metrics.get_or_compile(Asked::new(model, caller, query), compile)
    }

    /// Statement of an entity question.
    pub(super) fn entities(
        &self,
        model: &Model,
        caller: &Caller,
        query: &EntityQuery,
    ) -> Result<Arc<Ready<CompiledEntities>>, QueryError> {
        let compile = || {
            let plan = compile::entities(model, query, caller, self.dialect)?;
            let refresh = self.refresh(model, &plan.entities);
            let rows = Digested::new(plan.rows.clone());
            Ok(Ready { plan: Arc::new(plan), rows, totals: None, refresh })
        };
        self.entities.get_or_compile(Asked::new(model, caller, query), compile)
    }

    /// Statement that counts the rows of an entity question.
    pub(super) fn count(
        &self,
        model: &Model,
        caller: &Caller,
        query: &EntityQuery,
    ) -> Result<Arc<Ready<CompiledCount>>, QueryError> {
        let compile = || {
            let plan = compile::count(model, query, caller, self.dialect)?;
            let refresh = self.refresh(model, &plan.entities);
            let rows = Digested::new(plan.rows.clone());
            Ok(Ready { plan: Arc::new(plan), rows, totals: None, refresh })
        };
        self.counts.get_or_compile(Asked::new(model, caller, query), compile)
    }

    fn refresh(&self, model: &Model, entities: &[EntityId]) -> Vec<Digested> {
        entities.iter().filter_map(|entity| compile::refresh_key(model, *entity, self.dialect)).map(Digested::new).collect()
    }
}

/// All that a compilation depends on beside the dialect. Compared in full: a digest of it could be made to collide, and what a
/// caller may see is in the statement.
#[derive(PartialEq, Eq, Hash)]
struct Asked<Q> {
    definitions: String,
    caller: Caller,
    query: Q,
}

impl<Q: Clone> Asked<Q> {
    fn new(model: &Model, caller: &Caller, query: &Q) -> Self {
        Self { definitions: model.fingerprint.clone(), caller: caller.clone(), query: query.clone() }
    }
}

/// Compiled questions of one kind.
struct Kept<Q, P> {
    /// `None` when switched off by setting.
    entries: Option<Cache<Asked<Q>, Arc<Ready<P>>>>,
}

impl<Q: Eq + Hash + Send + Sync + 'static, P: Send + Sync + 'static> Kept<Q, P> {
    fn new(most_bytes: usize) -> Self {
        let entries = (most_bytes > 0).then(|| {
            Cache::builder()
                .max_capacity(most_bytes as u64)
                .weigher(|_: &Asked<Q>, ready: &Arc<Ready<P>>| u32::try_from(weight(ready)).unwrap_or(u32::MAX))
                .build()
        });
        Self { entries }
    }

    /// What is kept for a question, or what `compile` makes of it. Errors are not kept.
    fn get_or_compile(
        &self,
        asked: Asked<Q>,
        compile: impl FnOnce() -> Result<Ready<P>, QueryError>,
    ) -> Result<Arc<Ready<P>>, QueryError> {
        if let Some(entries) = &self.entries
            && let Some(ready) = entries.get(&asked)
        {
            counter!("holdfast_compile_reuses_total").increment(1);
            return Ok(ready);
        }
        let started = Instant::now();
        let compiled = compile();
        histogram!("holdfast_compile_duration_seconds").record(started.elapsed().as_secs_f64());
        let ready = Arc::new(compiled?);
        if let Some(entries) = &self.entries {
            entries.insert(asked, Arc::clone(&ready));
        }
        Ok(ready)
    }
}

/// Values count twice: the question, which is the key, holds them too.
fn weight<P>(ready: &Ready<P>) -> usize {
    let statements = std::iter::once(&ready.rows).chain(&ready.totals).chain(&ready.refresh);
    OVERHEAD + statements.map(|digested| bytes(&digested.statement)).sum::<usize>()
}

fn bytes(statement: &Statement) -> usize {
    let values: usize = statement
        .params
        .iter()
        .map(|param| match param {
            Param::Text(text) | Param::Decimal(text) => text.len(),
            Param::Bool(_) | Param::Int(_) | Param::Date(_) | Param::Timestamp(_) => 0,
        })
        .sum();
    let params = statement.params.len() * size_of::<Param>();
    statement.sql.as_str().len() + 2 * (params + values)
}

#[cfg(test)]
mod tests {
    use holdfast_schema::{query::QueryErrorCode, sql::SqlText, value::Value};

    use super::*;

    fn asked(definitions: &str, subject: &str, query: u32) -> Asked<u32> {
        let caller = Caller { subject: subject.into(), ..Caller::default() };
        Asked { definitions: definitions.into(), caller, query }
    }

    fn ready(params: usize) -> Ready<u32> {
        let statement = Statement {
            sql: SqlText::fixed("SELECT 1"),
            params: vec![Param::Int(1); params],
            columns: Vec::new(),
            is_lookup: false,
        };
        Ready { plan: Arc::new(0), rows: Digested::new(statement), totals: None, refresh: Vec::new() }
    }

    fn is_kept(kept: &Kept<u32, u32>, asked: Asked<u32>) -> bool {
        let mut compiled = false;
        let compile = || {
            compiled = true;
            Ok(ready(0))
        };
        kept.get_or_compile(asked, compile).expect("it compiles");
        !compiled
    }

    #[test]
    fn definitions_caller_and_question_part_what_is_kept() {
        let kept = Kept::new(1 << 20);
        assert!(!is_kept(&kept, asked("a", "ann", 1)));
        assert!(is_kept(&kept, asked("a", "ann", 1)));
        for other in [asked("b", "ann", 1), asked("a", "bob", 1), asked("a", "ann", 2)] {
            assert!(!is_kept(&kept, other));
        }
        let mut claims = asked("a", "ann", 1);
        claims.caller.claims.insert("region".into(), vec![Value::Text("north".into())]);
        assert!(!is_kept(&kept, claims));
    }

    #[test]
    fn errors_are_not_kept_and_bytes_are_bounded() {
        let kept: Kept<u32, u32> = Kept::new(100_000);
        let error = QueryError::new(QueryErrorCode::NameNotFound, "no such thing");
        let failed = kept.get_or_compile(asked("a", "ann", 1), || Err(error));
        assert!(failed.is_err());
        assert!(!is_kept(&kept, asked("a", "ann", 1)));
        for query in 0..50 {
            kept.get_or_compile(asked("a", "ann", query), || Ok(ready(1000))).expect("it compiles");
        }
        let entries = kept.entries.as_ref().expect("it is on");
        entries.run_pending_tasks();
        assert!(entries.weighted_size() <= 100_000);
        let off = Kept::new(0);
        assert!(!is_kept(&off, asked("a", "ann", 1)));
        assert!(!is_kept(&off, asked("a", "ann", 1)));
    }
}
