//! The demo portfolio: three hundred invented customers over three years, the same on every machine.
//!
//! Each account's story (what it pays and uses, month by month) is simulated once; the files here then write it down from
//! different sides, so that all tables agree with each other.

mod account;
mod actions;
mod adoption;
mod catalogue;
mod component;
mod people;
mod renewal;
mod story;
mod value;

use std::{collections::HashMap, ops::Range, thread};

use holdfast_schema::value::Value;
use holdfast_warehouse::table::Table;
use jiff::civil::Date;

use super::{
    cell::{MONTHS, first_day},
    layout::layout,
    random::Random,
};

/// Number of accounts.
const ACCOUNTS: usize = 300;

/// The whole portfolio. Accounts know nothing of each other, so that half of them can be invented beside the other half.
pub fn portfolio() -> Vec<Table> {
    let (mut tables, rest) = thread::scope(|scope| {
        let rest = scope.spawn(|| accounts(Rows::new(), ACCOUNTS / 2..ACCOUNTS));
        let mut rows = Rows::new();
        catalogue::write(&mut rows);
        let tables = accounts(rows, 0..ACCOUNTS / 2);
        (tables, rest.join().expect("the other half fails only as this one would"))
    });
    tables.iter_mut().zip(&rest).for_each(|(table, rest)| table.append(rest));
    tables
}

/// The day after its last month.
pub fn portfolio_end() -> Date {
    first_day(MONTHS)
}

fn accounts(mut rows: Rows, numbers: Range<usize>) -> Vec<Table> {
    for number in numbers {
        let mut random = Random::new(0x5eed_0000 + number as u64);
        let story = story::tell(number, &mut random);
        account::write(&story, &mut rows, &mut random);
        component::write(&story, &mut rows);
        value::write(&story, &mut rows);
        renewal::write(&story, &mut rows, &mut random);
        people::write(&story, &mut rows, &mut random);
        adoption::write(&story, &mut rows, &mut random);
        actions::write(&story, &mut rows, &mut random);
    }
    rows.into_tables()
}

/// Tables by name, being filled.
pub(super) struct Rows {
    tables: Vec<Table>,
    positions: HashMap<String, usize>,
}

impl Rows {
    /// Every table of the layout, empty.
    pub(super) fn new() -> Self {
        let tables = layout();
        let positions = tables.iter().enumerate().map(|(position, table)| (table.name.clone(), position)).collect();
        Self { tables, positions }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// When the layout has no such table, or the row does not fit it.
    pub(super) fn push(&mut self, table: &str, row: &[Value]) {
        self.tables[self.positions[table]].push(row);
    }

    /// The filled tables.
    pub(super) fn into_tables(self) -> Vec<Table> {
        self.tables
    }
}
