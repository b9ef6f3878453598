//! Answers of GraphQL and of SQL written by hand in one plain form, so that they can be compared to the last digit.

use holdfast_schema::value::canonical_decimal;
use serde_json::Value;

/// A response of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The whole response.
    pub json: Value,
}

impl Answer {
    /// The value at a path such as `/data/sales/rows`.
    ///
    /// # Panics
    /// When nothing is there.
    pub fn at(&self, pointer: &str) -> &Value {
        self.json.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer} of {:#}", self.json))
    }

    /// The rows of a root field as plain cells.
    ///
    /// # Panics
    /// When the response has errors or no such rows.
    pub fn rows(&self, field: &str) -> Vec<Vec<String>> {
        assert!(self.json.get("errors").is_none(), "{:#}", self.json);
        let rows = self.at(&format!("/data/{field}/rows"));
        rows.as_array().unwrap_or_else(|| panic!("no rows in {:#}", self.json)).iter().map(cells).collect()
    }

    /// The totals of a root field as plain cells.
    ///
    /// # Panics
    /// When the response has errors or no totals.
    pub fn totals(&self, field: &str) -> Vec<String> {
        assert!(self.json.get("errors").is_none(), "{:#}", self.json);
        cells(self.at(&format!("/data/{field}/totals")))
    }

    /// The codes of all errors.
    pub fn codes(&self) -> Vec<String> {
        let errors = self.json.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("none").to_owned()).collect()
    }
}

/// Every leaf of a value in the order of the selection, as text: numbers in canonical form, null as `null`.
pub fn cells(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|field| collect(field, into)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Null => into.push("null".to_owned()),
        Value::Bool(value) => into.push(value.to_string()),
        Value::Number(number) => into.push(plain(&number.to_string())),
        Value::String(text) => into.push(plain(text)),
    }
}

/// A number without trailing zeros; any other text as it is.
pub fn plain(text: &str) -> String {
    canonical_decimal(text).unwrap_or_else(|| text.to_owned())
}
