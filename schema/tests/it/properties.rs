//! What holds for every expression and every text, not only for those someone thought of.

use std::convert::Infallible;

use holdfast_schema::{
    definition,
    diagnostic::{Diagnostics, render},
    expr::{self, BinaryOp, CaseArm, Expr, Function, UnaryOp},
    source::{FileId, SourceMap, Span, Spanned},
    value::{Value, canonical_decimal},
};
use jiff::{Timestamp, civil::Date};
use proptest::{collection::vec, prelude::*, sample::select};

fn parse(text: &str) -> Result<Expr<String>, String> {
    let span = Span { file: FileId(0), start: 0, end: text.len() as u32 };
    let mut diagnostics = Diagnostics::default();
    let parsed = expr::parse(&Spanned::new(text.to_owned(), span), &mut diagnostics);
    let Some(parsed) = parsed else { return Err(diagnostics.sorted()[0].message.clone()) };
    Ok(parsed.try_map(&mut |name| Ok::<_, Infallible>(Expr::Ref(name.to_string()))).unwrap())
}

fn name() -> impl Strategy<Value = String> {
    select(vec!["mrr", "account.segment", "claims.regions", "date", "A_1", "_x", "account.end", "dates.timestamp"])
        .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        "-?[0-9]{1,30}(\\.[0-9]{1,12})?".prop_map(|text| Value::Decimal(canonical_decimal(&text).unwrap())),
        "[^\r\n]*".prop_map(Value::Text),
        (1i16..9999, 1i8..=12, 1i8..=28).prop_map(|(year, month, day)| Value::Date(Date::new(year, month, day).unwrap())),
        (-1_000_000_000i64..4_000_000_000).prop_map(|second| Value::Timestamp(Timestamp::from_second(second).unwrap())),
    ]
}

fn binary_op() -> impl Strategy<Value = BinaryOp> {
    use BinaryOp::*;
    select(vec![Add, Subtract, Multiply, Divide, Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, And, Or])
}

fn call(inner: impl Strategy<Value = Expr<String>> + Clone) -> impl Strategy<Value = Expr<String>> {
    let shapes =
        vec![(Function::Coalesce, 3), (Function::NullIf, 2), (Function::Abs, 1), (Function::Round, 2), (Function::MonthStart, 1)];
    select(shapes).prop_flat_map(move |(function, count)| {
        vec(inner.clone(), count..=count).prop_map(move |arguments| Expr::Call(function, arguments))
    })
}

fn expression() -> impl Strategy<Value = Expr<String>> {
    let leaf = prop_oneof![name().prop_map(Expr::Ref), value().prop_map(Expr::Literal)];
    leaf.prop_recursive(6, 40, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let arm = (inner.clone(), inner.clone()).prop_map(|(when, then)| CaseArm { when, then });
        prop_oneof![
            (binary_op(), inner.clone(), inner.clone()).prop_map(|(op, left, right)| Expr::binary(op, left, right)),
            (select(vec![UnaryOp::Not, UnaryOp::Negate]), boxed.clone()).prop_map(|(op, value)| Expr::Unary(op, value)),
            (boxed.clone(), any::<bool>()).prop_map(|(value, negated)| Expr::IsNull { value, negated }),
            (boxed.clone(), vec(inner.clone(), 1..3), any::<bool>()).prop_map(|(value, list, negated)| Expr::In {
                value,
                list,
                negated
            }),
            (vec(arm, 1..3), proptest::option::of(boxed)).prop_map(|(arms, otherwise)| Expr::Case { arms, otherwise }),
            call(inner),
        ]
    })
}

/// A document that uses much of the language, to be damaged.
const DOCUMENT: &str = "entity: account\nsource: {sql: select 1}\nkey: [id, 'month']\ndimensions:\n  size: {bands: {of: mrr, edges: [{below: 10, name: a}, {name: b}]}}\n  tier:\n    expr: |\n      case when é > 1\n        then \"x\" end\nmeasures: {m: {sum: mrr, where: a = 'é'}}\n---\nmetrics:\n  m: {ratio: a / b, tests: [{ask: {by: x}, expect: {m: 1/2}}]}\n";

fn survives(text: String) {
    let sources = SourceMap::new([("a.yaml".to_owned(), text)]);
    let mut diagnostics = Diagnostics::default();
    let definitions = definition::parse(&sources, &mut diagnostics);
    for entity in &definitions.entities {
        for text in entity.dimensions.iter().filter_map(|(_, dimension)| dimension.expr.as_ref()) {
            expr::parse(text, &mut diagnostics);
        }
    }
    render::human(&sources, &diagnostics, true);
    render::json(&sources, &diagnostics);
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same_tree(expr in expression()) {
        let text = expr.to_string();
        prop_assert_eq!(parse(&text), Ok(expr), "{}", text);
    }

    #[test]
    fn no_text_breaks_the_expression_parser(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn no_soup_of_words_breaks_the_expression_parser(
        words in vec(select(vec!["a", "not", "and", "case", "when", "then", "end", "in", "is", "null", "between", "(", ")", ",", "-", "*", "=", "'", "1", ".", "é", "abs", "date '2025-01-01'"]), 0..30)
    ) {
        let _ = parse(&words.join(" "));
    }

    #[test]
    fn no_bytes_break_the_reader_of_definitions(bytes in vec(any::<u8>(), 0..200)) {
        survives(String::from_utf8_lossy(&bytes).into_owned());
    }

    #[test]
    fn no_soup_of_yaml_breaks_the_reader_of_definitions(
        pieces in vec(select(vec!["a", "metrics", "entity", ": ", ":", "{", "}", "[", "]", ",", "\n", "\n  ", "- ", "'", "\"", "|", ">", "#", "&x", "*x", "!t", "? ", "---\n", "\t", "é", "\\", "null", "\r\n", "%YAML", "<<"]), 0..40)
    ) {
        survives(pieces.concat());
    }

    #[test]
    fn no_damage_to_a_definition_breaks_the_reader(cut in 0..DOCUMENT.len(), length in 0..8usize, put in "[\\PC\n]{0,4}") {
        let before: String = DOCUMENT.chars().take(cut).collect();
        let after: String = DOCUMENT.chars().skip(cut + length).collect();
        survives(before + &put + &after);
    }
}
