//! Rules as signals and scores with their contributions, on both warehouses.

use holdfast_resolvers::Api;
use holdfast_schema::query::Caller;
use holdfast_server::{definitions::Origin, demo};
use holdfast_tests::{
    answer::cells,
    desk::{Desk, api, definitions, model, without_cache},
    tables::table,
};
use serde_json::json;
use std::sync::Arc;

use crate::cases::SHIPPED;

/// The shipped definitions over accounts at both sides of each threshold.
async fn thresholds() -> Desk {
    let api: Arc<Api> = api(&model(Origin::Shipped.read().expect("the shipped definitions are in the program")));
    let fixture = &api.model().fixtures.iter().find(|(name, _)| name == "g13").expect("it is shipped").1;
    Desk::with(&api, &demo::fixture(fixture).expect("the fixture fits the tables"), &without_cache()).await
}

#[tokio::test]
async fn each_rule_fires_on_one_side_of_its_threshold_only() {
    let desk = thresholds().await;
    for (rule, as_of, value, fired, other) in [
        ("declining_usage", "2025-07-01", "0.2", vec!["H1 yes"], "H1 no"),
        ("low_seat_utilization", "2025-07-01", "0.695", vec!["H2 yes"], "H2 no"),
        ("feature_gap", "2025-07-01", "2", vec!["H3 yes", "T19"], "H3 no"),
        ("ticket_spike", "2025-07-01", "6", vec!["H4 yes", "T19"], "H4 no"),
        ("budget_signal", "2025-06-30", "1", vec!["H6 yes", "T19"], "H6 no"),
    ] {
        let document = format!(
            "{{ signals(asOf: \"{as_of}\", where: {{rule: [\"{rule}\"], fired: true}}) {{ nodes {{ value entity {{ ... on Account {{ name }} }} }} }}
               other: signals(asOf: \"{as_of}\", where: {{rule: [\"{rule}\"], account: {{name: {{eq: \"{other}\"}}}}}}) {{ nodes {{ fired }} }} }}"
        );
        let answer = desk.ask(&document).await;
        let expected: Vec<String> = fired.iter().flat_map(|name| [value.to_owned(), (*name).to_owned()]).collect();
        assert_eq!(cells(answer.at("/data/signals/nodes")), expected, "{rule}");
        assert_eq!(*answer.at("/data/other/nodes"), json!([{"fired": false}]), "{rule}");
    }
}

#[tokio::test]
async fn contact_of_exactly_ninety_days_ago_fires_and_a_mass_mail_is_no_contact() {
    let desk = thresholds().await;
    let answer = desk
        .ask(
            "{ signals(asOf: \"2025-06-30\", where: {rule: [\"executive_disengagement\"], account: {name: {in: [\"H5 no\", \"H5 yes\"]}}}) {
                 nodes { entity { ... on Account { name } } fired value plays } } }",
        )
        .await;
    let contact = "executive_business_review";
    assert_eq!(cells(answer.at("/data/signals/nodes")), ["H5 no", "false", "89", contact, "H5 yes", "true", "90", contact]);
}

/// Rules of a fixture on a day: the rule, whom it is about, whether it fires.
async fn fired(fixture: &str, as_of: &str, rules: &[&str]) -> Vec<String> {
    let (_, fixture) = SHIPPED.model().fixtures.iter().find(|(name, _)| name == fixture).expect("it is shipped");
    let desk = Desk::with(&SHIPPED, &demo::fixture(fixture).expect("the fixture fits the tables"), &without_cache()).await;
    let rules: Vec<String> = rules.iter().map(|rule| format!("\"{rule}\"")).collect();
    let document = format!(
        "{{ signals(asOf: \"{as_of}\", where: {{rule: [{}]}}, orderBy: [{{rule: {{dir: ASC}}}}]) {{
             nodes {{ rule {{ name }} entity {{ id }} fired }} }} }}",
        rules.join(", ")
    );
    // Ids of rows that are read as of a day end with it.
    let day = format!("@{as_of}");
    cells(desk.ask(&document).await.at("/data/signals/nodes")).into_iter().map(|cell| cell.replace(&day, "")).collect()
}

#[tokio::test]
async fn rules_about_use_look_at_components_of_one_unit() {
    let rules = ["usage_decline", "usage_plateau"];
    let component = "value_component:c1";
    let level = fired("usage_year", "2025-10-15", &rules).await;
    assert_eq!(level, ["usage_decline", component, "false", "usage_plateau", component, "true"]);
    let falling = fired("usage_year", "2026-01-01", &rules).await;
    assert_eq!(falling, ["usage_decline", component, "true", "usage_plateau", component, "false"]);
    assert_eq!(fired("t22_a", "2025-08-01", &["usage_anomaly"]).await, ["usage_anomaly", component, "true"]);
    assert_eq!(fired("t22_c", "2025-08-01", &["usage_anomaly"]).await, ["usage_anomaly", component, "null"]);
}

#[tokio::test]
async fn value_that_holds_while_use_falls_is_a_signal_of_the_account() {
    let rules = ["value_without_usage", "misaligned_while_stable"];
    let found = fired("usage_value", "2025-07-01", &rules).await;
    assert_eq!(found, ["misaligned_while_stable", "account:ACME", "false", "value_without_usage", "account:ACME", "true"]);
    let found = fired("stable_use", "2025-07-01", &["misaligned_while_stable"]).await;
    let rule = "misaligned_while_stable";
    assert_eq!(found, [rule, "account:EVEN", "true", rule, "account:MORE", "false"], "exactly 5 % is stable");
}

#[tokio::test]
async fn contraction_accelerates_in_a_segment_after_three_rises() {
    let rule = "contraction_accelerates";
    let found = fired("acceleration", "2025-05-01", &[rule]).await;
    assert_eq!(found, [rule, "market_segment:mid_market", "false", rule, "market_segment:smb", "true"]);
    let found = fired("acceleration", "2025-04-01", &[rule]).await;
    assert_eq!(found, [rule, "market_segment:mid_market", "false", rule, "market_segment:smb", "false"], "two rises are not three");
}

#[tokio::test]
async fn what_a_score_is_made_of_adds_up_to_it() {
    let desk = thresholds().await;
    let answer = desk
        .ask(
            "{ accountHealth(by: [{dimension: NAME}], where: {name: {eq: \"T19\"}},
                 range: {between: {from: \"2025-06-01\", to: \"2025-07-01\"}}, compare: {previousPeriods: 1}) {
                 rows { contractionRiskScore contributions { contractionRiskScore {
                   input known value contribution previous { contribution } } } } } }",
        )
        .await;
    let expected = [
        "60",
        "h1_declining_usage",
        "false",
        "null",
        "null",
        "null",
        "h2_low_seat_utilization",
        "true",
        "0",
        "0",
        "null",
        "h3_feature_gap",
        "true",
        "1",
        "20",
        "null",
        "h4_ticket_spike",
        "true",
        "1",
        "20",
        "0",
        "h5_exec_disengagement",
        "true",
        "0",
        "0",
        "0",
        "h6_budget_signal",
        "true",
        "1",
        "20",
        "33.3333333333333333",
    ];
    assert_eq!(cells(answer.at("/data/accountHealth/rows")), expected);
}

const DEFINITIONS: &str = "
project: signals
version: 1
---
entity: account
source: account
key: account_id
dimensions: {region: string}
---
entity: seats
source: seats
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures: {active: {sum: active, over_time: last}, licensed: {sum: licensed, over_time: last}}
---
metrics:
  active: {measure: seats.active}
  licensed: {measure: seats.licensed}
  in_use: {ratio: active / licensed}
---
rules:
  idle: {per: account, when: in_use < 0.7, for: 2}
---
policies:
  emea: {applies_to: account, roles: [emea], rows: \"region = 'emea'\"}
";

async fn seats() -> Desk {
    let tables = [
        table("account", "account_id text, region text", "a emea\nb emea\nc apac\nd emea"),
        table(
            "seats",
            "account_id text, month date, active int, licensed int",
            "a 2025-03-31 9 10
             a 2025-04-30 6 10
             a 2025-05-31 69 100
             a 2025-06-30 1 3
             b 2025-05-31 7 10
             b 2025-06-30 1 10
             c 2025-05-31 1 10
             c 2025-06-30 1 10
             d 2025-06-30 1 10",
        ),
    ];
    Desk::with(&api(&model(definitions(DEFINITIONS))), &tables, &without_cache()).await
}

const IDLE: &str = "{ signals(asOf: \"2025-07-15\", orderBy: [{entity: {dir: ASC}}]) { totalCount nodes {
    entity { id } fired value since periods coverage evidence { metric value } } } }";

#[tokio::test]
async fn a_rule_says_since_when_it_holds_and_from_what() {
    let answer = seats().await.ask(IDLE).await;
    let expected = json!({"totalCount": 4, "nodes": [
        {"entity": {"id": "account:a@2025-07-15"}, "fired": true, "value": "0.3333333333333333", "since": "2025-04-01", "periods": 3,
         "coverage": "1", "evidence": [{"metric": "active", "value": "1"}, {"metric": "licensed", "value": "3"}]},
        {"entity": {"id": "account:b@2025-07-15"}, "fired": false, "value": "0.1", "since": null, "periods": 0,
         "coverage": "1", "evidence": [{"metric": "active", "value": "1"}, {"metric": "licensed", "value": "10"}]},
        {"entity": {"id": "account:c@2025-07-15"}, "fired": true, "value": "0.1", "since": "2025-05-01", "periods": 2,
         "coverage": "1", "evidence": [{"metric": "active", "value": "1"}, {"metric": "licensed", "value": "10"}]},
        {"entity": {"id": "account:d@2025-07-15"}, "fired": null, "value": "0.1", "since": null, "periods": 0,
         "coverage": "1", "evidence": [{"metric": "active", "value": "1"}, {"metric": "licensed", "value": "10"}]},
    ]});
    assert_eq!(*answer.at("/data/signals"), expected);
}

#[tokio::test]
async fn a_policy_restricts_signals() {
    let caller = Caller { roles: vec!["emea".to_owned()], ..Caller::default() };
    let answer = seats().await.asked_by(&caller).ask(IDLE).await;
    assert_eq!(*answer.at("/data/signals/totalCount"), json!(3));
    let nested = "{ accounts(asOf: \"2025-07-15\") { nodes { id signals(fired: true) { rule { name } periods } } } }";
    let answer = seats().await.asked_by(&caller).ask(nested).await;
    let expected = json!([
        {"id": "account:a@2025-07-15", "signals": [{"rule": {"name": "idle"}, "periods": 3}]},
        {"id": "account:b@2025-07-15", "signals": []},
        {"id": "account:d@2025-07-15", "signals": []},
    ]);
    assert_eq!(*answer.at("/data/accounts/nodes"), expected);
}
