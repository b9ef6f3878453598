//! A series to a leaf: the metric by the series' own periods as a plan of its own, and what is said of its values as columns.

use jiff::civil::Date;

use super::{
    Leaf, LeafKey, LeafKind, Output, Plan, Slot, Timing,
    build::{Builder, Context, key_of, outer_key, position_or_push},
};
use crate::{
    expr::{BinaryOp, CaseArm, Expr, Function},
    model::{
        Metric,
        series::{Series, SeriesTake},
    },
    query::{
        Fill, TimeRange,
        bound::{BoundKey, KeyItem},
        error::{QueryError, QueryErrorCode as Code},
    },
    time::{Grain, Step},
    value::{Value, ValueType},
};

/// Values of a metric period after period, and what is said of them.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesLeaf {
    /// The metric by the series' periods; its keys are the leaf's keys without periods and then the series' own period.
    pub inner: Box<Plan>,
    /// The series' periods.
    pub grain: Grain,
    /// First days of all periods looked at, in order.
    pub periods: Vec<Date>,
    /// How many periods one row of the leaf looks at.
    pub window: u32,
    /// The rows a group has.
    pub ends: Vec<SeriesEnd>,
    /// What is said of the values.
    pub said: SeriesSaid,
}

/// What is said of the values of a [`SeriesLeaf`], by what has a series.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SeriesSaid {
    /// Each group has one series.
    OfOne(Vec<SeriesColumn>),
    /// Each group has a series for each of its entities.
    OfSeveral {
        /// Parts of the entities' key; they stand before the series' period.
        parts: usize,
        /// What is said of all of them.
        columns: Vec<SideBySideColumn>,
    },
}

impl SeriesSaid {
    /// Parts of the key of the entities that have series of their own: 0 without such entities.
    pub(crate) fn entity_parts(&self) -> usize {
        match self {
            SeriesSaid::OfOne(_) => 0,
            SeriesSaid::OfSeveral { parts, .. } => *parts,
        }
    }

    /// Types of the columns.
    pub(crate) fn value_types(&self) -> Vec<ValueType> {
        match self {
            SeriesSaid::OfOne(columns) => columns.iter().map(|column| column.value_type()).collect(),
            SeriesSaid::OfSeveral { columns, .. } => columns.iter().map(|column| column.value_type()).collect(),
        }
    }

    /// Whether days are counted, and not only periods.
    pub(crate) fn counts_days(&self) -> bool {
        match self {
            SeriesSaid::OfOne(columns) => columns.contains(&SeriesColumn::DaysToFirst),
            SeriesSaid::OfSeveral { .. } => false,
        }
    }
}

/// One period of the question, and where its window ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesEnd {
    /// Values of the leaf's period keys, in their order.
    pub keys: Vec<Date>,
    /// Position of the window's last period in [`SeriesLeaf::periods`].
    pub last: usize,
}

/// What may be said of one series. Periods count from 0, the first of the window; those without a value are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SeriesColumn {
    /// Number of values.
    Count,
    /// Sum of the values.
    Sum,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Median of the values.
    Median,
    /// The value of one period.
    At(u32),
    /// Sum of the periods' numbers.
    Positions,
    /// Sum of the squares of the periods' numbers.
    PositionSquares,
    /// Sum of number times value.
    PositionProducts,
    /// Sample standard deviation of the values.
    Stdev,
    /// Sample standard deviation of the distances from the least-squares line.
    ResidualStdev,
    /// The values multiplied.
    Product,
    /// Smallest number of days from the first day of the window to the end of a period whose value is above zero.
    DaysToFirst,
    /// Number of values before the last period.
    PriorCount,
    /// Median of the values before the last period.
    PriorMedian,
    /// Median distance of the values before the last period from their median.
    PriorMedianDistance,
    /// Sum of those distances.
    PriorDistance,
}

/// What may be said of the series of several entities side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SideBySideColumn {
    /// Entities with a value in every period, and not always the same.
    Entities,
    /// Their standardised values added up in each period, and these sums squared and added up.
    Together,
}

impl SeriesColumn {
    /// Type of its values.
    pub(crate) fn value_type(self) -> ValueType {
        match self {
            SeriesColumn::Count
            | SeriesColumn::Positions
            | SeriesColumn::PositionSquares
            | SeriesColumn::DaysToFirst
            | SeriesColumn::PriorCount => ValueType::Int,
            SeriesColumn::Sum
            | SeriesColumn::Min
            | SeriesColumn::Max
            | SeriesColumn::Median
            | SeriesColumn::At(_)
            | SeriesColumn::PositionProducts
            | SeriesColumn::Stdev
            | SeriesColumn::ResidualStdev
            | SeriesColumn::Product
            | SeriesColumn::PriorMedian
            | SeriesColumn::PriorMedianDistance
            | SeriesColumn::PriorDistance => ValueType::Decimal,
        }
    }
}

impl SideBySideColumn {
    fn value_type(self) -> ValueType {
        match self {
            SideBySideColumn::Entities => ValueType::Int,
            SideBySideColumn::Together => ValueType::Decimal,
        }
    }
}

impl Builder<'_> {
    pub(super) fn series(&mut self, metric: &Metric, series: &Series, context: Context<'_>) -> Result<Expr<Slot>, QueryError> {
        let (periods, ends) = self.series_periods(metric, series, context.timing.shift)?;
        let is_kept = |key: &&BoundKey| !context.timing.total || matches!(key.item, KeyItem::Period(_));
        let outer: Vec<BoundKey> = self.keys.iter().filter(is_kept).cloned().collect();
        let outer_keys: Vec<LeafKey> = outer.iter().map(|key| outer_key(&key.item)).collect();
        let mut keys: Vec<BoundKey> = outer.into_iter().filter(|key| key.period().is_none()).collect();
        let said = match series.per {
            None => SeriesSaid::OfOne(Vec::new()),
            Some(entity) => {
                let entity = key_of(self.model, entity);
                let parts = entity.len();
                keys.extend(entity);
                SeriesSaid::OfSeveral { parts, columns: Vec::new() }
            }
        };
        keys.push(BoundKey {
            key: "series_period".to_owned(),
            by: usize::MAX,
            part: 0,
            item: KeyItem::Period(series.grain),
            value_type: ValueType::Date,
        });
        let last = *periods.last().expect("a window has a period");
        let range = TimeRange { from: periods.first().copied(), to: Some(series.grain.step().after(last)) };
        // Every period for every group, so that a metric that shows nothing as zero is zero in a month without rows.
        let query = crate::query::BoundQuery { range, ..self.question_of(context.timing) };
        let mut inner = Builder::new(self.model, &query, keys);
        let value = inner.value(series.of, Context { timing: Timing::default(), ..context })?;
        let value_type = self.model.metric(series.of).value_type;
        let outputs = vec![Output { key: String::new(), value, previous: None, status: None, value_type }];
        let inner = Box::new(Plan { fill: Fill::Dense, ..inner.finish(outputs).unlimited() });
        let leaf = SeriesLeaf { inner, grain: series.grain, periods, window: series.window, ends, said };
        let position = self.series_leaf(leaf, outer_keys, context.timing);
        Ok(self.taken(position, series))
    }

    /// The periods looked at, and where the window of each period of the question ends: with the last period that was complete on the
    /// day that counts as today.
    fn series_periods(&self, metric: &Metric, series: &Series, shift: Step) -> Result<(Vec<Date>, Vec<SeriesEnd>), QueryError> {
        let calendar = self.model.project.calendar;
        let grain = series.grain;
        let today = self.query.as_of;
        let last_before = |end: Date| {
            let complete = calendar.truncate(grain, end.min(today));
            let moved = calendar.truncate(grain, shift.before(complete));
            grain.step().before(moved)
        };
        let lasts: Vec<(Vec<Date>, Date)> = match self.period() {
            None => vec![(Vec::new(), last_before(self.query.range.to.unwrap_or(today)))],
            Some(period) => {
                let Some(from) = self.query.range.from else {
                    return Err(QueryError::new(
                        Code::InvalidRange,
                        format!("`{}` by period needs a range with a first day", metric.name),
                    )
                    .help("pass range: {between: {from, to}}"));
                };
                let to = self.query.range.to.unwrap_or_else(|| Step::days(1).after(today));
                let grains: Vec<Grain> = self.keys.iter().filter_map(BoundKey::period).collect();
                let starts = calendar.periods(period, from, to).take(MOST_PERIODS + 1);
                starts
                    .map(|start| {
                        let keys = grains.iter().map(|grain| calendar.truncate(*grain, start)).collect();
                        (keys, last_before(period.step().after(start)))
                    })
                    .collect()
            }
        };
        let back = grain.step().times(series.window.saturating_sub(1) as i32);
        let bounds = lasts.iter().map(|(_, last)| *last).min().zip(lasts.iter().map(|(_, last)| *last).max());
        let (first, last) = bounds.expect("a range has a period");
        let first = calendar.truncate(grain, back.before(first));
        let periods: Vec<Date> = calendar.periods(grain, first, grain.step().after(last)).take(MOST_PERIODS + 1).collect();
        if periods.len() > MOST_PERIODS || lasts.len() > MOST_PERIODS {
            return Err(QueryError::new(
                Code::InvalidRange,
                format!("`{}` would look at more than {MOST_PERIODS} periods by {}", metric.name, grain.name()),
            )
            .help("use a shorter range or a coarser period"));
        }
        let position = |day: &Date| periods.binary_search(day).expect("every window ends in one of the periods");
        let ends = lasts.iter().map(|(keys, last)| SeriesEnd { keys: keys.clone(), last: position(last) }).collect();
        Ok((periods, ends))
    }

    /// Series over the same values share them.
    fn series_leaf(&mut self, leaf: SeriesLeaf, keys: Vec<LeafKey>, timing: Timing) -> usize {
        let same = |known: &Leaf| {
            known.timing == timing
                && matches!(&known.kind, LeafKind::Series(known)
                    if known.window == leaf.window && known.ends == leaf.ends && known.periods == leaf.periods
                        && known.said.entity_parts() == leaf.said.entity_parts() && known.inner == leaf.inner)
        };
        match self.leaves.iter().position(same) {
            Some(position) => position,
            None => self.push(Leaf { timing, keys, kind: LeafKind::Series(leaf) }),
        }
    }

    fn series_column(&mut self, leaf: usize, column: SeriesColumn) -> Expr<Slot> {
        let LeafKind::Series(SeriesLeaf { said: SeriesSaid::OfOne(columns), .. }) = &mut self.leaves[leaf].kind else {
            unreachable!("columns of one series belong to one series")
        };
        Expr::Ref(Slot { leaf, column: position_or_push(columns, column) })
    }

    fn side_by_side_column(&mut self, leaf: usize, column: SideBySideColumn) -> Expr<Slot> {
        let LeafKind::Series(SeriesLeaf { said: SeriesSaid::OfSeveral { columns, .. }, .. }) = &mut self.leaves[leaf].kind else {
            unreachable!("columns of several series belong to several series")
        };
        Expr::Ref(Slot { leaf, column: position_or_push(columns, column) })
    }

    /// What is said of the values, when there are enough of them.
    fn taken(&mut self, leaf: usize, series: &Series) -> Expr<Slot> {
        let value = self.said(leaf, series);
        if series.at_least <= 1 {
            return value;
        }
        let count = match series.per {
            None => self.series_column(leaf, SeriesColumn::Count),
            Some(_) => self.side_by_side_column(leaf, SideBySideColumn::Entities),
        };
        let enough = Expr::binary(BinaryOp::GreaterOrEqual, count, number(i64::from(series.at_least)));
        case(vec![(enough, value)], None)
    }

    fn said(&mut self, leaf: usize, series: &Series) -> Expr<Slot> {
        let last = series.window.saturating_sub(1);
        let mut column = |column| self.series_column(leaf, column);
        match series.take {
            SeriesTake::Count => column(SeriesColumn::Count),
            SeriesTake::Sum => column(SeriesColumn::Sum),
            SeriesTake::Mean => divide(column(SeriesColumn::Sum), column(SeriesColumn::Count)),
            SeriesTake::Min => column(SeriesColumn::Min),
            SeriesTake::Max => column(SeriesColumn::Max),
            SeriesTake::Median => column(SeriesColumn::Median),
            SeriesTake::First => column(SeriesColumn::At(0)),
            SeriesTake::Last => column(SeriesColumn::At(last)),
            SeriesTake::Stdev => column(SeriesColumn::Stdev),
            SeriesTake::ResidualStdev => column(SeriesColumn::ResidualStdev),
            SeriesTake::Product => column(SeriesColumn::Product),
            SeriesTake::Slope => {
                let line = Line::of(&mut column);
                divide(line.covariance(), line.variance())
            }
            SeriesTake::Forecast { horizon } => {
                // The mean, and the slope times the way from the middle: over one divisor, so that nothing is rounded before the end.
                let line = Line::of(&mut column);
                let target = number(i64::from(last) + i64::from(horizon));
                let way = minus(times(line.count.clone(), target), line.positions.clone());
                let above = plus(times(line.values.clone(), line.variance()), times(line.covariance(), way));
                divide(above, times(line.count.clone(), line.variance()))
            }
            SeriesTake::MadScore => {
                // 0.6745 and 1.253314 make both distances comparable with a standard deviation; whole numbers keep the products exact.
                let distance = minus(column(SeriesColumn::At(last)), column(SeriesColumn::PriorMedian));
                let median = column(SeriesColumn::PriorMedianDistance);
                let sum = column(SeriesColumn::PriorDistance);
                let count = column(SeriesColumn::PriorCount);
                let is_some = |value: &Expr<Slot>| Expr::binary(BinaryOp::NotEqual, value.clone(), number(0));
                let by_median = divide(times(number(6_745), distance.clone()), times(number(10_000), median.clone()));
                let by_mean = divide(times(times(number(1_000_000), count), distance), times(number(1_253_314), sum.clone()));
                case(vec![(is_some(&median), by_median), (is_some(&sum), by_mean)], None)
            }
            SeriesTake::Correlation => {
                // The square of the sums holds every two entities' products twice, and each one's own, which is one less than the periods.
                let entities = self.side_by_side_column(leaf, SideBySideColumn::Entities);
                let together = self.side_by_side_column(leaf, SideBySideColumn::Together);
                let own = times(entities.clone(), number(i64::from(last)));
                let pairs = times(own.clone(), minus(entities, number(1)));
                // Standardised values are rounded at 16 decimals.
                Expr::Call(Function::Round, vec![divide(minus(together, own), pairs), number(CORRELATION_PLACES)])
            }
            SeriesTake::Falls => in_a_row(series.window, BinaryOp::Less, &mut column),
            SeriesTake::Rises => in_a_row(series.window, BinaryOp::Greater, &mut column),
            SeriesTake::DaysToFirst => column(SeriesColumn::DaysToFirst),
        }
    }
}

/// Decimals of a correlation.
const CORRELATION_PLACES: i64 = 12;

/// Periods one statement lists at most.
const MOST_PERIODS: usize = 5_000;

/// The sums a least-squares line is made of.
struct Line {
    count: Expr<Slot>,
    values: Expr<Slot>,
    positions: Expr<Slot>,
    squares: Expr<Slot>,
    products: Expr<Slot>,
}

impl Line {
    fn of(column: &mut impl FnMut(SeriesColumn) -> Expr<Slot>) -> Self {
        Self {
            count: column(SeriesColumn::Count),
            values: column(SeriesColumn::Sum),
            positions: column(SeriesColumn::Positions),
            squares: column(SeriesColumn::PositionSquares),
            products: column(SeriesColumn::PositionProducts),
        }
    }

    /// n·Σxy − Σx·Σy.
    fn covariance(&self) -> Expr<Slot> {
        minus(times(self.count.clone(), self.products.clone()), times(self.positions.clone(), self.values.clone()))
    }

    /// n·Σx² − (Σx)².
    fn variance(&self) -> Expr<Slot> {
        minus(times(self.count.clone(), self.squares.clone()), times(self.positions.clone(), self.positions.clone()))
    }
}

/// How often in a row, from the end, a value stands in a relation to the one before it; a missing value ends the row, and a missing
/// last value says nothing.
fn in_a_row(window: u32, relation: BinaryOp, column: &mut impl FnMut(SeriesColumn) -> Expr<Slot>) -> Expr<Slot> {
    let last = window.saturating_sub(1);
    let missing = |value: Expr<Slot>| Expr::IsNull { value: Box::new(value), negated: false };
    let mut arms = vec![(missing(column(SeriesColumn::At(last))), Expr::Literal(Value::Null))];
    for (length, at) in (1..=last).rev().enumerate() {
        let (value, before) = (column(SeriesColumn::At(at)), column(SeriesColumn::At(at - 1)));
        let holds = Expr::binary(relation, value, before.clone());
        let ends = Expr::binary(BinaryOp::Or, missing(before), Expr::Unary(crate::expr::UnaryOp::Not, Box::new(holds)));
        arms.push((ends, number(length as i64)));
    }
    case(arms, Some(number(i64::from(last))))
}

fn number(value: i64) -> Expr<Slot> {
    Expr::Literal(Value::Int(value))
}

fn plus(left: Expr<Slot>, right: Expr<Slot>) -> Expr<Slot> {
    Expr::binary(BinaryOp::Add, left, right)
}

fn minus(left: Expr<Slot>, right: Expr<Slot>) -> Expr<Slot> {
    Expr::binary(BinaryOp::Subtract, left, right)
}

fn times(left: Expr<Slot>, right: Expr<Slot>) -> Expr<Slot> {
    Expr::binary(BinaryOp::Multiply, left, right)
}

fn divide(left: Expr<Slot>, right: Expr<Slot>) -> Expr<Slot> {
    Expr::binary(BinaryOp::Divide, left, right)
}

fn case(arms: Vec<(Expr<Slot>, Expr<Slot>)>, otherwise: Option<Expr<Slot>>) -> Expr<Slot> {
    let arms = arms.into_iter().map(|(when, then)| CaseArm { when, then }).collect();
    Expr::Case { arms, otherwise: otherwise.map(Box::new) }
}
