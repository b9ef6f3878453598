//! The surface of those for whom a dimension does not exist.

use std::sync::Arc;

use async_graphql::Request;
use holdfast_resolvers::{Api, Settings};
use holdfast_schema::{model::DimensionId, query::Hidden};

use crate::fake::{Fake, api, send_to};

fn without_segment() -> Api {
    let api = api(Settings::default());
    let entity = api.model().entity_named("account").expect("the entity");
    let index = api.model().entity(entity).dimension_named("segment").expect("the dimension");
    api.without(Hidden { dimensions: [DimensionId { entity, index }].into(), ..Hidden::default() })
}

fn ask(api: &Api, text: &str) -> serde_json::Value {
    send_to(api, Arc::new(Fake::default()), Request::new(text)).1
}

#[test]
fn no_name_of_what_is_hidden_is_in_the_schema() {
    let (all, some) = (api(Settings::default()), without_segment());
    let lines = |api: &Api| api.sdl().lines().filter(|line| line.to_lowercase().contains("segment")).count();
    let general = ["SegmentName", "segments: [Segment!]!", "type Segment", "inSegment"];
    let named: Vec<_> = some
        .sdl()
        .lines()
        .filter(|line| line.to_lowercase().contains("segment") && !general.iter().any(|known| line.contains(known)))
        .collect();
    assert!(lines(&all) > lines(&some) + 5);
    assert!(named.iter().all(|line| !line.contains("account") && !line.contains("enterprise")), "{named:#?}");
    assert!(all.federation_sdl().contains("AccountSegmentEnum") && !some.federation_sdl().contains("AccountSegmentEnum"));
}

#[test]
fn what_is_hidden_cannot_be_asked_for_in_any_place() {
    let api = without_segment();
    for text in [
        "{ accounts { nodes { segment } } }",
        "{ accounts(where: {segment: {isNull: true}}) { totalCount } }",
        "{ accounts(orderBy: [{segment: {}}]) { totalCount } }",
        "{ contracts(where: {account: {segment: {isNull: true}}}) { totalCount } }",
        "{ retention(by: [{dimension: SEGMENT}]) { rowCount } }",
        "{ retention(by: []) { rows { segment } } }",
        "{ retention(where: {segment: {isNull: true}}) { rowCount } }",
        "{ retention(orderBy: [{segment: {}}]) { rowCount } }",
        "{ vintages(by: [{dimension: SEGMENT}]) { rowCount } }",
        "subscription { retention(by: [{dimension: SEGMENT}]) { rowCount } }",
    ] {
        let body = ask(&api, text);
        assert_eq!(body["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{text}: {body}");
    }
    let still = ask(&api, "{ accounts { nodes { name } } retention(by: []) { rows { mrr } } }");
    assert!(still.get("errors").is_none(), "{still}");
}

#[test]
fn the_catalogue_and_introspection_do_not_tell_it() {
    let api = without_segment();
    for text in [
        "{ views { dimensions { name } } metric(name: \"mrr\") { validDimensions { name } } dimensions { name } }",
        "{ entities { dimensions { name } } }",
        "{ __schema { types { name fields { name } inputFields { name } enumValues { name } } } }",
    ] {
        let body = ask(&api, text).to_string();
        assert!(
            !body.contains("\"segment\"") && !body.contains("\"SEGMENT\"") && !body.contains("AccountSegment"),
            "{text}: {body}"
        );
    }
    let found = ask(&api, "{ metrics(compatibleWith: [\"segment\"]) { name } }");
    assert_eq!(found["data"]["metrics"], serde_json::json!([]));
}
