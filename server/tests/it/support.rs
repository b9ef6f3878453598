//! A small project, a runner that never runs anything, and a way to send requests.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use holdfast_resolvers::{
    Budget, BudgetSpent, CacheState, CountAnswer, EntityAnswer, MetricAnswer, RequestContext, RunError, Runner,
};
use holdfast_schema::{
    query::{EntityQuery, MetricQuery},
    source::SourceMap,
    sql::{Dialect, Statement},
    value::RowSet,
};
use holdfast_server::{
    app::{App, Parts},
    config::{self, Sources},
    documents::Documents,
    generation::Load,
    http::Router,
    identity::Identity,
    recorder::Recorder,
};
use holdfast_warehouse::{CatalogueColumn, Status, Warehouse};
use jiff::Timestamp;
use poem::{Endpoint as _, Request, Response, http::Method};

/// A project with one fact, one metric, one view and one test.
pub(crate) const PROJECT: [(&str, &str); 4] = [
    ("project.yaml", "project: shop\nversion: 1\n"),
    (
        "sale.yaml",
        "entity: sale\nsource: shop.sale\nkey: sale_id\ndimensions:\n  sale_id: int\n  region: string\ntime:\n  sold_on: {type: date}\n\
         measures:\n  amount: {sum: amount}\n",
    ),
    (
        "metrics.yaml",
        "metrics:\n  revenue:\n    measure: sale.amount\n    tests:\n      - given: [two_sales]\n        ask: {by: [region], range: 2025}\n        \
         expect: [{region: north, revenue: 2}, {region: south, revenue: 1.5}]\nfixtures:\n  two_sales:\n    tables:\n      shop.sale:\n        \
         - {sale_id: 1, region: north, sold_on: 2025-01-05, amount: 2}\n        \
         - {sale_id: 2, region: south, sold_on: 2025-02-05, amount: 1.5}\n",
    ),
    (
        "view.yaml",
        "view: selling\nmetrics: [revenue]\ndimensions: [sale.region]\n---\nsaved_queries:\n  by_region:\n    document: |\n      \
         query ($limit: Int = 10) { selling(by: [{dimension: REGION}], limit: $limit) { rows { region revenue } } }\n",
    ),
];

/// A question about the project.
pub(crate) const QUERY: &str = "{ selling(by: [{dimension: REGION}]) { rows { region revenue } } }";

/// Writes the project to a folder.
pub(crate) fn write_project(folder: &Path) {
    for (name, text) in PROJECT {
        std::fs::write(folder.join(name), text).expect("written");
    }
}

/// What the fake runner does with a question.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// Answers without rows, as if from the warehouse.
    Empty,
    /// Answers without rows, as if from the cache.
    Reuse,
    /// Lets nobody spend anything.
    Spent,
    /// Fails.
    Fail(RunError),
    /// Has a bug.
    Panic,
    /// Never answers.
    Hang,
}

struct FakeRunner {
    inner: Recorder,
    behaviour: Behaviour,
}

#[async_trait::async_trait]
impl Runner for FakeRunner {
    fn charge(&self, _: &RequestContext, _: u64) -> Result<Option<Budget>, BudgetSpent> {
        match &self.behaviour {
            Behaviour::Spent => Err(BudgetSpent { remaining: 0, retry_after: Duration::from_secs(7) }),
            Behaviour::Empty | Behaviour::Reuse | Behaviour::Fail(_) | Behaviour::Panic | Behaviour::Hang => Ok(None),
        }
    }

    async fn metrics(&self, context: &RequestContext, query: &MetricQuery) -> Result<MetricAnswer, RunError> {
        let mut answer = self.inner.metrics(context, query).await?;
        answer.provenance.cache = CacheState::Miss;
        answer.provenance.max_age = Duration::from_secs(60);
        match &self.behaviour {
            Behaviour::Empty | Behaviour::Spent => Ok(answer),
            Behaviour::Reuse => {
                answer.provenance.cache = CacheState::Hit;
                answer.provenance.age = Duration::from_secs(20);
                answer.provenance.max_age = Duration::from_secs(40);
                Ok(answer)
            }
            Behaviour::Fail(error) => Err(error.clone()),
            Behaviour::Panic => panic!("a bug in the runner"),
            Behaviour::Hang => std::future::pending().await,
        }
    }

    async fn entities(&self, context: &RequestContext, query: &EntityQuery) -> Result<EntityAnswer, RunError> {
        self.inner.entities(context, query).await
    }

    async fn count(&self, context: &RequestContext, query: &EntityQuery) -> Result<CountAnswer, RunError> {
        let mut answer = self.inner.count(context, query).await?;
        if let Behaviour::Reuse = self.behaviour {
            answer.provenance.cache = CacheState::Hit;
            answer.provenance.age = Duration::from_secs(15);
            answer.provenance.max_age = Duration::from_secs(45);
        }
        Ok(answer)
    }

    fn explain(&self, context: &RequestContext, query: &MetricQuery) -> Result<Option<String>, RunError> {
        self.inner.explain(context, query)
    }
}

/// A warehouse that is up or down.
struct FakeWarehouse {
    is_up: bool,
}

#[async_trait::async_trait]
impl Warehouse for FakeWarehouse {
    async fn run(&self, _: &Statement) -> Result<RowSet, holdfast_warehouse::Error> {
        Err(holdfast_warehouse::Error::Unavailable("fake".into()))
    }

    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn identity(&self) -> String {
        "fake".into()
    }

    async fn ping(&self) -> Result<(), holdfast_warehouse::Error> {
        if self.is_up { Ok(()) } else { Err(holdfast_warehouse::Error::Unavailable("fake".into())) }
    }

    async fn columns(&self) -> Result<Vec<CatalogueColumn>, holdfast_warehouse::Error> {
        Ok(Vec::new())
    }

    fn status(&self) -> Status {
        Status::default()
    }
}

/// An app over the project.
pub(crate) fn app(behaviour: Behaviour, is_up: bool, flags: &[(&'static str, &str)]) -> Arc<App> {
    let files = PROJECT.map(|(name, text)| (name.to_owned(), text.to_owned()));
    app_of(SourceMap::new(files), behaviour, is_up, flags)
}

/// An app over other files.
pub(crate) fn app_of(sources: SourceMap, behaviour: Behaviour, is_up: bool, settings: &[(&'static str, &str)]) -> Arc<App> {
    // What is tested elsewhere than with credentials asks without.
    let anonymous = [("identity.anonymous", "true")];
    let environment = anonymous.iter().chain(settings);
    let environment =
        environment.map(|(key, text)| (config::settings::find(key).expect("a setting").variable(), (*text).to_owned()));
    let config = config::load(Sources { environment: environment.collect(), ..Sources::default() }).expect("valid settings");
    let load = Load::run(sources, config.limits, Timestamp::UNIX_EPOCH);
    let generation = load.generation.clone().unwrap_or_else(|| panic!("the project is valid:\n{}", load.human(false)));
    let inner = Recorder::new(Dialect::Postgres, Arc::new(Mutex::new(Vec::new())));
    Arc::new(App::new(Parts {
        load,
        generation,
        settings: config.limits,
        runner: Arc::new(FakeRunner { inner, behaviour }),
        identity: Arc::new(Identity::open(&config.identity).expect("identity can be used")),
        warehouse: Arc::new(FakeWarehouse { is_up }),
        http: config.http,
        metrics: None,
        documents: Arc::new(Documents::new(config.documents.mode, &config.documents.manifests).expect("readable manifests")),
        streams: config.streams,
        refresh_interval: config.cache.refresh_interval,
    }))
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    response: Response,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.header(name)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON, not {}", self.body))
    }
}

/// Sends a request to an app.
pub(crate) async fn send(app: &Arc<App>, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri_str(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = Router::new(Arc::clone(app)).get_response(request.body(body.to_owned())).await;
    let bytes = response.take_body().into_vec().await.expect("a body");
    Answer { status: response.status().as_u16(), body: String::from_utf8_lossy(&bytes).into_owned(), response }
}

/// Posts a GraphQL document.
pub(crate) async fn post(app: &Arc<App>, accept: &str, query: &str) -> Answer {
    let body = serde_json::json!({ "query": query }).to_string();
    send(app, Method::POST, "/graphql", &[("content-type", "application/json"), ("accept", accept)], &body).await
}

/// Gets a place.
pub(crate) async fn get(app: &Arc<App>, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(app, Method::GET, path, headers, "").await
}
