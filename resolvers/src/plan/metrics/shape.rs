//! What a row shows, field by field.

use holdfast_schema::{
    model::{EntityId, ViewTarget},
    query::GroupItem,
};

use super::{CompareField, ContributionField, PeriodField, RowField, RowShape, ScoreShape, StatusField, draft::Draft};
use crate::{error::Problem, select::Selected, surface::RowMember};

/// Entities that are group keys: which key, which entity, and every place that shows it.
pub(super) type EntityPlaces<'a> = Vec<(usize, EntityId, Vec<Selected<'a>>)>;

impl<'a> Draft<'_, 'a> {
    pub(super) fn shape(&self, row: &[Selected<'a>], is_total: bool, entities: &mut EntityPlaces<'a>) -> Result<RowShape, Problem> {
        let mut shape = Vec::with_capacity(row.len());
        for field in row {
            let kind =
                self.row_field(field, is_total, entities).map_err(|problem| field.problem(&self.planner.request, problem))?;
            shape.push((field.key.to_owned(), kind));
        }
        Ok(shape)
    }

    fn row_field(&self, field: &Selected<'a>, is_total: bool, entities: &mut EntityPlaces<'a>) -> Result<RowField, Problem> {
        let request = &self.planner.request;
        let by_of = |item: &GroupItem| -> Result<Option<usize>, Problem> {
            if is_total {
                return Ok(None);
            }
            self.grouped(item, field.name)?;
            Ok(self.by.iter().position(|known| known.item == *item))
        };
        Ok(match self.names.members.get(field.name) {
            None => RowField::Typename,
            Some(RowMember::Id) => RowField::Id,
            Some(RowMember::Metric(metric)) => RowField::Metric(self.position_of(*metric, field)?),
            Some(RowMember::Period) => {
                let (group, grain) = self.period_group(field)?;
                let fields = request.below(field, "Period").into_iter();
                let fields = fields.map(|field| (field.key.to_owned(), period_field(field.name))).collect();
                RowField::Period { by: by_of(&group.item)?, grain, fields }
            }
            Some(RowMember::Cohort) => {
                let (group, grain) = self.cohort_group(field)?;
                let fields = request.below(field, "Period").into_iter();
                let fields = fields.map(|field| (field.key.to_owned(), period_field(field.name))).collect();
                RowField::Period { by: by_of(&group.item)?, grain, fields }
            }
            Some(RowMember::Age) if is_total => RowField::Age { by: None },
            Some(RowMember::Age) => RowField::Age { by: Some(self.age_group(field.name)?) },
            Some(RowMember::Dimension(index)) => {
                let dimension = &self.view.dimensions[index.index()];
                let by = by_of(&GroupItem::Dimension(dimension.name.clone()))?;
                match (dimension.target, by) {
                    (ViewTarget::Dimension(dimension), by) => RowField::Dimension { by, dimension },
                    (ViewTarget::Entity(_), None) => RowField::Entity { entity: None, shape: 0 },
                    (ViewTarget::Entity(entity), Some(by)) => {
                        let position = entities.iter().position(|(known, _, _)| *known == by).unwrap_or_else(|| {
                            entities.push((by, entity, Vec::new()));
                            entities.len() - 1
                        });
                        let places = &mut entities[position].2;
                        places.push(field.clone());
                        RowField::Entity { entity: Some(position), shape: places.len() - 1 }
                    }
                }
            }
            Some(RowMember::Compare) if !self.compares => RowField::Compare(None),
            Some(RowMember::Compare) => {
                let mut fields = Vec::new();
                for inner in request.below(field, &format!("{}Compare", self.names.type_name)) {
                    let kind = match self.metric_named(inner.name) {
                        None => None,
                        Some(metric) => {
                            let parts = request.below(&inner, "MetricComparison").into_iter();
                            let parts = parts.map(|part| (part.key.to_owned(), compare_field(part.name))).collect();
                            Some((self.position_of(metric, &inner)?, parts))
                        }
                    };
                    fields.push((inner.key.to_owned(), kind));
                }
                RowField::Compare(Some(fields))
            }
            Some(RowMember::Contributions) => {
                let mut fields = Vec::new();
                for inner in request.below(field, &format!("{}Contributions", self.names.type_name)) {
                    let kind = match self.metric_named(inner.name) {
                        None => None,
                        Some(score) => Some(ScoreShape {
                            score,
                            inputs: self.positions_of_inputs(score, &inner)?,
                            fields: self.contribution_fields(&inner, "Contribution"),
                            compares: self.compares,
                        }),
                    };
                    fields.push((inner.key.to_owned(), kind));
                }
                RowField::Contributions(fields)
            }
            Some(RowMember::Status) => {
                let mut fields = Vec::new();
                for inner in request.below(field, &format!("{}Status", self.names.type_name)) {
                    let kind = match self.metric_named(inner.name) {
                        None => StatusField::Typename,
                        Some(metric) => StatusField::Metric(self.position_of(metric, &inner)?),
                    };
                    fields.push((inner.key.to_owned(), kind));
                }
                RowField::Status(fields)
            }
        })
    }
}

impl<'a> Draft<'_, 'a> {
    fn contribution_fields(&self, selected: &Selected<'a>, type_name: &str) -> Vec<(String, ContributionField)> {
        let fields = self.planner.request.below(selected, type_name).into_iter();
        fields.map(|field| (field.key.to_owned(), self.contribution_field(&field))).collect()
    }

    fn contribution_field(&self, field: &Selected<'a>) -> ContributionField {
        match field.name {
            "input" => ContributionField::Input,
            "label" => ContributionField::Label,
            "metric" => ContributionField::Metric,
            "weight" => ContributionField::Weight,
            "known" => ContributionField::Known,
            "value" => ContributionField::Value,
            "scaled" => ContributionField::Scaled,
            "contribution" => ContributionField::Contribution,
            "delta" => ContributionField::Delta,
            "previous" => ContributionField::Previous(self.contribution_fields(field, "PreviousContribution")),
            _ => ContributionField::Typename,
        }
    }
}

pub(in crate::plan) fn period_field(name: &str) -> PeriodField {
    match name {
        "start" => PeriodField::Start,
        "end" => PeriodField::End,
        "label" => PeriodField::Label,
        "isComplete" => PeriodField::IsComplete,
        _ => PeriodField::Typename,
    }
}

fn compare_field(name: &str) -> CompareField {
    match name {
        "previous" => CompareField::Previous,
        "delta" => CompareField::Delta,
        "deltaPct" => CompareField::DeltaPct,
        _ => CompareField::Typename,
    }
}
