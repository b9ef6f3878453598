//! The functions by name, how they are called, and what to write instead of one that does not exist.

use super::Function;
use crate::suggest;

/// The function of that name, in any case.
pub(super) fn named(word: &str) -> Option<Function> {
    Function::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(word))
}

/// Least and most arguments, and how a call looks.
pub(super) fn arity(function: Function) -> (usize, usize, &'static str) {
    match function {
        Function::Coalesce => (1, usize::MAX, "coalesce(first, second, …)"),
        Function::NullIf => (2, 2, "nullif(value, null_when_equal_to)"),
        Function::Abs => (1, 1, "abs(number)"),
        Function::Greatest => (1, usize::MAX, "greatest(first, second, …)"),
        Function::Least => (1, usize::MAX, "least(first, second, …)"),
        Function::Round => (1, 2, "round(number, digits)"),
        Function::Lower => (1, 1, "lower(text)"),
        Function::Upper => (1, 1, "upper(text)"),
        Function::DaysBetween => (2, 2, "days_between(from, to)"),
        Function::AddDays => (2, 2, "add_days(date, days)"),
        Function::AddMonths => (2, 2, "add_months(date, months)"),
        Function::MonthStart => (1, 1, "month_start(date)"),
        Function::MonthsBetween => (2, 2, "months_between(from, to)"),
        Function::Floor => (1, 1, "floor(number)"),
        Function::Sqrt => (1, 1, "sqrt(number)"),
    }
}

/// What to do about a function that does not exist.
pub(super) fn instead_of(word: &str) -> String {
    let word = word.to_ascii_lowercase();
    if AGGREGATES.contains(&word.as_str()) {
        return format!("aggregates belong to measures: write `{word}:` at a measure of the entity and use the metric here");
    }
    let names = || Function::ALL.into_iter().map(Function::name);
    match suggest::nearest(&word, names()).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the functions are: {}", names().collect::<Vec<_>>().join(", ")),
    }
}

/// Aggregates of SQL; here they belong to measures.
const AGGREGATES: [&str; 7] = ["sum", "avg", "count", "min", "max", "count_distinct", "median"];
