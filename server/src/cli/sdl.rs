//! `holdfast sdl`

use clap::Args;

use super::{
    Failure, Outcome, Settings, say,
    settings::{Common, Global},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
}

/// Prints the GraphQL schema of the definitions.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, &arguments.common, Vec::new())?;
    let Some(generation) = settings.generation(&settings.origin())? else {
        return Ok(Outcome::Wrong);
    };
    say(generation.api.sdl())?;
    Ok(Outcome::Well)
}
