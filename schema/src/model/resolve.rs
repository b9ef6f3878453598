//! Definitions in, a model out: the stages in their order. Each reports everything it finds and goes on with what is left, so that
//! one mistake costs one message.

mod access;
mod dimensions;
mod entities;
mod expressions;
mod index;
mod measures;
mod metrics;
mod movements;
mod parameters;
mod project;
mod questions;
mod relationships;
mod scope;
pub(super) mod units;
mod views;
pub(super) mod words;

use std::collections::HashSet;

use sha2::{Digest, Sha256};

pub(super) use self::index::Index;
use self::parameters::Parameters;
use super::{DimensionId, Entity, EntityId, Metric, Model, Names, View, join_graph::JoinGraph, path::PathTable, rules};
use crate::{definition::Definitions, diagnostic::Diagnostics, source::SourceMap};

/// What is known so far; complete when every stage has run.
pub(super) struct Draft<'a> {
    pub(super) definitions: &'a Definitions,
    pub(super) index: Index<'a>,
    pub(super) parameters: Parameters,
    pub(super) entities: Vec<Entity>,
    /// Dimensions whose type could not be told because their definition is wrong.
    pub(super) untyped: HashSet<DimensionId>,
    /// Entities with a relationship that is wrong: a way that is missing there has been reported already.
    pub(super) unconnected: Vec<EntityId>,
    pub(super) graph: JoinGraph,
    /// By metric id; `None` where the definition is wrong.
    pub(super) metrics: Vec<Option<Metric>>,
    pub(super) views: Vec<View>,
    pub(super) paths: PathTable,
}

/// Turns definitions into a model; `None` when there are errors, all of which are in `diagnostics`.
pub fn resolve(sources: &SourceMap, definitions: &Definitions, diagnostics: &mut Diagnostics) -> Option<Model> {
    let mut found = Diagnostics::default();
    let out = &mut found;
    let index = Index::new(definitions, out);
    // What else is wrong depends on which of two of one name is meant: those who use the other would all be told.
    if out.has_errors() {
        diagnostics.extend(found);
        return None;
    }
    let mut project = project::resolve(&definitions.projects, out);

    let mut draft = Draft {
        definitions,
        index,
        parameters: Parameters::new(&definitions.parameters, out),
        entities: Vec::new(),
        untyped: HashSet::new(),
        unconnected: Vec::new(),
        graph: JoinGraph::new(&[]),
        metrics: Vec::new(),
        views: Vec::new(),
        paths: PathTable::default(),
    };
    entities::resolve(&mut draft, out);
    relationships::resolve(&mut draft, out);
    draft.graph = JoinGraph::new(&draft.entities);
    movements::resolve(&mut draft, out);
    metrics::resolve(&mut draft, out);
    views::resolve(&mut draft, out);
    project.exchange_rates = project::exchange_rates(&draft, out);
    let segments = access::segments(&draft, out);
    let rules = access::rules(&draft, out);
    let policies = access::policies(&draft, out);
    questions::check(&draft, out);
    rules::check(&draft, out);
    forget_follow_ups(sources, definitions, out);
    diagnostics.extend(found);
    if diagnostics.has_errors() {
        return None;
    }

    let names = Names {
        entities: draft.index.entities.ids(EntityId),
        metrics: draft.index.metrics.ids(super::MetricId),
        views: draft.index.views.ids(super::ViewId),
    };
    Some(Model {
        project,
        saved_queries: draft.index.saved_queries.owned(),
        fixtures: draft.index.fixtures.owned(),
        tests: questions::tests(&draft),
        fingerprint: fingerprint(sources),
        entities: draft.entities,
        metrics: draft.metrics.into_iter().flatten().collect(),
        views: draft.views,
        segments,
        rules,
        policies,
        names,
        paths: draft.paths,
    })
}

/// A name that could not be read where it was defined is unknown everywhere else; that is one mistake.
fn forget_follow_ups(sources: &SourceMap, definitions: &Definitions, out: &mut Diagnostics) {
    const UNKNOWN_NAMES: [&str; 10] = ["M010", "M011", "M012", "M013", "M014", "M015", "M016", "M017", "M018", "M019"];
    let unread: HashSet<&str> = definitions.incomplete.iter().map(|name| name.value.as_str()).collect();
    if unread.is_empty() {
        return;
    }
    out.retain(|item| {
        let written = item.primary.as_ref().map_or("", |label| sources.text(label.span));
        let names_unread =
            written.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).any(|part| unread.contains(part));
        !(UNKNOWN_NAMES.contains(&item.code) && names_unread)
    });
}

/// Paths and texts with their lengths, so that no two folders run together to the same bytes.
fn fingerprint(sources: &SourceMap) -> String {
    let mut hash = Sha256::new();
    for (_, file) in sources.files() {
        for text in [&file.path, &file.text] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
