//! The demo's tables without rows: names, columns, keys.

mod actions;
mod adoption;
mod catalogue;
mod contracts;
mod customers;
mod people;

use holdfast_warehouse::table::{
    ColumnType::{self, Decimal},
    Table,
};

const MONEY: ColumnType = Decimal { scale: 2 };
const QUANTITY: ColumnType = Decimal { scale: 2 };
const SHARE: ColumnType = Decimal { scale: 6 };

/// Every table of the demo, empty, parents before children.
pub fn layout() -> Vec<Table> {
    [catalogue::tables(), customers::tables(), contracts::tables(), people::tables(), adoption::tables(), actions::tables()]
        .concat()
}

fn table(name: &str, columns: &[(&str, ColumnType)]) -> Table {
    Table::new(None, name, columns)
}
