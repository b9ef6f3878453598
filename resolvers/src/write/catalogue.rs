//! The catalogue's answers as bytes.

use holdfast_schema::query::MetricQuery;

use super::{Writer, Written};
use crate::{catalogue::Value, error::Step, json};

impl Writer<'_> {
    /// Writes a value of the catalogue.
    pub(super) fn catalogue(&mut self, value: &Value) -> Written {
        match value {
            Value::Null => json::null(&mut self.out),
            Value::Bool(value) => json::boolean(&mut self.out, *value),
            Value::Number(value) => json::number(&mut self.out, *value),
            Value::Text(text) => json::string(&mut self.out, text),
            Value::List(items) => return self.list(items, |writer, item| writer.catalogue(item)),
            Value::Object(fields) => {
                return self.object(fields, |writer, key, value| match value {
                    Value::List(_) | Value::Object(_) | Value::Sql(_) => {
                        writer.step(Step::Key(key.to_owned()), |writer| writer.catalogue(value))
                    }
                    // Nothing in it can fail, so that its path is not needed.
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => writer.catalogue(value),
                });
            }
            Value::Sql(query) => self.sql(query),
        }
        Ok(())
    }

    /// Writes the statement of a question, or null where there is none or it could not be made.
    pub(super) fn sql(&mut self, query: &MetricQuery) {
        let explained = self.asker.explain(query).unwrap_or_else(|problem| {
            self.fail(problem);
            None
        });
        json::optional(&mut self.out, explained.as_deref());
    }
}
