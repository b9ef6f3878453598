//! [`Expr`] → text that parses back to the same tree, with no more brackets than needed.

use std::fmt::{self, Display, Formatter};

use super::{
    BinaryOp, Expr, UnaryOp,
    precedence::{Strength, strength, tighter},
};
use crate::value::Value;

impl<R: Display> Display for Expr<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        print(f, self, Strength::Or)
    }
}

/// Writes an operand where only operators at least as tight as `weakest` may stand without brackets.
fn print<R: Display>(f: &mut Formatter<'_>, expr: &Expr<R>, weakest: Strength) -> fmt::Result {
    if own_strength(expr) < weakest {
        f.write_str("(")?;
        print(f, expr, Strength::Or)?;
        return f.write_str(")");
    }
    match expr {
        Expr::Ref(name) => write!(f, "{name}"),
        Expr::Literal(value) => literal(f, value),
        Expr::Unary(UnaryOp::Not, value) => {
            f.write_str("not ")?;
            print(f, value, Strength::Not)
        }
        Expr::Unary(UnaryOp::Negate, value) => {
            // `-5` reads as the number, so the negation of a number keeps its brackets.
            if let Expr::Literal(Value::Int(0..) | Value::Decimal(_)) = **value {
                return write!(f, "-({value})");
            }
            f.write_str("-")?;
            print(f, value, Strength::Sign)
        }
        Expr::Binary(op, left, right) => {
            let strength = strength(*op);
            // Comparisons do not chain, so both sides must be tighter; everything else groups to the left.
            print(f, left, if strength == Strength::Comparison { tighter(strength) } else { strength })?;
            write!(f, " {} ", symbol(*op))?;
            print(f, right, tighter(strength))
        }
        Expr::IsNull { value, negated } => {
            print(f, value, Strength::Sum)?;
            f.write_str(if *negated { " is not null" } else { " is null" })
        }
        Expr::In { value, list, negated } => {
            print(f, value, Strength::Sum)?;
            f.write_str(if *negated { " not in (" } else { " in (" })?;
            commas(f, list)
        }
        Expr::Case { arms, otherwise } => {
            f.write_str("case")?;
            for arm in arms {
                write!(f, " when {} then {}", arm.when, arm.then)?;
            }
            if let Some(value) = otherwise {
                write!(f, " else {value}")?;
            }
            f.write_str(" end")
        }
        Expr::Call(function, arguments) => {
            write!(f, "{}(", function.name())?;
            commas(f, arguments)
        }
    }
}

fn commas<R: Display>(f: &mut Formatter<'_>, items: &[Expr<R>]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
    }
    f.write_str(")")
}

fn own_strength<R>(expr: &Expr<R>) -> Strength {
    match expr {
        Expr::Binary(op, ..) => strength(*op),
        Expr::Unary(UnaryOp::Not, _) => Strength::Not,
        Expr::Unary(UnaryOp::Negate, _) => Strength::Sign,
        Expr::Literal(Value::Int(..0)) => Strength::Sign,
        Expr::Literal(Value::Decimal(text)) if text.starts_with('-') => Strength::Sign,
        Expr::IsNull { .. } | Expr::In { .. } => Strength::Comparison,
        Expr::Ref(_) | Expr::Literal(_) | Expr::Case { .. } | Expr::Call(..) => Strength::Atom,
    }
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Equal => "=",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
    }
}

fn literal(f: &mut Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Null => f.write_str("null"),
        Value::Bool(value) => write!(f, "{value}"),
        Value::Int(value) => write!(f, "{value}"),
        // The point keeps a whole decimal a decimal when it is read again.
        Value::Decimal(text) if !text.contains('.') => write!(f, "{text}.0"),
        Value::Decimal(text) => f.write_str(text),
        Value::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
        Value::Date(date) => write!(f, "date '{date}'"),
        Value::Timestamp(instant) => write!(f, "timestamp '{instant}'"),
    }
}
