//! Signals as bytes.

use holdfast_schema::model::{EntityId, Rule};

use super::{Writer, Written};
use crate::{
    error::Step,
    exact,
    fetch::{Key, Signal, Signals},
    ids, json,
    plan::{EvidenceField, SignalField, SignalShape, SignalsField, SignalsPlan},
    signal,
};

impl Writer<'_> {
    /// Writes the list of the root field.
    pub(super) fn signals(&mut self, plan: &SignalsPlan, signals: &Signals) -> Written {
        self.object(&plan.fields, |writer, key, field| {
            match field {
                SignalsField::Typename => json::plain(&mut writer.out, "SignalList"),
                SignalsField::TotalCount => json::number(&mut writer.out, signals.total as i64),
                SignalsField::AsOf => json::plain(&mut writer.out, plan.moment.as_of),
                SignalsField::Nodes(shape) => {
                    let step = Step::Key(key.to_owned());
                    let shape = &plan.shapes[*shape];
                    return writer.step(step, |writer| {
                        writer.list(&signals.shown, |writer, signal| writer.signal(plan, signals, signal, shape))
                    });
                }
            }
            Ok(())
        })
    }

    /// Writes the signals of one row.
    pub(super) fn entity_signals(&mut self, plan: &SignalsPlan, signals: &Signals, entity: EntityId, key: &Key) -> Written {
        let of_row = signals.shown.iter().filter(|signal| signal.entity == entity && signal.key == *key);
        let shape = &plan.shapes[0];
        self.list(of_row, |writer, signal| writer.signal(plan, signals, signal, shape))
    }

    fn signal(&mut self, plan: &SignalsPlan, signals: &Signals, signal: &Signal, shape: &SignalShape) -> Written {
        let model = self.model;
        let rule: &Rule = &model.rules[signal.rule];
        self.object(shape, |writer, key, field| {
            match field {
                SignalField::Typename => json::plain(&mut writer.out, "Signal"),
                SignalField::Id => {
                    let entity = &model.entity(signal.entity).name;
                    let text = format!("{}\n{entity}\n{:?}\n{:?}", rule.name, signal.key, plan.moment);
                    json::plain(&mut writer.out, ids::digest(&text));
                }
                SignalField::Rule(rules) => return writer.catalogue(&rules[signal.rule]),
                SignalField::Entity(shape) => {
                    writer.step(Step::Key(key.to_owned()), |writer| {
                        writer.nullable(|writer| writer.signal_entity(plan, signals, signal, *shape));
                    });
                }
                SignalField::Fired => match signal.verdict.fired {
                    Some(fired) => json::boolean(&mut writer.out, fired),
                    None => json::null(&mut writer.out),
                },
                SignalField::Value => json::optional(&mut writer.out, signal.verdict.value.as_deref()),
                SignalField::Operator => json::plain(&mut writer.out, signal::operator(rule.operator)),
                SignalField::Threshold => json::plain(&mut writer.out, &rule.threshold),
                SignalField::Severity => json::plain(&mut writer.out, signal::severity(rule.severity)),
                SignalField::Plays => json::strings(&mut writer.out, rule.plays.iter().map(String::as_str)),
                SignalField::Period(fields) => match (signal.period, signal::grain(rule.at)) {
                    (Some(start), Some(grain)) => writer.period(plan.moment.as_of, grain, start, fields),
                    (Some(_) | None, _) => json::null(&mut writer.out),
                },
                SignalField::Since => match signal.since {
                    Some(since) => json::plain(&mut writer.out, since),
                    None => json::null(&mut writer.out),
                },
                SignalField::Periods => json::number(&mut writer.out, signal.verdict.periods),
                SignalField::Coverage => json::optional(&mut writer.out, coverage(signal).as_deref()),
                SignalField::Evidence(fields) => {
                    let step = Step::Key(key.to_owned());
                    return writer.step(step, |writer| {
                        writer.list(&signal.evidence, |writer, (metric, value)| {
                            let metric = model.metric(*metric);
                            writer.object(fields, |writer, _, field| {
                                match field {
                                    EvidenceField::Typename => json::plain(&mut writer.out, "SignalEvidence"),
                                    EvidenceField::Metric => json::string(&mut writer.out, &metric.name),
                                    EvidenceField::Label => json::string(&mut writer.out, &metric.label),
                                    EvidenceField::Unit => json::optional(&mut writer.out, metric.unit.as_deref()),
                                    EvidenceField::Known => json::boolean(&mut writer.out, value.is_some()),
                                    EvidenceField::Value => json::optional(&mut writer.out, value.as_deref()),
                                }
                                Ok(())
                            })
                        })
                    });
                }
            }
            Ok(())
        })
    }

    fn signal_entity(&mut self, plan: &SignalsPlan, signals: &Signals, signal: &Signal, shape: usize) -> Written {
        let found = plan.entities.iter().zip(&signals.entities).find(|(rows, _)| rows.entity == signal.entity);
        let Some((rows, level)) = found else { return self.null() };
        let level = self.reached(level)?;
        match level.by_key.get(&signal.key) {
            Some(row) => self.entity(rows, level, *row, shape),
            None => self.null(),
        }
    }
}

/// Known pieces of evidence over all; a metric that is made of nothing else is its own evidence.
fn coverage(signal: &Signal) -> Option<String> {
    let known = signal.evidence.iter().filter(|(_, value)| value.is_some()).count();
    match signal.evidence.len() {
        0 => Some(if signal.verdict.value.is_some() { "1" } else { "0" }.to_owned()),
        all => exact::divide_by_size(&known.to_string(), &all.to_string()),
    }
}
