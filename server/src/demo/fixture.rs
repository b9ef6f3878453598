//! Rows an author wrote in a `fixtures:` entry, laid over the demo's tables: columns that are not mentioned are null, tables that
//! are not mentioned are empty. Without foreign keys, because a fixture holds only what its question needs.

use std::collections::HashSet;

use holdfast_schema::{
    definition::test::{Fixture, FixtureRow, Literal},
    source::Span,
    value::{Value, canonical_decimal},
};
use holdfast_warehouse::table::{ColumnType, Table};

use super::layout::layout;

/// A fixture that does not fit the tables.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FixtureError {
    /// What does not fit.
    pub message: String,
    /// Where it was written.
    pub span: Span,
}

/// The demo's tables with the fixture's rows in them.
///
/// # Errors
/// When the fixture names a table or column that does not exist, or a value that its column cannot hold.
pub fn fixture(fixture: &Fixture) -> Result<Vec<Table>, FixtureError> {
    let mut tables = layout();
    for table in &mut tables {
        table.foreign_keys.clear();
    }
    for (name, rows) in &fixture.tables {
        let Some(table) = tables.iter_mut().find(|table| table.qualified_name() == name.value) else {
            return Err(FixtureError { message: format!("there is no table `{}`", name.value), span: name.span });
        };
        for row in rows {
            let values = lay_out(table, row)?;
            table.push(&values);
        }
    }
    Ok(tables)
}

fn lay_out(table: &Table, row: &FixtureRow) -> Result<Vec<Value>, FixtureError> {
    let mut written = HashSet::new();
    let mut values = vec![Value::Null; table.columns.len()];
    for (name, literal) in row {
        let Some(place) = table.columns.iter().position(|column| column.name == name.value) else {
            return Err(FixtureError { message: format!("`{}` has no column `{}`", table.name, name.value), span: name.span });
        };
        if !written.insert(place) {
            return Err(FixtureError { message: format!("`{}` is written twice in one row", name.value), span: name.span });
        }
        values[place] = read(literal, table.columns[place].column_type).ok_or_else(|| FixtureError {
            message: format!("`{}.{}` cannot hold this value", table.name, name.value),
            span: literal.span,
        })?;
    }
    Ok(values)
}

fn read(literal: &Literal, column_type: ColumnType) -> Option<Value> {
    let Some(text) = literal.text.as_deref() else { return Some(Value::Null) };
    Some(match column_type {
        ColumnType::Bool => Value::Bool(text.parse().ok()?),
        ColumnType::Int => Value::Int(text.parse().ok()?),
        ColumnType::Decimal { scale } => {
            let decimal = canonical_decimal(text)?;
            let places = decimal.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            Value::Decimal(Some(decimal).filter(|_| places <= usize::from(scale))?)
        }
        ColumnType::Text => Value::Text(text.to_owned()),
        ColumnType::Date => Value::Date(text.parse().ok()?),
        ColumnType::Timestamp => Value::Timestamp(text.parse().ok()?),
    })
}
