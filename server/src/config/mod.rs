//! Settings: file, environment and flags → typed configuration by concern. Knows names and texts, opens nothing.

pub mod cache;
pub mod definitions;
pub mod documents;
pub mod http;
pub mod identity;
pub mod layers;
pub mod limits;
pub mod read;
pub mod secret;
pub mod settings;
pub mod streams;
pub mod telemetry;
pub mod warehouse;

#[cfg(test)]
mod tests;

use layers::{Environment, Origin, Values};
use read::Reader;
use secret::Secret;
use settings::Secrecy;

use crate::engine;

/// The whole configuration, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Section `definitions`.
    pub definitions: definitions::Definitions,
    /// Section `http`.
    pub http: http::Http,
    /// Section `documents`.
    pub documents: documents::Documents,
    /// Section `streams`.
    pub streams: streams::Streams,
    /// Section `identity`.
    pub identity: identity::Identity,
    /// Section `warehouse`.
    pub warehouse: warehouse::Warehouse,
    /// Section `cache`.
    pub cache: cache::Cache,
    /// Section `limits`.
    pub limits: holdfast_resolvers::Settings,
    /// `limits.suggestions` as it was said; `None` is `auto`, which `limits` has decided by the address alone.
    pub suggests: Option<bool>,
    /// `warehouse.show_sql` as it was said; `None` is `auto`, which `warehouse` has decided by the address alone.
    pub shows_sql: Option<bool>,
    /// Settings `limits.budget…`.
    pub budget: limits::Budget,
    /// Section `telemetry`.
    pub telemetry: telemetry::Telemetry,
    /// What all this was read from.
    pub values: Values,
}

impl Config {
    /// The same over the demo, where nothing is to be hidden.
    #[must_use]
    pub fn over_demo(mut self) -> Self {
        self.limits.suggestions = self.suggests.unwrap_or(true);
        self.warehouse.show_sql = self.shows_sql.unwrap_or(true);
        self
    }

    /// Settings of the engine: cache and warehouse together.
    pub fn engine(&self) -> engine::Settings {
        engine::Settings {
            cache_bytes: if self.cache.enabled { self.cache.max_bytes } else { 0 },
            compiled_bytes: self.cache.compiled_bytes,
            default_ttl: self.cache.default_ttl,
            refresh_interval: self.cache.refresh_interval,
            concurrency: self.warehouse.pool_size,
            queue: self.warehouse.queue,
            queue_wait: self.warehouse.queue_wait,
            budget: self.budget.size,
            budget_refill: self.budget.refill_per_second,
            show_sql: self.warehouse.show_sql,
        }
    }
}

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file that cannot be read as settings.
    #[error("settings file {path}: {message}")]
    File {
        /// Which file.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// A name that is no setting.
    #[error("unknown setting `{name}` in {place}{}", did_you_mean(.suggestions))]
    Unknown {
        /// As written.
        name: String,
        /// Where.
        place: String,
        /// Nearest settings.
        suggestions: Vec<String>,
    },
    /// A value that does not fit.
    #[error("setting `{key}` ({origin}): {message}")]
    Invalid {
        /// Which setting.
        key: &'static str,
        /// Where the value is from.
        origin: Origin,
        /// Found and expected.
        message: String,
    },
}

fn did_you_mean(suggestions: &[String]) -> String {
    suggestions.first().map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

/// The parts settings come from, each over the one before.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Path and text of the settings file, when there is one.
    pub file: Option<(String, String)>,
    /// The process environment.
    pub environment: Environment,
    /// Keys and texts given by flags.
    pub flags: Vec<(&'static str, String)>,
}

/// Reads everything; on failure every mistake there is.
pub fn load(sources: Sources) -> Result<Config, Vec<ConfigError>> {
    let mut errors = Vec::new();
    let mut values = Values::default();
    if let Some((path, text)) = &sources.file {
        values.apply_file(path, text, &mut errors);
    }
    values.apply_environment(&sources.environment, &mut errors);
    for (key, text) in sources.flags {
        values.apply_flag(key, text);
    }
    let mut reader = Reader::new(&values, &mut errors);
    let http = http::Http::read(&mut reader);
    let identity = identity::Identity::read(&mut reader);
    let suggestions = reader.flag_or_auto("limits.suggestions");
    let shows_sql = reader.flag_or_auto("warehouse.show_sql");
    let is_local = http.listen.ip().is_loopback() && !identity.knows_anybody();
    let config = Config {
        definitions: definitions::Definitions::read(&mut reader),
        documents: documents::Documents::read(&mut reader),
        streams: streams::Streams::read(&mut reader),
        limits: limits::read(&mut reader, suggestions, is_local),
        suggests: suggestions,
        shows_sql,
        identity,
        http,
        warehouse: warehouse::Warehouse::read(&mut reader, shows_sql.unwrap_or(is_local)),
        cache: cache::Cache::read(&mut reader),
        budget: limits::Budget::read(&mut reader),
        telemetry: telemetry::Telemetry::read(&mut reader),
        values: values.clone(),
    };
    if errors.is_empty() { Ok(config) } else { Err(errors) }
}

/// Every setting with its effective value and where it is from; secrets masked.
pub fn print(config: &Config) -> String {
    let width = settings::SETTINGS.iter().map(|setting| setting.key.len()).max().unwrap_or_default();
    let mut out = String::new();
    for setting in settings::SETTINGS {
        let effective = config.values.get(setting.key);
        let text = || effective.text.clone();
        let shown = match (effective.text.is_empty(), setting.secrecy) {
            (true, _) => "(none)".to_owned(),
            (false, Secrecy::Open) => text(),
            (false, Secrecy::Address) => Secret::address(text()).to_string(),
            (false, Secrecy::Secret) => Secret::new(text()).to_string(),
        };
        out.push_str(&format!("{:width$} = {shown}  # {}\n", setting.key, effective.origin));
    }
    out
}
