//! Documents that the specification of September 2025 refuses or allows, where validators are known to differ.

use super::{ask, codes};

const REFUSED: &str = "GRAPHQL_VALIDATION_FAILED";

#[test]
fn what_the_specification_refuses_is_refused() {
    for text in [
        "{ retention(by: [], where: {segment: {eq: ENTERPRISE, eq: ENTERPRISE}}) { rowCount } }",
        "query ($where: RetentionWhere = {and: [], and: []}) { retention(by: [], where: $where) { rowCount } }",
        "{ ...F } fragment F on Query { retention(by: [], where: {or: [{not: {}, not: {}}]}) { rowCount } }",
        "query ($id: ID = null) { account(id: $id) { id } }",
        "query ($id: ID! = null) { account(id: $id) { id } }",
        "query ($if: Boolean = null) { __typename @skip(if: $if) }",
        "query ($preset: RangePreset = LAST_MONTH) { retention(by: [], range: {preset: $preset}) { rowCount } }",
        "{ accounts(asOf: {a: $missing}) { totalCount } }",
        "subscription { accounts { totalCount } contracts { totalCount } }",
        "subscription { a: accounts { totalCount } b: accounts { totalCount } }",
    ] {
        codes(text, &[REFUSED]);
    }
}

#[test]
fn what_the_specification_allows_is_answered() {
    for text in [
        "query ($first: Int = null) { accounts(first: $first) { totalCount } }",
        "subscription { accounts { totalCount } accounts { nodes { id } } }",
        "query ($preset: RangePreset!) { retention(by: [], range: {preset: $preset}) { rowCount } }",
        "{ ... , on Query { a , : __typename } }",
    ] {
        let expected: &[&str] = if text.contains("RangePreset!") { &["BAD_USER_INPUT"] } else { &[] };
        codes(text, expected);
    }
}

#[test]
fn one_mistake_is_one_error_whatever_stood_beside_or_below_it() {
    for text in [
        "{ account(id: \"a\") { naem } }",
        "{ account(id: \"a\") { naem { x } } }",
        "{ accounts { nodes { metrics { mrrr } } } }",
        "{ acount(id: \"a\") { name } }",
        "query ($id: ID!) { acount(id: $id) { name } }",
        "query ($id: ID!) { account(id: \"a\") { nmae(id: {x: [$id]}) } }",
        "query ($if: Boolean!) { account(id: \"a\") { nmae @skip(if: $if) } }",
        "{ account(id: \"a\") { nmae { ...F } } } fragment F on Account { name ...G } fragment G on Account { id }",
        "{ account(id: \"a\") { name { first } } }",
        "{ account(id: \"a\") { ... on Acount { name } } }",
        "{ account(id: \"a\") }",
        "{ accounts { nodes } }",
        "query ($id: ID!) { account(id: \"a\") { name } }",
        "{ account(id: \"a\") { name } } fragment F on Account { name }",
    ] {
        assert_eq!(errors(text), 1, "{text}");
        codes(text, &[REFUSED]);
    }
    // Two mistakes are two errors.
    for text in [
        "query ($x: ID) { account(id: \"a\") { naem } }",
        "{ account(id: \"a\") { naem } accounts { nodes } }",
        "{ account(id: \"a\") { naem } } fragment F on Account { name }",
    ] {
        assert_eq!(errors(text), 2, "{text}");
    }
}

fn errors(text: &str) -> usize {
    ask(text).0["errors"].as_array().map_or(0, Vec::len)
}

#[test]
fn an_argument_without_a_value_is_never_passed_over() {
    for text in ["{ accounts(first) { totalCount } }", "{ accounts(where: {id}) { totalCount } }", "{ __typename @skip(if) }"] {
        codes(text, &["GRAPHQL_PARSE_FAILED"]);
    }
}
