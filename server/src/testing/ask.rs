//! A question in the words of the definitions (`ask:` of a test, flags of `holdfast compile`) → `MetricQuery`.

use holdfast_schema::{
    definition::{Text, test::Ask},
    diagnostic::{Diagnostic, Diagnostics},
    model::{MetricId, Model, View, view::view_for},
    query::{
        Ages, DimensionBasis, Direction, Fill, GroupBy, GroupItem, InCurrency, MetricQuery, MetricSelection, MovementBasis,
        OrderBy, Scope, TimeRange,
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
    /// What counts as today when the question has neither `as_of` nor a range with an end. Without it the day is
    /// [`FIXED_DAY`], so that a test says the same every day.
    pub today: Option<Date>,
    /// Whether the totals row is wanted.
    pub totals: bool,
}

/// Today, for a test that does not say.
pub const FIXED_DAY: Date = Date::constant(2026, 1, 1);

/// Reads a question; `None` after saying what cannot be understood. Whether its names fit together is for `bind` to say.
pub fn question(model: &Model, ask: &Ask, around: Surroundings, out: &mut Diagnostics) -> Option<MetricQuery> {
    let before = out.sorted().len();
    let metrics = metrics(model, ask, around.beside, out);
    let view = view(model, ask, &metrics, out);
    let range = ask.range.as_ref().and_then(|text| range(text, out));
    let by: Vec<GroupBy> = ask.by.iter().filter_map(|text| group(view, text, out)).collect();
    let filter = view.zip(ask.filter.as_ref()).and_then(|(view, text)| condition::over_dimensions(model, view, text, out));
    let having = ask.having.as_ref().and_then(|text| condition::over_metrics(text, out));
    let order_by = ask.order_by.iter().filter_map(|text| order(text, out)).collect();
    let as_of = match &ask.as_of {
        Some(text) => date(text, out),
        None => range.and_then(|range| range.to).or(around.today),
    };
    let as_of = as_of.unwrap_or(FIXED_DAY);
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
    let currency = currency(ask, out);
    if out.sorted().len() > before {
        return None;
    }
    let view = view?;
    let metrics = metrics.into_iter().map(|metric| MetricSelection::of(&model.metric(metric).name)).collect();
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
        currency,
        ..MetricQuery::new(Scope::View(view.name.clone()), metrics, as_of)
    })
}

/// Another currency for money. Whether it is one, and has rates, is for `bind` to say.
fn currency(ask: &Ask, out: &mut Diagnostics) -> Option<InCurrency> {
    let text = |text: &Text| text.value.trim().to_owned();
    if let (None, Some(rate)) = (&ask.currency, &ask.exchange_rate) {
        out.push(
            Diagnostic::error(BAD_QUESTION, rate.span, "the rate is of another currency, and none is named")
                .help("name the currency too"),
        );
    }
    ask.currency.as_ref().map(|code| InCurrency { code: text(code), rate: ask.exchange_rate.as_ref().map(text) })
}

/// The metrics that are asked for; every name that is none is told.
fn metrics(model: &Model, ask: &Ask, beside: Option<MetricId>, out: &mut Diagnostics) -> Vec<MetricId> {
    let mut known = Vec::new();
    for text in &ask.metrics {
        match model.metric_named(&text.value) {
            Some(id) => known.push(id),
            None => {
                let names = model.metrics.iter().map(|metric| metric.name.as_str());
                out.push(not_there(format!("unknown metric `{}`", text.value), &text.value, text.span, names));
            }
        }
    }
    if ask.metrics.is_empty() {
        known.extend(beside);
        if known.is_empty() {
            out.push(Diagnostic::error(BAD_QUESTION, ask.span, "the question names no metric"));
        }
    }
    known
}

/// The view that is named, or the one that the question is asked through.
fn view<'a>(model: &'a Model, ask: &Ask, metrics: &[MetricId], out: &mut Diagnostics) -> Option<&'a View> {
    let Some(name) = &ask.view else { return view_of(model, ask, metrics, out) };
    let Some(id) = model.view_named(&name.value) else {
        let names = model.views.iter().map(|view| view.name.as_str());
        out.push(not_there(format!("unknown view `{}`", name.value), &name.value, name.span, names));
        return None;
    };
    let view = model.view(id);
    for metric in metrics.iter().filter(|metric| !view.metrics.contains(metric)) {
        let message = format!("view `{}` has no metric `{}`", view.name, model.metric(*metric).name);
        out.push(Diagnostic::error(BAD_QUESTION, written(model, ask, *metric), message).help(views_of(model, *metric)));
    }
    Some(view)
}

/// The view that has every metric. Where none has, the first metrics that are together in one are right, and the next is not.
fn view_of<'a>(model: &'a Model, ask: &Ask, metrics: &[MetricId], out: &mut Diagnostics) -> Option<&'a View> {
    let has = |metrics: &[MetricId]| model.views.iter().find(|view| metrics.iter().all(|metric| view.metrics.contains(metric)));
    let found = view_for(&model.views, metrics, ask).filter(|_| !metrics.is_empty());
    if found.is_none()
        && let Some(count) = (1..=metrics.len()).find(|count| has(&metrics[..*count]).is_none())
    {
        let (last, before) = metrics[..count].split_last().expect("at least one is counted");
        let name = &model.metric(*last).name;
        let before: Vec<String> = before.iter().map(|metric| format!("`{}`", model.metric(*metric).name)).collect();
        let message = if before.is_empty() {
            format!("no view has `{name}`")
        } else {
            format!("no view has `{name}` and {}", before.join(" and "))
        };
        out.push(Diagnostic::error(BAD_QUESTION, written(model, ask, *last), message).help(views_of(model, *last)));
    }
    found
}

/// Where the question names a metric; all of it, where it does not.
fn written(model: &Model, ask: &Ask, metric: MetricId) -> Span {
    let name = &model.metric(metric).name;
    ask.metrics.iter().find(|text| text.value == *name).map_or(ask.span, |text| text.span)
}

fn views_of(model: &Model, metric: MetricId) -> String {
    let views: Vec<&str> =
        model.views.iter().filter(|view| view.metrics.contains(&metric)).map(|view| view.name.as_str()).collect();
    let name = &model.metric(metric).name;
    if views.is_empty() { format!("add `{name}` to a view") } else { format!("`{name}` is in: {}", views.join(", ")) }
}

/// A name that is none, with the nearest that is.
fn not_there<'n>(message: String, name: &str, span: Span, names: impl Iterator<Item = &'n str>) -> Diagnostic {
    let diagnostic = Diagnostic::error(BAD_QUESTION, span, message);
    match suggest::nearest(name, names).first() {
        Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
        None => diagnostic,
    }
}

/// `segment`, `period(month)`, `signed_on(quarter)`, `cohort(quarter)`, `age(6 months)`. Where the view is not known, any name is right.
fn group(view: Option<&View>, text: &Text, out: &mut Diagnostics) -> Option<GroupBy> {
    let written = text.value.trim();
    let is_dimension = |name: &str| view.is_none_or(|view| view.dimension_named(name).is_some());
    let Some((name, grain)) = written.strip_suffix(')').and_then(|written| written.split_once('(')) else {
        if let Some(view) = view.filter(|_| !is_dimension(written)) {
            out.push(no_dimension(view, written, text.span));
            return None;
        }
        return Some(GroupBy { key: written.to_owned(), item: GroupItem::Dimension(written.to_owned()) });
    };
    let name = name.trim();
    let is_word = |word: &str| name == word && view.is_none_or(|view| view.dimension_named(word).is_none());
    if is_word("age") {
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
    if is_word("cohort") {
        return Some(GroupBy { key: name.to_owned(), item: GroupItem::Cohort { grain } });
    }
    let dimension = (name != "period").then(|| name.to_owned());
    if let Some(view) = view.filter(|_| dimension.is_some() && !is_dimension(name)) {
        out.push(no_dimension(view, name, text.span));
        return None;
    }
    Some(GroupBy { key: name.to_owned(), item: GroupItem::Time { dimension, grain } })
}

pub(super) fn no_dimension(view: &View, name: &str, span: Span) -> Diagnostic {
    let names = view.dimensions.iter().map(|dimension| dimension.name.as_str());
    not_there(format!("view `{}` has no dimension `{name}`", view.name), name, span, names)
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
