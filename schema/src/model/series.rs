//! Series, resolved: one number about a metric's values period after period.

use super::{EntityId, MetricId};
use crate::time::Grain;

/// What is looked at, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Series {
    /// Any metric of numbers.
    pub of: MetricId,
    /// The periods of the series.
    pub grain: Grain,
    /// How many periods are looked at, the last complete one included.
    pub window: u32,
    /// What is said of the values.
    pub take: SeriesTake,
    /// Periods with a value below which nothing is said; with `per`, entities with a value in every period.
    pub at_least: u32,
    /// Of each of these entities there is a series of its own.
    pub per: Option<EntityId>,
}

/// What is said of the values of a series. Periods without a value are left out; `x` is a period's position in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SeriesTake {
    /// Periods with a value.
    Count,
    /// The values added up.
    Sum,
    /// Their mean.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The middle one, or the mean of the two in the middle.
    Median,
    /// That of the first period of the window.
    First,
    /// That of the last period of the window.
    Last,
    /// Sample standard deviation.
    Stdev,
    /// Least-squares slope per period.
    Slope,
    /// Sample standard deviation of the distances from the least-squares line.
    ResidualStdev,
    /// The least-squares line so many periods after the window.
    Forecast {
        /// How many.
        horizon: u32,
    },
    /// Robust distance of the last value from those before it.
    MadScore,
    /// Falls in a row at the end.
    Falls,
    /// Rises in a row at the end.
    Rises,
    /// The values multiplied, oldest first, each product rounded at 20 decimals.
    Product,
    /// Days from the first day of the window to the end of the first period whose value is above zero.
    DaysToFirst,
    /// Mean of the correlations of every two entities' series.
    Correlation,
}

impl SeriesTake {
    /// Every way to take; a forecast looks one period ahead.
    pub const ALL: [SeriesTake; 18] = [
        SeriesTake::Count,
        SeriesTake::Sum,
        SeriesTake::Mean,
        SeriesTake::Min,
        SeriesTake::Max,
        SeriesTake::Median,
        SeriesTake::First,
        SeriesTake::Last,
        SeriesTake::Stdev,
        SeriesTake::Slope,
        SeriesTake::ResidualStdev,
        SeriesTake::Forecast { horizon: 1 },
        SeriesTake::MadScore,
        SeriesTake::Falls,
        SeriesTake::Rises,
        SeriesTake::Product,
        SeriesTake::DaysToFirst,
        SeriesTake::Correlation,
    ];

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            SeriesTake::Count => "count",
            SeriesTake::Sum => "sum",
            SeriesTake::Mean => "mean",
            SeriesTake::Min => "min",
            SeriesTake::Max => "max",
            SeriesTake::Median => "median",
            SeriesTake::First => "first",
            SeriesTake::Last => "last",
            SeriesTake::Stdev => "stdev",
            SeriesTake::Slope => "slope",
            SeriesTake::ResidualStdev => "residual_stdev",
            SeriesTake::Forecast { .. } => "forecast",
            SeriesTake::MadScore => "mad_score",
            SeriesTake::Falls => "falls",
            SeriesTake::Rises => "rises",
            SeriesTake::Product => "product",
            SeriesTake::DaysToFirst => "days_to_first",
            SeriesTake::Correlation => "correlation",
        }
    }

    /// Whether the answer counts periods or days.
    pub fn is_count(self) -> bool {
        match self {
            SeriesTake::Count | SeriesTake::Falls | SeriesTake::Rises | SeriesTake::DaysToFirst => true,
            SeriesTake::Sum
            | SeriesTake::Mean
            | SeriesTake::Min
            | SeriesTake::Max
            | SeriesTake::Median
            | SeriesTake::First
            | SeriesTake::Last
            | SeriesTake::Stdev
            | SeriesTake::Slope
            | SeriesTake::ResidualStdev
            | SeriesTake::Forecast { .. }
            | SeriesTake::MadScore
            | SeriesTake::Product
            | SeriesTake::Correlation => false,
        }
    }

    /// Whether the answer is measured in the unit of the values; a slope is in it per period.
    pub fn keeps_unit(self) -> bool {
        match self {
            SeriesTake::Sum
            | SeriesTake::Mean
            | SeriesTake::Min
            | SeriesTake::Max
            | SeriesTake::Median
            | SeriesTake::First
            | SeriesTake::Last
            | SeriesTake::Stdev
            | SeriesTake::Slope
            | SeriesTake::ResidualStdev
            | SeriesTake::Forecast { .. } => true,
            SeriesTake::Count
            | SeriesTake::MadScore
            | SeriesTake::Falls
            | SeriesTake::Rises
            | SeriesTake::Product
            | SeriesTake::DaysToFirst
            | SeriesTake::Correlation => false,
        }
    }

    /// Whether each period of the window stands in the statement by itself, which keeps windows short.
    pub fn names_each_period(self) -> bool {
        matches!(self, SeriesTake::Falls | SeriesTake::Rises | SeriesTake::Product)
    }
}
