//! What becomes of members that were compared: the class each belongs to, and what a column takes of it.

use super::{Follows, closing_alias, closing_level, column, opening_alias, opening_level, positive, trace};
use crate::{
    model::{
        MeasureId,
        metric::{Class, MemberValue, Take, Taken},
        path::PathDimension,
    },
    plan::{MovementColumn, MovementLeaf},
    sql::{
        ast::{AggregateFunction, Alias, Expr, Infix},
        lower::condition::expression,
    },
};

/// Classes are tested in a fixed order: falls to zero and rises from zero before smaller and greater.
pub(in crate::sql::lower) fn class(
    movement: &MovementLeaf,
    o: Expr,
    c: Expr,
    owner_o: Expr,
    owner_c: Expr,
    active_before: Expr,
) -> Expr {
    let positive = |value: &Expr| Expr::infix(Infix::Greater, value.clone(), Expr::Number(0));
    let nothing = |value: &Expr| Expr::infix(Infix::LessOrEqual, value.clone(), Expr::Number(0));
    let word = |class: Class| Expr::Word(class.name());
    let mut arms = Vec::new();
    let rises = || vec![nothing(&o), positive(&c)];
    let falls = || vec![positive(&o), nothing(&c)];
    if movement.is_finer_than_owner {
        arms.push((Expr::And([rises(), vec![positive(&owner_o)]].concat()), word(Class::ComponentAdd)));
        arms.push((Expr::And([falls(), vec![positive(&owner_c)]].concat()), word(Class::ComponentLoss)));
    }
    arms.push((Expr::And([rises(), vec![active_before]].concat()), word(Class::Reactivation)));
    arms.push((Expr::And(rises()), word(Class::New)));
    arms.push((Expr::And(falls()), word(Class::Churn)));
    arms.push((nothing(&o), word(Class::Flat)));
    arms.push((Expr::infix(Infix::Greater, c.clone(), o.clone()), word(Class::Expansion)));
    arms.push((Expr::infix(Infix::Less, c, o), word(Class::Contraction)));
    Expr::Case { arms, otherwise: Some(Box::new(word(Class::Flat))) }
}

/// A column of the answer: what is taken of each member, summed over those it is about.
pub(in crate::sql::lower) fn summed_column(
    table: &Alias,
    movement: &MovementLeaf,
    follows: Follows,
    item: &MovementColumn,
    mut conditions: Vec<Expr>,
    first_step: Option<&Expr>,
    owner: &Expr,
) -> Expr {
    let of = |name: &str| column(table, &Alias::named(name));
    let positive = |name: &str| positive(of(name));
    let negative = |name: &str| {
        let value = of(name);
        Expr::when_else(Expr::infix(Infix::Less, value.clone(), Expr::Number(0)), value, Expr::Number(0))
    };
    let minus = |left, right| Expr::infix(Infix::Subtract, left, right);
    let nothing = || minus(of("o"), of("o"));
    let word = |value: &MemberValue| match value {
        MemberValue::Opening => of("o"),
        MemberValue::Closing => of("c"),
        MemberValue::OwnerOpening => of("oo"),
        MemberValue::OwnerClosing => of("oc"),
        MemberValue::OpeningOf(measure) => column(table, &opening_alias(beside(movement, *measure))),
        MemberValue::ClosingOf(measure) => column(table, &closing_alias(beside(movement, *measure))),
        MemberValue::OpeningLevel(place) => column(table, &opening_level(level(movement, place))),
        MemberValue::ClosingLevel(place) => column(table, &closing_level(level(movement, place))),
    };
    if !item.classes.is_empty() {
        let list = item.classes.iter().map(|class| Expr::Word(class.name())).collect();
        conditions.push(Expr::In { value: Box::new(of("class")), list, negated: false });
    }
    if let Some(when) = &item.when {
        conditions.push(expression(when, &mut |value| word(value)));
    }
    let take = match &item.take {
        Taken::Value(value) => {
            let value = expression(value, &mut |value| word(value));
            return Expr::aggregate(AggregateFunction::Sum, otherwise_nothing(conditions, value));
        }
        Taken::Named(take) => *take,
    };
    // What is there at the end: what a member would have kept by itself, what rates made of it, what came and what went.
    let mut there = of("c");
    if follows.rates {
        there = Expr::infix(Infix::Add, there, column(table, &trace::converted()));
    }
    if follows.transfers {
        there = Expr::infix(Infix::Add, there, column(table, &trace::arrived()));
        there = minus(there, column(table, &trace::left()));
    }
    let change = minus(there.clone(), of("o"));
    // Seen step by step, the period's opening is that of its first step, and what remains of it is what no step took away: not more
    // than the lowest balance since. A gain after a loss is new, and the next loss takes it first; so what a member without opening
    // gains and loses again takes nothing from the opening of others.
    let at_first = |value: Expr| match first_step {
        Some(first) if item.classes.is_empty() => Expr::when_else(first.clone(), value, Expr::Number(0)),
        Some(_) | None => value,
    };
    let value = match take {
        Take::Amount => Expr::Call("abs", vec![minus(positive("c"), positive("o"))]),
        Take::Opening => at_first(of("o")),
        Take::Closing if first_step.is_some() && item.classes.is_empty() => Expr::infix(Infix::Add, at_first(of("o")), change),
        Take::Closing => there,
        Take::Retained if first_step.is_some() && item.classes.is_empty() => at_first(smaller(positive("o"), of("low"))),
        Take::Retained => smaller(positive("o"), positive("c")),
        Take::Change => change,
        Take::Credit => minus(negative("c"), negative("o")),
        Take::TransferIn if follows.transfers => column(table, &trace::arrived()),
        Take::TransferOut if follows.transfers => column(table, &trace::left()),
        Take::Fx if follows.rates => column(table, &trace::converted()),
        Take::TransferIn | Take::TransferOut | Take::Fx => nothing(),
        Take::Members => Expr::Number(1),
        Take::Owners => owner.clone(),
    };
    match take {
        Take::Members => Expr::aggregate(AggregateFunction::Count, when_all(conditions, value)),
        Take::Owners => Expr::aggregate(AggregateFunction::CountDistinct, when_all(conditions, value)),
        Take::Amount
        | Take::Opening
        | Take::Closing
        | Take::Retained
        | Take::Change
        | Take::Credit
        | Take::TransferIn
        | Take::TransferOut
        | Take::Fx => Expr::aggregate(AggregateFunction::Sum, otherwise_nothing(conditions, value)),
    }
}

/// The number of a further balance among those of a member.
fn beside(movement: &MovementLeaf, measure: MeasureId) -> usize {
    let position = movement.with.iter().position(|known| *known == measure);
    position.expect("a leaf has every measure its columns speak of: collected when it was planned") + 1
}

/// The number of a dimension among those that are read at both ends.
fn level(movement: &MovementLeaf, place: &PathDimension) -> usize {
    let position = movement.levels.iter().position(|known| known == place);
    position.expect("a leaf has every number its columns speak of: collected when it was planned")
}

fn otherwise_nothing(conditions: Vec<Expr>, value: Expr) -> Expr {
    if conditions.is_empty() { value } else { Expr::when_else(Expr::And(conditions), value, Expr::Number(0)) }
}

fn when_all(conditions: Vec<Expr>, value: Expr) -> Expr {
    if conditions.is_empty() { value } else { Expr::when(Expr::And(conditions), value) }
}

fn smaller(left: Expr, right: Expr) -> Expr {
    let is_left = Expr::infix(Infix::LessOrEqual, left.clone(), right.clone());
    Expr::when_else(is_left, left, right)
}
