//! [`EntityPlan`] → text for people: what is read, below what, which rows, in which order, how many.

use std::convert::Infallible;

use super::{
    Plan,
    entity::{Column, EntityPlan, Link, ParentKey, Slice},
    explain,
    keyset::SortKey,
};
use crate::{
    compile::EntityColumn,
    model::{Cardinality, Model, path::PathDimension},
    query::{Direction, Nulls, condition::Condition, entity::RowField},
};

/// The plan, a line for each part.
#[must_use]
pub fn entity_text(model: &Model, plan: &EntityPlan) -> String {
    let mut out = format!("rows of {}\n", model.entity(plan.entity).name);
    let mut line = |word: &str, text: &str| out.push_str(&format!("  {word:<8}{text}\n"));
    if let Some(link) = &plan.link {
        line("below", &link_text(model, link));
    }
    for filter in &plan.filter {
        line("where", &condition_text(model, filter));
    }
    let metrics = plan.metrics.as_ref();
    if let Some(having) = &plan.having {
        let Ok(named) = having.try_map(&mut |position| Ok::<_, Infallible>(metric_name(metrics, *position)));
        line("having", &named.to_string());
    }
    for seek in &plan.seek {
        let Ok(named) = seek.try_map(&mut |field| Ok::<_, Infallible>(field_name(model, metrics, field)));
        line("seek", &named.to_string());
    }
    line("order", &commas(plan.order.iter().map(|key| order_text(&field_name(model, metrics, &key.field), key))));
    match plan.slice {
        Slice::Whole => {}
        Slice::List { limit, offset } => line("take", &format!("{limit} after {offset}")),
        Slice::PerParent { limit, offset } => line("take", &format!("{limit} after {offset} of each parent")),
    }
    line("columns", &commas(plan.columns.iter().map(|column| column_text(model, plan, column))));
    if let Some(metrics) = metrics {
        line("metrics", "of all rows, joined on the key:");
        explain::text(model, metrics).lines().for_each(|text| out.push_str(&format!("          {text}\n")));
    }
    out
}

fn link_text(model: &Model, link: &Link) -> String {
    let relationship = model.relationship(link.relationship);
    let parent = &model.entity(link.relationship.entity).name;
    let cardinality = match &relationship.cardinality {
        Cardinality::ManyToOne => "many to one".to_owned(),
        Cardinality::OneToOne => "one to one".to_owned(),
        Cardinality::OneToMany => "one to many".to_owned(),
        Cardinality::ManyToMany { bridge, .. } => format!("many to many through {}", model.entity(*bridge).name),
    };
    let read = match link.parent_key {
        ParentKey::Joined(_) => "not read",
        ParentKey::Scanned => "read",
    };
    format!("{parent}.{} ({cardinality}), {} keys, parents {read}", relationship.name, link.keys.len())
}

fn condition_text(model: &Model, condition: &Condition<PathDimension>) -> String {
    let Ok(named) = condition.try_map(&mut |place| Ok::<_, Infallible>(name(model, place)));
    named.to_string()
}

fn order_text(name: &str, key: &SortKey<RowField>) -> String {
    let direction = match key.direction {
        Direction::Ascending => "",
        Direction::Descending => " desc",
    };
    let nulls = match key.nulls {
        Some(Nulls::First) => " nulls first",
        Some(Nulls::Last) | None => "",
    };
    format!("{name}{direction}{nulls}")
}

fn column_text(model: &Model, plan: &EntityPlan, column: &Column) -> String {
    let name = field_name(model, plan.metrics.as_ref(), &column.field);
    match (column.role, &plan.link) {
        (EntityColumn::ParentKey(_), Some(link)) => format!("{}.{name} of the parent", model.entity(link.relationship.entity).name),
        (EntityColumn::ParentKey(_) | EntityColumn::Key(_) | EntityColumn::Dimension(_) | EntityColumn::Order(_), _) => name,
    }
}

fn field_name(model: &Model, metrics: Option<&Plan>, field: &RowField) -> String {
    match field {
        RowField::Dimension(place) => name(model, place),
        RowField::Metric(position) => metric_name(metrics, *position),
    }
}

/// A metric's name, told apart from a dimension's.
fn metric_name(metrics: Option<&Plan>, position: usize) -> String {
    let name = metrics.and_then(|plan| plan.outputs.get(position)).map_or("?", |output| output.key.as_str());
    format!("metrics.{name}")
}

/// Relationships and dimension, as in `account.parent.name`.
pub(crate) fn name(model: &Model, place: &PathDimension) -> String {
    let mut words: Vec<&str> = place.path.iter().map(|hop| model.relationship(*hop).name.as_str()).collect();
    words.push(&model.dimension(place.dimension).name);
    words.join(".")
}

fn commas(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
