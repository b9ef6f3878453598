//! Plans to SQL trees. Cannot fail: whatever could be wrong was refused before.
//!
//! Every leaf becomes a common table expression with group keys `k0`, `k1` … and values `c0`, `c1` …; leaves meet under UNION ALL and
//! GROUP BY, which treats null keys as equal and needs no join (`combine`); values are computed on top (`output`).

mod aggregate;
mod as_of;
mod beyond;
mod cohort;
pub(crate) mod condition;
mod correlation;
mod cumulative;
mod currency;
pub(crate) mod entity;
mod fan;
mod movement;
mod output;
mod peers;
mod per_entity;
pub(crate) mod scan;
mod series;
mod shared;
mod time;

use smol_str::format_smolstr;

use std::collections::BTreeSet;

use self::scan::Env;
use super::{
    ast::{Alias, Cte, Expr, From, Item, Query, Relation},
    prune::prune_columns,
};
use crate::{
    model::{DimensionIndex, EntityId},
    plan::{Leaf, LeafKind, Plan},
    time::Calendar,
};

pub(crate) use output::Lowered;
use output::output_alias;

/// Lowers a plan.
pub(crate) fn lower(env: Env<'_>, plan: &Plan) -> Lowered {
    let mut lowered = Lowerer::new(env).plan(plan);
    prune_columns(&mut lowered.query);
    lowered
}

/// The rows of a plan as a named subquery of another statement: keys `k…`, metrics `m…`.
pub(crate) struct Named {
    /// The subqueries it takes, itself the last.
    pub(crate) with: Vec<Cte>,
    /// Its name.
    pub(crate) rows: Alias,
    /// Every entity read.
    pub(crate) scanned: BTreeSet<EntityId>,
}

/// Lowers a plan whose groups, all of them, another statement reads.
pub(crate) fn lower_named(env: Env<'_>, plan: &Plan) -> Named {
    let mut lowerer = Lowerer::new(env);
    let rows = lowerer.rows(plan);
    Named { with: lowerer.ctes, rows, scanned: lowerer.scanned }
}

/// Collects the named subqueries of one statement.
struct Lowerer<'a> {
    env: Env<'a>,
    ctes: Vec<Cte>,
    scanned: BTreeSet<EntityId>,
    /// Subqueries that hold the first and the last snapshot of a fact.
    ends: Vec<((EntityId, DimensionIndex), Alias)>,
}

impl<'a> Lowerer<'a> {
    fn new(env: Env<'a>) -> Self {
        Self { env, ctes: Vec::new(), scanned: BTreeSet::new(), ends: Vec::new() }
    }

    fn calendar(&self) -> Calendar {
        self.env.model.project.calendar
    }

    /// Adds a named subquery; names count up in order of creation, so the same plan gives the same text. The prefix keeps them from
    /// hiding a table of the warehouse.
    fn cte(&mut self, word: &str, query: Query) -> Alias {
        let name = Alias::numbered(&format!("holdfast_{word}"), self.ctes.len() + 1);
        self.ctes.push(Cte { name: name.clone(), query });
        name
    }

    fn leaf(&mut self, plan: &Plan, leaf: &Leaf) -> Alias {
        match &leaf.kind {
            LeafKind::Aggregate(aggregate) => self.aggregate(plan, leaf, aggregate),
            LeafKind::Movement(movement) => self.movement(plan, leaf, movement),
            LeafKind::Cumulative(cumulative) => self.cumulative(plan, leaf, cumulative),
            LeafKind::AsOf(as_of) => self.as_of(plan, leaf, as_of),
            LeafKind::PerEntity(per_entity) => self.per_entity(leaf, per_entity),
            LeafKind::Series(series) => self.series(leaf, series),
            LeafKind::Cohort(cohort) => self.cohort(plan, leaf, cohort),
            LeafKind::Peers(peers) => self.peers(leaf, peers),
        }
    }
}

/// Group key number `n` in any subquery of ours.
fn key_alias(n: usize) -> Alias {
    Alias(format_smolstr!("k{n}"))
}

/// Value number `n` of a leaf.
fn value_alias(n: usize) -> Alias {
    Alias(format_smolstr!("c{n}"))
}

/// A named subquery as the source of rows.
fn from_cte(name: &Alias, alias: &Alias) -> From {
    From { relation: Relation::Cte(name.clone()), alias: alias.clone() }
}

/// A column of ours.
fn column(table: &Alias, name: &Alias) -> Expr {
    Expr::Column(table.clone(), name.clone())
}

/// Expressions as columns with numbered names.
fn numbered(exprs: impl IntoIterator<Item = Expr>, name: fn(usize) -> Alias) -> Vec<Item> {
    exprs.into_iter().enumerate().map(|(n, expr)| expr.named(&name(n))).collect()
}
