//! A file of comma-separated values → rows of a table. It knows what is wrong in which line, and nothing of `tables.sql`.

use std::collections::HashMap;

use holdfast_schema::value::Value;

use crate::{Error, csv, ddl, table::Table};

/// A file that was split into fields: a header line, and rows that are as wide.
pub(super) struct Sheet {
    file: String,
    header: Vec<Option<String>>,
    rows: Vec<csv::Record>,
}

impl Sheet {
    /// Splits the text of a file. An error says in which line a field does not end, a row is not as wide as the header, or that the
    /// header is missing or names a column twice.
    pub(super) fn read(file: String, text: &str) -> Result<Self, Error> {
        let mut rows = csv::records(text).map_err(|line| Error::Data(format!("{file}:{line}: a quoted field does not end")))?;
        if rows.is_empty() {
            return Err(Error::Data(format!("{file}: the header line is missing")));
        }
        let (_, header) = rows.remove(0);
        if let Some((n, name)) = header.iter().enumerate().find(|(n, name)| name.is_some() && header[..*n].contains(name)) {
            let name = name.as_deref().unwrap_or_default();
            return Err(Error::Data(format!("{file}: the header names {name} twice, the second time in field {}", n + 1)));
        }
        let width = header.len();
        // Blank lines at the end are no rows, unless a null is all that a row has.
        while width > 1 && rows.last().is_some_and(|(_, last)| *last == [None]) {
            rows.pop();
        }
        match rows.iter().find(|(_, fields)| fields.len() != width) {
            Some((line, fields)) => {
                Err(Error::Data(format!("{file}:{line}: found {} fields, expected {width}, as in the header", fields.len())))
            }
            None => Ok(Self { file, header, rows }),
        }
    }

    /// Which field of each row a column is.
    pub(super) fn position(&self, column: &str) -> Result<usize, Error> {
        self.header.iter().position(|field| field.as_deref() == Some(column)).ok_or_else(|| {
            let found: Vec<&str> = self.header.iter().map(|field| field.as_deref().unwrap_or_default()).collect();
            let hint = match found.as_slice() {
                [one] if one.contains([';', '\t', '|']) => "; fields are separated by commas",
                _ => "",
            };
            Error::Data(format!("{}: column {column} is missing, found {}{hint}", self.file, found.join(", ")))
        })
    }

    /// The most decimal places that a value of a column has.
    pub(super) fn most_places(&self, position: usize) -> usize {
        let places = |fields: &[Option<String>]| {
            let text = csv::without_exponent(fields[position].as_deref()?)?;
            Some(text.split_once('.')?.1.trim_end_matches('0').len())
        };
        self.rows.iter().filter_map(|(_, fields)| places(fields)).max().unwrap_or(0)
    }

    /// Puts every row into a table whose columns stand at these positions. An error says which value does not fit, or which primary
    /// key is incomplete or there already: two rows of one key would count what belongs to it twice.
    pub(super) fn fill(&self, table: &mut Table, positions: &[usize]) -> Result<(), Error> {
        let file = &self.file;
        let is_key: Vec<bool> = table.columns.iter().map(|column| table.primary_key.contains(&column.name)).collect();
        let key_names = table.primary_key.join(", ");
        let mut lines = HashMap::new();
        for (line, fields) in &self.rows {
            let values = positions.iter().zip(&table.columns).map(|(&position, column)| {
                let field = fields[position].as_deref();
                csv::value(field, column.column_type).ok_or_else(|| {
                    let (found, expected) = (field.unwrap_or_default(), ddl::type_name(column.column_type));
                    Error::Data(format!("{file}:{line}: {} is {found:?}, which is no {expected}", column.name))
                })
            });
            let values: Vec<Value> = values.collect::<Result<_, _>>()?;
            let key: Vec<Value> =
                values.iter().zip(&is_key).filter(|(_, is_key)| **is_key).map(|(value, _)| value.clone()).collect();
            if key.contains(&Value::Null) {
                return Err(Error::Data(format!("{file}:{line}: the primary key ({key_names}) is not complete")));
            }
            if !key.is_empty()
                && let Some(first) = lines.insert(key, line)
            {
                return Err(Error::Data(format!("{file}:{line}: the primary key ({key_names}) is that of line {first} too")));
            }
            if !table.try_push(&values) {
                return Err(Error::Data(format!("{file}:{line}: a number has more places than its column")));
            }
        }
        Ok(())
    }
}
