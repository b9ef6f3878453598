//! [`EntityPlan`] → text for people: what is read, below what, which rows, in which order, how many.

use std::convert::Infallible;

use super::{
    entity::{Column, EntityPlan, Link, ParentKey, Slice},
    keyset::SortKey,
};
use crate::{
    compile::EntityColumn,
    model::{Cardinality, Model, path::PathDimension},
    query::{Direction, Nulls, condition::Condition},
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
    for seek in &plan.seek {
        line("seek", &condition_text(model, seek));
    }
    line("order", &commas(plan.order.iter().map(|key| order_text(model, key))));
    match plan.slice {
        Slice::Whole => {}
        Slice::List { limit, offset } => line("take", &format!("{limit} after {offset}")),
        Slice::PerParent { limit, offset } => line("take", &format!("{limit} after {offset} of each parent")),
    }
    line("columns", &commas(plan.columns.iter().map(|column| column_text(model, plan, column))));
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

fn order_text(model: &Model, key: &SortKey<PathDimension>) -> String {
    let direction = match key.direction {
        Direction::Ascending => "",
        Direction::Descending => " desc",
    };
    let nulls = match key.nulls {
        Some(Nulls::First) => " nulls first",
        Some(Nulls::Last) | None => "",
    };
    format!("{}{direction}{nulls}", name(model, &key.field))
}

fn column_text(model: &Model, plan: &EntityPlan, column: &Column) -> String {
    let name = name(model, &column.field);
    match (column.role, &plan.link) {
        (EntityColumn::ParentKey(_), Some(link)) => format!("{}.{name} of the parent", model.entity(link.relationship.entity).name),
        (EntityColumn::ParentKey(_) | EntityColumn::Key(_) | EntityColumn::Dimension(_) | EntityColumn::Order(_), _) => name,
    }
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
