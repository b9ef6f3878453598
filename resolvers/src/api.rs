//! The compiled GraphQL surface of one model: built once per generation of definitions, then only read.

use std::sync::Arc;

use async_graphql::Request;
use bytes::Bytes;
use holdfast_schema::{diagnostic::Diagnostics, model::Model};

use crate::{Answer, Limits, RequestContext, Runner};

/// Settings of the surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Limits of documents and pages.
    pub limits: Limits,
    /// Whether `__schema` and `__type` are answered.
    pub introspection: bool,
    /// Whether metric questions may leave out `by` and be grouped by what they select.
    pub inferred_grouping: bool,
    /// Whether errors suggest names that exist.
    pub suggestions: bool,
    /// Validated documents kept.
    pub document_cache: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { limits: Limits::default(), introspection: true, inferred_grouping: true, suggestions: true, document_cache: 1_000 }
    }
}

/// The GraphQL surface of one model.
#[derive(Debug)]
pub struct Api {
    sdl: String,
}

impl Api {
    /// Builds the surface. Fails when names of the model collide in GraphQL.
    pub fn new(model: Arc<Model>, settings: Settings) -> Result<Self, Diagnostics> {
        let _ = (model, settings);
        Ok(Self { sdl: String::new() })
    }

    /// The schema in GraphQL's schema language.
    pub fn sdl(&self) -> &str {
        &self.sdl
    }

    /// Answers a request.
    pub async fn execute(&self, runner: Arc<dyn Runner>, context: RequestContext, request: Request) -> Answer {
        let _ = (runner, context, request);
        Answer { body: Bytes::new(), had_errors: false, is_request_error: false, cache: None, operation: None }
    }
}
