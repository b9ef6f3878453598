//! Our scalars, and which GraphQL type a value type of the model has.

use apollo_compiler::response::JsonValue;
use holdfast_schema::value::{Value, ValueType, canonical_decimal};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::input::Input;

/// Name, description and specification of each custom scalar.
pub(crate) const SCALARS: [(&str, &str, &str); 6] = [
    (
        "Decimal",
        "An exact decimal number as text; one that something is compared with has at most 20 digits before the point and 18 after it.",
        "https://speleotrove.com/decimal/daconvs.html",
    ),
    ("BigInt", "A whole number of up to 64 bits, as text.", "https://www.rfc-editor.org/rfc/rfc8259#section-6"),
    ("Date", "A calendar day: `2025-01-31`.", "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"),
    ("DateTime", "An instant: `2025-01-31T12:00:00Z`.", "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"),
    ("Currency", "Code of a currency: `EUR`.", "https://www.iso.org/iso-4217-currency-codes.html"),
    ("TimeZone", "An IANA time zone: `Europe/Berlin`.", "https://www.iana.org/time-zones"),
];

/// The output type of a value type.
pub(crate) fn output_type(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Bool => "Boolean",
        ValueType::Int => "BigInt",
        ValueType::Decimal => "Decimal",
        ValueType::Text => "String",
        ValueType::Date => "Date",
        ValueType::Timestamp => "DateTime",
    }
}

/// The input type that holds the operators of a value type.
pub(crate) fn filter_type(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Bool => "BooleanFilter",
        ValueType::Int => "BigIntFilter",
        ValueType::Decimal => "DecimalFilter",
        ValueType::Text => "StringFilter",
        ValueType::Date => "DateFilter",
        ValueType::Timestamp => "DateTimeFilter",
    }
}

/// Reads a value of a given type; the error says what was expected.
pub(crate) fn read(input: &Input, value_type: ValueType) -> Result<Value, String> {
    let found = match (value_type, input) {
        (ValueType::Bool, Input::Bool(value)) => Some(Value::Bool(*value)),
        (ValueType::Int, Input::Number(text) | Input::Text(text)) => text.parse().ok().map(Value::Int),
        (ValueType::Decimal, Input::Number(text) | Input::Text(text)) => plain_decimal(text).map(Value::Decimal),
        (ValueType::Text, Input::Text(text)) => Some(Value::Text(text.clone())),
        (ValueType::Date, Input::Text(text)) => text.parse::<Date>().ok().filter(|_| text.len() == 10).map(Value::Date),
        (ValueType::Timestamp, Input::Text(text)) => text.parse::<Timestamp>().ok().map(Value::Timestamp),
        (
            ValueType::Bool | ValueType::Int | ValueType::Decimal | ValueType::Text | ValueType::Date | ValueType::Timestamp,
            Input::Null | Input::Bool(_) | Input::Number(_) | Input::Text(_) | Input::List(_) | Input::Object(_),
        ) => None,
    };
    found.ok_or_else(|| format!("expected a {}", output_type(value_type)))
}

/// Whether a variable is a value of a scalar of ours; of any other scalar every value is one.
pub(crate) fn accepts(name: &str, value: &JsonValue) -> bool {
    let value_type = match name {
        "Decimal" => ValueType::Decimal,
        "BigInt" => ValueType::Int,
        "Date" => ValueType::Date,
        "DateTime" => ValueType::Timestamp,
        "Currency" => return value.as_str().is_some_and(is_currency),
        "TimeZone" => return value.as_str().is_some_and(|name| TimeZone::get(name).is_ok()),
        _ => return true,
    };
    let input = match value {
        JsonValue::String(text) => Input::Text(text.as_str().to_owned()),
        JsonValue::Number(number) => Input::Number(number.to_string()),
        JsonValue::Null | JsonValue::Bool(_) | JsonValue::Array(_) | JsonValue::Object(_) => return false,
    };
    read(&input, value_type).is_ok()
}

/// Three letters, as ISO 4217 has them.
fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Canonical text of a decimal that may be written with an exponent, as JSON numbers may.
fn plain_decimal(text: &str) -> Option<String> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return canonical_decimal(text) };
    let exponent: i32 = exponent.trim_start_matches('+').parse().ok().filter(|exponent: &i32| exponent.abs() <= 400)?;
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let moved = if point <= 0 {
        format!("0.{}{all}", "0".repeat(usize::try_from(-point).ok()?))
    } else {
        let point = usize::try_from(point).ok()?;
        match all.get(..point) {
            Some(head) => format!("{head}.{}", &all[point..]),
            None => format!("{all}{}", "0".repeat(point - all.len())),
        }
    };
    canonical_decimal(&format!("{sign}{moved}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_become_plain_digits_exactly() {
        for (text, expected) in [("1e3", "1000"), ("-1.25e1", "-12.5"), ("5e-3", "0.005"), ("1.5E+2", "150")] {
            assert_eq!(plain_decimal(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["1e9999999", "ée-1", "1x2e3"] {
            assert_eq!(plain_decimal(text), None, "{text}");
        }
    }
}
