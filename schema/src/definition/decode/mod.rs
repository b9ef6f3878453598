//! Node trees → the structs of [`crate::definition`]. Reports every mistake and goes on; what cannot be read is left out.

mod access;
mod entity;
mod map;
mod metric;
mod parameter;
mod project;
mod test;
mod view;

use std::cell::RefCell;

use super::{
    Definitions, Named, Text,
    yaml::{Kind, Node, Style},
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    source::{SourceMap, Spanned},
    suggest,
};
use map::Map;

/// The keys that say what a document is about and have their other keys beside them.
const SINGLE_SUBJECTS: [&str; 3] = ["project", "entity", "view"];

/// The keys that hold many things by name (`tests`: a list); a document may have several of them.
const MANY_SUBJECTS: [&str; 8] = ["metrics", "parameters", "segments", "rules", "policies", "saved_queries", "fixtures", "tests"];

/// Adds what one document says to the definitions.
pub(super) fn document(context: &Context<'_>, node: &Node, into: &mut Definitions) {
    let Kind::Mapping(entries) = &node.kind else {
        context.wrong_kind(node, "a mapping with a subject such as `entity` or `metrics`");
        return;
    };
    let subject = entries.iter().find_map(|(key, _)| SINGLE_SUBJECTS.into_iter().find(|subject| key.value == *subject));
    match subject {
        Some("project") => into.projects.extend(project::project(context, node)),
        Some("entity") => keep(context, entries, "entity", entity::entity(context, node), &mut into.entities),
        Some("view") => keep(context, entries, "view", view::view(context, node), &mut into.views),
        Some(_) | None => subjects(context, entries, into),
    }
}

/// Keeps a thing, or remembers the name of one that could not be read.
fn keep<T>(context: &Context<'_>, entries: &[(Text, Node)], key: &str, thing: Option<T>, things: &mut Vec<T>) {
    match thing {
        Some(thing) => things.push(thing),
        None => {
            let name = entries.iter().find(|(found, _)| found.value == key).map(|(_, node)| node);
            if let Some(Node { kind: Kind::Scalar { text, .. }, span }) = name {
                context.incomplete(&Spanned::new(text.clone(), *span));
            }
        }
    }
}

fn subjects(context: &Context<'_>, entries: &[(Text, Node)], into: &mut Definitions) {
    if !entries.iter().any(|(key, _)| MANY_SUBJECTS.contains(&key.value.as_str())) {
        // Without a subject nothing tells what the other keys belong to: one mistake, at the key that looks most like one.
        let near = |key: &Text| !suggest::nearest(&key.value, SINGLE_SUBJECTS.into_iter().chain(MANY_SUBJECTS)).is_empty();
        if let Some((key, _)) = entries.iter().find(|(key, _)| near(key)).or(entries.first()) {
            unknown_subject(context, key);
        }
        return;
    }
    for (key, node) in entries {
        match key.value.as_str() {
            "metrics" => into.metrics.extend(context.named(node, metric::metric).unwrap_or_default()),
            "parameters" => into.parameters.extend(context.named(node, parameter::parameter).unwrap_or_default()),
            "segments" => into.segments.extend(context.named(node, access::segment).unwrap_or_default()),
            "rules" => into.rules.extend(context.named(node, access::rule).unwrap_or_default()),
            "policies" => into.policies.extend(context.named(node, access::policy).unwrap_or_default()),
            "saved_queries" => into.saved_queries.extend(context.named(node, test::saved_query).unwrap_or_default()),
            "fixtures" => into.fixtures.extend(context.named(node, test::fixture).unwrap_or_default()),
            "tests" => into.tests.extend(context.items(node).iter().filter_map(|item| test::test(context, item))),
            _ => unknown_subject(context, key),
        }
    }
}

fn unknown_subject(context: &Context<'_>, key: &Text) {
    let all = || SINGLE_SUBJECTS.into_iter().chain(MANY_SUBJECTS);
    let error =
        Diagnostic::error("D008", key.span, format!("`{}` is not a subject of a document", key.value)).label("unknown subject");
    let error = match suggest::nearest(&key.value, all()).first() {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    };
    context.push(error.help(format!("the subjects are: {}", all().collect::<Vec<_>>().join(", "))));
}

/// What every decoder needs: the files, a place for mistakes, and the names of things that could not be read.
pub(super) struct Context<'a> {
    sources: &'a SourceMap,
    diagnostics: RefCell<Diagnostics>,
    incomplete: RefCell<Vec<Text>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(sources: &'a SourceMap) -> Self {
        Self { sources, diagnostics: RefCell::default(), incomplete: RefCell::default() }
    }

    /// The mistakes, and the names of things that were left out for them.
    pub(super) fn into_findings(self) -> (Diagnostics, Vec<Text>) {
        (self.diagnostics.into_inner(), self.incomplete.into_inner())
    }

    fn push(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    fn incomplete(&self, name: &Text) {
        self.incomplete.borrow_mut().push(name.clone());
    }

    fn wrong_kind(&self, node: &Node, expected: &str) {
        let found = match &node.kind {
            Kind::Scalar { .. } if node.is_null() => "nothing",
            Kind::Scalar { .. } => "a single value",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        };
        self.push(
            Diagnostic::error("D003", node.span, format!("expected {expected}, found {found}")).label(format!("this is {found}")),
        );
    }

    fn text(&self, node: &Node) -> Option<Text> {
        match &node.kind {
            Kind::Scalar { text, .. } if !node.is_null() => Some(Spanned::new(text.clone(), node.span)),
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Mapping(_) => {
                self.wrong_kind(node, "a single value");
                None
            }
        }
    }

    /// The characters of a scalar, whatever they mean.
    fn written(&self, node: &Node) -> Option<Text> {
        Some(Spanned::new(self.sources.text(node.span).to_owned(), node.span))
    }

    /// An expression over several lines keeps its characters as written, so that a mistake in it has an exact place: line breaks
    /// and indentation mean nothing in an expression.
    fn expression(&self, node: &Node) -> Option<Text> {
        let text = self.text(node)?;
        match &node.kind {
            Kind::Scalar { style: Style::Plain | Style::Block, .. } => self.written(node),
            Kind::Scalar { style: Style::Quoted, .. } | Kind::Sequence(_) | Kind::Mapping(_) => Some(text),
        }
    }

    /// The items of a list; anything else is a list of one.
    fn items<'n>(&self, node: &'n Node) -> &'n [Node] {
        match &node.kind {
            Kind::Sequence(items) => items,
            Kind::Scalar { .. } | Kind::Mapping(_) => std::slice::from_ref(node),
        }
    }

    fn named<'n, T>(
        &'n self,
        node: &'n Node,
        decode: impl Fn(&'n Context<'a>, &'n Text, &'n Node) -> Option<T>,
    ) -> Option<Named<T>> {
        let Kind::Mapping(entries) = &node.kind else {
            self.wrong_kind(node, "a mapping of names to their definitions");
            return None;
        };
        let mut named = Vec::new();
        for (name, value) in entries {
            match decode(self, name, value) {
                Some(thing) => named.push((name.clone(), thing)),
                None => self.incomplete(name),
            }
        }
        Some(named)
    }
}
