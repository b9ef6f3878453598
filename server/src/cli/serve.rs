//! `holdfast serve`

use clap::{Args, ValueEnum};

use super::{
    Failure, Outcome, Settings, block_on, complain,
    settings::{Common, Global},
    show,
};
use crate::boot::{self, BootError, Data};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Serve made-up data from the embedded engine; no warehouse needed.
    #[arg(long, value_name = "DATA", num_args = 0..=1, default_missing_value = "portfolio", conflicts_with = "warehouse")]
    demo: Option<Demo>,
    /// Address and port to listen on [default: 127.0.0.1:4000].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Listen on an address other than loopback although there is no authentication.
    #[arg(long)]
    allow_public: bool,
}

/// Data sets of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Demo {
    /// A few hundred accounts over 36 months.
    Portfolio,
    /// The small fixture with known numbers.
    Golden,
}

/// Serves until a signal.
pub(super) fn run(global: &Global, arguments: Arguments) -> Result<Outcome, Failure> {
    let mut flags = Vec::new();
    flags.extend(arguments.listen.map(|address| ("http.listen", address)));
    if arguments.allow_public {
        flags.push(("http.allow_public", "true".to_owned()));
    }
    let settings = Settings::read(global, &arguments.common, flags)?;
    let (data, origin) = match arguments.demo {
        Some(Demo::Portfolio) => (Data::Portfolio, settings.origin()),
        Some(Demo::Golden) => (Data::Golden, settings.origin()),
        None => {
            let url = settings.warehouse().map_err(|failure| failure.or("or try `holdfast serve --demo`"))?;
            (Data::Warehouse(url.clone()), settings.folder())
        }
    };
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
