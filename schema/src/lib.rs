//! Definitions in, SQL out: the pure half of Holdfast.
//!
//! Nothing here reads a file, a clock, an environment variable or a socket, and nothing here knows GraphQL, HTTP or a
//! database driver. The stages, each a named type, are listed in ARCHITECTURE.md:
//! `SourceMap` → [`definition::Definitions`] → [`model::Model`] → [`query::MetricQuery`] → `BoundQuery` → `LogicalPlan` → SQL
//! tree → [`sql::Statement`].

pub mod diagnostic;
pub mod hex;
pub mod source;

pub mod time;
pub mod value;

pub mod expr;

pub mod suggest;

pub mod definition;

pub mod model;

pub mod query;

pub mod plan;

pub mod sql;

pub mod compile;

use std::sync::Arc;

/// Files of definitions in, a model out: parses and resolves. Without a model the diagnostics hold at least one error.
///
/// ```
/// use holdfast_schema::{load, source::SourceMap};
///
/// let text = "entity: account\nsource: account\nkey: account_id\nmeasures:\n  accounts: {count: rows}\n";
/// let (model, diagnostics) = load(SourceMap::new([("account.yaml".to_owned(), text.to_owned())]));
/// assert!(model.is_some_and(|model| model.entity_named("account").is_some()));
/// assert!(!diagnostics.has_errors());
/// ```
pub fn load(sources: source::SourceMap) -> (Option<Arc<model::Model>>, diagnostic::Diagnostics) {
    let mut diagnostics = diagnostic::Diagnostics::default();
    let definitions = definition::parse(&sources, &mut diagnostics);
    let model = model::resolve(&sources, &definitions, &mut diagnostics);
    (model.map(Arc::new), diagnostics)
}
