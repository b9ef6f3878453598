//! What an author wrote: the definition language, spanned, with nothing computed.
//!
//! Every struct here is one mapping of the language; its field names are the keys, its doc comments become the JSON Schema that
//! editors show. A name that refers to something is still text; [`crate::model`] says what it means. Expressions are kept as
//! spanned text here and parsed by [`crate::expr`].

pub mod access;
pub mod entity;
pub mod metric;
pub mod parameter;
pub mod project;
pub mod test;
pub mod view;

mod decode;
mod json_schema;
mod parse;
mod yaml;

pub use json_schema::json_schema;
pub use parse::parse;
pub(crate) use yaml::document_around;

use crate::source::Spanned;

/// A word or sentence of the author with its place.
pub type Text = Spanned<String>;

/// Named things in the order they were written.
pub type Named<T> = Vec<(Text, T)>;

/// Everything found in all files of one load. Built by [`parse`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    /// The `project:` document; exactly one is expected, a second one is an error of the model.
    pub projects: Vec<project::Project>,
    /// One per `entity:` document.
    pub entities: Vec<entity::Entity>,
    /// All entries of all `metrics:` mappings.
    pub metrics: Named<metric::Metric>,
    /// All entries of all `parameters:` mappings.
    pub parameters: Named<parameter::Parameter>,
    /// One per `view:` document.
    pub views: Vec<view::View>,
    /// All entries of all `segments:` mappings.
    pub segments: Named<access::Segment>,
    /// All entries of all `rules:` mappings.
    pub rules: Named<access::Rule>,
    /// All entries of all `policies:` mappings.
    pub policies: Named<access::Policy>,
    /// All entries of all `saved_queries:` mappings.
    pub saved_queries: Named<test::SavedQuery>,
    /// All entries of all `fixtures:` mappings.
    pub fixtures: Named<test::Fixture>,
    /// All entries of all top-level `tests:` lists.
    pub tests: Vec<test::Test>,
    /// Names of things that were written but could not be read as a whole, and words of documents that are not YAML: reported already,
    /// so a reference to one is no second mistake.
    pub incomplete: Vec<Text>,
}
