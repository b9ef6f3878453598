//! Conditions of metrics and segments on what the caller may not read.

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

const SEGMENTS: &str = "
---
segments:
  hushed: {entity: account, where: secret = 'x'}
  taxed: {entity: account, where: tax_number = '11'}
  open: {entity: account, where: region = 'emea'}
";

/// Whoever may choose by a condition learns for which rows it holds.
#[tokio::test]
async fn a_segment_that_selects_by_what_may_not_be_read_is_none() {
    let definitions = definitions(&format!("{DEFINITIONS}{SEGMENTS}"));
    let desk = Desk::with(&api(&model(definitions)), &tables(&EVERYTHING), &without_cache()).await;
    let of_view =
        |segment: &str| format!("{{ portfolio(by: [], {JANUARY}, where: {{inSegment: [{segment}]}}) {{ rows {{ visits }} }} }}");
    let of_list = |segment: &str| format!("{{ accounts(where: {{inSegment: [{segment}]}}) {{ totalCount }} }}");
    let of_metric =
        |segment: &str| format!("{{ portfolio(by: [], {JANUARY}) {{ rows {{ visits(where: {{inSegment: [{segment}]}}) }} }} }}");
    let documents = |segment: &str| [of_view(segment), of_list(segment), of_metric(segment)];
    let by_hand = "select count(*) from visit join account using (account_id) where secret = 'x' and day >= '2025-01-01' and day < '2025-02-01'";
    for document in [of_view("HUSHED"), of_metric("HUSHED")] {
        desk.check("portfolio", &document, by_hand).await;
    }
    for document in ["HUSHED", "TAXED", "OPEN"].iter().flat_map(|segment| documents(segment)) {
        assert!(desk.ask(&document).await.codes().is_empty(), "{document}");
    }
    let desk = desk.asked_by(&csm(&["emea", "apac"]));
    for (segment, code) in [("HUSHED", "E_NAME_NOT_FOUND"), ("TAXED", "FORBIDDEN")] {
        for document in documents(segment) {
            let refused = desk.ask(&document).await;
            assert_eq!(refused.codes(), [code], "{document}: {:#}", refused.json);
            assert!(segment == "HUSHED" || !refused.json.to_string().contains("hushed"), "{:#}", refused.json);
        }
    }
    for document in documents("OPEN") {
        assert!(desk.ask(&document).await.codes().is_empty(), "{document}");
    }
}
