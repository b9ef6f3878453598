//! A series: its periods, how many of them, and what is said of their values.

use super::{
    super::{
        Draft,
        words::{self, one_of},
    },
    shape::find,
};
use crate::{
    definition::{Text, metric as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{
        EntityId,
        series::{Series, SeriesTake},
    },
    time::{Grain, Step},
};

/// Periods of a window at most: each is listed in the statement.
const MOST_PERIODS: i64 = 1_000;
/// Periods of a window at most where each is a part of the formula.
const MOST_NAMED_PERIODS: u32 = 60;

/// Resolves a series; `None` when something is wrong.
pub(super) fn of(draft: &Draft<'_>, series: &written::Series, out: &mut Diagnostics) -> Option<Series> {
    let of = find(draft, &series.of, out);
    let grain = words::grain(&series.grain, out);
    let take = one_of("value of `take`", &series.take, &SeriesTake::ALL.map(|take| (take.name(), take)), out);
    let window = periods(&series.window, grain, out);
    let horizon = series.horizon.as_ref().map_or(Some(1), |horizon| periods(horizon, grain, out));
    let take = match (take?, &series.horizon) {
        (SeriesTake::Forecast { .. }, _) => SeriesTake::Forecast { horizon: horizon? },
        (take, None) => take,
        (take, Some(horizon)) => {
            out.push(
                Diagnostic::error("M045", horizon.span, format!("`{}` does not look ahead", take.name()))
                    .help("leave out `horizon:`, or take `forecast`"),
            );
            return None;
        }
    };
    let window = window?;
    if take.names_each_period() && window > MOST_NAMED_PERIODS {
        out.push(
            Diagnostic::error(
                "M045",
                series.window.span,
                format!("`{}` looks at {MOST_NAMED_PERIODS} periods at most", take.name()),
            )
            .label(format!("these are {window}"))
            .help("use a shorter window or a coarser grain"),
        );
        return None;
    }
    let per = per(draft, series, take, out)?;
    let at_least = at_least(series, window, per.is_some(), out)?;
    Some(Series { of: of?, grain: grain?, window, take, at_least, per })
}

/// The entities that have series of their own: a correlation needs them, and nothing else has them.
fn per(draft: &Draft<'_>, series: &written::Series, take: SeriesTake, out: &mut Diagnostics) -> Option<Option<EntityId>> {
    match (&series.per, take) {
        (Some(text), SeriesTake::Correlation) => draft.find_entity(&text.value, text.span, out).map(Some),
        (Some(text), take) => {
            out.push(
                Diagnostic::error("M045", text.span, format!("`{}` is said of one series", take.name()))
                    .help("leave out `per:`, or take `correlation`; to aggregate over entities use `per_entity:`"),
            );
            None
        }
        (None, SeriesTake::Correlation) => {
            out.push(
                Diagnostic::error("M045", series.take.span, "a correlation is of several series")
                    .help("add `per:` and the entity of which each has a series"),
            );
            None
        }
        (None, _) => Some(None),
    }
}

/// How many have to be known: of the periods, or of the entities where each has a series.
fn at_least(series: &written::Series, window: u32, is_per_entity: bool, out: &mut Diagnostics) -> Option<u32> {
    let (default, most) = if is_per_entity { (2, u32::MAX) } else { (1, window) };
    let Some(number) = &series.at_least else { return Some(default) };
    let found = u32::try_from(number.value).ok().filter(|number| (default..=most).contains(number));
    if found.is_none() {
        let (message, expected) = match is_per_entity {
            true => (format!("`at_least` is {}, and it takes two to compare", number.value), "expected 2 or more".to_owned()),
            false => (
                format!("`at_least` is {} and the window has {window} periods", number.value),
                format!("expected a number from 1 to {window}"),
            ),
        };
        out.push(Diagnostic::error("M045", number.span, message).label(expected));
    }
    found
}

/// A length of time as a number of periods, which a grain that is wrong does not tell.
fn periods(text: &Text, grain: Option<Grain>, out: &mut Diagnostics) -> Option<u32> {
    let step = words::step(text, out)?;
    let grain = grain?;
    let found = whole(step, grain);
    if found.is_none() {
        out.push(
            Diagnostic::error("M045", text.span, format!("`{}` is not a whole number of periods by {}", text.value, grain.name()))
                .label(format!("expected at most {MOST_PERIODS} periods"))
                .help(match grain {
                    Grain::Day => "write days, for example `90 days`",
                    Grain::Week => "write weeks, for example `13 weeks`",
                    Grain::Month | Grain::Quarter | Grain::Year | Grain::FiscalQuarter | Grain::FiscalYear => {
                        "write months, quarters or years that the grain divides, for example `1 year`"
                    }
                }),
        );
    }
    found
}

fn whole(step: Step, grain: Grain) -> Option<u32> {
    let one = grain.step();
    let (length, unit, rest) =
        if one.months > 0 { (step.months, one.months, step.days) } else { (step.days, one.days, step.months) };
    let count = i64::from(length / unit);
    (rest == 0 && length % unit == 0 && (1..=MOST_PERIODS).contains(&count)).then_some(count as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_no_number_of_days() {
        for (step, grain, expected) in [
            (Step::months(6), Grain::Month, Some(6)),
            (Step::months(12), Grain::FiscalQuarter, Some(4)),
            (Step::months(4), Grain::Quarter, None),
            (Step::months(1), Grain::Day, None),
            (Step::days(91), Grain::Week, Some(13)),
            (Step::days(90), Grain::Week, None),
            (Step::days(30), Grain::Month, None),
            (Step::days(1_001), Grain::Day, None),
        ] {
            assert_eq!(whole(step, grain), expected, "{step:?} by {}", grain.name());
        }
    }
}
