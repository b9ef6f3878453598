//! GraphQL over a model: the schema, the executor, the shape of answers. Knows no HTTP, no driver, no cache.
//!
//! [`Api::new`] turns a model into a GraphQL schema once; [`Api::execute`] turns a request into the bytes of its JSON response by
//! asking a [`Runner`].
//!
//! The way of a request, one module per step: `document` (text → validated document), `limits`, `variables` (values of their types),
//! `select` (one collection of fields), `plan` (root fields → questions and shapes), `cost` (what they ask of the warehouse), `fetch`
//! (questions → rows, one per level and metric group), `write` (rows → bytes).

mod api;

mod surface;

mod naming;
mod scalar;
mod types;

mod document;
mod limits;

mod input;
mod select;
mod variables;

mod plan;
mod planning;

mod catalogue;
mod filter;
mod range;

mod cost;

mod runner;

mod fetch;

mod write;

mod exact;
mod ids;
mod json;
mod signal;

mod answer;
mod conceal;
mod error;
pub mod evolution;
mod federation;
mod refusal;

pub use answer::{Answer, CacheSummary, OperationKind, Retry, RetryReason};
pub use api::{Api, Prepared, Settings};
pub use limits::Limits;
pub use planning::Planning;
pub use runner::{
    Budget, BudgetSpent, CacheState, CountAnswer, EntityAnswer, MetricAnswer, Provenance, RequestContext, RequestId, RunError,
    Runner,
};
