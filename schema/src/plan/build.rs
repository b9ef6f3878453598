//! A checked question to a plan: metrics are opened up until only leaves are left; equal leaves are shared.

use std::collections::BTreeSet;

use super::{
    AggregateColumn, AggregateLeaf, Conversion, CumulativeLeaf, Leaf, LeafKey, LeafKind, Output, Place, Plan, Slot, Timing,
    per_entity::{Evaluated, PerEntity},
};
use crate::{
    expr::{BinaryOp, CaseArm, Expr, Function},
    model::{
        DimensionId, DimensionIndex, EntityId, MeasureId, Metric, MetricId, MetricKind, Model,
        entity::{Aggregate, OverTime, Window},
        metric::ShareForm,
        path::PathDimension,
        score::Score,
    },
    query::{
        bind::{check_period_count, check_shift, parts, whole_periods},
        bound::{BoundKey, BoundMetric, BoundQuery, Field, KeyItem},
        condition::Condition,
        error::{QueryError, QueryErrorCode as Code},
        scope::entity_fields,
    },
    time::{Grain, Step},
    value::{Value, ValueType},
};

/// Builds one plan.
pub(crate) struct Builder<'a> {
    pub(super) model: &'a Model,
    pub(super) query: &'a BoundQuery,
    pub(super) keys: Vec<BoundKey>,
    pub(super) leaves: Vec<Leaf>,
    known: Vec<Known>,
    /// Leaves that metrics per entity may share.
    pub(super) evaluated: Vec<Evaluated>,
}

/// A metric that has been opened up already.
struct Known {
    metric: MetricId,
    timing: Timing,
    filter: Vec<Condition<Field>>,
    value: Expr<Slot>,
}

/// What a metric is computed under, on the way down from the question.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) timing: Timing,
    pub(super) filter: &'a [Condition<Field>],
}

impl<'a> Builder<'a> {
    pub(crate) fn new(model: &'a Model, query: &'a BoundQuery, keys: Vec<BoundKey>) -> Self {
        Self { model, query, keys, leaves: Vec::new(), known: Vec::new(), evaluated: Vec::new() }
    }

    pub(crate) fn plan(mut self) -> Result<Plan, QueryError> {
        let mut outputs = Vec::new();
        for asked in &self.query.metrics {
            let metric = self.model.metric(asked.metric);
            let context = Context { timing: Timing::default(), filter: &asked.filter };
            let value = self.asked(asked, context)?;
            let previous = match self.query.compare {
                Some(shift) => {
                    let timing = Timing { shift, total: false };
                    Some(self.asked(asked, Context { timing, ..context })?)
                }
                None => None,
            };
            let status = if asked.status { Some(self.divisor(metric, context)?) } else { None };
            let value_type = if asked.part.is_some() { ValueType::Decimal } else { metric.value_type };
            outputs.push(Output { key: asked.key.clone(), value, previous, status, value_type });
        }
        let conversion = self.query.currency.clone().map(|into| {
            let is_money = |position: &usize| {
                let asked = &self.query.metrics[*position];
                asked.part.is_none() && self.model.metric(asked.metric).is_money()
            };
            Conversion { into, outputs: (0..outputs.len()).filter(is_money).collect() }
        });
        for position in conversion.iter().flat_map(|conversion| &conversion.outputs) {
            outputs[*position].value_type = ValueType::Decimal;
        }
        Ok(Plan { conversion, ..self.finish(outputs) })
    }

    fn asked(&mut self, asked: &BoundMetric, context: Context<'_>) -> Result<Expr<Slot>, QueryError> {
        match asked.part {
            None => self.value(asked.metric, context),
            Some(part) => self.over_metrics(&score_of(self.model, asked.metric).part(part), context),
        }
    }

    pub(super) fn finish(self, outputs: Vec<Output>) -> Plan {
        Plan {
            keys: self.keys,
            range: self.query.range,
            leaves: self.leaves,
            outputs,
            having: self.query.having.clone(),
            order_by: self.query.order_by.clone(),
            limit: self.query.limit,
            offset: self.query.offset,
            row_count: self.query.row_count,
            fill: self.query.fill,
            conversion: None,
        }
    }

    fn divisor(&mut self, metric: &Metric, context: Context<'_>) -> Result<Option<Expr<Slot>>, QueryError> {
        let MetricKind::Ratio { denominator, .. } = &metric.kind else { return Ok(None) };
        self.over_metrics(denominator, context).map(Some)
    }

    /// A metric under a context; what several metrics are made of is computed once.
    pub(super) fn value(&mut self, id: MetricId, context: Context<'_>) -> Result<Expr<Slot>, QueryError> {
        let same = |known: &Known| known.metric == id && known.timing == context.timing && known.filter == context.filter;
        if let Some(known) = self.known.iter().find(|known| same(known)) {
            return Ok(known.value.clone());
        }
        let value = self.computed(id, context)?;
        let filter = context.filter.to_vec();
        self.known.push(Known { metric: id, timing: context.timing, filter, value: value.clone() });
        Ok(value)
    }

    fn computed(&mut self, id: MetricId, context: Context<'_>) -> Result<Expr<Slot>, QueryError> {
        let metric = self.model.metric(id);
        let value = match &metric.kind {
            MetricKind::Simple { measure } => self.simple(metric, *measure, context)?,
            MetricKind::Ratio { numerator, denominator } => {
                let numerator = self.over_metrics(numerator, context)?;
                let denominator = self.over_metrics(denominator, context)?;
                Expr::binary(BinaryOp::Divide, numerator, denominator)
            }
            MetricKind::Derived { expr } => self.over_metrics(expr, context)?,
            MetricKind::Cumulative { of, window } => self.cumulative(metric, *of, *window, context)?,
            MetricKind::Offset { of, by } => {
                let timing = Timing { shift: context.timing.shift.plus(*by), ..context.timing };
                self.check_shift(metric, timing.shift)?;
                self.value(*of, Context { timing, ..context })?
            }
            MetricKind::Movement(movement) => self.movement(metric, movement, context)?,
            MetricKind::Cohort { movement, stretch } => self.cohort(metric, movement, *stretch, context)?,
            MetricKind::PerEntity { entity, each, of, aggregate, condition, top } => {
                let each = self.each(metric, *each)?;
                let value = PerEntity {
                    entity: *entity,
                    each,
                    of: of.as_ref(),
                    aggregate: *aggregate,
                    condition: condition.as_ref(),
                    top: top.as_ref(),
                };
                self.per_entity(value, context)?
            }
            MetricKind::Share { of, form } => {
                let part = self.value(*of, context)?;
                let timing = Timing { total: true, ..context.timing };
                let total = self.value(*of, Context { timing, ..context })?;
                let op = match form {
                    ShareForm::Ratio => BinaryOp::Divide,
                    ShareForm::Difference => BinaryOp::Subtract,
                };
                Expr::binary(op, part, total)
            }
            MetricKind::Score(score) => self.over_metrics(&score.value(), context)?,
            MetricKind::OfScore { of, take } => self.over_metrics(&score_of(self.model, *of).take(*take), context)?,
            MetricKind::Series(series) => self.series(metric, series, context)?,
            MetricKind::Peers(peers) => self.peers(metric, peers, context)?,
        };
        Ok(if metric.empty_is_zero { self.or_zero(value) } else { value })
    }

    /// A value that is zero where there are no rows. Where a snapshot is missing as a whole, nobody has rows, and nothing is known.
    fn or_zero(&self, value: Expr<Slot>) -> Expr<Slot> {
        let mut slots = BTreeSet::new();
        value.visit_refs(&mut |slot: &Slot| {
            slots.insert(*slot);
        });
        let zero = Expr::Literal(Value::Int(0));
        let filled = Expr::Call(Function::Coalesce, vec![value, zero]);
        if slots.is_empty() || !slots.iter().all(|slot| self.leaves[slot.leaf].reads_snapshots(self.model)) {
            return filled;
        }
        let known: BTreeSet<Slot> = slots.into_iter().map(|slot| self.known(slot)).collect();
        let when = known.into_iter().map(Expr::Ref).reduce(|one, other| Expr::binary(BinaryOp::Or, one, other));
        let when = when.expect("there is a slot, as was just asked");
        Expr::Case { arms: vec![CaseArm { when, then: filled }], otherwise: None }
    }

    /// Whether what a slot is made of is known.
    fn known(&self, slot: Slot) -> Slot {
        let column = match &self.leaves[slot.leaf].kind {
            LeafKind::Movement(movement) if movement.columns.get(slot.column).is_some_and(|column| movement.is_closing(column)) => {
                Slot::CLOSED
            }
            LeafKind::Movement(_)
            | LeafKind::Aggregate(_)
            | LeafKind::Cumulative(_)
            | LeafKind::AsOf(_)
            | LeafKind::PerEntity(_)
            | LeafKind::Series(_)
            | LeafKind::Cohort(_)
            | LeafKind::Peers(_) => Slot::KNOWN,
        };
        Slot { leaf: slot.leaf, column: if slot.is_about_snapshots() { slot.column } else { column } }
    }

    pub(super) fn over_metrics(&mut self, expr: &Expr<MetricId>, context: Context<'_>) -> Result<Expr<Slot>, QueryError> {
        expr.try_map(&mut |id| self.value(*id, context))
    }

    fn check_shift(&self, metric: &Metric, shift: Step) -> Result<(), QueryError> {
        if let Some(grain) = self.period() {
            return check_shift(grain, shift);
        }
        if self.query.range.from.is_some() && self.query.range.to.is_some() {
            return Ok(());
        }
        Err(QueryError::new(
            Code::InvalidRange,
            format!("`{}` looks at an earlier time, which needs a range with both ends", metric.name),
        )
        .help("pass range: {between: {from, to}}, or group by period(grain:)"))
    }

    /// Refuses to move days by months where a day without a counterpart would be merged with its neighbour.
    pub(super) fn check_days(&self, metric: &Metric, timing: Timing) -> Result<(), QueryError> {
        if self.period() == Some(Grain::Day) && timing.shift.months != 0 {
            return Err(QueryError::new(Code::InvalidGrain, format!("`{}` by day cannot be moved by months", metric.name))
                .help("compare by days (365, or 364 to keep weekdays), or ask for a coarser grain"));
        }
        Ok(())
    }

    /// Grain of the question's periods.
    pub(super) fn period(&self) -> Option<Grain> {
        Grain::finest(self.keys.iter().filter_map(BoundKey::period))
    }

    fn simple(&mut self, metric: &Metric, id: MeasureId, context: Context<'_>) -> Result<Expr<Slot>, QueryError> {
        let measure = self.model.measure(id);
        if measure.over_time == OverTime::AsOf {
            return self.as_of(metric, id, context);
        }
        let over_time = self.effective_over_time(metric, id)?;
        self.check_whole_steps(metric, id)?;
        let filter = self.column_filter(metric, id.entity, context)?;
        self.check_fans(metric, id, &filter)?;
        let leaf = self.aggregate_leaf(metric, id.entity, measure.time, over_time, context.timing)?;
        let value = self.measured(leaf, id, &filter);
        if over_time == OverTime::Average {
            let snapshots = Expr::Ref(self.aggregate_column(leaf, AggregateColumn::Snapshots));
            return Ok(Expr::binary(BinaryOp::Divide, value, snapshots));
        }
        Ok(value)
    }

    /// A measure as a column of a leaf; a mean is a sum and a count.
    pub(super) fn measured(&mut self, leaf: usize, measure: MeasureId, filter: &[Condition<Place>]) -> Expr<Slot> {
        let declared = self.model.measure(measure).aggregate;
        let mut column = |aggregate| {
            let column = AggregateColumn::Measure { measure, aggregate, filter: filter.to_vec() };
            Expr::Ref(self.aggregate_column(leaf, column))
        };
        match declared {
            Aggregate::Average => Expr::binary(BinaryOp::Divide, column(Aggregate::Sum), column(Aggregate::Count)),
            other => column(other),
        }
    }

    /// A balance asked for at its own grain needs no choice among snapshots.
    fn effective_over_time(&self, metric: &Metric, id: MeasureId) -> Result<OverTime, QueryError> {
        let measure = self.model.measure(id);
        let Some(finest) = self.time_grain(id.entity, measure.time) else { return Ok(measure.over_time) };
        match self.period() {
            Some(grain) if grain == finest => Ok(OverTime::Sum),
            Some(grain) if !grain.is_made_of(finest) => Err(grain_error(metric, grain, finest)),
            Some(_) | None => Ok(measure.over_time),
        }
    }

    /// Refuses ranges that begin or end between two snapshots: what a part of a month added, or what was there on a day inside it, is not
    /// known. A range without a beginning is a day that a balance is looked at from: the last snapshot up to its period counts.
    pub(super) fn check_whole_steps(&self, metric: &Metric, id: MeasureId) -> Result<(), QueryError> {
        let measure = self.model.measure(id);
        let is_day = measure.over_time != OverTime::Sum && self.query.range.from.is_none();
        let Some(index) = measure.time.filter(|_| !is_day) else { return Ok(()) };
        let Some(time) = self.model.dimension(DimensionId { entity: id.entity, index }).time.filter(|time| time.snapshot) else {
            return Ok(());
        };
        let whole = whole_periods(self.query.range, time.grain, self.model.project.calendar);
        if whole == self.query.range {
            return Ok(());
        }
        let day = |day: Option<jiff::civil::Date>| day.map_or("null".to_owned(), |day| format!("\"{day}\""));
        Err(QueryError::new(
            Code::InvalidRange,
            format!("`{}` is known by {}, and the range begins or ends inside one", metric.name, time.grain.name()),
        )
        .help(format!("range: {{between: {{from: {}, to: {}}}}}", day(whole.from), day(whole.to))))
    }

    /// Finest grain of a fact's time.
    pub(super) fn time_grain(&self, fact: EntityId, time: Option<DimensionIndex>) -> Option<Grain> {
        let index = time?;
        self.model.dimension(DimensionId { entity: fact, index }).time.map(|time| time.grain)
    }

    fn aggregate_leaf(
        &mut self,
        metric: &Metric,
        fact: EntityId,
        time: Option<DimensionIndex>,
        over_time: OverTime,
        timing: Timing,
    ) -> Result<usize, QueryError> {
        let range = self.query.range;
        if time.is_none() && (self.period().is_some() || range.from.is_some() || range.to.is_some()) {
            return Err(QueryError::new(Code::InvalidGrain, format!("`{}` has no time: it holds as of a day", metric.name))
                .help("leave out range and period, and use asOf"));
        }
        let same = |leaf: &Leaf| {
            leaf.timing == timing
                && matches!(&leaf.kind, LeafKind::Aggregate(known)
                    if known.fact == fact && known.time == time && known.over_time == over_time)
        };
        if let Some(position) = self.leaves.iter().position(same) {
            return Ok(position);
        }
        let keys = self.leaf_keys(fact, timing)?;
        let filter = self.query_filter(fact, timing)?;
        let kind = LeafKind::Aggregate(AggregateLeaf { fact, time, over_time, filter, columns: Vec::new() });
        Ok(self.push(Leaf { timing, keys, kind }))
    }

    fn aggregate_column(&mut self, leaf: usize, column: AggregateColumn) -> Slot {
        let columns = match &mut self.leaves[leaf].kind {
            LeafKind::Aggregate(aggregate) => &mut aggregate.columns,
            LeafKind::Cumulative(cumulative) => &mut cumulative.columns,
            LeafKind::AsOf(as_of) => &mut as_of.columns,
            LeafKind::Movement(_) | LeafKind::PerEntity(_) | LeafKind::Series(_) | LeafKind::Cohort(_) | LeafKind::Peers(_) => {
                unreachable!("aggregate columns belong to aggregate leaves")
            }
        };
        Slot { leaf, column: position_or_push(columns, column) }
    }

    fn cumulative(
        &mut self,
        metric: &Metric,
        of: MetricId,
        window: Window,
        context: Context<'_>,
    ) -> Result<Expr<Slot>, QueryError> {
        let of = self.model.metric(of);
        let MetricKind::Simple { measure: id } = of.kind else {
            unreachable!("a running total is of a simple metric: checked when definitions are resolved")
        };
        let without_time = || QueryError::new(Code::InvalidGrain, format!("`{}` has no time", metric.name));
        let time = self.model.measure(id).time.ok_or_else(without_time)?;
        if self.period().is_none() && self.query.range.to.is_none() {
            return Err(QueryError::new(Code::InvalidRange, "a running total needs a period or the end of a range")
                .help("group by period(grain:) or pass range"));
        }
        check_period_count(self.model, self.period(), self.query.range)?;
        let finest = self.time_grain(id.entity, Some(time)).unwrap_or(Grain::Day);
        if let Some(grain) = self.period().filter(|grain| !grain.is_made_of(finest)) {
            return Err(grain_error(metric, grain, finest));
        }
        self.check_days(metric, context.timing)?;
        let keys = self.leaf_keys(id.entity, context.timing)?;
        let filter = self.query_filter(id.entity, context.timing)?;
        let mut column_filter = self.column_filter(metric, id.entity, context)?;
        column_filter.extend(self.column_filter(of, id.entity, Context { filter: &[], ..context })?);
        self.check_fans(metric, id, &column_filter)?;
        let kind = LeafKind::Cumulative(CumulativeLeaf { fact: id.entity, time, window, filter, columns: Vec::new() });
        let leaf = self.push(Leaf { timing: context.timing, keys, kind });
        Ok(self.measured(leaf, id, &column_filter))
    }

    /// The question's group keys as a fact reaches them.
    pub(super) fn leaf_keys(&self, fact: EntityId, timing: Timing) -> Result<Vec<LeafKey>, QueryError> {
        let mut keys = Vec::new();
        for key in &self.keys {
            match &key.item {
                KeyItem::Period(grain) => keys.push(LeafKey::Period(*grain)),
                KeyItem::Field(_) | KeyItem::FieldPeriod(..) if timing.total => {}
                KeyItem::Field(field) => keys.push(LeafKey::Place(self.place(fact, field)?)),
                KeyItem::FieldPeriod(field, grain) => keys.push(LeafKey::PlacePeriod(self.place(fact, field)?, *grain)),
                KeyItem::Cohort(_) if timing.total => {}
                KeyItem::Cohort(grain) => keys.push(LeafKey::PlacePeriod(self.cohort_place(fact)?, *grain)),
                KeyItem::Age(_) => return Err(self.without_age(fact)),
            }
        }
        Ok(keys)
    }

    pub(super) fn place(&self, fact: EntityId, field: &Field) -> Result<Place, QueryError> {
        Place::of(self.model, fact, field).ok_or_else(|| {
            let fact = &self.model.entity(fact).name;
            QueryError::new(Code::NoPath, format!("`{}` cannot be reached from `{fact}`", field.of.name))
                .help("leave it out, or ask for metrics of one fact at a time")
        })
    }

    /// The question that a plan inside this one answers: a total is of all entities, whatever page they are on.
    pub(super) fn question_of(&self, timing: Timing) -> BoundQuery {
        BoundQuery { filter: self.conditions(timing).cloned().collect(), ..self.query.clone() }
    }

    /// The question's conditions; in totals without the page of entities that is shown.
    fn conditions(&self, timing: Timing) -> impl Iterator<Item = &Condition<Field>> {
        let is_page = |item: &Condition<Field>| self.query.is_page_of_entities && matches!(item, Condition::KeyIn { .. });
        self.query.filter.iter().filter(move |item| !(timing.total && is_page(item)))
    }

    /// The question's conditions as a fact reaches them.
    pub(super) fn query_filter(&self, fact: EntityId, timing: Timing) -> Result<Vec<Condition<Place>>, QueryError> {
        let conditions: Vec<_> =
            self.conditions(timing).map(|item| item.try_map(&mut |field| self.place(fact, field))).collect::<Result<_, _>>()?;
        self.check_masks(&conditions)?;
        Ok(conditions)
    }

    /// Refuses conditions on what the caller may not read: a masked value read as null would select the wrong rows.
    pub(super) fn check_masks(&self, conditions: &[Condition<Place>]) -> Result<(), QueryError> {
        match places(conditions).find(|place| self.query.access.masked.contains(&place.dimension)) {
            None => Ok(()),
            Some(place) => {
                let name = &self.model.dimension(place.dimension).name;
                Err(QueryError::new(
                    Code::Forbidden,
                    format!("`{name}` is masked for you, and a condition of this question needs it"),
                ))
            }
        }
    }

    /// The conditions of one column: the metric's own and those the question puts on it.
    pub(super) fn column_filter(
        &self,
        metric: &Metric,
        fact: EntityId,
        context: Context<'_>,
    ) -> Result<Vec<Condition<Place>>, QueryError> {
        let own = metric.filter.iter().flat_map(|filter| {
            filter
                .try_map(&mut |place| Ok::<_, QueryError>(Expr::Ref(Place::safe(place))))
                .map(|expr| split(expr).into_iter().map(Condition::Expr).map(Ok).collect::<Vec<_>>())
                .unwrap_or_else(|error| vec![Err(error)])
        });
        let asked = context.filter.iter().map(|condition| condition.try_map(&mut |field| self.place(fact, field)));
        let conditions: Vec<_> = own.chain(asked).collect::<Result<_, _>>()?;
        self.check_masks(&conditions)?;
        Ok(conditions)
    }

    pub(super) fn push(&mut self, leaf: Leaf) -> usize {
        self.leaves.push(leaf);
        self.leaves.len() - 1
    }
}

/// The score behind a metric of which something is taken.
fn score_of(model: &Model, id: MetricId) -> &Score {
    model.metric(id).score().expect("something is taken of scores only: checked when definitions and questions are")
}

/// The parts of a conjunction, so that each can be applied where it belongs.
fn split<R>(expr: Expr<R>) -> Vec<Expr<R>> {
    match expr {
        Expr::Binary(BinaryOp::And, left, right) => split(*left).into_iter().chain(split(*right)).collect(),
        other => vec![other],
    }
}

/// The refusal of a grain that a fact's periods do not make up.
pub(super) fn grain_error(metric: &Metric, asked: Grain, finest: Grain) -> QueryError {
    QueryError::new(
        Code::InvalidGrain,
        format!("`{}` is known by {}, which does not make up periods by {}", metric.name, finest.name(), asked.name()),
    )
    .help(format!("use grain {} or one made of it", finest.name().to_uppercase()))
}

/// The key of an entity as group keys of an inner plan.
pub(super) fn key_of(model: &Model, entity: EntityId) -> Vec<BoundKey> {
    let itself = entity_fields(model, entity).swap_remove(0);
    let key = parts(model, &itself).into_iter().enumerate().map(|(part, dimension)| BoundKey {
        key: format!("per_entity_{part}"),
        by: usize::MAX,
        part,
        value_type: model.dimension(dimension).value_type,
        item: KeyItem::Field(Field { of: itself.clone(), dimension }),
    });
    key.collect()
}

/// A key of a leaf over inner rows: the inner plan has already cut and reached it.
pub(super) fn outer_key(item: &KeyItem) -> LeafKey {
    match item {
        KeyItem::Period(grain) => LeafKey::Period(*grain),
        KeyItem::Cohort(grain) => LeafKey::Cohort(*grain),
        KeyItem::Age(_) => LeafKey::Age,
        KeyItem::Field(field) | KeyItem::FieldPeriod(field, _) => {
            LeafKey::Place(Place::safe(&PathDimension { path: Vec::new(), dimension: field.dimension }))
        }
    }
}

/// The dimensions among the keys of a leaf.
pub(super) fn key_places(keys: &[LeafKey]) -> impl Iterator<Item = &Place> {
    keys.iter().filter_map(|key| match key {
        LeafKey::Period(_) | LeafKey::Cohort(_) | LeafKey::Age => None,
        LeafKey::Place(place) | LeafKey::PlacePeriod(place, _) => Some(place),
    })
}

/// The dimensions conditions speak of.
pub(crate) fn places(conditions: &[Condition<Place>]) -> impl Iterator<Item = &Place> {
    let mut found = Vec::new();
    conditions.iter().for_each(|condition| condition.visit(&mut |place| found.push(place)));
    found.into_iter()
}

/// The position of an item that is there, or of the item added.
pub(super) fn position_or_push<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}
