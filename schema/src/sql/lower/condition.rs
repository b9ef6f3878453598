//! Expressions and conditions of the definitions and of questions, as SQL.

use crate::{
    expr::{self, BinaryOp, Function, UnaryOp},
    query::{Comparator, TextTest, condition::Condition},
    sql::ast::{Expr, Infix, Truncation},
    time::{Grain, Step},
    value::Value,
};

/// An expression of the definitions, with `place` saying what its names are here.
pub(crate) fn expression<R>(expr: &expr::Expr<R>, place: &mut impl FnMut(&R) -> Expr) -> Expr {
    match expr {
        expr::Expr::Ref(name) => place(name),
        expr::Expr::Literal(value) => Expr::Value(value.clone()),
        expr::Expr::Unary(UnaryOp::Not, value) => Expr::Not(Box::new(expression(value, place))),
        expr::Expr::Unary(UnaryOp::Negate, value) => Expr::Negate(Box::new(expression(value, place))),
        expr::Expr::Binary(op, left, right) => {
            let left = expression(left, place);
            let right = expression(right, place);
            binary(*op, left, right)
        }
        expr::Expr::IsNull { value, negated } => Expr::IsNull { value: Box::new(expression(value, place)), negated: *negated },
        expr::Expr::In { value, list, negated } => Expr::In {
            value: Box::new(expression(value, place)),
            list: list.iter().map(|item| expression(item, place)).collect(),
            negated: *negated,
        },
        expr::Expr::Case { arms, otherwise } => Expr::Case {
            arms: arms.iter().map(|arm| (expression(&arm.when, place), expression(&arm.then, place))).collect(),
            otherwise: otherwise.as_ref().map(|value| Box::new(expression(value, place))),
        },
        expr::Expr::Call(function, arguments) => {
            let literal = arguments.get(1).and_then(whole_number);
            call(*function, arguments.iter().map(|item| expression(item, place)).collect(), literal)
        }
    }
}

fn whole_number<R>(expr: &expr::Expr<R>) -> Option<i64> {
    match expr {
        expr::Expr::Literal(Value::Int(number)) => Some(*number),
        expr::Expr::Unary(UnaryOp::Negate, inner) => whole_number(inner).map(|number| -number),
        _ => None,
    }
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let infix = match op {
        BinaryOp::Divide => return Expr::Divide(Box::new(left), Box::new(right)),
        BinaryOp::And => return Expr::And(vec![left, right]),
        BinaryOp::Or => return Expr::Or(vec![left, right]),
        BinaryOp::Add => Infix::Add,
        BinaryOp::Subtract => Infix::Subtract,
        BinaryOp::Multiply => Infix::Multiply,
        BinaryOp::Equal => Infix::Equal,
        BinaryOp::NotEqual => Infix::NotEqual,
        BinaryOp::Less => Infix::Less,
        BinaryOp::LessOrEqual => Infix::LessOrEqual,
        BinaryOp::Greater => Infix::Greater,
        BinaryOp::GreaterOrEqual => Infix::GreaterOrEqual,
    };
    Expr::infix(infix, left, right)
}

fn call(function: Function, arguments: Vec<Expr>, second: Option<i64>) -> Expr {
    let mut list = arguments.into_iter();
    let mut next = || Box::new(list.next().expect("the number of arguments is checked when definitions are resolved"));
    let number = || second.expect("a literal where the language asks for one");
    match function {
        Function::Round => Expr::Round(next(), number()),
        Function::Sqrt => Expr::SquareRoot(next()),
        Function::DaysBetween => Expr::DaysBetween(next(), next()),
        Function::AddDays => Expr::AddDays(next(), next()),
        Function::AddMonths => match second.and_then(|months| i32::try_from(months).ok()) {
            Some(months) => Expr::Shift(next(), Step::months(months)),
            None => Expr::AddMonths(next(), next()),
        },
        Function::MonthsBetween => Expr::MonthsBetween(next(), next()),
        Function::Floor => Expr::Floor(next()),
        Function::MonthStart => Expr::Truncate(Truncation { grain: Grain::Month, months: 0, days: 0 }, next()),
        Function::Greatest | Function::Least => known(function.name(), list),
        Function::Coalesce | Function::NullIf | Function::Abs | Function::Lower | Function::Upper => {
            Expr::Call(function.name(), list.collect())
        }
    }
}

/// `greatest` or `least`, null where one of its arguments is: SQL's pass over nulls, and would make a number of what is not known.
fn known(name: &'static str, arguments: impl Iterator<Item = Expr>) -> Expr {
    let mut conditions = Vec::new();
    let arguments = arguments.map(|argument| opened(argument, &mut conditions)).collect();
    let call = Expr::Call(name, arguments);
    if conditions.is_empty() { call } else { Expr::when(Expr::And(conditions), call) }
}

/// An argument without the conditions under which it is known; those go to `conditions`. One call inside another would otherwise
/// repeat what it is made of in a condition of its own, and double with each call around it.
fn opened(expr: Expr, conditions: &mut Vec<Expr>) -> Expr {
    match expr {
        Expr::Infix(infix @ (Infix::Add | Infix::Subtract | Infix::Multiply), left, right) => {
            let (left, right) = (opened(*left, conditions), opened(*right, conditions));
            Expr::infix(infix, left, right)
        }
        Expr::Case { mut arms, otherwise: None } if matches!(arms.as_slice(), [(Expr::And(all), call)] if is_known(all, call)) => {
            let (condition, call) = arms.remove(0);
            if let Expr::And(all) = condition {
                all.into_iter().for_each(|one| note(one, conditions));
            }
            call
        }
        other => {
            if !is_never_null(&other) {
                note(Expr::is_not_null(other.clone()), conditions);
            }
            other
        }
    }
}

/// Whether this is what [`known`] makes.
fn is_known(conditions: &[Expr], call: &Expr) -> bool {
    matches!(call, Expr::Call("greatest" | "least", _))
        && conditions.iter().all(|condition| matches!(condition, Expr::IsNull { negated: true, .. }))
}

fn note(condition: Expr, conditions: &mut Vec<Expr>) {
    if !conditions.contains(&condition) {
        conditions.push(condition);
    }
}

fn is_never_null(expr: &Expr) -> bool {
    match expr {
        Expr::Number(_) => true,
        Expr::Value(value) => *value != Value::Null,
        Expr::Call("coalesce", list) => list.iter().any(is_never_null),
        _ => false,
    }
}

/// A condition of a question, with `place` saying what its fields are here.
pub(crate) fn condition<F>(condition_: &Condition<F>, place: &mut impl FnMut(&F) -> Expr) -> Expr {
    match condition_ {
        Condition::And(list) => Expr::And(list.iter().map(|item| condition(item, place)).collect()),
        Condition::Or(list) => Expr::Or(list.iter().map(|item| condition(item, place)).collect()),
        Condition::Not(inner) => Expr::Not(Box::new(condition(inner, place))),
        Condition::Compare { field, operator, value } => {
            let infix = match operator {
                Comparator::Equal => Infix::Equal,
                Comparator::NotEqual => Infix::NotEqual,
                Comparator::Less => Infix::Less,
                Comparator::LessOrEqual => Infix::LessOrEqual,
                Comparator::Greater => Infix::Greater,
                Comparator::GreaterOrEqual => Infix::GreaterOrEqual,
            };
            Expr::infix(infix, place(field), Expr::Value(value.clone()))
        }
        Condition::In { field, values, negated } => {
            Expr::In { value: Box::new(place(field)), list: values.iter().cloned().map(Expr::Value).collect(), negated: *negated }
        }
        Condition::IsNull { field, is_null } => Expr::IsNull { value: Box::new(place(field)), negated: !is_null },
        Condition::Matches { field, test, text } => Expr::Like {
            value: Box::new(place(field)),
            pattern: Box::new(Expr::Value(Value::Text(pattern(*test, text)))),
            ignore_case: *test == TextTest::LikeIgnoringCase,
        },
        Condition::KeyIn { fields, keys } => key_in(fields.iter().map(place).collect(), keys),
        Condition::Expr(expr) => expression(expr, place),
    }
}

/// Whether a key of one or several parts is one of these.
pub(crate) fn key_in(parts: Vec<Expr>, keys: &[Vec<Value>]) -> Expr {
    if let [only] = &parts[..] {
        let list = keys.iter().map(|key| Expr::Value(key[0].clone())).collect();
        return Expr::In { value: Box::new(only.clone()), list, negated: false };
    }
    let one = |key: &Vec<Value>| {
        Expr::And(parts.iter().zip(key).map(|(part, value)| Expr::equal(part.clone(), Expr::Value(value.clone()))).collect())
    };
    Expr::Or(keys.iter().map(one).collect())
}

fn pattern(test: TextTest, text: &str) -> String {
    match test {
        TextTest::Like | TextTest::LikeIgnoringCase => text.to_owned(),
        TextTest::StartsWith => format!("{}%", literal(text)),
        TextTest::Contains => format!("%{}%", literal(text)),
    }
}

fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
