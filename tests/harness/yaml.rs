//! YAML of test cases → JSON values. Text in quotes and block text stays text; the rest is what it looks like.

use granit_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value};

/// The only document of a file.
///
/// # Panics
/// When it is no YAML, or uses anchors and the like: test cases are ours.
pub fn read(text: &str) -> Value {
    let mut parser = Parser::new_from_str(text);
    loop {
        match next(&mut parser) {
            Event::StreamStart | Event::DocumentStart(..) => {}
            event => return node(&mut parser, event),
        }
    }
}

fn next<'a>(parser: &mut Parser<'a, StrInput<'a>>) -> Event<'a> {
    let (event, _) = parser.next_event().expect("the document has not ended").unwrap_or_else(|error| panic!("{error}"));
    event
}

fn node<'a>(parser: &mut Parser<'a, StrInput<'a>>, event: Event<'a>) -> Value {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => {
            serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()))
        }
        Event::Scalar(text, ..) => Value::String(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(parser) {
                    Event::SequenceEnd => return Value::Array(items),
                    event => items.push(node(parser, event)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut fields = Map::new();
            loop {
                match next(parser) {
                    Event::MappingEnd => return Value::Object(fields),
                    event => {
                        let Value::String(key) = node(parser, event) else { panic!("a key is no text") };
                        let event = next(parser);
                        fields.insert(key, node(parser, event));
                    }
                }
            }
        }
        other => panic!("test cases do not use {other:?}"),
    }
}
