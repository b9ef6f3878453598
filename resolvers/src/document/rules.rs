//! Rules of the specification that the validator does not know; checked on documents that it has accepted.

use std::collections::HashSet;

use apollo_compiler::{
    ExecutableDocument, Name, Node, Schema,
    ast::{Argument, DirectiveList, InputValueDefinition, Type, Value},
    executable::{Operation, Selection, SelectionSet},
    schema::ExtendedType,
};

use crate::error::{Problem, VALIDATION_FAILED};

/// Everything that is wrong with a document.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument) -> Vec<Problem> {
    let mut problems = Vec::new();
    for operation in document.operations.iter() {
        let mut walk = Walk { schema, document, operation, visited: HashSet::new(), problems: Vec::new() };
        for variable in &operation.variables {
            walk.directives(&variable.directives);
            if let Some(default) = &variable.default_value {
                walk.value(default, Some(&variable.ty));
            }
        }
        walk.directives(&operation.directives);
        walk.set(&operation.selection_set);
        // Operations may share fragments, and what is wrong in those.
        walk.problems.retain(|problem| !problems.contains(problem));
        problems.append(&mut walk.problems);
    }
    problems
}

/// Whether all root fields of the subscriptions of a document are one field of the response: then it is written in parts.
pub(super) fn subscribes_once(document: &ExecutableDocument) -> bool {
    let one_name = |operation: &Operation| {
        let names: HashSet<&Name> = operation.root_fields(document).map(|field| field.response_name()).collect();
        names.len() <= 1
    };
    document.operations.iter().filter(|operation| operation.is_subscription()).all(|operation| one_name(operation))
}

struct Walk<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    operation: &'a Operation,
    visited: HashSet<&'a Name>,
    problems: Vec<Problem>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments, &field.definition.arguments);
                    self.set(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => self.set(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    if self.visited.insert(&spread.fragment_name)
                        && let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                    {
                        self.directives(&fragment.directives);
                        self.set(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &DirectiveList) {
        for directive in directives {
            let known = self.schema.directive_definitions.get(&directive.name);
            self.arguments(&directive.arguments, known.map_or(&[], |known| &known.arguments));
        }
    }

    fn arguments(&mut self, given: &[Node<Argument>], known: &[Node<InputValueDefinition>]) {
        for argument in given {
            let known = known.iter().find(|known| known.name == argument.name);
            self.value(&argument.value, known.map(|known| known.ty.as_ref()));
        }
    }

    /// `kind` is not known inside of scalars of any shape.
    fn value(&mut self, value: &Node<Value>, kind: Option<&Type>) {
        match value.as_ref() {
            Value::Variable(name) if self.variable(name).is_none() => {
                self.note(value, format!("variable `${name}` is not defined"));
            }
            Value::List(items) => {
                for item in items {
                    self.value(item, kind.map(Type::item_type));
                }
            }
            Value::Object(fields) => {
                let input = kind.and_then(|kind| match self.schema.types.get(kind.inner_named_type()) {
                    Some(ExtendedType::InputObject(input)) => Some(input),
                    _ => None,
                });
                let mut seen = HashSet::new();
                for (name, field) in fields {
                    if !seen.insert(name) {
                        self.note(field, format!("input field `{name}` is given twice"));
                    }
                    if input.is_some_and(|input| input.is_one_of()) {
                        self.one_of(name, field);
                    }
                    self.value(field, input.and_then(|input| input.fields.get(name)).map(|known| known.ty.as_ref()));
                }
            }
            _ => {}
        }
    }

    /// The only field of an input must have a value: a variable that may be null cannot be it, whatever its default.
    fn one_of(&mut self, name: &Name, value: &Node<Value>) {
        if let Value::Variable(variable) = value.as_ref()
            && self.variable(variable).is_some_and(|kind| !kind.is_non_null())
        {
            self.note(
                value,
                format!("variable `${variable}` may be null, and `{name}` is the only field of its input; make its type non-null"),
            );
        }
    }

    fn variable(&self, name: &Name) -> Option<&Type> {
        self.operation.variables.iter().find(|variable| variable.name == *name).map(|variable| variable.ty.as_ref())
    }

    fn note(&mut self, value: &Node<Value>, message: String) {
        self.problems.push(Problem::new(VALIDATION_FAILED, message).at(value.location(), &self.document.sources));
    }
}
