//! Who the account is, as it was: one version for every stretch of time in which nothing about it changed.

use holdfast_schema::value::Value;

use super::{
    super::{
        cell::{MONTHS, day, dollars, first_day, flag, int, recorded, text},
        random::Random,
    },
    Rows,
    catalogue::{CURRENCIES, GEOGRAPHIES, TEAM},
    story::{Size, Story},
};

const FIRST: [&str; 20] = [
    "Northwind",
    "Alder",
    "Bluefin",
    "Cobalt",
    "Delta",
    "Ember",
    "Falcon",
    "Granite",
    "Harbor",
    "Ivory",
    "Juniper",
    "Keystone",
    "Lumen",
    "Meridian",
    "Nimbus",
    "Orchid",
    "Pioneer",
    "Quarry",
    "Riverbend",
    "Summit",
];
const SECOND: [&str; 15] = [
    "Bank", "Foods", "Motors", "Systems", "Clinics", "Freight", "Press", "Services", "Capital", "Stores", "Works", "Labs", "Care",
    "Lines", "Studios",
];
const UNITS: [(&str, &str); 4] = [("Retail", "Marketing"), ("Wealth", "Risk"), ("Corporate", "Finance"), ("Operations", "IT")];

/// What a version says beyond what never changes.
#[derive(PartialEq)]
struct Version {
    segment: &'static str,
    tenure: &'static str,
    stage: &'static str,
    status: &'static str,
    owner: usize,
}

/// Writes the account, its team, its peers, its business units and its user groups.
pub(super) fn write(story: &Story, rows: &mut Rows, random: &mut Random) {
    let owner = story.number % 6;
    let handover = random.chance(300).then(|| random.between(4, 34) as i32).filter(|month| *month > story.start);
    let owner_at = |month: i32| if handover.is_some_and(|handover| month >= handover) { (owner + 1) % 6 } else { owner };
    let reference = random.chance(150);
    write_versions(story, owner_at, reference, rows);
    let pod = text(format!("POD-{}", story.number % 4 + 1));
    let mut member = |place: usize, from: i32, to: Option<i32>| {
        let (id, _, function) = TEAM[place];
        let dates = [day(first_day(from)), to.map_or(Value::Null, |to| day(first_day(to)))];
        rows.push("account_team", &[&[text(&*story.id), text(id), text(function), pod.clone()][..], &dates].concat());
    };
    member(owner, story.start, handover);
    if let Some(handover) = handover {
        member((owner + 1) % 6, handover, None);
    }
    member(6 + story.number % 3, story.start, None);
    rows.push("peer_group_member", &[text(format!("PG-{}", story.industry)), text(&*story.id)]);
    for (unit, (name, department)) in story.units.iter().zip(UNITS) {
        let parent = if *unit == story.units[0] { Value::Null } else { text(&*story.units[0]) };
        rows.push("org_unit", &[text(&**unit), text(&*story.id), parent, text(name), text(department)]);
    }
    let groups = if story.size == Size::Small { 1 } else { 2 };
    for (group, name) in ["Everyday users", "Power users"].iter().enumerate().take(groups) {
        let users = int([200, 60, 12][story.size as usize] / (group as i64 * 4 + 1));
        rows.push("user_group", &[text(format!("{}-UG{}", story.id, group + 1)), text(&*story.id), text(*name), users]);
    }
}

fn write_versions(story: &Story, owner_at: impl Fn(i32) -> usize, reference: bool, rows: &mut Rows) {
    let mut versions: Vec<(i32, Version)> = Vec::new();
    for month in story.start..MONTHS {
        let version = version_at(story, month, versions.last().map(|(_, version)| version), owner_at(month));
        if versions.last().is_none_or(|(_, last)| *last != version) {
            versions.push((month, version));
        }
    }
    let (_, _, world_region, country) = GEOGRAPHIES[story.places[0]];
    let region = match world_region {
        "NA" => "north_america",
        "EMEA" => "emea",
        "APAC" => "apac",
        _ => "latam",
    };
    let employees = [["above_5000", "up_to_5000"], ["up_to_1000", "up_to_5000"], ["up_to_200", "up_to_1000"]];
    let parent = (story.number % 10 == 3).then(|| format!("A{:04}", story.number / 10 * 10 + 1));
    for (place, (month, version)) in versions.iter().enumerate() {
        let to = versions.get(place + 1).map_or(Value::Null, |(next, _)| day(first_day(*next)));
        rows.push(
            "account",
            &[
                text(&*story.id),
                day(first_day(*month)),
                to,
                recorded(first_day(*month)),
                text(name(story.number)),
                parent.clone().map_or(Value::Null, text),
                text(version.segment),
                text(story.industry),
                text(region),
                text(country),
                text(employees[story.size as usize][story.number % 2]),
                text(version.tenure),
                text(version.stage),
                text(version.status),
                text(TEAM[version.owner].1),
                text(format!("POD-{}", story.number % 4 + 1)),
                text(CURRENCIES[story.currency].0),
                flag(reference),
                day(first_day(story.start)),
            ],
        );
    }
}

fn version_at(story: &Story, month: i32, before: Option<&Version>, owner: usize) -> Version {
    let age = month - story.start;
    let active = story.is_active(month);
    let (stage, status) = match age {
        _ if !active => ("churned", "churned"),
        0..3 => ("onboarding", "active"),
        3..12 => ("adoption", "active"),
        _ if (age + 2) % 12 < 2 => ("renewal", "active"),
        _ => ("value", "active"),
    };
    // Size is decided once a year, from the last balance; it does not follow every change.
    let segment = match before {
        Some(before) if month % 12 != 0 || !active => before.segment,
        _ => segment_of(story.mrr((month - 1).max(story.start).max(0))),
    };
    Version { segment, tenure: if age < 12 { "first_year" } else { "later" }, stage, status, owner }
}

/// The edges of `segment_definition`: above 50,000, from 10,000, below.
fn segment_of(mrr: i64) -> &'static str {
    match mrr {
        _ if mrr > dollars(50_000) => "enterprise",
        _ if mrr >= dollars(10_000) => "mid_market",
        _ => "smb",
    }
}

fn name(number: usize) -> String {
    format!("{} {}", FIRST[number % FIRST.len()], SECOND[number / FIRST.len()])
}
