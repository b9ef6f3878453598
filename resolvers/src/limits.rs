//! How much one document may ask for: checked before anything is planned.

/// Limits of documents and pages. Each is a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of a document.
    pub tokens: usize,
    /// Recursion of the parser.
    pub recursion: usize,
    /// Levels of fields.
    pub depth: usize,
    /// Fields of an operation, fragments expanded.
    pub height: usize,
    /// Aliases of an operation, fragments expanded; every `__typename` but the first of a selection counts.
    pub aliases: usize,
    /// Root fields of an operation.
    pub root_fields: usize,
    /// Directives of a document.
    pub directives: usize,
    /// Fields of introspection in one operation; the limits above do not count them.
    pub introspection_fields: usize,
    /// Entities of a page when the request does not say.
    pub page: u64,
    /// Entities of a page at most.
    pub max_page: u64,
    /// Rows of a metric question when the request does not say.
    pub rows: u64,
    /// Rows of a metric question at most.
    pub max_rows: u64,
    /// Bytes of a response.
    pub response_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tokens: 5_000,
            recursion: 64,
            depth: 12,
            height: 300,
            aliases: 30,
            root_fields: 20,
            directives: 50,
            introspection_fields: 1_000,
            page: 50,
            max_page: 200,
            rows: 1_000,
            max_rows: 50_000,
            response_bytes: 10 * 1024 * 1024,
        }
    }
}
