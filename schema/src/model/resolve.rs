//! Definitions in, a model out: the stages in their order. Each reports everything it finds and goes on with what is left, so that
//! one mistake costs one message.

mod access;
mod dimensions;
mod entities;
mod expressions;
mod index;
mod measures;
mod metric_policies;
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
use crate::{
    definition::{Definitions, document_around},
    diagnostic::Diagnostics,
    source::{SourceMap, Span},
};

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
    /// Whether something is wrong with what is said of the warehouse, so that not every table and column is known.
    pub(super) has_wrong_entities: bool,
    pub(super) graph: JoinGraph,
    /// By metric id; `None` where the definition is wrong.
    pub(super) metrics: Vec<Option<Metric>>,
    pub(super) views: Vec<View>,
    /// By view id: names that a view would have if what is written for them were right.
    pub(super) missing: Vec<Vec<String>>,
    pub(super) paths: PathTable,
}

/// Turns definitions into a model; `None` when there are errors, all of which are in `diagnostics`.
pub fn resolve(sources: &SourceMap, definitions: &Definitions, diagnostics: &mut Diagnostics) -> Option<Model> {
    let mut found = Diagnostics::default();
    let out = &mut found;
    let index = Index::new(definitions, out);
    let mut project = project::resolve(&definitions.projects, out);

    let mut draft = Draft {
        definitions,
        index,
        parameters: Parameters::new(&definitions.parameters, out),
        entities: Vec::new(),
        untyped: HashSet::new(),
        unconnected: Vec::new(),
        has_wrong_entities: false,
        graph: JoinGraph::new(&[]),
        metrics: Vec::new(),
        views: Vec::new(),
        missing: Vec::new(),
        paths: PathTable::default(),
    };
    let mut of_entities = Diagnostics::default();
    entities::resolve(&mut draft, &mut of_entities);
    relationships::resolve(&mut draft, &mut of_entities);
    draft.graph = JoinGraph::new(&draft.entities);
    movements::resolve(&mut draft, &mut of_entities);
    draft.has_wrong_entities = of_entities.has_errors() || is_wrong_in_entities(sources, definitions, diagnostics);
    out.extend(of_entities);
    metrics::resolve(&mut draft, out);
    views::resolve(&mut draft, out);
    project.exchange_rates = project::exchange_rates(&draft, out);
    let segments = access::segments(&draft, out);
    let rules = access::rules(&draft, out);
    let policies = access::policies(&draft, out);
    let metric_policies = metric_policies::resolve(&draft, &rules, out);
    questions::check(&draft, out);
    rules::check(&draft, out);
    forget_follow_ups(sources, &draft, out);
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
        metric_policies,
        names,
        paths: draft.paths,
    })
}

/// Whether something in the document of an entity could not be read.
fn is_wrong_in_entities(sources: &SourceMap, definitions: &Definitions, found: &Diagnostics) -> bool {
    let places: Vec<Span> = found.sorted().iter().filter_map(|item| item.primary.as_ref()).map(|label| label.span).collect();
    definitions.entities.iter().map(|entity| entity.entity.span).any(|name| {
        let document = document_around(&sources.file(name.file).text, name.start as usize);
        places.iter().any(|place| place.file == name.file && document.contains(&(place.start as usize)))
    })
}

/// A name that could not be read where it was defined, or is defined twice, is unknown everywhere else; that is one mistake.
fn forget_follow_ups(sources: &SourceMap, draft: &Draft<'_>, out: &mut Diagnostics) {
    const UNKNOWN_NAMES: [&str; 12] =
        ["M010", "M011", "M012", "M013", "M014", "M015", "M016", "M017", "M018", "M019", "M070", "M080"];
    let incomplete = draft.definitions.incomplete.iter().map(|name| name.value.as_str());
    let unread: HashSet<&str> = incomplete.chain(draft.index.twice.iter().copied()).collect();
    if unread.is_empty() {
        return;
    }
    out.retain(|item| {
        let written = item.primary.as_ref().map_or("", |label| sources.text(label.span));
        let names_unread =
            written.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).any(|part| unread.contains(part));
        let lacks_project = item.code == "M005" && item.primary.is_none();
        !(UNKNOWN_NAMES.contains(&item.code) && names_unread || lacks_project && unread.contains("project"))
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
    crate::hex::digits(hash.finalize())
}

#[cfg(test)]
mod tests;
