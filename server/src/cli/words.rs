//! Questions on the command line: flags in the words of the definitions → a question.

use clap::Args;
use holdfast_schema::{
    definition::{Text, test::Ask},
    diagnostic::{Diagnostics, render},
    model::Model,
    query::{MetricQuery, QueryError},
    source::{FileId, SourceMap, Span, Spanned},
};
use jiff::Timestamp;

use super::{color, show};
use crate::testing::ask::{Surroundings, question};

/// A question in the words of the definitions.
#[derive(Debug, Args)]
pub(super) struct Words {
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
    /// `opening`, `closing` or `current`.
    #[arg(long, value_name = "BASIS")]
    dimension_basis: Option<String>,
    /// Money in this currency instead of the project's, such as `EUR`.
    #[arg(long, value_name = "CODE", requires = "metrics")]
    currency: Option<String>,
    /// Name of the exchange rate; default the project's.
    #[arg(long, value_name = "NAME", requires = "currency")]
    exchange_rate: Option<String>,
    /// The day that counts as today.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// A totals row too.
    #[arg(long)]
    pub(super) totals: bool,
}

impl Words {
    /// The question, or `None` after saying which words cannot be understood.
    pub(super) fn question(&self, model: &Model) -> Option<MetricQuery> {
        let mut line = CommandLine::default();
        let ask = line.ask(self);
        let sources = SourceMap::new([("command line".to_owned(), line.text)]);
        let mut diagnostics = Diagnostics::default();
        let around =
            Surroundings { today: Some(model.project.day_of(Timestamp::now())), totals: self.totals, ..Surroundings::default() };
        let query = question(model, &ask, around, &mut diagnostics);
        if query.is_none() {
            show(&render::human(&sources, &diagnostics, color()));
        }
        query
    }

    /// Whether anything is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }
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
        let dimension_basis = one("--dimension-basis", &words.dimension_basis);
        let currency = one("--currency", &words.currency);
        let exchange_rate = one("--exchange-rate", &words.exchange_rate);
        let as_of = one("--as-of", &words.as_of);
        let metrics = self.words("--metrics", &words.metrics);
        let by = self.words("--by", &words.by);
        let order_by = self.words("--order-by", &words.order_by);
        let limit = words.limit.map(|limit| self.word("--limit", &limit.to_string()).map(|_| limit));
        let span = Span { file: FileId(0), start: 0, end: self.text.len() as u32 };
        Ask {
            span,
            view,
            metrics,
            by,
            range,
            filter,
            having,
            order_by,
            limit,
            movement_grain,
            movement_basis,
            dimension_basis,
            as_of,
            fill: None,
            currency,
            exchange_rate,
        }
    }

    fn word(&mut self, flag: &str, value: &str) -> Text {
        self.text.push_str(&format!("{flag} "));
        let word = self.push(value);
        self.text.push('\n');
        word
    }

    /// Several on one line, as they are typed.
    fn words(&mut self, flag: &str, values: &[String]) -> Vec<Text> {
        let mut words = Vec::new();
        for value in values {
            self.text.push_str(&if words.is_empty() { format!("{flag} ") } else { ",".to_owned() });
            words.push(self.push(value));
        }
        if !words.is_empty() {
            self.text.push('\n');
        }
        words
    }

    fn push(&mut self, value: &str) -> Text {
        let start = self.text.len() as u32;
        self.text.push_str(value);
        Spanned::new(value.to_owned(), Span { file: FileId(0), start, end: self.text.len() as u32 })
    }
}

/// A refusal as people read it.
pub(super) fn refusal(error: &QueryError) -> String {
    let help = error.help.as_deref().map_or_else(String::new, |help| format!("\n  help: {help}"));
    let suggestions =
        if error.suggestions.is_empty() { String::new() } else { format!("\n  did you mean: {}", error.suggestions.join(", ")) };
    format!("{}: {}{help}{suggestions}", error.code.as_str(), error.message)
}
