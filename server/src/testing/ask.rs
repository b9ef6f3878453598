//! A question in the words of the definitions (`ask:` of a test, flags of `holdfast compile`) → `MetricQuery`.

use holdfast_schema::{
    definition::{Text, test::Ask},
    diagnostic::{Diagnostic, Diagnostics},
    model::{MetricId, Model, View},
    query::{
        Ages, DimensionBasis, Direction, Fill, GroupBy, GroupItem, MetricQuery, MetricSelection, MovementBasis, OrderBy, Scope,
        TimeRange,
    },
    source::Span,
    suggest,
    time::{Grain, Step},
};
use jiff::civil::Date;

use super::condition;

/// A word of a question that cannot be understood.
pub(super) const BAD_QUESTION: &str = "Q001";

/// What a question leaves to its surroundings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings {
    /// The metric it stands beside.
    pub beside: Option<MetricId>,
    /// What counts as today when the question has neither `as_of` nor a range with an end.
    pub today: Option<Date>,
    /// Whether the totals row is wanted.
    pub totals: bool,
}

/// Reads a question; `None` after saying what cannot be understood. Whether its names fit together is for `bind` to say.
pub fn question(model: &Model, ask: &Ask, around: Surroundings, out: &mut Diagnostics) -> Option<MetricQuery> {
    let before = out.sorted().len();
    let names = metric_names(model, ask, around.beside);
    let view = view(model, ask, &names, out)?;
    let range = ask.range.as_ref().and_then(|text| range(text, out));
    let by: Vec<GroupBy> = ask.by.iter().filter_map(|text| group(view, text, out)).collect();
    let filter = ask.filter.as_ref().and_then(|text| condition::over_dimensions(model, view, text, out));
    let having = ask.having.as_ref().and_then(|text| condition::over_metrics(text, out));
    let order_by = ask.order_by.iter().filter_map(|text| order(text, out)).collect();
    let as_of = match &ask.as_of {
        Some(text) => date(text, out)?,
        None => range.and_then(|range| range.to).or(around.today).unwrap_or(Date::constant(2026, 1, 1)),
    };
    let fill = word(ask.fill.as_ref(), &[("none", Fill::None), ("dense", Fill::Dense)], out);
    let bases = [("point_to_point", MovementBasis::PointToPoint), ("flow", MovementBasis::Flow)];
    let movement_basis = word(ask.movement_basis.as_ref(), &bases, out);
    let bases = [("opening", DimensionBasis::Opening), ("closing", DimensionBasis::Closing), ("current", DimensionBasis::Current)];
    let dimension_basis = word(ask.dimension_basis.as_ref(), &bases, out);
    let limit = ask.limit.as_ref().and_then(|limit| {
        let count = u64::try_from(limit.value).ok();
        if count.is_none() {
            out.push(Diagnostic::error(BAD_QUESTION, limit.span, "`limit` cannot be negative"));
        }
        count
    });
    if out.sorted().len() > before {
        return None;
    }
    let metrics = names.into_iter().map(MetricSelection::of).collect();
    Some(MetricQuery {
        by,
        range,
        filter,
        having,
        order_by,
        limit,
        fill: fill.unwrap_or_default(),
        totals: around.totals,
        movement_grain: ask.movement_grain.as_ref().map(|grain| grain.value.clone()),
        movement_basis: movement_basis.unwrap_or_default(),
        dimension_basis: dimension_basis.unwrap_or_default(),
        ..MetricQuery::new(Scope::View(view.name.clone()), metrics, as_of)
    })
}

fn metric_names(model: &Model, ask: &Ask, beside: Option<MetricId>) -> Vec<String> {
    if !ask.metrics.is_empty() {
        return ask.metrics.iter().map(|name| name.value.clone()).collect();
    }
    beside.map(|id| model.metric(id).name.clone()).into_iter().collect()
}

/// The view that is named, or the first that has every metric.
fn view<'a>(model: &'a Model, ask: &Ask, metrics: &[String], out: &mut Diagnostics) -> Option<&'a View> {
    if let Some(name) = &ask.view {
        let found = model.view_named(&name.value).map(|id| model.view(id));
        if found.is_none() {
            let nearest = suggest::nearest(&name.value, model.views.iter().map(|view| view.name.as_str()));
            let diagnostic = Diagnostic::error(BAD_QUESTION, name.span, format!("unknown view `{}`", name.value));
            out.push(nearest.first().map_or(diagnostic.clone(), |nearest| diagnostic.help(format!("did you mean `{nearest}`?"))));
        }
        return found;
    }
    let has = |view: &View, metric: &String| view.metrics.iter().any(|id| model.metric(*id).name == *metric);
    let found = model.views.iter().find(|view| !metrics.is_empty() && metrics.iter().all(|metric| has(view, metric)));
    if found.is_none() {
        let message = if metrics.is_empty() {
            "the question names no metric".to_owned()
        } else {
            format!("no view has {}", metrics.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and "))
        };
        out.push(Diagnostic::error(BAD_QUESTION, ask.span, message).help("name a view with `view:`"));
    }
    found
}

/// `segment`, `period(month)`, `signed_on(quarter)`, `cohort(quarter)`, `age(6 months)`.
fn group(view: &View, text: &Text, out: &mut Diagnostics) -> Option<GroupBy> {
    let written = text.value.trim();
    let Some((name, grain)) = written.strip_suffix(')').and_then(|written| written.split_once('(')) else {
        return Some(GroupBy { key: written.to_owned(), item: GroupItem::Dimension(written.to_owned()) });
    };
    let name = name.trim();
    let is_dimension = |name: &str| view.dimension_named(name).is_some();
    if name == "age" && !is_dimension(name) {
        return match Ages::parse(grain) {
            Ok(ages) => Some(GroupBy { key: name.to_owned(), item: GroupItem::Age(ages) }),
            Err(message) => {
                out.push(Diagnostic::error(BAD_QUESTION, text.span, message));
                None
            }
        };
    }
    let Some(grain) = Grain::from_name(grain.trim()) else {
        let grains = Grain::ALL.map(Grain::name).join(", ");
        out.push(
            Diagnostic::error(BAD_QUESTION, text.span, format!("unknown grain `{grain}`")).help(format!("there are: {grains}")),
        );
        return None;
    };
    if name == "cohort" && !is_dimension(name) {
        return Some(GroupBy { key: name.to_owned(), item: GroupItem::Cohort { grain } });
    }
    let dimension = (name != "period").then(|| name.to_owned());
    Some(GroupBy { key: name.to_owned(), item: GroupItem::Time { dimension, grain } })
}

/// `mrr`, `mrr desc`.
fn order(text: &Text, out: &mut Diagnostics) -> Option<OrderBy> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let (key, direction) = match words.as_slice() {
        [key] | [key, "asc"] => (*key, Direction::Ascending),
        [key, "desc"] => (*key, Direction::Descending),
        _ => {
            out.push(Diagnostic::error(BAD_QUESTION, text.span, "an order is a name, then `asc` or `desc`"));
            return None;
        }
    };
    Some(OrderBy { key: key.to_owned(), direction, nulls: None })
}

/// `2025`, `2025-Q1`, `2025-01`, `2025-01-15`, `2025-01-01..2025-04-01` (end excluded; either end may be left out).
fn range(text: &Text, out: &mut Diagnostics) -> Option<TimeRange> {
    let written = text.value.trim();
    let parsed = match written.split_once("..") {
        Some((from, to)) => open_range(from.trim(), to.trim()),
        None => period(written),
    };
    if parsed.is_none() {
        out.push(
            Diagnostic::error(BAD_QUESTION, text.span, format!("`{written}` is not a range"))
                .help("write `2025`, `2025-Q1`, `2025-01` or `2025-01-01..2025-04-01` (end excluded)"),
        );
    }
    parsed
}

fn open_range(from: &str, to: &str) -> Option<TimeRange> {
    let end = |text: &str| if text.is_empty() { Some(None) } else { text.parse::<Date>().ok().map(Some) };
    Some(TimeRange { from: end(from)?, to: end(to)? })
}

fn period(written: &str) -> Option<TimeRange> {
    let (year, rest) = written.split_once('-').unwrap_or((written, ""));
    let year: i16 = year.parse().ok().filter(|_| year.len() == 4)?;
    let (month, day, step) = match rest {
        "" => (1, 1, Grain::Year.step()),
        "Q1" => (1, 1, Grain::Quarter.step()),
        "Q2" => (4, 1, Grain::Quarter.step()),
        "Q3" => (7, 1, Grain::Quarter.step()),
        "Q4" => (10, 1, Grain::Quarter.step()),
        _ => match rest.split_once('-') {
            Some((month, day)) => (month.parse().ok()?, day.parse().ok()?, Step::days(1)),
            None => (rest.parse().ok()?, 1, Grain::Month.step()),
        },
    };
    let from = Date::new(year, month, day).ok()?;
    Some(TimeRange { from: Some(from), to: Some(step.after(from)) })
}

fn date(text: &Text, out: &mut Diagnostics) -> Option<Date> {
    let parsed = text.value.trim().parse().ok();
    if parsed.is_none() {
        out.push(Diagnostic::error(BAD_QUESTION, text.span, format!("`{}` is not a date; write `2025-01-31`", text.value)));
    }
    parsed
}

fn word<T: Copy>(text: Option<&Text>, words: &[(&str, T)], out: &mut Diagnostics) -> Option<T> {
    let text = text?;
    let found = words.iter().find(|(word, _)| *word == text.value).map(|(_, meaning)| *meaning);
    if found.is_none() {
        unknown_word(text, text.span, words.iter().map(|(word, _)| *word), out);
    }
    found
}

fn unknown_word<'a>(text: &Text, span: Span, words: impl Iterator<Item = &'a str>, out: &mut Diagnostics) {
    let words: Vec<&str> = words.collect();
    out.push(
        Diagnostic::error(BAD_QUESTION, span, format!("unknown word `{}`", text.value))
            .help(format!("there are: {}", words.join(", "))),
    );
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn ranges_end_before_the_next_period_begins() {
        let span = |from, to| Some(TimeRange { from: Some(from), to: Some(to) });
        assert_eq!(period("2025"), span(date(2025, 1, 1), date(2026, 1, 1)));
        assert_eq!(period("2025-Q4"), span(date(2025, 10, 1), date(2026, 1, 1)));
        assert_eq!(period("2024-02"), span(date(2024, 2, 1), date(2024, 3, 1)));
        assert_eq!(period("2024-02-29"), span(date(2024, 2, 29), date(2024, 3, 1)));
        assert_eq!(open_range("2025-01-01", ""), Some(TimeRange { from: Some(date(2025, 1, 1)), to: None }));
        for wrong in ["25", "2025-Q5", "2025-13", "soon", "2025-02-30"] {
            assert_eq!(period(wrong), None, "{wrong}");
        }
    }
}
