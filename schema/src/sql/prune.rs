//! A tree of SQL → the same rows, with no column in a subquery that nothing around it reads.
//!
//! Subqueries stand for rows of an entity (what was known last, what is there for the caller), and are made before it is known which
//! columns will be asked of them. A column that is not there any more must fail the questions that need it, and no others.

use std::collections::HashSet;

use smol_str::SmolStr;

use super::ast::{Alias, Expr, From, Item, Join, Query, Relation, Select};

/// Columns, each under the alias of its source.
type Columns = HashSet<(SmolStr, SmolStr)>;

/// Drops what is not read, from the outside inwards: what an outer subquery does not take an inner one need not give.
pub(crate) fn prune_columns(query: &mut Query) {
    query.with.iter_mut().for_each(|cte| prune_columns(&mut cte.query));
    let order: Vec<&Expr> = query.order_by.iter().map(|item| &item.expr).collect();
    query.selects.iter_mut().for_each(|select| prune_sources(select, &order));
}

/// Drops columns of the subqueries that a select reads. Nothing of ours refers to a row of another select, so what is read of them
/// stands in the select itself, or in the order of its query.
fn prune_sources(select: &mut Select, order: &[&Expr]) {
    let Select { distinct: _, items, from, joins, filters, group_by: _ } = select;
    let sources = || from.iter().chain(joins.iter().map(|join| &join.from));
    if !sources().any(|from| matches!(from.relation, Relation::Query(_))) {
        return;
    }
    let mut read = Columns::new();
    let conditions = joins.iter().flat_map(|join: &Join| &join.on).chain(filters.iter());
    for expr in items.iter().map(|item| &item.expr).chain(conditions).chain(order.iter().copied()) {
        names(expr, &mut read);
    }
    for From { relation, alias } in from.iter_mut().chain(joins.iter_mut().map(|join| &mut join.from)) {
        if let Relation::Query(query) = relation {
            keep(query, |item| read.contains(&(alias.0.clone(), item.alias.0.clone())));
            prune_columns(query);
        }
    }
}

/// Keeps some columns of a subquery. Those by which rows are told apart, grouped or put under others say which rows there are.
fn keep(query: &mut Query, is_read: impl Fn(&Item) -> bool) {
    let [select] = query.selects.as_mut_slice() else { return };
    if select.distinct || select.group_by.is_some() {
        return;
    }
    select.items.retain(is_read);
    if select.items.is_empty() {
        // Rows that are only counted; not every engine knows rows without columns.
        select.items.push(Expr::Number(1).named(&Alias::named("holdfast_row")));
    }
}

/// Every column that an expression reads.
fn names(expr: &Expr, found: &mut Columns) {
    match expr {
        Expr::Physical(table, column) => {
            found.insert((table.0.clone(), column.0.clone()));
        }
        Expr::Column(table, column) => {
            found.insert((table.0.clone(), column.0.clone()));
        }
        made_of_others => made_of_others.children(&mut |child| names(child, found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::entity::ColumnName,
        sql::{
            Dialect,
            ast::{AggregateFunction, JoinKind, OrderItem},
            render::render,
        },
    };

    fn column(table: &str, name: &str) -> Expr {
        Expr::Physical(Alias::named(table), ColumnName::new(name))
    }

    fn item(table: &str, name: &str) -> Item {
        column(table, name).named(&Alias::named(name))
    }

    fn under(query: Query, alias: &str) -> From {
        From { relation: Relation::Query(Box::new(query)), alias: Alias::named(alias) }
    }

    /// Columns `a` to `d` of a table.
    fn rows() -> Select {
        let relation = Relation::Table { schema: None, table: "x".to_owned() };
        let items = ["a", "b", "c", "d"].map(|name| item("t0", name)).to_vec();
        Select { items, from: Some(From { relation, alias: Alias::named("t0") }), ..Select::default() }
    }

    fn pruned(mut query: Query) -> String {
        prune_columns(&mut query);
        render(&query, Vec::new(), Dialect::Postgres, false).sql.as_str().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_read_by_items_joins_conditions_and_order_stays_at_every_depth() {
        let inner = Select { items: rows().items, from: Some(under(Query::select(rows()), "t0")), ..Select::default() };
        let join = Join {
            kind: JoinKind::Left,
            from: under(Query::select(inner), "t1"),
            on: vec![Expr::equal(column("t1", "a"), column("t0", "a"))],
        };
        let outer =
            Select { items: vec![item("t1", "b")], joins: vec![join], filters: vec![Expr::is_null(column("t0", "c"))], ..rows() };
        let order_by = vec![OrderItem { expr: column("t1", "d"), descending: false, nulls_first: false }];
        assert_eq!(
            pruned(Query { order_by, ..Query::select(outer) }),
            "select \"t1\".\"b\" as \"b\" from \"x\" as \"t0\" left join ( select \"t0\".\"a\" as \"a\", \"t0\".\"b\" as \"b\", \
             \"t0\".\"d\" as \"d\" from ( select \"t0\".\"a\" as \"a\", \"t0\".\"b\" as \"b\", \"t0\".\"d\" as \"d\" from \"x\" as \
             \"t0\" ) as \"t0\" ) as \"t1\" on (\"t1\".\"a\" = \"t0\".\"a\") where (\"t0\".\"c\" is null) order by \"t1\".\"d\" asc nulls last"
        );
    }

    #[test]
    fn columns_that_say_which_rows_there_are_stay() {
        let all = |select: Select| {
            let outer = Select { items: vec![item("s", "a")], from: Some(under(Query::select(select), "s")), ..Select::default() };
            pruned(Query::select(outer)).matches("\"d\"").count() > 0
        };
        assert!(!all(rows()));
        assert!(all(Select { distinct: true, ..rows() }));
        assert!(all(Select { group_by: Some(4), ..rows() }));
        let both = Query::union_all(vec![rows(), rows()]);
        let outer = Select { items: vec![item("s", "a")], from: Some(under(both, "s")), ..Select::default() };
        assert!(pruned(Query::select(outer)).contains("\"d\""));
    }

    #[test]
    fn rows_that_are_only_counted_need_no_column_of_the_warehouse() {
        let count = Expr::Aggregate(AggregateFunction::Count, None).named(&Alias::named("n"));
        let outer =
            Select { items: vec![count], from: Some(under(Query::select(rows()), "s")), group_by: Some(0), ..Select::default() };
        assert_eq!(
            pruned(Query::select(outer)),
            "select count(*) as \"n\" from ( select 1 as \"holdfast_row\" from \"x\" as \"t0\" ) as \"s\""
        );
    }
}
