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
use deadpool_postgres::Object;
use futures_util::TryStreamExt as _;
use holdfast_schema::{
    sql::{Dialect, Statement},
    value::RowSet,
};
use tokio::time::timeout;
use tokio_postgres::{
    RowStream,
    error::{DbError, Severity, SqlState},
};

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
        // One limit for all of it, preparing too: a server that hangs does so anywhere.
        let outcome = timeout(self.limits.timeout + GRACE, self.ask(client, statement)).await;
        match outcome.unwrap_or(Err(Stopped::ByUs(Error::Timeout { limit: self.limits.timeout }))) {
            Ok(rows) => {
                in_flight.finish();
                Ok(rows)
            }
            // Answers are on their way that nobody reads: the guard stops the statement and throws the connection away.
            Err(Stopped::ByUs(error)) => Err(Failure::Other(error)),
            Err(Stopped::ByDriver { error, is_early }) => {
                // Everything that was asked has been answered, and the commit has ended the transaction: what the server only
                // refuses leaves the connection as it was. Any other error leaves it to the guard.
                if error.as_db_error().is_some_and(|refusal| !says_goodbye(refusal)) {
                    in_flight.finish();
                }
                Err(Failure::sort(error, is_early, &self.limits))
            }
        }
    }

    /// Sends a statement in its transaction. An error of the driver is told after everything has been answered.
    async fn ask(&self, client: &Object, statement: &Statement) -> Result<RowSet, Stopped> {
        let begin = format!(
            "begin read only; set local statement_timeout = {}; set local time zone 'UTC'",
            self.limits.timeout.as_millis()
        );
        let params = params::bind(&statement.params);
        let types: Vec<_> = params.iter().map(|(_, sql_type)| sql_type.clone()).collect();
        let kept = if statement.is_lookup {
            if client.statement_cache.size() > MOST_KEPT_STATEMENTS {
                client.statement_cache.clear();
            }
            let kept = client.prepare_typed_cached(statement.sql.as_str(), &types).await;
            Some(kept.map_err(|error| Stopped::ByDriver { error, is_early: false })?)
        } else {
            None
        };
        // Our own refusal is the only error that ends the three at once; the server's wait until all of them are answered.
        let query = async {
            let stream = match &kept {
                Some(kept) => client.query_raw(kept, params.iter().map(|(param, _)| param)).await,
                None => client.query_typed_raw(statement.sql.as_str(), params).await,
            };
            let rows = match stream {
                Ok(stream) => self.collect(stream, statement).await,
                Err(error) => Err(Stopped::ByDriver { error, is_early: true }),
            };
            match rows {
                Err(Stopped::ByUs(error)) => Err(error),
                Err(Stopped::ByDriver { error, is_early }) => Ok(Err((error, is_early))),
                Ok(rows) => Ok(Ok(rows)),
            }
        };
        // Polled in this order, so they are sent in this order before the first answer is waited for.
        let (began, rows, ended) = tokio::try_join!(
            biased;
            async { Ok(client.batch_execute(&begin).await) },
            query,
            async { Ok(client.batch_execute("commit").await) }
        )
        .map_err(Stopped::ByUs)?;
        let late = |error| (error, false);
        began.map_err(late).and(rows).and_then(|rows| ended.map_err(late).map(|()| rows)).map_err(|(error, is_early)| {
            if statement.is_lookup {
                // It may be what is wrong: tables change under a statement that is kept.
                client.statement_cache.remove(statement.sql.as_str(), &types);
            }
            Stopped::ByDriver { error, is_early }
        })
    }

    /// Reads rows until their end, or until they are too many.
    async fn collect(&self, stream: RowStream, statement: &Statement) -> Result<RowSet, Stopped> {
        let mut stream = pin!(stream);
        let mut decoder: Option<decode::Decoder> = None;
        let mut bytes = 0;
        let mut rows = 0;
        let stopped = |error| Stopped::ByDriver { error, is_early: false };
        while let Some(row) = stream.try_next().await.map_err(stopped)? {
            rows += 1;
            bytes += row.raw_size_bytes();
            self.limits.check(rows, bytes).map_err(Stopped::ByUs)?;
            let decoder = match &mut decoder {
                Some(decoder) => decoder,
                none => none.insert(decode::Decoder::new(&statement.columns, row.columns()).map_err(Stopped::ByUs)?),
            };
            decoder.push(&row).map_err(Stopped::ByUs)?;
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

/// Why a statement has no rows.
enum Stopped {
    /// We do not wait for the rest.
    ByUs(Error),
    /// The driver or the server says so.
    ByDriver {
        error: tokio_postgres::Error,
        /// Whether it came before any row, while the server looked at the values of the question.
        is_early: bool,
    },
}

/// A failure, with the one that deserves a second try told apart.
enum Failure {
    /// The connection was gone.
    Closed(String),
    /// Anything else.
    Other(Error),
}

impl Failure {
    fn sort(error: tokio_postgres::Error, is_early: bool, limits: &Limits) -> Self {
        match error.as_db_error() {
            // Later, it would be a value of the data that cannot be read.
            Some(refusal) if is_early && *refusal.code() == SqlState::INVALID_TEXT_REPRESENTATION => {
                Failure::Other(Error::Value(refusal.to_string()))
            }
            Some(refusal) => {
                let error = Error::from_sqlstate(refusal.code().code(), refusal.to_string(), limits);
                match error {
                    Error::Unavailable(message) if says_goodbye(refusal) => Failure::Closed(message),
                    error => Failure::Other(error),
                }
            }
            None if error.is_closed() || is_io(&error) => Failure::Closed(describe(&error)),
            None => Failure::Other(Error::Statement(describe(&error))),
        }
    }
}

/// Whether the server closes the connection after this error.
fn says_goodbye(refusal: &DbError) -> bool {
    let is_fatal = match refusal.parsed_severity() {
        Some(Severity::Fatal | Severity::Panic) => true,
        Some(_) | None => false,
    };
    is_fatal || refusal.code().code().starts_with("57P")
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
