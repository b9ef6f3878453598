//! A place in an ordered list as a condition: the rows after given values, exactly, whatever the directions and wherever nulls go.

use crate::{
    query::{Comparator, Direction, Nulls, condition::Condition},
    value::Value,
};

/// One part of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortKey<F> {
    /// What is ordered by.
    pub field: F,
    /// Which way.
    pub direction: Direction,
    /// Where nulls go; `None` when there are none.
    pub nulls: Option<Nulls>,
}

impl<F: Clone> SortKey<F> {
    /// The same part of the reverse order.
    #[must_use]
    pub(crate) fn reversed(&self) -> Self {
        Self {
            field: self.field.clone(),
            direction: match self.direction {
                Direction::Ascending => Direction::Descending,
                Direction::Descending => Direction::Ascending,
            },
            nulls: self.nulls.map(|nulls| match nulls {
                Nulls::First => Nulls::Last,
                Nulls::Last => Nulls::First,
            }),
        }
    }
}

/// Rows that come after one with these values: for each part of the order, those that agree on the parts before and come later in
/// this one. `values` has a value per part.
#[must_use]
pub(crate) fn after<F: Clone>(order: &[SortKey<F>], values: &[Value]) -> Condition<F> {
    let mut ways = Vec::new();
    let mut agree = Vec::new();
    for (key, value) in order.iter().zip(values) {
        if let Some(later) = later(key, value) {
            ways.push(all(agree.iter().cloned().chain([later]).collect()));
        }
        agree.push(same(key, value));
    }
    match ways.len() {
        1 => ways.remove(0),
        _ => Condition::Or(ways),
    }
}

/// Rows that come before one with these values.
#[must_use]
pub(crate) fn before<F: Clone>(order: &[SortKey<F>], values: &[Value]) -> Condition<F> {
    after(&order.iter().map(SortKey::reversed).collect::<Vec<_>>(), values)
}

fn all<F>(mut conditions: Vec<Condition<F>>) -> Condition<F> {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => Condition::And(conditions),
    }
}

fn same<F: Clone>(key: &SortKey<F>, value: &Value) -> Condition<F> {
    match value {
        Value::Null => Condition::IsNull { field: key.field.clone(), is_null: true },
        value => compare(key, Comparator::Equal, value),
    }
}

/// `None` when nothing can be later.
fn later<F: Clone>(key: &SortKey<F>, value: &Value) -> Option<Condition<F>> {
    let field = || key.field.clone();
    if *value == Value::Null {
        return match key.nulls {
            Some(Nulls::First) => Some(Condition::IsNull { field: field(), is_null: false }),
            Some(Nulls::Last) | None => None,
        };
    }
    let operator = match key.direction {
        Direction::Ascending => Comparator::Greater,
        Direction::Descending => Comparator::Less,
    };
    let beyond = compare(key, operator, value);
    Some(match key.nulls {
        Some(Nulls::Last) => Condition::Or(vec![beyond, Condition::IsNull { field: field(), is_null: true }]),
        Some(Nulls::First) | None => beyond,
    })
}

fn compare<F: Clone>(key: &SortKey<F>, operator: Comparator, value: &Value) -> Condition<F> {
    Condition::Compare { field: key.field.clone(), operator, value: value.clone() }
}

#[cfg(test)]
mod tests;
