//! Why a question cannot be answered: found before anything runs, with a stable code and a fix.

/// A question that cannot be answered. Safe to show to the asker: it never holds SQL, physical names or policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Stable code.
    pub code: QueryErrorCode,
    /// One sentence: what was found and what was expected.
    pub message: String,
    /// What to do, such as an argument that can be pasted back.
    pub help: Option<String>,
    /// Nearest names that are valid at that place.
    pub suggestions: Vec<String>,
}

impl QueryError {
    /// An error with a message.
    #[must_use]
    pub fn new(code: QueryErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, suggestions: Vec::new() }
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Says in which argument the advice is to be followed.
    #[must_use]
    pub(crate) fn within(self, argument: &str) -> Self {
        Self { help: self.help.map(|help| format!("in `{argument}`: {help}")), ..self }
    }

    /// Adds nearest valid names.
    #[must_use]
    pub fn suggest(mut self, names: Vec<String>) -> Self {
        self.suggestions = names;
        self
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),* $(,)?) => {
        /// Stable codes of refusals. Those with `E_` have the meaning of the open interchange standard's names (semantics of the
        /// query, not of the transport).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum QueryErrorCode { $($(#[$doc])* $variant),* }
        impl QueryErrorCode {
            /// The code as callers see it.
            pub fn as_str(self) -> &'static str {
                match self { $(QueryErrorCode::$variant => $text),* }
            }
        }
    };
}

codes! {
    /// A name that does not exist.
    NameNotFound = "E_NAME_NOT_FOUND",
    /// Two columns of one question under one key.
    NameCollision = "E_NAME_COLLISION",
    /// No relationship leads from a fact to the dimension.
    NoPath = "DIMENSION_NOT_REACHABLE",
    /// More than one path leads there.
    AmbiguousPath = "E_AMBIGUOUS_PATH",
    /// The measure would be multiplied.
    FanOut = "E_FAN_OUT_IN_SCALAR_QUERY",
    /// Parts cannot be added up to what was asked.
    UnsafeReaggregation = "E_UNSAFE_REAGGREGATION",
    /// A metric in a condition on rows.
    AggregateInWhere = "E_AGGREGATE_IN_WHERE",
    /// A dimension in a condition on groups.
    NonAggregateInHaving = "E_NON_AGGREGATE_IN_HAVING",
    /// A value that does not fit the field.
    TypeMismatch = "E_TYPE_MISMATCH",
    /// A grain finer than the data, or one that does not fit.
    InvalidGrain = "E_INVALID_GRAIN",
    /// A range or step that makes no sense, or is missing where needed.
    InvalidRange = "E_INVALID_RANGE",
    /// Any other argument that cannot be used.
    InvalidArgument = "E_INVALID_ARGUMENT",
    /// A question without metrics, or another that asks for nothing.
    EmptyQuery = "E_EMPTY_QUERY",
    /// There is no time left to find out what it means: said by whoever gave the time, between two stages of a compilation.
    PlanningTimeout = "PLANNING_TIMEOUT",
    /// The asker may not see this member.
    Forbidden = "FORBIDDEN",
}
