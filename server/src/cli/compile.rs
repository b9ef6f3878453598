//! `holdfast compile`

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use clap::{Args, ValueEnum};
use holdfast_schema::{
    compile,
    model::Model,
    query::{Caller, MetricQuery},
    sql::{Dialect, Statement},
};

use super::{
    Failure, Outcome, Settings,
    ask::context,
    block_on,
    caller::{As, today},
    complain, document, say,
    settings::{Common, Global},
    words::{Words, refusal},
};
use crate::recorder::{Question, Recorder};

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
    #[command(flatten)]
    asked_as: As,
    /// Show the question, the policies that restrict it and the plan too.
    #[arg(long)]
    explain: bool,
    /// For which engine.
    #[arg(long, value_enum, default_value_t = Engine::Postgres)]
    dialect: Engine,
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
    let caller = today(&generation.model, arguments.asked_as.caller(&settings)?);
    let Some(path) = &arguments.document else {
        return from_words(&generation.model, &arguments.words, &caller, dialect, arguments.explain);
    };
    let request = document::request(&document::read(path)?, arguments.variables.as_deref())?;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let recorder = Arc::new(Recorder::new(dialect, Arc::clone(&asked)));
    let context = context(&generation, &caller);
    let answer = block_on(async { generation.api_of(&caller).await.execute(recorder, context, request).await })?;
    let questions = asked.lock().map(|mut asked| std::mem::take(&mut *asked)).unwrap_or_default();
    for (index, question) in questions.iter().enumerate() {
        say(&write(&generation.model, index + 1, question, &caller, dialect, arguments.explain))?;
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

fn from_words(model: &Model, words: &Words, caller: &Caller, dialect: Dialect, explain: bool) -> Result<Outcome, Failure> {
    let Some(query) = words.question(model) else {
        return Ok(Outcome::Wrong);
    };
    match compile::metrics(model, &query, caller, dialect) {
        Ok(plan) => {
            say(&write(model, 1, &Question::Metrics { query, plan: Arc::new(plan) }, caller, dialect, explain))?;
            Ok(Outcome::Well)
        }
        Err(error) => {
            complain(&refusal(&error));
            Ok(Outcome::Wrong)
        }
    }
}

fn write(model: &Model, number: usize, question: &Question, caller: &Caller, dialect: Dialect, explain: bool) -> String {
    let mut out = String::new();
    match question {
        Question::Metrics { query, plan } => {
            out.push_str(&format!("-- question {number}: {}\n", metric_title(query)));
            if explain {
                out.push_str(&policies(&plan.policies));
                let text = compile::explain(model, query, caller, dialect);
                out.push_str(&text.unwrap_or_else(|error| refusal(&error)));
            } else {
                out.push_str(&statement("rows", &plan.rows));
            }
            out.extend(plan.totals.as_ref().map(|totals| statement("totals", totals)));
        }
        Question::Entities { query, plan } => {
            out.push_str(&format!("-- question {number}: {}\n", query.entity));
            if explain {
                out.push_str(&policies(&plan.policies));
                let text = compile::explain_entities(model, query, caller);
                out.push_str(&text.unwrap_or_else(|error| refusal(&error)));
            }
            out.push_str(&statement("rows", &plan.rows));
        }
        Question::Count { query, plan } => {
            out.push_str(&format!("-- question {number}: count of {}\n", query.entity));
            if explain {
                out.push_str(&policies(&plan.policies));
            }
            out.push_str(&statement("rows", &plan.rows));
        }
    }
    out
}

/// Which policies restrict the answer.
fn policies(names: &[String]) -> String {
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!("-- policies: {names}\n")
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
