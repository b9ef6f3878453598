//! Lists walked page by page, forwards and backwards, against sorting in memory.

use std::cmp::Ordering;

use holdfast_schema::{
    compile::EntityColumn,
    query::{Comparator, Direction, EntityOrderBy, EntityQuery, Filter, Nulls, Page, TextTest},
    value::{Value, ValueType},
};

use super::{Desk, Row, by, compile, list, only, text};

const DIRECTIONS: [Direction; 2] = [Direction::Ascending, Direction::Descending];
const NULLS: [Option<Nulls>; 3] = [None, Some(Nulls::First), Some(Nulls::Last)];

/// Columns of an answer without dimensions: one key column, then those of the order.
fn sorted(mut rows: Vec<Row>, order: &[EntityOrderBy]) -> Vec<Row> {
    rows.sort_by(|left, right| {
        for (position, part) in order.iter().enumerate() {
            let (left, right) = (&left[position + 1], &right[position + 1]);
            let ordering = match (*left == Value::Null, *right == Value::Null, part.nulls, part.direction) {
                (true, true, ..) => Ordering::Equal,
                (true, false, Some(Nulls::First), _) | (false, true, Some(Nulls::Last) | None, _) => Ordering::Less,
                (true, false, ..) | (false, true, ..) => Ordering::Greater,
                (false, false, _, Direction::Ascending) => compare(left, right),
                (false, false, _, Direction::Descending) => compare(right, left),
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        left[0].cmp(&right[0])
    });
    rows
}

/// Decimals are text, and these have at most sixteen places.
fn compare(left: &Value, right: &Value) -> Ordering {
    let exact = |value: &Value| match value {
        Value::Decimal(text) => {
            let (whole, places) = text.split_once('.').unwrap_or((text, ""));
            Some(format!("{whole}{places:0<16}").parse::<i128>().unwrap())
        }
        _ => None,
    };
    match (exact(left), exact(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

fn cursor(row: &Row) -> Option<Vec<Value>> {
    Some(row[1..].iter().chain([&row[0]]).cloned().collect())
}

async fn walk(desk: &Desk, query: &EntityQuery, size: u64) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    let mut page = Page { limit: size, ..query.page.clone() };
    loop {
        let mut rows = desk.ask(&EntityQuery { page: page.clone(), ..query.clone() }).await;
        let more = rows.len() as u64 > size;
        rows.truncate(size as usize);
        all.extend(rows);
        if !more {
            return all;
        }
        let end = cursor(all.last().unwrap());
        if page.backwards { page.before = end } else { page.after = end }
    }
}

/// Walks a list with one key column and no dimensions, in both directions.
pub(super) async fn check_walks(desk: &Desk, query: EntityQuery) {
    let whole = sorted(desk.ask(&EntityQuery { order_by: query.order_by.clone(), ..query.clone() }).await, &query.order_by);
    assert!(whole.len() > 20);
    assert_eq!(walk(desk, &query, 7).await, whole, "{:?}", query.order_by);
    let mut backwards = query.clone();
    backwards.page.backwards = true;
    let mut reversed = walk(desk, &backwards, 9).await;
    reversed.reverse();
    assert_eq!(reversed, whole, "{:?} backwards", query.order_by);
}

#[tokio::test]
async fn every_direction_and_place_of_nulls_pages_through_the_sorted_list() {
    let desk = Desk::open().await;
    for direction in DIRECTIONS {
        for nulls in NULLS {
            for (entity, key) in [("account", "renews_on"), ("account", "name"), ("contract", "value"), ("contract", "signed_at")] {
                let order_by = vec![by(key, direction, nulls)];
                check_walks(&desk, EntityQuery { order_by, ..list(entity, &[]) }).await;
            }
        }
    }
}

#[tokio::test]
async fn mixed_orders_page_through_the_sorted_list() {
    let desk = Desk::open().await;
    for (first, second) in [(0, 1), (1, 0), (1, 1)] {
        for (nulls, other) in [(Some(Nulls::First), None), (None, Some(Nulls::First))] {
            let order_by = vec![
                by("tier", DIRECTIONS[first], nulls),
                by("renews_on", DIRECTIONS[second], other),
                by("parent.name", DIRECTIONS[first], other),
            ];
            check_walks(&desk, EntityQuery { order_by, ..list("account", &[]) }).await;
        }
    }
}

#[tokio::test]
async fn a_page_may_lie_between_two_cursors() {
    let desk = Desk::open().await;
    let order_by = vec![by("renews_on", Direction::Descending, Some(Nulls::First))];
    let query = EntityQuery { order_by, ..list("account", &[]) };
    let whole = desk.ask(&query).await;
    let page = Page { after: cursor(&whole[4]), before: cursor(&whole[30]), ..query.page.clone() };
    assert_eq!(desk.ask(&EntityQuery { page: page.clone(), ..query.clone() }).await, whole[5..30]);
    let last = Page { limit: 3, offset: 2, backwards: true, ..page };
    let expected: Vec<Row> = whole[24..28].iter().rev().cloned().collect();
    assert_eq!(desk.ask(&EntityQuery { page: last, ..query }).await, expected);
}

#[tokio::test]
async fn filters_mean_what_sql_means_and_counts_agree() {
    let desk = Desk::open().await;
    let compare = |operator, field: &str, value| Filter::Compare { field: field.to_owned(), operator, value };
    let odd = "it's \"50%\" _off\\";
    let matches = |test, text: &str| Filter::Matches { field: "name".to_owned(), test, text: text.to_owned() };
    for (filter, sql) in [
        (
            Filter::Not(Box::new(compare(Comparator::Equal, "region", text("emea")))),
            "select account_id from crm.account where not (region = 'emea') order by account_id",
        ),
        (
            Filter::Or(vec![
                compare(Comparator::GreaterOrEqual, "tier", Value::Int(2)),
                Filter::IsNull { field: "renews_on".to_owned(), is_null: true },
            ]),
            "select account_id from crm.account where tier >= 2 or renews_on is null order by account_id",
        ),
        (
            Filter::In { field: "name".to_owned(), values: vec![text("Alder"), text(odd)], negated: true },
            "select account_id from crm.account where name not in ('Alder', 'it''s \"50%\" _off\\') order by account_id",
        ),
        (
            matches(TextTest::Contains, "50%\" _off\\"),
            "select account_id from crm.account where name = 'it''s \"50%\" _off\\' order by account_id",
        ),
        (
            matches(TextTest::LikeIgnoringCase, "%BIR_h"),
            "select account_id from crm.account where name = 'Birch' order by account_id",
        ),
        (matches(TextTest::StartsWith, "%"), "select account_id from crm.account where false"),
        (Filter::Or(Vec::new()), "select account_id from crm.account where false"),
        (Filter::And(Vec::new()), "select account_id from crm.account order by account_id"),
        (
            compare(Comparator::Less, "parent.renews_on", text("2026-03-01")),
            "select a.account_id from crm.account a join crm.account p on p.account_id = a.parent_id \
             where p.renews_on < date '2026-03-01' order by a.account_id",
        ),
    ] {
        let query = only(list("account", &[]), filter);
        let rows = desk.ask(&query).await;
        assert_eq!(rows, desk.by_hand(sql, &[ValueType::Text]).await, "{:?}", query.filter);
        assert_eq!(desk.count(&query).await, [vec![Value::Int(rows.len() as i64)]]);
    }
}

/// Engines build a tree as deep as a chain is long, and walk it by recursion.
#[tokio::test]
async fn long_lists_of_conditions_do_not_exhaust_the_engines() {
    let desk = Desk::open().await;
    let line = |value| Filter::Compare { field: "line".to_owned(), operator: Comparator::Equal, value: Value::Int(value) };
    let components = desk.ask(&list("component", &[])).await.len();
    let any = Filter::Or((1..1_500).map(line).collect());
    assert_eq!(desk.ask(&only(list("component", &[]), any)).await.len(), components);
    let none = Filter::And((1_000..2_500).map(|value| Filter::Not(Box::new(line(value)))).collect());
    assert_eq!(desk.ask(&only(list("component", &[]), none)).await.len(), components);
}

#[tokio::test]
async fn columns_are_what_they_are_said_to_be() {
    let desk = Desk::open().await;
    let query = EntityQuery {
        order_by: vec![by("name", Direction::Descending, None)],
        ..list("component", &["name", "contract.value", "contract.account"])
    };
    let compiled = compile::entities(&desk.model, &query, &desk.caller, desk.warehouses[0].dialect()).unwrap();
    use EntityColumn::{Dimension, Key, Order};
    assert_eq!(compiled.columns, [Key(0), Key(1), Dimension(0), Dimension(1), Dimension(2), Order(0)]);
    let sql = "select k.contract_id, k.line, k.name, c.value, a.account_id, k.name as o \
               from crm.component k left join crm.contract c on c.contract_id = k.contract_id \
               left join crm.account a on a.account_id = c.account_id \
               order by k.name desc nulls last, k.contract_id, k.line";
    let types = [ValueType::Text, ValueType::Int, ValueType::Text, ValueType::Decimal, ValueType::Text, ValueType::Text];
    assert_eq!(desk.ask(&query).await, desk.by_hand(sql, &types).await);
}
