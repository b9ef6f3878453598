//! `holdfast init`

use std::{fs, path::Path};

use clap::Args;

use super::{
    Failure, Outcome, Settings, block_on, complain, count, say,
    settings::{Common, Global},
};
use crate::{
    boot::{self, BootError, Data},
    catalogue::starter,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Name of the project.
    #[arg(long, default_value = "my_project")]
    project: String,
    /// Only tables of these schemas (may be repeated).
    #[arg(long, value_name = "SCHEMA")]
    schema: Vec<String>,
}

/// Writes starter definitions for a warehouse. Never overwrites a file.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let url = settings.warehouse()?.clone();
    let columns = block_on(async {
        boot::warehouse(&settings.config, &Data::Warehouse(url))?.columns().await.map_err(BootError::Warehouse)
    })?;
    let mut columns = columns.map_err(Failure::outside)?;
    if !arguments.schema.is_empty() {
        columns.retain(|column| arguments.schema.contains(&column.schema));
    }
    let made = starter::make(&arguments.project, &columns);
    let folder = &settings.config.definitions.path;
    let existing: Vec<_> = made.files.iter().map(|(path, _)| folder.join(path)).filter(|path| path.exists()).collect();
    if let Some(first) = existing.first() {
        return Err(Failure::usage(format!(
            "`{}` is already there, and {} in all; choose another folder with `--definitions DIR`",
            first.display(),
            count(existing.len(), "file")
        )));
    }
    for (path, text) in &made.files {
        write(&folder.join(path), text)?;
    }
    for reason in &made.left_out {
        complain(&format!("left out {reason}"));
    }
    say(&format!(
        "wrote {} below {}; next: `holdfast check --definitions {} --warehouse …`",
        count(made.files.len(), "file"),
        folder.display(),
        folder.display()
    ))?;
    Ok(Outcome::Well)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::outside(format!("cannot write `{}`: {error}", path.display())))
}
