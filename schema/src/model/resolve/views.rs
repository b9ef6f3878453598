//! View documents in, views out: dimensions found by path, the metrics that fit them, and the table of ways between entities.
//!
//! Every metric of a view can be grouped by every dimension of it. Both sides are sets of facts as bits, so the whole matrix is a
//! subset test per pair.

mod dimensions;
mod facts;

use std::collections::HashSet;

use self::{
    dimensions::{Found, expand},
    facts::FactSet,
};
use super::{
    Draft,
    words::{label, owned},
};
use crate::{
    definition::{Text, view as written},
    diagnostic::{Diagnostic, Diagnostics},
    model::{
        DimensionId, EntityId, Metric, MetricId, MetricKind, View, ViewDimension, ViewTarget,
        join_graph::{Layer, Way},
        path::{Fan, Reach},
    },
};

/// Fills `draft.paths` and `draft.views`.
pub(super) fn resolve(draft: &mut Draft<'_>, out: &mut Diagnostics) {
    safe_and_weighted_ways(draft);
    let facts_of: Vec<FactSet> = draft
        .metrics
        .iter()
        .map(|metric| FactSet::of(draft.entities.len(), metric.iter().flat_map(|metric| metric.facts.iter().copied())))
        .collect();
    for position in 0..draft.index.views.len() {
        let (name, definition) = draft.index.views.at(position);
        let (view, missing) = one(draft, name, definition, &facts_of, out);
        draft.views.push(view);
        draft.missing.push(missing);
    }
}

fn safe_and_weighted_ways(draft: &mut Draft<'_>) {
    let count = draft.entities.len();
    for (from, to) in (0..count).flat_map(|from| (0..count).map(move |to| (EntityId(from as u16), EntityId(to as u16)))) {
        let reach = match draft.graph.way(from, to, Layer::Safe) {
            Way::One(path) => Some(Reach { path, fan: Fan::None }),
            Way::Ambiguous(one, other) => {
                draft.paths.insert_ambiguous(from, to, [one, other]);
                None
            }
            Way::None => match draft.graph.way(from, to, Layer::Weighted) {
                Way::One(path) => Some(Reach { path, fan: Fan::Weighted }),
                Way::None | Way::Ambiguous(..) => None,
            },
        };
        if let Some(reach) = reach {
            draft.paths.insert(from, to, &[], reach);
        }
    }
}

/// A view, and the names that it would have if what is written for them were right.
fn one(
    draft: &mut Draft<'_>,
    name: &Text,
    definition: &written::View,
    facts_of: &[FactSet],
    out: &mut Diagnostics,
) -> (View, Vec<String>) {
    let named = named_metrics(draft, definition, out);
    let named_facts = match named.as_slice() {
        // Only `"*"`: whatever any fact can be grouped by may be meant.
        [] => FactSet::all(draft.entities.len()),
        named => facts_of_all(draft, named.iter().map(|(id, _)| *id), facts_of),
    };
    let found = expand(draft, definition, &named_facts, out);
    let reached: Vec<FactSet> = found.iter().map(|found| dimensions::facts_that_reach(draft, found)).collect();

    for (found, reached) in found.iter().zip(&reached) {
        report_misfits(draft, found, reached, &named, facts_of, out);
    }
    report_uncompared(draft, &named, &found, out);
    let mut metrics: Vec<MetricId> = named.iter().map(|(id, _)| *id).collect();
    if let Some(everything) = definition.metrics.iter().find(|metric| metric.value == "*") {
        let before = metrics.len();
        metrics.extend(every_metric_that_fits(draft, &metrics, &found, &reached, facts_of));
        if metrics.len() == before {
            out.push(
                Diagnostic::warning("M054", everything.span, "no further metric fits all dimensions of this view")
                    .help("remove `\"*\"`, or the dimensions that only some facts reach"),
            );
        }
    }
    let movement_grains = movement_grains(draft, definition, &metrics, out);
    let missing = missing(draft, definition, &found);
    let view = View {
        name: name.value.clone(),
        label: label(definition.label.as_ref(), &name.value),
        description: owned(definition.description.as_ref()),
        metrics,
        dimensions: named_once(found, out),
        movement_grains,
        span: name.span,
    };
    (view, missing)
}

/// The names of what could not be found, as they are written.
fn missing(draft: &Draft<'_>, definition: &written::View, found: &[Found]) -> Vec<String> {
    let metrics = definition.metrics.iter().map(|text| text.value.as_str());
    let metrics = metrics.filter(|name| *name != "*" && draft.index.metrics.get(name).is_none());
    let dimensions = definition.dimensions.iter().filter(|item| !found.iter().any(|found| found.span == item.path.span));
    let names = dimensions.map(|item| match &item.name {
        Some(name) => name.value.as_str(),
        None => item.path.value.rsplit('.').next().unwrap_or_default(),
    });
    metrics.chain(names).map(str::to_owned).collect()
}

/// The metrics that the author named, with their places.
fn named_metrics<'a>(draft: &Draft<'_>, definition: &'a written::View, out: &mut Diagnostics) -> Vec<(MetricId, &'a Text)> {
    let mut seen = HashSet::new();
    let mut named = Vec::new();
    for text in definition.metrics.iter().filter(|text| text.value != "*") {
        let Some(id) = draft.index.metrics.find(&text.value, text.span, out) else { continue };
        if seen.insert(id) {
            named.push((MetricId(id as u16), text));
        } else {
            out.push(Diagnostic::error("M002", text.span, format!("`{}` is in the view twice", text.value)));
        }
    }
    named
}

fn facts_of_all(draft: &Draft<'_>, metrics: impl Iterator<Item = MetricId>, facts_of: &[FactSet]) -> FactSet {
    let mut all = FactSet::empty(draft.entities.len());
    metrics.for_each(|metric| all.add_all(&facts_of[metric.index()]));
    all
}

fn every_metric_that_fits(
    draft: &Draft<'_>,
    named: &[MetricId],
    found: &[Found],
    reached: &[FactSet],
    facts_of: &[FactSet],
) -> Vec<MetricId> {
    let named: HashSet<MetricId> = named.iter().copied().collect();
    let mut common = FactSet::all(draft.entities.len());
    reached.iter().for_each(|reached| common.keep_only(reached));
    let ids = (0..draft.metrics.len()).map(|id| MetricId(id as u16));
    let fits = |id: &MetricId| draft.metrics[id.index()].as_ref().is_some_and(|metric| uncompared(draft, metric, found).is_none());
    ids.filter(|id| fits(id) && !named.contains(id) && facts_of[id.index()].is_within(&common)).collect()
}

/// An entity that a metric compares with others and that no question of the view can group by.
fn uncompared(draft: &Draft<'_>, metric: &Metric, found: &[Found]) -> Option<EntityId> {
    let is_there =
        |target: ViewTarget| found.iter().any(|found| found.dimension.target == target && found.dimension.via.is_empty());
    metric.compares.iter().copied().find(|entity| {
        let mut key = draft.entity(*entity).key.iter().map(|index| DimensionId { entity: *entity, index: *index });
        !is_there(ViewTarget::Entity(*entity)) && !key.all(|part| is_there(ViewTarget::Dimension(part)))
    })
}

fn report_uncompared(draft: &Draft<'_>, named: &[(MetricId, &Text)], found: &[Found], out: &mut Diagnostics) {
    for (id, text) in named {
        let Some(metric) = &draft.metrics[id.index()] else { continue };
        let Some(entity) = uncompared(draft, metric, found) else { continue };
        let name = &draft.entity(entity).name;
        out.push(
            Diagnostic::error(
                "M055",
                text.span,
                format!("`{}` compares each `{name}` with others, and the view has no `{name}` to group by", metric.name),
            )
            .help(format!("add `{name}` to its `dimensions:`")),
        );
    }
}

/// One message per dimension, however many metrics it does not fit.
fn report_misfits(
    draft: &Draft<'_>,
    found: &Found,
    reached: &FactSet,
    named: &[(MetricId, &Text)],
    facts_of: &[FactSet],
    out: &mut Diagnostics,
) {
    let misfits: Vec<&(MetricId, &Text)> = named.iter().filter(|(id, _)| !facts_of[id.index()].is_within(reached)).collect();
    let Some((first, _)) = misfits.first() else { return };
    let Some(fact) = facts_of[first.index()].first_outside(reached) else { return };
    if draft.may_lack_ways(fact) {
        return;
    }
    let names: Vec<String> = misfits.iter().take(5).map(|(_, text)| format!("`{}`", text.value)).collect();
    let more = misfits.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let why = dimensions::why_not(draft, found, fact);
    let mut diagnostic = Diagnostic { code: "M050", ..why };
    diagnostic.message = format!("`{}` does not fit {}{more}: {}", found.dimension.name, names.join(", "), diagnostic.message);
    for (_, text) in misfits.iter().take(5) {
        diagnostic = diagnostic.also(text.span, "does not fit");
    }
    out.push(diagnostic);
}

fn named_once(found: Vec<Found>, out: &mut Diagnostics) -> Vec<ViewDimension> {
    let mut dimensions: Vec<(ViewDimension, crate::source::Span)> = Vec::with_capacity(found.len());
    for Found { dimension, span, path_text, .. } in found {
        if let Some((first, first_span)) = dimensions.iter().find(|(first, _)| first.name == dimension.name) {
            let owner = path_text.split('.').rev().nth(1).unwrap_or("other");
            out.push(
                Diagnostic::error("M051", span, format!("two dimensions of this view are called `{}`", first.name))
                    .also(*first_span, "the first one")
                    .help(format!("rename one: `{{path: {path_text}, name: {owner}_{}}}`", first.name)),
            );
            continue;
        }
        dimensions.push((dimension, span));
    }
    dimensions.into_iter().map(|(dimension, _)| dimension).collect()
}

/// The movement grains that every movement behind the view knows.
fn movement_grains(draft: &Draft<'_>, definition: &written::View, metrics: &[MetricId], out: &mut Diagnostics) -> Vec<String> {
    let mut facts: Vec<EntityId> = Vec::new();
    let mut seen = HashSet::new();
    let mut stack: Vec<MetricId> = metrics.to_vec();
    while let Some(id) = stack.pop() {
        let Some(metric) = draft.metrics[id.index()].as_ref().filter(|metric| metric.is_movement && seen.insert(id)) else {
            continue;
        };
        facts.extend(movement_fact(metric));
        stack.extend(&metric.inputs);
    }
    facts.sort_unstable();
    facts.dedup();
    let names = |fact: &EntityId| -> Vec<String> {
        let movements = draft.entity(*fact).movements.as_ref();
        movements.map(|movements| movements.grains.iter().map(|grain| grain.name.clone()).collect()).unwrap_or_default()
    };
    let Some((first, others)) = facts.split_first() else {
        return Vec::new();
    };
    let mut common = names(first);
    for other in others {
        let theirs = names(other);
        common.retain(|name| theirs.contains(name));
        let order: Vec<&String> = theirs.iter().filter(|name| common.contains(name)).collect();
        if order != common.iter().collect::<Vec<_>>() {
            let (first, other) = (&draft.entity(*first).name, &draft.entity(*other).name);
            out.push(
                Diagnostic::error(
                    "M053",
                    definition.view.span,
                    format!("`{first}` and `{other}` order their movement grains differently"),
                )
                .help("write the shared grains in one order; the first is the default"),
            );
        }
    }
    if common.is_empty() {
        let names: Vec<&str> = facts.iter().map(|fact| draft.entity(*fact).name.as_str()).collect();
        out.push(
            Diagnostic::error("M053", definition.view.span, "the movements of this view share no grain")
                .label(format!("they compare members of {}", names.join(", ")))
                .help("give the entities a movement grain of one name, or split the view"),
        );
    }
    common
}

fn movement_fact(metric: &Metric) -> Option<EntityId> {
    match &metric.kind {
        MetricKind::Movement(movement) | MetricKind::Cohort { movement, .. } => Some(movement.measure.entity),
        MetricKind::Simple { .. }
        | MetricKind::Ratio { .. }
        | MetricKind::Derived { .. }
        | MetricKind::Cumulative { .. }
        | MetricKind::Offset { .. }
        | MetricKind::PerEntity { .. }
        | MetricKind::Share { .. }
        | MetricKind::Score(_)
        | MetricKind::OfScore { .. }
        | MetricKind::Series(_)
        | MetricKind::Peers(_) => None,
    }
}
