//! What there is to say beside an answer: group keys of questions that did not say them, ready to be passed as `by`, and, where it is
//! wanted, what the operation cost.

use crate::{
    cost::Charge,
    json,
    plan::{RootKind, RootPlan},
};

/// Writes `extensions`, when there is anything to say.
pub(crate) fn extensions(out: &mut Vec<u8>, plans: &[RootPlan<'_>], charge: Option<&Charge>) {
    let mut is_first = true;
    let mut begin = |out: &mut Vec<u8>, name: &str| {
        out.extend_from_slice(if is_first { b",\"extensions\":{" } else { b"," });
        is_first = false;
        json::string(out, name);
        out.extend_from_slice(b":{");
    };
    let inferred = plans.iter().filter_map(|plan| match &plan.kind {
        RootKind::Metrics(metrics) => Some((plan.selected.key, metrics.inferred.as_ref()?)),
        RootKind::One(_)
        | RootKind::Connection(_)
        | RootKind::Nodes { .. }
        | RootKind::Signals(_)
        | RootKind::Catalogue(_)
        | RootKind::Introspection
        | RootKind::Failed(_) => None,
    });
    let mut first = true;
    for (key, keys) in inferred {
        if first {
            begin(out, "groupBy");
        }
        json::key(out, &mut first, key);
        out.extend_from_slice(keys.as_bytes());
    }
    if !first {
        out.push(b'}');
    }
    if let Some(Charge { units, limit, budget }) = charge {
        begin(out, "cost");
        out.extend_from_slice(format!("\"requested\":{units},\"limit\":{limit}").as_bytes());
        if let Some(budget) = budget {
            let left = format!(",\"remaining\":{},\"refillPerSecond\":{}", budget.remaining, budget.refill_per_second);
            out.extend_from_slice(left.as_bytes());
        }
        out.push(b'}');
    }
    if !is_first {
        out.push(b'}');
    }
}
