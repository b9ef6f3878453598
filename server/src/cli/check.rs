//! `holdfast check`

use clap::{Args, ValueEnum};
use holdfast_schema::diagnostic::{Diagnostics, render};

use super::{
    Failure, Outcome, Settings, block_on, color, count, say,
    settings::{self, Common, Global},
};
use crate::{
    boot::{self, BootError, Data},
    catalogue,
    generation::{self, Load},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// How mistakes are shown.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With the line and a caret, for people.
    Human,
    /// For editors and scripts.
    Json,
}

/// Reports every mistake in the definitions, and with a warehouse what does not fit it.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let load = Load::run(settings::read(&settings.origin())?, settings.config.limits, jiff::Timestamp::now());
    let mut diagnostics = load.diagnostics.clone();
    let mut looked_at = String::new();
    if let Some(generation) = &load.generation {
        let model = &generation.model;
        looked_at = format!("{} entities, {} metrics, {} views", model.entities.len(), model.metrics.len(), model.views.len());
        if let Some(url) = &settings.config.warehouse.url {
            let columns = block_on(async {
                let warehouse = boot::warehouse(&settings.config, &Data::Warehouse(url.clone()))?;
                warehouse.columns().await.map_err(BootError::Warehouse)
            })?;
            catalogue::fit::check(model, &columns.map_err(Failure::outside)?, &mut diagnostics);
            looked_at.push_str(", and the warehouse's tables");
        }
    }
    report(&load, &diagnostics, arguments.format, &looked_at)
}

fn report(load: &Load, diagnostics: &Diagnostics, format: Format, looked_at: &str) -> Result<Outcome, Failure> {
    let (errors, warnings) = generation::counts(diagnostics);
    match format {
        Format::Json => say(&render::json(&load.sources, diagnostics))?,
        Format::Human => {
            if !diagnostics.is_empty() {
                say(&render::human(&load.sources, diagnostics, color()))?;
            }
            say(&match (errors, warnings) {
                (0, 0) => format!("all is well: {looked_at}"),
                (0, warnings) => format!("usable, with {}: {looked_at}", count(warnings, "warning")),
                (errors, 0) => format!("{} found", count(errors, "error")),
                (errors, warnings) => format!("{} and {} found", count(errors, "error"), count(warnings, "warning")),
            })?;
        }
    }
    Ok(if errors == 0 { Outcome::Well } else { Outcome::Wrong })
}
