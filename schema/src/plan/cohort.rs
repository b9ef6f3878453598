//! The leaf of a cohort: a movement whose two instants are ages of each member's owner.

use super::{
    CohortLeaf, Leaf, LeafKey, LeafKind, MovementLeaf, Place, Slot, Timing,
    build::{Builder, Context, grain_error, key_places, places, position_or_push},
    movement::Compared,
};
use crate::{
    expr::Expr,
    model::{
        DimensionId, EntityId, Metric,
        entity::{Movements, ReadAt},
        metric::{Movement, Stretch, Take, Taken},
        path::PathDimension,
    },
    query::{
        Ages, MovementBasis,
        bound::{BoundKey, KeyItem},
        error::{QueryError, QueryErrorCode as Code},
    },
    time::Grain,
};

/// How ages are asked for, to be pasted.
const BY_AGE: &str = "by: [{cohort: {grain: QUARTER}}, {age: {grain: MONTH, step: 6}}]";

impl Builder<'_> {
    /// A cohort metric as a column of a leaf.
    pub(super) fn cohort(
        &mut self,
        metric: &Metric,
        movement: &Movement,
        stretch: Stretch,
        context: Context<'_>,
    ) -> Result<Expr<Slot>, QueryError> {
        let fact = movement.measure.entity;
        let ages = self.query.ages().ok_or_else(|| {
            QueryError::new(Code::InvalidGrain, format!("`{}` is about cohorts, and the question names no ages", metric.name))
                .help(BY_AGE)
        })?;
        if context.timing != Timing::default() {
            return Err(QueryError::new(
                Code::InvalidArgument,
                format!("`{}` is seen at ages, so it has no value at another time to compare with", metric.name),
            )
            .help("leave out compare, and look at several ages or cohorts"));
        }
        let finest = self.finest(fact, movement);
        check_steps(metric, finest, ages)?;
        check_take(metric, movement, stretch, self.query.movement_basis)?;
        let began = self.cohort_of(fact)?;
        let keys = self.cohort_keys(metric, fact, finest)?;
        let Compared { leaf: mut new, mut column } = self.compared(metric, movement, &keys, context)?;
        check_owner(metric, &new, began)?;
        // Whether a group is old enough depends on who is in it: another condition is another leaf.
        new.member_filter.append(&mut column.filter);
        let told = key_places(&keys).chain(places(&new.member_filter)).chain(places(&new.row_filter));
        self.check_read(metric, told)?;
        let same = |leaf: &Leaf| {
            matches!(&leaf.kind, LeafKind::Cohort(known)
                if known.stretch == stretch
                    && known.movement.measure == new.measure
                    && known.movement.members == new.members
                    && known.movement.row_filter == new.row_filter
                    && known.movement.member_filter == new.member_filter)
        };
        let attributes = new.attributes.clone();
        let position = self.leaves.iter().position(same).unwrap_or_else(|| {
            let kind = LeafKind::Cohort(CohortLeaf { movement: new, began, stretch, ages });
            self.push(Leaf { timing: context.timing, keys, kind })
        });
        let LeafKind::Cohort(leaf) = &mut self.leaves[position].kind else { unreachable!("found as a cohort") };
        leaf.movement.read_too(attributes);
        let column = position_or_push(&mut leaf.movement.columns, column);
        Ok(Expr::Ref(Slot { leaf: position, column }))
    }

    /// The group keys as a cohort has them.
    fn cohort_keys(&self, metric: &Metric, fact: EntityId, finest: Grain) -> Result<Vec<LeafKey>, QueryError> {
        self.keys
            .iter()
            .map(|key: &BoundKey| {
                Ok(match &key.item {
                    KeyItem::Period(_) => {
                        return Err(QueryError::new(
                            Code::InvalidGrain,
                            format!("`{}` is about cohorts, which have ages instead of periods", metric.name),
                        )
                        .help(BY_AGE));
                    }
                    KeyItem::Cohort(grain) if !grain.is_made_of(unit(finest)) => {
                        return Err(grain_error(metric, *grain, unit(finest)));
                    }
                    KeyItem::Cohort(grain) => LeafKey::Cohort(*grain),
                    KeyItem::Age(_) => LeafKey::Age,
                    KeyItem::Field(field) => LeafKey::Place(self.place(fact, field)?),
                    KeyItem::FieldPeriod(field, grain) => LeafKey::PlacePeriod(self.place(fact, field)?, *grain),
                })
            })
            .collect()
    }

    /// What tells a change has no value when a member begins.
    fn check_read<'p>(&self, metric: &Metric, mut told: impl Iterator<Item = &'p Place>) -> Result<(), QueryError> {
        match told.find(|place| self.model.dimension(place.dimension).read == ReadAt::Closing) {
            None => Ok(()),
            Some(place) => Err(QueryError::new(
                Code::NoPath,
                format!(
                    "`{}` groups members by what they were when they began, and `{}` tells what changed later",
                    metric.name,
                    self.model.dimension(place.dimension).name
                ),
            )
            .help("leave it out, or ask a movement metric by period")),
        }
    }

    /// When the owners of a fact began.
    fn cohort_of(&self, fact: EntityId) -> Result<DimensionId, QueryError> {
        let of = |movements: &Movements| Some(DimensionId { entity: movements.owner, index: movements.cohort? });
        let began = self.model.entity(fact).movements.as_ref().and_then(of).ok_or_else(|| {
            let name = &self.model.entity(fact).name;
            QueryError::new(Code::NoPath, format!("`{name}` does not say when its owners began, so it has no cohorts"))
                .help("leave out cohort, or ask for metrics of one fact at a time")
        })?;
        if self.query.access.masked.contains(&began) || self.query.access.hidden.contains(&began) {
            return Err(QueryError::new(Code::Forbidden, "when cohorts began is masked for you"));
        }
        Ok(began)
    }

    /// The beginning of the owner as a dimension of any metric of the fact.
    pub(super) fn cohort_place(&self, fact: EntityId) -> Result<Place, QueryError> {
        let dimension = self.cohort_of(fact)?;
        let path = self.model.path_between(fact, dimension.entity).map(|reach| reach.path.clone()).unwrap_or_default();
        Ok(Place::safe(&PathDimension { path, dimension }))
    }

    /// The refusal of ages for what is not about cohorts.
    pub(super) fn without_age(&self, fact: EntityId) -> QueryError {
        let name = &self.model.entity(fact).name;
        QueryError::new(Code::InvalidGrain, format!("ages are for cohort metrics, and a metric of `{name}` is not one"))
            .help("ask for it in a field of its own, by cohort or by period")
    }
}

/// Refuses what two readings of a life do not tell: what came and went between them, and what was kept all the way.
fn check_take(metric: &Metric, movement: &Movement, stretch: Stretch, basis: MovementBasis) -> Result<(), QueryError> {
    let is_stepwise = match (stretch, basis) {
        (Stretch::Life, _) | (Stretch::Step, MovementBasis::PointToPoint) => false,
        (Stretch::Step, MovementBasis::Flow) | (Stretch::Steps, _) => true,
    };
    let why = match movement.take {
        Taken::Named(Take::TransferIn | Take::TransferOut | Take::Fx) => "value is not followed between ages",
        Taken::Named(Take::Retained) if is_stepwise => "what is retained is compared end to end",
        Taken::Named(_) | Taken::Value(_) => return Ok(()),
    };
    Err(QueryError::new(Code::InvalidArgument, format!("`{}` cannot be told by age: {why}", metric.name))
        .help("use movement basis POINT_TO_POINT, or another `take` in the definition"))
}

/// Owners that attributes make began when the first entity began that has these attributes, which only its own rows can tell.
fn check_owner(metric: &Metric, movement: &MovementLeaf, began: DimensionId) -> Result<(), QueryError> {
    if movement.owner.iter().all(|owner| owner.dimension.entity == began.entity) {
        return Ok(());
    }
    let grain = &movement.grain;
    Err(QueryError::new(
        Code::InvalidGrain,
        format!("`{}` cannot tell when the owners of movement grain `{grain}` began", metric.name),
    )
    .help("ask for a movement grain of the owner itself, or of attributes of its own"))
}

/// Ages have to fall on snapshots.
fn check_steps(metric: &Metric, finest: Grain, ages: Ages) -> Result<(), QueryError> {
    let months = unit(finest).step().months;
    if months > 0 && i64::from(ages.step_months()) % i64::from(months) == 0 {
        return Ok(());
    }
    let (name, step) = (finest.name(), ages.step_months());
    Err(QueryError::new(
        Code::InvalidGrain,
        format!("`{}` is known by {name}, which does not fall on ages every {step} months", metric.name),
    )
    .help("take steps of whole periods of the snapshots"))
}

/// What ages of a snapshot are counted in: days are looked at where a month ends.
pub(crate) fn unit(finest: Grain) -> Grain {
    match finest {
        Grain::Day => Grain::Month,
        Grain::Week | Grain::Month | Grain::Quarter | Grain::Year | Grain::FiscalQuarter | Grain::FiscalYear => finest,
    }
}
