//! What the executor hands to a transport: the finished response and what its headers need to know.

use std::time::Duration;

use bytes::Bytes;

use crate::runner::{CacheState, Provenance};

/// A finished response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The whole JSON response: `data`, `errors`, `extensions`.
    pub body: Bytes,
    /// Whether `errors` is there.
    pub had_errors: bool,
    /// Whether the request was refused before anything ran, so that there is no `data` at all: status 400 where the transport
    /// tells.
    pub is_request_error: bool,
    /// Whether it was refused because its document is no GraphQL at all.
    pub is_unreadable: bool,
    /// How the answers behind it were reused; `None` when nothing was asked of the warehouse.
    pub cache: Option<CacheSummary>,
    /// Set where the same request may be answered later: it was refused, nothing of it ran.
    pub retry: Option<Retry>,
}

/// A request that is refused for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Why.
    pub reason: RetryReason,
    /// After how many seconds it may be tried again; at least one.
    pub after_seconds: u32,
}

/// Why a request is refused for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryReason {
    /// Its caller has spent what there was.
    BudgetSpent,
    /// The warehouse has too much to do.
    Overloaded,
}

/// Reuse of all answers behind one response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSummary {
    /// A hit only if every answer was one; bypass if any was.
    pub state: CacheState,
    /// The oldest answer.
    pub age: Duration,
    /// The shortest time any of them may still be reused.
    pub max_age: Duration,
    /// Whether some of them become stale with a refresh key, and not with time alone.
    pub is_versioned: bool,
    /// Whether policies restrict what any of them says.
    pub is_restricted: bool,
}

/// Kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are GraphQL's words")]
pub enum OperationKind {
    Query,
    Mutation,
    Subscription,
}

impl CacheSummary {
    /// Summarises one answer more.
    pub(crate) fn merge(summary: Option<Self>, provenance: &Provenance, policies: &[String]) -> Option<Self> {
        let one = Self {
            state: provenance.cache,
            age: provenance.age,
            max_age: provenance.max_age,
            is_versioned: provenance.data_version.is_some(),
            is_restricted: !policies.is_empty(),
        };
        Some(match summary {
            None => one,
            Some(all) => Self {
                state: match (all.state, one.state) {
                    (CacheState::Bypass, _) | (_, CacheState::Bypass) => CacheState::Bypass,
                    (CacheState::Miss, _) | (_, CacheState::Miss) => CacheState::Miss,
                    (CacheState::Hit, CacheState::Hit) => CacheState::Hit,
                },
                age: all.age.max(one.age),
                max_age: all.max_age.min(one.max_age),
                is_versioned: all.is_versioned || one.is_versioned,
                is_restricted: all.is_restricted || one.is_restricted,
            },
        })
    }
}
