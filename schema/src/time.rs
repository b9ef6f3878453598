//! Calendar words: grains, steps and calendars. No clock: "now" always arrives as a value.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// How finely time is cut, coarse after fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grain {
    /// Calendar days in the reporting time zone.
    Day,
    /// Weeks that begin on the project's `week_start`.
    Week,
    /// Calendar months.
    Month,
    /// Calendar quarters.
    Quarter,
    /// Calendar years.
    Year,
    /// Quarters of the fiscal year.
    FiscalQuarter,
    /// Fiscal years, named by the calendar year they end in.
    FiscalYear,
}

impl Grain {
    /// Every grain, fine to coarse.
    pub const ALL: [Grain; 7] =
        [Grain::Day, Grain::Week, Grain::Month, Grain::Quarter, Grain::Year, Grain::FiscalQuarter, Grain::FiscalYear];

    /// The name in definitions; GraphQL uses the same in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Grain::Day => "day",
            Grain::Week => "week",
            Grain::Month => "month",
            Grain::Quarter => "quarter",
            Grain::Year => "year",
            Grain::FiscalQuarter => "fiscal_quarter",
            Grain::FiscalYear => "fiscal_year",
        }
    }

    /// The grain of that name.
    pub fn from_name(name: &str) -> Option<Grain> {
        Grain::ALL.into_iter().find(|grain| grain.name() == name)
    }

    /// Whether whole periods of `finer` fill a period of this grain exactly.
    pub fn is_made_of(self, finer: Grain) -> bool {
        match finer {
            Grain::Day => true,
            Grain::Week => self == Grain::Week,
            Grain::Month => !matches!(self, Grain::Day | Grain::Week),
            Grain::Quarter => matches!(self, Grain::Quarter | Grain::Year),
            Grain::Year => self == Grain::Year,
            Grain::FiscalQuarter => matches!(self, Grain::FiscalQuarter | Grain::FiscalYear),
            Grain::FiscalYear => self == Grain::FiscalYear,
        }
    }

    /// The grain whose periods make up those of most others; `None` of nothing.
    pub fn finest(grains: impl Iterator<Item = Grain>) -> Option<Grain> {
        grains.reduce(|finest, grain| if finest.is_made_of(grain) { grain } else { finest })
    }

    /// The step from one period to the next.
    pub fn step(self) -> Step {
        match self {
            Grain::Day => Step::days(1),
            Grain::Week => Step::days(7),
            Grain::Month => Step::months(1),
            Grain::Quarter | Grain::FiscalQuarter => Step::months(3),
            Grain::Year | Grain::FiscalYear => Step::months(12),
        }
    }
}

/// A distance in time that keeps months apart from days, because neither is a number of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Step {
    /// Calendar months.
    pub months: i32,
    /// Calendar days.
    pub days: i32,
}

impl Step {
    /// That many days.
    pub const fn days(days: i32) -> Self {
        Self { months: 0, days }
    }

    /// That many months.
    pub const fn months(months: i32) -> Self {
        Self { months, days: 0 }
    }

    /// `n` times this step.
    #[must_use]
    pub const fn times(self, n: i32) -> Self {
        Self { months: self.months.saturating_mul(n), days: self.days.saturating_mul(n) }
    }

    /// This step and another after it.
    #[must_use]
    pub const fn plus(self, other: Step) -> Self {
        Self { months: self.months.saturating_add(other.months), days: self.days.saturating_add(other.days) }
    }

    /// The date this far after `date`; a day past the end of a month becomes its last day, a date past the calendar its last one.
    pub fn after(self, date: Date) -> Date {
        let span = jiff::Span::new().try_months(self.months).and_then(|span| span.try_days(self.days));
        span.and_then(|span| date.checked_add(span)).unwrap_or(match self.months < 0 || self.days < 0 {
            true => Date::MIN,
            false => Date::MAX,
        })
    }

    /// The date this far before `date`.
    pub fn before(self, date: Date) -> Date {
        self.times(-1).after(date)
    }
}

/// The project's calendar: what a week and a fiscal year are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Calendar {
    /// First day of the week, 1 = Monday … 7 = Sunday.
    pub week_start: u8,
    /// First month of the fiscal year, 1 = January.
    pub fiscal_year_start: u8,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { week_start: 1, fiscal_year_start: 1 }
    }
}

impl Calendar {
    /// The first day of the period of `grain` that holds `date`.
    pub fn truncate(self, grain: Grain, date: Date) -> Date {
        match grain {
            Grain::Day => date,
            Grain::Week => {
                let weekday = date.weekday().to_monday_one_offset() as i32;
                Step::days((weekday - i32::from(self.week_start)).rem_euclid(7)).before(date)
            }
            Grain::Month => date.first_of_month(),
            Grain::Quarter => self.truncate_months(date, 3, 1),
            Grain::Year => date.first_of_year(),
            Grain::FiscalQuarter => self.truncate_months(date, 3, self.fiscal_year_start),
            Grain::FiscalYear => self.truncate_months(date, 12, self.fiscal_year_start),
        }
    }

    /// First days of the periods of a grain that a range touches, in order.
    pub fn periods(self, grain: Grain, from: Date, to: Date) -> impl Iterator<Item = Date> {
        let first = self.truncate(grain, from);
        std::iter::successors(Some(first), move |start| Some(grain.step().after(*start)).filter(|next| next > start))
            .take_while(move |start| *start < to)
    }

    fn truncate_months(self, date: Date, size: i32, first_month: u8) -> Date {
        let past = (i32::from(date.month()) - i32::from(first_month)).rem_euclid(12) % size;
        Step::months(past).before(date.first_of_month())
    }

    /// The months by which a fiscal quarter or year begins after the calendar one (0 for every other grain).
    pub fn fiscal_shift_months(self, grain: Grain) -> i32 {
        match grain {
            Grain::FiscalQuarter => (i32::from(self.fiscal_year_start) - 1) % 3,
            Grain::FiscalYear => i32::from(self.fiscal_year_start) - 1,
            Grain::Day | Grain::Week | Grain::Month | Grain::Quarter | Grain::Year => 0,
        }
    }

    /// What people call the period that begins on `start`: `2025-01`, `2025-Q1`, `FY2026-Q2`, `2025-W05`.
    pub fn label(self, grain: Grain, start: Date) -> String {
        match grain {
            Grain::Day => start.to_string(),
            Grain::Week => {
                let week = Step::days(3).after(start).iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Grain::Month => format!("{:04}-{:02}", start.year(), start.month()),
            Grain::Quarter => format!("{:04}-Q{}", start.year(), (start.month() - 1) / 3 + 1),
            Grain::Year => format!("{:04}", start.year()),
            Grain::FiscalQuarter => {
                let year_start = self.truncate(Grain::FiscalYear, start);
                let months = (i32::from(start.month()) - i32::from(year_start.month())).rem_euclid(12);
                format!("FY{:04}-Q{}", self.fiscal_year_name(year_start), months / 3 + 1)
            }
            Grain::FiscalYear => format!("FY{:04}", self.fiscal_year_name(start)),
        }
    }

    fn fiscal_year_name(self, year_start: Date) -> i16 {
        Step::days(1).before(Step::months(12).after(year_start)).year()
    }
}

/// The day of an instant in a zone by name; zones of checked definitions and questions are known.
pub fn day_in(zone: &str, instant: Timestamp) -> Date {
    instant.to_zoned(TimeZone::get(zone).unwrap_or(TimeZone::UTC)).date()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weeks_begin_where_the_project_says() {
        let sunday = Calendar { week_start: 7, ..Calendar::default() };
        assert_eq!(sunday.truncate(Grain::Week, date(2025, 3, 1)), date(2025, 2, 23));
        assert_eq!(Calendar::default().truncate(Grain::Week, date(2025, 3, 1)), date(2025, 2, 24));
    }

    #[test]
    fn an_instant_belongs_to_the_day_of_the_zone() {
        let instant = "2025-03-01T02:00:00Z".parse().expect("an instant");
        for (zone, day) in [("UTC", 1), ("America/New_York", 28), ("Asia/Kolkata", 1)] {
            assert_eq!(day_in(zone, instant).day(), day, "{zone}");
        }
    }

    #[test]
    fn fiscal_years_are_named_by_their_end() {
        let february = Calendar { fiscal_year_start: 2, ..Calendar::default() };
        let start = february.truncate(Grain::FiscalYear, date(2025, 1, 31));
        assert_eq!(start, date(2024, 2, 1));
        assert_eq!(february.label(Grain::FiscalYear, start), "FY2025");
        let quarter = february.truncate(Grain::FiscalQuarter, date(2025, 1, 31));
        assert_eq!((quarter, february.label(Grain::FiscalQuarter, quarter)), (date(2024, 11, 1), "FY2025-Q4".to_owned()));
    }

    #[test]
    fn steps_end_where_the_calendar_does() {
        assert_eq!(Step::months(i32::MAX).times(2).after(date(2025, 1, 1)), Date::MAX);
        assert_eq!(Step::days(i32::MAX).before(date(2025, 1, 1)), Date::MIN);
    }

    #[test]
    fn a_month_before_the_end_of_march_is_the_end_of_february() {
        assert_eq!(Step::months(1).before(date(2024, 3, 31)), date(2024, 2, 29));
    }
}
