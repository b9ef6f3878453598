//! The engines we write SQL for. Differences are small methods on the renderer's side, generic first.

/// A target engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// PostgreSQL and what speaks its language.
    Postgres,
    /// The embedded engine (DataFusion).
    Embedded,
}

impl Dialect {
    /// The name in settings and output.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Postgres => "postgres",
            Dialect::Embedded => "embedded",
        }
    }
}
