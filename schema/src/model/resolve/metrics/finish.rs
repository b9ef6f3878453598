//! One metric whose inputs are finished: its type, facts, unit, additivity and filter.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    super::{
        Draft,
        expressions::{condition, parse_condition, plain, typed},
        units::unit_of,
        words::{self, label, one_of, owned},
    },
    additivity,
    formula::formula,
    score,
    shape::{MetricExpr, Shape},
};
use crate::{
    definition::{Text, metric as written},
    diagnostic::{Diagnostic, Diagnostics},
    expr::{
        BinaryOp, Expr,
        types::{Meaning, described},
    },
    model::{
        EntityId, Metric, MetricId, MetricKind,
        entity::{Aggregate, OverTime},
        metric::{Additivity, Direction, ShareForm, Take, Taken},
        path::PathDimension,
        peers::PeersTake,
        score::ScoreTake,
        series::Series,
    },
    source::Span,
    value::ValueType,
};

/// What a metric says of itself whatever it is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    direction: Direction,
    empty_is_zero: bool,
}

/// Reads the manner of a metric.
pub(super) fn manner(definition: &written::Metric, out: &mut Diagnostics) -> Manner {
    let directions = [
        ("higher_is_better", Direction::HigherIsBetter),
        ("lower_is_better", Direction::LowerIsBetter),
        ("neutral", Direction::Neutral),
    ];
    let direction = definition.direction.as_ref().and_then(|text| one_of("direction", text, &directions, out));
    let empty = definition.empty.as_ref();
    let empty_is_zero = empty.and_then(|text| one_of("value of `empty`", text, &[("null", false), ("zero", true)], out));
    Manner { direction: direction.unwrap_or_default(), empty_is_zero: empty_is_zero.unwrap_or_default() }
}

/// Finishes a metric; `None` when it or one of its inputs is wrong.
pub(super) fn metric(draft: &Draft<'_>, id: MetricId, shape: &Shape, manner: Manner, out: &mut Diagnostics) -> Option<Metric> {
    let (name, definition) = draft.index.metrics.at(id.index());
    let inputs = shape.inputs();
    let kind = kind(draft, shape, out);
    let filter = filter(draft, definition, shape, out);
    let (kind, value_type) = kind?;
    if inputs.iter().any(|input| draft.metrics[input.index()].is_none()) {
        return None;
    }
    let facts = facts(draft, shape, &inputs);
    match shape {
        Shape::PerEntity { entity, span, .. } => every_fact_leads_to(draft, &facts, *entity, *span, out),
        Shape::Peers { peers, entity, .. } => every_fact_leads_to(draft, &facts, peers.entity, *entity, out),
        Shape::Series { series: Series { per: Some(entity), .. }, span } => every_fact_leads_to(draft, &facts, *entity, *span, out),
        _ => {}
    }
    empty_is_not_zero(definition, shape, manner, out).then_some(())?;
    no_cohort_inside(draft, definition, name, shape, &inputs, out).then_some(())?;
    all_cohorts_or_none(draft, definition, name, &inputs, out).then_some(())?;
    Some(Metric {
        name: name.value.clone(),
        label: label(definition.label.as_ref(), &name.value),
        description: owned(definition.description.as_ref()),
        value_type,
        kind,
        formula: formula(draft, definition),
        filter,
        empty_is_zero: manner.empty_is_zero,
        unit: owned(definition.unit.as_ref()).or_else(|| unit(draft, shape)),
        format: owned(definition.format.as_ref()),
        direction: manner.direction,
        owner: owned(definition.owner.as_ref()),
        version: definition.version.as_ref().map_or(1, |version| version.value),
        deprecated: owned(definition.deprecated.as_ref()),
        tags: words::all(&definition.tags),
        source: owned(definition.source.as_ref()),
        facts,
        is_movement: matches!(shape, Shape::Movement { .. } | Shape::Cohort { .. })
            || inputs.iter().any(|input| input_is(draft, *input, |input| input.is_movement)),
        is_cohort: matches!(shape, Shape::Cohort { .. })
            || inputs.iter().any(|input| input_is(draft, *input, |input| input.is_cohort)),
        compares: compares(draft, shape, &inputs),
        inputs,
        additivity: additivity(draft, shape),
        span: name.span,
    })
}

fn input_is(draft: &Draft<'_>, id: MetricId, test: impl Fn(&Metric) -> bool) -> bool {
    draft.metrics[id.index()].as_ref().is_some_and(test)
}

fn kind(draft: &Draft<'_>, shape: &Shape, out: &mut Diagnostics) -> Option<(MetricKind, ValueType)> {
    let type_of = |id: MetricId| draft.metrics[id.index()].as_ref().map(|metric| metric.value_type);
    Some(match shape {
        Shape::Simple(measure) => {
            let value_type = draft.entity(measure.entity).measures[measure.index.index()].value_type;
            (MetricKind::Simple { measure: *measure }, value_type)
        }
        Shape::Ratio { numerator, denominator, span } => {
            let numerator = number(draft, numerator, *span, out);
            let denominator = number(draft, denominator, *span, out);
            (MetricKind::Ratio { numerator: plain(&numerator?.0), denominator: plain(&denominator?.0) }, ValueType::Decimal)
        }
        Shape::Derived { expr, span } => {
            let (expr, known) = typed(&with_types(draft, expr), *span, out)?;
            (MetricKind::Derived { expr: plain(&expr) }, known.unwrap_or(ValueType::Decimal))
        }
        Shape::Cumulative { of, span, window } => {
            summed_over_time(draft, *of, *span, out).then_some(())?;
            (MetricKind::Cumulative { of: *of, window: *window }, type_of(*of)?)
        }
        Shape::Offset { of, by } => (MetricKind::Offset { of: *of, by: *by }, type_of(*of)?),
        Shape::Movement { movement, span } | Shape::Cohort { movement, span, .. } => {
            let measure = &draft.entity(movement.measure.entity).measures[movement.measure.index.index()];
            let is_balance = measure.aggregate == Aggregate::Sum && matches!(measure.over_time, OverTime::Last | OverTime::First);
            if !is_balance {
                // One that does not say how it adds up over time has been reported itself.
                draft.tells_when_it_counts(movement.measure).then_some(())?;
                out.push(
                    Diagnostic::error(
                        "M046",
                        *span,
                        format!("`{}` is not a balance, so it has no opening and closing", measure.name),
                    )
                    .also(measure.span, "the measure")
                    .help("a movement compares a measure such as `{sum: mrr, over_time: last}`"),
                );
                return None;
            }
            let value_type = match &movement.take {
                Taken::Named(take) if take.is_count() => ValueType::Int,
                Taken::Named(Take::Fx) | Taken::Value(_) => ValueType::Decimal,
                Taken::Named(_) => measure.value_type,
            };
            let kind = match shape {
                Shape::Cohort { stretch, .. } => MetricKind::Cohort { movement: movement.clone(), stretch: *stretch },
                _ => MetricKind::Movement(movement.clone()),
            };
            (kind, value_type)
        }
        Shape::PerEntity { entity, span, each, of, aggregate, condition: test, top } => {
            let of = of.as_ref().map(|of| typed(&with_types(draft, of), *span, out));
            let test = test.as_ref().map(|test| condition(&with_types(draft, test), *span, out));
            let of = of.map_or(Some(None), |of| of.map(Some))?;
            let test = test.map_or(Some(None), |test| test.map(Some))?;
            let found = of.as_ref().and_then(|(_, known)| *known);
            if let Some(found) = found.filter(|found| !found.is_numeric())
                && matches!(aggregate, Aggregate::Sum | Aggregate::Average | Aggregate::Median)
            {
                out.push(Diagnostic::error("M026", *span, format!("a number is needed per entity, found {}", described(found))));
                return None;
            }
            let value_type = match aggregate {
                Aggregate::Count | Aggregate::CountRows | Aggregate::CountDistinct => ValueType::Int,
                Aggregate::Average | Aggregate::Median => ValueType::Decimal,
                Aggregate::Sum if top.is_some() => ValueType::Decimal,
                Aggregate::Sum | Aggregate::Min | Aggregate::Max => found.unwrap_or(ValueType::Decimal),
            };
            let kind = MetricKind::PerEntity {
                entity: *entity,
                each: *each,
                of: of.map(|(of, _)| plain(&of)),
                aggregate: *aggregate,
                condition: test.map(|test| plain(&test)),
                top: top.clone(),
            };
            (kind, value_type)
        }
        Shape::Share { of, form } => {
            let value_type = match form {
                ShareForm::Ratio => ValueType::Decimal,
                ShareForm::Difference => type_of(*of)?,
            };
            (MetricKind::Share { of: *of, form: *form }, value_type)
        }
        Shape::Score(inputs) => (MetricKind::Score(score::finished(draft, inputs, out)?), ValueType::Decimal),
        Shape::OfScore { of, take, span } => {
            let value_type = match take {
                ScoreTake::Coverage => ValueType::Decimal,
                ScoreTake::TopDriver => ValueType::Text,
            };
            score::is_one(draft, *of, *span, out).then_some((MetricKind::OfScore { of: *of, take: *take }, value_type))?
        }
        Shape::Series { series, span } => {
            if let Some(found) = type_of(series.of).filter(|found| !found.is_numeric()) {
                out.push(Diagnostic::error("M026", *span, format!("a series is made of numbers, found {}", described(found))));
                return None;
            }
            let value_type = if series.take.is_count() { ValueType::Int } else { ValueType::Decimal };
            (MetricKind::Series(series.clone()), value_type)
        }
        Shape::Peers { peers, of, .. } => {
            if let Some(found) = type_of(peers.of).filter(|found| !found.is_numeric()) {
                out.push(Diagnostic::error("M026", *of, format!("peers are compared by a number, found {}", described(found))));
                return None;
            }
            let value_type = if peers.take == PeersTake::Count { ValueType::Int } else { ValueType::Decimal };
            (MetricKind::Peers(peers.clone()), value_type)
        }
    })
}

/// Fills in what the finished inputs have become.
fn with_types(draft: &Draft<'_>, expr: &MetricExpr) -> MetricExpr {
    let typed = expr.try_map(&mut |meaning: &Meaning<MetricId>| {
        let value_type = draft.metrics[meaning.to.index()].as_ref().map(|metric| metric.value_type);
        Ok::<_, std::convert::Infallible>(Expr::Ref(Meaning { value_type, ..meaning.clone() }))
    });
    match typed {
        Ok(typed) => typed,
        Err(never) => match never {},
    }
}

fn number(
    draft: &Draft<'_>,
    expr: &MetricExpr,
    whole: Span,
    out: &mut Diagnostics,
) -> Option<crate::expr::types::Checked<MetricId>> {
    let (expr, known) = typed(&with_types(draft, expr), whole, out)?;
    if let Some(found) = known.filter(|known| !known.is_numeric()) {
        out.push(Diagnostic::error("M026", whole, format!("a ratio is made of numbers, found {}", described(found))));
        return None;
    }
    Some((expr, known))
}

/// A running total adds up rows, so its metric must be one that may be added up over time.
fn summed_over_time(draft: &Draft<'_>, of: MetricId, span: Span, out: &mut Diagnostics) -> bool {
    let Some(metric) = &draft.metrics[of.index()] else {
        return true;
    };
    let (fault, help) = match (&metric.kind, metric.additivity) {
        (MetricKind::Simple { .. }, Additivity::SemiAdditive) => {
            ("is a balance; its values over time do not add up", "use `offset:` to see it at an earlier time")
        }
        (MetricKind::Simple { measure }, _) => {
            let measure = &draft.entity(measure.entity).measures[measure.index.index()];
            if measure.time.is_some() {
                return true;
            }
            if measure.over_time == OverTime::AsOf {
                let fault = format!("`{}` is seen from a day; its values over time do not add up", metric.name);
                out.push(
                    Diagnostic::error("M044", span, fault)
                        .also(metric.span, "defined here")
                        .help("use `offset:` to see it from an earlier day"),
                );
                return false;
            }
            ("belongs to an entity without time", "add `time:` to its entity")
        }
        _ => ("is not a metric of one measure", "give the parts running totals and combine those"),
    };
    out.push(Diagnostic::error("M044", span, format!("`{}` {fault}", metric.name)).also(metric.span, "defined here").help(help));
    false
}

fn filter(draft: &Draft<'_>, definition: &written::Metric, shape: &Shape, out: &mut Diagnostics) -> Option<Expr<PathDimension>> {
    let text = definition.filter.as_ref()?;
    let fact = match shape {
        Shape::Simple(measure) => measure.entity,
        Shape::Movement { movement, .. } | Shape::Cohort { movement, .. } => movement.measure.entity,
        Shape::Cumulative { of, .. } => *draft.metrics[of.index()].as_ref()?.facts.first()?,
        Shape::Ratio { .. }
        | Shape::Derived { .. }
        | Shape::Offset { .. }
        | Shape::PerEntity { .. }
        | Shape::Share { .. }
        | Shape::Score(_)
        | Shape::OfScore { .. }
        | Shape::Series { .. }
        | Shape::Peers { .. } => {
            out.push(
                Diagnostic::error("M042", text.span, "`where` does not apply to a metric that is made of other metrics")
                    .help("put the condition on the metrics it is made of"),
            );
            return None;
        }
    };
    let condition =
        parse_condition(&draft.parameters, text, out, |name, out| draft.dimension_meaning(fact, &name.parts, name.span, out))?;
    Some(plain(&condition))
}

fn facts(draft: &Draft<'_>, shape: &Shape, inputs: &[MetricId]) -> Vec<EntityId> {
    let own = match shape {
        Shape::Simple(measure) => Some(measure.entity),
        Shape::Movement { movement, .. } | Shape::Cohort { movement, .. } => Some(movement.measure.entity),
        _ => None,
    };
    let of_inputs =
        inputs.iter().filter_map(|input| draft.metrics[input.index()].as_ref()).flat_map(|input| input.facts.iter().copied());
    let facts: BTreeSet<EntityId> = own.into_iter().chain(of_inputs).collect();
    facts.into_iter().collect()
}

/// The entities a question has to group by. Evaluated per entity, a comparison of such entities is grouped by them already.
fn compares(draft: &Draft<'_>, shape: &Shape, inputs: &[MetricId]) -> Vec<EntityId> {
    let of_inputs = inputs.iter().filter_map(|input| draft.metrics[input.index()].as_ref()).flat_map(|input| &input.compares);
    let mut all: BTreeSet<EntityId> = of_inputs.copied().collect();
    match shape {
        Shape::PerEntity { entity, .. } | Shape::Series { series: Series { per: Some(entity), .. }, .. } => {
            all.remove(entity);
        }
        Shape::Peers { peers, .. } => {
            all.insert(peers.entity);
        }
        _ => {}
    }
    all.into_iter().collect()
}

/// Too few peers say nothing; a zero would say something.
fn empty_is_not_zero(definition: &written::Metric, shape: &Shape, manner: Manner, out: &mut Diagnostics) -> bool {
    let wrong = definition.empty.as_ref().filter(|_| manner.empty_is_zero && matches!(shape, Shape::Peers { .. }));
    if let Some(text) = wrong {
        out.push(
            Diagnostic::error("M065", text.span, "too few peers would look like zero")
                .help("leave out `empty:`; what is not said about peers is null"),
        );
    }
    wrong.is_none()
}

fn every_fact_leads_to(draft: &Draft<'_>, facts: &[EntityId], entity: EntityId, span: Span, out: &mut Diagnostics) {
    for fact in facts {
        draft.safe_path(*fact, entity, span, out);
    }
}

/// Cohorts are asked for by age, with a mask per group: they cannot be moved in time, shared out or evaluated per entity.
fn no_cohort_inside(
    draft: &Draft<'_>,
    definition: &written::Metric,
    name: &Text,
    shape: &Shape,
    inputs: &[MetricId],
    out: &mut Diagnostics,
) -> bool {
    match shape {
        Shape::Offset { .. }
        | Shape::Share { .. }
        | Shape::PerEntity { .. }
        | Shape::Cumulative { .. }
        | Shape::Series { .. }
        | Shape::Peers { .. } => {}
        Shape::Simple(_)
        | Shape::Ratio { .. }
        | Shape::Derived { .. }
        | Shape::Movement { .. }
        | Shape::Cohort { .. }
        | Shape::Score(_)
        | Shape::OfScore { .. } => return true,
    }
    let Some(cohort) = inputs.iter().filter_map(|id| draft.metrics[id.index()].as_ref()).find(|metric| metric.is_cohort) else {
        return true;
    };
    out.push(
        Diagnostic::error(
            "M044",
            definition.span,
            format!("`{}` is about cohorts, and `{}` cannot be made of it", cohort.name, name.value),
        )
        .also(cohort.span, "defined here")
        .help("cohort metrics can be divided and combined: use `ratio:` or `expr:`"),
    );
    false
}

/// Cohorts are asked for at ages, and nothing else is: no question has both sides of what mixes them.
fn all_cohorts_or_none(
    draft: &Draft<'_>,
    definition: &written::Metric,
    name: &Text,
    inputs: &[MetricId],
    out: &mut Diagnostics,
) -> bool {
    let (cohorts, others): (Vec<&Metric>, Vec<&Metric>) =
        inputs.iter().filter_map(|id| draft.metrics[id.index()].as_ref()).partition(|metric| metric.is_cohort);
    let (Some(cohort), Some(other)) = (cohorts.first(), others.first()) else { return true };
    out.push(
        Diagnostic::error(
            "M044",
            definition.span,
            format!(
                "`{}` is asked for at ages and `{}` is not, so no question can answer `{}`",
                cohort.name, other.name, name.value
            ),
        )
        .also(cohort.span, "this is about cohorts")
        .also(other.span, "this is not")
        .help("make both of cohort metrics, or neither"),
    );
    false
}

fn unit(draft: &Draft<'_>, shape: &Shape) -> Option<String> {
    let unit_of_metric = |id: MetricId| draft.metrics[id.index()].as_ref().and_then(|metric| metric.unit.as_deref());
    // Units that clash are reported by their rule.
    let of_expr = |expr: &MetricExpr| unit_of(expr, &unit_of_metric).ok().flatten().map(Cow::into_owned);
    match shape {
        Shape::Simple(measure) => draft.entity(measure.entity).measures[measure.index.index()].unit.clone(),
        Shape::Movement { movement, .. } | Shape::Cohort { movement, .. } => match &movement.take {
            Taken::Named(take) if take.is_count() => Some("count".to_owned()),
            Taken::Named(_) => draft.entity(movement.measure.entity).measures[movement.measure.index.index()].unit.clone(),
            Taken::Value(_) => None,
        },
        Shape::Derived { expr, .. } => of_expr(expr),
        Shape::Ratio { numerator, denominator, .. } => {
            of_expr(&Expr::binary(BinaryOp::Divide, numerator.clone(), denominator.clone()))
        }
        Shape::Cumulative { of, .. } | Shape::Offset { of, .. } | Shape::Share { of, form: ShareForm::Difference } => {
            unit_of_metric(*of).map(str::to_owned)
        }
        Shape::PerEntity { aggregate: Aggregate::Count, .. } => Some("count".to_owned()),
        Shape::Series { series, .. } if series.take.keeps_unit() => unit_of_metric(series.of).map(str::to_owned),
        Shape::Series { series, .. } => series.take.is_count().then(|| "count".to_owned()),
        Shape::Peers { peers, .. } if peers.take.keeps_unit() => unit_of_metric(peers.of).map(str::to_owned),
        Shape::Peers { peers, .. } => (peers.take == PeersTake::Count).then(|| "count".to_owned()),
        Shape::PerEntity { top: Some(_), .. } => None,
        Shape::PerEntity { of, .. } => of.as_ref().and_then(of_expr),
        Shape::Share { form: ShareForm::Ratio, .. } | Shape::Score(_) | Shape::OfScore { .. } => None,
    }
}

fn additivity(draft: &Draft<'_>, shape: &Shape) -> Additivity {
    let of_metric = |id: MetricId| draft.metrics[id.index()].as_ref().map_or(Additivity::Not, |metric| metric.additivity);
    match shape {
        Shape::Simple(measure) => additivity::of_measure(&draft.entity(measure.entity).measures[measure.index.index()]),
        Shape::Movement { movement, .. } => additivity::of_movement(&movement.take),
        // Ages look at the same members again, and a group is null until its youngest member is old enough.
        Shape::Cohort { .. } => Additivity::Not,
        Shape::Derived { expr, .. } => additivity::of_expression(expr, &of_metric),
        // A running total is a balance of what it adds up.
        Shape::Cumulative { of, .. } if of_metric(*of) == Additivity::Additive => Additivity::SemiAdditive,
        Shape::Offset { of, .. } => of_metric(*of),
        Shape::Cumulative { .. }
        | Shape::Ratio { .. }
        | Shape::PerEntity { .. }
        | Shape::Share { .. }
        | Shape::Score(_)
        | Shape::OfScore { .. }
        | Shape::Series { .. }
        | Shape::Peers { .. } => Additivity::Not,
    }
}
