//! Segments, rules and policies in, the same with names resolved out.

use super::{
    Draft,
    expressions::{mean, parse_condition, plain, typed},
    index::unknown,
    metrics::metric_meaning,
    words::{self, label, one_of, owned},
};
use crate::{
    definition::{Text, access as written},
    diagnostic::{Diagnostic, Diagnostics},
    expr::{BinaryOp, Expr, UnaryOp, types::Meaning},
    model::{
        DimensionIndex, EntityId, MetricId, Policy, Rule, Segment,
        access::{PolicyPeers, PolicyRef, RuleSeverity, RuleTime},
    },
    query::Comparator,
    suggest,
    value::{Value, ValueType, canonical_decimal},
};

/// Named filters.
pub(super) fn segments(draft: &Draft<'_>, out: &mut Diagnostics) -> Vec<Segment> {
    draft.index.segments.iter().filter_map(|(name, segment)| one_segment(draft, name, segment, out)).collect()
}

fn one_segment(draft: &Draft<'_>, name: &Text, segment: &written::Segment, out: &mut Diagnostics) -> Option<Segment> {
    let Some(entity) = draft.find_entity(&segment.entity.value, segment.entity.span, out) else {
        // Its names mean nothing without the entity, its form does.
        draft.parameters.parse(&segment.filter, out);
        return None;
    };
    let filter = parse_condition(&draft.parameters, &segment.filter, out, |name, out| {
        draft.dimension_meaning(entity, &name.parts, name.span, out)
    })?;
    Some(Segment {
        name: name.value.clone(),
        label: label(segment.label.as_ref(), &name.value),
        description: owned(segment.description.as_ref()),
        entity,
        filter: plain(&filter),
        span: name.span,
    })
}

/// Thresholds with actions.
pub(super) fn rules(draft: &Draft<'_>, out: &mut Diagnostics) -> Vec<Rule> {
    draft.index.rules.iter().filter_map(|(name, rule)| one_rule(draft, name, rule, out)).collect()
}

fn one_rule(draft: &Draft<'_>, name: &Text, rule: &written::Rule, out: &mut Diagnostics) -> Option<Rule> {
    let per = draft.find_entity(&rule.per.value, rule.per.span, out);
    let comparison = comparison(draft, &rule.when, out);
    let option = |text: Option<&Text>, out: &mut Diagnostics| {
        let options = [
            ("last_complete_month", RuleTime::LastCompleteMonth),
            ("last_complete_quarter", RuleTime::LastCompleteQuarter),
            ("as_of", RuleTime::AsOf),
        ];
        text.map_or(Some(RuleTime::LastCompleteMonth), |text| one_of("time of a rule", text, &options, out))
    };
    let at = option(rule.at.as_ref(), out);
    let severity = rule.severity.as_ref().map_or(Some(RuleSeverity::Warning), |text| {
        let options = [("info", RuleSeverity::Info), ("warning", RuleSeverity::Warning), ("critical", RuleSeverity::Critical)];
        one_of("severity", text, &options, out)
    });
    let fires_when_unknown = rule
        .unknown
        .as_ref()
        .is_some_and(|text| one_of("value of `unknown`", text, &[("unknown", false), ("fires", true)], out).unwrap_or_default());
    let persistence = rule.persistence.as_ref().map_or(Some(1), |periods| {
        let number = u32::try_from(periods.value).ok().filter(|number| (1..=1000).contains(number));
        if number.is_none() {
            out.push(
                Diagnostic::error("M007", periods.span, format!("{} is not a number of periods", periods.value))
                    .label("expected 1 to 1000"),
            );
        }
        number
    });
    if let (Some(RuleTime::AsOf), Some(2..), Some(periods)) = (at, persistence, &rule.persistence) {
        out.push(
            Diagnostic::error("M060", periods.span, "a rule about a day does not hold for several periods")
                .help("look `at: last_complete_month`, or leave `for` out"),
        );
    }
    let (per, (metric, operator, threshold)) = (per?, comparison?);
    if let Some(found) = &draft.metrics[metric.index()] {
        for fact in &found.facts {
            draft.safe_path(*fact, per, rule.per.span, out);
        }
        if let Some(other) = found.compares.iter().find(|entity| **entity != per) {
            let (per, other) = (&draft.entity(per).name, &draft.entity(*other).name);
            out.push(
                Diagnostic::error(
                    "M060",
                    rule.per.span,
                    format!("`{}` compares each `{other}` with others, not each `{per}`", found.name),
                )
                .also(found.span, "the metric")
                .help(format!("write `per: {other}`")),
            );
        }
        let stands_alone = rule.when.value.trim() == found.name;
        let fits = if stands_alone { found.value_type == ValueType::Bool } else { found.value_type.is_numeric() };
        if !fits {
            let needed = if stands_alone { "true or false, so it needs a comparison" } else { "a number" };
            out.push(
                Diagnostic::error("M060", rule.when.span, format!("`{}` is not {needed}", found.name))
                    .also(found.span, "the metric"),
            );
        }
    }
    Some(Rule {
        name: name.value.clone(),
        label: label(rule.label.as_ref(), &name.value),
        description: owned(rule.description.as_ref()),
        per,
        metric,
        operator,
        threshold,
        at: at?,
        persistence: persistence?,
        fires_when_unknown,
        severity: severity?,
        plays: words::all(&rule.plays),
        source: owned(rule.source.as_ref()),
        span: name.span,
    })
}

fn comparison(draft: &Draft<'_>, text: &Text, out: &mut Diagnostics) -> Option<(MetricId, Comparator, String)> {
    let parsed = draft.parameters.parse(text, out)?;
    let meant = mean(&parsed, out, |name, out| metric_meaning(draft, name, out))?;
    let found = match &meant {
        // A metric that is true or false is its own condition.
        Expr::Ref(metric) => Some((metric.to, Comparator::Equal, "1".to_owned())),
        Expr::Binary(op, left, right) => match (left.as_ref(), right.as_ref()) {
            (Expr::Ref(metric), constant) => comparator(*op).zip(number(constant)).map(|(op, number)| (metric.to, op, number)),
            (constant, Expr::Ref(metric)) => {
                comparator(*op).map(mirrored).zip(number(constant)).map(|(op, number)| (metric.to, op, number))
            }
            _ => None,
        },
        _ => None,
    };
    if found.is_none() {
        out.push(
            Diagnostic::error("M060", text.span, "a rule compares one metric with a number")
                .label("expected for example `seat_utilization < 0.70`, or a metric that is true or false")
                .help("if the condition needs a formula, make it a metric with `expr:` first"),
        );
    }
    found
}

fn comparator(op: BinaryOp) -> Option<Comparator> {
    match op {
        BinaryOp::Equal => Some(Comparator::Equal),
        BinaryOp::NotEqual => Some(Comparator::NotEqual),
        BinaryOp::Less => Some(Comparator::Less),
        BinaryOp::LessOrEqual => Some(Comparator::LessOrEqual),
        BinaryOp::Greater => Some(Comparator::Greater),
        BinaryOp::GreaterOrEqual => Some(Comparator::GreaterOrEqual),
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::And | BinaryOp::Or => None,
    }
}

/// The comparison seen from its right side.
fn mirrored(op: Comparator) -> Comparator {
    match op {
        Comparator::Equal => Comparator::Equal,
        Comparator::NotEqual => Comparator::NotEqual,
        Comparator::Less => Comparator::Greater,
        Comparator::LessOrEqual => Comparator::GreaterOrEqual,
        Comparator::Greater => Comparator::Less,
        Comparator::GreaterOrEqual => Comparator::LessOrEqual,
    }
}

fn number<R>(expr: &Expr<R>) -> Option<String> {
    match expr {
        Expr::Literal(Value::Int(number)) => Some(number.to_string()),
        Expr::Literal(Value::Decimal(text)) => canonical_decimal(text),
        Expr::Unary(UnaryOp::Negate, inner) => canonical_decimal(&format!("-{}", number(inner)?)),
        _ => None,
    }
}

/// Row filters and hidden members.
pub(super) fn policies(draft: &Draft<'_>, out: &mut Diagnostics) -> Vec<Policy> {
    // Those about metrics are `metric_policies`.
    draft.index.policies.iter().filter_map(|(name, policy)| one_policy(draft, name, policy, out)).collect()
}

fn one_policy(draft: &Draft<'_>, name: &Text, policy: &written::Policy, out: &mut Diagnostics) -> Option<Policy> {
    let applies_to = policy.applies_to.as_ref()?;
    let Some(entity) = draft.find_entity(&applies_to.value, applies_to.span, out) else {
        policy.rows.iter().for_each(|rows| form_of_rows(draft, rows, out));
        return None;
    };
    let rows = policy.rows.as_ref().map(|rows| rows_condition(draft, entity, rows, out));
    let hide: Vec<_> = policy.hide.iter().map(|member| own_dimension(draft, entity, member, out)).collect();
    let mask: Vec<_> = policy.mask.iter().map(|member| own_dimension(draft, entity, member, out)).collect();
    if policy.rows.is_none() && policy.hide.is_empty() && policy.mask.is_empty() {
        out.push(
            Diagnostic::error("M061", name.span, format!("policy `{}` restricts nothing", name.value))
                .help("add `rows:`, `hide:` or `mask:`"),
        );
    }
    let peers = match &policy.peers {
        None => Some(PolicyPeers::Visible),
        Some(text) => {
            let options = [("visible", PolicyPeers::Visible), ("everyone", PolicyPeers::Everyone)];
            one_of("choice of peers", text, &options, out)
        }
    };
    if let (Some(text), None) = (&policy.peers, &policy.rows) {
        out.push(
            Diagnostic::error("M061", text.span, format!("policy `{}` takes no rows away, so peers are everyone", name.value))
                .help("leave `peers:` out, or add `rows:`"),
        );
    }
    Some(Policy {
        name: name.value.clone(),
        description: owned(policy.description.as_ref()),
        entity,
        roles: words::all(&policy.roles),
        rows: rows.map_or(Some(None), |rows| rows.map(Some))?,
        hide: hide.into_iter().collect::<Option<_>>()?,
        mask: mask.into_iter().collect::<Option<_>>()?,
        peers: peers?,
        span: name.span,
    })
}

/// A dimension of the entity, named alone or after it.
fn own_dimension(draft: &Draft<'_>, entity: EntityId, text: &Text, out: &mut Diagnostics) -> Option<DimensionIndex> {
    let found = draft.entity(entity);
    let name = text.value.strip_prefix(&format!("{}.", found.name)).unwrap_or(&text.value);
    let index = found.dimension_named(name);
    let Some(index) = index else {
        let names = found.dimensions.iter().map(|dimension| dimension.name.as_str());
        out.push(unknown("M011", &format!("dimension of `{}`", found.name), name, text.span, names));
        return None;
    };
    if found.key.contains(&index) {
        out.push(
            Diagnostic::error("M061", text.span, format!("`{name}` is part of the key of `{}`", found.name))
                .label("rows cannot be told apart without it")
                .help("restrict the rows instead"),
        );
        return None;
    }
    Some(index)
}

/// The word before the name of a claim.
const CLAIMS: &str = "claims";

/// Whether the first of two names is nothing that the entity knows, and nearly the word before a claim.
fn is_meant_as_claims(draft: &Draft<'_>, entity: EntityId, first: &str) -> bool {
    let is_known = draft.entity(entity).relationship_named(first).is_some() || draft.index.entities.get(first).is_some();
    !is_known && !suggest::nearest(first, [CLAIMS]).is_empty()
}

fn misspelt_claims(first: &Text) -> Diagnostic {
    Diagnostic::error("M012", first.span, format!("unknown entity or relationship `{}`", first.value))
        .label("no such name")
        .help(format!("did you mean `{CLAIMS}`? What is known of the caller is `{CLAIMS}.` and the name of a claim"))
}

/// What can be told of a condition whose entity is not known.
fn form_of_rows(draft: &Draft<'_>, rows: &Text, out: &mut Diagnostics) {
    let Some(parsed) = draft.parameters.parse(rows, out) else { return };
    parsed.visit_refs(&mut |name| {
        let [first, _] = name.parts.as_slice() else { return };
        let is_known = first.value == CLAIMS || draft.index.entities.get(&first.value).is_some();
        let is_relationship = draft.definitions.entities.iter().flat_map(|entity| &entity.relationships);
        if !is_known
            && !suggest::nearest(&first.value, [CLAIMS]).is_empty()
            && !is_relationship.into_iter().any(|(name, _)| name.value == first.value)
        {
            out.push(misspelt_claims(first));
        }
    });
}

fn rows_condition(draft: &Draft<'_>, entity: EntityId, text: &Text, out: &mut Diagnostics) -> Option<Expr<PolicyRef>> {
    let parsed = draft.parameters.parse(text, out)?;
    let meant = mean(&parsed, out, |name, out| match name.parts.as_slice() {
        [first, claim] if first.value == CLAIMS => {
            Some(Meaning { to: PolicyRef::Claim(claim.value.clone()), value_type: None, span: name.span })
        }
        [first, _] if is_meant_as_claims(draft, entity, &first.value) => {
            out.push(misspelt_claims(first));
            None
        }
        parts => {
            let Meaning { to, value_type, span } = draft.dimension_meaning(entity, parts, name.span, out)?;
            Some(Meaning { to: PolicyRef::Dimension(to), value_type, span })
        }
    })?;
    let (checked, known) = typed(&meant, text.span, out)?;
    if known.is_some_and(|known| known != ValueType::Bool) {
        out.push(
            Diagnostic::error("M026", text.span, "a condition is needed here").label("expected something that is true or false"),
        );
        return None;
    }
    Some(plain(&checked))
}
