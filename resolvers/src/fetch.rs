//! Plans → rows: every question of an operation, one per level and metric group, equal ones asked once, independent ones at the
//! same time.

mod asker;
mod signals;

pub(crate) use asker::Asker;
pub(crate) use signals::{Signal, Signals};

use std::{collections::HashMap, sync::Arc};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use holdfast_schema::{
    compile::{ColumnRole, EntityColumn},
    model::{EntityId, Model},
    query::{EntityMetrics, EntityQuery, Filter, MetricQuery, Page, Parents},
    value::{RowSet, Value},
};

use jiff::Timestamp;

use crate::{
    error::Problem,
    plan::{ChildKind, ConnectionPlan, KeyedPlan, MetricPlan, RootKind, RootPlan, RowsPlan},
    runner::{EntityAnswer, MetricAnswer},
};

/// The key of a row.
pub(crate) type Key = Vec<Value>;

/// Rows of one level with everything below them.
#[derive(Debug)]
pub(crate) struct Level {
    /// The rows; `None` when nothing but keys is shown.
    pub(crate) rows: Option<Arc<RowSet>>,
    /// Per dimension of the plan, the column.
    pub(crate) dimensions: Vec<usize>,
    /// Columns of order and key: what a cursor holds.
    pub(crate) cursor: Vec<usize>,
    /// The key of every row (or of every key that was asked for).
    pub(crate) keys: Vec<Key>,
    /// Rows by their key.
    pub(crate) by_key: HashMap<Key, usize>,
    /// Rows by the key of the row above, in order.
    pub(crate) windows: HashMap<Key, Window>,
    /// Levels below, as in the plan.
    pub(crate) children: Vec<Result<Child, Problem>>,
    /// Metrics of the rows, as in the plan.
    pub(crate) metrics: Vec<Result<MetricRows, Problem>>,
    /// Signals of the rows, as in the plan.
    pub(crate) signals: Vec<Result<Signals, Problem>>,
}

/// The rows of one page.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// Positions in the level, in the order they are shown.
    pub(crate) rows: Vec<usize>,
    /// Whether there is a row beyond the page.
    pub(crate) has_more: bool,
}

/// A level below another.
#[derive(Debug)]
pub(crate) struct Child {
    /// Its rows.
    pub(crate) level: Level,
    /// How many rows there are per row above, when counted.
    pub(crate) counts: Option<HashMap<Key, i64>>,
    /// Entities that keep no record of what was known when, where an earlier knowledge is asked for.
    pub(crate) as_known_now: Vec<EntityId>,
}

/// Metrics by the key of the entity.
#[derive(Debug)]
pub(crate) struct MetricRows {
    /// The answer.
    pub(crate) rows: Arc<RowSet>,
    /// Per metric of the question, the column.
    pub(crate) columns: Vec<usize>,
    /// Rows by key.
    pub(crate) by_key: HashMap<Key, usize>,
}

/// An answered metric view.
#[derive(Debug)]
pub(crate) struct MetricResult {
    /// The answer; `None` when nothing of it is shown.
    pub(crate) answer: Option<MetricAnswer>,
    /// The first row, when the page lies past the last one and the number of rows is wanted: every row tells it.
    pub(crate) first: Option<MetricAnswer>,
    /// The entities that are group keys, as in the plan.
    pub(crate) entities: Vec<Result<Level, Problem>>,
}

/// What a root field got.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// A metric view.
    Metrics(MetricResult),
    /// Rows by their keys.
    Keyed(Level),
    /// A page.
    Connection(Child),
    /// Rows of several entities.
    Nodes(Vec<Result<Level, Problem>>),
    /// Rules were evaluated.
    Signals(Signals),
    /// Nothing was asked.
    Nothing,
}

/// Asks everything that root fields need, at the same time.
pub(crate) async fn roots(asker: &Asker, model: &Model, plans: &[RootPlan<'_>]) -> Vec<Result<Fetched, Problem>> {
    join_all(plans.iter().map(|plan| root(asker, model, &plan.kind))).await
}

async fn root(asker: &Asker, model: &Model, kind: &RootKind) -> Result<Fetched, Problem> {
    Ok(match kind {
        RootKind::Metrics(plan) => Fetched::Metrics(metrics(asker, model, plan).await?),
        RootKind::One(plan) => Fetched::Keyed(keyed(asker, model, plan).await?),
        RootKind::Connection(plan) => Fetched::Connection(connection(asker, model, plan, None).await?),
        RootKind::Nodes { plans, .. } => Fetched::Nodes(join_all(plans.iter().map(|plan| keyed(asker, model, plan))).await),
        RootKind::Signals(plan) => Fetched::Signals(signals::all(asker, model, plan).await?),
        RootKind::Catalogue(_) | RootKind::Introspection => Fetched::Nothing,
        RootKind::Failed(problem) => return Err(problem.clone()),
    })
}

async fn metrics(asker: &Asker, model: &Model, plan: &MetricPlan) -> Result<MetricResult, Problem> {
    if !plan.wants_answer {
        return Ok(MetricResult { answer: None, first: None, entities: Vec::new() });
    }
    let answer = asker.metric_rows(plan.query.clone()).await?;
    let first = match plan.query.row_count && plan.query.offset > 0 && answer.rows.row_count() == 0 {
        true => {
            let first = MetricQuery { offset: 0, limit: Some(0), totals: false, order_by: Vec::new(), ..plan.query.clone() };
            Some(asker.metric_rows(first).await?)
        }
        false => None,
    };
    let levels = plan.entities.iter().map(|entity| {
        let columns = group_columns(&answer, entity.by);
        let keys = distinct((0..answer.rows.row_count()).filter_map(|row| key_of(&answer.rows, row, &columns)));
        async move {
            if entity.rows.dimensions.is_empty() {
                return Ok(below(asker, model, &entity.rows, level_of_keys(keys)).await);
            }
            by_keys(asker, model, &entity.rows, keys).await
        }
    });
    let entities = join_all(levels).await;
    Ok(MetricResult { answer: Some(answer), first, entities })
}

/// The columns of a group key.
pub(crate) fn group_columns(answer: &MetricAnswer, by: usize) -> Vec<usize> {
    let mut columns: Vec<(usize, usize)> = Vec::new();
    for (column, role) in answer.plan.columns.iter().enumerate() {
        match role {
            ColumnRole::Group { by: found, part } if *found == by => columns.push((*part, column)),
            ColumnRole::Group { .. }
            | ColumnRole::Metric(_)
            | ColumnRole::Previous(_)
            | ColumnRole::Status(_)
            | ColumnRole::RowCount => {}
        }
    }
    columns.sort_unstable();
    columns.into_iter().map(|(_, column)| column).collect()
}

/// The key in some columns of a row; `None` when a part is missing.
pub(crate) fn key_of(rows: &RowSet, row: usize, columns: &[usize]) -> Option<Key> {
    let key: Key = columns.iter().map(|column| rows.cell(row, *column).to_value()).collect();
    (!key.is_empty() && !key.contains(&Value::Null)).then_some(key)
}

fn distinct(keys: impl Iterator<Item = Key>) -> Vec<Key> {
    let mut seen = std::collections::HashSet::new();
    keys.filter(|key| seen.insert(key.clone())).collect()
}

async fn keyed(asker: &Asker, model: &Model, plan: &KeyedPlan) -> Result<Level, Problem> {
    if let Some(answer) = asker.rows_of_keys(plan.rows.keyed(model, plan.keys.clone())).await? {
        let level = level_of_rows(&answer, &plan.rows, usize::MAX, false);
        return Ok(below(asker, model, &plan.rows, level).await);
    }
    // One key of them is no value of its column; the others may have rows.
    let mut able = Vec::new();
    if plan.keys.len() > 1 {
        for key in &plan.keys {
            if asker.rows_of_keys(plan.rows.keyed(model, vec![key.clone()])).await?.is_some() {
                able.push(key.clone());
            }
        }
    }
    by_keys(asker, model, &plan.rows, able).await
}

async fn by_keys(asker: &Asker, model: &Model, plan: &RowsPlan, keys: Vec<Key>) -> Result<Level, Problem> {
    if keys.is_empty() {
        return Ok(below(asker, model, plan, level_of_keys(keys)).await);
    }
    let answer = asker.entity_rows(plan.keyed(model, keys)).await?;
    let level = level_of_rows(&answer, plan, usize::MAX, false);
    Ok(below(asker, model, plan, level).await)
}

/// A page of rows, with the parents when it is a level below.
async fn connection(asker: &Asker, model: &Model, plan: &ConnectionPlan, parents: Option<Parents>) -> Result<Child, Problem> {
    let question = EntityQuery { parents, ..plan.question(model) };
    let rows = async {
        if !plan.wants_rows {
            return Ok((level_of_keys(Vec::new()), Vec::new()));
        }
        let answer = asker.entity_rows(question.clone()).await?;
        let known_at = question.as_known_at.or(question.metrics.as_known_at);
        let as_known_now = as_known_now(model, known_at, &answer.plan.entities).collect();
        let limit = usize::try_from(plan.page.limit).unwrap_or(usize::MAX);
        let level = level_of_rows(&answer, &plan.rows, limit, plan.page.backwards);
        Ok::<_, Problem>((below(asker, model, &plan.rows, level).await, as_known_now))
    };
    let counts = async {
        if !plan.wants_count {
            return Ok(None);
        }
        // A count does not depend on the page: pages of one list share it.
        let page = Page { limit: 0, offset: 0, after: None, before: None, backwards: false };
        let metrics = if question.having.is_some() { question.metrics.clone() } else { EntityMetrics::default() };
        let counted = EntityQuery { page, order_by: Vec::new(), dimensions: Vec::new(), metrics, ..question.clone() };
        let counts = asker.count(counted).await?;
        let keys = match &question.parents {
            Some(parents) => parents.keys.clone(),
            None => vec![Vec::new()],
        };
        Ok::<_, Problem>(Some(keys.into_iter().zip(counts).collect()))
    };
    let (rows, counts) = futures_util::join!(rows, counts);
    let (level, as_known_now) = rows?;
    Ok(Child { level, counts: counts?, as_known_now })
}

/// Those of the entities read that cannot be read as they were known at an instant: they keep no record of when rows became known.
pub(crate) fn as_known_now<'m>(
    model: &'m Model,
    known_at: Option<Timestamp>,
    read: &'m [EntityId],
) -> impl Iterator<Item = EntityId> + 'm {
    read.iter().copied().filter(move |id| known_at.is_some() && model.entity(*id).recorded.is_none())
}

fn level_of_keys(keys: Vec<Key>) -> Level {
    Level {
        rows: None,
        dimensions: Vec::new(),
        cursor: Vec::new(),
        by_key: keys.iter().cloned().enumerate().map(|(row, key)| (key, row)).collect(),
        keys,
        windows: HashMap::new(),
        children: Vec::new(),
        metrics: Vec::new(),
        signals: Vec::new(),
    }
}

/// Reads the columns of an answer and cuts its pages: at most `limit` rows per parent, the one beyond only noted.
fn level_of_rows(answer: &EntityAnswer, plan: &RowsPlan, limit: usize, backwards: bool) -> Level {
    let (mut parents, mut key, mut order) = (Vec::new(), Vec::new(), Vec::new());
    let mut dimensions = vec![0; plan.dimensions.len()];
    for (column, role) in answer.plan.columns.iter().enumerate() {
        match role {
            EntityColumn::ParentKey(part) => parents.push((*part, column)),
            EntityColumn::Key(part) => key.push((*part, column)),
            EntityColumn::Order(part) => order.push((*part, column)),
            EntityColumn::Dimension(position) => {
                if let Some(slot) = dimensions.get_mut(*position) {
                    *slot = column;
                }
            }
        }
    }
    let sorted = |mut columns: Vec<(usize, usize)>| {
        columns.sort_unstable();
        columns.into_iter().map(|(_, column)| column).collect::<Vec<_>>()
    };
    let (parents, key, order) = (sorted(parents), sorted(key), sorted(order));
    let mut windows: HashMap<Key, Window> = HashMap::new();
    let mut keys = Vec::with_capacity(answer.rows.row_count());
    for row in 0..answer.rows.row_count() {
        let parent: Key = parents.iter().map(|column| answer.rows.cell(row, *column).to_value()).collect();
        keys.push(key.iter().map(|column| answer.rows.cell(row, *column).to_value()).collect::<Key>());
        let window = windows.entry(parent).or_default();
        if window.rows.len() < limit {
            window.rows.push(row);
        } else {
            window.has_more = true;
        }
    }
    if backwards {
        windows.values_mut().for_each(|window| window.rows.reverse());
    }
    Level {
        rows: Some(Arc::clone(&answer.rows)),
        dimensions,
        cursor: order.into_iter().chain(key).collect(),
        by_key: keys.iter().cloned().enumerate().map(|(row, key)| (key, row)).collect(),
        keys,
        windows,
        children: Vec::new(),
        metrics: Vec::new(),
        signals: Vec::new(),
    }
}

/// Asks for everything below the rows of a level.
fn below<'a>(asker: &'a Asker, model: &'a Model, plan: &'a RowsPlan, mut level: Level) -> BoxFuture<'a, Level> {
    async move {
        let mut shown: Vec<Key> = if level.windows.is_empty() {
            level.keys.clone()
        } else {
            distinct(level.windows.values().flat_map(|window| &window.rows).map(|row| level.keys[*row].clone()))
        };
        // The same rows in another order are the same question about what lies below.
        shown.sort_unstable();
        let entity = model.entity(plan.entity);
        let children = join_all(plan.children.iter().map(|child| {
            let parents = Parents {
                entity: entity.name.clone(),
                relationship: entity.relationships[child.relationship.index()].name.clone(),
                keys: shown.clone(),
            };
            level_below(asker, model, &child.kind, parents)
        }));
        let metrics =
            join_all(plan.metrics.iter().map(|group| entity_metrics(asker, plan.entity, model, &group.query, shown.clone())));
        let signals = join_all(plan.signals.iter().map(|plan| signals::of_rows(asker, model, plan, shown.clone())));
        let (children, metrics, signals) = futures_util::join!(children, metrics, signals);
        level.children = children;
        level.metrics = metrics;
        level.signals = signals;
        level
    }
    .boxed()
}

async fn level_below(asker: &Asker, model: &Model, kind: &ChildKind, parents: Parents) -> Result<Child, Problem> {
    if parents.keys.is_empty() {
        return Ok(Child { level: level_of_keys(Vec::new()), counts: None, as_known_now: Vec::new() });
    }
    match kind {
        ChildKind::Many(plan) => connection(asker, model, plan, Some(parents)).await,
        ChildKind::One(plan) => {
            let page = Page { limit: 1, offset: 0, after: None, before: None, backwards: false };
            let question = EntityQuery { parents: Some(parents), ..plan.question(model, page) };
            let answer = asker.entity_rows(question).await?;
            let level = level_of_rows(&answer, plan, 1, false);
            Ok(Child { level: below(asker, model, plan, level).await, counts: None, as_known_now: Vec::new() })
        }
    }
}

async fn entity_metrics(
    asker: &Asker,
    entity: EntityId,
    model: &Model,
    query: &MetricQuery,
    keys: Vec<Key>,
) -> Result<MetricRows, Problem> {
    if keys.is_empty() || query.metrics.is_empty() {
        return Ok(MetricRows { rows: Arc::default(), columns: Vec::new(), by_key: HashMap::new() });
    }
    let field = model.entity(entity).name.clone();
    let answer = asker.metric_rows(MetricQuery { filter: Some(Filter::KeyIn { field, keys }), ..query.clone() }).await?;
    let group = group_columns(&answer, 0);
    let by_key = (0..answer.rows.row_count()).filter_map(|row| Some((key_of(&answer.rows, row, &group)?, row))).collect();
    Ok(MetricRows { columns: metric_columns(&answer, query.metrics.len()), by_key, rows: answer.rows })
}

/// Per metric of a question, its column.
pub(crate) fn metric_columns(answer: &MetricAnswer, count: usize) -> Vec<usize> {
    let mut columns = vec![0; count];
    for (column, role) in answer.plan.columns.iter().enumerate() {
        if let ColumnRole::Metric(position) = role
            && let Some(slot) = columns.get_mut(*position)
        {
            *slot = column;
        }
    }
    columns
}
