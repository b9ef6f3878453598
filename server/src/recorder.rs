//! A runner that compiles questions and remembers them instead of running them: what `holdfast compile` shows.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use holdfast_resolvers::{CacheState, CountAnswer, EntityAnswer, MetricAnswer, Provenance, RequestContext, RunError, Runner};
use holdfast_schema::{
    compile::{self, CompiledCount, CompiledEntities, CompiledMetrics, Terms},
    query::{Access, EntityQuery, MetricQuery, QueryError},
    sql::{Dialect, Statement},
    value::{Column, RowSet},
};

/// A question with its statements.
#[derive(Debug, Clone)]
pub enum Question {
    /// About metrics.
    Metrics {
        /// As asked.
        query: MetricQuery,
        /// As compiled.
        plan: Arc<CompiledMetrics>,
    },
    /// About rows.
    Entities {
        /// As asked.
        query: EntityQuery,
        /// As compiled.
        plan: Arc<CompiledEntities>,
    },
    /// About the number of rows.
    Count {
        /// As asked.
        query: EntityQuery,
        /// As compiled.
        plan: Arc<CompiledCount>,
    },
}

/// The runner. Every answer is empty, so nested levels below the first are not asked for.
pub struct Recorder {
    dialect: Dialect,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl Recorder {
    /// A recorder that adds to `asked`.
    pub fn new(dialect: Dialect, asked: Arc<Mutex<Vec<Question>>>) -> Self {
        Self { dialect, asked }
    }

    fn compile<T>(
        &self,
        context: &RequestContext,
        compile: impl FnOnce(Terms<'_>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let access = Access::of(&context.model, &context.caller);
        context.planning.spend(|checkpoint| compile(Terms { access: &access, dialect: self.dialect, checkpoint }))
    }

    fn remember(&self, question: Question) {
        if let Ok(mut asked) = self.asked.lock() {
            asked.push(question);
        }
    }
}

#[async_trait::async_trait]
impl Runner for Recorder {
    async fn metrics(&self, context: &RequestContext, query: &MetricQuery) -> Result<MetricAnswer, RunError> {
        let plan = Arc::new(self.compile(context, |terms| compile::metrics_on(terms, &context.model, query))?);
        self.remember(Question::Metrics { query: query.clone(), plan: Arc::clone(&plan) });
        let totals = plan.totals.as_ref().map(empty);
        Ok(MetricAnswer { rows: empty(&plan.rows), totals, provenance: provenance(&plan.rows), plan })
    }

    async fn entities(&self, context: &RequestContext, query: &EntityQuery) -> Result<EntityAnswer, RunError> {
        let plan = Arc::new(self.compile(context, |terms| compile::entities_on(terms, &context.model, query))?);
        self.remember(Question::Entities { query: query.clone(), plan: Arc::clone(&plan) });
        Ok(EntityAnswer { rows: empty(&plan.rows), provenance: provenance(&plan.rows), plan })
    }

    async fn count(&self, context: &RequestContext, query: &EntityQuery) -> Result<CountAnswer, RunError> {
        let plan = Arc::new(self.compile(context, |terms| compile::count_on(terms, &context.model, query))?);
        self.remember(Question::Count { query: query.clone(), plan: Arc::clone(&plan) });
        let counts = vec![0; query.parents.as_ref().map_or(1, |parents| parents.keys.len())];
        Ok(CountAnswer { counts, provenance: provenance(&plan.rows), plan })
    }

    fn explain(&self, context: &RequestContext, query: &MetricQuery) -> Result<Option<String>, RunError> {
        let plan = self.compile(context, |terms| compile::metrics_on(terms, &context.model, query))?;
        Ok(Some(plan.rows.sql.as_str().to_owned()))
    }
}

fn empty(statement: &Statement) -> Arc<RowSet> {
    let names = statement.columns.iter().map(|column| column.name.clone()).collect();
    let columns = statement.columns.iter().map(|column| Column::empty(column.value_type)).collect();
    Arc::new(RowSet::new(names, columns))
}

fn provenance(statement: &Statement) -> Provenance {
    Provenance {
        statement: statement.digest(),
        cache: CacheState::Bypass,
        age: Duration::ZERO,
        max_age: Duration::ZERO,
        data_version: None,
    }
}
