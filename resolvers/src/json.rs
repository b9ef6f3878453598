//! JSON written straight into a buffer.

use holdfast_schema::value::CellRef;

/// A string, quoted and escaped.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f => b"",
            _ => continue,
        };
        out.extend_from_slice(&bytes[written..index]);
        if escape.is_empty() {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend_from_slice(escape);
        }
        written = index + 1;
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

/// A string that holds nothing to escape.
pub(crate) fn plain(out: &mut Vec<u8>, text: impl std::fmt::Display) {
    use std::io::Write as _;
    write!(out, "\"{text}\"").expect("a buffer takes everything");
}

/// A whole number.
pub(crate) fn number(out: &mut Vec<u8>, value: impl Into<i128>) {
    use std::io::Write as _;
    write!(out, "{}", value.into()).expect("a buffer takes everything");
}

/// A list of strings.
pub(crate) fn strings<'a>(out: &mut Vec<u8>, items: impl IntoIterator<Item = &'a str>) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(out, item);
    }
    out.push(b']');
}

/// A string or null.
pub(crate) fn optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => null(out),
    }
}

/// True or false.
pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Null.
pub(crate) fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// A cell as the scalar of its type: numbers are text, so that no client rounds them.
pub(crate) fn cell(out: &mut Vec<u8>, cell: CellRef<'_>) {
    match cell {
        CellRef::Null => null(out),
        CellRef::Bool(value) => boolean(out, value),
        CellRef::Int(value) => plain(out, value),
        CellRef::Decimal(text) => plain(out, text),
        CellRef::Text(text) => string(out, text),
        CellRef::Date(value) => plain(out, value),
        CellRef::Timestamp(value) => plain(out, value),
    }
}

/// The key of a field in an object, with the comma before it when it is not the first.
pub(crate) fn key(out: &mut Vec<u8>, first: &mut bool, name: &str) {
    if !std::mem::take(first) {
        out.push(b',');
    }
    // Response keys are GraphQL names: nothing to escape.
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_quotes_are_escaped() {
        let text = "a\"b\\c\n\u{1}é";
        let mut out = Vec::new();
        string(&mut out, text);
        assert_eq!(serde_json::from_slice::<String>(&out).expect("it is JSON"), text);
    }
}
