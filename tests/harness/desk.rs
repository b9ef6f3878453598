//! The product without HTTP, over the same rows in both warehouses: one question goes to both, and both must say the same.

use std::{sync::Arc, time::Duration};

use async_graphql::{Request, Variables};
use holdfast_resolvers::{Api, Planning, RequestContext, RequestId, Settings as ApiSettings};
use holdfast_schema::{diagnostic::render, model::Model, query::Caller, source::SourceMap};
use holdfast_server::engine::{Engine, Settings as EngineSettings};
use holdfast_warehouse::{
    Limits, Warehouse,
    embedded::Embedded,
    postgres::{
        Postgres, Settings as PostgresSettings,
        load::{Existing, load},
    },
    table::Table,
};
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::SimpleQueryMessage;

use crate::{
    answer::{Answer, plain},
    postgres::{Database, Postgres as Server},
};

/// One API over one warehouse.
#[derive(Clone)]
pub struct Counter {
    api: Arc<Api>,
    /// What answers behind it.
    pub engine: Arc<Engine>,
    /// The warehouse behind that.
    pub warehouse: Arc<dyn Warehouse>,
    /// Who asks.
    pub caller: Caller,
    /// The instant of every request.
    pub now: Timestamp,
}

/// A model over both warehouses.
pub struct Desk {
    /// Over the embedded engine.
    pub embedded: Counter,
    /// Over PostgreSQL.
    pub postgres: Counter,
    /// The database behind it, for SQL written by hand.
    pub database: Database,
}

/// Reads definitions.
///
/// # Panics
/// When they have errors.
pub fn model(sources: SourceMap) -> Arc<Model> {
    let (model, diagnostics) = holdfast_schema::load(sources.clone());
    assert!(!diagnostics.has_errors(), "{}", render::human(&sources, &diagnostics, false));
    model.expect("definitions without errors make a model")
}

/// Definitions written in a test.
pub fn definitions(text: &str) -> SourceMap {
    SourceMap::new(vec![("test.yaml".to_owned(), text.to_owned())])
}

/// How long a statement may take, or wait: tests ask for numbers, in unoptimised builds and on machines that do much else.
const PATIENCE: Duration = Duration::from_secs(300);

/// Settings of an engine that keeps no answers.
pub fn without_cache() -> EngineSettings {
    EngineSettings { cache_bytes: 0, default_ttl: Duration::ZERO, queue_wait: PATIENCE, ..EngineSettings::default() }
}

/// The GraphQL surface of a model. Building it takes a while for a large one: share it between desks.
///
/// # Panics
/// When names of the model collide in GraphQL.
pub fn api(model: &Arc<Model>) -> Arc<Api> {
    Arc::new(Api::new(Arc::clone(model), ApiSettings::default()).unwrap_or_else(|wrong| panic!("{wrong:?}")))
}

impl Counter {
    /// Puts an API before a warehouse.
    pub fn new(api: &Arc<Api>, warehouse: Arc<dyn Warehouse>, settings: EngineSettings) -> Self {
        Self {
            api: Arc::clone(api),
            engine: Arc::new(Engine::new(Arc::clone(&warehouse), settings)),
            warehouse,
            caller: Caller::default(),
            now: "2026-01-15T12:00:00Z".parse().expect("an instant"),
        }
    }

    /// Answers a document.
    ///
    /// # Panics
    /// When the response is no JSON.
    pub async fn ask(&self, document: &str) -> Answer {
        self.ask_with(document, &Value::Null).await
    }

    /// Answers a document with variables.
    ///
    /// # Panics
    /// When the response is no JSON.
    pub async fn ask_with(&self, document: &str, variables: &Value) -> Answer {
        let context = RequestContext {
            request: RequestId::next(),
            model: Arc::clone(self.api.model()),
            caller: self.caller.clone(),
            now: self.now,
            correlation_id: "test".to_owned(),
            shows_cost: false,
            planning: Planning::untimed(),
        };
        let runner: Arc<Engine> = Arc::clone(&self.engine);
        let answer =
            self.api.execute(runner, context, Request::new(document).variables(Variables::from_json(variables.clone()))).await;
        let json = serde_json::from_slice(&answer.body)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&answer.body)));
        Answer { json }
    }

    /// The GraphQL surface.
    pub fn api(&self) -> &Api {
        &self.api
    }
}

impl Desk {
    /// Loads the tables into both warehouses. Nothing is cached.
    pub async fn open(sources: SourceMap, tables: &[Table]) -> Self {
        Self::with(&api(&model(sources)), tables, &without_cache()).await
    }

    /// Loads the tables into both warehouses.
    ///
    /// # Panics
    /// When a warehouse does not take them.
    pub async fn with(api: &Arc<Api>, tables: &[Table], settings: &EngineSettings) -> Self {
        let database = Server::shared().database().await;
        load(&PostgresSettings::new(&database.url), tables, Existing::Refuse).await.expect("PostgreSQL takes the tables");
        let postgres = Postgres::new(&PostgresSettings::new(&database.url)).expect("the address is right");
        let limits = Limits { timeout: PATIENCE, ..Limits::default() };
        let embedded = Embedded::new(&database.url, tables, limits).expect("the embedded engine takes the tables");
        Self {
            embedded: Counter::new(api, Arc::new(embedded), settings.clone()),
            postgres: Counter::new(api, Arc::new(postgres), settings.clone()),
            database,
        }
    }

    /// The same desk, asked by somebody.
    #[must_use]
    pub fn asked_by(mut self, caller: &Caller) -> Self {
        self.embedded.caller = caller.clone();
        self.postgres.caller = caller.clone();
        self
    }

    /// Asks both.
    ///
    /// # Panics
    /// When they do not agree.
    pub async fn ask(&self, document: &str) -> Answer {
        self.ask_with(document, &Value::Null).await
    }

    /// Asks both, with variables.
    ///
    /// # Panics
    /// When they do not agree.
    pub async fn ask_with(&self, document: &str, variables: &Value) -> Answer {
        let embedded = self.embedded.ask_with(document, variables).await;
        let postgres = self.postgres.ask_with(document, variables).await;
        assert_eq!(
            embedded.json, postgres.json,
            "the embedded engine (left) and PostgreSQL (right) answer differently:\n{document}"
        );
        postgres
    }

    /// Rows of SQL written by hand, in plain form.
    pub async fn by_hand(&self, sql: &str) -> Vec<Vec<String>> {
        self.database.rows(sql).await
    }

    /// Asks both, and compares the rows of a root field with SQL written by hand.
    ///
    /// # Panics
    /// When they differ.
    pub async fn check(&self, field: &str, document: &str, check_sql: &str) -> Answer {
        let answer = self.ask(document).await;
        let rows = answer.rows(field);
        assert_eq!(rows, self.by_hand(check_sql).await, "GraphQL (left) and the check (right) differ:\n{document}\n{check_sql}");
        answer
    }
}

impl Database {
    /// Rows of SQL written by hand, in plain form.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.named_rows(sql).await.into_iter().map(|row| row.into_iter().map(|(_, cell)| cell).collect()).collect()
    }

    /// Rows of SQL written by hand, in plain form, each cell with the name of its column.
    ///
    /// # Panics
    /// When the SQL is wrong.
    pub async fn named_rows(&self, sql: &str) -> Vec<Vec<(String, String)>> {
        let messages = self.connect().await.simple_query(sql).await.unwrap_or_else(|error| panic!("{error:?} in\n{sql}"));
        messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            })
            .map(|row| {
                let columns = row.columns().iter().enumerate();
                columns.map(|(n, column)| (column.name().to_owned(), row.get(n).map_or("null".to_owned(), plain))).collect()
            })
            .collect()
    }
}
