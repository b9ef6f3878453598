//! Where tests run: a fresh embedded engine for each set of fixtures, or a database of a PostgreSQL that is made for the run.

use std::sync::Arc;

use holdfast_warehouse::{
    Error, Limits, Warehouse,
    embedded::Embedded,
    postgres::{
        Postgres, Settings,
        load::{Existing, create_database, drop_database, load},
    },
    table::Table,
};

/// A place for tests. Holds one set of fixtures at a time.
pub enum Place {
    /// A fresh engine per set of fixtures.
    Embedded,
    /// A database of its own, dropped by [`Place::close`].
    Postgres {
        /// How to connect to the database that was given.
        given: Box<Settings>,
        /// Name of the database that was made.
        name: String,
        /// How to connect to it.
        settings: Settings,
    },
}

impl Place {
    /// Makes a database in a PostgreSQL; the user of the address must be allowed to.
    pub async fn postgres(settings: Settings) -> Result<Self, Error> {
        let name = format!("holdfast_test_{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
        let url = create_database(&settings, &name).await?;
        Ok(Place::Postgres { given: Box::new(settings.clone()), name, settings: Settings { url, ..settings } })
    }

    /// Puts tables in place of those before, and returns the warehouse that serves them.
    pub(super) async fn open(&self, name: &str, tables: &[Table]) -> Result<Arc<dyn Warehouse>, Error> {
        match self {
            Place::Embedded => Ok(Arc::new(Embedded::new(&format!("fixtures {name}"), tables, Limits::default())?)),
            Place::Postgres { settings, .. } => {
                load(settings, tables, Existing::Replace).await?;
                Ok(Arc::new(Postgres::new(settings)?))
            }
        }
    }

    /// Drops what was made.
    pub async fn close(self) -> Result<(), Error> {
        match self {
            Place::Embedded => Ok(()),
            Place::Postgres { given, name, .. } => drop_database(&given, &name).await,
        }
    }
}
