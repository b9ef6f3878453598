//! A selected metric view → one question, and the shape of its rows.

use std::cell::Cell;

use holdfast_schema::{
    model::{DimensionId, EntityId, MetricId, View, ViewDimensionIndex, ViewId, ViewTarget},
    query::{Comparison, Fill, Filter, GroupBy, GroupItem, MetricQuery, MetricSelection, OrderBy, Scope, TimeRange},
    time::{Grain, Step},
};

use super::{
    Moment, Planner, RowsPlan,
    entities::{movement_basis, movement_grain, position_or_push},
    sort,
};
use crate::{
    error::{DIMENSION_NOT_GROUPED, Problem},
    filter::{self, Kind},
    ids,
    input::Input,
    select::{Arguments, Selected},
    surface::{RowMember, ViewNames},
};

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
    /// Why values are missing; `None` is `__typename`.
    Status(Vec<(String, StatusField)>),
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
    Overlapping,
    Sql,
}

/// What a view is asked with, before its shapes are known.
struct Draft<'p, 'a> {
    planner: &'p Planner<'a>,
    names: &'p ViewNames,
    view: &'p View,
    moment: Moment,
    /// Every metric that is shown, ordered by or compared with, under each of its conditions.
    metrics: Vec<Use>,
    by: Vec<GroupBy>,
    compares: bool,
}

/// One metric under one condition.
#[derive(Debug, PartialEq)]
struct Use {
    metric: MetricId,
    filter: Option<Filter>,
    status: Cell<bool>,
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
        let view_metrics = &draft.view.metrics;
        draft.metrics.sort_by_cached_key(|item| canonical_position(view_metrics, item));

        let mut entity_places: Vec<(usize, EntityId, Vec<Selected<'a>>)> = Vec::new();
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

impl<'a> Draft<'_, 'a> {
    /// Notes every metric that a row shows.
    fn note_metrics(&mut self, row: &[Selected<'a>]) -> Result<(), Problem> {
        for field in row {
            match self.names.members.get(field.name) {
                Some(RowMember::Metric(metric)) => {
                    self.note(*metric, field)?;
                }
                Some(RowMember::Compare) if self.compares => self.note_inside(field, "Compare", false)?,
                Some(RowMember::Status) => self.note_inside(field, "Status", true)?,
                Some(RowMember::Compare | RowMember::Id | RowMember::Period | RowMember::Dimension(_)) | None => {}
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

    fn metric_named(&self, field: &str) -> Option<MetricId> {
        self.names.metrics.iter().find(|(name, _)| name == field).map(|(_, metric)| *metric)
    }

    fn note(&mut self, metric: MetricId, field: &Selected<'a>) -> Result<usize, Problem> {
        let filter = self.metric_filter(field)?;
        Ok(self.note_use(metric, filter))
    }

    fn note_use(&mut self, metric: MetricId, filter: Option<Filter>) -> usize {
        match self.metrics.iter().position(|known| known.metric == metric && known.filter == filter) {
            Some(position) => position,
            None => {
                self.metrics.push(Use { metric, filter, status: Cell::new(false) });
                self.metrics.len() - 1
            }
        }
    }

    fn metric_filter(&self, field: &Selected<'a>) -> Result<Option<Filter>, Problem> {
        let request = &self.planner.request;
        let arguments = request.arguments(field)?;
        self.filter(arguments.get("where")).map_err(|problem| field.problem(request, problem))
    }

    fn position_of(&self, metric: MetricId, field: &Selected<'a>) -> Result<usize, Problem> {
        let filter = self.metric_filter(field)?;
        let position = self.metrics.iter().position(|known| known.metric == metric && known.filter == filter);
        Ok(position.expect("every metric that is shown was noted before"))
    }

    /// Column key of a metric: its name, with a number when it stands under a condition.
    fn key_of(&self, position: usize) -> String {
        let item = &self.metrics[position];
        let name = &self.planner.model.metric(item.metric).name;
        if item.filter.is_none() {
            return name.clone();
        }
        let number = self.metrics[..=position].iter().filter(|other| other.metric == item.metric && other.filter.is_some()).count();
        format!("{name}__{number}")
    }

    fn filter(&self, input: Option<&Input>) -> Result<Option<Filter>, Problem> {
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
            Some((dimension.name.clone(), kind))
        };
        filter::condition(self.planner, self.moment.as_of, input, &mut look_up)
    }

    fn having(&mut self, arguments: &Arguments) -> Result<Option<Filter>, Problem> {
        let mut used = Vec::new();
        let model = self.planner.model;
        let names = self.names;
        let mut look_up = |name: &str| {
            let (_, metric) = names.metrics.iter().find(|(field, _)| field == name)?;
            position_or_push(&mut used, *metric);
            Some((model.metric(*metric).name.clone(), Kind::Plain(model.metric(*metric).value_type)))
        };
        let having = filter::condition(self.planner, self.moment.as_of, arguments.get("having"), &mut look_up)?;
        for metric in used {
            self.note_use(metric, None);
        }
        Ok(having)
    }

    fn order(&mut self, arguments: &Arguments) -> Result<Vec<OrderBy>, Problem> {
        let mut order = Vec::new();
        for item in arguments.get("orderBy").map_or(&[][..], Input::items) {
            let Some((field, input)) = item.one() else { continue };
            let key = match self.names.members.get(field) {
                Some(RowMember::Metric(metric)) => {
                    self.note_use(*metric, None);
                    self.planner.model.metric(*metric).name.clone()
                }
                Some(RowMember::Dimension(index)) => {
                    let item = GroupItem::Dimension(self.view.dimensions[index.index()].name.clone());
                    self.grouped(&item, field)?.key.clone()
                }
                Some(RowMember::Period | RowMember::Id | RowMember::Compare | RowMember::Status) | None => {
                    let time = self.by.iter().find(|item| matches!(item.item, GroupItem::Time { .. }));
                    time.ok_or_else(|| self.not_grouped("period", "{time: {grain: MONTH}}"))?.key.clone()
                }
            };
            order.push(sort(key, input));
        }
        Ok(order)
    }

    fn grouped(&self, item: &GroupItem, field: &str) -> Result<&GroupBy, Problem> {
        self.by.iter().find(|known| known.item == *item).ok_or_else(|| self.not_grouped(field, &self.item_literal(item)))
    }

    fn not_grouped(&self, field: &str, literal: &str) -> Problem {
        let known: Vec<_> = self.by.iter().map(|item| self.item_literal(&item.item)).chain([literal.to_owned()]).collect();
        Problem::new(DIMENSION_NOT_GROUPED, format!("`{field}` is not among the group keys of `{}`", self.names.field))
            .help(format!("by: [{}]", known.join(", ")))
    }

    /// A group key of the argument `by`.
    fn group(&self, input: &Input) -> Result<GroupBy, Problem> {
        let wrong = || Problem::input("`by` holds something that is no group key");
        let (form, value) = input.one().ok_or_else(wrong)?;
        if form == "dimension" {
            let index = self.dimension_named(value).ok_or_else(wrong)?;
            return Ok(self.dimension_group(index));
        }
        let grain = filter::grain(value).ok_or_else(wrong)?;
        let dimension = match value.get("dimension") {
            Some(name) => Some(self.dimension_named(name).ok_or_else(wrong)?),
            None => None,
        };
        Ok(self.time_group(dimension, grain))
    }

    /// The group key that a selected field of a row shows, if it shows one.
    fn selected_group(&self, field: &Selected<'a>) -> Result<Option<GroupBy>, Problem> {
        Ok(match self.names.members.get(field.name) {
            Some(RowMember::Dimension(index)) => Some(self.dimension_group(*index)),
            Some(RowMember::Period) => Some(self.period_group(field)?.0),
            Some(RowMember::Id | RowMember::Compare | RowMember::Status | RowMember::Metric(_)) | None => None,
        })
    }

    fn period_group(&self, field: &Selected<'a>) -> Result<(GroupBy, Grain), Problem> {
        let arguments = self.planner.request.arguments(field)?;
        let grain = arguments.get("grain").and_then(Input::text).and_then(filter::grain_named);
        let grain = grain.ok_or_else(|| field.problem(&self.planner.request, Problem::input("`grain` is missing")))?;
        let dimension = arguments.get("dimension").and_then(|name| self.dimension_named(name));
        Ok((self.time_group(dimension, grain), grain))
    }

    fn dimension_named(&self, input: &Input) -> Option<ViewDimensionIndex> {
        let value = input.text()?;
        self.names.dimensions.iter().find(|dimension| dimension.value == value).map(|dimension| dimension.index)
    }

    fn dimension_group(&self, index: ViewDimensionIndex) -> GroupBy {
        let name = self.view.dimensions[index.index()].name.clone();
        GroupBy { key: name.clone(), item: GroupItem::Dimension(name) }
    }

    fn time_group(&self, dimension: Option<ViewDimensionIndex>, grain: Grain) -> GroupBy {
        let dimension = dimension.map(|index| self.view.dimensions[index.index()].name.clone());
        let key = format!("{}_{}", dimension.as_deref().unwrap_or("period"), grain.name());
        GroupBy { key, item: GroupItem::Time { dimension, grain } }
    }

    /// A group key as a literal that can be pasted into `by`.
    fn item_literal(&self, item: &GroupItem) -> String {
        let value = |name: &str| {
            let index = self.view.dimension_named(name);
            let names = self.names.dimensions.iter().find(|dimension| Some(dimension.index) == index);
            names.map_or_else(|| name.to_ascii_uppercase(), |names| names.value.clone())
        };
        match item {
            GroupItem::Dimension(name) => format!("{{dimension: {}}}", value(name)),
            GroupItem::Time { dimension: None, grain } => format!("{{time: {{grain: {}}}}}", grain.name().to_ascii_uppercase()),
            GroupItem::Time { dimension: Some(name), grain } => {
                format!("{{time: {{dimension: {}, grain: {}}}}}", value(name), grain.name().to_ascii_uppercase())
            }
        }
    }

    fn by_literal(&self) -> String {
        let items: Vec<_> = self.by.iter().map(|item| self.item_literal(&item.item)).collect();
        format!("[{}]", items.join(", "))
    }

    /// The group keys as JSON variables for `by`.
    fn by_json(&self) -> String {
        let text = self.by_literal();
        let mut out = String::with_capacity(text.len() * 2);
        let mut word = false;
        for letter in text.chars() {
            let is_word = letter.is_ascii_alphanumeric() || letter == '_';
            if is_word != word {
                out.push('"');
                word = is_word;
            }
            out.push(letter);
        }
        out
    }

    fn shape(
        &self,
        row: &[Selected<'a>],
        is_total: bool,
        entities: &mut Vec<(usize, EntityId, Vec<Selected<'a>>)>,
    ) -> Result<RowShape, Problem> {
        let mut shape = Vec::with_capacity(row.len());
        for field in row {
            let kind =
                self.row_field(field, is_total, entities).map_err(|problem| field.problem(&self.planner.request, problem))?;
            shape.push((field.key.to_owned(), kind));
        }
        Ok(shape)
    }

    fn row_field(
        &self,
        field: &Selected<'a>,
        is_total: bool,
        entities: &mut Vec<(usize, EntityId, Vec<Selected<'a>>)>,
    ) -> Result<RowField, Problem> {
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

    fn query(
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
            as_of: self.moment.as_of,
            as_known_at: self.moment.as_known_at,
            time_zone: self.planner.time_zone(arguments)?,
        })
    }

    fn comparison(&self, input: &Input, range: Option<TimeRange>) -> Result<Option<Comparison>, Problem> {
        let grain = self.by.iter().find_map(|item| match item.item {
            GroupItem::Time { grain, .. } => Some(grain),
            GroupItem::Dimension(_) => None,
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

/// The canonical order of metrics, so that the same question in another order of fields is the same statement.
fn canonical_position(metrics: &[MetricId], item: &Use) -> (Option<usize>, String) {
    let position = metrics.iter().position(|metric| *metric == item.metric);
    (position, item.filter.as_ref().map(|filter| format!("{filter:?}")).unwrap_or_default())
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

/// What makes a row the same row: everything that its numbers depend on, but not which rows are shown, or in which order.
fn identity(query: &MetricQuery) -> String {
    format!(
        "{:?}",
        (
            (&query.scope, &query.by, query.range, &query.filter, query.compare),
            (&query.movement_grain, query.movement_basis, query.as_of, query.as_known_at, &query.time_zone),
        )
    )
}

fn period_field(name: &str) -> PeriodField {
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
        "overlappingMembers" => ProvenanceField::Overlapping,
        "sql" => ProvenanceField::Sql,
        _ => ProvenanceField::Typename,
    }
}
