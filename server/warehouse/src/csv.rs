//! Rows of a plain table ↔ CSV as PostgreSQL's `COPY … (FORMAT csv)` writes it: nothing is null, `""` is the empty text.

use std::borrow::Cow;

use holdfast_schema::value::{CellRef, Value};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::table::{ColumnType, Table};

/// Writes rows `from..to`.
pub(super) fn write(table: &Table, from: usize, to: usize) -> String {
    let mut out = String::new();
    for row in from..to {
        for (index, column) in table.values().iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            match column.get(row) {
                CellRef::Null => {}
                CellRef::Bool(value) => out.push_str(if value { "t" } else { "f" }),
                CellRef::Text(text) => push_text(&mut out, text),
                plain @ (CellRef::Int(_) | CellRef::Decimal(_) | CellRef::Date(_) | CellRef::Timestamp(_)) => {
                    out.push_str(&plain.to_string());
                }
            }
        }
        out.push('\n');
    }
    out
}

fn push_text(out: &mut String, text: &str) {
    // `\.` alone on a line would end a copy.
    let plain = !text.is_empty() && text != "\\." && !text.contains([',', '"', '\n', '\r']) && text.trim() == text;
    if plain {
        out.push_str(text);
    } else {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    }
}

/// One line of a file: where it begins, and its fields; `None` is null.
pub(super) type Record = (usize, Vec<Option<String>>);

/// Splits text into records. An error is the line where a quoted field goes wrong.
pub(super) fn records(text: &str) -> Result<Vec<Record>, usize> {
    let mut records = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let first_line = line;
        let mut fields = Vec::new();
        loop {
            let (field, after) = split_field(rest).ok_or(line)?;
            line += rest[..rest.len() - after.len()].matches('\n').count();
            fields.push(field);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None => {
                    let after = after.strip_prefix('\r').unwrap_or(after);
                    rest = after.strip_prefix('\n').unwrap_or(after);
                    line += 1;
                    break;
                }
            }
        }
        records.push((first_line, fields));
    }
    Ok(records)
}

/// Takes one field off; what is left begins with a comma, a line end or nothing.
fn split_field(text: &str) -> Option<(Option<String>, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\n', '\r']).unwrap_or(text.len());
        return Some(((end > 0).then(|| text[..end].to_owned()), &text[end..]));
    };
    let mut field = String::new();
    loop {
        let quote = rest.find('"')?;
        field.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return (rest.is_empty() || rest.starts_with([',', '\n', '\r'])).then_some((Some(field), rest)),
        }
    }
}

/// Reads a field as a value of a type.
pub(super) fn value(field: Option<&str>, column_type: ColumnType) -> Option<Value> {
    let Some(text) = field else { return Some(Value::Null) };
    Some(match column_type {
        ColumnType::Bool => Value::Bool(match text {
            "t" | "true" | "TRUE" | "1" | "yes" | "on" => true,
            "f" | "false" | "FALSE" | "0" | "no" | "off" => false,
            _ => return None,
        }),
        ColumnType::Int => Value::Int(text.parse().ok()?),
        ColumnType::Decimal { .. } => Value::Decimal(holdfast_schema::value::canonical_decimal(&without_exponent(text)?)?),
        ColumnType::Text => Value::Text(text.to_owned()),
        ColumnType::Date => Value::Date(text.parse().ok()?),
        ColumnType::Timestamp => Value::Timestamp(instant(text)?),
    })
}

/// The longest shift of a point; numbers beyond have no place in a column.
const LONGEST_SHIFT: usize = 50;

/// A number as it is without an exponent, which is how floats are written: `1e-7` is `0.0000001`.
pub(super) fn without_exponent(text: &str) -> Option<Cow<'_, str>> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return Some(Cow::Borrowed(text)) };
    let exponent: i32 = exponent.parse().ok()?;
    let shift = usize::try_from(exponent.unsigned_abs()).ok().filter(|shift| *shift <= LONGEST_SHIFT)?;
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !(whole.bytes().chain(fraction.bytes()).all(|digit| digit.is_ascii_digit())) {
        return None;
    }
    let zeros = "0".repeat(shift);
    let (whole, fraction) = if exponent < 0 {
        let all = format!("{zeros}{whole}");
        let (left, right) = all.split_at(all.len() - shift);
        (format!("0{left}"), format!("{right}{fraction}"))
    } else {
        let all = format!("{fraction}{zeros}");
        let (left, right) = all.split_at(shift);
        (format!("{whole}{left}"), right.to_owned())
    };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(Cow::Owned(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }))
}

/// An instant with an offset, or a time without one, which is taken as UTC.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_told_from_empty_text_and_quotes_hold_commas_and_lines() {
        let texts =
            [Some(""), None, Some("a,b"), Some("say \"x\""), Some("two\nlines"), Some("\\."), Some(" space"), Some("plain")];
        let mut table = Table::new(None, "t", &[("first", ColumnType::Text), ("second", ColumnType::Text)]);
        for text in texts {
            let cell = text.map_or(Value::Null, |text| Value::Text(text.to_owned()));
            table.push(&[cell.clone(), cell]);
        }
        let written = write(&table, 0, table.row_count());
        let read = records(&written).expect("what we write can be read");
        let firsts: Vec<_> = read.iter().map(|(_, fields)| fields[0].as_deref()).collect();
        assert_eq!(firsts, texts);
        assert!(read.iter().all(|(_, fields)| fields.len() == 2 && fields[0] == fields[1]));
        assert_eq!(read.last().map(|(line, _)| *line), Some(10));
    }

    #[test]
    fn windows_line_ends_and_a_missing_last_one_are_fine_and_an_open_quote_is_not() {
        let read = records("1,\r\n,2").expect("it is well formed");
        assert_eq!(read, [(1, vec![Some("1".to_owned()), None]), (2, vec![None, Some("2".to_owned())])]);
        assert_eq!(records("1\n\"open"), Err(2));
        assert_eq!(records("\"a\"b"), Err(1));
    }
}
