//! `holdfast demo`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use holdfast_warehouse::{
    embedded::folder,
    postgres::load::{Existing, load},
    table::Table,
};

use super::{
    Failure, Outcome, Settings, block_on, count, say,
    settings::{Common, Global},
};
use crate::demo;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load the demo's tables into a PostgreSQL, or write them as CSV files.
    Load(Load),
}

#[derive(Debug, Args)]
struct Load {
    #[command(flatten)]
    common: Common,
    /// Folder to write CSV files to, for `--warehouse file:///folder`.
    #[arg(long, value_name = "DIR", conflicts_with = "warehouse")]
    to: Option<PathBuf>,
    /// Replace tables that are there already.
    #[arg(long)]
    replace: bool,
    /// Which data.
    #[arg(long, value_enum, default_value_t = Data::Portfolio)]
    data: Data,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Data {
    /// A few hundred accounts over 36 months.
    Portfolio,
    /// The small fixture with known numbers.
    Golden,
}

/// Loads the demo's data.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let Command::Load(arguments) = arguments.command;
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let tables = match arguments.data {
        Data::Portfolio => demo::portfolio(),
        Data::Golden => demo::golden(),
    };
    let rows = tables.iter().map(Table::row_count).sum();
    let target = match &arguments.to {
        Some(folder) => {
            folder::write(folder, &tables).map_err(Failure::outside)?;
            folder.display().to_string()
        }
        None => {
            let url = settings.warehouse().map_err(|failure| failure.or("or write files with `--to DIR`"))?;
            let existing = if arguments.replace { Existing::Replace } else { Existing::Refuse };
            let loaded = block_on(load(&settings.config.warehouse.postgres(url.expose()), &tables, existing))?;
            loaded.map_err(|error| Failure::outside(error).or("tables that are there already are replaced with `--replace`"))?;
            url.to_string()
        }
    };
    say(&format!("loaded {} with {} into {target}", count(tables.len(), "table"), count(rows, "row")))?;
    Ok(Outcome::Well)
}
