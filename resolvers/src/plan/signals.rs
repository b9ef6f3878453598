//! Selections of signals → questions about the metrics of rules, one per group of rules that are evaluated alike, and the shape of
//! what is shown.

use std::collections::BTreeSet;

use holdfast_schema::{
    model::{
        EntityId, MetricId,
        access::{RuleSeverity, RuleTime},
    },
    query::{Direction, Filter, GroupBy, GroupItem, MetricQuery, MetricSelection, Nulls, Scope},
};

use super::{Moment, PeriodField, Planner, RowsPlan, entities::entity_kind, entity_name, metrics::period_field, sorted};
use crate::{
    catalogue::{CataloguePlan, Value},
    error::Problem,
    filter::{self, Subject},
    input::Input,
    select::{Arguments, Selected},
    signal,
};

/// Signals that are asked for at one place.
#[derive(Debug)]
pub(crate) struct SignalsPlan {
    /// When.
    pub(crate) moment: Moment,
    /// Rules that are evaluated alike.
    pub(crate) groups: Vec<SignalGroup>,
    /// Which are shown.
    pub(crate) states: States,
    /// In which order.
    pub(crate) order: Vec<SignalOrder>,
    /// How many at most.
    pub(crate) first: usize,
    /// How many are passed over.
    pub(crate) offset: usize,
    /// Fields of the list, in order; of a plain list only its nodes.
    pub(crate) fields: Vec<(String, SignalsField)>,
    /// The ways signals are written: one per place that shows them.
    pub(crate) shapes: Vec<SignalShape>,
    /// What is read of the entities, when anything is shown of them; one per entity of the groups.
    pub(crate) entities: Vec<RowsPlan>,
    /// Whether evidence or the time since when is shown.
    pub(crate) wants_history: bool,
}

/// Rules for one entity at one time, whose metrics are one question.
#[derive(Debug)]
pub(crate) struct SignalGroup {
    /// For each of these.
    pub(crate) per: EntityId,
    /// When.
    pub(crate) at: RuleTime,
    /// Every rule of the group, by position in the model: what is asked does not depend on which are shown.
    pub(crate) rules: Vec<usize>,
    /// Those that are shown.
    pub(crate) shown: BTreeSet<usize>,
    /// What the metrics of the rules are computed from, as far as it is there for the asker.
    pub(crate) evidence: BTreeSet<MetricId>,
    /// Entities that count.
    pub(crate) filter: Option<Filter>,
}

/// Which signals are shown, by what is known of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct States {
    fired: Option<bool>,
    unknown: Option<bool>,
}

impl States {
    /// Whether a signal is shown.
    pub(crate) fn show(self, fired: Option<bool>) -> bool {
        let state = self.fired.is_none_or(|wanted| fired == Some(wanted));
        state && self.unknown.is_none_or(|wanted| fired.is_none() == wanted)
    }
}

/// One part of an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignalOrder {
    pub(crate) by: SignalKey,
    pub(crate) direction: Direction,
    pub(crate) nulls: Nulls,
}

/// What signals are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignalKey {
    Severity,
    Rule,
    Value,
    Entity,
}

/// One field of a list of signals.
#[derive(Debug)]
pub(crate) enum SignalsField {
    Typename,
    /// Signals in a shape.
    Nodes(usize),
    TotalCount,
    AsOf,
}

/// Fields of a signal, with response keys, in order.
pub(crate) type SignalShape = Vec<(String, SignalField)>;

/// One field of a signal.
#[derive(Debug)]
pub(crate) enum SignalField {
    Typename,
    Id,
    /// Per rule of the model, its definition; null for rules that are not asked for.
    Rule(Vec<Value>),
    /// The entity in a shape.
    Entity(usize),
    Fired,
    Value,
    Operator,
    Threshold,
    Severity,
    Plays,
    Period(Vec<(String, PeriodField)>),
    Since,
    Periods,
    Coverage,
    Evidence(Vec<(String, EvidenceField)>),
}

/// One field of a piece of evidence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EvidenceField {
    Typename,
    Metric,
    Label,
    Unit,
    Known,
    Value,
}

impl SignalGroup {
    /// Metrics of a question: those of the rules, and with evidence also what those are computed from.
    pub(crate) fn metrics(&self, model: &holdfast_schema::model::Model, with_evidence: bool) -> Vec<MetricId> {
        let mut metrics: BTreeSet<MetricId> = self.rules.iter().map(|rule| model.rules[*rule].metric).collect();
        if with_evidence {
            metrics.extend(&self.evidence);
        }
        metrics.into_iter().collect()
    }

    /// The question, for the latest periods that the rules ask for, or for as many as tell since when.
    pub(crate) fn question(&self, model: &holdfast_schema::model::Model, moment: Moment, with_history: bool) -> MetricQuery {
        let name = entity_name(model, self.per);
        let periods = signal::periods(self.rules.iter().map(|rule| &model.rules[*rule]), with_history);
        let mut by = vec![GroupBy { key: name.clone(), item: GroupItem::Dimension(name.clone()) }];
        if let Some(grain) = signal::grain(self.at) {
            by.push(GroupBy { key: "period".to_owned(), item: GroupItem::Time { dimension: None, grain } });
        }
        let selection = |metric: MetricId| MetricSelection::of(&model.metric(metric).name);
        let metrics = self.metrics(model, with_history).into_iter().map(selection).collect();
        MetricQuery {
            by,
            range: Some(signal::range(self.at, model.project.calendar, moment.as_of, periods)),
            filter: self.filter.clone(),
            as_known_at: moment.as_known_at,
            ..MetricQuery::new(Scope::Entity(name), metrics, moment.as_of)
        }
    }
}

impl<'a> Planner<'a> {
    /// Plans the root field.
    pub(crate) fn signals(&self, selected: &Selected<'a>, arguments: &Arguments) -> Result<SignalsPlan, Problem> {
        let moment = self.moment(arguments, None)?;
        let conditions = arguments.get("where");
        let mut groups = self.signal_groups(|_| true, |name| conditions.and_then(|conditions| conditions.get(name)))?;
        let named: Vec<_> = self
            .surface
            .rule_entities(self.model)
            .into_iter()
            .filter_map(|entity| Some((entity, conditions?.get(&self.surface.entity(entity).field)?)))
            .collect();
        groups.retain(|group| named.iter().all(|(entity, _)| *entity == group.per));
        for group in &mut groups {
            if let Some((entity, input)) = named.first() {
                group.filter = filter::condition(self, moment.as_of, Some(input), &mut |name| {
                    entity_kind(self, *entity, name).map(|(field, kind)| (field, Subject::Value(kind)))
                })?;
            }
        }
        let mut places = Vec::new();
        let fields = self.request.below(selected, "SignalList");
        let fields = fields
            .iter()
            .map(|field| {
                let kind = match field.name {
                    "nodes" => {
                        places.push(field.clone());
                        SignalsField::Nodes(places.len() - 1)
                    }
                    "totalCount" => SignalsField::TotalCount,
                    "asOf" => SignalsField::AsOf,
                    _ => SignalsField::Typename,
                };
                (field.key.to_owned(), kind)
            })
            .collect();
        let limits = &self.settings.limits;
        let plan = self.signals_at(&places, groups, moment)?;
        Ok(SignalsPlan {
            states: States {
                fired: conditions.and_then(|conditions| conditions.get("fired")).and_then(Input::bool),
                unknown: conditions.and_then(|conditions| conditions.get("unknown")).and_then(Input::bool),
            },
            order: signal_order(arguments),
            first: count(arguments, "first", limits.max_rows)?.unwrap_or(limits.page as usize),
            offset: count(arguments, "offset", limits.max_rows)?.unwrap_or(0),
            fields,
            ..plan
        })
    }

    /// Plans the signals of rows of an entity.
    pub(crate) fn entity_signals(&self, entity: EntityId, selected: &Selected<'a>, above: Moment) -> Result<SignalsPlan, Problem> {
        let arguments = self.request.arguments(selected)?;
        let groups = self
            .signal_groups(|per| per == entity, |name| arguments.get(name))
            .map_err(|problem| selected.problem(&self.request, problem))?;
        let plan = self.signals_at(std::slice::from_ref(selected), groups, above)?;
        Ok(SignalsPlan {
            states: States {
                fired: arguments.get("fired").and_then(Input::bool),
                unknown: arguments.get("unknown").and_then(Input::bool),
            },
            ..plan
        })
    }

    fn signal_groups<'i>(
        &self,
        is_asked: impl Fn(EntityId) -> bool,
        condition: impl Fn(&str) -> Option<&'i Input>,
    ) -> Result<Vec<SignalGroup>, Problem> {
        let rules = || self.model.rules.iter().enumerate().filter(|(_, rule)| self.surface.shows_rule(rule));
        let names: Option<Vec<&str>> = condition("rule").map(|names| names.items().iter().filter_map(Input::text).collect());
        for name in names.iter().flatten() {
            if !rules().any(|(_, rule)| rule.name == **name) {
                return Err(Problem::input(format!("there is no rule `{name}`")).help("`rules { name }` lists them"));
            }
        }
        let severities: Option<Vec<&str>> =
            condition("severity").map(|items| items.items().iter().filter_map(Input::text).collect());
        let mut groups: Vec<SignalGroup> = Vec::new();
        for (position, rule) in rules().filter(|(_, rule)| is_asked(rule.per)) {
            let group = match groups.iter().position(|group| group.per == rule.per && group.at == rule.at) {
                Some(group) => &mut groups[group],
                None => {
                    let (shown, evidence) = (BTreeSet::new(), BTreeSet::new());
                    groups.push(SignalGroup { per: rule.per, at: rule.at, rules: Vec::new(), shown, evidence, filter: None });
                    groups.last_mut().expect("one was added")
                }
            };
            group.rules.push(position);
            let inputs = self.model.metric(rule.metric).inputs.iter();
            group.evidence.extend(inputs.filter(|input| self.surface.shows_metric(**input)));
            let is_named = names.as_ref().is_none_or(|names| names.contains(&rule.name.as_str()));
            if is_named && severities.as_ref().is_none_or(|severities| severities.contains(&signal::severity(rule.severity))) {
                group.shown.insert(position);
            }
        }
        groups.retain(|group| !group.shown.is_empty());
        Ok(groups)
    }

    fn signals_at(&self, places: &[Selected<'a>], groups: Vec<SignalGroup>, moment: Moment) -> Result<SignalsPlan, Problem> {
        let mut entity_places = Vec::new();
        let mut shapes = Vec::new();
        for place in places {
            let mut shape = Vec::new();
            for field in self.request.below(place, "Signal") {
                shape.push((field.key.to_owned(), self.signal_field(&field, &groups, &mut entity_places)?));
            }
            shapes.push(shape);
        }
        let mut entities: Vec<RowsPlan> = Vec::new();
        for group in groups.iter().filter(|_| !entity_places.is_empty()) {
            if !entities.iter().any(|plan| plan.entity == group.per) {
                entities.push(self.rows(group.per, &entity_places, moment)?);
            }
        }
        let is_history = |(_, field): &(String, SignalField)| {
            matches!(field, SignalField::Since | SignalField::Periods | SignalField::Coverage | SignalField::Evidence(_))
        };
        Ok(SignalsPlan {
            moment,
            groups,
            states: States::default(),
            order: Vec::new(),
            first: usize::MAX,
            offset: 0,
            fields: Vec::new(),
            wants_history: shapes.iter().flatten().any(is_history),
            shapes,
            entities,
        })
    }

    fn signal_field(
        &self,
        field: &Selected<'a>,
        groups: &[SignalGroup],
        entity_places: &mut Vec<Selected<'a>>,
    ) -> Result<SignalField, Problem> {
        Ok(match field.name {
            "id" => SignalField::Id,
            "rule" => {
                let mut rules = Vec::new();
                for position in 0..self.model.rules.len() {
                    let is_shown = groups.iter().any(|group| group.shown.contains(&position));
                    rules.push(if is_shown { CataloguePlan::rule(self, field, position)? } else { Value::Null });
                }
                SignalField::Rule(rules)
            }
            "entity" => {
                entity_places.push(field.clone());
                SignalField::Entity(entity_places.len() - 1)
            }
            "fired" => SignalField::Fired,
            "value" => SignalField::Value,
            "operator" => SignalField::Operator,
            "threshold" => SignalField::Threshold,
            "severity" => SignalField::Severity,
            "plays" => SignalField::Plays,
            "period" => {
                let fields = self.request.below(field, "Period").into_iter();
                SignalField::Period(fields.map(|field| (field.key.to_owned(), period_field(field.name))).collect())
            }
            "since" => SignalField::Since,
            "periods" => SignalField::Periods,
            "coverage" => SignalField::Coverage,
            "evidence" => {
                let fields = self.request.below(field, "SignalEvidence").into_iter();
                SignalField::Evidence(fields.map(|field| (field.key.to_owned(), evidence_field(field.name))).collect())
            }
            _ => SignalField::Typename,
        })
    }
}

fn evidence_field(name: &str) -> EvidenceField {
    match name {
        "metric" => EvidenceField::Metric,
        "label" => EvidenceField::Label,
        "unit" => EvidenceField::Unit,
        "known" => EvidenceField::Known,
        "value" => EvidenceField::Value,
        _ => EvidenceField::Typename,
    }
}

fn signal_order(arguments: &Arguments) -> Vec<SignalOrder> {
    let parts = arguments.get("orderBy").map_or(&[][..], Input::items).iter().filter_map(|item| {
        let (field, input) = item.one()?;
        let by = match field {
            "severity" => SignalKey::Severity,
            "rule" => SignalKey::Rule,
            "value" => SignalKey::Value,
            _ => SignalKey::Entity,
        };
        let (direction, nulls) = sorted(input);
        Some(SignalOrder { by, direction, nulls: nulls.unwrap_or(Nulls::Last) })
    });
    let mut order: Vec<SignalOrder> = parts.collect();
    let ascending = |by| SignalOrder { by, direction: Direction::Ascending, nulls: Nulls::Last };
    if order.is_empty() {
        order.push(SignalOrder { direction: Direction::Descending, ..ascending(SignalKey::Severity) });
    }
    order.extend([ascending(SignalKey::Rule), ascending(SignalKey::Entity)]);
    order
}

/// From the least to the most.
pub(crate) fn severity_rank(severity: RuleSeverity) -> u8 {
    match severity {
        RuleSeverity::Info => 0,
        RuleSeverity::Warning => 1,
        RuleSeverity::Critical => 2,
    }
}

fn count(arguments: &Arguments, name: &str, most: u64) -> Result<Option<usize>, Problem> {
    let Some(input) = arguments.get(name) else { return Ok(None) };
    let found = input.int().and_then(|count| usize::try_from(count).ok()).filter(|count| *count as u64 <= most);
    found.map(Some).ok_or_else(|| Problem::input(format!("`{name}` is a number of signals from 0 to {most}")))
}
