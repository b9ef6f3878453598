//! Binary rows → our columns, by the types the statement promises.

use holdfast_schema::{
    sql::OutputColumn,
    value::{Column, RowSet, ValueType, canonical_decimal},
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use tokio_postgres::{
    Row,
    types::{FromSql, Kind, Type},
};

use super::{numeric, params::EPOCH_SECONDS};
use crate::Error;

/// Collects rows.
pub(super) struct Decoder {
    names: Vec<String>,
    columns: Vec<Column>,
    wires: Vec<Wire>,
    text: String,
}

/// What arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Bool,
    Int2,
    Int4,
    Int8,
    Numeric,
    Float4,
    Float8,
    Text,
    Uuid,
    Date,
    Timestamp,
}

/// A result without rows.
pub(super) fn empty(expected: &[OutputColumn]) -> RowSet {
    RowSet::new(
        expected.iter().map(|column| column.name.clone()).collect(),
        expected.iter().map(|column| Column::empty(column.value_type)).collect(),
    )
}

impl Decoder {
    /// Checks that the server sends what the statement promises.
    pub(super) fn new(expected: &[OutputColumn], found: &[tokio_postgres::Column]) -> Result<Self, Error> {
        if expected.len() != found.len() {
            return Err(Error::Statement(format!("{} columns expected, {} found", expected.len(), found.len())));
        }
        let wires = expected.iter().zip(found).map(|(expected, found)| {
            wire(found.type_()).filter(|wire| fits(expected.value_type, *wire)).ok_or_else(|| {
                Error::Statement(format!("column {} should be {:?}, not {}", expected.name, expected.value_type, found.type_()))
            })
        });
        Ok(Self {
            names: expected.iter().map(|column| column.name.clone()).collect(),
            columns: expected.iter().map(|column| Column::empty(column.value_type)).collect(),
            wires: wires.collect::<Result<_, _>>()?,
            text: String::new(),
        })
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: &Row) -> Result<(), Error> {
        for (index, (column, wire)) in self.columns.iter_mut().zip(&self.wires).enumerate() {
            let bytes: Option<Bytes<'_>> = row.try_get(index).map_err(|error| Error::Data(error.to_string()))?;
            append(column, *wire, bytes.map(|bytes| bytes.0), &mut self.text)
                .map_err(|problem| Error::Data(format!("column {}: {problem}", self.names[index])))?;
        }
        Ok(())
    }

    /// The result.
    pub(super) fn finish(self) -> RowSet {
        RowSet::new(self.names, self.columns)
    }
}

/// A cell as it arrived.
struct Bytes<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Bytes<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Bytes(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn wire(sql_type: &Type) -> Option<Wire> {
    Some(match *sql_type {
        Type::BOOL => Wire::Bool,
        Type::INT2 => Wire::Int2,
        Type::INT4 => Wire::Int4,
        Type::INT8 => Wire::Int8,
        Type::NUMERIC => Wire::Numeric,
        Type::FLOAT4 => Wire::Float4,
        Type::FLOAT8 => Wire::Float8,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR | Type::UNKNOWN => Wire::Text,
        Type::UUID => Wire::Uuid,
        Type::DATE => Wire::Date,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => Wire::Timestamp,
        _ => match sql_type.kind() {
            Kind::Enum(_) => Wire::Text,
            Kind::Domain(inner) => return wire(inner),
            _ if sql_type.name() == "citext" => Wire::Text,
            _ => return None,
        },
    })
}

fn fits(value_type: ValueType, wire: Wire) -> bool {
    match value_type {
        ValueType::Bool => wire == Wire::Bool,
        ValueType::Int => matches!(wire, Wire::Int2 | Wire::Int4 | Wire::Int8 | Wire::Numeric),
        // Floats are what an author's column may be; they are shown with the digits that tell them apart.
        ValueType::Decimal => {
            matches!(wire, Wire::Int2 | Wire::Int4 | Wire::Int8 | Wire::Numeric | Wire::Float4 | Wire::Float8)
        }
        ValueType::Text => matches!(wire, Wire::Text | Wire::Uuid),
        ValueType::Date => matches!(wire, Wire::Date | Wire::Timestamp),
        ValueType::Timestamp => matches!(wire, Wire::Timestamp | Wire::Date),
    }
}

fn append(column: &mut Column, wire: Wire, bytes: Option<&[u8]>, buffer: &mut String) -> Result<(), String> {
    match column {
        Column::Bool(values) => values.push(bytes.map(|bytes| Ok::<_, String>(fixed::<1>(bytes)?[0] != 0)).transpose()?),
        Column::Int(values) => values.push(bytes.map(|bytes| int(wire, bytes, buffer)).transpose()?),
        Column::Decimal(values) => match bytes {
            None => values.push(None),
            Some(bytes) => {
                decimal(wire, bytes, buffer)?;
                values.push(Some(buffer));
            }
        },
        Column::Text(values) => match bytes {
            None => values.push(None),
            Some(bytes) if wire == Wire::Uuid => values.push(Some(&uuid::Uuid::from_bytes(fixed(bytes)?).to_string())),
            Some(bytes) => values.push(Some(std::str::from_utf8(bytes).map_err(|error| error.to_string())?)),
        },
        Column::Date(values) => values.push(bytes.map(|bytes| date(wire, bytes)).transpose()?),
        Column::Timestamp(values) => values.push(bytes.map(|bytes| timestamp(wire, bytes)).transpose()?),
    }
    Ok(())
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| format!("{N} bytes expected, {} found", bytes.len()))
}

fn int(wire: Wire, bytes: &[u8], buffer: &mut String) -> Result<i64, String> {
    match wire {
        Wire::Int2 => Ok(i64::from(i16::from_be_bytes(fixed(bytes)?))),
        Wire::Int4 => Ok(i64::from(i32::from_be_bytes(fixed(bytes)?))),
        Wire::Int8 => Ok(i64::from_be_bytes(fixed(bytes)?)),
        _ => {
            numeric::decode(bytes, buffer).map_err(|error| error.to_string())?;
            buffer.parse().map_err(|_| "a value is no whole number of 64 bits".to_owned())
        }
    }
}

fn decimal(wire: Wire, bytes: &[u8], buffer: &mut String) -> Result<(), String> {
    let shown = match wire {
        Wire::Numeric => return numeric::decode(bytes, buffer).map_err(|error| error.to_string()),
        Wire::Float4 => f32::from_be_bytes(fixed(bytes)?).to_string(),
        Wire::Float8 => f64::from_be_bytes(fixed(bytes)?).to_string(),
        _ => int(wire, bytes, buffer)?.to_string(),
    };
    *buffer = canonical_decimal(&shown).ok_or_else(|| format!("a value is {shown}"))?;
    Ok(())
}

/// `infinity`, and what lies beyond our calendar, becomes its last day: such values stand for "for ever".
fn date(wire: Wire, bytes: &[u8]) -> Result<Date, String> {
    if wire == Wire::Timestamp {
        return Ok(jiff::tz::TimeZone::UTC.to_datetime(timestamp(wire, bytes)?).date());
    }
    let days = i64::from(i32::from_be_bytes(fixed(bytes)?));
    Ok(jiff::civil::date(2000, 1, 1).saturating_add(SignedDuration::from_hours(days * 24)))
}

fn timestamp(wire: Wire, bytes: &[u8]) -> Result<Timestamp, String> {
    let microseconds = match wire {
        Wire::Date => i64::from(i32::from_be_bytes(fixed(bytes)?)).saturating_mul(86_400_000_000),
        _ => i64::from_be_bytes(fixed(bytes)?),
    };
    let since_1970 = microseconds.saturating_add(EPOCH_SECONDS * 1_000_000);
    let end = if since_1970 < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Ok(Timestamp::from_microsecond(since_1970).unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinity_is_the_last_day() {
        assert_eq!(date(Wire::Date, &i32::MAX.to_be_bytes()), Ok(Date::MAX));
        assert_eq!(date(Wire::Date, &0_i32.to_be_bytes()), Ok(jiff::civil::date(2000, 1, 1)));
        assert_eq!(date(Wire::Date, &(-1_i32).to_be_bytes()), Ok(jiff::civil::date(1999, 12, 31)));
        assert_eq!(timestamp(Wire::Timestamp, &i64::MAX.to_be_bytes()), Ok(Timestamp::MAX));
        assert_eq!(timestamp(Wire::Timestamp, &0_i64.to_be_bytes()), Ok("2000-01-01T00:00:00Z".parse().expect("it is an instant")));
    }

    #[test]
    fn a_float_is_never_taken_for_a_whole_number() {
        assert!(!fits(ValueType::Int, Wire::Float8));
        let mut buffer = String::new();
        assert_eq!(decimal(Wire::Float8, &0.1_f64.to_be_bytes(), &mut buffer), Ok(()));
        assert_eq!(buffer, "0.1");
        assert!(decimal(Wire::Float8, &f64::NAN.to_be_bytes(), &mut buffer).is_err());
    }
}
