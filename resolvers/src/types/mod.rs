//! The names of the surface as GraphQL types, one file per family. The types are only ever printed and validated against: our
//! executor answers, so no field here has a resolver that runs.

mod catalogue;
mod common;
mod entity;
mod federation;
mod score;
mod signal;
mod view;

use async_graphql::{
    SDLExportOptions,
    dynamic::{
        Enum, EnumItem, Field, FieldFuture, InputObject, InputValue, Object, Schema, SchemaError, Subscription, SubscriptionField,
        SubscriptionFieldFuture, Type, TypeRef,
    },
};
use holdfast_schema::{model::Model, value::ValueType};

use crate::{limits::Limits, surface::Surface};

/// For whom the schema is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A client: the whole schema.
    Client,
    /// The gateway of a federated graph: with keys, without what it adds itself, without subscriptions.
    Gateway,
}

/// The schema in GraphQL's schema language.
pub(crate) fn sdl(model: &Model, surface: &Surface, limits: &Limits, reader: Reader) -> Result<String, SchemaError> {
    let mut query = Object::new("Query").description(format!(
        "Numbers and rows of {}. Every metric view groups by its argument `by`, so that caches can tell answers apart.",
        model.project.name
    ));
    let mut live = Subscription::new("Subscription").description(
        "Live queries: the whole answer at once, and again whenever it changes. Arguments are those of the field of `Query`.",
    );
    let mut types = Types(Vec::new());
    for (view, names) in model.views.iter().zip(&surface.views).filter(|(view, _)| surface.shows_view(view)) {
        view::register(model, surface, view, names, &mut types);
        query = query.field(view::root(model, surface, view, names, limits).once());
        live = live.field(view::root(model, surface, view, names, limits).live());
    }
    for (entity, names) in model.entities.iter().zip(&surface.entities) {
        entity::register(model, surface, entity, names, limits, &mut types);
        query = query.field(entity::one(entity, names)).field(entity::many(entity, names, limits).once());
        live = live.field(entity::many(entity, names, limits).live());
    }
    for field in common::root_fields().into_iter().chain(catalogue::root_fields()) {
        query = query.field(field);
    }
    query = query.field(signal::root(limits).once());
    live = live.field(signal::root(limits).live());
    common::register(model, surface, &mut types);
    score::register(&mut types);
    signal::register(model, surface, &mut types);
    catalogue::register(&mut types);
    if reader == Reader::Client {
        query = federation::root_fields().into_iter().fold(query, Object::field);
        federation::register(surface, &mut types);
    }

    let mut builder = Schema::build("Query", None, (reader == Reader::Client).then_some("Subscription")).register(query);
    if reader == Reader::Client {
        builder = builder.register(live);
    }
    for item in types.0 {
        builder = builder.register(item);
    }
    let mut options = SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by().use_space_ident();
    if reader == Reader::Gateway {
        options = options.federation();
    }
    Ok(with_one_of(builder.finish()?.sdl_with_options(options)))
}

/// A root field that can be asked once, or be watched.
struct Root {
    name: String,
    kind: TypeRef,
    description: String,
    arguments: Vec<InputValue>,
}

impl Root {
    fn new(name: impl Into<String>, kind: TypeRef, description: impl Into<String>) -> Self {
        Self { name: name.into(), kind, description: one_line(&description.into()), arguments: Vec::new() }
    }

    fn argument(mut self, argument: InputValue) -> Self {
        self.arguments.push(argument);
        self
    }

    /// The field of `Query`.
    fn once(self) -> Field {
        self.arguments.into_iter().fold(field(self.name, self.kind, self.description), Field::argument)
    }

    /// The field of `Subscription`.
    fn live(self) -> SubscriptionField {
        let field = SubscriptionField::new(self.name, self.kind, |_| {
            SubscriptionFieldFuture::new(async {
                Ok(futures_util::stream::empty::<Result<async_graphql::Value, async_graphql::Error>>())
            })
        });
        let field = if self.description.is_empty() { field } else { field.description(self.description) };
        self.arguments.into_iter().fold(field, SubscriptionField::argument)
    }
}

/// Prints the definition of `@oneOf`, which tools that do not know the directive need.
fn with_one_of(sdl: String) -> String {
    let definition = "directive @oneOf on INPUT_OBJECT";
    if sdl.contains(definition) { sdl } else { format!("{sdl}{definition}\n") }
}

/// Types in the order they are registered.
struct Types(Vec<Type>);

impl Types {
    fn add(&mut self, item: impl Into<Type>) {
        self.0.push(item.into());
    }

    fn add_enum(&mut self, name: &str, description: &str, values: &[(String, Option<String>)]) {
        let mut item = Enum::new(name).description(one_line(description));
        for (value, text) in values {
            let mut value = EnumItem::new(value);
            if let Some(text) = text {
                value = value.description(one_line(text));
            }
            item = item.item(value);
        }
        self.add(item);
    }

    fn add_words(&mut self, name: &str, description: &str, values: &[&str]) {
        let values: Vec<_> = values.iter().map(|value| ((*value).to_owned(), None)).collect();
        self.add_enum(name, description, &values);
    }
}

/// A field that our executor answers.
fn field(name: impl Into<String>, kind: TypeRef, description: impl Into<String>) -> Field {
    let field = Field::new(name, kind, |_| {
        FieldFuture::new(async {
            Err::<Option<async_graphql::Value>, _>(async_graphql::Error::new("answered by another executor"))
        })
    });
    let description = one_line(&description.into());
    if description.is_empty() { field } else { field.description(description) }
}

/// An argument or input field.
fn input(name: impl Into<String>, kind: TypeRef, description: impl Into<String>) -> InputValue {
    let input = InputValue::new(name, kind);
    let description = one_line(&description.into());
    if description.is_empty() { input } else { input.description(description) }
}

fn named(name: impl Into<String>) -> TypeRef {
    TypeRef::named(name)
}

fn required(name: impl Into<String>) -> TypeRef {
    TypeRef::named_nn(name)
}

fn list(name: impl Into<String>) -> TypeRef {
    TypeRef::named_nn_list(name)
}

fn required_list(name: impl Into<String>) -> TypeRef {
    TypeRef::named_nn_list_nn(name)
}

/// `and`, `or` and `not` of a condition type.
fn condition(name: &str, description: impl Into<String>) -> InputObject {
    InputObject::new(name)
        .description(description)
        .field(input("and", list(name), "All hold; an empty list holds."))
        .field(input("or", list(name), "One holds; an empty list does not hold."))
        .field(input("not", named(name), "Does not hold."))
}

/// What people read about something of the model: its description, or its label.
fn text(label: &str, description: Option<&String>, unit: Option<&String>) -> String {
    let text = description.map_or(label, String::as_str).trim();
    match unit {
        Some(unit) => format!("{text} [{unit}]"),
        None => text.to_owned(),
    }
}

/// One line that is safe in a description: the printer escapes quotes, but no backslashes.
fn one_line(text: &str) -> String {
    // Nearly all of tens of thousands need no work.
    if text.is_ascii()
        && !text.contains("  ")
        && text.trim().len() == text.len()
        && !text.contains(['\\', '\n', '\t', '\r', '\x0b', '\x0c'])
    {
        return text.to_owned();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('\\', "\\\\")
}

/// Operators of each value type.
const FILTERED: [ValueType; 6] =
    [ValueType::Bool, ValueType::Int, ValueType::Decimal, ValueType::Text, ValueType::Date, ValueType::Timestamp];

/// The arguments that convert money.
fn currency() -> [InputValue; 2] {
    [
        input(
            "currency",
            named("Currency"),
            "Money in this currency instead of the project's, all of it at one rate: the newest on `asOf`.",
        ),
        input("exchangeRate", named("String"), "Name of the rate; left out, the project's default."),
    ]
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn descriptions_are_one_line_whatever_stands_between_words() {
        assert_eq!(one_line("Net retention, in %."), "Net retention, in %.");
        for text in ["a  b", " a b", "a b ", "a\nb", "a\r\n b", "a\tb", "a\u{b}b", "a\u{c}b", "a\u{a0}b"] {
            assert_eq!(one_line(text), "a b", "{text:?}");
        }
        assert_eq!(one_line("ä \\d \\ "), "ä \\\\d \\\\");
        assert_eq!(one_line("\\d"), "\\\\d");
    }
}
