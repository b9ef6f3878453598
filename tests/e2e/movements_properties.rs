//! Movements over generated balances: what must hold of every bridge, and equality with a naive computation in memory.

mod reference;

use std::sync::{Arc, LazyLock};

use holdfast_resolvers::Api;
use holdfast_server::engine::Settings;
use holdfast_tests::{
    desk::{Desk, api, definitions, model, without_cache},
    tables::table,
};
use holdfast_warehouse::table::Table;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, prop_oneof},
};

use self::reference::{Bridge, GRAINS, Grain, Period};
use crate::property::property;

/// Generated warehouses per property: a few, because each is loaded into both engines.
const CASES: u32 = 8;

/// Months with balances: November 2024 to June 2025, so that a year ends among them.
const MONTHS: usize = 8;

static API: LazyLock<Arc<Api>> = LazyLock::new(|| api(&model(definitions(include_str!("movements_properties/bridge.yaml")))));

/// What each component was worth, in hundredths, at the end of each month; `None` is no row.
type Balances = Vec<Vec<Option<i64>>>;

/// Components belong to accounts in turn, and to two products.
const ACCOUNTS: usize = 3;

fn account(component: usize) -> usize {
    component % ACCOUNTS
}

fn product(component: usize) -> usize {
    component / ACCOUNTS % 2
}

/// Components change between three teams, each at its own pace.
fn team(component: usize, month: usize) -> usize {
    (component + month / (component % 3 + 1)) % 3
}

/// What the currency of the balances is worth, month by month.
const RATES: [&str; MONTHS] = ["1", "1.1", "1.1", "0.9", "1.25", "1", "1.05", "0.8"];

fn balances(lowest: i64) -> impl Strategy<Value = Balances> {
    let some = prop_oneof![6 => 1_i64..40_000, 2 => Just(10_000_i64), 2 => Just(0_i64), 1 => lowest..=0];
    let cell = prop_oneof![4 => some.prop_map(Some), 1 => Just(None)];
    vec(vec(cell, MONTHS), 1..10)
}

fn tables(balances: &Balances, is_reversed: bool) -> Vec<Table> {
    let mut rows = Vec::new();
    for (component, months) in balances.iter().enumerate() {
        for (month, value) in months.iter().enumerate() {
            if let Some(value) = value {
                let amount = reference::decimal(*value);
                let (day, account, team, rate) =
                    (reference::last_day(month), account(component), team(component, month), RATES[month]);
                rows.push(format!("c{component} {day} a{account} {amount} t{team} {amount} {rate} EUR"));
            }
        }
    }
    if is_reversed {
        rows.reverse();
    }
    let components: Vec<_> = (0..balances.len()).map(|n| format!("c{n} a{} p{}", account(n), product(n))).collect();
    vec![
        table("account", "account_id text, name text", "a0 Acme\na1 Beta\na2 Cora"),
        table("component", "component_id text, account_id text, product text", &components.join("\n")),
        table(
            "balance",
            "component_id text, month date, account_id text, mrr decimal, team text, local decimal, rate decimal, code text",
            &rows.join("\n"),
        ),
        table(
            "stakeholder",
            "stakeholder_id int, account_id text, since date",
            "1 a0 2025-01-05\n2 a0 2025-01-06\n3 a0 2025-02-01\n4 a1 2025-02-01\n5 a1 2025-02-02",
        ),
    ]
}

const FIELDS: &str = "opening newMrr reactivation expansion contraction churn componentAdd componentLoss credit closing change retained base \
                      churnedAccounts nrr grr";

fn document(period: Period, grain: Grain, more: &str) -> String {
    let (by, shown) = match period {
        Period::Range => (String::new(), String::new()),
        Period::Month => ("by: [{time: {grain: MONTH}}],".to_owned(), "period(grain: MONTH) { start }".to_owned()),
        Period::Quarter => ("by: [{time: {grain: QUARTER}}],".to_owned(), "period(grain: QUARTER) { start }".to_owned()),
    };
    format!(
        r#"{{ bridge({by} movementGrain: {}, range: {{between: {{from: "2025-01-01", to: "2025-10-01"}}}}) {{ rows {{ {shown} {FIELDS} {more} }} }} }}"#,
        grain.name()
    )
}

#[test]
fn bridges_equal_a_naive_computation_in_memory() {
    property(CASES, balances(-20_000), async |balances| {
        let desk = Desk::with(&API, &tables(&balances, false), &without_cache()).await;
        let reference = Bridge { balances: &balances };
        for period in [Period::Month, Period::Quarter, Period::Range] {
            for grain in GRAINS {
                let document = document(period, grain, "");
                let rows = desk.ask(&document).await.rows("bridge");
                assert_eq!(rows, reference.rows(period, grain), "SQL (left), reference (right)\n{document}\n{balances:?}");
            }
        }
    });
}

#[test]
fn bridges_close_and_only_gross_amounts_depend_on_the_grain() {
    property(CASES, balances(0), async |balances| {
        let desk = Desk::with(&API, &tables(&balances, false), &without_cache()).await;
        let mut by_grain = Vec::new();
        for grain in GRAINS {
            let rows = desk.ask(&document(Period::Month, grain, "")).await.rows("bridge");
            by_grain.push(rows.into_iter().map(|row| Row::read(&row)).collect::<Vec<_>>());
        }
        for rows in &by_grain {
            for row in rows {
                let gains = row.new + row.reactivation + row.expansion + row.component_add;
                let losses = row.contraction + row.churn + row.component_loss;
                assert_eq!(row.opening + gains - losses + row.credit, row.closing, "the bridge closes: {row:?}");
                assert_eq!(row.change, row.closing - row.opening);
                assert!(
                    row.retained <= row.base && row.retained <= row.base + row.expansion + row.component_add - losses,
                    "{row:?}"
                );
            }
        }
        let [account, product, component] = by_grain.try_into().expect("three grains");
        for ((account, product), component) in account.iter().zip(&product).zip(&component) {
            assert_eq!((account.change, account.closing), (product.change, product.closing));
            assert_eq!((account.change, account.closing), (component.change, component.closing));
            assert!(account.loss() <= product.loss() && product.loss() <= component.loss(), "finer members hide less loss");
            assert!(component.retained <= product.retained && product.retained <= account.retained);
            assert_eq!(account.base, component.base);
        }
    });
}

#[test]
fn what_is_retained_month_by_month_is_what_no_member_fell_below() {
    property(CASES, balances(-20_000), async |balances| {
        let desk = Desk::with(&API, &tables(&balances, false), &without_cache()).await;
        let reference = Bridge { balances: &balances };
        for period in [Period::Quarter, Period::Range] {
            let mut coarser: Vec<i64> = Vec::new();
            for grain in GRAINS {
                let of_basis = |basis: &str| {
                    let basis = format!("movementBasis: {basis}, range:");
                    document(period, grain, "").replace(FIELDS, "retained base").replace("range:", &basis)
                };
                let mut expected = reference.retained_by_flow(period, grain);
                let mut retained = Vec::new();
                for row in desk.ask(&of_basis("FLOW")).await.rows("bridge") {
                    let [found, base] = &row[row.len() - 2..] else { panic!("two amounts") };
                    let start = if period == Period::Range { "2025-01-01" } else { &row[0] };
                    let right = expected.remove(start).unwrap_or_else(|| "null".to_owned());
                    if found != "null" {
                        assert_eq!(*found, right, "SQL (left), reference (right) {period:?} {grain:?} {start}\n{balances:?}");
                        let (found, base) = (hundredths(found), hundredths(base));
                        assert!((0..=base).contains(&found), "between nothing and the opening base: {row:?}");
                        retained.push(found);
                    }
                }
                assert!(expected.values().all(|amount| amount == "0"), "what has no row retains nothing: {expected:?}");
                if grain != Grain::Account {
                    assert!(retained.iter().zip(&coarser).all(|(fine, coarse)| fine <= coarse), "finer members hide less loss");
                }
                assert!(grain == Grain::Account || retained.len() == coarser.len(), "the same periods at every grain");
                coarser = retained;
            }
        }
    });
}

#[test]
fn bridges_close_with_transfers_and_rates_and_all_that_leaves_arrives() {
    property(CASES, balances(-20_000), async |balances| {
        let desk = Desk::with(&API, &tables(&balances, false), &without_cache()).await;
        let rates: Vec<i64> = RATES.iter().map(|rate| hundredths(rate)).collect();
        // What rates did, component by component: balances that are there at both ends, the opening not being nothing.
        let effect = |month: usize| -> i64 {
            let pairs =
                balances.iter().filter_map(|months| Some((months[month - 1].filter(|opening| *opening != 0)?, months[month]?)));
            pairs.map(|(_, closing)| closing * (rates[month] - rates[month - 1])).sum()
        };
        let mut changes: Vec<Vec<[i64; 3]>> = Vec::new();
        for grain in ["ACCOUNT", "PRODUCT", "TEAM", "COMPONENT"] {
            let rows = worth(&desk, "by: [{time: {grain: MONTH}}],", "period(grain: MONTH) { start }", grain).await;
            for row in &rows {
                assert_eq!(row.arrived, row.left, "what leaves one member arrives at another: {row:?}");
                if grain != "TEAM" {
                    assert_eq!(row.arrived, 0, "only teams change");
                }
                assert_eq!(row.fx, effect(row.month), "{grain}: {row:?}");
            }
            changes.push(rows.iter().map(|row| [row.change, row.fx, row.closing]).collect());
        }
        assert!(changes.windows(2).all(|pair| pair[0] == pair[1]), "net change and rates are the same at every grain");
        let by_team =
            worth(&desk, "by: [{time: {grain: MONTH}}, {dimension: TEAM}],", "period(grain: MONTH) { start } team", "TEAM").await;
        let sums = |of: fn(&Worth) -> i64| by_team.iter().map(of).sum::<i64>();
        assert_eq!(sums(|row| row.arrived), sums(|row| row.left));
    });
}

/// A row of the bridge of converted balances, in ten thousandths; the month by its position among those with balances.
#[derive(Debug)]
struct Worth {
    month: usize,
    arrived: i64,
    left: i64,
    fx: i64,
    closing: i64,
    change: i64,
}

/// Asks for the bridge of converted balances; each row must close.
async fn worth(desk: &Desk, by: &str, shown: &str, grain: &str) -> Vec<Worth> {
    let document = format!(
        r#"{{ teamBridge({by} movementGrain: {grain}, range: {{between: {{from: "2025-01-01", to: "2025-10-01"}}}}) {{ rows {{ {shown} worthOpening worthGains worthLosses worthCredit worthIn worthOut worthFx worthClosing worthChange }} }} }}"#
    );
    let rows = desk.ask(&document).await.rows("teamBridge");
    rows.iter()
        .map(|cells| {
            let values: Vec<i64> = cells[cells.len() - 9..].iter().map(|cell| ten_thousandths(cell)).collect();
            let [opening, gains, losses, credit, arrived, left, fx, closing, change] = values[..].try_into().expect("nine amounts");
            assert_eq!(opening + gains - losses + credit + arrived - left + fx, closing, "the bridge closes: {cells:?}");
            assert_eq!(closing - opening, change);
            let month = cells[0][5..7].parse::<usize>().expect("a period begins with a date") + 1;
            Worth { month, arrived, left, fx, closing, change }
        })
        .collect()
}

fn ten_thousandths(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<4}").parse().unwrap_or_else(|_| panic!("`{text}` is no amount"))
}

#[test]
fn the_order_of_rows_and_an_unrelated_fact_change_nothing() {
    property(CASES, balances(-20_000), async |balances| {
        let desk = Desk::with(&API, &tables(&balances, false), &without_cache()).await;
        let reversed = Desk::with(&API, &tables(&balances, true), &without_cache()).await;
        let document = document(Period::Month, Grain::Component, "");
        let rows = desk.ask(&document).await.rows("bridge");
        assert_eq!(rows, reversed.ask(&document).await.rows("bridge"));
        let beside = self::document(Period::Month, Grain::Component, "people");
        for (with, without) in desk.ask(&beside).await.rows("bridge").iter().filter(|row| row[1] != "null").zip(&rows) {
            assert_eq!(with[..with.len() - 1], without[..], "two stakeholders of one account double nothing");
        }
    });
}

#[test]
fn an_answer_from_the_cache_is_the_answer() {
    property(CASES, balances(-20_000), async |balances| {
        let tables = tables(&balances, false);
        let uncached = Desk::with(&API, &tables, &without_cache()).await;
        let cached = Desk::with(&API, &tables, &Settings::default()).await;
        let document = document(Period::Month, Grain::Product, "");
        let expected = uncached.ask(&document).await;
        for _ in 0..2 {
            assert_eq!(cached.ask(&document).await, expected);
        }
        let state = cached.ask(&document.replace("rows {", "provenance { cache } rows {")).await;
        assert_eq!(state.at("/data/bridge/provenance/cache"), "HIT");
    });
}

/// A row of the API in hundredths.
#[derive(Debug)]
struct Row {
    opening: i64,
    new: i64,
    reactivation: i64,
    expansion: i64,
    contraction: i64,
    churn: i64,
    component_add: i64,
    component_loss: i64,
    credit: i64,
    closing: i64,
    change: i64,
    retained: i64,
    base: i64,
}

impl Row {
    fn read(cells: &[String]) -> Self {
        let values: Vec<i64> = cells[1..14].iter().map(|cell| hundredths(cell)).collect();
        let [
            opening,
            new,
            reactivation,
            expansion,
            contraction,
            churn,
            component_add,
            component_loss,
            credit,
            closing,
            change,
            retained,
            base,
        ] = values[..].try_into().expect("thirteen amounts");
        Self {
            opening,
            new,
            reactivation,
            expansion,
            contraction,
            churn,
            component_add,
            component_loss,
            credit,
            closing,
            change,
            retained,
            base,
        }
    }

    fn loss(&self) -> i64 {
        self.contraction + self.churn + self.component_loss
    }
}

fn hundredths(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<2}").parse().unwrap_or_else(|_| panic!("`{text}` is no amount"))
}
