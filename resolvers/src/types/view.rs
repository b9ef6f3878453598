//! The types of a metric view: arguments, result, row, conditions, order.

use async_graphql::{
    Name, Value,
    dynamic::{Field, InputObject, Object, TypeRef},
};
use holdfast_schema::model::{DimensionId, MetricId, Model, View, ViewDimension, ViewTarget};

use super::{Root, Types, condition, currency, field, input, list, named, one_line, required, required_list, text};
use crate::{
    limits::Limits,
    scalar::{filter_type, output_type},
    surface::{Surface, ViewNames},
};

/// Registers the types of a view.
pub(super) fn register(model: &Model, surface: &Surface, view: &View, names: &ViewNames, types: &mut Types) {
    let name = &names.type_name;
    types.add(result(view, name));
    types.add(row(model, surface, view, names));
    let has_time = names.dimensions.iter().any(|dimension| dimension.is_time);
    by(view, names, has_time, types);
    conditions(model, surface, view, names, types);
    order(model, view, names, types);
    comparisons(model, surface, view, names, types);
    let grains = surface.movement_grains(model, view);
    if !grains.is_empty() {
        let values: Vec<_> = grains.iter().map(|grain| (grain.to_ascii_uppercase(), None)).collect();
        types.add_enum(&format!("{name}MovementGrain"), "What identifies a member when balances are compared.", &values);
    }
}

/// The root field of a view.
pub(super) fn root(model: &Model, surface: &Surface, view: &View, names: &ViewNames, limits: &Limits) -> Root {
    let name = &names.type_name;
    let mut root = Root::new(&names.field, named(format!("{name}Result")), text(&view.label, view.description.as_ref(), None))
        .argument(input("by", list(format!("{name}By")), "Group keys. Left out, they are taken from what the rows select."))
        .argument(input("range", named("TimeRange"), "Which time; left out, all time."))
        .argument(input("timeZone", named("TimeZone"), "Zone in which days begin; left out, the project's."))
        .argument(input("asOf", named("Date"), "The day that counts as today."))
        .argument(input("asKnownAt", named("DateTime"), "Only what was recorded by then."))
        .argument(input("where", named(format!("{name}Where")), "Rows that count."))
        .argument(input("having", named(format!("{name}Having")), "Groups that are shown."))
        .argument(input("compare", named("Comparison"), "The same at another time, beside it."))
        .argument(input("orderBy", list(format!("{name}Order")), "Group keys come after, ascending."))
        .argument(input("limit", named("Int"), "Rows at most.").default_value(limits.rows))
        .argument(input("offset", named("Int"), "Rows passed over.").default_value(0))
        .argument(input("fill", named("Fill"), "Which periods are shown.").default_value(Value::Enum(Name::new("NONE"))));
    if model.project.exchange_rates.is_some() {
        root = currency().into_iter().fold(root, Root::argument);
    }
    if let Some(default) = surface.movement_grains(model, view).first() {
        let default = Value::Enum(Name::new(default.to_ascii_uppercase()));
        root = root
            .argument(
                input("movementGrain", named(format!("{name}MovementGrain")), "What identifies a member.").default_value(default),
            )
            .argument(
                input("movementBasis", named("MovementBasis"), "How a movement looks at a period.")
                    .default_value(Value::Enum(Name::new("POINT_TO_POINT"))),
            )
            .argument(
                input("dimensionBasis", named("DimensionBasis"), "When dimensions and what identifies members are read.")
                    .default_value(Value::Enum(Name::new("OPENING"))),
            );
    }
    root
}

fn result(view: &View, name: &str) -> Object {
    Object::new(format!("{name}Result"))
        .description(one_line(&format!("An answer of {}.", view.label)))
        .field(field("rows", required_list(format!("{name}Row")), "One per group."))
        .field(field("totals", named(format!("{name}Row")), "The same over everything: computed, never added up."))
        .field(field("rowCount", named("Int"), "Groups there are, regardless of `limit` and `offset`."))
        .field(field("truncated", required("Boolean"), "Whether there are more rows than `limit`."))
        .field(field("asOf", required("Date"), "The day that counted as today."))
        .field(field("provenance", required("Provenance"), "Where the answer comes from."))
}

fn row(model: &Model, surface: &Surface, view: &View, names: &ViewNames) -> Object {
    let name = &names.type_name;
    let mut period = field("period", named("Period"), "A group key of time.").argument(input("grain", required("Grain"), ""));
    if names.dimensions.iter().any(|dimension| dimension.is_time) {
        period = period.argument(input("dimension", named(format!("{name}TimeDimension")), "Left out: the metrics' own time."));
    }
    let mut row = Object::new(format!("{name}Row"))
        .description(one_line(&format!("One group of {}.", view.label)))
        .field(field("id", required("ID"), "The same for the same question and group."))
        .field(period);
    if names.has_cohorts {
        row = row
            .field(field("cohort", named("Period"), "The period in which members began.").argument(input(
                "grain",
                required("Grain"),
                "",
            )))
            .field(field("age", named("Int"), "Time since then, in the grain that was asked for."));
    }
    for dimension in &names.dimensions {
        let definition = &view.dimensions[dimension.index.index()];
        let (kind, description) = match definition.target {
            ViewTarget::Entity(entity) => (surface.entity(entity).type_name.clone(), definition.label.clone()),
            ViewTarget::Dimension(id) => {
                let target = model.dimension(id);
                (value_type(surface, id, definition), text(&definition.label, target.description.as_ref(), target.unit.as_ref()))
            }
        };
        row = row.field(field(&dimension.field, named(kind), description));
    }
    for (metric_field, metric) in &names.metrics {
        row = row.field(metric_field_of(
            model,
            names,
            metric_field,
            *metric,
            TypeRef::named(output_type(model.metric(*metric).value_type)),
        ));
    }
    if !names.metrics.is_empty() {
        row = row
            .field(field(
                "compare",
                named(format!("{name}Compare")),
                "Values beside their values at the other time; null without `compare`.",
            ))
            .field(field("status", required(format!("{name}Status")), "Why values are missing."));
    }
    if scores(model, surface, names).next().is_some() {
        let description = "What each input adds to a score.";
        row = row.field(field("contributions", required(format!("{name}Contributions")), description));
    }
    row
}

fn metric_field_of(model: &Model, names: &ViewNames, name: &str, metric: MetricId, kind: TypeRef) -> Field {
    let metric = model.metric(metric);
    let field = field(name, kind, text(&metric.label, metric.description.as_ref(), metric.unit.as_ref())).argument(input(
        "where",
        named(format!("{}Where", names.type_name)),
        "Rows that count for this one only.",
    ));
    match &metric.deprecated {
        Some(reason) => field.deprecation(Some(reason)),
        None => field,
    }
}

fn value_type(surface: &Surface, id: DimensionId, dimension: &ViewDimension) -> String {
    surface.enums.get(&id).map_or_else(|| output_type(dimension.value_type).to_owned(), |item| item.type_name.clone())
}

fn by(view: &View, names: &ViewNames, has_time: bool, types: &mut Types) {
    let name = &names.type_name;
    let mut by = InputObject::new(format!("{name}By")).description("A group key. Exactly one field.").oneof();
    if !names.dimensions.is_empty() {
        let values: Vec<_> = names
            .dimensions
            .iter()
            .map(|dimension| (dimension.value.clone(), Some(view.dimensions[dimension.index.index()].label.clone())))
            .collect();
        types.add_enum(&format!("{name}Dimension"), &format!("Dimensions of {}.", view.label), &values);
        by = by.field(input("dimension", named(format!("{name}Dimension")), "A dimension."));
    }
    by = by.field(input("time", named(format!("{name}ByTime")), "Periods."));
    if names.has_cohorts {
        by = by
            .field(input("cohort", named("ByCohort"), "Periods in which members began; `range` then says which of them."))
            .field(input("age", named("ByAge"), "Time since then; cohort metrics need it."));
    }
    types.add(by);
    let mut time = InputObject::new(format!("{name}ByTime")).description("Periods of a grain.");
    if has_time {
        let values: Vec<_> = names
            .dimensions
            .iter()
            .filter(|dimension| dimension.is_time)
            .map(|dimension| (dimension.value.clone(), Some(view.dimensions[dimension.index.index()].label.clone())))
            .collect();
        types.add_enum(&format!("{name}TimeDimension"), "Dimensions that can be cut into periods.", &values);
        time = time.field(input("dimension", named(format!("{name}TimeDimension")), "Left out: the metrics' own time."));
    }
    types.add(time.field(input("grain", required("Grain"), "")));
}

fn conditions(model: &Model, surface: &Surface, view: &View, names: &ViewNames, types: &mut Types) {
    let name = &names.type_name;
    let mut filter = condition(&format!("{name}Where"), "Conditions on rows; those given must all hold.");
    for dimension in &names.dimensions {
        let definition = &view.dimensions[dimension.index.index()];
        let kind = match definition.target {
            ViewTarget::Entity(_) => "IdFilter".to_owned(),
            ViewTarget::Dimension(id) => match surface.enums.get(&id) {
                Some(item) => format!("{}Filter", item.type_name),
                None => filter_type(definition.value_type).to_owned(),
            },
        };
        filter = filter.field(input(&dimension.field, named(kind), definition.label.clone()));
    }
    if model.segments.iter().any(|segment| surface.shows_segment(segment))
        && !names.dimensions.iter().any(|dimension| dimension.field == "inSegment")
    {
        filter = filter.field(input("inSegment", list("SegmentName"), "In all of these."));
    }
    types.add(filter);

    let mut having = condition(&format!("{name}Having"), "Conditions on groups; those given must all hold.");
    for (field, metric) in &names.metrics {
        let metric = model.metric(*metric);
        having = having.field(input(field, named(filter_type(metric.value_type)), metric.label.clone()));
    }
    types.add(having);
}

fn order(model: &Model, view: &View, names: &ViewNames, types: &mut Types) {
    let mut order = InputObject::new(format!("{}Order", names.type_name))
        .description("One part of an order. Exactly one field.")
        .oneof()
        .field(input("period", named("Sort"), "The first group key of time."));
    if names.has_cohorts {
        order = order.field(input("cohort", named("Sort"), "The first cohort.")).field(input("age", named("Sort"), "The age."));
    }
    for dimension in &names.dimensions {
        order = order.field(input(&dimension.field, named("Sort"), view.dimensions[dimension.index.index()].label.clone()));
    }
    for (field, metric) in &names.metrics {
        order = order.field(input(field, named("Sort"), model.metric(*metric).label.clone()));
    }
    types.add(order);
}

fn comparisons(model: &Model, surface: &Surface, view: &View, names: &ViewNames, types: &mut Types) {
    if names.metrics.is_empty() {
        return;
    }
    let mut compare =
        Object::new(format!("{}Compare", names.type_name)).description(one_line(&format!("{} at another time.", view.label)));
    let mut status =
        Object::new(format!("{}Status", names.type_name)).description("Why values are missing; null when they are not.");
    for (field, metric) in &names.metrics {
        compare = compare.field(metric_field_of(model, names, field, *metric, required("MetricComparison")));
        status = status.field(metric_field_of(model, names, field, *metric, named("CellStatus")));
    }
    types.add(compare);
    types.add(status);
    if scores(model, surface, names).next().is_some() {
        let description = one_line(&format!("Inputs of the scores of {}.", view.label));
        let mut contributions = Object::new(format!("{}Contributions", names.type_name)).description(description);
        for (field, metric) in scores(model, surface, names) {
            let kind = required_list("Contribution");
            contributions = contributions.field(metric_field_of(model, names, field, metric, kind));
        }
        types.add(contributions);
    }
}

/// The metrics of a view that are scores whose inputs are there.
fn scores<'a>(model: &Model, surface: &Surface, names: &'a ViewNames) -> impl Iterator<Item = (&'a str, MetricId)> {
    names
        .metrics
        .iter()
        .filter(move |(_, metric)| surface.shows_inputs(model, *metric))
        .map(|(field, metric)| (field.as_str(), *metric))
}
