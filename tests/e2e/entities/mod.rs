//! Rows of entities on both warehouses, against SQL written by hand and against sorting in memory.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod fixture;
mod metrics;
mod nested;
mod paging;
mod policies;
mod shipped;
mod versions;

use std::{collections::BTreeMap, sync::Arc};

use holdfast_schema::{
    compile,
    model::Model,
    query::{Caller, Direction, EntityMetrics, EntityOrderBy, EntityOrderKey, EntityQuery, Filter, Nulls, Page, Parents},
    source::SourceMap,
    sql::{OutputColumn, SqlText, Statement},
    value::{RowSet, Value, ValueType},
};
use holdfast_tests::postgres::Postgres as Server;
use holdfast_warehouse::{
    Limits, Warehouse,
    embedded::Embedded,
    postgres::{
        Postgres, Settings,
        load::{Existing, load},
    },
    table::Table,
};
use jiff::civil::date;

type Row = Vec<Value>;

/// The fixture in both warehouses, and who asks.
struct Desk {
    model: Arc<Model>,
    caller: Caller,
    warehouses: [Box<dyn Warehouse>; 2],
}

impl Desk {
    async fn open() -> Self {
        Self::with(fixture::definitions(), &fixture::tables()).await
    }

    async fn with(definitions: SourceMap, tables: &[Table]) -> Self {
        let (model, diagnostics) = holdfast_schema::load(definitions);
        let model = model.unwrap_or_else(|| panic!("{diagnostics:?}"));
        let database = Server::shared().database().await;
        load(&Settings::new(&database.url), tables, Existing::Refuse).await.unwrap();
        let postgres = Postgres::new(&Settings::new(&database.url)).unwrap();
        let embedded = Embedded::new("entities", tables, Limits::default()).unwrap();
        Self { model, caller: Caller::default(), warehouses: [Box::new(postgres), Box::new(embedded)] }
    }

    /// The rows of a question: the same from both warehouses.
    async fn ask(&self, query: &EntityQuery) -> Vec<Row> {
        let mut answers = Vec::new();
        for warehouse in &self.warehouses {
            let compiled = compile::entities(&self.model, query, &self.caller, warehouse.dialect()).unwrap();
            assert_eq!(compiled.columns.len(), compiled.rows.columns.len());
            answers.push(self.run(warehouse.as_ref(), &compiled.rows).await);
        }
        agreed(answers)
    }

    async fn count(&self, query: &EntityQuery) -> Vec<Row> {
        let mut answers = Vec::new();
        for warehouse in &self.warehouses {
            let compiled = compile::count(&self.model, query, &self.caller, warehouse.dialect()).unwrap();
            answers.push(self.run(warehouse.as_ref(), &compiled.rows).await);
        }
        agreed(answers)
    }

    /// The rows of a statement written by hand, with its types.
    async fn by_hand(&self, sql: &'static str, types: &[ValueType]) -> Vec<Row> {
        let column =
            |(position, value_type): (usize, &ValueType)| OutputColumn { name: format!("c{position}"), value_type: *value_type };
        let columns = types.iter().enumerate().map(column).collect();
        let statement = Statement { sql: SqlText::fixed(sql), params: Vec::new(), columns, is_lookup: false };
        let mut answers = Vec::new();
        for warehouse in &self.warehouses {
            answers.push(self.run(warehouse.as_ref(), &statement).await);
        }
        agreed(answers)
    }

    async fn run(&self, warehouse: &dyn Warehouse, statement: &Statement) -> Vec<Row> {
        match warehouse.run(statement).await {
            Ok(rows) => rows_of(&rows),
            Err(error) => panic!("{:?}: {error}\n{}", warehouse.dialect(), statement.sql.as_str()),
        }
    }
}

fn agreed(answers: Vec<Vec<Row>>) -> Vec<Row> {
    let [postgres, embedded] = <[Vec<Row>; 2]>::try_from(answers).unwrap();
    assert_eq!(postgres, embedded, "both warehouses give the same rows in the same order");
    postgres
}

fn rows_of(rows: &RowSet) -> Vec<Row> {
    let width = rows.columns().len();
    (0..rows.row_count()).map(|row| (0..width).map(|column| rows.cell(row, column).to_value()).collect()).collect()
}

fn list(entity: &str, dimensions: &[&str]) -> EntityQuery {
    EntityQuery {
        entity: entity.to_owned(),
        dimensions: dimensions.iter().map(|name| (*name).to_owned()).collect(),
        parents: None,
        filter: None,
        having: None,
        order_by: Vec::new(),
        metrics: EntityMetrics::default(),
        page: Page { limit: 10_000, offset: 0, after: None, before: None, backwards: false },
        as_of: date(2026, 3, 31),
        as_known_at: None,
    }
}

fn below(parent: &str, relationship: &str, keys: Vec<Row>, query: EntityQuery) -> EntityQuery {
    let parents = Parents { entity: parent.to_owned(), relationship: relationship.to_owned(), keys };
    EntityQuery { parents: Some(parents), ..query }
}

fn by(key: &str, direction: Direction, nulls: Option<Nulls>) -> EntityOrderBy {
    EntityOrderBy { by: EntityOrderKey::Dimension(key.to_owned()), direction, nulls }
}

fn only(query: EntityQuery, filter: Filter) -> EntityQuery {
    EntityQuery { filter: Some(filter), ..query }
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

fn claims(name: &str, values: Vec<Value>) -> Caller {
    Caller { claims: BTreeMap::from([(name.to_owned(), values)]), today: date(2026, 3, 31), ..Caller::default() }
}
