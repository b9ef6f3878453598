//! A plan of its own per entity, its rows aggregated again.

use super::{Lowerer, aggregate::function, column, from_cte, key_alias, numbered, output_alias, value_alias};
use crate::{
    plan::{Leaf, PerEntityColumn, PerEntityLeaf},
    sql::ast::{Alias, Expr, Query, Select},
};

impl Lowerer<'_> {
    pub(super) fn per_entity(&mut self, leaf: &Leaf, per_entity: &PerEntityLeaf) -> Alias {
        let rows = self.rows(&per_entity.inner);
        let table = Alias::named("e");
        let keys: Vec<Expr> = (0..leaf.keys.len()).map(|n| column(&table, &key_alias(n))).collect();
        let values: Vec<Expr> = per_entity.columns.iter().map(|item| aggregated(&table, *item)).collect();
        let count = keys.len();
        // The entity's key comes after the group keys. Rows that belong to no entity are not an entity.
        let is_entity = Expr::is_not_null(column(&table, &key_alias(count)));
        let select = Select {
            items: [numbered(keys, key_alias), numbered(values, value_alias)].concat(),
            from: Some(from_cte(&rows, &table)),
            filters: vec![is_entity],
            group_by: Some(count),
            ..Select::default()
        };
        self.cte("entities", Query::select(select))
    }
}

fn aggregated(table: &Alias, item: PerEntityColumn) -> Expr {
    let output = |position: usize| column(table, &output_alias(position));
    let value = item.of.map_or(Expr::Number(1), output);
    let value = match item.condition {
        Some(position) => Expr::when(output(position), value),
        None => value,
    };
    Expr::aggregate(function(item.aggregate), value)
}
