//! Conditions of metrics and segments on what the caller may not read.

use holdfast_schema::query::Caller;
use holdfast_tests::{
    desk::{Desk, api, definitions, model, without_cache},
    tables::table,
};

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

/// Members of a grain, in movements and in cohorts.
const TOLD_APART: &str = "
project: policies
version: 1
---
entity: account
source: account
key: account_id
dimensions: {segment: string, size: string, began: date}
---
entity: balance
source: balance
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures: {mrr: {sum: mrr, over_time: last}}
movements:
  owner: account
  cohort: began
  grains: {segment: [account.segment], size: [account, account.size], account: [account]}
---
metrics:
  contraction: {movement: {of: balance.mrr, is: [contraction, churn]}}
  kept: {cohort: {of: balance.mrr, take: retained, over: life}}
---
view: changes
metrics: [contraction]
dimensions: [account]
---
view: lives
metrics: [kept]
dimensions: [account]
---
policies: {no_segments: {applies_to: account, roles: csm, mask: [segment, size]}}
";

async fn told_apart() -> Desk {
    let tables = [
        table(
            "account",
            "account_id text, segment text, size text, began date",
            "a1 smb small 2025-01-02\na2 ent large 2025-01-03",
        ),
        table(
            "balance",
            "account_id text, month date, mrr decimal",
            "a1 2025-01-31 100
             a2 2025-01-31 100
             a1 2025-02-28 50
             a2 2025-02-28 150",
        ),
    ];
    Desk::open(definitions(TOLD_APART), &tables).await
}

#[tokio::test]
async fn members_that_a_mask_would_make_one_are_refused() {
    let desk = told_apart().await;
    let february = r#"range: {between: {from: "2025-02-01", to: "2025-03-01"}}"#;
    let changes = |grain: &str| format!("{{ changes(by: [], {february}, movementGrain: {grain}) {{ rows {{ contraction }} }} }}");
    let lives = |grain: &str| {
        format!("{{ lives(by: [{{age: {{grain: MONTH, step: 1, upTo: 1}}}}], movementGrain: {grain}) {{ rows {{ age kept }} }} }}")
    };
    let lost = "select sum(greatest(o.mrr - c.mrr, 0)) from balance o join balance c using (account_id)
                where o.month = '2025-01-31' and c.month = '2025-02-28'";
    let kept = "select age, sum(least(o.mrr, c.mrr)) from balance o join (select *, extract(month from month) - 1 as age from balance) c using (account_id)
                where o.month = '2025-01-31' and c.age = 1 group by 1";
    // Every segment and size has one account: all grains say the same.
    for grain in ["SEGMENT", "SIZE", "ACCOUNT"] {
        desk.check("changes", &changes(grain), lost).await;
        desk.check("lives", &lives(grain), kept).await;
    }
    let desk = desk.asked_by(&csm(&[]));
    for grain in ["SEGMENT", "SIZE"] {
        for document in [changes(grain), lives(grain)] {
            let refused = desk.ask(&document).await;
            assert_eq!(refused.codes(), ["FORBIDDEN"], "{:#}", refused.json);
        }
    }
    desk.check("changes", &changes("ACCOUNT"), lost).await;
    desk.check("lives", &lives("ACCOUNT"), kept).await;
}
