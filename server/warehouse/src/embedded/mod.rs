//! The warehouse in our own process: DataFusion over tables in memory. Runs a [`Statement`] written for [`Dialect::Embedded`].
//!
//! Its answers equal PostgreSQL's to the last digit. Where the engine itself computes otherwise, the dialect calls a function of
//! [`functions`]; what must be written differently is listed there.

mod bind;
mod decode;
mod dialect;
pub mod folder;
pub mod functions;
mod register;
mod shared;
mod yielding;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use datafusion::{
    common::SchemaError,
    config::Dialect as ParserDialect,
    dataframe::DataFrame,
    error::DataFusionError,
    execution::{
        context::SessionContext,
        disk_manager::{DiskManagerBuilder, DiskManagerMode},
        runtime_env::RuntimeEnvBuilder,
        session_state::SessionStateBuilder,
    },
    prelude::SessionConfig,
};
use futures_util::{StreamExt as _, future::BoxFuture};
use holdfast_schema::{
    sql::{Dialect, Statement},
    value::RowSet,
};
use tokio::{runtime::Runtime, task::JoinHandle, time::timeout};
use tracing::debug;

use super::{CatalogueColumn, ColumnReference, Error, Limits, Status, Warehouse, ddl, table::Table};

/// Rows from which a plan is split over all cores: below, splitting costs more than it gains.
const PARALLEL_ROWS: usize = 200_000;

/// Stack of the threads that plan and run. The engine walks plans by recursion; running out of stack would end the process.
const STACK_BYTES: usize = 16 << 20;

/// Runs a statement on the engine. The engine's types stay behind this one: for every future that holds one of them the compiler looks
/// through all of the engine to see that it may be sent, which takes longer than anything else in this crate.
type Run = dyn Fn(Statement) -> BoxFuture<'static, Result<RowSet, Error>> + Send + Sync;

/// The embedded warehouse.
pub struct Embedded {
    name: String,
    run: Box<Run>,
    columns: Vec<CatalogueColumn>,
    limits: Limits,
    running: Arc<AtomicUsize>,
    /// Plans run here, so that one that keeps a core busy does not keep HTTP waiting. Taken in drop.
    runtime: Option<Runtime>,
}

/// How a statement becomes a plan. The rows are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planning {
    /// What is read more than once is computed once, and rules look at a plan once.
    InPieces,
    /// As the engine does by itself.
    Whole,
}

impl Embedded {
    /// Serves tables held in memory. `name` tells this data from other data in cache keys.
    pub fn new(name: &str, tables: &[Table], limits: Limits) -> Result<Self, Error> {
        Self::planned(name, tables, limits, Planning::InPieces)
    }

    /// The same, planned as the engine does by itself: slower, and what the usual way is compared with.
    pub fn whole(name: &str, tables: &[Table], limits: Limits) -> Result<Self, Error> {
        Self::planned(name, tables, limits, Planning::Whole)
    }

    fn planned(name: &str, tables: &[Table], limits: Limits, planning: Planning) -> Result<Self, Error> {
        let threads = thread::available_parallelism().map_or(2, |count| count.get().max(2));
        let rows: usize = tables.iter().map(Table::row_count).sum();
        let context = session(if rows < PARALLEL_ROWS { 1 } else { threads }, limits.memory, planning).map_err(sort_error)?;
        functions::register(&context);
        register::tables(&context, tables).map_err(sort_error)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("embedded-warehouse")
            .thread_stack_size(STACK_BYTES)
            .build()
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self {
            name: name.to_owned(),
            run: runner(context, limits, planning),
            columns: tables.iter().flat_map(describe).collect(),
            limits,
            running: Arc::default(),
            runtime: Some(runtime),
        })
    }

    fn spawn(&self, statement: Statement) -> JoinHandle<Result<RowSet, Error>> {
        let running = Running::start(&self.running);
        let run = (self.run)(statement);
        self.runtime.as_ref().expect("the runtime is there until drop").spawn(async move {
            let _running = running;
            run.await
        })
    }
}

#[async_trait]
impl Warehouse for Embedded {
    async fn run(&self, statement: &Statement) -> Result<RowSet, Error> {
        let mut task = AbortOnDrop(self.spawn(statement.clone()));
        match timeout(self.limits.timeout, &mut task.0).await {
            Err(_) => Err(Error::Timeout { limit: self.limits.timeout }),
            Ok(Ok(result)) => result,
            Ok(Err(failed)) => Err(Error::Statement(failed.to_string())),
        }
    }

    fn dialect(&self) -> Dialect {
        Dialect::Embedded
    }

    fn identity(&self) -> String {
        format!("embedded:{}", self.name)
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn columns(&self) -> Result<Vec<CatalogueColumn>, Error> {
        Ok(self.columns.clone())
    }

    fn status(&self) -> Status {
        Status { reachable: Some(true), running: self.running.load(Ordering::Relaxed), waiting: 0, connections: 0 }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // A runtime must not be awaited where it is dropped from async code.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn runner(context: SessionContext, limits: Limits, planning: Planning) -> Box<Run> {
    Box::new(move |statement| {
        let context = context.clone();
        Box::pin(async move { execute(&context, &statement, &limits, planning).await })
    })
}

async fn execute(context: &SessionContext, statement: &Statement, limits: &Limits, planning: Planning) -> Result<RowSet, Error> {
    let started = Instant::now();
    let state = context.state();
    let mut parsed = bind::parse(&state, statement).map_err(sort_error)?;
    let parsing = started.elapsed();
    let state = match planning {
        Planning::InPieces => shared::compute(state, &mut parsed).await.map_err(sort_error)?,
        Planning::Whole => state,
    };
    let sharing = started.elapsed() - parsing;
    let plan = bind::plan(&state, parsed).await.map_err(sort_error)?;
    let mut stream = DataFrame::new(state, plan).execute_stream().await.map_err(sort_error)?;
    let planned = started.elapsed();
    let mut result = decode::Decoder::new(&statement.columns, &stream.schema())?;
    while let Some(batch) = stream.next().await {
        result.push(&batch.map_err(sort_error)?, limits)?;
    }
    let run = started.elapsed() - planned;
    debug!(
        parsing_ms = milliseconds(parsing),
        sharing_ms = milliseconds(sharing),
        planning_ms = milliseconds(planned - parsing - sharing),
        running_ms = milliseconds(run),
        "embedded plan ran"
    );
    Ok(result.finish())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn session(partitions: usize, memory: usize, planning: Planning) -> Result<SessionContext, DataFusionError> {
    // What does not fit is refused: files on the side would be a second limit to watch, and slower than anybody waits.
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(memory, 1.0).with_disk_manager_builder(disk).build_arc()?;
    let state = SessionStateBuilder::new()
        .with_config(config(partitions, planning))
        .with_runtime_env(runtime)
        .with_default_features()
        .with_physical_optimizer_rule(Arc::new(yielding::YieldInJoins))
        .build();
    Ok(SessionContext::new_with_state(state))
}

fn config(partitions: usize, planning: Planning) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_default_catalog_and_schema(register::CATALOG, register::DEFAULT_SCHEMA)
        .with_information_schema(false);
    let options = config.options_mut();
    // DataFusion 55 interleaves the parts of a union over windows and then finds that they cannot be interleaved.
    options.optimizer.prefer_existing_union = true;
    // Nor does it know such a union as sorted after it has sorted each of its parts.
    options.optimizer.repartition_sorts = false;
    if planning == Planning::InPieces {
        // Looking at a plan again takes as long as the first time, and finds little in what we write.
        options.optimizer.max_passes = 1;
    }
    options.sql_parser.dialect = ParserDialect::PostgreSQL;
    // No number becomes a binary float on the way.
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.time_zone = Some("+00:00".to_owned());
    config
}

/// Tells what our data or the statement did wrong from what else can happen.
fn sort_error(error: DataFusionError) -> Error {
    match error.find_root() {
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => Error::Data(error.to_string()),
        DataFusionError::ResourcesExhausted(_) => Error::ResultTooLarge { limit: "the memory of the embedded engine".to_owned() },
        DataFusionError::SchemaError(wrong, _) if matches!(**wrong, SchemaError::FieldNotFound { .. }) => {
            Error::Misfit(error.to_string())
        }
        // A table that is not there has no kind of its own.
        DataFusionError::Plan(text) if text.starts_with("table '") && text.ends_with("not found") => {
            Error::Misfit(error.to_string())
        }
        _ => Error::Statement(error.to_string()),
    }
}

fn describe(table: &Table) -> Vec<CatalogueColumn> {
    let schema = |name: &Option<String>| name.clone().unwrap_or_else(|| register::DEFAULT_SCHEMA.to_owned());
    let describe_column = |column: &super::table::TableColumn| CatalogueColumn {
        schema: schema(&table.schema),
        table: table.name.clone(),
        column: column.name.clone(),
        type_name: ddl::type_name(column.column_type),
        value_type: Some(column.column_type.value_type()),
        nullable: !table.primary_key.contains(&column.name),
        key_position: table.primary_key.iter().position(|name| *name == column.name).map(|index| index as u16 + 1),
        references: table
            .foreign_keys
            .iter()
            .flat_map(|key| key.columns.iter().zip(&key.other_columns).map(move |(own, other)| (key, own, other)))
            .filter(|(_, own, _)| **own == column.name)
            .map(|(key, _, other)| ColumnReference {
                constraint: format!("{}_{}_fkey", table.name, key.columns.join("_")),
                schema: schema(&key.schema),
                table: key.table.clone(),
                column: other.clone(),
            })
            .collect(),
    };
    table.columns.iter().map(describe_column).collect()
}

/// Stops the plan when the asker goes away or time is up.
struct AbortOnDrop(JoinHandle<Result<RowSet, Error>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Counts a statement for as long as it lives.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn start(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
