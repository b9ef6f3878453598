use proptest::prelude::*;

use super::{Steps, step_table, steps};
use crate::sql::ast::{Alias, Expr, Infix, Item};

fn base(name: &str) -> Expr {
    Expr::Column(Alias::named("g"), Alias::named(name))
}

fn items(exprs: Vec<Expr>) -> Vec<Item> {
    exprs.into_iter().enumerate().map(|(n, expr)| expr.named(&Alias::numbered("m", n))).collect()
}

/// The columns with each step's columns put back in place of their names.
fn inlined(steps: &Steps) -> Vec<Item> {
    fn put_back(expr: &Expr, known: &[Item]) -> Expr {
        match expr {
            Expr::Column(table, name) if *table == step_table() => {
                known.iter().find(|item| item.alias == *name).expect("a step reads what the step before has").expr.clone()
            }
            other => other.rebuilt(&mut |child| put_back(child, known)),
        }
    }
    let mut known: Vec<Item> = Vec::new();
    for step in steps.before.iter().chain([&steps.last]) {
        known = step.iter().map(|item| put_back(&item.expr, &known).named(&item.alias)).collect();
    }
    known
}

/// A value of so many nodes or more, which no other number gives.
fn large(number: i64) -> Expr {
    (0..40).fold(base("v"), |sum, n| Expr::infix(Infix::Add, sum, Expr::Number(number * 100 + n)))
}

fn expressions() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![(0..3).prop_map(|n| base(&format!("v{n}"))), (0..3_i64).prop_map(Expr::Number)];
    leaf.prop_recursive(6, 96, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Expr::infix(Infix::Add, left, right)),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Expr::Divide(Box::new(left), Box::new(right))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Expr::AddDays(Box::new(left), Box::new(right))),
            inner.clone().prop_map(Expr::is_not_null),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|list| Expr::Call("coalesce", list)),
            (inner.clone(), inner.clone(), inner).prop_map(|(when, then, other)| Expr::when_else(when, then, other)),
        ]
    })
}

proptest! {
    #[test]
    fn steps_put_together_are_the_columns(exprs in prop::collection::vec(expressions(), 1..5), again in 1_usize..4) {
        // Whole columns occur several times, so that there is something to share at every size.
        let columns: Vec<Expr> = exprs.iter().cycle().take(exprs.len() * again).cloned().collect();
        let nested = Expr::Call("coalesce", exprs);
        let all = items(columns.into_iter().chain([nested.clone(), Expr::is_null(nested)]).collect());
        let steps = steps(all.clone());
        prop_assert_eq!(inlined(&steps), all);
    }
}

#[test]
fn what_occurs_once_stays_where_it_is() {
    let all = items(vec![large(1), large(2)]);
    let steps = steps(all.clone());
    assert!(steps.before.is_empty());
    assert_eq!(steps.last, all);
}

#[test]
fn what_occurs_twice_is_computed_once() {
    let shared = large(1);
    let steps = steps(items(vec![Expr::is_null(shared.clone()), shared.clone()]));
    let [step] = &steps.before[..] else { panic!("one step: {:?}", steps.before) };
    let [only] = &step[..] else { panic!("one column: {step:?}") };
    assert_eq!(only.expr, shared);
    let name = Expr::Column(step_table(), only.alias.clone());
    assert_eq!(steps.last, items(vec![Expr::is_null(name.clone()), name]));
}

#[test]
fn what_can_be_refused_stays_behind_its_condition() {
    let day = Expr::AddDays(Box::new(base("day")), Box::new(large(1)));
    let guarded = |day: &Expr| Expr::when(Expr::is_not_null(base("v")), day.clone());
    let steps = steps(items(vec![guarded(&day), Expr::is_null(guarded(&day))]));
    let moved = steps.before.iter().flatten().any(|item| matches!(item.expr, Expr::AddDays(..) | Expr::Case { .. }));
    assert!(!moved, "{:?}", steps.before);
}
