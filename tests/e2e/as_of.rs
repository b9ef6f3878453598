//! Rows seen from a day, on both warehouses: which rows are there, which is the latest, whose attributes they have, and who may see them.

use std::collections::BTreeMap;

use holdfast_schema::{query::Caller, value::Value};
use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;

const DEFINITIONS: &str = "
project: seen
version: 1
---
entity: account
source: account
key: account_id
valid: {from: valid_from, to: valid_to}
dimensions:
  segment: string
  region: string
measures:
  accounts: {count: rows, over_time: as_of}
---
entity: person
source: person
key: person_id
dimensions:
  role: string
relationships:
  account: {to: account, key: account_id}
---
entity: task
source: task
key: task_id
time: {due_on: {}, done_on: {}}
dimensions:
  value: decimal
  kind: string
relationships:
  account: {to: account, key: account_id}
measures:
  due: {count: rows, where: due_on <= as_of, over_time: as_of}
  done: {sum: case when done_on <= as_of then 1 else 0 end, where: due_on <= as_of, over_time: as_of}
  next: {min: \"days_between(as_of, due_on)\", where: due_on > as_of, over_time: as_of}
  value_left: {sum: \"value * greatest(days_between(as_of, due_on), 0) / 100\", over_time: as_of}
  made: {sum: value}
---
entity: opinion
source: opinion
key: opinion_id
time: {given_on: {}}
dimensions: {score: decimal, person_id: string}
relationships:
  account: {to: account, key: account_id}
  person: {to: person, key: person_id}
measures:
  latest: {avg: score, where: \"given_on <= as_of and given_on > add_days(as_of, -60)\", latest: {per: person_id, by: given_on}, over_time: as_of}
  people: {count: rows, where: \"given_on <= as_of and given_on > add_days(as_of, -60)\", latest: {per: person_id, by: given_on}, over_time: as_of}
---
metrics:
  accounts: {measure: account.accounts}
  due: {measure: task.due}
  due_calls: {measure: task.due, where: kind = 'call'}
  done: {measure: task.done}
  attainment: {ratio: done / due}
  due_before: {offset: {of: due, by: 1 month}}
  due_share: {share: {of: due}}
  next_task: {measure: task.next}
  value_left: {measure: task.value_left}
  made: {measure: task.made}
  made_ever: {cumulative: {of: made, window: all}}
  latest: {measure: opinion.latest}
  people: {measure: opinion.people}
  typical: {per_entity: {entity: account, of: due, aggregate: median}}
  lagging: {per_entity: {entity: account, where: attainment < 1}}
  spread: {expr: \"sqrt(value_left)\"}
---
view: chores
metrics: [due, due_calls, done, attainment, due_before, due_share, next_task, value_left, typical, lagging, spread, made, made_ever]
dimensions: [account, account.segment, task.kind]
---
view: voices
metrics: [latest, people]
dimensions: [account, account.segment, person.role]
---
view: customers
metrics: [accounts]
dimensions: [account.segment, account.region]
---
policies:
  own_regions:
    applies_to: account
    roles: csm
    rows: region in claims.regions
";

/// a1 becomes large in February and moves to another region in March; a2 stays; a3 begins in March.
fn tables() -> Vec<Table> {
    vec![
        table(
            "account",
            "account_id text, valid_from date, valid_to date, segment text, region text",
            "a1 2024-01-01 2025-02-10 small emea
             a1 2025-02-10 2025-03-20 large emea
             a1 2025-03-20 -          large apac
             a2 2024-01-01 -          small emea
             a3 2025-03-05 -          small emea",
        ),
        table("person", "person_id text, account_id text, role text", "p1 a1 boss\n p2 a1 user\n p3 a2 boss"),
        table(
            "task",
            "task_id text, account_id text, due_on date, done_on date, value decimal, kind text",
            "t1 a1 2025-01-15 2025-01-10 100   call
             t2 a1 2025-01-31 2025-02-03 50.25 call
             t3 a1 2025-02-28 -          7     visit
             t4 a1 2025-05-01 -          20    visit
             t5 a2 2025-02-01 2025-02-01 1     call
             t6 a2 2025-03-31 2025-04-15 2     -
             t7 a3 2025-03-10 -          3     call
             t8 -  2025-01-01 -          4     call
             t9 a2 -          -          5     call",
        ),
        table(
            "opinion",
            "opinion_id text, account_id text, person_id text, given_on date, score decimal",
            "o1 a1 p1 2025-01-05 10
             o2 a1 p1 2025-02-20 30
             o3 a1 p1 2025-02-20 40
             o4 a1 p2 2025-01-31 80
             o5 a2 p3 2025-03-31 -
             o6 a2 p3 2025-02-01 60",
        ),
    ]
}

const QUARTER: &str = r#"range: {between: {from: "2025-01-01", to: "2025-04-01"}}"#;

/// The last day of each month.
const DAYS: &str = "with d(period, day) as (values (date '2025-01-01', date '2025-01-31'), ('2025-02-01', '2025-02-28'), ('2025-03-01', '2025-03-31'))";

async fn desk() -> Desk {
    Desk::open(definitions(DEFINITIONS), &tables()).await
}

#[tokio::test]
async fn every_month_sees_all_rows_from_its_last_day_with_the_attributes_of_that_day() {
    let document = format!(
        "{{ chores(by: [{{time: {{grain: MONTH}}}}, {{dimension: SEGMENT}}], {QUARTER}) {{ rows {{ period(grain: MONTH) {{ start }} segment due done attainment nextTask valueLeft spread }} }} }}"
    );
    let check_sql = format!(
        "{DAYS}
         select period, segment, nullif(count(*) filter (where due_on <= day), 0),
                case when bool_or(due_on <= day) then count(*) filter (where due_on <= day and done_on <= day) end,
                round(count(*) filter (where due_on <= day and done_on <= day)::numeric / nullif(count(*) filter (where due_on <= day), 0), 16),
                min(due_on - day) filter (where due_on > day),
                sum(value * greatest(due_on - day, 0) / 100),
                round(sqrt(sum(value * greatest(due_on - day, 0) / 100) + 0.0000000000000000000000000000000000000000), 16)
         from d cross join task t left join account a on a.account_id = t.account_id and a.valid_from <= day and (a.valid_to is null or a.valid_to > day)
         group by 1, 2 order by 1, 2 nulls last"
    );
    desk().await.check("chores", &document, &check_sql).await;
}

#[tokio::test]
async fn earlier_days_shares_and_medians_are_seen_from_their_own_days() {
    let document = format!(
        "{{ chores(by: [{{time: {{grain: MONTH}}}}, {{dimension: ACCOUNT}}], {QUARTER}, where: {{account: {{isNull: false}}}}) {{ rows {{ period(grain: MONTH) {{ start }} account {{ id }} due dueBefore dueShare dueCalls }} }} }}"
    );
    let check_sql = format!(
        "{DAYS}, g as (
           select period, account_id, nullif(count(*) filter (where due_on <= day), 0) as due,
                  nullif(count(*) filter (where due_on <= (date_trunc('month', day) - interval '1 day')::date), 0) as before,
                  count(*) filter (where due_on <= day and kind = 'call') as calls
           from d cross join task where account_id is not null group by 1, 2)
         select period, 'account:' || account_id, due, before, round(due / sum(due) over (partition by period), 16), case when due > 0 then calls end
         from g where due > 0 or before > 0 order by 1, 2"
    );
    desk().await.check("chores", &document, &check_sql).await;
    let document = format!(
        "{{ chores(by: [{{time: {{grain: MONTH}}}}], {QUARTER}) {{ rows {{ period(grain: MONTH) {{ start }} typical lagging }} totals {{ typical lagging }} }} }}"
    );
    let check_sql = format!(
        "{DAYS}, g as (
           select period, account_id, count(*) as due, count(*) filter (where done_on <= day) as done
           from d join task on due_on <= day where account_id is not null group by 1, 2)
         select period, round((percentile_disc(0.5) within group (order by due) + percentile_disc(0.5) within group (order by due desc)) * 0.5, 16),
                count(*) filter (where done < due)
         from g group by 1 order by 1"
    );
    let answer = desk().await.check("chores", &document, &check_sql).await;
    assert_eq!(
        answer.at("/data/chores/totals"),
        &serde_json::json!({"typical": "2", "lagging": "3"}),
        "totals are seen from the last day"
    );
}

#[tokio::test]
async fn without_periods_rows_are_seen_from_the_end_of_the_range_or_from_today() {
    let desk = desk().await;
    let from_day = |day: &str| {
        format!(
            "select segment, count(*) from task t join account a on a.account_id = t.account_id and valid_from <= '{day}' and (valid_to is null or valid_to > '{day}') where due_on <= '{day}' group by 1 order by 1"
        )
    };
    let ask = |arguments: &str| {
        format!(
            "{{ chores(by: [{{dimension: SEGMENT}}], {arguments}, where: {{account: {{isNull: false}}}}) {{ rows {{ segment due }} }} }}"
        )
    };
    desk.check("chores", &ask(r#"range: {between: {from: "2025-01-01", to: "2025-02-11"}}"#), &from_day("2025-02-10")).await;
    desk.check("chores", &ask(r#"asOf: "2025-02-09""#), &from_day("2025-02-09")).await;
    let compared = r#"{ chores(by: [], range: {between: {from: "2025-02-01", to: "2025-03-01"}}, compare: {previousPeriods: 1}) { rows { due } } }"#;
    let answer = desk.ask(compared).await;
    assert_eq!(answer.rows("chores"), [["5"]]);
}

#[tokio::test]
async fn the_latest_row_per_key_is_chosen_before_anything_else() {
    let document = format!(
        "{{ voices(by: [{{time: {{grain: MONTH}}}}, {{dimension: ROLE}}], {QUARTER}) {{ rows {{ period(grain: MONTH) {{ start }} role latest people }} totals {{ people }} }} }}"
    );
    let check_sql = format!(
        "{DAYS}, chosen as (
           select distinct on (period, person_id) period, person_id, score
           from d join opinion on given_on <= day and given_on > day - 60
           order by period, person_id, given_on desc, opinion_id desc)
         select period, role, round(sum(score) / nullif(count(score), 0), 16), count(*)
         from chosen join person using (person_id) group by 1, 2 order by 1, 2"
    );
    desk().await.check("voices", &document, &check_sql).await;
}

#[tokio::test]
async fn an_entity_with_versions_is_counted_as_it_was_on_the_day() {
    let document = format!(
        "{{ customers(by: [{{time: {{grain: MONTH}}}}, {{dimension: REGION}}], {QUARTER}) {{ rows {{ period(grain: MONTH) {{ start }} region accounts }} }} }}"
    );
    let check_sql = format!(
        "{DAYS} select period, region, count(*) from d join account on valid_from <= day and (valid_to is null or valid_to > day) group by 1, 2 order by 1, 2"
    );
    desk().await.check("customers", &document, &check_sql).await;
}

#[tokio::test]
async fn a_restricted_caller_sees_what_is_theirs_now_as_it_was_then() {
    let regions = BTreeMap::from([("regions".to_owned(), vec![Value::Text("apac".to_owned())])]);
    let caller = Caller { roles: vec!["csm".to_owned()], claims: regions, ..Caller::default() };
    let desk = desk().await.asked_by(&caller);
    let document =
        format!("{{ chores(by: [{{time: {{grain: MONTH}}}}], {QUARTER}) {{ rows {{ period(grain: MONTH) {{ start }} due }} }} }}");
    let check_sql =
        format!("{DAYS} select period, count(*) from d join task on due_on <= day where account_id = 'a1' group by 1 order by 1");
    desk.check("chores", &document, &check_sql).await;
    let latest = format!("{{ voices(by: [], {QUARTER}) {{ rows {{ people }} }} }}");
    desk.check("voices", &latest, "select 2").await;
    let accounts = format!(
        "{{ customers(by: [{{time: {{grain: MONTH}}}}, {{dimension: REGION}}], {QUARTER}) {{ rows {{ period(grain: MONTH) {{ start }} region accounts }} }} }}"
    );
    let check_sql = format!(
        "{DAYS} select period, region, count(*) from d join account on valid_from <= day and (valid_to is null or valid_to > day) where account_id = 'a1' group by 1, 2 order by 1"
    );
    desk.check("customers", &accounts, &check_sql).await;
}

#[tokio::test]
async fn a_running_total_without_a_beginning_holds_what_came_before_the_range() {
    let document = r#"{ chores(by: [{time: {grain: MONTH}}], range: {between: {from: "2025-02-01", to: "2025-04-01"}}, fill: DENSE) { rows { period(grain: MONTH) { start } made madeEver } } }"#;
    let check_sql = format!(
        "{DAYS} select period, sum(value) filter (where due_on >= period and due_on <= day), sum(value) filter (where due_on <= day) from d, task where period >= '2025-02-01' group by 1 order by 1"
    );
    desk().await.check("chores", document, &check_sql).await;
}
