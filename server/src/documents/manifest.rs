//! Manifests of trusted documents, as build tools of clients write them: Apollo's, and the flat map of Relay and GraphQL Code
//! Generator.

use serde_json::{Map, Value};

/// The `format` of Apollo's manifests.
const APOLLO: &str = "apollo-persisted-query-manifest";

/// Ids and texts of a manifest; the error says what was found and expected.
pub(super) fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(manifest)) => documents(manifest),
        Ok(_) => Err("found no object; expected a map from ids to documents, or an Apollo manifest".to_owned()),
        Err(error) => Err(format!("not JSON: {error}")),
    }
}

fn documents(manifest: Map<String, Value>) -> Result<Vec<(String, String)>, String> {
    match manifest.get("format") {
        Some(Value::String(format)) if format == APOLLO => apollo(&manifest),
        _ => manifest
            .into_iter()
            .map(|(id, text)| match text {
                Value::String(text) => Ok((id, text)),
                _ => Err(format!("`{id}` is no text; expected a map from ids to documents")),
            })
            .collect(),
    }
}

fn apollo(manifest: &Map<String, Value>) -> Result<Vec<(String, String)>, String> {
    if manifest.get("version") != Some(&Value::from(1)) {
        return Err("expected `version` 1 of an Apollo manifest".to_owned());
    }
    let Some(Value::Array(operations)) = manifest.get("operations") else {
        return Err("expected `operations`, a list".to_owned());
    };
    operations
        .iter()
        .enumerate()
        .map(|(position, operation)| match (operation.get("id"), operation.get("body")) {
            (Some(Value::String(id)), Some(Value::String(body))) => Ok((id.clone(), body.clone())),
            _ => Err(format!("operation {position} has no `id` and `body` that are texts")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_kinds_are_read() {
        let expected = vec![("a".to_owned(), "{ x }".to_owned())];
        assert_eq!(read(&json!({"a": "{ x }"}).to_string()), Ok(expected.clone()));
        let operation = json!({"id": "a", "name": "X", "type": "query", "body": "{ x }"});
        assert_eq!(read(&json!({"format": APOLLO, "version": 1, "operations": [operation]}).to_string()), Ok(expected));
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for (manifest, message) in [
            (json!([1]), "found no object; expected a map from ids to documents, or an Apollo manifest"),
            (json!({"a": 1}), "`a` is no text; expected a map from ids to documents"),
            (json!({"format": APOLLO, "version": 2}), "expected `version` 1 of an Apollo manifest"),
            (json!({"format": APOLLO, "version": 1}), "expected `operations`, a list"),
            (json!({"format": APOLLO, "version": 1, "operations": [{}]}), "operation 0 has no `id` and `body` that are texts"),
        ] {
            assert_eq!(read(&manifest.to_string()), Err(message.to_owned()));
        }
    }
}
