//! Effective-dated rows on a day, as known on a day.

use holdfast_schema::{query::EntityQuery, value::Value};
use jiff::civil::{Date, date};

use super::{Desk, Row, below, list, text};

fn at(day: Date, known: Option<&str>, query: EntityQuery) -> EntityQuery {
    EntityQuery { as_of: day, as_known_at: known.map(|text| text.parse().unwrap()), ..query }
}

fn prices(amounts: &[(&str, i64)]) -> Vec<Row> {
    amounts.iter().map(|(price, amount)| vec![text(*price), Value::Decimal(amount.to_string())]).collect()
}

#[tokio::test]
async fn one_version_of_each_row_on_the_day_as_known_then() {
    let desk = Desk::open().await;
    let january = date(2026, 1, 31);
    let february = date(2026, 2, 1);
    for (day, known, expected) in [
        (january, None, prices(&[("p1", 110), ("p2", 50)])),
        (january, Some("2026-03-01T00:00:00Z"), prices(&[("p1", 100), ("p2", 50)])),
        (february, None, prices(&[("p1", 120)])),
        (february, Some("2026-03-01T00:00:00Z"), prices(&[("p1", 120), ("p2", 50)])),
        (february, Some("2026-01-15T00:00:00Z"), prices(&[("p2", 50)])),
        (date(2025, 12, 31), None, Vec::new()),
    ] {
        assert_eq!(desk.ask(&at(day, known, list("price", &["amount"]))).await, expected, "{day} {known:?}");
    }
}

#[tokio::test]
async fn a_parent_leads_where_it_led_on_the_day() {
    let desk = Desk::open().await;
    let query = below("price", "contract", vec![vec![text("p1")]], list("contract", &[]));
    assert_eq!(desk.ask(&at(date(2026, 1, 31), None, query.clone())).await, [[text("p1"), text("c01")]]);
    assert_eq!(desk.ask(&at(date(2026, 2, 1), None, query)).await, [[text("p1"), text("c02")]]);
}
