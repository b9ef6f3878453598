//! The ends of what is on record: before the first snapshot and after the last nothing is known, and nothing is not zero.

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
dimensions: {region: string}
---
entity: balance
source: balance
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures:
  mrr: {sum: mrr, over_time: last}
  payers: {count_distinct: account_id, where: mrr > 0, over_time: last}
movements: {owner: account, grains: {account: [account]}}
---
metrics:
  paid: {measure: balance.mrr, empty: zero}
  payers: {measure: balance.payers, empty: zero}
  opening: {movement: {of: balance.mrr, take: opening}}
  closing: {movement: {of: balance.mrr, take: closing}}
  new_mrr: {movement: {of: balance.mrr, is: new}, empty: zero}
  churned: {movement: {of: balance.mrr, is: churn}, empty: zero}
  change: {expr: new_mrr - churned}
  lost_accounts: {per_entity: {entity: account, where: churned > 0, aggregate: count}, empty: zero}
  kept: {per_entity: {entity: account, of: paid, aggregate: sum}}
  raw: {measure: balance.mrr}
  floored: {expr: 'greatest(raw, 0)'}
  capped: {expr: 'least(100, raw, 90)'}
  settled: {expr: 'greatest(coalesce(raw, 0), 0)'}
  clamped: {expr: 'least(100, greatest(0, 110 - greatest(raw, 20)) + least(raw, 30) / 2)'}
  paid_before: {offset: {of: paid, by: 1 month}}
---
view: ledger
metrics: [paid, payers, opening, closing, new_mrr, churned, change, lost_accounts, kept, floored, capped, settled, clamped, paid_before]
dimensions: [account, account.region]
",
    )
}

/// January to April 2025, without a row in March: `a1` shrinks, `a2` begins in February and is gone in March, as everybody is.
async fn desk() -> Desk {
    let tables = [
        table("account", "account_id text, region text", "a1 N\n a2 S"),
        table(
            "balance",
            "account_id text, month date, mrr decimal",
            "a1 2025-01-31 100
             a1 2025-02-28 80
             a2 2025-02-28 50
             a1 2025-04-30 70",
        ),
    ];
    Desk::open(ledger(), &tables).await
}

const METRICS: &str = "paid payers opening closing newMrr churned change lostAccounts kept paidBefore";

#[tokio::test]
async fn before_the_first_and_after_the_last_snapshot_nothing_is_zero() {
    let desk = desk().await;
    let document = format!(
        r#"{{ ledger(by: [{{time: {{grain: MONTH}}}}], fill: DENSE, range: {{between: {{from: "2024-12-01", to: "2025-07-01"}}}}) {{
             rows {{ period(grain: MONTH) {{ start }} {METRICS} }} }} }}"#
    );
    let by_hand = "
        with month as (select m::date as start, (m + interval '1 month')::date as next from generate_series(date '2024-12-01', date '2025-06-01', interval '1 month') m),
        ends as (select min(date_trunc('month', month))::date as f, max(date_trunc('month', month))::date as s from balance),
        at as (select m.start, a.account_id,
                      coalesce((select mrr from balance b where b.account_id = a.account_id and b.month >= m.start and b.month < m.next), 0) as c,
                      coalesce((select mrr from balance b where b.account_id = a.account_id and b.month >= m.start - interval '1 month' and b.month < m.start), 0) as o,
                      exists (select from balance b where b.account_id = a.account_id and b.month < m.start) as known
               from month m cross join account a),
        total as (select start, sum(c) as c, sum(o) as o, count(*) filter (where c > 0) as payers,
                         coalesce(sum(c) filter (where o = 0 and c > 0 and not known), 0) as new,
                         coalesce(sum(o) filter (where o > 0 and c = 0), 0) as churned,
                         count(*) filter (where o > 0 and c = 0) as lost from at group by 1)
        select start, case when here then c end, case when here then payers end,
               case when compared then o end, case when here then c end,
               case when compared then new end, case when compared then churned end, case when compared then new - churned end,
               case when compared then lost end, null, case when before then o end
        from (select t.*, start between f and s as here, start > f and start <= s as compared,
                     start > f and start <= s + interval '1 month' as before
              from total t cross join ends) x order by start";
    let answer = desk.ask(&document).await;
    let rows = answer.rows("ledger");
    let month = |start: &str| rows.iter().find(|row| row[0] == start).map(|row| row[1..].to_vec()).unwrap_or_default();
    assert_eq!(month("2024-12-01"), ["null"; 10], "before everything");
    assert_eq!(month("2025-01-01")[..4], ["100", "1", "null", "100"], "the first snapshot can be read");
    assert_eq!(month("2025-01-01")[4..8], ["null"; 4], "and compared with nothing");
    assert_eq!(month("2025-02-01")[..8], ["130", "2", "100", "130", "50", "0", "50", "0"]);
    assert_eq!(
        month("2025-03-01")[..8],
        ["0", "0", "130", "0", "0", "130", "-130", "2"],
        "a month inside without rows is a month without revenue"
    );
    assert_eq!(month("2025-05-01")[..9], ["null"; 9], "after the last");
    assert_eq!(month("2025-05-01")[9], "70", "a month after the last can still look back");
    let counted = desk.by_hand(by_hand).await;
    for (row, expected) in rows.iter().zip(&counted) {
        // Whether a sum over entities has rows in a month without any is not what this is about.
        assert_eq!((&row[..9], &row[10]), (&expected[..9], &expected[10]));
    }
    assert_eq!(rows.len(), counted.len());
}

#[tokio::test]
async fn totals_without_an_opening_or_a_closing_say_why() {
    let desk = desk().await;
    let ask = |from: &str, to: &str| {
        format!(
            r#"{{ ledger(by: [], range: {{between: {{from: "{from}", to: "{to}"}}}}) {{
                 totals {{ paid closing newMrr change lostAccounts status {{ paid closing newMrr change lostAccounts }} }} }} }}"#
        )
    };
    let first = desk.ask(&ask("2025-01-01", "2025-03-01")).await.totals("ledger");
    assert_eq!(first[..5], ["130", "130", "null", "null", "null"]);
    assert_eq!(first[5..9], ["null", "null", "NULL_INPUT", "NULL_INPUT"]);
    let last = desk.ask(&ask("2025-05-01", "2025-06-01")).await.totals("ledger");
    assert_eq!(last[..5], ["null"; 5]);
    assert_eq!(last[5..], ["NO_ROWS"; 5]);
    let whole = desk.ask(&ask("2025-02-01", "2025-05-01")).await.totals("ledger");
    assert_eq!(whole[..5], ["70", "70", "0", "0", "0"]);
}

#[tokio::test]
async fn a_range_that_ends_between_two_snapshots_is_refused_for_balances_as_for_sums() {
    let desk = desk().await;
    for metric in ["paid", "closing", "lostAccounts"] {
        let document = format!(
            r#"{{ ledger(by: [], range: {{between: {{from: "2025-01-31", to: "2025-02-28"}}}}) {{ totals {{ {metric} }} }} }}"#
        );
        assert_eq!(desk.ask(&document).await.codes(), ["E_INVALID_RANGE"], "{metric}");
    }
}

#[tokio::test]
async fn facts_that_cannot_tell_what_was_known_say_so() {
    let desk = desk().await;
    let ask = |moment: &str| {
        format!(
            r#"{{ ledger(by: [], {moment} range: {{between: {{from: "2025-02-01", to: "2025-03-01"}}}}) {{
                 totals {{ paid }} provenance {{ asKnownNow }} }} }}"#
        )
    };
    let then = desk.ask(&ask(r#"asKnownAt: "2020-01-01T00:00:00Z","#)).await;
    assert_eq!(then.at("/data/ledger/provenance/asKnownNow").to_string(), r#"["balance"]"#);
    let now = desk.ask(&ask("")).await;
    assert_eq!(now.at("/data/ledger/provenance/asKnownNow").to_string(), "[]");
    // Lists of entities say so too, of everything that was read to choose and to order their rows.
    let list = |arguments: &str| format!("{{ accounts({arguments}) {{ asKnownNow totalCount }} }}");
    let paid = r#"asOf: "2025-03-01", having: {paid: {gt: "0"}}"#;
    for (arguments, expected) in [
        (r#"asOf: "2025-03-01""#.to_owned(), "[]"),
        (r#"asOf: "2025-03-01", asKnownAt: "2020-01-01T00:00:00Z""#.to_owned(), r#"["account"]"#),
        (format!(r#"{paid}, asKnownAt: "2020-01-01T00:00:00Z""#), r#"["account","balance"]"#),
        (format!(r#"{paid}, metrics: {{asKnownAt: "2020-01-01T00:00:00Z"}}"#), r#"["account","balance"]"#),
    ] {
        let answer = desk.ask(&list(&arguments)).await;
        assert_eq!(answer.at("/data/accounts/asKnownNow").to_string(), expected, "{arguments}: {}", answer.json);
    }
}

#[tokio::test]
async fn the_greatest_of_something_unknown_is_unknown() {
    let desk = desk().await;
    let document = r#"{ ledger(by: [{time: {grain: MONTH}}], fill: DENSE, range: {between: {from: "2025-02-01", to: "2025-05-01"}}) {
        rows { period(grain: MONTH) { start } floored capped settled clamped } } }"#;
    let by_hand = "select m::date, greatest(sum(mrr), case when sum(mrr) is not null then 0 end), least(sum(mrr), case when sum(mrr) is not null then 90 end), coalesce(sum(mrr), 0),
        case when sum(mrr) is not null then least(100, greatest(0, 110 - greatest(sum(mrr), 20)) + least(sum(mrr), 30) / 2) end
        from generate_series(date '2025-02-01', date '2025-04-01', interval '1 month') m
        left join balance b on date_trunc('month', b.month) = m group by 1 order by 1";
    let answer = desk.check("ledger", document, by_hand).await;
    assert_eq!(answer.rows("ledger")[1][1..], ["null", "null", "0", "null"]);
}
