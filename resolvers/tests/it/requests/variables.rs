//! Variables that are no values of their types: the request is refused once, before anything is asked, and the variable is named.

use async_graphql::{Request, Variables};
use holdfast_resolvers::Settings;
use serde_json::{Value, json};

use crate::fake::{Asked, Fake, send};

/// What a variable of a type is refused with, wherever it is used twice.
fn refused(definition: &str, used: &str, variables: &Value) -> (Value, Vec<Asked>) {
    let text = format!("query ($v: {definition}) {{\n  one: {used}\n  two: {used}\n}}");
    let request = Request::new(text).variables(Variables::from_json(variables.clone()));
    let (answer, body, asked) = send(Settings::default(), Fake::default(), request);
    if answer.had_errors {
        assert!(answer.is_request_error && body.get("data").is_none(), "{definition} {variables}: {body:#}");
        assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{definition} {variables}: {body:#}");
    }
    (body["errors"][0].clone(), asked)
}

const AS_OF: &str = "accounts(asOf: $v) { nodes { id } }";
const KNOWN: &str = "accounts(asKnownAt: $v) { nodes { id } }";
const ZONE: &str = "retention(by: [], timeZone: $v) { rows { mrr } }";
const WHERE: &str = "retention(by: [], where: $v) { rows { mrr } }";
const HAVING: &str = "retention(by: [], having: {mrr: {gt: $v}}) { rows { mrr } }";
const SEATS: &str = "contracts(where: {seats: {in: $v}}) { nodes { id } }";
const RANGE: &str = "retention(by: [], range: $v) { rows { mrr } }";
const BY: &str = "retention(by: $v) { rows { mrr } }";
const FIRST: &str = "accounts(first: $v) { nodes { id } }";
const ONE: &str = "account(id: $v) { name }";

#[test]
fn a_variable_that_is_no_value_of_its_type_refuses_the_request_once_and_is_named() {
    for (definition, used, value, message) in [
        ("Date", AS_OF, json!("2026-13-01"), "`$v`: expected a value of `Date`, found `\"2026-13-01\"`"),
        ("Date", AS_OF, json!("2026-1-1"), "`$v`: expected a value of `Date`, found `\"2026-1-1\"`"),
        ("Date", AS_OF, json!(20260101), "`$v`: expected a value of `Date`, found `20260101`"),
        ("Date!", AS_OF, json!(null), "`$v`: null is no value of `Date!`"),
        ("DateTime", KNOWN, json!("2026-01-01"), "`$v`: expected a value of `DateTime`, found `\"2026-01-01\"`"),
        ("TimeZone", ZONE, json!("Mars/Olympus"), "`$v`: expected a value of `TimeZone`, found `\"Mars/Olympus\"`"),
        ("Decimal", HAVING, json!("abc"), "`$v`: expected a value of `Decimal`, found `\"abc\"`"),
        ("Decimal", HAVING, json!(true), "`$v`: expected a value of `Decimal`, found `true`"),
        ("Decimal", HAVING, json!({"a": 1}), "`$v`: expected a value of `Decimal`, found an object"),
        ("[BigInt!]", SEATS, json!(["1", "1.5"]), "`$v[1]`: expected a value of `BigInt`, found `\"1.5\"`"),
        ("[BigInt!]", SEATS, json!([1, null]), "`$v[1]`: null is no value of `BigInt!`"),
        ("[BigInt!]", SEATS, json!("one"), "`$v`: expected a value of `BigInt`, found `\"one\"`"),
        ("Int", FIRST, json!("5"), "`$v`: expected a value of `Int`, found `\"5\"`"),
        ("Int", FIRST, json!(3_000_000_000_u32), "`$v`: expected a value of `Int`, found `3000000000`"),
        ("Int", FIRST, json!(1.5), "`$v`: expected a value of `Int`, found `1.5`"),
        ("ID!", ONE, json!(true), "`$v`: expected a value of `ID`, found `true`"),
        ("ID!", ONE, json!("a\u{0}"), "`$v`: text cannot hold the character U+0000"),
        (
            "RetentionWhere",
            WHERE,
            json!({"segment": {"eq": "enterprise"}}),
            "`$v.segment.eq`: expected a value of `AccountSegmentEnum`, found `\"enterprise\"`",
        ),
        (
            "RetentionWhere",
            WHERE,
            json!({"or": [{}, {"segment": {"in": ["ENTERPRISE", 7]}}]}),
            "`$v.or[1].segment.in[1]`: expected a value of `AccountSegmentEnum`, found `7`",
        ),
        ("RetentionWhere", WHERE, json!({"segmnt": {}}), "`$v`: there is no field `segmnt` in `RetentionWhere`"),
        (
            "RetentionWhere",
            WHERE,
            json!({"segment": "ENTERPRISE"}),
            "`$v.segment`: expected an object of `AccountSegmentEnumFilter`, found `\"ENTERPRISE\"`",
        ),
        ("RetentionWhere", WHERE, json!([{"not": 1}]), "`$v`: expected an object of `RetentionWhere`, found a list"),
        (
            "TimeRange",
            RANGE,
            json!({"between": {"from": "soon"}}),
            "`$v.between.from`: expected a value of `Date`, found `\"soon\"`",
        ),
        ("TimeRange", RANGE, json!({}), "`$v`: exactly one field of `TimeRange` is needed, found 0"),
        ("TimeRange", RANGE, json!({"preset": null}), "`$v`: `preset` is the only field of `TimeRange` and cannot be null"),
        ("TimeRange", RANGE, json!({"trailing": {"grain": "MONTH"}}), "`$v.trailing`: field `n` of `TrailingRange` is missing"),
        ("TimeRange", RANGE, json!({"trailing": {"grain": "MONTH", "n": null}}), "`$v.trailing.n`: null is no value of `Int!`"),
        (
            "[RetentionBy!]",
            BY,
            json!([{"dimension": "SEGMENT", "time": {"grain": "MONTH"}}]),
            "`$v[0]`: exactly one field of `RetentionBy` is needed, found 2",
        ),
        (
            "[RetentionBy!]",
            BY,
            json!({"dimension": "segment"}),
            "`$v.dimension`: expected a value of `RetentionDimension`, found `\"segment\"`",
        ),
    ] {
        let (error, asked) = refused(definition, used, &json!({ "v": value }));
        assert_eq!(error["message"], message, "{definition}");
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error:#}");
        assert_eq!((&error["locations"], error.get("path")), (&json!([{"line": 1, "column": 8}]), None), "{error:#}");
        assert!(asked.is_empty(), "{asked:?}");
    }
}

#[test]
fn a_variable_that_is_missing_or_has_a_default_that_is_no_value_is_refused_too() {
    for (definition, used, message) in [
        ("ID!", ONE, "`$v`: a value of `ID!` is needed, and none is given"),
        ("Date = \"2026-02-30\"", AS_OF, "`$v`: expected a value of `Date`, found `\"2026-02-30\"`"),
    ] {
        let (error, asked) = refused(definition, used, &json!({}));
        assert_eq!((error["message"].as_str(), asked.len()), (Some(message), 0), "{error:#}");
    }
}

#[test]
fn what_is_meant_is_suggested_and_what_a_scalar_is_explained() {
    let (error, _) = refused("RetentionWhere", WHERE, &json!({"v": {"segment": {"eq": "enterprise"}}}));
    assert_eq!(error["extensions"]["suggestions"], json!(["ENTERPRISE"]), "{error:#}");
    let help = "write `ENTERPRISE`: values are compared letter by letter, capitals included";
    assert_eq!(error["extensions"]["help"], help, "{error:#}");
    let (error, _) = refused("RetentionWhere", WHERE, &json!({"v": {"segmnt": {}}}));
    assert_eq!(error["extensions"]["suggestions"][0], "segment", "{error:#}");
    let (error, _) = refused("Date", AS_OF, &json!({"v": "soon"}));
    assert_eq!(error["extensions"]["help"], "A calendar day: `2025-01-31`.", "{error:#}");
    // A long value is not repeated.
    let (error, _) = refused("Date", AS_OF, &json!({"v": "x".repeat(10_000)}));
    assert!(error["message"].as_str().is_some_and(|message| message.chars().count() < 120), "{error:#}");
}

#[test]
fn values_of_every_kind_are_taken() {
    for (definition, used, value) in [
        ("Date", AS_OF, json!("2026-01-31")),
        ("Date", AS_OF, json!(null)),
        ("DateTime", KNOWN, json!("2026-01-31T12:00:00+01:00")),
        ("TimeZone", ZONE, json!("Europe/Berlin")),
        ("Decimal", HAVING, json!("1.5e3")),
        ("Decimal", HAVING, json!(-2)),
        ("[BigInt!]", SEATS, json!(["9007199254740993", 3])),
        ("[BigInt!]", SEATS, json!(3)),
        ("ID!", ONE, json!(7)),
        ("RetentionWhere", WHERE, json!({"segment": {"in": "ENTERPRISE"}, "not": null})),
        ("TimeRange", RANGE, json!({"trailing": {"grain": "MONTH", "n": 3}})),
        ("[RetentionBy!]", BY, json!({"dimension": "SEGMENT"})),
        ("Date = \"2026-01-31\"", AS_OF, json!("2026-01-30")),
    ] {
        let (error, asked) = refused(definition, used, &json!({ "v": value, "unused": 1 }));
        assert!(error.is_null() && !asked.is_empty(), "{definition} {value}: {error:#}");
    }
}
