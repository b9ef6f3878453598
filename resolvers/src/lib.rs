//! GraphQL over a model: the schema, the executor, the shape of answers. Knows no HTTP, no driver, no cache.
//!
//! [`Api::new`] turns a model into a GraphQL schema once; [`Api::execute`] turns a request into the bytes of its JSON response by
//! asking a [`Runner`]. [`Endpoint`] wraps both in async-graphql's `Executor` for transports that want one.

mod api;

mod answer;
mod endpoint;
mod limits;
mod runner;

pub use answer::{Answer, CacheSummary, OperationKind};
pub use api::{Api, Settings};
pub use endpoint::{Endpoint, Session};
pub use limits::Limits;
pub use runner::{CacheState, EntityAnswer, MetricAnswer, Provenance, RequestContext, RunError, Runner};
