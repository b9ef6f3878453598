//! A warehouse that counts the statements it is asked: for reports, and for what must not grow with the number of rows.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use holdfast_schema::{
    sql::{Dialect, Statement},
    value::RowSet,
};

use super::{CatalogueColumn, Error, Status, Warehouse};

/// Counts, and lets another warehouse answer.
pub struct Counting {
    inner: Arc<dyn Warehouse>,
    statements: AtomicUsize,
}

impl Counting {
    /// Counts what is asked of a warehouse.
    pub fn new(inner: Arc<dyn Warehouse>) -> Self {
        Self { inner, statements: AtomicUsize::new(0) }
    }

    /// The number of statements since the last time this was asked.
    pub fn take(&self) -> usize {
        self.statements.swap(0, Ordering::Relaxed)
    }
}

#[async_trait::async_trait]
impl Warehouse for Counting {
    async fn run(&self, statement: &Statement) -> Result<RowSet, Error> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.inner.run(statement).await
    }

    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    fn identity(&self) -> String {
        self.inner.identity()
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await
    }

    async fn columns(&self) -> Result<Vec<CatalogueColumn>, Error> {
        self.inner.columns().await
    }

    fn status(&self) -> Status {
        self.inner.status()
    }
}
