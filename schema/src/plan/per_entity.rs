//! A metric per entity to a leaf: what is evaluated as a plan of its own by the entity's key, and how its rows are aggregated.

use super::{
    Leaf, LeafKey, LeafKind, Output, PerEntityColumn, PerEntityLeaf, Plan, Slot, Timing,
    build::{Builder, Context, grain_error, key_of, outer_key, position_or_push},
};
use crate::{
    expr::{BinaryOp, CaseArm, Expr},
    model::{EntityId, Metric, MetricId, entity::Aggregate, metric::Top},
    query::{
        bound::{BoundKey, Field, KeyItem},
        condition::Condition,
        error::QueryError,
    },
    time::Grain,
    value::{Value as Literal, ValueType},
};

/// What is evaluated, and for what.
pub(super) struct PerEntity<'a> {
    /// For each of these.
    pub(super) entity: EntityId,
    /// And each of these periods.
    pub(super) each: Option<Grain>,
    /// Its value; `None` counts.
    pub(super) of: Option<&'a Expr<MetricId>>,
    /// How values are brought together.
    pub(super) aggregate: Aggregate,
    /// Entities that count.
    pub(super) condition: Option<&'a Expr<MetricId>>,
    /// What part of the sum the largest have, instead.
    pub(super) top: Option<&'a Top>,
}

/// A leaf that metrics over the same rows may share.
pub(super) struct Evaluated {
    leaf: usize,
    entity: EntityId,
    each: Option<Grain>,
    timing: Timing,
    filter: Vec<Condition<Field>>,
    values: Vec<Value>,
}

/// A value of each entity.
#[derive(Clone, PartialEq)]
struct Value {
    expr: Expr<MetricId>,
    value_type: ValueType,
}

impl Builder<'_> {
    /// The grain of the periods for each of which a metric is evaluated per entity, where the question's own periods are coarser.
    pub(super) fn each(&self, metric: &Metric, each: Option<Grain>) -> Result<Option<Grain>, QueryError> {
        match (each, self.period()) {
            (Some(each), Some(asked)) if !asked.is_made_of(each) => Err(grain_error(metric, asked, each)),
            (Some(each), Some(asked)) if asked == each => Ok(None),
            (each, _) => Ok(each),
        }
    }

    pub(super) fn per_entity(&mut self, wanted: PerEntity<'_>, context: Context<'_>) -> Result<Expr<Slot>, QueryError> {
        let of = wanted.of.map(|expr| Value { expr: expr.clone(), value_type: ValueType::Decimal });
        let condition = wanted.condition.map(|expr| Value { expr: expr.clone(), value_type: ValueType::Bool });
        let position = self.evaluated(&wanted, of.iter().chain(&condition).cloned().collect(), context)?;
        let Evaluated { leaf, values, .. } = &self.evaluated[position];
        let leaf = *leaf;
        let place = |value: Value| {
            values.iter().position(|known| *known == value).expect("the leaf has every value that it was found or made for")
        };
        let (of, condition) = (of.map(place), condition.map(place));
        let mut slot = |aggregate, top| {
            let LeafKind::PerEntity(per_entity) = &mut self.leaves[leaf].kind else {
                unreachable!("the leaf was made for metrics per entity")
            };
            let column = PerEntityColumn { aggregate, of, condition, top };
            Expr::Ref(Slot { leaf, column: position_or_push(&mut per_entity.columns, column) })
        };
        Ok(match (wanted.aggregate, wanted.top) {
            (_, Some(top)) => {
                let largest = slot(Aggregate::Sum, Some(top.share.clone()));
                let share = Expr::binary(BinaryOp::Divide, largest, slot(Aggregate::Sum, None));
                let least = Expr::Literal(Literal::Int(i64::from(top.at_least)));
                let enough = Expr::binary(BinaryOp::GreaterOrEqual, slot(Aggregate::Count, None), least);
                Expr::Case { arms: vec![CaseArm { when: enough, then: share }], otherwise: None }
            }
            (Aggregate::Average, None) => Expr::binary(BinaryOp::Divide, slot(Aggregate::Sum, None), slot(Aggregate::Count, None)),
            (other, None) => slot(other, None),
        })
    }

    /// The leaf that has these values. Metrics share one when they look at the same facts: then it has the same rows for each of
    /// them, and whether a group is there does not depend on what else is asked.
    fn evaluated(&mut self, wanted: &PerEntity<'_>, values: Vec<Value>, context: Context<'_>) -> Result<usize, QueryError> {
        let (entity, each, timing) = (wanted.entity, wanted.each, context.timing);
        let keys = self.keys_of_each(entity, each, timing);
        let alone = self.inner(&keys, &values, context)?;
        for position in 0..self.evaluated.len() {
            let known = &self.evaluated[position];
            let same = (known.entity, known.each, known.timing) == (entity, each, timing) && known.filter == context.filter;
            // A leaf puts its rows into the order of one value at most.
            if !same || wanted.top.is_some() {
                continue;
            }
            let leaf = known.leaf;
            let mut all = known.values.clone();
            values.iter().for_each(|value| {
                position_or_push(&mut all, value.clone());
            });
            let together = self.inner(&keys, &all, context)?;
            let LeafKind::PerEntity(per_entity) = &mut self.leaves[leaf].kind else {
                unreachable!("the leaf was made for metrics per entity")
            };
            let count = together.leaves.len();
            if count == alone.leaves.len() && count == per_entity.inner.leaves.len() {
                *per_entity.inner = together;
                self.evaluated[position].values = all;
                return Ok(position);
            }
        }
        let is_kept = |key: &&BoundKey| !timing.total || matches!(key.item, KeyItem::Period(_));
        let outer: Vec<LeafKey> = self.keys.iter().filter(is_kept).map(|key| outer_key(&key.item)).collect();
        let kind = LeafKind::PerEntity(PerEntityLeaf { inner: Box::new(alone), columns: Vec::new() });
        let leaf = self.push(Leaf { timing, keys: outer, kind });
        self.evaluated.push(Evaluated { leaf, entity, each, timing, filter: context.filter.to_vec(), values });
        Ok(self.evaluated.len() - 1)
    }

    /// The question's keys, the entity's own, and the period of which there may be several.
    fn keys_of_each(&self, entity: EntityId, each: Option<Grain>, timing: Timing) -> Vec<BoundKey> {
        let is_kept = |key: &&BoundKey| !timing.total || matches!(key.item, KeyItem::Period(_));
        let mut keys: Vec<BoundKey> = self.keys.iter().filter(is_kept).cloned().collect();
        keys.extend(key_of(self.model, entity));
        keys.extend(each.map(|grain| BoundKey {
            key: "per_entity_each".to_owned(),
            by: usize::MAX,
            part: 0,
            value_type: ValueType::Date,
            item: KeyItem::Period(grain),
        }));
        keys
    }

    fn inner(&self, keys: &[BoundKey], values: &[Value], context: Context<'_>) -> Result<Plan, QueryError> {
        let query = self.question_of(context.timing);
        let mut inner = Builder::new(self.model, &query, keys.to_vec());
        let context = Context { timing: Timing { total: false, ..context.timing }, ..context };
        let mut outputs = Vec::new();
        for Value { expr, value_type } in values {
            let value = inner.over_metrics(expr, context)?;
            outputs.push(Output { key: String::new(), value, previous: None, status: None, value_type: *value_type });
        }
        Ok(inner.finish(outputs).unlimited())
    }
}
