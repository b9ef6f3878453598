//! The tree of an expression, generic in what a name refers to.
//!
//! The parser produces names with spans; resolving replaces them by what they mean (a column, a dimension, a metric, a claim)
//! with [`Expr::try_map`]. Nothing downstream sees text.

use crate::value::Value;

/// An expression over references of type `R`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr<R> {
    /// A name.
    Ref(R),
    /// A constant.
    Literal(Value),
    /// `not x`, `-x`.
    Unary(UnaryOp, Box<Expr<R>>),
    /// `x + y`, `x = y`, `x and y` …
    Binary(BinaryOp, Box<Expr<R>>, Box<Expr<R>>),
    /// `x is null`, or `x is not null` when negated.
    IsNull {
        /// What is tested.
        value: Box<Expr<R>>,
        /// `is not null`.
        negated: bool,
    },
    /// `x in (a, b)`; a right side that is a claim of the caller is a list too.
    In {
        /// What is tested.
        value: Box<Expr<R>>,
        /// The members.
        list: Vec<Expr<R>>,
        /// `not in`.
        negated: bool,
    },
    /// `case when c then v … else e end`.
    Case {
        /// Tested in order.
        arms: Vec<CaseArm<R>>,
        /// When no arm holds; absent means null.
        otherwise: Option<Box<Expr<R>>>,
    },
    /// A call of a listed function.
    Call(Function, Vec<Expr<R>>),
}

/// One `when … then …`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CaseArm<R> {
    /// The condition.
    pub when: Expr<R>,
    /// Its value.
    pub then: Expr<R>,
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// Logical negation.
    Not,
    /// Arithmetic negation.
    Negate,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the operators themselves")]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    /// Exact division; a zero divisor gives null. Integers do not truncate.
    Divide,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// The functions an expression may call: those that mean the same on every engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// First argument that is not null; one type.
    Coalesce,
    /// Null when both are equal, else the first.
    NullIf,
    /// Absolute value.
    Abs,
    /// Largest argument; null where one is null.
    Greatest,
    /// Smallest argument; null where one is null.
    Least,
    /// `round(x, digits)`, half away from zero; digits is a literal.
    Round,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// `days_between(from, to)`: whole days from one date to another.
    DaysBetween,
    /// `add_days(date, n)`.
    AddDays,
    /// `add_months(date, n)`; a day past the end of the month becomes its last.
    AddMonths,
    /// `month_start(date)`.
    MonthStart,
    /// `months_between(from, to)`: the largest n for which `add_months(from, n)` is not after `to`.
    MonthsBetween,
    /// `floor(x)`: the largest whole number that is not larger.
    Floor,
    /// `sqrt(x)`: square root, 16 decimals, half away from zero; null of a negative number.
    Sqrt,
}

impl Function {
    /// Every function.
    pub const ALL: [Function; 15] = [
        Function::Coalesce,
        Function::NullIf,
        Function::Abs,
        Function::Greatest,
        Function::Least,
        Function::Round,
        Function::Lower,
        Function::Upper,
        Function::DaysBetween,
        Function::AddDays,
        Function::AddMonths,
        Function::MonthStart,
        Function::MonthsBetween,
        Function::Floor,
        Function::Sqrt,
    ];

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            Function::Coalesce => "coalesce",
            Function::NullIf => "nullif",
            Function::Abs => "abs",
            Function::Greatest => "greatest",
            Function::Least => "least",
            Function::Round => "round",
            Function::Lower => "lower",
            Function::Upper => "upper",
            Function::DaysBetween => "days_between",
            Function::AddDays => "add_days",
            Function::AddMonths => "add_months",
            Function::MonthStart => "month_start",
            Function::MonthsBetween => "months_between",
            Function::Floor => "floor",
            Function::Sqrt => "sqrt",
        }
    }
}

impl<R> Expr<R> {
    /// A binary expression.
    pub fn binary(op: BinaryOp, left: Expr<R>, right: Expr<R>) -> Self {
        Expr::Binary(op, Box::new(left), Box::new(right))
    }

    /// Replaces every reference; the first failure wins.
    pub fn try_map<S, E>(&self, f: &mut impl FnMut(&R) -> Result<Expr<S>, E>) -> Result<Expr<S>, E> {
        Ok(match self {
            Expr::Ref(name) => f(name)?,
            Expr::Literal(value) => Expr::Literal(value.clone()),
            Expr::Unary(op, value) => Expr::Unary(*op, Box::new(value.try_map(f)?)),
            Expr::Binary(op, left, right) => Expr::Binary(*op, Box::new(left.try_map(f)?), Box::new(right.try_map(f)?)),
            Expr::IsNull { value, negated } => Expr::IsNull { value: Box::new(value.try_map(f)?), negated: *negated },
            Expr::In { value, list, negated } => Expr::In {
                value: Box::new(value.try_map(f)?),
                list: list.iter().map(|item| item.try_map(f)).collect::<Result<_, _>>()?,
                negated: *negated,
            },
            Expr::Case { arms, otherwise } => Expr::Case {
                arms: arms
                    .iter()
                    .map(|arm| Ok(CaseArm { when: arm.when.try_map(f)?, then: arm.then.try_map(f)? }))
                    .collect::<Result<_, E>>()?,
                otherwise: otherwise.as_ref().map(|value| value.try_map(f).map(Box::new)).transpose()?,
            },
            Expr::Call(function, arguments) => {
                Expr::Call(*function, arguments.iter().map(|item| item.try_map(f)).collect::<Result<_, _>>()?)
            }
        })
    }

    /// Visits every reference, left to right.
    pub fn visit_refs<'a>(&'a self, f: &mut impl FnMut(&'a R)) {
        match self {
            Expr::Ref(name) => f(name),
            Expr::Literal(_) => {}
            Expr::Unary(_, value) | Expr::IsNull { value, .. } => value.visit_refs(f),
            Expr::Binary(_, left, right) => {
                left.visit_refs(f);
                right.visit_refs(f);
            }
            Expr::In { value, list, .. } => {
                value.visit_refs(f);
                list.iter().for_each(|item| item.visit_refs(f));
            }
            Expr::Case { arms, otherwise } => {
                for arm in arms {
                    arm.when.visit_refs(f);
                    arm.then.visit_refs(f);
                }
                if let Some(value) = otherwise {
                    value.visit_refs(f);
                }
            }
            Expr::Call(_, arguments) => arguments.iter().for_each(|item| item.visit_refs(f)),
        }
    }
}
