//! What answering an operation asks of the warehouse, in units: computed from its plans before anything is asked, so that nothing
//! runs of what costs too much. Knows no rows and no time: the same operation costs the same, whatever the data and the cache hold.
//!
//! | what | units |
//! | --- | --- |
//! | each statement: a question's rows, its totals, a page, a count, rows by key, metrics of entities, signals | [`STATEMENT`] |
//! | each reading that a statement's metrics need, once however many of them share it; twice with `compare` | [`READING`] × weight |
//! | each row that conditions on related rows join, once however many of them speak of it; of a chain's top each level | [`READING`] |
//! | each [`ROWS_PER_UNIT`] rows that a statement may return, or passes over, begun ones too | 1 |
//!
//! A reading is a fact, read in one way. Rows as they are weigh 1; running totals and balances compared member by member weigh 2,
//! as they meet rows with others; cohorts weigh 3, as they do so at every age. What is evaluated per entity, period after period, or
//! among peers is a whole question inside another: the weight doubles with each of these around it.
//!
//! Rows multiply: a page of 50 in each of 50 rows may return 2,500. Rows that no argument bounds count as the rows of a question
//! that does not say. Answers from the model (catalogue, introspection) cost nothing.

use holdfast_schema::{
    model::{EntityId, MeasureId, MetricId, MetricKind, Model, Series, entity::Window},
    query::{EntityOrderKey, Filter, MetricQuery, related_joins},
    time::{Grain, Step},
};

use crate::{
    Budget, Limits, RequestContext, Runner,
    error::{BUDGET_EXCEEDED, COST_EXCEEDED, Problem, whole_seconds},
    plan::{ChildKind, ConnectionPlan, KeyedPlan, MetricPlan, RootKind, RootPlan, RowsPlan, SignalsPlan, position_or_push},
    signal,
};

/// Units of a statement: asking and planning it, however little it reads.
const STATEMENT: u64 = 10;
/// Units of a reading of weight 1.
const READING: u64 = 5;
/// Rows of an answer that cost one unit.
const ROWS_PER_UNIT: u64 = 100;

/// What the metrics of a model need. Made once per model.
#[derive(Debug)]
pub(crate) struct Costs {
    /// Per metric, positions in `weights`.
    readings: Vec<Vec<usize>>,
    /// Per reading of the model.
    weights: Vec<u64>,
}

/// A fact, read in one way. Metrics with the same reading share it.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    fact: EntityId,
    way: Way,
    around: Vec<Around>,
}

/// How the rows of a fact are read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Rows,
    Running(Window),
    Movement(MeasureId),
    Cohort(MeasureId),
}

/// What is around a reading, from the outside in.
#[derive(Debug, Clone, PartialEq)]
enum Around {
    Earlier(Step),
    Each(EntityId, Option<Grain>),
    Periods(Grain, u32, Option<EntityId>),
    Peers(EntityId),
}

impl Reading {
    fn weight(&self) -> u64 {
        let way = match self.way {
            Way::Rows => 1,
            Way::Running(_) | Way::Movement(_) => 2,
            Way::Cohort(_) => 3,
        };
        self.around.iter().fold(way, |weight, around| match around {
            Around::Earlier(_) => weight,
            Around::Each(..) | Around::Periods(..) | Around::Peers(_) => weight.saturating_mul(2),
        })
    }
}

impl Costs {
    /// Finds what each metric of a model needs.
    pub(crate) fn new(model: &Model) -> Self {
        let mut known: Vec<Reading> = Vec::new();
        let readings = model.metrics.iter().map(|metric| {
            let mut found = Vec::new();
            collect(model, &metric.kind, &metric.inputs, &metric.facts, &mut Vec::new(), &mut found);
            let mut positions: Vec<usize> = Vec::new();
            for reading in found {
                let position = position_or_push(&mut known, reading);
                position_or_push(&mut positions, position);
            }
            positions
        });
        let readings = readings.collect();
        Self { readings, weights: known.iter().map(Reading::weight).collect() }
    }

    /// What an operation costs.
    pub(crate) fn of(&self, model: &Model, limits: &Limits, plans: &[RootPlan<'_>]) -> u64 {
        let mut bill = Bill { costs: self, model, limits, units: 0, asked: Vec::new() };
        for plan in plans {
            match &plan.kind {
                RootKind::Metrics(plan) => bill.view(plan),
                RootKind::One(plan) => bill.keyed(plan),
                RootKind::Connection(plan) => bill.page(plan, 1),
                RootKind::Nodes { plans, .. } => plans.iter().for_each(|plan| bill.keyed(plan)),
                RootKind::Signals(plan) => bill.signals(plan, None),
                RootKind::Catalogue(_) | RootKind::Introspection | RootKind::Failed(_) => {}
            }
        }
        bill.units
    }

    /// The weights of what metrics need together.
    fn weight(&self, metrics: impl Iterator<Item = MetricId>) -> u64 {
        let mut needed: Vec<usize> = metrics.flat_map(|metric| &self.readings[metric.index()]).copied().collect();
        needed.sort_unstable();
        needed.dedup();
        needed.into_iter().fold(0, |sum: u64, reading| sum.saturating_add(self.weights[reading]))
    }
}

/// What an operation cost, and what its caller has left.
#[derive(Debug)]
pub(crate) struct Charge {
    /// Units of the operation.
    pub(crate) units: u64,
    /// Units that one may cost.
    pub(crate) limit: u64,
    /// Where there is one.
    pub(crate) budget: Option<Budget>,
}

/// Refuses an operation that costs more than one may, or than its caller has left; else takes it from that.
pub(crate) fn charge(runner: &dyn Runner, context: &RequestContext, units: u64, limit: u64) -> Result<Charge, Problem> {
    if units > limit {
        let message = format!("the operation costs {units} units, and one may cost {limit}");
        return Err(Problem::new(COST_EXCEEDED, message)
            .help("ask for fewer rows (`first`, `limit`), for less inside of lists, or for parts in operations of their own"));
    }
    if units == 0 {
        return Ok(Charge { units, limit, budget: None });
    }
    match runner.charge(context, units) {
        Ok(budget) => Ok(Charge { units, limit, budget }),
        Err(spent) => {
            let (left, wait) = (spent.remaining, whole_seconds(spent.retry_after));
            let message = format!("the operation costs {units} units, and {left} are left of your budget; try again in {wait} s");
            Err(Problem { retry_after_seconds: Some(wait), ..Problem::new(BUDGET_EXCEEDED, message) })
        }
    }
}

fn collect(
    model: &Model,
    kind: &MetricKind,
    inputs: &[MetricId],
    facts: &[EntityId],
    around: &mut Vec<Around>,
    out: &mut Vec<Reading>,
) {
    let mut read = |fact: EntityId, way: Way, around: &[Around]| out.push(Reading { fact, way, around: around.to_vec() });
    let frame = match kind {
        MetricKind::Simple { measure } => return read(measure.entity, Way::Rows, around),
        MetricKind::Cumulative { window, .. } => {
            return facts.iter().for_each(|fact| read(*fact, Way::Running(*window), around));
        }
        MetricKind::Movement(movement) => return read(movement.measure.entity, Way::Movement(movement.measure), around),
        MetricKind::Cohort { movement, .. } => return read(movement.measure.entity, Way::Cohort(movement.measure), around),
        MetricKind::Ratio { .. }
        | MetricKind::Derived { .. }
        | MetricKind::Share { .. }
        | MetricKind::Score(_)
        | MetricKind::OfScore { .. } => None,
        MetricKind::Offset { by, .. } => Some(Around::Earlier(*by)),
        MetricKind::PerEntity { entity, each, .. } => Some(Around::Each(*entity, *each)),
        MetricKind::Series(Series { grain, window, per, .. }) => Some(Around::Periods(*grain, *window, *per)),
        MetricKind::Peers(peers) => Some(Around::Peers(peers.entity)),
    };
    let depth = around.len();
    around.extend(frame);
    if inputs.is_empty() {
        // Entities are counted, whatever they have.
        facts.iter().for_each(|fact| read(*fact, Way::Rows, around));
    }
    for input in inputs {
        let input = model.metric(*input);
        collect(model, &input.kind, &input.inputs, &input.facts, around, out);
    }
    around.truncate(depth);
}

/// One operation, added up.
struct Bill<'a> {
    costs: &'a Costs,
    model: &'a Model,
    limits: &'a Limits,
    units: u64,
    /// Questions of root fields that were counted: equal ones are asked once.
    asked: Vec<&'a MetricQuery>,
}

impl<'a> Bill<'a> {
    fn statement(&mut self, weight: u64, rows: u64) {
        let units = STATEMENT.saturating_add(READING.saturating_mul(weight)).saturating_add(rows.div_ceil(ROWS_PER_UNIT));
        self.units = self.units.saturating_add(units);
    }

    fn named<'n>(&self, names: impl Iterator<Item = &'n str>) -> u64 {
        self.costs.weight(names.filter_map(|name| self.model.metric_named(name)))
    }

    /// What the metrics of a question weigh, at all times that it is about.
    fn weight(&self, query: &MetricQuery) -> u64 {
        let weight = self.named(query.metrics.iter().map(|selection| selection.metric.as_str()));
        if query.compare.is_some() { weight.saturating_mul(2) } else { weight }
    }

    fn view(&mut self, plan: &'a MetricPlan) {
        if !plan.wants_answer {
            return;
        }
        let query = &plan.query;
        let rows = if query.by.is_empty() { 1 } else { query.limit.unwrap_or(self.limits.rows) };
        if !self.asked.contains(&query) {
            self.asked.push(query);
            let weight = self.weight(query);
            self.statement(weight, rows.saturating_add(query.offset));
            if query.totals {
                self.statement(weight, 1);
            }
            if query.row_count && query.offset > 0 {
                // Past the last row the number of rows is asked for again.
                self.statement(weight, 1);
            }
        }
        for entity in &plan.entities {
            if !entity.rows.dimensions.is_empty() {
                self.statement(0, rows);
            }
            self.below(&entity.rows, rows);
        }
    }

    fn keyed(&mut self, plan: &KeyedPlan) {
        let rows = plan.keys.len() as u64;
        if rows > 0 {
            self.statement(0, rows);
            self.below(&plan.rows, rows);
        }
    }

    /// A page in each of so many rows above.
    fn page(&mut self, plan: &ConnectionPlan, parents: u64) {
        let rows = parents.saturating_mul(plan.page.limit);
        let chosen: Vec<&str> = plan.having.iter().flat_map(fields).collect();
        let joins: u64 = plan.filter.iter().map(|filter| related_joins(self.model, plan.rows.entity, filter) as u64).sum();
        if plan.wants_rows {
            let order = plan.order.iter().filter_map(|part| match &part.by {
                EntityOrderKey::Metric(name) => Some(name.as_str()),
                EntityOrderKey::Dimension(_) => None,
            });
            let weight = self.named(chosen.iter().copied().chain(order));
            self.statement(weight.saturating_add(joins), rows);
            self.below(&plan.rows, rows);
        }
        if plan.wants_count {
            let weight = self.named(chosen.into_iter());
            self.statement(weight.saturating_add(joins), parents);
        }
    }

    /// Everything below so many rows.
    fn below(&mut self, plan: &RowsPlan, rows: u64) {
        for child in &plan.children {
            match &child.kind {
                ChildKind::One(plan) => {
                    self.statement(0, rows);
                    self.below(plan, rows);
                }
                ChildKind::Many(plan) => self.page(plan, rows),
            }
        }
        for group in plan.metrics.iter().filter(|group| !group.query.metrics.is_empty()) {
            let weight = self.weight(&group.query);
            self.statement(weight, rows);
        }
        for signals in &plan.signals {
            self.signals(signals, Some(rows));
        }
    }

    /// Signals of so many rows, or of all there are.
    fn signals(&mut self, plan: &SignalsPlan, rows: Option<u64>) {
        let entities = rows.unwrap_or(self.limits.rows);
        let shown = rows.unwrap_or(plan.first as u64);
        for group in &plan.groups {
            let mut evaluated = |with_history: bool, entities: u64| {
                let periods = signal::periods(group.rules.iter().map(|rule| &self.model.rules[*rule]), with_history);
                let weight = self.costs.weight(group.metrics(self.model, with_history).into_iter());
                self.statement(weight, entities.saturating_mul(u64::from(periods)));
            };
            // Rows by key are asked with their history at once; of all rows only those that are shown.
            evaluated(rows.is_some() && plan.wants_history, entities);
            if rows.is_none() && plan.wants_history {
                evaluated(true, shown);
            }
        }
        for entity in &plan.entities {
            self.statement(0, shown);
            self.below(entity, shown);
        }
    }
}

/// The fields that a condition speaks of.
fn fields(filter: &Filter) -> Vec<&str> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().flat_map(fields).collect(),
        Filter::Not(part) => fields(part),
        Filter::Compare { field, .. }
        | Filter::In { field, .. }
        | Filter::IsNull { field, .. }
        | Filter::Matches { field, .. }
        | Filter::KeyIn { field, .. } => vec![field],
        // Of related rows no metric is asked.
        Filter::InSegment(_) | Filter::Related { .. } => Vec::new(),
    }
}
