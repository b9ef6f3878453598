//! Rows that came out and rows that were expected → what is different, in words.

use holdfast_schema::{
    compile::{ColumnRole, CompiledMetrics},
    definition::{
        Named,
        test::{Literal, Test},
    },
    query::{GroupItem, MetricQuery},
    time::{Calendar, Grain},
    value::{CellRef, RowSet},
};
use rust_decimal::{Decimal, RoundingStrategy};

/// Places after the point of a computed ratio.
const RATIO_SCALE: u32 = 16;

/// What the comparison needs to know of the question.
pub(super) struct Expected<'a> {
    /// The test.
    pub(super) test: &'a Test,
    /// The question.
    pub(super) query: &'a MetricQuery,
    /// How to read the rows.
    pub(super) plan: &'a CompiledMetrics,
    /// For labels of periods.
    pub(super) calendar: Calendar,
}

impl Expected<'_> {
    /// What is different; empty when nothing is.
    pub(super) fn differences(&self, rows: &RowSet, totals: Option<&RowSet>) -> Vec<String> {
        let mut found = Vec::new();
        let shown = shown(self.query, rows);
        if shown != self.test.expect.len() {
            found.push(format!("expected {} rows, found {shown}", self.test.expect.len()));
        }
        for (index, expected) in self.test.expect.iter().enumerate().take(shown) {
            self.compare_row(&format!("row {}", index + 1), expected, rows, index, &self.plan.columns, &mut found);
        }
        if let Some(expected) = &self.test.expect_totals {
            match totals.filter(|totals| totals.row_count() == 1) {
                Some(totals) => self.compare_row("totals", expected, totals, 0, &self.plan.total_columns, &mut found),
                None => found.push("expected totals, found none".to_owned()),
            }
        }
        if !found.is_empty() {
            found.push(format!("found:\n{}", self.table(rows)));
        }
        found
    }

    fn compare_row(
        &self,
        place: &str,
        expected: &Named<Literal>,
        rows: &RowSet,
        row: usize,
        roles: &[ColumnRole],
        found: &mut Vec<String>,
    ) {
        for (name, literal) in expected {
            let Some(column) = self.column(&name.value, roles) else {
                found.push(format!("{place}: the question has no column `{}`", name.value));
                continue;
            };
            let cell = rows.cell(row, column);
            if !self.is_same(cell, literal, roles[column]) {
                let wanted = literal.text.as_deref().unwrap_or("null");
                found.push(format!("{place}, `{}`: expected {wanted}, found {}", name.value, show(cell)));
            }
        }
    }

    fn column(&self, name: &str, roles: &[ColumnRole]) -> Option<usize> {
        roles.iter().position(|role| match role {
            ColumnRole::Group { by, part: 0 } => self.query.by.get(*by).is_some_and(|group| group.key == name),
            ColumnRole::Metric(index) => self.query.metrics.get(*index).is_some_and(|metric| metric.key == name),
            ColumnRole::Group { .. } | ColumnRole::Previous(_) | ColumnRole::Status(_) | ColumnRole::RowCount => false,
        })
    }

    fn is_same(&self, cell: CellRef<'_>, literal: &Literal, role: ColumnRole) -> bool {
        let Some(wanted) = literal.text.as_deref() else {
            return cell == CellRef::Null;
        };
        match cell {
            CellRef::Null => false,
            CellRef::Bool(value) => wanted.parse() == Ok(value),
            CellRef::Text(text) => text == wanted,
            CellRef::Int(number) => self.is_near(Decimal::from(number), wanted),
            CellRef::Decimal(text) => match text.parse::<Decimal>() {
                Ok(number) => self.is_near(number, wanted),
                Err(_) => text == wanted,
            },
            CellRef::Date(date) => {
                date.to_string() == wanted || self.grain(role).is_some_and(|grain| self.calendar.label(grain, date) == wanted)
            }
            CellRef::Timestamp(instant) => wanted.parse().is_ok_and(|wanted: jiff::Timestamp| wanted == instant),
        }
    }

    /// The grain of a column that holds the first days of periods.
    fn grain(&self, role: ColumnRole) -> Option<Grain> {
        let ColumnRole::Group { by, .. } = role else { return None };
        match self.query.by.get(by)?.item {
            GroupItem::Time { grain, .. } | GroupItem::Cohort { grain } => Some(grain),
            GroupItem::Dimension(_) | GroupItem::Age(_) => None,
        }
    }

    fn is_near(&self, found: Decimal, wanted: &str) -> bool {
        let tolerance = self.test.tolerance.as_ref().and_then(|text| text.value.parse().ok()).unwrap_or(Decimal::ZERO);
        number(wanted).and_then(|wanted| found.checked_sub(wanted)).is_some_and(|difference| difference.abs() <= tolerance)
    }

    /// The rows as a small table.
    fn table(&self, rows: &RowSet) -> String {
        let header = self.plan.columns.iter().map(|role| match role {
            ColumnRole::Group { by, .. } => self.query.by.get(*by).map_or("?", |group| group.key.as_str()),
            ColumnRole::Metric(index) => self.query.metrics.get(*index).map_or("?", |metric| metric.key.as_str()),
            ColumnRole::Previous(_) => "previous",
            ColumnRole::Status(_) => "status",
            ColumnRole::RowCount => "row count",
        });
        let mut lines = vec![header.map(str::to_owned).collect::<Vec<_>>().join(" | ")];
        let shown = shown(self.query, rows);
        for row in 0..shown.min(20) {
            let cells: Vec<String> = (0..rows.columns().len()).map(|column| show(rows.cell(row, column))).collect();
            lines.push(cells.join(" | "));
        }
        if shown > 20 {
            lines.push("…".to_owned());
        }
        lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }
}

/// How many rows are an answer: of those beyond the limit one comes too, to tell that there are more.
pub(crate) fn shown(query: &MetricQuery, rows: &RowSet) -> usize {
    let limit = query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    rows.row_count().min(limit)
}

/// `0.05`, or a fraction such as `60/1010`, rounded as ratios are.
fn number(text: &str) -> Option<Decimal> {
    let Some((numerator, denominator)) = text.split_once('/') else {
        return text.trim().parse().ok();
    };
    let (numerator, denominator): (Decimal, Decimal) = (numerator.trim().parse().ok()?, denominator.trim().parse().ok()?);
    let quotient = numerator.checked_div(denominator)?;
    Some(quotient.round_dp_with_strategy(RATIO_SCALE, RoundingStrategy::MidpointAwayFromZero))
}

/// A cell as people read it.
pub(super) fn show(cell: CellRef<'_>) -> String {
    match cell {
        CellRef::Null => "null".to_owned(),
        known => known.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn fractions_are_rounded_as_ratios_are() {
        assert_eq!(number("60/1010").map(|number| number.to_string()).as_deref(), Some("0.0594059405940594"));
        assert_eq!(number("2/3").map(|number| number.to_string()).as_deref(), Some("0.6666666666666667"));
        assert_eq!(number("1/0"), None);
        assert_eq!(number("x"), None);
    }
}
