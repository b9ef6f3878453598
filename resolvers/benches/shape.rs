//! How long a large answer takes to be shaped: `cargo bench -p holdfast-resolvers --bench shape`.
//!
//! 10,000 rows of 8 fields lie ready; measured is everything between the request and the bytes of its response. The ratio is to
//! building the same response as a tree with serde_json and writing it, in the same run.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::{
    fmt::Write as _,
    hint::black_box,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use async_graphql::Request;
use holdfast_resolvers::{
    Api, CacheState, CountAnswer, EntityAnswer, Limits, MetricAnswer, Planning, Provenance, RequestContext, RequestId, RunError,
    Runner, Settings,
};
use holdfast_schema::{
    compile::{self, ColumnRole},
    load,
    query::{Caller, EntityQuery, MetricQuery},
    source::SourceMap,
    sql::Dialect,
    value::{Column, RowSet, TextColumn},
};
use serde_json::{Value, json};

const ROWS: usize = 10_000;
const RUNS: usize = 100;
const DEFINITIONS: &str = "
project: shop
version: 1
---
entity: sale
source: sale
key: sale_id
dimensions: {region: string, product: string, channel: string}
time: {sold_on: {}}
measures: {orders: {count: true}, revenue: {sum: revenue}, cost: {sum: cost}, discount: {sum: discount}}
---
metrics:
  orders: {measure: sale.orders}
  revenue: {measure: sale.revenue}
  cost: {measure: sale.cost}
  discount: {measure: sale.discount}
  margin: {expr: revenue - cost}
---
view: selling
metrics: \"*\"
dimensions: [sale.region, sale.product, sale.channel]
";
const QUESTION: &str = "{ selling(by: [{dimension: REGION}, {dimension: PRODUCT}, {dimension: CHANNEL}], limit: 10000) {
    rows { region product channel orders revenue cost discount margin } } }";
const FIELDS: [&str; 8] = ["region", "product", "channel", "orders", "revenue", "cost", "discount", "margin"];

/// The value of a field in a row, as the warehouse's text.
fn value(row: usize, field: usize) -> String {
    match field {
        0..=2 => format!("{} {}", FIELDS[field], row % (10 + field)),
        _ => format!("{}.{:02}", row * field, row % 100),
    }
}

/// Answers at once with the same rows.
struct Ready {
    answer: OnceLock<MetricAnswer>,
}

#[async_trait::async_trait]
impl Runner for Ready {
    async fn metrics(&self, context: &RequestContext, query: &MetricQuery) -> Result<MetricAnswer, RunError> {
        let answer = self.answer.get_or_init(|| {
            let plan = compile::metrics(&context.model, query, &context.caller, Dialect::Postgres).unwrap();
            let text = |field: usize| {
                let mut column = TextColumn::default();
                (0..ROWS).for_each(|row| column.push(Some(&value(row, field))));
                column
            };
            let columns: Vec<_> = plan
                .columns
                .iter()
                .map(|role| match role {
                    ColumnRole::Group { by, .. } => Column::Text(text(*by)),
                    ColumnRole::Metric(0) => Column::Int((0..ROWS).map(|row| i64::try_from(row).ok()).collect()),
                    ColumnRole::Metric(position) => Column::Decimal(text(3 + position)),
                    ColumnRole::Previous(_) | ColumnRole::Status(_) => Column::Text(text(0)),
                    ColumnRole::RowCount => Column::Int(vec![Some(ROWS as i64); ROWS]),
                })
                .collect();
            let names = (0..columns.len()).map(|index| format!("c{index}")).collect();
            let provenance = Provenance {
                statement: String::new(),
                cache: CacheState::Hit,
                age: Duration::ZERO,
                max_age: Duration::from_secs(60),
                data_version: None,
            };
            MetricAnswer { plan: Arc::new(plan), rows: Arc::new(RowSet::new(names, columns)), totals: None, provenance }
        });
        Ok(answer.clone())
    }

    async fn entities(&self, _: &RequestContext, _: &EntityQuery) -> Result<EntityAnswer, RunError> {
        Err(RunError::Internal)
    }

    async fn count(&self, _: &RequestContext, _: &EntityQuery) -> Result<CountAnswer, RunError> {
        Err(RunError::Internal)
    }

    fn explain(&self, _: &RequestContext, _: &MetricQuery) -> Result<Option<String>, RunError> {
        Ok(None)
    }
}

fn main() {
    let (model, diagnostics) = load(SourceMap::new([("shop.yaml".to_owned(), DEFINITIONS.to_owned())]));
    let model = model.unwrap_or_else(|| panic!("{:?}", diagnostics.sorted()));
    let limits = Limits { max_rows: 10_000, ..Limits::default() };
    let api = Api::new(Arc::clone(&model), Settings { limits, ..Settings::default() }).unwrap();
    let runner: Arc<dyn Runner> = Arc::new(Ready { answer: OnceLock::new() });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ask = || {
        let context = RequestContext {
            request: RequestId::next(),
            model: Arc::clone(&model),
            caller: Caller::default(),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            correlation_id: String::new(),
            shows_cost: false,
            planning: Planning::untimed(),
        };
        runtime.block_on(api.execute(Arc::clone(&runner), context, Request::new(QUESTION))).body
    };

    let body = ask();
    // The values as a program with a row at a time has them: text.
    let values: Vec<[String; 8]> = {
        let shown: Value = serde_json::from_slice(&body).unwrap();
        let rows = shown["data"]["selling"]["rows"].as_array().unwrap_or_else(|| panic!("{shown}"));
        rows.iter().map(|row| FIELDS.map(|field| row[field].as_str().unwrap().to_owned())).collect()
    };
    assert_eq!(values.len(), ROWS);
    let build = || {
        let rows: Vec<Value> = values
            .iter()
            .map(|row| {
                Value::Object(
                    FIELDS.iter().zip(row).map(|(field, text)| ((*field).to_owned(), Value::from(text.as_str()))).collect(),
                )
            })
            .collect();
        serde_json::to_vec(&json!({ "data": { "selling": { "rows": rows } } })).unwrap()
    };
    assert_eq!(body, build(), "both make the same bytes");

    let mut out = String::new();
    let (ours, theirs) = (median(|| black_box(ask()).len()), median(|| black_box(build()).len()));
    writeln!(out, "{ROWS} rows × {} fields, {} bytes, median of {RUNS}", FIELDS.len(), body.len()).unwrap();
    writeln!(out, "request to bytes:       {ours:?}").unwrap();
    writeln!(out, "serde_json, same bytes: {theirs:?}").unwrap();
    writeln!(out, "ratio: {:.2}", ours.as_secs_f64() / theirs.as_secs_f64()).unwrap();
    print!("{out}");
}

fn median(mut run: impl FnMut() -> usize) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            black_box(run());
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}
