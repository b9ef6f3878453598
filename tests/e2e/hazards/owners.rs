//! Owners of movements that are attributes: what belongs together without being an entity.

use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};

const DEFINITIONS: &str = "
project: owners
version: 1
---
entity: account
source: account
key: account_id
dimensions: {segment: string, began: date}
---
entity: balance
source: balance
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures: {mrr: {sum: mrr, over_time: last}}
movements: {owner: account, cohort: began, grains: {account: [account], segment: [account.segment]}}
---
metrics:
  opening: {cohort: {of: balance.mrr, take: opening}}
  retained: {cohort: {of: balance.mrr, take: retained, over: life}}
---
view: lives
metrics: [opening, retained]
dimensions: [account.segment]
";

/// One lifetime per segment; accounts without a segment are one owner too.
const BY_HAND: &str = "
with began as (select segment, date_trunc('month', min(began))::date as began from account group by 1),
s as (
  select a.segment, g.began,
         (extract(year from b.month) - extract(year from g.began)) * 12 + extract(month from b.month) - extract(month from g.began) as age,
         sum(b.mrr) as mrr
  from balance b join account a using (account_id) join began g on g.segment is not distinct from a.segment
  group by 1, 2, 3)
select o.began, l.age, sum(o.mrr), sum(least(o.mrr, l.mrr))
from s o join s l on l.segment is not distinct from o.segment where o.age = 0 and l.age = 1
group by 1, 2 order by 1, 2";

#[tokio::test]
async fn a_segment_began_with_its_first_account() {
    let tables = [
        table(
            "account",
            "account_id text, segment text, began date",
            "a1 smb 2025-01-05
             a2 smb 2025-02-15
             a3 mid 2025-02-03
             a4 -   2025-02-20",
        ),
        table(
            "balance",
            "account_id text, month date, mrr decimal",
            "a1 2025-01-31 10
             a1 2025-02-28 4
             a2 2025-02-28 5
             a3 2025-02-28 7
             a3 2025-03-31 9
             a4 2025-02-28 30
             a4 2025-03-31 20",
        ),
    ];
    let desk = Desk::open(definitions(DEFINITIONS), &tables).await;
    let by = "[{cohort: {grain: MONTH}}, {age: {grain: MONTH, step: 1, upTo: 1}}]";
    desk.check(
        "lives",
        &format!(
            "{{ lives(by: {by}, asOf: \"2025-06-01\", movementGrain: SEGMENT) {{ rows {{ cohort(grain: MONTH) {{ start }} age opening retained }} }} }}"
        ),
        BY_HAND,
    )
    .await;
}
