//! Policies that say which metrics there are, with names resolved.

use std::collections::BTreeSet;

use super::{
    Draft,
    words::{self, owned},
};
use crate::{
    definition::{Text, access as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{MetricId, MetricPolicy, Rule},
    source::Span,
};

/// Lists of metrics.
pub(super) fn resolve(draft: &Draft<'_>, rules: &[Rule], out: &mut Diagnostics) -> Vec<MetricPolicy> {
    let mut found = Vec::new();
    for (name, policy) in draft.index.policies.iter() {
        match &policy.metrics {
            Some(listed) => found.extend(one(draft, rules, name, policy, listed, out)),
            None if policy.rules.is_some() => out.push(
                Diagnostic::error("M061", name.span, format!("policy `{}` is about an entity, so it has no `rules`", name.value))
                    .help("put `rules:` into a policy of its own, beside the `metrics:` that they are about"),
            ),
            None => {}
        }
    }
    found
}

fn one(
    draft: &Draft<'_>,
    rules: &[Rule],
    name: &Text,
    policy: &written::Policy,
    listed: &[Text],
    out: &mut Diagnostics,
) -> Option<MetricPolicy> {
    // With `applies_to` too, which of the two is meant has been asked already.
    for (key, span) in of_an_entity(policy).into_iter().filter(|_| policy.applies_to.is_none()) {
        out.push(
            Diagnostic::error("M061", span, format!("policy `{}` is about metrics, so it has no `{key}`", name.value))
                .label(format!("`{key}:` is about an entity"))
                .help(format!("put `{key}:` into a policy of its own, with `applies_to:`")),
        );
    }
    let found: Vec<_> = listed.iter().map(|metric| draft.index.metrics.find(&metric.value, metric.span, out)).collect();
    let metrics = found.into_iter().map(|id| id.map(|id| MetricId(id as u16))).collect::<Option<BTreeSet<_>>>();
    for rule in policy.rules.iter().flatten() {
        one_rule(draft, rules, rule, metrics.as_ref(), out);
    }
    Some(MetricPolicy {
        name: name.value.clone(),
        description: owned(policy.description.as_ref()),
        roles: words::all(&policy.roles),
        metrics: metrics?,
        rules: policy.rules.as_ref().map(|rules| words::all(rules).into_iter().collect()),
        span: name.span,
    })
}

/// Reports a rule that is not there, or whose metric is not.
fn one_rule(draft: &Draft<'_>, rules: &[Rule], name: &Text, metrics: Option<&BTreeSet<MetricId>>, out: &mut Diagnostics) {
    let is_there = draft.index.rules.find(&name.value, name.span, out).is_some();
    let rule = rules.iter().find(|rule| is_there && rule.name == name.value);
    if let (Some(rule), Some(metrics)) = (rule, metrics)
        && !metrics.contains(&rule.metric)
    {
        let metric = draft.index.metrics.at(rule.metric.index()).0;
        let message = format!("rule `{}` is about `{}`, which is not among the metrics", name.value, metric.value);
        out.push(Diagnostic::error("M061", name.span, message).help("list the metric too, or leave the rule out"));
    }
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
