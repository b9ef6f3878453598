//! Metrics that do not exist for a caller: refused like names that nobody has given, and computed from all the same.

use std::sync::Arc;

use holdfast_schema::{
    compile,
    model::Model,
    query::{
        Access, Caller, Comparator, EntityMetrics, EntityOrderBy, EntityOrderKey, EntityQuery, Filter, MetricQuery,
        MetricSelection, Page, QueryError, Scope,
    },
    sql::Dialect,
    value::Value,
};
use jiff::civil::date;

use super::{load_model, nobody, question};

const POLICIES: &str = "
---
metrics:
  busy: {score: {inputs: {use: {of: used, weight: 1, to: 10}, value: {of: price_per_unit, weight: 1, to: 5}}}}
  valued: {score: {inputs: {value: {of: price_per_unit, weight: 1, to: 5}}}}
---
view: scores
metrics: [busy, valued]
dimensions: [account]
---
view: quantities
metrics: [used]
dimensions: [account]
---
rules: {dear: {per: account, when: price_per_unit > 5}, idle: {per: account, when: used < 1}}
---
policies:
  guests: {roles: guest, metrics: [mrr, price_per_unit, busy, valued]}
  partners: {roles: partner, metrics: [mrr, used]}
";

fn restricted() -> Arc<Model> {
    load_model(include_str!("model.yaml").to_owned() + POLICIES)
}

fn with_roles(roles: &[&str]) -> Caller {
    Caller { roles: roles.iter().map(|role| (*role).to_owned()).collect(), ..Caller::default() }
}

fn refused(query: &MetricQuery, caller: &Caller) -> QueryError {
    compile::metrics(&restricted(), query, caller, Dialect::Postgres).unwrap_err()
}

#[test]
fn what_is_not_listed_is_refused_like_what_nobody_has_defined() {
    let guest = with_roles(&["guest"]);
    for (right, wrong) in [("used", "qqqq"), ("accounts", "qqqqqqqq"), ("used_12m", "qqqqqqqq")] {
        let text = |name: &str| {
            let error = refused(&question("value", &[name], &[]), &guest);
            format!("{} {} {:?} {:?}", error.code.as_str(), error.message.replace(name, "?"), error.help, error.suggestions)
        };
        assert_eq!(text(right), text(wrong), "{right}");
    }
    let near = refused(&question("value", &["usd"], &[]), &guest);
    assert_eq!(near.suggestions, Vec::<String>::new(), "what does not exist is not suggested");
    assert_eq!(refused(&question("value", &["usd"], &[]), &nobody()).suggestions, ["used"]);
}

#[test]
fn entities_are_not_asked_for_it_either() {
    let guest = with_roles(&["guest"]);
    let scope = MetricQuery { scope: Scope::Entity("account".to_owned()), ..question("value", &["used"], &[]) };
    assert_eq!(refused(&scope, &guest).message, "entity `account` has no metric `used`");
    let list = EntityQuery {
        entity: "account".to_owned(),
        dimensions: vec!["name".to_owned()],
        parents: None,
        filter: None,
        having: None,
        metrics: EntityMetrics::default(),
        order_by: Vec::new(),
        page: Page { limit: 10, offset: 0, after: None, before: None, backwards: false },
        as_of: date(2025, 6, 30),
        as_known_at: None,
    };
    let condition = Filter::Compare { field: "used".to_owned(), operator: Comparator::Greater, value: Value::Int(1) };
    let order = EntityOrderBy {
        by: EntityOrderKey::Metric("used".to_owned()),
        direction: holdfast_schema::query::Direction::Ascending,
        nulls: None,
    };
    for query in [EntityQuery { having: Some(condition), ..list.clone() }, EntityQuery { order_by: vec![order], ..list }] {
        let model = restricted();
        let error = compile::entities(&model, &query, &guest, Dialect::Postgres).unwrap_err();
        assert_eq!(error.message, "entity `account` has no metric `used`");
        let counted = compile::count(&model, &query, &guest, Dialect::Postgres);
        assert_eq!(counted.is_err(), query.having.is_some(), "a count has conditions and no order");
        assert!(compile::entities(&model, &query, &nobody(), Dialect::Postgres).is_ok());
    }
}

#[test]
fn what_is_computed_from_it_is_computed_as_for_everybody() {
    let asked = question("value", &["mrr", "price_per_unit"], &["month"]);
    let model = restricted();
    let of = |caller: &Caller| compile::metrics(&model, &asked, caller, Dialect::Postgres).unwrap();
    let (guest, anybody) = (of(&with_roles(&["guest"])), of(&nobody()));
    assert_eq!(guest.rows.sql.as_str(), anybody.rows.sql.as_str());
    assert_eq!((guest.policies.as_slice(), anybody.policies.len()), (["guests".to_owned()].as_slice(), 0));
}

#[test]
fn lists_of_several_policies_intersect() {
    let both = with_roles(&["guest", "partner"]);
    let model = restricted();
    assert!(compile::metrics(&model, &question("value", &["mrr"], &[]), &both, Dialect::Postgres).is_ok());
    for metric in ["used", "price_per_unit"] {
        assert_eq!(refused(&question("value", &[metric], &[]), &both).message, format!("view `value` has no metric `{metric}`"));
    }
    let [guest, partner, both] =
        [&["guest"][..], &["partner"], &["guest", "partner"]].map(|roles| Access::of(&model, &with_roles(roles)));
    assert!(guest != partner && both != guest && both != partner);
    let either = guest.hidden_metrics.union(&partner.hidden_metrics).copied().collect();
    assert_eq!(both.hidden_metrics, either);
}

#[test]
fn a_view_without_metrics_is_not_there() {
    let guest = with_roles(&["guest"]);
    let gone = refused(&question("quantities", &["used"], &[]), &guest);
    assert_eq!((gone.message.as_str(), gone.suggestions.len()), ("there is no view `quantities`", 0));
    assert_eq!(refused(&question("quantitie", &["used"], &[]), &guest).suggestions, Vec::<String>::new());
}

#[test]
fn parts_of_a_score_tell_nothing_of_inputs_that_are_not_there() {
    use holdfast_schema::model::score::ScorePart;
    let part = |metric: &str, part| MetricQuery {
        metrics: vec![MetricSelection { part: Some(part), ..MetricSelection::of(metric) }],
        ..question("scores", &[], &["account"])
    };
    let (model, guest) = (restricted(), with_roles(&["guest"]));
    for number in 0..2 {
        for one in [ScorePart::Value(number), ScorePart::Scaled(number), ScorePart::Contribution(number)] {
            let error = refused(&part("busy", one), &guest);
            assert_eq!(error.message, "`busy` is not a score, so nothing contributes to it");
            assert!(compile::metrics(&model, &part("busy", one), &nobody(), Dialect::Postgres).is_ok());
        }
    }
    assert!(compile::metrics(&model, &part("valued", ScorePart::Contribution(0)), &guest, Dialect::Postgres).is_ok());
    assert!(compile::metrics(&model, &question("scores", &["busy"], &["account"]), &guest, Dialect::Postgres).is_ok());
}
