//! What must hold in the demo's rows whatever is changed in how they are made.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::Path,
    sync::LazyLock,
};

use holdfast_resolvers::{Api, Settings};
use holdfast_schema::{
    definition,
    diagnostic::{Diagnostics, render},
    model::entity::{RowValue, Source},
    source::SourceMap,
    value::{CellRef, Value},
};
use holdfast_warehouse::table::Table;
use rust_decimal::Decimal;

use super::*;

static PORTFOLIO: LazyLock<Vec<Table>> = LazyLock::new(portfolio);

fn definitions() -> SourceMap {
    fn walk(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                walk(&path, root, files);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path).expect("it can be read")));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../metrics-defs");
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    SourceMap::new(files)
}

fn named<'a>(tables: &'a [Table], name: &str) -> &'a Table {
    tables.iter().find(|table| table.name == name).expect("the table is in the layout")
}

fn place(table: &Table, column: &str) -> usize {
    table.columns.iter().position(|candidate| candidate.name == column).unwrap_or_else(|| panic!("{}.{column}", table.name))
}

fn cell<'a>(table: &'a Table, row: usize, column: &str) -> CellRef<'a> {
    table.values()[place(table, column)].get(row)
}

fn number(table: &Table, row: usize, column: &str) -> Decimal {
    match cell(table, row, column) {
        CellRef::Decimal(text) => text.parse().expect("decimals are canonical"),
        CellRef::Null => Decimal::ZERO,
        other => panic!("{}.{column} is {other:?}", table.name),
    }
}

fn words(table: &Table, row: usize, columns: &[&str]) -> Vec<Value> {
    columns.iter().map(|column| cell(table, row, column).to_value()).collect()
}

#[test]
fn shipped_definitions_load_without_diagnostics() {
    let sources = definitions();
    let (model, diagnostics) = holdfast_schema::load(sources.clone());
    assert!(diagnostics.is_empty(), "{}", render::human(&sources, &diagnostics, false));
    let model = model.expect("there is no diagnostic");
    if let Err(diagnostics) = Api::new(model, Settings::default()) {
        panic!("{}", render::human(&sources, &diagnostics, false));
    }
}

#[test]
fn definitions_speak_of_columns_that_exist() {
    let (model, _) = holdfast_schema::load(definitions());
    let model = model.expect("the shipped definitions are right");
    let tables = layout();
    for entity in &model.entities {
        let Source::Table { table, .. } = &entity.source else { continue };
        let table = named(&tables, table);
        let mut columns = Vec::new();
        entity.dimensions.iter().for_each(|dimension| dimension.expr.visit_refs(&mut |column| columns.push(column)));
        for expr in entity.measures.iter().flat_map(|measure| [Some(&measure.expr), measure.filter.as_ref()]).flatten() {
            expr.visit_refs(&mut |value| match value {
                RowValue::Column(column) => columns.push(column),
                RowValue::AsOf | RowValue::Today => {}
            });
        }
        columns.extend(entity.relationships.iter().flat_map(|relationship| &relationship.own));
        columns.extend(
            entity
                .validity
                .iter()
                .flat_map(|validity| [&validity.from, &validity.to])
                .chain(entity.recorded.as_ref().map(|recorded| &recorded.column)),
        );
        columns.extend(&entity.freshness.refresh);
        for column in columns {
            place(table, column.as_str());
        }
    }
}

#[test]
fn every_fixture_fits_the_tables() {
    let sources = definitions();
    let parsed = definition::parse(&sources, &mut Diagnostics::default());
    for (name, rows) in &parsed.fixtures {
        if let Err(error) = fixture(rows) {
            panic!("{}: {error} at {:?}", name.value, sources.position(error.span));
        }
    }
}

#[test]
fn the_same_rows_every_time() {
    assert!(*PORTFOLIO == portfolio());
}

#[test]
fn no_table_is_empty_and_no_key_occurs_twice() {
    for table in PORTFOLIO.iter() {
        assert!(table.row_count() > 0, "{}", table.name);
        let key: Vec<&str> = table.primary_key.iter().map(String::as_str).collect();
        let mut seen = HashSet::new();
        for row in 0..table.row_count() {
            let values = words(table, row, &key);
            assert!(!values.contains(&Value::Null), "{} {values:?}", table.name);
            assert!(seen.insert(values.clone()), "{} {values:?}", table.name);
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    for tables in [&*PORTFOLIO, &golden()] {
        let mut references: Vec<(&Table, Vec<&str>, &Table, Vec<&str>)> = Vec::new();
        for table in tables {
            for key in &table.foreign_keys {
                let own = key.columns.iter().map(String::as_str).collect();
                let other = key.other_columns.iter().map(String::as_str).collect();
                references.push((table, own, named(tables, &key.table), other));
            }
            // Tables with versions have no foreign keys: their key alone does not identify a row.
            for (column, target) in [
                ("account_id", "account"),
                ("parent_account_id", "account"),
                ("component_id", "value_component"),
                ("stakeholder_id", "stakeholder"),
                ("customer_owner_id", "stakeholder"),
                ("plan_id", "account_plan"),
                ("renews_contract_id", "contract"),
                ("amends_contract_id", "contract"),
            ] {
                if table.columns.iter().any(|candidate| candidate.name == column) {
                    let key = named(tables, target).primary_key[0].as_str();
                    references.push((table, vec![column], named(tables, target), vec![key]));
                }
            }
        }
        for (table, own, other, key) in references {
            let known: HashSet<Vec<Value>> = (0..other.row_count()).map(|row| words(other, row, &key)).collect();
            for row in 0..table.row_count() {
                let values = words(table, row, &own);
                assert!(values.contains(&Value::Null) || known.contains(&values), "{} {own:?} {values:?}", table.name);
            }
        }
    }
}

#[test]
fn versions_of_a_thing_follow_each_other_without_gap_or_overlap() {
    let tables = &*PORTFOLIO;
    for name in ["account", "value_component", "stakeholder", "integration", "account_plan", "use_case_adoption"] {
        let table = named(tables, name);
        let thing: Vec<&str> = table.primary_key.iter().map(String::as_str).filter(|column| *column != "valid_from").collect();
        let mut last: HashMap<Vec<Value>, Value> = HashMap::new();
        for row in 0..table.row_count() {
            let key = words(table, row, &thing);
            let from = cell(table, row, "valid_from").to_value();
            if let Some(before) = last.insert(key.clone(), cell(table, row, "valid_to").to_value()) {
                assert_eq!(before, from, "{name} {key:?}");
            }
        }
        assert!(last.values().all(|to| *to == Value::Null), "{name}: the last version holds until further notice");
    }
}

#[test]
fn balances_agree_with_each_other() {
    let tables = &*PORTFOLIO;
    let values = named(tables, "component_value_month");
    let mut accounts: BTreeMap<(String, Value), Decimal> = BTreeMap::new();
    for row in 0..values.row_count() {
        let mrr = number(values, row, "mrr");
        assert!(mrr >= Decimal::ZERO && mrr <= number(values, row, "list_mrr"));
        let CellRef::Text(account) = cell(values, row, "account_id") else { panic!("every row has an account") };
        *accounts.entry((account.to_owned(), cell(values, row, "month").to_value())).or_default() += mrr;
    }
    let account = named(tables, "account");
    for row in 0..account.row_count() {
        let CellRef::Text(id) = cell(account, row, "account_id") else { panic!("every row has an account") };
        let active = cell(account, row, "customer_status") == CellRef::Text("active");
        let (from, to) = (cell(account, row, "valid_from").to_value(), cell(account, row, "valid_to").to_value());
        for ((_, month), mrr) in accounts.range((id.to_owned(), from)..).take_while(|((other, _), _)| other == id) {
            if to == Value::Null || *month < to {
                assert_eq!(*mrr > Decimal::ZERO, active, "{id} {month:?}");
            }
        }
    }
}

#[test]
fn shares_add_up_to_one() {
    let tables = &*PORTFOLIO;
    for (name, key, share) in
        [("component_allocation", "component_id", "share"), ("renewal_surface_component", "surface_id", "value_share")]
    {
        let table = named(tables, name);
        let mut sums: HashMap<Value, Decimal> = HashMap::new();
        for row in 0..table.row_count() {
            *sums.entry(cell(table, row, key).to_value()).or_default() += number(table, row, share);
        }
        assert!(sums.values().all(|sum| *sum == Decimal::ONE), "{name}");
    }
}

#[test]
fn days_add_up_to_their_month() {
    let tables = &*PORTFOLIO;
    let (days, months) = (named(tables, "usage_day"), named(tables, "component_value_month"));
    let mut sums: HashMap<(Value, i16, i8), Decimal> = HashMap::new();
    for row in 0..days.row_count() {
        let CellRef::Date(day) = cell(days, row, "day") else { panic!("every row has a day") };
        *sums.entry((cell(days, row, "component_id").to_value(), day.year(), day.month())).or_default() +=
            number(days, row, "quantity");
    }
    assert!(!sums.is_empty());
    for row in 0..months.row_count() {
        let CellRef::Date(month) = cell(months, row, "month") else { panic!("every row has a month") };
        let key = (cell(months, row, "component_id").to_value(), month.year(), month.month());
        if let Some(sum) = sums.get(&key) {
            assert_eq!(*sum, number(months, row, "consumed_qty"));
        }
    }
}

#[test]
fn believable_losses_and_gains_occur() {
    let tables = &*PORTFOLIO;
    let seen = |table: &str, column: &str| -> HashSet<String> {
        let table = named(tables, table);
        (0..table.row_count())
            .filter_map(|row| match cell(table, row, column) {
                CellRef::Text(text) => Some(text.to_owned()),
                _ => None,
            })
            .collect()
    };
    let expect = |table: &str, column: &str, values: &[&str]| {
        let found = seen(table, column);
        for value in values {
            assert!(found.contains(*value), "{table}.{column} never is {value}");
        }
    };
    expect("account", "segment", &["enterprise", "mid_market", "smb"]);
    expect("account", "customer_status", &["active", "churned"]);
    expect("account", "billing_currency", &["USD", "EUR", "GBP", "SGD"]);
    let sources =
        ["seat_reduction", "tier_downgrade", "feature_removal", "volume_decrease", "seat_add", "tier_upgrade", "feature_add"];
    expect("component_value_month", "source_type", &sources);
    expect("value_component", "underutilization_cause", &["contract_mismatch", "limited_scope", "low_awareness"]);
    expect("renewal_surface", "kind", &["co_term", "staggered", "optional_module", "true_up"]);
    expect("renewal_event", "outcome", &["open", "full", "expanded", "reduced", "lost", "delayed"]);
    expect("signal_event", "type", &["sponsor_left", "sponsor_changed", "cost_optimization_enquiry"]);
    expect("contract", "order_type", &["new", "amendment", "renewal"]);
}

#[test]
fn the_golden_warehouse_and_its_fixture_hold_the_same_balances() {
    let sources = definitions();
    let parsed = definition::parse(&sources, &mut Diagnostics::default());
    let (_, written) = parsed.fixtures.iter().find(|(name, _)| name.value == "g01").expect("the fixture is shipped");
    let written = fixture(written).expect("it fits");
    let balances = |tables: &[Table]| -> Vec<Vec<Value>> {
        let table = named(tables, "component_value_month");
        let columns = ["component_id", "month", "account_id", "mrr", "source_type"];
        (0..table.row_count()).map(|row| words(table, row, &columns)).collect()
    };
    assert_eq!(balances(&written), balances(&golden()));
}
