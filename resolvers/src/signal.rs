//! Values of a rule's metric, period by period → whether the rule fires and since when. Exact; knows no rows and no questions.

use holdfast_schema::{
    model::{
        Rule,
        access::{RuleSeverity, RuleTime},
    },
    query::{Comparator, TimeRange},
    time::{Calendar, Grain, Step},
    value::CellRef,
};
use jiff::civil::Date;

use crate::exact;

/// Periods that are looked back over to tell since when a rule holds.
const HISTORY: u32 = 12;

/// A rule, evaluated for one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whether it fires; `None` when that is not known.
    pub(crate) fired: Option<bool>,
    /// The metric's value now.
    pub(crate) value: Option<String>,
    /// In how many periods up to now, without a gap, it has held; 0 unless it fires.
    pub(crate) periods: u32,
}

/// Evaluates a rule over values from now backwards. Periods without a value are unknown.
pub(crate) fn verdict(rule: &Rule, values: &[Option<String>]) -> Verdict {
    let holds = |value: Option<&String>| match value {
        Some(value) => compares(rule, value),
        None => rule.fires_when_unknown.then_some(true),
    };
    let each = values.iter().map(|value| holds(value.as_ref()));
    let needed: Vec<Option<bool>> = each.clone().chain(std::iter::repeat(holds(None))).take(rule.persistence as usize).collect();
    let fired = if needed.contains(&Some(false)) {
        Some(false)
    } else if needed.contains(&None) {
        None
    } else {
        Some(true)
    };
    let run = each.take_while(|holds| *holds == Some(true)).count();
    let periods = if fired == Some(true) { u32::try_from(run).unwrap_or(u32::MAX) } else { 0 };
    Verdict { fired, value: values.first().cloned().flatten(), periods }
}

/// Whether a value and the threshold compare as the rule says; `None` for what is no number.
fn compares(rule: &Rule, value: &str) -> Option<bool> {
    let difference = exact::subtract(value, &rule.threshold)?;
    let (below, equal) = (difference.starts_with('-'), difference == "0");
    Some(match rule.operator {
        Comparator::NotEqual => !equal,
        Comparator::Less => below,
        Comparator::LessOrEqual => below || equal,
        Comparator::Greater => !below && !equal,
        Comparator::GreaterOrEqual => !below,
        Comparator::Equal => equal,
    })
}

/// A value as a number; true is 1, false is 0.
pub(crate) fn number(cell: CellRef<'_>) -> Option<String> {
    match cell {
        CellRef::Bool(value) => Some(if value { "1" } else { "0" }.to_owned()),
        CellRef::Int(value) => Some(value.to_string()),
        CellRef::Decimal(text) => Some(text.to_owned()),
        CellRef::Null | CellRef::Text(_) | CellRef::Date(_) | CellRef::Timestamp(_) => None,
    }
}

/// The periods a rule looks at; `None` for a day.
pub(crate) fn grain(at: RuleTime) -> Option<Grain> {
    match at {
        RuleTime::LastCompleteMonth => Some(Grain::Month),
        RuleTime::LastCompleteQuarter => Some(Grain::Quarter),
        RuleTime::AsOf => None,
    }
}

/// How many periods tell whether rules fire, and how many since when.
pub(crate) fn periods<'r>(rules: impl Iterator<Item = &'r Rule>, with_history: bool) -> u32 {
    let needed = rules.map(|rule| rule.persistence).max().unwrap_or(1);
    if with_history { needed.max(HISTORY) } else { needed }
}

/// The first days of so many complete periods before a day, the latest first.
pub(crate) fn starts(grain: Grain, calendar: Calendar, as_of: Date, periods: u32) -> Vec<Date> {
    let end = calendar.truncate(grain, as_of);
    let back = |n: u32| grain.step().times(i32::try_from(n).unwrap_or(i32::MAX)).before(end);
    (1..=periods).map(back).collect()
}

/// The time a question about a rule covers: those periods, or everything up to and with the day.
pub(crate) fn range(at: RuleTime, calendar: Calendar, as_of: Date, periods: u32) -> TimeRange {
    match grain(at) {
        Some(grain) => {
            TimeRange { from: starts(grain, calendar, as_of, periods).last().copied(), to: Some(calendar.truncate(grain, as_of)) }
        }
        None => TimeRange { from: None, to: Some(Step::days(1).after(as_of)) },
    }
}

/// The word in GraphQL.
pub(crate) fn severity(severity: RuleSeverity) -> &'static str {
    match severity {
        RuleSeverity::Info => "INFO",
        RuleSeverity::Warning => "WARNING",
        RuleSeverity::Critical => "CRITICAL",
    }
}

/// The word in GraphQL.
pub(crate) fn operator(operator: Comparator) -> &'static str {
    match operator {
        Comparator::NotEqual => "NE",
        Comparator::Less => "LT",
        Comparator::LessOrEqual => "LTE",
        Comparator::Greater => "GT",
        Comparator::GreaterOrEqual => "GTE",
        Comparator::Equal => "EQ",
    }
}

#[cfg(test)]
mod tests {
    use holdfast_schema::{load, source::SourceMap};
    use jiff::civil::date;

    use super::*;

    fn rule(when: &str, more: &str) -> Rule {
        let text = format!(
            "project: p\n---\nentity: account\nsource: account\nkey: account_id\n---\n\
             entity: use\nsource: use\nkey: [account_id, month]\ntime: {{month: {{grain: month, snapshot: end_of_period}}}}\n\
             relationships: {{account: {{to: account, key: account_id}}}}\nmeasures: {{x: {{sum: x, unit: count}}}}\n---\n\
             metrics: {{x: {{measure: use.x}}}}\nrules: {{r: {{per: account, when: {when}, {more}}}}}\n"
        );
        let (model, diagnostics) = load(SourceMap::new([("a.yaml".to_owned(), text)]));
        model.unwrap_or_else(|| panic!("{:#?}", diagnostics.sorted())).rules[0].clone()
    }

    fn fired(rule: &Rule, values: &[&str]) -> (Option<bool>, u32) {
        let values: Vec<_> = values.iter().map(|value| (*value != "?").then(|| (*value).to_owned())).collect();
        let verdict = verdict(rule, &values);
        (verdict.fired, verdict.periods)
    }

    #[test]
    fn each_boundary_is_exact() {
        for (when, no, yes) in [
            ("x < 0.70", "0.7", "0.6999999999999999999999999999999"),
            ("x <= 0.8", "0.8000000000000000000000001", "0.80"),
            ("x > 5", "5", "6"),
            ("x >= 90", "89", "90"),
            ("x != 1", "1.0", "2"),
            ("x = 1", "0.99", "1"),
            ("x < -1", "-1", "-1.5"),
        ] {
            assert_eq!(fired(&rule(when, "for: 1"), &[no]).0, Some(false), "{when} at {no}");
            assert_eq!(fired(&rule(when, "for: 1"), &[yes]).0, Some(true), "{when} at {yes}");
        }
    }

    #[test]
    fn unknown_is_not_false() {
        assert_eq!(fired(&rule("x > 5", "for: 1"), &["?"]), (None, 0));
        assert_eq!(fired(&rule("x > 5", "for: 1"), &[]), (None, 0));
        assert_eq!(fired(&rule("x > 5", "unknown: fires"), &["?"]), (Some(true), 1));
    }

    #[test]
    fn it_must_hold_for_so_many_periods_and_counts_them() {
        let rule = rule("x > 5", "for: 2");
        assert_eq!(fired(&rule, &["6", "6", "6", "1", "6"]), (Some(true), 3));
        assert_eq!(fired(&rule, &["6", "1", "6"]), (Some(false), 0));
        assert_eq!(fired(&rule, &["6", "?"]), (None, 0), "one of two is not known");
        assert_eq!(fired(&rule, &["1", "?"]), (Some(false), 0), "what is not known cannot make it fire");
        assert_eq!(fired(&rule, &["6"]), (None, 0), "there is no earlier period");
    }

    #[test]
    fn only_complete_periods_are_looked_at() {
        let calendar = Calendar::default();
        let range_of = |at, as_of, periods| range(at, calendar, as_of, periods);
        let days = |from, to| TimeRange { from: Some(from), to: Some(to) };
        assert_eq!(range_of(RuleTime::LastCompleteMonth, date(2025, 6, 30), 1), days(date(2025, 5, 1), date(2025, 6, 1)));
        assert_eq!(range_of(RuleTime::LastCompleteMonth, date(2025, 7, 1), 2), days(date(2025, 5, 1), date(2025, 7, 1)));
        assert_eq!(range_of(RuleTime::LastCompleteQuarter, date(2025, 7, 1), 1), days(date(2025, 4, 1), date(2025, 7, 1)));
        let day = range_of(RuleTime::AsOf, date(2025, 6, 30), 1);
        assert_eq!(day, TimeRange { from: None, to: Some(date(2025, 7, 1)) });
    }
}
