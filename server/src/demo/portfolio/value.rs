//! What components were worth and how much of them was used: by month, by day, and as a ledger.

use holdfast_schema::value::Value;
use jiff::civil::{Date, Weekday, date};

use super::{
    super::cell::{MONTHS, day, days_after, first_day, fixed, flag, int, last_day, money, or_null, recorded, text},
    Rows,
    catalogue::{CURRENCIES, Pricing},
    story::{Component, Month, Story},
};

/// First month with daily usage and ledger lines.
const DAILY_FROM: i32 = 32;

/// Writes balances, usage and entitlement entries.
pub(super) fn write(story: &Story, rows: &mut Rows) {
    for component in &story.components {
        for state in &component.months {
            write_month(story, component, state, rows);
            if component.product.pricing == Pricing::Usage && state.month >= DAILY_FROM && state.quantity > 0 {
                write_usage(story, component, state, rows);
                if !component.pay_as_you_go {
                    write_ledger(story, component, state, rows);
                }
            }
        }
        write_days(story, component, rows);
    }
}

/// Used quantity of a month in hundredths; `None` when nobody measures it.
pub(super) fn consumed(component: &Component, state: &Month) -> Option<i64> {
    if state.quantity == 0 {
        return None;
    }
    match component.product.pricing {
        Pricing::Seat => Some(state.quantity * state.utilization.min(1000) / 1000 * 100),
        Pricing::Usage => Some(state.quantity * state.utilization / 10),
        Pricing::Tier | Pricing::Flat => None,
    }
}

fn write_month(story: &Story, component: &Component, state: &Month, rows: &mut Rows) {
    let used = consumed(component, state);
    let billed = if component.pay_as_you_go { state.quantity * state.price * state.utilization / 1000 } else { state.mrr };
    let used_value =
        used.map(
            |used| {
                if component.pay_as_you_go { billed } else { (state.mrr * used + state.quantity * 50) / (state.quantity * 100) }
            },
        );
    let measured = component.product.unit.is_some() && !component.pay_as_you_go && state.quantity > 0;
    let (currency, rate) = CURRENCIES[story.currency];
    rows.push(
        "component_value_month",
        &[
            text(&*component.id),
            day(last_day(state.month)),
            text(&*story.id),
            money(state.mrr),
            money(state.list_mrr),
            money(state.mrr),
            or_null(used_value, money),
            money(billed),
            if measured { int(state.quantity) } else { Value::Null },
            or_null(used, |used| fixed(used, 2)),
            or_null(component.product.unit, text),
            or_null(state.change, |change| text(change.source)),
            or_null(state.change, |change| text(change.reason)),
            flag(state.change.is_some_and(|change| change.scheduled)),
            flag(true),
            text(currency),
            money(state.mrr * 1_000_000 / rate),
            fixed(rate, 6),
            recorded(last_day(state.month)),
        ],
    );
}

/// Daily balances of the last month and the day before it; changes take effect in the middle of the month.
fn write_days(story: &Story, component: &Component, rows: &mut Rows) {
    let month = MONTHS - 1;
    let (before, after) = (component.mrr(month - 1), component.mrr(month));
    let effective = days_after(first_day(month), 7 + story.number as i64 % 14);
    let mut today = last_day(month - 1);
    while today <= last_day(month) {
        let mrr = if today < effective { before } else { after };
        if before != 0 || mrr != 0 {
            rows.push("component_value_day", &[text(&*component.id), day(today), text(&*story.id), money(mrr)]);
        }
        today = days_after(today, 1);
    }
}

fn write_usage(story: &Story, component: &Component, state: &Month, rows: &mut Rows) {
    let total = consumed(component, state).unwrap_or(0);
    let weight = |today: Date| if matches!(today.weekday(), Weekday::Saturday | Weekday::Sunday) { 35 } else { 100 };
    let (first, last) = (first_day(state.month), last_day(state.month));
    let days: Vec<Date> = (1..=last.day()).map(|number| date(first.year(), first.month(), number)).collect();
    let weights: i64 = days.iter().map(|today| weight(*today)).sum();
    let unit = component.product.unit.unwrap_or("unit");
    let (metric, group) = (text(format!("{unit}_used")), text(format!("{}-UG1", story.id)));
    let mut rest = total;
    for today in days {
        let quantity = if today == last { rest } else { total * weight(today) / weights };
        rest -= quantity;
        rows.push(
            "usage_day",
            &[
                text(&*component.id),
                metric.clone(),
                group.clone(),
                day(today),
                text(&*story.id),
                fixed(quantity, 2),
                text(unit),
                int(3 + weight(today) * [20, 6, 1][story.size as usize] / 100),
                int(quantity / 7),
                flag(true),
            ],
        );
    }
}

/// The month's grant, what was used of it, and what became of the rest: a fifth rolls over, the remainder expires.
fn write_ledger(story: &Story, component: &Component, state: &Month, rows: &mut Rows) {
    let granted = state.quantity * 100;
    let used = consumed(component, state).unwrap_or(0).min(granted);
    let rolled = (granted - used).min(granted / 5);
    let lines = [
        ("grant", granted, first_day(state.month), None),
        ("consume", -used, last_day(state.month), None),
        ("rollover_out", -rolled, last_day(state.month), None),
        ("rollover_in", rolled, first_day(state.month + 1), Some(first_day(state.month + 4))),
        ("expire", used + rolled - granted, last_day(state.month), None),
    ];
    for (kind, quantity, date, expires) in lines.into_iter().filter(|(_, quantity, ..)| *quantity != 0) {
        rows.push(
            "entitlement_entry",
            &[
                text(format!("E-{}-{}-{kind}", component.id, state.month)),
                text(&*story.id),
                text(&*component.id),
                day(date),
                text(kind),
                fixed(quantity, 2),
                money(state.mrr * quantity / granted),
                day(first_day(state.month)),
                or_null(expires, day),
            ],
        );
    }
}
