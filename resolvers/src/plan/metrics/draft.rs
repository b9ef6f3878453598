//! Arguments of a view and the metrics its rows show → the question.

use std::cell::Cell;

use holdfast_schema::{
    model::{MetricId, Model, View, ViewTarget, score::ScorePart},
    query::{Comparison, Fill, Filter, GroupBy, GroupItem, MetricQuery, MetricSelection, OrderBy, Scope, TimeRange},
    time::{Grain, Step},
};

use super::ResultField;
use crate::{
    error::Problem,
    filter::{self, Kind, Subject},
    input::Input,
    plan::{
        Moment, Planner,
        entities::{dimension_basis, movement_basis, movement_grain, position_or_push},
        sort,
    },
    select::{Arguments, Selected},
    surface::{RowMember, ViewNames},
};

/// What a view is asked with, before its shapes are known.
pub(super) struct Draft<'p, 'a> {
    pub(super) planner: &'p Planner<'a>,
    pub(super) names: &'p ViewNames,
    pub(super) view: &'p View,
    pub(super) moment: Moment,
    /// Every metric that is shown, ordered by or compared with, under each of its conditions.
    pub(super) metrics: Vec<Use>,
    pub(super) by: Vec<GroupBy>,
    pub(super) compares: bool,
}

/// One metric, or one input of a score, under one condition.
#[derive(Debug, PartialEq)]
pub(super) struct Use {
    pub(super) metric: MetricId,
    pub(super) filter: Option<Filter>,
    pub(super) part: Option<ScorePart>,
    pub(super) status: Cell<bool>,
}

impl<'a> Draft<'_, 'a> {
    /// Puts metrics in the canonical order, so that the same question in another order of fields is the same statement.
    pub(super) fn sort_metrics(&mut self) {
        let order = &self.view.metrics;
        self.metrics.sort_by_cached_key(|item| {
            let position = order.iter().position(|metric| *metric == item.metric);
            (position, item.part, item.filter.as_ref().map(|filter| format!("{filter:?}")).unwrap_or_default())
        });
    }

    /// Notes every metric that a row shows.
    pub(super) fn note_metrics(&mut self, row: &[Selected<'a>]) -> Result<(), Problem> {
        for field in row {
            match self.names.members.get(field.name) {
                Some(RowMember::Metric(metric)) => {
                    self.note(*metric, field)?;
                }
                Some(RowMember::Compare) if self.compares => self.note_inside(field, "Compare", false)?,
                Some(RowMember::Status) => self.note_inside(field, "Status", true)?,
                Some(RowMember::Contributions) => self.note_inputs(field)?,
                Some(
                    RowMember::Compare
                    | RowMember::Id
                    | RowMember::Period
                    | RowMember::Cohort
                    | RowMember::Age
                    | RowMember::Dimension(_),
                )
                | None => {}
            }
        }
        Ok(())
    }

    fn note_inside(&mut self, object: &Selected<'a>, suffix: &str, status: bool) -> Result<(), Problem> {
        for field in self.planner.request.below(object, &format!("{}{suffix}", self.names.type_name)) {
            if let Some(metric) = self.metric_named(field.name) {
                let position = self.note(metric, &field)?;
                let noted = &self.metrics[position].status;
                noted.set(noted.get() || status);
            }
        }
        Ok(())
    }

    fn note_inputs(&mut self, object: &Selected<'a>) -> Result<(), Problem> {
        for field in self.planner.request.below(object, &format!("{}Contributions", self.names.type_name)) {
            let Some(metric) = self.metric_named(field.name) else { continue };
            let filter = self.metric_filter(&field)?;
            for part in parts_of(self.planner.model, metric).into_iter().flatten() {
                self.note_use(metric, filter.clone(), Some(part));
            }
        }
        Ok(())
    }

    /// Per input of a score, where the question asks for its value, its value from 0 to 1 and its contribution.
    pub(super) fn positions_of_inputs(&self, score: MetricId, field: &Selected<'a>) -> Result<Vec<[usize; 3]>, Problem> {
        let filter = self.metric_filter(field)?;
        let position = |part: ScorePart| {
            let position =
                self.metrics.iter().position(|known| known.metric == score && known.part == Some(part) && known.filter == filter);
            position.expect("every input that is shown was noted before")
        };
        Ok(parts_of(self.planner.model, score).into_iter().map(|parts| parts.map(position)).collect())
    }

    pub(super) fn metric_named(&self, field: &str) -> Option<MetricId> {
        self.names.metrics.iter().find(|(name, _)| name == field).map(|(_, metric)| *metric)
    }

    fn note(&mut self, metric: MetricId, field: &Selected<'a>) -> Result<usize, Problem> {
        let filter = self.metric_filter(field)?;
        Ok(self.note_use(metric, filter, None))
    }

    fn note_use(&mut self, metric: MetricId, filter: Option<Filter>, part: Option<ScorePart>) -> usize {
        let same = |known: &Use| known.metric == metric && known.filter == filter && known.part == part;
        match self.metrics.iter().position(same) {
            Some(position) => position,
            None => {
                self.metrics.push(Use { metric, filter, part, status: Cell::new(false) });
                self.metrics.len() - 1
            }
        }
    }

    fn metric_filter(&self, field: &Selected<'a>) -> Result<Option<Filter>, Problem> {
        let request = &self.planner.request;
        let arguments = request.arguments(field)?;
        self.filter(arguments.get("where")).map_err(|problem| field.problem(request, problem))
    }

    pub(super) fn position_of(&self, metric: MetricId, field: &Selected<'a>) -> Result<usize, Problem> {
        let filter = self.metric_filter(field)?;
        let same = |known: &Use| known.metric == metric && known.filter == filter && known.part.is_none();
        let position = self.metrics.iter().position(same);
        Ok(position.expect("every metric that is shown was noted before"))
    }

    /// Column key of a metric: its name, with what is taken of it, and a number when it stands under a condition.
    fn key_of(&self, position: usize) -> String {
        let item = &self.metrics[position];
        let name = &self.planner.model.metric(item.metric).name;
        let name = match item.part {
            None => name.clone(),
            Some(ScorePart::Value(input)) => format!("{name}__value_{input}"),
            Some(ScorePart::Scaled(input)) => format!("{name}__scaled_{input}"),
            Some(ScorePart::Contribution(input)) => format!("{name}__contribution_{input}"),
        };
        if item.filter.is_none() {
            return name;
        }
        let is_other = |other: &Use| other.metric == item.metric && other.part == item.part && other.filter.is_some();
        let number = self.metrics[..=position].iter().filter(|other| is_other(other)).count();
        format!("{name}__{number}")
    }

    pub(super) fn filter(&self, input: Option<&Input>) -> Result<Option<Filter>, Problem> {
        let mut look_up = |name: &str| {
            let names = self.names.dimensions.iter().find(|dimension| dimension.field == name)?;
            let dimension = &self.view.dimensions[names.index.index()];
            let kind = match dimension.target {
                ViewTarget::Entity(entity) => Kind::Entity(entity),
                ViewTarget::Dimension(id) => match self.planner.surface.enums.get(&id) {
                    Some(item) => Kind::Enum(item),
                    None => Kind::Plain(dimension.value_type),
                },
            };
            Some((dimension.name.clone(), Subject::Value(kind)))
        };
        filter::condition(self.planner, self.moment.as_of, input, &mut look_up)
    }

    pub(super) fn having(&mut self, arguments: &Arguments) -> Result<Option<Filter>, Problem> {
        let mut used = Vec::new();
        let model = self.planner.model;
        let names = self.names;
        let mut look_up = |name: &str| {
            let (_, metric) = names.metrics.iter().find(|(field, _)| field == name)?;
            position_or_push(&mut used, *metric);
            let metric = model.metric(*metric);
            Some((metric.name.clone(), Subject::Value(Kind::Plain(metric.value_type))))
        };
        let having = filter::condition(self.planner, self.moment.as_of, arguments.get("having"), &mut look_up)?;
        for metric in used {
            self.note_use(metric, None, None);
        }
        Ok(having)
    }

    pub(super) fn order(&mut self, arguments: &Arguments) -> Result<Vec<OrderBy>, Problem> {
        let mut order = Vec::new();
        for item in arguments.get("orderBy").map_or(&[][..], Input::items) {
            let Some((field, input)) = item.one() else { continue };
            let key = match self.names.members.get(field) {
                Some(RowMember::Metric(metric)) => {
                    self.note_use(*metric, None, None);
                    self.planner.model.metric(*metric).name.clone()
                }
                Some(RowMember::Dimension(index)) => {
                    let item = GroupItem::Dimension(self.view.dimensions[index.index()].name.clone());
                    self.grouped(&item, field)?.key.clone()
                }
                Some(RowMember::Cohort) => {
                    let cohort = self.by.iter().find(|item| matches!(item.item, GroupItem::Cohort { .. }));
                    cohort.ok_or_else(|| self.not_grouped("cohort", "{cohort: {grain: QUARTER}}"))?.key.clone()
                }
                Some(RowMember::Age) => self.by[self.age_group(field)?].key.clone(),
                Some(RowMember::Period | RowMember::Id | RowMember::Compare | RowMember::Status | RowMember::Contributions)
                | None => {
                    let time = self.by.iter().find(|item| matches!(item.item, GroupItem::Time { .. }));
                    time.ok_or_else(|| self.not_grouped("period", "{time: {grain: MONTH}}"))?.key.clone()
                }
            };
            order.push(sort(key, input));
        }
        Ok(order)
    }

    pub(super) fn query(
        &self,
        arguments: &Arguments,
        fields: &[(String, ResultField)],
        order_by: Vec<OrderBy>,
        having: Option<Filter>,
    ) -> Result<MetricQuery, Problem> {
        let limits = &self.planner.settings.limits;
        let limit = count(arguments, "limit", limits.max_rows)?.unwrap_or(limits.rows);
        let metrics = self.metrics.iter().enumerate().map(|(position, item)| MetricSelection {
            key: self.key_of(position),
            metric: self.planner.model.metric(item.metric).name.clone(),
            filter: item.filter.clone(),
            status: item.status.get(),
            part: item.part,
        });
        let range = match arguments.get("range") {
            Some(input) => Some(filter::time_range(self.planner, self.moment.as_of, input)?),
            None => None,
        };
        Ok(MetricQuery {
            scope: Scope::View(self.view.name.clone()),
            metrics: metrics.collect(),
            by: self.by.clone(),
            range,
            filter: self.filter(arguments.get("where"))?,
            having,
            compare: arguments.get("compare").map(|input| self.comparison(input, range)).transpose()?.flatten(),
            order_by,
            limit: Some(limit),
            offset: count(arguments, "offset", u64::from(u32::MAX))?.unwrap_or(0),
            row_count: fields.iter().any(|(_, field)| matches!(field, ResultField::RowCount)),
            fill: match arguments.get("fill").and_then(Input::text) {
                Some("DENSE") => Fill::Dense,
                Some(_) | None => Fill::None,
            },
            totals: fields.iter().any(|(_, field)| matches!(field, ResultField::Totals(_))),
            movement_grain: movement_grain(arguments),
            movement_basis: movement_basis(arguments),
            dimension_basis: dimension_basis(arguments),
            as_of: self.moment.as_of,
            as_known_at: self.moment.as_known_at,
            time_zone: self.planner.time_zone(arguments)?,
            currency: self.planner.currency(arguments)?,
        })
    }

    fn comparison(&self, input: &Input, range: Option<TimeRange>) -> Result<Option<Comparison>, Problem> {
        let grain = self.by.iter().find_map(|item| match item.item {
            GroupItem::Time { grain, .. } => Some(grain),
            GroupItem::Dimension(_) | GroupItem::Cohort { .. } | GroupItem::Age(_) => None,
        });
        let Some((form, value)) = input.one() else { return Ok(None) };
        match form {
            "range" => {
                let range = filter::date_range(value).map_err(|message| Problem::input(format!("`compare.range`: {message}")))?;
                Ok(Some(Comparison::Range(range)))
            }
            "previousYear" => {
                let step = if grain == Some(Grain::Week) { Step::days(364) } else { Step::months(12) };
                Ok(value.bool().unwrap_or(false).then_some(Comparison::Earlier(step)))
            }
            _ => {
                let n = value.int().and_then(|n| i32::try_from(n).ok()).filter(|n| (1..=1_000).contains(n));
                let n = n.ok_or_else(|| Problem::input("`compare.previousPeriods` is a number from 1 to 1000"))?;
                let step = match grain {
                    Some(grain) => grain.step(),
                    None => range.and_then(length).ok_or_else(|| {
                        Problem::input("`compare.previousPeriods` needs a period: group by time, or give a range with two ends")
                    })?,
                };
                Ok(Some(Comparison::Earlier(step.times(n))))
            }
        }
    }
}

/// Per input of a score: its value, its value from 0 to 1, its contribution.
fn parts_of(model: &Model, score: MetricId) -> Vec<[ScorePart; 3]> {
    let Some(score) = model.metric(score).score() else { return Vec::new() };
    (0..score.inputs.len())
        .map(|input| [ScorePart::Value(input), ScorePart::Scaled(input), ScorePart::Contribution(input)])
        .collect()
}

/// The length of a closed range: in months when both ends begin one, else in days.
fn length(range: TimeRange) -> Option<Step> {
    let (from, to) = (range.from?, range.to?);
    if from.day() == 1 && to.day() == 1 {
        let months = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month()) - i32::from(from.month());
        return Some(Step::months(months));
    }
    from.until((jiff::Unit::Day, to)).ok().map(|span| Step::days(span.get_days()))
}

fn count(arguments: &Arguments, name: &str, most: u64) -> Result<Option<u64>, Problem> {
    match arguments.get(name) {
        None => Ok(None),
        Some(input) => match input.int().and_then(|value| u64::try_from(value).ok()).filter(|value| *value <= most) {
            Some(value) => Ok(Some(value)),
            None => Err(Problem::input(format!("`{name}` is a whole number from 0 to {most}"))),
        },
    }
}
