//! A finished statement: text, bound values, typed columns.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use sha2::{Digest as _, Sha256};

use crate::{hex, value::ValueType};

/// SQL text made by the renderer. Text made at run time comes from this crate only, so a connector can run nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SqlText(Arc<str>);

impl SqlText {
    pub(crate) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// Text that stands in a program: a fixed question of ours, or check SQL of a test. It cannot hold anything a user wrote.
    pub fn fixed(text: &'static str) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A bound value with its SQL type. `$1` is the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Param {
    /// `boolean`.
    Bool(bool),
    /// `bigint`.
    Int(i64),
    /// `numeric`, in canonical decimal text.
    Decimal(String),
    /// `text`.
    Text(String),
    /// `date`.
    Date(Date),
    /// `timestamptz`.
    Timestamp(Timestamp),
}

/// One column of the result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OutputColumn {
    /// Name in the result, unique in the statement.
    pub name: String,
    /// Type the connector must decode to.
    pub value_type: ValueType,
}

/// What a connector runs: exactly one select.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Statement {
    /// The text.
    pub sql: SqlText,
    /// Bound values in order.
    pub params: Vec<Param>,
    /// Result columns in order.
    pub columns: Vec<OutputColumn>,
    /// Whether it finds few rows by key, so that a kept plan pays; metrics want a plan for their own values.
    pub is_lookup: bool,
}

impl Statement {
    /// Hex digest of text, values and result types: equal questions have equal digests.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.sql.as_str().as_bytes());
        for param in &self.params {
            hash.update([0]);
            hash.update(format!("{param:?}").as_bytes());
        }
        for column in &self.columns {
            hash.update([1]);
            hash.update(column.value_type.name().as_bytes());
        }
        hex::digits(hash.finalize())
    }
}
