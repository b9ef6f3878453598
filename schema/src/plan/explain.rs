//! Plans as text for people and snapshots.

use std::fmt::Write as _;

use super::{
    AggregateColumn, Conversion, Leaf, LeafKey, LeafKind, MovementLeaf, PeersLeaf, PerEntityColumn, Place, Plan, SeriesSaid, Slot,
};
use crate::{
    expr::Expr,
    model::{EntityId, Model, RelationshipId, metric::Taken, path::PathDimension},
    query::bound::KeyItem,
};

/// A plan as indented text: keys, leaves, then metrics over the leaves' columns.
pub fn text(model: &Model, plan: &Plan) -> String {
    let mut out = String::new();
    write_plan(&mut out, model, plan, 0);
    out
}

fn write_plan(out: &mut String, model: &Model, plan: &Plan, depth: usize) {
    let pad = "  ".repeat(depth);
    let keys: Vec<String> = plan.keys.iter().map(|key| key_name(model, &key.item)).collect();
    let _ = writeln!(out, "{pad}group by [{}]", keys.join(", "));
    for (n, leaf) in plan.leaves.iter().enumerate() {
        write_leaf(out, model, n, leaf, depth + 1);
    }
    for output in &plan.outputs {
        let _ = writeln!(out, "{pad}{} = {}", output.key, formula(&output.value));
        if let Some(previous) = &output.previous {
            let _ = writeln!(out, "{pad}{} before = {}", output.key, formula(previous));
        }
    }
    if let Some(Conversion { into, outputs }) = &plan.conversion {
        let names: Vec<&str> = outputs.iter().map(|position| plan.outputs[*position].key.as_str()).collect();
        let rate = into.rate.as_deref().map(|rate| format!(" at {rate}")).unwrap_or_default();
        let _ = writeln!(out, "{pad}in {}{rate}: {}", into.code, names.join(", "));
    }
    if let Some(having) = &plan.having {
        let _ = writeln!(out, "{pad}having {having:?}");
    }
    for order in &plan.order_by {
        let _ = writeln!(out, "{pad}order by {} {:?}", order.key, order.direction);
    }
    if let Some(limit) = plan.limit {
        let _ = writeln!(out, "{pad}limit {limit} offset {}", plan.offset);
    }
}

fn key_name(model: &Model, item: &KeyItem) -> String {
    match item {
        KeyItem::Period(grain) => format!("period({})", grain.name()),
        KeyItem::Field(field) => dimension(model, field.dimension),
        KeyItem::FieldPeriod(field, grain) => format!("{}({})", dimension(model, field.dimension), grain.name()),
        KeyItem::Cohort(grain) => format!("cohort({})", grain.name()),
        KeyItem::Age(ages) => format!("age({})", ages.text()),
    }
}

fn dimension(model: &Model, id: crate::model::DimensionId) -> String {
    format!("{}.{}", model.entity(id.entity).name, model.dimension(id).name)
}

fn path(model: &Model, start: EntityId, hops: &[RelationshipId]) -> String {
    let mut text = model.entity(start).name.clone();
    for hop in hops {
        let _ = write!(text, " → {}", model.relationship(*hop).name);
    }
    text
}

fn place(model: &Model, fact: EntityId, place: &Place) -> String {
    format!("{} . {}", path(model, fact, &place.reach.path), model.dimension(place.dimension).name)
}

fn path_dimension(model: &Model, fact: EntityId, at: &PathDimension) -> String {
    format!("{} . {}", path(model, fact, &at.path), model.dimension(at.dimension).name)
}

fn write_leaf(out: &mut String, model: &Model, n: usize, leaf: &Leaf, depth: usize) {
    let pad = "  ".repeat(depth);
    let mut notes = String::new();
    if leaf.timing.shift != crate::time::Step::default() {
        let shift = leaf.timing.shift;
        let _ = write!(notes, ", {} months {} days earlier", shift.months, shift.days);
    }
    if leaf.timing.total {
        notes.push_str(", over all groups");
    }
    let columns = |items: &[AggregateColumn]| -> Vec<String> {
        items
            .iter()
            .map(|item| match item {
                AggregateColumn::Measure { measure, aggregate, filter } => {
                    let measure = model.measure(*measure);
                    let filtered = if filter.is_empty() { "" } else { " (filtered)" };
                    format!("{aggregate:?} {}{filtered}", measure.name)
                }
                AggregateColumn::Snapshots => "number of snapshots".to_owned(),
            })
            .collect()
    };
    match &leaf.kind {
        LeafKind::Aggregate(aggregate) => {
            let fact = aggregate.fact;
            let _ = writeln!(out, "{pad}{n}: aggregate {} over time {:?}{notes}", model.entity(fact).name, aggregate.over_time);
            write_keys(out, model, fact, &leaf.keys, &pad);
            write_columns(out, &columns(&aggregate.columns), &pad);
        }
        LeafKind::Cumulative(cumulative) => {
            let fact = cumulative.fact;
            let _ = writeln!(out, "{pad}{n}: running {:?} over {}{notes}", cumulative.window, model.entity(fact).name);
            write_keys(out, model, fact, &leaf.keys, &pad);
            write_columns(out, &columns(&cumulative.columns), &pad);
        }
        LeafKind::AsOf(as_of) => {
            let fact = as_of.fact;
            let which = if as_of.rows.is_some() { "rows that count" } else { "all rows" };
            let of = &model.entity(fact).name;
            let latest = if as_of.latest.is_some() { ", the latest per key" } else { "" };
            let _ = writeln!(out, "{pad}{n}: {which} of {of}{latest}, seen from the last day{notes}");
            write_keys(out, model, fact, &leaf.keys, &pad);
            write_columns(out, &columns(&as_of.columns), &pad);
        }
        LeafKind::Movement(movement) => {
            let fact = movement.measure.entity;
            let _ = writeln!(
                out,
                "{pad}{n}: movement of {}.{} per {}, {:?}{notes}",
                model.entity(fact).name,
                model.measure(movement.measure).name,
                movement.grain,
                movement.basis
            );
            write_movement(out, model, movement, &leaf.keys, &pad);
        }
        LeafKind::Cohort(cohort) => {
            let movement = &cohort.movement;
            let _ = writeln!(
                out,
                "{pad}{n}: cohorts by {} of {}.{} per {}, {:?}, over {} at ages {}",
                dimension(model, cohort.began),
                model.entity(movement.measure.entity).name,
                model.measure(movement.measure).name,
                movement.grain,
                movement.basis,
                cohort.stretch.name(),
                cohort.ages.text()
            );
            write_movement(out, model, movement, &leaf.keys, &pad);
            let _ = writeln!(
                out,
                "{pad}   .{} = whether every member has reached the age, and was seen before it",
                movement.columns.len()
            );
        }
        LeafKind::PerEntity(per_entity) => {
            let aggregate = |column: &PerEntityColumn| match &column.top {
                Some(top) => format!("{:?} of the top {top}", column.aggregate),
                None => format!("{:?}", column.aggregate),
            };
            let aggregates: Vec<String> = per_entity.columns.iter().map(aggregate).collect();
            let _ = writeln!(out, "{pad}{n}: {} per entity{notes} of", aggregates.join(" and "));
            write_plan(out, model, &per_entity.inner, depth + 2);
        }
        LeafKind::Series(series) => {
            let (window, grain) = (series.window, series.grain.name());
            let (first, ends) = (series.periods[0], series.ends.len());
            let (per, taken) = match &series.said {
                SeriesSaid::OfOne(columns) => ("", debugged(columns)),
                SeriesSaid::OfSeveral { columns, .. } => (" per entity", debugged(columns)),
            };
            let _ = writeln!(out, "{pad}{n}: series{per} by {grain} from {first}, windows of {window} periods: {ends}{notes}, of");
            write_plan(out, model, &series.inner, depth + 2);
            write_columns(out, &taken, &pad);
        }
        LeafKind::Peers(peers) => {
            let _ = writeln!(out, "{pad}{n}: peers, at least {}{notes}, by", peers.at_least);
            write_plan(out, model, &peers.pool, depth + 2);
            write_peers(out, model, peers, &pad, depth + 2);
        }
    }
}

fn debugged(columns: &[impl std::fmt::Debug]) -> Vec<String> {
    columns.iter().map(|column| format!("{column:?}")).collect()
}

/// Who is compared with whom, and what is said of it.
fn write_peers(out: &mut String, model: &Model, peers: &PeersLeaf, pad: &str, depth: usize) {
    if let Some(groups) = &peers.groups {
        let _ = writeln!(out, "{pad}   groups");
        write_plan(out, model, groups, depth);
    }
    if let Some(rows) = &peers.rows {
        let _ = writeln!(out, "{pad}   shown where there are rows of");
        write_plan(out, model, rows, depth);
    }
    if !peers.shown.is_empty() {
        let _ = writeln!(out, "{pad}   shown where {:?}", peers.shown);
    }
    let taken: Vec<String> = peers.columns.iter().map(|column| format!("{column:?}")).collect();
    write_columns(out, &taken, pad);
}

/// Keys, members and columns of a movement.
fn write_movement(out: &mut String, model: &Model, movement: &MovementLeaf, keys: &[LeafKey], pad: &str) {
    let fact = movement.measure.entity;
    write_keys(out, model, fact, keys, pad);
    let members: Vec<String> = movement.members.iter().map(|member| path_dimension(model, fact, member)).collect();
    let _ = writeln!(out, "{pad}   members [{}]", members.join(", "));
    let read: Vec<String> = movement.attributes.iter().map(|at| path_dimension(model, fact, at)).collect();
    if !read.is_empty() {
        let _ = writeln!(out, "{pad}   read [{}]", read.join(", "));
    }
    if let Some(trace) = &movement.trace {
        let places: Vec<&str> =
            trace.places.iter().map(|n| model.dimension(movement.members[*n].dimension).name.as_str()).collect();
        let rates = if model.measure(movement.measure).currency.is_some() { ", at the rates of the opening" } else { "" };
        let _ = writeln!(out, "{pad}   followed between [{}]{rates}", places.join(", "));
    }
    if !movement.with.is_empty() {
        let names: Vec<&str> = movement.with.iter().map(|measure| model.measure(*measure).name.as_str()).collect();
        let _ = writeln!(out, "{pad}   with {}", names.join(", "));
    }
    if !movement.levels.is_empty() {
        let names: Vec<String> = movement.levels.iter().map(|level| path_dimension(model, fact, level)).collect();
        let _ = writeln!(out, "{pad}   at both ends [{}]", names.join(", "));
    }
    let taken: Vec<String> = movement
        .columns
        .iter()
        .map(|column| {
            let classes: Vec<&str> = column.classes.iter().map(|class| class.name()).collect();
            let of = if classes.is_empty() { "all".to_owned() } else { classes.join(" or ") };
            let what = match &column.take {
                Taken::Named(take) => take.name(),
                Taken::Value(_) => "expression",
            };
            format!("{what} of {of}")
        })
        .collect();
    write_columns(out, &taken, pad);
}

fn write_keys(out: &mut String, model: &Model, fact: EntityId, keys: &[LeafKey], pad: &str) {
    for key in keys {
        let text = match key {
            LeafKey::Period(grain) => format!("period({})", grain.name()),
            LeafKey::Place(at) => place(model, fact, at),
            LeafKey::PlacePeriod(at, grain) => format!("{} by {}", place(model, fact, at), grain.name()),
            LeafKey::Cohort(grain) => format!("cohort({})", grain.name()),
            LeafKey::Age => "age".to_owned(),
        };
        let _ = writeln!(out, "{pad}   by {text}");
    }
}

fn write_columns(out: &mut String, columns: &[String], pad: &str) {
    for (n, column) in columns.iter().enumerate() {
        let _ = writeln!(out, "{pad}   .{n} = {column}");
    }
}

fn formula(expr: &Expr<Slot>) -> String {
    match expr {
        Expr::Ref(slot) => format!("{}.{}", slot.leaf, slot.column),
        Expr::Literal(value) => format!("{value:?}"),
        Expr::Binary(op, left, right) => format!("({} {op:?} {})", formula(left), formula(right)),
        other => {
            let mut slots = Vec::new();
            other.visit_refs(&mut |slot| {
                if !slot.is_about_snapshots() {
                    slots.push(format!("{}.{}", slot.leaf, slot.column));
                }
            });
            format!("expression over {}", slots.join(", "))
        }
    }
}
