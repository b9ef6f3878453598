//! Measures of rows seen from a day: measures whose rows count under one condition share a leaf.

use super::{
    AsOfLeaf, Leaf, LeafKind, Slot,
    build::{Builder, Context},
};
use crate::{
    expr::Expr,
    model::{MeasureId, Metric},
    query::{
        bind::check_period_count,
        error::{QueryError, QueryErrorCode as Code},
    },
    time::Step,
};

impl Builder<'_> {
    /// A measure of rows seen from the last day of each period.
    pub(super) fn as_of(&mut self, metric: &Metric, id: MeasureId, context: Context<'_>) -> Result<Expr<Slot>, QueryError> {
        self.check_days_seen(metric)?;
        self.check_days(metric, context.timing)?;
        let filter = self.column_filter(metric, id.entity, context)?;
        self.check_fans(metric, id, &filter)?;
        let leaf = self.as_of_leaf(id, context)?;
        Ok(self.measured(leaf, id, &filter))
    }

    /// Rows belong to no period, so the periods have to be named by the range.
    pub(super) fn check_days_seen(&self, metric: &Metric) -> Result<(), QueryError> {
        let range = self.query.range;
        if self.period().is_some() && range.from.is_none() {
            return Err(QueryError::new(
                Code::InvalidRange,
                format!(
                    "`{}` is seen from the last day of each period, and the range does not say where periods begin",
                    metric.name
                ),
            )
            .help("pass range: {between: {from, to}}"));
        }
        let today = self.query.as_of;
        if let (Some(from), None) = (range.from, range.to)
            && from > today
        {
            return Err(QueryError::new(
                Code::InvalidRange,
                format!("the range begins on {from}, after {today}, which counts as today"),
            )
            .help("pass the end of the range too, or asOf"));
        }
        let until_today = crate::query::TimeRange { to: range.to.or(Some(Step::days(1).after(today))), ..range };
        check_period_count(self.model, self.period(), until_today)
    }

    fn as_of_leaf(&mut self, id: MeasureId, context: Context<'_>) -> Result<usize, QueryError> {
        let measure = self.model.measure(id);
        let same = |leaf: &Leaf| {
            leaf.timing == context.timing
                && matches!(&leaf.kind, LeafKind::AsOf(known)
                    if known.fact == id.entity && known.rows == measure.filter && known.latest == measure.latest)
        };
        if let Some(position) = self.leaves.iter().position(same) {
            return Ok(position);
        }
        let keys = self.leaf_keys(id.entity, context.timing)?;
        let filter = self.query_filter(id.entity, context.timing)?;
        let kind = LeafKind::AsOf(AsOfLeaf {
            fact: id.entity,
            rows: measure.filter.clone(),
            latest: measure.latest.clone(),
            filter,
            columns: Vec::new(),
        });
        Ok(self.push(Leaf { timing: context.timing, keys, kind }))
    }
}
