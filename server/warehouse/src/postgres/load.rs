//! Plain tables → a PostgreSQL database, in one transaction.

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::time::timeout;
use tokio_postgres::{Client, Config};

use super::{Settings, connect::SILENT, describe, tls};
use crate::{Error, Limits, csv, ddl, table::Table};

/// Rows of one packet.
const CHUNK: usize = 5_000;

/// What happens to tables that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// They are kept, and loading fails.
    Refuse,
    /// They are dropped first.
    Replace,
}

/// Creates schemas and tables and fills them: all of it, or nothing.
pub async fn load(settings: &Settings, tables: &[Table], existing: Existing) -> Result<(), Error> {
    let client = connect(settings).await?;
    client.batch_execute("begin").await.map_err(refused)?;
    let filled = fill(&client, tables, existing).await;
    let end = if filled.is_ok() { "commit" } else { "rollback" };
    client.batch_execute(end).await.map_err(refused)?;
    filled.map_err(refused)
}

/// Makes an empty database beside the one of the settings; returns its address.
pub async fn create_database(settings: &Settings, name: &str) -> Result<String, Error> {
    let client = connect(settings).await?;
    client.batch_execute(&format!("create database {}", ddl::quote(name))).await.map_err(refused)?;
    Ok(with_database(&settings.url, name))
}

/// Drops a database that [`create_database`] made, and every connection to it.
pub async fn drop_database(settings: &Settings, name: &str) -> Result<(), Error> {
    let client = connect(settings).await?;
    client.batch_execute(&format!("drop database if exists {} with (force)", ddl::quote(name))).await.map_err(refused)
}

fn refused(error: tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(refusal) => Error::from_sqlstate(refusal.code().code(), refusal.to_string(), &Limits::default()),
        None => Error::Unavailable(describe(&error)),
    }
}

/// The same address with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, String::new()), |(address, rest)| (address, format!("?{rest}")));
    let start = address.find("://").map_or(0, |at| at + 3);
    let end = address[start..].find('/').map_or(address.len(), |at| start + at);
    format!("{}/{name}{parameters}", &address[..end])
}

async fn connect(settings: &Settings) -> Result<Client, Error> {
    let (url, security) = tls::split_url(&settings.url)?;
    let mut config: Config = url.parse().map_err(|error| Error::Address(describe(&error)))?;
    config.ssl_mode(security.driver_mode()).application_name("holdfast load");
    let connector = tls::connector(&security, settings.ca_file.as_deref())?;
    let connected = timeout(settings.connect_timeout, config.connect(connector)).await;
    let connected = connected.map_err(|_| Error::Unavailable(SILENT.to_owned()))?;
    let (client, connection) = connected.map_err(|error| Error::Unavailable(describe(&error)))?;
    // It ends with the client; its error reaches whoever waits for an answer.
    tokio::spawn(async move { connection.await.ok() });
    Ok(client)
}

async fn fill(client: &Client, tables: &[Table], existing: Existing) -> Result<(), tokio_postgres::Error> {
    let mut schemas: Vec<&str> = tables.iter().filter_map(|table| table.schema.as_deref()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    for schema in schemas {
        client.batch_execute(&format!("create schema if not exists {}", ddl::quote(schema))).await?;
    }
    if existing == Existing::Replace {
        for table in tables {
            client.batch_execute(&format!("drop table if exists {} cascade", ddl::qualified(table))).await?;
        }
    }
    for table in tables {
        client.batch_execute(&ddl::create_table(table)).await?;
        copy(client, table).await?;
    }
    for statement in tables.iter().flat_map(ddl::foreign_keys) {
        client.batch_execute(&statement).await?;
    }
    for table in tables {
        client.batch_execute(&format!("analyze {}", ddl::qualified(table))).await?;
    }
    Ok(())
}

async fn copy(client: &Client, table: &Table) -> Result<(), tokio_postgres::Error> {
    let columns: Vec<String> = table.columns.iter().map(|column| ddl::quote(&column.name)).collect();
    let statement = format!("copy {} ({}) from stdin (format csv)", ddl::qualified(table), columns.join(", "));
    let mut sink = Box::pin(client.copy_in::<_, Bytes>(&statement).await?);
    for from in (0..table.row_count()).step_by(CHUNK) {
        let to = (from + CHUNK).min(table.row_count());
        sink.send(Bytes::from(csv::write(table, from, to))).await?;
    }
    sink.as_mut().finish().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn only_the_database_of_an_address_changes() {
        assert_eq!(with_database("postgres://u:p@h:5432/db?sslmode=disable", "x"), "postgres://u:p@h:5432/x?sslmode=disable");
        assert_eq!(with_database("postgres://h", "x"), "postgres://h/x");
        assert_eq!(with_database("postgresql:///db?host=/tmp", "x"), "postgresql:///x?host=/tmp");
    }
}
