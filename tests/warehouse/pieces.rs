//! The embedded engine computes once what a statement reads several times: with the same rows as without.

use std::time::Duration;

use holdfast_schema::{sql::Param, value::Value};
use holdfast_server::{definitions::Origin, demo};
use holdfast_warehouse::{
    Limits, Warehouse as _,
    embedded::Embedded,
    table::{ColumnType, Table},
};

use crate::{metrics, shown, statement};

/// Statements that read a subquery again: in a join with itself, through others, inside others, with an order and a limit, under the
/// name of a table, and one that nobody reads.
const STATEMENTS: &[(&str, &str)] = &[
    ("iin", "with a as (select i, v from n where i < 50) select x.i, y.i, y.v from a as x join a as y on y.i = x.i + 1 order by 1"),
    (
        "in",
        "with a as (select i, v from n), b as (select x.i, x.v + y.v as v from a as x join a as y on y.i = x.i), \
         c as (select x.i, sum(y.v) as v from b as x left join b as y on y.i > x.i group by 1) \
         select i, v from c union all select i, v from b where v is null order by 1, 2 nulls last",
    ),
    (
        "in",
        "with once as (select i, v from n where v > 3), twice as (select i, v from once), dead as (select * from twice) \
         select x.i, y.v from twice as x join twice as y on y.i = x.i order by 1",
    ),
    (
        "in",
        "with top as (select i, v from n order by v desc nulls last, i limit 7 offset 2) \
         select i, v from top where i in (select i from top where v < 1000) and v < (select max(v) from top) order by 1",
    ),
    ("in", "with n as (select i + 100 as i, v from n where i < 3) select x.i, y.v from n as x join n as y on y.i = x.i order by 1"),
    (
        "in",
        "with a as (select i, v from n where i < 9) select x.i, x.v from (with b as (select y.i, z.v from a as y join a as z on z.i = y.i) \
         select p.i, q.v from b as p join b as q on q.i = p.i) as x order by 1",
    ),
    ("i", "with none as (select i from n where i < 0) select count(*) from none as x full join none as y on y.i = x.i"),
    ("n", "with a as (select sum(v) as v from n) select x.v / 3 * y.v from a as x cross join a as y"),
];

fn numbers() -> Table {
    let mut table = Table::new(None, "n", &[("i", ColumnType::Int), ("v", ColumnType::Decimal { scale: 2 })]);
    for i in 0..200_i64 {
        let value = if i % 9 == 0 { Value::Null } else { Value::Decimal(format!("{}.{:02}", i * 37 % 11, i % 100)) };
        table.push(&[Value::Int(i), value]);
    }
    table
}

#[tokio::test]
async fn what_is_read_twice_is_computed_once_and_is_the_same() {
    let tables = [numbers()];
    let pieces = Embedded::new("numbers", &tables, Limits::default()).expect("the table fits");
    let whole = Embedded::whole("numbers", &tables, Limits::default()).expect("the table fits");
    for (types, sql) in STATEMENTS {
        let statement = statement(types, sql, vec![]);
        let expected = whole.run(&statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(pieces.run(&statement).await.as_ref().map(shown), Ok(shown(&expected)), "{sql}");
        assert!(expected.row_count() > 0, "{sql}");
    }
}

#[tokio::test]
async fn tables_of_a_statement_are_its_own() {
    let warehouse = Embedded::new("numbers", &[numbers()], Limits::default()).expect("the table fits");
    let shared = "with a as (select i from n where i < $1) select count(*) from a as x cross join a as y";
    let of = |below: i64| statement("i", shared, vec![Param::Int(below)]);
    let (few, many) = (of(2), of(20));
    let (few, many) = tokio::join!(warehouse.run(&few), warehouse.run(&many));
    assert_eq!(few.as_ref().map(shown), Ok(vec!["4".to_owned()]));
    assert_eq!(many.as_ref().map(shown), Ok(vec!["400".to_owned()]));
    assert!(warehouse.run(&statement("i", "select count(*) from a", vec![])).await.is_err(), "nothing stays behind");
}

/// Questions of every view, one in a few: another test asks PostgreSQL about each.
#[tokio::test]
async fn shipped_metrics_are_the_same_in_pieces() {
    let (model, diagnostics) = holdfast_schema::load(Origin::Shipped.read().expect("they are in the binary"));
    let model = model.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let tables = demo::portfolio();
    let limits = Limits { timeout: Duration::from_secs(300), ..Limits::default() };
    let pieces = Embedded::new("demo", &tables, limits).expect("the tables fit");
    let whole = Embedded::whole("demo", &tables, limits).expect("the tables fit");
    for question in metrics::questions(&model).iter().step_by(9) {
        let (left, right) = (metrics::answers(&pieces, &model, question).await, metrics::answers(&whole, &model, question).await);
        assert_eq!(left, right, "{:?} by {:?}", question.metrics, question.by);
    }
}
