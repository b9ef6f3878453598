//! Messages of the protocol, read and written.

use serde_json::{Map, Value};

/// What a client says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Incoming {
    /// The first message, with what tells who asks.
    Init(Map<String, Value>),
    /// Starts an operation.
    Subscribe {
        /// Names it from now on.
        id: String,
        /// As in the body of a request.
        payload: Map<String, Value>,
    },
    /// Stops an operation.
    Complete(String),
    /// Wants a pong with the same payload.
    Ping(Option<Map<String, Value>>),
    /// The answer to a ping of ours.
    Pong,
}

impl Incoming {
    /// Reads a message; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return Err("the message is no JSON object");
        };
        let kind = match message.remove("type") {
            Some(Value::String(kind)) => kind,
            Some(_) | None => return Err("the message has no `type` that is a string"),
        };
        let payload = message.remove("payload").filter(|payload| !payload.is_null());
        match kind.as_str() {
            "connection_init" => Ok(Incoming::Init(optional_object(payload)?)),
            "ping" => {
                let payload = optional_object(payload)?;
                Ok(Incoming::Ping((!payload.is_empty()).then_some(payload)))
            }
            "pong" => optional_object(payload).map(|_| Incoming::Pong),
            "complete" => Ok(Incoming::Complete(id(&mut message)?)),
            "subscribe" => match payload {
                Some(Value::Object(payload)) => Ok(Incoming::Subscribe { id: id(&mut message)?, payload }),
                Some(_) | None => Err("`subscribe` needs a `payload` that is an object"),
            },
            _ => Err("the `type` of the message is not known"),
        }
    }
}

fn optional_object(payload: Option<Value>) -> Result<Map<String, Value>, &'static str> {
    match payload {
        None => Ok(Map::new()),
        Some(Value::Object(payload)) => Ok(payload),
        Some(_) => Err("the `payload` of the message is no object"),
    }
}

fn id(message: &mut Map<String, Value>) -> Result<String, &'static str> {
    match message.remove("id") {
        Some(Value::String(id)) if !id.is_empty() => Ok(id),
        Some(_) | None => Err("the message has no `id` that is a string with letters"),
    }
}

/// A message of a kind, of an operation, with a payload that is JSON already.
pub(super) fn write(kind: &str, id: Option<&str>, payload: Option<&str>) -> String {
    let mut out = format!("{{\"type\":\"{kind}\"");
    if let Some(id) = id {
        out.push_str(",\"id\":");
        out.push_str(&Value::from(id).to_string());
    }
    if let Some(payload) = payload {
        out.push_str(",\"payload\":");
        out.push_str(payload);
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read() {
        for (text, expected) in [
            (r#"{"type":"connection_init"}"#, Incoming::Init(Map::new())),
            (r#"{"type":"ping","payload":{"a":1}}"#, Incoming::Ping(Some(Map::from_iter([("a".to_owned(), Value::from(1))])))),
            (r#"{"type":"ping","payload":null}"#, Incoming::Ping(None)),
            (r#"{"type":"pong"}"#, Incoming::Pong),
            (r#"{"type":"complete","id":"1"}"#, Incoming::Complete("1".to_owned())),
            (r#"{"type":"subscribe","id":"1","payload":{}}"#, Incoming::Subscribe { id: "1".to_owned(), payload: Map::new() }),
        ] {
            assert_eq!(Incoming::parse(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"next"}"#,
            r#"{"type":"subscribe","payload":{}}"#,
            r#"{"type":"subscribe","id":"","payload":{}}"#,
            r#"{"type":"subscribe","id":1,"payload":{}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"connection_init","payload":1}"#,
        ] {
            assert!(Incoming::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ids_of_clients_are_escaped() {
        assert_eq!(write("next", Some("a\"b"), Some("{}")), r#"{"type":"next","id":"a\"b","payload":{}}"#);
        assert_eq!(write("connection_ack", None, None), r#"{"type":"connection_ack"}"#);
    }
}
