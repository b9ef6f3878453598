//! Conditions as they are asked for (`where`, `having`) → [`Filter`], with names of the model.

use holdfast_schema::{
    model::EntityId,
    query::{Comparator, Filter, TextTest, TimeRange},
    time::Grain,
    value::{Value, ValueType},
};
use jiff::civil::Date;

use crate::{
    error::Problem,
    ids,
    input::Input,
    naming::screaming,
    plan::{Planner, subject_of_rows},
    range::{self, Preset},
    scalar,
    surface::Enumeration,
};

/// What a field of a condition is compared as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind<'a> {
    /// Values of a type.
    Plain(ValueType),
    /// Declared values.
    Enum(&'a Enumeration),
    /// Keys of an entity.
    Entity(EntityId),
}

/// What a field of a condition speaks of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A value, which operators compare.
    Value(Kind<'a>),
    /// The row of an entity that a relationship to one leads to; its condition is one of that entity.
    Related(EntityId),
}

/// A condition over the fields that `look_up` knows: it gives the model's name and what is meant. An absent or empty condition is
/// none.
pub(crate) fn condition<'a>(
    planner: &Planner<'a>,
    today: Date,
    input: Option<&Input>,
    look_up: &mut dyn FnMut(&str) -> Option<(String, Subject<'a>)>,
) -> Result<Option<Filter>, Problem> {
    let Some(input) = input else { return Ok(None) };
    let mut parts = Vec::new();
    for (name, value) in input.fields() {
        // A condition that is null is not given: people bind optional conditions to variables.
        if *value == Input::Null {
            continue;
        }
        let is_connective = look_up(name).is_none();
        match name.as_str() {
            "and" | "or" if is_connective => {
                let mut items = Vec::new();
                for item in value.items() {
                    items.push(condition(planner, today, Some(item), look_up)?.unwrap_or_else(|| Filter::And(Vec::new())));
                }
                parts.push(if name == "and" { Filter::And(items) } else { Filter::Or(items) });
            }
            "not" if is_connective => {
                if let Some(inner) = condition(planner, today, Some(value), look_up)? {
                    parts.push(Filter::Not(Box::new(inner)));
                }
            }
            "inSegment" if is_connective => {
                for item in value.items() {
                    let mut shown = planner.model.segments.iter().filter(|segment| planner.surface.shows_segment(segment));
                    let segment = shown.find(|segment| screaming(&segment.name).as_deref() == item.text());
                    let segment = segment.ok_or_else(|| Problem::input("`inSegment` names no segment"))?;
                    parts.push(Filter::InSegment(segment.name.clone()));
                }
            }
            _ => {
                let Some((field, subject)) = look_up(name) else {
                    return Err(Problem::input(format!("`{name}` cannot be used in a condition")));
                };
                match subject {
                    Subject::Value(kind) => operators(planner, today, name, &field, kind, value, &mut parts)?,
                    Subject::Related(entity) => {
                        let inner = condition(planner, today, Some(value), &mut |name| subject_of_rows(planner, entity, name))?;
                        // That there is a row is a condition, whatever else is asked of it.
                        let filter = Box::new(inner.unwrap_or_else(|| Filter::And(Vec::new())));
                        parts.push(Filter::Related { relationship: field, filter });
                    }
                }
            }
        }
    }
    Ok(match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Filter::And(parts)),
    })
}

fn operators(
    planner: &Planner<'_>,
    today: Date,
    name: &str,
    field: &str,
    kind: Kind<'_>,
    input: &Input,
    parts: &mut Vec<Filter>,
) -> Result<(), Problem> {
    for (operator, operand) in input.fields() {
        let wrong = |message: String| Problem::input(format!("`{name}.{operator}`: {message}"));
        if *operand == Input::Null {
            if operator == "isNull" {
                continue;
            }
            return Err(wrong("null is not a value here".to_owned())
                .help(format!("write `{name}: {{isNull: true}}` to find missing values, or leave `{operator}` out")));
        }
        let field = field.to_owned();
        let part = match operator.as_str() {
            "isNull" => Filter::IsNull { field, is_null: operand.bool().unwrap_or(true) },
            "like" => matches(field, TextTest::Like, operand),
            "iLike" => matches(field, TextTest::LikeIgnoringCase, operand),
            "startsWith" => matches(field, TextTest::StartsWith, operand),
            "contains" => matches(field, TextTest::Contains, operand),
            "between" => within(&field, date_range(operand).map_err(wrong)?),
            "inRange" => within(&field, time_range(planner, today, operand)?),
            "in" | "notIn" => {
                let mut values = Vec::new();
                for item in operand.items() {
                    if *item == Input::Null {
                        return Err(wrong("a list cannot hold null".to_owned()).help(format!("add `{name}: {{isNull: true}}`")));
                    }
                    values.push(key_or_value(planner, kind, item).map_err(wrong)?);
                }
                members(field, kind, values, operator == "notIn")
            }
            "eq" | "ne" => {
                let value = key_or_value(planner, kind, operand).map_err(wrong)?;
                let is_negated = operator == "ne";
                match (kind, value) {
                    (Kind::Entity(_), value) => members(field, kind, vec![value], is_negated),
                    (Kind::Plain(_) | Kind::Enum(_), mut value) => Filter::Compare {
                        field,
                        operator: if is_negated { Comparator::NotEqual } else { Comparator::Equal },
                        value: value.swap_remove(0),
                    },
                }
            }
            _ => {
                let comparator = match operator.as_str() {
                    "gt" => Comparator::Greater,
                    "gte" => Comparator::GreaterOrEqual,
                    "lt" => Comparator::Less,
                    _ => Comparator::LessOrEqual,
                };
                let value = key_or_value(planner, kind, operand).map_err(wrong)?.swap_remove(0);
                Filter::Compare { field, operator: comparator, value }
            }
        };
        parts.push(part);
    }
    Ok(())
}

fn matches(field: String, test: TextTest, operand: &Input) -> Filter {
    Filter::Matches { field, test, text: operand.text().unwrap_or_default().to_owned() }
}

/// A value as a key of one part, or an entity's key.
fn key_or_value(planner: &Planner<'_>, kind: Kind<'_>, input: &Input) -> Result<Vec<Value>, String> {
    match kind {
        Kind::Plain(value_type) => Ok(vec![scalar::read(input, value_type)?]),
        Kind::Enum(item) => {
            let value = input.text().and_then(|name| item.value_of(name)).ok_or("not one of the declared values")?;
            Ok(vec![Value::Text(value.to_owned())])
        }
        Kind::Entity(entity) => input
            .text()
            .and_then(|id| ids::parse(planner.model, entity, id))
            .map(|row| row.key)
            .ok_or_else(|| format!("not an id of `{}`", planner.model.entity(entity).name)),
    }
}

fn members(field: String, kind: Kind<'_>, values: Vec<Vec<Value>>, negated: bool) -> Filter {
    match kind {
        Kind::Entity(_) => {
            let filter = Filter::KeyIn { field, keys: values };
            if negated { Filter::Not(Box::new(filter)) } else { filter }
        }
        Kind::Plain(_) | Kind::Enum(_) => Filter::In { field, values: values.into_iter().flatten().collect(), negated },
    }
}

/// Days of a range; of an instant it is the day that counts, in the question's zone.
fn within(field: &str, range: TimeRange) -> Filter {
    let bound = |date: Option<Date>, operator: Comparator| {
        date.map(|date| Filter::Compare { field: field.to_owned(), operator, value: Value::Date(date) })
    };
    let parts = [bound(range.from, Comparator::GreaterOrEqual), bound(range.to, Comparator::Less)].into_iter().flatten().collect();
    Filter::And(parts)
}

/// `{from, to}`.
pub(crate) fn date_range(input: &Input) -> Result<TimeRange, String> {
    let end = |name: &str| match input.get(name) {
        None => Ok(None),
        Some(value) => match scalar::read(value, ValueType::Date) {
            Ok(Value::Date(date)) => Ok(Some(date)),
            Ok(_) | Err(_) => Err(format!("`{name}` is not a day such as `2025-01-31`")),
        },
    };
    Ok(TimeRange { from: end("from")?, to: end("to")? })
}

/// `@oneOf {between, preset, trailing, upcoming}`, seen from `today`.
pub(crate) fn time_range(planner: &Planner<'_>, today: Date, input: &Input) -> Result<TimeRange, Problem> {
    let calendar = planner.model.project.calendar;
    let wrong = |message: &str| Problem::input(format!("range: {message}"));
    let Some((form, value)) = input.one() else { return Err(wrong("nothing is given")) };
    match form {
        "between" => date_range(value).map_err(|message| wrong(&message)),
        "preset" => {
            let preset = value.text().and_then(Preset::named).ok_or_else(|| wrong("no such preset"))?;
            Ok(preset.days(calendar, today))
        }
        form => {
            let n = value.get("n").and_then(Input::int).and_then(|n| i32::try_from(n).ok()).filter(|n| (1..=10_000).contains(n));
            let n = n.ok_or_else(|| wrong("`n` is a number of periods from 1 to 10000"))?;
            let grain = grain(value).ok_or_else(|| wrong("no such grain"))?;
            if form == "upcoming" {
                return Ok(range::upcoming(calendar, today, n, grain));
            }
            let complete = value.get("complete").and_then(Input::bool).unwrap_or(true);
            Ok(range::trailing(calendar, today, n, grain, complete))
        }
    }
}

/// The grain of an object that has one.
pub(crate) fn grain(input: &Input) -> Option<Grain> {
    input.get("grain").and_then(Input::text).and_then(grain_named)
}

/// The grain behind an enum value.
pub(crate) fn grain_named(name: &str) -> Option<Grain> {
    Grain::from_name(&name.to_ascii_lowercase())
}
