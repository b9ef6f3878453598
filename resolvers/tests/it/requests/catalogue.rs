//! What metrics and types are, asked beside the data or alone.

use std::sync::Arc;

use async_graphql::Request;
use expect_test::expect;
use holdfast_resolvers::{Api, Settings};
use holdfast_schema::{load, source::SourceMap};
use serde_json::json;

use super::{ask, check};
use crate::fake::{Fake, send, send_to};

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

/// Everything that a catalogue can list.
fn everything() -> Api {
    let text = "project: acme\nversion: 1\n---\nentity: account\nsource: account\nkey: account_id\ndimensions: {segment: {values: [smb]}}\n---\n\
        entity: visit\nsource: visit\nkey: visit_id\ntime: {day: {}}\nrelationships: {account: {to: account, key: account_id}}\n\
        measures: {visits: {count: rows}}\n---\nmetrics: {visits: {measure: visit.visits}}\n---\nview: visiting\nmetrics: [visits]\n\
        dimensions: [account, account.segment]\n---\nrules: {busy: {per: account, when: visits > 9}}\n---\n\
        segments: {small: {entity: account, where: segment = 'smb'}}\n---\nsaved_queries: {all_visits: {ask: {metrics: visits}}}\n";
    let (model, diagnostics) = load(SourceMap::new([("all.yaml".to_owned(), text.to_owned())]));
    let model = model.unwrap_or_else(|| panic!("{:#?}", diagnostics.sorted()));
    Api::new(model, Settings::default()).unwrap_or_else(|wrong| panic!("{:#?}", wrong.sorted()))
}

#[test]
fn every_field_of_the_catalogue_has_a_value() {
    let api = everything();
    let ask = |text: String| send_to(&api, Arc::new(Fake::default()), Request::new(text)).1;
    // Every field of a type, as the schema tells them; objects by their names.
    let fields_of = |type_name: &str| {
        let kind = "kind ofType { kind ofType { kind ofType { kind } } }";
        let body = ask(format!("{{ __type(name: \"{type_name}\") {{ fields {{ name type {{ {kind} }} }} }} }}"));
        let fields = body["data"]["__type"]["fields"].as_array().unwrap_or_else(|| panic!("{type_name} has fields: {body:#}"));
        let field = |field: &serde_json::Value| {
            let is_object = field["type"].to_string().contains("OBJECT");
            format!("{}{}", field["name"].as_str().expect("a name"), if is_object { " { name }" } else { "" })
        };
        fields.iter().map(field).collect::<Vec<_>>().join(" ")
    };
    let lists = [
        ("metrics", "Metric"),
        ("dimensions", "Dimension"),
        ("views", "View"),
        ("rules", "Rule"),
        ("segments", "Segment"),
        ("savedQueries", "SavedQuery"),
        ("entities", "Entity"),
    ];
    let all: String = lists.map(|(list, type_name)| format!("{list} {{ {} }} ", fields_of(type_name))).concat();
    let (own, way) = (fields_of("EntityDimension"), fields_of("Relationship"));
    let body = ask(format!("{{ {all} parts: entities {{ dimensions {{ {own} }} relationships {{ {way} }} }} }}"));
    assert!(body.get("errors").is_none(), "{body:#}");
    for (list, _) in lists {
        assert!(body["data"][list].as_array().is_some_and(|items| !items.is_empty()), "{list} is empty: {body:#}");
    }
}
