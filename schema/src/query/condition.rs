//! A checked condition over fields of any kind: names before binding are gone, paths come later.

use super::{Comparator, TextTest};
use crate::{expr::Expr, value::Value};

/// A condition over fields of type `F`; values fit their fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition<F> {
    /// All hold; an empty list holds.
    And(Vec<Condition<F>>),
    /// One holds; an empty list does not hold.
    Or(Vec<Condition<F>>),
    /// Does not hold.
    Not(Box<Condition<F>>),
    /// A comparison with a value.
    Compare {
        /// What is compared.
        field: F,
        /// How.
        operator: Comparator,
        /// With what.
        value: Value,
    },
    /// Membership.
    In {
        /// What is tested.
        field: F,
        /// The members.
        values: Vec<Value>,
        /// Not in.
        negated: bool,
    },
    /// Whether the value is missing.
    IsNull {
        /// What is tested.
        field: F,
        /// Is missing, or is not.
        is_null: bool,
    },
    /// A text test.
    Matches {
        /// What is tested.
        field: F,
        /// Which test.
        test: TextTest,
        /// The text or pattern.
        text: String,
    },
    /// A key of several parts is one of these.
    KeyIn {
        /// The parts.
        fields: Vec<F>,
        /// The keys; each has a value per part.
        keys: Vec<Vec<Value>>,
    },
    /// A condition of the definitions.
    Expr(Expr<F>),
}

impl<F> Condition<F> {
    /// Replaces every field; the first failure wins.
    pub fn try_map<G, E>(&self, f: &mut impl FnMut(&F) -> Result<G, E>) -> Result<Condition<G>, E> {
        Ok(match self {
            Condition::And(list) => Condition::And(list.iter().map(|item| item.try_map(f)).collect::<Result<_, _>>()?),
            Condition::Or(list) => Condition::Or(list.iter().map(|item| item.try_map(f)).collect::<Result<_, _>>()?),
            Condition::Not(inner) => Condition::Not(Box::new(inner.try_map(f)?)),
            Condition::Compare { field, operator, value } => {
                Condition::Compare { field: f(field)?, operator: *operator, value: value.clone() }
            }
            Condition::In { field, values, negated } => {
                Condition::In { field: f(field)?, values: values.clone(), negated: *negated }
            }
            Condition::IsNull { field, is_null } => Condition::IsNull { field: f(field)?, is_null: *is_null },
            Condition::Matches { field, test, text } => Condition::Matches { field: f(field)?, test: *test, text: text.clone() },
            Condition::KeyIn { fields, keys } => {
                Condition::KeyIn { fields: fields.iter().map(&mut *f).collect::<Result<_, _>>()?, keys: keys.clone() }
            }
            Condition::Expr(expr) => Condition::Expr(expr.try_map(&mut |field| f(field).map(Expr::Ref))?),
        })
    }

    /// Visits every field.
    pub fn visit<'a>(&'a self, f: &mut impl FnMut(&'a F)) {
        match self {
            Condition::And(list) | Condition::Or(list) => list.iter().for_each(|item| item.visit(f)),
            Condition::Not(inner) => inner.visit(f),
            Condition::Compare { field, .. }
            | Condition::In { field, .. }
            | Condition::IsNull { field, .. }
            | Condition::Matches { field, .. } => f(field),
            Condition::KeyIn { fields, .. } => fields.iter().for_each(f),
            Condition::Expr(expr) => expr.visit_refs(f),
        }
    }

    /// The condition that holds where this does not. Twice is once: chains of negation never reach an engine, whose parser may take
    /// exponential time over them.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Condition::Not(inner) => *inner,
            other => Condition::Not(Box::new(other)),
        }
    }

    /// Whether the condition can only hold for values that are there and fulfil it, so that "one of several values does" means what it
    /// says.
    pub fn is_positive(&self) -> bool {
        match self {
            Condition::And(list) | Condition::Or(list) => list.iter().all(Condition::is_positive),
            Condition::Compare { operator, .. } => *operator != Comparator::NotEqual,
            Condition::In { negated, .. } => !negated,
            Condition::IsNull { is_null, .. } => !is_null,
            Condition::Matches { .. } | Condition::KeyIn { .. } => true,
            Condition::Not(_) | Condition::Expr(_) => false,
        }
    }

    /// The parts that all have to hold.
    pub fn conjuncts(self) -> Vec<Condition<F>> {
        match self {
            Condition::And(list) => list.into_iter().flat_map(Condition::conjuncts).collect(),
            other => vec![other],
        }
    }
}
