//! Root fields of views: which questions a selection becomes, and its rows in selection order.

use async_graphql::Request;
use expect_test::expect;
use holdfast_resolvers::Settings;
use holdfast_schema::{
    query::{Ages, GroupItem, TimeRange},
    time::Grain,
};
use jiff::civil::date;
use serde_json::json;

use super::{ask, check, codes, metrics};
use crate::fake::{Fake, send};

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
