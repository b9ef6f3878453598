//! Selections of entities → one question per level, and the shape of its rows.

use holdfast_schema::{
    model::{Cardinality, DimensionId, DimensionIndex, EntityId, Model, RelationshipIndex},
    query::{
        DimensionBasis, Direction, EntityMetrics, EntityOrderBy, EntityOrderKey, EntityQuery, Filter, MetricQuery, MetricSelection,
        MovementBasis, Nulls, Page,
    },
    value::Value,
};

use super::{Moment, Planner, SignalsPlan, entity_name, sorted};
use crate::{
    error::Problem,
    filter::{self, Kind, Subject},
    ids,
    input::Input,
    select::{Arguments, Selected},
    surface::{EntityMember, EntityNames},
};

/// What is read of the rows of one level.
#[derive(Debug)]
pub(crate) struct RowsPlan {
    /// Whose rows.
    pub(crate) entity: EntityId,
    /// When.
    pub(crate) moment: Moment,
    /// Dimensions that any shape shows.
    pub(crate) dimensions: Vec<DimensionIndex>,
    /// The ways the rows are written: one per place of the response that shows them.
    pub(crate) shapes: Vec<Shape>,
    /// Levels below.
    pub(crate) children: Vec<ChildPlan>,
    /// Metrics of the rows: one question for each different set of arguments.
    pub(crate) metrics: Vec<MetricGroup>,
    /// Signals of the rows.
    pub(crate) signals: Vec<SignalsPlan>,
}

/// Fields of an object, with response keys, in order.
pub(crate) type Shape = Vec<(String, EntityField)>;

/// One field of an entity's object.
#[derive(Debug)]
pub(crate) enum EntityField {
    /// `__typename`.
    Typename,
    /// The global id.
    Id,
    /// A dimension, by position in [`RowsPlan::dimensions`].
    Dimension(usize),
    /// The level below, by position in [`RowsPlan::children`].
    Child(usize),
    /// Metrics: a group, and the fields of the object with positions in its question; `None` is `__typename`.
    Metrics(usize, Vec<(String, Option<usize>)>),
    /// Signals, by position in [`RowsPlan::signals`].
    Signals(usize),
}

/// A level below.
#[derive(Debug)]
pub(crate) struct ChildPlan {
    /// The way there.
    pub(crate) relationship: RelationshipIndex,
    /// One or many.
    pub(crate) kind: ChildKind,
}

/// One row or a page of rows per row above.
#[derive(Debug)]
pub(crate) enum ChildKind {
    /// At most one row, in the plan's first shape.
    One(Box<RowsPlan>),
    /// A page.
    Many(Box<ConnectionPlan>),
}

/// A page of rows.
#[derive(Debug)]
pub(crate) struct ConnectionPlan {
    /// What is read of each row.
    pub(crate) rows: RowsPlan,
    /// Rows that count.
    pub(crate) filter: Option<Filter>,
    /// Rows that count, by their metrics.
    pub(crate) having: Option<Filter>,
    /// In which order.
    pub(crate) order: Vec<EntityOrderBy>,
    /// How the metrics of `having` and `order` are computed.
    pub(crate) metrics: EntityMetrics,
    /// Names the order inside cursors.
    pub(crate) order_name: String,
    /// Which part.
    pub(crate) page: Page,
    /// The connection's fields, in order.
    pub(crate) fields: Vec<(String, ConnectionField)>,
    /// Whether anything but the count is shown.
    pub(crate) wants_rows: bool,
    /// Whether the count is shown.
    pub(crate) wants_count: bool,
}

/// One field of a connection.
#[derive(Debug)]
pub(crate) enum ConnectionField {
    /// `__typename`.
    Typename,
    /// Rows in a shape.
    Nodes(usize),
    /// Rows with cursors.
    Edges(Vec<(String, EdgeField)>),
    /// Where the page lies.
    PageInfo(Vec<(String, PageField)>),
    /// How many rows there are.
    TotalCount,
    /// Which entities could not be read as they were known earlier.
    AsKnownNow,
}

/// One field of an edge.
#[derive(Debug)]
pub(crate) enum EdgeField {
    Typename,
    /// The row in a shape.
    Node(usize),
    Cursor,
}

/// One field of a page's place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PageField {
    Typename,
    HasNext,
    HasPrevious,
    Start,
    End,
}

/// Metrics of rows that are asked for together.
#[derive(Debug)]
pub(crate) struct MetricGroup {
    /// The question without keys.
    pub(crate) query: MetricQuery,
}

impl ConnectionPlan {
    /// The question, without parents.
    pub(crate) fn question(&self, model: &Model) -> EntityQuery {
        EntityQuery {
            filter: self.filter.clone(),
            having: self.having.clone(),
            metrics: self.metrics.clone(),
            order_by: self.order.clone(),
            page: self.page.clone(),
            ..self.rows.question(model, Page { limit: 0, offset: 0, after: None, before: None, backwards: false })
        }
    }
}

impl RowsPlan {
    /// The question for a page, without conditions, order and parents.
    pub(crate) fn question(&self, model: &Model, page: Page) -> EntityQuery {
        let entity = model.entity(self.entity);
        EntityQuery {
            entity: entity.name.clone(),
            dimensions: self.dimensions.iter().map(|index| entity.dimensions[index.index()].name.clone()).collect(),
            parents: None,
            filter: None,
            having: None,
            order_by: Vec::new(),
            metrics: EntityMetrics::default(),
            page,
            as_of: self.moment.as_of,
            as_known_at: self.moment.as_known_at,
        }
    }

    /// The question for rows by their keys.
    pub(crate) fn keyed(&self, model: &Model, keys: Vec<Vec<Value>>) -> EntityQuery {
        let page = Page { limit: keys.len() as u64, offset: 0, after: None, before: None, backwards: false };
        EntityQuery { filter: Some(Filter::KeyIn { field: String::new(), keys }), ..self.question(model, page) }
    }
}

impl<'a> Planner<'a> {
    /// Plans what is read of rows that are shown at several places, each with its own selection.
    pub(crate) fn rows(&self, entity: EntityId, places: &[Selected<'a>], moment: Moment) -> Result<RowsPlan, Problem> {
        let mut plan = RowsPlan {
            entity,
            moment,
            dimensions: Vec::new(),
            shapes: Vec::new(),
            children: Vec::new(),
            metrics: Vec::new(),
            signals: Vec::new(),
        };
        for place in places {
            let shape = self.shape(place, &mut plan)?;
            plan.shapes.push(shape);
        }
        Ok(plan)
    }

    fn shape(&self, place: &Selected<'a>, plan: &mut RowsPlan) -> Result<Shape, Problem> {
        let names = self.surface.entity(plan.entity);
        let mut shape = Vec::new();
        for selected in self.request.below(place, &names.type_name) {
            let field = match names.members.get(selected.name) {
                None => EntityField::Typename,
                Some(EntityMember::Id) => EntityField::Id,
                Some(EntityMember::Dimension(index)) => EntityField::Dimension(position_or_push(&mut plan.dimensions, *index)),
                Some(EntityMember::Relationship(index)) => {
                    plan.children.push(self.child(plan, *index, &selected)?);
                    EntityField::Child(plan.children.len() - 1)
                }
                Some(EntityMember::Signals) => {
                    plan.signals.push(self.entity_signals(plan.entity, &selected, plan.moment)?);
                    EntityField::Signals(plan.signals.len() - 1)
                }
                Some(EntityMember::Metrics) => self.entity_metrics(names, &selected, plan)?,
            };
            shape.push((selected.key.to_owned(), field));
        }
        Ok(shape)
    }

    fn child(&self, above: &RowsPlan, index: RelationshipIndex, selected: &Selected<'a>) -> Result<ChildPlan, Problem> {
        let relationship = &self.model.entity(above.entity).relationships[index.index()];
        let kind = match relationship.cardinality {
            Cardinality::ManyToOne | Cardinality::OneToOne => {
                ChildKind::One(Box::new(self.rows(relationship.to, std::slice::from_ref(selected), above.moment)?))
            }
            Cardinality::OneToMany | Cardinality::ManyToMany { .. } => {
                let arguments = self.request.arguments(selected)?;
                ChildKind::Many(Box::new(self.connection(relationship.to, selected, &arguments, above.moment)?))
            }
        };
        Ok(ChildPlan { relationship: index, kind })
    }

    fn entity_metrics(&self, names: &EntityNames, selected: &Selected<'a>, plan: &mut RowsPlan) -> Result<EntityField, Problem> {
        let arguments = self.request.arguments(selected)?;
        let metrics = self.metrics_of_rows(&arguments, plan.moment).map_err(|problem| selected.problem(&self.request, problem))?;
        let Moment { as_of, as_known_at, is_chosen: _ } = plan.moment;
        let query = metrics.question(&entity_name(self.model, plan.entity), Vec::new(), as_of, as_known_at);
        let group = match plan.metrics.iter().position(|group| MetricQuery { metrics: Vec::new(), ..group.query.clone() } == query)
        {
            Some(group) => group,
            None => {
                plan.metrics.push(MetricGroup { query });
                plan.metrics.len() - 1
            }
        };
        let mut fields = Vec::new();
        for field in self.request.below(selected, &format!("{}Metrics", names.type_name)) {
            let position = names.metric(field.name).map(|metric| {
                let name = self.model.metric(metric).name.clone();
                let selections = &mut plan.metrics[group].query.metrics;
                position_or_push(selections, MetricSelection::of(name))
            });
            fields.push((field.key.to_owned(), position));
        }
        Ok(EntityField::Metrics(group, fields))
    }

    /// How metrics of rows are computed that are read at a moment: the same arguments wherever such metrics occur.
    fn metrics_of_rows(&self, arguments: &Arguments, rows: Moment) -> Result<EntityMetrics, Problem> {
        let moment = self.moment(arguments, Some(rows))?;
        let range = arguments.get("range").map(|input| filter::time_range(self, moment.as_of, input)).transpose()?;
        Ok(EntityMetrics {
            range,
            movement_grain: movement_grain(arguments),
            movement_basis: movement_basis(arguments),
            dimension_basis: dimension_basis(arguments),
            as_of: arguments.get("asOf").map(|_| moment.as_of),
            as_known_at: arguments.get("asKnownAt").and(moment.as_known_at),
            time_zone: self.time_zone(arguments)?,
            currency: self.currency(arguments)?,
        })
    }

    /// Plans a page.
    pub(crate) fn connection(
        &self,
        entity: EntityId,
        selected: &Selected<'a>,
        arguments: &Arguments,
        moment: Moment,
    ) -> Result<ConnectionPlan, Problem> {
        self.connection_unplaced(entity, selected, arguments, moment).map_err(|problem| selected.problem(&self.request, problem))
    }

    fn connection_unplaced(
        &self,
        entity: EntityId,
        selected: &Selected<'a>,
        arguments: &Arguments,
        moment: Moment,
    ) -> Result<ConnectionPlan, Problem> {
        let names = self.surface.entity(entity);
        let definition = self.model.entity(entity);
        let mut places = Vec::new();
        let mut fields = Vec::new();
        for field in self.request.below(selected, &format!("{}Connection", names.type_name)) {
            let kind = match field.name {
                "nodes" => {
                    places.push(field.clone());
                    ConnectionField::Nodes(places.len() - 1)
                }
                "edges" => ConnectionField::Edges(self.edges(names, &field, &mut places)),
                "pageInfo" => ConnectionField::PageInfo(
                    self.request
                        .below(&field, "PageInfo")
                        .into_iter()
                        .map(|field| (field.key.to_owned(), page_field(field.name)))
                        .collect(),
                ),
                "totalCount" => ConnectionField::TotalCount,
                "asKnownNow" => ConnectionField::AsKnownNow,
                _ => ConnectionField::Typename,
            };
            fields.push((field.key.to_owned(), kind));
        }
        let rows = self.rows(entity, &places, moment)?;

        let mut look_up = |name: &str| subject_of_rows(self, entity, name);
        let filter = filter::condition(self, moment.as_of, arguments.get("where"), &mut look_up)?;
        let mut look_up = |name: &str| {
            let metric = self.model.metric(names.metric(name)?);
            Some((metric.name.clone(), Subject::Value(Kind::Plain(metric.value_type))))
        };
        let having = filter::condition(self, moment.as_of, arguments.get("having"), &mut look_up)?;
        let order = self.order_of_rows(entity, arguments);
        let metrics = self.metrics_of_rows(&arguments.inside("metrics"), moment)?;
        let order_name = order_name(&definition.name, &order, &metrics);
        let page = self.page(arguments, &order_name, order.len() + definition.key.len())?;
        let wants_rows = fields.iter().any(|(_, field)| !matches!(field, ConnectionField::Typename | ConnectionField::TotalCount));
        let wants_count = fields.iter().any(|(_, field)| matches!(field, ConnectionField::TotalCount));
        Ok(ConnectionPlan { rows, filter, having, order, metrics, order_name, page, fields, wants_rows, wants_count })
    }

    /// The order asked for: each part is a dimension, or inside `metrics` a metric.
    fn order_of_rows(&self, entity: EntityId, arguments: &Arguments) -> Vec<EntityOrderBy> {
        let names = self.surface.entity(entity);
        let definition = self.model.entity(entity);
        let part = |item: &Input| {
            let (field, input) = item.one()?;
            let (by, input) = match names.members.get(field)? {
                EntityMember::Dimension(index) => {
                    (EntityOrderKey::Dimension(definition.dimensions[index.index()].name.clone()), input)
                }
                EntityMember::Metrics => {
                    let (field, input) = input.one()?;
                    (EntityOrderKey::Metric(self.model.metric(names.metric(field)?).name.clone()), input)
                }
                EntityMember::Id | EntityMember::Relationship(_) | EntityMember::Signals => return None,
            };
            let (direction, nulls) = sorted(input);
            Some(EntityOrderBy { by, direction, nulls })
        };
        arguments.get("orderBy").map_or(&[][..], Input::items).iter().filter_map(part).collect()
    }

    fn edges(&self, names: &EntityNames, selected: &Selected<'a>, places: &mut Vec<Selected<'a>>) -> Vec<(String, EdgeField)> {
        let mut fields = Vec::new();
        for field in self.request.below(selected, &format!("{}Edge", names.type_name)) {
            let kind = match field.name {
                "node" => {
                    places.push(field.clone());
                    EdgeField::Node(places.len() - 1)
                }
                "cursor" => EdgeField::Cursor,
                _ => EdgeField::Typename,
            };
            fields.push((field.key.to_owned(), kind));
        }
        fields
    }

    fn page(&self, arguments: &Arguments, order_name: &str, values: usize) -> Result<Page, Problem> {
        let limits = &self.settings.limits;
        let count = |name: &str| match arguments.get(name) {
            None => Ok(None),
            Some(input) => {
                match input.int().and_then(|count| u64::try_from(count).ok()).filter(|count| *count <= limits.max_page) {
                    Some(count) => Ok(Some(count)),
                    None => Err(Problem::input(format!("`{name}` is a number of rows from 0 to {}", limits.max_page))),
                }
            }
        };
        let cursor = |name: &str| match arguments.get(name).and_then(Input::text) {
            None => Ok(None),
            Some(text) => match ids::parse_cursor(order_name, text).filter(|found| found.len() == values) {
                Some(values) => Ok(Some(values)),
                None => Err(Problem::input(format!("`{name}` is not a cursor of this list under this order"))
                    .help("take cursors from a page with the same `orderBy`")),
            },
        };
        let (first, last) = (count("first")?, count("last")?);
        if first.is_some() && last.is_some() {
            return Err(Problem::input("`first` and `last` cannot be used together").help("leave one of them out"));
        }
        Ok(Page {
            limit: first.or(last).unwrap_or(limits.page),
            offset: 0,
            after: cursor("after")?,
            before: cursor("before")?,
            backwards: last.is_some(),
        })
    }
}

/// The name of a field of an entity's conditions in questions about metrics, and what it is compared as.
pub(super) fn entity_kind<'a>(planner: &Planner<'a>, entity: EntityId, name: &str) -> Option<(String, Kind<'a>)> {
    let definition = planner.model.entity(entity);
    if name == "id" {
        return Some((definition.name.clone(), Kind::Entity(entity)));
    }
    let index = planner.surface.entity(entity).dimensions.iter().find(|(field, _)| field == name)?.1;
    let dimension = &definition.dimensions[index.index()];
    let kind = match planner.surface.enums.get(&DimensionId { entity, index }) {
        Some(item) => Kind::Enum(item),
        None => Kind::Plain(dimension.value_type),
    };
    Some((dimension.name.clone(), kind))
}

/// What a field of conditions on rows of an entity speaks of: a dimension, the row itself, or the one row that it leads to.
pub(crate) fn subject_of_rows<'a>(planner: &Planner<'a>, entity: EntityId, name: &str) -> Option<(String, Subject<'a>)> {
    if let Some(EntityMember::Relationship(index)) = planner.surface.entity(entity).members.get(name) {
        let relationship = &planner.model.entity(entity).relationships[index.index()];
        return relationship.is_to_one().then(|| (relationship.name.clone(), Subject::Related(relationship.to)));
    }
    let (field, kind) = entity_kind(planner, entity, name)?;
    // A question about rows calls the entity itself by no name.
    let field = if matches!(kind, Kind::Entity(_)) { String::new() } else { field };
    Some((field, Subject::Value(kind)))
}

fn page_field(name: &str) -> PageField {
    match name {
        "hasNextPage" => PageField::HasNext,
        "hasPreviousPage" => PageField::HasPrevious,
        "startCursor" => PageField::Start,
        "endCursor" => PageField::End,
        _ => PageField::Typename,
    }
}

/// What makes cursors of one list cursors of another: the order, and with metrics in it, how they are computed.
fn order_name(entity: &str, order: &[EntityOrderBy], metrics: &EntityMetrics) -> String {
    let parts: Vec<_> = order
        .iter()
        .map(|part| {
            let direction = match part.direction {
                Direction::Ascending => "",
                Direction::Descending => "-",
            };
            let nulls = match part.nulls {
                Some(Nulls::First) => "^",
                Some(Nulls::Last) | None => "",
            };
            match &part.by {
                EntityOrderKey::Dimension(name) => format!("{direction}{name}{nulls}"),
                EntityOrderKey::Metric(name) => format!("{direction}metrics.{name}{nulls}"),
            }
        })
        .collect();
    let name = format!("{entity} {}", parts.join(","));
    if order.iter().any(|part| matches!(part.by, EntityOrderKey::Metric(_))) {
        return format!("{name} {}", ids::digest(&format!("{metrics:?}")));
    }
    name
}

/// Names of the movement grains that metrics of an entity may choose, in order of the facts.
pub(crate) fn movement_grains(model: &Model, names: &EntityNames) -> Vec<String> {
    let mut grains: Vec<String> = Vec::new();
    for (_, metric) in &names.metrics {
        let metric = model.metric(*metric);
        if !metric.is_movement {
            continue;
        }
        let movements = metric.facts.iter().filter_map(|fact| model.entity(*fact).movements.as_ref());
        for grain in movements.flat_map(|movements| &movements.grains) {
            position_or_push(&mut grains, grain.name.clone());
        }
    }
    grains
}

/// The movement grain that is asked for, as written in the definitions.
pub(crate) fn movement_grain(arguments: &Arguments) -> Option<String> {
    arguments.get("movementGrain").and_then(Input::text).map(str::to_ascii_lowercase)
}

/// How movements look at a period.
pub(crate) fn movement_basis(arguments: &Arguments) -> MovementBasis {
    match arguments.get("movementBasis").and_then(Input::text) {
        Some("FLOW") => MovementBasis::Flow,
        Some(_) | None => MovementBasis::PointToPoint,
    }
}

/// When dimensions are read.
pub(crate) fn dimension_basis(arguments: &Arguments) -> DimensionBasis {
    match arguments.get("dimensionBasis").and_then(Input::text) {
        Some("CLOSING") => DimensionBasis::Closing,
        Some("CURRENT") => DimensionBasis::Current,
        Some(_) | None => DimensionBasis::Opening,
    }
}

/// The position of an item, which is added when it is not there.
pub(crate) fn position_or_push<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    match items.iter().position(|known| *known == item) {
        Some(position) => position,
        None => {
            items.push(item);
            items.len() - 1
        }
    }
}
