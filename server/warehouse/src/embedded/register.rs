//! Our plain tables → the engine's tables in memory.

use std::{sync::Arc, thread};

use datafusion::{
    arrow::{
        array::{
            ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        },
        datatypes::{DataType, Field, Schema, TimeUnit},
    },
    catalog::{CatalogProvider as _, MemoryCatalogProvider, MemorySchemaProvider},
    common::TableReference,
    datasource::MemTable,
    error::{DataFusionError, Result},
    execution::context::SessionContext,
};
use holdfast_schema::value::Column;

use super::functions::calendar::to_epoch_days;
use crate::table::{ColumnType, Table};

/// Where tables without a schema live, as in PostgreSQL.
pub(super) const DEFAULT_SCHEMA: &str = "public";

/// The catalog that all tables are in.
pub(super) const CATALOG: &str = "warehouse";

/// Rows of one batch.
const BATCH: usize = 8192;

/// The time zone of stored instants.
pub(super) const UTC: &str = "+00:00";

/// Registers every table.
pub(super) fn tables(context: &SessionContext, tables: &[Table]) -> Result<()> {
    let catalog = Arc::new(MemoryCatalogProvider::new());
    let schemas = tables.iter().filter_map(|table| table.schema.as_deref()).chain([DEFAULT_SCHEMA]);
    for schema in schemas {
        if catalog.schema(schema).is_none() {
            catalog.register_schema(schema, Arc::new(MemorySchemaProvider::new()))?;
        }
    }
    context.register_catalog(CATALOG, catalog);
    for (table, memory) in tables.iter().zip(memory_tables(tables)) {
        let schema = table.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
        context.register_table(TableReference::partial(schema, table.name.as_str()), Arc::new(memory?))?;
    }
    Ok(())
}

/// Every table, in order. The rows of all are about equally many left and right of the middle, where they are parted.
fn memory_tables(tables: &[Table]) -> Vec<Result<MemTable>> {
    let half = tables.iter().map(Table::row_count).sum::<usize>() / 2;
    let mut before = 0;
    let middle = tables.iter().take_while(|table| {
        before += table.row_count();
        before <= half
    });
    let (left, right) = tables.split_at(middle.count());
    thread::scope(|scope| {
        let right = scope.spawn(|| right.iter().map(memory_table).collect::<Vec<_>>());
        let mut all: Vec<_> = left.iter().map(memory_table).collect();
        all.extend(right.join().expect("a table that does not fit is an error"));
        all
    })
}

fn memory_table(table: &Table) -> Result<MemTable> {
    let fields: Vec<Field> =
        table.columns.iter().map(|column| Field::new(&column.name, data_type(column.column_type), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays: Vec<ArrayRef> = table
        .columns
        .iter()
        .zip(table.values())
        .map(|(column, values)| {
            array(values, column.column_type).ok_or_else(|| {
                let message = format!("a value of {}.{} does not fit its type", table.qualified_name(), column.name);
                DataFusionError::Execution(message)
            })
        })
        .collect::<Result<_>>()?;
    let whole = RecordBatch::try_new(schema.clone(), arrays)?;
    let batches =
        (0..whole.num_rows()).step_by(BATCH).map(|start| whole.slice(start, BATCH.min(whole.num_rows() - start))).collect();
    MemTable::try_new(schema, vec![batches])
}

fn data_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int => DataType::Int64,
        ColumnType::Decimal { scale } => DataType::Decimal128(38, scale as i8),
        ColumnType::Text => DataType::Utf8,
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
    }
}

/// `None` when a decimal has more digits than the engine can hold.
fn array(values: &Column, column_type: ColumnType) -> Option<ArrayRef> {
    Some(match (values, column_type) {
        (Column::Bool(values), _) => Arc::new(BooleanArray::from(values.clone())),
        (Column::Int(values), _) => Arc::new(Int64Array::from(values.clone())),
        (Column::Decimal(values), ColumnType::Decimal { scale }) => {
            let scaled: Vec<Option<i128>> = (0..values.len())
                .map(|row| values.get(row).map(|text| scale_decimal(text, scale)).transpose())
                .collect::<Result<_, _>>()
                .ok()?;
            Arc::new(Decimal128Array::from(scaled).with_precision_and_scale(38, scale as i8).ok()?)
        }
        (Column::Decimal(_), _) => return None,
        (Column::Text(values), _) => Arc::new((0..values.len()).map(|row| values.get(row)).collect::<StringArray>()),
        (Column::Date(values), _) => Arc::new(values.iter().map(|date| date.map(to_epoch_days)).collect::<Date32Array>()),
        (Column::Timestamp(values), _) => Arc::new(
            values
                .iter()
                .map(|instant| instant.map(|instant| instant.as_microsecond()))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone(UTC),
        ),
    })
}

/// A canonical decimal as a whole number of 10^-scale.
pub(super) fn scale_decimal(text: &str, scale: u8) -> Result<i128, DataFusionError> {
    let too_long = || DataFusionError::Execution("a decimal has more digits than the embedded engine can hold".to_owned());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let missing = usize::from(scale).checked_sub(fraction.len()).ok_or_else(too_long)?;
    let digits = format!("{whole}{fraction}{}", "0".repeat(missing));
    if digits.trim_start_matches('-').trim_start_matches('0').len() > 38 {
        return Err(too_long());
    }
    digits.parse().map_err(|_| too_long())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_scaled_without_rounding() {
        assert_eq!(scale_decimal("-0.05", 4).ok(), Some(-500));
        assert_eq!(scale_decimal("12", 0).ok(), Some(12));
        assert!(scale_decimal("0.123", 2).is_err());
        assert!(scale_decimal(&"9".repeat(39), 0).is_err());
    }
}
