//! Opening against closing, member by member (ARCHITECTURE.md, "Movements").
//!
//! Two readings of one fact, a step apart, meet per member: each snapshot is the closing of its own period and the opening of the next.
//! Members are compared by calendar, never by neighbouring rows, so a missing month is a fall to zero. Where value can move between
//! members, or be converted at another rate, it is followed component by component first (`trace`).

mod owners;
mod sums;
mod trace;

pub(super) use sums::{class, summed_column};

use smol_str::format_smolstr;

use super::{
    Lowerer,
    aggregate::{apply, period_of},
    beyond::LAST,
    column,
    condition::condition,
    fan::{identifying_value, safe_value},
    from_cte, key_alias, numbered,
    scan::{At, Scan},
    time::{FactTime, day_of, earlier, moved_period, shift, truncate},
    value_alias,
};
use crate::{
    model::{
        Measure, MeasureId,
        entity::{Aggregate, ReadAt},
        metric::{Class, Take, Taken},
        path::PathDimension,
    },
    plan::{Leaf, LeafKey, MovementLeaf, Place, Plan, place::identity},
    query::{DimensionBasis, MovementBasis, TimeRange, bind::whole_periods, condition::Condition},
    sql::ast::{AggregateFunction, Alias, Expr, Infix, Item, Join, JoinKind, Query, Select},
    time::Grain,
    value::{Value, ValueType},
};

/// Which reading of a snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Opening,
    Closing,
}

/// Columns of a reading: what identifies a member, what is read beside it, which rows count, which further balances, and which numbers
/// of both ends.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    members: &'a [PathDimension],
    attributes: &'a [PathDimension],
    row_filter: &'a [Condition<Place>],
    with: &'a [MeasureId],
    levels: &'a [PathDimension],
}

/// What is told apart from a change of the balance.
#[derive(Clone, Copy)]
pub(super) struct Follows {
    /// What came from and went to other members.
    transfers: bool,
    /// What exchange rates did.
    rates: bool,
}

impl Follows {
    /// Nothing: two readings are compared as they are.
    pub(super) const NOTHING: Follows = Follows { transfers: false, rates: false };
}

/// How a movement cuts time.
struct Cut {
    range: TimeRange,
    /// Grain of the compared periods; `None` compares the two ends of the range.
    compared: Option<Grain>,
    /// The fact's own grain.
    finest: Grain,
    /// The subquery that holds the last snapshot there is.
    last: Alias,
}

impl<'a> Lowerer<'a> {
    pub(super) fn movement(&mut self, plan: &Plan, leaf: &Leaf, movement: &MovementLeaf) -> Alias {
        let cut = self.cut(plan, leaf, movement);
        let movement = &self.with_shown_members(movement);
        let wanted = Wanted {
            members: &movement.members,
            attributes: &movement.attributes,
            row_filter: &movement.row_filter,
            with: &movement.with,
            levels: &movement.levels,
        };
        let owner = Wanted { members: &movement.owner, attributes: &[], row_filter: &[], with: &[], levels: &[] };
        let (members, owners) = match &movement.trace {
            None => {
                let rows = self.sides(movement, &wanted, &cut);
                let members = self.members(movement, &rows);
                let owners = movement.is_finer_than_owner.then(|| {
                    let rows = self.sides(movement, &owner, &cut);
                    self.owners(movement, &rows)
                });
                (members, owners)
            }
            Some(trace) => {
                let rows = self.traced(movement, &wanted, &trace.places, &cut);
                let members = self.members(movement, &rows);
                // All rows of an owner are among those of its members, unless a condition took some away: then it is read by itself.
                let owners = (movement.is_finer_than_owner && !movement.row_filter.is_empty()).then(|| {
                    let rows = self.traced(movement, &owner, &[], &cut);
                    self.owners(movement, &rows)
                });
                (members, owners)
            }
        };
        let activity = needs_history(movement).then(|| self.activity(movement, &cut));
        let classified = self.classified(leaf, movement, &members, owners.as_ref(), activity.as_ref());
        self.summed(leaf, movement, &classified, &cut)
    }

    /// Members that a policy of their own may take away are known by what refers to them, and shown as they are there for the caller.
    fn with_shown_members(&self, movement: &MovementLeaf) -> MovementLeaf {
        let scan = Scan::new(self.env, movement.measure.entity, At::AsOf);
        let is_veiled = |member: &&PathDimension| {
            let shorter =
                identity(self.env.model, &member.path, member.dimension).map_or(member.path.len(), |(path, _)| path.len());
            shorter < member.path.len() && !scan.may_read_foreign_key(&member.path, shorter)
        };
        let mut movement = movement.clone();
        movement.attributes.extend(movement.members.iter().filter(is_veiled).cloned().collect::<Vec<_>>());
        movement
    }

    fn cut(&mut self, plan: &Plan, leaf: &Leaf, movement: &MovementLeaf) -> Cut {
        let fact = movement.measure.entity;
        let measure = self.env.model.measure(movement.measure);
        let index = measure.snapshot_time();
        let scan = Scan::new(self.env, fact, At::AsOf);
        let time = FactTime::of(self.env, &scan, fact, index);
        let finest = time.grain;
        let period = period_of(&leaf.keys);
        let compared = match movement.basis {
            MovementBasis::PointToPoint => period,
            MovementBasis::Flow => Some(finest),
        };
        let range = earlier(plan.range, leaf.timing.shift);
        let range = whole_periods(range, period.unwrap_or(finest), self.calendar());
        Cut { range, compared, finest, last: self.ends(fact, index) }
    }

    /// Both readings, aggregated to members: period `p`, members `k…`, attributes `a…`, side, value.
    fn sides(&mut self, movement: &MovementLeaf, wanted: &Wanted<'_>, cut: &Cut) -> Alias {
        let selects = [Side::Opening, Side::Closing].into_iter().map(|side| self.side(movement, wanted, cut, side)).collect();
        self.cte("sides", Query::union_all(selects))
    }

    fn side(&mut self, movement: &MovementLeaf, wanted: &Wanted<'_>, cut: &Cut, side: Side) -> Select {
        let model = self.env.model;
        let (mut scan, mut items) = self.reading(movement, wanted, cut, side);
        let marker = i64::from(side == Side::Opening);
        let keys = items.len();
        items.push(Expr::Number(marker).named(&Alias::named("side")));
        let balances = [movement.measure].into_iter().chain(wanted.with.iter().copied()).map(|measure| model.measure(measure));
        for (n, measure) in balances.enumerate() {
            debug_assert_eq!(measure.aggregate, Aggregate::Sum, "balances that move are sums");
            items.push(Expr::aggregate(AggregateFunction::Sum, balance(&scan, measure)).named(&balance_alias(n)));
        }
        let levels = self.levels(&mut scan, wanted).into_iter();
        items.extend(numbered(levels.map(|level| Expr::aggregate(AggregateFunction::Max, level)), level_alias));
        self.scanned.extend(scan.scanned());
        scan.select(items, Some(keys))
    }

    /// The rows of a side with their period, members and attributes.
    fn reading(&self, movement: &MovementLeaf, wanted: &Wanted<'_>, cut: &Cut, side: Side) -> (Scan<'a>, Vec<Item>) {
        let env = self.env;
        let fact = movement.measure.entity;
        let measure = env.model.measure(movement.measure);
        let index = measure.snapshot_time();
        let mut scan = Scan::new(env, fact, At::AsOf);
        let time = FactTime::of(env, &scan, fact, index);
        scan.read_at(time.read_at());
        let last_alias = scan.next_alias();
        scan.join(Join { kind: JoinKind::Cross, from: from_cte(&cut.last, &last_alias), on: Vec::new() });
        let last = column(&last_alias, &Alias::named(LAST));
        let period = self.compared_period(&mut scan, &time, cut, side, &last);
        apply(&mut scan, env, wanted.row_filter);
        let mut items = vec![period.named(&Alias::named("p"))];
        for (n, member) in wanted.members.iter().enumerate() {
            items.push(identifying_value(&mut scan, env, &member.path, member.dimension).named(&key_alias(n)));
        }
        for (n, attribute) in wanted.attributes.iter().enumerate() {
            items.push(safe_value(&mut scan, env, &attribute.path, attribute.dimension).named(&attribute_alias(n)));
        }
        (scan, items)
    }

    /// The numbers of each row that are read at both ends.
    fn levels(&self, scan: &mut Scan<'_>, wanted: &Wanted<'_>) -> Vec<Expr> {
        wanted.levels.iter().map(|level| safe_value(scan, self.env, &level.path, level.dimension)).collect()
    }

    /// Restricts a side to the snapshots that count and says which period each belongs to. A period without its closing snapshot has not
    /// happened yet: without this rule everything open would look lost.
    fn compared_period(&self, scan: &mut Scan<'_>, time: &FactTime<'_>, cut: &Cut, side: Side, last: &Expr) -> Expr {
        let step = cut.finest.step();
        let this = time.step();
        let next = shift(time.step(), step);
        let Some(grain) = cut.compared else {
            return self.whole_range(scan, time, cut, side, last);
        };
        let range = match side {
            Side::Opening => earlier(cut.range, step),
            Side::Closing => cut.range,
        };
        time.within(range).into_iter().for_each(|filter| scan.filter(filter));
        if grain != cut.finest {
            // The last step of a period is the one whose successor begins a period.
            scan.filter(Expr::equal(truncate(self.calendar(), grain, next.clone()), next.clone()));
        }
        match side {
            Side::Opening => {
                let closing =
                    if grain == cut.finest { next.clone() } else { shift(shift(next.clone(), grain.step()), step.times(-1)) };
                scan.filter(Expr::infix(Infix::LessOrEqual, closing, last.clone()));
                next
            }
            Side::Closing => truncate(self.calendar(), grain, this),
        }
    }

    /// The two ends of the range: the last snapshot before it, and the last one in it.
    fn whole_range(&self, scan: &mut Scan<'_>, time: &FactTime<'_>, cut: &Cut, side: Side, last: &Expr) -> Expr {
        let step = cut.finest.step();
        let from = cut.range.from.expect("a movement without periods needs the start of a range: refused when planning");
        let day = |date| Expr::Value(Value::Date(date));
        scan.filter(Expr::infix(Infix::GreaterOrEqual, last.clone(), day(from)));
        match side {
            Side::Opening => {
                let range = TimeRange { from: Some(step.before(from)), to: Some(from) };
                time.within(range).into_iter().for_each(|filter| scan.filter(filter));
            }
            Side::Closing => {
                time.within(cut.range).into_iter().for_each(|filter| scan.filter(filter));
                let closing = match cut.range.to {
                    Some(to) => {
                        let wanted = day(step.before(to));
                        let is_there = Expr::infix(Infix::LessOrEqual, wanted.clone(), last.clone());
                        Expr::when_else(is_there, wanted, last.clone())
                    }
                    None => last.clone(),
                };
                scan.filter(Expr::equal(time.step(), closing));
            }
        }
        day(from)
    }

    /// One row per period and member: opening `o`, closing `c`, attributes as of the instant they are read at.
    fn members(&mut self, movement: &MovementLeaf, sides: &Alias) -> Alias {
        let table = Alias::named("s");
        let mut items = vec![column(&table, &Alias::named("p")).named(&Alias::named("p"))];
        items.extend(numbered((0..movement.members.len()).map(|n| column(&table, &key_alias(n))), key_alias));
        let keys = items.len();
        let follows = self.follows(movement);
        items.extend(balances(&table, movement.with.len(), follows));
        items.extend(trace::exchanged(&table, follows));
        for (n, attribute) in movement.attributes.iter().enumerate() {
            let dimension = self.env.model.dimension(attribute.dimension);
            let value = column(&table, &attribute_alias(n));
            let at = match movement.dimension_basis {
                DimensionBasis::Opening | DimensionBasis::Current => dimension.read,
                DimensionBasis::Closing => ReadAt::Closing,
            };
            let value = match &movement.trace {
                None => read(&table, value, dimension.value_type, at),
                Some(_) => trace::read(&table, value, dimension.value_type, at),
            };
            items.push(value.named(&attribute_alias(n)));
        }
        for (n, level) in movement.levels.iter().enumerate() {
            let value = column(&table, &level_alias(n));
            let is_int = self.env.model.dimension(level.dimension).value_type == ValueType::Int;
            for (side, alias) in [(1, opening_level(n)), (0, closing_level(n))] {
                let greatest = greatest_on(&table, &value, side);
                items.push(if is_int { Expr::Exact(Box::new(greatest)) } else { greatest }.named(&alias));
            }
        }
        let select = Select { items, from: Some(from_cte(sides, &table)), group_by: Some(keys), ..Select::default() };
        self.cte("members", Query::select(select))
    }

    fn owners(&mut self, movement: &MovementLeaf, sides: &Alias) -> Alias {
        let table = Alias::named("s");
        let mut items = vec![column(&table, &Alias::named("p")).named(&Alias::named("p"))];
        items.extend(numbered((0..movement.owner.len()).map(|n| column(&table, &key_alias(n))), key_alias));
        let keys = items.len();
        items.extend(balances(&table, 0, self.follows(movement)));
        let select = Select { items, from: Some(from_cte(sides, &table)), group_by: Some(keys), ..Select::default() };
        self.cte("owners", Query::select(select))
    }

    /// Per owner the first step at which it was active, over all history: tells new from reactivation.
    fn activity(&mut self, movement: &MovementLeaf, cut: &Cut) -> Alias {
        let env = self.env;
        let fact = movement.measure.entity;
        let measure = env.model.measure(movement.measure);
        let index = measure.snapshot_time();
        let mut scan = Scan::new(env, fact, At::AsOf);
        let time = FactTime::of(env, &scan, fact, index);
        scan.read_at(time.read_at());
        let before = TimeRange { from: None, to: cut.range.to };
        time.within(before).into_iter().for_each(|filter| scan.filter(filter));
        let mut items = vec![time.step().named(&Alias::named("p"))];
        for (n, owner) in movement.owner.iter().enumerate() {
            items.push(identifying_value(&mut scan, env, &owner.path, owner.dimension).named(&key_alias(n)));
        }
        let keys = items.len();
        items.push(Expr::aggregate(AggregateFunction::Sum, balance(&scan, measure)).named(&Alias::named("v")));
        self.scanned.extend(scan.scanned());
        let select = scan.select(items, Some(keys));
        let history = self.cte("history", Query::select(select));
        let table = Alias::named("h");
        let mut items = numbered((0..movement.owner.len()).map(|n| column(&table, &key_alias(n))), key_alias);
        let keys = items.len();
        let first = Expr::aggregate(AggregateFunction::Min, column(&table, &Alias::named("p")));
        items.push(first.named(&Alias::named("first")));
        let select = Select {
            items,
            from: Some(from_cte(&history, &table)),
            filters: vec![Expr::infix(Infix::Greater, column(&table, &Alias::named("v")), Expr::Number(0))],
            group_by: Some(keys),
            ..Select::default()
        };
        self.cte("activity", Query::select(select))
    }

    /// Members with their owner's balances and their class.
    fn classified(
        &mut self,
        leaf: &Leaf,
        movement: &MovementLeaf,
        members: &Alias,
        owners: Option<&Alias>,
        activity: Option<&Alias>,
    ) -> Alias {
        let (member, owner, history) = (Alias::named("m"), Alias::named("w"), Alias::named("h"));
        let of = |name: &str| column(&member, &Alias::named(name));
        let positions = self.owner_positions(movement, &movement.members);
        let same_owner = |table: &Alias| -> Vec<Expr> {
            positions
                .iter()
                .enumerate()
                .map(|(n, position)| {
                    self.same_owner(movement, n, column(table, &key_alias(n)), column(&member, &key_alias(*position)))
                })
                .collect()
        };
        let mut joins = Vec::new();
        if let Some(name) = owners {
            let mut on = same_owner(&owner);
            on.push(Expr::equal(column(&owner, &Alias::named("p")), of("p")));
            joins.push(Join { kind: JoinKind::Left, from: from_cte(name, &owner), on });
        }
        if let Some(name) = activity {
            joins.push(Join { kind: JoinKind::Left, from: from_cte(name, &history), on: same_owner(&history) });
        }
        let owner_keys = || positions.iter().map(|n| column(&member, &key_alias(*n)));
        let owner_value = |name: &str| match owners {
            Some(_) => column(&owner, &Alias::named(name)),
            None if movement.is_finer_than_owner => {
                // With one period there is nothing to part by; DataFusion 55 refuses windows over a constant behind a join.
                let has_periods = movement.basis == MovementBasis::Flow || period_of(&leaf.keys).is_some();
                let partition = has_periods.then(|| of("p")).into_iter().chain(owner_keys()).collect();
                Expr::Over(AggregateFunction::Sum, Some(Box::new(of(name))), partition)
            }
            None => of(name),
        };
        let mut items = vec![of("p").named(&Alias::named("p"))];
        items.extend(numbered((0..movement.members.len()).map(|n| column(&member, &key_alias(n))), key_alias));
        items.extend(numbered((0..movement.attributes.len()).map(|n| column(&member, &attribute_alias(n))), attribute_alias));
        items.push(of("o").named(&Alias::named("o")));
        items.push(of("c").named(&Alias::named("c")));
        let follows = self.follows(movement);
        let beside = (1..=movement.with.len()).flat_map(|n| [opening_alias(n), closing_alias(n)]);
        let levels = (0..movement.levels.len()).flat_map(|n| [opening_level(n), closing_level(n)]);
        for alias in beside.chain(levels).chain(trace::exchanged(&member, follows).map(|item| item.alias)) {
            items.push(column(&member, &alias).named(&alias));
        }
        items.push(owner_value("o").named(&Alias::named("oo")));
        items.push(owner_value("c").named(&Alias::named("oc")));
        let active_before = match activity {
            Some(_) => Expr::infix(Infix::Less, column(&history, &Alias::named("first")), of("p")),
            None => Expr::Or(Vec::new()),
        };
        let class = class(movement, of("o"), of("c"), owner_value("o"), owner_value("c"), active_before);
        items.push(class.named(&Alias::named("class")));
        if keeps_lowest(movement) {
            let same_member = (0..movement.members.len()).map(|n| column(&member, &key_alias(n)));
            let same_period = period_of(&leaf.keys).map(|grain| truncate(self.calendar(), grain, of("p")));
            let partition = same_member.chain(same_period).collect();
            let closing = Box::new(positive(of("c")));
            items.push(Expr::Over(AggregateFunction::Min, Some(closing), partition).named(&Alias::named("low")));
        }
        let select = Select { items, from: Some(from_cte(members, &member)), joins, ..Select::default() };
        self.cte("classified", Query::select(select))
    }

    /// What is told apart from a change of the balance.
    fn follows(&self, movement: &MovementLeaf) -> Follows {
        let trace = movement.trace.as_ref();
        Follows {
            transfers: trace.is_some_and(|trace| !trace.places.is_empty()),
            rates: trace.is_some() && self.env.model.measure(movement.measure).currency.is_some(),
        }
    }

    fn summed(&mut self, leaf: &Leaf, movement: &MovementLeaf, classified: &Alias, cut: &Cut) -> Alias {
        let table = Alias::named("m");
        let model = self.env.model;
        let value = |place: &PathDimension| {
            let position = movement.attributes.iter().position(|attribute| attribute == place);
            match position {
                Some(n) => column(&table, &attribute_alias(n)),
                None => {
                    let n = movement.members.iter().position(|member| member == place);
                    column(&table, &key_alias(n.expect("every dimension of a movement is a member or an attribute")))
                }
            }
        };
        let filter = |conditions: &[Condition<Place>]| -> Vec<Expr> {
            conditions.iter().map(|item| condition(item, &mut |place| value(&place.path()))).collect()
        };
        let calendar = self.calendar();
        let period = column(&table, &Alias::named("p"));
        let keys: Vec<Expr> = leaf
            .keys
            .iter()
            .map(|key| match key {
                LeafKey::Period(grain) => moved_period(calendar, *grain, period.clone(), leaf.timing.shift),
                LeafKey::Cohort(_) | LeafKey::Age => unreachable!("only cohorts have these keys"),
                LeafKey::Place(place) => value(&place.path()),
                LeafKey::PlacePeriod(place, grain) => {
                    let value_type = model.dimension(place.dimension).value_type;
                    truncate(calendar, *grain, day_of(self.env, value(&place.path()), value_type))
                }
            })
            .collect();
        let first_step = match (movement.basis, period_of(&leaf.keys), cut.range.from) {
            (MovementBasis::PointToPoint, _, _) => None,
            (MovementBasis::Flow, Some(grain), _) => Some(Expr::equal(truncate(calendar, grain, period.clone()), period.clone())),
            (MovementBasis::Flow, None, Some(from)) => Some(Expr::equal(period.clone(), Expr::Value(Value::Date(from)))),
            (MovementBasis::Flow, None, None) => None,
        };
        let owner = self.owner_of(movement, &table);
        let follows = self.follows(movement);
        let values: Vec<Expr> = movement
            .columns
            .iter()
            .map(|item| {
                let conditions = filter(&item.filter);
                summed_column(&table, movement, follows, item, conditions, first_step.as_ref(), &owner)
            })
            .collect();
        let count = keys.len();
        let select = Select {
            items: [numbered(keys, key_alias), numbered(values, value_alias)].concat(),
            from: Some(from_cte(classified, &table)),
            filters: filter(&movement.member_filter),
            group_by: Some(count),
            ..Select::default()
        };
        self.cte("movement", Query::select(select))
    }
}

pub(super) fn attribute_alias(n: usize) -> Alias {
    Alias(format_smolstr!("a{n}"))
}

/// Balance number `n` of a row: the one that moves is the first.
fn balance_alias(n: usize) -> Alias {
    if n == 0 { Alias::named("v") } else { Alias(format_smolstr!("v{n}")) }
}

/// Its opening.
fn opening_alias(n: usize) -> Alias {
    if n == 0 { Alias::named("o") } else { Alias(format_smolstr!("o{n}")) }
}

/// Its closing.
fn closing_alias(n: usize) -> Alias {
    if n == 0 { Alias::named("c") } else { Alias(format_smolstr!("c{n}")) }
}

/// Number `n` of those that are read at both ends, in the rows of a side.
fn level_alias(n: usize) -> Alias {
    Alias(format_smolstr!("l{n}"))
}

/// What it is at the opening.
fn opening_level(n: usize) -> Alias {
    Alias(format_smolstr!("lo{n}"))
}

/// What it is at the closing.
fn closing_level(n: usize) -> Alias {
    Alias(format_smolstr!("lc{n}"))
}

/// What a row of the fact is worth.
fn balance(scan: &Scan<'_>, measure: &Measure) -> Expr {
    let value = scan.of_row(&measure.expr);
    match &measure.filter {
        Some(filter) => Expr::when(scan.of_row(filter), value),
        None => value,
    }
}

/// The sum of a column over the rows of a side; a side without rows is nothing.
pub(super) fn on_side(table: &Alias, value: &Alias, marker: i64) -> Expr {
    let is_side = Expr::equal(column(table, &Alias::named("side")), Expr::Number(marker));
    let value = Expr::when_else(is_side, column(table, value), Expr::Number(0));
    let sum = Expr::aggregate(AggregateFunction::Sum, value);
    Expr::Call("coalesce", vec![sum, Expr::Number(0)])
}

/// Opening and closing of grouped sides, of the balance that moves and of those beside it. What rates did is not part of a closing.
pub(super) fn balances(table: &Alias, beside: usize, follows: Follows) -> Vec<Item> {
    let mut items = Vec::new();
    for n in 0..=beside {
        let value = balance_alias(n);
        items.push(on_side(table, &value, 1).named(&opening_alias(n)));
        let closing = on_side(table, &value, 0);
        let closing = match follows.rates && n == 0 {
            true => Expr::infix(Infix::Subtract, closing, on_side(table, &trace::converted(), 0)),
            false => closing,
        };
        items.push(closing.named(&closing_alias(n)));
    }
    items
}

/// An attribute at the side it is read at, or at the other when the member has no rows there.
fn read(table: &Alias, value: Expr, value_type: ValueType, at: ReadAt) -> Expr {
    let marker = column(table, &Alias::named("side"));
    let (has_rows, preferred, other) = match at {
        ReadAt::Opening => (Expr::equal(Expr::aggregate(AggregateFunction::Max, marker), Expr::Number(1)), 1, 0),
        ReadAt::Closing => (Expr::equal(Expr::aggregate(AggregateFunction::Min, marker), Expr::Number(0)), 0, 1),
    };
    let comparable = comparable(value, value_type);
    let on = |side| greatest_on(table, &comparable, side);
    from_comparable(Expr::when_else(has_rows, on(preferred), on(other)), value_type)
}

/// Engines have no maximum of booleans: they are compared as numbers.
fn comparable(value: Expr, value_type: ValueType) -> Expr {
    match value_type {
        ValueType::Bool => Expr::Case {
            arms: vec![(value.clone(), Expr::Number(1)), (Expr::Not(Box::new(value)), Expr::Number(0))],
            otherwise: None,
        },
        ValueType::Int | ValueType::Decimal | ValueType::Text | ValueType::Date | ValueType::Timestamp => value,
    }
}

fn from_comparable(value: Expr, value_type: ValueType) -> Expr {
    if value_type == ValueType::Bool { Expr::equal(value, Expr::Number(1)) } else { value }
}

fn greatest_on(table: &Alias, value: &Expr, side: i64) -> Expr {
    let is_side = Expr::equal(column(table, &Alias::named("side")), Expr::Number(side));
    Expr::aggregate(AggregateFunction::Max, Expr::when(is_side, value.clone()))
}

/// Whether telling new from reactivation matters: only when exactly one of them counts.
fn needs_history(movement: &MovementLeaf) -> bool {
    movement.columns.iter().any(|column| column.classes.contains(&Class::New) != column.classes.contains(&Class::Reactivation))
}

/// Whether the lowest closing of each member matters: seen step by step, what is retained of a member is what it never fell below.
fn keeps_lowest(movement: &MovementLeaf) -> bool {
    movement.basis == MovementBasis::Flow
        && movement.columns.iter().any(|column| column.take == Taken::Named(Take::Retained) && column.classes.is_empty())
}

/// The part of a balance that is above zero.
fn positive(value: Expr) -> Expr {
    Expr::when_else(Expr::infix(Infix::Greater, value.clone(), Expr::Number(0)), value, Expr::Number(0))
}
