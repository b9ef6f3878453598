//! What the gateway of a federated graph asks.

use async_graphql::{Request, Variables};
use holdfast_resolvers::Settings;
use serde_json::json;

use super::{ask, codes};
use crate::fake::{Fake, send};

#[test]
fn representations_are_answered_in_their_order_with_one_question_for_each_entity() {
    let text = "query ($these: [_Any!]!) { _entities(representations: $these) { __typename ... on Account { id name } ... on Node { id } } }";
    let these = json!({ "these": [
        { "__typename": "Account", "accountId": "A2" },
        { "__typename": "Account", "id": "account:A1" },
        { "__typename": "Account", "accountId": "A2" },
    ] });
    let request = Request::new(text).variables(Variables::from_json(these));
    let (_, body, asked) = send(Settings::default(), Fake::default(), request);
    let account = |id: &str| json!({ "__typename": "Account", "id": format!("account:{id}"), "name": format!("name of {id}") });
    assert_eq!(body["data"]["_entities"], json!([account("A2"), account("A1"), account("A2")]), "{body}");
    assert_eq!(asked.len(), 1, "{asked:?}");
}

#[test]
fn what_names_no_row_is_null_and_what_is_no_representation_is_an_error() {
    let entities = |representation: &str| format!("{{ _entities(representations: [{representation}]) {{ __typename }} }}");
    let (body, _) = ask(&entities("{__typename: \"Account\", accountId: [1]}"));
    assert_eq!(body["data"]["_entities"], json!([null]));
    for wrong in
        ["{accountId: \"A1\"}", "{__typename: \"Query\"}", "{__typename: \"Account\", name: \"x\"}", "{__typename: \"Account\"}"]
    {
        codes(&entities(wrong), &["BAD_USER_INPUT"]);
    }
}

#[test]
fn the_schema_for_gateways_has_keys_and_nothing_that_they_add() {
    let (body, _) = ask("{ _service { text: sdl __typename } }");
    let sdl = body["data"]["_service"]["text"].as_str().expect("text");
    assert_eq!(body["data"]["_service"]["__typename"], "_Service");
    for part in
        ["@link(", "type Account implements Node @key(fields: \"id\") @key(fields: \"accountId\")", "type PageInfo @shareable"]
    {
        assert!(sdl.contains(part), "{part}");
    }
    for part in ["_entities", "_Any", "type Subscription"] {
        assert!(!sdl.contains(part), "{part}");
    }
}
