//! Names to ids: a question as asked becomes a question whose every name, type and range has been checked.

use std::collections::HashSet;

use jiff::{civil::Date, tz::TimeZone};

use super::{
    Caller, Comparison, Fill, Filter, GroupItem, MetricQuery, Scope, TimeRange,
    access::Access,
    bind_condition::{Names, bind_condition},
    bound::{BoundKey, BoundMetric, BoundQuery, Field, KeyItem},
    condition::Condition,
    error::{QueryError, QueryErrorCode as Code},
    scope::ScopeFields,
    value_check,
};
use crate::{
    expr::Expr,
    model::{DimensionId, MetricId, Model, Segment, ViewDimension, ViewTarget, score::ScorePart},
    suggest,
    time::{Calendar, Grain, Step},
    value::ValueType,
};

/// Checks a question against the model and what the caller may see.
///
/// # Errors
/// The first thing that cannot be right, with suggestions.
pub fn bind(model: &Model, query: &MetricQuery, caller: &Caller) -> Result<BoundQuery, QueryError> {
    bind_for(model, query, Access::of(model, caller))
}

/// Checks a question against the model and what somebody may see.
pub(crate) fn bind_for(model: &Model, query: &MetricQuery, access: Access) -> Result<BoundQuery, QueryError> {
    let scope = ScopeFields::of(model, &query.scope, &access)?;
    if query.metrics.is_empty() {
        return Err(QueryError::new(Code::EmptyQuery, "no metric is asked for").help("name at least one metric"));
    }
    unique_keys(query)?;
    let (zone_name, zone) = time_zone(model, query)?;
    let names = ScopeNames { model, scope: &scope, access: &access, zone };
    let metrics = query
        .metrics
        .iter()
        .map(|selection| {
            let metric = scope.metric(model, &selection.metric)?;
            if let Some(part) = selection.part {
                check_part(model, metric, part, &access)?;
            }
            Ok(BoundMetric {
                key: selection.key.clone(),
                metric,
                part: selection.part,
                filter: conjuncts(&names, selection.filter.as_ref())?,
                status: selection.status,
            })
        })
        .collect::<Result<Vec<_>, QueryError>>()?;
    let keys = keys(model, &scope, query)?;
    let range = check_range(query.range)?;
    let bound = BoundQuery {
        keys,
        range,
        filter: conjuncts(&names, query.filter.as_ref())?,
        having: query.having.as_ref().map(|having| bind_having(model, having, &metrics)).transpose()?,
        compare: query.compare.map(|compare| comparison_step(compare, range)).transpose()?,
        order_by: query.order_by.clone(),
        limit: query.limit,
        offset: query.offset,
        row_count: query.row_count,
        fill: query.fill,
        totals: query.totals,
        movement_grain: query.movement_grain.clone(),
        movement_basis: query.movement_basis,
        dimension_basis: query.dimension_basis,
        is_page_of_entities: matches!(query.scope, Scope::Entity(_)),
        as_of: query.as_of,
        as_known_at: query.as_known_at,
        time_zone: zone_name,
        currency: super::bind_currency::currency(model, query)?,
        access,
        metrics,
    };
    check_order(&bound)?;
    check_fill(model, &bound)?;
    check_compare(&bound)?;
    check_movement_grain(model, &bound)?;
    check_total_ages(&bound)?;
    Ok(bound)
}

/// Refuses parts of what is no score, of inputs a score does not have, and of scores with inputs that do not exist for the asker:
/// of these, the number is all there is.
fn check_part(model: &Model, metric: MetricId, part: ScorePart, access: &Access) -> Result<(), QueryError> {
    let metric = model.metric(metric);
    let (ScorePart::Value(position) | ScorePart::Scaled(position) | ScorePart::Contribution(position)) = part;
    match metric.score().filter(|score| !score.reads(&access.hidden_metrics)) {
        Some(score) if position < score.inputs.len() => Ok(()),
        Some(score) => Err(QueryError::new(
            Code::NameNotFound,
            format!("the score `{}` has {} inputs, not one at position {position}", metric.name, score.inputs.len()),
        )),
        None => Err(QueryError::new(Code::NameNotFound, format!("`{}` is not a score, so nothing contributes to it", metric.name))),
    }
}

fn unique_keys(query: &MetricQuery) -> Result<(), QueryError> {
    let mut seen = HashSet::new();
    let keys = query.metrics.iter().map(|metric| &metric.key).chain(query.by.iter().map(|group| &group.key));
    for key in keys {
        if !seen.insert(key) {
            return Err(QueryError::new(Code::NameCollision, format!("two columns are called `{key}`"))
                .help("give one of them another key"));
        }
    }
    Ok(())
}

fn keys(model: &Model, scope: &ScopeFields, query: &MetricQuery) -> Result<Vec<BoundKey>, QueryError> {
    let mut keys = Vec::new();
    for (by, group) in query.by.iter().enumerate() {
        match &group.item {
            GroupItem::Dimension(name) => {
                let of = scope.field(name)?;
                for (part, dimension) in parts(model, of).into_iter().enumerate() {
                    keys.push(BoundKey {
                        key: group.key.clone(),
                        by,
                        part,
                        value_type: model.dimension(dimension).value_type,
                        item: KeyItem::Field(Field { of: of.clone(), dimension }),
                    });
                }
            }
            GroupItem::Time { dimension: None, grain } => {
                keys.push(BoundKey {
                    key: group.key.clone(),
                    by,
                    part: 0,
                    item: KeyItem::Period(*grain),
                    value_type: ValueType::Date,
                });
            }
            GroupItem::Time { dimension: Some(name), grain } => {
                let of = scope.field(name)?;
                let field = Field { of: of.clone(), dimension: only_part(model, of)? };
                if !matches!(of.value_type, ValueType::Date | ValueType::Timestamp) {
                    return Err(QueryError::new(Code::InvalidGrain, format!("`{name}` is not a date, so it has no grain"))
                        .help(format!("group by the dimension itself: {{dimension: {name}}}")));
                }
                keys.push(BoundKey {
                    key: group.key.clone(),
                    by,
                    part: 0,
                    item: KeyItem::FieldPeriod(field, *grain),
                    value_type: ValueType::Date,
                });
            }
            GroupItem::Cohort { grain } => keys.push(BoundKey {
                key: group.key.clone(),
                by,
                part: 0,
                item: KeyItem::Cohort(*grain),
                value_type: ValueType::Date,
            }),
            GroupItem::Age(ages) => {
                keys.push(BoundKey { key: group.key.clone(), by, part: 0, item: KeyItem::Age(*ages), value_type: ValueType::Int })
            }
        }
    }
    check_grains(&keys)?;
    check_ages(&keys)?;
    Ok(keys)
}

/// Several grains can be asked for at once when the periods of one make up those of all others.
fn check_grains(keys: &[BoundKey]) -> Result<(), QueryError> {
    let grains: Vec<Grain> = keys.iter().filter_map(BoundKey::period).collect();
    match Grain::finest(grains.iter().copied()) {
        Some(finest) if grains.iter().any(|grain| !grain.is_made_of(finest)) => {
            Err(QueryError::new(Code::InvalidGrain, "the periods asked for do not nest")
                .help("ask for each grain in its own field"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Members are looked at along one row of ages.
fn check_ages(keys: &[BoundKey]) -> Result<(), QueryError> {
    let ages = keys.iter().filter(|key| matches!(key.item, KeyItem::Age(_))).count();
    if ages > 1 {
        return Err(
            QueryError::new(Code::InvalidArgument, "ages are asked for twice").help("ask for each row of ages in its own field")
        );
    }
    Ok(())
}

/// The dimensions behind a field: itself, or the parts of an entity's key.
pub(crate) fn parts(model: &Model, of: &ViewDimension) -> Vec<DimensionId> {
    match of.target {
        ViewTarget::Dimension(id) => vec![id],
        ViewTarget::Entity(entity) => model.entity(entity).key.iter().map(|index| DimensionId { entity, index: *index }).collect(),
    }
}

fn only_part(model: &Model, of: &ViewDimension) -> Result<DimensionId, QueryError> {
    match parts(model, of)[..] {
        [only] => Ok(only),
        _ => Err(QueryError::new(Code::InvalidArgument, format!("`{}` has a key of several parts", of.name))
            .help("compare it with whole keys, or use one of its dimensions")),
    }
}

fn check_range(range: Option<TimeRange>) -> Result<TimeRange, QueryError> {
    let range = range.unwrap_or(TimeRange { from: None, to: None });
    match (range.from, range.to) {
        (Some(from), Some(to)) if from >= to => {
            Err(QueryError::new(Code::InvalidRange, format!("the range from {from} to {to} holds no day (the end is excluded)"))
                .help("put the later day in `to`"))
        }
        _ => Ok(range),
    }
}

fn time_zone(model: &Model, query: &MetricQuery) -> Result<(String, TimeZone), QueryError> {
    let name = query.time_zone.as_deref().unwrap_or(&model.project.time_zone);
    let zone = TimeZone::get(name).map_err(|_| {
        QueryError::new(Code::InvalidArgument, format!("`{name}` is not a time zone"))
            .help("use an IANA name such as `Europe/Berlin`")
    })?;
    Ok((name.to_owned(), zone))
}

fn conjuncts(names: &ScopeNames<'_>, filter: Option<&Filter>) -> Result<Vec<Condition<Field>>, QueryError> {
    let condition = filter.map(|filter| bind_condition(names.model, names, filter)).transpose()?;
    Ok(condition.map(Condition::conjuncts).unwrap_or_default())
}

/// Names of conditions on rows, as a scope means them.
struct ScopeNames<'a> {
    model: &'a Model,
    scope: &'a ScopeFields,
    access: &'a Access,
    zone: TimeZone,
}

impl Names for ScopeNames<'_> {
    type Field = Field;

    fn field(&self, name: &str) -> Result<Field, QueryError> {
        let of = self.scope.field_for_condition(name)?;
        Ok(Field { of: of.clone(), dimension: only_part(self.model, of)? })
    }

    fn key(&self, name: &str) -> Result<Vec<Field>, QueryError> {
        let of = self.scope.field_for_condition(name)?;
        Ok(parts(self.model, of).into_iter().map(|dimension| Field { of: of.clone(), dimension }).collect())
    }

    fn segment(&self, segment: &Segment) -> Result<Expr<Field>, QueryError> {
        segment.filter.try_map(&mut |place| {
            let of = self.scope.segment_field(self.model, segment, place)?;
            Ok(Expr::Ref(Field { of, dimension: place.dimension }))
        })
    }

    fn related(&self, relationship: &str) -> Result<(Self, Field), QueryError> {
        let message =
            format!("`{relationship}` leads to other rows, and conditions of questions about metrics follow no relationship");
        Err(QueryError::new(Code::InvalidArgument, message).help("use a dimension of the view that is reached that way"))
    }

    fn value_type(&self, field: &Field) -> ValueType {
        self.model.dimension(field.dimension).value_type
    }

    fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    fn access(&self) -> &Access {
        self.access
    }
}

/// Checks conditions on metrics; fields become positions in `metrics`.
pub(super) fn bind_having(model: &Model, having: &Filter, metrics: &[BoundMetric]) -> Result<Condition<usize>, QueryError> {
    let field = |name: &str| -> Result<usize, QueryError> {
        metrics.iter().position(|metric| metric.key == name).ok_or_else(|| {
            QueryError::new(Code::NonAggregateInHaving, format!("`{name}` is not one of the metrics asked for"))
                .help("`having` speaks of metrics; put conditions on dimensions into `where`")
                .suggest(suggest::nearest(name, metrics.iter().map(|metric| metric.key.as_str())))
        })
    };
    let fit =
        |name: &str, position: usize, value: &_| value_check::fit(name, value, model.metric(metrics[position].metric).value_type);
    let inner = |filter: &Filter| bind_having(model, filter, metrics);
    Ok(match having {
        Filter::And(list) => Condition::And(list.iter().map(inner).collect::<Result<_, _>>()?),
        Filter::Or(list) => Condition::Or(list.iter().map(inner).collect::<Result<_, _>>()?),
        Filter::Not(item) => inner(item)?.negated(),
        Filter::Compare { field: name, operator, value } => {
            let position = field(name)?;
            Condition::Compare { field: position, operator: *operator, value: fit(name, position, value)? }
        }
        Filter::In { field: name, values, negated } => {
            let position = field(name)?;
            let values = values.iter().map(|value| fit(name, position, value)).collect::<Result<_, _>>()?;
            Condition::In { field: position, values, negated: *negated }
        }
        Filter::IsNull { field: name, is_null } => Condition::IsNull { field: field(name)?, is_null: *is_null },
        Filter::Matches { field: name, .. }
        | Filter::KeyIn { field: name, .. }
        | Filter::InSegment(name)
        | Filter::Related { relationship: name, .. } => {
            return Err(QueryError::new(Code::NonAggregateInHaving, format!("`{name}` cannot be tested in `having`"))
                .help("compare a metric with a number"));
        }
    })
}

/// The distance by which a comparison lies earlier.
fn comparison_step(compare: Comparison, range: TimeRange) -> Result<Step, QueryError> {
    match compare {
        Comparison::Earlier(step) => Ok(step),
        Comparison::Range(other) => {
            let (Some(from), Some(then)) = (range.from, other.from) else {
                return Err(QueryError::new(Code::InvalidRange, "a comparison with another range needs a first day on both sides"));
            };
            let step = step_between(then, from);
            if other.to.is_some_and(|to| range.to.map(|end| step.before(end)) != Some(to)) {
                return Err(QueryError::new(Code::InvalidRange, "the range compared with is not as long as the range asked for")
                    .help("leave out its `to`, or ask for two ranges of the same length"));
            }
            Ok(step)
        }
    }
}

/// The distance between two days: in months when both are the same day of a month.
fn step_between(then: Date, from: Date) -> Step {
    if from.day() == then.day() {
        let years = i32::from(from.year()) - i32::from(then.year());
        return Step::months(years * 12 + i32::from(from.month()) - i32::from(then.month()));
    }
    Step::days((from - then).get_days())
}

fn check_order(bound: &BoundQuery) -> Result<(), QueryError> {
    for order in &bound.order_by {
        let known = bound.keys.iter().map(|key| key.key.as_str()).chain(bound.metrics.iter().map(|metric| metric.key.as_str()));
        if !known.clone().any(|key| key == order.key) {
            return Err(QueryError::new(
                Code::NameNotFound,
                format!("rows cannot be ordered by `{}`: it is not among the columns", order.key),
            )
            .help("order by a metric that is selected or a dimension that is grouped")
            .suggest(suggest::nearest(&order.key, known)));
        }
    }
    Ok(())
}

/// Periods one question may name at most: a slip in a year must not become a statement of megabytes.
const MAX_PERIODS: usize = 5_000;

fn check_fill(model: &Model, bound: &BoundQuery) -> Result<(), QueryError> {
    if bound.fill == Fill::None {
        return Ok(());
    }
    if bound.period().is_none() {
        return Err(QueryError::new(Code::InvalidArgument, "there are no periods to fill").help("group by period(grain:) too"));
    }
    if bound.range.from.is_none() || bound.range.to.is_none() {
        return Err(
            QueryError::new(Code::InvalidRange, "filling needs a range with both ends").help("pass range: {between: {from, to}}")
        );
    }
    check_period_count(model, bound.period(), bound.range)
}

/// Refuses closed ranges of more periods than a statement can list.
pub(crate) fn check_period_count(model: &Model, period: Option<Grain>, range: TimeRange) -> Result<(), QueryError> {
    let (Some(grain), Some(from), Some(to)) = (period, range.from, range.to) else { return Ok(()) };
    if model.project.calendar.periods(grain, from, to).take(MAX_PERIODS + 1).count() <= MAX_PERIODS {
        return Ok(());
    }
    Err(QueryError::new(Code::InvalidRange, format!("the range holds more than {MAX_PERIODS} periods by {}", grain.name()))
        .help("use a shorter range or a coarser grain"))
}

fn check_compare(bound: &BoundQuery) -> Result<(), QueryError> {
    let Some(step) = bound.compare else { return Ok(()) };
    match bound.period() {
        Some(grain) if !bound.totals => check_shift(grain, step),
        Some(grain) if bound.range.from.is_some() && bound.range.to.is_some() => check_shift(grain, step),
        Some(_) => Err(QueryError::new(Code::InvalidRange, "totals beside a comparison need a range with both ends")
            .help("pass range: {between: {from, to}}, or leave out totals")),
        None if bound.range.from.is_none() || bound.range.to.is_none() => {
            Err(QueryError::new(Code::InvalidRange, "a comparison without periods needs a range with both ends")
                .help("pass range: {between: {from, to}}, or group by period(grain:)"))
        }
        None => Ok(()),
    }
}

/// Whether moving periods of a grain by a step gives periods of that grain again.
pub(crate) fn check_shift(grain: Grain, step: Step) -> Result<(), QueryError> {
    let whole = match grain {
        Grain::Day => true,
        Grain::Week => step.months == 0 && step.days % 7 == 0,
        Grain::Month | Grain::Quarter | Grain::Year | Grain::FiscalQuarter | Grain::FiscalYear => {
            step.days == 0 && step.months % grain.step().months == 0
        }
    };
    if whole {
        return Ok(());
    }
    Err(QueryError::new(Code::InvalidGrain, format!("periods by {} cannot be moved by that distance", grain.name()))
        .help("move by whole periods, or ask for a finer grain"))
}

/// At each age the same members are looked at again: over several ages nothing adds up.
fn check_total_ages(bound: &BoundQuery) -> Result<(), QueryError> {
    match bound.ages().filter(|ages| bound.totals && !ages.is_one()) {
        None => Ok(()),
        Some(_) => Err(QueryError::new(Code::InvalidArgument, "totals over several ages would count every member at each of them")
            .help("leave out totals and group by age alone, or ask for one age (`from` and `upTo` alike)")),
    }
}

fn check_movement_grain(model: &Model, bound: &BoundQuery) -> Result<(), QueryError> {
    let Some(name) = &bound.movement_grain else { return Ok(()) };
    let mut known = Vec::new();
    for metric in &bound.metrics {
        let metric = model.metric(metric.metric);
        if !metric.is_movement {
            continue;
        }
        for fact in &metric.facts {
            let grains = model.entity(*fact).movements.iter().flat_map(|movements| &movements.grains);
            known.extend(grains.map(|grain| grain.name.as_str()));
        }
    }
    if known.is_empty() || known.contains(&name.as_str()) {
        return Ok(());
    }
    Err(QueryError::new(Code::InvalidArgument, format!("there is no movement grain `{name}`"))
        .suggest(suggest::nearest(name, known.iter().copied())))
}

/// A range widened to whole periods of a grain, so that a snapshot counts when its period is touched.
pub(crate) fn whole_periods(range: TimeRange, grain: Grain, calendar: Calendar) -> TimeRange {
    TimeRange {
        from: range.from.map(|from| calendar.truncate(grain, from)),
        to: range.to.map(|to| {
            let start = calendar.truncate(grain, to);
            if start == to { to } else { grain.step().after(start) }
        }),
    }
}
