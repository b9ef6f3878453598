//! `holdfast schema`

use super::{Failure, Outcome, say};

/// Prints the JSON Schema of the language.
pub(super) fn run() -> Result<Outcome, Failure> {
    say(&format!("{:#}", holdfast_schema::definition::json_schema()))?;
    Ok(Outcome::Well)
}
