//! Time in SQL: periods, the range of a leaf, the instant at which versions are read.

use jiff::{civil::Date, tz::TimeZone};

use super::scan::{At, Env, Scan};
use crate::{
    model::{DimensionId, DimensionIndex, EntityId},
    query::TimeRange,
    sql::ast::{Expr, Infix, Truncation},
    time::{Calendar, Grain, Step},
    value::{Value, ValueType},
};

/// A fact's own time inside a scan of it.
pub(super) struct FactTime<'a> {
    env: Env<'a>,
    raw: Expr,
    value_type: ValueType,
    /// Finest grain of the values.
    pub(super) grain: Grain,
    is_snapshot: bool,
}

impl<'a> FactTime<'a> {
    pub(super) fn of(env: Env<'a>, scan: &Scan<'_>, fact: EntityId, index: DimensionIndex) -> Self {
        let dimension = env.model.dimension(DimensionId { entity: fact, index });
        let time = dimension.time.expect("a measure's time is a time dimension");
        Self {
            env,
            raw: scan.own(&dimension.expr),
            value_type: dimension.value_type,
            grain: time.grain,
            is_snapshot: time.snapshot,
        }
    }

    fn calendar(&self) -> Calendar {
        self.env.model.project.calendar
    }

    /// The calendar day in the reporting zone.
    pub(super) fn day(&self) -> Expr {
        day_of(self.env, self.raw.clone(), self.value_type)
    }

    /// First day of the step of the fact's own grain.
    pub(super) fn step(&self) -> Expr {
        truncate(self.calendar(), self.grain, self.day())
    }

    /// Conditions on the raw column, so that an index on it serves.
    pub(super) fn within(&self, range: TimeRange) -> Vec<Expr> {
        let bound = |infix, date: Date| Expr::infix(infix, self.raw.clone(), Expr::Value(self.bound(date)));
        let from = range.from.map(|from| bound(Infix::GreaterOrEqual, from));
        let to = range.to.map(|to| bound(Infix::Less, to));
        from.into_iter().chain(to).collect()
    }

    /// The first instant of a day in the type of the column.
    fn bound(&self, date: Date) -> Value {
        if self.value_type != ValueType::Timestamp {
            return Value::Date(date);
        }
        let zone = TimeZone::get(self.env.time_zone).unwrap_or(TimeZone::UTC);
        date.to_zoned(zone).map_or(Value::Date(date), |midnight| Value::Timestamp(midnight.timestamp()))
    }

    /// When versions joined to the fact are read: at the end of its snapshot, or on its day.
    pub(super) fn read_at(&self) -> At {
        if self.env.is_restated {
            return At::AsOf;
        }
        if self.is_snapshot && self.grain != Grain::Day {
            let next = shift(self.step(), self.grain.step());
            return At::Row(shift(next, Step::days(-1)));
        }
        At::Row(self.day())
    }

    /// A balance counts when its step is touched.
    pub(super) fn widened(&self, range: TimeRange) -> TimeRange {
        if self.is_snapshot { crate::query::bind::whole_periods(range, self.grain, self.calendar()) } else { range }
    }
}

/// The calendar day of a value: of an instant, the one in the zone of the question.
pub(super) fn day_of(env: Env<'_>, value: Expr, value_type: ValueType) -> Expr {
    match value_type {
        ValueType::Timestamp => Expr::LocalDate(Box::new(value), env.time_zone.to_owned()),
        ValueType::Bool | ValueType::Int | ValueType::Decimal | ValueType::Text | ValueType::Date => value,
    }
}

/// The first day of the period of a grain.
pub(super) fn truncate(calendar: Calendar, grain: Grain, value: Expr) -> Expr {
    let plain = match grain {
        Grain::FiscalQuarter => Grain::Quarter,
        Grain::FiscalYear => Grain::Year,
        Grain::Day | Grain::Week | Grain::Month | Grain::Quarter | Grain::Year => grain,
    };
    let days = if grain == Grain::Week { i32::from(calendar.week_start) - 1 } else { 0 };
    let months = calendar.fiscal_shift_months(grain);
    Expr::Truncate(Truncation { grain: plain, months, days }, Box::new(value))
}

/// The first day of the period of a grain in which a day lies when it is moved so much later. A quarter of a day that moves by a month
/// is the quarter that the day comes to lie in.
pub(super) fn moved_period(calendar: Calendar, grain: Grain, day: Expr, by: Step) -> Expr {
    let step = grain.step();
    let is_whole = match grain {
        Grain::Day => true,
        Grain::Week => by.months == 0 && by.days % step.days == 0,
        Grain::Month | Grain::Quarter | Grain::Year | Grain::FiscalQuarter | Grain::FiscalYear => {
            by.days == 0 && by.months % step.months == 0
        }
    };
    if is_whole { shift(truncate(calendar, grain, day), by) } else { truncate(calendar, grain, shift(day, by)) }
}

/// A date so much later; the same expression for no distance.
pub(super) fn shift(value: Expr, step: Step) -> Expr {
    if step == Step::default() {
        return value;
    }
    Expr::Shift(Box::new(value), step)
}

/// A range so much earlier. Its end is that of its last day or that of its period, whichever keeps more: in a shorter month the two
/// differ.
pub(super) fn earlier(range: TimeRange, step: Step) -> TimeRange {
    let end = |to: Date| {
        let after_last_day = Step::days(1).after(step.before(Step::days(1).before(to)));
        step.before(to).max(after_last_day)
    };
    TimeRange { from: range.from.map(|from| step.before(from)), to: range.to.map(end) }
}
