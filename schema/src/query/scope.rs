//! What a question may name: the dimensions and metrics of its view or entity, less what the caller may not see.

use std::collections::BTreeSet;

use super::{
    Scope,
    access::{Access, shows_view},
    error::{QueryError, QueryErrorCode as Code},
    telling::{facts_of, shows_way},
};
use crate::{
    model::{
        DimensionId, DimensionIndex, EntityId, MetricId, Model, Segment, View, ViewDimension, ViewTarget, path::PathDimension,
    },
    suggest,
};

/// Names of a scope.
pub(crate) struct ScopeFields {
    what: String,
    fields: Vec<ViewDimension>,
    metrics: Vec<MetricId>,
    metric_names: Vec<String>,
    hidden_metrics: BTreeSet<MetricId>,
    masked: BTreeSet<DimensionId>,
}

impl ScopeFields {
    pub(crate) fn of(model: &Model, scope: &Scope, access: &Access) -> Result<Self, QueryError> {
        let (what, fields, metrics) = match scope {
            Scope::View(name) => {
                let is_there = |view: &View| shows_view(view, &access.hidden_metrics);
                let id = model.view_named(name).filter(|id| is_there(model.view(*id))).ok_or_else(|| {
                    let known = model.views.iter().filter(|view| is_there(view)).map(|view| view.name.as_str());
                    QueryError::new(Code::NameNotFound, format!("there is no view `{name}`")).suggest(suggest::nearest(name, known))
                })?;
                let view = model.view(id);
                (format!("view `{name}`"), view.dimensions.clone(), view.metrics.clone())
            }
            Scope::Entity(name) => {
                let id = model.entity_named(name).ok_or_else(|| {
                    QueryError::new(Code::NameNotFound, format!("there is no entity `{name}`"))
                        .suggest(suggest::nearest(name, model.entities.iter().map(|entity| entity.name.as_str())))
                })?;
                let fields = entity_fields(model, id);
                let itself = fields.first().cloned().expect("the entity itself comes first");
                let metrics = model
                    .metric_ids()
                    .filter(|(_, metric)| !metric.is_cohort && metric.compares.iter().all(|entity| *entity == id))
                    .map(|(id, _)| id)
                    .filter(|id| model.is_valid(*id, &itself))
                    .filter(|id| shows_way(model, &model.metric(*id).facts, &itself, &access.hidden_relationships))
                    .collect();
                (format!("entity `{name}`"), fields, metrics)
            }
        };
        let metrics: Vec<MetricId> = metrics.into_iter().filter(|id| !access.hidden_metrics.contains(id)).collect();
        let metric_names = metrics.iter().map(|id| model.metric(*id).name.clone()).collect();
        let facts = facts_of(model, &metrics);
        let fields = fields
            .into_iter()
            .filter(|field| match field.target {
                ViewTarget::Dimension(id) => !access.hidden.contains(&id),
                ViewTarget::Entity(_) => true,
            })
            .filter(|field| shows_way(model, &facts, field, &access.hidden_relationships))
            .collect();
        let hidden_metrics = access.hidden_metrics.clone();
        Ok(Self { what, fields, metrics, metric_names, hidden_metrics, masked: access.masked.clone() })
    }

    pub(crate) fn metric(&self, model: &Model, name: &str) -> Result<MetricId, QueryError> {
        if let Some(position) = self.metric_names.iter().position(|known| known == name) {
            return Ok(self.metrics[position]);
        }
        let error = QueryError::new(Code::NameNotFound, format!("{} has no metric `{name}`", self.what));
        Err(match model.metric_named(name).filter(|id| !self.hidden_metrics.contains(id)) {
            Some(_) => error.help("the metric exists, but not here: choose a view that has it"),
            None => error.suggest(suggest::nearest(name, self.metric_names.iter().map(String::as_str))),
        })
    }

    pub(crate) fn field(&self, name: &str) -> Result<&ViewDimension, QueryError> {
        self.fields.iter().find(|field| field.name == name).ok_or_else(|| {
            QueryError::new(Code::NameNotFound, format!("{} has no dimension `{name}`", self.what))
                .suggest(suggest::nearest(name, self.fields.iter().map(|field| field.name.as_str())))
        })
    }

    pub(crate) fn field_for_condition(&self, name: &str) -> Result<&ViewDimension, QueryError> {
        if self.metric_names.iter().any(|metric| metric == name) && !self.fields.iter().any(|field| field.name == name) {
            return Err(QueryError::new(
                Code::AggregateInWhere,
                format!("`{name}` is a metric; `where` selects rows before they are added up"),
            )
            .help("put conditions on metrics into `having`"));
        }
        let field = self.field(name)?;
        match field.target {
            ViewTarget::Dimension(id) if self.masked.contains(&id) => {
                Err(QueryError::new(Code::Forbidden, format!("`{name}` is masked for you, so it cannot be a condition")))
            }
            ViewTarget::Dimension(_) | ViewTarget::Entity(_) => Ok(field),
        }
    }

    /// A segment's dimension as a field of this scope, reached as the scope reaches the segment's entity.
    pub(crate) fn segment_field(
        &self,
        model: &Model,
        segment: &Segment,
        place: &PathDimension,
    ) -> Result<ViewDimension, QueryError> {
        let entity = &model.entity(segment.entity).name;
        let Some(known) = self.fields.iter().find(|field| field.target.entity() == segment.entity) else {
            let message = format!("{} has no `{entity}`, so segment `{}` does not apply", self.what, segment.name);
            return Err(QueryError::new(Code::NoPath, message));
        };
        let dimension = model.dimension(place.dimension);
        if !place.path.is_empty() {
            let message = format!("segment `{}` looks beyond `{entity}`, which metrics cannot follow", segment.name);
            return Err(QueryError::new(Code::NoPath, message).help("put the condition into `where`"));
        }
        Ok(ViewDimension {
            name: dimension.name.clone(),
            label: dimension.label.clone(),
            target: ViewTarget::Dimension(place.dimension),
            via: known.via.clone(),
            value_type: dimension.value_type,
            overlapping: known.overlapping,
        })
    }
}

/// The entity itself, then its visible dimensions.
pub(crate) fn entity_fields(model: &Model, id: EntityId) -> Vec<ViewDimension> {
    let entity = model.entity(id);
    let key_type = model.dimension(DimensionId { entity: id, index: entity.key[0] }).value_type;
    let itself = ViewDimension {
        name: entity.name.clone(),
        label: entity.label.clone(),
        target: ViewTarget::Entity(id),
        via: Vec::new(),
        value_type: key_type,
        overlapping: false,
    };
    let dimensions =
        entity.dimensions.iter().enumerate().filter(|(_, dimension)| !dimension.hidden).map(|(index, dimension)| ViewDimension {
            name: dimension.name.clone(),
            label: dimension.label.clone(),
            target: ViewTarget::Dimension(DimensionId { entity: id, index: DimensionIndex(index as u16) }),
            via: Vec::new(),
            value_type: dimension.value_type,
            overlapping: false,
        });
    std::iter::once(itself).chain(dimensions).collect()
}
