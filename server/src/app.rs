//! The long-lived parts of a running server, shared by every request.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use holdfast_resolvers::{Runner, Settings};
use holdfast_warehouse::Warehouse;
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Notify, Semaphore, watch};

use crate::{
    config::{http::Http, streams::Streams},
    documents::Documents,
    generation::{Generation, Load},
    http::SharedStreams,
    identity::Identity,
    live::Live,
};

/// Everything requests share.
pub struct App {
    /// What serves requests now.
    generation: ArcSwap<Generation>,
    /// The newest look at the definition files, which may be worse than what serves.
    definitions: ArcSwap<DefinitionsState>,
    /// Tells that another generation serves.
    replaced: Notify,
    /// Settings of the GraphQL surface, for the next generation.
    settings: Settings,
    /// Answers questions.
    pub runner: Arc<dyn Runner>,
    /// Who asks.
    pub identity: Arc<Identity>,
    /// Where data is, for health.
    pub warehouse: Arc<dyn Warehouse>,
    /// Limits and switches of the HTTP side.
    pub http: Http,
    /// Renders `/metrics`; absent where no recorder is installed.
    pub metrics: Option<PrometheusHandle>,
    /// Documents that are sent by name or by digest.
    pub documents: Arc<Documents>,
    /// Live queries.
    pub live: Live,
    /// Limits of sockets and streams of events.
    pub streams: Streams,
    /// Streams of events that several operations share.
    pub shared_streams: SharedStreams,
    /// One for each socket and stream of events that may be open.
    pub stream_permits: Arc<Semaphore>,
    /// Turns true when the process is asked to stop: sockets and streams end then.
    pub stopping: watch::Sender<bool>,
}

/// The newest look at the definition files.
#[derive(Debug, Clone)]
pub struct DefinitionsState {
    /// Whether what serves is what the files say.
    pub is_current: bool,
    /// When the files were read.
    pub read_at: Timestamp,
    /// Errors found.
    pub errors: usize,
    /// Warnings found.
    pub warnings: usize,
    /// All of it as JSON.
    pub diagnostics_json: Arc<str>,
}

impl DefinitionsState {
    fn new(load: &Load, now: Timestamp) -> Self {
        let (errors, warnings) = load.counts();
        Self { is_current: load.generation.is_some(), read_at: now, errors, warnings, diagnostics_json: load.json().into() }
    }
}

/// The parts an [`App`] is made of.
pub struct Parts {
    /// The first load; its generation is what serves.
    pub load: Load,
    /// The generation of `load`.
    pub generation: Arc<Generation>,
    /// Settings of the GraphQL surface.
    pub settings: Settings,
    /// Answers questions.
    pub runner: Arc<dyn Runner>,
    /// Who asks.
    pub identity: Arc<Identity>,
    /// Where data is.
    pub warehouse: Arc<dyn Warehouse>,
    /// Limits and switches of the HTTP side.
    pub http: Http,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
    /// Documents that are sent by name or by digest.
    pub documents: Arc<Documents>,
    /// Limits of sockets and streams of events.
    pub streams: Streams,
    /// How often live queries look for new data.
    pub refresh_interval: Duration,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let state = DefinitionsState::new(&parts.load, parts.generation.loaded_at);
        Self {
            generation: ArcSwap::new(parts.generation),
            definitions: ArcSwap::from_pointee(state),
            replaced: Notify::new(),
            settings: parts.settings,
            runner: parts.runner,
            identity: parts.identity,
            warehouse: parts.warehouse,
            http: parts.http,
            metrics: parts.metrics,
            documents: parts.documents,
            live: Live::new(parts.refresh_interval),
            shared_streams: SharedStreams::default(),
            stream_permits: Arc::new(Semaphore::new(parts.streams.max)),
            streams: parts.streams,
            stopping: watch::Sender::new(false),
        }
    }

    /// What serves requests now. A request keeps the generation it began with.
    pub fn generation(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    /// Waits for another generation, or returns at once when there was one since the last call. One task may wait.
    pub async fn replaced(&self) {
        self.replaced.notified().await;
    }

    /// The newest look at the definition files.
    pub fn definitions(&self) -> Arc<DefinitionsState> {
        self.definitions.load_full()
    }

    /// Settings of the GraphQL surface.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Takes over a new load: serves it when it is good, keeps serving what there is when it is not.
    pub fn take_over(&self, load: &Load, now: Timestamp) {
        let state = DefinitionsState::new(load, now);
        let (errors, warnings) = (state.errors, state.warnings);
        match &load.generation {
            Some(generation) => {
                self.generation.store(Arc::clone(generation));
                self.replaced.notify_one();
                metrics::counter!("holdfast_definitions_reloads_total", "outcome" => "accepted").increment(1);
                tracing::info!(fingerprint = generation.model.fingerprint, warnings, "definitions reloaded");
            }
            None => {
                metrics::counter!("holdfast_definitions_reloads_total", "outcome" => "refused").increment(1);
                tracing::error!(errors, warnings, "definitions refused; the earlier ones keep serving\n{}", load.human(false));
            }
        }
        self.definitions.store(Arc::new(state));
    }

    /// Whether the warehouse gives a sign of life within `limit`.
    pub async fn warehouse_is_reachable(&self, limit: Duration) -> bool {
        matches!(tokio::time::timeout(limit, self.warehouse.ping()).await, Ok(Ok(())))
    }
}
