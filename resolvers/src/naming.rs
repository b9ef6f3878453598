//! Names of the model (snake_case) as names of GraphQL, and the check that no two of them become one.

use std::collections::HashMap;

use holdfast_schema::{
    diagnostic::{Diagnostic, Diagnostics},
    source::Span,
};

/// A field or argument: `opening_mrr` → `openingMrr`.
pub(crate) fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let mut letters = pascal.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A type: `value_component` → `ValueComponent`.
pub(crate) fn pascal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            out.extend(first.to_uppercase());
            out.push_str(letters.as_str());
        }
    }
    out
}

/// An enum value: `mid-market` → `MID_MARKET`. `None` when it cannot be one.
pub(crate) fn screaming(value: &str) -> Option<String> {
    let name: String =
        value.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' }).collect();
    let begins_well = name.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_') && !name.starts_with("__");
    let has_letters = name.bytes().any(|byte| byte.is_ascii_alphanumeric());
    let is_ascii = value.is_ascii();
    (begins_well && has_letters && is_ascii).then_some(name)
}

/// Every value as an enum value, or `None` when one cannot be or two would be the same.
pub(crate) fn enum_values(values: &[String]) -> Option<Vec<(String, String)>> {
    let mut out: Vec<(String, String)> = Vec::with_capacity(values.len());
    for value in values {
        let name = screaming(value)?;
        if out.iter().any(|(known, _)| *known == name) {
            return None;
        }
        out.push((name, value.clone()));
    }
    (!out.is_empty()).then_some(out)
}

/// The list of an entity: `accounts`, `entries`, `analyses`.
pub(crate) fn plural(name: &str) -> String {
    let ends_in = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if ends_in(&["y"]) && !ends_in(&["ay", "ey", "oy", "uy"]) {
        format!("{}ies", &name[..name.len() - 1])
    } else if ends_in(&["s", "x", "z", "ch", "sh"]) {
        format!("{name}es")
    } else {
        format!("{name}s")
    }
}

/// Who took which name in one namespace.
#[derive(Debug)]
pub(crate) struct Names {
    namespace: String,
    taken: HashMap<String, (String, Option<Span>)>,
}

impl Names {
    /// An empty namespace, described for people: `` fields of `Query` ``.
    pub(crate) fn new(namespace: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), taken: HashMap::new() }
    }

    /// Takes a name that we need ourselves.
    pub(crate) fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_owned(), ("a name that every surface has".to_owned(), None));
    }

    /// Takes a name for something of the model; when it is taken or no name at all, says so and returns false.
    pub(crate) fn take(&mut self, name: &str, owner: String, span: Span, out: &mut Diagnostics) -> bool {
        let is_name = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            out.push(
                Diagnostic::error("G002", span, format!("{owner} cannot be shown in GraphQL: `{name}` is not a name there"))
                    .help("begin with a letter and use letters, digits and underscores only"),
            );
            return false;
        }
        if let Some((other, other_span)) = self.taken.get(name) {
            let message = format!("{owner} and {other} would both be `{name}` among the {}", self.namespace);
            let mut diagnostic = Diagnostic::error("G001", span, message).help("rename one of them");
            if let Some(other_span) = other_span {
                diagnostic = diagnostic.also(*other_span, "the other one");
            }
            out.push(diagnostic);
            return false;
        }
        self.taken.insert(name.to_owned(), (owner, Some(span)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_join_in_each_style() {
        assert_eq!(camel("opening_mrr"), "openingMrr");
        assert_eq!(pascal("value_component"), "ValueComponent");
        assert_eq!(screaming("mid-market").as_deref(), Some("MID_MARKET"));
        assert_eq!(screaming("2024"), None);
        assert_eq!(screaming("größe"), None);
    }

    #[test]
    fn values_that_would_be_one_name_are_not_an_enum() {
        assert_eq!(enum_values(&["a b".to_owned(), "a-b".to_owned()]), None);
        assert_eq!(enum_values(&[]), None);
    }

    #[test]
    fn lists_are_plural() {
        assert_eq!(
            [plural("account"), plural("surfaceEntry"), plural("survey"), plural("status")],
            ["accounts", "surfaceEntries", "surveys", "statuses"]
        );
    }
}
