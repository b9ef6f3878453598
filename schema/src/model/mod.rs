//! What is true: the validated definitions, with ids instead of names, and every question about them answered once.
//!
//! A [`Model`] can only be made by `model::resolve`, so code after it never asks whether a name is defined, whether an
//! expression has a type, or whether a path exists.

pub mod access;
pub mod entity;
pub mod metric;
pub mod path;
pub mod peers;
pub mod score;
pub mod series;
pub mod view;

mod join_graph;
mod resolve;
mod rules;

use std::collections::HashMap;

use jiff::{Timestamp, civil::Date};

pub use access::{MetricPolicy, Policy, Rule, Segment};
pub use entity::{Cardinality, Dimension, Entity, Measure, Relationship};
pub use metric::{Metric, MetricKind};
pub use path::{Path, Reach};
pub use peers::{Peers, PeersTake};
pub use resolve::resolve;
pub use rules::{is_kept_from_entities, is_kept_from_fields};
pub use series::{Series, SeriesTake};
pub use view::{View, ViewDimension, ViewTarget};

use crate::{definition::test, time::Calendar};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u16);
        impl $name {
            /// The position in the model's list.
            pub fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    )*};
}

ids! {
    /// Position of an entity in [`Model::entities`].
    EntityId,
    /// Position of a metric in [`Model::metrics`].
    MetricId,
    /// Position of a view in [`Model::views`].
    ViewId,
    /// Position of a dimension in [`Entity::dimensions`]. Meaningless without its entity.
    DimensionIndex,
    /// Position of a relationship in [`Entity::relationships`]. Meaningless without its entity.
    RelationshipIndex,
    /// Position of a measure in [`Entity::measures`]. Meaningless without its entity.
    MeasureIndex,
    /// Position of a dimension in [`View::dimensions`]. Meaningless without its view.
    ViewDimensionIndex,
    /// Position of a movement grain in [`entity::Movements::grains`]. Meaningless without its entity.
    GrainIndex,
}

/// A dimension of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DimensionId {
    /// The entity that has it.
    pub entity: EntityId,
    /// Which one.
    pub index: DimensionIndex,
}

/// A measure of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MeasureId {
    /// The fact that has it.
    pub entity: EntityId,
    /// Which one.
    pub index: MeasureIndex,
}

/// A relationship of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelationshipId {
    /// The entity it starts from.
    pub entity: EntityId,
    /// Which one.
    pub index: RelationshipIndex,
}

/// The whole validated model of one generation of definitions. Immutable; shared behind an `Arc`; swapped as a whole.
#[derive(Debug, Clone)]
pub struct Model {
    /// Project settings.
    pub project: Project,
    /// Every entity, by name.
    pub entities: Vec<Entity>,
    /// Every metric, by name.
    pub metrics: Vec<Metric>,
    /// Every view, by name.
    pub views: Vec<View>,
    /// Every segment, by name.
    pub segments: Vec<Segment>,
    /// Every rule, by name.
    pub rules: Vec<Rule>,
    /// Every policy about an entity, by name.
    pub policies: Vec<Policy>,
    /// Every policy about metrics, by name.
    pub metric_policies: Vec<MetricPolicy>,
    /// Every saved query, by name.
    pub saved_queries: Vec<(String, test::SavedQuery)>,
    /// Every fixture, by name.
    pub fixtures: Vec<(String, test::Fixture)>,
    /// Every test, those beside a metric (with its name) first.
    pub tests: Vec<(Option<MetricId>, test::Test)>,
    /// Hex digest of the definitions' text: the same files give the same fingerprint.
    pub fingerprint: String,
    pub(crate) names: Names,
    pub(crate) paths: path::PathTable,
}

/// Project settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// IANA zone in which days begin.
    pub time_zone: String,
    /// Weeks and fiscal years.
    pub calendar: Calendar,
    /// ISO 4217 code of the reporting currency.
    pub currency: Option<String>,
    /// Where rates stand, for answers in another currency.
    pub exchange_rates: Option<ExchangeRates>,
}

impl Project {
    /// The day that an instant belongs to: "today" of whoever asks then and names no zone.
    pub fn day_of(&self, instant: Timestamp) -> Date {
        crate::time::day_in(&self.time_zone, instant)
    }
}

/// What of an entity is what of a rate: the value of one unit of `from` in `to` from its day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeRates {
    /// One row per rate.
    pub entity: EntityId,
    /// From when it holds.
    pub day: DimensionIndex,
    /// Code of the currency of which one unit is valued.
    pub from: DimensionIndex,
    /// Code of the currency in which it is.
    pub to: DimensionIndex,
    /// The value.
    pub rate: DimensionIndex,
    /// Name of the rate, where there are several, and the one that is used when none is named.
    pub kind: Option<(DimensionIndex, Option<String>)>,
}

/// Look-ups by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) entities: HashMap<String, EntityId>,
    pub(crate) metrics: HashMap<String, MetricId>,
    pub(crate) views: HashMap<String, ViewId>,
}

impl Model {
    /// The entity behind an id.
    pub fn entity(&self, id: EntityId) -> &Entity {
        &self.entities[id.index()]
    }

    /// The metric behind an id.
    pub fn metric(&self, id: MetricId) -> &Metric {
        &self.metrics[id.index()]
    }

    /// The view behind an id.
    pub fn view(&self, id: ViewId) -> &View {
        &self.views[id.index()]
    }

    /// The dimension behind an id.
    pub fn dimension(&self, id: DimensionId) -> &Dimension {
        &self.entity(id.entity).dimensions[id.index.index()]
    }

    /// The measure behind an id.
    pub fn measure(&self, id: MeasureId) -> &Measure {
        &self.entity(id.entity).measures[id.index.index()]
    }

    /// The relationship behind an id.
    pub fn relationship(&self, id: RelationshipId) -> &Relationship {
        &self.entity(id.entity).relationships[id.index.index()]
    }

    /// Looks an entity up by name.
    pub fn entity_named(&self, name: &str) -> Option<EntityId> {
        self.names.entities.get(name).copied()
    }

    /// Looks a metric up by name.
    pub fn metric_named(&self, name: &str) -> Option<MetricId> {
        self.names.metrics.get(name).copied()
    }

    /// Looks a view up by name.
    pub fn view_named(&self, name: &str) -> Option<ViewId> {
        self.names.views.get(name).copied()
    }

    /// Every entity with its id.
    pub fn entity_ids(&self) -> impl Iterator<Item = (EntityId, &Entity)> {
        self.entities.iter().enumerate().map(|(index, entity)| (EntityId(index as u16), entity))
    }

    /// Every metric with its id.
    pub fn metric_ids(&self) -> impl Iterator<Item = (MetricId, &Metric)> {
        self.metrics.iter().enumerate().map(|(index, metric)| (MetricId(index as u16), metric))
    }

    /// Every view with its id.
    pub fn view_ids(&self) -> impl Iterator<Item = (ViewId, &View)> {
        self.views.iter().enumerate().map(|(index, view)| (ViewId(index as u16), view))
    }

    /// How a fact reaches a dimension (or entity) of a view; `None` when it cannot, which at load means the combination is not valid.
    pub fn reach(&self, fact: EntityId, dimension: &ViewDimension) -> Option<&Reach> {
        let reach = self.paths.get(fact, dimension.target.entity(), &dimension.via)?;
        (reach.fan != path::Fan::Overlapping || dimension.overlapping).then_some(reach)
    }

    /// The only safe (many-to-one) path from one entity to another, or `None` when there is none or more than one of the same length.
    pub fn path_between(&self, from: EntityId, to: EntityId) -> Option<&Reach> {
        self.paths.get(from, to, &[]).filter(|reach| reach.fan == path::Fan::None)
    }

    /// The safe ways along which a policy on one entity restricts rows of another; a row is there only when it is there along each.
    pub(crate) fn policy_ways(&self, from: EntityId, to: EntityId) -> Vec<&Path> {
        match self.path_between(from, to) {
            Some(reach) => vec![&reach.path],
            None => self.paths.ambiguous(from, to).iter().collect(),
        }
    }

    /// Whether a metric can be grouped by a view's dimension: every fact behind it reaches the dimension. The validity matrix of a view.
    pub fn is_valid(&self, metric: MetricId, dimension: &ViewDimension) -> bool {
        self.metric(metric).facts.iter().all(|fact| self.reach(*fact, dimension).is_some())
    }
}
