//! The only representation of values and rows in the workspace: typed, columnar, exact.

use std::fmt;

use jiff::{Timestamp, civil::Date};

/// The types a dimension, measure or column can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// True or false.
    Bool,
    /// Whole number of up to 64 bits.
    Int,
    /// Exact decimal number of any length; never a binary float.
    Decimal,
    /// Text.
    Text,
    /// Calendar day.
    Date,
    /// Instant.
    Timestamp,
}

impl ValueType {
    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            ValueType::Bool => "bool",
            ValueType::Int => "int",
            ValueType::Decimal => "decimal",
            ValueType::Text => "string",
            ValueType::Date => "date",
            ValueType::Timestamp => "timestamp",
        }
    }

    /// Whether arithmetic applies.
    pub fn is_numeric(self) -> bool {
        matches!(self, ValueType::Int | ValueType::Decimal)
    }
}

/// One value: a literal in an expression, a bound parameter, a key of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Decimal number in canonical text (see [`canonical_decimal`]).
    Decimal(String),
    /// Text.
    Text(String),
    /// Calendar day.
    Date(Date),
    /// Instant.
    Timestamp(Timestamp),
}

impl Value {
    /// The type, or `None` for null.
    pub fn value_type(&self) -> Option<ValueType> {
        match self {
            Value::Null => None,
            Value::Bool(_) => Some(ValueType::Bool),
            Value::Int(_) => Some(ValueType::Int),
            Value::Decimal(_) => Some(ValueType::Decimal),
            Value::Text(_) => Some(ValueType::Text),
            Value::Date(_) => Some(ValueType::Date),
            Value::Timestamp(_) => Some(ValueType::Timestamp),
        }
    }
}

/// Writes a decimal the one way we write it: no exponent, no trailing zeros after the point, no `-0`.
///
/// Accepts an optional sign, digits, and an optional point with digits. Returns `None` for anything else (`NaN`, `Infinity`,
/// exponents), so that a caller can report it instead of carrying a wrong number.
pub fn canonical_decimal(text: &str) -> Option<String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let mut out = String::with_capacity(text.len() + 1);
    if negative && !(whole.is_empty() && fraction.is_empty()) {
        out.push('-');
    }
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    Some(out)
}

/// A column of text (or of decimals, which travel as text) in one buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextColumn {
    buffer: String,
    /// End of each value in `buffer`; the start is the end before it.
    ends: Vec<u32>,
    nulls: Vec<bool>,
}

impl TextColumn {
    /// Adds a value or a null.
    pub fn push(&mut self, value: Option<&str>) {
        self.nulls.push(value.is_none());
        self.buffer.push_str(value.unwrap_or(""));
        self.ends.push(end_of(self.buffer.len()));
    }

    /// The value in a row; `None` is null.
    pub fn get(&self, row: usize) -> Option<&str> {
        if self.nulls[row] {
            return None;
        }
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        Some(&self.buffer[start..self.ends[row] as usize])
    }

    /// Adds the rows of another column.
    pub fn append(&mut self, other: &Self) {
        let shift = self.buffer.len();
        self.buffer.push_str(&other.buffer);
        self.ends.extend(other.ends.iter().map(|end| end_of(shift + *end as usize)));
        self.nulls.extend_from_slice(&other.nulls);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

fn end_of(length: usize) -> u32 {
    u32::try_from(length).expect("a result column stays under 4 GiB: results are bounded far below")
}

/// One typed column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// True or false.
    Bool(Vec<Option<bool>>),
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// Decimals in canonical text.
    Decimal(TextColumn),
    /// Text.
    Text(TextColumn),
    /// Calendar days.
    Date(Vec<Option<Date>>),
    /// Instants.
    Timestamp(Vec<Option<Timestamp>>),
}

/// A borrowed value of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellRef<'a> {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Decimal in canonical text.
    Decimal(&'a str),
    /// Text.
    Text(&'a str),
    /// Calendar day.
    Date(Date),
    /// Instant.
    Timestamp(Timestamp),
}

impl CellRef<'_> {
    /// An owned copy.
    pub fn to_value(self) -> Value {
        match self {
            CellRef::Null => Value::Null,
            CellRef::Bool(value) => Value::Bool(value),
            CellRef::Int(value) => Value::Int(value),
            CellRef::Decimal(text) => Value::Decimal(text.to_owned()),
            CellRef::Text(text) => Value::Text(text.to_owned()),
            CellRef::Date(value) => Value::Date(value),
            CellRef::Timestamp(value) => Value::Timestamp(value),
        }
    }
}

impl fmt::Display for CellRef<'_> {
    /// As people read it; null is nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CellRef::Null => Ok(()),
            CellRef::Bool(value) => value.fmt(f),
            CellRef::Int(value) => value.fmt(f),
            CellRef::Decimal(text) | CellRef::Text(text) => f.write_str(text),
            CellRef::Date(value) => value.fmt(f),
            CellRef::Timestamp(value) => value.fmt(f),
        }
    }
}

impl Column {
    /// An empty column of a type.
    pub fn empty(value_type: ValueType) -> Self {
        match value_type {
            ValueType::Bool => Column::Bool(Vec::new()),
            ValueType::Int => Column::Int(Vec::new()),
            ValueType::Decimal => Column::Decimal(TextColumn::default()),
            ValueType::Text => Column::Text(TextColumn::default()),
            ValueType::Date => Column::Date(Vec::new()),
            ValueType::Timestamp => Column::Timestamp(Vec::new()),
        }
    }

    /// Adds the rows of another column.
    ///
    /// # Panics
    /// When it is of another type.
    pub fn append(&mut self, other: &Self) {
        match (self, other) {
            (Column::Bool(values), Column::Bool(more)) => values.extend_from_slice(more),
            (Column::Int(values), Column::Int(more)) => values.extend_from_slice(more),
            (Column::Decimal(values), Column::Decimal(more)) | (Column::Text(values), Column::Text(more)) => values.append(more),
            (Column::Date(values), Column::Date(more)) => values.extend_from_slice(more),
            (Column::Timestamp(values), Column::Timestamp(more)) => values.extend_from_slice(more),
            _ => panic!("rows of another type cannot be added to a column"),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Bool(values) => values.len(),
            Column::Int(values) => values.len(),
            Column::Decimal(values) | Column::Text(values) => values.len(),
            Column::Date(values) => values.len(),
            Column::Timestamp(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value in a row.
    pub fn get(&self, row: usize) -> CellRef<'_> {
        match self {
            Column::Bool(values) => values[row].map_or(CellRef::Null, CellRef::Bool),
            Column::Int(values) => values[row].map_or(CellRef::Null, CellRef::Int),
            Column::Decimal(values) => values.get(row).map_or(CellRef::Null, CellRef::Decimal),
            Column::Text(values) => values.get(row).map_or(CellRef::Null, CellRef::Text),
            Column::Date(values) => values[row].map_or(CellRef::Null, CellRef::Date),
            Column::Timestamp(values) => values[row].map_or(CellRef::Null, CellRef::Timestamp),
        }
    }

    /// Bytes held, for caches that are bounded by bytes.
    pub fn byte_size(&self) -> usize {
        match self {
            Column::Bool(values) => values.len() * size_of::<Option<bool>>(),
            Column::Int(values) => values.len() * size_of::<Option<i64>>(),
            Column::Decimal(values) | Column::Text(values) => values.buffer.len() + values.ends.len() * 5,
            Column::Date(values) => values.len() * size_of::<Option<Date>>(),
            Column::Timestamp(values) => values.len() * size_of::<Option<Timestamp>>(),
        }
    }
}

/// The answer to one statement: named, typed columns of equal length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowSet {
    names: Vec<String>,
    columns: Vec<Column>,
    rows: usize,
}

impl RowSet {
    /// Builds a set from columns in statement order.
    ///
    /// # Panics
    /// When columns differ in length or in number from the names: a bug of the connector.
    pub fn new(names: Vec<String>, columns: Vec<Column>) -> Self {
        assert_eq!(names.len(), columns.len(), "one name per column");
        let rows = columns.first().map_or(0, Column::len);
        assert!(columns.iter().all(|column| column.len() == rows), "columns of one length");
        Self { names, columns, rows }
    }

    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// Column names in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Columns in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// One cell.
    pub fn cell(&self, row: usize, column: usize) -> CellRef<'_> {
        self.columns[column].get(row)
    }

    /// Bytes held.
    pub fn byte_size(&self) -> usize {
        self.columns.iter().map(Column::byte_size).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_one_spelling() {
        for (text, expected) in
            [("1.000", "1"), ("-0.00", "0"), ("+007.50", "7.5"), (".5", "0.5"), ("1000", "1000"), ("-12.340", "-12.34")]
        {
            assert_eq!(canonical_decimal(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", ".", "NaN", "1e3", "1.2.3", "--1"] {
            assert_eq!(canonical_decimal(text), None, "{text}");
        }
    }

    #[test]
    fn text_columns_tell_null_from_empty() {
        let mut column = TextColumn::default();
        column.push(Some("a"));
        column.push(None);
        column.push(Some(""));
        assert_eq!([column.get(0), column.get(1), column.get(2)], [Some("a"), None, Some("")]);
    }
}
