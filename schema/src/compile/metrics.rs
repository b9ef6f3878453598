//! A metric question, from names to statements.

use std::collections::BTreeSet;

use super::{CompiledMetrics, Terms, ttl_seconds};
use crate::{
    model::{EntityId, Model, path::Fan},
    plan::{self, Leaf, LeafKey, LeafKind, Plan},
    query::{self, Access, BoundQuery, Caller, DimensionBasis, MetricQuery, QueryError},
    sql::{
        Dialect,
        lower::{self, Lowered, scan::Env},
        render::render,
    },
};

/// Compiles a metric question for a caller: bind, plan, lower, render.
///
/// # Errors
/// Whatever cannot be right, before anything runs.
pub fn metrics(model: &Model, query: &MetricQuery, caller: &Caller, dialect: Dialect) -> Result<CompiledMetrics, QueryError> {
    metrics_on(Terms::unhurried(&Access::of(model, caller), dialect), model, query)
}

/// Compiles a metric question on terms.
///
/// # Errors
/// As [`metrics`], and those of the checkpoint.
pub fn metrics_on(terms: Terms<'_>, model: &Model, query: &MetricQuery) -> Result<CompiledMetrics, QueryError> {
    let Terms { access, dialect, checkpoint } = terms;
    let bound = query::bind_for(model, query, access.clone())?;
    checkpoint()?;
    let plan = plan::plan(model, &bound)?;
    checkpoint()?;
    let totals = bound.totals.then(|| plan::plan_totals(model, &bound)).transpose()?;
    checkpoint()?;
    let env = env(model, &bound);
    let rows = lower::lower(env, &plan);
    checkpoint()?;
    let totals = totals.map(|totals| lower::lower(env, &totals));
    checkpoint()?;
    let mut scanned: BTreeSet<EntityId> = rows.scanned.clone();
    scanned.extend(totals.iter().flat_map(|totals| &totals.scanned));
    let columns = rows.roles.clone();
    let total_columns = totals.as_ref().map(|totals| totals.roles.clone()).unwrap_or_default();
    let statement = |lowered: Lowered| render(&lowered.query, lowered.columns, dialect, false);
    Ok(CompiledMetrics {
        rows: statement(rows),
        totals: totals.map(statement),
        columns,
        total_columns,
        metrics: bound.metrics.iter().map(|metric| metric.metric).collect(),
        time_grain: bound.period(),
        movement_grain: movement_grain(&plan.leaves),
        overlapping: is_overlapping(&plan),
        policies: bound.access.applied(model, &scanned),
        ttl_seconds: ttl_seconds(model, &scanned),
        entities: scanned.into_iter().collect(),
    })
}

/// The stages of a metric question as text for people: what was asked once names are resolved, the plan, the SQL with its values.
///
/// # Errors
/// As [`metrics`].
pub fn explain(model: &Model, query: &MetricQuery, caller: &Caller, dialect: Dialect) -> Result<String, QueryError> {
    let bound = query::bind(model, query, caller)?;
    let plan = plan::plan(model, &bound)?;
    let lowered = lower::lower(env(model, &bound), &plan);
    let statement = render(&lowered.query, lowered.columns, dialect, false);
    let mut text = plan::explain::text(model, &plan);
    text.push_str("\nsql (");
    text.push_str(dialect.name());
    text.push_str("):\n");
    text.push_str(statement.sql.as_str());
    text.push('\n');
    for (n, param) in statement.params.iter().enumerate() {
        text.push_str(&format!("-- ${} = {param:?}\n", n + 1));
    }
    Ok(text)
}

/// What scans of a metric question have in common.
pub(super) fn env<'a>(model: &'a Model, bound: &'a BoundQuery) -> Env<'a> {
    Env {
        model,
        access: &bound.access,
        as_of: bound.as_of,
        as_known_at: bound.as_known_at,
        time_zone: &bound.time_zone,
        is_restated: bound.dimension_basis == DimensionBasis::Current,
    }
}

fn movement_grain(leaves: &[Leaf]) -> Option<String> {
    leaves.iter().find_map(|leaf| match &leaf.kind {
        LeafKind::Movement(movement) => Some(movement.grain.clone()),
        LeafKind::Cohort(cohort) => Some(cohort.movement.grain.clone()),
        LeafKind::PerEntity(per_entity) => movement_grain(&per_entity.inner.leaves),
        LeafKind::Series(series) => movement_grain(&series.inner.leaves),
        LeafKind::Peers(peers) => movement_grain(&peers.pool.leaves),
        LeafKind::Aggregate(_) | LeafKind::Cumulative(_) | LeafKind::AsOf(_) => None,
    })
}

fn is_overlapping(plan: &Plan) -> bool {
    plan.leaves.iter().any(|leaf| {
        let here = leaf.keys.iter().any(|key| match key {
            LeafKey::Period(_) | LeafKey::Cohort(_) | LeafKey::Age => false,
            LeafKey::Place(place) | LeafKey::PlacePeriod(place, _) => place.reach.fan == Fan::Overlapping,
        });
        here || match &leaf.kind {
            LeafKind::Movement(movement) => movement.is_refined,
            LeafKind::Cohort(cohort) => cohort.movement.is_refined,
            LeafKind::PerEntity(per_entity) => is_overlapping(&per_entity.inner),
            LeafKind::Series(series) => is_overlapping(&series.inner),
            LeafKind::Peers(peers) => is_overlapping(&peers.pool) || peers.rows.as_deref().is_some_and(is_overlapping),
            LeafKind::Aggregate(_) | LeafKind::Cumulative(_) | LeafKind::AsOf(_) => false,
        }
    })
}
