//! What happened to one account: who it is, what it pays for and how much of it it uses, month by month.

use super::{
    super::{cell::MONTHS, random::Random},
    catalogue::{INDUSTRIES, PRODUCTS, Pricing, Product, TIERS},
};

/// Size of a customer; decides quantities and habits, not the segment, which follows from revenue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Enterprise,
    MidMarket,
    Small,
}

/// One account over all months.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) id: String,
    pub(super) number: usize,
    pub(super) size: Size,
    pub(super) industry: &'static str,
    /// Positions in `GEOGRAPHIES`; the first is the head office.
    pub(super) places: Vec<usize>,
    /// Position in `CURRENCIES`.
    pub(super) currency: usize,
    /// First month; below 0 for accounts older than the demo.
    pub(super) start: i32,
    /// Month in which the account left, and the one in which it came back.
    pub(super) left: Option<i32>,
    pub(super) returned: Option<i32>,
    /// Identifiers of business units.
    pub(super) units: Vec<String>,
    pub(super) contracts: Vec<Contract>,
    pub(super) components: Vec<Component>,
}

/// An order with a term.
#[derive(Debug)]
pub(super) struct Contract {
    pub(super) id: String,
    pub(super) start: i32,
    pub(super) term: i32,
    /// The contract it amends, by position; a staggered amendment has a term of its own.
    pub(super) amends: Option<usize>,
}

/// One priced line.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) id: String,
    pub(super) contract: usize,
    pub(super) product: &'static Product,
    /// Position of the business unit; `None` when all share it.
    pub(super) unit: Option<usize>,
    /// Position in `GEOGRAPHIES`.
    pub(super) place: usize,
    pub(super) start: i32,
    pub(super) optional: bool,
    pub(super) pay_as_you_go: bool,
    pub(super) ramp: bool,
    /// What was thought to be needed, for components that turned out too large.
    pub(super) oversold: bool,
    /// Month by month from the first one inside the demo; the last one may be the month in which it ended.
    pub(super) months: Vec<Month>,
}

/// A component in a month.
#[derive(Debug, Clone)]
pub(super) struct Month {
    pub(super) month: i32,
    pub(super) quantity: i64,
    /// Cents per unit.
    pub(super) price: i64,
    /// Thousandths of the list price that are given away.
    pub(super) discount: i64,
    /// Position in `TIERS`.
    pub(super) tier: Option<usize>,
    /// Cents; 0 in the month it ended.
    pub(super) mrr: i64,
    pub(super) list_mrr: i64,
    /// Thousandths of the quantity that are used.
    pub(super) utilization: i64,
    pub(super) change: Option<Change>,
}

/// Why a balance differs from the month before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) source: &'static str,
    pub(super) reason: &'static str,
    pub(super) scheduled: bool,
}

impl Component {
    /// The month's state; `None` before it began and after it ended.
    pub(super) fn at(&self, month: i32) -> Option<&Month> {
        let first = self.months.first()?.month;
        usize::try_from(month - first).ok().and_then(|place| self.months.get(place))
    }

    /// Revenue of a month in cents.
    pub(super) fn mrr(&self, month: i32) -> i64 {
        self.at(month).map_or(0, |state| state.mrr)
    }

    /// The month in which it ended.
    pub(super) fn end(&self) -> Option<i32> {
        self.months.last().filter(|last| last.quantity == 0).map(|last| last.month)
    }
}

impl Story {
    /// Revenue of a month in cents.
    pub(super) fn mrr(&self, month: i32) -> i64 {
        self.components.iter().map(|component| component.mrr(month)).sum()
    }

    /// Whether it is a customer in a month.
    pub(super) fn is_active(&self, month: i32) -> bool {
        month >= self.start && self.left.is_none_or(|left| month < left || self.returned.is_some_and(|returned| month >= returned))
    }
}

/// Tells the story of one account.
pub(super) fn tell(number: usize, random: &mut Random) -> Story {
    let size = match random.between(0, 99) {
        0..12 => Size::Enterprise,
        12..45 => Size::MidMarket,
        _ => Size::Small,
    };
    let home = random.between(0, 9) as usize;
    let currency = match home {
        2 if random.chance(600) => 2,
        2..=5 if random.chance(600) => 1,
        6 if random.chance(500) => 3,
        _ => 0,
    };
    let id = format!("A{:04}", number + 1);
    let unit_count = [4, 3, 1][size as usize];
    let mut story = Story {
        size,
        industry: random.choose(&INDUSTRIES),
        places: if size == Size::Small { vec![home] } else { vec![home, (home + 3) % 10, (home + 7) % 10] },
        currency,
        start: if random.chance(600) { -random.between(1, 30) as i32 } else { random.between(0, 33) as i32 },
        left: None,
        returned: None,
        units: (1..=unit_count).map(|unit| format!("{id}-BU{unit}")).collect(),
        contracts: Vec::new(),
        components: Vec::new(),
        id,
        number,
    };
    sign(&mut story, random);
    let hidden = (story.size != Size::Small && random.chance(300)).then(|| random.between(6, 35) as i32);
    for month in story.start.max(0)..MONTHS {
        live_through(&mut story, month, hidden == Some(month), random);
    }
    story
}

/// The first contract with its components.
fn sign(story: &mut Story, random: &mut Random) {
    let term = random.choose(&[12, 12, 24, 36]);
    let id = format!("K{:04}-1", story.number + 1);
    story.contracts.push(Contract { id, start: story.start, term, amends: None });
    let count = match story.size {
        Size::Enterprise => random.between(4, 7),
        Size::MidMarket => random.between(2, 4),
        Size::Small => random.between(1, 2),
    };
    let first = if story.size == Size::Enterprise { 1 } else { random.between(0, 3) };
    for place in 0..count {
        let product = &PRODUCTS[((first + place) % 8) as usize];
        add_component(story, 0, product, story.start, random);
    }
}

fn add_component(story: &mut Story, contract: usize, product: &'static Product, start: i32, random: &mut Random) {
    let (low, high) = product.quantity[story.size as usize];
    let quantity = random.between(low, high);
    let tier = (product.pricing == Pricing::Tier).then(|| match story.size {
        Size::Small => random.between(0, 2) as usize,
        Size::Enterprise | Size::MidMarket => 2,
    });
    let metered = product.unit.is_some();
    let pay_as_you_go = product.id == "P-API" && random.chance(350);
    let oversold = metered && random.chance(220);
    let utilization = if oversold { random.between(200, 420) } else { random.between(560, 960) };
    let shared = story.units.len() > 1 && random.chance(150);
    let component = Component {
        id: format!("C{:04}-{}", story.number + 1, story.components.len() + 1),
        contract,
        product,
        unit: if shared { None } else { Some(random.between(0, story.units.len() as i64 - 1) as usize) },
        place: random.choose(&story.places),
        start,
        optional: product.id == "P-COM" || (product.id == "P-TRN" && random.chance(500)),
        pay_as_you_go,
        ramp: product.pricing == Pricing::Usage && !pay_as_you_go && !oversold && random.chance(200),
        oversold,
        months: Vec::new(),
    };
    let mut state = Month {
        month: start.max(0),
        quantity,
        price: tier.map_or(product.price, |tier| TIERS[tier].1),
        discount: random.choose(&[0, 0, 0, 50, 100, 150]),
        tier,
        mrr: 0,
        list_mrr: 0,
        utilization,
        change: None,
    };
    set_price(&component, &mut state);
    story.components.push(Component { months: vec![state], ..component });
}

fn set_price(component: &Component, state: &mut Month) {
    if component.pay_as_you_go {
        return;
    }
    state.list_mrr = state.quantity * state.price;
    state.mrr = (state.list_mrr * (1000 - state.discount) + 500) / 1000;
}

fn live_through(story: &mut Story, month: i32, hidden: bool, random: &mut Random) {
    if story.returned == Some(month) {
        let id = format!("K{:04}-{}", story.number + 1, story.contracts.len() + 1);
        story.contracts.push(Contract { id, start: month, term: 12, amends: None });
        add_component(story, story.contracts.len() - 1, &PRODUCTS[0], month, random);
    }
    if month == story.start.max(0) || !story.is_active(month) && story.left != Some(month) {
        return;
    }
    let anniversary = (month - story.start) % 12 == 0;
    let loyalty = [40, 80, 140][story.size as usize];
    if anniversary && story.left.is_none() && random.chance(loyalty) {
        story.left = Some(month);
        story.returned = Some(month + random.between(3, 9) as i32).filter(|returned| *returned < MONTHS && random.chance(250));
    }
    let leaving = story.left == Some(month);
    for component in &mut story.components {
        step(component, month, anniversary, leaving, random);
    }
    if leaving {
        return;
    }
    if story.mrr(month) == 0 {
        revive(story, month);
    }
    if hidden {
        hide_a_loss(story, month);
    }
    if random.chance([25, 14, 6][story.size as usize]) {
        let product = random.pick(&PRODUCTS);
        let staggered = random.chance(500);
        let id = format!("K{:04}-{}", story.number + 1, story.contracts.len() + 1);
        let term = if staggered { 12 } else { story.contracts[0].term };
        let start = if staggered { month } else { story.contracts[0].start };
        story.contracts.push(Contract { id, start, term, amends: Some(0) });
        add_component(story, story.contracts.len() - 1, product, month, random);
        let added = story.components.last_mut().expect("it was just added");
        added.months[0].change = Some(Change { source: "feature_add", reason: "changed_needs", scheduled: false });
    }
}

/// One component moves on by a month.
fn step(component: &mut Component, month: i32, anniversary: bool, leaving: bool, random: &mut Random) {
    let Some(last) = component.months.last().filter(|last| last.quantity > 0 && last.month < month) else { return };
    let season = component.product.season;
    let at = |month: i32| season[month.rem_euclid(12) as usize];
    let trend = if component.oversold { 3 } else { random.between(-18, 20) };
    let mut state = Month { month, change: None, ..last.clone() };
    state.utilization = (state.utilization + at(month) - at(month - 1) + trend).clamp(80, 1280);
    let ends = leaving || random.chance(if component.optional { 12 } else { 3 });
    let eager = if anniversary { 5 } else { 1 };
    if ends {
        let change = if leaving {
            Change { source: "other", reason: random.choose(&["budget", "competitor", "unrealised_value"]), scheduled: false }
        } else {
            Change { source: "feature_removal", reason: random.choose(&["low_adoption", "changed_needs"]), scheduled: false }
        };
        state = Month { quantity: 0, mrr: 0, list_mrr: 0, change: Some(change), ..state };
    } else if component.ramp && anniversary {
        state.quantity += (state.quantity / 2).max(1);
        state.change = Some(Change { source: "volume_increase", reason: "unknown", scheduled: true });
    } else if random.chance(if state.utilization < 500 { 16 } else { 6 } * eager) {
        shrink(component, &mut state, random);
    } else if random.chance(if state.utilization > 900 { 32 } else { 11 } * eager) {
        grow(component, &mut state, random);
    } else if anniversary && component.product.pricing != Pricing::Tier && random.chance(350) {
        state.price += state.price * random.between(3, 5) / 100;
        state.change = Some(Change { source: "price_increase", reason: "unknown", scheduled: true });
    }
    if state.quantity > 0 {
        set_price(component, &mut state);
    }
    if state.mrr == last.mrr {
        state.change = None;
    }
    component.months.push(state);
}

fn shrink(component: &Component, state: &mut Month, random: &mut Random) {
    let reasons = if component.oversold {
        &["over_purchase", "low_adoption"]
    } else {
        random.pick(&[["budget", "changed_needs"], ["org_change", "downturn"], ["consumption_optimization", "seasonality"]])
    };
    let reason = random.choose(reasons);
    let source = match component.product.pricing {
        Pricing::Tier => {
            let Some(lower) = state.tier.and_then(|tier| tier.checked_sub(1)) else { return };
            (state.tier, state.price) = (Some(lower), TIERS[lower].1);
            "tier_downgrade"
        }
        Pricing::Flat => {
            state.discount = (state.discount + 100).min(400);
            "discount_added"
        }
        Pricing::Seat | Pricing::Usage => {
            let kept = (state.quantity * random.between(60, 92) / 100).max(1);
            state.utilization = (state.utilization * state.quantity / kept).min(1100);
            state.quantity = kept;
            if component.product.pricing == Pricing::Seat { "seat_reduction" } else { "volume_decrease" }
        }
    };
    state.change = Some(Change { source, reason, scheduled: false });
}

fn grow(component: &Component, state: &mut Month, random: &mut Random) {
    let source = match component.product.pricing {
        Pricing::Tier => {
            let Some(higher) = state.tier.map(|tier| tier + 1).filter(|tier| *tier < TIERS.len()) else { return };
            (state.tier, state.price) = (Some(higher), TIERS[higher].1);
            "tier_upgrade"
        }
        Pricing::Flat => {
            state.discount = 0;
            "discount_expired"
        }
        Pricing::Seat | Pricing::Usage => {
            let grown = state.quantity + (state.quantity * random.between(6, 30) / 100).max(1);
            state.utilization = state.utilization * state.quantity / grown;
            state.quantity = grown;
            if component.product.pricing == Pricing::Seat { "seat_add" } else { "volume_increase" }
        }
    };
    state.change = Some(Change { source, reason: "changed_needs", scheduled: false });
}

/// An account that has not left keeps at least one paying component: the end of its last one is taken back.
fn revive(story: &mut Story, month: i32) {
    for component in &mut story.components {
        let ended_now = component.end() == Some(month);
        let kept = component.months.iter().rev().nth(1).cloned().filter(|before| ended_now && before.mrr > 0);
        if let Some(before) = kept {
            component.months.pop();
            component.months.push(Month { month, change: None, ..before });
            return;
        }
    }
}

/// One component gives back almost a third while another grows by more: the account looks healthy.
fn hide_a_loss(story: &mut Story, month: i32) {
    let steady = |component: &Component| {
        component.at(month).is_some_and(|state| state.quantity > 3 && state.mrr > 0 && state.change.is_none())
            && component.months.len() > 1
    };
    let candidates: Vec<usize> = (0..story.components.len()).filter(|place| steady(&story.components[*place])).collect();
    let [loser, winner, ..] = candidates[..] else { return };
    let lost = {
        let component = &mut story.components[loser];
        let mut state = component.months.pop().expect("it has a state this month");
        let before = state.mrr;
        state.quantity -= state.quantity * 3 / 10;
        state.change = Some(Change { source: shrinking(component.product.pricing), reason: "org_change", scheduled: false });
        set_price(component, &mut state);
        let lost = before - state.mrr;
        component.months.push(state);
        lost
    };
    let component = &mut story.components[winner];
    let mut state = component.months.pop().expect("it has a state this month");
    state.quantity += lost * 11 / 10 / (state.price * 6 / 10).max(1) + 1;
    state.change = Some(Change { source: growing(component.product.pricing), reason: "changed_needs", scheduled: false });
    set_price(component, &mut state);
    component.months.push(state);
}

fn shrinking(pricing: Pricing) -> &'static str {
    match pricing {
        Pricing::Seat => "seat_reduction",
        Pricing::Usage => "volume_decrease",
        Pricing::Tier => "tier_downgrade",
        Pricing::Flat => "price_decrease",
    }
}

fn growing(pricing: Pricing) -> &'static str {
    match pricing {
        Pricing::Seat => "seat_add",
        Pricing::Usage => "volume_increase",
        Pricing::Tier => "tier_upgrade",
        Pricing::Flat => "price_increase",
    }
}
