//! Questions about rows of entities → the exact SQL, both dialects; refusals.

mod models;
mod policies;
mod related;
mod texts;

use expect_test::{Expect, expect};
use jiff::civil::date;
use models::model;

use super::*;
use crate::{
    query::{
        Comparator, Direction, EntityMetrics, EntityOrderBy, EntityOrderKey, Filter, Nulls, Page, Parents, TextTest,
        error::QueryErrorCode as Code,
    },
    value::Value,
};

fn list(entity: &str, dimensions: &[&str]) -> EntityQuery {
    EntityQuery {
        entity: entity.to_owned(),
        dimensions: dimensions.iter().map(|name| (*name).to_owned()).collect(),
        parents: None,
        filter: None,
        having: None,
        order_by: Vec::new(),
        metrics: EntityMetrics::default(),
        page: Page { limit: 2, offset: 0, after: None, before: None, backwards: false },
        as_of: date(2026, 3, 31),
        as_known_at: None,
    }
}

fn below(parent: &str, relationship: &str, keys: Vec<Vec<Value>>, query: EntityQuery) -> EntityQuery {
    let parents = Parents { entity: parent.to_owned(), relationship: relationship.to_owned(), keys };
    EntityQuery { parents: Some(parents), ..query }
}

fn by(key: &str, direction: Direction, nulls: Option<Nulls>) -> EntityOrderBy {
    EntityOrderBy { by: EntityOrderKey::Dimension(key.to_owned()), direction, nulls }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn equal(field: &str, value: Value) -> Filter {
    Filter::Compare { field: field.to_owned(), operator: Comparator::Equal, value }
}

fn shown(statement: &Statement) -> String {
    let columns = statement.columns.iter().map(|column| format!("{}: {}", column.name, column.value_type.name()));
    let mut out = format!("{}\n-> {}", statement.sql.as_str(), columns.collect::<Vec<_>>().join(", "));
    for (position, param) in statement.params.iter().enumerate() {
        out.push_str(&format!("\n${} = {param:?}", position + 1));
    }
    if statement.is_lookup {
        out.push_str("\nlookup");
    }
    out
}

fn check(query: &EntityQuery, expect: Expect) {
    let rows = |dialect| entities(&model(), query, &Caller::default(), dialect).expect("the question is right").rows;
    check_both(rows, expect);
}

fn check_count(query: &EntityQuery, expect: Expect) {
    let rows = |dialect| count(&model(), query, &Caller::default(), dialect).expect("the question is right").rows;
    check_both(rows, expect);
}

/// Statements for rows of an entity differ between the engines in nothing but how types are written.
fn check_both(rows: impl Fn(Dialect) -> Statement, expect: Expect) {
    let postgres = rows(Dialect::Postgres);
    let mut text = postgres.sql.as_str().replace(" as text)", " as varchar)");
    for cast in ["::text", "::bigint", "::date", "::timestamptz"] {
        text = text.replace(cast, "");
    }
    let embedded = rows(Dialect::Embedded);
    assert_eq!(embedded.sql.as_str(), text);
    assert_eq!(embedded.params, postgres.params);
    expect.assert_eq(&shown(&postgres));
}

fn refused(model: &Model, query: &EntityQuery) -> (Code, String) {
    let error = entities(model, query, &Caller::default(), Dialect::Postgres).expect_err("the question is wrong");
    (error.code, error.message)
}

#[test]
fn a_list_fetches_one_row_more_and_breaks_ties_by_key() {
    let query = EntityQuery {
        filter: Some(Filter::And(vec![
            equal("region", text("emea")),
            Filter::Matches { field: "name".to_owned(), test: TextTest::StartsWith, text: "A_".to_owned() },
        ])),
        order_by: vec![by("renews_on", Direction::Descending, Some(Nulls::First)), by("name", Direction::Ascending, None)],
        ..list("account", &["name", "band"])
    };
    check(
        &query,
        expect![[r#"
            select "t0"."account_id" as "k0", "t0"."name" as "d0", case when ("t0"."mrr" > $1::bigint) then $2 else $3 end as "d1", "t0"."renews_on" as "o0", "t0"."name" as "o1"
            from "warehouse"."account" as "t0"
            where ("t0"."region" = $4) and ("t0"."name" like $5)
            order by "t0"."renews_on" desc nulls first, "t0"."name" asc nulls last, "t0"."account_id" asc nulls last
            limit 3
            -> k0: string, d0: string, d1: string, o0: date, o1: string
            $1 = Int(50000)
            $2 = Text("large")
            $3 = Text("small")
            $4 = Text("emea")
            $5 = Text("A\\_%")"#]],
    );
}

#[test]
fn a_page_behind_a_cursor_says_where_nulls_are() {
    let query = EntityQuery {
        order_by: vec![by("renews_on", Direction::Descending, None), by("name", Direction::Ascending, Some(Nulls::First))],
        page: Page {
            limit: 2,
            offset: 0,
            after: Some(vec![Value::Date(date(2026, 1, 1)), Value::Null, text("a1")]),
            before: None,
            backwards: false,
        },
        ..list("account", &[])
    };
    check(
        &query,
        expect![[r#"
            select "t0"."account_id" as "k0", "t0"."renews_on" as "o0", "t0"."name" as "o1"
            from "warehouse"."account" as "t0"
            where ((("t0"."renews_on" < $1::date) or ("t0"."renews_on" is null)) or (("t0"."renews_on" = $1::date) and ("t0"."name" is not null)) or (("t0"."renews_on" = $1::date) and ("t0"."name" is null) and ("t0"."account_id" > $2)))
            order by "t0"."renews_on" desc nulls last, "t0"."name" asc nulls first, "t0"."account_id" asc nulls last
            limit 3
            -> k0: string, o0: date, o1: string
            $1 = Date(2026-01-01)
            $2 = Text("a1")"#]],
    );
}

#[test]
fn backwards_reverses_every_part_of_the_order() {
    let mut query = EntityQuery { order_by: vec![by("renews_on", Direction::Ascending, None)], ..list("account", &[]) };
    query.page.before = Some(vec![Value::Null, text("a1")]);
    query.page.backwards = true;
    check(
        &query,
        expect![[r#"
            select "t0"."account_id" as "k0", "t0"."renews_on" as "o0"
            from "warehouse"."account" as "t0"
            where (("t0"."renews_on" is not null) or (("t0"."renews_on" is null) and ("t0"."account_id" < $1)))
            order by "t0"."renews_on" desc nulls first, "t0"."account_id" desc nulls last
            limit 3
            -> k0: string, o0: date
            $1 = Text("a1")"#]],
    );
}

#[test]
fn rows_found_by_key_are_lookups_with_composite_keys_too() {
    let key = |contract: &str, line| vec![text(contract), Value::Int(line)];
    let itself = Filter::KeyIn { field: String::new(), keys: vec![key("c1", 1), key("c2", 7)] };
    check(
        &EntityQuery { filter: Some(itself), ..list("component", &["name"]) },
        expect![[r#"
            select "t0"."contract_id" as "k0", "t0"."line" as "k1", "t0"."name" as "d0"
            from "warehouse"."component" as "t0"
            where ((("t0"."contract_id" = $1) and ("t0"."line" = $2::bigint)) or (("t0"."contract_id" = $3) and ("t0"."line" = $4::bigint)))
            order by "t0"."contract_id" asc nulls last, "t0"."line" asc nulls last
            limit 3
            -> k0: string, k1: int, d0: string
            $1 = Text("c1")
            $2 = Int(1)
            $3 = Text("c2")
            $4 = Int(7)
            lookup"#]],
    );
}

#[test]
fn many_to_one_reads_the_parents_that_hold_the_key() {
    let keys = vec![vec![text("c2")], vec![text("c1")], vec![text("c2")]];
    check(
        &below("contract", "account", keys, list("account", &["name"])),
        expect![[r#"
            select "parents"."p0" as "p0", "t0"."account_id" as "k0", "t0"."name" as "d0"
            from "warehouse"."account" as "t0"
            join (
              select "t0"."contract_id" as "p0", "t0"."account_id" as "j0"
              from "warehouse"."contract" as "t0"
              where ("t0"."contract_id" in ($1, $2))
            ) as "parents" on ("parents"."j0" = "t0"."account_id")
            order by "parents"."p0" asc nulls last, "t0"."account_id" asc nulls last
            -> p0: string, k0: string, d0: string
            $1 = Text("c1")
            $2 = Text("c2")
            lookup"#]],
    );
}

#[test]
fn one_to_many_is_cut_per_parent_without_reading_the_parents() {
    let mut query = below("account", "contracts", vec![vec![text("a1")], vec![text("a2")]], list("contract", &["value"]));
    query.order_by = vec![by("value", Direction::Descending, None)];
    query.page.offset = 4;
    check(
        &query,
        expect![[r#"
            select "ranked"."p0" as "p0", "ranked"."k0" as "k0", "ranked"."d0" as "d0", "ranked"."o0" as "o0"
            from (
              select "t0"."account_id" as "p0", "t0"."contract_id" as "k0", "t0"."value" as "d0", "t0"."value" as "o0", row_number() over (partition by "t0"."account_id" order by "t0"."value" desc nulls last, "t0"."contract_id" asc nulls last) as "rank"
              from "warehouse"."contract" as "t0"
              where ("t0"."account_id" in ($1, $2))
            ) as "ranked"
            where ("ranked"."rank" <= 7) and ("ranked"."rank" > 4)
            order by "ranked"."p0" asc nulls last, "ranked"."rank" asc nulls last
            -> p0: string, k0: string, d0: decimal, o0: decimal
            $1 = Text("a1")
            $2 = Text("a2")
            lookup"#]],
    );
}

#[test]
fn a_bridge_with_a_role_in_its_key_does_not_repeat_rows() {
    let query = below("stakeholder", "components", vec![vec![text("s1")]], list("component", &["name"]));
    check(
        &query,
        expect![[r#"
            select "ranked"."p0" as "p0", "ranked"."k0" as "k0", "ranked"."k1" as "k1", "ranked"."d0" as "d0"
            from (
              select "links"."p0" as "p0", "t0"."contract_id" as "k0", "t0"."line" as "k1", "t0"."name" as "d0", row_number() over (partition by "links"."p0" order by "t0"."contract_id" asc nulls last, "t0"."line" asc nulls last) as "rank"
              from "warehouse"."component" as "t0"
              join (
                select distinct "t0"."stakeholder_id" as "p0", "t0"."contract_id" as "j0", "t0"."line" as "j1"
                from "warehouse"."responsibility" as "t0"
                where ("t0"."stakeholder_id" in ($1))
              ) as "links" on ("links"."j0" = "t0"."contract_id") and ("links"."j1" = "t0"."line")
            ) as "ranked"
            where ("ranked"."rank" <= 3)
            order by "ranked"."p0" asc nulls last, "ranked"."rank" asc nulls last
            -> p0: string, k0: string, k1: int, d0: string
            $1 = Text("s1")
            lookup"#]],
    );
    let back = below("component", "stakeholders", vec![vec![text("c1"), Value::Int(1)]], list("stakeholder", &["name"]));
    check(
        &back,
        expect![[r#"
            select "ranked"."p0" as "p0", "ranked"."p1" as "p1", "ranked"."k0" as "k0", "ranked"."d0" as "d0"
            from (
              select "links"."p0" as "p0", "links"."p1" as "p1", "t0"."stakeholder_id" as "k0", "t0"."name" as "d0", row_number() over (partition by "links"."p0", "links"."p1" order by "t0"."stakeholder_id" asc nulls last) as "rank"
              from "warehouse"."stakeholder" as "t0"
              join (
                select distinct "t0"."contract_id" as "p0", "t0"."line" as "p1", "t0"."stakeholder_id" as "j0"
                from "warehouse"."responsibility" as "t0"
                where (("t0"."contract_id" = $1) and ("t0"."line" = $2::bigint))
              ) as "links" on ("links"."j0" = "t0"."stakeholder_id")
            ) as "ranked"
            where ("ranked"."rank" <= 3)
            order by "ranked"."p0" asc nulls last, "ranked"."p1" asc nulls last, "ranked"."rank" asc nulls last
            -> p0: string, p1: int, k0: string, d0: string
            $1 = Text("c1")
            $2 = Int(1)
            lookup"#]],
    );
}

#[test]
fn a_self_relationship_keeps_both_sides_apart() {
    check(
        &below("account", "parent", vec![vec![text("a1")]], list("account", &["name"])),
        expect![[r#"
            select "parents"."p0" as "p0", "t0"."account_id" as "k0", "t0"."name" as "d0"
            from "warehouse"."account" as "t0"
            join (
              select "t0"."account_id" as "p0", "t0"."parent_account_id" as "j0"
              from "warehouse"."account" as "t0"
              where ("t0"."account_id" in ($1))
            ) as "parents" on ("parents"."j0" = "t0"."account_id")
            order by "parents"."p0" asc nulls last, "t0"."account_id" asc nulls last
            -> p0: string, k0: string, d0: string
            $1 = Text("a1")
            lookup"#]],
    );
    check(
        &below("account", "subsidiaries", vec![vec![text("a1")]], list("account", &["name"])),
        expect![[r#"
            select "ranked"."p0" as "p0", "ranked"."k0" as "k0", "ranked"."d0" as "d0"
            from (
              select "t0"."parent_account_id" as "p0", "t0"."account_id" as "k0", "t0"."name" as "d0", row_number() over (partition by "t0"."parent_account_id" order by "t0"."account_id" asc nulls last) as "rank"
              from "warehouse"."account" as "t0"
              where ("t0"."parent_account_id" in ($1))
            ) as "ranked"
            where ("ranked"."rank" <= 3)
            order by "ranked"."p0" asc nulls last, "ranked"."rank" asc nulls last
            -> p0: string, k0: string, d0: string
            $1 = Text("a1")
            lookup"#]],
    );
}

#[test]
fn effective_dated_rows_are_read_at_the_day_as_known_then() {
    let known = "2026-02-01T00:00:00Z".parse().ok();
    let query = EntityQuery { as_known_at: known, ..list("price", &["amount"]) };
    check(
        &query,
        expect![[r#"
            select "t0"."price_id" as "k0", "t0"."amount" as "d0"
            from (
              select "versions"."amount" as "amount", "versions"."price_id" as "price_id", "versions"."valid_from" as "valid_from", "versions"."valid_to" as "valid_to"
              from (
                select "t0"."amount" as "amount", "t0"."price_id" as "price_id", "t0"."valid_from" as "valid_from", "t0"."valid_to" as "valid_to", row_number() over (partition by "t0"."price_id", "t0"."valid_from" order by "t0"."recorded_at" desc nulls last) as "holdfast_rank"
                from "warehouse"."price" as "t0"
                where ("t0"."recorded_at" <= $1::timestamptz)
              ) as "versions"
              where ("versions"."holdfast_rank" <= 1)
            ) as "t0"
            where ("t0"."valid_from" <= $2::date) and (("t0"."valid_to" is null) or ("t0"."valid_to" > $2::date))
            order by "t0"."price_id" asc nulls last
            limit 3
            -> k0: string, d0: decimal
            $1 = Timestamp(2026-02-01T00:00:00Z)
            $2 = Date(2026-03-31)"#]],
    );
    check(
        &below("price", "contract", vec![vec![text("p1")]], list("contract", &[])),
        expect![[r#"
            select "parents"."p0" as "p0", "t0"."contract_id" as "k0"
            from "warehouse"."contract" as "t0"
            join (
              select "t0"."price_id" as "p0", "t0"."contract_id" as "j0"
              from (
                select "versions"."contract_id" as "contract_id", "versions"."price_id" as "price_id", "versions"."valid_from" as "valid_from", "versions"."valid_to" as "valid_to"
                from (
                  select "t0"."contract_id" as "contract_id", "t0"."price_id" as "price_id", "t0"."valid_from" as "valid_from", "t0"."valid_to" as "valid_to", row_number() over (partition by "t0"."price_id", "t0"."valid_from" order by "t0"."recorded_at" desc nulls last) as "holdfast_rank"
                  from "warehouse"."price" as "t0"
                ) as "versions"
                where ("versions"."holdfast_rank" <= 1)
              ) as "t0"
              where ("t0"."valid_from" <= $1::date) and (("t0"."valid_to" is null) or ("t0"."valid_to" > $1::date)) and ("t0"."price_id" in ($2))
            ) as "parents" on ("parents"."j0" = "t0"."contract_id")
            order by "parents"."p0" asc nulls last, "t0"."contract_id" asc nulls last
            -> p0: string, k0: string
            $1 = Date(2026-03-31)
            $2 = Text("p1")
            lookup"#]],
    );
}

#[test]
fn conditions_and_order_follow_safe_relationships() {
    let query = EntityQuery {
        filter: Some(Filter::And(vec![
            equal("account.region", text("emea")),
            Filter::KeyIn { field: "account".to_owned(), keys: vec![vec![text("a1")]] },
            Filter::InSegment("large".to_owned()),
        ])),
        order_by: vec![by("account.parent.name", Direction::Ascending, None)],
        ..list("contract", &[])
    };
    check(
        &query,
        expect![[r#"
            select "t0"."contract_id" as "k0", "t2"."name" as "o0"
            from "warehouse"."contract" as "t0"
            left join "warehouse"."account" as "t1" on ("t1"."account_id" = "t0"."account_id")
            left join "warehouse"."account" as "t2" on ("t2"."account_id" = "t1"."parent_account_id")
            where ("t1"."region" = $1) and ("t1"."account_id" in ($2)) and ("t0"."value" >= $3::bigint)
            order by "t2"."name" asc nulls last, "t0"."contract_id" asc nulls last
            limit 3
            -> k0: string, o0: string
            $1 = Text("emea")
            $2 = Text("a1")
            $3 = Int(50000)"#]],
    );
}

#[test]
fn counts_ignore_the_page() {
    let mut query = EntityQuery { filter: Some(equal("region", text("emea"))), ..list("account", &[]) };
    query.page.after = Some(vec![text("a1")]);
    check_count(
        &query,
        expect![[r#"
            select count(*) as "n"
            from "warehouse"."account" as "t0"
            where ("t0"."region" = $1)
            -> n: int
            $1 = Text("emea")"#]],
    );
    check_count(
        &below("account", "contracts", vec![vec![text("a1")]], list("contract", &[])),
        expect![[r#"
            select "t0"."account_id" as "p0", count(*) as "n"
            from "warehouse"."contract" as "t0"
            where ("t0"."account_id" in ($1))
            group by 1
            order by "t0"."account_id" asc nulls last
            -> p0: string, n: int
            $1 = Text("a1")
            lookup"#]],
    );
    check_count(
        &below("stakeholder", "components", vec![vec![text("s1")]], list("component", &[])),
        expect![[r#"
            select "links"."p0" as "p0", count(*) as "n"
            from "warehouse"."component" as "t0"
            join (
              select distinct "t0"."stakeholder_id" as "p0", "t0"."contract_id" as "j0", "t0"."line" as "j1"
              from "warehouse"."responsibility" as "t0"
              where ("t0"."stakeholder_id" in ($1))
            ) as "links" on ("links"."j0" = "t0"."contract_id") and ("links"."j1" = "t0"."line")
            group by 1
            order by "links"."p0" asc nulls last
            -> p0: string, n: int
            $1 = Text("s1")
            lookup"#]],
    );
}

#[test]
fn the_refresh_key_is_the_newest_value_as_text() {
    let model = model();
    let account = model.entity_named("account").expect("it is defined");
    let statement = refresh_key(&model, account, Dialect::Postgres).expect("it declares a refresh column");
    expect![[r#"
        select cast(max("t0"."updated_at") as text) as "r0"
        from "warehouse"."account" as "t0"
        -> r0: string
        lookup"#]]
    .assert_eq(&shown(&statement));
    let contract = model.entity_named("contract").expect("it is defined");
    assert_eq!(refresh_key(&model, contract, Dialect::Postgres), None);
}

#[test]
fn what_cannot_be_right_is_refused() {
    let model = model();
    let mut cursor = list("account", &[]);
    cursor.page.after = Some(vec![text("a1"), text("a2")]);
    let mut null_key = list("account", &[]);
    null_key.page.before = Some(vec![Value::Null]);
    let filtered = |entity, filter| EntityQuery { filter: Some(filter), ..list(entity, &[]) };
    for (query, code) in [
        (list("acount", &[]), Code::NameNotFound),
        (list("account", &["nam"]), Code::NameNotFound),
        (filtered("account", equal("contracts.value", Value::Int(1))), Code::FanOut),
        (filtered("account", equal("renews_on", text("soon"))), Code::TypeMismatch),
        (filtered("component", equal("", Value::Int(1))), Code::InvalidArgument),
        (filtered("account", Filter::InSegment("large".to_owned())), Code::NoPath),
        (below("account", "contracts", Vec::new(), list("component", &[])), Code::InvalidArgument),
        (below("account", "contract", Vec::new(), list("contract", &[])), Code::NameNotFound),
        (below("component", "contract", vec![vec![text("c1")]], list("contract", &[])), Code::TypeMismatch),
        (cursor, Code::InvalidArgument),
        (null_key, Code::InvalidArgument),
    ] {
        assert_eq!(refused(&model, &query).0, code, "{query:?}");
    }
}
