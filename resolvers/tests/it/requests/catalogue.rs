//! What metrics and types are, asked beside the data or alone.

use async_graphql::Request;
use expect_test::expect;
use holdfast_resolvers::Settings;
use serde_json::json;

use super::{ask, check};
use crate::fake::{Fake, send};

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
