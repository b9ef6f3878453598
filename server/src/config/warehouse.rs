//! Which warehouse, and how long to wait for it.

use std::{path::PathBuf, time::Duration};

use holdfast_warehouse::{Limits, postgres};

use super::{read::Reader, secret::Secret};

/// Settings of section `warehouse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warehouse {
    /// `warehouse.url`
    pub url: Option<Secret>,
    /// `warehouse.pool_size`
    pub pool_size: usize,
    /// `warehouse.connect_timeout`
    pub connect_timeout: Duration,
    /// `warehouse.pool_wait`
    pub pool_wait: Duration,
    /// `warehouse.queue`
    pub queue: usize,
    /// `warehouse.queue_wait`
    pub queue_wait: Duration,
    /// `warehouse.show_sql`
    pub show_sql: bool,
    /// `warehouse.statement_timeout`
    pub statement_timeout: Duration,
    /// `warehouse.max_rows`
    pub max_rows: usize,
    /// `warehouse.memory`
    pub memory: usize,
    /// `warehouse.ca_file`
    pub ca_file: Option<PathBuf>,
}

impl Warehouse {
    /// Reads the section, of which `show_sql` is read and decided already.
    pub fn read(reader: &mut Reader<'_>, show_sql: bool) -> Self {
        Self {
            url: reader.text("warehouse.url").map(Secret::address),
            pool_size: reader.count("warehouse.pool_size"),
            connect_timeout: reader.duration("warehouse.connect_timeout"),
            pool_wait: reader.duration_or_none("warehouse.pool_wait"),
            queue: reader.count("warehouse.queue"),
            queue_wait: reader.duration_or_none("warehouse.queue_wait"),
            show_sql,
            statement_timeout: reader.duration("warehouse.statement_timeout"),
            max_rows: reader.count("warehouse.max_rows"),
            memory: reader.bytes("warehouse.memory"),
            ca_file: reader.text("warehouse.ca_file").map(PathBuf::from),
        }
    }

    /// What a statement may use.
    pub fn limits(&self) -> Limits {
        Limits { timeout: self.statement_timeout, rows: self.max_rows, memory: self.memory, ..Limits::default() }
    }

    /// Settings of the PostgreSQL connector.
    pub fn postgres(&self, url: &str) -> postgres::Settings {
        postgres::Settings {
            url: url.to_owned(),
            connections: self.pool_size,
            wait: self.pool_wait,
            connect_timeout: self.connect_timeout,
            limits: self.limits(),
            ca_file: self.ca_file.clone(),
        }
    }
}
