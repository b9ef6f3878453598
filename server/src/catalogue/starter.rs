//! Catalogue → starter definitions: one entity file per table, a project file, and nothing that would have to be guessed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use holdfast_schema::{
    model::{is_kept_from_entities, is_kept_from_fields},
    value::ValueType,
};
use holdfast_warehouse::{CatalogueColumn, ColumnReference};

use super::{Tables, tables};

/// A file to write: path below the definitions folder, and text.
pub type StarterFile = (String, String);

/// What was made, and which tables were left out and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Starter {
    /// Files to write.
    pub files: Vec<StarterFile>,
    /// Tables left out, each with the reason.
    pub left_out: Vec<String>,
}

/// Makes starter files of every table with a primary key.
pub fn make(project: &str, columns: &[CatalogueColumn]) -> Starter {
    let tables = tables(columns);
    let entities = entity_names(&tables);
    let mut starter = Starter { files: vec![("project.yaml".to_owned(), project_file(project))], left_out: Vec::new() };
    for (&(schema, table), columns) in &tables {
        let key = key_columns(columns);
        if key.is_empty() {
            starter
                .left_out
                .push(format!("{schema}.{table}: it has no primary key; write its entity by hand and say what identifies a row"));
            continue;
        }
        let name = &entities[&(schema, table)];
        let named = Named { tables: &tables, entities: &entities, fields: field_names(name, columns) };
        starter.files.push((format!("entities/{name}.yaml"), entity_file(&named, name, (schema, table), columns, &key)));
    }
    starter
}

fn project_file(project: &str) -> String {
    format!("project: {}\nversion: 1\ntime_zone: UTC\n", identifier(project))
}

/// The names that tables and columns have in the definitions.
struct Named<'a> {
    tables: &'a Tables<'a>,
    entities: &'a EntityNames<'a>,
    /// Of the columns of one table.
    fields: BTreeMap<&'a str, String>,
}

type EntityNames<'a> = BTreeMap<(&'a str, &'a str), String>;

/// Names by table: its own, with its schema where two tables share a name or the API keeps the name for itself.
fn entity_names<'a>(tables: &Tables<'a>) -> EntityNames<'a> {
    let wanted = tables.keys().map(|&(schema, table)| {
        let is_shared = tables.keys().filter(|(_, other)| *other == table).count() > 1;
        let name = identifier(&if is_shared { format!("{schema}_{table}") } else { table.to_owned() });
        let name = if is_kept_from_entities(&name) { format!("{schema}_{name}") } else { name };
        ((schema, table), name == table, name)
    });
    distinct(wanted.collect())
}

/// Names by column: its own, with its entity where the API keeps the name for itself.
fn field_names<'a>(entity: &str, columns: &[&'a CatalogueColumn]) -> BTreeMap<&'a str, String> {
    let wanted = columns.iter().map(|column| {
        let name = field_name(entity, &column.column);
        (column.column.as_str(), name == column.column, name)
    });
    distinct(wanted.collect())
}

fn field_name(entity: &str, column: &str) -> String {
    let name = identifier(column);
    if is_kept_from_fields(&name) { format!("{entity}_{name}") } else { name }
}

/// What is wanted, told apart by numbers where it is one name, or one in the API. Those whose name was theirs already keep it.
fn distinct<K: Ord + Copy>(wanted: Vec<(K, bool, String)>) -> BTreeMap<K, String> {
    // `cost_1` and `cost1` are one name in the API.
    let in_api = |name: &str| name.replace('_', "");
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    let (own, made): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(_, is_own, _)| *is_own);
    for (of, _, name) in own.into_iter().chain(made) {
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(&in_api(name)));
        let free = free.expect("there are more numbers than names");
        taken.insert(in_api(&free));
        names.insert(of, free);
    }
    names
}

fn key_columns<'a>(columns: &[&'a CatalogueColumn]) -> Vec<&'a str> {
    let mut key: Vec<_> = columns.iter().filter_map(|column| Some((column.key_position?, column.column.as_str()))).collect();
    key.sort_unstable();
    key.into_iter().map(|(_, column)| column).collect()
}

fn entity_file(named: &Named<'_>, name: &str, (schema, table): (&str, &str), columns: &[&CatalogueColumn], key: &[&str]) -> String {
    let mut out = String::new();
    let quoted: Vec<String> = key.iter().map(|column| scalar(column)).collect();
    let key_text = if let [only] = quoted.as_slice() { only.clone() } else { format!("[{}]", quoted.join(", ")) };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "entity: {name}\nsource: {}\nkey: {key_text}", scalar(&format!("{schema}.{table}")));
    let readable: Vec<_> = columns.iter().filter_map(|column| Some((column, column.value_type?))).collect();
    let in_reference = |column: &str| columns.iter().any(|known| known.column == column && !known.references.is_empty());
    let is_time = |value_type| matches!(value_type, ValueType::Date | ValueType::Timestamp);
    let dimensions: Vec<_> =
        readable.iter().filter(|(column, value_type)| !is_time(*value_type) && !in_reference(&column.column)).collect();
    if !dimensions.is_empty() {
        out.push_str("dimensions:\n");
        for (column, value_type) in dimensions {
            let _ = writeln!(out, "  {}", declaration(&named.fields[column.column.as_str()], &column.column, value_type.name()));
        }
    }
    let times: Vec<_> = readable.iter().filter(|(_, value_type)| is_time(*value_type)).collect();
    if !times.is_empty() {
        out.push_str("time:\n");
        for (column, value_type) in times {
            let dimension = &named.fields[column.column.as_str()];
            let place = if *dimension == column.column { String::new() } else { format!(", column: {}", scalar(&column.column)) };
            let _ = writeln!(out, "  {dimension}: {{type: {}, grain: day{place}}}", value_type.name());
        }
    }
    let mut taken: BTreeSet<String> = named.fields.values().cloned().collect();
    write_relationships(&mut out, named, name, columns, &mut taken);
    write_measures(&mut out, columns, key, &in_reference, &mut taken);
    let unreadable: Vec<_> = columns.iter().filter(|column| column.value_type.is_none()).collect();
    for column in unreadable {
        let _ = writeln!(out, "# left out: {} ({})", column.column, column.type_name);
    }
    out
}

fn declaration(dimension: &str, column: &str, value_type: &str) -> String {
    if dimension == column {
        format!("{dimension}: {value_type}")
    } else {
        format!("{dimension}: {{type: {value_type}, column: {}}}", scalar(column))
    }
}

/// A name that is not taken yet, which it is from now on.
fn free(name: String, suffix: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = name;
    while !taken.insert(name.clone()) {
        name.push_str(suffix);
    }
    name
}

/// Foreign keys become many-to-one relationships, named after their column.
fn write_relationships(
    out: &mut String,
    named: &Named<'_>,
    entity: &str,
    columns: &[&CatalogueColumn],
    taken: &mut BTreeSet<String>,
) {
    let mut constraints: Vec<(&str, Vec<(&str, &ColumnReference)>)> = Vec::new();
    for column in columns {
        for reference in &column.references {
            match constraints.iter_mut().find(|(name, _)| *name == reference.constraint) {
                Some((_, parts)) => parts.push((&column.column, reference)),
                None => constraints.push((&reference.constraint, vec![(&column.column, reference)])),
            }
        }
    }
    let mut lines = Vec::new();
    for (_, parts) in &constraints {
        let (first, reference) = parts[0];
        let Some(other) = named.tables.get(&(reference.schema.as_str(), reference.table.as_str())) else {
            continue;
        };
        // The other side's key columns in their order, each with ours that refers to it.
        let own: Option<Vec<&str>> = key_columns(other)
            .iter()
            .map(|key| parts.iter().find(|(_, reference)| reference.column == *key).map(|(column, _)| *column))
            .collect();
        let Some(own) = own.filter(|own| !own.is_empty() && own.len() == parts.len()) else {
            continue;
        };
        let to = named.entities[&(reference.schema.as_str(), reference.table.as_str())].clone();
        let base = if own.len() == 1 { field_name(entity, first.strip_suffix("_id").unwrap_or(first)) } else { to.clone() };
        let name = free(base, "_ref", taken);
        let key = if let [only] = own.as_slice() {
            scalar(only)
        } else {
            format!("[{}]", own.iter().map(|column| scalar(column)).collect::<Vec<_>>().join(", "))
        };
        lines.push(format!("  {name}: {{to: {to}, key: {key}}}"));
    }
    if !lines.is_empty() {
        let _ = writeln!(out, "relationships:\n{}", lines.join("\n"));
    }
}

/// Last words of columns that must not be added up.
const RATES: [&str; 7] = ["pct", "percent", "rate", "ratio", "share", "weight", "price"];

/// A count of rows, and a sum of every decimal column that can be added up.
fn write_measures(
    out: &mut String,
    columns: &[&CatalogueColumn],
    key: &[&str],
    in_reference: &dyn Fn(&str) -> bool,
    taken: &mut BTreeSet<String>,
) {
    let rows = free("row_count".to_owned(), "_all", taken);
    let _ = writeln!(out, "# sums of money need their unit to be converted: `unit: currency`, or `unit: currency/month`");
    let _ = writeln!(out, "measures:\n  {rows}: {{count: rows}}");
    for column in columns {
        let is_amount = column.value_type == Some(ValueType::Decimal);
        // An expression names columns as plain words only.
        let is_word = identifier(&column.column) == column.column;
        let is_rate = column.column.rsplit('_').next().is_some_and(|last| RATES.contains(&last));
        if is_amount && is_word && !is_rate && !key.contains(&column.column.as_str()) && !in_reference(&column.column) {
            let name = free(format!("total_{}", column.column), "_sum", taken);
            let _ = writeln!(out, "  {name}: {{sum: {}}}", column.column);
        }
    }
}

/// A name of the language: lower case words with underscores.
fn identifier(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before_is_small = false;
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            if letter.is_ascii_uppercase() && before_is_small {
                out.push('_');
            }
            before_is_small = !letter.is_ascii_uppercase();
            out.push(letter.to_ascii_lowercase());
        } else if !out.ends_with('_') && !out.is_empty() {
            before_is_small = false;
            out.push('_');
        }
    }
    let out = out.trim_end_matches('_');
    match out.chars().next() {
        None => "x".to_owned(),
        Some(first) if first.is_ascii_alphabetic() => out.to_owned(),
        Some(_) => format!("x_{out}"),
    }
}

/// A YAML scalar that is text whatever it looks like.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        && !matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(table: &str, name: &str, value_type: ValueType, key: Option<u16>) -> CatalogueColumn {
        CatalogueColumn {
            schema: "crm".into(),
            table: table.into(),
            column: name.into(),
            type_name: value_type.name().into(),
            value_type: Some(value_type),
            nullable: false,
            key_position: key,
            references: Vec::new(),
        }
    }

    fn catalogue() -> Vec<CatalogueColumn> {
        let mut account_of = column("contract", "account_id", ValueType::Int, None);
        account_of.references.push(ColumnReference {
            constraint: "fk".into(),
            schema: "crm".into(),
            table: "account".into(),
            column: "id".into(),
        });
        vec![
            column("account", "id", ValueType::Int, Some(1)),
            column("account", "Name", ValueType::Text, None),
            column("contract", "id", ValueType::Int, Some(1)),
            account_of,
            column("contract", "amount", ValueType::Decimal, None),
            column("contract", "signed_on", ValueType::Date, None),
            column("log", "line", ValueType::Text, None),
        ]
    }

    #[test]
    fn starter_files_are_accepted_by_check() {
        let starter = make("My Warehouse", &catalogue());
        assert_eq!(starter.left_out.len(), 1, "{:?}", starter.left_out);
        let sources = holdfast_schema::source::SourceMap::new(starter.files);
        let (model, diagnostics) = holdfast_schema::load(sources.clone());
        assert!(!diagnostics.has_errors(), "{}", holdfast_schema::diagnostic::render::human(&sources, &diagnostics, false));
        let model = model.expect("a model");
        let contract = model.entity(model.entity_named("contract").expect("an entity per table"));
        assert!(contract.relationship_named("account").is_some());
        let mut fit = holdfast_schema::diagnostic::Diagnostics::default();
        crate::catalogue::fit::check(&model, &catalogue(), &mut fit);
        assert!(fit.is_empty(), "{fit:?}");
    }

    #[test]
    fn tables_and_columns_give_way_to_names_of_the_api() {
        for table in ["subscription", "date", "signal", "page_info"] {
            let columns = [column(table, "id", ValueType::Int, Some(1)), column(table, "metrics", ValueType::Text, None)];
            let starter = make("p", &columns);
            assert_eq!(starter.files[1].0, format!("entities/crm_{table}.yaml"));
            let (_, diagnostics) = holdfast_schema::load(holdfast_schema::source::SourceMap::new(starter.files));
            assert!(!diagnostics.has_errors(), "{table}: {:?}", diagnostics.sorted());
        }
    }

    #[test]
    fn names_that_would_be_one_are_told_apart() {
        let text = |name: &str, key| column("contact", name, ValueType::Text, key);
        let cases: [&[CatalogueColumn]; 4] = [
            &[text("id", Some(1)), text("contact_id", None)],
            &[text("key", Some(1)), text("id", None), text("id_", None), text("Id", None), text("€", None), text("$", None)],
            &[text("key", Some(1)), text("cost_1", None), text("cost1", None), text("row_count", None)],
            &[column("Order", "key", ValueType::Text, Some(1)), column("order", "key", ValueType::Text, Some(1))],
        ];
        for columns in cases {
            let files = make("p", columns).files;
            let sources = holdfast_schema::source::SourceMap::new(files.clone());
            let (model, diagnostics) = holdfast_schema::load(sources.clone());
            let told = holdfast_schema::diagnostic::render::human(&sources, &diagnostics, false);
            let model = model.unwrap_or_else(|| panic!("{told}\n{files:?}"));
            let mut fit = holdfast_schema::diagnostic::Diagnostics::default();
            crate::catalogue::fit::check(&model, columns, &mut fit);
            assert!(fit.is_empty(), "{fit:?}");
        }
    }

    #[test]
    fn columns_that_only_measures_use_are_compared_too() {
        let sources = holdfast_schema::source::SourceMap::new(make("p", &catalogue()).files);
        let model = holdfast_schema::load(sources.clone()).0.expect("a model");
        let mut changed = catalogue();
        changed[4].value_type = Some(ValueType::Text);
        changed[4].type_name = "text".into();
        let mut found = holdfast_schema::diagnostic::Diagnostics::default();
        crate::catalogue::fit::check(&model, &changed, &mut found);
        let told = holdfast_schema::diagnostic::render::human(&sources, &found, false);
        assert!(told.contains("`total_amount` adds up `amount` of `contract`, which is no number: its type is `text`"), "{told}");
    }

    #[test]
    fn what_the_warehouse_does_not_have_is_said_with_the_nearest_name() {
        let sources = holdfast_schema::source::SourceMap::new(make("p", &catalogue()).files);
        let model = holdfast_schema::load(sources).0.expect("a model");
        let mut changed = catalogue();
        changed[1].column = "title".into();
        changed[4].column = "amounts".into();
        changed[5].value_type = Some(ValueType::Text);
        let mut found = holdfast_schema::diagnostic::Diagnostics::default();
        crate::catalogue::fit::check(&model, &changed, &mut found);
        let codes: Vec<_> = found.sorted().iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.contains(&"W002") && codes.contains(&"W003"), "{codes:?}");
        assert!(found.sorted().iter().any(|diagnostic| diagnostic.help.iter().any(|help| help.contains("`amounts`"))), "{found:?}");
        let mut missing = holdfast_schema::diagnostic::Diagnostics::default();
        crate::catalogue::fit::check(&model, &[], &mut missing);
        assert!(missing.sorted().iter().all(|diagnostic| diagnostic.code == "W001"));
    }

    #[test]
    fn names_become_words_of_the_language() {
        for (from, to) in [("AccountId", "account_id"), ("2nd", "x_2nd"), ("a b-c", "a_b_c"), ("HTTPCode", "httpcode")] {
            assert_eq!(identifier(from), to);
        }
        assert_eq!([scalar("no"), scalar("a b"), scalar("crm.account")], ["\"no\"", "\"a b\"", "crm.account"]);
    }
}
