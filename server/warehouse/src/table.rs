//! Tables as plain columns, for data that comes from us: what the demo makes, the embedded engine serves and a loader copies.
//! Knows no engine.

use holdfast_schema::value::{Column, Value, ValueType, canonical_decimal};

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
        assert!(self.try_push(row), "{} cannot hold {row:?}", self.name);
    }

    /// Adds a row that came from outside; `false`, and no row, when it does not fit.
    pub fn try_push(&mut self, row: &[Value]) -> bool {
        let fits =
            row.len() == self.columns.len() && row.iter().zip(&self.columns).all(|(value, column)| fits(value, column.column_type));
        if fits {
            row.iter().zip(&mut self.values).for_each(|(value, into)| push_value(into, value));
        }
        fits
    }

    /// Adds the rows of a table of the same columns.
    ///
    /// # Panics
    /// When its columns are others.
    pub fn append(&mut self, other: &Self) {
        assert_eq!(self.columns, other.columns, "{} cannot take rows of {}", self.name, other.name);
        self.values.iter_mut().zip(&other.values).for_each(|(values, more)| values.append(more));
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

fn fits(value: &Value, column_type: ColumnType) -> bool {
    match (value, column_type) {
        (Value::Null, _)
        | (Value::Bool(_), ColumnType::Bool)
        | (Value::Int(_), ColumnType::Int | ColumnType::Decimal { .. })
        | (Value::Text(_), ColumnType::Text)
        | (Value::Date(_), ColumnType::Date)
        | (Value::Timestamp(_), ColumnType::Timestamp) => true,
        (Value::Decimal(text), ColumnType::Decimal { scale }) => {
            canonical_decimal(text).is_some_and(|text| places(&text) <= usize::from(scale))
        }
        _ => false,
    }
}

fn places(canonical: &str) -> usize {
    canonical.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// The value fits; see above.
fn push_value(into: &mut Column, value: &Value) {
    match into {
        Column::Bool(values) => values.push(if let Value::Bool(value) = value { Some(*value) } else { None }),
        Column::Int(values) => values.push(if let Value::Int(value) = value { Some(*value) } else { None }),
        Column::Decimal(values) => values.push(decimal_text(value).as_deref()),
        Column::Text(values) => values.push(if let Value::Text(text) = value { Some(text) } else { None }),
        Column::Date(values) => values.push(if let Value::Date(value) = value { Some(*value) } else { None }),
        Column::Timestamp(values) => values.push(if let Value::Timestamp(value) = value { Some(*value) } else { None }),
    }
}

fn decimal_text(value: &Value) -> Option<String> {
    match value {
        Value::Int(value) => Some(value.to_string()),
        Value::Decimal(text) => canonical_decimal(text),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::Date(_) | Value::Timestamp(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "t cannot hold [Decimal(\"1.005\")]")]
    fn a_decimal_with_more_places_than_its_column_is_not_rounded() {
        Table::new(None, "t", &[("amount", ColumnType::Decimal { scale: 2 })]).push(&[Value::Decimal("1.005".into())]);
    }
}
