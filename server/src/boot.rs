//! The composition root: settings → parts → a running server. The only function that knows all of them.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use holdfast_warehouse::{
    Warehouse,
    embedded::{Embedded, folder},
    postgres::Postgres,
};
use jiff::{Timestamp, civil::Date};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch::Sender,
    task::spawn_blocking,
};

use crate::{
    app::{App, Parts},
    catalogue,
    config::{Config, secret::Secret},
    definitions::{Origin, ReadError},
    demo,
    documents::{self, Documents},
    engine::Engine,
    generation::Load,
    http,
    identity::{self, Identity, IdentityError},
    telemetry::{self, TelemetryError},
    watch,
};

/// How often the metrics recorder tidies up.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Where data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// The demo's portfolio, in the embedded engine.
    Portfolio,
    /// The fixture with known numbers, in the embedded engine.
    Golden,
    /// A warehouse by its address.
    Warehouse(Secret),
}

impl Data {
    /// The day after the last month of made-up data; what a warehouse holds grows with the calendar.
    pub fn end(&self) -> Option<Date> {
        match self {
            Data::Portfolio => Some(demo::portfolio_end()),
            Data::Golden => Some(demo::golden_end()),
            Data::Warehouse(_) => None,
        }
    }
}

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Logs or traces cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// There are no definitions.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The definitions have errors; holds them as people read them.
    #[error("the definitions have errors")]
    Definitions(String),
    /// The settings of identity cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Nobody could ask anything.
    #[error(
        "nobody could ask: there are no credentials that would be accepted; to try it out on this machine say `--anonymous`, and \
         for others set `identity.jwks` (or `identity.jwt_public_key_file`, `identity.jwt_secret`, `identity.api_keys_file`)"
    )]
    Nobody,
    /// The address is reachable by others, and anyone could ask anything.
    #[error(
        "requests without credentials are answered, and `{0}` can be reached from other machines; listen on 127.0.0.1, take \
         `identity.anonymous` back, or say `--allow-public`"
    )]
    Public(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The warehouse's address cannot be used, or its data not be read.
    #[error(transparent)]
    Warehouse(#[from] holdfast_warehouse::Error),
    /// Trusted documents cannot be read.
    #[error(transparent)]
    Documents(#[from] documents::ManifestError),
    /// An address of no kind we know.
    #[error("the warehouse's address must begin with `postgres://` or `file:///`")]
    Address,
    /// The system refuses something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Serves until a signal asks to stop.
pub async fn run(config: Config, origin: Origin, data: Data) -> Result<(), BootError> {
    let telemetry = telemetry::install(&config.telemetry)?;
    let metrics = telemetry::install_metrics()?;
    let config = if matches!(data, Data::Warehouse(_)) { config } else { config.over_demo() };
    let address = config.http.listen;
    let identity = Arc::new(Identity::open(&config.identity)?);
    if !identity.allows_anonymous() && !identity.knows_anybody() {
        return Err(BootError::Nobody);
    }
    // What the demos have is made up.
    if matches!(data, Data::Warehouse(_)) && identity.allows_anonymous() {
        if !address.ip().is_loopback() && !config.http.allow_public {
            return Err(BootError::Public(address));
        }
        tracing::warn!("requests without credentials are answered: everyone who reaches this address can ask");
    }
    let documents = Arc::new(Documents::new(config.documents.mode, &config.documents.manifests)?);
    let listener = TcpListener::bind(address).await.map_err(|source| BootError::Listen { address, source })?;
    let (loaded, keys) = tokio::join!(load(&config, &origin, data), identity.refresh());
    let (load, warehouse) = loaded?;
    if let Err(error) = keys {
        tracing::warn!(error, "the key set cannot be fetched yet; tokens that need it are refused meanwhile");
    }
    let generation = load.generation.clone().ok_or_else(|| BootError::Definitions(load.human(false)))?;
    let runner = Arc::new(Engine::new(Arc::clone(&warehouse), config.engine()));
    let doubts = runner.doubts();
    let app = Arc::new(App::new(Parts {
        load,
        generation: Arc::clone(&generation),
        settings: config.limits,
        runner,
        identity: Arc::clone(&identity),
        warehouse,
        http: config.http.clone(),
        documents: Arc::clone(&documents),
        streams: config.streams,
        refresh_interval: config.cache.refresh_interval,
        metrics: Some(metrics.clone()),
    }));
    tokio::spawn(identity::keep_current(identity));
    tokio::spawn(catalogue::watch::run(Arc::clone(&app), doubts));
    tokio::spawn(documents::watch(documents));
    if config.definitions.watch {
        tokio::spawn(watch::run(Arc::clone(&app), origin, config.definitions.poll_interval));
    }
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(METRICS_UPKEEP).await;
            metrics.run_upkeep();
        }
    });
    let model = &generation.model;
    tracing::info!(entities = model.entities.len(), metrics = model.metrics.len(), views = model.views.len(), "definitions loaded");
    tracing::info!("GraphQL at http://{0}/graphql, console at http://{0}/", listener.local_addr()?);
    let stop = stop_signal(app.stopping.clone())?;
    http::serve(listener, app, stop, config.http.shutdown_grace).await?;
    telemetry.close();
    Ok(())
}

/// Reads the definitions and opens the warehouse, side by side: with data of its own either takes about as long as the other.
async fn load(config: &Config, origin: &Origin, data: Data) -> Result<(Load, Arc<dyn Warehouse>), BootError> {
    let sources = origin.read()?;
    let limits = config.limits;
    let load = spawn_blocking(move || Load::run(sources, limits, Timestamp::now()));
    let config = config.clone();
    let warehouse = spawn_blocking(move || warehouse(&config, &data));
    let (load, warehouse) = tokio::join!(load, warehouse);
    let (load, warehouse) = (load.map_err(std::io::Error::from)?, warehouse.map_err(std::io::Error::from)?);
    Ok((load, warehouse?))
}

/// Opens the warehouse. One that is down is no error: it may come back.
pub fn warehouse(config: &Config, data: &Data) -> Result<Arc<dyn Warehouse>, BootError> {
    let limits = config.warehouse.limits();
    match data {
        Data::Portfolio => Ok(Arc::new(Embedded::new("demo portfolio", &demo::portfolio(), limits)?)),
        Data::Golden => Ok(Arc::new(Embedded::new("demo golden", &demo::golden(), limits)?)),
        Data::Warehouse(url) => open(config, url.expose()),
    }
}

fn open(config: &Config, url: &str) -> Result<Arc<dyn Warehouse>, BootError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Arc::new(Postgres::new(&config.warehouse.postgres(url))?));
    }
    let Some(path) = url.strip_prefix("file://").filter(|path| path.starts_with('/')) else {
        return Err(BootError::Address);
    };
    Ok(Arc::new(Embedded::new(url, &folder::read(Path::new(path))?, config.warehouse.limits())?))
}

/// Resolves when the process is asked to stop.
fn stop_signal(stopping: Sender<bool>) -> Result<impl Future<Output = ()>, std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopping.send_replace(true);
        tracing::info!("asked to stop; running requests may finish");
    })
}
