//! Segments, rules and policies, resolved.

use std::collections::BTreeSet;

use super::{DimensionId, DimensionIndex, EntityId, MetricId, RelationshipId, path::PathDimension};
use crate::{expr::Expr, query::Comparator, source::Span};

/// A named filter on an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Name, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// One sentence.
    pub description: Option<String>,
    /// Whose rows it selects.
    pub entity: EntityId,
    /// Over dimensions reached safely from the entity.
    pub filter: Expr<PathDimension>,
    /// Where it was written.
    pub span: Span,
}

impl Segment {
    /// Whether its condition speaks of one of these dimensions: who chooses by it then learns what they hold.
    pub fn reads(&self, dimensions: &BTreeSet<DimensionId>) -> bool {
        let mut found = false;
        self.filter.visit_refs(&mut |place| found |= dimensions.contains(&place.dimension));
        found
    }

    /// Whether its condition looks beyond one of these relationships.
    pub fn follows(&self, relationships: &BTreeSet<RelationshipId>) -> bool {
        let mut found = false;
        self.filter.visit_refs(&mut |place| found |= place.path.iter().any(|hop| relationships.contains(hop)));
        found
    }
}

/// A threshold with an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// One sentence.
    pub description: Option<String>,
    /// Evaluated for each of these.
    pub per: EntityId,
    /// What is compared.
    pub metric: MetricId,
    /// How.
    pub operator: Comparator,
    /// Threshold in canonical decimal text.
    pub threshold: String,
    /// When.
    pub at: RuleTime,
    /// Consecutive periods it must hold.
    pub persistence: u32,
    /// Whether a missing value fires.
    pub fires_when_unknown: bool,
    /// How bad it is.
    pub severity: RuleSeverity,
    /// Names of recommended plays.
    pub plays: Vec<String>,
    /// Where the rule comes from.
    pub source: Option<String>,
    /// Where it was written.
    pub span: Span,
}

/// When a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the words of the language")]
pub enum RuleTime {
    LastCompleteMonth,
    LastCompleteQuarter,
    AsOf,
}

/// How bad a fired rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are the words of the language")]
pub enum RuleSeverity {
    Info,
    Warning,
    Critical,
}

/// Who may see which rows and members.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Name, snake_case.
    pub name: String,
    /// One sentence.
    pub description: Option<String>,
    /// Whose rows; facts with a safe path to it are restricted with it.
    pub entity: EntityId,
    /// Callers it restricts; empty means everyone.
    pub roles: Vec<String>,
    /// Rows that are there.
    pub rows: Option<Expr<PolicyRef>>,
    /// Dimensions that do not exist for these callers.
    pub hide: Vec<DimensionIndex>,
    /// Dimensions that are always null for these callers.
    pub mask: Vec<DimensionIndex>,
    /// Who counts as a peer.
    pub peers: PolicyPeers,
    /// Where it was written.
    pub span: Span,
}

/// Which metrics there are for whom.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPolicy {
    /// Name, snake_case.
    pub name: String,
    /// One sentence.
    pub description: Option<String>,
    /// Callers it restricts; empty means everyone.
    pub roles: Vec<String>,
    /// The metrics that exist for these callers. What they are computed from need not be among them.
    pub metrics: BTreeSet<MetricId>,
    /// Names of the rules about them that exist; `None` is all of them.
    pub rules: Option<BTreeSet<String>>,
    /// Where it was written.
    pub span: Span,
}

/// Whose values count where an entity is compared with its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyPeers {
    /// Rows that are there for the caller.
    Visible,
    /// All rows: what is said of them together is said, and none of them is shown.
    Everyone,
}

/// What a policy's condition may speak of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PolicyRef {
    /// A dimension reached safely from the entity.
    Dimension(PathDimension),
    /// A claim of the caller; a claim that is missing makes the condition false.
    Claim(String),
}
