//! Fixtures → tables: every table the model reads, with the rows a test gives and columns typed by what the model says of them.

use std::collections::BTreeMap;

use holdfast_schema::{
    definition::test::{Fixture, FixtureRow, Literal},
    diagnostic::{Diagnostic, Diagnostics},
    model::{
        Cardinality, Model,
        entity::{Aggregate, ColumnName, Entity, RowValue, Source},
    },
    value::{Value, ValueType, canonical_decimal},
};
use holdfast_warehouse::table::{ColumnType, Table};
use jiff::{Timestamp, civil, civil::Date, tz::TimeZone};

/// A value of a fixture that does not fit its column.
const BAD_VALUE: &str = "F001";

/// Places after the point that every decimal column has at least, so that results are not rounded by the column.
const LEAST_SCALE: usize = 6;

/// Types of the columns of each table, by qualified name; `None` where the model says nothing.
type Columns = BTreeMap<String, BTreeMap<String, Option<ValueType>>>;

/// Makes the tables of some fixtures. Tables without rows are there too, so that joins find them.
pub(super) fn tables(model: &Model, fixtures: &[&Fixture], out: &mut Diagnostics) -> Option<Vec<Table>> {
    let before = out.sorted().len();
    let mut columns = columns_of(model);
    for fixture in fixtures {
        for (table, rows) in &fixture.tables {
            let known = columns.entry(table.value.clone()).or_default();
            for (column, literal) in rows.iter().flatten() {
                let entry = known.entry(column.value.clone()).or_insert(None);
                if entry.is_none() {
                    *entry = guess(literal);
                }
            }
        }
    }
    assume_numbers(model, &mut columns);
    let made = columns.into_iter().map(|(name, columns)| table(&name, &columns, &rows_of(fixtures, &name), out)).collect();
    if out.sorted().len() > before { None } else { Some(made) }
}

fn rows_of<'a>(fixtures: &[&'a Fixture], name: &str) -> Vec<&'a FixtureRow> {
    fixtures
        .iter()
        .flat_map(|fixture| &fixture.tables)
        .filter(|(table, _)| table.value == name)
        .flat_map(|(_, rows)| rows)
        .collect()
}

fn table(name: &str, columns: &BTreeMap<String, Option<ValueType>>, rows: &[&FixtureRow], out: &mut Diagnostics) -> Table {
    let (schema, table) = name.split_once('.').map_or((None, name), |(schema, table)| (Some(schema), table));
    let typed: Vec<(&str, ColumnType)> =
        columns.iter().map(|(column, value_type)| (column.as_str(), column_type(column, *value_type, rows))).collect();
    let mut made = Table::new(schema, table, &typed);
    for row in rows {
        let values: Vec<Value> = typed
            .iter()
            .map(|(column, column_type)| {
                let Some((_, literal)) = row.iter().find(|(name, _)| name.value == *column) else {
                    return Value::Null;
                };
                value(literal, column_type.value_type()).unwrap_or_else(|| {
                    let text = literal.text.as_deref().unwrap_or("null");
                    let wanted = column_type.value_type().name();
                    out.push(Diagnostic::error(
                        BAD_VALUE,
                        literal.span,
                        format!("`{text}` is not a {wanted}, the type of `{column}`"),
                    ));
                    Value::Null
                })
            })
            .collect();
        made.push(&values);
    }
    made
}

fn column_type(column: &str, value_type: Option<ValueType>, rows: &[&FixtureRow]) -> ColumnType {
    match value_type {
        Some(ValueType::Bool) => ColumnType::Bool,
        Some(ValueType::Int) => ColumnType::Int,
        Some(ValueType::Decimal) => {
            let places = |literal: &Literal| {
                literal.text.as_deref().and_then(|text| text.split_once('.')).map_or(0, |(_, fraction)| fraction.len())
            };
            let most =
                rows.iter().flat_map(|row| row.iter()).filter(|(name, _)| name.value == column).map(|(_, l)| places(l)).max();
            ColumnType::Decimal { scale: u8::try_from(most.unwrap_or(0).clamp(LEAST_SCALE, 20)).expect("at most 20") }
        }
        Some(ValueType::Date) => ColumnType::Date,
        Some(ValueType::Timestamp) => ColumnType::Timestamp,
        Some(ValueType::Text) | None => ColumnType::Text,
    }
}

/// The value of a literal in a column's type; `None` when it does not fit.
fn value(literal: &Literal, value_type: ValueType) -> Option<Value> {
    let Some(text) = &literal.text else {
        return Some(Value::Null);
    };
    match value_type {
        ValueType::Bool => text.parse().ok().map(Value::Bool),
        ValueType::Int => text.parse().ok().map(Value::Int),
        ValueType::Decimal => canonical_decimal(text).map(Value::Decimal),
        ValueType::Text => Some(Value::Text(text.clone())),
        ValueType::Date => text.parse::<Date>().ok().map(Value::Date),
        ValueType::Timestamp => instant(text).map(Value::Timestamp),
    }
}

/// An instant with its offset, or a day or a time of day in UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let in_utc = |time: civil::DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<civil::DateTime>().ok().and_then(in_utc))
        .or_else(|| text.parse::<Date>().ok().and_then(|date| in_utc(date.at(0, 0, 0, 0))))
}

/// The type a value looks like.
fn guess(literal: &Literal) -> Option<ValueType> {
    let text = literal.text.as_deref()?;
    if literal.quoted {
        return Some(ValueType::Text);
    }
    Some(if text.parse::<bool>().is_ok() {
        ValueType::Bool
    } else if canonical_decimal(text).is_some() {
        ValueType::Decimal
    } else if text.len() == 10 && text.parse::<Date>().is_ok() {
        ValueType::Date
    } else if text.parse::<Timestamp>().is_ok() {
        ValueType::Timestamp
    } else {
        ValueType::Text
    })
}

/// Every column the model reads of a table, with its type where a dimension declares it.
fn columns_of(model: &Model) -> Columns {
    let mut all = Columns::new();
    for entity in &model.entities {
        let Some(name) = table_name(entity) else {
            continue;
        };
        let known = all.entry(name).or_default();
        for dimension in &entity.dimensions {
            if let Some(column) = dimension.column() {
                known.insert(column.as_str().to_owned(), Some(dimension.value_type));
            }
        }
        let mut note = |column: &ColumnName, value_type: Option<ValueType>| {
            let entry = known.entry(column.as_str().to_owned()).or_insert(value_type);
            *entry = entry.or(value_type);
        };
        entity.dimensions.iter().for_each(|dimension| dimension.expr.visit_refs(&mut |column| note(column, None)));
        entity.measures.iter().for_each(|measure| measure.visit_columns(&mut |column| note(column, None)));
        if let Some(validity) = &entity.validity {
            note(&validity.from, Some(ValueType::Timestamp));
            note(&validity.to, Some(ValueType::Timestamp));
        }
        entity.recorded.iter().for_each(|recorded| note(&recorded.column, Some(ValueType::Timestamp)));
        entity.freshness.refresh.iter().for_each(|column| note(column, Some(ValueType::Timestamp)));
    }
    join_columns(model, &mut all);
    all
}

/// Columns that only measures read and no row tells the type of are numbers.
fn assume_numbers(model: &Model, all: &mut Columns) {
    for entity in &model.entities {
        let Some(known) = table_name(entity).and_then(|name| all.get_mut(&name)) else {
            continue;
        };
        for measure in
            entity.measures.iter().filter(|measure| !matches!(measure.aggregate, Aggregate::CountDistinct | Aggregate::Count))
        {
            measure.expr.visit_refs(&mut |value| {
                let RowValue::Column(column) = value else { return };
                known
                    .entry(column.as_str().to_owned())
                    .and_modify(|value_type| *value_type = value_type.or(Some(ValueType::Decimal)));
            });
            for expr in measure.currency.iter().flat_map(|local| [&local.amount, &local.rate]) {
                expr.visit_refs(&mut |column| {
                    known
                        .entry(column.as_str().to_owned())
                        .and_modify(|value_type| *value_type = value_type.or(Some(ValueType::Decimal)));
                });
            }
        }
    }
}

/// Columns that are joined have the type of the key on the other side.
fn join_columns(model: &Model, all: &mut Columns) {
    for entity in &model.entities {
        for relationship in &entity.relationships {
            let other = model.entity(relationship.to);
            let (near, far, via) = match &relationship.cardinality {
                Cardinality::ManyToOne | Cardinality::OneToOne | Cardinality::OneToMany => {
                    (relationship.own.as_slice(), relationship.other.as_slice(), None)
                }
                Cardinality::ManyToMany { bridge, near, far, weight } => {
                    (near.as_slice(), far.as_slice(), Some((model.entity(*bridge), weight)))
                }
            };
            match via {
                None => {
                    same_types(all, (entity, near), (other, far));
                    same_types(all, (other, far), (entity, near));
                }
                Some((bridge, weight)) => {
                    let keys = |entity: &Entity| entity.key_columns().cloned().collect::<Vec<_>>();
                    same_types(all, (bridge, near), (entity, &keys(entity)));
                    same_types(all, (bridge, far), (other, &keys(other)));
                    if let (Some(table), Some(weight)) = (table_name(bridge), weight) {
                        all.entry(table).or_default().entry(weight.as_str().to_owned()).or_insert(Some(ValueType::Decimal));
                    }
                }
            }
        }
    }
}

/// Columns of one side without a type get that of the other.
fn same_types(all: &mut Columns, (entity, columns): (&Entity, &[ColumnName]), (other, others): (&Entity, &[ColumnName])) {
    let (Some(table), Some(other_table)) = (table_name(entity), table_name(other)) else {
        return;
    };
    for (column, other_column) in columns.iter().zip(others) {
        let value_type = all.get(&other_table).and_then(|known| known.get(other_column.as_str())).copied().flatten();
        let entry = all.entry(table.clone()).or_default().entry(column.as_str().to_owned()).or_insert(None);
        *entry = entry.or(value_type);
    }
}

fn table_name(entity: &Entity) -> Option<String> {
    match &entity.source {
        Source::Table { schema: Some(schema), table } => Some(format!("{schema}.{table}")),
        Source::Table { schema: None, table } => Some(table.clone()),
        Source::Sql(_) => None,
    }
}
