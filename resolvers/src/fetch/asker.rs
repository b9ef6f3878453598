//! Questions of one request → the runner, equal ones once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use holdfast_schema::query::{EntityQuery, MetricQuery, QueryErrorCode};

use crate::{
    CacheSummary, RequestContext, Runner,
    error::Problem,
    runner::{CountAnswer, EntityAnswer, MetricAnswer, RunError},
};

type Answer<T> = Shared<BoxFuture<'static, Result<T, RunError>>>;

/// Asks the runner, each question once.
pub(crate) struct Asker {
    runner: Arc<dyn Runner>,
    context: Arc<RequestContext>,
    /// Whether statements may be shown: they name what they read.
    shows_sql: bool,
    metrics: Mutex<HashMap<MetricQuery, Answer<MetricAnswer>>>,
    entities: Mutex<HashMap<EntityQuery, Answer<EntityAnswer>>>,
    counts: Mutex<HashMap<EntityQuery, Answer<CountAnswer>>>,
    cache: Mutex<Option<CacheSummary>>,
}

impl Asker {
    /// Asks for one request.
    pub(crate) fn new(runner: Arc<dyn Runner>, context: Arc<RequestContext>, shows_sql: bool) -> Self {
        Self {
            runner,
            context,
            shows_sql,
            metrics: Mutex::default(),
            entities: Mutex::default(),
            counts: Mutex::default(),
            cache: Mutex::default(),
        }
    }

    /// How answers were reused so far.
    pub(crate) fn cache(&self) -> Option<CacheSummary> {
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The statement of a question, where it is shown. A question that cannot be asked, such as one that lacks a range, has none.
    pub(crate) fn explain(&self, query: &MetricQuery) -> Result<Option<String>, Problem> {
        if !self.shows_sql {
            return Ok(None);
        }
        match self.runner.explain(&self.context, query) {
            Err(RunError::Query(error)) if error.code != QueryErrorCode::PlanningTimeout => Ok(None),
            explained => explained.map_err(Problem::from),
        }
    }

    /// Rows of a metric question.
    pub(super) async fn metric_rows(&self, query: MetricQuery) -> Result<MetricAnswer, Problem> {
        let (runner, context) = (Arc::clone(&self.runner), Arc::clone(&self.context));
        let answer = once(&self.metrics, query, |query| async move { runner.metrics(&context, &query).await }.boxed()).await?;
        self.note(&answer.provenance, &answer.plan.policies);
        Ok(answer)
    }

    /// Rows of keys that a caller chose; `None` when one of them is no value of the column's type, so that no row can have it.
    pub(super) async fn rows_of_keys(&self, query: EntityQuery) -> Result<Option<EntityAnswer>, Problem> {
        match self.entity_answer(query).await {
            Ok(answer) => Ok(Some(answer)),
            Err(RunError::Value) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Rows of a level.
    pub(super) async fn entity_rows(&self, query: EntityQuery) -> Result<EntityAnswer, Problem> {
        Ok(self.entity_answer(query).await?)
    }

    async fn entity_answer(&self, query: EntityQuery) -> Result<EntityAnswer, RunError> {
        let (runner, context) = (Arc::clone(&self.runner), Arc::clone(&self.context));
        let answer = once(&self.entities, query, |query| async move { runner.entities(&context, &query).await }.boxed()).await?;
        self.note(&answer.provenance, &answer.plan.policies);
        Ok(answer)
    }

    /// Numbers of rows, per parent.
    pub(super) async fn count(&self, query: EntityQuery) -> Result<Vec<i64>, Problem> {
        let (runner, context) = (Arc::clone(&self.runner), Arc::clone(&self.context));
        let answer = once(&self.counts, query, |query| async move { runner.count(&context, &query).await }.boxed()).await?;
        self.note(&answer.provenance, &answer.plan.policies);
        Ok(answer.counts)
    }

    fn note(&self, provenance: &crate::Provenance, policies: &[String]) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        *cache = CacheSummary::merge(*cache, provenance, policies);
    }
}

async fn once<Q: Clone + Eq + Hash, T: Clone>(
    asked: &Mutex<HashMap<Q, Answer<T>>>,
    question: Q,
    ask: impl FnOnce(Q) -> BoxFuture<'static, Result<T, RunError>>,
) -> Result<T, RunError> {
    let answer = {
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        match asked.get(&question) {
            Some(answer) => answer.clone(),
            None => {
                let answer = ask(question.clone()).shared();
                asked.insert(question, answer.clone());
                answer
            }
        }
    };
    answer.await
}
