//! A selected metric view → one question, and the shape of its rows.

mod draft;

mod group;

mod shape;

pub(super) use shape::period_field;

use holdfast_schema::{
    model::{DimensionId, MetricId, ViewId},
    query::MetricQuery,
    time::Grain,
};

use super::{Planner, RowsPlan, entities::position_or_push};
use crate::{
    error::Problem,
    ids,
    select::{Arguments, Selected},
};

use draft::Draft;

/// One question about metrics and how its answer is written.
#[derive(Debug)]
pub(crate) struct MetricPlan {
    /// Which view.
    pub(crate) view: ViewId,
    /// The question.
    pub(crate) query: MetricQuery,
    /// Fields of the result, in order.
    pub(crate) fields: Vec<(String, ResultField)>,
    /// Entities that are group keys and are shown.
    pub(crate) entities: Vec<EntityKey>,
    /// Beginning of the rows' ids.
    pub(crate) id: String,
    /// The group keys as JSON, when they were inferred.
    pub(crate) inferred: Option<String>,
    /// Whether anything of the warehouse is shown.
    pub(crate) wants_answer: bool,
}

/// An entity that is a group key.
#[derive(Debug)]
pub(crate) struct EntityKey {
    /// Position in the question's `by`.
    pub(crate) by: usize,
    /// What is shown of it.
    pub(crate) rows: RowsPlan,
}

/// One field of a result.
#[derive(Debug)]
pub(crate) enum ResultField {
    Typename,
    Rows(RowShape),
    Totals(RowShape),
    RowCount,
    Truncated,
    AsOf,
    Provenance(Vec<(String, ProvenanceField)>),
}

/// Fields of a row, with response keys, in order.
pub(crate) type RowShape = Vec<(String, RowField)>;

/// One field of a row.
#[derive(Debug)]
pub(crate) enum RowField {
    /// `__typename`.
    Typename,
    /// Hash of the question and the keys.
    Id,
    /// A group key of time.
    Period {
        /// Position in the question's `by`; `None` in totals.
        by: Option<usize>,
        /// How finely.
        grain: Grain,
        /// The period's fields.
        fields: Vec<(String, PeriodField)>,
    },
    /// A group key that is an age.
    Age {
        /// Position in the question's `by`; `None` in totals.
        by: Option<usize>,
    },
    /// A group key that is a plain value.
    Dimension {
        /// Position in the question's `by`; `None` in totals.
        by: Option<usize>,
        /// The dimension, for its declared values.
        dimension: DimensionId,
    },
    /// A group key that is an entity, by position in [`MetricPlan::entities`], in one of its shapes.
    Entity {
        /// Which key; `None` in totals.
        entity: Option<usize>,
        /// Which shape.
        shape: usize,
    },
    /// A metric, by position in the question.
    Metric(usize),
    /// Values at another time; `None` without a comparison.
    Compare(Option<Vec<(String, Option<Compared>)>>),
    /// Inputs of scores; `None` is `__typename`.
    Contributions(Vec<(String, Option<ScoreShape>)>),
    /// Why values are missing; `None` is `__typename`.
    Status(Vec<(String, StatusField)>),
}

/// A score of which the inputs are shown.
#[derive(Debug)]
pub(crate) struct ScoreShape {
    /// Which score.
    pub(crate) score: MetricId,
    /// Per input, its value, its value from 0 to 1 and its contribution, by position in the question.
    pub(crate) inputs: Vec<[usize; 3]>,
    /// What is shown of each.
    pub(crate) fields: Vec<(String, ContributionField)>,
    /// Whether there is another time.
    pub(crate) compares: bool,
}

/// One field of a contribution.
#[derive(Debug)]
pub(crate) enum ContributionField {
    Typename,
    Input,
    Label,
    Metric,
    Weight,
    Known,
    Value,
    Scaled,
    Contribution,
    Delta,
    /// The same at the other time; of its fields only `known`, `value`, `scaled`, `contribution` and the name of the type.
    Previous(Vec<(String, ContributionField)>),
}

/// A metric, by position in the question, and what is shown of its comparison.
pub(crate) type Compared = (usize, Vec<(String, CompareField)>);

/// One field of a period.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PeriodField {
    Typename,
    Start,
    End,
    Label,
    IsComplete,
}

/// One field of a comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CompareField {
    Typename,
    Previous,
    Delta,
    DeltaPct,
}

/// One field of the reasons.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StatusField {
    /// `__typename`.
    Typename,
    /// Of a metric, by position in the question.
    Metric(usize),
}

/// One field of an answer's provenance.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ProvenanceField {
    Typename,
    Definitions,
    Statement,
    DataVersion,
    Cache,
    Age,
    MaxAge,
    Policies,
    MovementGrain,
    DimensionBasis,
    Overlapping,
    AsKnownNow,
    Sql,
}

impl<'a> Planner<'a> {
    /// Plans a metric view.
    pub(crate) fn metrics(&self, view: ViewId, selected: &Selected<'a>, arguments: &Arguments) -> Result<MetricPlan, Problem> {
        let names = self.surface.view(view);
        let mut draft = Draft {
            planner: self,
            names,
            view: self.model.view(view),
            moment: self.moment(arguments, None)?,
            metrics: Vec::new(),
            by: Vec::new(),
            compares: arguments.get("compare").is_some(),
        };
        let result = self.request.below(selected, &format!("{}Result", names.type_name));
        let places = |name: &'static str| result.iter().filter(move |field| field.name == name);
        let row_type = format!("{}Row", names.type_name);
        for place in places("rows").chain(places("totals")) {
            draft.note_metrics(&self.request.below(place, &row_type))?;
        }
        let inferred = match arguments.get("by") {
            Some(by) => {
                draft.by = by.items().iter().map(|item| draft.group(item)).collect::<Result<_, _>>()?;
                let duplicate = draft.by.iter().enumerate().find(|(index, item)| draft.by[..*index].contains(item));
                if let Some((_, item)) = duplicate {
                    return Err(Problem::input(format!("`by` groups by `{}` twice", item.key)));
                }
                None
            }
            None => {
                for place in places("rows") {
                    for field in self.request.below(place, &row_type) {
                        if let Some(item) = draft.selected_group(&field)? {
                            position_or_push(&mut draft.by, item);
                        }
                    }
                }
                if !self.settings.inferred_grouping && !draft.by.is_empty() {
                    return Err(Problem::input("`by` is required here").help(format!("by: {}", draft.by_literal())));
                }
                Some(draft.by_json())
            }
        };
        let order_by = draft.order(arguments)?;
        let having = draft.having(arguments)?;
        draft.sort_metrics();

        let mut entity_places: shape::EntityPlaces<'a> = Vec::new();
        let mut fields = Vec::new();
        for field in &result {
            let kind = match field.name {
                "rows" => ResultField::Rows(draft.shape(&self.request.below(field, &row_type), false, &mut entity_places)?),
                "totals" => ResultField::Totals(draft.shape(&self.request.below(field, &row_type), true, &mut entity_places)?),
                "rowCount" => ResultField::RowCount,
                "truncated" => ResultField::Truncated,
                "asOf" => ResultField::AsOf,
                "provenance" => ResultField::Provenance(
                    self.request
                        .below(field, "Provenance")
                        .into_iter()
                        .map(|field| (field.key.to_owned(), provenance_field(field.name)))
                        .collect(),
                ),
                _ => ResultField::Typename,
            };
            fields.push((field.key.to_owned(), kind));
        }
        let entities = entity_places
            .into_iter()
            .map(|(by, entity, places)| Ok(EntityKey { by, rows: self.rows(entity, &places, draft.moment)? }))
            .collect::<Result<_, Problem>>()?;
        let query = draft.query(arguments, &fields, order_by, having)?;
        Ok(MetricPlan {
            view,
            id: ids::digest(&identity(&query)),
            wants_answer: fields.iter().any(|(_, field)| !matches!(field, ResultField::Typename | ResultField::AsOf)),
            query,
            fields,
            entities,
            inferred,
        })
    }
}

/// What makes a row the same row: everything that its numbers depend on, but not which rows are shown, or in which order.
fn identity(query: &MetricQuery) -> String {
    format!(
        "{:?}",
        (
            (&query.scope, &query.by, query.range, &query.filter, query.compare),
            (
                &query.movement_grain,
                query.movement_basis,
                query.dimension_basis,
                query.as_of,
                query.as_known_at,
                &query.time_zone,
                &query.currency
            ),
        )
    )
}

fn provenance_field(name: &str) -> ProvenanceField {
    match name {
        "definitions" => ProvenanceField::Definitions,
        "statement" => ProvenanceField::Statement,
        "dataVersion" => ProvenanceField::DataVersion,
        "cache" => ProvenanceField::Cache,
        "ageSeconds" => ProvenanceField::Age,
        "maxAgeSeconds" => ProvenanceField::MaxAge,
        "policies" => ProvenanceField::Policies,
        "movementGrain" => ProvenanceField::MovementGrain,
        "dimensionBasis" => ProvenanceField::DimensionBasis,
        "overlappingMembers" => ProvenanceField::Overlapping,
        "asKnownNow" => ProvenanceField::AsKnownNow,
        "sql" => ProvenanceField::Sql,
        _ => ProvenanceField::Typename,
    }
}
