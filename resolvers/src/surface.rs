//! What the surface shows, by GraphQL name: root fields, object types and their members, enums. Built once from the model; both
//! the schema and the planner read it, so that they cannot disagree.

use std::collections::{HashMap, HashSet};

use holdfast_schema::{
    definition::test::Ask,
    diagnostic::Diagnostics,
    model::{
        DimensionId, DimensionIndex, EntityId, MetricId, Model, RelationshipId, RelationshipIndex, Rule, Segment, View,
        ViewDimensionIndex, ViewId, ViewTarget,
        view::{names_of, view_for},
    },
    query::Hidden,
    value::ValueType,
};

use crate::{
    conceal::words,
    naming::{self, Names, camel, pascal},
};

/// Fields that every row has.
const ROW_FIELDS: [(&str, RowMember); 5] = [
    ("id", RowMember::Id),
    ("period", RowMember::Period),
    ("compare", RowMember::Compare),
    ("status", RowMember::Status),
    ("contributions", RowMember::Contributions),
];

/// Fields of conditions that are not fields of what they are about.
const CONNECTIVES: [&str; 3] = ["and", "or", "not"];

/// Fields that rows of a view with cohort metrics have too.
const COHORT_FIELDS: [(&str, RowMember); 2] = [("cohort", RowMember::Cohort), ("age", RowMember::Age)];

/// Root fields that every surface has.
const ROOTS: [(&str, Root); 13] = [
    ("node", Root::Node),
    ("nodes", Root::Nodes),
    ("signals", Root::Signals),
    ("metrics", Root::Catalogue(CatalogueRoot::Metrics)),
    ("metric", Root::Catalogue(CatalogueRoot::Metric)),
    ("dimensions", Root::Catalogue(CatalogueRoot::Dimensions)),
    ("views", Root::Catalogue(CatalogueRoot::Views)),
    ("entities", Root::Catalogue(CatalogueRoot::Entities)),
    ("rules", Root::Catalogue(CatalogueRoot::Rules)),
    ("segments", Root::Catalogue(CatalogueRoot::Segments)),
    ("savedQueries", Root::Catalogue(CatalogueRoot::SavedQueries)),
    ("_service", Root::Service),
    ("_entities", Root::Representations),
];

/// Types that every surface has.
const TYPES: [&str; 69] = [
    "Query",
    "Node",
    "PageInfo",
    "Period",
    "Grain",
    "ByCohort",
    "ByAge",
    "AgeGrain",
    "TimeRange",
    "DateRange",
    "TrailingRange",
    "UpcomingRange",
    "RangePreset",
    "Comparison",
    "Fill",
    "MovementBasis",
    "DimensionBasis",
    "Sort",
    "SortDirection",
    "NullOrder",
    "CellStatus",
    "MetricComparison",
    "Contribution",
    "Signal",
    "SignalEvidence",
    "SignalList",
    "SignalOrder",
    "SignalWhere",
    "PreviousContribution",
    "Provenance",
    "CacheState",
    "SegmentName",
    "IdFilter",
    "BooleanFilter",
    "BigIntFilter",
    "DecimalFilter",
    "StringFilter",
    "DateFilter",
    "DateTimeFilter",
    "Metric",
    "MetricType",
    "MetricDirection",
    "Additivity",
    "Dimension",
    "View",
    "Entity",
    "EntityDimension",
    "Relationship",
    "Cardinality",
    "Rule",
    "RuleTime",
    "RuleSeverity",
    "RuleOperator",
    "Segment",
    "SavedQuery",
    "ValueType",
    "Decimal",
    "BigInt",
    "Date",
    "DateTime",
    "TimeZone",
    "Currency",
    "Int",
    "Float",
    "String",
    "Boolean",
    "ID",
    "Mutation",
    "Subscription",
];

/// Everything that is shown.
#[derive(Debug)]
pub(crate) struct Surface {
    /// By position of the entity in the model.
    pub(crate) entities: Vec<EntityNames>,
    /// By position of the view in the model.
    pub(crate) views: Vec<ViewNames>,
    /// What each root field asks for.
    pub(crate) roots: HashMap<String, Root>,
    /// Enums of dimensions whose declared values can be one.
    pub(crate) enums: HashMap<DimensionId, Enumeration>,
    /// What does not exist for those who are shown this.
    hidden: Hidden,
    /// Names of it, as the definitions write them.
    hidden_names: HashSet<String>,
}

/// What a root field asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// A metric view.
    View(ViewId),
    /// One row of an entity.
    Entity(EntityId),
    /// Rows of an entity.
    Entities(EntityId),
    /// Any row by its global id.
    Node,
    /// Any rows by their global ids.
    Nodes,
    /// Rules evaluated for entities.
    Signals,
    /// The schema as a federated gateway reads it.
    Service,
    /// Rows by what a federated gateway knows of them.
    Representations,
    /// The definitions themselves.
    Catalogue(CatalogueRoot),
}

/// Lists and look-ups of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CatalogueRoot {
    Metrics,
    Metric,
    Dimensions,
    Views,
    Entities,
    Rules,
    Segments,
    SavedQueries,
}

/// An entity in GraphQL.
#[derive(Debug)]
pub(crate) struct EntityNames {
    /// Its object type, and the beginning of its other types' names.
    pub(crate) type_name: String,
    /// Root field of one.
    pub(crate) field: String,
    /// Root field of many.
    pub(crate) list: String,
    /// Dimensions shown, in written order.
    pub(crate) dimensions: Vec<(String, DimensionIndex)>,
    /// Relationships, in written order.
    pub(crate) relationships: Vec<(String, RelationshipIndex)>,
    /// Metrics that can be grouped by it.
    pub(crate) metrics: Vec<(String, MetricId)>,
    /// Members of the object type.
    pub(crate) members: HashMap<String, EntityMember>,
}

impl EntityNames {
    /// The metric behind a field of its metrics.
    pub(crate) fn metric(&self, field: &str) -> Option<MetricId> {
        self.metrics.iter().find(|(name, _)| name == field).map(|(_, metric)| *metric)
    }
}

/// A member of an entity's object type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntityMember {
    /// The global id.
    Id,
    /// A dimension.
    Dimension(DimensionIndex),
    /// A relationship.
    Relationship(RelationshipIndex),
    /// The metrics.
    Metrics,
    /// Rules evaluated for it.
    Signals,
}

/// A view in GraphQL.
#[derive(Debug)]
pub(crate) struct ViewNames {
    /// The beginning of its types' names.
    pub(crate) type_name: String,
    /// Its root field.
    pub(crate) field: String,
    /// Dimensions, in written order.
    pub(crate) dimensions: Vec<DimensionNames>,
    /// Metrics, in written order.
    pub(crate) metrics: Vec<(String, MetricId)>,
    /// Whether rows can be grouped by cohort and age.
    pub(crate) has_cohorts: bool,
    /// Members of the row type.
    pub(crate) members: HashMap<String, RowMember>,
}

/// A view's dimension in GraphQL.
#[derive(Debug)]
pub(crate) struct DimensionNames {
    /// Field of the row.
    pub(crate) field: String,
    /// Value of the view's dimension enum.
    pub(crate) value: String,
    /// Which one.
    pub(crate) index: ViewDimensionIndex,
    /// Whether it can be cut into periods.
    pub(crate) is_time: bool,
}

/// A member of a view's row type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowMember {
    /// Hash of the question and the row's keys.
    Id,
    /// A period of some grain.
    Period,
    /// A period in which members began.
    Cohort,
    /// Time since then.
    Age,
    /// The comparison.
    Compare,
    /// Why values are missing.
    Status,
    /// What the inputs of scores add to them.
    Contributions,
    /// A dimension.
    Dimension(ViewDimensionIndex),
    /// A metric.
    Metric(MetricId),
}

/// Declared values as an enum.
#[derive(Debug)]
pub(crate) struct Enumeration {
    /// Name of the enum.
    pub(crate) type_name: String,
    /// GraphQL name and value of the data.
    pub(crate) values: Vec<(String, String)>,
}

impl Enumeration {
    /// The GraphQL name of a value.
    pub(crate) fn name_of(&self, value: &str) -> Option<&str> {
        self.values.iter().find(|(_, known)| known == value).map(|(name, _)| name.as_str())
    }

    /// The value behind a GraphQL name.
    pub(crate) fn value_of(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Surface {
    /// Names everything but what is hidden; collisions go to `out`.
    pub(crate) fn new(model: &Model, hidden: Hidden, out: &mut Diagnostics) -> Self {
        let mut roots = Names::new("root fields");
        let mut types = Names::new("types");
        let mut root_fields = HashMap::new();
        for (name, root) in ROOTS {
            roots.reserve(name);
            root_fields.insert(name.to_owned(), root);
        }
        TYPES.iter().for_each(|name| types.reserve(name));

        let views: Vec<_> = model.view_ids().map(|(id, _)| view(model, id, &hidden, &mut types, out)).collect();
        let entities: Vec<_> = model.entity_ids().map(|(id, _)| entity(model, id, &hidden, &mut types, out)).collect();
        for ((id, view), names) in model.view_ids().zip(&views).filter(|((_, view), _)| hidden.shows_view(view)) {
            roots.take(&names.field, format!("view `{}`", view.name), view.span, out);
            root_fields.insert(names.field.clone(), Root::View(id));
        }
        for ((id, entity), names) in model.entity_ids().zip(&entities) {
            roots.take(&names.field, format!("entity `{}`", entity.name), entity.span, out);
            roots.take(&names.list, format!("the list of entity `{}`", entity.name), entity.span, out);
            root_fields.insert(names.field.clone(), Root::Entity(id));
            root_fields.insert(names.list.clone(), Root::Entities(id));
        }
        let mut conditions = Names::new("fields of `SignalWhere`");
        ["rule", "severity", "fired", "unknown"].iter().for_each(|name| conditions.reserve(name));
        for id in rule_entities(model, &hidden) {
            let entity = model.entity(id);
            let names = &entities[id.index()];
            conditions.take(&names.field, format!("entity `{}`", entity.name), entity.span, out);
            types.take(&format!("{}OwnWhere", names.type_name), format!("entity `{}`", entity.name), entity.span, out);
        }
        let enums = enums(model, &entities, &hidden, &mut types, out);
        let dimensions = hidden.dimensions.iter().map(|id| &model.dimension(*id).name);
        let relationships = hidden.relationships.iter().map(|id| &model.relationship(*id).name);
        let metrics = hidden.metrics.iter().map(|id| &model.metric(*id).name);
        let hidden_names = dimensions.chain(relationships).chain(metrics).cloned().collect();
        Self { entities, views, roots: root_fields, enums, hidden, hidden_names }
    }

    /// Whether everything is there.
    pub(crate) fn is_whole(&self) -> bool {
        self.hidden.is_empty()
    }

    /// Whether a segment is there.
    pub(crate) fn shows_segment(&self, segment: &Segment) -> bool {
        self.hidden.shows_segment(segment)
    }

    /// Whether a metric is there.
    pub(crate) fn shows_metric(&self, metric: MetricId) -> bool {
        !self.hidden.metrics.contains(&metric)
    }

    /// The metric of a name, where it is there.
    pub(crate) fn metric_named(&self, model: &Model, name: &str) -> Option<MetricId> {
        model.metric_named(name).filter(|id| self.shows_metric(*id))
    }

    /// Whether a view is there: one of its metrics is.
    pub(crate) fn shows_view(&self, view: &View) -> bool {
        self.hidden.shows_view(view)
    }

    /// Whether a rule is there: its metric is, and no policy leaves it out.
    pub(crate) fn shows_rule(&self, rule: &Rule) -> bool {
        self.hidden.shows_rule(rule)
    }

    /// The entities that rules are evaluated for, in order.
    pub(crate) fn rule_entities(&self, model: &Model) -> Vec<EntityId> {
        rule_entities(model, &self.hidden)
    }

    /// Whether a metric is a score whose inputs are all there. Of any other the number is all that is told.
    pub(crate) fn shows_inputs(&self, model: &Model, metric: MetricId) -> bool {
        model.metric(metric).score().is_some_and(|score| !score.reads(&self.hidden.metrics))
    }

    /// The grains of a view's movements; none where no movement is there.
    pub(crate) fn movement_grains<'v>(&self, model: &Model, view: &'v View) -> &'v [String] {
        let is_movement = |metric: &MetricId| self.shows_metric(*metric) && model.metric(*metric).is_movement;
        if view.metrics.iter().any(is_movement) { &view.movement_grains } else { &[] }
    }

    /// A formula of the definitions without the names of what is hidden.
    pub(crate) fn formula(&self, formula: &str) -> String {
        if self.is_whole() {
            return formula.to_owned();
        }
        words(formula).map(|(word, is_word)| if is_word && self.hidden_names.contains(word) { "…" } else { word }).collect()
    }

    /// Whether a question of the definitions names nothing that is hidden.
    pub(crate) fn answers(&self, model: &Model, ask: &Ask) -> bool {
        let metrics: Option<Vec<MetricId>> = ask.metrics.iter().map(|text| self.metric_named(model, &text.value)).collect();
        let Some(metrics) = metrics else { return false };
        let view = match &ask.view {
            Some(name) => Some(name.value.as_str()),
            None => view_for(&model.views, &metrics, ask).map(|view| view.name.as_str()),
        };
        // Order and conditions on metrics speak of what is asked for.
        view.and_then(|name| model.view_named(name)).is_some_and(|id| {
            let view = model.view(id);
            let is_there = |name: &String| view.dimension_named(name).is_none_or(|index| self.shows(id, index));
            self.shows_view(view) && names_of(ask).iter().all(is_there)
        })
    }

    /// Whether the dimension at a position of a view is there.
    pub(crate) fn shows(&self, view: ViewId, index: ViewDimensionIndex) -> bool {
        self.view(view).dimensions.iter().any(|shown| shown.index == index)
    }

    /// The names of an entity.
    pub(crate) fn entity(&self, id: EntityId) -> &EntityNames {
        &self.entities[id.index()]
    }

    /// The names of a view.
    pub(crate) fn view(&self, id: ViewId) -> &ViewNames {
        &self.views[id.index()]
    }
}

fn view(model: &Model, id: ViewId, hidden: &Hidden, types: &mut Names, out: &mut Diagnostics) -> ViewNames {
    let view = model.view(id);
    let type_name = pascal(&view.name);
    for suffix in [
        "Result",
        "Row",
        "By",
        "ByTime",
        "Dimension",
        "TimeDimension",
        "Where",
        "Having",
        "Order",
        "Compare",
        "Status",
        "Contributions",
        "MovementGrain",
    ] {
        types.take(&format!("{type_name}{suffix}"), format!("a type of view `{}`", view.name), view.span, out);
    }
    let mut fields = Names::new(format!("fields of `{type_name}Row`"));
    // What has a field has conditions too, beside what joins them.
    CONNECTIVES.iter().for_each(|name| fields.reserve(name));
    let mut members = HashMap::new();
    for (name, member) in ROW_FIELDS {
        fields.reserve(name);
        members.insert(name.to_owned(), member);
    }
    let shown = || view.metrics.iter().filter(|metric| !hidden.metrics.contains(metric));
    let has_cohorts = shown().any(|metric| model.metric(*metric).is_cohort);
    for (name, member) in COHORT_FIELDS.into_iter().filter(|_| has_cohorts) {
        fields.reserve(name);
        members.insert(name.to_owned(), member);
    }
    let mut dimensions = Vec::new();
    for (index, dimension) in
        view.dimensions.iter().enumerate().filter(|(_, dimension)| hidden.shows_dimension(model, view, dimension))
    {
        let index = ViewDimensionIndex(index as u16);
        let field = camel(&dimension.name);
        if fields.take(&field, format!("dimension `{}` of view `{}`", dimension.name, view.name), view.span, out) {
            members.insert(field.clone(), RowMember::Dimension(index));
            let is_time = match dimension.target {
                ViewTarget::Dimension(_) => matches!(dimension.value_type, ValueType::Date | ValueType::Timestamp),
                ViewTarget::Entity(_) => false,
            };
            dimensions.push(DimensionNames { value: dimension.name.to_ascii_uppercase(), field, index, is_time });
        }
    }
    let mut metrics = Vec::new();
    for metric in shown() {
        let field = camel(&model.metric(*metric).name);
        let owner = format!("metric `{}`", model.metric(*metric).name);
        if fields.take(&field, owner, model.metric(*metric).span, out) {
            members.insert(field.clone(), RowMember::Metric(*metric));
            metrics.push((field, *metric));
        }
    }
    ViewNames { field: camel(&view.name), type_name, dimensions, metrics, has_cohorts, members }
}

fn entity(model: &Model, id: EntityId, hidden: &Hidden, types: &mut Names, out: &mut Diagnostics) -> EntityNames {
    let entity = model.entity(id);
    let type_name = pascal(&entity.name);
    for suffix in ["", "Connection", "Edge", "Where", "Having", "Order", "Metrics", "MetricsInput", "MetricsOrder", "MovementGrain"]
    {
        types.take(&format!("{type_name}{suffix}"), format!("entity `{}`", entity.name), entity.span, out);
    }
    let mut fields = Names::new(format!("fields of `{type_name}`"));
    let mut members = HashMap::from([("id".to_owned(), EntityMember::Id), ("metrics".to_owned(), EntityMember::Metrics)]);
    CONNECTIVES.iter().chain(&["id", "metrics"]).for_each(|name| fields.reserve(name));
    let mut dimensions = Vec::new();
    for (index, dimension) in entity.dimensions.iter().enumerate().filter(|(_, dimension)| !dimension.hidden) {
        if hidden.dimensions.contains(&DimensionId { entity: id, index: DimensionIndex(index as u16) }) {
            continue;
        }
        // `id` is the global id of GraphQL; the column of that name is shown as `key`.
        let field = if dimension.name == "id" { "key".to_owned() } else { camel(&dimension.name) };
        let index = DimensionIndex(index as u16);
        if fields.take(&field, format!("dimension `{}.{}`", entity.name, dimension.name), dimension.span, out) {
            members.insert(field.clone(), EntityMember::Dimension(index));
            dimensions.push((field, index));
        }
    }
    let mut relationships = Vec::new();
    for (index, relationship) in entity.relationships.iter().enumerate() {
        let field = camel(&relationship.name);
        let index = RelationshipIndex(index as u16);
        if hidden.relationships.contains(&RelationshipId { entity: id, index }) {
            continue;
        }
        if fields.take(&field, format!("relationship `{}.{}`", entity.name, relationship.name), relationship.span, out) {
            members.insert(field.clone(), EntityMember::Relationship(index));
            relationships.push((field, index));
        }
    }
    let mut taken = Names::new(format!("fields of `{type_name}Metrics`"));
    CONNECTIVES.iter().for_each(|name| taken.reserve(name));
    let metrics: Vec<_> = model
        .metric_ids()
        .filter(|(id, _)| !hidden.metrics.contains(id))
        // Cohorts have ages, and an entity is not asked at any. What compares other entities needs groups of those.
        .filter(|(_, metric)| !metric.is_cohort && metric.compares.iter().all(|compared| *compared == id))
        .filter(|(_, metric)| metric.facts.iter().all(|fact| hidden.leads_to(model, *fact, id)))
        .map(|(id, metric)| (camel(&metric.name), id))
        .filter(|(field, id)| {
            let metric = model.metric(*id);
            taken.take(field, format!("metric `{}`", metric.name), metric.span, out)
        })
        .collect();
    if metrics.is_empty() {
        members.remove("metrics");
    }
    if model.rules.iter().any(|rule| rule.per == id && hidden.shows_rule(rule))
        && fields.take("signals", format!("the signals of entity `{}`", entity.name), entity.span, out)
    {
        members.insert("signals".to_owned(), EntityMember::Signals);
    }
    let field = camel(&entity.name);
    EntityNames { list: naming::plural(&field), field, type_name, dimensions, relationships, metrics, members }
}

fn rule_entities(model: &Model, hidden: &Hidden) -> Vec<EntityId> {
    let mut entities: Vec<EntityId> = model.rules.iter().filter(|rule| hidden.shows_rule(rule)).map(|rule| rule.per).collect();
    entities.sort_unstable();
    entities.dedup();
    entities
}

fn enums(
    model: &Model,
    entities: &[EntityNames],
    hidden: &Hidden,
    types: &mut Names,
    out: &mut Diagnostics,
) -> HashMap<DimensionId, Enumeration> {
    let mut enums = HashMap::new();
    for (entity, definition) in model.entity_ids() {
        for (index, dimension) in definition.dimensions.iter().enumerate() {
            let id = DimensionId { entity, index: DimensionIndex(index as u16) };
            if hidden.dimensions.contains(&id) {
                continue;
            }
            let Some(values) = naming::enum_values(&dimension.values).filter(|_| dimension.value_type == ValueType::Text) else {
                continue;
            };
            let type_name = format!("{}{}Enum", entities[entity.index()].type_name, pascal(&dimension.name));
            let owner = format!("the values of `{}.{}`", definition.name, dimension.name);
            types.take(&type_name, owner.clone(), dimension.span, out);
            types.take(&format!("{type_name}Filter"), owner, dimension.span, out);
            enums.insert(id, Enumeration { type_name, values });
        }
    }
    enums
}
