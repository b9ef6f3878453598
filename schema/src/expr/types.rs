//! The type of an expression: references with known or unknown types in, a checked expression and its type out.
//!
//! The type of a physical column that no dimension describes is not known here; it fits everywhere.

use jiff::{Timestamp, civil::Date};

use super::{BinaryOp, CaseArm, Expr, Function, UnaryOp};
use crate::{
    source::Span,
    value::{Value, ValueType},
};

/// What a name turned out to mean.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Meaning<R> {
    /// The thing.
    pub to: R,
    /// Its type, when known.
    pub value_type: Option<ValueType>,
    /// Where the name was written.
    pub span: Span,
}

/// Two types that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// One sentence: what was found and what was expected.
    pub message: String,
    /// The names of the part that is wrong; `None` when it holds no names.
    pub span: Option<Span>,
    /// What to write instead, when there is a likely answer.
    pub help: Option<String>,
}

/// A type, or `None` when it is not known.
pub type Known = Option<ValueType>;

/// A checked expression with its type.
pub type Checked<R> = (Expr<Meaning<R>>, Known);

/// Checked expressions of one type.
type Alike<R> = (Vec<Expr<Meaning<R>>>, Known);

/// Checks an expression; text constants beside dates become dates.
pub fn check<R: Clone + PartialEq>(expr: &Expr<Meaning<R>>) -> Result<Checked<R>, Mismatch> {
    Ok(match expr {
        Expr::Ref(meaning) => (Expr::Ref(meaning.clone()), meaning.value_type),
        Expr::Literal(value) => (Expr::Literal(value.clone()), value.value_type()),
        Expr::Unary(UnaryOp::Not, value) => {
            let value = truth(value, "`not`")?;
            (Expr::Unary(UnaryOp::Not, Box::new(value)), Some(ValueType::Bool))
        }
        Expr::Unary(UnaryOp::Negate, value) => {
            let (value, known) = number(value, "`-`")?;
            (Expr::Unary(UnaryOp::Negate, Box::new(value)), known.or(Some(ValueType::Decimal)))
        }
        Expr::Binary(op, left, right) => binary(*op, left, right)?,
        Expr::IsNull { value, negated } => {
            let (value, _) = check(value)?;
            (Expr::IsNull { value: Box::new(value), negated: *negated }, Some(ValueType::Bool))
        }
        Expr::In { value, list, negated } => {
            let mut all = vec![value.as_ref()];
            all.extend(list);
            never_null(&all, *negated)?;
            let (mut items, _) = alike(&all, "`in`")?;
            let value = items.remove(0);
            (Expr::In { value: Box::new(value), list: items, negated: *negated }, Some(ValueType::Bool))
        }
        Expr::Case { arms, otherwise } => case(arms, otherwise.as_deref())?,
        Expr::Call(function, arguments) => call(*function, arguments)?,
    })
}

fn binary<R: Clone + PartialEq>(op: BinaryOp, left: &Expr<Meaning<R>>, right: &Expr<Meaning<R>>) -> Result<Checked<R>, Mismatch> {
    let sign = symbol(op);
    match op {
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply => {
            let ((left, left_type), (right, right_type)) = (number(left, sign)?, number(right, sign)?);
            let whole = left_type == Some(ValueType::Int) && right_type == Some(ValueType::Int);
            Ok((Expr::binary(op, left, right), Some(if whole { ValueType::Int } else { ValueType::Decimal })))
        }
        BinaryOp::Divide => {
            let ((left, _), (right, _)) = (number(left, sign)?, number(right, sign)?);
            Ok((Expr::binary(op, left, right), Some(ValueType::Decimal)))
        }
        BinaryOp::And | BinaryOp::Or => Ok((Expr::binary(op, truth(left, sign)?, truth(right, sign)?), Some(ValueType::Bool))),
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessOrEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterOrEqual => {
            never_null(&[left, right], op == BinaryOp::NotEqual)?;
            let (mut items, _) = alike(&[left, right], sign)?;
            let right = items.pop().expect("two in, two out");
            let left = items.pop().expect("two in, two out");
            Ok((Expr::binary(op, left, right), Some(ValueType::Bool)))
        }
    }
}

/// Refuses a comparison with `null` itself, which holds for nothing.
fn never_null<R: Clone + PartialEq>(items: &[&Expr<Meaning<R>>], is_negated: bool) -> Result<(), Mismatch> {
    if items.iter().all(|item| **item != Expr::Literal(Value::Null)) {
        return Ok(());
    }
    let instead = if is_negated { "is not null" } else { "is null" };
    let message = "a comparison with `null` holds for nothing".to_owned();
    Err(Mismatch { message, span: join(items.iter().copied()), help: Some(format!("write `{instead}`")) })
}

fn case<R: Clone + PartialEq>(arms: &[CaseArm<Meaning<R>>], otherwise: Option<&Expr<Meaning<R>>>) -> Result<Checked<R>, Mismatch> {
    let conditions = arms.iter().map(|arm| truth(&arm.when, "`when`")).collect::<Result<Vec<_>, _>>()?;
    let results: Vec<_> = arms.iter().map(|arm| &arm.then).chain(otherwise).collect();
    let (mut results, known) = alike(&results, "`case`")?;
    let otherwise = otherwise.map(|_| Box::new(results.pop().expect("`else` is the last result")));
    let arms = conditions.into_iter().zip(results).map(|(when, then)| CaseArm { when, then }).collect();
    Ok((Expr::Case { arms, otherwise }, known))
}

fn call<R: Clone + PartialEq>(function: Function, arguments: &[Expr<Meaning<R>>]) -> Result<Checked<R>, Mismatch> {
    let name = format!("`{}`", function.name());
    let expect = |fits: bool, expected: &str| {
        if fits {
            return Ok(());
        }
        let message = format!("{name} takes {expected}, found {}", arguments.len());
        Err(Mismatch { message, span: join(arguments), help: None })
    };
    let done = |arguments: Vec<Expr<Meaning<R>>>, known: Known| Ok((Expr::Call(function, arguments), known));
    match function {
        Function::Coalesce | Function::Greatest | Function::Least => {
            expect(!arguments.is_empty(), "at least one argument")?;
            let (items, known) = alike(&arguments.iter().collect::<Vec<_>>(), &name)?;
            done(items, known)
        }
        Function::NullIf => {
            expect(arguments.len() == 2, "two arguments")?;
            let (items, known) = alike(&arguments.iter().collect::<Vec<_>>(), &name)?;
            done(items, known)
        }
        Function::Abs => {
            expect(arguments.len() == 1, "one argument")?;
            let (value, known) = number(&arguments[0], &name)?;
            done(vec![value], known.or(Some(ValueType::Decimal)))
        }
        Function::Sqrt => {
            expect(arguments.len() == 1, "one argument")?;
            let (value, _) = number(&arguments[0], &name)?;
            done(vec![value], Some(ValueType::Decimal))
        }
        Function::Round => {
            expect(matches!(arguments.len(), 1 | 2), "a number and digits")?;
            let (value, _) = number(&arguments[0], &name)?;
            let mut items = vec![value];
            if let Some(digits) = arguments.get(1) {
                items.push(constant_integer(digits, &name)?);
            }
            done(items, Some(ValueType::Decimal))
        }
        Function::Lower | Function::Upper => {
            expect(arguments.len() == 1, "one argument")?;
            done(vec![of_type(&arguments[0], ValueType::Text, &name)?], Some(ValueType::Text))
        }
        Function::Floor => {
            expect(arguments.len() == 1, "one argument")?;
            let (value, _) = number(&arguments[0], &name)?;
            done(vec![value], Some(ValueType::Int))
        }
        Function::DaysBetween | Function::MonthsBetween => {
            expect(arguments.len() == 2, "two dates")?;
            let dates = arguments.iter().map(|item| of_type(item, ValueType::Date, &name)).collect::<Result<_, _>>()?;
            done(dates, Some(ValueType::Int))
        }
        Function::AddDays => {
            expect(arguments.len() == 2, "a date and a number of days")?;
            let date = of_type(&arguments[0], ValueType::Date, &name)?;
            done(vec![date, of_type(&arguments[1], ValueType::Int, &name)?], Some(ValueType::Date))
        }
        Function::AddMonths => {
            expect(arguments.len() == 2, "a date and a number of months")?;
            let date = of_type(&arguments[0], ValueType::Date, &name)?;
            done(vec![date, of_type(&arguments[1], ValueType::Int, &name)?], Some(ValueType::Date))
        }
        Function::MonthStart => {
            expect(arguments.len() == 1, "one date")?;
            done(vec![of_type(&arguments[0], ValueType::Date, &name)?], Some(ValueType::Date))
        }
    }
}

/// Checks that everything has one type; text constants beside dates and instants become such.
fn alike<R: Clone + PartialEq>(items: &[&Expr<Meaning<R>>], place: &str) -> Result<Alike<R>, Mismatch> {
    let checked = items.iter().map(|item| check(item)).collect::<Result<Vec<_>, _>>()?;
    let time = checked.iter().find_map(|(_, known)| known.filter(|known| matches!(known, ValueType::Date | ValueType::Timestamp)));
    // A whole number beside a column of unknown type may well be beside fractions.
    let uncertain = checked.iter().any(|(expr, known)| known.is_none() && *expr != Expr::Literal(Value::Null));
    let mut common: Known = None;
    let mut out = Vec::with_capacity(items.len());
    for (item, (expr, known)) in items.iter().zip(checked) {
        let (expr, known) = match time {
            Some(time) => as_time(expr, known, time)?,
            None => (expr, known),
        };
        common = match unify(common, known) {
            Ok(both) => both,
            Err((one, other)) => {
                let message = format!("{place} brings {} and {} together", described(one), described(other));
                return Err(Mismatch { message, span: join(items.iter().copied()).or_else(|| join([*item])), help: None });
            }
        };
        out.push(expr);
    }
    Ok((out, if uncertain && common == Some(ValueType::Int) { Some(ValueType::Decimal) } else { common }))
}

fn as_time<R: Clone + PartialEq>(expr: Expr<Meaning<R>>, known: Known, time: ValueType) -> Result<Checked<R>, Mismatch> {
    let Expr::Literal(Value::Text(text)) = &expr else {
        return Ok((expr, known));
    };
    let value = match time {
        ValueType::Timestamp => text.parse::<Timestamp>().ok().map(Value::Timestamp),
        _ => text.parse::<Date>().ok().map(Value::Date),
    };
    match value {
        Some(value) => Ok((Expr::Literal(value), Some(time))),
        None => Err(Mismatch {
            message: format!("`{text}` is not {}", described(time)),
            span: None,
            help: Some(match time {
                ValueType::Timestamp => "write an instant such as '2025-01-31T00:00:00Z'".to_owned(),
                _ => "write a date such as '2025-01-31'".to_owned(),
            }),
        }),
    }
}

fn unify(one: Known, other: Known) -> Result<Known, (ValueType, ValueType)> {
    match (one, other) {
        (None, known) | (known, None) => Ok(known),
        (Some(one), Some(other)) if one == other => Ok(Some(one)),
        (Some(one), Some(other)) if one.is_numeric() && other.is_numeric() => Ok(Some(ValueType::Decimal)),
        (Some(one), Some(other)) => Err((one, other)),
    }
}

fn truth<R: Clone + PartialEq>(expr: &Expr<Meaning<R>>, place: &str) -> Result<Expr<Meaning<R>>, Mismatch> {
    of_type(expr, ValueType::Bool, place)
}

fn number<R: Clone + PartialEq>(expr: &Expr<Meaning<R>>, place: &str) -> Result<Checked<R>, Mismatch> {
    let (checked, known) = check(expr)?;
    match known {
        Some(found) if !found.is_numeric() => {
            let help =
                (found == ValueType::Date).then(|| "dates move with add_days and add_months, and differ by days_between".into());
            Err(Mismatch { message: format!("{place} needs a number, found {}", described(found)), span: join([expr]), help })
        }
        known => Ok((checked, known)),
    }
}

fn of_type<R: Clone + PartialEq>(expr: &Expr<Meaning<R>>, wanted: ValueType, place: &str) -> Result<Expr<Meaning<R>>, Mismatch> {
    let (mut checked, mut known) = check(expr)?;
    if wanted == ValueType::Date {
        (checked, known) = as_time(checked, known, wanted)?;
    }
    match known {
        Some(found) if found != wanted => Err(Mismatch {
            message: format!("{place} needs {}, found {}", described(wanted), described(found)),
            span: join([expr]),
            help: None,
        }),
        _ => Ok(checked),
    }
}

fn constant_integer<R: Clone + PartialEq>(expr: &Expr<Meaning<R>>, place: &str) -> Result<Expr<Meaning<R>>, Mismatch> {
    let inner = match expr {
        Expr::Unary(UnaryOp::Negate, inner) => inner,
        other => other,
    };
    match inner {
        Expr::Literal(Value::Int(_)) => Ok(expr.clone()),
        _ => {
            Err(Mismatch { message: format!("{place} needs a whole number as its last argument"), span: join([expr]), help: None })
        }
    }
}

/// From the first name of the expressions to the last.
fn join<'a, R: 'a>(exprs: impl IntoIterator<Item = &'a Expr<Meaning<R>>>) -> Option<Span> {
    let mut whole: Option<Span> = None;
    for expr in exprs {
        expr.visit_refs(&mut |meaning| {
            let span = meaning.span;
            whole = Some(whole.map_or(span, |whole| Span {
                file: whole.file,
                start: whole.start.min(span.start),
                end: whole.end.max(span.end),
            }));
        });
    }
    whole
}

/// A type with its article, for sentences.
pub fn described(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Bool => "a truth value",
        ValueType::Int => "a whole number",
        ValueType::Decimal => "a number",
        ValueType::Text => "text",
        ValueType::Date => "a date",
        ValueType::Timestamp => "an instant",
    }
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "`+`",
        BinaryOp::Subtract => "`-`",
        BinaryOp::Multiply => "`*`",
        BinaryOp::Divide => "`/`",
        BinaryOp::Equal => "`=`",
        BinaryOp::NotEqual => "`!=`",
        BinaryOp::Less => "`<`",
        BinaryOp::LessOrEqual => "`<=`",
        BinaryOp::Greater => "`>`",
        BinaryOp::GreaterOrEqual => "`>=`",
        BinaryOp::And => "`and`",
        BinaryOp::Or => "`or`",
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{
        definition::Text,
        diagnostic::Diagnostics,
        expr,
        source::{FileId, Spanned},
    };

    fn typed(text: &str) -> Result<(Expr<Meaning<String>>, Known), Mismatch> {
        let span = Span { file: FileId(0), start: 0, end: text.len() as u32 };
        let text: Text = Spanned::new(text.to_owned(), span);
        let parsed = expr::parse(&text, &mut Diagnostics::default()).expect("the test writes expressions that parse");
        let meant = parsed
            .try_map(&mut |name: &expr::Name| {
                let value_type = match name.to_string().as_str() {
                    "n" => Some(ValueType::Int),
                    "x" => Some(ValueType::Decimal),
                    "t" => Some(ValueType::Text),
                    "d" => Some(ValueType::Date),
                    "b" => Some(ValueType::Bool),
                    _ => None,
                };
                Ok::<_, ()>(Expr::Ref(Meaning { to: name.to_string(), value_type, span: name.span }))
            })
            .expect("every name means something");
        check(&meant)
    }

    #[test]
    fn arithmetic_stays_whole_only_without_division() {
        for (text, expected) in [
            ("n + 1", ValueType::Int),
            ("n * 1.5", ValueType::Decimal),
            ("n / n", ValueType::Decimal),
            ("n + unknown", ValueType::Decimal),
            ("coalesce(n, x)", ValueType::Decimal),
            ("floor(x)", ValueType::Int),
            ("sqrt(n)", ValueType::Decimal),
            ("months_between(d, d)", ValueType::Int),
            ("add_months(d, n)", ValueType::Date),
            ("coalesce(unknown, 0)", ValueType::Decimal),
            ("case when b then 1 else null end", ValueType::Int),
            ("case when b then 'a' else t end", ValueType::Text),
            ("days_between(d, '2025-01-31')", ValueType::Int),
            ("d >= '2025-01-31' and not b", ValueType::Bool),
            ("unknown in ('a', 'b')", ValueType::Bool),
        ] {
            assert_eq!(typed(text).expect(text).1, Some(expected), "{text}");
        }
    }

    #[test]
    fn types_that_do_not_go_together_are_named() {
        for (text, expected) in [
            ("t + 1", "`+` needs a number, found text"),
            ("n = 'a'", "`=` brings a whole number and text together"),
            ("n and b", "`and` needs a truth value, found a whole number"),
            ("d < 'soon'", "`soon` is not a date"),
            ("case when b then 1 else 'a' end", "`case` brings a whole number and text together"),
            ("d + 1", "`+` needs a number, found a date"),
            ("add_months(d, x)", "`add_months` needs a whole number, found a number"),
            ("sqrt(t)", "`sqrt` needs a number, found text"),
            ("months_between(d, n)", "`months_between` needs a date, found a whole number"),
        ] {
            assert_eq!(typed(text).expect_err(text).message, expected, "{text}");
        }
    }

    #[test]
    fn text_beside_a_date_becomes_a_date() {
        let (expr, _) = typed("d = '2025-01-31'").expect("typed");
        let Expr::Binary(_, _, right) = expr else { panic!("a comparison") };
        assert_eq!(*right, Expr::Literal(Value::Date(date(2025, 1, 31))));
    }

    #[test]
    fn the_place_is_the_part_that_is_wrong() {
        let span = typed("b and t + n > 1").expect_err("text in arithmetic").span.expect("it holds a name");
        assert_eq!((span.start, span.end), (6, 7));
    }
}
