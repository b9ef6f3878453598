//! Peers: everybody's values by group, each row numbered among the others; what is said of it leaves itself out.
//!
//! Groups and shown rows meet the values by windows over equal keys, which take nulls as equal and need no join.

use smol_str::format_smolstr;

use super::{Lowerer, column, condition::condition, from_cte, key_alias, numbered, output_alias, scan::Env, value_alias};
use crate::{
    plan::{Leaf, PeersColumn, PeersLeaf, Plan},
    sql::ast::{AggregateFunction, Alias, Expr, Infix, Item, OrderItem, Query, Select},
    value::ValueType,
};

impl Lowerer<'_> {
    pub(super) fn peers(&mut self, leaf: &Leaf, peers: &PeersLeaf) -> Alias {
        let own = self.env;
        if let Some(wider) = &own.access.peers {
            self.env = Env { access: wider, ..own };
        }
        let values = self.compared_values(peers);
        self.env = own;
        let placed = self.placed(peers, &values);
        let table = Alias::named("q");
        let said = peers.columns.iter().map(|item| said(*item, &table, peers.at_least));
        let keys = (0..peers.positions.len()).map(|n| column(&table, &key_alias(n)));
        let shown = peers.shown.iter().map(|one| condition(one, &mut |n: &usize| column(&table, &key_alias(*n))));
        let select = Select {
            items: [numbered(keys, key_alias), numbered(said, value_alias)].concat(),
            from: Some(from_cte(&placed, &table)),
            filters: shown.collect(),
            ..Select::default()
        };
        let said = self.cte("peers", Query::select(select));
        match &peers.rows {
            None => said,
            Some(rows) => {
                let rows = self.rows(rows);
                self.beside_rows(leaf, peers, &rows, &said)
            }
        }
    }

    /// Keys of the pool, value and group of each row, and whether it is compared: an entity with both.
    fn compared_values(&mut self, peers: &PeersLeaf) -> Alias {
        let rows = self.rows(&peers.pool);
        let table = Alias::named("r");
        let count = peers.positions.len();
        let keys = |table: &Alias| numbered((0..count).map(|n| column(table, &key_alias(n))), key_alias);
        let value = column(&table, &output_alias(0));
        let exact = match peers.pool.outputs[0].value_type {
            ValueType::Int => Expr::Exact(Box::new(value.clone())),
            _ => value,
        };
        let is_compared = |value: Expr, groups: usize| {
            let known = peers.entity.iter().map(|n| column(&table, &key_alias(*n)));
            let known = known.chain((0..groups).map(|n| column(&table, &group_alias(n)))).chain([value]);
            Expr::when(Expr::And(known.map(Expr::is_not_null).collect()), Expr::Number(1)).named(&compared_alias())
        };
        let Some(groups) = &peers.groups else {
            let items = keys(&table).into_iter().chain([exact.clone().named(&y()), is_compared(exact, 0)]).collect();
            let select = Select { items, from: Some(from_cte(&rows, &table)), ..Select::default() };
            return self.cte("values", Query::select(select));
        };
        let both = self.beside_groups(peers, groups, &rows, exact);
        let partition: Vec<Expr> = peers.entity.iter().map(|n| column(&table, &key_alias(*n))).collect();
        let found = groups.keys.len() - peers.entity.len();
        let met = (0..found).map(|n| {
            let group = Box::new(column(&table, &group_alias(n)));
            Expr::Over(AggregateFunction::Max, Some(group), partition.clone()).named(&group_alias(n))
        });
        let own = [y(), here_alias()].map(|name| column(&table, &name).named(&name));
        let items = keys(&table).into_iter().chain(own).chain(met).collect();
        let met = Select { items, from: Some(from_cte(&both, &table)), ..Select::default() };
        let met = self.cte("met", Query::select(met));
        let kept = [y()].into_iter().chain((0..found).map(group_alias)).map(|name| column(&table, &name).named(&name));
        let select = Select {
            items: keys(&table).into_iter().chain(kept).chain([is_compared(column(&table, &y()), found)]).collect(),
            from: Some(from_cte(&met, &table)),
            filters: vec![Expr::is_not_null(column(&table, &here_alias()))],
            ..Select::default()
        };
        self.cte("values", Query::select(select))
    }

    /// The rows of the pool and, under them, what each entity has in common with its peers.
    fn beside_groups(&mut self, peers: &PeersLeaf, groups: &Plan, rows: &Alias, value: Expr) -> Alias {
        let named = self.rows(groups);
        let table = Alias::named("r");
        let count = peers.positions.len();
        let shared = peers.entity.len();
        let types: Vec<ValueType> = groups.keys[shared..].iter().map(|key| key.value_type).collect();
        let no_groups = types.iter().enumerate().map(|(n, value_type)| Expr::Null(comparable(*value_type)).named(&group_alias(n)));
        let own = Select {
            items: numbered((0..count).map(|n| column(&table, &key_alias(n))), key_alias)
                .into_iter()
                .chain([value.named(&y()), Expr::Number(1).named(&here_alias())])
                .chain(no_groups)
                .collect(),
            from: Some(from_cte(rows, &table)),
            ..Select::default()
        };
        let key_of_group = |n: usize| match peers.entity.iter().position(|known| *known == n) {
            Some(position) => column(&table, &key_alias(position)),
            None => Expr::Null(peers.pool.keys[n].value_type),
        };
        let its_groups = types.iter().enumerate().map(|(n, value_type)| {
            let value = column(&table, &key_alias(shared + n));
            let value = if *value_type == ValueType::Bool { Expr::ToText(Box::new(value)) } else { value };
            value.named(&group_alias(n))
        });
        let of_groups = Select {
            items: numbered((0..count).map(key_of_group), key_alias)
                .into_iter()
                .chain([Expr::Null(ValueType::Decimal).named(&y()), Expr::Null(ValueType::Int).named(&here_alias())])
                .chain(its_groups)
                .collect(),
            from: Some(from_cte(&named, &table)),
            ..Select::default()
        };
        self.cte("parts", Query::union_all(vec![own, of_groups]))
    }

    /// Each entity among those it is compared with: how many they are, how many are smaller and equal, and the values in the middle.
    fn placed(&mut self, peers: &PeersLeaf, values: &Alias) -> Alias {
        let table = Alias::named("q");
        let count = peers.positions.len();
        let groups = peers.groups.as_ref().map_or(0, |groups| groups.keys.len() - peers.entity.len());
        let is_key = |n: &usize| peers.entity.contains(n) && peers.pool.keys[*n].period().is_none();
        let within: Vec<Expr> = (0..count)
            .filter(|n| !is_key(n))
            .map(|n| column(&table, &key_alias(n)))
            .chain((0..groups).map(|n| column(&table, &group_alias(n))))
            .chain([column(&table, &compared_alias())])
            .collect();
        let ascending = |expr| OrderItem { expr, descending: false, nulls_first: false };
        let value = column(&table, &y());
        let alike: Vec<Expr> = within.iter().cloned().chain([value.clone()]).collect();
        let order = [ascending(value.clone())]
            .into_iter()
            .chain((0..count).filter(is_key).map(|n| ascending(column(&table, &key_alias(n)))))
            .collect();
        let rank = Expr::RowNumber { partition: within.clone(), order };
        let kept = |names: &[Alias]| -> Vec<Item> {
            let keys = (0..count).map(key_alias).chain((0..groups).map(group_alias)).chain([y(), compared_alias()]);
            keys.chain(names.iter().cloned()).map(|name| column(&table, &name).named(&name)).collect()
        };
        let all = |partition: Vec<Expr>| Expr::Over(AggregateFunction::Count, None, partition);
        let mut items = kept(&[]);
        items.push(Expr::Exact(Box::new(rank)).named(&rank_alias()));
        items.push(all(within.clone()).named(&all_alias()));
        items.push(all(alike.clone()).named(&alike_alias()));
        let ranked = Select { items, from: Some(from_cte(values, &table)), ..Select::default() };
        let ranked = self.cte("ranked", Query::select(ranked));
        let twice = Expr::infix(Infix::Multiply, Expr::Number(2), column(&table, &rank_alias()));
        let beyond = |n: i64| Expr::infix(Infix::Add, column(&table, &all_alias()), Expr::Number(n));
        let at = |ends: &[i64]| {
            let is_there = Expr::Or(ends.iter().map(|end| Expr::equal(twice.clone(), beyond(*end))).collect());
            Expr::Over(AggregateFunction::Max, Some(Box::new(Expr::when(is_there, value.clone()))), within.clone())
        };
        let mut items = kept(&[rank_alias(), all_alias(), alike_alias()]);
        let first = Expr::Over(AggregateFunction::Min, Some(Box::new(column(&table, &rank_alias()))), alike);
        items.push(first.named(&first_alias()));
        // The middle, of an even number the lower one of the two; and its neighbours. An even number has no value before the middle.
        items.push(at(&[-1]).named(&before_alias()));
        items.push(at(&[0, 1]).named(&middle_alias()));
        items.push(at(&[2, 3]).named(&after_alias()));
        let placed = Select { items, from: Some(from_cte(&ranked, &table)), ..Select::default() };
        self.cte("placed", Query::select(placed))
    }

    /// What is said of entities, in the rows that are shown.
    fn beside_rows(&mut self, leaf: &Leaf, peers: &PeersLeaf, rows: &Alias, said: &Alias) -> Alias {
        let table = Alias::named("q");
        let here = here_alias();
        let rows_plan = peers.rows.as_ref().expect("asked for only where there are rows");
        let keys = leaf.keys.len();
        let types: Vec<ValueType> = peers.columns.iter().map(|item| item.value_type()).collect();
        let shown = Select {
            items: numbered((0..keys).map(|n| column(&table, &key_alias(n))), key_alias)
                .into_iter()
                .chain(numbered(types.iter().map(|value_type| Expr::Null(*value_type)), value_alias))
                .chain([Expr::Number(1).named(&here)])
                .collect(),
            from: Some(from_cte(rows, &table)),
            ..Select::default()
        };
        let key = |n: usize| match peers.positions.iter().position(|position| *position == n) {
            Some(position) => column(&table, &key_alias(position)),
            None => Expr::Null(rows_plan.keys[n].value_type),
        };
        let told = Select {
            items: numbered((0..keys).map(key), key_alias)
                .into_iter()
                .chain(numbered((0..types.len()).map(|n| column(&table, &value_alias(n))), value_alias))
                .chain([Expr::Null(ValueType::Int).named(&here)])
                .collect(),
            from: Some(from_cte(said, &table)),
            ..Select::default()
        };
        let both = self.cte("parts", Query::union_all(vec![shown, told]));
        let partition: Vec<Expr> = peers.positions.iter().map(|n| column(&table, &key_alias(*n))).collect();
        let met = (0..types.len())
            .map(|n| Expr::Over(AggregateFunction::Max, Some(Box::new(column(&table, &value_alias(n)))), partition.clone()));
        let items = numbered((0..keys).map(|n| column(&table, &key_alias(n))), key_alias)
            .into_iter()
            .chain(numbered(met, value_alias))
            .chain([column(&table, &here).named(&here)])
            .collect();
        let met = Select { items, from: Some(from_cte(&both, &table)), ..Select::default() };
        let met = self.cte("met", Query::select(met));
        let all = (0..keys).map(key_alias).chain((0..types.len()).map(value_alias));
        let select = Select {
            items: all.map(|name| column(&table, &name).named(&name)).collect(),
            from: Some(from_cte(&met, &table)),
            filters: vec![Expr::is_not_null(column(&table, &here))],
            ..Select::default()
        };
        self.cte("peers", Query::select(select))
    }
}

/// What is said of one among its peers, from its place among all of them and itself.
fn said(item: PeersColumn, table: &Alias, at_least: u32) -> Expr {
    let of = |name: Alias| column(table, &name);
    let less_one = |value: Expr| Expr::infix(Infix::Subtract, value, Expr::Number(1));
    let is_compared = Expr::is_not_null(of(compared_alias()));
    let count = less_one(of(all_alias()));
    let enough = Expr::infix(Infix::GreaterOrEqual, count.clone(), Expr::Number(i64::from(at_least)));
    let value = match item {
        PeersColumn::Count => return Expr::when(is_compared, count),
        PeersColumn::Below => less_one(of(first_alias())),
        PeersColumn::Equal => Expr::Exact(Box::new(less_one(of(alike_alias())))),
        PeersColumn::Value => of(y()),
        PeersColumn::Median => {
            // Without itself, the two in the middle of an odd number are two of three; of an even number there is one, twice.
            let twice = || Expr::infix(Infix::Multiply, Expr::Number(2), of(rank_alias()));
            let end = |n: i64| Expr::infix(Infix::Add, of(all_alias()), Expr::Number(n));
            let is_even = || Expr::is_null(of(before_alias()));
            let is_up_to = |n: i64| Expr::infix(Infix::LessOrEqual, twice(), end(n));
            let only = || vec![(Expr::and(is_even(), is_up_to(0)), of(after_alias())), (is_even(), of(middle_alias()))];
            let pick = |is_low: Expr, low: Alias, high: Alias| {
                let arms = only().into_iter().chain([(is_low, of(low))]).collect();
                Expr::Case { arms, otherwise: Some(Box::new(of(high))) }
            };
            let lower = pick(is_up_to(0), middle_alias(), before_alias());
            let upper = pick(is_up_to(1), after_alias(), middle_alias());
            Expr::Divide(Box::new(Expr::infix(Infix::Add, lower, upper)), Box::new(Expr::Number(2)))
        }
    };
    Expr::when(Expr::and(is_compared, enough), value)
}

/// A type that has a largest value everywhere.
fn comparable(value_type: ValueType) -> ValueType {
    match value_type {
        ValueType::Bool => ValueType::Text,
        ValueType::Int | ValueType::Decimal | ValueType::Text | ValueType::Date | ValueType::Timestamp => value_type,
    }
}

fn group_alias(n: usize) -> Alias {
    Alias(format_smolstr!("g{n}"))
}

/// Whether a row is compared; null when not.
fn compared_alias() -> Alias {
    Alias::named("k")
}

/// Whether a row is one to be shown, and does not only tell something of it.
fn here_alias() -> Alias {
    Alias::named("here")
}

/// The value.
fn y() -> Alias {
    Alias::named("y")
}

/// Its number among all, from the smallest.
fn rank_alias() -> Alias {
    Alias::named("i")
}

/// How many there are.
fn all_alias() -> Alias {
    Alias::named("n")
}

/// How many have the same value.
fn alike_alias() -> Alias {
    Alias::named("e")
}

/// Number of the first with the same value.
fn first_alias() -> Alias {
    Alias::named("f")
}

fn before_alias() -> Alias {
    Alias::named("low")
}

fn middle_alias() -> Alias {
    Alias::named("mid")
}

fn after_alias() -> Alias {
    Alias::named("high")
}
