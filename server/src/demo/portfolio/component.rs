//! Contracts and the components they are made of, each component in one version for every price and quantity it had.

use holdfast_schema::value::Value;

use super::{
    super::cell::{MONTHS, day, days_after, first_day, fixed, flag, int, money, or_null, recorded, text},
    Rows,
    catalogue::{CURRENCIES, GEOGRAPHIES, Pricing, tier_id},
    story::{Component, Month, Story},
};

/// Writes contracts with their renewals, component versions, allocations and growth tiers.
pub(super) fn write(story: &Story, rows: &mut Rows) {
    for contract in 0..story.contracts.len() {
        write_contract(story, contract, rows);
    }
    for component in &story.components {
        write_versions(story, component, rows);
        write_allocation(story, component, rows);
        if component.ramp {
            write_growth_tiers(component, rows);
        }
    }
}

fn write_contract(story: &Story, place: usize, rows: &mut Rows) {
    let contract = &story.contracts[place];
    let mrr = |month: i32| -> i64 {
        story.components.iter().filter(|component| component.contract == place).map(|component| component.mrr(month)).sum()
    };
    let signed = story.components.iter().find(|component| component.contract == place).map_or(contract.start, |first| first.start);
    let mut id = contract.id.clone();
    let mut start = contract.start;
    let mut renews = None;
    loop {
        let end = start + contract.term;
        let value = mrr(start.max(signed).max(0)) * i64::from(contract.term);
        let one_time = if renews.is_none() { value / 20 } else { 0 };
        let renewed = end < MONTHS && end > signed && mrr(end) > 0;
        let status = match () {
            () if renewed => "expired",
            () if mrr((MONTHS - 1).min(end - 1)) == 0 => "terminated",
            () if end <= MONTHS => "expired",
            () => "active",
        };
        let signed_on = days_after(first_day(start.max(signed)), -(story.number as i64 % 25) - 3);
        rows.push(
            "contract",
            &[
                text(&*id),
                text(&*story.id),
                text(format!("HF-{}", &id[1..])),
                or_null(contract.amends, |amends| text(&*story.contracts[amends].id)),
                or_null(renews.clone(), text),
                if renews.is_none() { or_null(contract.amends, |amends| text(&*story.contracts[amends].id)) } else { Value::Null },
                text(match (renews.is_some(), contract.amends.is_some()) {
                    (true, _) => "renewal",
                    (false, true) => "amendment",
                    (false, false) => "new",
                }),
                text(status),
                day(signed_on),
                day(first_day(start.max(signed))),
                day(first_day(end)),
                int(i64::from(end - start.max(signed))),
                flag(!story.number.is_multiple_of(3)),
                int([90, 60, 30][story.size as usize]),
                if contract.start == story.contracts[0].start { text(format!("CT-{}", story.id)) } else { Value::Null },
                text(["annual", "quarterly", "monthly"][story.size as usize]),
                fixed(50_000 + story.number as i64 % 3 * 10_000, 6),
                text(CURRENCIES[story.currency].0),
                money(value + one_time),
                recorded(signed_on),
            ],
        );
        if !renewed {
            return;
        }
        renews = Some(id);
        id = format!("{}-R{}", contract.id, (end - contract.start) / contract.term);
        start = end;
    }
}

fn write_versions(story: &Story, component: &Component, rows: &mut Rows) {
    let terms = |state: &Month| (state.quantity, state.price, state.discount, state.tier);
    let mut versions: Vec<(i32, &Month, bool)> = Vec::new();
    let mut last_paid = &component.months[0];
    for state in &component.months {
        if state.quantity == 0 {
            versions.push((state.month, last_paid, true));
        } else if versions.last().is_none_or(|(_, last, _)| terms(last) != terms(state)) {
            versions.push((if versions.is_empty() { component.start } else { state.month }, state, false));
        }
        last_paid = state;
    }
    for (place, (from, state, ended)) in versions.iter().enumerate() {
        let to = versions.get(place + 1).map_or(Value::Null, |(next, ..)| day(first_day(*next)));
        write_version(story, component, state, (first_day(*from), to), *ended, rows);
    }
}

fn write_version(
    story: &Story,
    component: &Component,
    state: &Month,
    (from, to): (jiff::civil::Date, Value),
    ended: bool,
    rows: &mut Rows,
) {
    let product = component.product;
    let variable = component.pay_as_you_go;
    let counted = |value: Value| if product.unit.is_some() { value } else { Value::Null };
    let discounted = state.discount > 0;
    rows.push(
        "value_component",
        &[
            text(&*component.id),
            day(from),
            to,
            recorded(from),
            text(&*story.contracts[component.contract].id),
            text(&*story.id),
            text(product.id),
            or_null(state.tier, |tier| text(tier_id(tier))),
            or_null(component.unit, |unit| text(&*story.units[unit])),
            text(GEOGRAPHIES[component.place].0),
            Value::Null,
            text(format!(
                "{} for {}",
                product.name,
                component.unit.map_or("everyone", |unit| ["Retail", "Wealth", "Corporate", "Operations"][unit])
            )),
            text(if variable { "variable" } else { "fixed" }),
            text(match (variable, product.pricing) {
                (true, _) => "pay_as_you_go",
                (false, Pricing::Usage) => "committed_minimum",
                (false, Pricing::Seat | Pricing::Tier | Pricing::Flat) => "contracted_fixed",
            }),
            text(match product.pricing {
                Pricing::Seat => "seat",
                Pricing::Usage => "usage",
                Pricing::Tier => "tier",
                Pricing::Flat => "flat",
            }),
            text(match product.pricing {
                Pricing::Seat => "seat",
                Pricing::Usage => "volume",
                Pricing::Tier | Pricing::Flat => "flat",
            }),
            text("none"),
            if variable { Value::Null } else { counted(int(state.quantity)) },
            or_null(product.unit, text),
            counted(text("month")),
            money(state.price * (1000 - state.discount) / 1000),
            money(state.price),
            fixed(state.discount, 3),
            if discounted { day(first_day(component.start + 24)) } else { Value::Null },
            if product.pricing == Pricing::Usage { fixed(200_000, 6) } else { Value::Null },
            flag(product.pricing == Pricing::Usage),
            flag(product.pricing == Pricing::Seat && story.number.is_multiple_of(5)),
            if product.pricing == Pricing::Usage { text("annual") } else { text("month") },
            text(if product.pricing == Pricing::Usage { "annual" } else { "none" }),
            flag(component.optional),
            if component.optional { day(first_day(component.start + 12)) } else { Value::Null },
            if component.ramp { text(format!("RAMP-{}", component.id)) } else { Value::Null },
            Value::Null,
            day(days_after(first_day(component.start), 14)),
            day(first_day(component.start)),
            if ended { or_null(component.end(), |end| day(first_day(end))) } else { Value::Null },
            if component.oversold { counted(int(state.quantity)) } else { Value::Null },
            if component.oversold {
                text(["contract_mismatch", "limited_scope", "low_awareness"][story.number % 3])
            } else {
                Value::Null
            },
            if component.oversold { text("csm") } else { Value::Null },
        ],
    );
}

fn write_allocation(story: &Story, component: &Component, rows: &mut Rows) {
    let units: Vec<&String> = match component.unit {
        Some(unit) => vec![&story.units[unit]],
        None => story.units.iter().collect(),
    };
    let even = 1_000_000 / units.len() as i64;
    for (place, unit) in units.iter().enumerate() {
        let share = if place == 0 { 1_000_000 - even * (units.len() as i64 - 1) } else { even };
        let geography = text(GEOGRAPHIES[component.place].0);
        rows.push("component_allocation", &[text(&*component.id), text(unit.as_str()), geography, fixed(share, 6)]);
    }
}

fn write_growth_tiers(component: &Component, rows: &mut Rows) {
    let start = &component.months[0];
    for step in 1..=3 {
        let quantity = start.quantity + start.quantity * step / 2;
        rows.push(
            "growth_tier",
            &[
                text(&*component.id),
                int(step),
                text("months_in_term"),
                int(step * 12),
                int(quantity),
                money(start.price),
                day(first_day(component.start + 12 * step as i32)),
            ],
        );
    }
}
