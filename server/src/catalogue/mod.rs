//! A warehouse's own description of its tables: what definitions are checked against, and what starter definitions are made from.

pub mod fit;
pub mod starter;
pub mod watch;

use std::collections::BTreeMap;

use holdfast_warehouse::CatalogueColumn;

/// Columns of each table, by schema and table.
type Tables<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a CatalogueColumn>>;

fn tables(columns: &[CatalogueColumn]) -> Tables<'_> {
    let mut tables = Tables::new();
    for column in columns {
        tables.entry((column.schema.as_str(), column.table.as_str())).or_default().push(column);
    }
    tables
}
