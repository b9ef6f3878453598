//! The engine's batches → our columns, exactly.

use datafusion::arrow::{
    array::{Array, ArrayRef, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::{DataType, Date32Type, Decimal128Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType},
};
use holdfast_schema::{
    sql::OutputColumn,
    value::{Column, RowSet, TextColumn, ValueType, canonical_decimal},
};
use jiff::Timestamp;

use super::functions::calendar::from_epoch_days;
use crate::{Error, Limits};

/// Collects batches.
pub(super) struct Decoder {
    names: Vec<String>,
    columns: Vec<Column>,
    rows: usize,
}

impl Decoder {
    /// Checks that the plan gives what the statement promises.
    pub(super) fn new(expected: &[OutputColumn], schema: &Schema) -> Result<Self, Error> {
        if expected.len() != schema.fields().len() {
            return Err(Error::Statement(format!("{} columns expected, {} found", expected.len(), schema.fields().len())));
        }
        for (column, field) in expected.iter().zip(schema.fields()) {
            let found = field.data_type();
            if !fits(column.value_type, found) {
                return Err(Error::Statement(format!("column {} should be {:?}, not {found}", column.name, column.value_type)));
            }
        }
        Ok(Self {
            names: expected.iter().map(|column| column.name.clone()).collect(),
            columns: expected.iter().map(|column| Column::empty(column.value_type)).collect(),
            rows: 0,
        })
    }

    /// Adds a batch, within limits.
    pub(super) fn push(&mut self, batch: &RecordBatch, limits: &Limits) -> Result<(), Error> {
        self.rows += batch.num_rows();
        limits.check(self.rows, 0)?;
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            append(column, array)?;
        }
        limits.check(self.rows, self.columns.iter().map(Column::byte_size).sum())
    }

    /// The result.
    pub(super) fn finish(self) -> RowSet {
        RowSet::new(self.names, self.columns)
    }
}

/// Binary floats fit nothing: a statement that makes one has lost digits already.
fn fits(value_type: ValueType, found: &DataType) -> bool {
    let is_decimal = matches!(found, DataType::Decimal128(..) | DataType::Decimal256(..));
    match value_type {
        _ if *found == DataType::Null => true,
        ValueType::Bool => *found == DataType::Boolean,
        ValueType::Int | ValueType::Decimal => found.is_integer() || is_decimal,
        ValueType::Text => matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        ValueType::Date => matches!(found, DataType::Date32 | DataType::Timestamp(..)),
        ValueType::Timestamp => matches!(found, DataType::Timestamp(..)),
    }
}

fn append(into: &mut Column, array: &ArrayRef) -> Result<(), Error> {
    match into {
        Column::Bool(values) => values.extend(converted(array, &DataType::Boolean)?.as_boolean().iter()),
        Column::Int(values) => values.extend(converted(array, &DataType::Int64)?.as_primitive::<Int64Type>().iter()),
        Column::Decimal(values) => append_decimals(values, array)?,
        Column::Text(values) => converted(array, &DataType::Utf8)?.as_string::<i32>().iter().for_each(|text| values.push(text)),
        Column::Date(values) => {
            values.extend(
                converted(array, &DataType::Date32)?.as_primitive::<Date32Type>().iter().map(|day| day.map(from_epoch_days)),
            );
        }
        Column::Timestamp(values) => {
            let microseconds = converted(array, &DataType::Timestamp(TimeUnit::Microsecond, Some(super::register::UTC.into())))?;
            for instant in microseconds.as_primitive::<TimestampMicrosecondType>().iter() {
                let instant = instant.map(Timestamp::from_microsecond).transpose();
                values.push(instant.map_err(|error| Error::Data(error.to_string()))?);
            }
        }
    }
    Ok(())
}

fn converted(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, Error> {
    if array.data_type() == wanted {
        return Ok(array.clone());
    }
    let made = cast(array, wanted).map_err(|error| Error::Data(error.to_string()))?;
    // The cast gives null where a value does not fit.
    if made.null_count() > array.null_count() {
        return Err(Error::Data(format!("a value of type {} does not fit {wanted}", array.data_type())));
    }
    Ok(made)
}

fn append_decimals(into: &mut TextColumn, array: &ArrayRef) -> Result<(), Error> {
    if let DataType::Decimal128(_, scale) = array.data_type() {
        let mut text = String::new();
        for value in array.as_primitive::<Decimal128Type>().iter() {
            // The engine's sums wrap beyond its 38 digits.
            if value.is_some_and(|value| value.unsigned_abs() >= 10_u128.pow(38)) {
                return Err(Error::Data("a sum has more digits than the embedded engine can hold".to_owned()));
            }
            into.push(value.map(|value| write_decimal(value, *scale, &mut text)));
        }
        return Ok(());
    }
    let text = converted(array, &DataType::Utf8)?;
    for value in text.as_string::<i32>().iter() {
        let canonical = value.map(|text| canonical_decimal(text).ok_or_else(|| Error::Data("a value is no decimal".to_owned())));
        into.push(canonical.transpose()?.as_deref());
    }
    Ok(())
}

/// `value` × 10^-`scale` as canonical text.
fn write_decimal(value: i128, scale: i8, buffer: &mut String) -> &str {
    use std::fmt::Write as _;

    buffer.clear();
    let places = usize::from(scale.unsigned_abs());
    if value < 0 {
        buffer.push('-');
    }
    if scale < 0 {
        write!(buffer, "{}{}", value.unsigned_abs(), "0".repeat(if value == 0 { 0 } else { places })).expect("text can be written");
        return buffer;
    }
    let start = buffer.len();
    write!(buffer, "{:0width$}", value.unsigned_abs(), width = places + 1).expect("text can be written");
    let point = buffer.len() - places;
    debug_assert!(point > start);
    let kept = point + buffer[point..].trim_end_matches('0').len();
    buffer.truncate(kept);
    if kept > point {
        buffer.insert(point, '.');
    }
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_integers_become_canonical_text() {
        let mut buffer = String::new();
        for (value, scale, expected) in
            [(0, 16, "0"), (5, 2, "0.05"), (-1050, 2, "-10.5"), (-7, 0, "-7"), (1200, 2, "12"), (3, -2, "300"), (0, -2, "0")]
        {
            assert_eq!(write_decimal(value, scale, &mut buffer), expected);
        }
        assert_eq!(write_decimal(i128::MIN, 0, &mut buffer), "-170141183460469231731687303715884105728");
    }
}
