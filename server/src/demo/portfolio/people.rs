//! The people of an account, when somebody talked to them, and what they said.

use holdfast_schema::value::Value;
use jiff::civil::Date;

use super::{
    super::{
        cell::{MONTHS, day, days_after, first_day, flag, int, or_null, recorded, text},
        random::Random,
    },
    Rows,
    story::{Size, Story},
};

const GIVEN: [&str; 16] = [
    "Ada", "Bruno", "Chiara", "Dario", "Elif", "Farah", "Goran", "Hana", "Ivo", "Jana", "Karim", "Lena", "Marta", "Nils", "Olga",
    "Pavel",
];
const FAMILY: [&str; 12] =
    ["Acosta", "Bianchi", "Cho", "Dahl", "Eriksen", "Fontana", "Garner", "Hofmann", "Ito", "Jensen", "Kaur", "Lind"];
const ROLES: [(&str, &str, i64, bool, i64); 6] = [
    ("executive_sponsor", "Chief Operating Officer", 5, true, 60),
    ("economic_buyer", "VP Finance", 5, true, 90),
    ("technical_owner", "Head of Platform", 3, false, 45),
    ("daily_user", "Analyst", 2, false, 30),
    ("champion", "Programme Manager", 4, false, 30),
    ("procurement", "Category Buyer", 3, false, 180),
];

/// A person in one role, from a month until they left.
struct Person {
    id: String,
    role: usize,
    from: i32,
    left: Option<i32>,
    /// What they think of us, from 0 to 100.
    opinion: i64,
}

impl Person {
    fn is_there(&self, month: i32) -> bool {
        self.from <= month && self.left.is_none_or(|left| month < left)
    }
}

/// Writes stakeholders, engagements, perceived value, signals, reviews and tickets.
pub(super) fn write(story: &Story, rows: &mut Rows, random: &mut Random) {
    let people = hire(story, random);
    for (place, person) in people.iter().enumerate() {
        write_person(story, person, place, rows);
    }
    let aloof = random.chance(220).then(|| random.between(8, 33) as i32);
    for month in (story.start.max(0)..MONTHS).filter(|month| story.is_active(*month)) {
        write_engagements(story, &people, month, aloof.is_some_and(|since| month >= since), rows, random);
        write_tickets(story, month, rows, random);
        write_signals(story, month, rows, random);
        if (month - story.start) % 6 == 5 {
            write_opinions(story, &people, month, rows, random);
        }
    }
    for person in people.iter().filter(|person| person.role == 0) {
        let Some(left) = person.left else { continue };
        let kind =
            if people.iter().any(|other| other.role == 0 && other.from == left) { "sponsor_changed" } else { "sponsor_left" };
        let id = text(format!("SG-{}-{left}", person.id));
        let who = [text(&*story.id), text(&*person.id), day(days_after(first_day(left), 2))];
        rows.push("signal_event", &[&[id][..], &who, &[text(kind), text("crm")]].concat());
    }
}

fn hire(story: &Story, random: &mut Random) -> Vec<Person> {
    let count = match story.size {
        Size::Enterprise => 6,
        Size::MidMarket => 5,
        Size::Small => random.between(2, 4),
    };
    let mut people: Vec<Person> = Vec::new();
    for role in 0..count as usize {
        let id = format!("ST{:04}-{}", story.number + 1, people.len() + 1);
        people.push(Person { id, role, from: story.start, left: None, opinion: random.between(35, 95) });
    }
    if random.chance(180) {
        let left = story.start.max(0) + random.between(4, 30) as i32;
        if left < MONTHS {
            people[0].left = Some(left);
            if random.chance(500) {
                let id = format!("ST{:04}-{}", story.number + 1, people.len() + 1);
                people.push(Person { id, role: 0, from: left, left: None, opinion: random.between(20, 70) });
            }
        }
    }
    people
}

fn write_person(story: &Story, person: &Person, place: usize, rows: &mut Rows) {
    let (role, title, influence, executive, touch) = ROLES[person.role];
    // In every seventh account the champion is the daily user under another hat.
    let doubled = role == "champion" && story.number.is_multiple_of(7);
    let number = if doubled { 3 } else { place };
    let name =
        format!("{} {}", GIVEN[(story.number * 5 + number * 3) % GIVEN.len()], FAMILY[(story.number + number) % FAMILY.len()]);
    let mut version = |from: i32, to: Option<i32>, active: bool| {
        rows.push(
            "stakeholder",
            &[
                text(&*person.id),
                day(first_day(from)),
                or_null(to, |to| day(first_day(to))),
                recorded(first_day(from)),
                text(&*story.id),
                text(&*story.units[number % story.units.len()]),
                text(format!("PE{:04}-{}", story.number + 1, number + 1)),
                text(&*name),
                text(title),
                text(role),
                flag(!doubled),
                int(influence),
                flag(person.role < 4),
                flag(executive),
                flag(active),
                if active { Value::Null } else { day(first_day(from)) },
                int(touch),
            ],
        );
    };
    version(person.from, person.left, true);
    if let Some(left) = person.left {
        version(left, None, false);
    }
}

fn write_engagements(story: &Story, people: &[Person], month: i32, aloof: bool, rows: &mut Rows, random: &mut Random) {
    let mut count = [2, 1, 0][story.size as usize];
    if story.size == Size::Small && random.chance(450) {
        count = 1;
    }
    for number in 0..count {
        let review = month % 3 == 2 && number == 0 && !aloof && (story.size != Size::Small || random.chance(400));
        let kind = if review {
            random.choose(&["qbr", "qbr", "ebr", "executive_alignment"])
        } else {
            random.choose(&[
                "check_in",
                "check_in",
                "email",
                "training",
                "technical_optimisation",
                "enablement_workshop",
                "discovery",
                "innovation_session",
            ])
        };
        let date = days_after(first_day(month), random.between(1, 26));
        let id = format!("EN-{}-{month}-{number}", story.id);
        let minutes = if kind == "email" { 0 } else { 30 * random.between(1, 4) };
        let what = [text(kind), text("two_way"), int(minutes), text(format!("{} in month {}", kind.replace('_', " "), month + 1))];
        rows.push("engagement", &[&[text(&*id), text(&*story.id), day(date)][..], &what].concat());
        let first = if review { random.between(0, 1) as usize } else { random.between(2, 3) as usize };
        let invited: Vec<&Person> =
            people.iter().filter(|person| person.is_there(month) && !(aloof && ROLES[person.role].3)).collect();
        let guests = invited.len().min(random.between(1, 2) as usize);
        for offset in 0..guests {
            write_participant(story, &id, invited[(first + offset) % invited.len()], date, "two_way", rows);
        }
    }
    if month % 6 == 1 {
        let date = days_after(first_day(month), 20);
        let id = format!("EN-{}-{month}-M", story.id);
        let what = [text("mass_mail"), text("one_way"), int(0), text("Newsletter")];
        rows.push("engagement", &[&[text(&*id), text(&*story.id), day(date)][..], &what].concat());
        for person in people.iter().filter(|person| person.is_there(month)) {
            write_participant(story, &id, person, date, "one_way", rows);
        }
    }
}

fn write_participant(story: &Story, engagement: &str, person: &Person, date: Date, direction: &str, rows: &mut Rows) {
    let (role, _, influence, executive, _) = ROLES[person.role];
    let who = [text(engagement), text(&*person.id), text(&*story.id), day(date)];
    rows.push("engagement_participant", &[&who[..], &[text(role), text(direction), flag(executive), int(influence)]].concat());
}

fn write_tickets(story: &Story, month: i32, rows: &mut Rows, random: &mut Random) {
    let usual = [3, 2, 1][story.size as usize];
    let count = if random.chance(25) { random.between(6, 11) } else { random.between(0, usual) };
    for number in 0..count {
        let opened = days_after(first_day(month), random.between(0, 27));
        let component = random.pick(&story.components);
        let open = month == MONTHS - 1 && random.chance(200);
        rows.push(
            "support_ticket",
            &[
                text(format!("TK-{}-{month}-{number}", story.id)),
                text(&*story.id),
                text(component.product.id),
                or_null(component.unit, |unit| text(&*story.units[unit])),
                day(opened),
                if open { Value::Null } else { day(days_after(opened, random.between(0, 12))) },
                text(random.choose(&["low", "medium", "medium", "high", "urgent"])),
                text(random.choose(&["how_to", "defect", "performance", "access", "billing"])),
                flag(random.chance(40)),
                if random.chance(300) { int(random.between(1, 5)) } else { Value::Null },
            ],
        );
    }
}

fn write_signals(story: &Story, month: i32, rows: &mut Rows, random: &mut Random) {
    let shrinks = (1..=2).any(|ahead| {
        let later = month + ahead;
        later < MONTHS && story.mrr(later) < story.mrr(later - 1)
    });
    let date = days_after(first_day(month), 9 + story.number as i64 % 15);
    if random.chance(if shrinks { 220 } else { 14 }) {
        let id = text(format!("SG-{}-{month}-C", story.id));
        rows.push("signal_event", &[id, text(&*story.id), Value::Null, day(date), text("cost_optimization_enquiry"), text("csm")]);
    }
    if random.chance(if shrinks { 120 } else { 8 }) {
        let kind = random.choose(&["downgrade_request", "competitor_mention", "reorg", "security_review"]);
        let id = text(format!("SG-{}-{month}-X", story.id));
        rows.push("signal_event", &[id, text(&*story.id), Value::Null, day(date), text(kind), text("csm")]);
    }
}

fn write_opinions(story: &Story, people: &[Person], month: i32, rows: &mut Rows, random: &mut Random) {
    let date = days_after(first_day(month), 12);
    for person in people.iter().filter(|person| person.is_there(month) && person.role < 5) {
        let score = (person.opinion + random.between(-8, 8)).clamp(0, 100);
        let source = random.choose(&["survey", "csm", "interview"]);
        let who = [text(format!("OB-{}-{month}", person.id)), text(&*person.id), text(&*story.id), day(date)];
        rows.push("perceived_value_obs", &[&who[..], &[int(score), text(source)]].concat());
        if person.role == 3 || person.role == 0 {
            let who = [text(format!("RV-{}-{month}", person.id)), text(&*story.id), text(&*person.id), day(date)];
            rows.push("review", &[&who[..], &[text("nps"), int(score / 10), int(10)]].concat());
        }
    }
}
