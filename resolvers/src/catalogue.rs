//! The catalogue: the definitions themselves as an answer, from the model alone.

use holdfast_schema::{
    definition::test::SavedQuestion,
    model::{
        Cardinality, DimensionIndex, EntityId, MetricId, MetricKind, RelationshipIndex, ViewDimensionIndex, ViewId, ViewTarget,
        access::RuleTime,
        metric::{Additivity, Direction},
    },
    query::{GroupBy, GroupItem, MetricQuery, MetricSelection, Scope},
    time::Grain,
    value::ValueType,
};

use crate::{
    error::{LIMIT_EXCEEDED, Problem},
    input::Input,
    naming::camel,
    plan::Planner,
    select::{Arguments, Request, Selected},
    signal,
    surface::{CatalogueRoot, Surface},
};

/// Values of one catalogue answer at most: lists inside lists multiply.
const MAX_VALUES: usize = 200_000;

/// An answer of the catalogue.
#[derive(Debug)]
pub(crate) struct CataloguePlan {
    /// What is written.
    pub(crate) value: Value,
}

/// A value of the catalogue.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
    /// The statement of a question, which the runner knows.
    Sql(Box<MetricQuery>),
}

/// Something that has fields.
#[derive(Debug, Clone, Copy)]
enum Object {
    Metric(MetricId),
    Dimension(ViewId, usize),
    View(ViewId),
    Entity(EntityId),
    EntityDimension(EntityId, DimensionIndex),
    Relationship(EntityId, RelationshipIndex),
    Rule(usize),
    Segment(usize),
    SavedQuery(usize),
}

/// One walk over a selection.
struct Walk<'p, 'a> {
    planner: &'p Planner<'a>,
    values: usize,
}

impl CataloguePlan {
    /// Reads what is selected.
    pub(crate) fn new<'a>(
        planner: &Planner<'a>,
        root: CatalogueRoot,
        selected: &Selected<'a>,
        arguments: Arguments,
    ) -> Result<Self, Problem> {
        let mut walk = Walk { planner, values: 0 };
        let model = planner.model;
        let value = match root {
            CatalogueRoot::Metrics => walk.list(selected, metrics(planner, &arguments)?.into_iter().map(Object::Metric))?,
            CatalogueRoot::Metric => {
                let name = arguments.get("name").and_then(Input::text).unwrap_or_default();
                match planner.surface.metric_named(model, name) {
                    Some(id) => walk.object(selected, Object::Metric(id))?,
                    None => Value::Null,
                }
            }
            CatalogueRoot::Dimensions => walk.list(selected, dimensions(planner, &arguments)?.into_iter())?,
            CatalogueRoot::Views => {
                let shown = model.view_ids().filter(|(_, view)| planner.surface.shows_view(view));
                walk.list(selected, shown.map(|(id, _)| Object::View(id)))?
            }
            CatalogueRoot::Entities => walk.list(selected, model.entity_ids().map(|(id, _)| Object::Entity(id)))?,
            CatalogueRoot::Rules => {
                let shown = (0..model.rules.len()).filter(|position| planner.surface.shows_rule(&model.rules[*position]));
                walk.list(selected, shown.map(Object::Rule))?
            }
            CatalogueRoot::SavedQueries => {
                let shown = (0..model.saved_queries.len()).filter(|position| !planner.unasked.contains(position));
                walk.list(selected, shown.map(Object::SavedQuery))?
            }
            CatalogueRoot::Segments => {
                let shown = (0..model.segments.len()).filter(|position| planner.surface.shows_segment(&model.segments[*position]));
                walk.list(selected, shown.map(Object::Segment))?
            }
        };
        Ok(Self { value })
    }

    /// Reads what a gateway selects of the schema.
    pub(crate) fn service<'a>(request: &Request<'a>, selected: &Selected<'a>, sdl: &str) -> Self {
        let read = |field: Selected<'a>| {
            let text = if field.name == "sdl" { sdl } else { "_Service" };
            (field.key.to_owned(), Value::Text(text.to_owned()))
        };
        Self { value: Value::Object(request.below(selected, "_Service").into_iter().map(read).collect()) }
    }

    /// Reads what is selected of one rule.
    pub(crate) fn rule<'a>(planner: &Planner<'a>, selected: &Selected<'a>, position: usize) -> Result<Value, Problem> {
        Walk { planner, values: 0 }.object(selected, Object::Rule(position))
    }
}

fn metrics(planner: &Planner<'_>, arguments: &Arguments) -> Result<Vec<MetricId>, Problem> {
    let model = planner.model;
    let only = match arguments.get("view").and_then(Input::text) {
        Some(name) => {
            let found = model.view_named(name).filter(|view| planner.surface.shows_view(model.view(*view)));
            Some(found.ok_or_else(|| Problem::input("`view` names no view"))?)
        }
        None => None,
    };
    let names: Vec<_> = arguments.get("compatibleWith").map_or(&[][..], Input::items).iter().filter_map(Input::text).collect();
    let fits = |id: MetricId, in_view: ViewId| {
        let view = model.view(in_view);
        view.metrics.contains(&id)
            && names.iter().all(|name| {
                let found = view.dimension_named(name).filter(|index| planner.surface.shows(in_view, *index));
                found.is_some_and(|index| model.is_valid(id, &view.dimensions[index.index()]))
            })
    };
    Ok(model
        .metric_ids()
        .map(|(id, _)| id)
        .filter(|id| planner.surface.shows_metric(*id))
        .filter(|id| match only {
            Some(view) => fits(*id, view),
            None if names.is_empty() => true,
            None => model.view_ids().any(|(view, _)| fits(*id, view)),
        })
        .collect())
}

fn dimensions(planner: &Planner<'_>, arguments: &Arguments) -> Result<Vec<Object>, Problem> {
    let model = planner.model;
    let mut wanted = Vec::new();
    for name in arguments.get("forMetrics").map_or(&[][..], Input::items).iter().filter_map(Input::text) {
        wanted.push(planner.surface.metric_named(model, name).ok_or_else(|| Problem::input("`forMetrics` names no metric"))?);
    }
    let mut out = Vec::new();
    for (id, view) in model.view_ids().filter(|(_, view)| planner.surface.shows_view(view)) {
        if wanted.iter().all(|metric| view.metrics.contains(metric)) {
            let valid = |index: &usize| {
                let dimension = &view.dimensions[*index];
                shows(planner.surface, id, *index) && wanted.iter().all(|metric| model.is_valid(*metric, dimension))
            };
            out.extend((0..view.dimensions.len()).filter(valid).map(|index| Object::Dimension(id, index)));
        }
    }
    Ok(out)
}

fn shows(surface: &Surface, view: ViewId, index: usize) -> bool {
    surface.shows(view, ViewDimensionIndex(index as u16))
}

impl<'a> Walk<'_, 'a> {
    fn list(&mut self, selected: &Selected<'a>, items: impl Iterator<Item = Object>) -> Result<Value, Problem> {
        let mut out = Vec::new();
        for item in items {
            out.push(self.object(selected, item)?);
        }
        Ok(Value::List(out))
    }

    fn object(&mut self, selected: &Selected<'a>, object: Object) -> Result<Value, Problem> {
        let type_name = match object {
            Object::Metric(_) => "Metric",
            Object::Dimension(..) => "Dimension",
            Object::View(_) => "View",
            Object::Entity(_) => "Entity",
            Object::EntityDimension(..) => "EntityDimension",
            Object::Relationship(..) => "Relationship",
            Object::Rule(_) => "Rule",
            Object::Segment(_) => "Segment",
            Object::SavedQuery(_) => "SavedQuery",
        };
        let mut out = Vec::new();
        for field in self.planner.request.below(selected, type_name) {
            self.values += 1;
            if self.values > MAX_VALUES {
                return Err(Problem::new(LIMIT_EXCEEDED, format!("the catalogue answers with {MAX_VALUES} values at most")));
            }
            let value = if field.name == "__typename" { Value::Text(type_name.to_owned()) } else { self.field(&field, object)? };
            out.push((field.key.to_owned(), value));
        }
        Ok(Value::Object(out))
    }

    fn field(&mut self, field: &Selected<'a>, object: Object) -> Result<Value, Problem> {
        match object {
            Object::Metric(id) => self.metric(field, id),
            Object::Dimension(view, index) => self.dimension(field, view, index),
            Object::View(id) => self.view(field, id),
            Object::Entity(id) => self.entity(field, id),
            Object::EntityDimension(entity, index) => Ok(self.entity_dimension(field, entity, index)),
            Object::Relationship(entity, index) => self.relationship(field, entity, index),
            Object::Rule(index) => self.rule(field, index),
            Object::Segment(index) => self.segment(field, index),
            Object::SavedQuery(index) => Ok(self.saved_query(field, index)),
        }
    }

    fn metric(&mut self, field: &Selected<'a>, id: MetricId) -> Result<Value, Problem> {
        let model = self.planner.model;
        let metric = model.metric(id);
        Ok(match field.name {
            "name" => text(&metric.name),
            "field" => text(&camel(&metric.name)),
            "label" => text(&metric.label),
            "description" => optional(metric.description.as_ref()),
            "type" => text(match metric.kind {
                MetricKind::Simple { .. } => "SIMPLE",
                MetricKind::Ratio { .. } => "RATIO",
                MetricKind::Derived { .. } => "DERIVED",
                MetricKind::Cumulative { .. } => "CUMULATIVE",
                MetricKind::Offset { .. } => "OFFSET",
                MetricKind::Movement(_) => "MOVEMENT",
                MetricKind::PerEntity { .. } => "PER_ENTITY",
                MetricKind::Share { .. } => "SHARE",
                MetricKind::Score(_) => "SCORE",
                MetricKind::OfScore { .. } => "OF_SCORE",
                MetricKind::Series(_) => "SERIES",
                MetricKind::Cohort { .. } => "COHORT",
                MetricKind::Peers(_) => "PEERS",
            }),
            "valueType" => value_type(metric.value_type),
            "formula" => text(&self.planner.surface.formula(&metric.formula)),
            "owner" => optional(metric.owner.as_ref()),
            "version" => Value::Number(metric.version),
            "unit" => optional(metric.unit.as_ref()),
            "format" => optional(metric.format.as_ref()),
            "direction" => text(match metric.direction {
                Direction::HigherIsBetter => "HIGHER_IS_BETTER",
                Direction::LowerIsBetter => "LOWER_IS_BETTER",
                Direction::Neutral => "NEUTRAL",
            }),
            "additivity" => text(match metric.additivity {
                Additivity::Additive => "ADDITIVE",
                Additivity::Movement => "MOVEMENT",
                Additivity::SemiAdditive => "SEMI_ADDITIVE",
                Additivity::Not => "NOT_ADDITIVE",
            }),
            "source" => optional(metric.source.as_ref()),
            "tags" => texts(&metric.tags),
            "deprecation" => optional(metric.deprecated.as_ref()),
            "isMovement" => Value::Bool(metric.is_movement),
            "facts" => self.list(field, metric.facts.iter().copied().map(Object::Entity))?,
            "views" => {
                let views = model.view_ids().filter(|(_, view)| view.metrics.contains(&id)).map(|(view, _)| Object::View(view));
                self.list(field, views)?
            }
            "validDimensions" => {
                let surface = self.planner.surface;
                let arguments = self.planner.request.arguments(field)?;
                let only = arguments.get("view").and_then(Input::text);
                let views =
                    model.view_ids().filter(|(_, view)| view.metrics.contains(&id) && only.is_none_or(|name| name == view.name));
                let dimensions = views.flat_map(|(view_id, view)| {
                    let valid = move |index: &usize| {
                        let dimension = &view.dimensions[*index];
                        shows(surface, view_id, *index) && model.is_valid(id, dimension)
                    };
                    (0..view.dimensions.len()).filter(valid).map(move |index| Object::Dimension(view_id, index))
                });
                self.list(field, dimensions)?
            }
            "lineage" => {
                let shown = metric.inputs.iter().copied().filter(|input| self.planner.surface.shows_metric(*input));
                self.list(field, shown.map(Object::Metric))?
            }
            "usedBy" => {
                let surface = self.planner.surface;
                let users = model.metric_ids().filter(|(user, other)| surface.shows_metric(*user) && other.inputs.contains(&id));
                self.list(field, users.map(|(other, _)| Object::Metric(other)))?
            }
            "sql" => match model.views.iter().find(|view| view.metrics.contains(&id)) {
                Some(view) => Value::Sql(Box::new(self.question(&view.name, id))),
                None => Value::Null,
            },
            other => unreachable!("validation lets no field `{other}` through"),
        })
    }

    /// One number per month (or per period of a coarser fact); one over everything where a fact has no time.
    fn question(&self, view: &str, id: MetricId) -> MetricQuery {
        let model = self.planner.model;
        let metric = model.metric(id);
        let selection = MetricSelection::of(&metric.name);
        let grain_of = |fact: &EntityId| {
            let entity = model.entity(*fact);
            entity.time.and_then(|index| entity.dimensions[index.index()].time).map(|time| time.grain.max(Grain::Month))
        };
        let grains: Option<Vec<Grain>> = metric.facts.iter().map(grain_of).collect();
        let grain = grains.and_then(|grains| grains.into_iter().max());
        let mut by: Vec<GroupBy> = grain
            .map(|grain| GroupBy { key: "period".to_owned(), item: GroupItem::Time { dimension: None, grain } })
            .into_iter()
            .collect();
        let view_of = model.views.iter().find(|known| known.name == view);
        let compared = |entity: &EntityId| {
            let dimensions = view_of.map_or(&[][..], |view| &view.dimensions);
            dimensions.iter().find(|dimension| dimension.target == ViewTarget::Entity(*entity) && dimension.via.is_empty())
        };
        if !metric.compares.is_empty() {
            // What is compared is named instead of a period: by period it would need a range.
            by = metric
                .compares
                .iter()
                .filter_map(compared)
                .map(|dimension| GroupBy { key: dimension.name.clone(), item: GroupItem::Dimension(dimension.name.clone()) })
                .collect();
        }
        let today = model.project.day_of(self.planner.now);
        MetricQuery { by, ..MetricQuery::new(Scope::View(view.to_owned()), vec![selection], today) }
    }

    fn dimension(&mut self, field: &Selected<'a>, view: ViewId, index: usize) -> Result<Value, Problem> {
        let model = self.planner.model;
        let dimension = &model.view(view).dimensions[index];
        let target = match dimension.target {
            ViewTarget::Dimension(id) => Some(model.dimension(id)),
            ViewTarget::Entity(_) => None,
        };
        Ok(match field.name {
            "name" => text(&dimension.name),
            "label" => text(&dimension.label),
            "description" => optional(match target {
                Some(target) => target.description.as_ref(),
                None => model.entity(dimension.target.entity()).description.as_ref(),
            }),
            "view" => self.object(field, Object::View(view))?,
            "valueType" => value_type(dimension.value_type),
            "entity" => self.object(field, Object::Entity(dimension.target.entity()))?,
            "isEntity" => Value::Bool(target.is_none()),
            "overlapping" => Value::Bool(dimension.overlapping),
            "unit" => optional(target.and_then(|target| target.unit.as_ref())),
            "values" => texts(target.map_or(&[][..], |target| &target.values)),
            other => unreachable!("validation lets no field `{other}` through"),
        })
    }

    fn view(&mut self, field: &Selected<'a>, id: ViewId) -> Result<Value, Problem> {
        let view = self.planner.model.view(id);
        Ok(match field.name {
            "name" => text(&view.name),
            "field" => text(&self.planner.surface.view(id).field),
            "label" => text(&view.label),
            "description" => optional(view.description.as_ref()),
            "metrics" => {
                let shown = view.metrics.iter().copied().filter(|metric| self.planner.surface.shows_metric(*metric));
                self.list(field, shown.map(Object::Metric))?
            }
            "dimensions" => {
                let surface = self.planner.surface;
                let shown = (0..view.dimensions.len()).filter(|index| shows(surface, id, *index));
                self.list(field, shown.map(|index| Object::Dimension(id, index)))?
            }
            "movementGrains" => texts(self.planner.surface.movement_grains(self.planner.model, view)),
            other => unreachable!("validation lets no field `{other}` through"),
        })
    }

    fn entity(&mut self, field: &Selected<'a>, id: EntityId) -> Result<Value, Problem> {
        let entity = self.planner.model.entity(id);
        let names = self.planner.surface.entity(id);
        Ok(match field.name {
            "name" => text(&entity.name),
            "typeName" => text(&names.type_name),
            "label" => text(&entity.label),
            "description" => optional(entity.description.as_ref()),
            "owner" => optional(entity.owner.as_ref()),
            "tags" => texts(&entity.tags),
            "key" => {
                let key: Vec<_> = entity.key.iter().map(|index| entity.dimensions[index.index()].name.clone()).collect();
                texts(&key)
            }
            "isEffectiveDated" => Value::Bool(entity.validity.is_some()),
            "dimensions" => self.list(field, names.dimensions.iter().map(|(_, index)| Object::EntityDimension(id, *index)))?,
            "relationships" => self.list(field, names.relationships.iter().map(|(_, index)| Object::Relationship(id, *index)))?,
            "metrics" => self.list(field, names.metrics.iter().map(|(_, metric)| Object::Metric(*metric)))?,
            other => unreachable!("validation lets no field `{other}` through"),
        })
    }

    fn entity_dimension(&self, field: &Selected<'a>, entity: EntityId, index: DimensionIndex) -> Value {
        let dimension = &self.planner.model.entity(entity).dimensions[index.index()];
        match field.name {
            "name" => text(&dimension.name),
            "label" => text(&dimension.label),
            "description" => optional(dimension.description.as_ref()),
            "valueType" => value_type(dimension.value_type),
            "unit" => optional(dimension.unit.as_ref()),
            "isTime" => Value::Bool(dimension.time.is_some()),
            "values" => texts(&dimension.values),
            other => unreachable!("validation lets no field `{other}` through"),
        }
    }

    fn relationship(&mut self, field: &Selected<'a>, entity: EntityId, index: RelationshipIndex) -> Result<Value, Problem> {
        let relationship = &self.planner.model.entity(entity).relationships[index.index()];
        Ok(match field.name {
            "name" => text(&relationship.name),
            "description" => optional(relationship.description.as_ref()),
            "to" => self.object(field, Object::Entity(relationship.to))?,
            "cardinality" => text(match relationship.cardinality {
                Cardinality::ManyToOne => "MANY_TO_ONE",
                Cardinality::OneToOne => "ONE_TO_ONE",
                Cardinality::OneToMany => "ONE_TO_MANY",
                Cardinality::ManyToMany { .. } => "MANY_TO_MANY",
            }),
            other => unreachable!("validation lets no field `{other}` through"),
        })
    }

    fn rule(&mut self, field: &Selected<'a>, index: usize) -> Result<Value, Problem> {
        let rule = &self.planner.model.rules[index];
        Ok(match field.name {
            "name" => text(&rule.name),
            "label" => text(&rule.label),
            "description" => optional(rule.description.as_ref()),
            "per" => self.object(field, Object::Entity(rule.per))?,
            "metric" => self.object(field, Object::Metric(rule.metric))?,
            "operator" => text(signal::operator(rule.operator)),
            "threshold" => text(&rule.threshold),
            "at" => text(match rule.at {
                RuleTime::LastCompleteMonth => "LAST_COMPLETE_MONTH",
                RuleTime::LastCompleteQuarter => "LAST_COMPLETE_QUARTER",
                RuleTime::AsOf => "AS_OF",
            }),
            "persistence" => Value::Number(i64::from(rule.persistence)),
            "firesWhenUnknown" => Value::Bool(rule.fires_when_unknown),
            "severity" => text(signal::severity(rule.severity)),
            "plays" => texts(&rule.plays),
            "source" => optional(rule.source.as_ref()),
            other => unreachable!("validation lets no field `{other}` through"),
        })
    }

    fn segment(&mut self, field: &Selected<'a>, index: usize) -> Result<Value, Problem> {
        let segment = &self.planner.model.segments[index];
        Ok(match field.name {
            "name" => text(&segment.name),
            "label" => text(&segment.label),
            "description" => optional(segment.description.as_ref()),
            "entity" => self.object(field, Object::Entity(segment.entity))?,
            other => unreachable!("validation lets no field `{other}` through"),
        })
    }

    fn saved_query(&self, field: &Selected<'a>, index: usize) -> Value {
        let (name, saved) = &self.planner.model.saved_queries[index];
        match field.name {
            "name" => text(name),
            "label" => text(saved.label.as_ref().map_or(name, |label| &label.value)),
            "description" => optional(saved.description.as_ref().map(|description| &description.value)),
            "document" => match &saved.question {
                SavedQuestion::Document(document) => text(&document.value),
                SavedQuestion::Ask(_) => Value::Null,
            },
            other => unreachable!("validation lets no field `{other}` through"),
        }
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn optional(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.clone()))
}

fn texts(items: &[String]) -> Value {
    Value::List(items.iter().cloned().map(Value::Text).collect())
}

fn value_type(value_type: ValueType) -> Value {
    text(match value_type {
        ValueType::Bool => "BOOL",
        ValueType::Int => "INT",
        ValueType::Decimal => "DECIMAL",
        ValueType::Text => "STRING",
        ValueType::Date => "DATE",
        ValueType::Timestamp => "TIMESTAMP",
    })
}
