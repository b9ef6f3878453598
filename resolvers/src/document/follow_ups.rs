//! What the validator says only because something else is wrong. It looks at a document without the fields that do not exist, and then
//! misses what stood in them: the selection that held nothing else, the use of a variable or a fragment. The text has them all.

use std::collections::HashSet;

use apollo_compiler::{
    Name, Node,
    ast::{Argument, Definition, DirectiveList, Document, FragmentDefinition, Selection, Value},
    parser::{LineColumn, SourceMap, SourceSpan},
};

use crate::error::pair;

/// Line and column of what a document has.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Fields with a selection of their own.
    parents: HashSet<(usize, usize)>,
    /// Definitions of variables that their operation uses.
    variables: HashSet<(usize, usize)>,
    /// Definitions of fragments that an operation uses.
    fragments: HashSet<(usize, usize)>,
}

impl Written {
    /// Looks at a document as it was parsed.
    pub(super) fn of(document: &Document) -> Self {
        let mut written = Self::default();
        let place = |location: Option<SourceSpan>| line_column(location, &document.sources).map(pair);
        for definition in &document.definitions {
            let Definition::OperationDefinition(operation) = definition else { continue };
            let mut walk = Walk { document, fragments: HashSet::new(), variables: HashSet::new(), parents: HashSet::new() };
            walk.directives(&operation.directives);
            walk.selections(&operation.selection_set);
            let Walk { fragments, variables, parents, .. } = walk;
            written.parents.extend(parents);
            let used = operation.variables.iter().filter(|variable| variables.contains(&variable.name));
            written.variables.extend(used.filter_map(|variable| place(variable.location())));
            let used = document.definitions.iter().filter_map(fragment).filter(|fragment| fragments.contains(&fragment.name));
            written.fragments.extend(used.filter_map(|fragment| place(fragment.location())));
        }
        written
    }

    /// Whether an error says of something at a place that it is not there, and it is.
    pub(super) fn disproves(&self, error_name: Option<&str>, places: &[(usize, usize)]) -> bool {
        let has = |known: &HashSet<(usize, usize)>| places.first().is_some_and(|place| known.contains(place));
        match error_name {
            Some("MissingSubselection") => has(&self.parents),
            Some("UnusedVariable") => has(&self.variables),
            Some("UnusedFragment") => has(&self.fragments),
            Some(_) | None => false,
        }
    }
}

fn line_column(location: Option<SourceSpan>, sources: &SourceMap) -> Option<LineColumn> {
    location?.line_column(sources)
}

fn fragment(definition: &Definition) -> Option<&Node<FragmentDefinition>> {
    match definition {
        Definition::FragmentDefinition(fragment) => Some(fragment),
        _ => None,
    }
}

/// One operation with the fragments that it uses.
struct Walk<'a> {
    document: &'a Document,
    fragments: HashSet<&'a Name>,
    variables: HashSet<&'a Name>,
    parents: HashSet<(usize, usize)>,
}

impl<'a> Walk<'a> {
    fn selections(&mut self, selections: &'a [Selection]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    if !field.selection_set.is_empty() {
                        self.parents.extend(line_column(field.location(), &self.document.sources).map(pair));
                    }
                    self.arguments(&field.arguments);
                    self.directives(&field.directives);
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.directives);
                    self.selections(&inline.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    if self.fragments.insert(&spread.fragment_name) {
                        let mut all = self.document.definitions.iter().filter_map(fragment);
                        if let Some(fragment) = all.find(|fragment| fragment.name == spread.fragment_name) {
                            self.directives(&fragment.directives);
                            self.selections(&fragment.selection_set);
                        }
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a DirectiveList) {
        directives.iter().for_each(|directive| self.arguments(&directive.arguments));
    }

    fn arguments(&mut self, arguments: &'a [Node<Argument>]) {
        arguments.iter().for_each(|argument| self.value(&argument.value));
    }

    fn value(&mut self, value: &'a Value) {
        match value {
            Value::Variable(name) => {
                self.variables.insert(name);
            }
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(fields) => fields.iter().for_each(|(_, field)| self.value(field)),
            Value::Null | Value::Enum(_) | Value::String(_) | Value::Float(_) | Value::Int(_) | Value::Boolean(_) => {}
        }
    }
}
