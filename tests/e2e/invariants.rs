//! The ten invariants of the domain, over generated data on both warehouses.
//!
//! | what holds | which test |
//! | --- | --- |
//! | the bridge closes at every grain | `movements_properties::bridges_close_and_only_gross_amounts_depend_on_the_grain`, with transfers and rates `bridges_close_with_transfers_and_rates_and_all_that_leaves_arrives` |
//! | net movement is the same at every grain | the same two |
//! | gross loss does not fall as the grain gets finer | `movements_properties::bridges_close_and_only_gross_amounts_depend_on_the_grain` |
//! | GRR is at most 1 and at most NRR, by component at most by account | the same; step by step `what_is_retained_month_by_month_is_what_no_member_fell_below` |
//! | transfers add up to nothing over all members | `movements_properties::bridges_close_with_transfers_and_rates_and_all_that_leaves_arrives` |
//! | utilization and shelfware add up to one on metered value | `used_and_unused_are_the_whole_of_what_is_metered` |
//! | neither the order of rows nor an unrelated fact changes anything | `movements_properties::the_order_of_rows_and_an_unrelated_fact_change_nothing` |
//! | an answer from the cache is the answer | `movements_properties::an_answer_from_the_cache_is_the_answer` |
//! | a total is what finer answers add up to where they add up, and is computed where they do not | `totals_are_the_sum_of_rows_where_rows_add_up` |
//! | shifting all dates and the time zone together changes nothing | `days_and_zone_shifted_together_change_nothing` |

use holdfast_schema::value::Value;
use holdfast_server::demo;
use holdfast_tests::{
    desk::{Desk, api, definitions, model, without_cache},
    tables::table,
};
use holdfast_warehouse::table::Table;
use jiff::{Timestamp, ToSpan as _, civil::Date, civil::date, tz::TimeZone};
use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_oneof},
};

use crate::{cases::SHIPPED, property::property};

/// Generated warehouses per property.
const CASES: u32 = 4;

/// A decimal in units of the sixteenth place.
fn exact(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    sign * format!("{whole}{fraction:0<16}").parse::<i128>().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// The demo's tables with rows in some of their columns.
fn shipped_tables(rows: &[(&str, Vec<(&str, Value)>)]) -> Vec<Table> {
    let mut tables = demo::layout();
    for (name, cells) in rows {
        let table = tables.iter_mut().find(|table| table.name == *name).expect("the demo has the table");
        let cell = |column: &str| cells.iter().find(|(name, _)| *name == column).map_or(Value::Null, |(_, value)| value.clone());
        let row: Vec<Value> = table.columns.iter().map(|column| cell(&column.name)).collect();
        table.push(&row);
    }
    tables
}

#[test]
fn used_and_unused_are_the_whole_of_what_is_metered() {
    // What is paid, contracted and used of a component in each of two months; nothing contracted, or nothing known of use, is not metered.
    let cell = (1_i64..90_000, 0_i64..300, prop_oneof![4 => (0_i64..400).prop_map(Some), 1 => any::<bool>().prop_map(|_| None)]);
    property(CASES, vec((cell.clone(), cell), 2..9), async |components| {
        let text = |value: String| Value::Text(value);
        let mut rows = Vec::new();
        for account in 0..3 {
            let known = [("account_id", text(format!("a{account}"))), ("valid_from", Value::Date(date(2024, 1, 1)))];
            rows.push(("account", [&known[..], &[("name", text(format!("n{account}")))]].concat()));
        }
        for (number, (first, second)) in components.iter().enumerate() {
            for (month, (paid, contracted, used)) in [(date(2025, 1, 31), first), (date(2025, 2, 28), second)] {
                rows.push((
                    "component_value_month",
                    vec![
                        ("component_id", text(format!("c{number}"))),
                        ("account_id", text(format!("a{}", number % 3))),
                        ("month", Value::Date(month)),
                        ("mrr", Value::Int(*paid)),
                        ("contracted_value", Value::Int(*paid)),
                        ("contracted_qty", Value::Int(*contracted)),
                        ("consumed_qty", used.map_or(Value::Null, Value::Int)),
                        ("quantity_unit", text("seat".to_owned())),
                    ],
                ));
            }
        }
        let desk = Desk::with(&SHIPPED, &shipped_tables(&rows), &without_cache()).await;
        let shown = "contractUtilizationScore shelfwareRate usedValue shelfwareValue meteredValue";
        for by in ["{dimension: NAME}, {time: {grain: MONTH}}", "{time: {grain: MONTH}}", ""] {
            let range = r#"range: {between: {from: "2025-01-01", to: "2025-03-01"}}"#;
            for row in
                desk.ask(&format!("{{ utilization(by: [{by}], {range}) {{ rows {{ {shown} }} }} }}")).await.rows("utilization")
            {
                let [score, rate, used, unused, metered] = row.try_into().expect("five values");
                if metered == "null" || metered == "0" {
                    assert_eq!((score.as_str(), rate.as_str()), ("null", "null"));
                    continue;
                }
                // Each component's part is rounded once, and each of the two rates.
                let slack = components.len() as i128 * 4;
                assert!((exact(&used) + exact(&unused) - exact(&metered)).abs() <= slack, "{used} + {unused} = {metered}");
                assert!((exact(&score) + exact(&rate) - exact("1")).abs() <= slack, "{score} + {rate} = 1");
            }
        }
    });
}

const SHOP: &str = "
project: invariants
version: 1
---
entity: visit
source: visit
key: visit_id
dimensions: {kind: string}
time: {at: {type: timestamp, column: at}}
measures:
  visits: {count: rows}
  spent: {sum: spent}
  visitors: {count_distinct: visitor}
  highest: {max: spent}
---
entity: balance
source: balance
key: [kind, month]
time: {month: {grain: month, snapshot: end_of_period}}
dimensions: {kind: string}
measures:
  worth: {sum: worth, over_time: last}
---
metrics:
  visits: {measure: visit.visits}
  spent: {measure: visit.spent}
  visitors: {measure: visit.visitors}
  highest: {measure: visit.highest}
  worth: {measure: balance.worth}
---
view: shop
metrics: [visits, spent, visitors, highest]
dimensions: [visit.kind]
---
view: book
metrics: [worth]
dimensions: [balance.kind]
";

/// Visits: minutes after the beginning of March 2025, a kind, a visitor, cents.
type Visits = Vec<(i64, u8, u8, i64)>;

fn visits() -> impl Strategy<Value = Visits> {
    vec((0_i64..60 * 24 * 60, 0_u8..3, 0_u8..5, -5_000_i64..90_000), 1..40)
}

/// The visits with each day moved by `days`, as clocks of a zone show them.
fn shop(visits: &Visits, days: i64, zone: &TimeZone) -> Vec<Table> {
    let mut rows = String::new();
    for (number, (minutes, kind, visitor, cents)) in visits.iter().enumerate() {
        let clock = (date(2025, 3, 1) + days.days()).at(0, 0, 0, 0) + minutes.minutes();
        let at: Timestamp = zone.to_ambiguous_timestamp(clock).compatible().expect("a time of this century");
        let (whole, rest) = (cents.abs() / 100, cents.abs() % 100);
        rows += &format!("{number} k{kind} v{visitor} {at} {}{whole}.{rest:02}\n", if *cents < 0 { "-" } else { "" });
    }
    let balances: String = (0..3)
        .flat_map(|kind| [(kind, "2025-03-31"), (kind, "2025-04-30")])
        .map(|(kind, month)| format!("k{kind} {month} {}\n", kind * 7 + 1))
        .collect();
    vec![
        table("visit", "visit_id int, kind text, visitor text, at timestamp, spent decimal", &rows),
        table("balance", "kind text, month date, worth decimal", &balances),
    ]
}

#[test]
fn totals_are_the_sum_of_rows_where_rows_add_up() {
    let api = api(&model(definitions(SHOP)));
    property(CASES, visits(), async |visits| {
        let desk = Desk::with(&api, &shop(&visits, 0, &TimeZone::UTC), &without_cache()).await;
        for by in ["{dimension: KIND}", "{time: {grain: DAY}}", "{dimension: KIND}, {time: {grain: MONTH}}"] {
            let cells = "visits spent visitors highest";
            let answer =
                desk.ask(&format!("{{ shop(by: [{by}], limit: 1000) {{ rows {{ {cells} }} totals {{ {cells} }} }} }}")).await;
            let (rows, totals) = (answer.rows("shop"), answer.totals("shop"));
            let column = |place: usize| rows.iter().map(move |row| exact(&row[place]));
            assert_eq!(column(0).sum::<i128>(), exact(&totals[0]), "rows add up by {by}");
            assert_eq!(column(1).sum::<i128>(), exact(&totals[1]), "amounts add up by {by}");
            let distinct: std::collections::BTreeSet<u8> = visits.iter().map(|(_, _, visitor, _)| *visitor).collect();
            assert_eq!(totals[2], distinct.len().to_string(), "visitors are counted, not added up, by {by}");
            assert_eq!(column(3).max(), Some(exact(&totals[3])), "the highest of all is the highest of the highest by {by}");
        }
        let answer =
            desk.ask("{ book(by: [{dimension: KIND}, {time: {grain: MONTH}}]) { rows { kind worth } totals { worth } } }").await;
        let last: i128 = answer.rows("book").iter().skip(1).step_by(2).map(|row| exact(&row[1])).sum();
        assert_eq!(last, exact(&answer.totals("book")[0]), "balances add up over kinds, and not over months");
    });
}

#[test]
fn days_and_zone_shifted_together_change_nothing() {
    let api = api(&model(definitions(SHOP)));
    property(CASES, (visits(), -400_i64..400), async |(visits, days)| {
        let mut answers: Vec<Vec<Vec<String>>> = Vec::new();
        for (zone, days) in [("UTC", 0), ("UTC", days), ("Asia/Kolkata", 0), ("Asia/Kolkata", days)] {
            let of_zone = TimeZone::get(zone).expect("the zone is known");
            let desk = Desk::with(&api, &shop(&visits, days, &of_zone), &without_cache()).await;
            let document = format!(
                r#"{{ shop(by: [{{dimension: KIND}}, {{time: {{grain: DAY}}}}], timeZone: "{zone}", limit: 1000) {{
                     rows {{ period(grain: DAY) {{ start }} kind visits spent visitors highest }} }} }}"#
            );
            let mut rows = desk.ask(&document).await.rows("shop");
            for row in &mut rows {
                let day: Date = row[0].parse().expect("a day");
                row[0] = (day - days.days()).to_string();
            }
            answers.push(rows);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    });
}
