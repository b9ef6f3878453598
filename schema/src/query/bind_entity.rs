//! Names to ids for questions about rows of an entity.

use jiff::tz::TimeZone;

use super::{
    BoundQuery, Caller, EntityOrderBy, EntityOrderKey, EntityQuery, Filter, MetricSelection, Nulls, Page, Parents,
    access::Access,
    bind::{bind_for, bind_having},
    bind_condition::{Names, bind_condition, fit_key},
    bound::BoundMetric,
    condition::Condition,
    entity::{BoundEntities, BoundOrder, BoundParents, RowField},
    error::{QueryError, QueryErrorCode as Code},
    related::check_joins,
    value_check,
};
use crate::{
    expr::Expr,
    model::{
        Cardinality, DimensionId, Entity, EntityId, Model, Path, RelationshipId, RelationshipIndex, Segment, path::PathDimension,
    },
    suggest,
    value::{Value, ValueType},
};

/// Checks a question about rows of an entity against the model and what the caller may see.
///
/// # Errors
/// The first thing that cannot be right, with suggestions.
pub fn bind_entities(model: &Model, query: &EntityQuery, caller: &Caller) -> Result<BoundEntities, QueryError> {
    bind_entities_for(model, query, Access::of(model, caller))
}

/// Checks a question about rows of an entity against the model and what somebody may see.
pub(crate) fn bind_entities_for(model: &Model, query: &EntityQuery, access: Access) -> Result<BoundEntities, QueryError> {
    let entity = entity_named(model, &query.entity)?;
    let zone = TimeZone::get(&model.project.time_zone).unwrap_or(TimeZone::UTC);
    let names = EntityNames { model, base: Path::new(), entity, access: &access, zone };
    if let Some(filter) = &query.filter {
        check_joins(model, entity, filter)?;
    }
    let filter = query.filter.as_ref().map(|filter| bind_condition(model, &names, filter)).transpose()?;
    let metrics = bind_metrics(model, query, &access)?;
    let known = metrics.as_ref().map_or(&[][..], |metrics| &metrics.metrics);
    let having = query.having.as_ref().map(|having| bind_having(model, having, known)).transpose()?;
    let order_by = query.order_by.iter().map(|order| names.order(order, known)).collect::<Result<Vec<_>, _>>()?;
    Ok(BoundEntities {
        entity,
        dimensions: query.dimensions.iter().map(|name| names.only_dimension(name)).collect::<Result<_, _>>()?,
        parents: query.parents.as_ref().map(|parents| bind_parents(model, entity, parents, &access)).transpose()?,
        filter: filter.map(Condition::conjuncts).unwrap_or_default(),
        page: bind_page(model, entity, &order_by, &query.page)?,
        order_by,
        having,
        metrics,
        as_of: query.as_of,
        as_known_at: query.as_known_at,
        access,
    })
}

/// The argument that says how metrics of rows are computed.
pub(crate) const METRICS: &str = "metrics";

/// The question for the metrics that order and conditions speak of.
fn bind_metrics(model: &Model, query: &EntityQuery, access: &Access) -> Result<Option<BoundQuery>, QueryError> {
    let mut used: Vec<&String> = Vec::new();
    if let Some(having) = &query.having {
        collect_fields(having, &mut used);
    }
    used.extend(query.order_by.iter().filter_map(|order| match &order.by {
        EntityOrderKey::Metric(name) => Some(name),
        EntityOrderKey::Dimension(_) => None,
    }));
    // The same metrics in another order are the same subquery.
    used.sort();
    used.dedup();
    if used.is_empty() {
        return Ok(None);
    }
    let select = |name: &String| MetricSelection::of(name);
    let selections = used.into_iter().map(select).collect();
    let question = query.metrics.question(&query.entity, selections, query.as_of, query.as_known_at);
    bind_for(model, &question, access.clone()).map(Some)
}

fn collect_fields<'a>(filter: &'a Filter, out: &mut Vec<&'a String>) {
    match filter {
        Filter::And(list) | Filter::Or(list) => list.iter().for_each(|item| collect_fields(item, out)),
        Filter::Not(inner) => collect_fields(inner, out),
        Filter::Compare { field, .. } | Filter::In { field, .. } | Filter::IsNull { field, .. } => out.push(field),
        // Refused as conditions on metrics, under whatever name.
        Filter::Matches { .. } | Filter::KeyIn { .. } | Filter::InSegment(_) | Filter::Related { .. } => {}
    }
}

fn entity_named(model: &Model, name: &str) -> Result<EntityId, QueryError> {
    model.entity_named(name).ok_or_else(|| {
        QueryError::new(Code::NameNotFound, format!("there is no entity `{name}`"))
            .suggest(suggest::nearest(name, model.entities.iter().map(|entity| entity.name.as_str())))
    })
}

fn bind_parents(model: &Model, entity: EntityId, parents: &Parents, access: &Access) -> Result<BoundParents, QueryError> {
    let above = entity_named(model, &parents.entity)?;
    let index = relationship_named(model, above, &parents.relationship, access).ok_or_else(|| {
        let message = format!("entity `{}` has no relationship `{}`", parents.entity, parents.relationship);
        let known = relationships(model, above, access).map(|(_, name)| name);
        QueryError::new(Code::NameNotFound, message).suggest(suggest::nearest(&parents.relationship, known))
    })?;
    let relationship = RelationshipId { entity: above, index };
    let leads_to = model.relationship(relationship).to;
    if leads_to != entity {
        let [wanted, found] = [entity, leads_to].map(|id| model.entity(id).name.as_str());
        let message = format!("relationship `{}` leads to `{found}`, not to `{wanted}`", parents.relationship);
        return Err(QueryError::new(Code::InvalidArgument, message));
    }
    let types: Vec<_> = key_dimensions(model, above).map(|id| model.dimension(id).value_type).collect();
    let mut keys = parents.keys.iter().map(|key| fit_key(&parents.entity, key, &types)).collect::<Result<Vec<_>, _>>()?;
    keys.sort();
    keys.dedup();
    Ok(BoundParents { relationship, keys })
}

/// The relationships that there are.
fn relationships<'m>(model: &'m Model, of: EntityId, access: &Access) -> impl Iterator<Item = (RelationshipIndex, &'m str)> {
    let all = model.entity(of).relationships.iter().enumerate();
    all.map(|(index, relationship)| (RelationshipIndex(index as u16), relationship.name.as_str()))
        .filter(move |(index, _)| !access.hidden_relationships.contains(&RelationshipId { entity: of, index: *index }))
}

fn relationship_named(model: &Model, of: EntityId, name: &str, access: &Access) -> Option<RelationshipIndex> {
    relationships(model, of, access).find(|(_, known)| *known == name).map(|(index, _)| index)
}

fn bind_page(model: &Model, entity: EntityId, order_by: &[BoundOrder], page: &Page) -> Result<Page, QueryError> {
    let ordered = order_by.iter().map(|order| (order.value_type, true));
    let key = key_dimensions(model, entity).map(|id| (model.dimension(id).value_type, false));
    let columns: Vec<_> = ordered.chain(key).collect();
    let cursor = |values: &Option<Vec<Value>>| values.as_deref().map(|values| fit_cursor(values, &columns)).transpose();
    Ok(Page { after: cursor(&page.after)?, before: cursor(&page.before)?, ..page.clone() })
}

fn fit_cursor(values: &[Value], columns: &[(ValueType, bool)]) -> Result<Vec<Value>, QueryError> {
    let foreign = || {
        QueryError::new(Code::InvalidArgument, "the cursor does not belong to a list in this order")
            .help("take cursors from an answer with the same orderBy")
    };
    if values.len() != columns.len() {
        return Err(foreign());
    }
    let fit = |(value, (value_type, nullable)): (&Value, &(ValueType, bool))| match value {
        Value::Null if *nullable => Ok(Value::Null),
        value => value_check::fit("cursor", value, *value_type).map_err(|_| foreign()),
    };
    values.iter().zip(columns).map(fit).collect()
}

fn key_dimensions(model: &Model, entity: EntityId) -> impl Iterator<Item = DimensionId> {
    model.entity(entity).key.iter().map(move |index| DimensionId { entity, index: *index })
}

/// Names as seen from one entity: its dimensions, itself, and both of every entity that relationships lead to without multiplying
/// rows, as in `account.region`.
struct EntityNames<'a> {
    model: &'a Model,
    /// From the rows of the question to those of the entity: empty, or in conditions on related rows the way there.
    base: Path,
    entity: EntityId,
    access: &'a Access,
    zone: TimeZone,
}

/// What a name stands for.
enum Place {
    Dimension(PathDimension),
    Entity(Path, EntityId),
}

impl EntityNames<'_> {
    fn order(&self, order: &EntityOrderBy, metrics: &[BoundMetric]) -> Result<BoundOrder, QueryError> {
        let (field, value_type) = match &order.by {
            EntityOrderKey::Dimension(name) => {
                let dimension = self.field(name)?;
                let value_type = self.value_type(&dimension);
                (RowField::Dimension(dimension), value_type)
            }
            EntityOrderKey::Metric(name) => {
                let position = metrics.iter().position(|metric| metric.key == *name);
                let position = position.expect("every metric of the order is asked for");
                (RowField::Metric(position), self.model.metric(metrics[position].metric).value_type)
            }
        };
        Ok(BoundOrder { field, value_type, direction: order.direction, nulls: order.nulls.unwrap_or(Nulls::Last) })
    }

    fn only_dimension(&self, name: &str) -> Result<PathDimension, QueryError> {
        match &self.parts(name)?[..] {
            [only] => Ok(only.clone()),
            _ => Err(QueryError::new(Code::InvalidArgument, format!("`{name}` has a key of several parts"))
                .help("compare it with whole keys, or use one of its dimensions")),
        }
    }

    fn parts(&self, name: &str) -> Result<Vec<PathDimension>, QueryError> {
        Ok(match self.place(name)? {
            Place::Dimension(dimension) => vec![dimension],
            Place::Entity(path, entity) => self.key_at(&path, entity),
        })
    }

    fn key_at(&self, path: &Path, entity: EntityId) -> Vec<PathDimension> {
        key_dimensions(self.model, entity).map(|dimension| PathDimension { path: path.clone(), dimension }).collect()
    }

    fn place(&self, name: &str) -> Result<Place, QueryError> {
        if name.is_empty() {
            return Ok(Place::Entity(self.base.clone(), self.entity));
        }
        let (hops, last) = match name.rsplit_once('.') {
            Some((hops, last)) => (hops.split('.').collect(), last),
            None => (Vec::new(), name),
        };
        let mut path = self.base.clone();
        let mut at = self.entity;
        for hop in hops {
            at = self.follow(&mut path, at, hop)?;
        }
        let entity = self.model.entity(at);
        if let Some(index) = entity.dimension_named(last)
            && self.is_visible(DimensionId { entity: at, index })
        {
            return Ok(Place::Dimension(PathDimension { path, dimension: DimensionId { entity: at, index } }));
        }
        if path == self.base && last == entity.name {
            return Ok(Place::Entity(path, at));
        }
        let to = self.follow(&mut path, at, last)?;
        Ok(Place::Entity(path, to))
    }

    fn follow(&self, path: &mut Path, at: EntityId, name: &str) -> Result<EntityId, QueryError> {
        let entity = self.model.entity(at);
        let Some(index) = relationship_named(self.model, at, name, self.access) else { return Err(self.unknown(at, entity, name)) };
        let relationship = self.model.relationship(RelationshipId { entity: at, index });
        match relationship.cardinality {
            Cardinality::ManyToOne | Cardinality::OneToOne => {}
            Cardinality::OneToMany | Cardinality::ManyToMany { .. } => {
                let message = format!("`{name}` of `{}` has many rows, so it cannot be used here", entity.name);
                return Err(QueryError::new(Code::FanOut, message).help("put the condition on the nested list"));
            }
        }
        // Rows that are not there for the caller are not joined, whichever way leads to them: `sql/lower/scan.rs`.
        path.push(RelationshipId { entity: at, index });
        Ok(relationship.to)
    }

    fn is_visible(&self, id: DimensionId) -> bool {
        !self.model.dimension(id).hidden && !self.access.hidden.contains(&id)
    }

    fn unknown(&self, at: EntityId, entity: &Entity, name: &str) -> QueryError {
        let dimensions =
            entity.dimensions.iter().enumerate().filter(|(index, _)| {
                self.is_visible(DimensionId { entity: at, index: crate::model::DimensionIndex(*index as u16) })
            });
        let known = dimensions.map(|(_, dimension)| dimension.name.as_str());
        let known = known.chain(relationships(self.model, at, self.access).map(|(_, name)| name));
        QueryError::new(Code::NameNotFound, format!("entity `{}` has no dimension `{name}`", entity.name))
            .suggest(suggest::nearest(name, known))
    }
}

impl Names for EntityNames<'_> {
    type Field = PathDimension;

    /// For conditions and order: what is masked would show in which rows come, and where.
    fn field(&self, name: &str) -> Result<PathDimension, QueryError> {
        let field = self.only_dimension(name)?;
        if self.access.masked.contains(&field.dimension) {
            let message = format!("`{name}` is masked for you, so it cannot be a condition or an order");
            return Err(QueryError::new(Code::Forbidden, message));
        }
        Ok(field)
    }

    fn key(&self, name: &str) -> Result<Vec<PathDimension>, QueryError> {
        match self.place(name)? {
            Place::Entity(path, entity) => Ok(self.key_at(&path, entity)),
            Place::Dimension(_) => {
                Err(QueryError::new(Code::InvalidArgument, format!("`{name}` is a dimension, so it has no key"))
                    .help("compare it with values"))
            }
        }
    }

    fn segment(&self, segment: &Segment) -> Result<Expr<PathDimension>, QueryError> {
        let prefix: Path = match self.model.path_between(self.entity, segment.entity) {
            _ if segment.entity == self.entity => self.base.clone(),
            Some(reach) => self.base.iter().chain(&reach.path).copied().collect(),
            None => {
                let [ours, its] = [self.entity, segment.entity].map(|id| self.model.entity(id).name.as_str());
                let message = format!("entity `{ours}` has no `{its}`, so segment `{}` does not apply", segment.name);
                return Err(QueryError::new(Code::NoPath, message));
            }
        };
        segment.filter.try_map(&mut |place| {
            let path = prefix.iter().chain(&place.path).copied().collect();
            Ok(Expr::Ref(PathDimension { path, dimension: place.dimension }))
        })
    }

    fn related(&self, relationship: &str) -> Result<(Self, PathDimension), QueryError> {
        let mut base = self.base.clone();
        let entity = self.follow(&mut base, self.entity, relationship)?;
        // Of a key that is masked all is null, whether there is a row or not.
        let key = self.key_at(&base, entity).into_iter().find(|part| !self.access.masked.contains(&part.dimension));
        let key = key.ok_or_else(|| {
            let message = format!("the key of `{relationship}` is masked for you, so it cannot be a condition");
            QueryError::new(Code::Forbidden, message).help("select it as a nested field")
        })?;
        Ok((Self { model: self.model, base, entity, access: self.access, zone: self.zone.clone() }, key))
    }

    fn value_type(&self, field: &PathDimension) -> ValueType {
        self.model.dimension(field.dimension).value_type
    }

    fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    fn access(&self) -> &Access {
        self.access
    }
}
