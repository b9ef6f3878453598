//! Measures of one fact, added up to the group keys.

use super::{
    Lowerer, column,
    condition::condition,
    fan::{Fans, value_of},
    from_cte, key_alias, numbered,
    scan::{At, Env, Scan, relation, root},
    time::{FactTime, day_of, earlier, moved_period, shift, truncate},
    value_alias,
};
use crate::{
    model::entity::{Aggregate, OverTime},
    plan::{AggregateColumn, AggregateLeaf, Leaf, LeafKey, Place, Plan},
    query::{TimeRange, condition::Condition},
    sql::ast::{AggregateFunction, Alias, Expr, Infix, Join, JoinKind, Query, Select},
    time::{Grain, Step},
    value::ValueType,
};

impl Lowerer<'_> {
    pub(super) fn aggregate(&mut self, plan: &Plan, leaf: &Leaf, aggregate: &AggregateLeaf) -> Alias {
        let env = self.env;
        let mut scan = Scan::new(env, aggregate.fact, At::AsOf);
        let time = aggregate.time.map(|index| FactTime::of(env, &scan, aggregate.fact, index));
        let mut chosen = None;
        if let Some(time) = &time {
            scan.read_at(time.read_at());
            let range = time.widened(earlier(self.leaf_range(plan, aggregate.over_time), leaf.timing.shift));
            time.within(range).into_iter().for_each(|filter| scan.filter(filter));
            if leaf.timing.shift.months != 0 && period_of(&leaf.keys) == Some(Grain::Day) {
                // A day without a counterpart so many months later has nothing to stand beside.
                let there_and_back = shift(shift(time.day(), leaf.timing.shift), leaf.timing.shift.times(-1));
                scan.filter(Expr::equal(there_and_back, time.day()));
            }
            if aggregate.over_time != OverTime::Sum {
                chosen = Some(self.choose_snapshots(&mut scan, time, aggregate, period_of(&leaf.keys), range));
            }
        }
        let fans = Fans::join(&mut scan, env, leaf.keys.iter().filter_map(place_of), &aggregate.filter);
        let day = time.as_ref().map(FactTime::day);
        let keys = self.keys(&mut scan, &fans, day.as_ref(), leaf);
        let values: Vec<Expr> = aggregate
            .columns
            .iter()
            .map(|item| match item {
                AggregateColumn::Snapshots => {
                    let chosen = chosen.as_ref().expect("snapshots are counted only for balances");
                    Expr::aggregate(AggregateFunction::Max, column(chosen, &Alias::named("n")))
                }
                AggregateColumn::Measure { .. } => measured(&mut scan, &fans, env, item),
            })
            .collect();
        let key_count = keys.len();
        let items = [numbered(keys, key_alias), numbered(values, value_alias)].concat();
        self.scanned.extend(scan.scanned());
        let select = scan.select(items, Some(key_count));
        self.cte("fact", Query::select(select))
    }

    /// A balance without an end of range is read as of the day that counts as today.
    pub(super) fn leaf_range(&self, plan: &Plan, over_time: OverTime) -> TimeRange {
        match (over_time, plan.range.to) {
            (OverTime::Sum, _) | (_, Some(_)) => plan.range,
            (OverTime::Last | OverTime::First | OverTime::Average | OverTime::AsOf, None) => {
                TimeRange { to: Some(Step::days(1).after(self.env.as_of)), ..plan.range }
            }
        }
    }

    /// The group keys of a leaf inside a scan, in which a row counts for the period of `day`.
    pub(super) fn keys(&self, scan: &mut Scan<'_>, fans: &Fans, day: Option<&Expr>, leaf: &Leaf) -> Vec<Expr> {
        leaf.keys.iter().map(|key| self.key(scan, fans, day, key, leaf.timing.shift)).collect()
    }

    fn key(&self, scan: &mut Scan<'_>, fans: &Fans, day: Option<&Expr>, key: &LeafKey, by: Step) -> Expr {
        match key {
            LeafKey::Period(grain) => {
                let day = day.expect("a fact without time has no periods: refused when planning");
                moved_period(self.calendar(), *grain, day.clone(), by)
            }
            LeafKey::Cohort(_) | LeafKey::Age => unreachable!("only cohorts have these keys, and keys of their own"),
            LeafKey::Place(place) => value_of(scan, fans, self.env, place),
            LeafKey::PlacePeriod(place, grain) => {
                let value = value_of(scan, fans, self.env, place);
                truncate(self.calendar(), *grain, day_of(self.env, value, self.env.model.dimension(place.dimension).value_type))
            }
        }
    }

    /// Joins, per period, which snapshot of it counts: the same for every member, so that one that is gone counts as nothing. The
    /// choice looks at what snapshots there are, not at whose: no policy and no condition applies to it.
    fn choose_snapshots(
        &mut self,
        scan: &mut Scan<'_>,
        time: &FactTime<'_>,
        aggregate: &AggregateLeaf,
        period: Option<Grain>,
        range: TimeRange,
    ) -> Alias {
        let step = time.step();
        let pick = match aggregate.over_time {
            OverTime::First => AggregateFunction::Min,
            OverTime::Sum | OverTime::Last | OverTime::Average | OverTime::AsOf => AggregateFunction::Max,
        };
        let period_key = period.map(|grain| truncate(self.calendar(), grain, time.day()));
        let mut items: Vec<_> = period_key.iter().map(|key| key.clone().named(&key_alias(0))).collect();
        items.push(Expr::aggregate(pick, step.clone()).named(&Alias::named("s")));
        items.push(Expr::aggregate(AggregateFunction::CountDistinct, step.clone()).named(&Alias::named("n")));
        let keys = items.len() - 2;
        let select = Select {
            items,
            from: Some(relation(self.env, aggregate.fact, root())),
            filters: time.within(range),
            group_by: Some(keys),
            ..Select::default()
        };
        let name = self.cte("snapshots", Query::select(select));
        let alias = scan.next_alias();
        let mut on: Vec<Expr> = period_key.into_iter().map(|key| Expr::equal(column(&alias, &key_alias(0)), key)).collect();
        if aggregate.over_time != OverTime::Average {
            on.push(Expr::equal(column(&alias, &Alias::named("s")), step));
        }
        let kind = if on.is_empty() { JoinKind::Cross } else { JoinKind::Inner };
        scan.join(Join { kind, from: from_cte(&name, &alias), on });
        alias
    }
}

/// A measure as an aggregate in a scan of its fact.
pub(super) fn measured(scan: &mut Scan<'_>, fans: &Fans, env: Env<'_>, item: &AggregateColumn) -> Expr {
    let AggregateColumn::Measure { measure, .. } = item else { unreachable!("only measures are aggregated here") };
    let own = env.model.measure(*measure).filter.iter().map(|filter| scan.of_row(filter)).collect();
    among(scan, fans, env, item, own)
}

/// A measure as an aggregate over the rows of a scan that fulfil these conditions and those of the column.
pub(super) fn among(scan: &mut Scan<'_>, fans: &Fans, env: Env<'_>, item: &AggregateColumn, mut conditions: Vec<Expr>) -> Expr {
    let AggregateColumn::Measure { measure, aggregate, filter } = item else { unreachable!("only measures are aggregated here") };
    let measure = env.model.measure(*measure);
    conditions.extend(filter.iter().map(|filter| condition(filter, &mut |place| value_of(scan, fans, env, place))));
    let value = match aggregate {
        Aggregate::CountRows => Expr::Number(1),
        Aggregate::Sum
        | Aggregate::Average
        | Aggregate::Min
        | Aggregate::Max
        | Aggregate::Count
        | Aggregate::CountDistinct
        | Aggregate::Median => scan.of_row(&measure.expr),
    };
    let value = fans.weights().fold(value, |value, weight| Expr::infix(Infix::Multiply, value, weight));
    let value = if conditions.is_empty() { value } else { Expr::when(Expr::And(conditions), value) };
    let value = match (aggregate, measure.value_type) {
        (Aggregate::Sum, ValueType::Int) => Expr::Exact(Box::new(value)),
        _ => value,
    };
    Expr::aggregate(function(*aggregate), value)
}

/// The SQL aggregate of a measure's; a mean is computed from a sum and a count before it gets here.
pub(super) fn function(aggregate: Aggregate) -> AggregateFunction {
    match aggregate {
        Aggregate::Sum | Aggregate::Average => AggregateFunction::Sum,
        Aggregate::Min => AggregateFunction::Min,
        Aggregate::Max => AggregateFunction::Max,
        Aggregate::Count | Aggregate::CountRows => AggregateFunction::Count,
        Aggregate::CountDistinct => AggregateFunction::CountDistinct,
        Aggregate::Median => AggregateFunction::Median,
    }
}

/// Finest grain of the periods among the keys.
pub(super) fn period_of(keys: &[LeafKey]) -> Option<Grain> {
    Grain::finest(keys.iter().filter_map(|key| match key {
        LeafKey::Period(grain) => Some(*grain),
        LeafKey::Place(_) | LeafKey::PlacePeriod(..) | LeafKey::Cohort(_) | LeafKey::Age => None,
    }))
}

/// The dimension of a key.
pub(super) fn place_of(key: &LeafKey) -> Option<&Place> {
    match key {
        LeafKey::Period(_) | LeafKey::Cohort(_) | LeafKey::Age => None,
        LeafKey::Place(place) | LeafKey::PlacePeriod(place, _) => Some(place),
    }
}

/// Applies conditions whose fields are all reached safely.
pub(super) fn apply(scan: &mut Scan<'_>, env: Env<'_>, conditions: &[Condition<Place>]) {
    for filter in conditions {
        let filter = condition(filter, &mut |place| value_of(scan, &Fans::default(), env, place));
        scan.filter(filter);
    }
}
