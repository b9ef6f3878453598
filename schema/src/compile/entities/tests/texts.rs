//! Nothing an asker wrote is in the text of a statement, and equal questions have equal statements.

use proptest::prelude::*;

use super::{
    policies::{csm, guarded},
    *,
};
use crate::sql::Param;

const MARK: &str = "zq\"';--\u{1f4a5}";

fn marked() -> impl Strategy<Value = EntityQuery> {
    let value = "[a-z'\"%_\\\\;-]{0,6}".prop_map(|tail| format!("{MARK}{tail}"));
    let leaf = (0..5usize, value).prop_map(|(kind, mark)| match kind {
        0 => equal("name", Value::Text(mark)),
        1 => Filter::In { field: "region".to_owned(), values: vec![Value::Text(mark.clone()), Value::Text(mark)], negated: true },
        2 => Filter::Matches { field: "name".to_owned(), test: TextTest::Contains, text: mark },
        3 => Filter::Matches { field: "parent.name".to_owned(), test: TextTest::LikeIgnoringCase, text: mark },
        _ => Filter::KeyIn { field: String::new(), keys: vec![vec![Value::Text(mark)]] },
    });
    let filter = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    });
    (filter, any::<bool>(), any::<bool>(), 0u64..3).prop_map(|(filter, nested, cursor, offset)| {
        let mut query = list("account", &["name"]);
        query.filter = Some(filter);
        query.order_by = vec![by("name", Direction::Descending, None)];
        query.page.offset = offset;
        query.page.after = cursor.then(|| vec![text(MARK), text(MARK)]);
        if nested { below("account", "subsidiaries", vec![vec![text(MARK)]], query) } else { query }
    })
}

proptest! {
    #[test]
    fn what_an_asker_writes_is_never_in_the_text_and_equal_questions_have_equal_bytes(query in marked()) {
        for dialect in [Dialect::Postgres, Dialect::Embedded] {
            for model in [model(), guarded()] {
                let Ok(compiled) = entities(&model, &query, &csm(), dialect) else { continue };
                prop_assert!(!compiled.rows.sql.as_str().contains("zq"), "{}", compiled.rows.sql.as_str());
                prop_assert!(compiled.rows.params.iter().all(|param| !matches!(param, Param::Text(text) if text.is_empty())));
                prop_assert_eq!(&compiled, &entities(&model, &query, &csm(), dialect).expect("it compiled before"));
            }
        }
    }
}
