//! Whether a value fits a field, and its one form when it does.

use super::error::{QueryError, QueryErrorCode as Code};
use crate::value::{Value, ValueType, canonical_decimal};

/// Digits before the point of a number that something may be compared with; with [`DECIMALS`], what all engines compare exactly.
const WHOLE_DIGITS: usize = 20;

/// Digits after the point.
const DECIMALS: usize = 18;

/// The value in the type of the field it is compared with.
///
/// # Errors
/// When it does not fit, naming the field, what was found and what was expected.
pub(crate) fn fit(field: &str, value: &Value, expected: ValueType) -> Result<Value, QueryError> {
    let fitted = match (value, expected) {
        (Value::Null, _) => {
            return Err(QueryError::new(Code::TypeMismatch, format!("`{field}` is compared with null"))
                .help(format!("use {{{field}: {{isNull: true}}}}")));
        }
        (Value::Int(number), ValueType::Decimal) => Some(Value::Decimal(number.to_string())),
        (Value::Decimal(text), ValueType::Decimal) => canonical_decimal(text).map(Value::Decimal),
        (Value::Decimal(text), ValueType::Int) => text.parse().ok().map(Value::Int),
        (Value::Text(text), ValueType::Int) => text.parse().ok().map(Value::Int),
        (Value::Text(text), ValueType::Decimal) => canonical_decimal(text).map(Value::Decimal),
        (Value::Text(text), ValueType::Date) => text.parse().ok().map(Value::Date),
        (Value::Text(text), ValueType::Timestamp) => text.parse().ok().map(Value::Timestamp),
        (value, expected) => (value.value_type() == Some(expected)).then(|| value.clone()),
    };
    if let Some(Value::Decimal(text)) = &fitted {
        let digits = text.trim_start_matches('-');
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.len() > WHOLE_DIGITS || decimals.len() > DECIMALS {
            let (found, after) = (whole.len(), decimals.len());
            return Err(QueryError::new(
                Code::TypeMismatch,
                format!("`{field}` is compared with a number of {found} digits before the point and {after} after it"),
            )
            .help(format!("numbers have at most {WHOLE_DIGITS} digits before the point and {DECIMALS} after it")));
        }
    }
    fitted.ok_or_else(|| {
        let found = value.value_type().map_or("null", ValueType::name);
        QueryError::new(Code::TypeMismatch, format!("`{field}` takes a {}, found a {found} that is not one", expected.name()))
    })
}
