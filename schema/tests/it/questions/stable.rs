//! The same question always gives the same bytes, and nothing an asker writes becomes text of a statement.

use std::sync::Arc;

use holdfast_schema::{
    compile,
    model::Model,
    query::{
        Caller, Comparator, Direction, EntityMetrics, EntityOrderBy, EntityOrderKey, EntityQuery, Filter, MetricQuery, Page,
        Parents, TextTest,
    },
    sql::{Dialect, Param},
    value::Value,
};
use jiff::civil::date;
use proptest::{collection::vec, prelude::*, sample::select};

use super::{load_model, model, nobody, question};

const MARKER: &str = "zqx'\";--";

fn text() -> impl Strategy<Value = String> {
    ".{0,12}".prop_map(|text| format!("{MARKER}{text}"))
}

/// A text that can be matched: patterns that end in a single `\` are refused.
fn pattern() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace('\\', "\\\\"))
}

fn filter() -> impl Strategy<Value = Filter> {
    let field = || select(vec!["segment", "region", "product", "account"]).prop_map(str::to_owned);
    let leaf = prop_oneof![
        (field(), text()).prop_map(|(field, text)| Filter::Compare {
            field,
            operator: Comparator::GreaterOrEqual,
            value: Value::Text(text)
        }),
        (field(), vec(text(), 0..4), any::<bool>()).prop_map(|(field, values, negated)| Filter::In {
            field,
            values: values.into_iter().map(Value::Text).collect(),
            negated
        }),
        (field(), pattern(), select(vec![TextTest::Like, TextTest::StartsWith, TextTest::Contains]))
            .prop_map(|(field, text, test)| Filter::Matches { field, test, text }),
        (field(), any::<bool>()).prop_map(|(field, is_null)| Filter::IsNull { field, is_null }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Filter::And),
            vec(inner.clone(), 0..3).prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

fn any_question() -> impl Strategy<Value = MetricQuery> {
    let views = select(vec![
        ("value", vec!["mrr", "used", "price_per_unit", "accounts_using", "used_share", "used_12m"]),
        ("value", vec!["used_before", "used"]),
    ]);
    let by = select(vec![vec![], vec!["month"], vec!["quarter", "segment"], vec!["month", "product", "account"]]);
    (views, by, proptest::option::of(filter()), any::<bool>()).prop_map(|((view, metrics), by, filter, totals)| MetricQuery {
        filter,
        totals,
        ..question(view, &metrics, &by)
    })
}

/// Texts an asker sends in every place of an entity question that takes one: conditions, keys, cursors.
fn any_entity_question() -> impl Strategy<Value = EntityQuery> {
    let field = || select(vec!["segment", "region", "name"]).prop_map(str::to_owned);
    let condition = prop_oneof![
        (field(), text()).prop_map(|(field, text)| Filter::Compare {
            field,
            operator: Comparator::NotEqual,
            value: Value::Text(text)
        }),
        (field(), pattern(), select(vec![TextTest::LikeIgnoringCase, TextTest::StartsWith, TextTest::Contains]))
            .prop_map(|(field, text, test)| Filter::Matches { field, test, text }),
        vec(text(), 1..4).prop_map(|keys| Filter::KeyIn {
            field: String::new(),
            keys: keys.into_iter().map(|key| vec![Value::Text(key)]).collect()
        }),
    ];
    let cursor = || proptest::option::of(vec(text().prop_map(Value::Text), 2..=2));
    let parents = proptest::option::of(vec(text().prop_map(|key| vec![Value::Text(key)]), 1..4));
    (proptest::option::of(condition), cursor(), cursor(), parents, any::<bool>()).prop_map(
        |(filter, after, before, parents, backwards)| EntityQuery {
            entity: "account".to_owned(),
            dimensions: vec!["name".to_owned(), "region".to_owned()],
            parents: parents.map(|keys| Parents { entity: "stakeholder".to_owned(), relationship: "account".to_owned(), keys }),
            filter,
            having: None,
            metrics: EntityMetrics::default(),
            order_by: vec![EntityOrderBy {
                by: EntityOrderKey::Dimension("region".to_owned()),
                direction: Direction::Descending,
                nulls: None,
            }],
            page: Page { limit: 10, offset: 0, after, before, backwards },
            as_of: date(2025, 6, 30),
            as_known_at: None,
        },
    )
}

/// A caller whose claims hold such texts.
fn claimant(texts: Vec<String>) -> Caller {
    let claims = [("regions".to_owned(), texts.into_iter().map(Value::Text).collect())];
    Caller { claims: claims.into(), ..Caller::default() }
}

/// The model with a policy that reads the claims.
fn restricted() -> Arc<Model> {
    let policy = "\n---\npolicies:\n  own_regions: {applies_to: account, rows: region in claims.regions}\n";
    load_model(include_str!("model.yaml").to_owned() + policy)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_question_gives_the_same_bytes(query in any_question()) {
        for dialect in [Dialect::Postgres, Dialect::Embedded] {
            let once = compile::metrics(&model(), &query, &nobody(), dialect).unwrap();
            let again = compile::metrics(&model(), &query.clone(), &nobody(), dialect).unwrap();
            prop_assert_eq!(once.rows.digest(), again.rows.digest());
            prop_assert_eq!(once, again);
        }
    }

    #[test]
    fn nothing_an_asker_writes_becomes_text(query in any_question()) {
        for dialect in [Dialect::Postgres, Dialect::Embedded] {
            let compiled = compile::metrics(&model(), &query, &nobody(), dialect).unwrap();
            for statement in [Some(&compiled.rows), compiled.totals.as_ref()].into_iter().flatten() {
                prop_assert!(!statement.sql.as_str().contains("zqx"), "{}", statement.sql.as_str());
                let highest = statement.params.len();
                let is_used = statement.sql.as_str().contains(&format!("${highest}"));
                prop_assert!(highest == 0 || is_used);
                prop_assert!(statement.params.iter().all(|param| !matches!(param, Param::Text(text) if text.is_empty())));
            }
        }
    }

    #[test]
    fn nothing_an_asker_of_entities_writes_or_claims_becomes_text(query in any_entity_question(), claims in vec(text(), 0..3)) {
        let (model, caller) = (restricted(), claimant(claims.clone()));
        for dialect in [Dialect::Postgres, Dialect::Embedded] {
            let rows = compile::entities(&model, &query, &caller, dialect).unwrap().rows;
            let count = compile::count(&model, &query, &caller, dialect).unwrap().rows;
            for statement in [&rows, &count] {
                prop_assert!(!statement.sql.as_str().contains("zqx"), "{}", statement.sql.as_str());
                for claim in &claims {
                    prop_assert!(statement.params.contains(&Param::Text(claim.clone())), "{}", statement.sql.as_str());
                }
            }
        }
    }

    #[test]
    fn columns_are_those_asked_for(query in any_question()) {
        let compiled = compile::metrics(&model(), &query, &nobody(), Dialect::Postgres).unwrap();
        prop_assert_eq!(compiled.columns.len(), compiled.rows.columns.len());
        prop_assert_eq!(compiled.columns.len(), query.by.len() + query.metrics.len());
    }
}
