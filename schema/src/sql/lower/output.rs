//! Leaves to one result: they meet on the group keys, metrics are computed on top, then groups are chosen, ordered and counted.

use smol_str::format_smolstr;

use std::collections::BTreeSet;

use super::{
    Lowerer,
    beyond::{Beyond, Met},
    column,
    condition::{condition, expression},
    from_cte, key_alias, numbered,
    shared::{Steps, step_table, steps},
    time::truncate,
    value_alias,
};
use crate::{
    compile::ColumnRole,
    expr,
    model::{EntityId, Model, entity::Aggregate},
    plan::{AggregateColumn, Leaf, LeafKind, PeersLeaf, Plan, Slot},
    query::{Direction, Fill, Nulls, bound::BoundKey},
    sql::{
        ast::{AggregateFunction, Alias, Expr, Infix, Item, Join, JoinKind, OrderItem, Query, Select},
        statement::OutputColumn,
    },
    time::Grain,
    value::{Value, ValueType},
};

/// A lowered plan.
pub(crate) struct Lowered {
    /// The statement's tree.
    pub(crate) query: Query,
    /// Its columns.
    pub(crate) columns: Vec<OutputColumn>,
    /// What they are.
    pub(crate) roles: Vec<ColumnRole>,
    /// Every entity read.
    pub(crate) scanned: BTreeSet<EntityId>,
}

/// A leaf's value in the combined rows.
fn slot_alias(slot: Slot) -> Alias {
    Alias(format_smolstr!("v{}_{}", slot.leaf, slot.column))
}

/// Metric number `n` of a plan's rows.
pub(super) fn output_alias(n: usize) -> Alias {
    Alias(format_smolstr!("m{n}"))
}

fn previous_alias(n: usize) -> Alias {
    Alias(format_smolstr!("p{n}"))
}

fn status_alias(n: usize) -> Alias {
    Alias(format_smolstr!("s{n}"))
}

impl Lowerer<'_> {
    /// A whole statement.
    pub(super) fn plan(&mut self, plan: &Plan) -> Lowered {
        let rows = self.rows(plan);
        let table = Alias::named("r");
        let mut items = Vec::new();
        let mut columns = Vec::new();
        let mut roles = Vec::new();
        let mut add = |name: Alias, value_type: ValueType, role: ColumnRole| {
            columns.push(OutputColumn { name: name.0.to_string(), value_type });
            roles.push(role);
            items.push(column(&table, &name).named(&name));
        };
        for (n, key) in plan.keys.iter().enumerate() {
            add(key_alias(n), key.value_type, ColumnRole::Group { by: key.by, part: key.part });
        }
        for (n, output) in plan.outputs.iter().enumerate() {
            add(output_alias(n), output.value_type, ColumnRole::Metric(n));
            if output.previous.is_some() {
                add(previous_alias(n), output.value_type, ColumnRole::Previous(n));
            }
            if output.status.is_some() {
                add(status_alias(n), ValueType::Text, ColumnRole::Status(n));
            }
        }
        if plan.row_count {
            let name = Alias::named("n");
            columns.push(OutputColumn { name: name.0.to_string(), value_type: ValueType::Int });
            roles.push(ColumnRole::RowCount);
            items.push(Expr::Over(AggregateFunction::Count, None, Vec::new()).named(&name));
        }
        let filters = plan
            .having
            .iter()
            .map(|having| condition(having, &mut |position: &usize| column(&table, &output_alias(*position))))
            .collect();
        let select = Select { items, from: Some(from_cte(&rows, &table)), filters, ..Select::default() };
        let query = Query {
            with: std::mem::take(&mut self.ctes),
            selects: vec![select],
            order_by: order(plan, &table),
            limit: plan.limit.map(|limit| limit.saturating_add(1)),
            offset: plan.offset,
        };
        Lowered { query, columns, roles, scanned: std::mem::take(&mut self.scanned) }
    }

    /// The rows of a plan as a named subquery: keys `k…`, metrics `m…`, comparisons `p…`, statuses `s…`.
    pub(super) fn rows(&mut self, plan: &Plan) -> Alias {
        let names: Vec<Alias> = plan.leaves.iter().map(|leaf| self.leaf(plan, leaf)).collect();
        let of_groups =
            |total: bool| -> Vec<usize> { (0..plan.leaves.len()).filter(|n| plan.leaves[*n].timing.total == total).collect() };
        let all: Vec<usize> = (0..plan.keys.len()).collect();
        let groups = self.combine(plan, &names, &of_groups(false), &all);
        let totals = of_groups(true);
        let periods: Vec<usize> = all.iter().copied().filter(|n| plan.keys[*n].period().is_some()).collect();
        let totals = (!totals.is_empty()).then(|| self.combine(plan, &names, &totals, &periods));
        let groups = if plan.fill == Fill::Dense { self.dense(plan, &groups) } else { groups };
        let (table, total_table) = (Alias::named("g"), Alias::named("t"));
        let mut joins = Vec::new();
        if let Some(name) = &totals {
            let on: Vec<Expr> = periods
                .iter()
                .enumerate()
                .map(|(n, key)| Expr::equal(column(&total_table, &key_alias(n)), column(&table, &key_alias(*key))))
                .collect();
            let kind = if on.is_empty() { JoinKind::Cross } else { JoinKind::Left };
            joins.push(Join { kind, from: from_cte(name, &total_table), on });
        }
        let rate = plan.conversion.as_ref().map(|conversion| self.exchange_rate(&conversion.into));
        let rate_table = Alias::named("x");
        joins.extend(rate.iter().map(|name| Join { kind: JoinKind::Cross, from: from_cte(name, &rate_table), on: Vec::new() }));
        let mut met = Met::default();
        let beyond = self.beyond(plan, &table, &mut met);
        joins.extend(met.joins());
        let items = self.derived(plan, &Tables { groups: &table, totals: &total_table, rate: &rate_table }, &beyond);
        let Steps { before, last } = steps(items);
        let mut source = Select { from: Some(from_cte(&groups, &table)), joins, ..Select::default() };
        for items in before {
            let step = self.cte("step", Query::select(Select { items, ..source }));
            source = Select { from: Some(from_cte(&step, &step_table())), ..Select::default() };
        }
        self.cte("rows", Query::select(Select { items: last, ..source }))
    }

    /// Leaves side by side, grouped by the keys. Grouping takes null keys as equal, so nothing is lost or doubled.
    fn combine(&mut self, plan: &Plan, names: &[Alias], leaves: &[usize], keys: &[usize]) -> Alias {
        let table = Alias::named("f");
        let slots: Vec<(Slot, ValueType)> = leaves
            .iter()
            .flat_map(|leaf| {
                let types = column_types(self.env.model, &plan.leaves[*leaf]);
                types.into_iter().enumerate().map(move |(column, value_type)| (Slot { leaf: *leaf, column }, value_type))
            })
            .collect();
        let selects: Vec<Select> = leaves
            .iter()
            .map(|leaf| {
                let mut items: Vec<Item> = (0..keys.len()).map(|n| column(&table, &key_alias(n)).named(&key_alias(n))).collect();
                for (slot, value_type) in &slots {
                    let value =
                        if slot.leaf == *leaf { column(&table, &value_alias(slot.column)) } else { Expr::Null(*value_type) };
                    items.push(value.named(&slot_alias(*slot)));
                }
                Select { items, from: Some(from_cte(&names[*leaf], &table)), ..Select::default() }
            })
            .collect();
        match selects.len() {
            0 => return self.no_groups(plan, keys),
            1 => return self.cte("groups", Query::union_all(selects)),
            _ => {}
        }
        let parts = self.cte("parts", Query::union_all(selects));
        let mut items: Vec<Item> = (0..keys.len()).map(|n| column(&table, &key_alias(n)).named(&key_alias(n))).collect();
        for (slot, _) in &slots {
            let name = slot_alias(*slot);
            items.push(Expr::aggregate(AggregateFunction::Max, column(&table, &name)).named(&name));
        }
        let select = Select { items, from: Some(from_cte(&parts, &table)), group_by: Some(keys.len()), ..Select::default() };
        self.cte("groups", Query::select(select))
    }

    /// What nothing is read for: no groups, and one row over everything.
    fn no_groups(&mut self, plan: &Plan, keys: &[usize]) -> Alias {
        let mut items = numbered(keys.iter().map(|key| Expr::Null(plan.keys[*key].value_type)), key_alias);
        items.push(Expr::Number(1).named(&Alias::named("one")));
        let filters = if keys.is_empty() { Vec::new() } else { vec![Expr::Or(Vec::new())] };
        self.cte("groups", Query::select(Select { items, filters, ..Select::default() }))
    }

    /// Every period of the range for every group that occurs.
    fn dense(&mut self, plan: &Plan, groups: &Alias) -> Alias {
        let grain =
            Grain::finest(plan.keys.iter().filter_map(BoundKey::period)).expect("filling needs periods: refused when binding");
        let (Some(from), Some(to)) = (plan.range.from, plan.range.to) else {
            unreachable!("filling needs a closed range: refused when binding")
        };
        let spine = self.closed_spine(grain, from, to);
        let (table, periods, known) = (Alias::named("f"), Alias::named("y"), Alias::named("x"));
        let (asked, here) = (Alias::named("asked"), Alias::named("here"));
        let others: Vec<usize> = (0..plan.keys.len()).filter(|n| plan.keys[*n].period().is_none()).collect();
        let group_items = others.iter().map(|n| column(&table, &key_alias(*n)).named(&key_alias(*n))).collect();
        let distinct = Select { distinct: true, items: group_items, from: Some(from_cte(groups, &table)), ..Select::default() };
        let mut joins = Vec::new();
        if !others.is_empty() {
            let name = self.cte("members", Query::select(distinct));
            joins.push(Join { kind: JoinKind::Cross, from: from_cte(&name, &known), on: Vec::new() });
        }
        let calendar = self.calendar();
        let key = |n: usize| match plan.keys[n].period() {
            Some(grain) => truncate(calendar, grain, column(&periods, &key_alias(0))),
            None => column(&known, &key_alias(n)),
        };
        let slots: Vec<(Alias, ValueType)> = plan
            .leaves
            .iter()
            .enumerate()
            .filter(|(_, leaf)| !leaf.timing.total)
            .flat_map(|(leaf, kind)| {
                let types = column_types(self.env.model, kind);
                types.into_iter().enumerate().map(move |(column, value_type)| (slot_alias(Slot { leaf, column }), value_type))
            })
            .collect();
        // Grouping takes null keys as equal, and engines do it by hash; a join on such keys they do row by row.
        let mut wanted = numbered((0..plan.keys.len()).map(key), key_alias);
        wanted.extend(slots.iter().map(|(name, value_type)| Expr::Null(*value_type).named(name)));
        wanted.extend([Expr::Number(1).named(&asked), Expr::Null(ValueType::Int).named(&here)]);
        let wanted = Select { items: wanted, from: Some(from_cte(&spine, &periods)), joins, ..Select::default() };
        let mut there = numbered((0..plan.keys.len()).map(|n| column(&table, &key_alias(n))), key_alias);
        there.extend(slots.iter().map(|(name, _)| column(&table, name).named(name)));
        there.extend([Expr::Null(ValueType::Int).named(&asked), Expr::Number(1).named(&here)]);
        let there = Select { items: there, from: Some(from_cte(groups, &table)), ..Select::default() };
        let parts = self.cte("parts", Query::union_all(vec![wanted, there]));
        let mut items = numbered((0..plan.keys.len()).map(|n| column(&table, &key_alias(n))), key_alias);
        let names = slots.iter().map(|(name, _)| name).chain([&asked, &here]);
        items.extend(names.map(|name| Expr::aggregate(AggregateFunction::Max, column(&table, name)).named(name)));
        let met = Select { items, from: Some(from_cte(&parts, &table)), group_by: Some(plan.keys.len()), ..Select::default() };
        let met = self.cte("met", Query::select(met));
        let mut items = numbered((0..plan.keys.len()).map(|n| column(&table, &key_alias(n))), key_alias);
        items.extend(slots.iter().map(|(name, _)| column(&table, name).named(name)));
        items.push(Expr::is_null(column(&table, &here)).named(&Alias::named("filled")));
        let select = Select {
            items,
            from: Some(from_cte(&met, &table)),
            filters: vec![Expr::is_not_null(column(&table, &asked))],
            ..Select::default()
        };
        self.cte("dense", Query::select(select))
    }

    fn derived(&self, plan: &Plan, tables: &Tables<'_>, beyond: &[Option<Beyond>]) -> Vec<Item> {
        let (table, rate) = (tables.groups, tables.rate);
        let place = |slot: &Slot| {
            let leaf = &plan.leaves[slot.leaf];
            let beyond = beyond[slot.leaf].as_ref();
            if slot.is_about_snapshots() {
                return beyond.map_or(Expr::And(Vec::new()), |beyond| beyond.answer(slot));
            }
            let value = column(if leaf.timing.total { tables.totals } else { table }, &slot_alias(*slot));
            match beyond.and_then(|beyond| beyond.of_column(leaf, *slot)) {
                Some(unknown) => Expr::when(Expr::Not(Box::new(unknown)), value),
                None => value,
            }
        };
        let mut items = numbered((0..plan.keys.len()).map(|n| column(table, &key_alias(n))), key_alias);
        let is_converted = |n: usize| plan.conversion.as_ref().is_some_and(|conversion| conversion.outputs.contains(&n));
        let converted = |n: usize, value: Expr| {
            if is_converted(n) { Expr::Divide(Box::new(value), Box::new(column(rate, &value_alias(0)))) } else { value }
        };
        for (n, output) in plan.outputs.iter().enumerate() {
            let inputs = inputs(&output.value);
            let mut reservations = reservations(plan, &inputs, &place, beyond);
            let value = match &output.value {
                expr::Expr::Literal(Value::Null) => Expr::Null(output.value_type),
                value => {
                    let value = published(expression(value, &mut |slot: &Slot| place(slot)), &reservations.told);
                    reservations.unconverted = is_converted(n).then(|| value.clone());
                    converted(n, value)
                }
            };
            items.push(value.clone().named(&output_alias(n)));
            if let Some(previous) = &output.previous {
                items.push(converted(n, expression(previous, &mut |slot: &Slot| place(slot))).named(&previous_alias(n)));
            }
            if let Some(divisor) = &output.status {
                let divisor = divisor.as_ref().map(|divisor| expression(divisor, &mut |slot: &Slot| place(slot)));
                let inputs = inputs.iter().map(place).collect();
                items.push(status(plan, table, value, divisor, reservations, inputs).named(&status_alias(n)));
            }
        }
        items
    }
}

/// What may keep a value back although there are rows.
#[derive(Default)]
struct Reservations {
    /// What groups of cohorts can tell: 1 when all is known, 0 when a member is too young, less when its beginning lies before the first
    /// snapshot.
    told: Vec<Expr>,
    /// Whether there are fewer peers than something may be said of.
    few: Vec<Expr>,
    /// Whether the snapshot that something reads, or the later of two, is missing.
    unread: Vec<Expr>,
    /// Whether the earlier of two is.
    uncompared: Vec<Expr>,
    /// The value in the project's currency, where another is asked for: there may be no rate.
    unconverted: Option<Expr>,
}

/// Where the values of a plan's rows stand.
struct Tables<'a> {
    groups: &'a Alias,
    totals: &'a Alias,
    rate: &'a Alias,
}

fn reservations(plan: &Plan, inputs: &BTreeSet<Slot>, place: &impl Fn(&Slot) -> Expr, beyond: &[Option<Beyond>]) -> Reservations {
    let mut all = Reservations::default();
    let leaves: BTreeSet<usize> = inputs.iter().map(|slot| slot.leaf).collect();
    for leaf in leaves {
        if let Some(beyond) = &beyond[leaf] {
            all.unread.push(beyond.unread.clone());
            all.uncompared.push(beyond.uncompared.clone());
        }
        match &plan.leaves[leaf].kind {
            LeafKind::Cohort(cohort) => all.told.push(place(&Slot { leaf, column: cohort.movement.columns.len() })),
            LeafKind::Peers(peers) => {
                let count = place(&Slot { leaf, column: PeersLeaf::COUNT });
                all.few.push(Expr::infix(Infix::Less, count, Expr::Number(i64::from(peers.at_least))));
            }
            LeafKind::Aggregate(_)
            | LeafKind::Movement(_)
            | LeafKind::Cumulative(_)
            | LeafKind::AsOf(_)
            | LeafKind::PerEntity(_)
            | LeafKind::Series(_) => {}
        }
    }
    all
}

/// Whether one of the numbers compares with zero; one that is missing does not.
fn any(numbers: &[Expr], with_zero: Infix) -> Expr {
    let test = |number: &Expr| {
        let number = Expr::Call("coalesce", vec![number.clone(), Expr::Number(1)]);
        Expr::infix(with_zero, number, Expr::Number(0))
    };
    Expr::Or(numbers.iter().map(test).collect())
}

/// A value, null while not all that it is made of is known.
fn published(value: Expr, told: &[Expr]) -> Expr {
    if told.is_empty() { value } else { Expr::when(Expr::Not(Box::new(any(told, Infix::LessOrEqual))), value) }
}

/// Why a value is missing; null when it is not.
fn status(plan: &Plan, table: &Alias, value: Expr, divisor: Option<Expr>, reservations: Reservations, inputs: Vec<Expr>) -> Expr {
    let Reservations { told, few, unread, uncompared, unconverted } = reservations;
    let mut arms = Vec::new();
    if plan.fill == Fill::Dense {
        arms.push((column(table, &Alias::named("filled")), Expr::Word("FILLED")));
    }
    arms.push((Expr::is_not_null(value), Expr::Null(ValueType::Text)));
    if let Some(unconverted) = unconverted {
        arms.push((Expr::is_not_null(unconverted), Expr::Word("NO_RATE")));
    }
    if !told.is_empty() {
        arms.push((any(&told, Infix::Equal), Expr::Word("IMMATURE")));
        arms.push((any(&told, Infix::Less), Expr::Word("NULL_INPUT")));
    }
    if !few.is_empty() {
        arms.push((Expr::Or(few), Expr::Word("SUPPRESSED")));
    }
    if !unread.is_empty() {
        arms.push((Expr::Or(unread), Expr::Word("NO_ROWS")));
        arms.push((Expr::Or(uncompared), Expr::Word("NULL_INPUT")));
    }
    if let Some(divisor) = divisor {
        arms.push((Expr::equal(divisor, Expr::Number(0)), Expr::Word("ZERO_DENOMINATOR")));
    }
    if inputs.is_empty() {
        // It is made of nothing, because it has no meaning for these groups.
        return Expr::Case { arms, otherwise: Some(Box::new(Expr::Word("NOT_APPLICABLE"))) };
    }
    arms.push((Expr::And(inputs.into_iter().map(Expr::is_null).collect()), Expr::Word("NO_ROWS")));
    Expr::Case { arms, otherwise: Some(Box::new(Expr::Word("NULL_INPUT"))) }
}

fn inputs(value: &expr::Expr<Slot>) -> BTreeSet<Slot> {
    let mut all = BTreeSet::new();
    value.visit_refs(&mut |slot| {
        if !slot.is_about_snapshots() {
            all.insert(*slot);
        }
    });
    all
}

/// Types of a leaf's columns, so that a leaf that lacks one can say which null it has.
fn column_types(model: &Model, leaf: &Leaf) -> Vec<ValueType> {
    let aggregated = |columns: &[AggregateColumn]| -> Vec<ValueType> {
        columns
            .iter()
            .map(|item| match item {
                AggregateColumn::Snapshots => ValueType::Int,
                AggregateColumn::Measure { measure, aggregate, .. } => match aggregate {
                    Aggregate::Count | Aggregate::CountRows | Aggregate::CountDistinct => ValueType::Int,
                    Aggregate::Sum | Aggregate::Average | Aggregate::Median => ValueType::Decimal,
                    Aggregate::Min | Aggregate::Max => model.measure(*measure).value_type,
                },
            })
            .collect()
    };
    match &leaf.kind {
        LeafKind::Aggregate(aggregate) => aggregated(&aggregate.columns),
        LeafKind::Cumulative(cumulative) => aggregated(&cumulative.columns),
        LeafKind::AsOf(as_of) => aggregated(&as_of.columns),
        LeafKind::Movement(movement) => vec![ValueType::Decimal; movement.columns.len()],
        LeafKind::PerEntity(per_entity) => vec![ValueType::Decimal; per_entity.columns.len()],
        LeafKind::Series(series) => series.said.value_types(),
        LeafKind::Peers(peers) => peers.columns.iter().map(|column| column.value_type()).collect(),
        LeafKind::Cohort(cohort) => {
            let mut types = vec![ValueType::Decimal; cohort.movement.columns.len()];
            types.push(ValueType::Int);
            types
        }
    }
}

/// The order asked for, then every key ascending: rows never come in an order that depends on the engine.
fn order(plan: &Plan, table: &Alias) -> Vec<OrderItem> {
    let item = |name: Alias, descending: bool, nulls_first: bool| OrderItem { expr: column(table, &name), descending, nulls_first };
    let mut items = Vec::new();
    for order in &plan.order_by {
        let descending = order.direction == Direction::Descending;
        let nulls_first = order.nulls == Some(Nulls::First);
        let parts = plan.keys.iter().enumerate().filter(|(_, key)| key.key == order.key);
        items.extend(parts.map(|(n, _)| item(key_alias(n), descending, nulls_first)));
        if let Some(n) = plan.outputs.iter().position(|output| output.key == order.key) {
            items.push(item(output_alias(n), descending, nulls_first));
        }
    }
    for n in 0..plan.keys.len() {
        let expr = column(table, &key_alias(n));
        if !items.iter().any(|known: &OrderItem| known.expr == expr) {
            items.push(item(key_alias(n), false, false));
        }
    }
    items
}
