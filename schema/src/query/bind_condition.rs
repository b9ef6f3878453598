//! Filters as asked to checked conditions: values fitted to their fields. What a name stands for is the scope's business.

use super::{Filter, condition::Condition, error::QueryError, error::QueryErrorCode as Code, value_check};
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

    /// Type of a field's values.
    fn value_type(&self, field: &Self::Field) -> ValueType;
}

/// Checks a filter.
///
/// # Errors
/// The first name or value that cannot be right.
pub(crate) fn bind_condition<N: Names>(model: &Model, names: &N, filter: &Filter) -> Result<Condition<N::Field>, QueryError> {
    let all = |list: &[Filter]| list.iter().map(|item| bind_condition(model, names, item)).collect::<Result<Vec<_>, _>>();
    Ok(match filter {
        Filter::And(list) => Condition::And(all(list)?),
        Filter::Or(list) => Condition::Or(all(list)?),
        Filter::Not(inner) => bind_condition(model, names, inner)?.negated(),
        Filter::Compare { field: name, operator, value } => {
            let field = names.field(name)?;
            let value = value_check::fit(name, value, names.value_type(&field))?;
            Condition::Compare { field, operator: *operator, value }
        }
        Filter::In { field: name, values, negated } => {
            let field = names.field(name)?;
            let expected = names.value_type(&field);
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
            Condition::Matches { field, test: *test, text: text.clone() }
        }
        Filter::KeyIn { field: name, keys } => {
            let fields = names.key(name)?;
            let types: Vec<_> = fields.iter().map(|field| names.value_type(field)).collect();
            let keys = keys.iter().map(|key| fit_key(name, key, &types)).collect::<Result<_, _>>()?;
            Condition::KeyIn { fields, keys }
        }
        Filter::InSegment(name) => {
            let segment = model.segments.iter().find(|segment| segment.name == *name).ok_or_else(|| {
                QueryError::new(Code::NameNotFound, format!("there is no segment `{name}`"))
                    .suggest(suggest::nearest(name, model.segments.iter().map(|segment| segment.name.as_str())))
            })?;
            Condition::Expr(names.segment(segment)?)
        }
    })
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
