//! Short spellings for the values of rows, and the demo's months.

use holdfast_schema::{
    time::Step,
    value::{Value, canonical_decimal},
};
use jiff::civil::{Date, date};

/// Months of the demo: January 2023 is number 0.
pub(super) const MONTHS: i32 = 36;

/// First day of a month.
pub(super) fn first_day(month: i32) -> Date {
    let months = 2023 * 12 + month;
    date((months.div_euclid(12)) as i16, (months.rem_euclid(12) + 1) as i8, 1)
}

/// Last day of a month.
pub(super) fn last_day(month: i32) -> Date {
    first_day(month).last_of_month()
}

/// A day so many days later.
pub(super) fn days_after(date: Date, days: i64) -> Date {
    Step::days(days as i32).after(date)
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
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", units.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    Value::Decimal(canonical_decimal(&format!("{sign}{whole}.{fraction}")).expect("digits make a decimal"))
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
    Value::Timestamp(known.to_zoned(jiff::tz::TimeZone::UTC).expect("the demo's days are in range").timestamp())
}
