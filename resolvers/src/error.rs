//! What went wrong, as a GraphQL error: message, place, code. The only module that writes `extensions.code`.

use std::time::Duration;

use apollo_compiler::parser::{LineColumn, SourceMap, SourceSpan};
use holdfast_schema::query::{QueryError, QueryErrorCode};

use crate::{json, runner::RunError};

/// One error of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Stable code.
    pub(crate) code: &'static str,
    /// One sentence.
    pub(crate) message: Box<str>,
    /// What to do.
    pub(crate) help: Option<Box<str>>,
    /// Nearest valid names.
    pub(crate) suggestions: Box<[String]>,
    /// Lines and columns in the document.
    pub(crate) locations: Vec<(usize, usize)>,
    /// Where in the response; empty for the whole request.
    pub(crate) path: Vec<Step>,
    /// In how many seconds it may be tried again, where that helps.
    pub(crate) retry_after_seconds: Option<u32>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A response key.
    Key(String),
    /// A position in a list.
    Index(usize),
}

/// Apollo's code for a document that is not GraphQL.
pub(crate) const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
/// Apollo's code for a document that does not fit the schema.
pub(crate) const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
/// Apollo's code for arguments and variables that cannot be used.
pub(crate) const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// Apollo's code for an operation name that does not fit the document.
pub(crate) const OPERATION_RESOLUTION_FAILURE: &str = "OPERATION_RESOLUTION_FAILURE";
/// A document that asks for more than the limits allow.
pub(crate) const LIMIT_EXCEEDED: &str = "DOCUMENT_LIMIT_EXCEEDED";
/// A dimension is selected that `by` does not group by.
pub(crate) const DIMENSION_NOT_GROUPED: &str = "DIMENSION_NOT_GROUPED";
/// A value of the data is not among those the definition declares.
pub(crate) const UNDECLARED_VALUE: &str = "UNDECLARED_VALUE";
/// An operation that costs more than one may.
pub(crate) const COST_EXCEEDED: &str = "LIMIT_EXCEEDED";
/// A caller who has spent what there was.
pub(crate) const BUDGET_EXCEEDED: &str = "BUDGET_EXCEEDED";
/// Too many questions at once.
pub(crate) const OVERLOADED: &str = "OVERLOADED";
/// The response would be larger than allowed.
pub(crate) const RESULT_TOO_LARGE: &str = "RESULT_TOO_LARGE";
/// More fields failed than the response has errors for.
pub(crate) const ERRORS_LEFT_OUT: &str = "ERRORS_LEFT_OUT";

impl Problem {
    /// A problem without a place.
    pub(crate) fn new(code: &'static str, message: impl Into<Box<str>>) -> Self {
        Self {
            code,
            message: message.into(),
            help: None,
            suggestions: Box::default(),
            locations: Vec::new(),
            path: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// An argument or variable that cannot be used.
    pub(crate) fn input(message: impl Into<Box<str>>) -> Self {
        Self::new(BAD_USER_INPUT, message)
    }

    /// Adds advice.
    pub(crate) fn help(mut self, text: impl Into<Box<str>>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Says where in the document, unless that is already known.
    pub(crate) fn at(mut self, place: Option<SourceSpan>, sources: &SourceMap) -> Self {
        if self.locations.is_empty() {
            self.locations.extend(place.and_then(|place| place.line_column(sources)).map(pair));
        }
        self
    }

    /// Writes it as JSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>, correlation_id: &str) {
        out.extend_from_slice(b"{\"message\":");
        json::string(out, &self.message);
        if !self.locations.is_empty() {
            let places: Vec<_> =
                self.locations.iter().map(|(line, column)| format!("{{\"line\":{line},\"column\":{column}}}")).collect();
            out.extend_from_slice(format!(",\"locations\":[{}]", places.join(",")).as_bytes());
        }
        if !self.path.is_empty() {
            out.extend_from_slice(b",\"path\":[");
            for (index, step) in self.path.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                match step {
                    Step::Key(key) => json::string(out, key),
                    Step::Index(index) => out.extend_from_slice(index.to_string().as_bytes()),
                }
            }
            out.push(b']');
        }
        out.extend_from_slice(b",\"extensions\":{\"code\":");
        json::string(out, self.code);
        out.extend_from_slice(b",\"correlationId\":");
        json::string(out, correlation_id);
        if let Some(help) = &self.help {
            out.extend_from_slice(b",\"help\":");
            json::string(out, help);
        }
        if !self.suggestions.is_empty() {
            out.extend_from_slice(b",\"suggestions\":");
            json::strings(out, self.suggestions.iter().map(String::as_str));
        }
        if let Some(seconds) = self.retry_after_seconds {
            out.extend_from_slice(format!(",\"retryAfterSeconds\":{seconds}").as_bytes());
        }
        out.extend_from_slice(b"}}");
    }
}

/// Writes errors under a key; nothing when there are none.
pub(crate) fn write_all(out: &mut Vec<u8>, key: &[u8], problems: &[Problem], correlation_id: &str) {
    if problems.is_empty() {
        return;
    }
    out.extend_from_slice(key);
    out.push(b'[');
    for (index, problem) in problems.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        problem.write(out, correlation_id);
    }
    out.push(b']');
}

/// A wait in whole seconds, never shorter than it is and never none.
pub(crate) fn whole_seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// Line and column as numbers.
pub(crate) fn pair(place: LineColumn) -> (usize, usize) {
    (place.line, place.column)
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let code = match error.code {
            QueryErrorCode::InvalidArgument => BAD_USER_INPUT,
            other => other.as_str(),
        };
        Self { help: error.help.map(Box::from), suggestions: error.suggestions.into(), ..Self::new(code, error.message) }
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        let message = error.to_string();
        match error {
            RunError::Query(error) => error.into(),
            RunError::WarehouseUnavailable => Self::new("WAREHOUSE_UNAVAILABLE", message),
            RunError::Timeout { .. } => Self::new("QUERY_TIMEOUT", message),
            RunError::ResultTooLarge { .. } => Self::new(RESULT_TOO_LARGE, message),
            RunError::Overloaded { retry_after } => {
                Self { retry_after_seconds: Some(whole_seconds(retry_after)), ..Self::new(OVERLOADED, message) }
            }
            RunError::Value => Self::new(BAD_USER_INPUT, message).help("compare with a value as the column holds it, or leave the condition out"),
            RunError::Data(_) => Self::new("DATA_ERROR", message),
            RunError::Misfit => Self::new("DEFINITIONS_MISFIT", message).help(
                "`holdfast check` says which, and where it is declared; a server says it in its log and at `/definitions/diagnostics`",
            ),
            RunError::Internal => Self::new("INTERNAL_SERVER_ERROR", message),
        }
    }
}
