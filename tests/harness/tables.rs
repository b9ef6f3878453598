//! Small tables written as text, the way a test is read: one line per row, cells between spaces.

use holdfast_schema::value::Value;
use holdfast_warehouse::table::{ColumnType, Table};

/// A table from its columns (`account_id text, day date, amount decimal`) and its rows. `-` is null; in a text `_` is a space.
///
/// # Panics
/// When a row does not fit: tables are written by tests, so that is a mistake of the test.
pub fn table(name: &str, columns: &str, rows: &str) -> Table {
    let columns: Vec<(&str, ColumnType)> = columns
        .split(',')
        .map(|column| {
            let (name, of_type) = column.trim().split_once(' ').unwrap_or_else(|| panic!("`{column}` has no type"));
            (name, column_type(of_type))
        })
        .collect();
    let (schema, table) = name.split_once('.').map_or((None, name), |(schema, table)| (Some(schema), table));
    let mut made = Table::new(schema, table, &columns);
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells.len(), columns.len(), "{name}: {row}");
        let values: Vec<Value> = cells
            .iter()
            .zip(&columns)
            .map(|(cell, (column, column_type))| {
                value(cell, *column_type).unwrap_or_else(|| panic!("{name}.{column} cannot hold `{cell}`"))
            })
            .collect();
        made.push(&values);
    }
    made
}

fn column_type(name: &str) -> ColumnType {
    match name {
        "bool" => ColumnType::Bool,
        "int" => ColumnType::Int,
        "decimal" => ColumnType::Decimal { scale: 6 },
        "text" => ColumnType::Text,
        "date" => ColumnType::Date,
        "timestamp" => ColumnType::Timestamp,
        other => panic!("there is no type `{other}`"),
    }
}

fn value(cell: &str, column_type: ColumnType) -> Option<Value> {
    if cell == "-" {
        return Some(Value::Null);
    }
    Some(match column_type {
        ColumnType::Bool => Value::Bool(cell.parse().ok()?),
        ColumnType::Int => Value::Int(cell.parse().ok()?),
        ColumnType::Decimal { .. } => Value::Decimal(cell.to_owned()),
        ColumnType::Text => Value::Text(cell.replace('_', " ")),
        ColumnType::Date => Value::Date(cell.parse().ok()?),
        ColumnType::Timestamp => Value::Timestamp(cell.parse().ok()?),
    })
}
