//! Layers of settings as text: defaults, file, environment, flags; the last that speaks wins, and every value knows where it is from.

use std::{collections::BTreeMap, fmt};

use holdfast_schema::suggest;

use super::{
    ConfigError,
    settings::{self, SETTINGS},
};

/// Environment variables by name; a map, so that tests need no process environment.
pub type Environment = BTreeMap<String, String>;

/// Variables with our prefix that are not settings.
const RESERVED_VARIABLES: [&str; 1] = ["HOLDFAST_CONFIG"];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A settings file.
    File(String),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => write!(f, "file {path}"),
            Origin::Environment(variable) => write!(f, "environment {variable}"),
            Origin::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// The effective text of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// As written.
    pub text: String,
    /// By whom.
    pub origin: Origin,
}

/// Effective text of every setting. Has no derived `Debug`: some texts are secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Values(BTreeMap<&'static str, Effective>);

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Values(…)")
    }
}

impl Default for Values {
    fn default() -> Self {
        Self(
            SETTINGS
                .iter()
                .map(|setting| (setting.key, Effective { text: setting.default.to_owned(), origin: Origin::Default }))
                .collect(),
        )
    }
}

impl Values {
    /// The text of a setting.
    ///
    /// # Panics
    /// When the key is not in the list of settings: a bug of ours.
    pub fn get(&self, key: &str) -> &Effective {
        self.0.get(key).expect("every key that is read is in the list of settings")
    }

    /// Puts a settings file over what is there.
    pub fn apply_file(&mut self, path: &str, text: &str, errors: &mut Vec<ConfigError>) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                // Not the whole report: it quotes the line, which may hold a password.
                let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
                errors.push(ConfigError::File { path: path.to_owned(), message: format!("line {line}: {}", error.message()) });
                return;
            }
        };
        let mut found = Vec::new();
        flatten("", &table, &mut found);
        for (key, text) in found {
            match (settings::find(&key), text) {
                (Some(setting), Some(text)) => self.set(setting.key, text, Origin::File(path.to_owned())),
                (Some(setting), None) => errors.push(ConfigError::Invalid {
                    key: setting.key,
                    origin: Origin::File(path.to_owned()),
                    message: "expected one value".to_owned(),
                }),
                (None, _) => {
                    errors.push(unknown(&key, format!("file {path}"), SETTINGS.iter().map(|setting| setting.key.to_owned())))
                }
            }
        }
    }

    /// Puts the environment's `HOLDFAST_*` variables over what is there.
    pub fn apply_environment(&mut self, environment: &Environment, errors: &mut Vec<ConfigError>) {
        for (variable, text) in environment.iter().filter(|(variable, _)| variable.starts_with("HOLDFAST_")) {
            if RESERVED_VARIABLES.contains(&variable.as_str()) {
                continue;
            }
            match SETTINGS.iter().find(|setting| setting.variable() == *variable) {
                Some(setting) => self.set(setting.key, text.clone(), Origin::Environment(variable.clone())),
                None => errors.push(unknown(variable, "environment".to_owned(), SETTINGS.iter().map(settings::Setting::variable))),
            }
        }
    }

    /// Puts a flag over what is there.
    pub fn apply_flag(&mut self, key: &'static str, text: String) {
        let flag = settings::find(key).and_then(|setting| setting.flag).expect("flags are given for settings that have one");
        self.set(key, text, Origin::Flag(flag));
    }

    fn set(&mut self, key: &'static str, text: String, origin: Origin) {
        self.0.insert(key, Effective { text, origin });
    }
}

fn unknown(name: &str, place: String, known: impl Iterator<Item = String>) -> ConfigError {
    let known: Vec<String> = known.collect();
    ConfigError::Unknown { name: name.to_owned(), place, suggestions: suggest::nearest(name, known.iter().map(String::as_str)) }
}

/// Dotted keys and scalar texts of a table; `None` for what is not a scalar.
fn flatten(prefix: &str, table: &toml::Table, out: &mut Vec<(String, Option<String>)>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, out),
            toml::Value::String(text) => out.push((key, Some(text.clone()))),
            toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => {
                out.push((key, Some(value.to_string())));
            }
            toml::Value::Array(_) => out.push((key, None)),
        }
    }
}
