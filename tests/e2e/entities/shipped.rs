//! Every entity and relationship of the shipped definitions over the demo portfolio: runs on both warehouses, with the same rows.

use std::collections::HashSet;

use holdfast_schema::{
    model::{Cardinality, EntityId},
    query::{Direction, EntityQuery, Filter},
    value::Value,
};
use holdfast_server::{definitions::Origin, demo};
use jiff::civil::date;

use super::{Desk, Row, below, by, list, only};

const SOME: usize = 20;

fn visible(desk: &Desk, entity: EntityId) -> Vec<&str> {
    let dimensions = desk.model.entity(entity).dimensions.iter().filter(|dimension| !dimension.hidden);
    dimensions.map(|dimension| dimension.name.as_str()).collect()
}

/// That a relationship to one leads to a row.
fn there_is(relationship: &str) -> Filter {
    Filter::Related { relationship: relationship.to_owned(), filter: Box::new(Filter::And(Vec::new())) }
}

fn some(query: EntityQuery) -> EntityQuery {
    let mut query = EntityQuery { as_of: date(2025, 12, 31), ..query };
    query.page.limit = SOME as u64;
    query
}

#[tokio::test]
async fn every_entity_and_relationship_answers_alike_and_without_repeats() {
    let desk = Desk::with(Origin::Shipped.read().unwrap(), &demo::portfolio()).await;
    for (id, entity) in desk.model.entity_ids() {
        let dimensions = visible(&desk, id);
        let mut query = some(list(&entity.name, &dimensions));
        query.order_by = dimensions.last().map(|name| by(name, Direction::Descending, None)).into_iter().collect();
        let rows = desk.ask(&query).await;
        let total = desk.count(&query).await;
        assert_eq!(total.len(), 1);
        assert!(rows.len() > SOME || total[0][0] == Value::Int(rows.len() as i64), "{}", entity.name);
        let width = entity.key.len();
        let keys: Vec<Row> = rows.iter().map(|row| row[..width].to_vec()).collect();
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "keys of {} repeat", entity.name);

        for relationship in &entity.relationships {
            let to = desk.model.entity(relationship.to);
            let query =
                some(below(&entity.name, &relationship.name, keys.clone(), list(&to.name, &visible(&desk, relationship.to))));
            let rows = desk.ask(&query).await;
            let unique: HashSet<_> = rows.iter().map(|row| &row[..width + to.key.len()]).collect();
            assert_eq!(unique.len(), rows.len(), "{}.{} repeats rows", entity.name, relationship.name);
            let counted = desk.count(&query).await;
            for row in &counted {
                let found = rows.iter().filter(|found| found[..width] == row[..width]).count();
                let Value::Int(count) = row[width] else { unreachable!("a count is a whole number") };
                let shown = match relationship.cardinality {
                    Cardinality::ManyToOne | Cardinality::OneToOne => count,
                    Cardinality::OneToMany | Cardinality::ManyToMany { .. } => count.min(SOME as i64 + 1),
                };
                assert_eq!(found as i64, shown, "{}.{}", entity.name, relationship.name);
            }
            if relationship.is_to_one() {
                let parents: HashSet<&[Value]> = rows.iter().map(|row| &row[..width]).collect();
                for (is_there, filter) in
                    [(true, there_is(&relationship.name)), (false, Filter::Not(Box::new(there_is(&relationship.name))))]
                {
                    let chosen = Filter::And(vec![Filter::KeyIn { field: String::new(), keys: keys.clone() }, filter]);
                    let found = desk.ask(&only(some(list(&entity.name, &[])), chosen)).await;
                    let expected: HashSet<&[Value]> =
                        keys.iter().map(Vec::as_slice).filter(|key| parents.contains(key) == is_there).collect();
                    assert_eq!(
                        found.iter().map(Vec::as_slice).collect::<HashSet<_>>(),
                        expected,
                        "{}.{}",
                        entity.name,
                        relationship.name
                    );
                }
            }
        }
    }
}
