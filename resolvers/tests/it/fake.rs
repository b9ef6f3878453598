//! A small model, and a runner that records questions and answers them from a few rules instead of a warehouse.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use holdfast_resolvers::{
    Answer, Api, CacheState, EntityAnswer, MetricAnswer, Provenance, RequestContext, RunError, Runner, Settings,
};
use holdfast_schema::{
    compile::{ColumnRole, CompiledEntities, CompiledMetrics, EntityColumn},
    load,
    model::Model,
    query::{Caller, EntityQuery, Filter, GroupItem, MetricQuery},
    source::SourceMap,
    sql::{SqlText, Statement},
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
",
    ),
    (
        "views.yaml",
        "view: retention
metrics: [mrr, invoiced, opening_mrr, contraction_mrr, contraction_rate]
dimensions: [account, account.segment, account.opened_on]
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
}

impl Fake {
    fn note(&self, asked: Asked) {
        self.asked.lock().expect("no test panics while it notes").push(asked);
    }
}

/// Rows of a fake entity: `A1`, `A2`, `A3`.
fn keys(query: &EntityQuery) -> Vec<(Vec<Value>, Vec<Value>)> {
    let row = |name: &str| vec![Value::Text(name.to_owned())];
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

fn text_column(values: impl Iterator<Item = Option<String>>) -> Column {
    let mut column = TextColumn::default();
    values.for_each(|value| column.push(value.as_deref()));
    Column::Text(column)
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

fn statement() -> Statement {
    Statement { sql: SqlText::fixed("select 1"), params: Vec::new(), columns: Vec::new(), is_lookup: false }
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
    async fn metrics(&self, _context: &RequestContext, query: &MetricQuery) -> Result<MetricAnswer, RunError> {
        self.note(Asked::Metrics(query.clone()));
        if self.metrics_fail {
            return Err(RunError::WarehouseUnavailable);
        }
        let groups = if query.by.is_empty() { 1 } else { 2 };
        let mut roles = Vec::new();
        let mut columns = Vec::new();
        for (by, item) in query.by.iter().enumerate() {
            roles.push(ColumnRole::Group { by, part: 0 });
            columns.push(match &item.item {
                GroupItem::Time { .. } => Column::Date(vec![Some(date(2025, 1, 1)), Some(date(2025, 2, 1))]),
                GroupItem::Dimension(name) if name == "segment" => {
                    text_column(["enterprise", "mid-market"].map(|value| Some(value.to_owned())).into_iter())
                }
                GroupItem::Dimension(_) => text_column(["A1", "A2"].map(|value| Some(value.to_owned())).into_iter()),
            });
        }
        let mut total_roles = Vec::new();
        let mut total_columns = Vec::new();
        for (position, metric) in query.metrics.iter().enumerate() {
            roles.push(ColumnRole::Metric(position));
            columns.push(decimal_column((0..groups).map(|row| Some(format!("{}{row}.5", position + 1)))));
            total_roles.push(ColumnRole::Metric(position));
            total_columns.push(decimal_column([Some(format!("{}00", position + 1))].into_iter()));
            if query.compare.is_some() {
                roles.push(ColumnRole::Previous(position));
                columns.push(decimal_column((0..groups).map(|row| (row > 0).then(|| "10".to_owned()))));
            }
            if metric.status {
                roles.push(ColumnRole::Status(position));
                columns.push(text_column((0..groups).map(|row| (row > 0).then(|| "NO_ROWS".to_owned()))));
            }
        }
        if query.row_count {
            roles.push(ColumnRole::RowCount);
            columns.push(Column::Int(vec![Some(7); groups]));
        }
        let plan = CompiledMetrics {
            rows: statement(),
            totals: query.totals.then(statement),
            columns: roles,
            total_columns: total_roles,
            entities: Vec::new(),
            metrics: Vec::new(),
            time_grain: None,
            movement_grain: Some("account".to_owned()),
            overlapping: false,
            policies: vec!["csm_region".to_owned()],
            ttl_seconds: None,
        };
        let totals = query.totals.then(|| rows(total_columns));
        Ok(MetricAnswer { plan: Arc::new(plan), rows: rows(columns), totals, provenance: provenance() })
    }

    async fn entities(&self, context: &RequestContext, query: &EntityQuery) -> Result<EntityAnswer, RunError> {
        self.note(Asked::Entities(query.clone()));
        let found = keys(query);
        let entity =
            context.model.entity(context.model.entity_named(&query.entity).expect("the planner asks for entities that exist"));
        let mut roles = Vec::new();
        let mut columns = Vec::new();
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            other => Some(format!("{other:?}")),
        };
        if query.parents.is_some() {
            roles.push(EntityColumn::ParentKey(0));
            columns.push(text_column(found.iter().map(|(parent, _)| text(&parent[0]))));
        }
        roles.push(EntityColumn::Key(0));
        columns.push(text_column(found.iter().map(|(_, key)| text(&key[0]))));
        for (position, name) in query.dimensions.iter().enumerate() {
            roles.push(EntityColumn::Dimension(position));
            let dimension = &entity.dimensions[entity.dimension_named(name).expect("it exists").index()];
            columns.push(match dimension.value_type {
                ValueType::Int => Column::Int(vec![Some(5); found.len()]),
                ValueType::Date => Column::Date(vec![Some(date(2024, 5, 6)); found.len()]),
                _ if name == "segment" => text_column(found.iter().map(|_| Some("unheard of".to_owned()))),
                _ => text_column(found.iter().map(|(_, key)| text(&key[0]).map(|key| format!("{name} of {key}")))),
            });
        }
        for (position, _) in query.order_by.iter().enumerate() {
            roles.push(EntityColumn::Order(position));
            columns.push(text_column(found.iter().map(|(_, key)| text(&key[0]))));
        }
        let plan =
            CompiledEntities { rows: statement(), columns: roles, entities: Vec::new(), policies: Vec::new(), ttl_seconds: None };
        Ok(EntityAnswer { plan: Arc::new(plan), rows: rows(columns), provenance: provenance() })
    }

    async fn count(&self, _context: &RequestContext, query: &EntityQuery) -> Result<Vec<i64>, RunError> {
        self.note(Asked::Count(query.clone()));
        Ok(query.parents.as_ref().map_or(vec![3], |parents| vec![2; parents.keys.len()]))
    }

    fn explain(&self, _context: &RequestContext, query: &MetricQuery) -> Result<Option<String>, RunError> {
        Ok(Some(format!("select {}", query.metrics.len())))
    }
}

/// Sends a request; the answer, and what the runner was asked.
pub(crate) fn send(settings: Settings, fake: Fake, request: async_graphql::Request) -> (Answer, serde_json::Value, Vec<Asked>) {
    let api = api(settings);
    let fake = Arc::new(fake);
    let context = RequestContext {
        model: Arc::clone(api.model()),
        caller: Caller::default(),
        now: "2025-03-15T10:00:00Z".parse().expect("an instant"),
        correlation_id: "c-1".to_owned(),
    };
    let runner: Arc<dyn Runner> = Arc::clone(&fake) as Arc<dyn Runner>;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let answer = runtime.block_on(api.execute(runner, context, request));
    let body = serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {:?}", answer.body));
    let asked = fake.asked.lock().expect("no test panics while it notes").clone();
    (answer, body, asked)
}
