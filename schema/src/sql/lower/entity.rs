//! Plans for rows of an entity to SQL: one select over the entity, joined to the rows above and to the rows' metrics, cut per parent
//! by row number.

use smol_str::format_smolstr;

use std::collections::BTreeSet;

use super::{
    Named, column,
    condition::{condition, key_in},
    from_cte, key_alias, output_alias,
    scan::{At, Env, Scan},
};
use crate::{
    compile::EntityColumn,
    model::{
        Cardinality, EntityId,
        entity::{ColumnName, Source},
        path::PathDimension,
    },
    plan::{
        entity::{EntityPlan, Link, ParentKey, Slice},
        keyset::SortKey,
    },
    query::{Direction, Nulls, entity::RowField},
    sql::{
        ast::{AggregateFunction, Alias, Cte, Expr, From, Infix, Item, Join, JoinKind, OrderItem, Query, Relation, Select},
        prune::prune_columns,
    },
};

/// A query, and every entity it reads.
pub(crate) struct Lowered {
    pub(crate) query: Query,
    pub(crate) entities: BTreeSet<EntityId>,
}

/// The rows of a plan, with its columns in order. `metrics` are those of the plan, lowered.
pub(crate) fn rows(env: Env<'_>, plan: &EntityPlan, metrics: Option<Named>) -> Lowered {
    let (mut scan, parent) = matched(env, plan, metrics.as_ref());
    for seek in &plan.seek {
        let seek = condition(seek, &mut |field| value(&mut scan, field));
        scan.filter(seek);
    }
    let mut items = Vec::new();
    for column in &plan.columns {
        let value = match (column.role, &column.field) {
            (EntityColumn::ParentKey(part), _) => parent[part].clone(),
            (EntityColumn::Key(_), RowField::Dimension(place)) => scan.column(key_column(env, place)),
            (EntityColumn::Key(_) | EntityColumn::Dimension(_) | EntityColumn::Order(_), field) => value(&mut scan, field),
        };
        items.push(value.named(&alias(column.role)));
    }
    let order: Vec<OrderItem> = plan.order.iter().map(|key| order_item(value(&mut scan, &key.field), key)).collect();
    let entities = scan.scanned().clone();
    let query = match plan.slice {
        Slice::List { limit, offset } => {
            Query { order_by: order, limit: Some(limit), offset, ..Query::select(scan.select(items, None)) }
        }
        Slice::Whole => {
            let order_by = parent.into_iter().map(ascending).chain(order).collect();
            Query { order_by, ..Query::select(scan.select(items, None)) }
        }
        Slice::PerParent { limit, offset } => {
            let rank = Alias::named("rank");
            items.push(Expr::RowNumber { partition: parent, order }.named(&rank));
            cut(scan.select(items, None), &rank, limit, offset)
        }
    };
    finish(Query { with: with(metrics), ..query }, entities)
}

/// How many rows a plan has regardless of its page: for each parent, or in all. `metrics` are those of the plan, lowered.
pub(crate) fn count(env: Env<'_>, plan: &EntityPlan, metrics: Option<Named>) -> Lowered {
    let (scan, parent) = matched(env, plan, metrics.as_ref());
    let entities = scan.scanned().clone();
    let keys = parent.len();
    let mut items: Vec<Item> =
        parent.iter().enumerate().map(|(part, value)| value.clone().named(&alias(EntityColumn::ParentKey(part)))).collect();
    items.push(Expr::Aggregate(AggregateFunction::Count, None).named(&count_alias()));
    let select = scan.select(items, Some(keys));
    let order_by = parent.into_iter().map(ascending).collect();
    finish(Query { with: with(metrics), order_by, ..Query::select(select) }, entities)
}

fn finish(mut query: Query, entities: BTreeSet<EntityId>) -> Lowered {
    prune_columns(&mut query);
    Lowered { query, entities }
}

/// Name of a result column.
pub(crate) fn alias(role: EntityColumn) -> Alias {
    match role {
        EntityColumn::ParentKey(part) => Alias(format_smolstr!("p{part}")),
        EntityColumn::Key(part) => Alias(format_smolstr!("k{part}")),
        EntityColumn::Dimension(position) => Alias(format_smolstr!("d{position}")),
        EntityColumn::Order(position) => Alias(format_smolstr!("o{position}")),
    }
}

/// Name of the column that counts.
pub(crate) fn count_alias() -> Alias {
    Alias::named("n")
}

/// The newest value of the column that tells that rows changed, as text: it is only ever compared.
pub(crate) fn refresh_key(source: &Source, column: &ColumnName) -> Query {
    let rows = Alias::named("t0");
    let relation = match source {
        Source::Table { schema, table } => Relation::Table { schema: schema.clone(), table: table.clone() },
        Source::Sql(text) => Relation::Sql(text.clone()),
    };
    let newest = Expr::aggregate(AggregateFunction::Max, Expr::Physical(rows.clone(), column.clone()));
    Query::select(Select {
        items: vec![Expr::ToText(Box::new(newest)).named(&Alias::named("r0"))],
        from: Some(From { relation, alias: rows }),
        group_by: Some(0),
        ..Select::default()
    })
}

/// The entity's rows that count, matched to the rows above, and the key of those.
fn matched<'a>(env: Env<'a>, plan: &EntityPlan, metrics: Option<&Named>) -> (Scan<'a>, Vec<Expr>) {
    let mut scan = Scan::new(env, plan.entity, At::AsOf);
    let parent = plan.link.as_ref().map(|link| attach(env, &mut scan, link)).unwrap_or_default();
    for filter in &plan.filter {
        let filter = condition(filter, &mut |place| scan.dimension(&place.path, place.dimension));
        scan.filter(filter);
    }
    if let Some(metrics) = metrics {
        join_metrics(env, &mut scan, plan.entity, metrics);
    }
    if let Some(having) = &plan.having {
        scan.filter(condition(having, &mut |position: &usize| metric(*position)));
    }
    (scan, parent)
}

/// Puts a row's metrics beside it: there is one row of them per key, or none.
fn join_metrics(env: Env<'_>, scan: &mut Scan<'_>, entity: EntityId, metrics: &Named) {
    let key = env.model.entity(entity).key_columns().enumerate();
    let on = key.map(|(part, own)| Expr::equal(column(&metrics_alias(), &key_alias(part)), scan.column(own))).collect();
    scan.join(Join { kind: JoinKind::Left, from: from_cte(&metrics.rows, &metrics_alias()), on });
    scan.note_scanned(&metrics.scanned);
}

fn metrics_alias() -> Alias {
    Alias::named("metrics")
}

fn metric(position: usize) -> Expr {
    column(&metrics_alias(), &output_alias(position))
}

fn value(scan: &mut Scan<'_>, field: &RowField) -> Expr {
    match field {
        RowField::Dimension(place) => scan.dimension(&place.path, place.dimension),
        RowField::Metric(position) => metric(*position),
    }
}

fn with(metrics: Option<Named>) -> Vec<Cte> {
    metrics.map(|metrics| metrics.with).unwrap_or_default()
}

/// Matches a scan to the rows above, and returns the key of those.
fn attach(env: Env<'_>, scan: &mut Scan<'_>, link: &Link) -> Vec<Expr> {
    let relationship = env.model.relationship(link.relationship);
    match &relationship.cardinality {
        Cardinality::ManyToOne | Cardinality::OneToOne | Cardinality::OneToMany => {
            attach_directly(env, scan, link, &relationship.other)
        }
        Cardinality::ManyToMany { bridge, near, far, weight: _ } => {
            let mut links = Scan::new(env, *bridge, At::AsOf);
            let parent = attach_directly(env, &mut links, link, near);
            let parents = parent.len();
            let mut items: Vec<Item> =
                parent.into_iter().enumerate().map(|(part, value)| value.named(&numbered("p", part))).collect();
            items.extend(far.iter().enumerate().map(|(part, column)| links.column(column).named(&numbered("j", part))));
            scan.note_scanned(links.scanned());
            // A bridge with more to its key than both ends, such as a role, would repeat a row below the same parent.
            let distinct = !env.model.entity(*bridge).key_columns().all(|column| near.contains(column) || far.contains(column));
            let select = Select { distinct, ..links.select(items, None) };
            join(scan, "links", select, &relationship.other, parents)
        }
    }
}

/// Matches a scan whose `columns` hold what the relationship joins on our side.
fn attach_directly(env: Env<'_>, scan: &mut Scan<'_>, link: &Link, columns: &[ColumnName]) -> Vec<Expr> {
    match &link.parent_key {
        ParentKey::Joined(positions) => {
            let parent: Vec<Expr> = positions.iter().map(|position| scan.column(&columns[*position])).collect();
            scan.filter(key_in(parent.clone(), &link.keys));
            parent
        }
        ParentKey::Scanned => {
            let above = env.model.entity(link.relationship.entity);
            let mut parents = Scan::new(env, link.relationship.entity, At::AsOf);
            let key: Vec<Expr> = above.key_columns().map(|column| parents.column(column)).collect();
            parents.filter(key_in(key.clone(), &link.keys));
            let count = key.len();
            let mut items: Vec<Item> = key.into_iter().enumerate().map(|(part, value)| value.named(&numbered("p", part))).collect();
            let relationship = env.model.relationship(link.relationship);
            let joined: Vec<Expr> = match &relationship.top {
                None => relationship.own.iter().map(|column| parents.column(column)).collect(),
                Some(_) => relationship.other.iter().map(|key| parents.column_at(&[link.relationship], key)).collect(),
            };
            items.extend(joined.into_iter().enumerate().map(|(part, value)| value.named(&numbered("j", part))));
            scan.note_scanned(parents.scanned());
            join(scan, "parents", parents.select(items, None), columns, count)
        }
    }
}

/// Joins a select with columns `p0…` and `j0…`, the latter to `columns`; returns the former.
fn join(scan: &mut Scan<'_>, name: &str, select: Select, columns: &[ColumnName], parents: usize) -> Vec<Expr> {
    let alias = Alias::named(name);
    let of = |word, part| Expr::Column(alias.clone(), numbered(word, part));
    let on = columns.iter().enumerate().map(|(part, column)| Expr::equal(of("j", part), scan.column(column))).collect();
    let relation = Relation::Query(Box::new(Query::select(select)));
    let parent = (0..parents).map(|part| of("p", part)).collect();
    scan.join(Join { kind: JoinKind::Inner, from: From { relation, alias: alias.clone() }, on });
    parent
}

/// The rows of each parent from `offset` on, at most `limit`.
fn cut(ranked: Select, rank: &Alias, limit: u64, offset: u64) -> Query {
    let rows = Alias::named("ranked");
    let of = |alias: &Alias| Expr::Column(rows.clone(), alias.clone());
    let shown: Vec<Alias> = ranked.items.iter().map(|item| item.alias.clone()).filter(|alias| alias != rank).collect();
    let number = |number: u64| Expr::Number(i64::try_from(number).unwrap_or(i64::MAX));
    let mut filters = vec![Expr::infix(Infix::LessOrEqual, of(rank), number(offset.saturating_add(limit)))];
    if offset > 0 {
        filters.push(Expr::infix(Infix::Greater, of(rank), number(offset)));
    }
    let parents = shown.iter().filter(|alias| alias.0.starts_with('p'));
    let order_by = parents.chain([rank]).map(|alias| ascending(of(alias))).collect();
    let select = Select {
        items: shown.iter().map(|alias| of(alias).named(alias)).collect(),
        from: Some(From { relation: Relation::Query(Box::new(Query::select(ranked))), alias: rows.clone() }),
        filters,
        ..Select::default()
    };
    Query { order_by, ..Query::select(select) }
}

fn numbered(word: &str, number: usize) -> Alias {
    Alias(format_smolstr!("{word}{number}"))
}

fn key_column<'a>(env: Env<'a>, field: &PathDimension) -> &'a ColumnName {
    env.model.dimension(field.dimension).column().expect("a key dimension is a plain column")
}

fn order_item<F>(expr: Expr, key: &SortKey<F>) -> OrderItem {
    OrderItem { expr, descending: key.direction == Direction::Descending, nulls_first: key.nulls == Some(Nulls::First) }
}

fn ascending(expr: Expr) -> OrderItem {
    OrderItem { expr, descending: false, nulls_first: false }
}
