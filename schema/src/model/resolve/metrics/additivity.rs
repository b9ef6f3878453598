//! How answers of a metric may be added up, from how it is computed.

use super::shape::MetricExpr;
use crate::{
    expr::{BinaryOp, Expr, Function, UnaryOp},
    model::{
        Measure, MetricId,
        entity::{Aggregate, OverTime},
        metric::{Additivity, Take, Taken},
    },
    value::Value,
};

/// Of a measure.
pub(super) fn of_measure(measure: &Measure) -> Additivity {
    match (measure.aggregate, measure.over_time) {
        (Aggregate::Sum | Aggregate::Count | Aggregate::CountRows, OverTime::Sum) => Additivity::Additive,
        (
            Aggregate::Sum | Aggregate::Count | Aggregate::CountRows,
            OverTime::Last | OverTime::First | OverTime::Average | OverTime::AsOf,
        ) => Additivity::SemiAdditive,
        (Aggregate::Average | Aggregate::Min | Aggregate::Max | Aggregate::CountDistinct | Aggregate::Median, _) => Additivity::Not,
    }
}

/// Of a line of the bridge: owners are distinct, so they do not add up over members.
pub(super) fn of_movement(take: &Taken) -> Additivity {
    match take {
        Taken::Named(Take::Owners) => Additivity::Not,
        Taken::Named(_) | Taken::Value(_) => Additivity::Movement,
    }
}

/// Of an expression: sums of parts add up like the parts, everything else has to be computed anew.
pub(super) fn of_expression(expr: &MetricExpr, of: &impl Fn(MetricId) -> Additivity) -> Additivity {
    match linear(expr, of) {
        Linear::Sum(additivity) => additivity,
        Linear::Constant | Linear::Not => Additivity::Not,
    }
}

enum Linear {
    Constant,
    Sum(Additivity),
    Not,
}

fn linear(expr: &MetricExpr, of: &impl Fn(MetricId) -> Additivity) -> Linear {
    match expr {
        Expr::Ref(meaning) => Linear::Sum(of(meaning.to)),
        Expr::Literal(_) => Linear::Constant,
        Expr::Unary(UnaryOp::Negate, value) => linear(value, of),
        Expr::Binary(op, left, right) => match (op, linear(left, of), linear(right, of)) {
            (BinaryOp::Add | BinaryOp::Subtract, Linear::Sum(one), Linear::Sum(other)) => Linear::Sum(weaker(one, other)),
            (BinaryOp::Multiply | BinaryOp::Divide, Linear::Sum(one), Linear::Constant)
            | (BinaryOp::Multiply, Linear::Constant, Linear::Sum(one)) => Linear::Sum(one),
            (_, Linear::Constant, Linear::Constant) => Linear::Constant,
            _ => Linear::Not,
        },
        // Nothing counted as nothing: the sum stays the sum.
        Expr::Call(Function::Coalesce, arguments) => match arguments.as_slice() {
            [value, Expr::Literal(Value::Int(0))] => linear(value, of),
            _ => Linear::Not,
        },
        Expr::Unary(UnaryOp::Not, _) | Expr::IsNull { .. } | Expr::In { .. } | Expr::Case { .. } | Expr::Call(..) => Linear::Not,
    }
}

fn weaker(one: Additivity, other: Additivity) -> Additivity {
    match (one, other) {
        (one, other) if one == other => one,
        (Additivity::Additive, other) | (other, Additivity::Additive) => other,
        _ => Additivity::Not,
    }
}
