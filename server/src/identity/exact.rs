//! JSON → values whose numbers are the digits that were written. The usual parser makes binary floats of them.

use serde_json::{Map, Value as Json};

/// A JSON value with exact numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exact {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    Text(String),
    List(Vec<Exact>),
    Object(Vec<(String, Exact)>),
}

/// What stands before every text, and before every number once it is a text, so that none is taken for the other.
const TEXT: char = 't';
const NUMBER: char = 'n';

/// Parses an object. Of a name that is there twice the last holds.
pub(super) fn object(json: &str) -> Result<Vec<(String, Exact)>, serde_json::Error> {
    // For the message: places in the marked text would be others.
    serde_json::from_str::<Map<String, Json>>(json)?;
    let marked: Map<String, Json> = serde_json::from_str(&mark(json))?;
    Ok(members(marked))
}

/// Puts a mark before every text, and makes every number a marked text. `json` is well formed.
fn mark(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut letters = json.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                out.extend(['"', TEXT]);
                while let Some(letter) = letters.next() {
                    out.push(letter);
                    match letter {
                        '\\' => out.extend(letters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '-' | '0'..='9' => {
                out.extend(['"', NUMBER, letter]);
                while let Some(letter) = letters.next_if(|letter| matches!(letter, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')) {
                    out.push(letter);
                }
                out.push('"');
            }
            other => out.push(other),
        }
    }
    out
}

fn members(map: Map<String, Json>) -> Vec<(String, Exact)> {
    map.into_iter().map(|(name, value)| (unmark(&name).to_owned(), exact(value))).collect()
}

fn exact(value: Json) -> Exact {
    match value {
        Json::Null => Exact::Null,
        Json::Bool(value) => Exact::Bool(value),
        Json::Number(number) => Exact::Number(number.to_string()),
        Json::String(text) if text.starts_with(NUMBER) => Exact::Number(unmark(&text).to_owned()),
        Json::String(text) => Exact::Text(unmark(&text).to_owned()),
        Json::Array(items) => Exact::List(items.into_iter().map(exact).collect()),
        Json::Object(map) => Exact::Object(members(map)),
    }
}

fn unmark(text: &str) -> &str {
    text.strip_prefix([TEXT, NUMBER]).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit_and_texts_stay_texts() {
        let text =
            r#"{"a": -0.1000000000000000000001, "n5": "n5", "q": "say \"1\" \\", "l": [1, 2e3, "t", null, true], "o": {"x": 7}}"#;
        let number = |text: &str| Exact::Number(text.to_owned());
        let words = |text: &str| Exact::Text(text.to_owned());
        let expected = [
            ("a", number("-0.1000000000000000000001")),
            ("n5", words("n5")),
            ("q", words("say \"1\" \\")),
            ("l", Exact::List(vec![number("1"), number("2e3"), words("t"), Exact::Null, Exact::Bool(true)])),
            ("o", Exact::Object(vec![("x".to_owned(), number("7"))])),
        ];
        let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(object(text).expect("well formed"), expected);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", "{", "{\"a\": 01}", "{\"a\": 1.2.3}", "{\"a\" 1}", "{} {}"] {
            assert!(object(text).is_err(), "{text}");
        }
    }
}
