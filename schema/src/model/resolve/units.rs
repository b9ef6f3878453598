//! Units of expressions over metrics: what adds up, and what a result is measured in.

use std::borrow::Cow;

use crate::{
    expr::{BinaryOp, Expr, Function, types::Meaning},
    model::MetricId,
    source::Span,
};

/// Two units that were added or compared, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct Clash {
    pub(in crate::model) one: String,
    pub(in crate::model) other: String,
    pub(in crate::model) span: Option<Span>,
}

/// The unit of an expression; `None` fits every unit.
pub(in crate::model) fn unit_of<'a>(
    expr: &Expr<Meaning<MetricId>>,
    unit: &impl Fn(MetricId) -> Option<&'a str>,
) -> Result<Option<Cow<'a, str>>, Clash> {
    match expr {
        Expr::Ref(meaning) => Ok(unit(meaning.to).map(Cow::Borrowed)),
        Expr::Literal(_) => Ok(None),
        Expr::Unary(_, value) => unit_of(value, unit),
        Expr::Binary(op, left, right) => {
            let (left_unit, right_unit) = (unit_of(left, unit)?, unit_of(right, unit)?);
            match op {
                BinaryOp::Add | BinaryOp::Subtract => same([(left.as_ref(), left_unit), (right.as_ref(), right_unit)]),
                BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessOrEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterOrEqual => same([(left.as_ref(), left_unit), (right.as_ref(), right_unit)]).map(|_| None),
                BinaryOp::Multiply => Ok(match (is_constant(left), is_constant(right)) {
                    (true, _) => right_unit,
                    (_, true) => left_unit,
                    (false, false) => None,
                }),
                BinaryOp::Divide => Ok(match (left_unit, right_unit) {
                    (Some(unit), _) if is_constant(right) => Some(unit),
                    (Some(money), Some(by)) => money_by(money, &by),
                    (_, _) => None,
                }),
                BinaryOp::And | BinaryOp::Or => Ok(None),
            }
        }
        Expr::IsNull { value, .. } => unit_of(value, unit).map(|_| None),
        Expr::In { value, list, .. } => same(with_units(std::iter::once(value.as_ref()).chain(list), unit)?).map(|_| None),
        Expr::Case { arms, otherwise } => {
            for arm in arms {
                unit_of(&arm.when, unit)?;
            }
            same(with_units(arms.iter().map(|arm| &arm.then).chain(otherwise.as_deref()), unit)?)
        }
        Expr::Call(function, arguments) => {
            let arguments = with_units(arguments, unit)?;
            match function {
                Function::Coalesce | Function::NullIf | Function::Greatest | Function::Least => same(arguments),
                Function::Abs | Function::Round | Function::Floor => Ok(arguments.into_iter().next().and_then(|(_, unit)| unit)),
                Function::Lower
                | Function::Upper
                | Function::DaysBetween
                | Function::MonthsBetween
                | Function::AddDays
                | Function::AddMonths
                | Function::MonthStart
                | Function::Sqrt => Ok(None),
            }
        }
    }
}

/// Whether a unit is one of amounts in the project's currency, or amounts per something.
pub(in crate::model) fn is_money(unit: &str) -> bool {
    unit == "currency" || unit.starts_with("currency/")
}

/// Money over something else is money per that, and money over a number of things is money. Of other units nothing is known.
fn money_by<'a>(money: Cow<'a, str>, by: &str) -> Option<Cow<'a, str>> {
    match by {
        _ if !is_money(&money) || is_money(by) => None,
        "count" | "percent" => Some(money),
        _ => Some(Cow::Owned(format!("{money}/{by}"))),
    }
}

type WithUnit<'e, 'a> = (&'e Expr<Meaning<MetricId>>, Option<Cow<'a, str>>);

fn with_units<'e, 'a>(
    exprs: impl IntoIterator<Item = &'e Expr<Meaning<MetricId>>>,
    unit: &impl Fn(MetricId) -> Option<&'a str>,
) -> Result<Vec<WithUnit<'e, 'a>>, Clash> {
    exprs.into_iter().map(|expr| Ok((expr, unit_of(expr, unit)?))).collect()
}

fn same<'e, 'a>(items: impl IntoIterator<Item = WithUnit<'e, 'a>>) -> Result<Option<Cow<'a, str>>, Clash> {
    let mut common: Option<Cow<'a, str>> = None;
    for (expr, unit) in items {
        match (&common, unit) {
            (Some(one), Some(other)) if *one != other => {
                let mut span = None;
                expr.visit_refs(&mut |meaning| span = span.or(Some(meaning.span)));
                return Err(Clash { one: one.to_string(), other: other.into_owned(), span });
            }
            (None, unit) => common = unit,
            (Some(_), _) => {}
        }
    }
    Ok(common)
}

/// Whether an expression holds no metric.
fn is_constant(expr: &Expr<Meaning<MetricId>>) -> bool {
    let mut constant = true;
    expr.visit_refs(&mut |_| constant = false);
    constant
}
