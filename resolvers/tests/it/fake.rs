//! A small model, and a runner that records questions and compiles them, and answers from a few rules instead of a warehouse.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_graphql::Request;
use holdfast_resolvers::{
    Answer, Api, Budget, BudgetSpent, CacheState, CountAnswer, EntityAnswer, MetricAnswer, Planning, Provenance, RequestContext,
    RequestId, RunError, Runner, Settings,
};
use holdfast_schema::{
    compile::{self, ColumnRole, EntityColumn, Terms},
    load,
    model::{Entity, Model},
    query::{Access, Caller, EntityOrderKey, EntityQuery, Filter, GroupItem, MetricQuery, QueryError},
    source::SourceMap,
    sql::Dialect,
    value::{Column, RowSet, TextColumn, Value, ValueType},
};
use jiff::civil::date;

const FILES: [(&str, &str); 6] = [
    ("project.yaml", "project: acme\nversion: 1\ntime_zone: UTC\n"),
    (
        "account.yaml",
        "entity: account
description: One customer.
source: account
key: account_id
display: name
dimensions:
  name: string
  segment: {values: [enterprise, mid-market]}
  opened_on: {type: date}
relationships:
  contracts: {to: contract, many: true, key: account_id}
",
    ),
    (
        "contract.yaml",
        "entity: contract
source: contract
key: contract_id
dimensions:
  title: string
  seats: int
relationships:
  account: {to: account, key: account_id}
",
    ),
    (
        "revenue.yaml",
        "entity: revenue
source: revenue
key: [account_id, month]
time:
  month: {type: date, grain: month, snapshot: end_of_period}
relationships:
  account: {to: account, key: account_id}
measures:
  mrr: {sum: mrr, unit: currency/month, over_time: last}
  invoiced: {sum: invoiced, unit: currency}
movements:
  owner: account
  cohort: opened_on
  grains:
    account: [account]
",
    ),
    (
        "metrics.yaml",
        "metrics:
  mrr: {label: MRR, measure: revenue.mrr, description: Monthly recurring revenue.}
  invoiced: {measure: revenue.invoiced, deprecated: use mrr}
  opening_mrr: {movement: {of: revenue.mrr, take: opening}}
  contraction_mrr: {movement: {of: revenue.mrr, is: contraction}, direction: lower_is_better}
  contraction_rate: {ratio: contraction_mrr / opening_mrr, format: percent(1)}
  initial_mrr: {cohort: {of: revenue.mrr, take: opening}}
",
    ),
    (
        "views.yaml",
        "view: retention
metrics: [mrr, invoiced, opening_mrr, contraction_mrr, contraction_rate]
dimensions: [account, account.segment, account.opened_on]
---
view: vintages
metrics: [initial_mrr]
dimensions: [account.segment]
",
    ),
];

/// The model of the tests.
pub(crate) fn model() -> Arc<Model> {
    let files = FILES.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let (model, diagnostics) = load(SourceMap::new(files));
    model.unwrap_or_else(|| panic!("{:#?}", diagnostics.sorted()))
}

/// Its surface.
pub(crate) fn api(settings: Settings) -> Api {
    Api::new(model(), settings).unwrap_or_else(|wrong| panic!("{:#?}", wrong.sorted()))
}

/// What the runner was asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    Metrics(MetricQuery),
    Entities(EntityQuery),
    Count(EntityQuery),
}

/// A runner that records.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    pub(crate) asked: Mutex<Vec<Asked>>,
    /// Fails every question about metrics.
    pub(crate) metrics_fail: bool,
    /// Turns every question about metrics away.
    pub(crate) is_busy: bool,
    /// Callers may spend nothing.
    pub(crate) is_spent: bool,
    /// Answers with values that no definition declares.
    pub(crate) undeclared: bool,
}

impl Fake {
    fn note(&self, asked: Asked) {
        self.asked.lock().expect("no test panics while it notes").push(asked);
    }
}

/// Rows of a fake entity, each with the key of its parent: `A1`, `A2`, `A3`. Further parts of a key are constants of their type.
fn keys(query: &EntityQuery, entity: &Entity) -> Vec<(Vec<Value>, Vec<Value>)> {
    let row = |name: &str| {
        let types = entity.key.iter().map(|index| entity.dimensions[index.index()].value_type);
        types
            .map(|value_type| match value_type {
                ValueType::Text => Value::Text(name.to_owned()),
                ValueType::Date => Value::Date(date(2025, 1, 31)),
                _ => Value::Int(1),
            })
            .collect()
    };
    match (&query.parents, &query.filter) {
        (Some(parents), _) => {
            let per = if parents.relationship == "account" { 1 } else { 2 };
            let key = |parent: &[Value], n: usize| match &parent[0] {
                Value::Text(text) if per == 2 => row(&format!("{text}-C{n}")),
                Value::Text(text) => row(text.split('-').next().unwrap_or_default()),
                _ => row("?"),
            };
            parents.keys.iter().flat_map(|parent| (1..=per).map(move |n| (parent.clone(), key(parent, n)))).collect()
        }
        (None, Some(Filter::KeyIn { keys, .. })) => {
            keys.iter().filter(|key| key[0] != Value::Text("missing".to_owned())).map(|key| (Vec::new(), key.clone())).collect()
        }
        (None, _) => ["A1", "A2", "A3"].map(|name| (Vec::new(), row(name))).to_vec(),
    }
}

fn text_column<T: AsRef<str>>(values: impl Iterator<Item = Option<T>>) -> Column {
    let mut column = TextColumn::default();
    values.for_each(|value| column.push(value.as_ref().map(AsRef::as_ref)));
    Column::Text(column)
}

fn column_of<'a>(values: impl Iterator<Item = &'a Value>) -> Column {
    let values: Vec<_> = values.collect();
    let text = |value: &&Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    match values.first() {
        Some(Value::Date(_)) => Column::Date(vec![Some(date(2025, 1, 31)); values.len()]),
        Some(Value::Int(_)) => Column::Int(vec![Some(1); values.len()]),
        _ => text_column(values.iter().map(text)),
    }
}

fn decimal_column(values: impl Iterator<Item = Option<String>>) -> Column {
    match text_column(values) {
        Column::Text(column) => Column::Decimal(column),
        other => other,
    }
}

fn rows(columns: Vec<Column>) -> Arc<RowSet> {
    Arc::new(RowSet::new((0..columns.len()).map(|index| format!("c{index}")).collect(), columns))
}

fn provenance() -> Provenance {
    Provenance {
        statement: "digest".to_owned(),
        cache: CacheState::Miss,
        age: Duration::ZERO,
        max_age: Duration::from_secs(60),
        data_version: None,
    }
}

#[async_trait::async_trait]
impl Runner for Fake {
    fn charge(&self, _: &RequestContext, cost: u64) -> Result<Option<Budget>, BudgetSpent> {
        if self.is_spent {
            return Err(BudgetSpent { remaining: 3, retry_after: Duration::from_millis(1_200) });
        }
        Ok(Some(Budget { remaining: 1_000_u64.saturating_sub(cost), refill_per_second: 50 }))
    }

    async fn metrics(&self, context: &RequestContext, query: &MetricQuery) -> Result<MetricAnswer, RunError> {
        self.note(Asked::Metrics(query.clone()));
        if self.metrics_fail {
            return Err(RunError::WarehouseUnavailable);
        }
        if self.is_busy {
            return Err(RunError::Overloaded { retry_after: Duration::from_millis(2_500) });
        }
        let plan = compiled(context, |terms| compile::metrics_on(terms, &context.model, query))?;
        let groups = if query.by.is_empty() { 1 } else { 2 };
        let columns = plan.columns.iter().map(|role| match role {
            ColumnRole::Group { by, .. } => match &query.by[*by].item {
                GroupItem::Time { .. } => Column::Date(vec![Some(date(2025, 1, 1)), Some(date(2025, 2, 1))]),
                GroupItem::Cohort { .. } => Column::Date(vec![Some(date(2024, 1, 1)), Some(date(2024, 4, 1))]),
                GroupItem::Age(_) => Column::Int(vec![Some(6), Some(12)]),
                GroupItem::Dimension(name) if name == "segment" => text_column(["enterprise", "mid-market"].into_iter().map(Some)),
                GroupItem::Dimension(_) => text_column(["A1", "A2"].into_iter().map(Some)),
            },
            ColumnRole::Metric(position) => decimal_column((0..groups).map(|row| Some(format!("{}{row}.5", position + 1)))),
            ColumnRole::Previous(_) => decimal_column((0..groups).map(|row| (row > 0).then(|| "10".to_owned()))),
            ColumnRole::Status(_) => text_column((0..groups).map(|row| (row > 0).then_some("NO_ROWS"))),
            ColumnRole::RowCount => Column::Int(vec![Some(7); groups]),
        });
        let found = rows(columns.collect());
        let totals = plan.totals.as_ref().map(|_| {
            let columns = plan.total_columns.iter().map(|role| match role {
                ColumnRole::Metric(position) => decimal_column([Some(format!("{}00", position + 1))].into_iter()),
                _ => text_column([None::<&str>].into_iter()),
            });
            rows(columns.collect())
        });
        Ok(MetricAnswer { plan: Arc::new(plan), rows: found, totals, provenance: provenance() })
    }

    async fn entities(&self, context: &RequestContext, query: &EntityQuery) -> Result<EntityAnswer, RunError> {
        self.note(Asked::Entities(query.clone()));
        let plan = compiled(context, |terms| compile::entities_on(terms, &context.model, query))?;
        let entity =
            context.model.entity(context.model.entity_named(&query.entity).expect("the planner asks for entities that exist"));
        let found = keys(query, entity);
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        let columns = plan.columns.iter().map(|role| match role {
            EntityColumn::ParentKey(part) => column_of(found.iter().map(|(parent, _)| &parent[*part])),
            EntityColumn::Key(part) => column_of(found.iter().map(|(_, key)| &key[*part])),
            EntityColumn::Order(position) => match &query.order_by[*position].by {
                EntityOrderKey::Dimension(_) => text_column(found.iter().map(|(_, key)| Some(text(&key[0])))),
                // The last row has no metrics.
                EntityOrderKey::Metric(_) => {
                    decimal_column((1..=found.len()).map(|row| (row < found.len()).then(|| format!("{row}.5"))))
                }
            },
            EntityColumn::Dimension(position) => {
                let name = &query.dimensions[*position];
                let dimension = &entity.dimensions[entity.dimension_named(name).expect("it exists").index()];
                match dimension.value_type {
                    ValueType::Int => Column::Int(vec![Some(5); found.len()]),
                    ValueType::Date => Column::Date(vec![Some(date(2024, 5, 6)); found.len()]),
                    _ if !dimension.values.is_empty() => {
                        let value = if self.undeclared { "unheard of" } else { dimension.values[0].as_str() };
                        text_column(found.iter().map(|_| Some(value)))
                    }
                    _ => text_column(found.iter().map(|(_, key)| Some(format!("{name} of {}", text(&key[0]))))),
                }
            }
        });
        let rows = rows(columns.collect());
        Ok(EntityAnswer { plan: Arc::new(plan), rows, provenance: provenance() })
    }

    async fn count(&self, context: &RequestContext, query: &EntityQuery) -> Result<CountAnswer, RunError> {
        self.note(Asked::Count(query.clone()));
        let plan = compiled(context, |terms| compile::count_on(terms, &context.model, query))?;
        let counts = query.parents.as_ref().map_or(vec![3], |parents| vec![2; parents.keys.len()]);
        Ok(CountAnswer { plan: Arc::new(plan), counts, provenance: provenance() })
    }

    fn explain(&self, context: &RequestContext, query: &MetricQuery) -> Result<Option<String>, RunError> {
        compiled(context, |terms| compile::metrics_on(terms, &context.model, query))?;
        Ok(Some(format!("select {}", query.metrics.len())))
    }
}

/// Compiles for whoever asks, while there is time.
fn compiled<T>(context: &RequestContext, compile: impl FnOnce(Terms<'_>) -> Result<T, QueryError>) -> Result<T, QueryError> {
    let access = Access::of(&context.model, &context.caller);
    context.planning.spend(|checkpoint| compile(Terms { access: &access, dialect: Dialect::Postgres, checkpoint }))
}

/// Sends a request to the small model; the answer, and what the runner was asked.
pub(crate) fn send(settings: Settings, fake: Fake, request: Request) -> (Answer, serde_json::Value, Vec<Asked>) {
    let fake = Arc::new(fake);
    let (answer, body) = send_to(&api(settings), Arc::clone(&fake), request);
    let asked = fake.asked.lock().expect("no test panics while it notes").clone();
    (answer, body, asked)
}

/// Sends a request to any surface.
pub(crate) fn send_to(api: &Api, fake: Arc<Fake>, request: Request) -> (Answer, serde_json::Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let answer = runtime.block_on(api.execute(fake, context(api), request));
    let body = serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {:?}", answer.body));
    (answer, body)
}

/// A request of nobody in the middle of March 2025.
pub(crate) fn context(api: &Api) -> RequestContext {
    RequestContext {
        request: RequestId::next(),
        model: Arc::clone(api.model()),
        caller: Caller::default(),
        now: "2025-03-15T10:00:00Z".parse().expect("an instant"),
        correlation_id: "c-1".to_owned(),
        shows_cost: false,
        planning: Planning::untimed(),
    }
}
