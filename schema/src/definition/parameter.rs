//! Entries of a `parameters:` mapping.

use schemars::JsonSchema;

use super::{Text, json_schema::Number};
use crate::source::Spanned;

/// A number with a name, used in definitions as `parameters.name`.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Parameter {
    /// `value:` a number such as 60 or 0.70.
    #[schemars(with = "Number")]
    pub value: Text,
    /// `description:` what it decides.
    pub description: Option<Text>,
    /// `overrides:` `true` where it replaces the value that another file gives to the same name.
    pub overrides: Option<Spanned<bool>>,
}
