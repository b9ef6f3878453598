//! Cohorts of owners of which a caller may see only a part.

use holdfast_tests::tables::table;
use holdfast_warehouse::table::Table;

use super::restricted_and_smaller;

const DEFINITIONS: &str = "
project: cohorts
version: 1
---
entity: account
source: account
key: account_id
dimensions:
  region: string
  began: date
  company: {expr: \"coalesce(parent_id, account_id)\", type: string}
  parent_id: {type: string, hidden: true}
---
entity: balance
source: balance
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures: {mrr: {sum: mrr, over_time: last}}
movements: {owner: account, cohort: began, grains: {account: [account], company: [account.company]}}
---
metrics:
  members: {cohort: {of: balance.mrr, take: members}}
  opening: {cohort: {of: balance.mrr, take: opening}}
  closing: {cohort: {of: balance.mrr, take: closing}}
---
view: lives
metrics: [members, opening, closing]
dimensions: [account.region]
---
policies:
  own_regions:
    applies_to: account
    roles: csm
    rows: region in claims.regions
";

/// The company of `a2` is hidden with `a1`, which bears its number.
fn tables(is_smaller: bool) -> Vec<Table> {
    let only = |name: &str, columns: &str, rows: &str| {
        let kept: Vec<&str> = rows.lines().filter(|row| !(is_smaller && row.trim_start().starts_with("a1"))).collect();
        table(name, columns, &kept.join("\n"))
    };
    vec![
        only(
            "account",
            "account_id text, region text, began date, parent_id text",
            "a1 apac 2025-01-10 -
             a2 emea 2025-03-10 a1
             a3 emea 2025-02-10 -",
        ),
        only(
            "balance",
            "account_id text, month date, mrr decimal",
            "a1 2025-01-31 100
             a1 2025-02-28 100
             a1 2025-03-31 100
             a2 2025-03-31 50
             a2 2025-04-30 40
             a3 2025-02-28 7
             a3 2025-03-31 8",
        ),
    ]
}

#[tokio::test]
async fn a_company_that_is_hidden_tells_nobody_when_it_began() {
    let (restricted, smaller) = restricted_and_smaller(DEFINITIONS, &["emea"], &tables(false), &tables(true)).await;
    for grain in ["ACCOUNT", "COMPANY"] {
        let document = format!(
            "{{ lives(by: [{{cohort: {{grain: MONTH}}}}, {{age: {{grain: MONTH, step: 1, upTo: 1}}}}], movementGrain: {grain}) {{
                 rows {{ cohort(grain: MONTH) {{ start }} age members opening closing }} }} }}"
        );
        let answer = restricted.ask(&document).await;
        assert_eq!(answer, smaller.ask(&document).await, "{grain}");
        assert!(!answer.rows("lives").is_empty(), "{grain}: {:#}", answer.json);
    }
}
