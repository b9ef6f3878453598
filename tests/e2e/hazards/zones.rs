//! Days of instants begin where the question says: in periods, ranges and conditions alike.

use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;

const DEFINITIONS: &str = "
project: zones
version: 1
time_zone: Asia/Kolkata
---
entity: cancellation
source: cancellation
key: cancellation_id
dimensions: {note: string}
time: {effective: {type: timestamp, column: effective_at}}
measures: {cancellations: {count: rows}}
---
metrics:
  ended: {measure: cancellation.cancellations}
---
view: endings
metrics: [ended]
dimensions: [cancellation.effective, cancellation.note]
";

/// One at the turn of a month, and some around the days of 23 and 25 hours in two zones.
fn tables() -> Vec<Table> {
    vec![table(
        "cancellation",
        "cancellation_id text, note text, effective_at timestamp",
        "1 turn   2025-02-01T03:30:00Z
         2 berlin 2025-03-29T22:59:59Z
         3 berlin 2025-03-29T23:00:00Z
         4 berlin 2025-03-30T00:59:59Z
         5 berlin 2025-03-30T01:00:00Z
         6 berlin 2025-03-30T21:59:59Z
         7 berlin 2025-03-30T22:00:00Z
         8 york   2025-03-09T04:59:59Z
         9 york   2025-03-09T05:00:00Z
        10 york   2025-03-10T03:59:59Z
        11 york   2025-03-10T04:00:00Z
        12 autumn 2025-10-25T22:00:00Z
        13 autumn 2025-10-26T22:59:59Z
        14 autumn 2025-10-26T23:00:00Z
        15 none   -",
    )]
}

#[tokio::test]
async fn a_cancellation_belongs_to_the_month_of_the_zone_that_asks() {
    let desk = Desk::open(definitions(DEFINITIONS), &tables()).await;
    for (zone, month) in [("America/New_York", "2025-01"), ("UTC", "2025-02"), ("Asia/Singapore", "2025-02")] {
        let periods = desk
            .check(
                "endings",
                &format!(
                    r#"{{ endings(by: [{{time: {{grain: MONTH}}}}], timeZone: "{zone}", range: {{between: {{from: "2025-01-01", to: "2025-03-01"}}}}) {{
                         rows {{ period(grain: MONTH) {{ label }} ended }} }} }}"#
                ),
                &format!(
                    "select to_char(effective_at at time zone '{zone}', 'YYYY-MM'), count(*) from cancellation
                     where effective_at at time zone '{zone}' >= '2025-01-01' and effective_at at time zone '{zone}' < '2025-03-01' group by 1 order by 1"
                ),
            )
            .await;
        assert_eq!(periods.rows("endings"), [[month, "1"]], "{zone}");
        for (from, to, is_there) in
            [("2025-01-01", "2025-02-01", month == "2025-01"), ("2025-02-01", "2025-03-01", month == "2025-02")]
        {
            let condition = format!(r#"effective: {{inRange: {{between: {{from: "{from}", to: "{to}"}}}}}}"#);
            for document in [
                format!(r#"{{ endings(by: [], timeZone: "{zone}", where: {{{condition}}}) {{ rows {{ ended }} }} }}"#),
                format!(r#"{{ endings(by: [], timeZone: "{zone}") {{ rows {{ ended(where: {{{condition}}}) }} }} }}"#),
            ] {
                let rows = desk.ask(&document).await.rows("endings");
                assert_eq!(rows, [[if is_there { "1" } else { "0" }]], "{document}");
            }
        }
    }
}

#[tokio::test]
async fn a_condition_on_a_day_of_23_or_25_hours_holds_for_all_of_it() {
    let desk = Desk::open(definitions(DEFINITIONS), &tables()).await;
    for (zone, day, next) in [
        ("Europe/Berlin", "2025-03-30", "2025-03-31"),
        ("Europe/Berlin", "2025-10-26", "2025-10-27"),
        ("America/New_York", "2025-03-09", "2025-03-10"),
        ("America/New_York", "2025-03-30", "2025-03-31"),
        ("UTC", "2025-03-30", "2025-03-31"),
        ("Asia/Kolkata", "2025-03-30", "2025-03-31"),
    ] {
        for form in ["between: {", "inRange: {between: {"] {
            let closing = if form.contains("inRange") { "}}" } else { "}" };
            let condition = format!(r#"effective: {{{form}from: "{day}", to: "{next}"{closing}}}"#);
            desk.check(
                "endings",
                &format!(
                    r#"{{ endings(by: [{{dimension: NOTE}}], timeZone: "{zone}", where: {{{condition}}}) {{ rows {{ note ended }} }} }}"#
                ),
                &format!(
                    "select note, count(*) from cancellation where (effective_at at time zone '{zone}')::date = '{day}' group by 1 order by 1"
                ),
            )
            .await;
        }
    }
    // Lists of rows have no zone of their own: theirs is the project's.
    let listed = desk
        .ask(r#"{ cancellations(first: 20, where: {effective: {between: {from: "2025-03-30", to: "2025-03-31"}}}) { nodes { id } totalCount } }"#)
        .await;
    let by_hand = desk
        .by_hand("select count(*) from cancellation where (effective_at at time zone 'Asia/Kolkata')::date = '2025-03-30'")
        .await;
    assert_eq!(listed.at("/data/cancellations/totalCount").to_string(), by_hand[0][0]);
}

const VERSIONS: &str = "
project: zones
version: 1
time_zone: America/New_York
---
entity: account
source: account
key: account_id
valid: {from: valid_from, to: valid_to}
dimensions:
  tier: string
  valid_from: {type: timestamp, hidden: true}
  valid_to: {type: timestamp, hidden: true}
---
entity: visit
source: visit
key: visit_id
time: {at: {type: timestamp}}
relationships: {account: {to: account, key: account_id}}
measures: {visits: {count: rows}}
---
metrics: {visits: {measure: visit.visits}}
---
view: visiting
metrics: [visits]
dimensions: [account.tier]
";

#[tokio::test]
async fn a_version_that_begins_at_an_instant_holds_from_its_day_in_the_zone_that_asks() {
    let tables = [
        // Midnight of 1 March in New York, and in Kolkata; the third version is replaced within a day, the last for ever.
        table(
            "account",
            "account_id text, tier text, valid_from timestamp, valid_to timestamp",
            "a1 basic   2020-01-01T05:00:00Z 2025-03-01T05:00:00Z
             a1 premium 2025-03-01T05:00:00Z 2025-03-31T18:30:00Z
             a1 short   2025-03-31T18:30:00Z 2025-03-31T20:30:00Z
             a1 last    2025-03-31T20:30:00Z 9999-12-30T00:00:00Z",
        ),
        table(
            "visit",
            "visit_id int, account_id text, at timestamp",
            "1 a1 2025-02-28T12:00:00Z
             2 a1 2025-03-01T04:59:59Z
             3 a1 2025-03-01T05:00:00Z
             4 a1 2025-03-01T23:30:00Z
             5 a1 2025-03-02T12:00:00Z
             6 a1 2025-03-31T12:00:00Z
             7 a1 2025-04-01T12:00:00Z",
        ),
    ];
    let desk = Desk::open(definitions(VERSIONS), &tables).await;
    for zone in ["America/New_York", "UTC", "Asia/Kolkata", "Asia/Singapore"] {
        desk.check(
            "visiting",
            &format!(r#"{{ visiting(by: [{{dimension: TIER}}], timeZone: "{zone}") {{ rows {{ tier visits }} }} }}"#),
            &format!(
                "select tier, count(*) from visit v join account a on a.account_id = v.account_id
                  and (a.valid_from at time zone '{zone}')::date <= (v.at at time zone '{zone}')::date
                  and (a.valid_to at time zone '{zone}')::date > (v.at at time zone '{zone}')::date
                 group by 1 order by 1"
            ),
        )
        .await;
    }
    let at_home = desk.ask(r#"{ visiting(by: [{dimension: TIER}]) { rows { tier visits } } }"#).await;
    assert_eq!(at_home.rows("visiting"), [["basic", "2"], ["last", "2"], ["premium", "3"]]);
}
