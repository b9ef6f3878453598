//! Rows with a time of their own that are compared with the day that counts as today, on both warehouses.

use holdfast_server::engine::Settings as EngineSettings;
use holdfast_tests::{
    desk::{Desk, api, definitions, model},
    tables::table,
};

const DEFINITIONS: &str = "
project: today
version: 1
---
entity: account
source: account
key: account_id
dimensions: {segment: string}
---
entity: decision
source: decision
key: decision_id
freshness: {ttl: 1h}
time: {notice_on: {}, due_on: {}}
relationships: {account: {to: account, key: account_id}}
measures:
  value: {sum: value}
  decidable: {sum: value, where: notice_on >= today}
  overdue: {count: rows, where: due_on < today, time: due_on}
  days_left: {max: \"days_between(today, due_on)\", where: notice_on >= today}
---
metrics:
  value: {measure: decision.value}
  decidable: {measure: decision.decidable, empty: zero}
  decidable_share: {ratio: decidable / value}
  decidable_ytd: {cumulative: {of: decidable, to_date: year}}
  decidable_month_before: {offset: {of: decidable, by: 1 month}}
  open_accounts: {per_entity: {entity: account, where: decidable > 0}}
  overdue: {measure: decision.overdue, empty: zero}
  days_left: {measure: decision.days_left}
---
view: calendar
metrics: [value, decidable, decidable_share, decidable_ytd, decidable_month_before, open_accounts, overdue, days_left]
dimensions: [account.segment]
";

async fn desk(settings: &EngineSettings) -> Desk {
    let tables = [
        table("account", "account_id text, segment text", "a large\n b small"),
        table(
            "decision",
            "decision_id int, account_id text, notice_on date, due_on date, value decimal",
            "1 a 2025-04-30 2025-05-31 1.5
             2 a 2025-05-01 2025-06-30 20
             3 a 2025-05-02 2025-06-30 300
             4 b 2025-05-31 2025-07-31 4000
             5 b 2025-06-15 2025-05-15 50000
             6 b -          2025-04-01 600000",
        ),
    ];
    Desk::with(&api(&model(definitions(DEFINITIONS))), &tables, settings).await
}

const RANGE: &str = r#"range: {between: {from: "2025-04-01", to: "2025-07-01"}}"#;

#[tokio::test]
async fn rows_of_every_period_are_compared_with_one_day() {
    let desk = desk(&EngineSettings { cache_bytes: 0, ..EngineSettings::default() }).await;
    for today in ["2025-04-30", "2025-05-01", "2025-05-02", "2025-07-01"] {
        let document = format!(
            "{{ calendar(by: [{{time: {{grain: MONTH}}}}], {RANGE}, asOf: \"{today}\") {{ rows {{ period(grain: MONTH) {{ start }} \
             value decidable decidableShare decidableYtd decidableMonthBefore openAccounts daysLeft }} totals {{ decidable }} }} }}"
        );
        let by_hand = format!(
            "with n as (
               select date_trunc('month', notice_on)::date as m, sum(value) as value,
                      coalesce(sum(value) filter (where notice_on >= date '{today}'), 0) as left_of_it,
                      sum(value) filter (where notice_on >= date '{today}') as known,
                      count(distinct account_id) filter (where notice_on >= date '{today}') as accounts,
                      max(due_on - date '{today}') filter (where notice_on >= date '{today}') as days
               from decision where notice_on is not null group by 1)
             select m, value, left_of_it, round(left_of_it / value, 16), sum(known) over (order by m),
                    coalesce((select b.left_of_it from n b where b.m = (n.m - interval '1 month')::date), 0), accounts, days
             from n order by m"
        );
        let answer = desk.check("calendar", &document, &by_hand).await;
        let total = format!("select sum(value) from decision where notice_on >= date '{today}'");
        let found = answer.at("/data/calendar/totals/decidable").as_str().expect("a number as text").to_owned();
        let expected = desk.by_hand(&format!("select coalesce(({total}), 0)")).await;
        assert_eq!(vec![vec![found]], expected, "{today}");
    }
}

#[tokio::test]
async fn a_comparison_does_not_move_today() {
    let desk = desk(&EngineSettings { cache_bytes: 0, ..EngineSettings::default() }).await;
    let document = r#"{ calendar(range: {between: {from: "2025-05-01", to: "2025-06-01"}}, asOf: "2025-05-02", compare: {previousPeriods: 1}) {
        rows { value decidable compare { value { previous } decidable { previous } } } } }"#;
    assert_eq!(desk.ask(document).await.rows("calendar"), [["4320", "4300", "1.5", "0"]]);
    let overdue = r#"{ calendar(by: [{dimension: SEGMENT}], asOf: "2025-05-31") { rows { segment overdue } } }"#;
    let by_hand = "select segment, count(*) filter (where due_on < date '2025-05-31') from decision join account using (account_id) group by 1 order by 1";
    desk.check("calendar", overdue, by_hand).await;
}

#[tokio::test]
async fn an_answer_that_is_kept_is_that_of_its_day() {
    let desk = desk(&EngineSettings::default()).await;
    let ask = |day: &str| format!("{{ calendar({RANGE}, asOf: \"{day}\") {{ rows {{ decidable }} provenance {{ cache }} }} }}");
    for (day, decidable, cache) in [
        ("2025-05-01", "54320", "MISS"),
        ("2025-05-02", "54300", "MISS"),
        ("2025-05-01", "54320", "HIT"),
        ("2025-06-16", "0", "MISS"),
        ("2025-05-02", "54300", "HIT"),
    ] {
        let answer = desk.ask(&ask(day)).await;
        assert_eq!(answer.rows("calendar"), [[decidable]], "{day}");
        assert_eq!(answer.at("/data/calendar/provenance/cache"), cache, "{day}");
    }
}
