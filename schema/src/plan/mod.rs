//! What has to be computed, in named pieces: one leaf per fact and reading, and expressions over their columns.
//!
//! Each leaf aggregates one fact to the group keys before anything is joined; leaves meet only on the keys (ARCHITECTURE.md, rule 1).

mod as_of;
pub(crate) mod build;
pub(crate) mod cohort;
pub mod entity;
mod entity_text;
pub mod explain;
mod fanout;
pub(crate) mod keyset;
mod movement;
pub mod peers;
mod per_entity;
pub(crate) mod place;
pub mod series;

pub use entity_text::entity_text;
pub use peers::{PeersColumn, PeersLeaf};
pub use place::Place;
pub use series::{SeriesColumn, SeriesEnd, SeriesLeaf, SeriesSaid, SideBySideColumn};

use crate::{
    expr::Expr,
    model::{
        DimensionId, DimensionIndex, EntityId, MeasureId, Model,
        entity::{Aggregate, Latest, OverTime, RowValue, Window},
        metric::{Class, MemberValue, Stretch, Take, Taken},
        path::PathDimension,
    },
    query::{
        Ages, DimensionBasis, Fill, InCurrency, MovementBasis, OrderBy, QueryError, TimeRange,
        bound::{BoundKey, BoundQuery},
        condition::Condition,
    },
    time::{Grain, Step},
    value::ValueType,
};

/// A whole question, planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Columns of the group key.
    pub keys: Vec<BoundKey>,
    /// Which time.
    pub range: TimeRange,
    /// Aggregated facts. Leaves for the question's own groups and for totals over them are told apart by [`Timing::total`].
    pub leaves: Vec<Leaf>,
    /// Metrics, in the question's order.
    pub outputs: Vec<Output>,
    /// Groups that are shown, over positions in `outputs`.
    pub having: Option<Condition<usize>>,
    /// Order of rows.
    pub order_by: Vec<OrderBy>,
    /// Rows at most.
    pub limit: Option<u64>,
    /// Rows passed over.
    pub offset: u64,
    /// Whether a column counts the groups.
    pub row_count: bool,
    /// Which periods are shown.
    pub fill: Fill,
    /// Outputs in another currency than the project's; plans inside leaves have none.
    pub conversion: Option<Conversion>,
}

/// One metric of the result.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Key of its column in the question.
    pub key: String,
    /// Its value.
    pub value: Expr<Slot>,
    /// Its value in the comparison.
    pub previous: Option<Expr<Slot>>,
    /// When a status column is wanted: the divisor, where there is one.
    pub status: Option<Option<Expr<Slot>>>,
    /// Type of its values.
    pub value_type: ValueType,
}

/// Amounts in another currency, all at the rate that holds on the day that counts as today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// Which.
    pub into: InCurrency,
    /// Positions of the outputs that are money.
    pub outputs: Vec<usize>,
}

/// A column of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// Position in [`Plan::leaves`].
    pub leaf: usize,
    /// Position in the leaf's columns.
    pub column: usize,
}

impl Slot {
    /// In place of a column: whether the snapshots are there between which the leaf compares, or of which it reads one.
    pub const KNOWN: usize = usize::MAX;
    /// In place of a column: whether the later of these snapshots is there.
    pub const CLOSED: usize = usize::MAX - 1;

    /// Whether it stands for what is known of the leaf, and is no column of it.
    pub fn is_about_snapshots(self) -> bool {
        self.column >= Slot::CLOSED
    }
}

/// One fact, aggregated to the group keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// When, relative to the question.
    pub timing: Timing,
    /// Group keys as this fact reaches them, in the order of [`Plan::keys`]; totals keep periods only.
    pub keys: Vec<LeafKey>,
    /// How.
    pub kind: LeafKind,
}

impl Leaf {
    /// Whether everything it reads are snapshots, so that before the first and after the last of them nothing is known.
    pub fn reads_snapshots(&self, model: &Model) -> bool {
        match &self.kind {
            LeafKind::Aggregate(aggregate) => {
                let time = aggregate.time.map(|index| model.dimension(DimensionId { entity: aggregate.fact, index }).time);
                time.flatten().is_some_and(|time| time.snapshot)
            }
            LeafKind::Movement(_) => true,
            LeafKind::PerEntity(per_entity) => {
                let inner = &per_entity.inner.leaves;
                !inner.is_empty() && inner.iter().all(|leaf| leaf.reads_snapshots(model))
            }
            LeafKind::Cumulative(_) | LeafKind::AsOf(_) | LeafKind::Series(_) | LeafKind::Cohort(_) | LeafKind::Peers(_) => false,
        }
    }
}

impl MovementLeaf {
    /// Whether a column is the balance at the end, whatever it was before.
    pub fn is_closing(&self, column: &MovementColumn) -> bool {
        let is_whole = column.classes.is_empty() && column.when.is_none() && self.basis == MovementBasis::PointToPoint;
        is_whole && column.take == Taken::Named(Take::Closing)
    }
}

/// When a leaf looks, relative to the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Timing {
    /// So much earlier; results are moved forward again to meet the others.
    pub shift: Step,
    /// Over all groups of a period instead of each.
    pub total: bool,
}

/// A group key as one fact reaches it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LeafKey {
    /// Periods of the fact's own time.
    Period(Grain),
    /// A dimension.
    Place(Place),
    /// A date dimension cut into periods.
    PlacePeriod(Place, Grain),
    /// Periods in which the owners of a [`CohortLeaf`] began.
    Cohort(Grain),
    /// Ages of a [`CohortLeaf`].
    Age,
}

/// How a leaf aggregates.
#[derive(Debug, Clone, PartialEq)]
pub enum LeafKind {
    /// Measures of one fact.
    Aggregate(AggregateLeaf),
    /// Opening against closing, member by member.
    Movement(MovementLeaf),
    /// Running totals.
    Cumulative(CumulativeLeaf),
    /// Rows seen from the last day of each period.
    AsOf(AsOfLeaf),
    /// A plan of its own per entity, aggregated again.
    PerEntity(PerEntityLeaf),
    /// A plan of its own by the periods of a series, each window of it taken together.
    Series(SeriesLeaf),
    /// Members compared with what they were when their owner began.
    Cohort(CohortLeaf),
    /// Entities compared with the others of their group.
    Peers(PeersLeaf),
}

/// Measures of one fact.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregateLeaf {
    /// The fact.
    pub fact: EntityId,
    /// Its time dimension.
    pub time: Option<DimensionIndex>,
    /// How balances behave along time; the same for all columns.
    pub over_time: OverTime,
    /// Rows that count.
    pub filter: Vec<Condition<Place>>,
    /// What is added up.
    pub columns: Vec<AggregateColumn>,
}

/// One column of an [`AggregateLeaf`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AggregateColumn {
    /// A measure.
    Measure {
        /// Which.
        measure: MeasureId,
        /// How its expression is aggregated.
        aggregate: Aggregate,
        /// Rows that count for this column only.
        filter: Vec<Condition<Place>>,
    },
    /// Number of snapshots in the period, for averages over time.
    Snapshots,
}

/// Opening against closing, member by member.
#[derive(Debug, Clone, PartialEq)]
pub struct MovementLeaf {
    /// The balance.
    pub measure: MeasureId,
    /// What identifies a member: the grain's own dimensions and those the question adds.
    pub members: Vec<PathDimension>,
    /// What identifies the owner.
    pub owner: Vec<PathDimension>,
    /// Whether members are finer than owners.
    pub is_finer_than_owner: bool,
    /// Whether the question made members finer than the grain: gross amounts of its groups do not add up to the total's.
    pub is_refined: bool,
    /// Name of the grain, with what refined it.
    pub grain: String,
    /// From end to end of the period, or step by step.
    pub basis: MovementBasis,
    /// Rows that count, on both sides alike.
    pub row_filter: Vec<Condition<Place>>,
    /// Members that count, by what they were at the opening (or closing, where a dimension says so).
    pub member_filter: Vec<Condition<Place>>,
    /// Dimensions read per member: group keys and conditions that do not identify it.
    pub attributes: Vec<PathDimension>,
    /// At which end all dimensions are read that do not say so themselves.
    pub dimension_basis: DimensionBasis,
    /// How value is followed from one member to another; `None` when members cannot exchange any and rates do not matter.
    pub trace: Option<Trace>,
    /// Further balances of each member.
    pub with: Vec<MeasureId>,
    /// Numbers that are read at both ends of each member.
    pub levels: Vec<PathDimension>,
    /// What is added up.
    pub columns: Vec<MovementColumn>,
}

/// How value is followed from one member to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Positions among the members between whose values a component can move.
    pub places: Vec<usize>,
}

/// One column of a [`MovementLeaf`].
#[derive(Debug, Clone, PartialEq)]
pub struct MovementColumn {
    /// Classes that count; empty means all.
    pub classes: Vec<Class>,
    /// What is added up.
    pub take: Taken,
    /// Members that count.
    pub when: Option<Expr<MemberValue>>,
    /// Members that count for this column only, by dimension.
    pub filter: Vec<Condition<Place>>,
}

/// Members compared with what they were when their owner began, at ages. After its own columns comes one that says
/// what a group can tell: 1 when every member has reached the age, 0 when one has not, -1 when one began before the first snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct CohortLeaf {
    /// Balance, members and columns. Dimensions are read when a member is first seen.
    pub movement: MovementLeaf,
    /// When the owner began: a date of its own.
    pub began: DimensionId,
    /// Which part of a life is compared.
    pub stretch: Stretch,
    /// The ages.
    pub ages: Ages,
}

/// Running totals.
#[derive(Debug, Clone, PartialEq)]
pub struct CumulativeLeaf {
    /// The fact.
    pub fact: EntityId,
    /// Its time dimension.
    pub time: DimensionIndex,
    /// How far back.
    pub window: Window,
    /// Rows that count.
    pub filter: Vec<Condition<Place>>,
    /// What is added up.
    pub columns: Vec<AggregateColumn>,
}

/// Rows seen from the last day of each period, or from one day.
#[derive(Debug, Clone, PartialEq)]
pub struct AsOfLeaf {
    /// The entity.
    pub fact: EntityId,
    /// Rows that count, as they look from the day; the same for all columns.
    pub rows: Option<Expr<RowValue>>,
    /// Which of these are left.
    pub latest: Option<Latest>,
    /// Rows that count, of those that are left.
    pub filter: Vec<Condition<Place>>,
    /// What is added up.
    pub columns: Vec<AggregateColumn>,
}

/// A plan of its own per entity, aggregated again.
#[derive(Debug, Clone, PartialEq)]
pub struct PerEntityLeaf {
    /// The plan; its keys are the leaf's keys, then the entity's key, and then the period of which there may be several.
    pub inner: Box<Plan>,
    /// What is added up over the inner rows.
    pub columns: Vec<PerEntityColumn>,
}

/// One column of a [`PerEntityLeaf`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PerEntityColumn {
    /// How.
    pub aggregate: Aggregate,
    /// Position in the inner plan's outputs; `None` counts rows.
    pub of: Option<usize>,
    /// Position of the condition in the inner plan's outputs.
    pub condition: Option<usize>,
    /// Only the largest values: this share of them, canonical decimal text, their number rounded up.
    pub top: Option<String>,
}

/// Plans a question.
///
/// # Errors
/// What cannot be right: an unreachable dimension, a grain finer than the data, a multiplied measure …
pub fn plan(model: &Model, query: &BoundQuery) -> Result<Plan, QueryError> {
    build::Builder::new(model, query, query.keys.clone()).plan()
}

/// Plans the totals of a question: the same without group keys, having, order and limit.
///
/// # Errors
/// As [`plan`].
pub fn plan_totals(model: &Model, query: &BoundQuery) -> Result<Plan, QueryError> {
    Ok(build::Builder::new(model, query, Vec::new()).plan()?.unlimited())
}

impl Plan {
    /// The same rows, all of them, in no order.
    fn unlimited(self) -> Self {
        Self { having: None, order_by: Vec::new(), limit: None, offset: 0, row_count: false, fill: Fill::None, ..self }
    }
}
