//! M067: what a metric is made of, opened up to the last, has an end in sight. Each name in a formula stands for all that it is made of, so
//! a chain in which every metric names the one before it twice doubles from link to link.

use super::Draft;
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    expr::Expr,
    model::{Metric, MetricId, MetricKind},
};

/// Names in a formula that is opened up. The largest of those that are shipped has a few hundred.
const MOST: u64 = 4000;

pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    let mut sizes = vec![None; draft.metrics.len()];
    for (position, metric) in draft.metrics.iter().enumerate() {
        let Some(metric) = metric else { continue };
        let size = size_of(draft, MetricId(position as u16), &mut sizes);
        // Those made of one that is too large are not told again.
        let is_first = metric.inputs.iter().all(|input| sizes[input.index()].is_none_or(|size| size <= MOST));
        if size > MOST && is_first {
            let message = format!("`{}` names other metrics {size} times when all it is made of is opened up", metric.name);
            out.push(
                Diagnostic::error("M067", metric.span, message)
                    .label(format!("{MOST} are the most"))
                    .help("name each metric once: `2 * x` instead of `x + x`, or a metric of its own for what is common"),
            );
        }
    }
}

/// How many names a metric's formula has when all of them are opened up. No metric is made of itself: that has been told before, and such
/// a metric is not there.
fn size_of(draft: &Draft<'_>, id: MetricId, sizes: &mut Vec<Option<u64>>) -> u64 {
    if let Some(known) = sizes[id.index()] {
        return known;
    }
    let size = draft.metrics[id.index()].as_ref().map_or(1, |metric| opened(draft, metric, sizes));
    sizes[id.index()] = Some(size);
    size
}

fn opened(draft: &Draft<'_>, metric: &Metric, sizes: &mut Vec<Option<u64>>) -> u64 {
    let mut names = Vec::new();
    let mut note = |expr: &Expr<MetricId>| expr.visit_refs(&mut |id| names.push(*id));
    match &metric.kind {
        MetricKind::Ratio { numerator, denominator } => [numerator, denominator].into_iter().for_each(note),
        MetricKind::Derived { expr } => note(expr),
        MetricKind::PerEntity { of, condition, .. } => of.iter().chain(condition).for_each(note),
        MetricKind::Score(score) => note(&score.value()),
        MetricKind::Simple { .. }
        | MetricKind::Cumulative { .. }
        | MetricKind::Offset { .. }
        | MetricKind::Movement(_)
        | MetricKind::Cohort { .. }
        | MetricKind::Share { .. }
        | MetricKind::OfScore { .. }
        | MetricKind::Series(_)
        | MetricKind::Peers(_) => names.extend(&metric.inputs),
    }
    names.into_iter().fold(1, |sum: u64, id| sum.saturating_add(size_of(draft, id, sizes)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SNAPSHOT, codes_of};

    #[test]
    fn a_chain_that_doubles_is_refused_at_its_first_link_that_is_too_large() {
        let links: String = (1..20).map(|n| format!("  z{n}: {{expr: z{0} + z{0}}}\n", n - 1)).collect();
        let told = codes_of(&format!("{SNAPSHOT}---\nmetrics:\n  z0: {{measure: component_value.mrr}}\n{links}"));
        assert_eq!(told, ["M067: `z11` names other metrics 4095 times when all it is made of is opened up"]);
        let links: String = (1..20).map(|n| format!("  z{n}: {{expr: 2 * z{}}}\n", n - 1)).collect();
        let told = codes_of(&format!("{SNAPSHOT}---\nmetrics:\n  z0: {{measure: component_value.mrr}}\n{links}"));
        assert_eq!(told, Vec::<String>::new());
    }
}
