//! Expressions as the two dialects write them give the same rows, to the last digit.

use holdfast_schema::{sql::Param, value::Value};
use holdfast_tests::postgres::Postgres;
use holdfast_warehouse::{
    Limits, Warehouse as _,
    embedded::Embedded,
    postgres::{
        self,
        load::{self, Existing},
    },
    table::{ColumnType, Table},
};
use jiff::civil::{Date, date};

use crate::{shown, statement};

/// Nulls, negatives, ties, an umlaut, month ends, daylight saving, and the end of time.
fn fixture() -> Table {
    let columns = [
        ("id", ColumnType::Int),
        ("amount", ColumnType::Decimal { scale: 2 }),
        ("weight", ColumnType::Decimal { scale: 6 }),
        ("name", ColumnType::Text),
        ("day", ColumnType::Date),
        ("at", ColumnType::Timestamp),
        ("ok", ColumnType::Bool),
    ];
    type Row = (Option<&'static str>, Option<&'static str>, Option<&'static str>, Date, &'static str, Option<bool>);
    let rows: [Row; 9] = [
        (Some("10.50"), Some("0.333333"), Some("alpha"), date(2024, 1, 31), "2024-03-10T06:59:59Z", Some(true)),
        (Some("-3.05"), Some("0.5"), Some("Beta"), date(2024, 2, 29), "2024-03-10T07:00:00Z", Some(false)),
        (None, Some("1"), None, date(2025, 12, 31), "2024-11-03T05:30:00Z", Some(true)),
        (Some("0"), Some("0.000001"), Some("Ärger"), date(9999, 12, 1), "1970-01-01T00:00:00Z", None),
        (Some("99999999999.99"), Some("7"), Some(""), date(1900, 3, 1), "2024-11-03T06:30:00.123456Z", Some(true)),
        (Some("10.50"), Some("0"), Some("alpha"), date(2024, 12, 30), "2025-12-31T23:59:59.999999Z", Some(false)),
        (Some("-0.01"), None, Some("a_b%c"), date(2023, 1, 1), "2023-01-01T00:00:00Z", Some(false)),
        (Some("1"), Some("3"), Some("ALPHA"), date(2025, 2, 28), "2025-03-01T00:00:00Z", Some(true)),
        (Some("2"), Some("3"), Some("ß"), date(2024, 8, 31), "2025-03-30T00:30:00Z", Some(true)),
    ];
    let mut table = Table::new(Some("crm"), "t", &columns).primary_key(&["id"]);
    for (id, (amount, weight, name, day, at, ok)) in rows.into_iter().enumerate() {
        let decimal = |text: Option<&str>| text.map_or(Value::Null, |text| Value::Decimal(text.into()));
        table.push(&[
            Value::Int(id as i64 + 1),
            decimal(amount),
            decimal(weight),
            name.map_or(Value::Null, |text| Value::Text(text.into())),
            Value::Date(day),
            Value::Timestamp(at.parse().expect("it is an instant")),
            ok.map_or(Value::Null, Value::Bool),
        ]);
    }
    table
}

/// Column types, the words of PostgreSQL, and those of the embedded engine when they differ.
const CASES: &[(&str, &str, Option<&str>)] = &[
    // Division: exact, half away from zero, zero gives null, and no double rounding.
    ("in", "select id, DIVIDE(amount; weight) from crm.t order by id", None),
    ("in", "select id, DIVIDE(weight; amount) from crm.t order by id", None),
    (
        "n",
        "select DIVIDE(sum(amount); count(amount)::numeric) from crm.t",
        Some("select DIVIDE(sum(amount); count(amount)) from crm.t"),
    ),
    ("n", "select DIVIDE(1::numeric; 3::numeric)", Some("select DIVIDE(1; 3)")),
    ("n", "select DIVIDE(-2::numeric; 3::numeric)", Some("select DIVIDE(-2; 3)")),
    ("n", "select DIVIDE(0.0000000000000001; 2::numeric)", Some("select DIVIDE(0.0000000000000001; 2)")),
    (
        "n",
        "select DIVIDE(0.00000000000000009999999999999999; 2::numeric)",
        Some("select DIVIDE(0.00000000000000009999999999999999; 2)"),
    ),
    ("n", "select DIVIDE(NULL::numeric; 2::numeric)", Some("select DIVIDE(null; 2)")),
    (
        "tn",
        "select name, DIVIDE(sum(amount); sum(weight)) from crm.t group by name order by name collate \"C\" nulls last",
        Some("select name, DIVIDE(sum(amount); sum(weight)) from crm.t group by name order by name nulls last"),
    ),
    // Products, sums, rounding.
    ("in", "select id, amount * weight + amount - weight from crm.t order by id", None),
    (
        "in",
        "select id, MULTIPLY(DIVIDE(amount; weight); DIVIDE(weight; 7::numeric)) from crm.t order by id",
        Some("select id, MULTIPLY(DIVIDE(amount; weight); DIVIDE(weight; 7)) from crm.t order by id"),
    ),
    (
        "in",
        "select id, round(weight * 1.5, 4) from crm.t order by id",
        Some("select id, holdfast_round(weight * 1.5, 4) from crm.t order by id"),
    ),
    (
        "in",
        "select id, round(amount, -1) from crm.t order by id",
        Some("select id, holdfast_round(amount, -1) from crm.t order by id"),
    ),
    (
        "in",
        "select id, round(amount, 1) from crm.t order by id",
        Some("select id, holdfast_round(amount, 1) from crm.t order by id"),
    ),
    (
        "nnnn",
        "select sum(amount), sum(case when ok then amount else 0 end), sum(amount) filter (where not ok), max(weight) from crm.t",
        None,
    ),
    ("n", "select sum(id) from crm.t", Some("select sum(cast(id as decimal(38,0))) from crm.t")),
    ("bnn", "select ok, min(amount), sum(amount * weight) from crm.t group by ok order by ok nulls last", None),
    ("nnn", "select sum(amount) as s, coalesce(sum(amount), 0), nullif(sum(amount), 0) from crm.t where id > 100", None),
    ("innnn", "select id, greatest(amount, weight, 1), least(amount, weight), abs(amount), -amount from crm.t order by id", None),
    ("bn", "select ok, MEDIAN(amount) from crm.t group by ok order by ok nulls last", None),
    ("n", "select MEDIAN(weight) from crm.t where id > 100", None),
    ("n", "select sum(amount) from crm.t where amount > $2", None),
    ("in", "select id, amount + $2 from crm.t order by id", None),
    // Dates.
    (
        "id",
        "select id, date_trunc('week', day)::date from crm.t order by id",
        Some("select id, holdfast_date_trunc('week', day) from crm.t order by id"),
    ),
    (
        "id",
        "select id, date_trunc('month', day)::date from crm.t order by id",
        Some("select id, holdfast_date_trunc('month', day) from crm.t order by id"),
    ),
    (
        "id",
        "select id, date_trunc('quarter', day)::date from crm.t order by id",
        Some("select id, holdfast_date_trunc('quarter', day) from crm.t order by id"),
    ),
    (
        "id",
        "select id, date_trunc('year', day)::date from crm.t order by id",
        Some("select id, holdfast_date_trunc('year', day) from crm.t order by id"),
    ),
    (
        "id",
        "select id, (day + make_interval(months => 1))::date from crm.t where id <> 4 order by id",
        Some("select id, holdfast_add_months(day, 1) from crm.t where id <> 4 order by id"),
    ),
    (
        "id",
        "select id, (day + make_interval(months => -13))::date from crm.t order by id",
        Some("select id, holdfast_add_months(day, -13) from crm.t order by id"),
    ),
    ("id", "select id, day + id::int from crm.t order by id", Some("select id, holdfast_add_days(day, id) from crm.t order by id")),
    (
        "ii",
        "select id, day - date '2024-02-29' from crm.t order by id",
        Some("select id, holdfast_days_between(date '2024-02-29', day) from crm.t order by id"),
    ),
    (
        "iiii",
        "select extract(year from day)::int, extract(month from day)::int, extract(isodow from day)::int, extract(quarter from day)::int from crm.t order by id",
        Some(
            "select extract(year from day), extract(month from day), extract(isodow from day), extract(quarter from day) from crm.t order by id",
        ),
    ),
    (
        "id",
        "select id, (at at time zone 'America/New_York')::date from crm.t order by id",
        Some("select id, holdfast_local_date(at, 'America/New_York') from crm.t order by id"),
    ),
    ("i", "select id from crm.t where at >= $5 and day <> $4 and (id > $1 or amount > $2 or name = $3) order by id", None),
    ("zd", "select max(at), min(day) from crm.t", None),
    (
        "d",
        "select g.v::date from generate_series(date '2024-01-01', date '2024-06-01', interval '1 month') as g(v) order by 1",
        None,
    ),
    // Text.
    (
        "it",
        "select id, name from crm.t order by name collate \"C\" nulls last, id",
        Some("select id, name from crm.t order by name nulls last, id"),
    ),
    (
        "it",
        "select id, name from crm.t order by name collate \"C\" desc nulls last, id",
        Some("select id, name from crm.t order by name desc nulls last, id"),
    ),
    ("it", "select id, lower(name) || '!' from crm.t order by id", None),
    ("i", "select id from crm.t where name ilike '%' || $3 || '%' order by id", None),
    ("i", "select id from crm.t where name like '%\\_b\\%%' order by id", None),
    ("i", "select id from crm.t where name in ($3, 'alpha', '') order by id", None),
    ("ii", "select count(distinct name), count(name) from crm.t", None),
    // Shapes.
    (
        "iii",
        "select id, row_number() over (partition by ok order by amount desc nulls last, id), rank() over (order by amount nulls last) from crm.t order by id",
        None,
    ),
    (
        "inn",
        "select id, sum(amount) over (partition by ok order by id rows between 1 preceding and current row), lag(amount, 1) over (order by id) from crm.t order by id",
        None,
    ),
    (
        "tnn",
        "select k, sum(a), sum(b) from (select name as k, amount as a, null::numeric as b from crm.t union all select name, null::numeric, weight from crm.t) u group by k order by k collate \"C\" nulls last",
        Some(
            "select k, sum(a), sum(b) from (select name as k, amount as a, cast(null as decimal(38,0)) as b from crm.t union all select name, cast(null as decimal(38,0)), weight from crm.t) u group by k order by k nulls last",
        ),
    ),
    (
        "tin",
        "with a as (select name, count(*) as n from crm.t where ok group by name), b as (select name, sum(amount) as s from crm.t group by name) \
             select b.name, a.n, b.s from b left join a on a.name is not distinct from b.name order by b.name collate \"C\" nulls last",
        Some(
            "with a as (select name, count(*) as n from crm.t where ok group by name), b as (select name, sum(amount) as s from crm.t group by name) \
             select b.name, a.n, b.s from b left join a on a.name is not distinct from b.name order by b.name nulls last",
        ),
    ),
    (
        "in",
        "select v.a, t.amount from (values ($1), (3::bigint), (8)) as v(a) left join crm.t t on t.id = v.a and t.ok order by 1",
        None,
    ),
    (
        "i",
        "select t.id from crm.t t where exists (select 1 from crm.t u where u.amount = t.amount and u.id <> t.id) order by 1",
        None,
    ),
    ("in", "select t.id, (select sum(u.amount) from crm.t u where u.name = t.name) from crm.t t order by 1", None),
    (
        "bin",
        "select ok, grouping(ok)::bigint, sum(amount) from crm.t group by grouping sets ((ok), ()) order by 2, 1 nulls last",
        Some(
            "select ok, cast(grouping(ok) as bigint), sum(amount) from crm.t group by grouping sets ((ok), ()) order by 2, 1 nulls last",
        ),
    ),
    (
        "ib",
        "select id, ok is distinct from $6 from crm.t where id > $1 or amount > $2 or name = $3 or day = $4 or at = $5 order by id",
        None,
    ),
    ("it", "select id, case when amount is null then 'NULL_INPUT' when amount = 0 then 'ZERO' end from crm.t order by id", None),
    ("i", "select id from crm.t order by amount desc nulls last, id limit 3 offset 1", None),
];

/// Fills in what both dialects write in their own way: `DIVIDE(a; b)`, `MULTIPLY(a; b)`, `MEDIAN(x)`.
fn written(text: &str, embedded: bool) -> String {
    let mut text = text.to_owned();
    for name in ["DIVIDE(", "MULTIPLY(", "MEDIAN("] {
        while let Some(start) = text.rfind(name) {
            let open = start + name.len();
            let mut depth = 1;
            let end = open
                + text[open..]
                    .find(|character| {
                        depth += i32::from(character == '(') - i32::from(character == ')');
                        depth == 0
                    })
                    .expect("brackets match");
            let (a, b) = text[open..end].split_once(';').unwrap_or((&text[open..end], ""));
            let (a, b) = (a.trim(), b.trim());
            let call = match (name, embedded) {
                ("DIVIDE(", true) => format!("holdfast_divide({a}, {b})"),
                ("DIVIDE(", false) => {
                    format!("round(div(({a}) * 100000000000000000::numeric, nullif({b}, 0)) * 0.00000000000000001, 16)")
                }
                ("MULTIPLY(", true) => format!("holdfast_multiply({a}, {b})"),
                ("MULTIPLY(", false) => format!("round(({a}) * ({b}), 20)"),
                (_, true) => format!("holdfast_median({a})"),
                (_, false) => format!(
                    "round((percentile_disc(0.5) within group (order by {a}) + percentile_disc(0.5) within group (order by {a} desc)) * 0.5, 16)"
                ),
            };
            text.replace_range(start..=end, &call);
        }
    }
    text
}

fn params() -> Vec<Param> {
    vec![
        Param::Int(2),
        Param::Decimal("1.25".into()),
        Param::Text("ALP".into()),
        Param::Date(date(2024, 2, 29)),
        Param::Timestamp("2024-03-10T07:00:00Z".parse().expect("it is an instant")),
        Param::Bool(true),
    ]
}

/// The values up to the last that the text mentions.
fn used(text: &str) -> Vec<Param> {
    let last = (1..=6).rev().find(|position| text.contains(&format!("${position}"))).unwrap_or(0);
    params().into_iter().take(last).collect()
}

#[tokio::test]
async fn both_engines_answer_alike() {
    let tables = [fixture()];
    let database = Postgres::shared().database().await;
    load::load(&postgres::Settings::new(&database.url), &tables, Existing::Refuse).await.expect("it loads");
    let server = postgres::Postgres::new(&postgres::Settings::new(&database.url)).expect("the address is right");
    let embedded = Embedded::new("parity", &tables, Limits::default()).expect("the tables fit");
    let mut wrong = Vec::new();
    for (types, text, other) in CASES {
        let left: &'static str = written(text, false).leak();
        let right: &'static str = written(other.unwrap_or(text), true).leak();
        let left = server.run(&statement(types, left, used(left))).await;
        let right = embedded.run(&statement(types, right, used(right))).await;
        match (left, right) {
            (Ok(left), Ok(right)) if left == right => {}
            (Ok(left), Ok(right)) => wrong.push(format!("{text}\n  postgres {:?}\n  embedded {:?}", shown(&left), shown(&right))),
            (left, right) => wrong.push(format!("{text}\n  postgres {:?}\n  embedded {:?}", left.err(), right.err())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
