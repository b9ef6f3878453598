//! Text of a request → a validated document, kept by the hash of its text.

mod follow_ups;
mod rules;
mod syntax;

use std::sync::Arc;

use apollo_compiler::{
    ExecutableDocument, Name, Node, Schema,
    ast::{Definition, Document, VariableDefinition},
    parser::Parser,
    schema::ExtendedType,
    validation::{DiagnosticList, Valid},
};
use holdfast_schema::suggest::nearest;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};

use self::follow_ups::Written;
use crate::{
    Settings,
    error::{LIMIT_EXCEEDED, PARSE_FAILED, Problem, VALIDATION_FAILED, pair},
    limits,
};

/// Errors of one document that are reported.
const MAX_ERRORS: usize = 20;

/// Validated documents by the digest of their text.
#[derive(Debug, Clone)]
pub(crate) struct Documents {
    cache: Cache<[u8; 32], Arc<Valid<ExecutableDocument>>>,
}

impl Documents {
    /// A cache of that many documents.
    pub(crate) fn new(capacity: u64) -> Self {
        Self { cache: Cache::new(capacity) }
    }

    /// Whether a text is a document that would be answered; says what is wrong with it.
    pub(crate) fn check(schema: &Valid<Schema>, text: &str, settings: &Settings) -> Result<(), Vec<Problem>> {
        let document = parse(schema, text, settings)?;
        let operation = document.operations.get(None).map_err(|_| {
            vec![
                Problem::new(VALIDATION_FAILED, "a saved document holds exactly one operation")
                    .help("save each operation by itself"),
            ]
        })?;
        limits::check(&settings.limits, &document, operation).map_err(|problem| vec![problem])
    }

    /// The validated document of a text. Documents that are wrong are not kept.
    pub(crate) async fn get(
        &self,
        schema: &Valid<Schema>,
        text: &str,
        settings: &Settings,
    ) -> Result<Arc<Valid<ExecutableDocument>>, Vec<Problem>> {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        if let Some(document) = self.cache.get(&digest).await {
            return Ok(document);
        }
        let document = Arc::new(parse(schema, text, settings)?);
        self.cache.insert(digest, Arc::clone(&document)).await;
        Ok(document)
    }
}

fn parse(schema: &Valid<Schema>, text: &str, settings: &Settings) -> Result<Valid<ExecutableDocument>, Vec<Problem>> {
    let limits = &settings.limits;
    let text = &*syntax::without_commas(text);
    let mut parser = Parser::new().token_limit(limits.tokens).recursion_limit(limits.recursion);
    let mut ast = match parser.parse_ast(text, "request") {
        Ok(ast) if ast.definitions.is_empty() => return Err(vec![Problem::new(PARSE_FAILED, "the document is empty")]),
        Ok(ast) => ast,
        Err(wrong) => {
            let is_limit = parser.tokens_reached() > limits.tokens || parser.recursion_reached() > limits.recursion;
            let mut problems = problems(&wrong.errors, PARSE_FAILED, &Written::default());
            if is_limit {
                problems.retain(|problem| problem.message.contains("limit"));
                problems.iter_mut().for_each(|problem| problem.code = LIMIT_EXCEEDED);
            }
            return Err(problems);
        }
    };
    if let Some(offset) = syntax::without_value(text, limits.tokens, limits.recursion) {
        let place = vec![syntax::place(text, offset)];
        return Err(vec![Problem { locations: place, ..Problem::new(PARSE_FAILED, "syntax error: expected `:` and a value") }]);
    }
    without_null_defaults(&mut ast);
    let written = || Written::of(&ast);
    let document = ast.to_executable_validate(schema).or_else(|wrong| {
        // The validator counts places, and the specification names in the response.
        let only_places =
            wrong.errors.iter().all(|error| error.error.unstable_error_name() == Some("SubscriptionUsesMultipleFields"));
        if only_places && rules::subscribes_once(&wrong.partial) {
            return Ok(Valid::assume_valid(wrong.partial));
        }
        let mut problems = problems(&wrong.errors, VALIDATION_FAILED, &written());
        if settings.suggestions {
            problems.iter_mut().for_each(|problem| problem.suggestions = suggestions(schema, &problem.message).into());
        }
        Err(problems)
    })?;
    let problems = rules::check(schema, &document);
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

/// A default of null says what is the case without one; the validator would take it for a value where null is none.
fn without_null_defaults(ast: &mut Document) {
    let has_null = |variable: &Node<VariableDefinition>| {
        !variable.ty.is_non_null() && variable.default_value.as_ref().is_some_and(|value| value.is_null())
    };
    for definition in &mut ast.definitions {
        if let Definition::OperationDefinition(operation) = definition
            && operation.variables.iter().any(has_null)
        {
            for variable in &mut operation.make_mut().variables {
                if has_null(variable) {
                    variable.make_mut().default_value = None;
                }
            }
        }
    }
}

/// Nearest names for a name that does not exist. The validator tells the name and its place only in words.
fn suggestions(schema: &Schema, message: &str) -> Vec<String> {
    match message.split('`').collect::<Vec<_>>().as_slice() {
        ["type ", type_name, " does not have a field ", name, ..] => match schema.types.get(*type_name) {
            Some(ExtendedType::Object(object)) => nearest(name, object.fields.keys().map(Name::as_str)),
            Some(ExtendedType::Interface(interface)) => nearest(name, interface.fields.keys().map(Name::as_str)),
            Some(ExtendedType::Scalar(_) | ExtendedType::Union(_) | ExtendedType::Enum(_) | ExtendedType::InputObject(_))
            | None => Vec::new(),
        },
        ["the argument ", name, " is not supported by ", place, ..] => {
            let Some((type_name, field)) = place.split_once('.') else { return Vec::new() };
            let Ok(field) = schema.type_field(type_name, field) else { return Vec::new() };
            nearest(name, field.arguments.iter().map(|argument| argument.name.as_str()))
        }
        ["value " | "field ", name, " does not exist on ", type_name, ..] => match schema.types.get(*type_name) {
            Some(ExtendedType::Enum(item)) => nearest(name, item.values.keys().map(Name::as_str)),
            Some(ExtendedType::InputObject(object)) => nearest(name, object.fields.keys().map(Name::as_str)),
            Some(ExtendedType::Scalar(_) | ExtendedType::Union(_) | ExtendedType::Object(_) | ExtendedType::Interface(_))
            | None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What is wrong, without what is only said because of it.
fn problems(errors: &DiagnosticList, code: &'static str, written: &Written) -> Vec<Problem> {
    let (mut mistakes, mut follow_ups): (Vec<Problem>, Vec<Problem>) = (Vec::new(), Vec::new());
    for error in errors.iter() {
        let json = error.to_json();
        let problem = Problem { locations: json.locations.into_iter().map(pair).collect(), ..Problem::new(code, json.message) };
        let is_follow_up = written.disproves(error.error.unstable_error_name(), &problem.locations);
        let out = if is_follow_up { &mut follow_ups } else { &mut mistakes };
        if out.len() < MAX_ERRORS && !out.contains(&problem) {
            out.push(problem);
        }
        if mistakes.len() == MAX_ERRORS {
            break;
        }
    }
    // A document that was refused is never told to be right.
    if mistakes.is_empty() { follow_ups } else { mistakes }
}
