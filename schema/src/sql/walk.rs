//! Expressions of SQL and what they are made of.

use super::ast::{Expr, OrderItem};

impl Expr {
    /// Looks at each expression that this one is made of directly, from left to right.
    pub(crate) fn children<'a>(&'a self, look: &mut impl FnMut(&'a Expr)) {
        match self {
            Expr::Physical(..) | Expr::Column(..) | Expr::Value(_) | Expr::Null(_) | Expr::Number(_) | Expr::Word(_) => {}
            Expr::Not(value)
            | Expr::Negate(value)
            | Expr::IsNull { value, .. }
            | Expr::SquareRoot(value)
            | Expr::Round(value, _)
            | Expr::Exact(value)
            | Expr::Truncate(_, value)
            | Expr::Shift(value, _)
            | Expr::Floor(value)
            | Expr::LocalDate(value, _)
            | Expr::ToText(value) => look(value),
            Expr::Infix(_, left, right)
            | Expr::Same(left, right)
            | Expr::Divide(left, right)
            | Expr::Product(left, right)
            | Expr::AddDays(left, right)
            | Expr::AddMonths(left, right)
            | Expr::MonthsBetween(left, right)
            | Expr::DaysBetween(left, right)
            | Expr::Like { value: left, pattern: right, .. } => {
                look(left);
                look(right);
            }
            Expr::And(list) | Expr::Or(list) | Expr::Call(_, list) => list.iter().for_each(look),
            Expr::In { value, list, .. } => {
                look(value);
                list.iter().for_each(look);
            }
            Expr::Case { arms, otherwise } => {
                for (when, then) in arms {
                    look(when);
                    look(then);
                }
                otherwise.iter().for_each(|value| look(value));
            }
            Expr::Deviation { of, along } => {
                look(of);
                along.iter().for_each(|value| look(value));
            }
            Expr::Aggregate(_, value) => value.iter().for_each(|value| look(value)),
            Expr::Over(_, value, partition) => {
                value.iter().for_each(|value| look(value));
                partition.iter().for_each(look);
            }
            Expr::RowNumber { partition, order } => {
                partition.iter().for_each(&mut *look);
                order.iter().for_each(|item| look(&item.expr));
            }
        }
    }

    /// The same expression made of what `make` says in place of each of [`Expr::children`].
    pub(crate) fn rebuilt(&self, make: &mut impl FnMut(&Expr) -> Expr) -> Expr {
        let all = |list: &[Expr], make: &mut dyn FnMut(&Expr) -> Expr| -> Vec<Expr> { list.iter().map(make).collect() };
        let mut one = |value: &Expr| Box::new(make(value));
        match self {
            Expr::Physical(..) | Expr::Column(..) | Expr::Value(_) | Expr::Null(_) | Expr::Number(_) | Expr::Word(_) => {
                self.clone()
            }
            Expr::Not(value) => Expr::Not(one(value)),
            Expr::Negate(value) => Expr::Negate(one(value)),
            Expr::IsNull { value, negated } => Expr::IsNull { value: one(value), negated: *negated },
            Expr::SquareRoot(value) => Expr::SquareRoot(one(value)),
            Expr::Round(value, digits) => Expr::Round(one(value), *digits),
            Expr::Exact(value) => Expr::Exact(one(value)),
            Expr::Truncate(truncation, value) => Expr::Truncate(*truncation, one(value)),
            Expr::Shift(value, step) => Expr::Shift(one(value), *step),
            Expr::Floor(value) => Expr::Floor(one(value)),
            Expr::LocalDate(value, zone) => Expr::LocalDate(one(value), zone.clone()),
            Expr::ToText(value) => Expr::ToText(one(value)),
            Expr::Infix(op, left, right) => Expr::Infix(*op, one(left), one(right)),
            Expr::Same(left, right) => Expr::Same(one(left), one(right)),
            Expr::Divide(left, right) => Expr::Divide(one(left), one(right)),
            Expr::Product(left, right) => Expr::Product(one(left), one(right)),
            Expr::AddDays(left, right) => Expr::AddDays(one(left), one(right)),
            Expr::AddMonths(left, right) => Expr::AddMonths(one(left), one(right)),
            Expr::MonthsBetween(left, right) => Expr::MonthsBetween(one(left), one(right)),
            Expr::DaysBetween(left, right) => Expr::DaysBetween(one(left), one(right)),
            Expr::Like { value, pattern, ignore_case } => {
                Expr::Like { value: one(value), pattern: one(pattern), ignore_case: *ignore_case }
            }
            Expr::And(list) => Expr::And(all(list, make)),
            Expr::Or(list) => Expr::Or(all(list, make)),
            Expr::Call(name, list) => Expr::Call(name, all(list, make)),
            Expr::In { value, list, negated } => Expr::In { value: one(value), list: all(list, make), negated: *negated },
            Expr::Case { arms, otherwise } => Expr::Case {
                arms: arms.iter().map(|(when, then)| (make(when), make(then))).collect(),
                otherwise: otherwise.as_ref().map(|value| Box::new(make(value))),
            },
            Expr::Deviation { of, along } => Expr::Deviation { of: one(of), along: along.as_ref().map(|value| one(value)) },
            Expr::Aggregate(function, value) => Expr::Aggregate(*function, value.as_ref().map(|value| one(value))),
            Expr::Over(function, value, partition) => {
                Expr::Over(*function, value.as_ref().map(|value| one(value)), all(partition, make))
            }
            Expr::RowNumber { partition, order } => Expr::RowNumber {
                partition: all(partition, make),
                order: order.iter().map(|item| OrderItem { expr: make(&item.expr), ..item.clone() }).collect(),
            },
        }
    }
}
