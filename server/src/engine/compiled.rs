//! Question → statements that are ready to run, kept: the same question over the same definitions of callers who may see the same is
//! compiled once.
//!
//! It holds no answers, and knows neither warehouse nor data.

use std::{hash::Hash, sync::Arc, time::Instant};

use holdfast_resolvers::{Planning, RequestContext};
use holdfast_schema::{
    compile::{self, Checkpoint, CompiledCount, CompiledEntities, CompiledMetrics, Terms},
    model::{EntityId, Model},
    query::{Access, EntityQuery, MetricQuery, QueryError, QueryErrorCode},
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
    pub(super) fn metrics(&self, context: &RequestContext, query: &MetricQuery) -> Result<Arc<Ready<CompiledMetrics>>, QueryError> {
        let asked = Asked::new(context, query);
        self.metrics.get_or_compile(&context.planning, asked, |asked, checkpoint| {
            let plan = compile::metrics_on(self.terms(&asked.access, checkpoint), &context.model, &asked.query)?;
            let refresh = self.refresh(&context.model, &plan.entities);
            let (rows, totals) = (Digested::new(plan.rows.clone()), plan.totals.clone().map(Digested::new));
            Ok(Ready { plan: Arc::new(plan), rows, totals, refresh })
        })
    }

    /// Statement of an entity question.
    pub(super) fn entities(
        &self,
        context: &RequestContext,
        query: &EntityQuery,
    ) -> Result<Arc<Ready<CompiledEntities>>, QueryError> {
        let asked = Asked::new(context, query);
        self.entities.get_or_compile(&context.planning, asked, |asked, checkpoint| {
            let plan = compile::entities_on(self.terms(&asked.access, checkpoint), &context.model, &asked.query)?;
            let refresh = self.refresh(&context.model, &plan.entities);
            let rows = Digested::new(plan.rows.clone());
            Ok(Ready { plan: Arc::new(plan), rows, totals: None, refresh })
        })
    }

    /// Statement that counts the rows of an entity question.
    pub(super) fn count(&self, context: &RequestContext, query: &EntityQuery) -> Result<Arc<Ready<CompiledCount>>, QueryError> {
        let asked = Asked::new(context, query);
        self.counts.get_or_compile(&context.planning, asked, |asked, checkpoint| {
            let plan = compile::count_on(self.terms(&asked.access, checkpoint), &context.model, &asked.query)?;
            let refresh = self.refresh(&context.model, &plan.entities);
            let rows = Digested::new(plan.rows.clone());
            Ok(Ready { plan: Arc::new(plan), rows, totals: None, refresh })
        })
    }

    fn terms<'a>(&self, access: &'a Access, checkpoint: Checkpoint<'a>) -> Terms<'a> {
        Terms { access, dialect: self.dialect, checkpoint }
    }

    fn refresh(&self, model: &Model, entities: &[EntityId]) -> Vec<Digested> {
        entities.iter().filter_map(|entity| compile::refresh_key(model, *entity, self.dialect)).map(Digested::new).collect()
    }
}

/// All that a compilation depends on beside the dialect: of a caller that is what they may see, with the values of their claims that
/// conditions hold, and nothing else, because the compiler is given nothing else. Compared in full: a digest of it could be made to
/// collide, and what a caller may see is in the statement.
#[derive(PartialEq, Eq, Hash)]
struct Asked<Q> {
    definitions: String,
    access: Access,
    query: Q,
}

impl<Q: Clone> Asked<Q> {
    fn new(context: &RequestContext, query: &Q) -> Self {
        let RequestContext { model, caller, .. } = context;
        Self { definitions: model.fingerprint.clone(), access: Access::of(model, caller), query: query.clone() }
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

    /// What is kept for a question, or what `compile` makes of it while there is time. Errors are not kept.
    fn get_or_compile(
        &self,
        planning: &Planning,
        asked: Asked<Q>,
        compile: impl FnOnce(&Asked<Q>, Checkpoint<'_>) -> Result<Ready<P>, QueryError>,
    ) -> Result<Arc<Ready<P>>, QueryError> {
        if let Some(entries) = &self.entries
            && let Some(ready) = entries.get(&asked)
        {
            counter!("holdfast_compile_reuses_total").increment(1);
            return Ok(ready);
        }
        let started = Instant::now();
        let compiled = planning.spend(|checkpoint| compile(&asked, checkpoint)).inspect_err(|error: &QueryError| {
            if error.code == QueryErrorCode::PlanningTimeout {
                counter!("holdfast_planning_refusals_total").increment(1);
            }
        });
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
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        time::Duration,
    };

    use holdfast_resolvers::RequestId;
    use holdfast_schema::{
        load,
        query::{Caller, EntityMetrics, Page},
        source::SourceMap,
        sql::SqlText,
        value::Value,
    };
    use jiff::{Timestamp, civil::date};

    use super::*;

    fn asked(definitions: &str, policy: &str, query: u32) -> Asked<u32> {
        let access = Access { policies: vec![policy.into()], ..Access::default() };
        Asked { definitions: definitions.into(), access, query }
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
        let compile = |_: &Asked<u32>, _: Checkpoint<'_>| {
            compiled = true;
            Ok(ready(0))
        };
        kept.get_or_compile(&Planning::untimed(), asked, compile).expect("it compiles");
        !compiled
    }

    #[test]
    fn definitions_what_may_be_seen_and_question_part_what_is_kept() {
        let kept = Kept::new(1 << 20);
        assert!(!is_kept(&kept, asked("a", "own", 1)));
        assert!(is_kept(&kept, asked("a", "own", 1)));
        for other in [asked("b", "own", 1), asked("a", "team", 1), asked("a", "own", 2)] {
            assert!(!is_kept(&kept, other));
        }
    }

    const RESTRICTED: &str = "
project: p
version: 1
time_zone: UTC
---
entity: account
source: account
key: account_id
dimensions: {account_id: string, region: string, tier: string, owner: string, rank: int}
---
policies:
  own: {applies_to: account, rows: region in claims.regions}
  partner: {applies_to: account, roles: partner, rows: owner = claims.sub, hide: [tier], mask: [rank]}
";

    /// A compiler in front of definitions with policies, and what it is asked.
    struct Counter {
        compiled: Compiled,
        model: Arc<Model>,
        query: EntityQuery,
    }

    impl Counter {
        fn new() -> Self {
            let (model, diagnostics) = load(SourceMap::new([("test.yaml".to_owned(), RESTRICTED.to_owned())]));
            let model = model.unwrap_or_else(|| panic!("{diagnostics:?}"));
            let page = Page { limit: 10, offset: 0, after: None, before: None, backwards: false };
            let query = EntityQuery {
                entity: "account".into(),
                dimensions: vec!["region".into()],
                parents: None,
                filter: None,
                having: None,
                order_by: Vec::new(),
                metrics: EntityMetrics::default(),
                page,
                as_of: date(2025, 3, 15),
                as_known_at: None,
            };
            Self { compiled: Compiled::new(Dialect::Postgres, 1 << 20), model, query }
        }

        /// The statement of a caller.
        fn of(&self, caller: &Caller) -> Arc<Ready<CompiledEntities>> {
            let context = RequestContext {
                request: RequestId::next(),
                model: Arc::clone(&self.model),
                caller: caller.clone(),
                now: Timestamp::UNIX_EPOCH,
                correlation_id: String::new(),
                shows_cost: false,
                planning: Planning::untimed(),
            };
            self.compiled.entities(&context, &self.query).expect("it compiles")
        }
    }

    fn caller(subject: &str, roles: &[&str], claims: &[(&str, &[&str])]) -> Caller {
        let texts = |values: &[&str]| values.iter().map(|value| Value::Text((*value).to_owned())).collect();
        Caller {
            subject: subject.into(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            claims: claims.iter().map(|(name, values)| ((*name).to_owned(), texts(values))).collect(),
            today: date(2025, 3, 15),
        }
    }

    #[test]
    fn callers_who_may_see_the_same_share_a_statement() {
        let counter = Counter::new();
        let ann = counter.of(&caller("ann", &["csm"], &[("regions", &["emea"]), ("sub", &["ann"]), ("desk", &["7"])]));
        for same in [
            caller("bob", &["csm"], &[("regions", &["emea"]), ("sub", &["bob"])]),
            caller("eve", &["analyst", "csm"], &[("regions", &["emea"])]),
            caller("", &[], &[("regions", &["emea"])]),
        ] {
            assert!(Arc::ptr_eq(&ann, &counter.of(&same)), "{same:?}");
        }
    }

    /// Whatever callers share, their statement is what it would be if it were compiled for each by itself: texts and values.
    #[test]
    fn what_is_kept_is_what_each_caller_would_get_by_themselves() {
        let counter = Counter::new();
        let values: [&[&str]; 4] = [&[], &["emea"], &["apac"], &["emea", "apac"]];
        let mut callers = Vec::new();
        for regions in values {
            for (subject, roles) in
                [("ann", &["csm"][..]), ("ann", &["partner"]), ("bob", &["partner"]), ("bob", &["csm", "partner"])]
            {
                callers.push(caller(subject, roles, &[("regions", regions), ("sub", &[subject])]));
                callers.push(caller(subject, roles, &[("regions", regions)]));
            }
        }
        callers.push(caller("ann", &["csm"], &[]));
        callers.push(Caller { today: date(2025, 3, 16), ..caller("ann", &["csm"], &[("regions", &["emea"])]) });
        let mut found = Vec::new();
        for caller in callers.iter().chain(&callers) {
            let ready = counter.of(caller);
            let alone = compile::entities(&counter.model, &counter.query, caller, Dialect::Postgres).expect("it compiles");
            assert_eq!(*ready.plan, alone, "{caller:?}");
            assert_eq!(ready.rows.statement, alone.rows, "{caller:?}");
            found.push((Access::of(&counter.model, caller), ready));
        }
        for (access, ready) in &found {
            for (other, kept) in &found {
                assert_eq!(Arc::ptr_eq(ready, kept), access == other, "{access:?} and {other:?}");
            }
        }
    }

    #[test]
    fn time_for_planning_is_spent_on_what_is_not_kept_alone() {
        let kept = Kept::new(1 << 20);
        assert!(!is_kept(&kept, asked("a", "own", 1)));
        let hand = AtomicU64::new(0);
        let planning = Planning::timed(move || Duration::from_secs(hand.fetch_add(1, Ordering::Relaxed))).within(Duration::ZERO);
        let refused = |query, stages: usize| {
            let compile = |_: &Asked<u32>, checkpoint: Checkpoint<'_>| {
                (0..stages).try_for_each(|_| checkpoint())?;
                Ok(ready(0))
            };
            kept.get_or_compile(&planning, asked("a", "own", query), compile).err().map(|error| error.code)
        };
        assert_eq!(refused(2, 1), Some(QueryErrorCode::PlanningTimeout), "between stages");
        assert_eq!(refused(3, 0), Some(QueryErrorCode::PlanningTimeout), "before it begins");
        assert_eq!(refused(1, 9), None, "it is there");
        assert!(!is_kept(&kept, asked("a", "own", 2)) && !is_kept(&kept, asked("a", "own", 3)), "what was stopped is not kept");
    }

    #[test]
    fn errors_are_not_kept_and_bytes_are_bounded() {
        let kept: Kept<u32, u32> = Kept::new(100_000);
        let error = QueryError::new(QueryErrorCode::NameNotFound, "no such thing");
        let failed = kept.get_or_compile(&Planning::untimed(), asked("a", "own", 1), |_, _| Err(error));
        assert!(failed.is_err());
        assert!(!is_kept(&kept, asked("a", "own", 1)));
        for query in 0..50 {
            kept.get_or_compile(&Planning::untimed(), asked("a", "own", query), |_, _| Ok(ready(1000))).expect("it compiles");
        }
        let entries = kept.entries.as_ref().expect("it is on");
        entries.run_pending_tasks();
        assert!(entries.weighted_size() <= 100_000);
        let off = Kept::new(0);
        assert!(!is_kept(&off, asked("a", "own", 1)));
        assert!(!is_kept(&off, asked("a", "own", 1)));
    }
}
