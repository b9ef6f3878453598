//! Global ids (`account:A1`) and cursors: keys of rows as opaque text, and back.
//!
//! A row that is read as of a chosen day is another object than the row of today, and caches must not mix them: its id ends with the
//! day (`account:A1@2024-06-01`), and with the instant of what was known where that is chosen.

use holdfast_schema::{
    hex,
    model::{EntityId, Model},
    value::{CellRef, Value, ValueType, canonical_decimal},
};
use sha2::{Digest as _, Sha256};

use crate::plan::Moment;

/// The row that an id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its key.
    pub(crate) key: Vec<Value>,
    /// When it is read; `None` as the request says, or today.
    pub(crate) moment: Option<Moment>,
}

/// The global id of a row: the entity's name and the parts of its key, percent-encoded, joined with colons; then when it is read.
pub(crate) fn global<'a>(entity: &str, key: impl IntoIterator<Item = CellRef<'a>>, moment: Moment) -> String {
    let mut out = entity.to_owned();
    for part in key {
        out.push(':');
        match part {
            CellRef::Null => {}
            CellRef::Bool(value) => encode(&mut out, if value { "true" } else { "false" }),
            CellRef::Int(value) => encode(&mut out, &value.to_string()),
            CellRef::Decimal(text) | CellRef::Text(text) => encode(&mut out, text),
            CellRef::Date(value) => encode(&mut out, &value.to_string()),
            CellRef::Timestamp(value) => encode(&mut out, &value.to_string()),
        }
    }
    if moment.is_chosen {
        out.push_str(&format!("@{}", moment.as_of));
        if let Some(known) = moment.as_known_at {
            out.push_str(&format!("@{known}"));
        }
    }
    out
}

/// The row behind a global id of any entity.
pub(crate) fn parse_global(model: &Model, id: &str) -> Option<(EntityId, Row)> {
    let (name, rest) = id.split_once(':')?;
    let entity = model.entity_named(name)?;
    Some((entity, parse_row(model, entity, rest)?))
}

/// The row behind an id of a known entity: global, or the bare key.
pub(crate) fn parse(model: &Model, entity: EntityId, id: &str) -> Option<Row> {
    let definition = model.entity(entity);
    if let Some(rest) = id.strip_prefix(definition.name.as_str()).and_then(|rest| rest.strip_prefix(':'))
        && let Some(row) = parse_row(model, entity, rest)
    {
        return Some(row);
    }
    let key = match definition.key.as_slice() {
        [part] => vec![parse_value(id, definition.dimensions[part.index()].value_type)?],
        _ => parse_parts(model, entity, id)?,
    };
    Some(Row { key, moment: None })
}

/// What stands in a global id behind the entity's name.
fn parse_row(model: &Model, entity: EntityId, text: &str) -> Option<Row> {
    let Some((key, when)) = text.split_once('@') else {
        return Some(Row { key: parse_parts(model, entity, text)?, moment: None });
    };
    let (day, known) = when.split_once('@').map_or((when, None), |(day, known)| (day, Some(known)));
    let as_known_at = match known {
        Some(known) => Some(known.parse().ok()?),
        None => None,
    };
    let moment = Moment { as_of: day.parse().ok()?, as_known_at, is_chosen: true };
    Some(Row { key: parse_parts(model, entity, key)?, moment: Some(moment) })
}

fn parse_parts(model: &Model, entity: EntityId, text: &str) -> Option<Vec<Value>> {
    let definition = model.entity(entity);
    let parts: Vec<_> = text.split(':').collect();
    if parts.len() != definition.key.len() {
        return None;
    }
    let types = definition.key.iter().map(|index| definition.dimensions[index.index()].value_type);
    parts.into_iter().zip(types).map(|(part, value_type)| parse_value(&decode(part)?, value_type)).collect()
}

fn parse_value(text: &str, value_type: ValueType) -> Option<Value> {
    match value_type {
        ValueType::Bool => text.parse().ok().map(Value::Bool),
        ValueType::Int => text.parse().ok().map(Value::Int),
        ValueType::Decimal => canonical_decimal(text).map(Value::Decimal),
        ValueType::Text => Some(Value::Text(text.to_owned())),
        ValueType::Date => text.parse().ok().map(Value::Date),
        ValueType::Timestamp => text.parse().ok().map(Value::Timestamp),
    }
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' { hex(bytes.next()?)? * 16 + hex(bytes.next()?)? } else { byte });
    }
    // No warehouse holds this character, so no row has it in its key.
    String::from_utf8(out).ok().filter(|text| !text.contains('\0'))
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// An opaque cursor: the values of a row's order and key, under the order they were made for.
pub(crate) fn cursor<'a>(order: &str, values: impl IntoIterator<Item = CellRef<'a>>) -> String {
    let mut text = order.to_owned();
    for value in values {
        text.push('\n');
        let (tag, value) = match value {
            CellRef::Null => ('n', String::new()),
            CellRef::Bool(value) => ('b', value.to_string()),
            CellRef::Int(value) => ('i', value.to_string()),
            CellRef::Decimal(value) => ('d', value.to_owned()),
            CellRef::Text(value) => ('t', value.to_owned()),
            CellRef::Date(value) => ('D', value.to_string()),
            CellRef::Timestamp(value) => ('T', value.to_string()),
        };
        text.push(tag);
        encode(&mut text, &value);
    }
    hex::digits(text)
}

/// The values of a cursor; `None` when it was not made for that order, or not by us.
pub(crate) fn parse_cursor(order: &str, cursor: &str) -> Option<Vec<Value>> {
    if !cursor.is_ascii() || !cursor.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Option<Vec<u8>> = cursor.as_bytes().chunks(2).map(|pair| Some(hex(pair[0])? * 16 + hex(pair[1])?)).collect();
    let text = String::from_utf8(bytes?).ok()?;
    let mut lines = text.split('\n');
    if lines.next()? != order {
        return None;
    }
    lines
        .map(|line| {
            let mut letters = line.chars();
            let tag = letters.next()?;
            let value = decode(letters.as_str())?;
            match tag {
                'n' => Some(Value::Null),
                'b' => parse_value(&value, ValueType::Bool),
                'i' => parse_value(&value, ValueType::Int),
                'd' => parse_value(&value, ValueType::Decimal),
                't' => parse_value(&value, ValueType::Text),
                'D' => parse_value(&value, ValueType::Date),
                'T' => parse_value(&value, ValueType::Timestamp),
                _ => None,
            }
        })
        .collect()
}

/// A short digest that tells questions apart.
pub(crate) fn digest(text: &str) -> String {
    hex::digits(&Sha256::digest(text.as_bytes())[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_knows_its_order() {
        let made = cursor("name", [CellRef::Text("Größe: a\nb"), CellRef::Null, CellRef::Decimal("1.5")]);
        let values = vec![Value::Text("Größe: a\nb".to_owned()), Value::Null, Value::Decimal("1.5".to_owned())];
        assert_eq!(parse_cursor("name", &made), Some(values));
        assert_eq!(parse_cursor("name desc", &made), None);
        assert_eq!(parse_cursor("name", "zz"), None);
    }

    #[test]
    fn key_parts_with_colons_survive() {
        let today = Moment { as_of: jiff::civil::date(2025, 1, 31), as_known_at: None, is_chosen: false };
        assert_eq!(global("account", [CellRef::Text("A:1@/é")], today), "account:A%3A1%40%2F%C3%A9");
        assert_eq!(decode("A%3A1%2F%C3%A9").as_deref(), Some("A:1/é"));
        assert_eq!(decode("%4"), None);
    }
}
