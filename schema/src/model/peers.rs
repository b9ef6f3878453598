//! Peers, resolved: which entities are compared, within which group, and what is said of one among the others.

use super::{EntityId, MetricId, path::PathDimension};

/// An entity compared with the others of its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers {
    /// A numeric metric.
    pub of: MetricId,
    /// What is compared; every fact of the metric leads to it.
    pub entity: EntityId,
    /// What peers have in common, seen from the entity.
    pub group: Vec<PathDimension>,
    /// What is said.
    pub take: PeersTake,
    /// Peers with a value below which nothing but their number is said.
    pub at_least: u32,
}

/// What is said of one among its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PeersTake {
    /// Share of the peers below, half of the equal ones included, from 0 to 100.
    Percentile,
    /// Own value minus the median of the peers.
    Gap,
    /// Median of the peers.
    Median,
    /// Number of peers.
    Count,
}

impl PeersTake {
    /// Every way to take.
    pub const ALL: [PeersTake; 4] = [PeersTake::Percentile, PeersTake::Gap, PeersTake::Median, PeersTake::Count];

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            PeersTake::Percentile => "percentile",
            PeersTake::Gap => "gap",
            PeersTake::Median => "median",
            PeersTake::Count => "count",
        }
    }

    /// Whether the answer is measured in the unit of the values.
    pub fn keeps_unit(self) -> bool {
        match self {
            PeersTake::Gap | PeersTake::Median => true,
            PeersTake::Percentile | PeersTake::Count => false,
        }
    }
}
