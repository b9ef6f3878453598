//! Flags that are settings, the layers below them, and what most commands read next: the definitions.

use std::{env, fs, path::PathBuf, sync::Arc};

use clap::Args;
use holdfast_schema::{model::Model, source::SourceMap};
use jiff::Timestamp;

use super::{Failure, Outcome, color, complain, count, say, show};
use crate::{
    config::{
        self, Config, ConfigError, Sources,
        layers::{Environment, Origin as SettingOrigin},
        secret::Secret,
    },
    definitions::Origin,
    generation::{Generation, Load},
};

/// Flags of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Settings file; default `holdfast.toml` when it is there.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Log filter, such as `info,holdfast_server=debug`.
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

/// Flags of every command that reads definitions.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Common {
    /// Folder of definition files [default: metrics-defs].
    #[arg(long, value_name = "DIR")]
    definitions: Option<PathBuf>,
    /// Warehouse: `postgres://…`, or `file:///folder` of CSV files.
    #[arg(long, value_name = "URL")]
    warehouse: Option<String>,
}

/// The effective settings.
#[derive(Debug)]
pub(super) struct Settings {
    /// All of them.
    pub(super) config: Config,
}

impl Settings {
    /// Reads every layer. `flags` come on top of the common ones.
    pub(super) fn read(global: &Global, common: &Common, flags: Vec<(&'static str, String)>) -> Result<Self, Failure> {
        let environment: Environment =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
        let mut all = flags;
        all.extend(common.definitions.as_ref().map(|path| ("definitions.path", path.to_string_lossy().into_owned())));
        all.extend(common.warehouse.as_ref().map(|url| ("warehouse.url", url.clone())));
        all.extend(global.log.as_ref().map(|filter| ("telemetry.log", filter.clone())));
        let file = file(global, &environment)?;
        config::load(Sources { file, environment, flags: all })
            .map(|config| Self { config })
            .map_err(|errors| Failure::usage(errors.iter().map(ConfigError::to_string).collect::<Vec<_>>().join("\nerror: ")))
    }

    /// The warehouse's address, or how to give one.
    pub(super) fn warehouse(&self) -> Result<&Secret, Failure> {
        self.config.warehouse.url.as_ref().ok_or_else(|| {
            Failure::usage(
                "no warehouse given; use `--warehouse postgres://…` or the setting `warehouse.url` (HOLDFAST_WAREHOUSE_URL)",
            )
        })
    }

    /// The folder of definitions, or the shipped ones where nobody named a folder and the usual one is not there.
    pub(super) fn origin(&self) -> Origin {
        let path = &self.config.definitions.path;
        let is_default = self.config.values.get("definitions.path").origin == SettingOrigin::Default;
        if is_default && !path.is_dir() { Origin::Shipped } else { Origin::Folder(path.clone()) }
    }

    /// The folder of definitions; it must be there.
    pub(super) fn folder(&self) -> Origin {
        Origin::Folder(self.config.definitions.path.clone())
    }

    /// Model and surface, or `None` after saying what is wrong with the definitions.
    pub(super) fn generation(&self, origin: &Origin) -> Result<Option<Arc<Generation>>, Failure> {
        let load = Load::run(read(origin)?, self.config.limits, Timestamp::now());
        if load.generation.is_none() {
            show(&load.human(color()));
            complain(&format!("the definitions have {}", count(load.counts().0, "error")));
        }
        Ok(load.generation)
    }

    /// The model alone, or `None` after saying what is wrong with the definitions.
    pub(super) fn model(&self, origin: &Origin) -> Result<Option<Arc<Model>>, Failure> {
        Ok(self.generation(origin)?.map(|generation| Arc::clone(&generation.model)))
    }
}

/// The definition files.
pub(super) fn read(origin: &Origin) -> Result<SourceMap, Failure> {
    let advice = "name the folder with `--definitions DIR`, or write starter files with `holdfast init`";
    origin.read().map_err(|error| Failure::outside(error).or(advice))
}

/// Path and text of the settings file: the one named, or `holdfast.toml` when it is there.
fn file(global: &Global, environment: &Environment) -> Result<Option<(String, String)>, Failure> {
    let usual = PathBuf::from("holdfast.toml");
    let named = global.config.clone().or_else(|| environment.get("HOLDFAST_CONFIG").map(PathBuf::from));
    let Some(path) = named.or_else(|| usual.is_file().then_some(usual)) else {
        return Ok(None);
    };
    let shown = path.to_string_lossy().into_owned();
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some((shown, text))),
        Err(error) => Err(Failure::usage(format!("cannot read settings file `{shown}`: {error}"))),
    }
}

/// `holdfast print-config`
pub(super) fn print(global: &Global, common: &Common) -> Result<Outcome, Failure> {
    let settings = Settings::read(global, common, Vec::new())?;
    say(&config::print(&settings.config))?;
    Ok(Outcome::Well)
}
