//! Filters as asked to checked conditions: values fitted to their fields. What a name stands for is the scope's business.

use jiff::{civil::Date, tz::TimeZone};

use super::{
    Comparator, Filter, TextTest, access::Access, condition::Condition, error::QueryError, error::QueryErrorCode as Code,
    value_check,
};
use crate::{
    expr::Expr,
    model::{Model, Segment},
    suggest,
    value::{Value, ValueType},
};

/// What the names of a filter stand for.
pub(crate) trait Names {
    /// What a condition is over.
    type Field;

    /// The one field behind a name.
    fn field(&self, name: &str) -> Result<Self::Field, QueryError>;

    /// The parts of the key of the entity behind a name.
    fn key(&self, name: &str) -> Result<Vec<Self::Field>, QueryError>;

    /// The condition of a segment, over the fields of this scope.
    fn segment(&self, segment: &Segment) -> Result<Expr<Self::Field>, QueryError>;

    /// The names of the entity that a relationship to one leads to, and a field that has a value where there is a row and nowhere
    /// else.
    fn related(&self, relationship: &str) -> Result<(Self, Self::Field), QueryError>
    where
        Self: Sized;

    /// Type of a field's values.
    fn value_type(&self, field: &Self::Field) -> ValueType;

    /// Zone in which days begin.
    fn time_zone(&self) -> &TimeZone;

    /// What the asker may see.
    fn access(&self) -> &Access;
}

/// Checks a filter.
///
/// # Errors
/// The first name or value that cannot be right.
pub(crate) fn bind_condition<N: Names<Field: Clone>>(
    model: &Model,
    names: &N,
    filter: &Filter,
) -> Result<Condition<N::Field>, QueryError> {
    let all = |list: &[Filter]| list.iter().map(|item| bind_condition(model, names, item)).collect::<Result<Vec<_>, _>>();
    Ok(match filter {
        Filter::And(list) => Condition::And(all(list)?),
        Filter::Or(list) => Condition::Or(all(list)?),
        Filter::Not(inner) => bind_condition(model, names, inner)?.negated(),
        Filter::Compare { field: name, operator, value } => {
            let field = names.field(name)?;
            if let (Value::Date(day), ValueType::Timestamp) = (value, names.value_type(&field)) {
                return on_day(names.time_zone(), name, &field, *operator, *day);
            }
            let value = value_check::fit(name, value, names.value_type(&field))?;
            Condition::Compare { field, operator: *operator, value }
        }
        Filter::In { field: name, values, negated } => {
            let field = names.field(name)?;
            let expected = names.value_type(&field);
            if expected == ValueType::Timestamp && values.iter().any(|value| matches!(value, Value::Date(_))) {
                return one_of(model, names, name, values, *negated);
            }
            let values = values.iter().map(|value| value_check::fit(name, value, expected)).collect::<Result<_, _>>()?;
            Condition::In { field, values, negated: *negated }
        }
        Filter::IsNull { field: name, is_null } => Condition::IsNull { field: names.field(name)?, is_null: *is_null },
        Filter::Matches { field: name, test, text } => {
            let field = names.field(name)?;
            if names.value_type(&field) != ValueType::Text {
                return Err(QueryError::new(Code::TypeMismatch, format!("`{name}` is not text, so it cannot be matched"))
                    .help("compare it with a value of its type"));
            }
            let ends_in_escape = text.chars().rev().take_while(|letter| *letter == '\\').count() % 2 == 1;
            match test {
                // Engines find out with the first row that matches up to there, or not at all.
                TextTest::Like | TextTest::LikeIgnoringCase if ends_in_escape => {
                    return Err(QueryError::new(Code::InvalidArgument, format!("the pattern for `{name}` ends in a single `\\`"))
                        .help("write `\\\\` for the character itself"));
                }
                TextTest::Like | TextTest::LikeIgnoringCase | TextTest::StartsWith | TextTest::Contains => {}
            }
            Condition::Matches { field, test: *test, text: text.clone() }
        }
        Filter::KeyIn { field: name, keys } => {
            let fields = names.key(name)?;
            let types: Vec<_> = fields.iter().map(|field| names.value_type(field)).collect();
            let keys = keys.iter().map(|key| fit_key(name, key, &types)).collect::<Result<_, _>>()?;
            Condition::KeyIn { fields, keys }
        }
        Filter::InSegment(name) => {
            let access = names.access();
            let is_there = |segment: &&Segment| !segment.reads(&access.hidden) && !segment.follows(&access.hidden_relationships);
            let known = || model.segments.iter().filter(is_there);
            let segment = known().find(|segment| segment.name == *name).ok_or_else(|| {
                QueryError::new(Code::NameNotFound, format!("there is no segment `{name}`"))
                    .suggest(suggest::nearest(name, known().map(|segment| segment.name.as_str())))
            })?;
            if segment.reads(&access.masked) {
                let message = format!("segment `{name}` depends on what is masked for you, so it cannot be a condition");
                return Err(QueryError::new(Code::Forbidden, message).help("leave the segment out"));
            }
            Condition::Expr(names.segment(segment)?)
        }
        Filter::Related { relationship, filter } => {
            let (theirs, key) = names.related(relationship)?;
            let is_there = Condition::IsNull { field: key, is_null: false };
            let fulfils = bind_condition(model, &theirs, filter)?.conjuncts();
            Condition::And(std::iter::once(is_there).chain(fulfils).collect())
        }
    })
}

/// An instant compared with a day: the day on which it falls is.
fn on_day<F: Clone>(zone: &TimeZone, name: &str, field: &F, operator: Comparator, day: Date) -> Result<Condition<F>, QueryError> {
    let beginning = |day: Option<Date>| -> Result<Value, QueryError> {
        let zoned = day.and_then(|day| day.to_zoned(zone.clone()).ok());
        zoned.map(|zoned| Value::Timestamp(zoned.timestamp())).ok_or_else(|| {
            QueryError::new(Code::TypeMismatch, format!("`{name}` is compared with a day outside the calendar"))
                .help("use a day between the years 1 and 9998")
        })
    };
    let compare = |operator, value| Condition::Compare { field: field.clone(), operator, value };
    let begins = || beginning(Some(day));
    let ends = || beginning(day.tomorrow().ok());
    Ok(match operator {
        Comparator::Less => compare(Comparator::Less, begins()?),
        Comparator::GreaterOrEqual => compare(Comparator::GreaterOrEqual, begins()?),
        Comparator::LessOrEqual => compare(Comparator::Less, ends()?),
        Comparator::Greater => compare(Comparator::GreaterOrEqual, ends()?),
        Comparator::Equal => {
            Condition::And(vec![compare(Comparator::GreaterOrEqual, begins()?), compare(Comparator::Less, ends()?)])
        }
        Comparator::NotEqual => {
            Condition::Or(vec![compare(Comparator::Less, begins()?), compare(Comparator::GreaterOrEqual, ends()?)])
        }
    })
}

/// An instant that falls on one of several days, or is one of several instants.
fn one_of<N: Names<Field: Clone>>(
    model: &Model,
    names: &N,
    name: &str,
    values: &[Value],
    negated: bool,
) -> Result<Condition<N::Field>, QueryError> {
    let operator = if negated { Comparator::NotEqual } else { Comparator::Equal };
    let one = |value: &Value| {
        let filter = Filter::Compare { field: name.to_owned(), operator, value: value.clone() };
        bind_condition(model, names, &filter)
    };
    let all = values.iter().map(one).collect::<Result<_, _>>()?;
    Ok(if negated { Condition::And(all) } else { Condition::Or(all) })
}

/// A whole key in the types of its parts.
pub(crate) fn fit_key(name: &str, key: &[Value], types: &[ValueType]) -> Result<Vec<Value>, QueryError> {
    let name = if name.is_empty() { "id" } else { name };
    if key.len() != types.len() {
        let message = format!("a key of `{name}` has {} parts, found {}", types.len(), key.len());
        return Err(QueryError::new(Code::TypeMismatch, message));
    }
    key.iter().zip(types).map(|(value, expected)| value_check::fit(name, value, *expected)).collect()
}
