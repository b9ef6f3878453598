//! Where and how to connect: settings → a bounded pool whose waits all end.

use std::{
    fmt,
    path::PathBuf,
    str::FromStr as _,
    sync::Mutex,
    time::{Duration, Instant},
};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType, Timeouts,
};
use futures_util::future::try_join_all;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, config::Host};

use super::{Error, cancel::InFlight, describe, tls};
use crate::Limits;

/// What the connector needs to know.
#[derive(Clone)]
pub struct Settings {
    /// `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`; a secret.
    pub url: String,
    /// Most connections at a time.
    pub connections: usize,
    /// File of certificates to trust beside the machine's own.
    pub ca_file: Option<PathBuf>,
    /// Longest wait for a free connection.
    pub wait: Duration,
    /// Longest wait for a new connection.
    pub connect_timeout: Duration,
    /// What a statement may use.
    pub limits: Limits,
}

impl Settings {
    /// 16 connections, 5 s for a free one, 3 s for a new one.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            connections: 16,
            ca_file: None,
            wait: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
            limits: Limits::default(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("url", &"…")
            .field("connections", &self.connections)
            .field("ca_file", &self.ca_file)
            .field("wait", &self.wait)
            .field("connect_timeout", &self.connect_timeout)
            .field("limits", &self.limits)
            .finish()
    }
}

/// After a host did not answer at all, requests are refused at once for so long instead of each waiting for a connection.
const REST: Duration = Duration::from_secs(1);

/// What is said of a host that does not answer.
pub(super) const SILENT: &str = "the host does not answer";

/// Types that are looked up in one go; lists of columns are not endless, and goes run side by side.
const TYPES_OF_A_GO: usize = 50;

/// The pool.
pub(super) struct Connections {
    pool: Pool,
    tls: tls::Connector,
    identity: String,
    wait: Duration,
    /// When a host last did not answer.
    silent_since: Mutex<Option<Instant>>,
}

impl Connections {
    /// Prepares a pool; connects to nothing yet.
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let (url, security) = tls::split_url(&settings.url)?;
        let mut config = Config::from_str(&url).map_err(|error| Error::Address(describe(&error)))?;
        config.ssl_mode(security.driver_mode()).connect_timeout(settings.connect_timeout);
        if config.get_application_name().is_none() {
            config.application_name("holdfast");
        }
        let tls = tls::connector(&security, settings.ca_file.as_deref())?;
        let manager = Manager::from_config(config.clone(), tls.clone(), ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let patience = settings.connect_timeout;
        let pool = Pool::builder(manager)
            .max_size(settings.connections)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts { wait: Some(settings.wait), create: Some(settings.connect_timeout), recycle: Some(settings.wait) })
            .post_create(Hook::async_fn(move |client, _| {
                // The pool's own limit does not cover hooks.
                let learnt = timeout(patience, learn_enums(client));
                Box::pin(async move { learnt.await.map_err(|_| HookError::message(SILENT))?.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(|error| Error::Statement(error.to_string()))?;
        Ok(Self { pool, tls, identity: identity(&config), wait: settings.wait, silent_since: Mutex::new(None) })
    }

    /// A connection for one statement.
    pub(super) async fn take(&self) -> Result<InFlight, Error> {
        if self.silent_since().is_some_and(|since| since.elapsed() < REST) {
            return Err(Error::Unavailable("the host did not answer a moment ago".to_owned()));
        }
        match self.pool.get().await {
            Ok(client) => {
                let is_fresh = Object::metrics(&client).recycle_count == 0;
                Ok(InFlight::new(client, self.tls.clone(), is_fresh))
            }
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(Error::Overloaded { waited: self.wait }),
            Err(
                PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) | PoolError::PostCreateHook(HookError::Message(_)),
            ) => {
                *self.silent_since.lock().expect("nothing panics while it holds this") = Some(Instant::now());
                Err(Error::Unavailable(SILENT.to_owned()))
            }
            Err(PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error))) => {
                Err(Error::Unavailable(describe(&error)))
            }
            Err(error) => Err(Error::Unavailable(error.to_string())),
        }
    }

    /// Open connections, and requests that wait for one.
    pub(super) fn counts(&self) -> (usize, usize) {
        let status = self.pool.status();
        (status.size, status.waiting)
    }

    /// User, hosts and database.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    fn silent_since(&self) -> Option<Instant> {
        *self.silent_since.lock().expect("nothing panics while it holds this")
    }
}

fn identity(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .zip(config.get_ports().iter().chain(std::iter::repeat(&5432)))
        .map(|(host, port)| match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(path) => format!("{}:{port}", path.display()),
        })
        .collect();
    let user = config.get_user().unwrap_or_default();
    format!("postgres:{user}@{}/{}", hosts.join(","), config.get_dbname().unwrap_or(user))
}

/// Makes the driver look up the database's enum types now. It would otherwise do so when the first row of one arrives, behind the
/// rows that it does not read before it knows: with more than one packet of rows that never ends.
async fn learn_enums(client: &Client) -> Result<(), tokio_postgres::Error> {
    let found = client
        .simple_query(
            "select format('null::%I.%I', n.nspname, t.typname) from pg_catalog.pg_type t \
             join pg_catalog.pg_namespace n on n.oid = t.typnamespace \
             where (t.typtype = 'e' or t.typname = 'citext') and has_schema_privilege(n.oid, 'usage')",
        )
        .await;
    // Relatives of PostgreSQL without enum types may lack the columns, too.
    let Ok(found) = found else { return Ok(()) };
    let nulls: Vec<&str> = found
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        })
        .collect();
    let goes =
        nulls.chunks(TYPES_OF_A_GO).map(|nulls| async move { client.prepare(&format!("select {}", nulls.join(", "))).await });
    try_join_all(goes).await?;
    Ok(())
}
