//! Values that must not be shown.

use std::fmt;

/// Text whose `Debug` and `Display` are a mask.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself, for the one place that uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

/// Hides user and password of a URL, or all of anything else.
fn mask(value: &str) -> String {
    match value.split_once("://") {
        Some((scheme, rest)) => {
            let (rest, parameters) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?…"));
            match rest.rsplit_once('@') {
                Some((_, place)) => format!("{scheme}://***@{place}{parameters}"),
                None => format!("{scheme}://{rest}{parameters}"),
            }
        }
        None => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn user_password_and_parameters_are_never_printed() {
        let shown = |text: &str| format!("{:?} {}", Secret::new(text.to_owned()), Secret::new(text.to_owned()));
        assert_eq!(shown("postgres://me:p@ss@host:5432/db"), "postgres://***@host:5432/db postgres://***@host:5432/db");
        assert!(!shown("postgres://host/db?password=x").contains("password"));
        assert_eq!(shown("host=h password=x"), "*** ***");
    }
}
