//! The warehouses themselves: the same statement on both engines, and what happens when a database fails.

mod embedded;
mod encryption;
mod failure;
mod identifiers;
mod metrics;
mod parity;
mod pieces;
mod postgres;

use holdfast_schema::{
    sql::{OutputColumn, Param, SqlText, Statement},
    value::{RowSet, ValueType},
};

/// A statement of a test; `types` has a letter per column: `i`nt, `n`umeric, `t`ext, `d`ate, `z` timestamp, `b`ool.
fn statement(types: &str, sql: &'static str, params: Vec<Param>) -> Statement {
    let column = |(index, letter)| OutputColumn {
        name: format!("c{index}"),
        value_type: match letter {
            'i' => ValueType::Int,
            'n' => ValueType::Decimal,
            't' => ValueType::Text,
            'd' => ValueType::Date,
            'z' => ValueType::Timestamp,
            'b' => ValueType::Bool,
            other => panic!("{other} is no type"),
        },
    };
    Statement { sql: SqlText::fixed(sql), params, columns: types.chars().enumerate().map(column).collect(), is_lookup: false }
}

/// Rows as lines, cells divided by `|`.
fn shown(rows: &RowSet) -> Vec<String> {
    let cell = |row, column| match rows.cell(row, column) {
        holdfast_schema::value::CellRef::Null => "∅".to_owned(),
        known => known.to_string(),
    };
    (0..rows.row_count())
        .map(|row| (0..rows.columns().len()).map(|column| cell(row, column)).collect::<Vec<_>>().join("|"))
        .collect()
}
