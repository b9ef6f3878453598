//! Questions to plans and SQL, on one small model: what is computed, what is refused, and that text never depends on chance or on
//! what an asker wrote.

mod cohorts;
mod entity_metrics;
mod levels;
mod metric_policies;
mod plans;
mod refusals;
mod stable;

use std::sync::Arc;

use holdfast_schema::{
    diagnostic::render,
    load,
    model::Model,
    query::{Caller, GroupBy, GroupItem, MetricQuery, MetricSelection, Scope, TimeRange},
    source::SourceMap,
    time::Grain,
};
use jiff::civil::date;

fn model() -> Arc<Model> {
    load_model(include_str!("model.yaml").to_owned())
}

fn load_model(text: String) -> Arc<Model> {
    let sources = SourceMap::new([("model.yaml".to_owned(), text)]);
    let (model, diagnostics) = load(sources.clone());
    assert!(!diagnostics.has_errors(), "{}", render::human(&sources, &diagnostics, false));
    model.unwrap()
}

/// A question about the first quarter of 2025; `by` holds grains and dimension names.
pub(crate) fn question(view: &str, metrics: &[&str], by: &[&str]) -> MetricQuery {
    MetricQuery {
        by: by
            .iter()
            .map(|name| {
                let item = match Grain::from_name(name) {
                    Some(grain) => GroupItem::Time { dimension: None, grain },
                    None => GroupItem::Dimension((*name).to_owned()),
                };
                GroupBy { key: (*name).to_owned(), item }
            })
            .collect(),
        range: Some(TimeRange { from: Some(date(2025, 1, 1)), to: Some(date(2025, 4, 1)) }),
        ..MetricQuery::new(
            Scope::View(view.to_owned()),
            metrics.iter().map(|name| MetricSelection::of(*name)).collect(),
            date(2025, 6, 30),
        )
    }
}

pub(crate) fn nobody() -> Caller {
    Caller::default()
}
