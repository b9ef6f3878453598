//! Answers of metric views as bytes: rows, totals, comparisons, provenance.

use std::fmt::Write as _;

use holdfast_schema::{
    compile::ColumnRole,
    query::DimensionBasis,
    time::Grain,
    value::{CellRef, RowSet},
};
use jiff::civil::Date;

use super::{Nulled, Writer, Written};
use crate::{
    CacheState,
    error::Step,
    exact,
    fetch::{MetricResult, as_known_now, group_columns, key_of},
    ids, json,
    plan::{CompareField, Compared, MetricPlan, PeriodField, ProvenanceField, ResultField, RowField, RowShape, StatusField},
    runner::MetricAnswer,
};

/// Where the columns of a set of rows are.
#[derive(Debug, Default)]
struct Columns {
    /// Per group key, its parts.
    groups: Vec<Vec<usize>>,
    /// Per metric: value, previous value, reason.
    metrics: Vec<[Option<usize>; 3]>,
    row_count: Option<usize>,
}

impl Columns {
    fn new(plan: &MetricPlan, answer: &MetricAnswer, roles: &[ColumnRole], is_total: bool) -> Self {
        let mut columns = Self { metrics: vec![[None; 3]; plan.query.metrics.len()], ..Self::default() };
        if !is_total {
            columns.groups = (0..plan.query.by.len()).map(|by| group_columns(answer, by)).collect();
        }
        for (column, role) in roles.iter().enumerate() {
            let (position, slot) = match role {
                ColumnRole::Group { .. } => continue,
                ColumnRole::Metric(position) => (*position, 0),
                ColumnRole::Previous(position) => (*position, 1),
                ColumnRole::Status(position) => (*position, 2),
                ColumnRole::RowCount => {
                    columns.row_count = Some(column);
                    continue;
                }
            };
            if let Some(metric) = columns.metrics.get_mut(position) {
                metric[slot] = Some(column);
            }
        }
        columns
    }

    fn cell<'r>(&self, rows: &'r RowSet, row: usize, metric: usize, slot: usize) -> CellRef<'r> {
        self.metrics[metric][slot].map_or(CellRef::Null, |column| rows.cell(row, column))
    }
}

/// One set of rows with everything needed to write a row of it.
struct Rows<'r> {
    plan: &'r MetricPlan,
    result: &'r MetricResult,
    rows: &'r RowSet,
    columns: Columns,
    is_total: bool,
}

impl Writer<'_> {
    /// Writes the result of a view.
    pub(super) fn metrics(&mut self, plan: &MetricPlan, result: &MetricResult) -> Written {
        let type_name = &self.surface.view(plan.view).type_name;
        self.object(&plan.fields, |writer, key, field| {
            let answer = match (field, &result.answer) {
                (ResultField::Typename, _) => {
                    json::plain(&mut writer.out, format!("{type_name}Result"));
                    return Ok(());
                }
                (ResultField::AsOf, _) => {
                    json::plain(&mut writer.out, plan.query.as_of);
                    return Ok(());
                }
                (_, None) => return Err(Nulled),
                (_, Some(answer)) => answer,
            };
            let limit = plan.query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
            let found = answer.rows.row_count();
            let shown = found.min(limit);
            match field {
                ResultField::Typename | ResultField::AsOf => {}
                ResultField::Truncated => json::boolean(&mut writer.out, found > limit),
                ResultField::RowCount => {
                    let counted = result.first.as_ref().unwrap_or(answer);
                    let columns = Columns::new(plan, counted, &counted.plan.columns, false);
                    match (columns.row_count, counted.rows.row_count()) {
                        (_, 0) => json::number(&mut writer.out, 0),
                        (Some(column), _) => match counted.rows.cell(0, column) {
                            CellRef::Int(count) => json::number(&mut writer.out, count),
                            CellRef::Decimal(count) | CellRef::Text(count) => writer.out.extend_from_slice(count.as_bytes()),
                            CellRef::Null | CellRef::Bool(_) | CellRef::Date(_) | CellRef::Timestamp(_) => {
                                json::null(&mut writer.out)
                            }
                        },
                        (None, _) => json::null(&mut writer.out),
                    }
                }
                ResultField::Provenance(fields) => writer.provenance(plan, answer, fields),
                ResultField::Rows(shape) => {
                    let columns = Columns::new(plan, answer, &answer.plan.columns, false);
                    let rows = Rows { plan, result, rows: &answer.rows, columns, is_total: false };
                    let step = Step::Key(key.to_owned());
                    return writer.step(step, |writer| writer.list(0..shown, |writer, row| writer.metric_row(&rows, row, shape)));
                }
                ResultField::Totals(shape) => match &answer.totals {
                    Some(totals) if totals.row_count() > 0 => {
                        let columns = Columns::new(plan, answer, &answer.plan.total_columns, true);
                        let rows = Rows { plan, result, rows: totals, columns, is_total: true };
                        let step = Step::Key(key.to_owned());
                        writer.step(step, |writer| writer.nullable(|writer| writer.metric_row(&rows, 0, shape)));
                    }
                    Some(_) | None => json::null(&mut writer.out),
                },
            }
            Ok(())
        })
    }

    fn metric_row(&mut self, rows: &Rows<'_>, row: usize, shape: &RowShape) -> Written {
        let type_name = &self.surface.view(rows.plan.view).type_name;
        self.object(shape, |writer, key, field| {
            match field {
                RowField::Typename => json::plain(&mut writer.out, format!("{type_name}Row")),
                RowField::Id => json::plain(&mut writer.out, row_id(rows, row)),
                RowField::Metric(metric) => json::cell(&mut writer.out, rows.columns.cell(rows.rows, row, *metric, 0)),
                RowField::Age { by } => match by.map_or(CellRef::Null, |by| group_cell(rows, row, by)) {
                    CellRef::Int(age) => json::number(&mut writer.out, age),
                    CellRef::Null
                    | CellRef::Bool(_)
                    | CellRef::Decimal(_)
                    | CellRef::Text(_)
                    | CellRef::Date(_)
                    | CellRef::Timestamp(_) => json::null(&mut writer.out),
                },
                RowField::Dimension { by, dimension } => {
                    let cell = by.map_or(CellRef::Null, |by| group_cell(rows, row, by));
                    writer.dimension(key, *dimension, cell);
                }
                RowField::Period { by, grain, fields } => match by.map_or(CellRef::Null, |by| group_cell(rows, row, by)) {
                    CellRef::Date(start) => writer.period(rows.plan.query.as_of, *grain, start, fields),
                    CellRef::Null
                    | CellRef::Bool(_)
                    | CellRef::Int(_)
                    | CellRef::Decimal(_)
                    | CellRef::Text(_)
                    | CellRef::Timestamp(_) => json::null(&mut writer.out),
                },
                RowField::Entity { entity: None, .. } => json::null(&mut writer.out),
                RowField::Entity { entity: Some(entity), shape } => {
                    writer.step(Step::Key(key.to_owned()), |writer| {
                        writer.nullable(|writer| writer.entity_key(rows, row, *entity, *shape));
                    });
                }
                RowField::Compare(None) => json::null(&mut writer.out),
                RowField::Compare(Some(fields)) => return writer.comparison(rows, row, fields, type_name),
                RowField::Contributions(fields) => {
                    return writer.object(fields, |writer, _, field| match field {
                        None => {
                            json::plain(&mut writer.out, format!("{type_name}Contributions"));
                            Ok(())
                        }
                        Some(score) => writer.contributions(score, &|metric, slot| rows.columns.cell(rows.rows, row, metric, slot)),
                    });
                }
                RowField::Status(fields) => {
                    return writer.object(fields, |writer, _, field| {
                        match field {
                            StatusField::Typename => json::plain(&mut writer.out, format!("{type_name}Status")),
                            StatusField::Metric(metric) => {
                                json::cell(&mut writer.out, rows.columns.cell(rows.rows, row, *metric, 2))
                            }
                        }
                        Ok(())
                    });
                }
            }
            Ok(())
        })
    }

    fn entity_key(&mut self, rows: &Rows<'_>, row: usize, entity: usize, shape: usize) -> Written {
        let plan = &rows.plan.entities[entity];
        let level = match &rows.result.entities[entity] {
            Ok(level) => level,
            Err(problem) => {
                self.fail(problem.clone());
                return Err(Nulled);
            }
        };
        let Some(key) = key_of(rows.rows, row, &rows.columns.groups[plan.by]) else { return self.null() };
        match level.by_key.get(&key) {
            Some(found) => self.entity(&plan.rows, level, *found, shape),
            None => self.null(),
        }
    }

    pub(super) fn period(&mut self, today: Date, grain: Grain, start: Date, fields: &[(String, PeriodField)]) {
        let end = grain.step().after(start);
        self.out.push(b'{');
        let mut first = true;
        for (key, field) in fields {
            json::key(&mut self.out, &mut first, key);
            match field {
                PeriodField::Typename => json::plain(&mut self.out, "Period"),
                PeriodField::Start => json::plain(&mut self.out, start),
                PeriodField::End => json::plain(&mut self.out, end),
                PeriodField::Label => json::plain(&mut self.out, self.model.project.calendar.label(grain, start)),
                PeriodField::IsComplete => json::boolean(&mut self.out, end <= today),
            }
        }
        self.out.push(b'}');
    }

    fn comparison(&mut self, rows: &Rows<'_>, row: usize, fields: &[(String, Option<Compared>)], type_name: &str) -> Written {
        self.object(fields, |writer, _, field| {
            let Some((metric, parts)) = field else {
                json::plain(&mut writer.out, format!("{type_name}Compare"));
                return Ok(());
            };
            let value = number(rows.columns.cell(rows.rows, row, *metric, 0));
            let previous = number(rows.columns.cell(rows.rows, row, *metric, 1));
            let delta = value.as_ref().zip(previous.as_ref()).and_then(|(value, previous)| exact::subtract(value, previous));
            writer.object(parts, |writer, _, part| {
                let text = match part {
                    CompareField::Typename => Some("MetricComparison".to_owned()),
                    CompareField::Previous => previous.clone(),
                    CompareField::Delta => delta.clone(),
                    CompareField::DeltaPct => {
                        delta.as_ref().zip(previous.as_ref()).and_then(|(delta, previous)| exact::divide_by_size(delta, previous))
                    }
                };
                json::optional(&mut writer.out, text.as_deref());
                Ok(())
            })
        })
    }

    fn provenance(&mut self, plan: &MetricPlan, answer: &MetricAnswer, fields: &[(String, ProvenanceField)]) {
        let provenance = &answer.provenance;
        self.out.push(b'{');
        let mut first = true;
        for (key, field) in fields {
            json::key(&mut self.out, &mut first, key);
            let out = &mut self.out;
            match field {
                ProvenanceField::Typename => json::plain(out, "Provenance"),
                ProvenanceField::Definitions => json::string(out, &self.model.fingerprint),
                ProvenanceField::Statement => json::string(out, &provenance.statement),
                ProvenanceField::DataVersion => json::optional(out, provenance.data_version.as_deref()),
                ProvenanceField::Cache => json::plain(
                    out,
                    match provenance.cache {
                        CacheState::Hit => "HIT",
                        CacheState::Miss => "MISS",
                        CacheState::Bypass => "BYPASS",
                    },
                ),
                ProvenanceField::Age => json::number(out, provenance.age.as_secs()),
                ProvenanceField::MaxAge => json::number(out, provenance.max_age.as_secs()),
                ProvenanceField::Policies => json::strings(out, answer.plan.policies.iter().map(String::as_str)),
                ProvenanceField::MovementGrain => json::optional(out, answer.plan.movement_grain.as_deref()),
                ProvenanceField::DimensionBasis => json::plain(
                    out,
                    match plan.query.dimension_basis {
                        DimensionBasis::Opening => "OPENING",
                        DimensionBasis::Closing => "CLOSING",
                        DimensionBasis::Current => "CURRENT",
                    },
                ),
                ProvenanceField::Overlapping => json::boolean(out, answer.plan.overlapping),
                ProvenanceField::AsKnownNow => {
                    let found = as_known_now(self.model, plan.query.as_known_at, &answer.plan.entities);
                    json::strings(out, found.map(|id| self.model.entity(id).name.as_str()));
                }
                ProvenanceField::Sql => self.step(Step::Key(key.clone()), |writer| writer.sql(&plan.query)),
            }
        }
        self.out.push(b'}');
    }
}

fn group_cell<'r>(rows: &Rows<'r>, row: usize, by: usize) -> CellRef<'r> {
    rows.columns.groups[by].first().map_or(CellRef::Null, |column| rows.rows.cell(row, *column))
}

/// A number as text.
pub(super) fn number(cell: CellRef<'_>) -> Option<String> {
    match cell {
        CellRef::Int(value) => Some(value.to_string()),
        CellRef::Decimal(text) => Some(text.to_owned()),
        CellRef::Null | CellRef::Bool(_) | CellRef::Text(_) | CellRef::Date(_) | CellRef::Timestamp(_) => None,
    }
}

/// The same for the same question and group, whatever else is selected.
fn row_id(rows: &Rows<'_>, row: usize) -> String {
    if rows.is_total {
        return format!("{}:totals", rows.plan.id);
    }
    let mut text = rows.plan.id.clone();
    for column in rows.columns.groups.iter().flatten() {
        write!(text, "\n{:?}", rows.rows.cell(row, *column)).expect("a string takes everything");
    }
    ids::digest(&text)
}
