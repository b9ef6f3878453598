//! The demo's first accounts, made worse, and what is left of them when those that somebody may not see are taken out.
//!
//! In the demo everything that belongs to an account names that account only. Here rows name an account that may be seen and one that
//! may not at the same time, and accounts have been where they are not today.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_schema::value::Value;
use holdfast_server::demo;
use holdfast_warehouse::table::Table;
use jiff::civil::{Date, date};

/// The day on which somebody asks.
const TODAY: Date = date(2026, 1, 15);

/// What the caller may see.
pub(super) const REGIONS: [&str; 2] = ["emea", "latam"];
pub(super) const SEGMENTS: [&str; 2] = ["smb", "enterprise"];

/// Accounts that may be seen, and ones that may not.
pub(super) const SEEN: [&str; 2] = ["A0020", "A0033"];
pub(super) const UNSEEN: [&str; 2] = ["A0005", "A0018"];

/// Tables that belong to no account.
const EVERYBODYS: [&str; 12] = [
    "calendar",
    "fx_rate",
    "segment_definition",
    "geography",
    "product_line",
    "product",
    "plan_tier",
    "feature",
    "use_case",
    "team_member",
    "peer_group",
    "playbook",
];

/// Tables whose rows belong to the account of what they name, and the column that names it.
const THROUGH: [(&str, &[(&str, &str)]); 6] = [
    ("growth_tier", &[("component_id", "value_component")]),
    ("component_allocation", &[("component_id", "value_component"), ("org_unit_id", "org_unit")]),
    ("renewal_surface_component", &[("component_id", "value_component"), ("surface_id", "renewal_surface")]),
    ("milestone_progress", &[("milestone_id", "milestone")]),
    ("plan_target", &[("plan_id", "account_plan")]),
    ("plan_risk", &[("plan_id", "account_plan")]),
];

/// A table as rows.
struct Sheet {
    empty: Table,
    /// Whether rows of two accounts that become one account's could have the same key.
    is_keyed_by_account: bool,
    rows: Vec<Vec<Value>>,
}

impl Sheet {
    fn of(table: &Table) -> Self {
        let columns: Vec<_> = table.columns.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
        let row = |number| table.values().iter().map(|column| column.get(number).to_value()).collect();
        Self {
            empty: Table::new(table.schema.as_deref(), &table.name, &columns),
            is_keyed_by_account: table.primary_key.iter().any(|column| column == "account_id"),
            rows: (0..table.row_count()).map(row).collect(),
        }
    }

    fn table(self) -> Table {
        let mut table = self.empty;
        self.rows.iter().for_each(|row| table.push(row));
        table
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.empty.columns.iter().position(|column| column.name == name)
    }

    fn at(&self, name: &str) -> usize {
        self.column(name).unwrap_or_else(|| panic!("{} has no `{name}`", self.empty.name))
    }

    /// Sets a column of the versions of an account whose end is as told.
    fn set(&mut self, account: &str, name: &str, to: &Value, ends: impl Fn(&Value) -> bool) {
        let (id, end, place) = (self.at("account_id"), self.at("valid_to"), self.at(name));
        self.rows.iter_mut().filter(|row| row[id] == text(account) && ends(&row[end])).for_each(|row| row[place] = to.clone());
    }

    /// Adds to each version of an account what was recorded about it before, which was something else.
    fn believe_before(&mut self, account: &str, name: &str, value: &Value) {
        let (id, recorded, place) = (self.at("account_id"), self.at("recorded_at"), self.at(name));
        let mut before: Vec<Vec<Value>> = self.rows.iter().filter(|row| row[id] == text(account)).cloned().collect();
        for row in &mut before {
            row[place] = value.clone();
            row[recorded] = Value::Timestamp("2023-01-01T00:00:00Z".parse().expect("an instant"));
        }
        self.rows.extend(before);
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

type Sheets = BTreeMap<String, Sheet>;

/// The portfolio with everybody's rows.
pub(super) fn whole() -> Vec<Table> {
    let mut sheets: Sheets = demo::portfolio().iter().map(|table| (table.name.clone(), Sheet::of(table))).collect();
    let some: BTreeSet<Value> = (1..=40).map(|number| text(&format!("A{number:04}"))).collect();
    keep(&mut sheets, &some);
    make_worse(&mut sheets);
    sheets.into_values().map(Sheet::table).collect()
}

/// The portfolio of a warehouse that never knew the accounts that the caller may not see.
pub(super) fn smaller(whole: &[Table]) -> Vec<Table> {
    let mut sheets: Sheets = whole.iter().map(|table| (table.name.clone(), Sheet::of(table))).collect();
    let visible = visible(&sheets["account"]);
    for id in SEEN {
        assert!(visible.contains(&text(id)), "{id} may be seen");
    }
    for id in UNSEEN {
        assert!(!visible.contains(&text(id)), "{id} may not be seen");
    }
    keep(&mut sheets, &visible);
    sheets.into_values().map(Sheet::table).collect()
}

/// The accounts that fulfil the policy today, by what is known now.
fn visible(accounts: &Sheet) -> BTreeSet<Value> {
    let is_one_of = |value: &Value, words: &[&str]| words.iter().any(|word| *value == text(word));
    let (region, segment) = (accounts.at("region"), accounts.at("segment"));
    let current = current(accounts, "account_id").into_iter();
    current
        .filter(|(_, row)| is_one_of(&row[region], &REGIONS) && is_one_of(&row[segment], &SEGMENTS))
        .map(|(id, _)| id.clone())
        .collect()
}

/// The version of today by key, as it was recorded last. Without versions, the rows by key.
fn current<'a>(sheet: &'a Sheet, key: &str) -> BTreeMap<&'a Value, &'a Vec<Value>> {
    let key = sheet.at(key);
    let recorded = sheet.column("recorded_at");
    let versions = sheet.column("valid_from").zip(sheet.column("valid_to"));
    let mut newest: BTreeMap<(&Value, Option<&Value>), &Vec<Value>> = BTreeMap::new();
    for row in &sheet.rows {
        let kept = newest.entry((&row[key], versions.map(|(from, _)| &row[from]))).or_insert(row);
        if recorded.is_some_and(|recorded| row[recorded] > kept[recorded]) {
            *kept = row;
        }
    }
    let holds = |row: &Vec<Value>| {
        versions.is_none_or(|(from, to)| {
            let (today, to) = (Value::Date(TODAY), &row[to]);
            row[from] <= today && (*to == Value::Null || *to > today)
        })
    };
    newest.into_iter().filter(|(_, row)| holds(row)).map(|((key, _), row)| (key, row)).collect()
}

/// Takes out every row that does not belong to one of the accounts.
fn keep(sheets: &mut Sheets, accounts: &BTreeSet<Value>) {
    for sheet in sheets.values_mut() {
        match sheet.column("account_id") {
            Some(account) => sheet.rows.retain(|row| accounts.contains(&row[account])),
            None => {
                let name = sheet.empty.name.as_str();
                assert!(
                    EVERYBODYS.contains(&name) || THROUGH.iter().any(|(table, _)| *table == name),
                    "whom does `{name}` belong to?"
                );
            }
        }
    }
    for (table, names) in THROUGH {
        for (column, other) in names {
            let known: BTreeSet<Value> = current(&sheets[*other], column).into_keys().cloned().collect();
            let sheet = sheets.get_mut(table).expect("the demo has the table");
            let column = sheet.at(column);
            sheet.rows.retain(|row| known.contains(&row[column]));
        }
    }
}

/// Mixes accounts up: rows that name both kinds, a past in which an account was visible or was not, and what was believed for a while.
fn make_worse(sheets: &mut Sheets) {
    for sheet in sheets.values_mut().filter(|sheet| !sheet.is_keyed_by_account) {
        let Some(account) = sheet.column("account_id") else { continue };
        for (seen, unseen) in SEEN.into_iter().zip(UNSEEN) {
            let (seen, unseen) = (text(seen), text(unseen));
            for (number, row) in sheet.rows.iter_mut().enumerate() {
                match number % 5 {
                    1 if row[account] == seen => row[account] = unseen.clone(),
                    3 if row[account] == unseen => row[account] = seen.clone(),
                    4 if row[account] == seen && number % 20 == 4 => row[account] = Value::Null,
                    _ => {}
                }
            }
        }
    }
    // The fact that is made of these names the account of the surface only, so the component must not name another one.
    let of_component = whose(&sheets["value_component"], "component_id");
    let of_surface = whose(&sheets["renewal_surface"], "surface_id");
    let parts = sheets.get_mut("renewal_surface_component").expect("the demo has surfaces");
    let (component, surface) = (parts.at("component_id"), parts.at("surface_id"));
    parts.rows.retain(|row| of_component.get(&row[component]) == of_surface.get(&row[surface]));
    let accounts = sheets.get_mut("account").expect("the demo has accounts");
    let [seen, other_seen] = SEEN;
    let [unseen, other_unseen] = UNSEEN;
    for (child, parent) in [(seen, unseen), (other_seen, seen), (unseen, other_seen), (other_unseen, unseen)] {
        accounts.set(child, "parent_account_id", &text(parent), |_| true);
    }
    let is_past = |to: &Value| *to != Value::Null;
    accounts.set(seen, "region", &text("apac"), is_past);
    accounts.set(unseen, "segment", &text("smb"), is_past);
    accounts.set(other_unseen, "segment", &text("smb"), is_past);
    accounts.believe_before(other_seen, "region", &text("apac"));
    accounts.believe_before(other_unseen, "region", &text("emea"));
}

/// The account that the row of today names, by key.
fn whose(sheet: &Sheet, key: &str) -> BTreeMap<Value, Value> {
    let account = sheet.at("account_id");
    current(sheet, key).into_iter().map(|(key, row)| (key.clone(), row[account].clone())).collect()
}
