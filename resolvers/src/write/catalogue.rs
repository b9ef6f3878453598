//! The catalogue's answers as bytes.

use super::{Writer, Written};
use crate::{catalogue::Value, json};

impl Writer<'_> {
    /// Writes a value of the catalogue.
    pub(super) fn catalogue(&mut self, value: &Value) -> Written {
        match value {
            Value::Null => json::null(&mut self.out),
            Value::Bool(value) => json::boolean(&mut self.out, *value),
            Value::Number(value) => json::number(&mut self.out, *value),
            Value::Text(text) => json::string(&mut self.out, text),
            Value::List(items) => return self.list(items, |writer, item| writer.catalogue(item)),
            Value::Object(fields) => return self.object(fields, |writer, _, value| writer.catalogue(value)),
            // A metric that cannot be asked for without a range has no statement of its own.
            Value::Sql(query) => json::optional(&mut self.out, self.asker.explain(query).ok().flatten().as_deref()),
        }
        Ok(())
    }
}
