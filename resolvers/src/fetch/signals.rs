//! Questions about the metrics of rules → signals. First every entity is evaluated over the periods that its rules ask for; only
//! of those that are shown the history and the evidence are asked for. One question per group of rules each, however many entities.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use futures_util::future::join_all;
use holdfast_schema::{
    model::{EntityId, MetricId, Model},
    query::{Direction, Filter, Nulls},
    value::{CellRef, Value},
};
use jiff::civil::Date;

use super::{Asker, Key, Level, by_keys, distinct, group_columns, key_of, metric_columns};
use crate::{
    error::Problem,
    exact,
    plan::{SignalGroup, SignalKey, SignalOrder, SignalsPlan, severity_rank},
    signal::{self, Verdict, verdict},
};

/// One rule, evaluated for one entity.
#[derive(Debug)]
pub(crate) struct Signal {
    /// By position in the model.
    pub(crate) rule: usize,
    /// Of whom.
    pub(crate) entity: EntityId,
    /// Its key.
    pub(crate) key: Key,
    /// What came out.
    pub(crate) verdict: Verdict,
    /// First day of the period of the value.
    pub(crate) period: Option<Date>,
    /// First day of the earliest period since when it holds.
    pub(crate) since: Option<Date>,
    /// What the metric is computed from, with values.
    pub(crate) evidence: Vec<(MetricId, Option<String>)>,
}

/// The signals of one place.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// In order.
    pub(crate) shown: Vec<Signal>,
    /// How many there are.
    pub(crate) total: usize,
    /// Rows of the entities, as in the plan.
    pub(crate) entities: Vec<Result<Level, Problem>>,
}

/// Asks for the signals of a root field.
pub(super) async fn all(asker: &Asker, model: &Model, plan: &SignalsPlan) -> Result<Signals, Problem> {
    let found = join_all(plan.groups.iter().map(|group| evaluated(asker, model, plan, group, None))).await;
    let mut signals = Vec::new();
    for found in found {
        signals.extend(found?.into_iter().filter(|signal| plan.states.show(signal.verdict.fired)));
    }
    signals.sort_by(|one, other| in_order(model, &plan.order, one, other));
    let total = signals.len();
    let mut shown: Vec<Signal> = signals.into_iter().skip(plan.offset).take(plan.first).collect();
    if plan.wants_history {
        let detailed = plan.groups.iter().map(|group| async {
            let keys = keys_of(shown.iter().filter(|signal| group.rules.contains(&signal.rule)));
            if keys.is_empty() { Ok(Vec::new()) } else { evaluated(asker, model, plan, group, Some(keys)).await }
        });
        let mut details: HashMap<(usize, Key), Signal> = HashMap::new();
        for detailed in join_all(detailed).await {
            details.extend(detailed?.into_iter().map(|signal| ((signal.rule, signal.key.clone()), signal)));
        }
        for signal in &mut shown {
            if let Some(detailed) = details.remove(&(signal.rule, signal.key.clone())) {
                *signal = detailed;
            }
        }
    }
    Ok(with_entities(asker, model, plan, shown, total).await)
}

/// Asks for the signals of some rows of an entity, by key.
pub(super) async fn of_rows(asker: &Asker, model: &Model, plan: &SignalsPlan, keys: Vec<Key>) -> Result<Signals, Problem> {
    if keys.is_empty() {
        return Ok(Signals::default());
    }
    let found = join_all(plan.groups.iter().map(|group| evaluated(asker, model, plan, group, Some(keys.clone())))).await;
    let mut signals = Vec::new();
    for (found, group) in found.into_iter().zip(&plan.groups) {
        let mut known: HashMap<(usize, Key), Signal> =
            found?.into_iter().map(|signal| ((signal.rule, signal.key.clone()), signal)).collect();
        for key in &keys {
            for rule in &group.shown {
                // Nothing is known of a row that no fact speaks of.
                let signal = known.remove(&(*rule, key.clone())).unwrap_or_else(|| nothing_known(model, plan, group, *rule, key));
                signals.extend(plan.states.show(signal.verdict.fired).then_some(signal));
            }
        }
    }
    signals.sort_by_key(|one| one.rule);
    let total = signals.len();
    Ok(with_entities(asker, model, plan, signals, total).await)
}

async fn with_entities(asker: &Asker, model: &Model, plan: &SignalsPlan, shown: Vec<Signal>, total: usize) -> Signals {
    let levels = plan.entities.iter().map(|rows| {
        let keys = keys_of(shown.iter().filter(|signal| signal.entity == rows.entity));
        by_keys(asker, model, rows, keys)
    });
    let entities = join_all(levels).await;
    Signals { shown, total, entities }
}

fn keys_of<'s>(signals: impl Iterator<Item = &'s Signal>) -> Vec<Key> {
    let mut keys = distinct(signals.map(|signal| signal.key.clone()));
    keys.sort_unstable();
    keys
}

fn nothing_known(model: &Model, plan: &SignalsPlan, group: &SignalGroup, rule: usize, key: &Key) -> Signal {
    signal_of(model, plan, group, rule, key, &BTreeMap::new())
}

/// Values of an entity's metrics by the first day of the period; rules about a day have one period without a day.
type History = BTreeMap<Option<Date>, Vec<(MetricId, Option<String>, Option<String>)>>;

/// Asks one group's question and evaluates its rules; with keys only for those, with history and evidence.
async fn evaluated(
    asker: &Asker,
    model: &Model,
    plan: &SignalsPlan,
    group: &SignalGroup,
    keys: Option<Vec<Key>>,
) -> Result<Vec<Signal>, Problem> {
    let with_history = keys.is_some() && plan.wants_history;
    let mut question = group.question(model, plan.moment, with_history);
    if let Some(keys) = keys {
        let field = model.entity(group.per).name.clone();
        question.filter = Some(Filter::KeyIn { field, keys });
    }
    let metrics = group.metrics(model, with_history);
    let answer = asker.metric_rows(question).await?;
    let (entity, period) = (group_columns(&answer, 0), group_columns(&answer, 1));
    let columns = metric_columns(&answer, metrics.len());
    let mut entities: BTreeMap<Key, History> = BTreeMap::new();
    for row in 0..answer.rows.row_count() {
        let Some(key) = key_of(&answer.rows, row, &entity) else { continue };
        let start = period.first().and_then(|column| match answer.rows.cell(row, *column).to_value() {
            Value::Date(start) => Some(start),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Decimal(_) | Value::Text(_) | Value::Timestamp(_) => None,
        });
        let values = metrics.iter().zip(&columns).map(|(metric, column)| {
            let cell = answer.rows.cell(row, *column);
            (*metric, signal::number(cell), (!matches!(cell, CellRef::Null)).then(|| cell.to_string()))
        });
        entities.entry(key).or_default().insert(start, values.collect());
    }
    let signals = entities
        .iter()
        .flat_map(|(key, history)| group.shown.iter().map(move |rule| signal_of(model, plan, group, *rule, key, history)));
    Ok(signals.collect())
}

fn signal_of(model: &Model, plan: &SignalsPlan, group: &SignalGroup, position: usize, key: &Key, history: &History) -> Signal {
    let rule = &model.rules[position];
    let grain = signal::grain(group.at);
    let starts: Vec<Option<Date>> = match grain {
        Some(grain) => {
            let periods = signal::periods(group.rules.iter().map(|rule| &model.rules[*rule]), plan.wants_history);
            signal::starts(grain, model.project.calendar, plan.moment.as_of, periods).into_iter().map(Some).collect()
        }
        None => vec![None],
    };
    let at = |start: &Option<Date>, metric: MetricId| {
        history.get(start).and_then(|values| values.iter().find(|(found, ..)| *found == metric))
    };
    let values: Vec<Option<String>> =
        starts.iter().map(|start| at(start, rule.metric).and_then(|(_, number, _)| number.clone())).collect();
    let verdict = verdict(rule, &values);
    let since = (verdict.periods as usize).checked_sub(1).and_then(|last| starts.get(last).copied().flatten());
    let evidence = model.metric(rule.metric).inputs.iter().filter(|metric| group.evidence.contains(metric));
    let evidence = evidence.map(|metric| (*metric, at(&starts[0], *metric).and_then(|(.., text)| text.clone()))).collect();
    Signal { rule: position, entity: group.per, key: key.clone(), verdict, period: starts[0], since, evidence }
}

fn in_order(model: &Model, order: &[SignalOrder], one: &Signal, other: &Signal) -> Ordering {
    order.iter().map(|part| by(model, part, one, other)).find(|found| *found != Ordering::Equal).unwrap_or(Ordering::Equal)
}

fn by(model: &Model, part: &SignalOrder, one: &Signal, other: &Signal) -> Ordering {
    let found = match part.by {
        SignalKey::Severity => {
            let rank = |signal: &Signal| severity_rank(model.rules[signal.rule].severity);
            rank(one).cmp(&rank(other))
        }
        SignalKey::Rule => model.rules[one.rule].name.cmp(&model.rules[other.rule].name),
        SignalKey::Entity => (one.entity, &one.key).cmp(&(other.entity, &other.key)),
        SignalKey::Value => match (&one.verdict.value, &other.verdict.value) {
            (Some(one), Some(other)) => size(one, other),
            (None, None) => Ordering::Equal,
            // Where nulls go does not depend on the direction.
            (None, Some(_)) => return nulls(part.nulls),
            (Some(_), None) => return nulls(part.nulls).reverse(),
        },
    };
    match part.direction {
        Direction::Ascending => found,
        Direction::Descending => found.reverse(),
    }
}

fn nulls(nulls: Nulls) -> Ordering {
    match nulls {
        Nulls::First => Ordering::Less,
        Nulls::Last => Ordering::Greater,
    }
}

fn size(one: &str, other: &str) -> Ordering {
    match exact::subtract(one, other).as_deref() {
        None | Some("0") => Ordering::Equal,
        Some(difference) if difference.starts_with('-') => Ordering::Less,
        Some(_) => Ordering::Greater,
    }
}
