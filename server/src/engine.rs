//! Answers questions: compiles them, looks into the cache, and lets the warehouse run what is not there.
//!
//! The one place that knows compiler, cache and warehouse, and where errors of the warehouse become what an asker may read.

mod admission;
mod budget;
mod compiled;
mod settings;
mod turns;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{FutureExt as _, future::BoxFuture};
use holdfast_resolvers::{
    Budget, BudgetSpent, CacheState, CountAnswer, EntityAnswer, MetricAnswer, Provenance, RequestContext, RequestId, RunError,
    Runner,
};
use holdfast_schema::{
    query::{EntityQuery, MetricQuery},
    value::{CellRef, RowSet, Value},
};
use holdfast_warehouse::{Error, Warehouse};
use metrics::{counter, gauge, histogram};
use tokio::sync::Notify;
use tracing::{Instrument as _, debug, info_span, warn};

pub use self::settings::Settings;
use self::{
    admission::Admission,
    budget::Budgets,
    compiled::{Compiled, Ready},
};
use crate::cache::{Cache, Digested, Found, Key, State, refresh::RefreshKeys};

/// The engine.
pub struct Engine {
    warehouse: Arc<dyn Warehouse>,
    identity: Arc<str>,
    compiled: Compiled,
    cache: Cache,
    refresh_keys: RefreshKeys,
    admission: Arc<Admission>,
    budgets: Option<Budgets>,
    settings: Settings,
    /// Told when the warehouse does not understand a statement.
    doubts: Arc<Notify>,
}

/// What the answers to all statements of a question have in common.
struct Scope<'a> {
    context: &'a RequestContext,
    data_version: Option<String>,
    policies: &'a [String],
    ttl_seconds: Option<u64>,
}

impl Engine {
    /// Puts an engine before a warehouse.
    pub fn new(warehouse: Arc<dyn Warehouse>, settings: Settings) -> Self {
        Self {
            identity: warehouse.identity().into(),
            compiled: Compiled::new(warehouse.dialect(), settings.compiled_bytes),
            cache: Cache::new(settings.cache_bytes),
            refresh_keys: RefreshKeys::new(settings.refresh_interval),
            admission: Arc::new(Admission::new(settings.concurrency, settings.queue, settings.queue_wait)),
            budgets: (settings.budget > 0).then(|| Budgets::new(settings.budget, settings.budget_refill)),
            warehouse,
            settings,
            doubts: Arc::default(),
        }
    }

    /// The warehouse behind.
    pub fn warehouse(&self) -> &dyn Warehouse {
        &*self.warehouse
    }

    /// Is told when the warehouse does not understand a statement: its tables may no longer be what the definitions say.
    pub fn doubts(&self) -> Arc<Notify> {
        Arc::clone(&self.doubts)
    }

    async fn scope<'a, P>(
        &self,
        context: &'a RequestContext,
        ready: &Ready<P>,
        policies: &'a [String],
        ttl_seconds: Option<u64>,
    ) -> Scope<'a> {
        let data_version = self.refresh_keys.version(&*self.warehouse, &ready.refresh).await;
        Scope { context, data_version, policies, ttl_seconds }
    }

    /// The answer to one statement, from the cache or the warehouse.
    async fn answer(&self, scope: &Scope<'_>, asked: &Digested) -> Result<Found, RunError> {
        let key = Key {
            warehouse: self.identity.clone(),
            statement: asked.digest.clone(),
            data_version: scope.data_version.clone(),
            policies: scope.policies.to_vec(),
        };
        let lifetime = scope.ttl_seconds.map_or(self.settings.default_ttl, std::time::Duration::from_secs);
        let found = self.cache.get_or_run(key, lifetime, || self.run(scope.context, asked)).await;
        found.map_err(|error| {
            // The definitions may not fit the tables any more.
            if matches!(error, Error::Misfit(_) | Error::Statement(_)) {
                self.doubts.notify_one();
            }
            explain_error(error, scope.context, &asked.digest, self.settings.queue_wait)
        })
    }

    /// Waits for a turn and runs. Others may wait for the same run: it is not its asker's alone.
    fn run(&self, context: &RequestContext, asked: &Digested) -> BoxFuture<'static, Result<RowSet, Error>> {
        let (admission, warehouse) = (Arc::clone(&self.admission), Arc::clone(&self.warehouse));
        let (request, caller) = (context.request, Arc::from(context.caller.subject.as_str()));
        run(admission, warehouse, (request, caller), asked.clone()).in_current_span().boxed()
    }

    async fn metric_answer(&self, context: &RequestContext, query: &MetricQuery) -> Result<MetricAnswer, RunError> {
        let ready = self.compiled.metrics(context, query)?;
        let plan = &ready.plan;
        let scope = self.scope(context, &ready, &plan.policies, plan.ttl_seconds).await;
        let totals = async {
            match &ready.totals {
                Some(totals) => self.answer(&scope, totals).await.map(Some),
                None => Ok(None),
            }
        };
        let (rows, totals) = tokio::try_join!(self.answer(&scope, &ready.rows), totals)?;
        let provenance = provenance(&ready.rows.digest, std::iter::once(&rows).chain(&totals), scope.data_version);
        Ok(MetricAnswer { plan: Arc::clone(plan), rows: rows.rows, totals: totals.map(|totals| totals.rows), provenance })
    }

    async fn entity_answer(&self, context: &RequestContext, query: &EntityQuery) -> Result<EntityAnswer, RunError> {
        let ready = self.compiled.entities(context, query)?;
        let plan = &ready.plan;
        let scope = self.scope(context, &ready, &plan.policies, plan.ttl_seconds).await;
        let rows = self.answer(&scope, &ready.rows).await?;
        let provenance = provenance(&ready.rows.digest, std::iter::once(&rows), scope.data_version);
        Ok(EntityAnswer { plan: Arc::clone(plan), rows: rows.rows, provenance })
    }
}

#[async_trait]
impl Runner for Engine {
    fn charge(&self, context: &RequestContext, cost: u64) -> Result<Option<Budget>, BudgetSpent> {
        histogram!("holdfast_operation_cost_units").record(cost as f64);
        let Some(budgets) = &self.budgets else { return Ok(None) };
        budgets.take(&context.caller.subject, cost, Instant::now()).map(Some).inspect_err(|_| {
            counter!("holdfast_budget_refusals_total").increment(1);
        })
    }

    async fn metrics(&self, context: &RequestContext, query: &MetricQuery) -> Result<MetricAnswer, RunError> {
        self.metric_answer(context, query).instrument(info_span!("metrics", metrics = query.metrics.len())).await
    }

    async fn entities(&self, context: &RequestContext, query: &EntityQuery) -> Result<EntityAnswer, RunError> {
        self.entity_answer(context, query).instrument(info_span!("entities", entity = query.entity)).await
    }

    async fn count(&self, context: &RequestContext, query: &EntityQuery) -> Result<CountAnswer, RunError> {
        let ready = self.compiled.count(context, query)?;
        let plan = &ready.plan;
        let scope = self.scope(context, &ready, &plan.policies, plan.ttl_seconds).await;
        let found = self.answer(&scope, &ready.rows).await?;
        let parents = query.parents.as_ref().map(|parents| parents.keys.as_slice());
        let provenance = provenance(&ready.rows.digest, std::iter::once(&found), scope.data_version);
        Ok(CountAnswer { plan: Arc::clone(plan), counts: counts(&found.rows, parents), provenance })
    }

    fn explain(&self, context: &RequestContext, query: &MetricQuery) -> Result<Option<String>, RunError> {
        if !self.settings.show_sql {
            return Ok(None);
        }
        let ready = self.compiled.metrics(context, query)?;
        Ok(Some(ready.rows.statement.sql.as_str().to_owned()))
    }
}

/// One statement of a request of a caller, from its place in the queue to its rows.
async fn run(
    admission: Arc<Admission>,
    warehouse: Arc<dyn Warehouse>,
    (request, caller): (RequestId, Arc<str>),
    asked: Digested,
) -> Result<RowSet, Error> {
    let Digested { statement, digest } = &asked;
    let _turn = admission.enter(request, &caller).await?;
    let started = Instant::now();
    let span = info_span!("statement", digest, dialect = warehouse.dialect().name(), lookup = statement.is_lookup);
    let result = warehouse.run(statement).instrument(span).await;
    let seconds = started.elapsed().as_secs_f64();
    histogram!("holdfast_statement_duration_seconds").record(seconds);
    match &result {
        Ok(rows) => {
            counter!("holdfast_statement_rows_total").increment(rows.row_count() as u64);
            debug!(digest, rows = rows.row_count(), duration_ms = seconds * 1e3, "statement ran");
        }
        Err(error) => counter!("holdfast_statement_errors_total", "kind" => kind(error)).increment(1),
    }
    let status = warehouse.status();
    gauge!("holdfast_warehouse_running").set(status.running as f64);
    gauge!("holdfast_warehouse_connections").set(status.connections as f64);
    result
}

/// Of several answers the oldest decides, and one that was computed now makes the whole not a hit.
fn provenance<'a>(statement: &str, found: impl Iterator<Item = &'a Found>, data_version: Option<String>) -> Provenance {
    let mut whole = Provenance {
        statement: statement.to_owned(),
        cache: CacheState::Hit,
        age: std::time::Duration::ZERO,
        max_age: std::time::Duration::MAX,
        data_version,
    };
    for part in found {
        whole.age = whole.age.max(part.age);
        whole.max_age = whole.max_age.min(part.max_age);
        whole.cache = match (part.state, whole.cache) {
            (State::Bypass, _) | (_, CacheState::Bypass) => CacheState::Bypass,
            (State::Miss, _) | (_, CacheState::Miss) => CacheState::Miss,
            (State::Hit, CacheState::Hit) => CacheState::Hit,
        };
    }
    whole
}

/// One number, or one per key of `parents` in that order: parents without rows have none in the result.
fn counts(rows: &RowSet, parents: Option<&[Vec<Value>]>) -> Vec<i64> {
    let last = rows.columns().len().saturating_sub(1);
    let count = |row| match rows.cell(row, last) {
        CellRef::Int(count) => count,
        _ => 0,
    };
    let Some(parents) = parents else {
        return vec![if rows.row_count() == 0 { 0 } else { count(0) }];
    };
    let by_key: std::collections::HashMap<Vec<Value>, i64> = (0..rows.row_count())
        .map(|row| ((0..last).map(|column| rows.cell(row, column).to_value()).collect(), count(row)))
        .collect();
    parents.iter().map(|key| by_key.get(key).copied().unwrap_or(0)).collect()
}

/// What an asker may read of a failure. The rest goes to the log, once, here.
fn explain_error(error: Error, context: &RequestContext, digest: &str, queue_wait: Duration) -> RunError {
    warn!(correlation_id = context.correlation_id, digest, kind = kind(&error), %error, "question not answered");
    match error {
        Error::Unavailable(_) | Error::Denied(_) => RunError::WarehouseUnavailable,
        Error::Timeout { limit } => RunError::Timeout { limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) },
        Error::ResultTooLarge { limit } => RunError::ResultTooLarge { limit },
        // Whoever waits now has been answered or turned away by then.
        Error::Overloaded { .. } => RunError::Overloaded { retry_after: queue_wait },
        Error::Value(_) => RunError::Value,
        Error::Data(_) => RunError::Data("a value is out of range, or no number".to_owned()),
        Error::Misfit(_) => RunError::Misfit,
        Error::Statement(_) | Error::Address(_) => RunError::Internal,
    }
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Unavailable(_) => "unavailable",
        Error::Denied(_) => "denied",
        Error::Timeout { .. } => "timeout",
        Error::ResultTooLarge { .. } => "too_large",
        Error::Overloaded { .. } => "overloaded",
        Error::Value(_) => "value",
        Error::Data(_) => "data",
        Error::Misfit(_) => "misfit",
        Error::Statement(_) => "statement",
        Error::Address(_) => "address",
    }
}

#[cfg(test)]
mod tests {
    use holdfast_schema::value::{Column, TextColumn};

    use super::*;

    #[test]
    fn parents_without_rows_count_zero_and_keep_their_place() {
        let mut keys = TextColumn::default();
        keys.push(Some("b"));
        keys.push(Some("a"));
        let rows = RowSet::new(vec!["k".into(), "n".into()], vec![Column::Text(keys), Column::Int(vec![Some(2), Some(1)])]);
        let key = |text: &str| vec![Value::Text(text.into())];
        assert_eq!(counts(&rows, Some(&[key("a"), key("x"), key("b")])), [1, 0, 2]);
    }

    #[test]
    fn a_whole_is_as_old_as_its_oldest_part_and_as_fresh_as_its_freshest_computation() {
        let part = |state, age, max_age| Found {
            rows: Arc::default(),
            state,
            age: std::time::Duration::from_secs(age),
            max_age: std::time::Duration::from_secs(max_age),
        };
        let parts = [part(State::Hit, 5, 55), part(State::Miss, 0, 60)];
        let whole = provenance("s", parts.iter(), None);
        assert_eq!((whole.cache, whole.age.as_secs(), whole.max_age.as_secs()), (CacheState::Miss, 5, 55));
    }
}
