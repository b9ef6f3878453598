//! Rows of entities: what is fetched for pages, nodes and group keys.

use expect_test::expect;
use holdfast_schema::query::{GroupItem, Scope, TimeRange};
use jiff::civil::date;

use super::{check, metrics};
use crate::fake::Asked;

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
