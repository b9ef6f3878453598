//! Entities, resolved.

use super::{DimensionIndex, EntityId, GrainIndex, MeasureIndex, RelationshipIndex, path::PathDimension};
use smol_str::SmolStr;

use crate::{
    expr::Expr,
    source::Span,
    time::{Grain, Step},
    value::ValueType,
};

/// A physical column of an entity's source. Validated to be an identifier; quoted by the renderer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnName(pub(crate) SmolStr);

impl ColumnName {
    /// A name, which the caller has checked.
    pub fn new(name: &str) -> Self {
        Self(SmolStr::new(name))
    }

    /// The name as it is written in definitions.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Name in definitions, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// One sentence.
    pub description: Option<String>,
    /// Team or person that answers for it.
    pub owner: Option<String>,
    /// Free words.
    pub tags: Vec<String>,
    /// Table or query.
    pub source: Source,
    /// Dimensions that identify a row (for an effective-dated entity: the thing). Each is a plain column. Never empty.
    pub key: Vec<DimensionIndex>,
    /// Effective dating.
    pub validity: Option<Validity>,
    /// When a row became known.
    pub recorded: Option<Recorded>,
    /// What a person reads.
    pub display: Option<DimensionIndex>,
    /// How long answers may be reused and what tells that data changed.
    pub freshness: Freshness,
    /// Dimensions in written order; time dimensions are among them; key columns without a dimension of their own come first.
    pub dimensions: Vec<Dimension>,
    /// The entity's own time: the first time dimension.
    pub time: Option<DimensionIndex>,
    /// Relationships in written order, those to the top of another last.
    pub relationships: Vec<Relationship>,
    /// Measures in written order.
    pub measures: Vec<Measure>,
    /// How members are compared, for snapshots.
    pub movements: Option<Movements>,
    /// Where it was written.
    pub span: Span,
}

impl Entity {
    /// Looks a dimension up by name.
    pub fn dimension_named(&self, name: &str) -> Option<DimensionIndex> {
        self.dimensions.iter().position(|dimension| dimension.name == name).map(|index| DimensionIndex(index as u16))
    }

    /// Looks a relationship up by name.
    pub fn relationship_named(&self, name: &str) -> Option<RelationshipIndex> {
        self.relationships.iter().position(|relationship| relationship.name == name).map(|index| RelationshipIndex(index as u16))
    }

    /// Looks a measure up by name.
    pub fn measure_named(&self, name: &str) -> Option<MeasureIndex> {
        self.measures.iter().position(|measure| measure.name == name).map(|index| MeasureIndex(index as u16))
    }

    /// The physical columns of the key, in order.
    pub fn key_columns(&self) -> impl Iterator<Item = &ColumnName> {
        self.key.iter().map(|index| self.dimensions[index.index()].column().expect("a key dimension is a plain column"))
    }

    /// Whether a physical column holds instants: a dimension says so.
    pub(crate) fn is_instant(&self, column: &ColumnName) -> bool {
        let is_of = |dimension: &Dimension| dimension.column() == Some(column) && dimension.value_type == ValueType::Timestamp;
        self.dimensions.iter().any(is_of)
    }
}

/// Table or query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A table or view.
    Table {
        /// Schema, when given.
        schema: Option<String>,
        /// Table name.
        table: String,
    },
    /// A select statement of the author, used as a subquery; one statement, no semicolon.
    Sql(String),
}

/// When rows became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Column of the instant.
    pub column: ColumnName,
    /// Whether there may be several rows with one key (and one first instant), of which the newest that was known counts.
    pub is_corrected: bool,
}

/// Effective dating by columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validity {
    /// First instant (inclusive).
    pub from: ColumnName,
    /// End (exclusive); null means still valid.
    pub to: ColumnName,
}

/// Reuse of answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Freshness {
    /// Seconds an answer may be reused; `None` is the server's default.
    pub ttl_seconds: Option<u64>,
    /// Column whose maximum changes whenever rows change.
    pub refresh: Option<ColumnName>,
}

/// One dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Name, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// One sentence.
    pub description: Option<String>,
    /// Type of its values.
    pub value_type: ValueType,
    /// Unit of its values.
    pub unit: Option<String>,
    /// Values that can occur; empty when not declared.
    pub values: Vec<String>,
    /// Over physical columns of the entity's source only: references to other dimensions are already replaced.
    pub expr: Expr<ColumnName>,
    /// Set for time dimensions.
    pub time: Option<TimeDimension>,
    /// At which end of a movement the value is read.
    pub read: ReadAt,
    /// Not shown in the API.
    pub hidden: bool,
    /// Where it was written.
    pub span: Span,
}

impl Dimension {
    /// The physical column, when the dimension is nothing but that.
    pub fn column(&self) -> Option<&ColumnName> {
        match &self.expr {
            Expr::Ref(column) => Some(column),
            _ => None,
        }
    }
}

/// What makes a dimension a time dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeDimension {
    /// Finest grain of the values.
    pub grain: Grain,
    /// Whether rows are balances at the end of their period of `grain`.
    ///
    /// The column may hold any day of the period (its first, its last); it is truncated before use.
    pub snapshot: bool,
}

/// At which end of a movement a dimension's value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum ReadAt {
    /// As of the opening instant; members without an opening row are read at the closing.
    #[default]
    Opening,
    /// As of the closing instant; members without a closing row are read at the opening.
    Closing,
}

/// How many rows the other side has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cardinality {
    /// Many of ours to one of theirs: safe to join.
    ManyToOne,
    /// One to one: safe to join.
    OneToOne,
    /// One of ours to many of theirs.
    OneToMany,
    /// Many to many through a bridge.
    ManyToMany {
        /// The bridge entity.
        bridge: EntityId,
        /// Its columns that hold our key.
        near: Vec<ColumnName>,
        /// Its columns that hold the other's key.
        far: Vec<ColumnName>,
        /// Its column whose sum per row of ours is 1.
        weight: Option<ColumnName>,
    },
}

/// One relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct Relationship {
    /// Name, snake_case.
    pub name: String,
    /// One sentence.
    pub description: Option<String>,
    /// The other entity.
    pub to: EntityId,
    /// How many.
    pub cardinality: Cardinality,
    /// Our physical columns that are joined: our foreign key (many-to-one) or our key (the other kinds).
    pub own: Vec<ColumnName>,
    /// The other's physical columns that are joined, pairwise with `own`: its key, or (one-to-many) its foreign key.
    /// For many-to-many: the other's key, joined to the bridge's `far`.
    pub other: Vec<ColumnName>,
    /// Set when it leads to the last row of a chain, which no column holds; both `own` and `other` are the key then.
    pub top: Option<Top>,
    /// Where it was written.
    pub span: Span,
}

impl Relationship {
    /// Whether one row of ours leads to one of theirs at most, so that joining it multiplies nothing.
    pub fn is_to_one(&self) -> bool {
        match self.cardinality {
            Cardinality::ManyToOne | Cardinality::OneToOne => true,
            Cardinality::OneToMany | Cardinality::ManyToMany { .. } => false,
        }
    }
}

/// The end of a chain of rows of one entity: the row itself where the chain is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Top {
    /// The relationship of the entity to itself that is walked.
    pub of: RelationshipIndex,
    /// How many hops the longest chain has; the end of a longer one is not known.
    pub levels: u8,
}

/// How a measure aggregates rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are SQL's aggregates")]
pub enum Aggregate {
    Sum,
    /// Computed as sum ÷ count, exactly.
    Average,
    Min,
    Max,
    /// Rows for which the expression is not null.
    Count,
    /// Rows.
    CountRows,
    CountDistinct,
    /// Only for `per_entity`.
    Median,
}

/// How a measure behaves along time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum OverTime {
    /// Adds up.
    #[default]
    Sum,
    /// A balance: the last snapshot of the period.
    Last,
    /// A balance: the first snapshot of the period.
    First,
    /// A balance: the mean over the period's snapshots.
    Average,
    /// Belongs to no period by itself: all rows, as they are seen from the last day of the period.
    AsOf,
}

/// One measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Name, snake_case.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// One sentence.
    pub description: Option<String>,
    /// Unit.
    pub unit: Option<String>,
    /// Aggregate over rows.
    pub aggregate: Aggregate,
    /// What is aggregated; a literal for [`Aggregate::CountRows`].
    pub expr: Expr<RowValue>,
    /// Rows that count.
    pub filter: Option<Expr<RowValue>>,
    /// Which of the rows that count are left; only for [`OverTime::AsOf`].
    pub latest: Option<Latest>,
    /// Along time.
    pub over_time: OverTime,
    /// The time dimension it belongs to; `None` on an entity without time and for [`OverTime::AsOf`].
    pub time: Option<DimensionIndex>,
    /// The amount before conversion.
    pub currency: Option<LocalAmount>,
    /// Type of the result.
    pub value_type: ValueType,
    /// Where it was written.
    pub span: Span,
}

impl Measure {
    /// The time of a balance that movements compare.
    pub(crate) fn snapshot_time(&self) -> DimensionIndex {
        self.time.expect("the fact of a movement has time: checked when definitions are resolved")
    }

    /// Visits every physical column it reads.
    pub fn visit_columns<'a>(&'a self, f: &mut impl FnMut(&'a ColumnName)) {
        for expr in std::iter::once(&self.expr).chain(&self.filter) {
            expr.visit_refs(&mut |value| match value {
                RowValue::Column(column) => f(column),
                RowValue::AsOf | RowValue::Today => {}
            });
        }
        for expr in self.currency.iter().flat_map(|local| [&local.amount, &local.rate, &local.code]) {
            expr.visit_refs(f);
        }
        for expr in self.latest.iter().flat_map(|latest| latest.per.iter().chain([&latest.by])) {
            expr.visit_refs(f);
        }
    }
}

/// What the expressions of a measure may speak of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowValue {
    /// A column of the row.
    Column(ColumnName),
    /// The day the row is seen from; only for [`OverTime::AsOf`].
    AsOf,
    /// The day that counts as today in the question; only for [`OverTime::Sum`].
    Today,
}

/// Of the rows that count, the newest per key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Latest {
    /// The key.
    pub per: Vec<Expr<ColumnName>>,
    /// What tells which is newest; of equals the one with the greater key of the entity.
    pub by: Expr<ColumnName>,
}

/// An amount before it was converted into the currency of a measure.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalAmount {
    /// The amount in its own currency.
    pub amount: Expr<ColumnName>,
    /// What one unit is worth in the currency of the measure.
    pub rate: Expr<ColumnName>,
    /// Which currency.
    pub code: Expr<ColumnName>,
}

/// How members of a snapshot are compared between two instants.
#[derive(Debug, Clone, PartialEq)]
pub struct Movements {
    /// The entity whose activity tells churn from a component's loss.
    pub owner: EntityId,
    /// Movement grains; the first is the default. Each holds the owner's key or attributes of the owner alone.
    pub grains: Vec<MovementGrain>,
    /// When an owner began: a date of its own, which puts it into a cohort.
    pub cohort: Option<DimensionIndex>,
    /// What keeps its identity while its attributes change.
    pub component: Option<MovementComponent>,
}

/// What carries value from one member to another. A snapshot has at most one row of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementComponent {
    /// The component's entity.
    pub entity: EntityId,
    /// The fact's columns that hold the component's key.
    pub columns: Vec<ColumnName>,
    /// The component's own key columns, pairwise with `columns`.
    pub key: Vec<ColumnName>,
    /// The component's columns that hold the key of the component it replaces, pairwise with `columns`.
    pub replaces: Option<Vec<ColumnName>>,
}

impl Movements {
    /// Looks a grain up by name.
    pub fn grain_named(&self, name: &str) -> Option<GrainIndex> {
        self.grains.iter().position(|grain| grain.name == name).map(|index| GrainIndex(index as u16))
    }
}

/// What identifies a member at one movement grain.
#[derive(Debug, Clone, PartialEq)]
pub struct MovementGrain {
    /// Name, snake_case; an enum value in GraphQL.
    pub name: String,
    /// Key dimensions of the listed entities and listed dimensions, reached from the fact by safe paths.
    pub members: Vec<PathDimension>,
    /// Which of the members identify the owner: its key, or all of them when they are attributes of the owner, which are then owners
    /// themselves (the parents of accounts).
    pub owner: Vec<PathDimension>,
}

/// A trailing or to-date window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// So much time up to the end of the period.
    Trailing(Step),
    /// From the start of the enclosing period of a coarser grain.
    ToDate(Grain),
    /// From the beginning.
    All,
}
