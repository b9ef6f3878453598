//! What was bought, offered, planned, tried and given away.

use holdfast_schema::value::Value;

use super::{
    super::{
        cell::{MONTHS, day, days_after, dollars, first_day, int, money, or_null, text},
        random::Random,
    },
    Rows,
    catalogue::{PLAYS, PLAYS_AGAINST_LOSS, USE_CASES},
    story::{Size, Story},
};

/// Writes purchases, opportunities, plans, play runs and concessions.
pub(super) fn write(story: &Story, rows: &mut Rows, random: &mut Random) {
    write_purchases(story, rows, random);
    write_opportunities(story, rows, random);
    if story.size != Size::Small {
        write_plan(story, rows, random);
    }
    write_play_runs(story, rows, random);
    if random.chance(220) {
        write_concession(story, rows, random);
    }
}

fn write_purchases(story: &Story, rows: &mut Rows, random: &mut Random) {
    let mut purchase = |id: String, product: &str, month: i32, kind: &str, amount: i64| {
        let channel = match story.size {
            Size::Small => random.choose(&["self_serve", "self_serve", "marketplace", "sales"]),
            Size::Enterprise | Size::MidMarket => random.choose(&["sales", "sales", "sales", "self_serve"]),
        };
        let what = [day(days_after(first_day(month), -4)), text(kind), text(channel), money(amount)];
        rows.push("purchase_event", &[&[text(id), text(&*story.id), text(product)][..], &what].concat());
    };
    for component in &story.components {
        let first = &component.months[0];
        if component.start >= 0 {
            let kind = if component.start == story.start { "initial" } else { "addon" };
            purchase(format!("PU-{}", component.id), component.product.id, component.start, kind, first.mrr * 12);
        }
        for pair in component.months.windows(2) {
            if pair[1].mrr > pair[0].mrr && pair[1].change.is_some_and(|change| !change.scheduled) {
                let amount = (pair[1].mrr - pair[0].mrr) * 12;
                let id = format!("PU-{}-{}", component.id, pair[1].month);
                purchase(id, component.product.id, pair[1].month, "upgrade", amount);
            }
        }
    }
}

fn write_opportunities(story: &Story, rows: &mut Rows, random: &mut Random) {
    for number in 0..random.between(0, 2) {
        let month = random.between(20, 44) as i32;
        let stage =
            if month < MONTHS { random.choose(&["won", "lost"]) } else { random.choose(&["identified", "qualified", "proposed"]) };
        rows.push(
            "expansion_opportunity",
            &[
                text(format!("OP-{}-{number}", story.id)),
                text(&*story.id),
                text(&**random.pick(&story.units)),
                text(random.pick(&USE_CASES).0),
                if random.chance(300) { text(PLAYS[3].0) } else { Value::Null },
                text(random.choose(&["seat", "tier", "use_case", "department", "poc", "product"])),
                text(stage),
                money(
                    [dollars(90_000), dollars(20_000), dollars(3_000)][story.size as usize] + random.between(0, 40) * dollars(500),
                ),
                day(days_after(first_day(month), 14)),
            ],
        );
    }
}

fn write_plan(story: &Story, rows: &mut Rows, random: &mut Random) {
    let id = format!("PL-{}", story.id);
    let strategies = ["Widen use across business units", "Prove value before renewal", "Deepen two critical workflows"];
    let begun = story.start.max(0);
    for from in (begun..MONTHS).step_by(12) {
        let to = Some(from + 12).filter(|to| *to < MONTHS);
        let reviewed = (from + random.between(0, 11) as i32).min(MONTHS - 1);
        let dates = [day(first_day(from)), or_null(to, |to| day(first_day(to)))];
        let what = [text(&*story.id), int(story.mrr(from) / 100), text(random.choose(&strategies)), day(first_day(reviewed))];
        rows.push("account_plan", &[&[text(&*id)][..], &dates, &what].concat());
    }
    for (metric, factor) in [("mrr", 115), ("contract_utilization_score", 85)] {
        let value = if metric == "mrr" { story.mrr(MONTHS - 1) * factor / 10_000 } else { factor };
        let target = [text(metric), int(value), day(first_day(MONTHS + 11))];
        rows.push("plan_target", &[&[text(format!("{id}-{metric}")), text(&*id)][..], &target].concat());
    }
    let (risk, mitigation) = random.choose(&[
        ("Sponsor may leave", "Build a second sponsor"),
        ("Idle seats at renewal", "Size seats before the renewal talk"),
        ("Competitor in one unit", "Show outcomes in that unit"),
    ]);
    let severity = random.choose(&["low", "medium", "high"]);
    rows.push("plan_risk", &[text(format!("{id}-R")), text(&*id), text(risk), text(mitigation), text(severity)]);
}

/// A play is run on some contractions; what came of it is what the story says.
fn write_play_runs(story: &Story, rows: &mut Rows, random: &mut Random) {
    for component in &story.components {
        for pair in component.months.windows(2) {
            let shrank = pair[1].mrr < pair[0].mrr;
            if !shrank || pair[1].quantity == 0 || !random.chance(450) {
                continue;
            }
            let month = pair[1].month;
            let ended = month + 3;
            let outcome = match () {
                () if ended >= MONTHS => "open",
                () if !story.is_active(ended) => "churned",
                () if component.mrr(ended) > pair[1].mrr => "recovered",
                () if component.mrr(ended) < pair[1].mrr => "contracted",
                () => "stabilised",
            };
            let finding = random.choose(&["temporary", "disengagement", "product_gap", "budget_cut", "packaging_fit", "none"]);
            let play = random.pick(&PLAYS[..PLAYS_AGAINST_LOSS]);
            rows.push(
                "play_run",
                &[
                    text(format!("PR-{}-{month}", component.id)),
                    text(&*story.id),
                    text(play.0),
                    text(play.3),
                    day(days_after(first_day(month), 5)),
                    if ended < MONTHS { day(days_after(first_day(ended), 5)) } else { Value::Null },
                    text(outcome),
                    text(finding),
                ],
            );
        }
    }
}

fn write_concession(story: &Story, rows: &mut Rows, random: &mut Random) {
    let from = story.start.max(0) + random.between(1, 12) as i32;
    let value = [dollars(24_000), dollars(6_000), dollars(900)][story.size as usize];
    rows.push(
        "concession",
        &[
            text(format!("CC-{}", story.id)),
            text(&*story.id),
            text(random.choose(&["premium_feature", "support", "consulting", "training", "architect", "credit"])),
            text(random.choose(&["once", "monthly", "quarterly"])),
            text("customer_success"),
            money(value),
            money(if random.chance(300) { value / 4 } else { 0 }),
            day(first_day(from)),
            day(first_day(from + 12)),
        ],
    );
}
