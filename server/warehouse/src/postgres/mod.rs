//! A warehouse that speaks PostgreSQL's protocol: a [`Statement`] becomes typed columns over a pool of connections.
//!
//! Every statement runs in a read-only transaction with its own timeout. Begin, statement and commit are sent together, so that
//! costs no round trip, needs no session state, and works behind poolers.

mod cancel;
mod catalogue;
mod connect;
mod decode;
pub mod load;
mod numeric;
mod params;
mod tls;

use std::{
    pin::pin,
    sync::atomic::{AtomicU8, AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use holdfast_schema::{
    sql::{Dialect, Statement},
    value::RowSet,
};
use tokio::time::timeout;
use tokio_postgres::RowStream;

pub use self::connect::Settings;
use self::{cancel::InFlight, connect::Connections};
use super::{CatalogueColumn, Error, Limits, Status, Warehouse};

/// How much longer than the server's own timeout we wait: it covers a server that no longer answers at all.
const GRACE: Duration = Duration::from_secs(2);

/// Kept statements of one connection; more than that means that texts do not repeat.
const MOST_KEPT_STATEMENTS: usize = 256;

/// The warehouse.
pub struct Postgres {
    connections: Connections,
    limits: Limits,
    reachable: AtomicU8,
    running: AtomicUsize,
}

impl Postgres {
    /// Prepares a warehouse without connecting: it may be down now and come up later.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            connections: Connections::new(settings)?,
            limits: settings.limits,
            reachable: AtomicU8::new(UNKNOWN),
            running: AtomicUsize::new(0),
        })
    }

    /// Runs a statement, once more on a new connection when the pooled one turns out to be dead: it may have died long ago.
    async fn run_statement(&self, statement: &Statement) -> Result<RowSet, Error> {
        let mut retried = false;
        loop {
            let in_flight = self.connections.take().await?;
            let is_fresh = in_flight.is_fresh();
            match self.run_on(in_flight, statement).await {
                Err(Failure::Closed(_)) if !is_fresh && !retried => retried = true,
                Err(Failure::Closed(message)) => return Err(Error::Unavailable(message)),
                Err(Failure::Other(error)) => return Err(error),
                Ok(rows) => return Ok(rows),
            }
        }
    }

    async fn run_on(&self, in_flight: InFlight, statement: &Statement) -> Result<RowSet, Failure> {
        let client = in_flight.client();
        let begin = format!(
            "begin read only; set local statement_timeout = {}; set local time zone 'UTC'",
            self.limits.timeout.as_millis()
        );
        let params = params::bind(&statement.params);
        let failed = |error| Failure::sort(error, &self.limits);
        let kept = if statement.is_lookup {
            if client.statement_cache.size() > MOST_KEPT_STATEMENTS {
                client.statement_cache.clear();
            }
            let types: Vec<_> = params.iter().map(|(_, sql_type)| sql_type.clone()).collect();
            Some(client.prepare_typed_cached(statement.sql.as_str(), &types).await.map_err(failed)?)
        } else {
            None
        };
        let query = async {
            let stream = match &kept {
                Some(kept) => client.query_raw(kept, params.iter().map(|(param, _)| param)).await?,
                None => client.query_typed_raw(statement.sql.as_str(), params).await?,
            };
            Ok(self.collect(stream, statement).await)
        };
        // Polled in this order, so they are sent in this order before the first answer is waited for.
        let together = async { tokio::join!(biased; client.batch_execute(&begin), query, client.batch_execute("commit")) };
        let (began, rows, ended) = match timeout(self.limits.timeout + GRACE, together).await {
            Ok(done) => done,
            Err(_) => return Err(Failure::Other(Error::Timeout { limit: self.limits.timeout })),
        };
        began.map_err(failed)?;
        let rows = rows.map_err(failed)?;
        // Our own refusal leaves the stream unread: the guard stops the statement. Otherwise the connection is clean.
        let rows = rows?;
        ended.map_err(failed)?;
        in_flight.finish();
        Ok(rows)
    }

    async fn collect(&self, stream: RowStream, statement: &Statement) -> Result<RowSet, Failure> {
        let mut stream = pin!(stream);
        let mut decoder: Option<decode::Decoder> = None;
        let mut bytes = 0;
        let mut rows = 0;
        while let Some(row) = stream.try_next().await.map_err(|error| Failure::sort(error, &self.limits))? {
            rows += 1;
            bytes += row.raw_size_bytes();
            self.limits.check(rows, bytes).map_err(Failure::Other)?;
            let decoder = match &mut decoder {
                Some(decoder) => decoder,
                none => none.insert(decode::Decoder::new(&statement.columns, row.columns()).map_err(Failure::Other)?),
            };
            decoder.push(&row).map_err(Failure::Other)?;
        }
        Ok(decoder.map_or_else(|| decode::empty(&statement.columns), decode::Decoder::finish))
    }

    fn note(&self, error: Option<&Error>) {
        let state = match error {
            Some(Error::Unavailable(_)) => DOWN,
            Some(Error::Overloaded { .. }) => return,
            _ => UP,
        };
        self.reachable.store(state, Ordering::Relaxed);
    }
}

const UNKNOWN: u8 = 0;
const UP: u8 = 1;
const DOWN: u8 = 2;

#[async_trait]
impl Warehouse for Postgres {
    async fn run(&self, statement: &Statement) -> Result<RowSet, Error> {
        let _running = Running::start(&self.running);
        let result = self.run_statement(statement).await;
        self.note(result.as_ref().err());
        result
    }

    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn identity(&self) -> String {
        self.connections.identity().to_owned()
    }

    async fn ping(&self) -> Result<(), Error> {
        self.run(&catalogue::ping()).await.map(|_| ())
    }

    async fn columns(&self) -> Result<Vec<CatalogueColumn>, Error> {
        let columns = self.run(&catalogue::columns()).await?;
        let foreign_keys = self.run(&catalogue::foreign_keys()).await?;
        Ok(catalogue::read(&columns, &foreign_keys))
    }

    fn status(&self) -> Status {
        let (connections, waiting) = self.connections.counts();
        let reachable = match self.reachable.load(Ordering::Relaxed) {
            UP => Some(true),
            DOWN => Some(false),
            _ => None,
        };
        Status { reachable, running: self.running.load(Ordering::Relaxed), waiting, connections }
    }
}

/// Counts a statement for as long as it lives.
struct Running<'a>(&'a AtomicUsize);

impl<'a> Running<'a> {
    fn start(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A failure, with the one that deserves a second try told apart.
enum Failure {
    /// The connection was gone.
    Closed(String),
    /// Anything else.
    Other(Error),
}

impl Failure {
    fn sort(error: tokio_postgres::Error, limits: &Limits) -> Self {
        match error.as_db_error() {
            Some(refusal) => {
                let error = Error::from_sqlstate(refusal.code().code(), refusal.to_string(), limits);
                match error {
                    // The server says goodbye on a connection it closes.
                    Error::Unavailable(message) if refusal.code().code().starts_with("57P") => Failure::Closed(message),
                    error => Failure::Other(error),
                }
            }
            None if error.is_closed() || is_io(&error) => Failure::Closed(describe(&error)),
            None => Failure::Other(Error::Statement(describe(&error))),
        }
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    use std::error::Error as _;

    error.source().is_some_and(|source| source.is::<std::io::Error>())
}

/// The driver's sentence with its cause, which it keeps to itself otherwise.
fn describe(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;

    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
