//! `holdfast serve`

use clap::Args;

use super::{
    Failure, Outcome, Settings, block_on, complain,
    place::Place,
    settings::{Common, Global},
    show,
};
use crate::boot::{self, BootError};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    place: Place,
    /// Address and port to listen on [default: 127.0.0.1:4000].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Listen on an address other than loopback although there is no authentication.
    #[arg(long)]
    allow_public: bool,
}

/// Serves until a signal.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let mut flags = Vec::new();
    flags.extend(arguments.listen.map(|address| ("http.listen", address)));
    if arguments.allow_public {
        flags.push(("http.allow_public", "true".to_owned()));
    }
    let settings = Settings::read(global, &arguments.common, flags)?;
    let (data, origin) = arguments.place.choose(&settings)?;
    match block_on(boot::run(settings.config, origin, data))? {
        Ok(()) => Ok(Outcome::Well),
        Err(BootError::Definitions(text)) => {
            show(&text);
            complain("the definitions have errors; nothing is served");
            Ok(Outcome::Wrong)
        }
        Err(error @ BootError::Public(_)) => Err(Failure::usage(error)),
        Err(error) => Err(Failure::outside(error)),
    }
}
