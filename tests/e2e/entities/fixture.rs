//! Forty accounts with contracts, components, responsibilities and prices; nulls in every column that may hold them.

use holdfast_schema::{source::SourceMap, value::Value};
use holdfast_warehouse::table::{ColumnType, Table};
use jiff::{Timestamp, civil::date};

use super::text;

const DEFINITIONS: &str = "
project: small
version: 1
---
entity: account
source: crm.account
key: account_id
dimensions:
  name: string
  region: {values: [emea, apac]}
  tier: int
  renews_on: date
relationships:
  parent: {to: account, key: parent_id}
  subsidiaries: {to: account, many: true, key: parent_id}
  contracts: {to: contract, many: true, key: account_id}
---
entity: contract
source: crm.contract
key: contract_id
dimensions:
  value: decimal
  signed_at: timestamp
relationships:
  account: {to: account, key: account_id}
  components: {to: component, many: true, key: contract_id}
---
entity: component
source: crm.component
key: [contract_id, line]
dimensions:
  line: int
  name: string
relationships:
  contract: {to: contract, key: contract_id}
  stakeholders:
    to: stakeholder
    through: {entity: responsibility, key: [contract_id, line], other_key: stakeholder_id}
---
entity: stakeholder
source: crm.stakeholder
key: stakeholder_id
dimensions:
  name: string
relationships:
  components:
    to: component
    through: {entity: responsibility, key: stakeholder_id, other_key: [contract_id, line]}
---
entity: responsibility
source: crm.responsibility
key: [stakeholder_id, contract_id, line, role]
dimensions:
  line: int
---
entity: price
source: crm.price
key: price_id
valid: {from: valid_from, to: valid_to, recorded: recorded_at}
dimensions:
  amount: decimal
relationships:
  contract: {to: contract, key: contract_id}
---
policies:
  own_region:
    applies_to: account
    roles: csm
    rows: region in claims.regions
    mask: name
";

pub(crate) fn definitions() -> SourceMap {
    SourceMap::new([("small.yaml".to_owned(), DEFINITIONS.to_owned())])
}

pub(crate) fn tables() -> Vec<Table> {
    vec![accounts(), contracts(), components(), stakeholders(), responsibilities(), prices()]
}

const ACCOUNTS: i64 = 40;
const CONTRACTS: i64 = 90;

/// A number that looks random and is always the same for the same question.
fn noise(seed: i64, salt: i64) -> i64 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (salt as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 40) as i64
}

fn sometimes(seed: i64, salt: i64, value: Value) -> Value {
    if noise(seed, salt) % 4 == 0 { Value::Null } else { value }
}

fn account(number: i64) -> Value {
    text(format!("a{number:02}"))
}

fn contract(number: i64) -> Value {
    text(format!("c{number:02}"))
}

fn accounts() -> Table {
    let columns = [
        ("account_id", ColumnType::Text),
        ("parent_id", ColumnType::Text),
        ("name", ColumnType::Text),
        ("region", ColumnType::Text),
        ("tier", ColumnType::Int),
        ("renews_on", ColumnType::Date),
    ];
    let mut table = Table::new(Some("crm"), "account", &columns).primary_key(&["account_id"]);
    for number in 0..ACCOUNTS {
        let name = ["Alder", "Birch", "Cedar", "it's \"50%\" _off\\"][(noise(number, 1) % 4) as usize];
        let region = ["emea", "apac"][(noise(number, 2) % 2) as usize];
        let parent = if number < 8 { Value::Null } else { sometimes(number, 3, account(number % 8)) };
        table.push(&[
            account(number),
            parent,
            sometimes(number, 4, text(name)),
            sometimes(number, 5, text(region)),
            sometimes(number, 6, Value::Int(noise(number, 7) % 3)),
            sometimes(number, 8, Value::Date(date(2026, (noise(number, 9) % 3 + 1) as i8, 1))),
        ]);
    }
    table
}

fn contracts() -> Table {
    let columns = [
        ("contract_id", ColumnType::Text),
        ("account_id", ColumnType::Text),
        ("value", ColumnType::Decimal { scale: 2 }),
        ("signed_at", ColumnType::Timestamp),
    ];
    let mut table = Table::new(Some("crm"), "contract", &columns).primary_key(&["contract_id"]);
    for number in 0..CONTRACTS {
        let value = format!("{}.{:02}", noise(number, 10) % 4 * 1000, noise(number, 11) % 2 * 50);
        let signed = Timestamp::from_microsecond(1_767_225_600_123_456 + noise(number, 12) % 5 * 1_000_001).unwrap();
        table.push(&[
            contract(number),
            sometimes(number, 13, account(noise(number, 14) % ACCOUNTS)),
            sometimes(number, 15, Value::Decimal(value)),
            sometimes(number, 16, Value::Timestamp(signed)),
        ]);
    }
    table
}

fn components() -> Table {
    let columns = [("contract_id", ColumnType::Text), ("line", ColumnType::Int), ("name", ColumnType::Text)];
    let mut table = Table::new(Some("crm"), "component", &columns).primary_key(&["contract_id", "line"]);
    for number in 0..CONTRACTS {
        for line in 1..=noise(number, 17) % 4 {
            table.push(&[contract(number), Value::Int(line), sometimes(number + line, 18, text("Seats"))]);
        }
    }
    table
}

fn stakeholders() -> Table {
    let columns = [("stakeholder_id", ColumnType::Text), ("name", ColumnType::Text)];
    let mut table = Table::new(Some("crm"), "stakeholder", &columns).primary_key(&["stakeholder_id"]);
    for number in 0..6 {
        table.push(&[text(format!("s{number}")), sometimes(number, 19, text("Kim"))]);
    }
    table
}

/// Some stakeholders answer for a component in two roles.
fn responsibilities() -> Table {
    let columns = [
        ("stakeholder_id", ColumnType::Text),
        ("contract_id", ColumnType::Text),
        ("line", ColumnType::Int),
        ("role", ColumnType::Text),
    ];
    let mut table = Table::new(Some("crm"), "responsibility", &columns);
    for number in 0..CONTRACTS {
        for line in 1..=noise(number, 17) % 4 {
            for role in ["sponsor", "user"] {
                if noise(number + line, 20) % 2 == 0 || role == "user" {
                    let who = text(format!("s{}", noise(number, 21) % 6));
                    table.push(&[who, contract(number), Value::Int(line), text(role)]);
                }
            }
        }
    }
    table
}

/// Price p1 rises in February; in March it turns out that it had been 110 in January, and that p2 ended in February.
fn prices() -> Table {
    let columns = [
        ("price_id", ColumnType::Text),
        ("contract_id", ColumnType::Text),
        ("amount", ColumnType::Decimal { scale: 2 }),
        ("valid_from", ColumnType::Date),
        ("valid_to", ColumnType::Date),
        ("recorded_at", ColumnType::Timestamp),
    ];
    let mut table = Table::new(Some("crm"), "price", &columns);
    let (january, february) = (Value::Date(date(2026, 1, 1)), Value::Date(date(2026, 2, 1)));
    let recorded = |text: &str| Value::Timestamp(text.parse().unwrap());
    for (price, number, amount, from, to, at) in [
        ("p1", 1, 100, january.clone(), february.clone(), "2026-01-01T00:00:00Z"),
        ("p1", 2, 120, february.clone(), Value::Null, "2026-02-01T00:00:00Z"),
        ("p1", 1, 110, january.clone(), february.clone(), "2026-03-10T00:00:00Z"),
        ("p2", 3, 50, january.clone(), Value::Null, "2026-01-01T00:00:00Z"),
        ("p2", 3, 50, january, february, "2026-03-10T00:00:00Z"),
    ] {
        table.push(&[text(price), contract(number), Value::Int(amount), from, to, recorded(at)]);
    }
    table
}
