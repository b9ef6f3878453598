//! Text of settings → typed values. Every mistake is collected, so that all are told at once.

use std::time::Duration;

use super::{ConfigError, layers::Values};

/// Reads typed values and collects what is wrong.
pub struct Reader<'a> {
    values: &'a Values,
    errors: &'a mut Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    /// A reader over effective values.
    pub fn new(values: &'a Values, errors: &'a mut Vec<ConfigError>) -> Self {
        Self { values, errors }
    }

    /// The text as written; `None` when empty.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        Some(self.values.get(key).text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str) -> bool {
        self.parse(key, "`true` or `false`", flag).unwrap_or_default()
    }

    /// A whole number that is not zero.
    pub fn count(&mut self, key: &'static str) -> usize {
        self.parse(key, "a whole number from 1", |text| text.replace('_', "").parse().ok().filter(|count| *count > 0)).unwrap_or(1)
    }

    /// A whole number, zero among them.
    pub fn number(&mut self, key: &'static str) -> u64 {
        self.parse(key, "a whole number", |text| text.replace('_', "").parse().ok()).unwrap_or_default()
    }

    /// A span of time such as `250ms`, `35s`, `5m`, `1h`; longer than none.
    pub fn duration(&mut self, key: &'static str) -> Duration {
        let parse = |text: &str| duration(text).filter(|duration| !duration.is_zero());
        self.parse(key, "a time from `1ms`, such as `250ms`, `35s`, `5m` or `1h`", parse).unwrap_or_default()
    }

    /// A flag that may be left open; `None` is `auto`.
    pub fn flag_or_auto(&mut self, key: &'static str) -> Option<bool> {
        let read = |text: &str| if text == "auto" { Some(None) } else { flag(text).map(Some) };
        self.parse(key, "`auto`, `true` or `false`", read).flatten()
    }

    /// A span of time that may be none at all.
    pub fn duration_or_none(&mut self, key: &'static str) -> Duration {
        self.parse(key, "a time such as `0s`, `250ms`, `35s`, `5m` or `1h`", duration).unwrap_or_default()
    }

    /// A number of bytes such as `262144`, `256KiB`, `10MiB`.
    pub fn bytes(&mut self, key: &'static str) -> usize {
        self.parse(key, "a size such as `256KiB`, `10MiB` or `1GiB`", bytes).unwrap_or_default()
    }

    /// Anything else; `expected` completes "expected …".
    pub fn parse<T>(&mut self, key: &'static str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let effective = self.values.get(key);
        let parsed = parse(effective.text.trim());
        if parsed.is_none() {
            self.errors.push(ConfigError::Invalid {
                key,
                origin: effective.origin.clone(),
                message: format!("found `{}`, expected {expected}", effective.text),
            });
        }
        parsed
    }
}

/// Yes or no.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A span of time as it is written in settings.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

fn bytes(text: &str) -> Option<usize> {
    let (number, unit) = split_unit(text)?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor).and_then(|bytes| usize::try_from(bytes).ok())
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.replace('_', "").parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_required_where_a_bare_number_would_be_a_guess() {
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("5m"), Some(Duration::from_secs(300)));
        assert_eq!(duration("35"), None);
        assert_eq!(bytes("256KiB"), Some(262_144));
        assert_eq!(bytes("1_000"), Some(1_000));
        assert_eq!(bytes("1KB"), None);
    }
}
