//! The port to the data: a [`Statement`] goes in, typed columns come out. What speaks to an engine lives in the folder of that engine.

pub mod counting;
mod csv;
mod ddl;
pub mod embedded;
pub mod postgres;
pub mod table;

use std::time::Duration;

use async_trait::async_trait;
use holdfast_schema::{
    sql::{Dialect, Statement},
    value::{RowSet, ValueType},
};

/// Runs statements. Dropping the future of [`Warehouse::run`] stops the statement in the engine too.
#[async_trait]
pub trait Warehouse: Send + Sync + 'static {
    /// Runs one statement.
    async fn run(&self, statement: &Statement) -> Result<RowSet, Error>;

    /// The SQL it wants.
    fn dialect(&self) -> Dialect;

    /// What tells its answers from those of another warehouse, for cache keys. Holds no secret.
    fn identity(&self) -> String;

    /// Asks for a sign of life.
    async fn ping(&self) -> Result<(), Error>;

    /// Every column of every table that may be read, by schema, table and position.
    async fn columns(&self) -> Result<Vec<CatalogueColumn>, Error>;

    /// What is going on, without asking the engine.
    fn status(&self) -> Status;
}

/// What a single statement may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest run time.
    pub timeout: Duration,
    /// Most rows of a result.
    pub rows: usize,
    /// Most bytes of a result.
    pub bytes: usize,
    /// Most bytes that all statements together may use in the embedded engine while they run, beside the tables themselves.
    pub memory: usize,
}

impl Default for Limits {
    /// 30 s, 1,000,000 rows, 256 MiB, 1 GiB.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), rows: 1_000_000, bytes: 256 << 20, memory: 1 << 30 }
    }
}

impl Limits {
    /// Refuses a result that has grown too large.
    pub(crate) fn check(&self, rows: usize, bytes: usize) -> Result<(), Error> {
        if rows > self.rows {
            return Err(Error::ResultTooLarge { limit: format!("{} rows", self.rows) });
        }
        if bytes > self.bytes {
            return Err(Error::ResultTooLarge { limit: format!("{} MiB", self.bytes >> 20) });
        }
        Ok(())
    }
}

/// How a warehouse is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Whether the last contact succeeded; `None` before the first.
    pub reachable: Option<bool>,
    /// Statements that run now.
    pub running: usize,
    /// Requests that wait for a connection.
    pub waiting: usize,
    /// Open connections; 0 for an engine in process.
    pub connections: usize,
}

/// A column as the warehouse describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueColumn {
    /// Schema of the table.
    pub schema: String,
    /// Table or view.
    pub table: String,
    /// Column.
    pub column: String,
    /// The engine's name of the type.
    pub type_name: String,
    /// Our type, when we can read the column.
    pub value_type: Option<ValueType>,
    /// Whether it may hold nulls.
    pub nullable: bool,
    /// Position in the primary key, from 1.
    pub key_position: Option<u16>,
    /// Foreign keys it takes part in.
    pub references: Vec<ColumnReference>,
}

/// One column's part in a foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnReference {
    /// Name of the constraint, which groups the columns of one key.
    pub constraint: String,
    /// Schema of the other table.
    pub schema: String,
    /// The other table.
    pub table: String,
    /// The other column.
    pub column: String,
}

/// Why a statement gave no rows. Details are for the log: they can hold SQL and driver text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The address, or what it names, cannot be used; found before anything is connected to.
    #[error("warehouse address: {0}")]
    Address(String),
    /// The engine cannot be reached, or refuses connections for now (SQLSTATE classes 08, 53, 57P0x).
    #[error("warehouse unavailable: {0}")]
    Unavailable(String),
    /// It ran longer than allowed (57014).
    #[error("statement stopped after {limit:?}")]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// More rows or bytes than allowed.
    #[error("result larger than {limit}")]
    ResultTooLarge {
        /// The limit in words.
        limit: String,
    },
    /// No connection became free in time.
    #[error("no connection free within {waited:?}")]
    Overloaded {
        /// How long we waited.
        waited: Duration,
    },
    /// A value of the question is none of the type that it is compared with: no UUID, no word of an enum (22P02 before any row).
    #[error("value refused: {0}")]
    Value(String),
    /// Values that cannot be computed with or carried: overflow, NaN, a text that is no number (class 22).
    #[error("data error: {0}")]
    Data(String),
    /// The role may not read something (42501, class 28).
    #[error("permission denied: {0}")]
    Denied(String),
    /// The statement names a table or a column that is not there (42P01, 42703, 3F000): definitions that do not fit.
    #[error("no such table or column: {0}")]
    Misfit(String),
    /// The statement does not fit the engine or its tables otherwise (the rest of class 42, and everything else): our bug, or
    /// definitions that do not fit.
    #[error("statement refused: {0}")]
    Statement(String),
}

impl Error {
    /// Sorts a server's error by its SQLSTATE.
    pub fn from_sqlstate(code: &str, message: String, limits: &Limits) -> Self {
        match (code.get(..2).unwrap_or(""), code) {
            (_, "57014") => Error::Timeout { limit: limits.timeout },
            ("08" | "53", _) | (_, "57P01" | "57P02" | "57P03" | "57P04" | "57P05") => Error::Unavailable(message),
            ("22", _) => Error::Data(message),
            ("28", _) | (_, "42501") => Error::Denied(message),
            (_, "42P01" | "42703" | "3F000") => Error::Misfit(message),
            _ => Error::Statement(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstate_classes_decide() {
        let of = |code| Error::from_sqlstate(code, String::new(), &Limits::default());
        assert_eq!(of("57014"), Error::Timeout { limit: Duration::from_secs(30) });
        for code in ["08006", "53300", "57P01", "57P03"] {
            assert_eq!(of(code), Error::Unavailable(String::new()), "{code}");
        }
        assert_eq!(of("22003"), Error::Data(String::new()));
        assert_eq!(of("42501"), Error::Denied(String::new()));
        for code in ["42703", "42P01", "3F000"] {
            assert_eq!(of(code), Error::Misfit(String::new()), "{code}");
        }
        for code in ["42883", "42601", "XX000", ""] {
            assert_eq!(of(code), Error::Statement(String::new()), "{code}");
        }
    }
}
