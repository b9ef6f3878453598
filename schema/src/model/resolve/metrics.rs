//! Metric entries in, metrics out: first what each refers to, then, inputs before what is made of them, types, facts, units and
//! how answers may be added up.

mod additivity;
mod beside;
mod finish;
mod formula;
mod order;
mod peers;
mod score;
mod series;
mod shape;

pub(super) use self::shape::metric_meaning;

use super::Draft;
use crate::{diagnostic::Diagnostics, model::MetricId};

/// Fills `draft.metrics`.
pub(super) fn resolve(draft: &mut Draft<'_>, out: &mut Diagnostics) {
    let shapes: Vec<_> = draft.index.metrics.iter().map(|(name, metric)| shape::of(draft, name, metric, out)).collect();
    let manners: Vec<_> = draft.index.metrics.iter().map(|(_, metric)| finish::manner(metric, out)).collect();
    draft.metrics = vec![None; shapes.len()];
    for id in order::inputs_first(draft, &shapes, out) {
        let metric = shapes[id].as_ref().and_then(|shape| finish::metric(draft, MetricId(id as u16), shape, manners[id], out));
        draft.metrics[id] = metric;
    }
}
