//! Views, resolved.

use std::cmp::Reverse;

use super::{DimensionId, EntityId, MetricId, ViewDimensionIndex};
use crate::{definition::test::Ask, diagnostic::Diagnostics, expr, source::Span, value::ValueType};

/// One named subject area.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Name, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// One sentence.
    pub description: Option<String>,
    /// Its metrics, in written order.
    pub metrics: Vec<MetricId>,
    /// Its dimensions, in written order; each is valid for every metric.
    pub dimensions: Vec<ViewDimension>,
    /// Names of the movement grains a query may choose; the first is the default. Empty without movement metrics.
    pub movement_grains: Vec<String>,
    /// Where it was written.
    pub span: Span,
}

impl View {
    /// Looks a dimension up by name.
    pub fn dimension_named(&self, name: &str) -> Option<ViewDimensionIndex> {
        self.dimensions.iter().position(|dimension| dimension.name == name).map(|index| ViewDimensionIndex(index as u16))
    }
}

/// The view that a question without one is asked through: one that has all its metrics and, where there is one, everything else that it
/// names. Of several the one in the question's own file, then the one with the most metrics, then the first by name: another view
/// somewhere else changes nothing.
pub fn view_for<'v>(views: &'v [View], metrics: &[MetricId], ask: &Ask) -> Option<&'v View> {
    let names = names_of(ask);
    let has_all = |view: &&View| metrics.iter().all(|metric| view.metrics.contains(metric));
    let rank = |view: &&'v View| {
        let has_names = names.iter().all(|name| view.dimension_named(name).is_some());
        let has_grain = ask.movement_grain.as_ref().is_none_or(|grain| view.movement_grains.contains(&grain.value));
        let is_here = view.span.file == ask.span.file;
        (!(has_names && has_grain), !is_here, Reverse(view.metrics.len()), view.name.clone())
    };
    views.iter().filter(has_all).min_by_key(rank)
}

/// What a question groups and chooses rows by, as it is written.
pub fn names_of(ask: &Ask) -> Vec<String> {
    let mut names: Vec<String> = ask.by.iter().filter_map(|text| dimension_of(&text.value)).map(str::to_owned).collect();
    if let Some(filter) = ask.filter.as_ref().and_then(|text| expr::parse(text, &mut Diagnostics::default())) {
        filter.visit_refs(&mut |name| names.push(name.to_string()));
    }
    names
}

/// The dimension that a group is made of, if it is one: `segment`, and `signed_on` of `signed_on(quarter)`.
fn dimension_of(by: &str) -> Option<&str> {
    match by.split_once('(') {
        None => Some(by.trim()),
        Some((name, _)) => Some(name.trim()).filter(|name| !matches!(*name, "period" | "cohort" | "age")),
    }
}

/// Something the view can be grouped and filtered by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ViewDimension {
    /// Name in this view, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Dimension or entity.
    pub target: ViewTarget,
    /// Relationship names the author insisted on, from the fact's side; usually empty.
    pub via: Vec<String>,
    /// Type of its values; for an entity that of its key (text for composite keys).
    pub value_type: ValueType,
    /// Whether a member may count in several groups.
    pub overlapping: bool,
}

/// What a view's dimension is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViewTarget {
    /// A dimension of an entity.
    Dimension(DimensionId),
    /// An entity by its key.
    Entity(EntityId),
}

impl ViewTarget {
    /// The entity it belongs to.
    pub fn entity(self) -> EntityId {
        match self {
            ViewTarget::Dimension(id) => id.entity,
            ViewTarget::Entity(id) => id,
        }
    }
}
