//! What lies beyond the first and the last snapshot of a fact: unknown, which is not the same as nothing.
//!
//! Who is missing from a snapshot that exists has nothing; where a snapshot is missing at either end of history, nobody is known. Between
//! the two ends members are compared by calendar, and a missing period is a fall to zero.

use super::{
    Lowerer,
    aggregate::period_of,
    column, from_cte, key_alias,
    scan::{At, Scan, relation, root},
    time::{FactTime, earlier, shift, truncate},
};
use crate::{
    model::{DimensionIndex, EntityId, entity::Aggregate},
    plan::{AggregateColumn, Leaf, LeafKind, MovementLeaf, Plan, Slot},
    query::{MovementBasis, bind::whole_periods, bound::BoundKey},
    sql::ast::{AggregateFunction, Alias, Expr, Infix, Join, JoinKind, Query, Select},
    time::Grain,
    value::Value,
};

/// First step of the first snapshot there is, and of the last.
pub(super) const FIRST: &str = "f";
/// See [`FIRST`].
pub(super) const LAST: &str = "s";

/// What a group cannot know, as conditions on its period.
#[derive(Clone)]
pub(super) struct Beyond {
    /// The snapshot that it reads, or the later of two, is not there.
    pub(super) unread: Expr,
    /// It is, and the earlier of two is not.
    pub(super) uncompared: Expr,
}

impl Beyond {
    /// Whether something is not known.
    pub(super) fn either(&self) -> Expr {
        Expr::Or(vec![self.unread.clone(), self.uncompared.clone()])
    }

    /// When a column is unknown although it has a value.
    pub(super) fn of_column(&self, leaf: &Leaf, slot: Slot) -> Option<Expr> {
        let is_closing = match &leaf.kind {
            LeafKind::Movement(movement) => movement.is_closing(&movement.columns[slot.column]),
            LeafKind::Aggregate(_)
            | LeafKind::Cumulative(_)
            | LeafKind::AsOf(_)
            | LeafKind::PerEntity(_)
            | LeafKind::Series(_)
            | LeafKind::Cohort(_)
            | LeafKind::Peers(_) => false,
        };
        has_value(leaf, slot).then(|| if is_closing { self.unread.clone() } else { self.either() })
    }

    /// What is known of a leaf, for an expression that asks.
    pub(super) fn answer(&self, slot: &Slot) -> Expr {
        let unknown = if slot.column == Slot::CLOSED { self.unread.clone() } else { self.either() };
        Expr::Not(Box::new(unknown))
    }
}

/// First and last snapshots that a select meets, in order of their first use.
#[derive(Default)]
pub(super) struct Met {
    facts: Vec<(Alias, Alias)>,
}

impl Met {
    fn table(&mut self, known: Alias) -> Alias {
        if let Some((_, table)) = self.facts.iter().find(|(name, _)| *name == known) {
            return table.clone();
        }
        let table = Alias::numbered("b", self.facts.len());
        self.facts.push((known, table.clone()));
        table
    }

    /// The joins that bring them.
    pub(super) fn joins(&self) -> impl Iterator<Item = Join> + '_ {
        self.facts.iter().map(|(name, table)| Join { kind: JoinKind::Cross, from: from_cte(name, table), on: Vec::new() })
    }
}

/// A group's time, as the leaf that is looked at sees it, and how fine the periods are in which the leaf reads.
#[derive(Clone, Copy)]
struct Seen<'a> {
    /// Table and number of the group's period.
    period: Option<(&'a Alias, usize, Grain)>,
    /// The plan that the leaf belongs to.
    plan: &'a Plan,
}

impl Lowerer<'_> {
    /// The first and the last step of a fact in which there is a snapshot, whoever it is of: no policy and no condition applies.
    pub(super) fn ends(&mut self, fact: EntityId, index: DimensionIndex) -> Alias {
        if let Some((_, known)) = self.ends.iter().find(|(of, _)| *of == (fact, index)) {
            return known.clone();
        }
        let scan = Scan::new(self.env, fact, At::AsOf);
        let time = FactTime::of(self.env, &scan, fact, index);
        let end = |function| truncate(self.calendar(), time.grain, Expr::aggregate(function, time.day()));
        let select = Select {
            items: vec![
                end(AggregateFunction::Min).named(&Alias::named(FIRST)),
                end(AggregateFunction::Max).named(&Alias::named(LAST)),
            ],
            from: Some(relation(self.env, fact, root())),
            group_by: Some(0),
            ..Select::default()
        };
        let known = self.cte("ends", Query::select(select));
        self.ends.push(((fact, index), known.clone()));
        known
    }

    /// What groups of a plan in `table` cannot know of each leaf that an output needs to ask.
    pub(super) fn beyond(&mut self, plan: &Plan, table: &Alias, met: &mut Met) -> Vec<Option<Beyond>> {
        let mut wanted = vec![false; plan.leaves.len()];
        let all = plan.outputs.iter().flat_map(|output| [Some(&output.value), output.previous.as_ref()]).flatten();
        for value in all {
            value.visit_refs(&mut |slot: &Slot| {
                wanted[slot.leaf] |= slot.is_about_snapshots() || has_value(&plan.leaves[slot.leaf], *slot)
            });
        }
        let position = |grain| plan.keys.iter().position(|key| key.period() == Some(grain));
        let finest = Grain::finest(plan.keys.iter().filter_map(BoundKey::period));
        let period = finest.and_then(|grain| Some((table, position(grain)?, grain)));
        let seen = Seen { period, plan };
        wanted.iter().zip(&plan.leaves).map(|(wanted, leaf)| wanted.then(|| self.beyond_leaf(seen, leaf, met)).flatten()).collect()
    }

    fn beyond_leaf(&mut self, seen: Seen<'_>, leaf: &Leaf, met: &mut Met) -> Option<Beyond> {
        if !leaf.reads_snapshots(self.env.model) {
            return None;
        }
        match &leaf.kind {
            LeafKind::Aggregate(aggregate) => {
                let index = aggregate.time.expect("snapshots have time");
                let range = earlier(self.leaf_range(seen.plan, aggregate.over_time), leaf.timing.shift);
                let grain = self.grain(aggregate.fact, index);
                let (start, end) = self.span(seen, leaf, whole_periods(range, grain, self.calendar()));
                let table = met.table(self.ends(aggregate.fact, index));
                let after = start.map(|start| less(column(&table, &Alias::named(LAST)), start));
                let before = end.map(|end| Expr::infix(Infix::LessOrEqual, end, column(&table, &Alias::named(FIRST))));
                let none = Expr::is_null(column(&table, &Alias::named(LAST)));
                Some(Beyond {
                    unread: Expr::Or([none].into_iter().chain(after).chain(before).collect()),
                    uncompared: Expr::Or(vec![]),
                })
            }
            LeafKind::Movement(movement) => self.beyond_movement(seen, leaf, movement, met),
            LeafKind::PerEntity(per_entity) => {
                // Its rows have the periods of its own plan; all of them are beyond where each leaf says so.
                let inner = Seen { plan: &per_entity.inner, ..seen };
                let all: Vec<Beyond> =
                    per_entity.inner.leaves.iter().map(|leaf| self.beyond_leaf(inner, leaf, met)).collect::<Option<_>>()?;
                Some(Beyond {
                    unread: Expr::And(all.iter().map(|leaf| leaf.unread.clone()).collect()),
                    uncompared: Expr::And(all.iter().map(Beyond::either).collect()),
                })
            }
            LeafKind::Cumulative(_) | LeafKind::AsOf(_) | LeafKind::Series(_) | LeafKind::Cohort(_) | LeafKind::Peers(_) => None,
        }
    }

    fn beyond_movement(&mut self, seen: Seen<'_>, leaf: &Leaf, movement: &MovementLeaf, met: &mut Met) -> Option<Beyond> {
        let fact = movement.measure.entity;
        let index = self.env.model.measure(movement.measure).snapshot_time();
        let finest = self.grain(fact, index);
        let step = finest.step();
        let range = whole_periods(earlier(seen.plan.range, leaf.timing.shift), finest, self.calendar());
        let (start, end) = self.span(seen, leaf, range);
        let start = start?;
        let compared = match movement.basis {
            MovementBasis::PointToPoint => period_of(&leaf.keys),
            MovementBasis::Flow => None,
        };
        // Of several comparisons in a group's time the first has the earliest closing, and the last the latest opening.
        let (closing, opening) = match (compared, end) {
            (Some(grain), Some(end)) => {
                (shift(shift(start, grain.step()), step.times(-1)), shift(shift(end, grain.step().times(-1)), step.times(-1)))
            }
            (Some(grain), None) => (shift(shift(start.clone(), grain.step()), step.times(-1)), shift(start, step.times(-1))),
            (None, _) => (start.clone(), shift(start, step.times(-1))),
        };
        let table = met.table(self.ends(fact, index));
        let last = column(&table, &Alias::named(LAST));
        Some(Beyond {
            unread: Expr::Or(vec![Expr::is_null(last.clone()), less(last, closing)]),
            uncompared: less(opening, column(&table, &Alias::named(FIRST))),
        })
    }

    /// From when to when a group looks, in the leaf's own time.
    fn span(&self, seen: Seen<'_>, leaf: &Leaf, range: crate::query::TimeRange) -> (Option<Expr>, Option<Expr>) {
        match seen.period {
            Some((table, key, grain)) => {
                let start = shift(column(table, &key_alias(key)), leaf.timing.shift.times(-1));
                (Some(start.clone()), Some(shift(start, grain.step())))
            }
            None => {
                let day = |date| Expr::Value(Value::Date(date));
                (range.from.map(day), range.to.map(day))
            }
        }
    }

    fn grain(&self, fact: EntityId, index: DimensionIndex) -> Grain {
        let scan = Scan::new(self.env, fact, At::AsOf);
        FactTime::of(self.env, &scan, fact, index).grain
    }
}

/// Whether a column has a value where nothing is known: what members did between two snapshots of which one is missing, and a count
/// over no rows.
fn has_value(leaf: &Leaf, slot: Slot) -> bool {
    let counts = |aggregate: Aggregate| match aggregate {
        Aggregate::Count | Aggregate::CountRows | Aggregate::CountDistinct => true,
        Aggregate::Sum | Aggregate::Average | Aggregate::Min | Aggregate::Max | Aggregate::Median => false,
    };
    match &leaf.kind {
        LeafKind::Movement(_) => true,
        LeafKind::Aggregate(aggregate) => match aggregate.columns.get(slot.column) {
            Some(AggregateColumn::Measure { aggregate, .. }) => leaf.keys.is_empty() && counts(*aggregate),
            Some(AggregateColumn::Snapshots) | None => false,
        },
        LeafKind::PerEntity(per_entity) => per_entity.columns.get(slot.column).is_some_and(|column| counts(column.aggregate)),
        LeafKind::Cumulative(_) | LeafKind::AsOf(_) | LeafKind::Series(_) | LeafKind::Cohort(_) | LeafKind::Peers(_) => false,
    }
}

fn less(one: Expr, other: Expr) -> Expr {
    Expr::infix(Infix::Less, one, other)
}
