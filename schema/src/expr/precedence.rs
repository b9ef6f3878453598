//! How tightly operators bind: what the parser groups by and the printer sets brackets by.

use super::BinaryOp;

/// Binding strength of an operator, loose to tight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// `or`
    Or,
    /// `and`
    And,
    /// `not`
    Not,
    /// Comparisons, `in`, `is null`, `between`; they do not chain.
    Comparison,
    /// `+`, `-`
    Sum,
    /// `*`, `/`
    Product,
    /// Unary `-`.
    Sign,
    /// Literals, names, calls, brackets.
    Atom,
}

/// How tightly an operator binds.
pub(super) fn strength(op: BinaryOp) -> Strength {
    match op {
        BinaryOp::Or => Strength::Or,
        BinaryOp::And => Strength::And,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessOrEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterOrEqual => Strength::Comparison,
        BinaryOp::Add | BinaryOp::Subtract => Strength::Sum,
        BinaryOp::Multiply | BinaryOp::Divide => Strength::Product,
    }
}

/// The next tighter strength: what the right side of an operator that groups to the left must have.
pub(super) fn tighter(strength: Strength) -> Strength {
    match strength {
        Strength::Or => Strength::And,
        Strength::And => Strength::Not,
        Strength::Not => Strength::Comparison,
        Strength::Comparison => Strength::Sum,
        Strength::Sum => Strength::Product,
        Strength::Product => Strength::Sign,
        Strength::Sign | Strength::Atom => Strength::Atom,
    }
}
