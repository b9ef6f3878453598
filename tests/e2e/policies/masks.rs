//! Conditions of metrics on what is masked for the caller.

use holdfast_schema::query::Caller;
use holdfast_tests::desk::{Desk, api, definitions, model, without_cache};

use super::{DEFINITIONS, EVERYTHING, JANUARY, csm, tables};

const FILTERED: &str = "
---
metrics:
  visits_of_one: {measure: visit.visits, where: account.tax_number = '11'}
  part_of_one: {ratio: visits_of_one / visits}
  open_visits: {measure: visit.visits, where: account.region = 'emea'}
";

#[tokio::test]
async fn a_metric_that_selects_by_what_is_masked_is_refused_and_tells_nothing() {
    let definitions = definitions(&format!("{DEFINITIONS}{FILTERED}"));
    let desk = Desk::with(&api(&model(definitions)), &tables(&EVERYTHING), &without_cache()).await;
    let ask = |metric: &str| format!("{{ portfolio(by: [], {JANUARY}) {{ rows {{ {metric} }} totals {{ {metric} }} }} }}");
    let by_hand = "select count(*) from visit join account using (account_id) where tax_number = '11' and day >= '2025-01-01' and day < '2025-02-01'";
    desk.check("portfolio", &ask("visitsOfOne"), by_hand).await;
    let desk = desk.asked_by(&csm(&["emea", "apac"]));
    for metric in ["visitsOfOne", "partOfOne"] {
        let refused = desk.ask(&ask(metric)).await;
        assert_eq!(refused.codes(), ["FORBIDDEN"], "{:#}", refused.json);
        let described = refused.json.to_string();
        assert!(described.contains("taxNumber") || described.contains("tax_number"), "{described}");
    }
    // The same number by another condition is nobody's secret.
    desk.check(
        "portfolio",
        &ask("openVisits"),
        "select count(*) from visit join account using (account_id) where region = 'emea' and day >= '2025-01-01' and day < '2025-02-01'",
    )
    .await;
    let desk = desk.asked_by(&Caller::default());
    desk.check("portfolio", &ask("visitsOfOne"), by_hand).await;
}
