//! Policies about metrics on both warehouses: what is listed has the numbers that everybody sees, computed from what is not listed;
//! what is not listed is refused by the compiler itself, and answers are not kept for both.

use std::sync::Arc;

use holdfast_resolvers::Api;
use holdfast_schema::query::{Caller, hidden_from};
use holdfast_server::engine::Settings;
use holdfast_tests::desk::{Desk, api, definitions, model, without_cache};

use super::{DEFINITIONS, EVERYTHING, JANUARY, tables};

const POLICY: &str = "  guests: {roles: guest, metrics: [churn, share_of_visits, busy_accounts]}\n";

fn all() -> Arc<Api> {
    api(&model(definitions(&format!("{}\n{POLICY}", DEFINITIONS.trim_end()))))
}

fn guest() -> Caller {
    Caller { roles: vec!["guest".to_owned()], ..Caller::default() }
}

#[tokio::test]
async fn listed_metrics_have_the_numbers_that_everybody_sees() {
    let all = all();
    let of_guests = Arc::new(all.without(hidden_from(all.model(), &guest())));
    let document = format!(
        "{{ portfolio(by: [{{dimension: REGION}}], {JANUARY}) {{ rows {{ region churn shareOfVisits busyAccounts }} totals {{ churn busyAccounts }} }} }}"
    );
    let everybody = Desk::with(&all, &tables(&EVERYTHING), &without_cache()).await;
    let guests = Desk::with(&of_guests, &tables(&EVERYTHING), &without_cache()).await.asked_by(&guest());
    let (seen, expected) = (guests.ask(&document).await, everybody.ask(&document).await);
    assert_eq!(seen, expected);
    let of_emea = format!("{{ portfolio(by: [], {JANUARY}, where: {{region: {{eq: \"emea\"}}}}) {{ rows {{ churn }} }} }}");
    // Of the two accounts there, one has no balance in January.
    let by_hand = "select mrr from balance where account_id = 'a2'";
    assert_eq!(guests.ask(&of_emea).await.rows("portfolio"), everybody.by_hand(by_hand).await);
    let unlisted = guests.ask(&format!("{{ portfolio(by: [], {JANUARY}) {{ rows {{ visits }} }} }}")).await;
    assert_eq!(unlisted.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
}

#[tokio::test]
async fn the_compiler_refuses_what_is_not_listed_whatever_the_surface_shows() {
    let whole = Desk::with(&all(), &tables(&EVERYTHING), &without_cache()).await.asked_by(&guest());
    for selection in ["rows { visits }", "totals { mrr }", "rows { churn status { visitors } }"] {
        let refused = whole.ask(&format!("{{ portfolio(by: [], {JANUARY}) {{ {selection} }} }}")).await;
        assert_eq!(refused.codes(), ["E_NAME_NOT_FOUND"], "{selection}: {:#}", refused.json);
    }
    let ordered = whole.ask("{ accounts(orderBy: [{metrics: {visits: {}}}]) { nodes { region } } }").await;
    assert_eq!(ordered.codes(), ["E_NAME_NOT_FOUND"], "{:#}", ordered.json);
}

#[tokio::test]
async fn answers_are_kept_for_those_who_may_see_the_same_metrics() {
    let kept = Desk::with(&all(), &tables(&EVERYTHING), &Settings::default()).await;
    let document = format!("{{ portfolio(by: [], {JANUARY}) {{ rows {{ churn }} provenance {{ cache policies }} }} }}");
    let cache = |answer: &holdfast_tests::answer::Answer| answer.at("/data/portfolio/provenance").to_string();
    let first = cache(&kept.ask(&document).await);
    let kept = kept.asked_by(&guest());
    let of_guest = cache(&kept.ask(&document).await);
    let again = cache(&kept.ask(&document).await);
    assert_eq!(
        [first.as_str(), &of_guest, &again],
        [
            r#"{"cache":"MISS","policies":[]}"#,
            r#"{"cache":"MISS","policies":["guests"]}"#,
            r#"{"cache":"HIT","policies":["guests"]}"#
        ]
    );
}
