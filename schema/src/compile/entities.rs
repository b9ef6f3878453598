//! Questions about rows of an entity, compiled.

use super::{CompiledCount, CompiledEntities, EntityColumn, Terms, metrics::env as question_env, ttl_seconds};
use crate::{
    model::{EntityId, Model},
    plan::{
        entity::{self as plan, EntityPlan},
        entity_text,
    },
    query::{Access, Caller, EntityQuery, Page, QueryError, bind_entities, bind_entities_for, entity::BoundEntities},
    sql::{
        Dialect, OutputColumn, Statement,
        lower::{Named, entity as lower, lower_named, scan::Env},
        render::render,
    },
    value::ValueType,
};

/// Compiles one level of an entity selection for a caller.
///
/// # Errors
/// When the question cannot be right, or asks for what the caller may not see.
pub fn entities(model: &Model, query: &EntityQuery, caller: &Caller, dialect: Dialect) -> Result<CompiledEntities, QueryError> {
    entities_on(Terms::unhurried(&Access::of(model, caller), dialect), model, query)
}

/// Compiles one level of an entity selection on terms.
///
/// # Errors
/// As [`entities`], and those of the checkpoint.
pub fn entities_on(terms: Terms<'_>, model: &Model, query: &EntityQuery) -> Result<CompiledEntities, QueryError> {
    let Terms { access, dialect, checkpoint } = terms;
    let bound = bind_entities_for(model, query, access.clone())?;
    checkpoint()?;
    let plan = plan::build(model, &bound)?;
    checkpoint()?;
    let lowered = lower::rows(env(model, &bound), &plan, metrics(model, &bound, &plan));
    checkpoint()?;
    let outputs = plan
        .columns
        .iter()
        .map(|column| OutputColumn { name: lower::alias(column.role).0.to_string(), value_type: column.value_type })
        .collect();
    Ok(CompiledEntities {
        ttl_seconds: ttl_seconds(model, &lowered.entities),
        rows: render(&lowered.query, outputs, dialect, plan.is_lookup),
        columns: plan.columns.iter().map(|column| column.role).collect(),
        policies: bound.access.applied(model, &lowered.entities),
        entities: lowered.entities.into_iter().collect(),
    })
}

/// Compiles the number of rows of an entity question for a caller, whatever its page.
///
/// # Errors
/// As for the rows.
pub fn count(model: &Model, query: &EntityQuery, caller: &Caller, dialect: Dialect) -> Result<CompiledCount, QueryError> {
    count_on(Terms::unhurried(&Access::of(model, caller), dialect), model, query)
}

/// Compiles the number of rows of an entity question on terms, whatever its page.
///
/// # Errors
/// As for the rows.
pub fn count_on(terms: Terms<'_>, model: &Model, query: &EntityQuery) -> Result<CompiledCount, QueryError> {
    let Terms { access, dialect, checkpoint } = terms;
    let page = Page { limit: 0, offset: 0, after: None, before: None, backwards: false };
    let counted = EntityQuery { order_by: Vec::new(), page, ..query.clone() };
    let bound = bind_entities_for(model, &counted, access.clone())?;
    checkpoint()?;
    let plan = plan::build(model, &bound)?;
    checkpoint()?;
    let lowered = lower::count(env(model, &bound), &plan, metrics(model, &bound, &plan));
    checkpoint()?;
    Ok(CompiledCount {
        ttl_seconds: ttl_seconds(model, &lowered.entities),
        rows: render(&lowered.query, count_outputs(&plan), dialect, plan.is_lookup),
        policies: bound.access.applied(model, &lowered.entities),
        entities: lowered.entities.into_iter().collect(),
    })
}

/// The statement whose one value changes whenever rows of an entity change: the newest value of its refresh column, as text. `None`
/// when the entity declares none.
pub fn refresh_key(model: &Model, entity: EntityId, dialect: Dialect) -> Option<Statement> {
    let entity = model.entity(entity);
    let column = entity.freshness.refresh.as_ref()?;
    let output = OutputColumn { name: "r0".to_owned(), value_type: ValueType::Text };
    Some(render(&lower::refresh_key(&entity.source, column), vec![output], dialect, true))
}

/// The plan of an entity question as text for people.
///
/// # Errors
/// As for the rows.
pub fn explain_entities(model: &Model, query: &EntityQuery, caller: &Caller) -> Result<String, QueryError> {
    let bound = bind_entities(model, query, caller)?;
    let mut text = entity_text(model, &plan::build(model, &bound)?);
    for policy in entities(model, query, caller, Dialect::Postgres)?.policies {
        text.push_str(&format!("  policy  {policy}\n"));
    }
    Ok(text)
}

fn env<'a>(model: &'a Model, bound: &'a BoundEntities) -> Env<'a> {
    Env {
        model,
        access: &bound.access,
        as_of: bound.as_of,
        as_known_at: bound.as_known_at,
        time_zone: &model.project.time_zone,
        is_restated: false,
    }
}

/// The metrics of rows, as of their own moment.
fn metrics(model: &Model, bound: &BoundEntities, plan: &EntityPlan) -> Option<Named> {
    let (question, plan) = bound.metrics.as_ref().zip(plan.metrics.as_ref())?;
    Some(lower_named(question_env(model, question), plan))
}

fn count_outputs(plan: &EntityPlan) -> Vec<OutputColumn> {
    let parents = plan.columns.iter().filter(|column| match column.role {
        EntityColumn::ParentKey(_) => true,
        EntityColumn::Key(_) | EntityColumn::Dimension(_) | EntityColumn::Order(_) => false,
    });
    let mut outputs: Vec<OutputColumn> = parents
        .map(|column| OutputColumn { name: lower::alias(column.role).0.to_string(), value_type: column.value_type })
        .collect();
    outputs.push(OutputColumn { name: lower::count_alias().0.to_string(), value_type: ValueType::Int });
    outputs
}

#[cfg(test)]
mod tests;
