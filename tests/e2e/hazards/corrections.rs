//! Months that move after they were closed: late and corrected rows, and the report as it was.

use holdfast_schema::source::SourceMap;
use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};

fn ledger() -> SourceMap {
    definitions(
        "project: ledger
version: 1
---
entity: account
source: account
key: account_id
---
entity: balance
source: balance
key: [component_id, month]
valid: {recorded: recorded_at}
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures: {mrr: {sum: mrr, over_time: last}}
movements: {owner: account, grains: {account: [account]}}
---
metrics:
  mrr: {measure: balance.mrr}
  contraction_mrr: {movement: {of: balance.mrr, is: contraction}, empty: zero}
  net_new_mrr: {movement: {of: balance.mrr, take: change}, empty: zero}
---
view: retention
metrics: [mrr, contraction_mrr, net_new_mrr]
dimensions: [account]
",
    )
}

/// February's balance of `c1` was 80 and is corrected to 90 in April; that of `c2` arrives late, in May.
async fn desk() -> Desk {
    let tables = [
        table("account", "account_id text", "a1"),
        table(
            "balance",
            "component_id text, month date, account_id text, mrr decimal, recorded_at timestamp",
            "c1 2025-01-31 a1 100 2025-02-01T00:00:00Z
             c1 2025-02-28 a1 80 2025-03-01T00:00:00Z
             c1 2025-02-28 a1 90 2025-04-01T00:00:00Z
             c2 2025-01-31 a1 50 2025-02-01T00:00:00Z
             c2 2025-02-28 a1 50 2025-05-01T00:00:00Z",
        ),
    ];
    Desk::open(ledger(), &tables).await
}

#[tokio::test]
async fn a_corrected_row_counts_once_and_an_earlier_report_comes_out_as_it_was() {
    let desk = desk().await;
    for (known_at, expected) in [
        (None, [["2025-01-01", "150"], ["2025-02-01", "140"]]),
        (Some("2025-04-15T00:00:00Z"), [["2025-01-01", "150"], ["2025-02-01", "90"]]),
        (Some("2025-03-15T00:00:00Z"), [["2025-01-01", "150"], ["2025-02-01", "80"]]),
    ] {
        let argument = known_at.map_or_else(String::new, |instant| format!(", asKnownAt: \"{instant}\""));
        let document = format!(
            "{{ retention(by: [{{time: {{grain: MONTH}}}}]{argument}) {{ rows {{ period(grain: MONTH) {{ start }} mrr }} }} }}"
        );
        let by_hand = format!(
            "select date_trunc('month', month)::date, sum(mrr) from (
               select distinct on (component_id, month) * from balance where recorded_at <= '{}'
               order by component_id, month, recorded_at desc) b group by 1 order by 1",
            known_at.unwrap_or("9999-01-01")
        );
        let answer = desk.check("retention", &document, &by_hand).await;
        assert_eq!(answer.rows("retention"), expected);
    }
}

#[tokio::test]
async fn a_movement_compares_what_was_known_at_both_ends() {
    let desk = desk().await;
    let ask = |known_at: &str| {
        format!(
            r#"{{ retention(by: [{{dimension: ACCOUNT}}], asKnownAt: "{known_at}", range: {{between: {{from: "2025-02-01", to: "2025-03-01"}}}}) {{
                 rows {{ contractionMrr netNewMrr }} }} }}"#
        )
    };
    assert_eq!(desk.ask(&ask("2025-03-15T00:00:00Z")).await.rows("retention"), [["70", "-70"]]);
    assert_eq!(desk.ask(&ask("2025-05-15T00:00:00Z")).await.rows("retention"), [["10", "-10"]]);
}
