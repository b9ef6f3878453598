//! Plain tables → `CREATE TABLE` in PostgreSQL's words. Names are quoted; nothing else comes from outside.

use super::table::{ColumnType, Table};

/// The statement that creates a table with its primary key, without foreign keys.
pub(super) fn create_table(table: &Table) -> String {
    let mut lines: Vec<String> =
        table.columns.iter().map(|column| format!("    {} {}", quote(&column.name), type_name(column.column_type))).collect();
    if !table.primary_key.is_empty() {
        lines.push(format!("    primary key ({})", quote_all(&table.primary_key)));
    }
    format!("create table {} (\n{}\n)", qualified(table), lines.join(",\n"))
}

/// The statements that add its foreign keys.
pub(super) fn foreign_keys(table: &Table) -> impl Iterator<Item = String> + '_ {
    table.foreign_keys.iter().map(|key| {
        format!(
            "alter table {} add foreign key ({}) references {} ({})",
            qualified(table),
            quote_all(&key.columns),
            qualified_name(key.schema.as_deref(), &key.table),
            quote_all(&key.other_columns)
        )
    })
}

/// The table's name, quoted.
pub(super) fn qualified(table: &Table) -> String {
    qualified_name(table.schema.as_deref(), &table.name)
}

/// A name as an identifier.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What we call a type, which both engines' users know.
pub(super) fn type_name(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Bool => "boolean".to_owned(),
        ColumnType::Int => "bigint".to_owned(),
        ColumnType::Decimal { scale } => format!("numeric(38,{scale})"),
        ColumnType::Text => "text".to_owned(),
        ColumnType::Date => "date".to_owned(),
        ColumnType::Timestamp => "timestamp with time zone".to_owned(),
    }
}

fn qualified_name(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(name)),
        None => quote(name),
    }
}

fn quote_all(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}
