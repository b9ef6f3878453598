//! Variables as they are sent → values of the types that the operation declares. One that has none refuses the whole request, once,
//! before anything runs: nobody has to tell a wrong variable from fields that failed.
//!
//! <https://spec.graphql.org/September2025/#sec-Coercing-Variable-Values>
//!
//! Everything is looked at here first, because the library takes any value for a scalar of ours, and says of the others neither which
//! variable is wrong nor where. It fills in defaults.

use std::fmt::Write as _;

use apollo_compiler::{
    ExecutableDocument, Node, Schema,
    ast::{Type, VariableDefinition},
    executable::Operation,
    request::coerce_variable_values,
    response::{JsonMap, JsonValue},
    schema::{EnumType, ExtendedType, InputObjectType},
    validation::Valid,
};
use holdfast_schema::suggest::nearest;

use crate::{
    error::Problem,
    input::storable,
    scalar::{self, SCALARS},
};

/// Letters of a value that an error repeats at most.
const SHOWN: usize = 60;

/// The variables of an operation, with defaults, or what is wrong with the first that cannot be used; with `suggests`, also what may be
/// meant.
pub(crate) fn coerce(
    schema: &Valid<Schema>,
    document: &ExecutableDocument,
    operation: &Operation,
    given: &JsonMap,
    suggests: bool,
) -> Result<Valid<JsonMap>, Problem> {
    let at = |variable: &Node<VariableDefinition>, problem: Problem| problem.at(variable.location(), &document.sources);
    let check = |variable: &Node<VariableDefinition>, value: &JsonValue| {
        let mut walk = Walk { schema, path: format!("${}", variable.name), suggests };
        walk.value(&variable.ty, value).map_err(|problem| at(variable, problem))
    };
    for variable in &operation.variables {
        match given.get(variable.name.as_str()) {
            Some(value) => check(variable, value)?,
            None if variable.ty.is_non_null() && variable.default_value.is_none() => {
                let message = format!("`${}`: a value of `{}` is needed, and none is given", variable.name, variable.ty);
                return Err(at(variable, Problem::input(message)));
            }
            None => {}
        }
    }
    let coerced = coerce_variable_values(schema, operation, given)
        .map_err(|error| Problem::input(error.message().to_string()).at(error.location(), &document.sources))?;
    for variable in &operation.variables {
        if let Some(default) = coerced.get(variable.name.as_str())
            && !given.contains_key(variable.name.as_str())
        {
            check(variable, default)?;
        }
    }
    Ok(coerced)
}

/// A walk through one variable, at the place that `path` names: `$where.segment.in[0]`.
struct Walk<'s> {
    schema: &'s Schema,
    path: String,
    suggests: bool,
}

impl Walk<'_> {
    fn wrong(&self, message: impl std::fmt::Display) -> Problem {
        Problem::input(format!("`{}`: {message}", self.path))
    }

    /// Looks at something inside, whose name or number is added to the path.
    fn inside(&mut self, step: std::fmt::Arguments<'_>, kind: &Type, value: &JsonValue) -> Result<(), Problem> {
        let length = self.path.len();
        // Writing to a string cannot fail.
        let _ = self.path.write_fmt(step);
        self.value(kind, value)?;
        self.path.truncate(length);
        Ok(())
    }

    fn value(&mut self, kind: &Type, value: &JsonValue) -> Result<(), Problem> {
        if value.is_null() {
            return if kind.is_non_null() { Err(self.wrong(format_args!("null is no value of `{kind}`"))) } else { Ok(()) };
        }
        let name = match (kind, value) {
            (Type::List(item) | Type::NonNullList(item), JsonValue::Array(items)) => {
                for (index, found) in items.iter().enumerate() {
                    self.inside(format_args!("[{index}]"), item, found)?;
                }
                return Ok(());
            }
            // A single value where a list is expected is a list of it.
            (Type::List(item) | Type::NonNullList(item), _) => return self.value(item, value),
            (Type::Named(name) | Type::NonNullNamed(name), _) => name,
        };
        match self.schema.types.get(name) {
            Some(ExtendedType::Enum(kind)) => self.word(kind, value),
            Some(ExtendedType::InputObject(kind)) => self.object(kind, value),
            Some(ExtendedType::Scalar(_)) => self.scalar(name, value),
            // Validation lets no variable of another type through.
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)) | None => Ok(()),
        }
    }

    fn scalar(&self, name: &str, value: &JsonValue) -> Result<(), Problem> {
        if let Some(text) = value.as_str() {
            storable(text).map_err(|message| self.wrong(message))?;
        }
        let fits = match name {
            "Int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "Float" => value.is_number(),
            "String" => value.is_string(),
            "Boolean" => value.is_boolean(),
            "ID" => value.is_string() || value.is_i64(),
            name => scalar::accepts(name, value),
        };
        if fits {
            return Ok(());
        }
        let problem = self.wrong(format_args!("expected a value of `{name}`, found {}", shown(value)));
        match SCALARS.iter().find(|(known, _, _)| *known == name) {
            Some((_, description, _)) => Err(problem.help(*description)),
            None => Err(problem),
        }
    }

    fn word(&self, kind: &EnumType, value: &JsonValue) -> Result<(), Problem> {
        let word = value.as_str();
        if word.is_some_and(|word| kind.values.contains_key(word)) {
            return Ok(());
        }
        let mut problem = self.wrong(format_args!("expected a value of `{}`, found {}", kind.name, shown(value)));
        if let Some(word) = word.filter(|_| self.suggests) {
            problem.suggestions = nearest(word, kind.values.keys().map(|name| name.as_str())).into();
            if let Some(meant) = kind.values.keys().find(|name| name.eq_ignore_ascii_case(word)) {
                problem = problem.help(format!("write `{meant}`: values are compared letter by letter, capitals included"));
            }
        }
        Err(problem)
    }

    fn object(&mut self, kind: &InputObjectType, value: &JsonValue) -> Result<(), Problem> {
        let JsonValue::Object(fields) = value else {
            return Err(self.wrong(format_args!("expected an object of `{}`, found {}", kind.name, shown(value))));
        };
        for (name, _) in fields {
            if !kind.fields.contains_key(name.as_str()) {
                let mut problem = self.wrong(format_args!("there is no field `{}` in `{}`", cut(name.as_str()), kind.name));
                if self.suggests {
                    problem.suggestions = nearest(name.as_str(), kind.fields.keys().map(|name| name.as_str())).into();
                }
                return Err(problem);
            }
        }
        if kind.is_one_of() {
            if fields.len() != 1 {
                return Err(self.wrong(format_args!("exactly one field of `{}` is needed, found {}", kind.name, fields.len())));
            }
            if let Some((name, _)) = fields.iter().find(|(_, value)| value.is_null()) {
                let message = format_args!("`{}` is the only field of `{}` and cannot be null", name.as_str(), kind.name);
                return Err(self.wrong(message));
            }
        }
        for (name, field) in &kind.fields {
            match fields.get(name.as_str()) {
                Some(value) => self.inside(format_args!(".{name}"), &field.ty, value)?,
                None if field.ty.is_non_null() && field.default_value.is_none() => {
                    return Err(self.wrong(format_args!("field `{name}` of `{}` is missing", kind.name)));
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// A value as it was sent, if it is short.
fn shown(value: &JsonValue) -> String {
    match value {
        JsonValue::Array(_) => "a list".to_owned(),
        JsonValue::Object(_) => "an object".to_owned(),
        JsonValue::Null | JsonValue::Bool(_) | JsonValue::Number(_) | JsonValue::String(_) => {
            format!("`{}`", cut(&value.to_string().replace('`', "'")))
        }
    }
}

fn cut(text: &str) -> String {
    let mut letters = text.chars();
    let head: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() { head + "…" } else { head }
}
