//! The days on which an account can decide, and what it decided.

use holdfast_schema::value::Value;

use super::{
    super::{
        cell::{MONTHS, day, days_after, first_day, fixed, flag, int, money, or_null, recorded, text},
        random::Random,
    },
    Rows,
    catalogue::Pricing,
    story::{Component, Story},
};

/// Surfaces reach this far beyond the last month.
const AHEAD: i32 = 12;

/// Writes surfaces, their components and what came of them.
pub(super) fn write(story: &Story, rows: &mut Rows, random: &mut Random) {
    for (place, contract) in story.contracts.iter().enumerate() {
        let kind = if contract.amends.is_some() && contract.start != story.contracts[0].start { "staggered" } else { "co_term" };
        let components: Vec<&Component> =
            story.components.iter().filter(|component| component.contract == place && !component.optional).collect();
        for due in (1..).map(|round| contract.start + contract.term * round).take_while(|due| *due < MONTHS + AHEAD) {
            Surface { kind, contract: &contract.id, due, components: &components }.write(story, rows, random);
        }
    }
    for component in &story.components {
        let contract = &story.contracts[component.contract].id;
        let yearly = |start: i32| (1..).map(move |round| start + 12 * round).take_while(|due| *due < MONTHS + AHEAD);
        if component.optional {
            for due in yearly(component.start) {
                Surface { kind: "optional_module", contract, due, components: &[component] }.write(story, rows, random);
            }
        }
    }
    write_true_ups(story, rows);
}

struct Surface<'a> {
    kind: &'static str,
    contract: &'a str,
    due: i32,
    components: &'a [&'a Component],
}

impl Surface<'_> {
    fn write(&self, story: &Story, rows: &mut Rows, random: &mut Random) {
        let before = (self.due - 1).min(MONTHS - 1);
        let parts: Vec<(&Component, i64)> = self
            .components
            .iter()
            .map(|component| (*component, component.mrr(before) * 12))
            .filter(|(_, value)| *value > 0)
            .collect();
        let due_value: i64 = parts.iter().map(|(_, value)| value).sum();
        if self.due <= 0 || due_value == 0 {
            return;
        }
        let id = surface_id(self.kind, self.contract, self.components, self.due);
        let decided = self.due < MONTHS;
        let due_date = first_day(self.due);
        let notice = days_after(due_date, -[90, 60, 30][story.size as usize]);
        rows.push(
            "renewal_surface",
            &[
                text(&*id),
                text(&*story.id),
                text(self.contract),
                text(self.kind),
                day(due_date),
                day(notice),
                money(due_value),
                text(if decided { "decided" } else { "open" }),
                flag(!story.number.is_multiple_of(3)),
                Value::Null,
                Value::Null,
                recorded(days_after(notice, -180)),
            ],
        );
        let mut rest = 1_000_000;
        for (place, (component, value)) in parts.iter().enumerate() {
            let share = if place + 1 == parts.len() { rest } else { value * 1_000_000 / due_value };
            rest -= share;
            rows.push("renewal_surface_component", &[text(&*id), text(&*component.id), fixed(share, 6)]);
        }
        self.write_event(story, &id, due_value, decided, rows, random);
    }

    fn write_event(&self, story: &Story, id: &str, due_value: i64, decided: bool, rows: &mut Rows, random: &mut Random) {
        let due_date = first_day(self.due);
        let renewed = self.components.iter().map(|component| component.mrr(self.due) * 12).sum::<i64>();
        let delayed = decided && renewed >= due_value && random.chance(60);
        let outcome = match renewed {
            _ if !decided => "open",
            _ if delayed => "delayed",
            0 => "lost",
            _ if renewed < due_value => "reduced",
            _ if renewed == due_value => "full",
            _ => "expanded",
        };
        let likelihood = [900, 820, 740][story.size as usize] - random.between(0, 250);
        let category = match likelihood {
            800.. => "commit",
            700..800 => "likely",
            600..700 => "at_risk",
            _ => "unlikely",
        };
        let call = |doubt: bool| text(if likelihood < 600 || doubt { "reduce" } else { "renew" });
        let delay = if delayed { random.between(5, 45) } else { 0 };
        let closed = decided.then(|| days_after(due_date, delay - if delayed { 0 } else { 12 }));
        rows.push(
            "renewal_event",
            &[
                text(id),
                text(&*story.id),
                day(due_date),
                money(due_value),
                if decided { money(renewed) } else { Value::Null },
                text(outcome),
                or_null(closed, day),
                or_null(closed, day),
                if random.chance(700) { money(due_value * (likelihood + 50).min(1000) / 1000) } else { Value::Null },
                text(category),
                fixed(likelihood, 3),
                call(random.chance(80)),
                call(random.chance(160)),
                if decided { int(delay) } else { Value::Null },
                recorded(closed.unwrap_or(days_after(first_day(MONTHS), -1))),
            ],
        );
    }
}

/// Once a year use above the contract is trued up; only components that used more have such a day.
fn write_true_ups(story: &Story, rows: &mut Rows) {
    for component in story.components.iter().filter(|component| component.product.pricing == Pricing::Usage) {
        for due in [12, 24, 36] {
            let Some(state) = component.at(due - 1).filter(|state| state.utilization > 1000 && state.mrr > 0) else { continue };
            let date = first_day(due);
            rows.push(
                "renewal_surface",
                &[
                    text(surface_id("true_up", &component.id, &[], due)),
                    text(&*story.id),
                    text(&*story.contracts[component.contract].id),
                    text("true_up"),
                    day(date),
                    day(days_after(date, -30)),
                    money(state.mrr * 12 * (state.utilization - 1000) / 1000),
                    text(if due < MONTHS { "decided" } else { "open" }),
                    flag(false),
                    text("consumed_qty"),
                    int(state.quantity),
                    recorded(days_after(date, -30)),
                ],
            );
        }
    }
}

fn surface_id(kind: &str, contract: &str, components: &[&Component], due: i32) -> String {
    match (kind, components) {
        ("optional_module", [component]) => format!("S-{}-O{due}", component.id),
        ("true_up", _) => format!("S-{contract}-T{due}"),
        _ => format!("S-{contract}-{due}"),
    }
}
