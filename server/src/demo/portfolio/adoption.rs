//! How deeply an account uses what it has: users, features, use cases, workflows, integrations, and what came of it.

use holdfast_schema::value::Value;

use super::{
    super::{
        cell::{MONTHS, day, days_after, dollars, first_day, fixed, flag, int, last_day, or_null, text},
        random::Random,
    },
    Rows,
    catalogue::{FEATURES, Pricing, USE_CASES},
    story::{Size, Story},
    value::consumed,
};

/// Single users are written down for the last months only.
const USERS_FROM: i32 = MONTHS - 2;
/// Features and workflows for the last half year.
const HALF_YEAR_FROM: i32 = MONTHS - 6;

const OBJECTIVES: [(&str, &str); 6] = [
    ("cost_reduction", "infrastructure"),
    ("revenue_impact", "revenue"),
    ("compliance", "risk"),
    ("operational_efficiency", "personnel"),
    ("security", "risk"),
    ("reliability", "development"),
];

/// Writes every table of adoption and outcomes.
pub(super) fn write(story: &Story, rows: &mut Rows, random: &mut Random) {
    write_users(story, rows);
    write_features(story, rows, random);
    write_use_cases(story, rows, random);
    write_workflows(story, rows, random);
    write_integrations(story, rows, random);
    let count = [3, 2, 1][story.size as usize];
    for number in 0..count {
        write_milestone(story, number, rows, random);
    }
}

/// As many users as there are seats; those who were active are as many as the components say.
fn write_users(story: &Story, rows: &mut Rows) {
    for month in USERS_FROM.max(story.start)..MONTHS {
        let (mut seats, mut active) = (0, 0);
        for component in story.components.iter().filter(|component| component.product.pricing == Pricing::Seat) {
            if let Some(state) = component.at(month) {
                seats += state.quantity;
                active += consumed(component, state).unwrap_or(0) / 100;
            }
        }
        for user in 0..seats {
            let worked = user < active;
            let unit = &story.units[user as usize % story.units.len()];
            let sessions = if worked { 1 + (user * 7 + i64::from(month)) % 22 } else { 0 };
            let who = [text(&*story.id), text(format!("{}-{user:05}", story.id)), day(last_day(month)), text(&**unit)];
            rows.push("user_activity_month", &[&who[..], &[flag(worked), int(sessions)]].concat());
        }
    }
}

fn write_features(story: &Story, rows: &mut Rows, random: &mut Random) {
    let curious = random.between(150, 950);
    for (number, (feature, product, .., premium, _)) in FEATURES.iter().enumerate() {
        let Some(component) = story.components.iter().find(|component| component.product.id == *product) else { continue };
        let used = random.chance(if *premium { curious / 2 } else { curious });
        let unit = &story.units[(number + story.number) % story.units.len()];
        for month in HALF_YEAR_FROM..MONTHS {
            if component.at(month).is_none_or(|state| state.quantity == 0) {
                continue;
            }
            let users = if used { random.between(1, [80, 25, 6][story.size as usize]) } else { 0 };
            let first = first_day(component.start.max(HALF_YEAR_FROM - 12));
            rows.push(
                "feature_adoption_month",
                &[
                    text(&*story.id),
                    text(*feature),
                    text(&**unit),
                    day(last_day(month)),
                    flag(!*premium || story.size != Size::Small),
                    int(users),
                    int(users * random.between(3, 40)),
                    if used { day(first) } else { Value::Null },
                ],
            );
        }
    }
}

fn write_use_cases(story: &Story, rows: &mut Rows, random: &mut Random) {
    for (place, unit) in story.units.iter().enumerate() {
        let (id, ..) = USE_CASES[(story.number + place) % USE_CASES.len()];
        let from = story.start.max(0);
        let live = from + random.between(2, 14) as i32;
        let mut version = |status: &str, from: i32, to: Option<i32>, live: Option<i32>| {
            let dates = [or_null(live, |live| day(first_day(live))), day(first_day(from)), or_null(to, |to| day(first_day(to)))];
            rows.push("use_case_adoption", &[&[text(&*story.id), text(id), text(&**unit), text(status)][..], &dates].concat());
        };
        if live < MONTHS && random.chance(700) {
            version("poc", from, Some(live), None);
            version("live", live, None, Some(live));
        } else {
            version("candidate", from, None, None);
        }
    }
}

fn write_workflows(story: &Story, rows: &mut Rows, random: &mut Random) {
    let depth = random.between(100, 900);
    for (place, workflow) in ["monthly_reporting", "case_handling", "data_exchange"].iter().enumerate() {
        if place > 0 && story.size == Size::Small {
            return;
        }
        let integrated = depth > 450 || place == 2;
        for month in HALF_YEAR_FROM.max(story.start)..MONTHS {
            if !story.is_active(month) {
                continue;
            }
            rows.push(
                "workflow_adoption",
                &[
                    text(&*story.id),
                    text(*workflow),
                    day(last_day(month)),
                    flag(integrated),
                    fixed((depth + i64::from(month - HALF_YEAR_FROM) * 8 + place as i64 * 20).min(1000), 3),
                    int(1 + (story.number + place) as i64 % 5),
                    int(story.units.len() as i64),
                    int(2 + depth / 100),
                    int(1 + depth / 250),
                ],
            );
        }
    }
}

fn write_integrations(story: &Story, rows: &mut Rows, random: &mut Random) {
    for (place, name) in ["CRM", "Warehouse", "Identity"].iter().enumerate().take(1 + [2, 1, 0][story.size as usize]) {
        let id = format!("IN-{}-{place}", story.id);
        let from = story.start.max(0) + 1;
        let idle = (random.chance(200)).then_some(from + 8).filter(|month| *month < MONTHS);
        let mut version = |from: i32, to: Option<i32>, status: &str, calls: i64| {
            let dates = [day(first_day(from)), or_null(to, |to| day(first_day(to)))];
            let what = [text(&*story.id), text(*name), text(status), int(calls), flag(place == 1)];
            rows.push("integration", &[&[text(&*id)][..], &dates, &what].concat());
        };
        version(from, idle, "active", 12_000 / (place as i64 + 1));
        if let Some(idle) = idle {
            version(idle, None, "idle", 0);
        }
    }
}

fn write_milestone(story: &Story, number: usize, rows: &mut Rows, random: &mut Random) {
    let (category, subcategory) = OBJECTIVES[(story.number + number) % OBJECTIVES.len()];
    let begun = story.start.max(0) + number as i32 * 9;
    let due = begun + random.between(5, 12) as i32;
    let slip = if random.chance(350) { random.between(1, 4) as i32 } else { 0 };
    let missed = random.chance(180);
    let achieved = Some(due + slip).filter(|month| !missed && *month < MONTHS && story.is_active(*month));
    let status = match achieved {
        Some(_) => "achieved",
        None if !story.is_active(MONTHS - 1) => "cancelled",
        None if due + slip >= MONTHS && begun < MONTHS => "in_progress",
        None if begun >= MONTHS => "planned",
        None => "missed",
    };
    let target = [dollars(250_000), dollars(60_000), dollars(9_000)][story.size as usize] + random.between(0, 20) * dollars(1_000);
    let id = format!("M-{}-{number}", story.id);
    rows.push(
        "milestone",
        &[
            text(&*id),
            text(&*story.id),
            text(&*story.units[number % story.units.len()]),
            text(USE_CASES[(story.number + number) % USE_CASES.len()].0),
            if random.chance(850) { text(format!("ST{:04}-1", story.number + 1)) } else { Value::Null },
            text(format!("T{:02}", story.number % 6 + 1)),
            text(format!("{} {}", category.replace('_', " "), number + 1)),
            text(category),
            text(status),
            fixed(target, 2),
            text("USD"),
            day(days_after(first_day(due + 1), -1)),
            or_null(achieved, |month| day(days_after(first_day(month), 20))),
        ],
    );
    for month in begun.max(0)..MONTHS.min(achieved.unwrap_or(due) + 1) {
        let span = i64::from((achieved.unwrap_or(due) - begun).max(1));
        let done = (i64::from(month - begun) * 1000 / span).min(if achieved.is_some() { 1000 } else { 700 });
        rows.push("milestone_progress", &[text(&*id), day(last_day(month)), fixed(done, 3)]);
    }
    let Some(achieved) = achieved else { return };
    for month in (achieved..MONTHS).filter(|month| story.is_active(*month)) {
        let value = target / 12 * random.between(60, 130) / 100;
        rows.push(
            "value_outcome",
            &[
                text(format!("VO-{id}-{month}")),
                text(&*story.id),
                text(&*id),
                day(first_day(month)),
                text(category),
                text(subcategory),
                fixed(value, 2),
                if random.chance(500) { text(format!("https://evidence.example/{id}/{month}")) } else { Value::Null },
                text(random.choose(&["customer", "vendor", "none"])),
            ],
        );
    }
}
