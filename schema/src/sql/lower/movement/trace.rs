//! Value followed from the opening to the closing, component by component: each closing balance goes back to the member from which it
//! came, so that what is left is a change of the member itself.
//!
//! A component that was worth something at the opening is found again by its key, and one that was not by the key of what it replaces.
//! Its closing counts for the member of its opening; when it stands elsewhere by then, it left there and arrived here. What another
//! exchange rate made of it stands in a column of its own. Value does not pass from one owner to another.

use smol_str::format_smolstr;

use super::{
    Cut, Follows, Lowerer, Side, Wanted, attribute_alias, balance, balance_alias, column, comparable, from_comparable, from_cte,
    greatest_on, key_alias, level_alias, numbered, on_side,
};
use crate::{
    model::entity::{LocalAmount, MovementComponent, ReadAt},
    plan::MovementLeaf,
    sql::{
        ast::{Alias, Expr, Infix, Item, Join, JoinKind, OrderItem, Query, Select},
        lower::scan::{relation, root},
    },
    value::ValueType,
};

/// How many times in a row a component may be replaced between two instants.
const CHAIN: usize = 4;

/// A place where a component may have come from.
struct Found<'a> {
    is_known: Expr,
    table: &'a Alias,
    /// How the columns of the member's key are called there.
    key: fn(usize) -> Alias,
}

/// What rates made of a closing balance.
pub(super) fn converted() -> Alias {
    Alias::named("fx")
}

/// What came from other members.
pub(super) fn arrived() -> Alias {
    Alias::named("arrived")
}

/// What went to other members.
pub(super) fn left() -> Alias {
    Alias::named("left")
}

/// The columns of a member that tell what is no change of its own.
pub(super) fn exchanged(table: &Alias, follows: Follows) -> impl Iterator<Item = Item> {
    let rates = follows.rates.then(|| on_side(table, &converted(), CLOSING).named(&converted()));
    let arrivals = follows.transfers.then(|| on_side(table, &balance_alias(0), ARRIVED).named(&arrived()));
    let departures = follows.transfers.then(|| on_side(table, &left(), CLOSING).named(&left()));
    rates.into_iter().chain(arrivals).chain(departures)
}

/// Rows of the closing, where they came from.
const CLOSING: i64 = 0;
/// Rows of the opening.
const OPENING: i64 = 1;
/// Rows of the closing that came from elsewhere, where they are.
const ARRIVED: i64 = 2;

fn period() -> Alias {
    Alias::named("p")
}

fn component_alias(n: usize) -> Alias {
    Alias(format_smolstr!("i{n}"))
}

/// The member a closing balance came from.
fn home_alias(n: usize) -> Alias {
    Alias(format_smolstr!("h{n}"))
}

fn replaced_alias(n: usize) -> Alias {
    Alias(format_smolstr!("r{n}"))
}

impl<'a> Lowerer<'a> {
    /// Both sides as in [`Lowerer::sides`], with closings at the members they came from.
    pub(super) fn traced(&mut self, movement: &MovementLeaf, wanted: &Wanted<'_>, places: &[usize], cut: &Cut) -> Alias {
        let follows = Follows { transfers: !places.is_empty(), ..self.follows(movement) };
        let opened = self.single_rows(movement, wanted, cut, Side::Opening, "opened");
        let closed = self.single_rows(movement, wanted, cut, Side::Closing, "closed");
        let component = self.component(movement);
        let predecessors = component.replaces.is_some().then(|| self.predecessors(movement, wanted, &opened, &closed));
        let traced = self.origins(movement, wanted, places, [&opened, &closed], predecessors.as_ref());
        let (open, close) = (Alias::named("o"), Alias::named("t"));
        let opening = Select {
            items: side_items(&open, wanted, follows, &Expr::Number(OPENING)),
            from: Some(from_cte(&opened, &open)),
            ..Select::default()
        };
        let mut closing = Select { from: Some(from_cte(&traced, &close)), ..Select::default() };
        let side = match follows.transfers {
            false => Expr::Number(CLOSING),
            true => {
                // What moved is there twice: once where it came from, once where it is.
                let places = [CLOSING, ARRIVED]
                    .map(|side| Select { items: vec![Expr::Number(side).named(&Alias::named("side"))], ..Select::default() });
                let places = self.cte("places", Query::union_all(places.into()));
                let place = Alias::named("x");
                let side = column(&place, &Alias::named("side"));
                closing.joins.push(Join { kind: JoinKind::Cross, from: from_cte(&places, &place), on: Vec::new() });
                let is_home = Expr::equal(side.clone(), Expr::Number(CLOSING));
                closing.filters.push(Expr::Or(vec![is_home, column(&close, &Alias::named("moved"))]));
                side
            }
        };
        closing.items = side_items(&close, wanted, follows, &side);
        let selects = vec![opening, closing];
        self.cte("sides", Query::union_all(selects))
    }

    fn component(&self, movement: &MovementLeaf) -> &'a MovementComponent {
        let movements = self.env.model.entity(movement.measure.entity).movements.as_ref();
        let component = movements.and_then(|movements| movements.component.as_ref());
        component.expect("only movements with a component are traced: decided when planning")
    }

    fn local_amount(&self, movement: &MovementLeaf) -> Option<&'a LocalAmount> {
        self.env.model.measure(movement.measure).currency.as_ref()
    }

    /// The rows of a side, each by itself: the key of a component and an instant identify one.
    fn single_rows(&mut self, movement: &MovementLeaf, wanted: &Wanted<'_>, cut: &Cut, side: Side, word: &str) -> Alias {
        let model = self.env.model;
        let (mut scan, mut items) = self.reading(movement, wanted, cut, side);
        items.extend(numbered(self.component(movement).columns.iter().map(|name| scan.column(name)), component_alias));
        let balances = [movement.measure].into_iter().chain(wanted.with.iter().copied()).map(|measure| model.measure(measure));
        for (n, measure) in balances.enumerate() {
            items.push(balance(&scan, measure).named(&balance_alias(n)));
        }
        items.extend(numbered(self.levels(&mut scan, wanted), level_alias));
        if let Some(local) = self.local_amount(movement) {
            items.push(scan.own(&local.amount).named(&Alias::named("local")));
            items.push(scan.own(&local.rate).named(&Alias::named("rate")));
            items.push(scan.own(&local.code).named(&Alias::named("code")));
        }
        self.scanned.extend(scan.scanned());
        let select = scan.select(items, None);
        self.cte(word, Query::select(select))
    }

    /// For each closing the opening of the nearest component that it replaces, directly or over others: `h…`, `rate`, `code`.
    fn predecessors(&mut self, movement: &MovementLeaf, wanted: &Wanted<'_>, opened: &Alias, closed: &Alias) -> Alias {
        let component = self.component(movement);
        let chain = self.chain(component);
        let (close, link, open) = (Alias::named("c"), Alias::named("l"), Alias::named("o"));
        let count = component.columns.len();
        let to_link = same(&close, component_alias, &link, component_alias, count);
        let mut to_open = same(&link, replaced_alias, &open, component_alias, count);
        to_open.extend(self.is_origin(movement, wanted, &close, &open));
        let mut items = vec![column(&close, &period()).named(&period())];
        items.extend(numbered((0..count).map(|n| column(&close, &component_alias(n))), component_alias));
        items.extend(numbered((0..wanted.members.len()).map(|n| column(&open, &key_alias(n))), home_alias));
        if self.local_amount(movement).is_some() {
            items.extend(["rate", "code"].map(|name| column(&open, &Alias::named(name)).named(&Alias::named(name))));
        }
        let partition = [column(&close, &period())].into_iter().chain((0..count).map(|n| column(&close, &component_alias(n))));
        let nearest = [column(&link, &Alias::named("d"))].into_iter().chain((0..count).map(|n| column(&link, &replaced_alias(n))));
        let order = nearest.map(|expr| OrderItem { expr, descending: false, nulls_first: false }).collect();
        items.push(Expr::RowNumber { partition: partition.collect(), order }.named(&Alias::named("n")));
        let ranked = Select {
            items,
            from: Some(from_cte(closed, &close)),
            joins: vec![
                Join { kind: JoinKind::Inner, from: from_cte(&chain, &link), on: to_link },
                Join { kind: JoinKind::Inner, from: from_cte(opened, &open), on: to_open },
            ],
            ..Select::default()
        };
        self.cte("predecessors", Query::select(ranked))
    }

    /// What replaces what, over how many steps: `i…`, `r…`, `d`. Replacements are read over all versions of a component. A chain is
    /// one row of joins, and then one row for each of its links, so that no subquery is used twice: engines that do not keep subqueries
    /// would compute it again for each use.
    fn chain(&mut self, component: &MovementComponent) -> Alias {
        let replaces = component.replaces.as_ref().expect("a chain is asked for where components replace others");
        let count = component.key.len();
        let physical = |name| Expr::Physical(root(), name);
        let keys = component.key.iter().cloned().map(physical);
        let replaced: Vec<Expr> = replaces.iter().cloned().map(physical).collect();
        let links = Select {
            distinct: true,
            filters: replaced.iter().cloned().map(Expr::is_not_null).collect(),
            items: [numbered(keys, component_alias), numbered(replaced, replaced_alias)].concat(),
            from: Some(relation(self.env, component.entity, root())),
            ..Select::default()
        };
        self.scanned.insert(component.entity);
        let links = self.cte("links", Query::select(links));
        let numbers = (1..=CHAIN)
            .map(|step| Select { items: vec![Expr::Number(step as i64).named(&Alias::named("d"))], ..Select::default() })
            .collect();
        let numbers = self.cte("steps", Query::union_all(numbers));
        let link = |step: usize| Alias(format_smolstr!("l{step}"));
        let (first, number) = (link(1), Alias::named("n"));
        let mut joins: Vec<Join> = (2..=CHAIN)
            .map(|step| {
                let on = same(&link(step - 1), replaced_alias, &link(step), component_alias, count);
                Join { kind: JoinKind::Left, from: from_cte(&links, &link(step)), on }
            })
            .collect();
        joins.push(Join { kind: JoinKind::Cross, from: from_cte(&numbers, &number), on: Vec::new() });
        let d = column(&number, &Alias::named("d"));
        let reached = |n: usize| Expr::Case {
            arms: (1..=CHAIN)
                .map(|step| (Expr::equal(d.clone(), Expr::Number(step as i64)), column(&link(step), &replaced_alias(n))))
                .collect(),
            otherwise: None,
        };
        let mut items = numbered((0..count).map(|n| column(&first, &component_alias(n))), component_alias);
        items.extend(numbered((0..count).map(reached), replaced_alias));
        items.push(d.clone().named(&Alias::named("d")));
        let select = Select { items, from: Some(from_cte(&links, &first)), joins, ..Select::default() };
        self.cte("chain", Query::select(select))
    }

    /// When the opening of a component is where its closing came from: at the same owner, and worth something.
    fn is_origin(&self, movement: &MovementLeaf, wanted: &Wanted<'_>, close: &Alias, open: &Alias) -> Vec<Expr> {
        let mut on = vec![Expr::equal(column(open, &period()), column(close, &period()))];
        for (part, n) in self.owner_positions(movement, wanted.members).into_iter().enumerate() {
            on.push(self.same_owner(movement, part, column(open, &key_alias(n)), column(close, &key_alias(n))));
        }
        on.push(Expr::infix(Infix::NotEqual, column(open, &balance_alias(0)), Expr::Number(0)));
        on
    }

    /// Each closing with the member it came from (`h…`), whether that is another than the one it is at (`moved`), and what rates made
    /// of it.
    fn origins(
        &mut self,
        movement: &MovementLeaf,
        wanted: &Wanted<'_>,
        places: &[usize],
        [opened, closed]: [&Alias; 2],
        predecessors: Option<&Alias>,
    ) -> Alias {
        let (close, open, before) = (Alias::named("c"), Alias::named("o"), Alias::named("b"));
        let count = self.component(movement).columns.len();
        let mut on = same(&close, component_alias, &open, component_alias, count);
        on.extend(self.is_origin(movement, wanted, &close, &open));
        let mut joins = vec![Join { kind: JoinKind::Left, from: from_cte(opened, &open), on }];
        // The likelier first.
        let is_there = |table: &Alias| Expr::is_not_null(column(table, &period()));
        let mut found = vec![Found { is_known: is_there(&open), table: &open, key: key_alias }];
        if let Some(name) = predecessors {
            let mut on = same(&close, component_alias, &before, component_alias, count);
            on.push(Expr::equal(column(&before, &period()), column(&close, &period())));
            on.push(Expr::equal(column(&before, &Alias::named("n")), Expr::Number(1)));
            joins.push(Join { kind: JoinKind::Left, from: from_cte(name, &before), on });
            found.push(Found { is_known: is_there(&before), table: &before, key: home_alias });
        }
        let home = |n: usize| Expr::Case {
            arms: found.iter().map(|at| (at.is_known.clone(), column(at.table, &(at.key)(n)))).collect(),
            otherwise: Some(Box::new(column(&close, &key_alias(n)))),
        };
        let mut items = vec![column(&close, &period()).named(&period())];
        items.extend(numbered((0..wanted.members.len()).map(|n| column(&close, &key_alias(n))), key_alias));
        items.extend(numbered((0..wanted.members.len()).map(home), home_alias));
        items.extend(numbered((0..wanted.attributes.len()).map(|n| column(&close, &attribute_alias(n))), attribute_alias));
        items.extend(numbered((0..=wanted.with.len()).map(|n| column(&close, &balance_alias(n))), balance_alias));
        items.extend(numbered((0..wanted.levels.len()).map(|n| column(&close, &level_alias(n))), level_alias));
        if !places.is_empty() {
            let stayed = places.iter().map(|n| Expr::Same(Box::new(home(*n)), Box::new(column(&close, &key_alias(*n)))));
            items.push(Expr::Not(Box::new(Expr::And(stayed.collect()))).named(&Alias::named("moved")));
        }
        if self.local_amount(movement).is_some() {
            let of = |table: &Alias, name: &str| column(table, &Alias::named(name));
            let effect = |table: &Alias| {
                let change = Expr::infix(Infix::Subtract, of(&close, "rate"), of(table, "rate"));
                Expr::infix(Infix::Multiply, of(&close, "local"), change)
            };
            let same_currency = |table: &Alias| Expr::equal(of(table, "code"), of(&close, "code"));
            let arms = found.iter().map(|at| (Expr::and(at.is_known.clone(), same_currency(at.table)), effect(at.table))).collect();
            items.push(Expr::Case { arms, otherwise: None }.named(&converted()));
        }
        let select = Select { items, from: Some(from_cte(closed, &close)), joins, ..Select::default() };
        self.cte("traced", Query::select(select))
    }
}

/// One part of the union: openings where they are, or closings where they came from and, if they moved, where they are.
fn side_items(table: &Alias, wanted: &Wanted<'_>, follows: Follows, side: &Expr) -> Vec<Item> {
    let is_opening = *side == Expr::Number(OPENING);
    let is_home = || Expr::equal(side.clone(), Expr::Number(CLOSING));
    let member = |n: usize| match (is_opening, follows.transfers) {
        (true, _) => column(table, &key_alias(n)),
        (false, false) => column(table, &home_alias(n)),
        (false, true) => Expr::when_else(is_home(), column(table, &home_alias(n)), column(table, &key_alias(n))),
    };
    let mut items = vec![column(table, &period()).named(&period())];
    items.extend(numbered((0..wanted.members.len()).map(member), key_alias));
    items.extend(numbered((0..wanted.attributes.len()).map(|n| column(table, &attribute_alias(n))), attribute_alias));
    items.push(side.clone().named(&Alias::named("side")));
    items.extend(numbered((0..=wanted.with.len()).map(|n| column(table, &balance_alias(n))), balance_alias));
    items.extend(numbered((0..wanted.levels.len()).map(|n| column(table, &level_alias(n))), level_alias));
    if follows.rates {
        let effect = if is_opening { Expr::Null(ValueType::Decimal) } else { column(table, &converted()) };
        items.push(effect.named(&converted()));
    }
    if follows.transfers {
        let moved = || Expr::when(column(table, &Alias::named("moved")), column(table, &balance_alias(0)));
        items.push(if is_opening { Expr::Null(ValueType::Decimal) } else { moved() }.named(&left()));
    }
    items
}

fn same(left: &Alias, of: fn(usize) -> Alias, right: &Alias, to: fn(usize) -> Alias, count: usize) -> Vec<Expr> {
    (0..count).map(|n| Expr::equal(column(right, &to(n)), column(left, &of(n)))).collect()
}

/// An attribute at the side it is read at, or at another when the member has no rows there: what only came from elsewhere is read last.
pub(super) fn read(table: &Alias, value: Expr, value_type: ValueType, at: ReadAt) -> Expr {
    let order = match at {
        ReadAt::Opening => [OPENING, CLOSING, ARRIVED],
        ReadAt::Closing => [CLOSING, ARRIVED, OPENING],
    };
    let comparable = comparable(value, value_type);
    let [first, second, last] =
        order.map(|side| (greatest_on(table, &Expr::Number(1), side), greatest_on(table, &comparable, side)));
    let arms = [first, second].map(|(has_rows, value)| (Expr::is_not_null(has_rows), value)).into();
    from_comparable(Expr::Case { arms, otherwise: Some(Box::new(last.1)) }, value_type)
}
