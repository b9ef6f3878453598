//! Our typed values → the driver's typed parameters.

use std::error::Error;

use bytes::BytesMut;
use holdfast_schema::sql::Param;
use jiff::{Timestamp, civil::Date};
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use super::numeric;

/// PostgreSQL counts from here.
const EPOCH: Date = jiff::civil::date(2000, 1, 1);

/// Seconds from 1970 to 2000.
pub(super) const EPOCH_SECONDS: i64 = 946_684_800;

/// A value on its way.
#[derive(Debug)]
pub(super) struct Bound<'a>(&'a Param);

/// Pairs every value with its type.
///
/// Text goes without a type, as a quoted literal would: the server reads it as the type of what it is compared with, so that an
/// index on an enum or `uuid` column serves.
pub(super) fn bind(params: &[Param]) -> Vec<(Bound<'_>, Type)> {
    params.iter().map(|param| (Bound(param), sql_type(param))).collect()
}

fn sql_type(param: &Param) -> Type {
    match param {
        Param::Bool(_) => Type::BOOL,
        Param::Int(_) => Type::INT8,
        Param::Decimal(_) => Type::NUMERIC,
        Param::Text(_) => Type::UNKNOWN,
        Param::Date(_) => Type::DATE,
        Param::Timestamp(_) => Type::TIMESTAMPTZ,
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, sql_type: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Param::Bool(value) => value.to_sql(sql_type, out),
            Param::Int(value) => value.to_sql(sql_type, out),
            Param::Decimal(text) => {
                numeric::encode(text, out)?;
                Ok(IsNull::No)
            }
            Param::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
            Param::Date(date) => days_since_2000(*date).to_sql(&Type::INT4, out),
            Param::Timestamp(instant) => microseconds_since_2000(*instant).to_sql(&Type::INT8, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self.0 {
            Param::Text(_) => Format::Text,
            Param::Bool(_) | Param::Int(_) | Param::Decimal(_) | Param::Date(_) | Param::Timestamp(_) => Format::Binary,
        }
    }

    to_sql_checked!();
}

fn days_since_2000(date: Date) -> i32 {
    date.duration_since(EPOCH).as_hours().div_euclid(24) as i32
}

fn microseconds_since_2000(instant: Timestamp) -> i64 {
    instant.as_microsecond() - EPOCH_SECONDS * 1_000_000
}
