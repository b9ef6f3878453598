//! Conditions on related rows: joined once, there or not, as far as the caller sees, and so many joins at most.

use super::{
    models::dimension,
    policies::{csm, guarded},
    *,
};
use crate::{
    model::{EntityId, Policy, RelationshipIndex, access::PolicyPeers, entity::Top},
    query::{MetricQuery, MetricSelection, Scope, bind, related_joins},
};

fn related(relationship: &str, filter: Filter) -> Filter {
    Filter::Related { relationship: relationship.to_owned(), filter: Box::new(filter) }
}

fn filtered(entity: &str, filter: Filter) -> EntityQuery {
    EntityQuery { filter: Some(filter), ..list(entity, &[]) }
}

/// That there is one, and nothing else.
fn any() -> Filter {
    Filter::And(Vec::new())
}

#[test]
fn conditions_on_one_row_share_its_join_and_say_that_it_is_there() {
    let query = filtered(
        "contract",
        Filter::And(vec![
            equal("contract_id", text("c1")),
            related("account", Filter::And(vec![equal("region", text("emea")), related("parent", equal("name", text("Alder")))])),
            Filter::Or(vec![
                Filter::Not(Box::new(related("account", related("parent", any())))),
                related("account", Filter::KeyIn { field: String::new(), keys: vec![vec![text("a1")]] }),
            ]),
        ]),
    );
    check(
        &query,
        expect![[r#"
            select "t0"."contract_id" as "k0"
            from "warehouse"."contract" as "t0"
            left join "warehouse"."account" as "t1" on ("t1"."account_id" = "t0"."account_id")
            left join "warehouse"."account" as "t2" on ("t2"."account_id" = "t1"."parent_account_id")
            where ("t0"."contract_id" = $1) and ("t1"."account_id" is not null) and ("t1"."region" = $2) and ("t2"."account_id" is not null) and ("t2"."name" = $3) and ((not (("t1"."account_id" is not null) and ("t2"."account_id" is not null))) or (("t1"."account_id" is not null) and ("t1"."account_id" in ($4))))
            order by "t0"."contract_id" asc nulls last
            limit 3
            -> k0: string
            $1 = Text("c1")
            $2 = Text("emea")
            $3 = Text("Alder")
            $4 = Text("a1")"#]],
    );
    let explained = explain_entities(&model(), &query, &Caller::default()).expect("the question is right");
    expect![[r#"
        rows of contract
          where   contract_id = 'c1'
          where   account.account_id is not null
          where   account.region = 'emea'
          where   account.parent.account_id is not null
          where   account.parent.name = 'Alder'
          where   not (account.account_id is not null and account.parent.account_id is not null) or (account.account_id is not null and (account.account_id) in (('a1')))
          order   contract_id
          take    3 after 0
          columns contract_id
    "#]]
    .assert_eq(&explained);
}

#[test]
fn segments_are_those_of_the_related_row() {
    check(
        &filtered("component", related("contract", Filter::InSegment("large".to_owned()))),
        expect![[r#"
            select "t0"."contract_id" as "k0", "t0"."line" as "k1"
            from "warehouse"."component" as "t0"
            left join "warehouse"."contract" as "t1" on ("t1"."contract_id" = "t0"."contract_id")
            where ("t1"."contract_id" is not null) and ("t1"."value" >= $1::bigint)
            order by "t0"."contract_id" asc nulls last, "t0"."line" asc nulls last
            limit 3
            -> k0: string, k1: int
            $1 = Int(50000)"#]],
    );
}

#[test]
fn a_related_row_that_is_not_there_for_the_caller_is_not_joined() {
    let query = filtered("account", related("parent", equal("region", text("apac"))));
    let rows = |dialect| entities(&guarded(), &query, &csm(), dialect).expect("the question is right").rows;
    check_both(
        rows,
        expect![[r#"
            select "t0"."account_id" as "k0"
            from "warehouse"."account" as "t0"
            left join (
              select "t0"."account_id" as "account_id", "t0"."region" as "region"
              from "warehouse"."account" as "t0"
              where ("t0"."region" in ($1))
            ) as "t1" on ("t1"."account_id" = "t0"."parent_account_id")
            where ("t0"."region" in ($2)) and ("t1"."account_id" is not null) and ("t1"."region" = $3)
            order by "t0"."account_id" asc nulls last
            limit 3
            -> k0: string
            $1 = Text("emea")
            $2 = Text("emea")
            $3 = Text("apac")"#]],
    );
}

#[test]
fn what_cannot_be_asked_of_related_rows_is_refused() {
    let (open, mut guarded) = (model(), guarded());
    for (filter, code) in [
        (related("parents", any()), Code::NameNotFound),
        (related("region", any()), Code::NameNotFound),
        (related("contracts", any()), Code::FanOut),
        (related("parent", equal("regio", text("emea"))), Code::NameNotFound),
        (related("parent", equal("renews_on", text("soon"))), Code::TypeMismatch),
        (related("parent", Filter::InSegment("large".to_owned())), Code::NoPath),
    ] {
        assert_eq!(refused(&open, &filtered("account", filter.clone())).0, code, "{filter:?}");
    }
    for (filter, code) in [
        (related("parent", equal("band", text("large"))), Code::NameNotFound),
        (related("parent", equal("name", text("Alder"))), Code::Forbidden),
    ] {
        assert_eq!(refused(&guarded, &filtered("account", filter.clone())).0, code, "{filter:?}");
    }
    // Of a row without a key that may be looked at nobody can say whether it is there.
    let policy = guarded.policies.remove(0);
    let mask = vec![dimension(&guarded, "account", "account_id").index];
    guarded.policies.push(Policy { rows: None, mask, peers: PolicyPeers::Visible, ..policy });
    let (code, message) = refused(&guarded, &filtered("contract", Filter::Not(Box::new(related("account", any())))));
    assert_eq!((code, message.as_str()), (Code::Forbidden, "the key of `account` is masked for you, so it cannot be a condition"));
}

#[test]
fn conditions_take_so_many_joins_and_no_more() {
    let mut model = model();
    let account = model.entity_named("account").expect("it is defined");
    let nested = |times: usize| (0..times).fold(any(), |inner, _| related("parent", inner));
    let joins = |model: &Model, filter: &Filter| related_joins(model, account, filter);
    assert_eq!(joins(&model, &equal("region", text("emea"))), 0);
    assert_eq!(joins(&model, &Filter::Or(vec![nested(2), Filter::Not(Box::new(nested(3))), nested(1)])), 3, "rows are joined once");
    assert_eq!(joins(&model, &related("nothing", any())), 0, "`bind` refuses it");
    let many = Filter::Or((0..40).map(|number| related("parent", equal("name", text(&format!("{number}"))))).collect());
    assert!(entities(&model, &filtered("account", many), &Caller::default(), Dialect::Postgres).is_ok());
    assert!(entities(&model, &filtered("account", nested(16)), &Caller::default(), Dialect::Postgres).is_ok());
    let (code, message) = refused(&model, &filtered("account", nested(17)));
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(message, "conditions on related rows take 17 joins, and those of one list may take 16");
    add_top(&mut model, account);
    assert_eq!(joins(&model, &related("top", any())), 5, "three levels, one more, and the row");
    assert_eq!(joins(&model, &Filter::And(vec![related("top", nested(1)), nested(1)])), 7);
    assert_eq!(refused(&model, &filtered("account", related("top", related("top", related("top", nested(2)))))).0, code);
}

fn add_top(model: &mut Model, id: EntityId) {
    let account = &mut model.entities[id.index()];
    let parent = account.relationships[0].clone();
    let own = parent.other.clone();
    account.relationships.push(crate::model::Relationship {
        name: "top".to_owned(),
        own,
        top: Some(Top { of: RelationshipIndex(0), levels: 3 }),
        ..parent
    });
}

#[test]
fn metrics_are_not_chosen_by_related_rows() {
    let (model, _) = crate::load(crate::source::SourceMap::new([(
        "test.yaml".to_owned(),
        "project: p\nversion: 1\n---\nentity: sale\nsource: sale\nkey: sale_id\ntime: {day: {}}\nrelationships: {shop: {to: shop, key: shop_id}}\n\
         measures: {amount: {sum: amount}}\n---\nentity: shop\nsource: shop\nkey: shop_id\n---\nmetrics: {amount: {measure: sale.amount}}\n---\n\
         view: selling\nmetrics: \"*\"\ndimensions: [shop]\n"
            .to_owned(),
    )]));
    let model = model.expect("it is right");
    let question = MetricQuery::new(Scope::View("selling".to_owned()), vec![MetricSelection::of("amount")], date(2026, 3, 31));
    let shop = || Some(related("shop", any()));
    for (query, code) in [
        (MetricQuery { filter: shop(), ..question.clone() }, Code::InvalidArgument),
        (MetricQuery { having: shop(), ..question.clone() }, Code::NonAggregateInHaving),
    ] {
        assert_eq!(bind(&model, &query, &Caller::default()).expect_err("it is wrong").code, code);
    }
}
