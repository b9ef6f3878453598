//! Arguments as one tree of plain values: literals with their variables filled in, variables, defaults, single values as lists.

use apollo_compiler::{
    Node, Schema,
    ast::{Type, Value},
    parser::SourceSpan,
    response::{JsonMap, JsonValue},
    schema::{ExtendedType, InputObjectType},
};

/// A value of an argument. Enum values are text; numbers keep their digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Input {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Input>),
    Object(Vec<(String, Input)>),
}

/// What is wrong with a value, and where it stands when it stands in the document.
pub(crate) type Wrong = (String, Option<SourceSpan>);

impl Input {
    /// A field of an object that is there and not null.
    pub(crate) fn get(&self, name: &str) -> Option<&Input> {
        self.fields().iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| **value != Input::Null)
    }

    /// The fields of an object; none for anything else.
    pub(crate) fn fields(&self) -> &[(String, Input)] {
        match self {
            Input::Object(fields) => fields,
            Input::Null | Input::Bool(_) | Input::Number(_) | Input::Text(_) | Input::List(_) => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Input] {
        match self {
            Input::List(items) => items,
            Input::Null | Input::Bool(_) | Input::Number(_) | Input::Text(_) | Input::Object(_) => &[],
        }
    }

    /// Text, an enum value, or an id written as a number.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Input::Text(text) | Input::Number(text) => Some(text),
            Input::Null | Input::Bool(_) | Input::List(_) | Input::Object(_) => None,
        }
    }

    /// True or false.
    pub(crate) fn bool(&self) -> Option<bool> {
        match self {
            Input::Bool(value) => Some(*value),
            Input::Null | Input::Number(_) | Input::Text(_) | Input::List(_) | Input::Object(_) => None,
        }
    }

    /// A whole number.
    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Input::Number(text) => text.parse().ok(),
            Input::Null | Input::Bool(_) | Input::Text(_) | Input::List(_) | Input::Object(_) => None,
        }
    }

    /// The only field of a `@oneOf` object.
    pub(crate) fn one(&self) -> Option<(&str, &Input)> {
        self.fields().first().map(|(name, value)| (name.as_str(), value))
    }
}

/// Whether values of a type have fields of any name: those of a gateway's scalar.
fn is_any(kind: &Type) -> bool {
    kind.inner_named_type() == "_Any"
}

/// The type inside all lists.
fn inner(kind: &Type) -> Type {
    Type::Named(kind.inner_named_type().clone())
}

/// Reads arguments of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// The schema that the document was validated against.
    pub(crate) schema: &'a Schema,
    /// Coerced variables.
    pub(crate) variables: &'a JsonMap,
}

impl Reader<'_> {
    /// A literal; `None` when it is a variable that was not given.
    pub(crate) fn literal(&self, value: &Node<Value>, kind: &Type) -> Result<Option<Input>, Wrong> {
        let place = value.location();
        Ok(Some(match value.as_ref() {
            Value::Variable(name) => match self.variables.get(name.as_str()) {
                Some(json) => self.json(json, kind).map_err(|(message, _)| (message, place))?,
                None => return Ok(None),
            },
            Value::Null => Input::Null,
            Value::Enum(name) => self.single(Input::Text(name.to_string()), kind),
            Value::String(text) => self.single(storable(text).map_err(|message| (message, place))?, kind),
            Value::Int(number) => self.single(Input::Number(number.as_str().to_owned()), kind),
            Value::Float(number) => self.single(Input::Number(number.as_str().to_owned()), kind),
            Value::Boolean(value) => self.single(Input::Bool(*value), kind),
            Value::List(items) => {
                let inner = kind.item_type();
                let items: Result<Vec<_>, Wrong> =
                    items.iter().map(|item| Ok(self.literal(item, inner)?.unwrap_or(Input::Null))).collect();
                Input::List(items?)
            }
            Value::Object(fields) if is_any(kind) => {
                let mut out = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    out.push((name.to_string(), self.literal(value, &inner(kind))?.unwrap_or(Input::Null)));
                }
                self.single(Input::Object(out), kind)
            }
            Value::Object(fields) => {
                let Some(object) = self.object(kind) else { return Err(("an object is not expected here".to_owned(), place)) };
                let mut out = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    let Some(definition) = object.fields.get(name) else { continue };
                    if let Some(value) = self.literal(value, &definition.ty)? {
                        out.push((name.to_string(), value));
                    }
                }
                self.finish(object, out).map(|value| self.single(value, kind)).map_err(|message| (message, place))?
            }
        }))
    }

    fn json(&self, value: &JsonValue, kind: &Type) -> Result<Input, Wrong> {
        Ok(match value {
            JsonValue::Null => Input::Null,
            JsonValue::Bool(value) => self.single(Input::Bool(*value), kind),
            JsonValue::Number(number) => self.single(Input::Number(number.to_string()), kind),
            JsonValue::String(text) => self.single(storable(text.as_str()).map_err(|message| (message, None))?, kind),
            JsonValue::Array(items) => {
                let inner = kind.item_type();
                Input::List(items.iter().map(|item| self.json(item, inner)).collect::<Result<_, _>>()?)
            }
            JsonValue::Object(fields) if is_any(kind) => {
                let mut out = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    out.push((name.as_str().to_owned(), self.json(value, &inner(kind))?));
                }
                self.single(Input::Object(out), kind)
            }
            JsonValue::Object(fields) => {
                let Some(object) = self.object(kind) else { return Err(("an object is not expected here".to_owned(), None)) };
                let mut out = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    let Some(definition) = object.fields.get(name.as_str()) else { continue };
                    out.push((name.as_str().to_owned(), self.json(value, &definition.ty)?));
                }
                self.finish(object, out).map(|value| self.single(value, kind)).map_err(|message| (message, None))?
            }
        })
    }

    /// A single value where a list is expected is a list of it.
    fn single(&self, value: Input, kind: &Type) -> Input {
        if kind.is_list() { Input::List(vec![self.single(value, kind.item_type())]) } else { value }
    }

    fn object(&self, kind: &Type) -> Option<&InputObjectType> {
        match self.schema.types.get(kind.inner_named_type())? {
            ExtendedType::InputObject(object) => Some(object),
            ExtendedType::Scalar(_)
            | ExtendedType::Object(_)
            | ExtendedType::Interface(_)
            | ExtendedType::Union(_)
            | ExtendedType::Enum(_) => None,
        }
    }

    /// Adds defaults.
    fn finish(&self, object: &InputObjectType, mut fields: Vec<(String, Input)>) -> Result<Input, String> {
        for definition in object.fields.values() {
            let Some(default) = &definition.default_value else { continue };
            if !fields.iter().any(|(name, _)| name == definition.name.as_str()) {
                let value = self.literal(default, &definition.ty).map_err(|(message, _)| message)?.unwrap_or(Input::Null);
                fields.push((definition.name.to_string(), value));
            }
        }
        Ok(Input::Object(fields))
    }
}

/// A text, unless it holds the one character that warehouses do not: PostgreSQL fails on it, others may cut the text off there.
pub(crate) fn storable(text: &str) -> Result<Input, String> {
    if text.contains('\0') {
        return Err("text cannot hold the character U+0000".to_owned());
    }
    Ok(Input::Text(text.to_owned()))
}
