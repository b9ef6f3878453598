//! A plan of its own per entity, its rows aggregated again.

use super::{Lowerer, aggregate::function, column, from_cte, key_alias, numbered, output_alias, value_alias};
use crate::{
    plan::{Leaf, PerEntityColumn, PerEntityLeaf},
    sql::ast::{AggregateFunction, Alias, Expr, Infix, OrderItem, Query, Select},
    value::{Value, ValueType},
};

impl Lowerer<'_> {
    pub(super) fn per_entity(&mut self, leaf: &Leaf, per_entity: &PerEntityLeaf) -> Alias {
        let rows = self.rows(&per_entity.inner);
        let rows = match per_entity.columns.iter().find(|column| column.top.is_some()) {
            None => rows,
            Some(top) => self.numbered_from_the_largest(leaf, per_entity, top, &rows),
        };
        let table = Alias::named("e");
        let keys: Vec<Expr> = (0..leaf.keys.len()).map(|n| column(&table, &key_alias(n))).collect();
        let values: Vec<Expr> = per_entity.columns.iter().map(|item| aggregated(&table, item, per_entity)).collect();
        let count = keys.len();
        let select = Select {
            items: [numbered(keys, key_alias), numbered(values, value_alias)].concat(),
            from: Some(from_cte(&rows, &table)),
            filters: vec![is_entity(leaf, &table)],
            group_by: Some(count),
            ..Select::default()
        };
        self.cte("entities", Query::select(select))
    }

    /// The inner rows with their number from the largest value of the group, and how many values there are. What counts and what does
    /// not are numbered apart.
    fn numbered_from_the_largest(&mut self, leaf: &Leaf, per_entity: &PerEntityLeaf, top: &PerEntityColumn, rows: &Alias) -> Alias {
        let table = Alias::named("e");
        let (counts, rank, all) = (Alias::named("k"), rank_alias(), all_alias());
        let inner = &per_entity.inner;
        let names = (0..inner.keys.len()).map(key_alias).chain((0..inner.outputs.len()).map(output_alias));
        let kept: Vec<_> = names.map(|name| column(&table, &name).named(&name)).collect();
        let value = counted(&table, top);
        let does_count = Expr::when(Expr::and(is_entity(leaf, &table), Expr::is_not_null(value.clone())), Expr::Number(1));
        let mut items = kept.clone();
        items.push(does_count.named(&counts));
        let marked = Select { items, from: Some(from_cte(rows, &table)), ..Select::default() };
        let marked = self.cte("marked", Query::select(marked));
        let partition: Vec<Expr> = (0..leaf.keys.len()).map(key_alias).chain([counts]).map(|name| column(&table, &name)).collect();
        let order = [OrderItem { expr: value, descending: true, nulls_first: false }]
            .into_iter()
            .chain((leaf.keys.len()..inner.keys.len()).map(|n| {
                let expr = column(&table, &key_alias(n));
                OrderItem { expr, descending: false, nulls_first: false }
            }))
            .collect();
        let mut items = kept;
        let number = Expr::RowNumber { partition: partition.clone(), order };
        items.push(Expr::Exact(Box::new(number)).named(&rank));
        items.push(Expr::Over(AggregateFunction::Count, None, partition).named(&all));
        let ranked = Select { items, from: Some(from_cte(&marked, &table)), ..Select::default() };
        self.cte("ranked", Query::select(ranked))
    }
}

/// The entity's key comes after the group keys. Rows that belong to no entity are not an entity.
fn is_entity(leaf: &Leaf, table: &Alias) -> Expr {
    Expr::is_not_null(column(table, &key_alias(leaf.keys.len())))
}

/// The value of a row, null where it does not count.
fn counted(table: &Alias, item: &PerEntityColumn) -> Expr {
    let output = |position: usize| column(table, &output_alias(position));
    let value = item.of.map_or(Expr::Number(1), output);
    match item.condition {
        Some(position) => Expr::when(output(position), value),
        None => value,
    }
}

fn aggregated(table: &Alias, item: &PerEntityColumn, per_entity: &PerEntityLeaf) -> Expr {
    let value = counted(table, item);
    let Some(share) = &item.top else { return Expr::aggregate(function(item.aggregate), value) };
    // So many as the share makes, rounded up: those before whom there are fewer than it makes.
    let before = Expr::infix(Infix::Subtract, column(table, &rank_alias()), Expr::Number(1));
    let share = Expr::Value(Value::Decimal(share.clone()));
    let among = Expr::infix(Infix::Less, before, Expr::infix(Infix::Multiply, share, column(table, &all_alias())));
    let is_whole = item.of.is_some_and(|position| per_entity.inner.outputs[position].value_type == ValueType::Int);
    let value = if is_whole { Expr::Exact(Box::new(value)) } else { value };
    Expr::aggregate(function(item.aggregate), Expr::when(among, value))
}

/// The number of a row from the largest value.
fn rank_alias() -> Alias {
    Alias::named("i")
}

/// How many values there are.
fn all_alias() -> Alias {
    Alias::named("n")
}
