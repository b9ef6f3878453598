//! Policies that say which metrics there are, with names resolved.

use std::collections::BTreeSet;

use super::{
    Draft,
    words::{self, owned},
};
use crate::{
    definition::{Text, access as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{MetricId, MetricPolicy},
    source::Span,
};

/// Lists of metrics.
pub(super) fn resolve(draft: &Draft<'_>, out: &mut Diagnostics) -> Vec<MetricPolicy> {
    let policies = draft.index.policies.iter();
    policies.filter_map(|(name, policy)| one(draft, name, policy, policy.metrics.as_ref()?, out)).collect()
}

fn one(draft: &Draft<'_>, name: &Text, policy: &written::Policy, listed: &[Text], out: &mut Diagnostics) -> Option<MetricPolicy> {
    // With `applies_to` too, which of the two is meant has been asked already.
    for (key, span) in of_an_entity(policy).into_iter().filter(|_| policy.applies_to.is_none()) {
        out.push(
            Diagnostic::error("M061", span, format!("policy `{}` is about metrics, so it has no `{key}`", name.value))
                .label(format!("`{key}:` is about an entity"))
                .help(format!("put `{key}:` into a policy of its own, with `applies_to:`")),
        );
    }
    let found: Vec<_> = listed.iter().map(|metric| draft.index.metrics.find(&metric.value, metric.span, out)).collect();
    let metrics: BTreeSet<MetricId> = found.into_iter().map(|id| id.map(|id| MetricId(id as u16))).collect::<Option<_>>()?;
    Some(MetricPolicy {
        name: name.value.clone(),
        description: owned(policy.description.as_ref()),
        roles: words::all(&policy.roles),
        metrics,
        span: name.span,
    })
}

/// What is written that an entity alone can have.
fn of_an_entity(policy: &written::Policy) -> Vec<(&'static str, Span)> {
    let first = |texts: &[Text]| texts.first().map(|text| text.span);
    let written = [
        ("rows", policy.rows.as_ref().map(|rows| rows.span)),
        ("hide", first(&policy.hide)),
        ("mask", first(&policy.mask)),
        ("peers", policy.peers.as_ref().map(|peers| peers.span)),
    ];
    written.into_iter().filter_map(|(key, span)| Some((key, span?))).collect()
}
