//! Tables as plain columns, for data that comes from us: what the demo makes, the embedded engine serves and a loader copies.
//! Knows no engine.

use holdfast_schema::value::{Column, TextColumn, Value, ValueType, canonical_decimal};

/// A table with its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Schema; `None` is the default one (`public`).
    pub schema: Option<String>,
    /// Name.
    pub name: String,
    /// Columns in order.
    pub columns: Vec<TableColumn>,
    /// Columns of the primary key, in order; may be empty.
    pub primary_key: Vec<String>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// The values, one [`Column`] per column, of equal length.
    values: Vec<Column>,
}

/// A column's name and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Name.
    pub name: String,
    /// Type.
    pub column_type: ColumnType,
}

/// Type of a column. Decimals need a fixed number of places in engines that store them as scaled integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// 64-bit whole number.
    Int,
    /// Exact decimal number.
    Decimal {
        /// Places after the point, at most 20.
        scale: u8,
    },
    /// Text.
    Text,
    /// Calendar day.
    Date,
    /// Instant.
    Timestamp,
}

/// Columns that hold the key of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Our columns.
    pub columns: Vec<String>,
    /// The other table's schema.
    pub schema: Option<String>,
    /// The other table.
    pub table: String,
    /// Its columns, pairwise.
    pub other_columns: Vec<String>,
}

impl ColumnType {
    /// The type of its values.
    pub fn value_type(self) -> ValueType {
        match self {
            ColumnType::Bool => ValueType::Bool,
            ColumnType::Int => ValueType::Int,
            ColumnType::Decimal { .. } => ValueType::Decimal,
            ColumnType::Text => ValueType::Text,
            ColumnType::Date => ValueType::Date,
            ColumnType::Timestamp => ValueType::Timestamp,
        }
    }
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(schema: Option<&str>, name: &str, columns: &[(&str, ColumnType)]) -> Self {
        Self {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            columns: columns.iter().map(|&(name, column_type)| TableColumn { name: name.to_owned(), column_type }).collect(),
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            values: columns.iter().map(|(_, column_type)| Column::empty(column_type.value_type())).collect(),
        }
    }

    /// Declares the primary key.
    #[must_use]
    pub fn primary_key(mut self, columns: &[&str]) -> Self {
        self.primary_key = columns.iter().map(|&column| column.to_owned()).collect();
        self
    }

    /// Declares a foreign key to a table of the same schema.
    #[must_use]
    pub fn foreign_key(mut self, columns: &[&str], table: &str, other_columns: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        self.foreign_keys.push(ForeignKey {
            columns: owned(columns),
            schema: self.schema.clone(),
            table: table.to_owned(),
            other_columns: owned(other_columns),
        });
        self
    }

    /// Adds a row. A whole number is taken for a decimal.
    ///
    /// # Panics
    /// When the row does not fit the columns: rows are made by programs, so that is a bug of the program.
    pub fn push(&mut self, row: &[Value]) {
        assert_eq!(row.len(), self.columns.len(), "a value for each column of {}", self.name);
        for ((value, into), column) in row.iter().zip(&mut self.values).zip(&self.columns) {
            assert!(push_value(into, value, column.column_type), "{}.{} cannot hold {value:?}", self.name, column.name);
        }
    }

    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.values.first().map_or(0, Column::len)
    }

    /// The values, one column per column.
    pub fn values(&self) -> &[Column] {
        &self.values
    }

    /// Schema and name as people write them.
    pub fn qualified_name(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

fn push_value(into: &mut Column, value: &Value, column_type: ColumnType) -> bool {
    match (into, value) {
        (Column::Bool(values), Value::Bool(value)) => values.push(Some(*value)),
        (Column::Bool(values), Value::Null) => values.push(None),
        (Column::Int(values), Value::Int(value)) => values.push(Some(*value)),
        (Column::Int(values), Value::Null) => values.push(None),
        (Column::Decimal(values), Value::Decimal(text)) => return push_decimal(values, text, column_type),
        (Column::Decimal(values), Value::Int(value)) => values.push(Some(&value.to_string())),
        (Column::Decimal(values) | Column::Text(values), Value::Null) => values.push(None),
        (Column::Text(values), Value::Text(text)) => values.push(Some(text)),
        (Column::Date(values), Value::Date(value)) => values.push(Some(*value)),
        (Column::Date(values), Value::Null) => values.push(None),
        (Column::Timestamp(values), Value::Timestamp(value)) => values.push(Some(*value)),
        (Column::Timestamp(values), Value::Null) => values.push(None),
        _ => return false,
    }
    true
}

fn push_decimal(values: &mut TextColumn, text: &str, column_type: ColumnType) -> bool {
    let ColumnType::Decimal { scale } = column_type else { return false };
    let Some(canonical) = canonical_decimal(text) else { return false };
    let places = canonical.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    values.push(Some(&canonical));
    places <= usize::from(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "t.amount cannot hold Decimal(\"1.005\")")]
    fn a_decimal_with_more_places_than_its_column_is_not_rounded() {
        Table::new(None, "t", &[("amount", ColumnType::Decimal { scale: 2 })]).push(&[Value::Decimal("1.005".into())]);
    }
}
