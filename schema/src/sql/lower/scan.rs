//! One select over an entity: joins on demand along safe paths, versions at the right instant, policies before anything else.

use smol_str::format_smolstr;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use super::{condition::expression, time::day_of};
use crate::{
    expr,
    model::{
        Cardinality, Dimension, DimensionId, Entity, EntityId, Model, RelationshipId,
        entity::{ColumnName, RowValue, Source, Top},
        path::PathDimension,
    },
    query::access::Access,
    sql::ast::{Alias, Expr, From, Infix, Item, Join, JoinKind, OrderItem, Query, Relation, Select},
    value::{Value, ValueType},
};

/// What is the same for every scan of a question.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) model: &'a Model,
    pub(crate) access: &'a Access,
    pub(crate) as_of: Date,
    pub(crate) as_known_at: Option<Timestamp>,
    pub(crate) time_zone: &'a str,
    /// Whether all of history is read with the versions of the day that counts as today.
    pub(crate) is_restated: bool,
}

impl Env<'_> {
    /// The same on the day the caller asks, with what is known then: where policies look. What a caller may see is decided by what
    /// holds now, or history would show phantom losses to those who may see only a part; and not by `as_of`, `as_known_at` and
    /// the zone of the question, or the caller could choose when a policy let more through.
    fn today(self) -> Self {
        Self { as_of: self.access.today, as_known_at: None, time_zone: &self.model.project.time_zone, ..self }
    }
}

/// When effective-dated entities are read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum At {
    /// At the day that counts as today.
    AsOf,
    /// At a day that depends on the row of the scanned fact.
    Row(Expr),
}

/// A select being built. The scanned entity has alias `t0`, joined ones `t1`, `t2` … in order of first use.
pub(crate) struct Scan<'a> {
    env: Env<'a>,
    entity: EntityId,
    /// Where its rows come from.
    rows: From,
    at: At,
    joins: Vec<Join>,
    joined: BTreeMap<(Vec<RelationshipId>, bool), Alias>,
    /// Keys of what is there for the caller, by the path to it.
    keys: BTreeMap<Vec<RelationshipId>, Alias>,
    filters: Vec<Expr>,
    scanned: BTreeSet<EntityId>,
}

impl<'a> Scan<'a> {
    /// A scan of an entity's rows that exist for the caller. `at` tells when entities joined to it are read; the entity itself, when
    /// effective-dated, is read at the day that counts as today.
    pub(crate) fn new(env: Env<'a>, entity: EntityId, at: At) -> Self {
        let mut scan = Self::for_anyone(env, entity, at);
        scan.apply_policies();
        scan
    }

    /// The same whoever asks: for what decides about rows, never for what is shown.
    pub(crate) fn for_anyone(env: Env<'a>, entity: EntityId, at: At) -> Self {
        let mut scan = Self::over(env, entity, relation(env, entity, root()), at);
        scan.filters.extend(valid_at(env, entity, &root(), &Expr::Value(Value::Date(env.as_of))));
        scan
    }

    /// A scan of an entity's rows that exist for the caller, as they are on a day. With `days`, from each of several: these are joined
    /// as [`days_alias`], of which `day` speaks.
    pub(crate) fn seen_from(env: Env<'a>, entity: EntityId, days: Option<From>, day: Expr) -> Self {
        let mut scan = Self::over(env, entity, relation(env, entity, root()), At::Row(day.clone()));
        scan.joins.extend(days.map(|from| Join { kind: JoinKind::Cross, from, on: Vec::new() }));
        scan.filters.extend(valid_at(env, entity, &root(), &day));
        scan.apply_policies();
        scan
    }

    /// A scan of rows of an entity that have been chosen before: no policy and no day applies to them again.
    pub(crate) fn over(env: Env<'a>, entity: EntityId, rows: From, at: At) -> Self {
        Self {
            env,
            entity,
            rows,
            at,
            joins: Vec::new(),
            joined: BTreeMap::new(),
            keys: BTreeMap::new(),
            filters: Vec::new(),
            scanned: BTreeSet::from([entity]),
        }
    }

    /// Sets when joined entities are read; for facts whose own time needs the scan's alias first.
    pub(crate) fn read_at(&mut self, at: At) {
        self.at = at;
    }

    /// A dimension at the end of a safe path from the scanned entity. Masked dimensions are null.
    pub(crate) fn dimension(&mut self, path: &[RelationshipId], id: DimensionId) -> Expr {
        let dimension = self.env.model.dimension(id);
        if self.env.access.masked.contains(&id) {
            return Expr::Null(dimension.value_type);
        }
        let alias = self.place(path, false);
        physical(dimension, &alias)
    }

    /// An expression over physical columns of the scanned entity.
    pub(crate) fn own(&self, expr: &expr::Expr<ColumnName>) -> Expr {
        expression(expr, &mut |column| Expr::Physical(root(), column.clone()))
    }

    /// An expression of a measure of the scanned entity. `as_of` is the day its rows are seen from, `today`
    /// the one that counts as today, whatever a comparison looks at.
    pub(crate) fn of_row(&self, expr: &expr::Expr<RowValue>) -> Expr {
        expression(expr, &mut |value| match (value, &self.at) {
            (RowValue::Column(column), _) => Expr::Physical(root(), column.clone()),
            (RowValue::AsOf, At::Row(day)) => day.clone(),
            (RowValue::AsOf, At::AsOf) | (RowValue::Today, _) => Expr::Value(Value::Date(self.env.as_of)),
        })
    }

    /// A physical column of the scanned entity.
    pub(crate) fn column(&self, column: &ColumnName) -> Expr {
        Expr::Physical(root(), column.clone())
    }

    /// A physical column at the end of a safe path.
    pub(crate) fn column_at(&mut self, path: &[RelationshipId], column: &ColumnName) -> Expr {
        let alias = self.place(path, false);
        Expr::Physical(alias, column.clone())
    }

    /// Adds a condition on rows.
    pub(crate) fn filter(&mut self, condition: Expr) {
        self.filters.push(condition);
    }

    /// Joins a relation that is not an entity.
    pub(crate) fn join(&mut self, join: Join) {
        self.joins.push(join);
    }

    /// Name for the next joined relation.
    pub(crate) fn next_alias(&self) -> Alias {
        Alias(format_smolstr!("t{}", self.joins.len() + 1))
    }

    /// Adds to the entities read by a subquery of this scan.
    pub(crate) fn note_scanned(&mut self, others: &BTreeSet<EntityId>) {
        self.scanned.extend(others);
    }

    /// Every entity read.
    pub(crate) fn scanned(&self) -> &BTreeSet<EntityId> {
        &self.scanned
    }

    /// Finishes the select.
    pub(crate) fn select(self, items: Vec<Item>, group_by: Option<usize>) -> Select {
        Select { distinct: false, items, from: Some(self.rows), joins: self.joins, filters: self.filters, group_by }
    }

    fn apply_policies(&mut self) {
        for (entity, conditions) in &self.env.access.rows {
            if *entity != self.entity {
                for way in self.env.model.policy_ways(self.entity, *entity) {
                    self.restrict(way, conditions);
                }
            } else if self.env.model.entity(*entity).validity.is_none() {
                self.restrict(&[], conditions);
            } else {
                self.keep_allowed_today(conditions);
            }
        }
    }

    /// Keeps the rows for which the entity at the end of a way fulfils conditions.
    fn restrict(&mut self, way: &[RelationshipId], conditions: &[expr::Expr<PathDimension>]) {
        for condition in conditions {
            let filter = expression(condition, &mut |place: &PathDimension| {
                let path: Vec<_> = way.iter().chain(&place.path).copied().collect();
                let alias = self.place(&path, true);
                physical(self.env.model.dimension(place.dimension), &alias)
            });
            self.filters.push(filter);
        }
    }

    /// Keeps the rows, of whatever version, whose version of today fulfils conditions.
    fn keep_allowed_today(&mut self, conditions: &[expr::Expr<PathDimension>]) {
        let mut today = Self::for_anyone(self.env.today(), self.entity, At::AsOf);
        today.restrict(&[], conditions);
        let key: Vec<Expr> = self.env.model.entity(self.entity).key_columns().map(|column| self.column(column)).collect();
        self.join_keys(JoinKind::Inner, today, key);
    }

    /// The key at the end of a path where the row behind it is there for the caller, and null where it is not.
    pub(crate) fn visible_key(&mut self, path: &[RelationshipId], part: usize) -> Expr {
        let (last, before) = path.split_last().expect("a key behind a foreign key is a hop away");
        let alias = match self.keys.get(path) {
            Some(alias) => alias.clone(),
            None => {
                let relationship = self.env.model.relationship(*last);
                let from = self.place(before, false);
                let mut today = Self::for_anyone(self.env.today(), relationship.to, At::AsOf);
                for (entity, conditions) in &self.env.access.rows {
                    ways(self.env.model, relationship.to, *entity).iter().for_each(|way| today.restrict(way, conditions));
                }
                let foreign_key = |column: &ColumnName| {
                    let position = relationship.other.iter().position(|other| other == column);
                    let position = position.expect("a foreign key holds the whole key: checked when definitions are resolved");
                    Expr::Physical(from.clone(), relationship.own[position].clone())
                };
                let key = self.env.model.entity(relationship.to).key_columns().map(foreign_key).collect();
                let alias = self.join_keys(JoinKind::Left, today, key);
                self.keys.insert(path.to_vec(), alias.clone());
                alias
            }
        };
        Expr::Column(alias, key_alias(part))
    }

    /// Joins the keys of another scan.
    fn join_keys(&mut self, kind: JoinKind, keys: Self, to: Vec<Expr>) -> Alias {
        self.scanned.extend(keys.scanned());
        let columns = self.env.model.entity(keys.entity).key_columns();
        let items = columns.enumerate().map(|(n, column)| keys.column(column).named(&key_alias(n))).collect();
        let select = Select { distinct: true, ..keys.select(items, None) };
        let alias = self.next_alias();
        let on = to.into_iter().enumerate().map(|(n, to)| Expr::equal(Expr::Column(alias.clone(), key_alias(n)), to)).collect();
        let relation = Relation::Query(Box::new(Query::select(select)));
        self.joins.push(Join { kind, from: From { relation, alias: alias.clone() }, on });
        alias
    }

    /// The alias at the end of a path, joining what is not joined yet. With `now`, for policies, everything is read today.
    fn place(&mut self, path: &[RelationshipId], now: bool) -> Alias {
        let Some((last, before)) = path.split_last() else { return root() };
        if let Some(alias) = self.joined.get(&(path.to_vec(), now)) {
            return alias.clone();
        }
        let from = self.place(before, now);
        let relationship = self.env.model.relationship(*last);
        debug_assert!(
            matches!(relationship.cardinality, Cardinality::ManyToOne | Cardinality::OneToOne),
            "only safe hops are joined"
        );
        let env = if now { self.env.today() } else { self.env };
        let own = match relationship.top {
            None => relationship.own.iter().map(|own| Expr::Physical(from.clone(), own.clone())).collect(),
            Some(top) => self.top_key(before, last.entity, top, now),
        };
        let alias = self.next_alias();
        let theirs = relationship.other.iter().map(|other| Expr::Physical(alias.clone(), other.clone()));
        let mut on: Vec<Expr> = theirs.zip(own).map(|(theirs, own)| Expr::equal(theirs, own)).collect();
        let day = match &self.at {
            At::Row(day) if !now => day.clone(),
            At::Row(_) | At::AsOf => Expr::Value(Value::Date(env.as_of)),
        };
        on.extend(valid_at(env, relationship.to, &alias, &day));
        self.scanned.insert(relationship.to);
        let from = if now || self.is_covered(path) {
            relation(env, relationship.to, alias.clone())
        } else {
            let (from, read) = visible(env, relationship.to, alias.clone());
            self.scanned.extend(read);
            from
        };
        self.joins.push(Join { kind: JoinKind::Left, from, on });
        self.joined.insert((path.to_vec(), now), alias.clone());
        alias
    }

    /// The key of the last row of the chain that begins at the end of a path. Each hop is joined as any other, so the chain ends below
    /// a row that is not there for the caller; a row that names itself ends it too. Of a chain that has not ended after so many
    /// levels, and so of a circle, the end is not known. One hop more tells.
    fn top_key(&mut self, from: &[RelationshipId], entity: EntityId, top: Top, now: bool) -> Vec<Expr> {
        let model = self.env.model;
        let hop = RelationshipId { entity, index: top.of };
        let mut path = from.to_vec();
        let mut keys: Vec<Vec<Expr>> = Vec::new();
        for level in 0..=usize::from(top.levels) + 1 {
            if level > 0 {
                path.push(hop);
            }
            let alias = self.place(&path, now);
            keys.push(model.entity(entity).key_columns().map(|column| Expr::Physical(alias.clone(), column.clone())).collect());
        }
        let ends = |below: &[Expr], above: &[Expr]| {
            let same = below.iter().zip(above).map(|(below, above)| Expr::equal(below.clone(), above.clone())).collect();
            Expr::Or(vec![Expr::is_null(above[0].clone()), Expr::And(same)])
        };
        let arms = |part: usize| keys.windows(2).map(move |pair| (ends(&pair[0], &pair[1]), pair[0][part].clone())).collect();
        (0..keys[0].len()).map(|part| Expr::Case { arms: arms(part), otherwise: None }).collect()
    }

    /// Whether the policies that this scan applies have decided about every row that a path leads to, on whatever day it is read.
    fn is_covered(&self, path: &[RelationshipId]) -> bool {
        let model = self.env.model;
        let is_dated = |hop: &RelationshipId| model.entity(model.relationship(*hop).to).validity.is_some();
        let Some((last, before)) = path.split_last() else { return true };
        let to = model.relationship(*last).to;
        self.env.access.rows.keys().all(|restricted| {
            let applied = ways(model, self.entity, *restricted);
            let covers = |beyond: &Vec<RelationshipId>| {
                // On another day a version on the way may have led elsewhere.
                let is_constant = !before.iter().any(is_dated) && (beyond.is_empty() || !is_dated(last));
                is_constant && applied.contains(&[path, beyond].concat())
            };
            ways(model, to, *restricted).iter().all(covers)
        })
    }

    /// Whether a key at the end of a path may be read from the foreign key that leads there: not when the row behind it, or behind
    /// one on the way, may be one that a policy of its own takes away.
    pub(crate) fn may_read_foreign_key(&self, path: &[RelationshipId], shorter: usize) -> bool {
        (shorter + 1..=path.len()).all(|hops| {
            let to = self.env.model.relationship(path[hops - 1]).to;
            !self.env.access.rows.contains_key(&to) || self.is_covered(&path[..hops])
        })
    }
}

/// The ways along which a policy on one entity restricts rows of another; an entity's own policy holds where it is.
fn ways(model: &Model, from: EntityId, to: EntityId) -> Vec<Vec<RelationshipId>> {
    if from == to {
        return vec![Vec::new()];
    }
    model.policy_ways(from, to).into_iter().cloned().collect()
}

/// Part of a key in a subquery of keys.
fn key_alias(part: usize) -> Alias {
    Alias(format_smolstr!("f{part}"))
}

/// The alias of the scanned entity.
pub(crate) fn root() -> Alias {
    Alias::named("t0")
}

/// The alias of the days that the rows of a scan are seen from.
pub(crate) fn days_alias() -> Alias {
    Alias::named("t1")
}

/// A dimension as an expression over an alias of its entity.
pub(crate) fn physical(dimension: &Dimension, alias: &Alias) -> Expr {
    expression(&dimension.expr, &mut |column: &ColumnName| Expr::Physical(alias.clone(), column.clone()))
}

/// The conditions under which a version holds on a day; none where an entity has no versions. Of instants the day counts, in the zone of
/// the question, so that of versions that follow each other within a day the last one holds.
pub(crate) fn valid_at(env: Env<'_>, id: EntityId, alias: &Alias, day: &Expr) -> Vec<Expr> {
    let entity = env.model.entity(id);
    let Some(validity) = &entity.validity else { return Vec::new() };
    let day_of = |name: &ColumnName| {
        let value_type = if entity.is_instant(name) { ValueType::Timestamp } else { ValueType::Date };
        day_of(env, Expr::Physical(alias.clone(), name.clone()), value_type)
    };
    let is_open = Expr::is_null(Expr::Physical(alias.clone(), validity.to.clone()));
    vec![
        Expr::infix(Infix::LessOrEqual, day_of(&validity.from), day.clone()),
        Expr::Or(vec![is_open, Expr::infix(Infix::Greater, day_of(&validity.to), day.clone())]),
    ]
}

/// An entity's rows under an alias: its table, or, when it is recorded what became known when, of each row what was known last.
pub(crate) fn relation(env: Env<'_>, id: EntityId, alias: Alias) -> From {
    let entity = env.model.entity(id);
    let plain = match &entity.source {
        Source::Table { schema, table } => Relation::Table { schema: schema.clone(), table: table.clone() },
        Source::Sql(text) => Relation::Sql(text.clone()),
    };
    let relation = match &entity.recorded {
        Some(recorded) if recorded.is_corrected => Relation::Query(Box::new(newest(env, id, entity, plain, &recorded.column))),
        Some(recorded) => match known(env, &recorded.column) {
            Some(filter) => {
                let columns = columns_of(env.model, id, entity);
                let items = columns.iter().map(|name| Expr::Physical(root(), name.clone()).named(&Alias(name.0.clone()))).collect();
                let from = Some(From { relation: plain, alias: root() });
                Relation::Query(Box::new(Query::select(Select { items, from, filters: vec![filter], ..Select::default() })))
            }
            None => plain,
        },
        None => plain,
    };
    From { relation, alias }
}

/// Whether a row was known by the instant that is asked for, if one is.
fn known(env: Env<'_>, recorded: &ColumnName) -> Option<Expr> {
    let at =
        |instant| Expr::infix(Infix::LessOrEqual, Expr::Physical(root(), recorded.clone()), Expr::Value(Value::Timestamp(instant)));
    env.as_known_at.map(at)
}

/// An entity's rows that exist for the caller, all versions of them: for joins along ways on which the scan's own policies do not look.
/// With it every entity that is read for them.
pub(crate) fn visible(env: Env<'_>, id: EntityId, alias: Alias) -> (From, BTreeSet<EntityId>) {
    if !is_restricted(env, id) {
        return (relation(env, id, alias), BTreeSet::from([id]));
    }
    let mut scan = Scan::over(env, id, relation(env, id, root()), At::AsOf);
    scan.apply_policies();
    let read = scan.scanned().clone();
    let columns = columns_of(env.model, id, env.model.entity(id));
    let items = columns.iter().map(|name| scan.column(name).named(&Alias(name.0.clone()))).collect();
    (From { relation: Relation::Query(Box::new(Query::select(scan.select(items, None)))), alias }, read)
}

/// Whether a policy takes rows of an entity away, its own or one of an entity it leads to.
pub(crate) fn is_restricted(env: Env<'_>, id: EntityId) -> bool {
    env.access.rows.keys().any(|restricted| !ways(env.model, id, *restricted).is_empty())
}

/// Of rows with one key (of versions: and one first instant) the one that was known last.
fn newest(env: Env<'_>, id: EntityId, entity: &Entity, plain: Relation, recorded: &ColumnName) -> Query {
    let versions = Alias::named("versions");
    let rank = Alias::named("holdfast_rank");
    let column = |name: &ColumnName| Expr::Physical(root(), name.clone());
    let columns = columns_of(env.model, id, entity);
    let mut items: Vec<Item> = columns.iter().map(|name| column(name).named(&Alias(name.0.clone()))).collect();
    let partition = entity.key_columns().chain(entity.validity.iter().map(|validity| &validity.from)).map(column).collect();
    let order = vec![OrderItem { expr: column(recorded), descending: true, nulls_first: false }];
    items.push(Expr::RowNumber { partition, order }.named(&rank));
    let filters = known(env, recorded).into_iter().collect();
    let inner = Select { items, from: Some(From { relation: plain, alias: root() }), filters, ..Select::default() };
    let outer = columns.iter().map(|name| Expr::Physical(versions.clone(), name.clone()).named(&Alias(name.0.clone()))).collect();
    Query::select(Select {
        items: outer,
        filters: vec![first(Expr::Column(versions.clone(), rank))],
        from: Some(From { relation: Relation::Query(Box::new(Query::select(inner))), alias: versions }),
        ..Select::default()
    })
}

/// Whether a row number is that of the first row. Planners that cannot know how many rows have a number guess few of them for `= 1`,
/// so few that PostgreSQL reads whatever is joined anew for each row of the other side; of a range they guess a third.
pub(super) fn first(rank: Expr) -> Expr {
    Expr::infix(Infix::LessOrEqual, rank, Expr::Number(1))
}

/// Every physical column of an entity that the model speaks of.
pub(super) fn columns_of(model: &Model, id: EntityId, entity: &Entity) -> BTreeSet<ColumnName> {
    let mut columns = BTreeSet::new();
    let mut add = |expr: &expr::Expr<ColumnName>| {
        expr.visit_refs(&mut |column| {
            columns.insert(column.clone());
        })
    };
    entity.dimensions.iter().for_each(|dimension| add(&dimension.expr));
    for measure in &entity.measures {
        measure.visit_columns(&mut |column| {
            columns.insert(column.clone());
        });
    }
    columns.extend(entity.validity.iter().flat_map(|validity| [validity.from.clone(), validity.to.clone()]));
    columns.extend(entity.relationships.iter().flat_map(|relationship| relationship.own.iter().cloned()));
    for other in &model.entities {
        for relationship in &other.relationships {
            if relationship.to == id {
                columns.extend(relationship.other.iter().cloned());
            }
            if let Cardinality::ManyToMany { bridge, near, far, weight } = &relationship.cardinality
                && *bridge == id
            {
                columns.extend(near.iter().chain(far).chain(weight).cloned());
            }
        }
    }
    columns
}
