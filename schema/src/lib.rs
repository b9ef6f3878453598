//! Definitions in, SQL out: the pure half of Holdfast.
//!
//! Nothing here reads a file, a clock, an environment variable or a socket, and nothing here knows GraphQL, HTTP or a
//! database driver. The stages, each a named type, are listed in ARCHITECTURE.md:
//! `SourceMap` → [`definition::Definitions`] → [`model::Model`] → [`query::MetricQuery`] → `BoundQuery` → `LogicalPlan` → SQL
//! tree → [`sql::Statement`].

pub mod diagnostic;
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
