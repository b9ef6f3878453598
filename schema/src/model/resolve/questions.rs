//! The questions of tests and saved queries: names, grains and ranges are checked here; they stay as written until they are asked.

use super::{
    Draft,
    index::{did_you_mean, unknown},
    project::currency_code,
    words,
};
use crate::{
    definition::{Text, test as written},
    diagnostic::{Diagnostic, Diagnostics},
    expr,
    model::{MetricId, View, rules, view::view_for},
    query::Ages,
    suggest,
    time::Grain,
};

/// Checks every question.
pub(super) fn check(draft: &Draft<'_>, out: &mut Diagnostics) {
    let lookup = Lookup { draft };
    for (id, (_, metric)) in draft.index.metrics.iter().enumerate() {
        metric.tests.iter().for_each(|test| lookup.test(test, Some(MetricId(id as u16)), out));
    }
    draft.definitions.tests.iter().for_each(|test| lookup.test(test, None, out));
    for (_, saved) in draft.index.saved_queries.iter() {
        match &saved.question {
            written::SavedQuestion::Ask(ask) => lookup.ask(ask, None, out),
            // Documents are checked against the API, which is made from the model.
            written::SavedQuestion::Document(_) => {}
        }
    }
}

/// Every test, those beside a metric first.
pub(super) fn tests(draft: &Draft<'_>) -> Vec<(Option<MetricId>, written::Test)> {
    let beside = draft.index.metrics.iter().enumerate();
    let beside =
        beside.flat_map(|(id, (_, metric))| metric.tests.iter().map(move |test| (Some(MetricId(id as u16)), test.clone())));
    beside.chain(draft.definitions.tests.iter().map(|test| (None, test.clone()))).collect()
}

struct Lookup<'d, 'a> {
    draft: &'d Draft<'a>,
}

impl<'d, 'a> Lookup<'d, 'a> {
    fn test(&self, test: &written::Test, beside: Option<MetricId>, out: &mut Diagnostics) {
        for given in &test.given {
            self.draft.index.fixtures.find(&given.value, given.span, out);
        }
        self.ask(&test.ask, beside, out);
        let beside = beside.map(|id| self.draft.index.metrics.at(id.index()).0.value.as_str());
        // A metric that is none has been told above.
        let metrics = test.ask.metrics.iter().map(|text| text.value.as_str()).chain(beside.filter(|_| test.ask.metrics.is_empty()));
        let columns: Vec<&str> = test.ask.by.iter().map(key_of).chain(metrics).collect();
        for (name, _) in test.expect.iter().chain(&test.expect_totals).flatten() {
            if !columns.contains(&name.value.as_str()) {
                out.push(unknown("M070", "column of this question", &name.value, name.span, columns.iter().copied()));
            }
        }
    }

    fn ask(&self, ask: &written::Ask, beside: Option<MetricId>, out: &mut Diagnostics) {
        words_of(ask, out);
        let mut metrics = Vec::new();
        let mut missing = Vec::new();
        for text in &ask.metrics {
            match self.draft.index.metrics.find(&text.value, text.span, out) {
                Some(id) => metrics.push(MetricId(id as u16)),
                None => missing.push(text.value.as_str()),
            }
        }
        if ask.metrics.is_empty() {
            metrics.extend(beside);
        }
        if metrics.is_empty() && missing.is_empty() {
            out.push(Diagnostic::error("M070", ask.span, "this question asks for no metric").help("add `metrics: [name]`"));
            return;
        }
        let Some(view) = self.view(ask, &metrics, out) else {
            self.without_view(ask, &metrics, &missing, out);
            return;
        };
        let of_view = self.draft.index.views.get(&view.name).map_or(&[][..], |id| self.draft.missing[id].as_slice());
        missing.extend(of_view.iter().map(String::as_str));
        for (position, metric) in metrics.iter().enumerate() {
            let name = &self.draft.index.metrics.at(metric.index()).0.value;
            if !view.metrics.contains(metric) && !is_meant(name, &missing) {
                let span = ask.metrics.get(position).map_or(ask.span, |text| text.span);
                out.push(
                    Diagnostic::error("M070", span, format!("metric `{name}` is not in view `{}`", view.name))
                        .help("add it to the view, or ask another view"),
                );
            }
        }
        self.members(ask, view, &metrics, &missing, out);
    }

    fn view(&self, ask: &written::Ask, metrics: &[MetricId], out: &mut Diagnostics) -> Option<&'d View> {
        if let Some(text) = &ask.view {
            let is_whole = !self.draft.definitions.incomplete.iter().any(|name| name.value == text.value);
            return self.draft.index.views.find(&text.value, text.span, out).filter(|_| is_whole).map(|id| &self.draft.views[id]);
        }
        let found = view_for(&self.draft.views, metrics, ask);
        // A metric that is wrong has been reported; so may have been the view that was to hold it.
        let is_explained = |metric: &MetricId| {
            let name = self.draft.index.metrics.at(metric.index()).0.value.as_str();
            let may_be_written = self.draft.missing.iter().flatten().any(|missing| is_meant(name, &[missing]));
            may_be_written || self.draft.metrics[metric.index()].is_none()
        };
        if found.is_none() && self.draft.index.twice.is_empty() && !metrics.iter().any(is_explained) {
            out.push(
                Diagnostic::error("M070", ask.span, "no view has the metrics of this question")
                    .help("add them to one view, or name the view: `view: …`"),
            );
        }
        found
    }

    /// What can be told of a question whose view is not known.
    fn without_view(&self, ask: &written::Ask, metrics: &[MetricId], missing: &[&str], out: &mut Diagnostics) {
        if let Some(filter) = &ask.filter {
            expr::parse(filter, out);
        }
        if let Some(having) = &ask.having {
            names_in(having, "metric of this question", "M013", &self.names(metrics), missing, out);
        }
    }

    fn names(&self, metrics: &[MetricId]) -> Vec<&'a str> {
        metrics.iter().map(|metric| self.draft.index.metrics.at(metric.index()).0.value.as_str()).collect()
    }

    fn members(&self, ask: &written::Ask, view: &View, metrics: &[MetricId], missing: &[&str], out: &mut Diagnostics) {
        let dimensions: Vec<&str> = view.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
        let metric_names = self.names(metrics);
        let of_view = format!("dimension of view `{}`", view.name);
        for text in &ask.by {
            by_item(text, &of_view, &dimensions, missing, out);
        }
        if let Some(filter) = &ask.filter {
            names_in(filter, &of_view, "M011", &dimensions, missing, out);
            rules::in_question(self.draft, view, filter, out);
        }
        if let Some(having) = &ask.having {
            names_in(having, "metric of this question", "M013", &metric_names, missing, out);
        }
        let by: Vec<&str> = ask.by.iter().map(key_of).collect();
        let by_whole = ask.by.iter().map(|text| text.value.as_str());
        let sortable: Vec<&str> = by.iter().copied().chain(metric_names.iter().copied()).chain(by_whole).collect();
        for text in &ask.order_by {
            let mut words = text.value.split_whitespace();
            let (key, direction, rest) = (words.next().unwrap_or_default(), words.next(), words.next());
            if !sortable.contains(&key) && !is_meant(key, missing) {
                out.push(unknown("M070", "column of this question", key, text.span, sortable.iter().copied()));
            }
            if !matches!(direction, None | Some("asc" | "desc")) || rest.is_some() {
                out.push(
                    Diagnostic::error("M006", text.span, format!("`{}` is not an order", text.value))
                        .help("write `name`, `name asc` or `name desc`"),
                );
            }
        }
        if let Some(grain) = &ask.movement_grain
            && !view.movement_grains.contains(&grain.value)
        {
            let names = view.movement_grains.iter().map(String::as_str);
            out.push(unknown("M017", &format!("movement grain of view `{}`", view.name), &grain.value, grain.span, names));
        }
    }
}

/// What is right or wrong whatever is asked.
fn words_of(ask: &written::Ask, out: &mut Diagnostics) {
    let basis = [("point_to_point", ()), ("flow", ())];
    ask.movement_basis.as_ref().map(|text| words::one_of("movement basis", text, &basis, out));
    let basis = [("opening", ()), ("closing", ()), ("current", ())];
    ask.dimension_basis.as_ref().map(|text| words::one_of("dimension basis", text, &basis, out));
    ask.fill.as_ref().map(|text| words::one_of("value of `fill`", text, &[("none", ()), ("dense", ())], out));
    ask.range.iter().for_each(|text| range(text, out));
    ask.currency.as_ref().map(|code| currency_code(code, out));
    if let (None, Some(rate)) = (&ask.currency, &ask.exchange_rate) {
        out.push(
            Diagnostic::error("M037", rate.span, "`exchange_rate` names the rate of another currency")
                .help("add `currency:` with its code"),
        );
    }
    if let Some(text) = ask.as_of.as_ref().filter(|text| text.value.parse::<jiff::civil::Date>().is_err()) {
        out.push(
            Diagnostic::error("M007", text.span, format!("`{}` is not a day", text.value))
                .help("write a date such as `2025-01-31`"),
        );
    }
    if let Some(limit) = ask.limit.as_ref().filter(|limit| limit.value < 0) {
        out.push(Diagnostic::error("M007", limit.span, "a limit is not negative"));
    }
}

/// The key of a group: `period` of `period(month)`.
fn key_of(text: &Text) -> &str {
    text.value.split('(').next().unwrap_or_default().trim()
}

/// `segment`, `period(month)`, `created_on(quarter)`, `cohort(quarter)`, `age(6 months)`.
fn by_item(text: &Text, of_view: &str, dimensions: &[&str], missing: &[&str], out: &mut Diagnostics) {
    let (name, grain) = match text.value.strip_suffix(')').and_then(|inner| inner.split_once('(')) {
        Some((name, grain)) => (name.trim(), Some(grain.trim())),
        None => (text.value.trim(), None),
    };
    if let Some(ages) = grain.filter(|_| name == "age" && !dimensions.contains(&name)) {
        if let Err(message) = Ages::parse(ages) {
            out.push(Diagnostic::error("M006", text.span, message));
        }
        return;
    }
    if let Some(grain) = grain.filter(|grain| Grain::from_name(grain).is_none()) {
        let names = Grain::ALL.map(Grain::name);
        let mut diagnostic = Diagnostic::error("M006", text.span, format!("`{grain}` is not a grain"))
            .label(format!("expected one of: {}", names.join(", ")));
        if let Some(question) = did_you_mean(grain, names) {
            diagnostic = diagnostic.help(question);
        }
        out.push(diagnostic);
    }
    if name == "period" {
        if grain.is_none() {
            out.push(Diagnostic::error("M006", text.span, "`period` needs a grain").help("write for example `period(month)`"));
        }
        return;
    }
    if name == "cohort" && grain.is_some() {
        return;
    }
    if !dimensions.contains(&name) && !is_meant(name, missing) {
        out.push(unknown("M011", of_view, name, text.span, dimensions.iter().copied().chain(["period"])));
    }
}

/// Whether a name is one that is missing only because it is written wrong elsewhere, which has been reported there.
fn is_meant(name: &str, missing: &[&str]) -> bool {
    missing.contains(&name) || !suggest::nearest(name, missing.iter().copied()).is_empty()
}

fn names_in(text: &Text, what: &str, code: &'static str, names: &[&str], missing: &[&str], out: &mut Diagnostics) {
    let Some(parsed) = expr::parse(text, out) else { return };
    let mut wrong = Vec::new();
    parsed.visit_refs(&mut |name| {
        let written = name.to_string();
        if !names.contains(&written.as_str()) && !is_meant(&written, missing) {
            wrong.push(unknown(code, what, &written, name.span, names.iter().copied()));
        }
    });
    wrong.into_iter().for_each(|diagnostic| out.push(diagnostic));
}

/// `2025`, `2025-Q1`, `2025-01`, or two dates with `..` between them, either of which may be left out.
fn range(text: &Text, out: &mut Diagnostics) {
    let date = |part: &str| part.is_empty() || part.parse::<jiff::civil::Date>().is_ok();
    let number = |part: &str, digits: usize| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_month = |part: &str| number(part, 2) && (1..=12).contains(&part.parse::<u8>().unwrap_or_default());
    let fine = match text.value.split_once("..") {
        Some((from, to)) => date(from) && date(to) && (from.is_empty() || to.is_empty() || from < to),
        None => match text.value.split_once('-') {
            None => number(&text.value, 4),
            Some((year, part)) => number(year, 4) && (matches!(part, "Q1" | "Q2" | "Q3" | "Q4") || is_month(part)),
        },
    };
    if !fine {
        out.push(
            Diagnostic::error("M007", text.span, format!("`{}` is not a range", text.value))
                .help("write `2025`, `2025-Q1`, `2025-01`, or `2025-01-01..2025-04-01` (the end excluded)"),
        );
    }
}
