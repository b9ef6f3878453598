//! `holdfast compile`

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use clap::{Args, ValueEnum};
use holdfast_resolvers::RequestContext;
use holdfast_schema::{
    compile,
    definition::{Text, test::Ask},
    diagnostic::{Diagnostics, render},
    model::Model,
    query::{Caller, MetricQuery, QueryError},
    source::{FileId, SourceMap, Span, Spanned},
    sql::{Dialect, Statement},
};
use jiff::{Timestamp, Zoned};

use super::{
    Failure, Outcome, Settings, block_on, color, complain, say,
    settings::{Common, Global},
    show,
};
use crate::{
    recorder::{Question, Recorder},
    testing::ask::{Surroundings, question},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// GraphQL document to compile; `-` is standard input.
    #[arg(value_name = "QUERY.graphql", required_unless_present = "metrics", conflicts_with = "metrics")]
    document: Option<PathBuf>,
    /// Variables of the document, as JSON.
    #[arg(long, value_name = "JSON", requires = "document")]
    variables: Option<String>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    words: Words,
    /// Show the question and the plan too.
    #[arg(long)]
    explain: bool,
    /// For which engine.
    #[arg(long, value_enum, default_value_t = Engine::Postgres)]
    dialect: Engine,
}

/// A question in the words of the definitions.
#[derive(Debug, Args)]
struct Words {
    /// View to ask; default the first that has the metrics.
    #[arg(long, requires = "metrics")]
    view: Option<String>,
    /// Metrics, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    metrics: Vec<String>,
    /// Group keys, separated by commas: `segment`, `period(month)`.
    #[arg(long, value_delimiter = ',', value_name = "KEYS")]
    by: Vec<String>,
    /// `2025`, `2025-Q1`, `2025-01`, or `2025-01-01..2025-04-01` (end excluded).
    #[arg(long)]
    range: Option<String>,
    /// Condition over dimensions.
    #[arg(long = "where", value_name = "CONDITION")]
    filter: Option<String>,
    /// Condition over metrics.
    #[arg(long, value_name = "CONDITION")]
    having: Option<String>,
    /// Order, separated by commas: `mrr desc`.
    #[arg(long, value_delimiter = ',', value_name = "ORDER")]
    order_by: Vec<String>,
    /// Rows at most.
    #[arg(long)]
    limit: Option<i64>,
    /// Members of movements.
    #[arg(long, value_name = "GRAIN")]
    movement_grain: Option<String>,
    /// `point_to_point` or `flow`.
    #[arg(long, value_name = "BASIS")]
    movement_basis: Option<String>,
    /// The day that counts as today.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// A totals row too.
    #[arg(long)]
    totals: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// PostgreSQL and what speaks its language.
    Postgres,
    /// The embedded engine.
    Embedded,
}

impl Engine {
    fn dialect(self) -> Dialect {
        match self {
            Engine::Postgres => Dialect::Postgres,
            Engine::Embedded => Dialect::Embedded,
        }
    }
}

/// Prints the SQL of a question.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let Some(generation) = settings.generation(&settings.origin())? else {
        return Ok(Outcome::Wrong);
    };
    let dialect = arguments.dialect.dialect();
    let Some(path) = &arguments.document else {
        return from_words(&generation.model, &arguments.words, dialect, arguments.explain);
    };
    let text = read_document(path)?;
    let mut request = async_graphql::Request::new(text);
    if let Some(variables) = &arguments.variables {
        let json: serde_json::Value =
            serde_json::from_str(variables).map_err(|error| Failure::usage(format!("`--variables` is not JSON: {error}")))?;
        request = request.variables(async_graphql::Variables::from_json(json));
    }
    let asked = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::new(Recorder::new(dialect, Arc::clone(&asked)));
    let context = RequestContext {
        model: Arc::clone(&generation.model),
        caller: Caller::default(),
        now: Timestamp::now(),
        correlation_id: String::new(),
    };
    let answer = block_on(generation.api.execute(recorder, context, request))?;
    let questions = asked.lock().map(|mut asked| std::mem::take(&mut *asked)).unwrap_or_default();
    for (index, question) in questions.iter().enumerate() {
        say(&write(&generation.model, index + 1, question, dialect, arguments.explain))?;
    }
    if answer.had_errors {
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        for error in body["errors"].as_array().into_iter().flatten() {
            complain(error["message"].as_str().unwrap_or("the document was refused"));
        }
        return Ok(Outcome::Wrong);
    }
    Ok(Outcome::Well)
}

fn read_document(path: &PathBuf) -> Result<String, Failure> {
    let read = if path.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { fs::read_to_string(path) };
    read.map_err(|error| Failure::outside(format!("cannot read `{}`: {error}", path.display())))
}

fn from_words(model: &Model, words: &Words, dialect: Dialect, explain: bool) -> Result<Outcome, Failure> {
    let mut line = CommandLine::default();
    let ask = line.ask(words);
    let sources = SourceMap::new([("command line".to_owned(), line.text)]);
    let mut diagnostics = Diagnostics::default();
    let around = Surroundings { today: Some(Zoned::now().date()), totals: words.totals, ..Surroundings::default() };
    let Some(query) = question(model, &ask, around, &mut diagnostics) else {
        show(&render::human(&sources, &diagnostics, color()));
        return Ok(Outcome::Wrong);
    };
    match compile::metrics(model, &query, &Caller::default(), dialect) {
        Ok(plan) => {
            say(&write(model, 1, &Question::Metrics { query, plan: Arc::new(plan) }, dialect, explain))?;
            Ok(Outcome::Well)
        }
        Err(error) => {
            complain(&refusal(&error));
            Ok(Outcome::Wrong)
        }
    }
}

fn refusal(error: &QueryError) -> String {
    let help = error.help.as_deref().map_or_else(String::new, |help| format!("\n  help: {help}"));
    let suggestions =
        if error.suggestions.is_empty() { String::new() } else { format!("\n  did you mean: {}", error.suggestions.join(", ")) };
    format!("{}: {}{help}{suggestions}", error.code.as_str(), error.message)
}

/// The words of the command line as a text, so that mistakes are shown with a caret.
#[derive(Default)]
struct CommandLine {
    text: String,
}

impl CommandLine {
    fn ask(&mut self, words: &Words) -> Ask {
        let mut one = |flag: &str, value: &Option<String>| value.as_ref().map(|value| self.word(flag, value));
        let view = one("--view", &words.view);
        let range = one("--range", &words.range);
        let filter = one("--where", &words.filter);
        let having = one("--having", &words.having);
        let movement_grain = one("--movement-grain", &words.movement_grain);
        let movement_basis = one("--movement-basis", &words.movement_basis);
        let as_of = one("--as-of", &words.as_of);
        let mut many = |flag: &str, values: &[String]| values.iter().map(|value| self.word(flag, value)).collect::<Vec<_>>();
        let metrics = many("--metrics", &words.metrics);
        let by = many("--by", &words.by);
        let order_by = many("--order-by", &words.order_by);
        let limit = words.limit.map(|limit| self.word("--limit", &limit.to_string()).map(|_| limit));
        let span = Span { file: FileId(0), start: 0, end: self.text.len() as u32 };
        Ask { span, view, metrics, by, range, filter, having, order_by, limit, movement_grain, movement_basis, as_of, fill: None }
    }

    fn word(&mut self, flag: &str, value: &str) -> Text {
        self.text.push_str(flag);
        self.text.push(' ');
        let start = self.text.len() as u32;
        self.text.push_str(value);
        let span = Span { file: FileId(0), start, end: self.text.len() as u32 };
        self.text.push('\n');
        Spanned::new(value.to_owned(), span)
    }
}

fn write(model: &Model, number: usize, question: &Question, dialect: Dialect, explain: bool) -> String {
    let mut out = String::new();
    match question {
        Question::Metrics { query, plan } => {
            out.push_str(&format!("-- question {number}: {}\n", metric_title(query)));
            if explain {
                let text = compile::explain(model, query, &Caller::default(), dialect);
                out.push_str(&text.unwrap_or_else(|error| refusal(&error)));
            } else {
                out.push_str(&statement("rows", &plan.rows));
            }
            out.extend(plan.totals.as_ref().map(|totals| statement("totals", totals)));
        }
        Question::Entities { query, plan } => {
            out.push_str(&format!("-- question {number}: {}\n", query.entity));
            if explain {
                let text = compile::explain_entities(model, query, &Caller::default());
                out.push_str(&text.unwrap_or_else(|error| refusal(&error)));
            }
            out.push_str(&statement("rows", &plan.rows));
        }
        Question::Count { query, plan } => {
            out.push_str(&format!("-- question {number}: count of {}\n", query.entity));
            out.push_str(&statement("rows", &plan.rows));
        }
    }
    out
}

fn metric_title(query: &MetricQuery) -> String {
    let metrics: Vec<&str> = query.metrics.iter().map(|metric| metric.metric.as_str()).collect();
    let by: Vec<&str> = query.by.iter().map(|group| group.key.as_str()).collect();
    if by.is_empty() { metrics.join(", ") } else { format!("{} by {}", metrics.join(", "), by.join(", ")) }
}

fn statement(name: &str, statement: &Statement) -> String {
    let mut out = format!("-- {name}\n{};\n", statement.sql.as_str().trim_end());
    for (index, param) in statement.params.iter().enumerate() {
        out.push_str(&format!("-- ${} = {param:?}\n", index + 1));
    }
    out
}
