//! Documents that the specification of September 2025 refuses or allows, where validators are known to differ.

use super::codes;

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
fn an_argument_without_a_value_is_never_passed_over() {
    for text in ["{ accounts(first) { totalCount } }", "{ accounts(where: {id}) { totalCount } }", "{ __typename @skip(if) }"] {
        codes(text, &["GRAPHQL_PARSE_FAILED"]);
    }
}
