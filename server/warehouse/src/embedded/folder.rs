//! A folder of CSV files ↔ plain tables: `tables.sql` holds `CREATE TABLE` statements with PostgreSQL's types, and
//! `<schema>.<table>.csv` (or `<table>.csv`) the rows, with a header line.

mod sheet;

use std::{collections::HashMap, fs, path::Path};

use datafusion::sql::sqlparser::{
    ast::{ColumnOption, CreateTable, DataType, ExactNumberInfo, Expr, Ident, ObjectName, Statement, TableConstraint},
    dialect::PostgreSqlDialect,
    parser::Parser,
};

use self::sheet::Sheet;
use super::register::DEFAULT_SCHEMA;
use crate::{
    Error, csv, ddl,
    table::{ColumnType, ForeignKey, Table},
};

/// The file with the tables.
const TABLES: &str = "tables.sql";

/// Places a decimal column can have at most.
const MOST_PLACES: u8 = 20;

/// Reads every table.
pub fn read(folder: &Path) -> Result<Vec<Table>, Error> {
    let text = read_file(&folder.join(TABLES))?;
    let statements =
        Parser::parse_sql(&PostgreSqlDialect {}, &text).map_err(|error| Error::Statement(format!("{TABLES}: {error}")))?;
    let mut tables = Vec::new();
    for statement in statements {
        match statement {
            Statement::CreateTable(create) => tables.push(read_table(folder, &create)?),
            Statement::CreateSchema { .. } => {}
            other => return Err(Error::Statement(format!("{TABLES}: only create table is understood, not {other}"))),
        }
    }
    complete_foreign_keys(&mut tables)?;
    Ok(tables)
}

/// Writes every table.
pub fn write(folder: &Path, tables: &[Table]) -> Result<(), Error> {
    let unwritable = |error: std::io::Error| Error::Statement(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(unwritable)?;
    let mut statements = String::new();
    for table in tables {
        statements.push_str(&create_with_foreign_keys(table));
        statements.push_str(";\n\n");
        let header: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let rows = format!("{}\n{}", header.join(","), csv::write(table, 0, table.row_count()));
        fs::write(folder.join(file_name(table)), rows).map_err(unwritable)?;
    }
    fs::write(folder.join(TABLES), statements).map_err(unwritable)
}

fn create_with_foreign_keys(table: &Table) -> String {
    let mut text = ddl::create_table(table);
    for key in ddl::foreign_keys(table) {
        // `alter table … add foreign key …`: inside the statement only the clause is needed.
        if let (Some(end), Some((_, clause))) = (text.rfind("\n)"), key.split_once(" add ")) {
            text.insert_str(end, &format!(",\n    {clause}"));
        }
    }
    text
}

fn file_name(table: &Table) -> String {
    format!("{}.csv", table.qualified_name())
}

/// The text of a file, without the mark with which spreadsheets begin theirs.
fn read_file(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(|error| Error::Unavailable(format!("{}: {error}", path.display())))?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        Error::Data(format!("{}:{line}: found bytes that are no UTF-8; save the file as UTF-8", path.display()))
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

fn read_table(folder: &Path, create: &CreateTable) -> Result<Table, Error> {
    let (schema, name) = split_name(&create.name)?;
    let mut table = Table::new(schema.as_deref(), &name, &[]);
    let file = file_name(&table);
    let text = read_file(&folder.join(&file))?;
    let sheet = Sheet::read(file, &text)?;

    let mut columns = Vec::new();
    let mut positions = Vec::new();
    for column in &create.columns {
        let column_name = identifier(&column.name);
        let position = sheet.position(&column_name)?;
        // A number without a declared scale gets the places that its values have.
        let Some(column_type) = column_type(&column.data_type, || sheet.most_places(position)) else {
            return Err(Error::Statement(format!("{TABLES}: type {} of {column_name} is not known", column.data_type)));
        };
        for option in &column.options {
            match &option.option {
                ColumnOption::PrimaryKey(_) => table.primary_key = vec![column_name.clone()],
                ColumnOption::ForeignKey(key) => {
                    table.foreign_keys.push(foreign_key(vec![column_name.clone()], &key.foreign_table, &key.referred_columns)?);
                }
                _ => {}
            }
        }
        columns.push((column_name, column_type));
        positions.push(position);
    }
    let (primary_key, foreign_keys) = (std::mem::take(&mut table.primary_key), std::mem::take(&mut table.foreign_keys));
    let borrowed: Vec<(&str, ColumnType)> = columns.iter().map(|(name, column_type)| (name.as_str(), *column_type)).collect();
    let mut table = Table::new(schema.as_deref(), &name, &borrowed);
    (table.primary_key, table.foreign_keys) = (primary_key, foreign_keys);
    for constraint in &create.constraints {
        match constraint {
            TableConstraint::PrimaryKey(key) => {
                let names = key.columns.iter().map(|column| match &column.column.expr {
                    Expr::Identifier(name) => Ok(identifier(name)),
                    other => Err(Error::Statement(format!("{TABLES}: the primary key of {name} has {other}, which is no column"))),
                });
                table.primary_key = names.collect::<Result<_, _>>()?;
            }
            TableConstraint::ForeignKey(key) => {
                let own = key.columns.iter().map(identifier).collect();
                table.foreign_keys.push(foreign_key(own, &key.foreign_table, &key.referred_columns)?);
            }
            _ => {}
        }
    }

    sheet.fill(&mut table, &positions)?;
    Ok(table)
}

fn foreign_key(columns: Vec<String>, to: &ObjectName, other: &[Ident]) -> Result<ForeignKey, Error> {
    let (schema, table) = split_name(to)?;
    Ok(ForeignKey { columns, schema, table, other_columns: other.iter().map(identifier).collect() })
}

/// Foreign keys that name no columns mean the primary key of the other table, as in PostgreSQL.
fn complete_foreign_keys(tables: &mut [Table]) -> Result<(), Error> {
    let place =
        |schema: &Option<String>, table: &str| (schema.clone().unwrap_or_else(|| DEFAULT_SCHEMA.to_owned()), table.to_owned());
    let primary_keys: HashMap<(String, String), Vec<String>> =
        tables.iter().map(|table| (place(&table.schema, &table.name), table.primary_key.clone())).collect();
    for table in tables {
        let name = table.qualified_name();
        for key in table.foreign_keys.iter_mut().filter(|key| key.other_columns.is_empty()) {
            let other = &key.table;
            let problem = match primary_keys.get(&place(&key.schema, other)) {
                Some(primary_key) if primary_key.len() == key.columns.len() => {
                    key.other_columns.clone_from(primary_key);
                    continue;
                }
                Some(_) => format!("which has no primary key of {} columns; name the columns", key.columns.len()),
                None => "which is no table here; add its `create table`, or leave the reference out".to_owned(),
            };
            return Err(Error::Statement(format!("{TABLES}: {name} references {other}, {problem}")));
        }
    }
    Ok(())
}

fn split_name(name: &ObjectName) -> Result<(Option<String>, String), Error> {
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(identifier).collect();
    match parts.as_slice() {
        [table] => Ok((None, table.clone())),
        [schema, table] => Ok((Some(schema.clone()), table.clone())),
        _ => Err(Error::Statement(format!("{TABLES}: {name} is no name of a table"))),
    }
}

/// Unquoted names are lower case, as in PostgreSQL.
fn identifier(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

fn column_type(data_type: &DataType, most_places: impl Fn() -> usize) -> Option<ColumnType> {
    Some(match data_type {
        DataType::Bool | DataType::Boolean => ColumnType::Bool,
        DataType::SmallInt(_)
        | DataType::Int2(_)
        | DataType::Int(_)
        | DataType::Integer(_)
        | DataType::Int4(_)
        | DataType::BigInt(_)
        | DataType::Int8(_) => ColumnType::Int,
        DataType::Numeric(info) | DataType::Decimal(info) => match info {
            ExactNumberInfo::PrecisionAndScale(_, scale) => {
                ColumnType::Decimal { scale: u8::try_from(*scale).ok()?.min(MOST_PLACES) }
            }
            ExactNumberInfo::Precision(_) => ColumnType::Decimal { scale: 0 },
            ExactNumberInfo::None => ColumnType::Decimal { scale: places_of(most_places()) },
        },
        DataType::Real | DataType::Float4 | DataType::Float8 | DataType::DoublePrecision | DataType::Float(_) => {
            ColumnType::Decimal { scale: places_of(most_places()) }
        }
        DataType::Text
        | DataType::Varchar(_)
        | DataType::Char(_)
        | DataType::CharacterVarying(_)
        | DataType::Character(_)
        | DataType::Uuid => ColumnType::Text,
        DataType::Date => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        _ => return None,
    })
}

fn places_of(found: usize) -> u8 {
    u8::try_from(found).map_or(MOST_PLACES, |places| places.min(MOST_PLACES))
}

#[cfg(test)]
mod tests {
    use holdfast_schema::value::Value;

    use super::*;

    #[test]
    fn a_folder_holds_what_was_written() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let parent = Table::new(None, "Region", &[("id", ColumnType::Text)]).primary_key(&["id"]);
        let mut child = Table::new(
            Some("crm"),
            "account",
            &[
                ("id", ColumnType::Int),
                ("region", ColumnType::Text),
                ("amount", ColumnType::Decimal { scale: 4 }),
                ("since", ColumnType::Date),
                ("at", ColumnType::Timestamp),
                ("ok", ColumnType::Bool),
            ],
        )
        .primary_key(&["id"]);
        child.foreign_keys.push(ForeignKey {
            columns: vec!["region".into()],
            schema: None,
            table: "Region".into(),
            other_columns: vec!["id".into()],
        });
        child.push(&[
            Value::Int(-1),
            Value::Text("a,\"b\"".into()),
            Value::Decimal("-0.0501".into()),
            Value::Date(jiff::civil::date(2024, 2, 29)),
            Value::Timestamp("2024-02-29T23:59:59.123456Z".parse().expect("it is an instant")),
            Value::Bool(true),
        ]);
        child.push(&[Value::Int(2), Value::Null, Value::Null, Value::Null, Value::Null, Value::Null]);
        write(folder.path(), &[parent.clone(), child.clone()]).expect("it can be written");
        assert_eq!(read(folder.path()), Ok(vec![parent, child]));
    }

    fn folder_of(tables: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for (name, text) in files.iter().chain([&(TABLES, tables)]) {
            fs::write(folder.path().join(name), text).expect("it can be written");
        }
        folder
    }

    #[test]
    fn rows_have_as_many_fields_as_the_header() {
        let rows = |text: &str| {
            let folder = folder_of("create table t (a int, b text);", &[("t.csv", text)]);
            read(folder.path()).map(|tables| tables[0].row_count())
        };
        assert_eq!(rows("a,b\n1,x\n2,y\n\n\r\n\n"), Ok(2), "blank lines at the end are nothing");
        for (text, line, found) in
            [("a,b\n1,x\n\n2,y\n", 3, 1), ("a,b\n1\n", 2, 1), ("a,b\n1,x\n2,y,z\n", 3, 3), ("a,b\n1,\"x\ny\"\n2,\"x\",\n", 4, 3)]
        {
            let told = format!("t.csv:{line}: found {found} fields, expected 2, as in the header");
            assert_eq!(rows(text), Err(Error::Data(told)), "{text:?}");
        }
        let one = folder_of("create table t (a text);", &[("t.csv", "a\nx\n\ny\n\n")]);
        assert_eq!(read(one.path()).expect("nulls are rows")[0].row_count(), 4);
    }

    #[test]
    fn what_spreadsheets_write_is_read_or_told() {
        let rows = |text: &[u8]| {
            let folder = folder_of("create table t (a int primary key, b text);", &[]);
            fs::write(folder.path().join("t.csv"), text).expect("it can be written");
            read(folder.path()).map(|tables| tables[0].row_count()).map_err(|error| match error {
                Error::Data(told) => told.replace(&format!("{}/", folder.path().display()), ""),
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(rows("\u{feff}a,b\r\n1,x\r\n".as_bytes()), Ok(1), "a mark of the byte order is no part of a name");
        for (text, told) in [
            (&b"a;b\n1;x\n"[..], "t.csv: column a is missing, found a;b; fields are separated by commas"),
            (b"a,c\n1,x\n", "t.csv: column b is missing, found a, c"),
            (b"a,b,a\n1,x,2\n", "t.csv: the header names a twice, the second time in field 3"),
            (b"a,b\n1,x\n2,\xe9\n", "t.csv:3: found bytes that are no UTF-8; save the file as UTF-8"),
            (b"a,b\n1,x\n2,y\n01,z\n", "t.csv:4: the primary key (a) is that of line 2 too"),
            (b"a,b\n,x\n", "t.csv:2: the primary key (a) is not complete"),
        ] {
            assert_eq!(rows(text), Err(told.to_owned()));
        }
    }

    #[test]
    fn names_without_quotes_are_lower_case_everywhere_and_references_mean_primary_keys() {
        let tables = "create table Region (ID text, \"Zone\" text, primary key (ID, \"Zone\"));
                      create table Country (Code text primary key);
                      create table account (id int primary key, region text, zone text, country text references Country,
                        foreign key (Region, zone) references region);";
        let files = [("region.csv", "id,Zone\n"), ("country.csv", "code\n"), ("account.csv", "id,region,zone,country\n")];
        let read = read(folder_of(tables, &files).path()).expect("it is well formed");
        assert_eq!(read[0].primary_key, ["id", "Zone"]);
        let keys: Vec<_> = read[2].foreign_keys.iter().map(|key| (&key.columns[..], &key.other_columns[..])).collect();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (country, code) = (names(&["country"]), names(&["code"]));
        let (region, id) = (names(&["region", "zone"]), names(&["id", "Zone"]));
        assert_eq!(keys, [(&country[..], &code[..]), (&region[..], &id[..])]);
        let keyless =
            folder_of("create table a (id int); create table b (a int references a);", &[("a.csv", "id\n"), ("b.csv", "a\n")]);
        let told = "tables.sql: b references a, which has no primary key of 1 columns; name the columns";
        assert_eq!(super::read(keyless.path()), Err(Error::Statement(told.into())));
        let nowhere = folder_of("create table b (a int references a);", &[("b.csv", "a\n")]);
        let told = "tables.sql: b references a, which is no table here; add its `create table`, or leave the reference out";
        assert_eq!(super::read(nowhere.path()), Err(Error::Statement(told.into())));
        let tables = "create table public.a (id int primary key); create table b (a int references a);";
        let found = super::read(folder_of(tables, &[("public.a.csv", "id\n"), ("b.csv", "a\n")]).path())
            .expect("`public` is where names without a schema are");
        assert_eq!(found[1].foreign_keys[0].other_columns, ["id"]);
    }

    #[test]
    fn numbers_may_have_exponents() {
        let text = "a,b\n1e-7,-2.50E+3\n12e1,0e5\n";
        let folder = folder_of("create table t (a float8, b numeric);", &[("t.csv", text)]);
        let table = &read(folder.path()).expect("these are numbers")[0];
        assert_eq!(table.columns[0].column_type, ColumnType::Decimal { scale: 7 });
        let cells: Vec<Value> =
            (0..2).flat_map(|row| table.values().iter().map(move |column| column.get(row).to_value())).collect();
        let expected = ["0.0000001", "-2500", "120", "0"].map(|text| Value::Decimal(text.to_owned()));
        assert_eq!(cells, expected);
        for wrong in ["1e", "e1", "1e1.5", "1e999", "1e-999", "NaN", "Infinity", "0x1e1"] {
            let folder = folder_of("create table t (a float8);", &[("t.csv", &format!("a\n{wrong}\n"))]);
            assert!(matches!(read(folder.path()), Err(Error::Data(_))), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_value_is_reported_with_file_and_line() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::write(folder.path().join("tables.sql"), "create table t (a numeric, b int);").expect("it can be written");
        fs::write(folder.path().join("t.csv"), "b,a\n1,1.250\nx,2\n").expect("it can be written");
        assert_eq!(read(folder.path()), Err(Error::Data("t.csv:3: b is \"x\", which is no bigint".into())));
        fs::write(folder.path().join("t.csv"), "b,a\n1,1.250\n").expect("it can be written");
        let tables = read(folder.path()).expect("it is right now");
        assert_eq!(tables[0].columns[0].column_type, ColumnType::Decimal { scale: 2 });
    }
}
