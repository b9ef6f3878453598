//! Lists of entities: cursors, and order and choice by metrics.

use async_graphql::{Request, Variables};
use holdfast_resolvers::Settings;
use holdfast_schema::{
    query::{Comparator, Direction, EntityOrderBy, EntityOrderKey, Filter, Nulls, TimeRange},
    value::Value,
};
use jiff::civil::date;
use serde_json::json;

use super::{ask, codes};
use crate::fake::{Asked, Fake, send};

#[test]
fn a_cursor_comes_back_as_the_values_it_was_made_from() {
    let (body, _) = ask("{ accounts(first: 1) { pageInfo { endCursor } } }");
    let cursor = body["data"]["accounts"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
    let (_, asked) = ask(&format!("{{ accounts(last: 1, before: \"{cursor}\") {{ nodes {{ id }} }} }}"));
    let Asked::Entities(query) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(query.page.before, Some(vec![Value::Text("A1".to_owned())]));
    assert!(query.page.backwards);
    codes(&format!("{{ accounts(after: \"{cursor}\", orderBy: [{{name: {{}}}}]) {{ nodes {{ id }} }} }}"), &["BAD_USER_INPUT"]);
    codes("{ accounts(first: 1, last: 1) { nodes { id } } }", &["BAD_USER_INPUT"]);
    codes("{ accounts(first: 201) { nodes { id } } }", &["BAD_USER_INPUT"]);
}

#[test]
fn a_condition_on_a_related_row_asks_that_there_is_one() {
    let filter = |condition: &str| {
        let (body, asked) = ask(&format!("{{ contracts(where: {condition}) {{ nodes {{ id }} }} }}"));
        assert_eq!(body["errors"], serde_json::Value::Null, "{body}");
        let Asked::Entities(query) = &asked[0] else { panic!("{asked:?}") };
        query.filter.clone()
    };
    let account = |filter| Filter::Related { relationship: "account".to_owned(), filter: Box::new(filter) };
    let named = || Filter::Compare { field: "name".to_owned(), operator: Comparator::Equal, value: Value::Text("x".to_owned()) };
    let any = || account(Filter::And(Vec::new()));
    assert_eq!(filter("{account: {}}"), Some(any()));
    assert_eq!(filter("{account: {name: null}}"), Some(any()), "what is null is not given");
    assert_eq!(filter("{account: null}"), None);
    assert_eq!(filter("{not: {account: {}}}"), Some(Filter::Not(Box::new(any()))));
    assert_eq!(
        filter("{account: {id: {eq: \"A1\"}, or: [{name: {eq: \"x\"}}, {}]}, or: [{account: {name: {eq: \"x\"}}}]}"),
        Some(Filter::And(vec![
            account(Filter::And(vec![
                Filter::KeyIn { field: String::new(), keys: vec![vec![Value::Text("A1".to_owned())]] },
                Filter::Or(vec![named(), Filter::And(Vec::new())]),
            ])),
            Filter::Or(vec![account(named())]),
        ]))
    );
    codes("{ accounts(where: {contracts: {}}) { nodes { id } } }", &["GRAPHQL_VALIDATION_FAILED"]);
}

#[test]
fn rows_are_ordered_and_chosen_by_metrics_in_the_statement_of_the_page() {
    let quarter = r#"range: {between: {from: "2025-01-01", to: "2025-04-01"}}"#;
    let list = |how: &str, page: &str| {
        format!(
            "{{ accounts(metrics: {{{how}}}, having: {{mrr: {{gt: 1}}, or: [{{contractionRate: {{isNull: true}}}}]}},
                orderBy: [{{metrics: {{contractionMrr: {{dir: DESC, nulls: FIRST}}}}}}, {{name: {{}}}}], where: {{segment: {{eq: ENTERPRISE}}}}, {page})
                {{ totalCount nodes {{ id }} pageInfo {{ endCursor }} }} }}"
        )
    };
    let (body, asked) = ask(&list(quarter, "first: 2"));
    assert_eq!(body["errors"], serde_json::Value::Null, "{body}");
    let [Asked::Entities(query), Asked::Count(counted)] = &asked[..] else { panic!("{asked:#?}") };
    let by = |by, direction, nulls| EntityOrderBy { by, direction, nulls };
    assert_eq!(
        query.order_by,
        [
            by(EntityOrderKey::Metric("contraction_mrr".to_owned()), Direction::Descending, Some(Nulls::First)),
            by(EntityOrderKey::Dimension("name".to_owned()), Direction::Ascending, None),
        ]
    );
    let having = Filter::And(vec![
        Filter::Compare { field: "mrr".to_owned(), operator: Comparator::Greater, value: Value::Decimal("1".to_owned()) },
        Filter::Or(vec![Filter::IsNull { field: "contraction_rate".to_owned(), is_null: true }]),
    ]);
    assert_eq!((&query.having, &counted.having), (&Some(having.clone()), &Some(having)));
    assert_eq!(query.metrics.range, Some(TimeRange { from: Some(date(2025, 1, 1)), to: Some(date(2025, 4, 1)) }));
    assert_eq!(query.metrics, counted.metrics);

    // A cursor holds the metric, and belongs to lists that compute it alike.
    let cursor = body["data"]["accounts"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
    let (body, asked) = ask(&list(quarter, &format!("first: 2, after: \"{cursor}\"")));
    assert_eq!(body["errors"], serde_json::Value::Null, "{body}");
    let Asked::Entities(query) = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(
        query.page.after,
        Some(vec![Value::Decimal("2.5".to_owned()), Value::Text("A2".to_owned()), Value::Text("A2".to_owned())])
    );
    for other in
        [r#"range: {between: {from: "2025-01-01", to: "2025-03-01"}}"#.to_owned(), format!("{quarter}, movementBasis: FLOW")]
    {
        codes(&list(&other, &format!("first: 2, after: \"{cursor}\"")), &["BAD_USER_INPUT"]);
    }
}

#[test]
fn metrics_that_are_not_used_are_not_part_of_the_question() {
    let count = |metrics: &str| {
        let (_, asked) = ask(&format!("{{ accounts({metrics} orderBy: [{{metrics: {{mrr: {{}}}}}}]) {{ totalCount }} }}"));
        let [Asked::Count(query)] = &asked[..] else { panic!("{asked:?}") };
        query.clone()
    };
    let counted = count("metrics: {range: {preset: LAST_MONTH}},");
    assert_eq!(counted, count(""));
    assert!(counted.order_by.is_empty() && counted.having.is_none());
}

#[test]
fn the_metrics_of_rows_see_time_from_the_day_of_the_rows_unless_told() {
    let asked_with = |arguments: &str| {
        let (body, asked) =
            ask(&format!("{{ accounts({arguments}, orderBy: [{{metrics: {{mrr: {{}}}}}}]) {{ nodes {{ id }} }} }}"));
        let [Asked::Entities(query)] = &asked[..] else { panic!("{body} {asked:?}") };
        query.clone()
    };
    let query = asked_with(r#"asOf: "2025-01-10", metrics: {range: {preset: LAST_MONTH}}"#);
    assert_eq!(query.metrics.range.and_then(|range| range.from), Some(date(2024, 12, 1)));
    assert_eq!((query.as_of, query.metrics.as_of), (date(2025, 1, 10), None));
    let query = asked_with(r#"asOf: "2025-01-10", metrics: {range: {preset: LAST_MONTH}, asOf: "2025-03-01"}"#);
    assert_eq!(query.metrics.range.and_then(|range| range.from), Some(date(2025, 2, 1)));
    assert_eq!((query.as_of, query.metrics.as_of), (date(2025, 1, 10), Some(date(2025, 3, 1))));
}

#[test]
fn a_metric_that_needs_a_range_says_in_which_argument() {
    let (body, _) = ask("{ accounts(orderBy: [{metrics: {contractionMrr: {}}}]) { nodes { id } } }");
    let help = body["errors"][0]["extensions"]["help"].as_str().unwrap_or_default();
    assert!(help.starts_with("in `metrics`: "), "{body}");
    codes("{ accounts(orderBy: [{metrics: {}}]) { nodes { id } } }", &["GRAPHQL_VALIDATION_FAILED"]);
}

#[test]
fn errors_beyond_a_hundred_are_counted_in_one_more() {
    let text = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Account { segment } } }";
    let answered = |rows: usize| {
        let ids: Vec<String> = (0..rows).map(|n| format!("account:B{n}")).collect();
        let request = Request::new(text).variables(Variables::from_json(json!({ "ids": ids })));
        let (_, body, _) = send(Settings::default(), Fake { undeclared: true, ..Fake::default() }, request);
        body["errors"].as_array().expect("every segment is wrong").clone()
    };
    assert_eq!(answered(100).iter().filter(|error| error["extensions"]["code"] == "UNDECLARED_VALUE").count(), 100);
    let errors = answered(130);
    let last = errors.last().expect("there are some");
    assert_eq!((errors.len(), &last["extensions"]["code"], last.get("path")), (101, &json!("ERRORS_LEFT_OUT"), None));
    assert_eq!(last["message"], "30 more errors are left out; their fields are null too");
}
