//! What an operation selects: fields of one object type, fragments expanded, `@skip` and `@include` applied, fields of one
//! response key merged. Done once per selection.

use std::collections::HashSet;

use apollo_compiler::{
    ExecutableDocument, Schema,
    ast::{DirectiveList, Value},
    executable::{Field, Selection, SelectionSet},
    parser::SourceSpan,
    response::{JsonMap, JsonValue},
};

use crate::{
    error::Problem,
    input::{Input, Reader},
};

/// What selections are read from: the same for a whole request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The schema that the document was validated against.
    pub(crate) schema: &'a Schema,
    /// The document.
    pub(crate) document: &'a ExecutableDocument,
    /// Coerced variables.
    pub(crate) variables: &'a JsonMap,
}

/// One field of the response: every place that selects it under the same key.
#[derive(Debug, Clone)]
pub(crate) struct Selected<'a> {
    /// Key in the response.
    pub(crate) key: &'a str,
    /// Name of the field.
    pub(crate) name: &'a str,
    nodes: Vec<&'a Field>,
}

/// Arguments of a field, with defaults.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Arguments(Vec<(String, Input)>);

impl Arguments {
    /// What stands inside an argument, as arguments of their own; none when it is not given.
    pub(crate) fn inside(&self, name: &str) -> Arguments {
        Arguments(self.get(name).map_or_else(Vec::new, |input| input.fields().to_vec()))
    }

    /// An argument that is there and not null.
    pub(crate) fn get(&self, name: &str) -> Option<&Input> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| **value != Input::Null)
    }
}

impl<'a> Selected<'a> {
    /// Where it stands first.
    pub(crate) fn place(&self) -> Option<SourceSpan> {
        self.nodes.first().and_then(|node| node.name.location())
    }

    /// A problem of this field.
    pub(crate) fn problem(&self, request: &Request<'a>, problem: Problem) -> Problem {
        problem.at(self.place(), &request.document.sources)
    }
}

impl<'a> Request<'a> {
    /// The fields that a selection set selects on an object type.
    pub(crate) fn root(&self, set: &'a SelectionSet) -> Vec<Selected<'a>> {
        let mut out = Vec::new();
        self.collect(&set.ty, &set.selections, &mut HashSet::new(), &mut out);
        out
    }

    /// The fields that are selected below a field, whose value is of an object type.
    pub(crate) fn below(&self, selected: &Selected<'a>, type_name: &str) -> Vec<Selected<'a>> {
        let mut out = Vec::new();
        let mut visited = HashSet::new();
        for node in &selected.nodes {
            self.collect(type_name, &node.selection_set.selections, &mut visited, &mut out);
        }
        out
    }

    /// The arguments of a field. All its places have the same: the validator saw to that.
    pub(crate) fn arguments(&self, selected: &Selected<'a>) -> Result<Arguments, Problem> {
        let Some(node) = selected.nodes.first() else { return Ok(Arguments::default()) };
        let reader = Reader { schema: self.schema, variables: self.variables };
        let mut out = Vec::new();
        for definition in &node.definition.arguments {
            let given = match node.specified_argument_by_name(&definition.name) {
                Some(value) => reader.literal(value, &definition.ty),
                None => Ok(None),
            };
            let value = match given {
                Ok(None) => match &definition.default_value {
                    Some(default) => reader.literal(default, &definition.ty),
                    None => Ok(None),
                },
                other => other,
            };
            match value {
                Ok(Some(value)) => out.push((definition.name.to_string(), value)),
                Ok(None) => {}
                Err((message, place)) => {
                    let problem = Problem::input(format!("argument `{}` of `{}`: {message}", definition.name, selected.name));
                    return Err(selected.problem(self, problem.at(place, &self.document.sources)));
                }
            }
        }
        Ok(Arguments(out))
    }

    fn collect(&self, type_name: &str, selections: &'a [Selection], visited: &mut HashSet<&'a str>, out: &mut Vec<Selected<'a>>) {
        for selection in selections {
            if !self.is_included(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    let key = field.response_name().as_str();
                    match out.iter_mut().find(|selected| selected.key == key) {
                        Some(selected) => selected.nodes.push(field),
                        None => out.push(Selected { key, name: field.name.as_str(), nodes: vec![field] }),
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let applies = fragment.type_condition.as_ref().is_none_or(|condition| self.applies(type_name, condition));
                    if applies {
                        self.collect(type_name, &fragment.selection_set.selections, visited, out);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if !visited.insert(spread.fragment_name.as_str()) {
                        continue;
                    }
                    let Some(fragment) = self.document.fragments.get(&spread.fragment_name) else { continue };
                    if self.applies(type_name, fragment.type_condition()) {
                        self.collect(type_name, &fragment.selection_set.selections, visited, out);
                    }
                }
            }
        }
    }

    fn applies(&self, type_name: &str, condition: &str) -> bool {
        type_name == condition
            || self
                .schema
                .get_object(type_name)
                .is_some_and(|object| object.implements_interfaces.iter().any(|interface| interface.as_str() == condition))
            || self.schema.get_union(condition).is_some_and(|union| union.members.iter().any(|member| member.as_str() == type_name))
    }

    fn is_included(&self, directives: &DirectiveList) -> bool {
        let holds = |directive: &str| {
            let value = directives.get(directive)?.specified_argument_by_name("if")?;
            Some(match value.as_ref() {
                Value::Boolean(value) => *value,
                Value::Variable(name) => matches!(self.variables.get(name.as_str()), Some(JsonValue::Bool(true))),
                _ => false,
            })
        };
        !holds("skip").unwrap_or(false) && holds("include").unwrap_or(true)
    }
}
