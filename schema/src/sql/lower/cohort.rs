//! Members at the ages of their owners (ARCHITECTURE.md, "Cohorts").
//!
//! Every snapshot of a member gets its distance in months from the month in which its owner began. Two readings a distance apart meet per
//! member, as in a movement; a third row per member and point keeps who belongs to the group, so that a group knows its youngest member.

use super::{
    Lowerer,
    aggregate::apply,
    column,
    condition::condition,
    fan::safe_value,
    from_cte, key_alias,
    movement::{Follows, attribute_alias, balances, class, summed_column},
    numbered,
    scan::{At, Scan, physical, relation, root, visible},
    time::{FactTime, day_of, shift, truncate},
    value_alias,
};
use crate::{
    model::{metric::Stretch, path::PathDimension},
    plan::{CohortLeaf, Leaf, LeafKey, MovementLeaf, Place, Plan, cohort::unit},
    query::{MovementBasis, TimeRange, condition::Condition},
    sql::ast::{AggregateFunction, Alias, Expr, From, Infix, Join, JoinKind, OrderItem, Query, Relation, Select},
    time::Grain,
    value::{Value, ValueType},
};

/// Month in which the owner began.
const BEGAN: &str = "b";
/// Months since then: of a snapshot, and of the later of two readings.
const MONTHS: &str = "p";

/// What is the same for everything that is read for one leaf.
struct Cohort<'a> {
    leaf: &'a CohortLeaf,
    /// Grain of the ages.
    unit: Grain,
    /// Months between two readings; for a whole life the earlier reading is the beginning.
    width: u32,
    /// Owners and when they began.
    began: Alias,
    /// Months at which later readings are taken.
    points: Alias,
}

impl Lowerer<'_> {
    pub(super) fn cohort(&mut self, plan: &Plan, leaf: &Leaf, cohort: &CohortLeaf) -> Alias {
        let movement = &cohort.movement;
        let finest = self.grain_of(movement);
        let unit = unit(finest);
        let known = self.known(movement, unit);
        let width = match movement.basis {
            MovementBasis::PointToPoint => cohort.ages.step_months(),
            MovementBasis::Flow => unit.step().months.unsigned_abs(),
        };
        let began = self.began(cohort, plan.range, unit);
        let points = self.numbers("points", points(cohort, width), MONTHS);
        let all = Cohort { leaf: cohort, unit, width, began, points };
        let lives = self.lives(&all, &movement.members, &movement.attributes, &movement.row_filter);
        let readings = self.readings(&all, &lives, movement.members.len(), Some(&movement.attributes));
        let members = self.met(&readings, movement.members.len(), &movement.attributes, true);
        let owners = movement.is_finer_than_owner.then(|| {
            let lives = self.lives(&all, &movement.owner, &[], &[]);
            let readings = self.readings(&all, &lives, movement.owner.len(), None);
            self.met(&readings, movement.owner.len(), &[], false)
        });
        let classified = self.aged(movement, &members, owners.as_ref());
        self.grouped(leaf, &all, &classified, &known)
    }

    fn grain_of(&self, movement: &MovementLeaf) -> Grain {
        let scan = Scan::new(self.env, movement.measure.entity, At::AsOf);
        self.time_of(&scan, movement).grain
    }

    fn time_of(&self, scan: &Scan<'_>, movement: &MovementLeaf) -> FactTime<'_> {
        let measure = self.env.model.measure(movement.measure);
        let index = measure.snapshot_time();
        FactTime::of(self.env, scan, movement.measure.entity, index)
    }

    /// Everything before the first period that is not over on the day that counts as today.
    fn complete(&self, unit: Grain) -> TimeRange {
        TimeRange { from: None, to: Some(self.calendar().truncate(unit, self.env.as_of)) }
    }

    /// Snapshots that are there at the end of a period.
    fn month_ends(&self, time: &FactTime<'_>, unit: Grain) -> Option<Expr> {
        let next = shift(time.step(), time.grain.step());
        (time.grain != unit).then(|| Expr::equal(truncate(self.calendar(), unit, next.clone()), next))
    }

    /// The first and the last complete snapshot there are, whoever they are of.
    fn known(&mut self, movement: &MovementLeaf, unit: Grain) -> Alias {
        let fact = movement.measure.entity;
        let scan = Scan::new(self.env, fact, At::AsOf);
        let time = self.time_of(&scan, movement);
        let step = truncate(self.calendar(), unit, time.day());
        let filters = time.within(self.complete(unit)).into_iter().chain(self.month_ends(&time, unit)).collect();
        let select = Select {
            items: vec![
                Expr::aggregate(AggregateFunction::Min, step.clone()).named(&Alias::named("f")),
                Expr::aggregate(AggregateFunction::Max, step).named(&Alias::named("s")),
            ],
            from: Some(relation(self.env, fact, root())),
            filters,
            group_by: Some(0),
            ..Select::default()
        };
        self.cte("known", Query::select(select))
    }

    /// Per owner the period in which it began: the earliest of its versions counts, whether or not one still holds, and of owners that
    /// attributes make (a company of accounts) the earliest account. What the caller may not see began never.
    fn began(&mut self, cohort: &CohortLeaf, range: TimeRange, unit: Grain) -> Alias {
        let env = self.env;
        let owner = cohort.began.entity;
        let dimension = env.model.dimension(cohort.began);
        let day = day_of(env, physical(dimension, &root()), dimension.value_type);
        let keys = cohort.movement.owner.iter().map(|key| physical(env.model.dimension(key.dimension), &root()));
        let mut items = numbered(keys, key_alias);
        let count = items.len();
        items.push(Expr::aggregate(AggregateFunction::Min, day.clone()).named(&Alias::named("d")));
        let (rows, read) = visible(env, owner, root());
        let select =
            Select { items, from: Some(rows), filters: vec![Expr::is_not_null(day)], group_by: Some(count), ..Select::default() };
        self.scanned.extend(read);
        let days = self.cte("beginnings", Query::select(select));
        let table = Alias::named("d");
        let day = column(&table, &Alias::named("d"));
        let bound = |infix, date| Expr::infix(infix, day.clone(), Expr::Value(Value::Date(date)));
        let from = range.from.map(|from| bound(Infix::GreaterOrEqual, from));
        let to = range.to.map(|to| bound(Infix::Less, to));
        let mut items = numbered((0..count).map(|n| column(&table, &key_alias(n))), key_alias);
        items.push(truncate(self.calendar(), unit, day.clone()).named(&Alias::named(BEGAN)));
        let select = Select {
            items,
            from: Some(from_cte(&days, &table)),
            filters: from.into_iter().chain(to).collect(),
            ..Select::default()
        };
        self.cte("began", Query::select(select))
    }

    /// Every balance with its distance from the beginning; the first of each member is marked.
    fn lives(
        &mut self,
        cohort: &Cohort<'_>,
        members: &[PathDimension],
        attributes: &[PathDimension],
        row_filter: &[Condition<Place>],
    ) -> Alias {
        let env = self.env;
        let movement = &cohort.leaf.movement;
        let fact = movement.measure.entity;
        let measure = env.model.measure(movement.measure);
        let mut scan = Scan::new(env, fact, At::AsOf);
        let index = measure.snapshot_time();
        let time = FactTime::of(env, &scan, fact, index);
        scan.read_at(time.read_at());
        let owner: Vec<Expr> =
            movement.owner.iter().map(|owner| safe_value(&mut scan, env, &owner.path, owner.dimension)).collect();
        let began = scan.next_alias();
        let on = owner.into_iter().enumerate();
        let on = on.map(|(n, key)| self.same_owner(movement, n, column(&began, &key_alias(n)), key)).collect();
        scan.join(Join { kind: JoinKind::Inner, from: from_cte(&cohort.began, &began), on });
        let began = column(&began, &Alias::named(BEGAN));
        time.within(self.complete(cohort.unit)).into_iter().for_each(|filter| scan.filter(filter));
        self.month_ends(&time, cohort.unit).into_iter().for_each(|filter| scan.filter(filter));
        let step = truncate(self.calendar(), cohort.unit, time.day());
        scan.filter(Expr::infix(Infix::LessOrEqual, began.clone(), step.clone()));
        apply(&mut scan, env, row_filter);
        let months = Expr::MonthsBetween(Box::new(began.clone()), Box::new(step));
        let mut items = vec![months.named(&Alias::named(MONTHS)), began.named(&Alias::named(BEGAN))];
        for (n, member) in members.iter().enumerate() {
            items.push(safe_value(&mut scan, env, &member.path, member.dimension).named(&key_alias(n)));
        }
        for (n, attribute) in attributes.iter().enumerate() {
            items.push(safe_value(&mut scan, env, &attribute.path, attribute.dimension).named(&attribute_alias(n)));
        }
        let keys = items.len();
        let value = scan.of_row(&measure.expr);
        let value = match &measure.filter {
            Some(filter) => Expr::when(scan.of_row(filter), value),
            None => value,
        };
        items.push(Expr::aggregate(AggregateFunction::Sum, value).named(&Alias::named("v")));
        self.scanned.extend(scan.scanned());
        let lives = self.cte("lives", Query::select(scan.select(items, Some(keys))));
        let table = Alias::named("l");
        let names = [MONTHS, BEGAN, "v"].map(Alias::named).into_iter();
        let names = names.chain((0..members.len()).map(key_alias)).chain((0..attributes.len()).map(attribute_alias));
        let mut items: Vec<_> = names.map(|name| column(&table, &name).named(&name)).collect();
        let partition = (0..members.len()).map(|n| column(&table, &key_alias(n))).collect();
        let order = vec![OrderItem { expr: column(&table, &Alias::named(MONTHS)), descending: false, nulls_first: false }];
        items.push(Expr::RowNumber { partition, order }.named(&Alias::named("n")));
        let select = Select { items, from: Some(from_cte(&lives, &table)), ..Select::default() };
        self.cte("seen", Query::select(select))
    }

    /// Per point and member its earlier reading (side 1), its later one (side 0), and for members what they were at first (side 2).
    fn readings(&mut self, cohort: &Cohort<'_>, lives: &Alias, keys: usize, attributes: Option<&Vec<PathDimension>>) -> Alias {
        let (life, point) = (Alias::named("l"), Alias::named("p"));
        let model = self.env.model;
        let of = |name: &str| column(&life, &Alias::named(name));
        let at = column(&point, &Alias::named(MONTHS));
        let select = |side: i64, point_of: Option<Expr>, filters: Vec<Expr>, is_first: bool| {
            let mut items = vec![at.clone().named(&Alias::named(MONTHS))];
            items.extend(numbered((0..keys).map(|n| column(&life, &key_alias(n))), key_alias));
            items.push(Expr::Number(side).named(&Alias::named("side")));
            let value_type = ValueType::Decimal;
            items.push(if is_first { Expr::Null(value_type) } else { of("v") }.named(&Alias::named("v")));
            if let Some(attributes) = attributes {
                items.push(if is_first { of(BEGAN) } else { Expr::Null(ValueType::Date) }.named(&Alias::named(BEGAN)));
                items.extend(attributes.iter().enumerate().map(|(n, attribute)| {
                    let name = attribute_alias(n);
                    let value_type = model.dimension(attribute.dimension).value_type;
                    if is_first { column(&life, &name) } else { Expr::Null(value_type) }.named(&name)
                }));
            }
            let on: Vec<Expr> = point_of.into_iter().map(|months| Expr::equal(at.clone(), months)).collect();
            let kind = if on.is_empty() { JoinKind::Cross } else { JoinKind::Inner };
            let joins = vec![Join { kind, from: from_cte(&cohort.points, &point), on }];
            Select { items, from: Some(from_cte(lives, &life)), joins, filters, ..Select::default() }
        };
        let earlier = match cohort.leaf.stretch {
            Stretch::Life => select(1, None, vec![Expr::equal(of(MONTHS), Expr::Number(0))], false),
            Stretch::Step | Stretch::Steps => {
                let later = Expr::infix(Infix::Add, of(MONTHS), Expr::Number(i64::from(cohort.width)));
                select(1, Some(later), Vec::new(), false)
            }
        };
        let mut selects = vec![earlier, select(0, Some(of(MONTHS)), Vec::new(), false)];
        if attributes.is_some() {
            selects.push(select(2, None, vec![Expr::equal(of("n"), Expr::Number(1))], true));
        }
        self.cte("readings", Query::union_all(selects))
    }

    /// One row per point and member: opening `o`, closing `c`, and what it was at first.
    fn met(&mut self, readings: &Alias, keys: usize, attributes: &[PathDimension], has_first: bool) -> Alias {
        let table = Alias::named("r");
        let mut items = vec![column(&table, &Alias::named(MONTHS)).named(&Alias::named(MONTHS))];
        items.extend(numbered((0..keys).map(|n| column(&table, &key_alias(n))), key_alias));
        let count = items.len();
        items.extend(balances(&table, 0, Follows::NOTHING));
        if has_first {
            let began = Expr::aggregate(AggregateFunction::Max, column(&table, &Alias::named(BEGAN)));
            items.push(began.named(&Alias::named(BEGAN)));
        }
        for (n, attribute) in attributes.iter().enumerate() {
            let name = attribute_alias(n);
            let value_type = self.env.model.dimension(attribute.dimension).value_type;
            items.push(only(column(&table, &name), value_type).named(&name));
        }
        let select = Select { items, from: Some(from_cte(readings, &table)), group_by: Some(count), ..Select::default() };
        self.cte("met", Query::select(select))
    }

    /// Members with their owner's balances and their class.
    fn aged(&mut self, movement: &MovementLeaf, members: &Alias, owners: Option<&Alias>) -> Alias {
        let (member, owner) = (Alias::named("m"), Alias::named("w"));
        let of = |name: &str| column(&member, &Alias::named(name));
        let mut joins = Vec::new();
        if let Some(name) = owners {
            let positions = self.owner_positions(movement, &movement.members);
            let same = |(n, position): (usize, &usize)| {
                self.same_owner(movement, n, column(&owner, &key_alias(n)), column(&member, &key_alias(*position)))
            };
            let mut on: Vec<Expr> = positions.iter().enumerate().map(same).collect();
            on.push(Expr::equal(column(&owner, &Alias::named(MONTHS)), of(MONTHS)));
            joins.push(Join { kind: JoinKind::Left, from: from_cte(name, &owner), on });
        }
        let owner_value = |name: &str| match owners {
            Some(_) => Expr::Call("coalesce", vec![column(&owner, &Alias::named(name)), Expr::Number(0)]),
            None => of(name),
        };
        let names = [MONTHS, BEGAN, "o", "c"].map(Alias::named).into_iter();
        let names = names.chain((0..movement.members.len()).map(key_alias));
        let names = names.chain((0..movement.attributes.len()).map(attribute_alias));
        let mut items: Vec<_> = names.map(|name| column(&member, &name).named(&name)).collect();
        items.push(owner_value("o").named(&Alias::named("oo")));
        items.push(owner_value("c").named(&Alias::named("oc")));
        // After the beginning nothing is new: its owner was there before.
        let active_before = Expr::infix(Infix::Greater, of(MONTHS), Expr::Number(0));
        let class = class(movement, of("o"), of("c"), owner_value("o"), owner_value("c"), active_before);
        items.push(class.named(&Alias::named("class")));
        let select = Select { items, from: Some(from_cte(members, &member)), joins, ..Select::default() };
        self.cte("aged", Query::select(select))
    }

    fn grouped(&mut self, leaf: &Leaf, cohort: &Cohort<'_>, classified: &Alias, known: &Alias) -> Alias {
        let movement = &cohort.leaf.movement;
        let ages = self.numbers("ages", cohort.leaf.ages.list().collect(), "age");
        let (table, age_table, known_table) = (Alias::named("m"), Alias::named("g"), Alias::named("s"));
        let of = |name: &str| column(&table, &Alias::named(name));
        let age = column(&age_table, &Alias::named("age"));
        let months = Expr::infix(Infix::Multiply, age.clone(), number(cohort.leaf.ages.unit_months()));
        let is_met = self.is_met(cohort, of(MONTHS), &months);
        let joins = vec![
            Join { kind: JoinKind::Inner, from: from_cte(&ages, &age_table), on: vec![is_met] },
            Join { kind: JoinKind::Cross, from: from_cte(known, &known_table), on: Vec::new() },
        ];
        let value = |place: &PathDimension| match movement.members.iter().position(|member| member == place) {
            Some(n) => column(&table, &key_alias(n)),
            None => {
                let n = movement.attributes.iter().position(|attribute| attribute == place);
                column(&table, &attribute_alias(n.expect("every dimension of a cohort is a member or an attribute")))
            }
        };
        let calendar = self.calendar();
        let keys: Vec<Expr> = leaf
            .keys
            .iter()
            .map(|key| match key {
                LeafKey::Period(_) => unreachable!("cohorts have no periods: refused when planning"),
                LeafKey::Cohort(grain) => truncate(calendar, *grain, of(BEGAN)),
                LeafKey::Age => age.clone(),
                LeafKey::Place(place) => value(&place.path()),
                LeafKey::PlacePeriod(place, grain) => {
                    let value_type = self.env.model.dimension(place.dimension).value_type;
                    truncate(calendar, *grain, day_of(self.env, value(&place.path()), value_type))
                }
            })
            .collect();
        let width = number(cohort.width);
        // The opening of a stretch of several readings is that of its first; the beginning itself is compared with nothing.
        let (first_step, not_yet) = match (cohort.leaf.stretch, movement.basis) {
            (Stretch::Life, _) | (Stretch::Step, MovementBasis::PointToPoint) => (None, None),
            (Stretch::Step, MovementBasis::Flow) => {
                let before = Expr::infix(Infix::Subtract, months.clone(), number(cohort.leaf.ages.step_months()));
                (Some(Expr::equal(of(MONTHS), Expr::infix(Infix::Add, before, width))), None)
            }
            (Stretch::Steps, _) => {
                let begun = Expr::infix(Infix::Greater, of(MONTHS), Expr::Number(0));
                (Some(Expr::equal(of(MONTHS), width)), Some(begun))
            }
        };
        let owner = self.owner_of(movement, &table);
        let mut values: Vec<Expr> = movement
            .columns
            .iter()
            .map(|item| {
                let conditions = not_yet.iter().cloned().collect();
                summed_column(&table, movement, Follows::NOTHING, item, conditions, first_step.as_ref(), &owner)
            })
            .collect();
        values.push(told(cohort, of(BEGAN), &months, &known_table));
        let filters =
            movement.member_filter.iter().map(|item| condition(item, &mut |place: &Place| value(&place.path()))).collect();
        let count = keys.len();
        let select = Select {
            items: [numbered(keys, key_alias), numbered(values, value_alias)].concat(),
            from: Some(from_cte(classified, &table)),
            joins,
            filters,
            group_by: Some(count),
            ..Select::default()
        };
        self.cte("cohorts", Query::select(select))
    }

    /// Which readings an age is made of.
    fn is_met(&self, cohort: &Cohort<'_>, point: Expr, months: &Expr) -> Expr {
        let is_age = Expr::equal(point.clone(), months.clone());
        match (cohort.leaf.stretch, cohort.leaf.movement.basis) {
            (Stretch::Life, _) | (Stretch::Step, MovementBasis::PointToPoint) => is_age,
            (Stretch::Step, MovementBasis::Flow) => {
                let before = Expr::infix(Infix::Subtract, months.clone(), number(cohort.leaf.ages.step_months()));
                Expr::And(vec![
                    Expr::infix(Infix::Greater, point.clone(), before),
                    Expr::infix(Infix::LessOrEqual, point, months.clone()),
                ])
            }
            (Stretch::Steps, _) => Expr::infix(Infix::LessOrEqual, point, months.clone()),
        }
    }

    fn numbers(&mut self, word: &str, numbers: Vec<u32>, name: &str) -> Alias {
        let table = Alias::named("d");
        let name = Alias::named(name);
        let relation = Relation::Numbers { numbers, column: name.clone() };
        let select = Select {
            items: vec![column(&table, &name).named(&name)],
            from: Some(From { relation, alias: table }),
            ..Select::default()
        };
        self.cte(word, Query::select(select))
    }
}

/// The months at which later readings are taken: those of the ages, and for stretches of several readings the months between.
fn points(cohort: &CohortLeaf, width: u32) -> Vec<u32> {
    let ages: Vec<u32> = cohort.ages.list().map(|age| age * cohort.ages.unit_months()).collect();
    let oldest = ages.last().copied().unwrap_or_default();
    let mut points = match (cohort.stretch, cohort.movement.basis) {
        (Stretch::Life, _) | (Stretch::Step, MovementBasis::PointToPoint) => ages,
        (Stretch::Step, MovementBasis::Flow) => {
            let step = cohort.ages.step_months();
            let between = ages.iter().flat_map(|age| (0..step / width).filter_map(|n| age.checked_sub(n * width)));
            between.collect()
        }
        (Stretch::Steps, _) => (0..=oldest).step_by(width as usize).collect(),
    };
    points.sort_unstable();
    points.dedup();
    points
}

fn number(value: u32) -> Expr {
    Expr::Number(i64::from(value))
}

/// The only value of a group that is not null. Engines have no maximum of booleans: they are compared as numbers.
fn only(value: Expr, value_type: ValueType) -> Expr {
    match value_type {
        ValueType::Bool => {
            let arms = vec![(value.clone(), Expr::Number(1)), (Expr::Not(Box::new(value)), Expr::Number(0))];
            Expr::equal(Expr::aggregate(AggregateFunction::Max, Expr::Case { arms, otherwise: None }), Expr::Number(1))
        }
        ValueType::Int | ValueType::Decimal | ValueType::Text | ValueType::Date | ValueType::Timestamp => {
            Expr::aggregate(AggregateFunction::Max, value)
        }
    }
}

/// What a group can tell: 1 when every member has reached the age, 0 when one has not, -1 when the first reading of one lies before the
/// first snapshot there is.
fn told(cohort: &Cohort<'_>, began: Expr, months: &Expr, known: &Alias) -> Expr {
    let of_known = |function, name: &str| Expr::aggregate(function, column(known, &Alias::named(name)));
    let youngest = Expr::aggregate(AggregateFunction::Max, began.clone());
    let oldest = Expr::aggregate(AggregateFunction::Min, began);
    let age = Expr::aggregate(AggregateFunction::Max, months.clone());
    let first_reading = match cohort.leaf.stretch {
        Stretch::Life | Stretch::Steps => Expr::Number(0),
        Stretch::Step => Expr::infix(Infix::Subtract, age.clone(), number(cohort.leaf.ages.step_months())),
    };
    let reached = Expr::MonthsBetween(Box::new(youngest.clone()), Box::new(of_known(AggregateFunction::Max, "s")));
    let unknown = Expr::MonthsBetween(Box::new(oldest), Box::new(of_known(AggregateFunction::Min, "f")));
    Expr::Case {
        arms: vec![
            (Expr::is_null(youngest), Expr::Null(ValueType::Int)),
            (Expr::infix(Infix::Less, reached, age), Expr::Number(0)),
            (
                Expr::And(vec![
                    Expr::infix(Infix::Greater, unknown.clone(), Expr::Number(0)),
                    Expr::infix(Infix::Greater, unknown, first_reading),
                ]),
                Expr::Number(-1),
            ),
        ],
        otherwise: Some(Box::new(Expr::Number(1))),
    }
}
