//! GraphQL documents as somebody names them on the command line.

use std::{fs, path::Path};

use async_graphql::{Request, Variables};

use super::Failure;

/// A document with its variables, which are written as a JSON object.
pub(super) fn request(text: &str, variables: Option<&str>) -> Result<Request, Failure> {
    let request = Request::new(text);
    let Some(variables) = variables else {
        return Ok(request);
    };
    let json: serde_json::Value =
        serde_json::from_str(variables).map_err(|error| Failure::usage(format!("`--variables` is not JSON: {error}")))?;
    Ok(request.variables(Variables::from_json(json)))
}

/// The text of a GraphQL document; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let read = if path.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { fs::read_to_string(path) };
    read.map_err(|error| Failure::outside(format!("cannot read `{}`: {error}", path.display())))
}
