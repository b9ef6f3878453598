//! The types of an entity: object, connection, conditions, order, metrics.

use async_graphql::dynamic::{Field, InputObject, InputValue, Object};
use holdfast_schema::model::{Cardinality, DimensionId, Entity, EntityId, Model, Relationship};

use super::{
    Root, Types, common::as_known_now, condition, currency, field, input, list, named, one_line, required, required_list, signal,
    text,
};
use crate::{
    federation,
    limits::Limits,
    plan::movement_grains,
    scalar::{filter_type, output_type},
    surface::{EntityMember, EntityNames, Surface},
};

/// Registers the types of an entity.
pub(super) fn register(model: &Model, surface: &Surface, entity: &Entity, names: &EntityNames, limits: &Limits, types: &mut Types) {
    let id = model.entity_named(&entity.name).expect("the entity is of this model");
    let name = &names.type_name;
    types.add(object(model, surface, id, names, limits));
    types.add(
        Object::new(format!("{name}Connection"))
            .description(one_line(&format!("A page of: {}.", entity.label)))
            .field(field("edges", required_list(format!("{name}Edge")), ""))
            .field(field("nodes", required_list(name), ""))
            .field(field("pageInfo", required("PageInfo"), ""))
            .field(field("totalCount", required("Int"), "Rows there are, regardless of the page; counted only when selected."))
            .field(as_known_now()),
    );
    types.add(Object::new(format!("{name}Edge")).field(field("node", required(name), "")).field(field(
        "cursor",
        required("String"),
        "For `after` and `before`, under the same order.",
    )));
    let filter = conditions(model, surface, id, &format!("{name}Where"));
    let related = names
        .relationships
        .iter()
        .filter_map(|(field, index)| related(model, surface, field, &entity.relationships[index.index()]));
    types.add(related.fold(filter, InputObject::field));
    let mut order = InputObject::new(format!("{name}Order")).description("One part of an order. Exactly one field.").oneof();
    for (dimension_field, index) in &names.dimensions {
        order = order.field(input(dimension_field, named("Sort"), entity.dimensions[index.index()].label.clone()));
    }
    if !names.metrics.is_empty() {
        order =
            order.field(input("metrics", named(format!("{name}MetricsOrder")), "A metric, computed as the list's `metrics` says."));
    }
    types.add(order);
    metrics(model, id, names, types);
}

/// The root field of one row.
pub(super) fn one(entity: &Entity, names: &EntityNames) -> Field {
    let field = field(&names.field, named(&names.type_name), text(&entity.label, entity.description.as_ref(), None));
    let id = input("id", required("ID"), "Global id, or the bare key.");
    std::iter::once(id).chain(as_of()).fold(field, Field::argument)
}

/// The root field of many rows.
pub(super) fn many(entity: &Entity, names: &EntityNames, limits: &Limits) -> Root {
    let kind = named(format!("{}Connection", names.type_name));
    let root = Root::new(&names.list, kind, format!("Many of: {}.", entity.label));
    paged(names, limits).into_iter().chain(as_of()).fold(root, Root::argument)
}

fn as_of() -> [InputValue; 2] {
    [
        input("asOf", named("Date"), "The day at which rows are read; left out, today."),
        input("asKnownAt", named("DateTime"), "Only what was recorded by then."),
    ]
}

/// The arguments that choose, order and cut a list.
fn paged(names: &EntityNames, limits: &Limits) -> Vec<InputValue> {
    let pages = format!("Rows from the start; {} unless told, {} at most.", limits.page, limits.max_page);
    let name = &names.type_name;
    let mut arguments = vec![input("where", named(format!("{name}Where")), "")];
    if !names.metrics.is_empty() {
        arguments.push(input(
            "metrics",
            named(format!("{name}MetricsInput")),
            "How the metrics in `having` and `orderBy` are computed; those that are shown have arguments of their own.",
        ));
        arguments.push(input("having", named(format!("{name}Having")), "Rows that count, by their metrics."));
    }
    arguments.extend([
        input("orderBy", list(format!("{name}Order")), "The key comes after, ascending."),
        input("first", named("Int"), pages),
        input("after", named("String"), "Begin after this cursor."),
        input("last", named("Int"), "Rows from the end."),
        input("before", named("String"), "End before this cursor."),
    ]);
    arguments
}

fn object(model: &Model, surface: &Surface, id: EntityId, names: &EntityNames, limits: &Limits) -> Object {
    let entity = model.entity(id);
    let mut object = Object::new(&names.type_name)
        .description(one_line(&text(&entity.label, entity.description.as_ref(), None)))
        .implement("Node")
        .key("id")
        .field(field("id", required("ID"), "The global id."));
    if let Some(key) = federation::natural_key(model, id, names) {
        object = object.key(key.join(" "));
    }
    for (dimension_field, index) in &names.dimensions {
        let dimension = &entity.dimensions[index.index()];
        let kind = match surface.enums.get(&DimensionId { entity: id, index: *index }) {
            Some(item) => item.type_name.as_str(),
            None => output_type(dimension.value_type),
        };
        let description = text(&dimension.label, dimension.description.as_ref(), dimension.unit.as_ref());
        object = object.field(field(dimension_field, named(kind), description));
    }
    for (relationship_field, index) in &names.relationships {
        let relationship = &entity.relationships[index.index()];
        let to = surface.entity(relationship.to);
        let description = text(&model.entity(relationship.to).label, relationship.description.as_ref(), None);
        object = object.field(match &relationship.cardinality {
            Cardinality::ManyToOne | Cardinality::OneToOne => field(relationship_field, named(&to.type_name), description),
            Cardinality::OneToMany | Cardinality::ManyToMany { .. } => {
                let field = field(relationship_field, named(format!("{}Connection", to.type_name)), description);
                paged(to, limits).into_iter().fold(field, Field::argument)
            }
        });
    }
    if !names.metrics.is_empty() {
        let metrics = field(
            "metrics",
            named(format!("{}Metrics", names.type_name)),
            "Metrics of this one, computed for all rows of the level at once.",
        );
        object = object.field(metric_inputs(model, names).into_iter().fold(metrics, Field::argument));
    }
    if names.members.get("signals") == Some(&EntityMember::Signals) {
        object = object.field(signal::entity_field());
    }
    object
}

/// What says how metrics of rows are computed: arguments where they are shown, one argument's fields where rows are chosen by them.
fn metric_inputs(model: &Model, names: &EntityNames) -> Vec<InputValue> {
    let mut inputs = vec![
        input("range", named("TimeRange"), "Which time; left out, all time."),
        input("timeZone", named("TimeZone"), "Zone in which days begin; left out, the project's."),
        input("asOf", named("Date"), "The day that counts as today; left out, that of the rows."),
        input("asKnownAt", named("DateTime"), "Only what was recorded by then."),
    ];
    if model.project.exchange_rates.is_some() {
        inputs.extend(currency());
    }
    if !movement_grains(model, names).is_empty() {
        let grain = named(format!("{}MovementGrain", names.type_name));
        inputs.push(input("movementGrain", grain, "What identifies a member."));
        inputs.push(input("movementBasis", named("MovementBasis"), "How a movement looks at a period."));
        let basis = named("DimensionBasis");
        inputs.push(input("dimensionBasis", basis, "When dimensions and what identifies members are read."));
    }
    inputs
}

/// The condition on the row that a relationship to one leads to.
fn related(model: &Model, surface: &Surface, field: &str, relationship: &Relationship) -> Option<InputValue> {
    let to = format!("{}Where", surface.entity(relationship.to).type_name);
    let what = text(&model.entity(relationship.to).label, relationship.description.as_ref(), None);
    let description = format!("There is one that fulfils this, or with `{{}}` any: {what}");
    relationship.is_to_one().then(|| input(field, named(to), description))
}

/// Conditions on what an entity has itself, as a type of a name.
pub(super) fn conditions(model: &Model, surface: &Surface, id: EntityId, type_name: &str) -> InputObject {
    let entity = model.entity(id);
    let names = surface.entity(id);
    let filter = condition(type_name, "Conditions; those given must all hold.");
    let mut filter = filter.field(input("id", named("IdFilter"), "The global id."));
    for (dimension_field, index) in &names.dimensions {
        let dimension = &entity.dimensions[index.index()];
        let kind = match surface.enums.get(&DimensionId { entity: id, index: *index }) {
            Some(item) => format!("{}Filter", item.type_name),
            None => filter_type(dimension.value_type).to_owned(),
        };
        filter = filter.field(input(dimension_field, named(kind), dimension.label.clone()));
    }
    if model.segments.iter().any(|segment| segment.entity == id && surface.shows_segment(segment))
        && !names.members.contains_key("inSegment")
    {
        filter = filter.field(input("inSegment", list("SegmentName"), "In all of these."));
    }
    filter
}

fn metrics(model: &Model, id: EntityId, names: &EntityNames, types: &mut Types) {
    if names.metrics.is_empty() {
        return;
    }
    let name = &names.type_name;
    let label = &model.entity(id).label;
    let mut object = Object::new(format!("{name}Metrics")).description(one_line(&format!("Metrics of: {label}.")));
    let mut having = condition(&format!("{name}Having"), "Conditions on metrics of rows; those given must all hold.");
    let mut order = InputObject::new(format!("{name}MetricsOrder")).description("A metric to order by. Exactly one field.").oneof();
    for (metric_field, metric) in &names.metrics {
        let metric = model.metric(*metric);
        having = having.field(input(metric_field, named(filter_type(metric.value_type)), metric.label.clone()));
        order = order.field(input(metric_field, named("Sort"), metric.label.clone()));
        let description = text(&metric.label, metric.description.as_ref(), metric.unit.as_ref());
        let mut member = field(metric_field, named(output_type(metric.value_type)), description);
        if let Some(reason) = &metric.deprecated {
            member = member.deprecation(Some(reason));
        }
        object = object.field(member);
    }
    types.add(object);
    types.add(having);
    types.add(order);
    let metrics = InputObject::new(format!("{name}MetricsInput")).description("How metrics of rows are computed.");
    types.add(metric_inputs(model, names).into_iter().fold(metrics, InputObject::field));
    let grains: Vec<_> = movement_grains(model, names).into_iter().map(|grain| (grain.to_ascii_uppercase(), None)).collect();
    if !grains.is_empty() {
        types.add_enum(&format!("{name}MovementGrain"), "What identifies a member when balances are compared.", &grains);
    }
}
