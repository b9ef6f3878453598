//! Dates: months with clamping, periods, differences, and the day of an instant in a named zone. All by the calendar that the rest
//! of the program uses, and without the engine's nanoseconds, which end in the year 2262.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array as _, ArrayRef, AsArray as _, Date32Array, Int64Array},
        datatypes::{DataType, Date32Type, Int64Type, TimeUnit, TimestampMicrosecondType},
    },
    error::{DataFusionError, Result},
    logical_expr::ScalarUDF,
};
use holdfast_schema::time::{Calendar, Grain, Step};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::scalar::Scalar;
use crate::embedded::register::UTC;

/// `holdfast_add_months`, `holdfast_add_days`, `holdfast_days_between`, `holdfast_months_between`, `holdfast_date_trunc`, `holdfast_local_date`.
pub(super) fn functions() -> [ScalarUDF; 6] {
    let date = |_: &[DataType]| Ok(DataType::Date32);
    [
        Scalar::make("holdfast_add_months", |_| Ok(vec![DataType::Date32, DataType::Int64]), date, add_months),
        Scalar::make("holdfast_add_days", |_| Ok(vec![DataType::Date32, DataType::Int64]), date, add_days),
        Scalar::make(
            "holdfast_days_between",
            |_| Ok(vec![DataType::Date32, DataType::Date32]),
            |_| Ok(DataType::Int64),
            days_between,
        ),
        Scalar::make(
            "holdfast_months_between",
            |_| Ok(vec![DataType::Date32, DataType::Date32]),
            |_| Ok(DataType::Int64),
            months_between,
        ),
        Scalar::make("holdfast_date_trunc", |_| Ok(vec![DataType::Utf8, DataType::Date32]), date, date_trunc),
        Scalar::make("holdfast_local_date", |_| Ok(vec![instant_type(), DataType::Utf8]), date, local_date),
    ]
}

fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// Days since 1970.
pub(in crate::embedded) fn to_epoch_days(date: Date) -> i32 {
    date.duration_since(jiff::civil::date(1970, 1, 1)).as_hours().div_euclid(24) as i32
}

/// The date so many days after 1970; the nearest one that the calendar has.
pub(in crate::embedded) fn from_epoch_days(days: i32) -> Date {
    Step::days(days).after(jiff::civil::date(1970, 1, 1))
}

/// `(date, n)`: n months later; a day past the end of the month becomes its last.
fn add_months(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    shift(arguments, |date, months| Step::months(months).after(date))
}

/// `(date, n)`: n days later.
fn add_days(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    shift(arguments, |date, days| Step::days(days).after(date))
}

fn shift(arguments: &[ArrayRef], f: impl Fn(Date, i32) -> Date) -> Result<ArrayRef> {
    let (dates, steps) = (arguments[0].as_primitive::<Date32Type>(), arguments[1].as_primitive::<Int64Type>());
    let shifted: Result<Date32Array> = dates
        .iter()
        .zip(steps.iter())
        .map(|pair| match pair {
            (Some(date), Some(step)) => {
                let step = i32::try_from(step).map_err(|_| DataFusionError::Execution("a date is out of range".to_owned()))?;
                Ok(Some(to_epoch_days(f(from_epoch_days(date), step))))
            }
            _ => Ok(None),
        })
        .collect();
    Ok(Arc::new(shifted?))
}

/// `(from, to)`: days from one to the other.
fn days_between(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (from, to) = (arguments[0].as_primitive::<Date32Type>(), arguments[1].as_primitive::<Date32Type>());
    let days: Int64Array = from.iter().zip(to.iter()).map(|(from, to)| Some(i64::from(to?) - i64::from(from?))).collect();
    Ok(Arc::new(days))
}

/// `(from, to)`: the most months that can be added to one without passing the other.
fn months_between(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (from, to) = (arguments[0].as_primitive::<Date32Type>(), arguments[1].as_primitive::<Date32Type>());
    let months = |from: Date, to: Date| {
        let differ = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month()) - i32::from(from.month());
        i64::from(if Step::months(differ).after(from) > to { differ - 1 } else { differ })
    };
    let between: Int64Array =
        from.iter().zip(to.iter()).map(|(from, to)| Some(months(from_epoch_days(from?), from_epoch_days(to?)))).collect();
    Ok(Arc::new(between))
}

/// `('month', date)`: first day of the day's week (Monday), month, quarter or year.
fn date_trunc(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let (units, dates) = (arguments[0].as_string::<i32>(), arguments[1].as_primitive::<Date32Type>());
    let truncated: Result<Date32Array> = units
        .iter()
        .zip(dates.iter())
        .map(|pair| match pair {
            (Some(unit), Some(date)) => {
                let date = Calendar::default().truncate(calendar_unit(unit)?, from_epoch_days(date));
                Ok(Some(to_epoch_days(date)))
            }
            _ => Ok(None),
        })
        .collect();
    Ok(Arc::new(truncated?))
}

fn calendar_unit(name: &str) -> Result<Grain> {
    match name {
        "day" => Ok(Grain::Day),
        "week" => Ok(Grain::Week),
        "month" => Ok(Grain::Month),
        "quarter" => Ok(Grain::Quarter),
        "year" => Ok(Grain::Year),
        other => Err(DataFusionError::Plan(format!("{other} is no unit of the calendar"))),
    }
}

/// `(instant, 'Europe/Berlin')`: the day it is there. The last instants of the year 9999, which stand for "for ever", are beyond those
/// that have a zone, and have the last difference from UTC that there is.
fn local_date(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let zone = zone(&arguments[1])?;
    let instants = arguments[0].as_primitive::<TimestampMicrosecondType>();
    let day = |instant: i64| match Timestamp::from_microsecond(instant) {
        Ok(known) => to_epoch_days(zone.to_datetime(known).date()),
        Err(_) => {
            let nearest = if instant > 0 { Timestamp::MAX } else { Timestamp::MIN };
            let offset = i64::from(zone.to_offset(nearest).seconds()) * MICROSECONDS;
            (instant.saturating_add(offset)).div_euclid(DAY) as i32
        }
    };
    Ok(Arc::new(instants.iter().map(|instant| instant.map(day)).collect::<Date32Array>()))
}

/// Microseconds of a second.
const MICROSECONDS: i64 = 1_000_000;
/// Microseconds of a day.
const DAY: i64 = 24 * 60 * 60 * MICROSECONDS;

/// The zone is written by the dialect as a constant, so the first row speaks for all.
fn zone(names: &ArrayRef) -> Result<TimeZone> {
    if names.is_empty() {
        return Ok(TimeZone::UTC);
    }
    let name = names.as_string::<i32>().value(0);
    TimeZone::get(name).map_err(|_| DataFusionError::Plan(format!("{name} is no time zone")))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{StringArray, TimestampMicrosecondArray};
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_count_both_ways_from_1970() {
        for (day, days) in
            [(date(1970, 1, 1), 0), (date(1969, 12, 31), -1), (date(2024, 2, 29), 19782), (date(9999, 12, 31), 2_932_896)]
        {
            assert_eq!((to_epoch_days(day), from_epoch_days(days)), (days, day));
        }
    }

    #[test]
    fn the_end_of_the_calendar_is_a_day_in_every_zone() {
        let instant = |text: &str| -> ArrayRef {
            let seconds =
                text.parse::<jiff::civil::DateTime>().expect("a time").duration_since(date(1970, 1, 1).at(0, 0, 0, 0)).as_secs();
            Arc::new(TimestampMicrosecondArray::from(vec![seconds * MICROSECONDS]))
        };
        for (text, name, day) in [
            ("9999-12-31T00:00:00", "UTC", 2_932_896),
            ("9999-12-31T00:00:00", "America/New_York", 2_932_895),
            ("9999-12-31T23:59:59", "Asia/Singapore", 2_932_897),
            ("2025-03-01T04:59:59", "America/New_York", to_epoch_days(date(2025, 2, 28))),
            ("2025-03-01T05:00:00", "America/New_York", to_epoch_days(date(2025, 3, 1))),
        ] {
            let names: ArrayRef = Arc::new(StringArray::from(vec![name]));
            let days = local_date(&[instant(text), names]).expect("it is an instant");
            assert_eq!(days.as_primitive::<Date32Type>().values(), &[day], "{text} {name}");
        }
    }

    #[test]
    fn months_between_are_those_that_can_be_added_without_passing() {
        let days =
            |dates: &[Date]| -> ArrayRef { Arc::new(dates.iter().map(|date| Some(to_epoch_days(*date))).collect::<Date32Array>()) };
        let from = days(&[date(2025, 1, 31), date(2025, 1, 31), date(2025, 1, 31), date(2024, 2, 29), date(2025, 3, 15)]);
        let to = days(&[date(2025, 2, 28), date(2025, 2, 27), date(2025, 6, 30), date(2025, 2, 28), date(2025, 2, 10)]);
        let months = months_between(&[from, to]).expect("they are dates");
        assert_eq!(months.as_primitive::<Int64Type>().values(), &[1, 0, 5, 12, -2]);
    }
}
