//! Values that must not be shown.

use std::fmt;

/// Text whose `Debug` and `Display` are a mask.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    value: String,
    /// Whether it is an address, of which the place may be shown.
    is_address: bool,
}

impl Secret {
    /// Wraps a value of which nothing may be shown.
    pub fn new(value: String) -> Self {
        Self { value, is_address: false }
    }

    /// Wraps an address that may hold a user and a password.
    pub fn address(value: String) -> Self {
        Self { value, is_address: true }
    }

    /// The value itself, for the one place that uses it.
    pub fn expose(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if self.is_address { mask(&self.value) } else { "***".to_owned() })
    }
}

/// Hides user, password and parameters of an address, or all of what is none.
fn mask(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return "***".to_owned();
    };
    let (rest, parameters) = match rest.split_once('?') {
        // The question mark may be one of the password's, or the `@` one of a parameter's: nothing is surely the place.
        Some((_, parameters)) if parameters.contains('@') => return format!("{scheme}://***"),
        Some((rest, _)) => (rest, "?…"),
        None => (rest, ""),
    };
    match rest.rsplit_once('@') {
        Some((_, place)) => format!("{scheme}://***@{place}{parameters}"),
        None => format!("{scheme}://{rest}{parameters}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn user_password_and_parameters_are_never_printed() {
        let shown = |text: &str| format!("{:?} {}", Secret::address(text.to_owned()), Secret::address(text.to_owned()));
        assert_eq!(shown("postgres://me:p@ss@host:5432/db"), "postgres://***@host:5432/db postgres://***@host:5432/db");
        assert!(!shown("postgres://host/db?password=x").contains("password"));
        assert_eq!(shown("host=h password=x"), "*** ***");
        for password in ["se?cret", "?secret", "secret?", "s@e?cret", "se?c@ret", "se/cret", "se#cret", "se:cret"] {
            let shown = shown(&format!("postgres://me:{password}@host/db"));
            assert!(!["me", "se", "s@e", "cret", "ret"].iter().any(|part| shown.contains(part)), "{password}: {shown}");
        }
        assert_eq!(shown("postgres://host/db?password=p@ss"), "postgres://*** postgres://***");
        assert_eq!(Secret::new("key://of a signer".to_owned()).to_string(), "***");
    }
}
