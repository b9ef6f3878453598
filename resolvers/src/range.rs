//! Spans of time as they are asked for (presets, trailing and upcoming periods) → spans of days, seen from the day that counts as today.

use holdfast_schema::{
    query::TimeRange,
    time::{Calendar, Grain},
};
use jiff::civil::Date;

/// A named span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preset {
    /// The period that holds today.
    This(Grain),
    /// The period before that.
    Last(Grain),
    /// From the start of the period to today, today included.
    ToDate(Grain),
    /// No limit.
    AllTime,
}

impl Preset {
    /// Every preset.
    pub(crate) const ALL: [Preset; 20] = [
        Preset::This(Grain::Day),
        Preset::Last(Grain::Day),
        Preset::This(Grain::Week),
        Preset::Last(Grain::Week),
        Preset::This(Grain::Month),
        Preset::Last(Grain::Month),
        Preset::This(Grain::Quarter),
        Preset::Last(Grain::Quarter),
        Preset::This(Grain::Year),
        Preset::Last(Grain::Year),
        Preset::This(Grain::FiscalQuarter),
        Preset::Last(Grain::FiscalQuarter),
        Preset::This(Grain::FiscalYear),
        Preset::Last(Grain::FiscalYear),
        Preset::ToDate(Grain::Month),
        Preset::ToDate(Grain::Quarter),
        Preset::ToDate(Grain::Year),
        Preset::ToDate(Grain::FiscalQuarter),
        Preset::ToDate(Grain::FiscalYear),
        Preset::AllTime,
    ];

    /// The enum value in GraphQL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Preset::This(Grain::Day) => "TODAY",
            Preset::Last(Grain::Day) => "YESTERDAY",
            Preset::This(Grain::Week) => "THIS_WEEK",
            Preset::Last(Grain::Week) => "LAST_WEEK",
            Preset::This(Grain::Month) => "THIS_MONTH",
            Preset::Last(Grain::Month) => "LAST_MONTH",
            Preset::This(Grain::Quarter) => "THIS_QUARTER",
            Preset::Last(Grain::Quarter) => "LAST_QUARTER",
            Preset::This(Grain::Year) => "THIS_YEAR",
            Preset::Last(Grain::Year) => "LAST_YEAR",
            Preset::This(Grain::FiscalQuarter) => "THIS_FISCAL_QUARTER",
            Preset::Last(Grain::FiscalQuarter) => "LAST_FISCAL_QUARTER",
            Preset::This(Grain::FiscalYear) => "THIS_FISCAL_YEAR",
            Preset::Last(Grain::FiscalYear) => "LAST_FISCAL_YEAR",
            Preset::ToDate(Grain::Day) => "DAY_TO_DATE",
            Preset::ToDate(Grain::Week) => "WEEK_TO_DATE",
            Preset::ToDate(Grain::Month) => "MONTH_TO_DATE",
            Preset::ToDate(Grain::Quarter) => "QUARTER_TO_DATE",
            Preset::ToDate(Grain::Year) => "YEAR_TO_DATE",
            Preset::ToDate(Grain::FiscalQuarter) => "FISCAL_QUARTER_TO_DATE",
            Preset::ToDate(Grain::FiscalYear) => "FISCAL_YEAR_TO_DATE",
            Preset::AllTime => "ALL_TIME",
        }
    }

    /// The preset of that name.
    pub(crate) fn named(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// Its days, seen from `today`.
    pub(crate) fn days(self, calendar: Calendar, today: Date) -> TimeRange {
        match self {
            Preset::This(grain) => {
                let from = calendar.truncate(grain, today);
                TimeRange { from: Some(from), to: Some(grain.step().after(from)) }
            }
            Preset::Last(grain) => {
                let to = calendar.truncate(grain, today);
                TimeRange { from: Some(grain.step().before(to)), to: Some(to) }
            }
            Preset::ToDate(grain) => {
                TimeRange { from: Some(calendar.truncate(grain, today)), to: Some(Grain::Day.step().after(today)) }
            }
            Preset::AllTime => TimeRange { from: None, to: None },
        }
    }
}

/// The last `n` periods of a grain: those that are over, or those up to and with the one that holds `today`.
pub(crate) fn trailing(calendar: Calendar, today: Date, n: i32, grain: Grain, complete: bool) -> TimeRange {
    let current = calendar.truncate(grain, today);
    let to = if complete { current } else { grain.step().after(current) };
    TimeRange { from: Some(grain.step().times(n).before(to)), to: Some(to) }
}

/// The next `n` periods of a grain, the one that holds `today` being the first.
pub(crate) fn upcoming(calendar: Calendar, today: Date, n: i32, grain: Grain) -> TimeRange {
    let from = calendar.truncate(grain, today);
    TimeRange { from: Some(from), to: Some(grain.step().times(n).after(from)) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn upcoming_periods_begin_with_the_current_one() {
        let range = upcoming(Calendar::default(), date(2025, 12, 31), 2, Grain::Month);
        assert_eq!(range, TimeRange { from: Some(date(2025, 12, 1)), to: Some(date(2026, 2, 1)) });
    }

    #[test]
    fn trailing_periods_end_where_the_current_one_begins() {
        let range = trailing(Calendar::default(), date(2025, 3, 31), 3, Grain::Month, true);
        assert_eq!(range, TimeRange { from: Some(date(2024, 12, 1)), to: Some(date(2025, 3, 1)) });
        let range = trailing(Calendar::default(), date(2025, 3, 31), 1, Grain::Quarter, false);
        assert_eq!(range, TimeRange { from: Some(date(2025, 1, 1)), to: Some(date(2025, 4, 1)) });
    }

    #[test]
    fn every_preset_is_found_by_its_name() {
        for preset in Preset::ALL {
            assert_eq!(Preset::named(preset.name()), Some(preset));
        }
    }
}
