//! Short spellings for the values of rows, and the demo's months.

use holdfast_schema::value::Value;
use jiff::{
    Span,
    civil::{Date, date},
    tz::Offset,
};

/// Months of the demo: January 2023 is number 0.
pub(super) const MONTHS: i32 = 36;

/// First day of a month.
pub(super) fn first_day(month: i32) -> Date {
    let months = 2023 * 12 + month;
    date(months.div_euclid(12) as i16, months.rem_euclid(12) as i8 + 1, 1)
}

/// Last day of a month.
pub(super) fn last_day(month: i32) -> Date {
    first_day(month).last_of_month()
}

/// A day so many days later.
pub(super) fn days_after(date: Date, days: i64) -> Date {
    date.saturating_add(Span::new().days(days))
}

/// Text.
pub(super) fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

/// A whole number.
pub(super) fn int(value: i64) -> Value {
    Value::Int(value)
}

/// A decimal from a whole number of its smallest units.
pub(super) fn fixed(units: i64, places: usize) -> Value {
    let mut digits = units.unsigned_abs().to_string();
    if digits.len() <= places {
        digits.insert_str(0, &"0".repeat(places + 1 - digits.len()));
    }
    if places > 0 {
        digits.insert(digits.len() - places, '.');
        digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
    }
    if units < 0 {
        digits.insert(0, '-');
    }
    Value::Decimal(digits)
}

/// Whole units of money in cents.
pub(super) const fn dollars(whole: i64) -> i64 {
    whole * 100
}

/// Money from cents.
pub(super) fn money(cents: i64) -> Value {
    fixed(cents, 2)
}

/// A day.
pub(super) fn day(value: Date) -> Value {
    Value::Date(value)
}

/// True or false.
pub(super) fn flag(value: bool) -> Value {
    Value::Bool(value)
}

/// The value, or null.
pub(super) fn or_null<T>(value: Option<T>, make: impl FnOnce(T) -> Value) -> Value {
    value.map_or(Value::Null, make)
}

/// When a row about a day became known: the next night.
pub(super) fn recorded(about: Date) -> Value {
    let known = days_after(about, 1).at(3, 0, 0, 0);
    Value::Timestamp(Offset::UTC.to_timestamp(known).expect("the demo's days are in range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_in_canonical_form() {
        for (units, places, expected) in [
            (0, 2, "0"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (1_200, 2, "12"),
            (1_250, 2, "12.5"),
            (100, 0, "100"),
            (1_000_000, 6, "1"),
        ] {
            assert_eq!(fixed(units, places), Value::Decimal(expected.to_owned()));
        }
    }
}
