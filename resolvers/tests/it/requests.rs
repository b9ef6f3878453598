//! Requests against the recording runner: what is asked, and what comes back.

use std::sync::Arc;

use async_graphql::{Executor as _, Request, Variables};
use expect_test::{Expect, expect};
use holdfast_resolvers::{Endpoint, Limits, Session, Settings};
use holdfast_schema::{
    query::{Ages, Comparator, Direction, EntityOrderBy, EntityOrderKey, Filter, GroupItem, MetricQuery, Nulls, Scope, TimeRange},
    time::Grain,
    value::Value,
};
use jiff::civil::date;
use serde_json::json;

use crate::fake::{Asked, Fake, api, context, send};

fn ask(text: &str) -> (serde_json::Value, Vec<Asked>) {
    let (_, body, asked) = send(Settings::default(), Fake::default(), Request::new(text));
    (body, asked)
}

#[track_caller]
fn check(text: &str, expected: Expect) -> Vec<Asked> {
    let (body, asked) = ask(text);
    expected.assert_eq(&serde_json::to_string_pretty(&body).expect("it is JSON"));
    asked
}

#[track_caller]
fn metrics(asked: &Asked) -> &MetricQuery {
    match asked {
        Asked::Metrics(query) => query,
        other => panic!("expected a metric question: {other:?}"),
    }
}

#[track_caller]
fn codes(text: &str, expected: &[&str]) {
    let (body, _) = ask(text);
    let mut found: Vec<_> =
        body["errors"].as_array().into_iter().flatten().map(|error| error["extensions"]["code"].clone()).collect();
    found.dedup();
    assert_eq!(found, expected, "{body:#}");
}

#[test]
fn months_by_segment_come_back_in_selection_order() {
    let asked = check(
        "{ __typename retention(by: [{time: {grain: MONTH}}, {dimension: SEGMENT}],
             range: {between: {from: \"2025-01-01\", to: \"2025-04-01\"}}) {
             truncated
             rows { contractionRate period(grain: MONTH) { label isComplete start end } segment __typename }
             totals { contractionRate segment }
             rowCount asOf
             provenance { cache policies movementGrain overlappingMembers statement maxAgeSeconds }
           } }",
        expect![[r#"
            {
              "data": {
                "__typename": "Query",
                "retention": {
                  "truncated": false,
                  "rows": [
                    {
                      "contractionRate": "10.5",
                      "period": {
                        "label": "2025-01",
                        "isComplete": true,
                        "start": "2025-01-01",
                        "end": "2025-02-01"
                      },
                      "segment": "ENTERPRISE",
                      "__typename": "RetentionRow"
                    },
                    {
                      "contractionRate": "11.5",
                      "period": {
                        "label": "2025-02",
                        "isComplete": true,
                        "start": "2025-02-01",
                        "end": "2025-03-01"
                      },
                      "segment": "MID_MARKET",
                      "__typename": "RetentionRow"
                    }
                  ],
                  "totals": {
                    "contractionRate": "100",
                    "segment": null
                  },
                  "rowCount": 7,
                  "asOf": "2025-03-15",
                  "provenance": {
                    "cache": "MISS",
                    "policies": [],
                    "movementGrain": "account",
                    "overlappingMembers": false,
                    "statement": "digest",
                    "maxAgeSeconds": 60
                  }
                }
              }
            }"#]],
    );
    assert_eq!(asked.len(), 1);
    let query = metrics(&asked[0]);
    assert_eq!(query.range, Some(TimeRange { from: Some(date(2025, 1, 1)), to: Some(date(2025, 4, 1)) }));
    assert_eq!(query.limit, Some(1_000));
    assert!(query.totals && query.row_count);
}

#[test]
fn the_same_root_field_in_two_fragments_is_one_question_with_both_selections() {
    let asked = check(
        "query { ...A ...B }
         fragment A on Query { retention(by: [{dimension: SEGMENT}], range: {preset: LAST_MONTH}) { rows { mrr segment } } }
         fragment B on Query { retention(by: [{dimension: SEGMENT}], range: {preset: LAST_MONTH}) { ...C } }
         fragment C on RetentionResult { rows { segment contractionMrr } }",
        expect![[r#"
            {
              "data": {
                "retention": {
                  "rows": [
                    {
                      "mrr": "10.5",
                      "segment": "ENTERPRISE",
                      "contractionMrr": "20.5"
                    },
                    {
                      "mrr": "11.5",
                      "segment": "MID_MARKET",
                      "contractionMrr": "21.5"
                    }
                  ]
                }
              }
            }"#]],
    );
    assert_eq!(asked.len(), 1);
}

#[test]
fn one_metric_under_two_filters_is_one_statement() {
    let asked = check(
        "{ retention { rows {
             month: period(grain: MONTH) { start }
             all: mrr
             big: mrr(where: {segment: {eq: ENTERPRISE}})
             same: mrr(where: {segment: {eq: ENTERPRISE}})
             none: mrr(where: {segment: {in: []}})
           } } }",
        expect![[r#"
            {
              "data": {
                "retention": {
                  "rows": [
                    {
                      "month": {
                        "start": "2025-01-01"
                      },
                      "all": "10.5",
                      "big": "20.5",
                      "same": "20.5",
                      "none": "30.5"
                    },
                    {
                      "month": {
                        "start": "2025-02-01"
                      },
                      "all": "11.5",
                      "big": "21.5",
                      "same": "21.5",
                      "none": "31.5"
                    }
                  ]
                }
              },
              "extensions": {
                "groupBy": {
                  "retention": [
                    {
                      "time": {
                        "grain": "MONTH"
                      }
                    }
                  ]
                }
              }
            }"#]],
    );
    assert_eq!(asked.len(), 1);
    let query = metrics(&asked[0]);
    let keys: Vec<_> = query.metrics.iter().map(|metric| metric.key.as_str()).collect();
    assert_eq!(keys, ["mrr", "mrr__1", "mrr__2"]);
}

#[test]
fn one_dimension_at_two_grains_is_one_question() {
    let (_, asked) =
        ask("{ retention { rows { month: period(grain: MONTH) { start } quarter: period(grain: QUARTER) { start } mrr } } }");
    assert_eq!(asked.len(), 1);
    let keys: Vec<_> = metrics(&asked[0]).by.iter().map(|item| item.key.as_str()).collect();
    assert_eq!(keys, ["period_month", "period_quarter"]);
}

#[test]
fn equal_root_fields_are_asked_once_and_different_ones_keep_their_order() {
    let (body, asked) = ask("{ b: retention(by: [{dimension: SEGMENT}]) { rows { mrr } } x: __typename
           a: retention(by: [{dimension: SEGMENT}]) { rows { value: mrr } }
           c: retention(by: []) { rows { mrr } } }");
    assert_eq!(asked.len(), 2);
    let keys: Vec<_> = body["data"].as_object().expect("data").keys().cloned().collect();
    assert_eq!(keys, ["b", "x", "a", "c"]);
}

#[test]
fn a_dimension_outside_by_is_refused_with_the_argument_to_paste() {
    check(
        "{ retention(by: [{time: {grain: MONTH}}]) { rows { mrr segment } } }",
        expect![[r#"
        {
          "data": {
            "retention": null
          },
          "errors": [
            {
              "message": "`segment` is not among the group keys of `retention`",
              "locations": [
                {
                  "line": 1,
                  "column": 56
                }
              ],
              "path": [
                "retention"
              ],
              "extensions": {
                "code": "DIMENSION_NOT_GROUPED",
                "correlationId": "c-1",
                "help": "by: [{time: {grain: MONTH}}, {dimension: SEGMENT}]"
              }
            }
          ]
        }"#]],
    );
}

#[test]
fn conditions_keep_the_meaning_of_empty_lists() {
    let (_, asked) =
        ask("{ retention(by: [], where: {or: [], and: [], segment: {in: []}, not: {account: {eq: \"A1\"}}}) { rows { mrr } } }");
    let key = Filter::KeyIn { field: "account".to_owned(), keys: vec![vec![Value::Text("A1".to_owned())]] };
    assert_eq!(
        metrics(&asked[0]).filter,
        Some(Filter::And(vec![
            Filter::Or(Vec::new()),
            Filter::And(Vec::new()),
            Filter::In { field: "segment".to_owned(), values: Vec::new(), negated: false },
            Filter::Not(Box::new(key)),
        ]))
    );
}

#[test]
fn a_comparison_with_null_points_to_is_null() {
    check(
        "{ retention(by: [], where: {segment: {eq: null}}) { rows { mrr } } }",
        expect![[r#"
        {
          "data": {
            "retention": null
          },
          "errors": [
            {
              "message": "`segment.eq`: null is not a value here",
              "locations": [
                {
                  "line": 1,
                  "column": 3
                }
              ],
              "path": [
                "retention"
              ],
              "extensions": {
                "code": "BAD_USER_INPUT",
                "correlationId": "c-1",
                "help": "write `segment: {isNull: true}` to find missing values, or leave `eq` out"
              }
            }
          ]
        }"#]],
    );
}

#[test]
fn skip_by_a_variable_with_a_default_asks_for_nothing_more() {
    let text = "query ($short: Boolean = true) { retention(by: []) { rows { mrr invoiced @skip(if: $short) } } }";
    let (body, asked) = ask(text);
    assert_eq!(metrics(&asked[0]).metrics.len(), 1);
    assert_eq!(body["data"]["retention"]["rows"][0], json!({"mrr": "10.5"}));
    let request = Request::new(text).variables(Variables::from_json(json!({"short": false})));
    let (_, _, asked) = send(Settings::default(), Fake::default(), request);
    assert_eq!(metrics(&asked[0]).metrics.len(), 2);
}

#[test]
fn variables_reach_every_kind_of_argument() {
    let text = "query ($by: [RetentionBy!], $where: RetentionWhere, $n: Int!, $order: [RetentionOrder!]) {
        retention(by: $by, where: $where, limit: $n, orderBy: $order, having: {mrr: {gt: 1e3}}) { rows { segment mrr } } }";
    let variables = json!({
        "by": [{"dimension": "SEGMENT"}],
        "where": {"openedOn": {"between": {"from": "2024-01-01"}}},
        "n": 5,
        "order": [{"mrr": {"dir": "DESC"}}],
    });
    let (_, body, asked) =
        send(Settings::default(), Fake::default(), Request::new(text).variables(Variables::from_json(variables)));
    assert_eq!(body["errors"], json!(null));
    let query = metrics(&asked[0]);
    assert_eq!((query.limit, query.order_by[0].key.as_str()), (Some(5), "mrr"));
    assert_eq!(
        query.having.as_ref().map(|having| format!("{having:?}")).as_deref(),
        Some(r#"Compare { field: "mrr", operator: Greater, value: Decimal("1000") }"#)
    );
}

#[test]
fn one_of_takes_exactly_one_field() {
    codes("{ retention(by: [{dimension: SEGMENT, time: {grain: DAY}}]) { rows { mrr } } }", &["BAD_USER_INPUT"]);
    codes("{ retention(by: [{}]) { rows { mrr } } }", &["BAD_USER_INPUT"]);
    codes("{ retention(range: {preset: null}) { rows { mrr } } }", &["BAD_USER_INPUT"]);
}

#[test]
fn comparisons_are_exact_and_reasons_are_told() {
    let asked = check(
        "{ retention(by: [{time: {grain: MONTH}}], compare: {previousYear: true}) {
             rows { compare { mrr { previous delta deltaPct } } status { mrr } } } }",
        expect![[r#"
            {
              "data": {
                "retention": {
                  "rows": [
                    {
                      "compare": {
                        "mrr": {
                          "previous": null,
                          "delta": null,
                          "deltaPct": null
                        }
                      },
                      "status": {
                        "mrr": null
                      }
                    },
                    {
                      "compare": {
                        "mrr": {
                          "previous": "10",
                          "delta": "1.5",
                          "deltaPct": "0.15"
                        }
                      },
                      "status": {
                        "mrr": "NO_ROWS"
                      }
                    }
                  ]
                }
              }
            }"#]],
    );
    assert!(metrics(&asked[0]).metrics[0].status);
}

#[test]
fn cohorts_at_ages_come_back_as_periods_and_numbers() {
    let asked = check(
        "{ vintages(by: [{cohort: {grain: QUARTER}}, {age: {grain: MONTH, step: 6, upTo: 12}}], orderBy: [{age: {dir: DESC}}]) {
             rows { cohort(grain: QUARTER) { label start end } age initialMrr status { initialMrr } }
           } }",
        expect![[r#"
            {
              "data": {
                "vintages": {
                  "rows": [
                    {
                      "cohort": {
                        "label": "2024-Q1",
                        "start": "2024-01-01",
                        "end": "2024-04-01"
                      },
                      "age": 6,
                      "initialMrr": "10.5",
                      "status": {
                        "initialMrr": null
                      }
                    },
                    {
                      "cohort": {
                        "label": "2024-Q2",
                        "start": "2024-04-01",
                        "end": "2024-07-01"
                      },
                      "age": 12,
                      "initialMrr": "11.5",
                      "status": {
                        "initialMrr": "NO_ROWS"
                      }
                    }
                  ]
                }
              }
            }"#]],
    );
    let query = metrics(&asked[0]);
    let ages = Ages::parse("6 months 6..12").expect("these are ages");
    assert_eq!(
        query.by.iter().map(|by| &by.item).collect::<Vec<_>>(),
        [&GroupItem::Cohort { grain: Grain::Quarter }, &GroupItem::Age(ages)]
    );
    assert_eq!(query.order_by[0].key, "age");
}

#[test]
fn ages_that_are_none_and_ages_that_are_not_asked_for_are_refused() {
    let wrong = "{ vintages(by: [{age: {grain: MONTH, step: 6, from: 7}}]) { rows { initialMrr } } }";
    codes(wrong, &["BAD_USER_INPUT"]);
    codes("{ vintages(by: [{age: {grain: WEEK}}]) { rows { initialMrr } } }", &["GRAPHQL_VALIDATION_FAILED"]);
    codes("{ vintages { rows { age initialMrr } } }", &["DIMENSION_NOT_GROUPED"]);
    codes(
        "{ vintages(by: [{age: {grain: YEAR}}]) { rows { cohort(grain: YEAR) { label } initialMrr } } }",
        &["DIMENSION_NOT_GROUPED"],
    );
    codes("{ retention(by: [{age: {grain: YEAR}}]) { rows { mrr } } }", &["GRAPHQL_VALIDATION_FAILED"]);
}

#[test]
fn an_entity_that_is_a_group_key_is_fetched_once_for_all_rows() {
    let asked = check(
        "{ retention(by: [{dimension: ACCOUNT}]) { rows { mrr account { id name contracts(first: 1) { nodes { title } } } } } }",
        expect![[r#"
            {
              "data": {
                "retention": {
                  "rows": [
                    {
                      "mrr": "10.5",
                      "account": {
                        "id": "account:A1",
                        "name": "name of A1",
                        "contracts": {
                          "nodes": [
                            {
                              "title": "title of A1-C1"
                            }
                          ]
                        }
                      }
                    },
                    {
                      "mrr": "11.5",
                      "account": {
                        "id": "account:A2",
                        "name": "name of A2",
                        "contracts": {
                          "nodes": [
                            {
                              "title": "title of A2-C1"
                            }
                          ]
                        }
                      }
                    }
                  ]
                }
              }
            }"#]],
    );
    assert_eq!(asked.len(), 3);
}

#[test]
fn a_page_costs_one_statement_per_level_and_metric_group() {
    let asked = check(
        "{ accounts(first: 2, orderBy: [{name: {dir: DESC}}]) {
             totalCount
             edges { cursor node { id name } }
             nodes {
               metrics(range: {preset: LAST_MONTH}) { mrr }
               more: metrics(range: {preset: LAST_MONTH}) { contractionRate __typename }
               contracts(first: 1) { totalCount nodes { id title account { id name } } pageInfo { hasNextPage } }
             }
             pageInfo { hasNextPage hasPreviousPage endCursor }
           } }",
        expect![[r#"
            {
              "data": {
                "accounts": {
                  "totalCount": 3,
                  "edges": [
                    {
                      "cursor": "6163636f756e74202d6e616d650a7441310a744131",
                      "node": {
                        "id": "account:A1",
                        "name": "name of A1"
                      }
                    },
                    {
                      "cursor": "6163636f756e74202d6e616d650a7441320a744132",
                      "node": {
                        "id": "account:A2",
                        "name": "name of A2"
                      }
                    }
                  ],
                  "nodes": [
                    {
                      "metrics": {
                        "mrr": "10.5"
                      },
                      "more": {
                        "contractionRate": "20.5",
                        "__typename": "AccountMetrics"
                      },
                      "contracts": {
                        "totalCount": 2,
                        "nodes": [
                          {
                            "id": "contract:A1-C1",
                            "title": "title of A1-C1",
                            "account": {
                              "id": "account:A1",
                              "name": "name of A1"
                            }
                          }
                        ],
                        "pageInfo": {
                          "hasNextPage": true
                        }
                      }
                    },
                    {
                      "metrics": {
                        "mrr": "11.5"
                      },
                      "more": {
                        "contractionRate": "21.5",
                        "__typename": "AccountMetrics"
                      },
                      "contracts": {
                        "totalCount": 2,
                        "nodes": [
                          {
                            "id": "contract:A2-C1",
                            "title": "title of A2-C1",
                            "account": {
                              "id": "account:A2",
                              "name": "name of A2"
                            }
                          }
                        ],
                        "pageInfo": {
                          "hasNextPage": true
                        }
                      }
                    }
                  ],
                  "pageInfo": {
                    "hasNextPage": true,
                    "hasPreviousPage": false,
                    "endCursor": "6163636f756e74202d6e616d650a7441320a744132"
                  }
                }
              }
            }"#]],
    );
    let entities = asked.iter().filter(|asked| matches!(asked, Asked::Entities(_))).count();
    let counts = asked.iter().filter(|asked| matches!(asked, Asked::Count(_))).count();
    let groups: Vec<_> = asked.iter().filter(|asked| matches!(asked, Asked::Metrics(_))).map(metrics).collect();
    assert_eq!((entities, counts, groups.len()), (3, 2, 1));
    assert_eq!(groups[0].scope, Scope::Entity("account".to_owned()));
    assert_eq!(groups[0].by[0].item, GroupItem::Dimension("account".to_owned()));
    assert_eq!(groups[0].range, Some(TimeRange { from: Some(date(2025, 2, 1)), to: Some(date(2025, 3, 1)) }));
    assert_eq!(groups[0].metrics.len(), 2);
}

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
    codes("{ accounts(orderBy: [{metrics: {}}]) { nodes { id } } }", &["BAD_USER_INPUT"]);
}

#[test]
fn nodes_are_found_by_global_and_bare_ids() {
    let asked = check(
        "{ a: account(id: \"account:A1\") { name } b: account(id: \"A1\") { name } missing: account(id: \"missing\") { name }
           node(id: \"contract:K1\") { id __typename ... on Contract { title } ... on Account { name } }
           nodes(ids: [\"account:A2\", \"nothing:1\", \"contract:K1\"]) { id } }",
        expect![[r#"
            {
              "data": {
                "a": {
                  "name": "name of A1"
                },
                "b": {
                  "name": "name of A1"
                },
                "missing": null,
                "node": {
                  "id": "contract:K1",
                  "__typename": "Contract",
                  "title": "title of K1"
                },
                "nodes": [
                  {
                    "id": "account:A2"
                  },
                  null,
                  {
                    "id": "contract:K1"
                  }
                ]
              }
            }"#]],
    );
    assert_eq!(asked.len(), 5);
}

#[test]
fn an_undeclared_value_is_null_with_a_path() {
    check(
        "{ accounts(first: 1) { nodes { s: segment openedOn } } }",
        expect![[r#"
            {
              "data": {
                "accounts": {
                  "nodes": [
                    {
                      "s": "ENTERPRISE",
                      "openedOn": "2024-05-06"
                    }
                  ]
                }
              }
            }"#]],
    );
}

#[test]
fn a_failed_answer_nulls_what_may_be_null_and_says_where() {
    let fake = Fake { metrics_fail: true, ..Fake::default() };
    let text = "{ account(id: \"A1\") { name metrics { mrr } } }";
    let (answer, body, _) = send(Settings::default(), fake, Request::new(text));
    expect![[r#"
        {
          "data": {
            "account": {
              "name": "name of A1",
              "metrics": null
            }
          },
          "errors": [
            {
              "message": "the warehouse is not available",
              "locations": [
                {
                  "line": 1,
                  "column": 3
                }
              ],
              "path": [
                "account",
                "metrics"
              ],
              "extensions": {
                "code": "WAREHOUSE_UNAVAILABLE",
                "correlationId": "c-1"
              }
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&body).expect("it is JSON"));
    assert!(answer.had_errors && !answer.is_request_error);
    let fake = Fake { metrics_fail: true, ..Fake::default() };
    let text = "{ a: __typename retention(by: []) { rows { mrr } } account(id: \"A1\") { name } }";
    let (_, body, _) = send(Settings::default(), fake, Request::new(text));
    assert_eq!(body["data"], json!({"a": "Query", "retention": null, "account": {"name": "name of A1"}}));
    assert_eq!(body["errors"][0]["path"], json!(["retention"]));
    assert_eq!(body["errors"].as_array().map(Vec::len), Some(1));
}

#[test]
fn inferred_group_keys_are_echoed_ready_to_paste() {
    let (body, _) = ask("{ r: retention { rows { mrr segment period(grain: MONTH) { label } } } }");
    assert_eq!(body["extensions"]["groupBy"], json!({"r": [{"dimension": "SEGMENT"}, {"time": {"grain": "MONTH"}}]}));
    let settings = Settings { inferred_grouping: false, ..Settings::default() };
    let (_, body, asked) = send(settings, Fake::default(), Request::new("{ retention { rows { mrr segment } } }"));
    assert_eq!((body["errors"][0]["extensions"]["help"].as_str(), asked.len()), (Some("by: [{dimension: SEGMENT}]"), 0));
}

#[test]
fn rows_have_the_same_id_whatever_else_is_selected() {
    let ask = |more: &str, fields: &str| {
        ask(&format!("{{ retention(by: [{{dimension: SEGMENT}}], range: {{preset: THIS_YEAR}}{more}) {{ rows {{ {fields} }} }} }}"))
            .0
    };
    let one = ask("", "id mrr");
    let two = ask(", limit: 10", "contractionRate id");
    let three = ask(", asOf: \"2024-01-01\"", "mrr id");
    let ids = |body: &serde_json::Value| -> Vec<serde_json::Value> {
        body["data"]["retention"]["rows"].as_array().into_iter().flatten().map(|row| row["id"].clone()).collect()
    };
    assert_eq!(ids(&one), ids(&two));
    assert_ne!(ids(&one), ids(&three));
    assert_ne!(ids(&one)[0], ids(&one)[1]);
}

#[test]
fn the_catalogue_tells_what_metrics_are() {
    let asked = check(
        "{ metric(name: \"contraction_rate\") { name field type formula direction additivity format version sql
             lineage { name } validDimensions { name } views { name } facts { name } }
           metrics(compatibleWith: [\"segment\"], view: \"retention\") { name }
           dimensions(forMetrics: [\"mrr\"]) { name isEntity values }
           metric2: metric(name: \"nothing\") { name } }",
        expect![[r#"
            {
              "data": {
                "metric": {
                  "name": "contraction_rate",
                  "field": "contractionRate",
                  "type": "RATIO",
                  "formula": "contraction_mrr / opening_mrr",
                  "direction": "NEUTRAL",
                  "additivity": "NOT_ADDITIVE",
                  "format": "percent(1)",
                  "version": 1,
                  "sql": "select 1",
                  "lineage": [
                    {
                      "name": "contraction_mrr"
                    },
                    {
                      "name": "opening_mrr"
                    }
                  ],
                  "validDimensions": [
                    {
                      "name": "account"
                    },
                    {
                      "name": "segment"
                    },
                    {
                      "name": "opened_on"
                    }
                  ],
                  "views": [
                    {
                      "name": "retention"
                    }
                  ],
                  "facts": [
                    {
                      "name": "revenue"
                    }
                  ]
                },
                "metrics": [
                  {
                    "name": "contraction_mrr"
                  },
                  {
                    "name": "contraction_rate"
                  },
                  {
                    "name": "invoiced"
                  },
                  {
                    "name": "mrr"
                  },
                  {
                    "name": "opening_mrr"
                  }
                ],
                "dimensions": [
                  {
                    "name": "account",
                    "isEntity": true,
                    "values": []
                  },
                  {
                    "name": "segment",
                    "isEntity": false,
                    "values": [
                      "enterprise",
                      "mid-market"
                    ]
                  },
                  {
                    "name": "opened_on",
                    "isEntity": false,
                    "values": []
                  }
                ],
                "metric2": null
              }
            }"#]],
    );
    assert_eq!(asked.len(), 0);
}

#[test]
fn introspection_and_data_come_in_one_response() {
    check(
        "{ __type(name: \"Period\") { name fields { name } } retention(by: []) { __typename asOf } }",
        expect![[r#"
        {
          "data": {
            "__type": {
              "name": "Period",
              "fields": [
                {
                  "name": "start"
                },
                {
                  "name": "end"
                },
                {
                  "name": "label"
                },
                {
                  "name": "isComplete"
                }
              ]
            },
            "retention": {
              "__typename": "RetentionResult",
              "asOf": "2025-03-15"
            }
          }
        }"#]],
    );
    let settings = Settings { introspection: false, ..Settings::default() };
    let (answer, body, _) = send(settings, Fake::default(), Request::new("{ __schema { queryType { name } } }"));
    assert!(answer.is_request_error && body.get("data").is_none());
}

#[test]
fn the_introspection_that_consoles_send_is_within_the_limits() {
    let text = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
          types { ...FullType } directives { name description locations args { ...InputValue } } } }
        fragment FullType on __Type { kind name description specifiedByURL
          fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
          inputFields { ...InputValue } interfaces { ...TypeRef }
          enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
        fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
        fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
          ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
    let (body, _) = ask(text);
    assert_eq!(body["errors"], json!(null));
    assert!(body["data"]["__schema"]["types"].as_array().is_some_and(|types| types.len() > 50));
}

#[test]
fn transports_that_want_values_get_them() {
    let endpoint = Endpoint::new(|| {
        let api = Arc::new(api(Settings::default()));
        let context = context(&api);
        Session { api, runner: Arc::new(Fake::default()), context }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let response = runtime.block_on(endpoint.execute(Request::new("{ retention(by: []) { rows { mrr } } nothing }")));
    assert_eq!(response.errors.len(), 1);
    let response = runtime.block_on(endpoint.execute(Request::new("{ retention(by: []) { rows { mrr } } }")));
    assert_eq!(response.data.into_json().expect("it is JSON"), json!({"retention": {"rows": [{"mrr": "10.5"}]}}));
}

#[test]
fn documents_that_are_wrong_are_refused_as_a_whole() {
    codes("{ retention(", &["GRAPHQL_PARSE_FAILED"]);
    codes("", &["GRAPHQL_PARSE_FAILED"]);
    codes("{ nothing }", &["GRAPHQL_VALIDATION_FAILED"]);
    let (body, _) = ask("{ retentoin { rows { mrrr } } metric(nam: \"x\") { nmae } }");
    let suggested: Vec<_> =
        body["errors"].as_array().into_iter().flatten().map(|error| error["extensions"]["suggestions"][0].clone()).collect();
    assert!(suggested.contains(&json!("retention")) && suggested.contains(&json!("name")), "{body:#}");
    let settings = Settings { suggestions: false, ..Settings::default() };
    let (_, body, _) = send(settings, Fake::default(), Request::new("{ retentoin { asOf } }"));
    assert!(body["errors"][0]["extensions"].get("suggestions").is_none());
    codes("{ retention(limit: 1) { asOf } retention(limit: 2) { asOf } }", &["GRAPHQL_VALIDATION_FAILED"]);
    codes("{ retention { rows { a: mrr a: invoiced } } }", &["GRAPHQL_VALIDATION_FAILED"]);
    codes("query A { __typename } query B { __typename }", &["OPERATION_RESOLUTION_FAILURE"]);
    codes("query ($n: Int!) { retention(limit: $n) { asOf } }", &["BAD_USER_INPUT"]);
    codes("mutation { x }", &["GRAPHQL_VALIDATION_FAILED"]);
}

#[test]
fn limits_stop_a_document_before_anything_is_asked() {
    let aliases: String = (0..31).map(|n| format!("a{n}: mrr ")).collect();
    let over = [
        format!("{{ retention {{ rows {{ {aliases} }} }} }}"),
        format!("{{ retention {{ rows {{ {} }} }} }}", "__typename ".repeat(40)),
        format!("{{ {} }}", (0..21).map(|n| format!("r{n}: __typename ")).collect::<String>()),
        format!("{{ {} {} }}", "... on Query { a: __typename ".repeat(51), "}".repeat(51)),
        format!("{{ account(id: \"A1\") {{ {} id {} }} }}", "contracts { nodes { account {".repeat(5), "} } }".repeat(5)),
        format!("{{ retention(by: [{}]) {{ asOf }} }}", "{dimension: SEGMENT} ".repeat(1_000)),
        "query ($a: Boolean = true) { ".to_owned() + &"__typename @include(if: $a) ".repeat(51) + "}",
    ];
    for text in over {
        let (body, asked) = ask(&text);
        assert_eq!(body["errors"][0]["extensions"]["code"], "DOCUMENT_LIMIT_EXCEEDED", "{text}: {body}");
        assert!(body.get("data").is_none() && asked.is_empty());
    }
}

#[test]
fn a_response_that_grows_too_large_is_given_up_at_once_and_as_a_whole() {
    let limits = Limits { response_bytes: 200, ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    for text in [
        // A field that may be null does not make room for the next one.
        "{ a: account(id: \"A1\") { ...all } b: account(id: \"A1\") { ...all } c: accounts { nodes { id name } } }
         fragment all on Account { contracts { nodes { id account { id name } } } w: id x: id y: id z: id u: id v: id }",
        "{ a: __schema { types { name } } b: __schema { types { name } } c: entities { name } }",
        "{ metrics { name label formula } }",
    ] {
        let (answer, body, _) = send(settings, Fake::default(), Request::new(text));
        let fields = body["data"].as_object().expect("root fields may be null, so that `data` never is");
        assert!(fields.values().all(serde_json::Value::is_null), "{body:#}");
        let codes: Vec<_> = body["errors"].as_array().into_iter().flatten().map(|error| &error["extensions"]["code"]).collect();
        assert_eq!(codes, ["RESULT_TOO_LARGE"], "{body:#}");
        assert!(answer.had_errors && answer.body.len() < 1_000);
    }
}

#[test]
fn fragments_that_multiply_each_other_end_at_the_limit() {
    let mut text = "{ ...F0 }".to_owned();
    for n in 0..20 {
        text += &format!(" fragment F{n} on Query {{ ...F{} ...F{} }}", n + 1, n + 1);
    }
    text += " fragment F20 on Query { __typename }";
    codes(&text, &["DOCUMENT_LIMIT_EXCEEDED"]);
}
