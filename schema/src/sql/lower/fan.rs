//! Dimensions of which a row has several values: each row meets each distinct value once, so sums inside a value are right.

use smol_str::format_smolstr;

use super::{
    column,
    condition::condition,
    scan::{At, Env, Scan, is_restricted, physical, visible},
};
use crate::{
    model::{
        Cardinality, DimensionId, RelationshipId,
        entity::ColumnName,
        path::{Fan, Path},
    },
    plan::{
        Place,
        build::places,
        place::{identity, reduce},
    },
    query::condition::Condition,
    sql::ast::{Alias, Expr, From, Item, Join, JoinKind, Query, Relation},
};

/// The multiplying joins of one scan.
#[derive(Default)]
pub(super) struct Fans {
    joined: Vec<Joined>,
}

struct Joined {
    /// Path up to and including the hop that multiplies.
    to: Path,
    alias: Alias,
    places: Vec<Place>,
    is_weighted: bool,
}

impl Fans {
    /// Joins what the group keys need, and applies the conditions: on values that are not grouped, a row counts when one of its
    /// values fulfils the condition; others are tested row by row.
    pub(super) fn join<'p>(
        scan: &mut Scan<'_>,
        env: Env<'_>,
        keys: impl Iterator<Item = &'p Place>,
        filters: &'p [Condition<Place>],
    ) -> Self {
        let mut fans = Self::default();
        let weighted = places(filters).filter(|place| place.reach.fan == Fan::Weighted);
        for place in keys.filter(|place| place.reach.fan != Fan::None).chain(weighted) {
            let to = place.reach.path[..=multiplying_hop(env, &place.reach.path)].to_vec();
            match fans.joined.iter_mut().find(|joined| joined.to == to) {
                Some(joined) if joined.places.contains(place) => {}
                Some(joined) => joined.places.push(place.clone()),
                None => fans.joined.push(Joined {
                    to,
                    alias: Alias::named(""),
                    places: vec![place.clone()],
                    is_weighted: place.reach.fan == Fan::Weighted,
                }),
            }
        }
        for joined in &mut fans.joined {
            joined.alias = join_values(scan, env, &joined.to, &joined.places, joined.is_weighted);
            if joined.is_weighted && hides_parts(env, &joined.to) {
                drop_hidden_parts(scan, env, &joined.to, &joined.alias);
            }
        }
        for filter in filters.iter().filter(|filter| !fans.covers(filter)) {
            semi_join(scan, env, filter);
        }
        for filter in filters.iter().filter(|filter| fans.covers(filter)) {
            let filter = condition(filter, &mut |place| value_of(scan, &fans, env, place));
            scan.filter(filter);
        }
        fans
    }

    /// Whether every multiplying field of a condition is grouped, so that the condition can be tested row by row.
    fn covers(&self, filter: &Condition<Place>) -> bool {
        let mut all = true;
        filter.visit(&mut |place| {
            all &= place.reach.fan == Fan::None || self.joined.iter().any(|joined| joined.places.contains(place));
        });
        all
    }

    /// The weights by which sums are multiplied. What is not allocated counts whole, under no value, so nothing is lost.
    pub(super) fn weights(&self) -> impl Iterator<Item = Expr> {
        self.joined
            .iter()
            .filter(|joined| joined.is_weighted)
            .map(|joined| Expr::Call("coalesce", vec![column(&joined.alias, &Alias::named("w")), Expr::Number(1)]))
    }
}

/// Whether some of a row's parts may not be there for the caller.
fn hides_parts(env: Env<'_>, to: &[RelationshipId]) -> bool {
    let relationship = env.model.relationship(*to.last().expect("a path that multiplies is not empty"));
    let bridge = match &relationship.cardinality {
        Cardinality::ManyToMany { bridge, .. } => is_restricted(env, *bridge),
        Cardinality::OneToMany | Cardinality::ManyToOne | Cardinality::OneToOne => false,
    };
    bridge || is_restricted(env, relationship.to)
}

/// A row that met no part counts as not allocated, unless it has parts that are not there for the caller: what looks unallocated is
/// allocated to others then, and counts nothing.
fn drop_hidden_parts(scan: &mut Scan<'_>, env: Env<'_>, to: &[RelationshipId], parts: &Alias) {
    let relationship = env.model.relationship(*to.last().expect("a path that multiplies is not empty"));
    let Cardinality::ManyToMany { bridge, near, .. } = &relationship.cardinality else { unreachable!("only a bridge has weights") };
    let everyones = Side {
        scan: Scan::for_anyone(env, *bridge, At::AsOf),
        theirs: near.clone(),
        ours: relationship.own.clone(),
        weight: None,
        far: None,
        inner: Vec::new(),
    };
    let items = key_items(&everyones);
    let all = attach(scan, env, everyones, to, items, Meet::Values);
    let first = Alias::named("f0");
    scan.filter(Expr::Or(vec![Expr::is_not_null(column(parts, &first)), Expr::is_null(column(&all, &first))]));
}

/// A dimension's value in a scan. A key that a foreign key already holds needs no join.
pub(super) fn value_of(scan: &mut Scan<'_>, fans: &Fans, env: Env<'_>, place: &Place) -> Expr {
    for joined in &fans.joined {
        if let Some(position) = joined.places.iter().position(|known| known == place) {
            return column(&joined.alias, &Alias(format_smolstr!("d{position}")));
        }
    }
    safe_value(scan, env, &place.reach.path, place.dimension)
}

/// A dimension at the end of a safe path, as it is shown.
pub(super) fn safe_value(scan: &mut Scan<'_>, env: Env<'_>, path: &[RelationshipId], dimension: DimensionId) -> Expr {
    match identity(env.model, path, dimension) {
        Some((shorter, _)) if shorter.len() < path.len() && !scan.may_read_foreign_key(path, shorter.len()) => {
            let part = env.model.entity(dimension.entity).key.iter().position(|part| *part == dimension.index);
            match part.filter(|_| env.access.rows.contains_key(&dimension.entity) && !env.access.masked.contains(&dimension)) {
                Some(part) => scan.visible_key(path, part),
                None => scan.dimension(path, dimension),
            }
        }
        Some(_) | None => identifying_value(scan, env, path, dimension),
    }
}

/// A dimension at the end of a safe path, to tell members apart: a foreign key does even where the row behind it is not there for the
/// caller.
pub(super) fn identifying_value(scan: &mut Scan<'_>, env: Env<'_>, path: &[RelationshipId], dimension: DimensionId) -> Expr {
    if env.access.masked.contains(&dimension) {
        return Expr::Null(env.model.dimension(dimension).value_type);
    }
    match identity(env.model, path, dimension) {
        Some((shorter, column)) if shorter.len() < path.len() => scan.column_at(&shorter, &column),
        Some(_) | None => scan.dimension(path, dimension),
    }
}

fn multiplying_hop(env: Env<'_>, path: &[RelationshipId]) -> usize {
    path.iter()
        .position(|hop| matches!(env.model.relationship(*hop).cardinality, Cardinality::OneToMany | Cardinality::ManyToMany { .. }))
        .expect("a path that multiplies has a hop that does")
}

/// A scan of the many side: the columns that hold our key, and the values wanted.
struct Side<'a> {
    scan: Scan<'a>,
    /// Columns of the many side.
    theirs: Vec<ColumnName>,
    /// Our columns, at the end of the path before the hop.
    ours: Vec<ColumnName>,
    weight: Option<ColumnName>,
    /// Set when the far entity had to be joined by hand.
    far: Option<Alias>,
    /// From the scanned entity to the far one.
    inner: Path,
}

fn side<'a>(env: Env<'a>, to: &[RelationshipId]) -> Side<'a> {
    let hop = to.last().expect("a path that multiplies is not empty");
    let relationship = env.model.relationship(*hop);
    match &relationship.cardinality {
        Cardinality::ManyToMany { bridge, near, far, weight } => {
            let mut scan = Scan::new(env, *bridge, At::AsOf);
            let (inner, far_alias) = match env.model.path_between(*bridge, relationship.to) {
                Some(reach) => (reach.path.clone(), None),
                None => {
                    let alias = scan.next_alias();
                    let on = far
                        .iter()
                        .zip(&relationship.other)
                        .map(|(own, other)| Expr::equal(Expr::Physical(alias.clone(), other.clone()), scan.column(own)))
                        .collect();
                    // A part of what the caller may not see is not there, rather than there without a value.
                    let kind = if is_restricted(env, relationship.to) { JoinKind::Inner } else { JoinKind::Left };
                    let (from, read) = visible(env, relationship.to, alias.clone());
                    scan.note_scanned(&read);
                    scan.join(Join { kind, from, on });
                    (Vec::new(), Some(alias))
                }
            };
            Side { scan, theirs: near.clone(), ours: relationship.own.clone(), weight: weight.clone(), far: far_alias, inner }
        }
        Cardinality::OneToMany | Cardinality::ManyToOne | Cardinality::OneToOne => Side {
            scan: Scan::new(env, relationship.to, At::AsOf),
            theirs: relationship.other.clone(),
            ours: relationship.own.clone(),
            weight: None,
            far: None,
            inner: Vec::new(),
        },
    }
}

impl Side<'_> {
    fn value(&mut self, env: Env<'_>, to: &[RelationshipId], place: &Place) -> Expr {
        if env.access.masked.contains(&place.dimension) {
            return Expr::Null(env.model.dimension(place.dimension).value_type);
        }
        if let Some(alias) = &self.far {
            return physical(env.model.dimension(place.dimension), alias);
        }
        let path: Path = self.inner.iter().chain(&place.reach.path[to.len()..]).copied().collect();
        self.scan.dimension(&path, place.dimension)
    }
}

/// The columns of the many side that hold our key.
fn key_items(side: &Side<'_>) -> Vec<Item> {
    side.theirs.iter().enumerate().map(|(n, theirs)| side.scan.column(theirs).named(&Alias(format_smolstr!("f{n}")))).collect()
}

fn join_values(scan: &mut Scan<'_>, env: Env<'_>, to: &[RelationshipId], places: &[Place], is_weighted: bool) -> Alias {
    let mut side = side(env, to);
    let mut items = key_items(&side);
    for (n, place) in places.iter().enumerate() {
        items.push(side.value(env, to, place).named(&Alias(format_smolstr!("d{n}"))));
    }
    if let Some(weight) = side.weight.as_ref().filter(|_| is_weighted) {
        items.push(side.scan.column(weight).named(&Alias::named("w")));
    }
    attach(scan, env, side, to, items, if is_weighted { Meet::Parts } else { Meet::Values })
}

fn semi_join(scan: &mut Scan<'_>, env: Env<'_>, filter: &Condition<Place>) {
    let mut first = None;
    filter.visit(&mut |place| {
        if first.is_none() && place.reach.fan != Fan::None {
            first = Some(place.reach.path[..=multiplying_hop(env, &place.reach.path)].to_vec());
        }
    });
    let to = first.expect("a condition that is not covered has a field that multiplies");
    let mut side = side(env, &to);
    let test = condition(filter, &mut |place| side.value(env, &to, place));
    side.scan.filter(test);
    let items = key_items(&side);
    attach(scan, env, side, &to, items, Meet::Any);
}

/// What the rows of a scan meet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meet {
    /// Each distinct value once.
    Values,
    /// Each part, with its weight.
    Parts,
    /// Whether there is any.
    Any,
}

fn attach(scan: &mut Scan<'_>, env: Env<'_>, side: Side<'_>, to: &[RelationshipId], items: Vec<Item>, meet: Meet) -> Alias {
    let before = &to[..to.len() - 1];
    let ours: Vec<Expr> = side
        .ours
        .iter()
        .map(|own| {
            let (path, column) = reduce(env.model, before, own);
            scan.column_at(&path, &column)
        })
        .collect();
    scan.note_scanned(side.scan.scanned());
    let alias = scan.next_alias();
    let on =
        ours.into_iter().enumerate().map(|(n, own)| Expr::equal(column(&alias, &Alias(format_smolstr!("f{n}"))), own)).collect();
    let mut select = side.scan.select(items, None);
    select.distinct = meet != Meet::Parts;
    let kind = if meet == Meet::Any { JoinKind::Inner } else { JoinKind::Left };
    let relation = Relation::Query(Box::new(Query::select(select)));
    scan.join(Join { kind, from: From { relation, alias: alias.clone() }, on });
    alias
}
