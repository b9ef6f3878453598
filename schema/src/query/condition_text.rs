//! [`Condition`] → text for people, in the words of the language's expressions.

use std::fmt::{self, Display, Formatter};

use super::{Comparator, TextTest, condition::Condition};
use crate::{expr::Expr, value::Value};

/// Keys shown before the rest are only counted.
const SHOWN: usize = 3;

impl<F: Display> Display for Condition<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Condition::And(list) => joined(f, list, " and ", "true"),
            Condition::Or(list) => joined(f, list, " or ", "false"),
            Condition::Not(inner) => write!(f, "not ({inner})"),
            Condition::Compare { field, operator, value } => write!(f, "{field} {} {}", symbol(*operator), Literal(value)),
            Condition::In { field, values, negated } => {
                write!(f, "{field} {}in (", if *negated { "not " } else { "" })?;
                listed(f, values, |f, value| write!(f, "{}", Literal(value)))
            }
            Condition::IsNull { field, is_null } => write!(f, "{field} is {}null", if *is_null { "" } else { "not " }),
            Condition::Matches { field, test, text } => {
                let test = match test {
                    TextTest::Like => "like",
                    TextTest::LikeIgnoringCase => "like, ignoring case,",
                    TextTest::StartsWith => "starts with",
                    TextTest::Contains => "contains",
                };
                write!(f, "{field} {test} {}", Literal(&Value::Text(text.clone())))
            }
            Condition::KeyIn { fields, keys } => {
                f.write_str("(")?;
                commas(f, fields)?;
                f.write_str(") in (")?;
                listed(f, keys, |f, key| {
                    f.write_str("(")?;
                    commas(f, &key.iter().map(Literal).collect::<Vec<_>>())?;
                    f.write_str(")")
                })
            }
            Condition::Expr(expr) => write!(f, "{expr}"),
        }
    }
}

/// A value as the language writes it.
pub(crate) struct Literal<'a>(pub(crate) &'a Value);

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Expr::<String>::Literal(self.0.clone()))
    }
}

fn joined<F: Display>(f: &mut Formatter<'_>, list: &[Condition<F>], word: &str, empty: &str) -> fmt::Result {
    if list.is_empty() {
        return f.write_str(empty);
    }
    for (position, item) in list.iter().enumerate() {
        if position > 0 {
            f.write_str(word)?;
        }
        match item {
            Condition::And(inner) | Condition::Or(inner) if inner.len() > 1 => write!(f, "({item})")?,
            Condition::Expr(_) => write!(f, "({item})")?,
            Condition::And(_)
            | Condition::Or(_)
            | Condition::Not(_)
            | Condition::Compare { .. }
            | Condition::In { .. }
            | Condition::IsNull { .. }
            | Condition::Matches { .. }
            | Condition::KeyIn { .. } => write!(f, "{item}")?,
        }
    }
    Ok(())
}

fn listed<T>(f: &mut Formatter<'_>, list: &[T], mut write: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result) -> fmt::Result {
    for (position, item) in list.iter().take(SHOWN).enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        write(f, item)?;
    }
    if list.len() > SHOWN {
        write!(f, ", … {} in all", list.len())?;
    }
    f.write_str(")")
}

fn commas(f: &mut Formatter<'_>, list: &[impl Display]) -> fmt::Result {
    for (position, item) in list.iter().enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

fn symbol(operator: Comparator) -> &'static str {
    match operator {
        Comparator::Equal => "=",
        Comparator::NotEqual => "!=",
        Comparator::Less => "<",
        Comparator::LessOrEqual => "<=",
        Comparator::Greater => ">",
        Comparator::GreaterOrEqual => ">=",
    }
}
