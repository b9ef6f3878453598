//! A small warehouse whose answers are known to the last digit: 127 accounts at four month ends, in the demo's tables.

use holdfast_schema::value::Value;
use holdfast_warehouse::table::Table;
use jiff::civil::{Date, date};

use super::{
    cell::{day, days_after, flag, int, recorded, text},
    portfolio::Rows,
};

const BALANCES: &str = include_str!("../../../tests/fixtures/g01_account_month.csv");
const BEGINNING: Date = date(2024, 1, 1);
const JANUARY: Date = date(2025, 1, 31);

/// The golden warehouse.
pub fn golden() -> Vec<Table> {
    let mut rows = Rows::new();
    rows.push("product_line", &[text("L-GOLDEN"), text("Golden")]);
    rows.push("product", &[text("P-GOLDEN"), text("L-GOLDEN"), text("Golden")]);
    let mut before: Option<Balance> = None;
    for balance in BALANCES.lines().skip(1).map(Balance::read) {
        let same = before.as_ref().filter(|before| before.account == balance.account);
        if same.is_none() {
            write_account(&balance, &mut rows);
        }
        // A component that has ended has no further rows after the one that says so.
        if balance.mrr > 0 || same.is_some_and(|before| before.mrr > 0) {
            write_balance(&balance, same.map_or(balance.mrr, |before| before.mrr), &mut rows);
        }
        before = Some(balance);
    }
    rows.into_tables()
}

/// The day after its last month.
pub fn golden_end() -> Date {
    let last = BALANCES.lines().skip(1).map(|line| Balance::read(line).month).max().expect("the file has lines");
    days_after(last, 1)
}

/// One line of the file.
struct Balance {
    account: &'static str,
    segment: &'static str,
    month: Date,
    mrr: i64,
    january_change: &'static str,
}

impl Balance {
    fn read(line: &'static str) -> Self {
        let fields: Vec<&str> = line.split(',').collect();
        let [account, segment, month, mrr, january_change] = fields[..] else { panic!("five fields in `{line}`") };
        Self {
            account,
            segment,
            month: month.parse().expect("the file's dates are written year-month-day"),
            mrr: mrr.parse().expect("the file's balances are whole numbers"),
            january_change,
        }
    }
}

fn write_account(balance: &Balance, rows: &mut Rows) {
    let id = balance.account;
    let (industry, region, country) = ("software", "north_america", "US");
    rows.push(
        "account",
        &[
            text(id),
            day(BEGINNING),
            Value::Null,
            recorded(BEGINNING),
            text(format!("Account {id}")),
            Value::Null,
            text(balance.segment),
            text(industry),
            text(region),
            text(country),
            text(if balance.segment == "smb" { "up_to_200" } else { "up_to_5000" }),
            text("later"),
            text("value"),
            text("active"),
            text("Ines Marchetti"),
            text("POD-1"),
            text("USD"),
            flag(false),
            day(BEGINNING),
        ],
    );
    let contract = format!("K-{id}");
    rows.push(
        "contract",
        &[
            text(&*contract),
            text(id),
            text(format!("HF-{id}")),
            Value::Null,
            Value::Null,
            Value::Null,
            text("new"),
            text("active"),
            day(BEGINNING),
            day(BEGINNING),
            day(date(2026, 1, 1)),
            int(24),
            flag(true),
            int(60),
            Value::Null,
            text("annual"),
            Value::Null,
            text("USD"),
            int(balance.mrr * 24),
            recorded(BEGINNING),
        ],
    );
    let mut component = vec![Value::Null; 39];
    let known = [
        (0, text(format!("C-{id}"))),
        (1, day(BEGINNING)),
        (3, recorded(BEGINNING)),
        (4, text(contract)),
        (5, text(id)),
        (6, text("P-GOLDEN")),
        (11, text("Subscription")),
        (12, text("fixed")),
        (13, text("contracted_fixed")),
        (14, text("flat")),
        (15, text("flat")),
        (16, text("none")),
        (29, flag(false)),
        (34, day(BEGINNING)),
    ];
    for (place, value) in known {
        component[place] = value;
    }
    rows.push("value_component", &component);
}

fn write_balance(balance: &Balance, before: i64, rows: &mut Rows) {
    let source = match balance.january_change {
        _ if balance.mrr == before => Value::Null,
        _ if balance.month != JANUARY => text("other"),
        "expansion" => text("volume_increase"),
        "churn" => text("other"),
        contraction => text(contraction),
    };
    rows.push(
        "component_value_month",
        &[
            text(format!("C-{}", balance.account)),
            day(balance.month),
            text(balance.account),
            int(balance.mrr),
            int(balance.mrr),
            int(balance.mrr),
            Value::Null,
            int(balance.mrr),
            Value::Null,
            Value::Null,
            Value::Null,
            source,
            Value::Null,
            flag(false),
            flag(true),
            text("USD"),
            int(balance.mrr),
            int(1),
            recorded(balance.month),
        ],
    );
}
