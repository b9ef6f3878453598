//! What callers may not see: restricted, hidden and masked in rows, conditions and order; plans that say so.

use std::collections::BTreeMap;

use super::{
    models::{dimension, nowhere},
    *,
};
use crate::{
    expr::Expr,
    model::{Policy, access::PolicyRef, path::PathDimension},
};

/// A model whose callers see accounts of their region only, never names, and never the band.
pub(super) fn guarded() -> Model {
    let mut model = model();
    let account = model.entity_named("account").expect("it is defined");
    let region = PolicyRef::Dimension(PathDimension { path: Vec::new(), dimension: dimension(&model, "account", "region") });
    model.policies.push(Policy {
        name: "own_region".to_owned(),
        description: None,
        entity: account,
        roles: Vec::new(),
        rows: Some(Expr::In {
            value: Box::new(Expr::Ref(region)),
            list: vec![Expr::Ref(PolicyRef::Claim("regions".to_owned()))],
            negated: false,
        }),
        hide: vec![dimension(&model, "account", "band").index],
        peers: crate::model::access::PolicyPeers::Visible,
        mask: vec![dimension(&model, "account", "name").index],
        span: nowhere(),
    });
    model
}

pub(super) fn csm() -> Caller {
    Caller { claims: BTreeMap::from([("regions".to_owned(), vec![text("emea")])]), ..Caller::default() }
}

fn check_guarded(query: &EntityQuery, expect: Expect) {
    let rows = |dialect| {
        let compiled = entities(&guarded(), query, &csm(), dialect).expect("the question is right");
        assert_eq!(compiled.policies, ["own_region"]);
        compiled.rows
    };
    check_both(rows, expect);
}

#[test]
fn policies_restrict_rows_what_belongs_to_them_and_the_parents_of_made_up_keys() {
    check_guarded(
        &list("account", &["name", "region"]),
        expect![[r#"
            select "t0"."account_id" as "k0", cast(null as text) as "d0", "t0"."region" as "d1"
            from "warehouse"."account" as "t0"
            where ("t0"."region" in ($1))
            order by "t0"."account_id" asc nulls last
            limit 3
            -> k0: string, d0: string, d1: string
            $1 = Text("emea")"#]],
    );
    check_guarded(
        &list("contract", &[]),
        expect![[r#"
            select "t0"."contract_id" as "k0"
            from "warehouse"."contract" as "t0"
            left join "warehouse"."account" as "t1" on ("t1"."account_id" = "t0"."account_id")
            where ("t1"."region" in ($1))
            order by "t0"."contract_id" asc nulls last
            limit 3
            -> k0: string
            $1 = Text("emea")"#]],
    );
    let made_up = below("account", "contracts", vec![vec![text("a9")]], list("contract", &[]));
    check_guarded(
        &made_up,
        expect![[r#"
            select "ranked"."p0" as "p0", "ranked"."k0" as "k0"
            from (
              select "parents"."p0" as "p0", "t0"."contract_id" as "k0", row_number() over (partition by "parents"."p0" order by "t0"."contract_id" asc nulls last) as "rank"
              from "warehouse"."contract" as "t0"
              left join "warehouse"."account" as "t1" on ("t1"."account_id" = "t0"."account_id")
              join (
                select "t0"."account_id" as "p0", "t0"."account_id" as "j0"
                from "warehouse"."account" as "t0"
                where ("t0"."region" in ($1)) and ("t0"."account_id" in ($2))
              ) as "parents" on ("parents"."j0" = "t0"."account_id")
              where ("t1"."region" in ($3))
            ) as "ranked"
            where ("ranked"."rank" <= 3)
            order by "ranked"."p0" asc nulls last, "ranked"."rank" asc nulls last
            -> p0: string, k0: string
            $1 = Text("emea")
            $2 = Text("a9")
            $3 = Text("emea")
            lookup"#]],
    );
}

#[test]
fn nothing_tells_what_is_hidden_or_masked() {
    let model = guarded();
    let filtered = |entity, filter| EntityQuery { filter: Some(filter), ..list(entity, &[]) };
    let null = |field: &str| Filter::IsNull { field: field.to_owned(), is_null: true };
    for (query, code) in [
        (list("account", &["band"]), Code::NameNotFound),
        (filtered("account", null("band")), Code::NameNotFound),
        (filtered("account", null("name")), Code::Forbidden),
        (filtered("contract", null("account.name")), Code::Forbidden),
        (EntityQuery { order_by: vec![by("name", Direction::Ascending, None)], ..list("account", &[]) }, Code::Forbidden),
    ] {
        assert_eq!(refused(&model, &query).0, code, "{query:?}");
    }
    let (_, message) = refused(&model, &list("account", &["band"]));
    assert_eq!(message, "entity `account` has no dimension `band`");
}

#[test]
fn an_answer_names_the_policies_about_what_it_is_made_of_or_belongs_to() {
    let mut model = guarded();
    let about_prices = Policy {
        name: "no_prices".to_owned(),
        entity: model.entity_named("price").expect("it is defined"),
        hide: Vec::new(),
        mask: Vec::new(),
        ..model.policies[0].clone()
    };
    model.policies.push(Policy { rows: None, ..about_prices });
    for (entity, expected) in [("account", "own_region"), ("contract", "own_region"), ("price", "no_prices")] {
        let query = list(entity, &[]);
        let rows = entities(&model, &query, &csm(), Dialect::Postgres).expect("the question is right");
        let counted = count(&model, &query, &csm(), Dialect::Postgres).expect("the question is right");
        assert_eq!([rows.policies, counted.policies], [[expected], [expected]], "{entity}");
        let explained = explain_entities(&model, &query, &csm()).expect("the question is right");
        let named: Vec<&str> = explained.lines().filter_map(|line| line.trim_start().strip_prefix("policy  ")).collect();
        assert_eq!(named, [expected], "{entity}");
    }
}

#[test]
fn plans_are_readable() {
    let model = guarded();
    let mut query = below("account", "contracts", vec![vec![text("a1")], vec![text("a2")]], list("contract", &["value"]));
    query.filter = Some(Filter::And(vec![
        Filter::Or(vec![equal("account.region", text("it's")), Filter::Not(Box::new(equal("value", Value::Int(3))))]),
        Filter::InSegment("large".to_owned()),
    ]));
    query.order_by = vec![by("value", Direction::Descending, Some(Nulls::First))];
    query.page.after = Some(vec![Value::Null, text("c1")]);
    let explained = explain_entities(&model, &query, &csm()).expect("the question is right");
    expect![[r#"
        rows of contract
          below   account.contracts (one to many), 2 keys, parents read
          where   account.region = 'it''s' or not (value = 3.0)
          where   value >= 50000
          seek    value is not null or (value is null and contract_id > 'c1')
          order   value desc nulls first, contract_id
          take    3 after 0 of each parent
          columns account.account_id of the parent, contract_id, value, value
          policy  own_region
    "#]]
    .assert_eq(&explained);
}
