//! A validated operation → questions and the shape of their answers. All root fields of an operation are planned before anything
//! is asked. Knows no rows.

mod entities;
mod metrics;
mod signals;

pub(crate) use entities::{
    ChildKind, ConnectionField, ConnectionPlan, EdgeField, EntityField, PageField, RowsPlan, movement_grains, position_or_push,
    subject_of_rows,
};
pub(crate) use metrics::{
    CompareField, Compared, ContributionField, MetricPlan, PeriodField, ProvenanceField, ResultField, RowField, RowShape,
    ScoreShape, StatusField,
};

pub(crate) use signals::{
    EvidenceField, SignalField, SignalGroup, SignalKey, SignalOrder, SignalShape, SignalsField, SignalsPlan, severity_rank,
};

use std::collections::BTreeSet;

use holdfast_schema::{
    model::{EntityId, Model},
    query::{Direction, InCurrency, Nulls, OrderBy},
    time::day_in,
    value::{Value, ValueType},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    Planning,
    api::Settings,
    catalogue::CataloguePlan,
    error::Problem,
    federation::{self, Service},
    ids,
    input::Input,
    scalar,
    select::{Arguments, Request, Selected},
    surface::{Root, Surface},
};

/// What planning reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planner<'a> {
    /// The model.
    pub(crate) model: &'a Model,
    /// Its names in GraphQL.
    pub(crate) surface: &'a Surface,
    /// Settings of the surface.
    pub(crate) settings: &'a Settings,
    /// The operation.
    pub(crate) request: Request<'a>,
    /// The instant of the request.
    pub(crate) now: Timestamp,
    /// The schema for gateways.
    pub(crate) service: &'a Service,
    /// Positions of saved queries that are not there.
    pub(crate) unasked: &'a BTreeSet<usize>,
}

/// One root field, planned.
#[derive(Debug)]
pub(crate) struct RootPlan<'a> {
    /// The field.
    pub(crate) selected: Selected<'a>,
    /// What to do.
    pub(crate) kind: RootKind,
}

/// What a root field does.
#[derive(Debug)]
pub(crate) enum RootKind {
    /// Asks for metrics.
    Metrics(Box<MetricPlan>),
    /// Asks for one row by its key.
    One(Box<KeyedPlan>),
    /// Asks for a page of rows.
    Connection(Box<ConnectionPlan>),
    /// Asks for rows by global ids: each id is a plan and a key, or nothing.
    Nodes {
        /// One per entity that occurs.
        plans: Vec<KeyedPlan>,
        /// Per id, which plan and which key.
        ids: Vec<Option<(usize, Vec<Value>)>>,
        /// Whether the field is `nodes`.
        is_list: bool,
    },
    /// Evaluates rules.
    Signals(Box<SignalsPlan>),
    /// Answers from the model.
    Catalogue(Box<CataloguePlan>),
    /// Answered by the introspection of the validator: `__schema`, `__type`, `__typename`.
    Introspection,
    /// Cannot be planned.
    Failed(Problem),
}

/// Rows of one entity by their keys.
#[derive(Debug)]
pub(crate) struct KeyedPlan {
    /// What is read of each.
    pub(crate) rows: RowsPlan,
    /// Which.
    pub(crate) keys: Vec<Vec<Value>>,
}

/// The day and the knowledge that a question is asked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The day that counts as today.
    pub(crate) as_of: Date,
    /// Only what was recorded by then.
    pub(crate) as_known_at: Option<Timestamp>,
    /// Whether the request says so: rows then are not those of today, and their ids tell.
    pub(crate) is_chosen: bool,
}

impl<'a> Planner<'a> {
    /// Plans every root field, those for which there is time.
    pub(crate) fn roots(&self, selected: Vec<Selected<'a>>, planning: &Planning) -> Vec<RootPlan<'a>> {
        selected
            .into_iter()
            .map(|selected| {
                let kind = match self.surface.roots.get(selected.name) {
                    Some(root) => planning.spend(|_| self.root(*root, &selected)),
                    None => Ok(RootKind::Introspection),
                };
                let kind = kind.unwrap_or_else(|problem| RootKind::Failed(selected.problem(&self.request, problem)));
                RootPlan { selected, kind }
            })
            .collect()
    }

    fn root(&self, root: Root, selected: &Selected<'a>) -> Result<RootKind, Problem> {
        let arguments = self.request.arguments(selected)?;
        Ok(match root {
            Root::View(view) => RootKind::Metrics(Box::new(self.metrics(view, selected, &arguments)?)),
            Root::Entity(entity) => {
                let found = arguments.get("id").and_then(Input::text).and_then(|id| ids::parse(self.model, entity, id));
                let moment = self.moment(&arguments, found.as_ref().and_then(|row| row.moment))?;
                let keys: Vec<_> = found.into_iter().map(|row| row.key).collect();
                RootKind::One(Box::new(KeyedPlan { rows: self.rows(entity, std::slice::from_ref(selected), moment)?, keys }))
            }
            Root::Entities(entity) => {
                let moment = self.moment(&arguments, None)?;
                RootKind::Connection(Box::new(self.connection(entity, selected, &arguments, moment)?))
            }
            Root::Node => self.nodes(selected, arguments.get("id").map(|id| self.global(id)).into_iter(), "id", false)?,
            Root::Nodes => {
                let given = arguments.get("ids").map_or(&[][..], Input::items);
                self.nodes(selected, given.iter().map(|id| self.global(id)), "ids", true)?
            }
            Root::Representations => {
                let given = arguments.get("representations").map_or(&[][..], Input::items);
                let rows: Result<Vec<_>, Problem> = given.iter().map(|input| self.represented(input)).collect();
                self.nodes(selected, rows?.into_iter(), "representations", true)?
            }
            Root::Service => {
                let sdl = self.service.sdl(self.model, self.surface, &self.settings.limits);
                RootKind::Catalogue(Box::new(CataloguePlan::service(&self.request, selected, sdl)))
            }
            Root::Signals => RootKind::Signals(Box::new(self.signals(selected, &arguments)?)),
            Root::Catalogue(root) => RootKind::Catalogue(Box::new(CataloguePlan::new(self, root, selected, arguments)?)),
        })
    }

    /// The row behind a global id, if there can be one.
    fn global(&self, id: &Input) -> Option<(EntityId, ids::Row)> {
        id.text().and_then(|id| ids::parse_global(self.model, id))
    }

    /// The row that a representation speaks of, if there can be one.
    fn represented(&self, input: &Input) -> Result<Option<(EntityId, ids::Row)>, Problem> {
        let (entity, row) = federation::represented(self.model, self.surface, input)?;
        Ok(row.map(|row| (entity, row)))
    }

    fn nodes(
        &self,
        selected: &Selected<'a>,
        rows: impl ExactSizeIterator<Item = Option<(EntityId, ids::Row)>>,
        argument: &str,
        is_list: bool,
    ) -> Result<RootKind, Problem> {
        let most = self.settings.limits.max_page;
        if u64::try_from(rows.len()).is_ok_and(|count| count > most) {
            return Err(Problem::input(format!("`{argument}` takes {most} rows at most")));
        }
        let today = self.moment(&Arguments::default(), None)?;
        let mut plans: Vec<KeyedPlan> = Vec::new();
        let mut ids = Vec::new();
        for row in rows {
            let Some((entity, ids::Row { key, moment })) = row else {
                ids.push(None);
                continue;
            };
            let moment = moment.unwrap_or(today);
            let position = match plans.iter().position(|plan| plan.rows.entity == entity && plan.rows.moment == moment) {
                Some(position) => position,
                None => {
                    let rows = self.rows(entity, std::slice::from_ref(selected), moment)?;
                    plans.push(KeyedPlan { rows, keys: Vec::new() });
                    plans.len() - 1
                }
            };
            if !plans[position].keys.contains(&key) {
                plans[position].keys.push(key.clone());
            }
            ids.push(Some((position, key)));
        }
        Ok(RootKind::Nodes { plans, ids, is_list })
    }

    /// The day and knowledge of a question: its arguments, else those of the level above, else the request's own.
    fn moment(&self, arguments: &Arguments, above: Option<Moment>) -> Result<Moment, Problem> {
        let as_of = match (arguments.get("asOf"), above) {
            (Some(input), _) => match scalar::read(input, ValueType::Date) {
                Ok(Value::Date(date)) => date,
                Ok(_) | Err(_) => return Err(Problem::input("`asOf` is not a day such as `2025-01-31`")),
            },
            (None, Some(above)) => above.as_of,
            (None, None) => {
                let zone = self.time_zone(arguments)?.unwrap_or_else(|| self.model.project.time_zone.clone());
                day_in(&zone, self.now)
            }
        };
        let as_known_at = match (arguments.get("asKnownAt"), above) {
            (Some(input), _) => match scalar::read(input, ValueType::Timestamp) {
                Ok(Value::Timestamp(instant)) => Some(instant),
                Ok(_) | Err(_) => return Err(Problem::input("`asKnownAt` is not an instant such as `2025-01-31T12:00:00Z`")),
            },
            (None, above) => above.and_then(|above| above.as_known_at),
        };
        let is_chosen =
            arguments.get("asOf").or(arguments.get("asKnownAt")).is_some() || above.is_some_and(|above| above.is_chosen);
        Ok(Moment { as_of, as_known_at, is_chosen })
    }

    /// Another currency for money, and the name of the rate.
    fn currency(&self, arguments: &Arguments) -> Result<Option<InCurrency>, Problem> {
        let text = |name| arguments.get(name).and_then(Input::text).map(str::to_owned);
        match (text("currency"), text("exchangeRate")) {
            (Some(code), rate) => Ok(Some(InCurrency { code, rate })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Problem::input("`exchangeRate` names the rate of another currency: give `currency` too")),
        }
    }

    fn time_zone(&self, arguments: &Arguments) -> Result<Option<String>, Problem> {
        let Some(name) = arguments.get("timeZone").and_then(Input::text) else { return Ok(None) };
        match TimeZone::get(name) {
            Ok(_) => Ok(Some(name.to_owned())),
            Err(_) => Err(Problem::input("`timeZone` is not an IANA time zone such as `Europe/Berlin`")),
        }
    }
}

/// One part of an order: the field, and how.
fn sort(key: String, input: &Input) -> OrderBy {
    let (direction, nulls) = sorted(input);
    OrderBy { key, direction, nulls }
}

/// Which way, and where missing values go.
fn sorted(input: &Input) -> (Direction, Option<Nulls>) {
    let direction = match input.get("dir").and_then(Input::text) {
        Some("DESC") => Direction::Descending,
        Some(_) | None => Direction::Ascending,
    };
    let nulls = match input.get("nulls").and_then(Input::text) {
        Some("FIRST") => Some(Nulls::First),
        Some("LAST") => Some(Nulls::Last),
        Some(_) | None => None,
    };
    (direction, nulls)
}

/// The name of an entity's key as a group key or condition.
fn entity_name(model: &Model, entity: EntityId) -> String {
    model.entity(entity).name.clone()
}
