//! `holdfast ask`

use std::{path::PathBuf, sync::Arc};

use clap::{Args, ValueEnum};
use holdfast_resolvers::{Api, MetricAnswer, Planning, RequestContext, RequestId, Runner as _};
use holdfast_schema::{
    compile::ColumnRole,
    definition::test::SavedQuestion,
    diagnostic::Diagnostics,
    model::Model,
    query::{Caller, MetricQuery},
    value::RowSet,
};
use jiff::Timestamp;

use super::{
    Failure, Outcome, Settings, block_on,
    caller::{As, today},
    complain, document, misfits,
    place::Place,
    say,
    settings::{Common, Global},
    show,
    words::{Words, refusal},
};
use crate::{
    boot,
    engine::Engine,
    generation::Generation,
    testing::{
        ask::{Surroundings, question},
        shown,
    },
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// GraphQL document to ask; `-` is standard input.
    #[arg(value_name = "QUERY.graphql", required_unless_present_any = ["metrics", "saved"], conflicts_with = "metrics")]
    document: Option<PathBuf>,
    /// Ask what the definitions save under this name: a question or a document.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["document", "metrics"])]
    saved: Option<String>,
    /// Variables of the document, as JSON.
    #[arg(long, value_name = "JSON")]
    variables: Option<String>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    asked_as: As,
    /// How rows are written; documents are answered as JSON.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for people.
    Table,
    /// Comma-separated values, exact.
    Csv,
}

/// Asks one question and prints the answer.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let (data, origin) = arguments.place.choose(&settings)?;
    let caller = arguments.asked_as.caller(&settings)?;
    let Some(generation) = settings.generation(&origin)? else {
        return Ok(Outcome::Wrong);
    };
    block_on(async {
        let warehouse = boot::warehouse(&settings.config, &data).map_err(Failure::outside)?;
        let engine = Arc::new(Engine::new(warehouse, settings.config.engine()));
        let outcome = ask(&generation, &engine, &arguments, &caller).await;
        misfits::tell(&generation, &engine).await;
        outcome
    })?
}

/// Asks what the arguments say.
async fn ask(generation: &Generation, engine: &Arc<Engine>, arguments: &Arguments, caller: &Caller) -> Result<Outcome, Failure> {
    let query = match arguments.saved.as_deref().and_then(|name| saved_question(&generation.model, name)) {
        Some(query) => query?,
        None if arguments.words.is_empty() => return answered(generation, Arc::clone(engine), arguments, caller).await,
        None => match arguments.words.question(&generation.model) {
            Some(query) => query,
            None => return Ok(Outcome::Wrong),
        },
    };
    words(generation, engine, &query, caller, arguments.format).await
}

/// What belongs to a question from the command line.
pub(super) fn context(generation: &Generation, caller: &Caller) -> RequestContext {
    RequestContext {
        request: RequestId::next(),
        model: Arc::clone(&generation.model),
        caller: today(&generation.model, caller.clone()),
        now: Timestamp::now(),
        correlation_id: "command-line".to_owned(),
        shows_cost: false,
        planning: Planning::untimed(),
    }
}

async fn answered(
    generation: &Generation,
    engine: Arc<Engine>,
    arguments: &Arguments,
    caller: &Caller,
) -> Result<Outcome, Failure> {
    let api = generation.api_of(caller).await;
    let text = match (&arguments.saved, &arguments.document) {
        (Some(name), _) => saved(&api, name)?,
        (None, Some(path)) => document::read(path)?,
        (None, None) => return Err(Failure::usage("name a document, a saved query or metrics")),
    };
    let request = document::request(&text, arguments.variables.as_deref())?;
    let answer = api.execute(engine, context(generation, caller), request).await;
    let body: serde_json::Value = serde_json::from_slice(&answer.body).map_err(Failure::outside)?;
    say(&format!("{body:#}"))?;
    Ok(if answer.had_errors { Outcome::Wrong } else { Outcome::Well })
}

/// The question that the definitions save under a name; `None` where they save a document or nothing.
fn saved_question(model: &Model, name: &str) -> Option<Result<MetricQuery, Failure>> {
    let (_, saved) = model.saved_queries.iter().find(|(known, _)| known == name)?;
    match &saved.question {
        SavedQuestion::Ask(ask) => {
            let around = Surroundings { today: Some(model.project.day_of(Timestamp::now())), ..Surroundings::default() };
            let query = question(model, ask, around, &mut Diagnostics::default());
            Some(query.ok_or_else(|| Failure::usage(format!("`{name}` cannot be asked: run `holdfast check`"))))
        }
        SavedQuestion::Document(_) => None,
    }
}

fn saved(api: &Api, name: &str) -> Result<String, Failure> {
    let text = api.saved_document(name).map(str::to_owned);
    text.ok_or_else(|| Failure::usage(format!("the definitions save nothing as `{name}`")))
}

async fn words(
    generation: &Generation,
    engine: &Engine,
    query: &MetricQuery,
    caller: &Caller,
    format: Format,
) -> Result<Outcome, Failure> {
    match engine.metrics(&context(generation, caller), query).await {
        Ok(answer) => {
            let mut lines = vec![header(query, &answer)];
            let shown = shown(query, &answer.rows);
            lines.extend((0..shown).map(|row| line(&answer.rows, row)));
            if let Some(totals) = &answer.totals {
                lines.extend((0..totals.row_count()).map(|row| totals_line(&answer, totals, row)));
            }
            say(&match format {
                Format::Table => table(&lines),
                Format::Csv => csv(&lines),
            })?;
            if shown < answer.rows.row_count() {
                show(&format!("there are more rows: these are the first {shown}, as `limit` says\n"));
            }
            Ok(Outcome::Well)
        }
        Err(holdfast_resolvers::RunError::Query(error)) => {
            complain(&refusal(&error));
            Ok(Outcome::Wrong)
        }
        Err(error) => Err(Failure::outside(error)),
    }
}

/// Columns under the names the question gave them.
fn header(query: &MetricQuery, answer: &MetricAnswer) -> Vec<String> {
    let name = |role: &ColumnRole| match role {
        ColumnRole::Group { by, part: 0 } => query.by[*by].key.clone(),
        ColumnRole::Group { by, part } => format!("{} {}", query.by[*by].key, part + 1),
        ColumnRole::Metric(position) => query.metrics[*position].key.clone(),
        ColumnRole::Previous(position) => format!("{} before", query.metrics[*position].key),
        ColumnRole::Status(position) => format!("{} status", query.metrics[*position].key),
        ColumnRole::RowCount => "rows".to_owned(),
    };
    answer.plan.columns.iter().map(name).collect()
}

fn line(rows: &RowSet, row: usize) -> Vec<String> {
    (0..rows.columns().len()).map(|column| rows.cell(row, column).to_string()).collect()
}

/// The totals under the columns of the rows; `total` stands where the group keys are.
fn totals_line(answer: &MetricAnswer, totals: &RowSet, row: usize) -> Vec<String> {
    let cell = |role: &ColumnRole| match answer.plan.total_columns.iter().position(|known| known == role) {
        Some(column) => totals.cell(row, column).to_string(),
        None => "total".to_owned(),
    };
    answer.plan.columns.iter().map(cell).collect()
}

/// Lines in columns as wide as they need to be.
pub(super) fn table(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..lines.first().map_or(0, Vec::len)).map(width).collect();
    let write = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(|line| write(line) + "\n").collect()
}

fn csv(lines: &[Vec<String>]) -> String {
    let quoted = |cell: &String| {
        let needs_quotes = cell.contains(['"', ',', '\n', '\r']);
        if needs_quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    };
    lines.iter().map(|line| line.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n").collect()
}
