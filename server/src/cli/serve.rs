//! `holdfast serve`

use clap::Args;

use super::{
    Failure, Outcome, Settings, block_on, complain,
    place::Place,
    settings::{Common, Global},
    show,
};
use crate::{
    boot::{self, BootError, Data},
    config::layers::Origin,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    place: Place,
    /// Address and port to listen on [default: 127.0.0.1:4000].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Listen on an address other than loopback although requests without credentials are answered.
    #[arg(long)]
    allow_public: bool,
    /// Answer requests without credentials; with `--demo` they are answered unless the setting says otherwise.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    anonymous: Option<bool>,
}

/// Serves until a signal.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let mut flags = Vec::new();
    flags.extend(arguments.listen.map(|address| ("http.listen", address)));
    if arguments.allow_public {
        flags.push(("http.allow_public", "true".to_owned()));
    }
    flags.extend(arguments.anonymous.map(|anonymous| ("identity.anonymous", anonymous.to_string())));
    let mut settings = Settings::read(global, &arguments.common, flags)?;
    let (data, origin) = arguments.place.choose(&settings)?;
    let nobody_said = settings.config.values.get("identity.anonymous").origin == Origin::Default;
    if nobody_said && !matches!(data, Data::Warehouse(_)) {
        settings.config.identity.anonymous = true;
    }
    match block_on(boot::run(settings.config, origin, data))? {
        Ok(()) => Ok(Outcome::Well),
        Err(BootError::Definitions(text)) => {
            show(&text);
            complain("the definitions have errors; nothing is served");
            Ok(Outcome::Wrong)
        }
        Err(error @ (BootError::Public(_) | BootError::Nobody | BootError::Identity(_))) => Err(Failure::usage(error)),
        Err(error) => Err(Failure::outside(error)),
    }
}
