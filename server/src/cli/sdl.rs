//! `holdfast sdl`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use holdfast_resolvers::evolution::{Change, Severity, changes};

use super::{
    Failure, Outcome, Settings, say,
    settings::{Common, Global},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Print the schema for the gateway of a federated graph: with keys.
    #[arg(long, conflicts_with = "diff")]
    federation: bool,
    /// Print what changes for the clients of this schema instead; exit code 1 when their documents may break.
    #[arg(long, value_name = "OLD.graphql")]
    diff: Option<PathBuf>,
    /// How changes are printed.
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "diff")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line each, and how many there are.
    Text,
    /// A list of objects with `severity`, `path` and `what`.
    Json,
}

/// Prints the GraphQL schema of the definitions, or how it differs from another.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let Some(generation) = settings.generation(&settings.origin())? else {
        return Ok(Outcome::Wrong);
    };
    let Some(path) = &arguments.diff else {
        say(if arguments.federation { generation.api.federation_sdl() } else { generation.api.sdl() })?;
        return Ok(Outcome::Well);
    };
    let old = std::fs::read_to_string(path).map_err(|error| Failure::outside(format!("{}: {error}", path.display())))?;
    let changes = changes(&old, generation.api.sdl()).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    say(&match arguments.format {
        Format::Text => text(&changes),
        Format::Json => json(&changes),
    })?;
    Ok(if changes.iter().any(|change| change.severity == Severity::Breaking) { Outcome::Wrong } else { Outcome::Well })
}

fn text(changes: &[Change]) -> String {
    let count = |severity| changes.iter().filter(|change| change.severity == severity).count();
    let mut out = String::new();
    for Change { severity, path, what } in changes {
        out.push_str(&format!("{severity:9}  {path}: {what}\n"));
    }
    let (breaking, dangerous, safe) = (count(Severity::Breaking), count(Severity::Dangerous), count(Severity::Safe));
    out.push_str(&format!("{breaking} breaking, {dangerous} dangerous, {safe} safe changes\n"));
    out
}

fn json(changes: &[Change]) -> String {
    let changes: Vec<_> = changes
        .iter()
        .map(|Change { severity, path, what }| serde_json::json!({ "severity": severity.to_string(), "path": path, "what": what }))
        .collect();
    serde_json::Value::from(changes).to_string() + "\n"
}
