//! The leaf of a movement: how fine its members are, and which conditions hold for rows and which for members.

use std::collections::BTreeSet;

use super::{
    Leaf, LeafKey, LeafKind, MovementColumn, MovementLeaf, Place, Slot, Trace,
    build::{Builder, Context, grain_error, key_places, places, position_or_push},
    place::{Members, identity, is_constant, own_key},
};
use crate::{
    expr::Expr,
    model::{
        DimensionId, EntityId, MeasureId, Metric,
        entity::{MovementGrain, Movements, ReadAt},
        metric::{MemberValue, Movement, Taken},
        path::{Fan, PathDimension},
    },
    query::{
        MovementBasis,
        condition::Condition,
        error::{QueryError, QueryErrorCode as Code},
    },
    time::Grain,
};

/// A movement as the question compares it.
pub(super) struct Compared {
    /// The leaf, still without columns.
    pub(super) leaf: MovementLeaf,
    /// The column.
    pub(super) column: MovementColumn,
}

impl MovementLeaf {
    /// Reads more dimensions per member.
    pub(super) fn read_too(&mut self, attributes: Vec<PathDimension>) {
        let all: BTreeSet<PathDimension> = self.attributes.drain(..).chain(attributes).collect();
        self.attributes = all.into_iter().collect();
    }

    /// Reads what a column speaks of beside the balance that moves.
    fn read_beside(&mut self, column: &MovementColumn) {
        column.visit_values(&mut |value| match value {
            MemberValue::OpeningOf(measure) | MemberValue::ClosingOf(measure) => {
                position_or_push(&mut self.with, *measure);
            }
            MemberValue::OpeningLevel(place) | MemberValue::ClosingLevel(place) => {
                position_or_push(&mut self.levels, place.clone());
            }
            MemberValue::Opening | MemberValue::Closing | MemberValue::OwnerOpening | MemberValue::OwnerClosing => {}
        });
    }
}

impl Builder<'_> {
    /// A movement as a column of a leaf.
    pub(super) fn movement(
        &mut self,
        metric: &Metric,
        movement: &Movement,
        context: Context<'_>,
    ) -> Result<Expr<Slot>, QueryError> {
        let fact = movement.measure.entity;
        self.check_movement_time(metric, movement)?;
        self.check_days(metric, context.timing)?;
        let keys = self.leaf_keys(fact, context.timing)?;
        let Compared { leaf: new, column } = self.compared(metric, movement, &keys, context)?;
        let same = |leaf: &Leaf| {
            leaf.timing == context.timing
                && matches!(&leaf.kind, LeafKind::Movement(known)
                    if known.measure == new.measure && known.members == new.members && known.row_filter == new.row_filter)
        };
        let attributes = new.attributes.clone();
        let position = self
            .leaves
            .iter()
            .position(same)
            .unwrap_or_else(|| self.push(Leaf { timing: context.timing, keys, kind: LeafKind::Movement(new) }));
        let LeafKind::Movement(leaf) = &mut self.leaves[position].kind else { unreachable!("found as a movement") };
        leaf.read_too(attributes);
        leaf.read_beside(&column);
        let column = position_or_push(&mut leaf.columns, column);
        Ok(Expr::Ref(Slot { leaf: position, column }))
    }

    /// How a movement compares under the question's grain, keys and conditions: a leaf that has no columns yet, and its column.
    pub(super) fn compared(
        &self,
        metric: &Metric,
        movement: &Movement,
        keys: &[LeafKey],
        context: Context<'_>,
    ) -> Result<Compared, QueryError> {
        let fact = movement.measure.entity;
        let movements = self.model.entity(fact).movements.as_ref();
        let movements = movements.expect("the fact of a movement has movements: checked when definitions are resolved");
        let asked = || self.query.movement_grain.as_deref().and_then(|name| movements.grain_named(name));
        let grain = &movements.grains[movement.grain.or_else(asked).map_or(0, |index| index.index())];
        self.check_members_are_shown(metric, grain, movement.grain.is_some())?;
        let query_filter = self.query_filter(fact, context.timing)?;
        let column_filter = self.column_filter(metric, fact, context)?;
        self.check_fan(metric, key_places(keys).chain(places(&query_filter)).chain(places(&column_filter)))?;

        let mut name = grain.name.clone();
        let mut members = grain.members.clone();
        let is_closing = |place: &&Place| self.model.dimension(place.dimension).read == ReadAt::Closing;
        for place in key_places(keys).chain(places(&query_filter).chain(places(&column_filter)).filter(is_closing)) {
            self.refine(fact, &mut members, &mut name, &place.path());
        }
        let (member_filter, mut row_filter) = self.split_filter(fact, &members, query_filter);
        let (filter, more) = self.split_filter(fact, &members, column_filter);
        row_filter.extend(more);

        let owner = grain.owner.clone();
        let owners = Members::new(self.model, fact, &owner);
        // Rows of a part of the owner are as fine as the part: its loss is not the owner's.
        let is_part = |place: &Place| !owners.decide(&place.path());
        let trace = self.trace(movements, movement.measure, &members, &owners);
        let is_finer_than_owner = !members.iter().all(|member| owners.decide(member)) || places(&row_filter).any(is_part);
        let attributes: BTreeSet<PathDimension> = key_places(keys)
            .chain(places(&member_filter))
            .chain(places(&filter))
            .map(Place::path)
            .filter(|place| !members.contains(place))
            .collect();
        let (take, when) = (movement.take.clone(), movement.when.clone());
        let leaf = MovementLeaf {
            measure: movement.measure,
            members,
            owner,
            is_finer_than_owner,
            is_refined: name != grain.name,
            grain: name,
            basis: self.basis(fact, movement),
            row_filter,
            member_filter,
            attributes: attributes.into_iter().collect(),
            dimension_basis: self.query.dimension_basis,
            trace,
            with: Vec::new(),
            levels: Vec::new(),
            columns: Vec::new(),
        };
        let column = MovementColumn { classes: movement.classes.clone(), take, when, filter };
        self.check_levels_are_shown(metric, &column)?;
        Ok(Compared { leaf, column })
    }

    /// How value is followed: along components, when they can move between members, replace each other, or change in currency.
    fn trace(&self, movements: &Movements, measure: MeasureId, members: &[PathDimension], owners: &Members<'_>) -> Option<Trace> {
        let component = movements.component.as_ref()?;
        let is_place = |member: &PathDimension| {
            let known = identity(self.model, &member.path, member.dimension);
            let is_component = known.is_some_and(|(path, column)| path.is_empty() && component.columns.contains(&column));
            !is_component && !owners.decide(member)
        };
        let places: Vec<usize> = (0..members.len()).filter(|n| is_place(&members[*n])).collect();
        let is_finer = !members.iter().all(|member| owners.decide(member));
        let can_move = is_finer && (!places.is_empty() || component.replaces.is_some());
        (can_move || self.model.measure(measure).currency.is_some()).then_some(Trace { places })
    }

    pub(super) fn finest(&self, fact: EntityId, movement: &Movement) -> Grain {
        let index = self.model.measure(movement.measure).snapshot_time();
        let time = self.model.dimension(DimensionId { entity: fact, index }).time;
        time.expect("a measure's time is a time dimension").grain
    }

    fn check_movement_time(&self, metric: &Metric, movement: &Movement) -> Result<(), QueryError> {
        let finest = self.finest(movement.measure.entity, movement);
        if let Some(grain) = self.period().filter(|grain| !grain.is_made_of(finest)) {
            return Err(grain_error(metric, grain, finest));
        }
        if self.period().is_none() && self.query.range.from.is_none() {
            return Err(QueryError::new(
                Code::InvalidRange,
                format!("`{}` compares two instants, and without period or range there is no first one", metric.name),
            )
            .help("group by period(grain:) or pass range"));
        }
        self.check_whole_steps(metric, movement.measure)
    }

    /// Members that a masked dimension tells apart would be one, and what each of them lost would be netted.
    fn check_members_are_shown(&self, metric: &Metric, grain: &MovementGrain, is_fixed: bool) -> Result<(), QueryError> {
        let is_masked = |member: &&PathDimension| self.query.access.masked.contains(&member.dimension);
        match grain.members.iter().chain(&grain.owner).find(is_masked) {
            None => Ok(()),
            Some(member) => {
                let (name, masked) = (&metric.name, &self.model.dimension(member.dimension).name);
                let message = format!("`{name}` compares members that `{masked}` tells apart, which is masked for you");
                let help =
                    if is_fixed { "the metric fixes its movement grain: ask for another" } else { "choose another movement grain" };
                Err(QueryError::new(Code::Forbidden, message).help(help))
            }
        }
    }

    /// What is masked is null, and a comparison with it would choose none.
    fn check_levels_are_shown(&self, metric: &Metric, column: &MovementColumn) -> Result<(), QueryError> {
        let mut masked = None;
        column.visit_values(&mut |value| match value {
            MemberValue::OpeningLevel(place) | MemberValue::ClosingLevel(place) => {
                masked = masked.or(self.query.access.masked.contains(&place.dimension).then_some(place.dimension));
            }
            MemberValue::Opening
            | MemberValue::Closing
            | MemberValue::OwnerOpening
            | MemberValue::OwnerClosing
            | MemberValue::OpeningOf(_)
            | MemberValue::ClosingOf(_) => {}
        });
        match masked {
            None => Ok(()),
            Some(id) => {
                let (name, masked) = (&metric.name, &self.model.dimension(id).name);
                Err(QueryError::new(Code::Forbidden, format!("`{name}` compares `{masked}` at both ends, which is masked for you")))
            }
        }
    }

    fn check_fan<'p>(&self, metric: &Metric, mut places: impl Iterator<Item = &'p Place>) -> Result<(), QueryError> {
        match places.find(|place| place.reach.fan != Fan::None) {
            None => Ok(()),
            Some(place) => Err(QueryError::new(
                Code::FanOut,
                format!(
                    "`{}` compares members, and a member can have several values of `{}`",
                    metric.name,
                    self.model.dimension(place.dimension).name
                ),
            )
            .help("use a dimension of which each member has one value")),
        }
    }

    /// One step is a period of its own: both readings agree there, and the direct one is cheaper.
    fn basis(&self, fact: EntityId, movement: &Movement) -> MovementBasis {
        if self.period() == Some(self.finest(fact, movement)) {
            return MovementBasis::PointToPoint;
        }
        self.query.movement_basis
    }

    /// Makes members so fine that each has one value of a dimension: the comparison is made inside that value (`domain` §3.0, grain
    /// when grouping by a component dimension), or, for a dimension that tells what changed, for each balance by itself.
    fn refine(&self, fact: EntityId, members: &mut Vec<PathDimension>, name: &mut String, place: &PathDimension) {
        if Members::new(self.model, fact, members).decide(place) {
            return;
        }
        let added = match self.model.dimension(place.dimension).read {
            ReadAt::Opening => vec![place.clone()],
            ReadAt::Closing => {
                let own = own_key(self.model, fact, true);
                own.into_iter().map(|dimension| PathDimension { path: Vec::new(), dimension }).collect()
            }
        };
        for member in added {
            if !Members::new(self.model, fact, members).decide(&member) {
                name.push_str(" × ");
                name.push_str(&self.model.entity(member.dimension.entity).name);
                name.push('.');
                name.push_str(&self.model.dimension(member.dimension).name);
                members.push(member);
            }
        }
    }

    /// Conditions on members (by what they were at the opening) and conditions on rows (alike on both sides).
    ///
    /// A condition on something that never changes gives the same members either way and is cheaper on rows. A condition on something
    /// that changes must not be applied to rows: a member that leaves the condition would look lost.
    fn split_filter(
        &self,
        fact: EntityId,
        members: &[PathDimension],
        conditions: Vec<Condition<Place>>,
    ) -> (Vec<Condition<Place>>, Vec<Condition<Place>>) {
        let decided = Members::new(self.model, fact, members);
        conditions.into_iter().partition(|condition| {
            let mut all_decided = true;
            let mut all_constant = true;
            condition.visit(&mut |place| {
                all_decided &= decided.decide(&place.path());
                all_constant &= is_constant(self.model, &place.path());
            });
            all_decided && !all_constant
        })
    }
}

impl MovementColumn {
    /// Visits every value of a member that the column speaks of.
    fn visit_values<'a>(&'a self, f: &mut impl FnMut(&'a MemberValue)) {
        if let Taken::Value(expr) = &self.take {
            expr.visit_refs(f);
        }
        if let Some(when) = &self.when {
            when.visit_refs(f);
        }
    }
}
