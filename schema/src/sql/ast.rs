//! The subset of SQL we emit, as a tree. No node holds text of an asker; author's text occurs only in [`Relation::Sql`].

use jiff::civil::Date;

use smol_str::{SmolStr, format_smolstr};

use crate::{
    model::entity::ColumnName,
    time::{Grain, Step},
    value::{Value, ValueType},
};

/// A name of ours inside a statement: a CTE, a table alias, a column of a subquery. Trees hold thousands of them, so that copying one
/// must not allocate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alias(pub(crate) SmolStr);

impl Alias {
    /// A name such as `fact_2`.
    pub fn numbered(word: &str, number: usize) -> Self {
        Self(format_smolstr!("{word}_{number}"))
    }

    /// A plain name.
    pub fn named(name: &str) -> Self {
        Self(SmolStr::new(name))
    }
}

/// A select with its named subqueries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Query {
    /// Named subqueries, each may use those before it.
    pub with: Vec<Cte>,
    /// One select, or several under UNION ALL.
    pub selects: Vec<Select>,
    /// Order of the result.
    pub order_by: Vec<OrderItem>,
    /// Rows at most.
    pub limit: Option<u64>,
    /// Rows passed over.
    pub offset: u64,
}

impl Query {
    /// A query that is one select.
    pub fn select(select: Select) -> Self {
        Self { selects: vec![select], ..Self::default() }
    }

    /// A query that is several selects under UNION ALL.
    pub fn union_all(selects: Vec<Select>) -> Self {
        Self { selects, ..Self::default() }
    }
}

/// A named subquery.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cte {
    /// Its name.
    pub name: Alias,
    /// Its text.
    pub query: Query,
}

/// One select.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Select {
    /// Whether equal rows are merged.
    pub distinct: bool,
    /// Columns of the result.
    pub items: Vec<Item>,
    /// Where rows come from; `None` selects constants.
    pub from: Option<From>,
    /// Joined one after another.
    pub joins: Vec<Join>,
    /// Conditions, all of which hold.
    pub filters: Vec<Expr>,
    /// How many of the first columns are group keys; `None` without aggregation. `Some(0)` aggregates everything to one row.
    pub group_by: Option<usize>,
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Item {
    /// Its value.
    pub expr: Expr,
    /// Its name.
    pub alias: Alias,
}

/// A relation under a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct From {
    /// The rows.
    pub relation: Relation,
    /// The name.
    pub alias: Alias,
}

/// Rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Relation {
    /// A table or view of the warehouse.
    Table {
        /// Schema, when given.
        schema: Option<String>,
        /// Name.
        table: String,
    },
    /// The author's own select.
    Sql(String),
    /// A named subquery of this statement.
    Cte(Alias),
    /// A subquery.
    Query(Box<Query>),
    /// Whole numbers, one row each.
    Numbers {
        /// The numbers.
        numbers: Vec<u32>,
        /// Name of the only column.
        column: Alias,
    },
    /// Days, one row each.
    Days {
        /// The days.
        days: Vec<Date>,
        /// Name of the only column.
        column: Alias,
    },
    /// Rows of constants.
    Values {
        /// The rows, each with a value per column.
        rows: Vec<Vec<Expr>>,
        /// Names of the columns.
        columns: Vec<Alias>,
    },
}

/// A joined relation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Join {
    /// Which rows stay.
    pub kind: JoinKind,
    /// What is joined.
    pub from: From,
    /// On what; empty only for cross joins.
    pub on: Vec<Expr>,
}

/// Which rows of a join stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are SQL's words")]
pub enum JoinKind {
    Inner,
    Left,
    Cross,
}

/// One part of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderItem {
    /// What is ordered by.
    pub expr: Expr,
    /// Descending.
    pub descending: bool,
    /// Nulls before values.
    pub nulls_first: bool,
}

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A physical column of an aliased relation.
    Physical(Alias, ColumnName),
    /// A column of ours in a subquery.
    Column(Alias, Alias),
    /// A bound value; rendered as a parameter, except null.
    Value(Value),
    /// A null of a type.
    Null(ValueType),
    /// A small whole number of ours, written out.
    Number(i64),
    /// A word of ours (a class, a status), written out; letters and underscores only.
    Word(&'static str),
    /// `not x`.
    Not(Box<Expr>),
    /// `-x`.
    Negate(Box<Expr>),
    /// `x op y`.
    Infix(Infix, Box<Expr>, Box<Expr>),
    /// All hold; empty is true.
    And(Vec<Expr>),
    /// One holds; empty is false.
    Or(Vec<Expr>),
    /// `x is [not] null`.
    IsNull {
        /// What is tested.
        value: Box<Expr>,
        /// `is not null`.
        negated: bool,
    },
    /// `x is not distinct from y`.
    Same(Box<Expr>, Box<Expr>),
    /// `x [not] in (…)`; an empty list is false (true when negated).
    In {
        /// What is tested.
        value: Box<Expr>,
        /// The members.
        list: Vec<Expr>,
        /// `not in`.
        negated: bool,
    },
    /// Text pattern match, `\` as escape.
    Like {
        /// What is tested.
        value: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// Regardless of case.
        ignore_case: bool,
    },
    /// `case when … then … else … end`.
    Case {
        /// Condition and value.
        arms: Vec<(Expr, Expr)>,
        /// Otherwise.
        otherwise: Option<Box<Expr>>,
    },
    /// Exact division, null for a zero divisor, 16 decimals, half away from zero.
    Divide(Box<Expr>, Box<Expr>),
    /// Square root, null of a negative number, 16 decimals, half away from zero.
    SquareRoot(Box<Expr>),
    /// The product, rounded half away from zero when it has more than 20 decimals.
    Product(Box<Expr>, Box<Expr>),
    /// An aggregate: the exact sample standard deviation of values, or of their distances from the least-squares line along whole
    /// numbers; 16 decimals, half away from zero, null of fewer than two values (or one number).
    Deviation {
        /// The values.
        of: Box<Expr>,
        /// The whole numbers.
        along: Option<Box<Expr>>,
    },
    /// `round(x, digits)`, half away from zero.
    Round(Box<Expr>, i64),
    /// A whole number about to be added up, in a type that cannot overflow.
    Exact(Box<Expr>),
    /// A scalar function that is spelled alike everywhere.
    Call(&'static str, Vec<Expr>),
    /// First day of the period of a grain that holds a date, in calendar terms already resolved.
    Truncate(Truncation, Box<Expr>),
    /// A date so much later (or earlier).
    Shift(Box<Expr>, Step),
    /// A date so many days later, the number being computed.
    AddDays(Box<Expr>, Box<Expr>),
    /// A date so many months later, the number being computed.
    AddMonths(Box<Expr>, Box<Expr>),
    /// Whole months from the first date to the second: as many as can be added to the first without passing the second.
    MonthsBetween(Box<Expr>, Box<Expr>),
    /// The largest whole number that is not larger.
    Floor(Box<Expr>),
    /// Whole days from the first date to the second.
    DaysBetween(Box<Expr>, Box<Expr>),
    /// The calendar day of an instant in a zone.
    LocalDate(Box<Expr>, String),
    /// An aggregate.
    Aggregate(AggregateFunction, Option<Box<Expr>>),
    /// An aggregate over all rows of the result that agree on the partition.
    Over(AggregateFunction, Option<Box<Expr>>, Vec<Expr>),
    /// `row_number() over (partition by … order by …)`.
    RowNumber {
        /// Restarts for each of these.
        partition: Vec<Expr>,
        /// Counted in this order.
        order: Vec<OrderItem>,
    },
    /// A conversion to text, for keys of several types.
    ToText(Box<Expr>),
}

/// A truncation with the project's calendar worked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Truncation {
    /// Calendar grain; never fiscal.
    pub grain: Grain,
    /// Months by which periods begin later than the calendar's.
    pub months: i32,
    /// Days by which weeks begin later than Monday.
    pub days: i32,
}

/// Operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the operators themselves")]
pub enum Infix {
    Add,
    Subtract,
    Multiply,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Aggregates we emit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are SQL's aggregates")]
pub enum AggregateFunction {
    Sum,
    Min,
    Max,
    /// Rows when it has no argument.
    Count,
    CountDistinct,
    Median,
}

impl Expr {
    /// `left op right`.
    pub fn infix(op: Infix, left: Expr, right: Expr) -> Expr {
        Expr::Infix(op, Box::new(left), Box::new(right))
    }

    /// `left = right`.
    pub fn equal(left: Expr, right: Expr) -> Expr {
        Expr::infix(Infix::Equal, left, right)
    }

    /// Both hold.
    pub fn and(left: Expr, right: Expr) -> Expr {
        Expr::And(vec![left, right])
    }

    /// `is null`.
    pub fn is_null(value: Expr) -> Expr {
        Expr::IsNull { value: Box::new(value), negated: false }
    }

    /// `is not null`.
    pub fn is_not_null(value: Expr) -> Expr {
        Expr::IsNull { value: Box::new(value), negated: true }
    }

    /// `case when condition then value end`.
    pub fn when(condition: Expr, value: Expr) -> Expr {
        Expr::Case { arms: vec![(condition, value)], otherwise: None }
    }

    /// `case when condition then value else otherwise end`.
    pub fn when_else(condition: Expr, value: Expr, otherwise: Expr) -> Expr {
        Expr::Case { arms: vec![(condition, value)], otherwise: Some(Box::new(otherwise)) }
    }

    /// An aggregate of a value.
    pub fn aggregate(function: AggregateFunction, value: Expr) -> Expr {
        Expr::Aggregate(function, Some(Box::new(value)))
    }

    /// The value as a column of a result.
    pub fn named(self, alias: &Alias) -> Item {
        Item { expr: self, alias: alias.clone() }
    }
}
