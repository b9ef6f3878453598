//! Flags that say where data is: the demo, or a warehouse.

use clap::{Args, ValueEnum};

use super::{Failure, Settings};
use crate::{boot::Data, definitions::Origin};

/// The demo or a warehouse.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Made-up data in the embedded engine; no warehouse needed.
    #[arg(long, value_name = "DATA", num_args = 0..=1, default_missing_value = "portfolio", conflicts_with = "warehouse")]
    demo: Option<Demo>,
}

/// Data sets of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Demo {
    /// A few hundred accounts over 36 months.
    Portfolio,
    /// The small fixture with known numbers.
    Golden,
}

impl Place {
    /// Where data is, and which definitions go with it.
    pub(super) fn choose(&self, settings: &Settings) -> Result<(Data, Origin), Failure> {
        Ok(match self.demo {
            Some(Demo::Portfolio) => (Data::Portfolio, settings.origin()),
            Some(Demo::Golden) => (Data::Golden, settings.origin()),
            None => {
                let url = settings.warehouse().map_err(|failure| failure.or("or try `--demo`"))?;
                (Data::Warehouse(url.clone()), settings.folder())
            }
        })
    }
}
