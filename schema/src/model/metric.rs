//! Metrics, resolved.

use super::{
    EntityId, GrainIndex, MeasureId, MetricId,
    entity::{Aggregate, Window},
    path::PathDimension,
    peers::Peers,
    score::{Score, ScoreTake},
    series::Series,
};
use crate::{
    expr::Expr,
    source::Span,
    time::{Grain, Step},
    value::ValueType,
};

/// One metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Name, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Plain words.
    pub description: Option<String>,
    /// Type of its values.
    pub value_type: ValueType,
    /// How it is computed.
    pub kind: MetricKind,
    /// The formula as text for the catalogue, in the author's names.
    pub formula: String,
    /// Rows that count, over dimensions reached safely from its fact (kinds simple, movement; cumulative inherits).
    pub filter: Option<Expr<PathDimension>>,
    /// Whether a group without rows shows zero instead of null.
    pub empty_is_zero: bool,
    /// Unit.
    pub unit: Option<String>,
    /// Display format as written.
    pub format: Option<String>,
    /// Which way is good.
    pub direction: Direction,
    /// Team or person.
    pub owner: Option<String>,
    /// Version of the definition.
    pub version: i64,
    /// Reason, when deprecated.
    pub deprecated: Option<String>,
    /// Free words.
    pub tags: Vec<String>,
    /// Where the formula comes from.
    pub source: Option<String>,
    /// Every fact it reads, through all its inputs; sorted, without repeats. Never empty.
    pub facts: Vec<EntityId>,
    /// Every metric it is computed from, directly.
    pub inputs: Vec<MetricId>,
    /// Whether a movement is among it and its inputs, so that `movementGrain` applies.
    pub is_movement: bool,
    /// Whether a cohort is among it and its inputs, so that it is asked for by age.
    pub is_cohort: bool,
    /// Entities of which it compares each with others, itself or through its inputs: a question has to group by them. Sorted.
    pub compares: Vec<EntityId>,
    /// How it may be added up.
    pub additivity: Additivity,
    /// Where it was written.
    pub span: Span,
}

impl Metric {
    /// Whether its values are amounts in the project's currency, or amounts per something.
    pub fn is_money(&self) -> bool {
        self.unit.as_deref().is_some_and(super::resolve::units::is_money)
    }

    /// The score, where the metric is one.
    pub fn score(&self) -> Option<&Score> {
        match &self.kind {
            MetricKind::Score(score) => Some(score),
            MetricKind::Simple { .. }
            | MetricKind::Ratio { .. }
            | MetricKind::Derived { .. }
            | MetricKind::Cumulative { .. }
            | MetricKind::Offset { .. }
            | MetricKind::Movement(_)
            | MetricKind::Cohort { .. }
            | MetricKind::PerEntity { .. }
            | MetricKind::Share { .. }
            | MetricKind::OfScore { .. }
            | MetricKind::Series(_)
            | MetricKind::Peers(_) => None,
        }
    }
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "the variants say it")]
pub enum Direction {
    HigherIsBetter,
    LowerIsBetter,
    #[default]
    Neutral,
}

/// How answers of a metric may be added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Additivity {
    /// Over everything.
    Additive,
    /// Over members at one movement grain; over time only as a sum of period movements.
    Movement,
    /// Over everything except time.
    SemiAdditive,
    /// Never: recompute.
    Not,
}

/// The ways to compute a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricKind {
    /// A measure.
    Simple {
        /// Of which fact.
        measure: MeasureId,
    },
    /// Numerator ÷ denominator; null when the denominator is zero or missing.
    Ratio {
        /// Over metrics.
        numerator: Expr<MetricId>,
        /// Over metrics.
        denominator: Expr<MetricId>,
    },
    /// An expression over metrics of the same group.
    Derived {
        /// Over metrics.
        expr: Expr<MetricId>,
    },
    /// A running total of a simple metric.
    Cumulative {
        /// A metric of kind simple.
        of: MetricId,
        /// How far back.
        window: Window,
    },
    /// A metric at an earlier time.
    Offset {
        /// Any metric.
        of: MetricId,
        /// How much earlier.
        by: Step,
    },
    /// A line of the bridge between two balances.
    Movement(Movement),
    /// The same between two ages of a cohort.
    Cohort {
        /// What is compared and added up.
        movement: Movement,
        /// Between which ages.
        stretch: Stretch,
    },
    /// A metric evaluated per entity, or per entity and period, then aggregated.
    PerEntity {
        /// For each of these.
        entity: EntityId,
        /// And each period of this grain; `None` for the question's own periods.
        each: Option<Grain>,
        /// Value per entity; `None` only for count.
        of: Option<Expr<MetricId>>,
        /// Then.
        aggregate: Aggregate,
        /// Entities that count.
        condition: Option<Expr<MetricId>>,
        /// With a sum: what the entities with the largest values have of it.
        top: Option<Top>,
    },
    /// A group's part of the total over all groups of the same period.
    Share {
        /// Any metric.
        of: MetricId,
        /// Value ÷ total, or value − total.
        form: ShareForm,
    },
    /// A weighted composite.
    Score(Score),
    /// Something read of a score.
    OfScore {
        /// A metric of kind score.
        of: MetricId,
        /// What.
        take: ScoreTake,
    },
    /// One number about a metric's values period after period.
    Series(Series),
    /// An entity compared with the others of its group.
    Peers(Peers),
}

/// The entities with the largest values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Top {
    /// Their share of all entities, canonical decimal text, above 0 and at most 1; their number is rounded up.
    pub share: String,
    /// Entities with a value below which nothing is said.
    pub at_least: u32,
}

/// How a share is expressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants say it")]
pub enum ShareForm {
    Ratio,
    Difference,
}

/// A line of the bridge between two balances of the same member.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// The balance; its entity has `movements`.
    pub measure: MeasureId,
    /// Classes that count; empty means all.
    pub classes: Vec<Class>,
    /// What is added up.
    pub take: Taken,
    /// Fixed movement grain, whatever the query says.
    pub grain: Option<GrainIndex>,
    /// Members that count.
    pub when: Option<Expr<MemberValue>>,
}

/// Which part of a cohort's life is compared, seen from an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stretch {
    /// From the beginning to the age, end to end.
    Life,
    /// From the age before to the age.
    Step,
    /// Every step from the beginning to the age, added up.
    Steps,
}

impl Stretch {
    /// Every stretch.
    pub const ALL: [Stretch; 3] = [Stretch::Life, Stretch::Step, Stretch::Steps];

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            Stretch::Life => "life",
            Stretch::Step => "step",
            Stretch::Steps => "steps",
        }
    }
}

/// What happened to a member between two balances, tested in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// From nothing; the owner was never active before.
    New,
    /// From nothing; the owner was active earlier, but not at the opening.
    Reactivation,
    /// From nothing, on an owner active at the opening. Never at the owner's own grain.
    ComponentAdd,
    /// To nothing, and the owner is inactive at the closing.
    Churn,
    /// To nothing, while the owner stays. Never at the owner's own grain.
    ComponentLoss,
    /// More than before.
    Expansion,
    /// Less than before.
    Contraction,
    /// The same.
    Flat,
}

impl Class {
    /// Every class in order of test.
    pub const ALL: [Class; 8] = [
        Class::New,
        Class::Reactivation,
        Class::ComponentAdd,
        Class::Churn,
        Class::ComponentLoss,
        Class::Expansion,
        Class::Contraction,
        Class::Flat,
    ];

    /// The name in definitions and in results.
    pub fn name(self) -> &'static str {
        match self {
            Class::New => "new",
            Class::Reactivation => "reactivation",
            Class::ComponentAdd => "component_add",
            Class::Churn => "churn",
            Class::ComponentLoss => "component_loss",
            Class::Expansion => "expansion",
            Class::Contraction => "contraction",
            Class::Flat => "flat",
        }
    }
}

/// What a movement adds up: a thing with a name, or an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// By name.
    Named(Take),
    /// An expression over the values of a member.
    Value(Expr<MemberValue>),
}

/// What a movement adds up over the members that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Take {
    /// Size of the change, never negative.
    Amount,
    /// Opening balance.
    Opening,
    /// Closing balance.
    Closing,
    /// The smaller of opening and closing where the opening is positive.
    Retained,
    /// Closing − opening, signed.
    Change,
    /// Change of the negative part of the balance (rule R5).
    Credit,
    /// What came from other members with the component that carries it.
    TransferIn,
    /// What went to other members with the component that carries it.
    TransferOut,
    /// What a change of exchange rates did to the closing balance.
    Fx,
    /// Members, counted.
    Members,
    /// Distinct owners of the members.
    Owners,
}

impl Take {
    /// Every way to take.
    pub const ALL: [Take; 11] = [
        Take::Amount,
        Take::Opening,
        Take::Closing,
        Take::Retained,
        Take::Change,
        Take::Credit,
        Take::TransferIn,
        Take::TransferOut,
        Take::Fx,
        Take::Members,
        Take::Owners,
    ];

    /// Whether it counts instead of adding up amounts.
    pub fn is_count(self) -> bool {
        match self {
            Take::Members | Take::Owners => true,
            Take::Amount
            | Take::Opening
            | Take::Closing
            | Take::Retained
            | Take::Change
            | Take::Credit
            | Take::TransferIn
            | Take::TransferOut
            | Take::Fx => false,
        }
    }

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            Take::Amount => "amount",
            Take::Opening => "opening",
            Take::Closing => "closing",
            Take::Retained => "retained",
            Take::Change => "change",
            Take::Credit => "credit",
            Take::TransferIn => "transfer_in",
            Take::TransferOut => "transfer_out",
            Take::Fx => "fx",
            Take::Members => "members",
            Take::Owners => "owners",
        }
    }
}

/// What `when` and `take` of a movement may speak of. Closings are those by which a member is classified: with what moved to other
/// members, without what came from them, and at the rates of the opening.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemberValue {
    /// `opening`
    Opening,
    /// `closing`
    Closing,
    /// `owner_opening`
    OwnerOpening,
    /// `owner_closing`
    OwnerClosing,
    /// `opening_…` of a measure in `with`.
    OpeningOf(MeasureId),
    /// `closing_…` of a measure in `with`.
    ClosingOf(MeasureId),
    /// `opening_…` of a dimension in `with`: the greatest number among the rows of the member; null without any.
    OpeningLevel(PathDimension),
    /// `closing_…` of a dimension in `with`.
    ClosingLevel(PathDimension),
}
