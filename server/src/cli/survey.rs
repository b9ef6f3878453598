//! `holdfast survey`: every metric asked once, with what it gives or why it gives nothing, and how long that takes. Of saved documents
//! ([`saved`]) it shows what they cost.

mod progress;
mod saved;

use std::{cmp::Reverse, time::Instant};

use clap::Args;
use holdfast_resolvers::{MetricAnswer, RunError, Runner as _};
use holdfast_schema::{
    compile::ColumnRole,
    model::{Metric, Model, ViewTarget},
    query::{Ages, Caller, GroupBy, GroupItem, MetricQuery, MetricSelection, Scope, TimeRange},
    time::{Grain, Step},
    value::CellRef,
};
use jiff::{Timestamp, civil::Date};

use self::progress::Progress;
use super::{
    Failure, Outcome, Settings,
    ask::{context, table},
    block_on, count, misfits,
    place::Place,
    say,
    settings::{Common, Global},
    show,
};
use crate::{boot, engine::Engine, generation::Generation};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only metrics whose name contains this.
    #[arg(value_name = "NAME", default_value = "")]
    name: String,
    /// Instead of metrics, documents that the definitions save, separated by commas: each is asked twice.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "name")]
    saved: Vec<String>,
    /// Variables of the documents, as JSON.
    #[arg(long, value_name = "JSON", requires = "saved")]
    variables: Option<String>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    place: Place,
    /// The day that counts as today: metrics are asked for the month before it [default: today; of a demo, the day after its last
    /// month].
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// Milliseconds from which an answer counts as slow.
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    slow: u128,
}

/// Slow answers that are named at the end.
const NAMED: usize = 10;

/// Asks every metric once.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let (data, origin) = arguments.place.choose(&settings)?;
    let Some(generation) = settings.generation(&origin)? else {
        return Ok(Outcome::Wrong);
    };
    let as_of = arguments.as_of.or_else(|| data.end()).unwrap_or_else(|| generation.model.project.day_of(Timestamp::now()));
    block_on(async {
        let warehouse = boot::warehouse(&settings.config, &data).map_err(Failure::outside)?;
        if !arguments.saved.is_empty() {
            let variables = arguments.variables.as_deref();
            return saved::run(&generation, warehouse, settings.config.engine(), &arguments.saved, variables).await;
        }
        let engine = Engine::new(warehouse, settings.config.engine());
        let mut lines = vec![["metric", "value", "rows", "ms", "note"].map(str::to_owned).to_vec()];
        let mut answers = Vec::new();
        let asked: Vec<&Metric> = generation.model.metrics.iter().filter(|metric| metric.name.contains(&arguments.name)).collect();
        let mut progress = Progress::new(asked.len());
        for metric in asked {
            let answer = ask(&generation, &engine, metric, as_of).await;
            // Of what was not asked nothing was measured.
            let measured = |number: String| if answer.outcome == Kind::NotAsked { String::new() } else { number };
            let (rows, milliseconds) = (measured(answer.rows.to_string()), measured(answer.milliseconds.to_string()));
            lines.push(vec![metric.name.clone(), answer.value.clone(), rows, milliseconds, answer.note.clone()]);
            answers.push((metric.name.as_str(), answer));
            if let Some(line) = progress.step(Instant::now()) {
                show(&line);
            }
        }
        say(&format!("{}\n\n{}\n{}", what_is_asked(&generation.model, as_of), table(&lines), summary(&answers, arguments.slow)))?;
        misfits::tell(&generation, &engine).await;
        let all_well = answers.iter().all(|(_, answer)| answer.outcome != Kind::Failed);
        Ok(if all_well { Outcome::Well } else { Outcome::Wrong })
    })?
}

/// What became of one metric.
struct Answer {
    outcome: Kind,
    value: String,
    rows: usize,
    milliseconds: u128,
    note: String,
}

/// Kinds of what can become of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// There is a value.
    Value,
    /// There is none, and the note says why.
    Explained,
    /// It is in no view.
    NotAsked,
    /// An error, or no value and no reason.
    Failed,
}

fn what_is_asked(model: &Model, as_of: Date) -> String {
    let to = model.project.calendar.truncate(Grain::Month, as_of);
    let from = Step::months(1).before(to);
    format!(
        "Each metric for {from} up to {to} (excluded), as seen on {as_of}, without groups; where that is not possible the note says how."
    )
}

/// How many metrics became what, and which took long.
fn summary(answers: &[(&str, Answer)], slow: u128) -> String {
    let of = |kind: Kind| answers.iter().filter(|(_, answer)| answer.outcome == kind).count();
    let mut slowest: Vec<_> = answers.iter().filter(|(_, answer)| answer.milliseconds > slow).collect();
    slowest.sort_by_key(|(name, answer)| (Reverse(answer.milliseconds), *name));
    let total: u128 = answers.iter().map(|(_, answer)| answer.milliseconds).sum();
    let width = slowest.iter().take(NAMED).map(|(name, _)| name.len()).max().unwrap_or_default();
    let named = slowest.iter().take(NAMED).map(|(name, answer)| format!("  {name:width$}  {} ms\n", answer.milliseconds));
    let slow = match slowest.len() {
        0 => format!("none took longer than {slow} ms"),
        few @ ..=NAMED => format!("{few} took longer than {slow} ms:"),
        many => format!("{many} took longer than {slow} ms, the slowest of them:"),
    };
    [
        count(answers.len(), "metric"),
        format!("  {} with a value", of(Kind::Value)),
        format!("  {} without one, for the reason in the note", of(Kind::Explained)),
        format!("  {} not asked: they are in no view, others are computed from them", of(Kind::NotAsked)),
        format!("  {} failed", of(Kind::Failed)),
        format!("{total} ms in all; {slow}"),
        named.collect(),
    ]
    .join("\n")
}

/// Why there is no value, in the words of somebody who reads a report.
fn reason(status: &str) -> String {
    match status {
        "NO_ROWS" => "no rows in this time".to_owned(),
        "NULL_INPUT" => "something that it is computed from is not known".to_owned(),
        "ZERO_DENOMINATOR" => "its divisor is zero".to_owned(),
        "IMMATURE" => "not every member is old enough".to_owned(),
        "SUPPRESSED" => "too few to compare with".to_owned(),
        "NOT_APPLICABLE" => "does not apply here".to_owned(),
        other => other.to_lowercase().replace('_', " "),
    }
}

/// The metric over the last complete month before a day, in total; where that has no value, by the entity that comes first in its view.
async fn ask(generation: &Generation, engine: &Engine, metric: &Metric, as_of: Date) -> Answer {
    let started = Instant::now();
    let nothing = |note: String, outcome| Answer {
        outcome,
        value: String::new(),
        rows: 0,
        milliseconds: started.elapsed().as_millis(),
        note,
    };
    let Some(query) = question(&generation.model, metric, as_of) else {
        return nothing("in no view".to_owned(), Kind::NotAsked);
    };
    let context = context(generation, &Caller::default());
    let answer = match engine.metrics(&context, &query).await {
        Ok(answer) => answer,
        Err(error) => return nothing(error.to_string(), Kind::Failed),
    };
    let milliseconds = started.elapsed().as_millis();
    let rows = answer.rows.row_count();
    let shown = shown_of(&query, rows);
    let value = cell(&answer, 0, ColumnRole::Metric(0)).map(|cell| cell.to_string()).unwrap_or_default();
    let why = match cell(&answer, 0, ColumnRole::Status(0)) {
        Some(CellRef::Text(status)) => reason(status),
        _ if rows == 0 => reason("NO_ROWS"),
        _ if value.is_empty() => return nothing("no value and no reason".to_owned(), Kind::Failed),
        _ => return Answer { outcome: Kind::Value, value, rows, milliseconds, note: shown },
    };
    let within = match by_entity(&generation.model, &query) {
        Some((entity, query)) => match engine.metrics(&context, &query).await {
            Ok(answer) => first_value(&answer, entity),
            // It has no meaning by this entity.
            Err(RunError::Query(_)) => None,
            Err(error) => return nothing(error.to_string(), Kind::Failed),
        },
        None => None,
    };
    match within {
        Some((value, place)) => {
            Answer { outcome: Kind::Value, value, rows, milliseconds, note: format!("in total {why}; {place}") }
        }
        None => {
            let note = [shown, why].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
            Answer { outcome: Kind::Explained, value, rows, milliseconds, note }
        }
    }
}

/// The same question by the first entity of its view; none where it is asked by one already.
fn by_entity<'a>(model: &'a Model, query: &MetricQuery) -> Option<(&'a str, MetricQuery)> {
    let Scope::View(name) = &query.scope else { return None };
    let view = model.views.iter().find(|view| view.name == *name)?;
    let is_entity = |target: &ViewTarget| matches!(target, ViewTarget::Entity(_));
    let dimension = view.dimensions.iter().find(|dimension| is_entity(&dimension.target) && dimension.via.is_empty())?;
    let item = GroupItem::Dimension(dimension.name.clone());
    if query.by.iter().any(|by| matches!(&by.item, GroupItem::Dimension(name) if *name == dimension.name)) {
        return None;
    }
    let by = query.by.iter().cloned().chain([GroupBy { key: dimension.name.clone(), item }]).collect();
    Some((&dimension.name, MetricQuery { by, ..query.clone() }))
}

/// The first value of an answer by an entity, and of how many it is one.
fn first_value(answer: &MetricAnswer, entity: &str) -> Option<(String, String)> {
    let all = answer.rows.row_count();
    let mut values = (0..all)
        .filter_map(|row| cell(answer, row, ColumnRole::Metric(0)).map(|cell| cell.to_string()))
        .filter(|value| !value.is_empty());
    let first = values.next()?;
    Some((first, format!("the first of {} with a value by {entity}, of {all}", 1 + values.count())))
}

/// What the value is of, where a metric cannot be asked without groups: it is asked by what it needs, and the first row is shown.
fn shown_of(query: &MetricQuery, rows: usize) -> String {
    let groups = query.by.iter().map(|group| match &group.item {
        GroupItem::Age(_) => "by age: of those who began 12 to 24 months earlier, at 12 months".to_owned(),
        GroupItem::Dimension(_) | GroupItem::Time { .. } | GroupItem::Cohort { .. } => {
            format!("by {}: the first of {}", group.key, count(rows, "row"))
        }
    });
    groups.collect::<Vec<_>>().join("; ")
}

fn cell(answer: &MetricAnswer, row: usize, role: ColumnRole) -> Option<CellRef<'_>> {
    let column = answer.plan.columns.iter().position(|known| *known == role)?;
    (row < answer.rows.row_count()).then(|| answer.rows.cell(row, column))
}

fn question(model: &Model, metric: &Metric, as_of: Date) -> Option<MetricQuery> {
    let id = model.metric_named(&metric.name)?;
    let view = model.views.iter().find(|view| view.metrics.contains(&id))?;
    let to = model.project.calendar.truncate(Grain::Month, as_of);
    // Cohorts are asked for at an age that all of a year's have reached.
    let age = metric.is_cohort.then(|| Ages::new(Grain::Year, 1, None, Some(1)).expect("one year is an age"));
    // What compares entities is asked by them.
    let compared = view.dimensions.iter().filter(|dimension| match dimension.target {
        ViewTarget::Entity(entity) => dimension.via.is_empty() && metric.compares.contains(&entity),
        ViewTarget::Dimension(_) => false,
    });
    let by_age = age.map(|ages| GroupBy { key: "age".to_owned(), item: GroupItem::Age(ages) });
    let by_compared =
        compared.map(|dimension| GroupBy { key: dimension.name.clone(), item: GroupItem::Dimension(dimension.name.clone()) });
    let (months, last) = if age.is_some() { (24, Step::months(12).before(to)) } else { (1, to) };
    let selection = MetricSelection { status: true, ..MetricSelection::of(&metric.name) };
    Some(MetricQuery {
        by: by_age.into_iter().chain(by_compared).collect(),
        range: Some(TimeRange { from: Some(Step::months(months).before(to)), to: Some(last) }),
        ..MetricQuery::new(Scope::View(view.name.clone()), vec![selection], as_of)
    })
}
