//! What is sold, to whom it may be compared, and by which calendar and rates: tables that do not depend on any account.

use holdfast_schema::{time::Grain, value::Value};
use jiff::civil::{Weekday, date};

use super::{
    super::cell::{MONTHS, day, days_after, dollars, first_day, fixed, flag, int, last_day, money, text},
    Rows,
};

/// How a product is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pricing {
    /// By seat.
    Seat,
    /// By measured volume.
    Usage,
    /// By tier of a plan.
    Tier,
    /// A fee.
    Flat,
}

/// A product.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) id: &'static str,
    pub(super) line: &'static str,
    pub(super) name: &'static str,
    pub(super) pricing: Pricing,
    /// Unit that is counted, if any.
    pub(super) unit: Option<&'static str>,
    /// List price of a unit (or of the whole, for a fee) in cents.
    pub(super) price: i64,
    /// Least and most units for an enterprise, a mid-market and a small account.
    pub(super) quantity: [(i64, i64); 3],
    /// Month by month, how much more or less than usual is used, in thousandths.
    pub(super) season: [i64; 12],
}

const EVEN: [i64; 12] = [0; 12];
const YEAR_END: [i64; 12] = [-60, -50, -20, 0, 0, 10, -40, -50, 10, 60, 120, 160];
const OFFICE: [i64; 12] = [10, 30, 30, 20, 10, 0, -80, -110, 20, 40, 30, -60];

/// Everything that is sold.
pub(super) const PRODUCTS: [Product; 8] = [
    Product {
        id: "P-ANA",
        line: "L-PLATFORM",
        name: "Analytics",
        pricing: Pricing::Seat,
        unit: Some("seat"),
        price: dollars(60),
        quantity: [(150, 320), (40, 110), (5, 30)],
        season: OFFICE,
    },
    Product {
        id: "P-DAT",
        line: "L-PLATFORM",
        name: "Data Cloud",
        pricing: Pricing::Usage,
        unit: Some("TB"),
        price: dollars(600),
        quantity: [(50, 130), (8, 24), (1, 4)],
        season: YEAR_END,
    },
    Product {
        id: "P-TEA",
        line: "L-PLATFORM",
        name: "Teamwork",
        pricing: Pricing::Tier,
        unit: None,
        price: 0,
        quantity: [(1, 1), (1, 1), (1, 1)],
        season: EVEN,
    },
    Product {
        id: "P-SEC",
        line: "L-TRUST",
        name: "Security",
        pricing: Pricing::Seat,
        unit: Some("seat"),
        price: dollars(45),
        quantity: [(150, 320), (40, 110), (5, 30)],
        season: OFFICE,
    },
    Product {
        id: "P-COM",
        line: "L-TRUST",
        name: "Compliance",
        pricing: Pricing::Flat,
        unit: None,
        price: dollars(1_250),
        quantity: [(4, 8), (1, 3), (1, 1)],
        season: EVEN,
    },
    Product {
        id: "P-API",
        line: "L-CONNECT",
        name: "Connect API",
        pricing: Pricing::Usage,
        unit: Some("thousand_calls"),
        price: dollars(5),
        quantity: [(1_500, 4_000), (200, 900), (20, 120)],
        season: YEAR_END,
    },
    Product {
        id: "P-SUP",
        line: "L-SERVICES",
        name: "Support",
        pricing: Pricing::Flat,
        unit: None,
        price: dollars(900),
        quantity: [(4, 9), (1, 3), (1, 1)],
        season: EVEN,
    },
    Product {
        id: "P-TRN",
        line: "L-SERVICES",
        name: "Training",
        pricing: Pricing::Usage,
        unit: Some("session"),
        price: dollars(400),
        quantity: [(6, 14), (2, 5), (1, 2)],
        season: OFFICE,
    },
];

/// Tiers of Teamwork: name and monthly price in cents, in order of rank.
pub(super) const TIERS: [(&str, i64); 3] =
    [("Starter", dollars(99)), ("Professional", dollars(499)), ("Enterprise", dollars(1_499))];

/// Countries where components are used: id, name, region of the world, code.
pub(super) const GEOGRAPHIES: [(&str, &str, &str, &str); 10] = [
    ("G-US", "United States", "NA", "US"),
    ("G-CA", "Canada", "NA", "CA"),
    ("G-GB", "United Kingdom", "EMEA", "GB"),
    ("G-DE", "Germany", "EMEA", "DE"),
    ("G-FR", "France", "EMEA", "FR"),
    ("G-CH", "Switzerland", "EMEA", "CH"),
    ("G-SG", "Singapore", "APAC", "SG"),
    ("G-JP", "Japan", "APAC", "JP"),
    ("G-AU", "Australia", "APAC", "AU"),
    ("G-BR", "Brazil", "LATAM", "BR"),
];

/// Currencies with their value in the reporting currency, in millionths; held constant so that no movement comes from rates.
pub(super) const CURRENCIES: [(&str, i64); 4] = [("USD", 1_000_000), ("EUR", 1_080_000), ("GBP", 1_250_000), ("SGD", 740_000)];

/// Core and other features: id, product, name, core, premium, AI.
pub(super) const FEATURES: [(&str, &str, &str, bool, bool, bool); 12] = [
    ("F-DASH", "P-ANA", "Dashboards", true, false, false),
    ("F-EXPL", "P-ANA", "Exploration", true, false, false),
    ("F-FORE", "P-ANA", "Forecasting", false, true, true),
    ("F-PIPE", "P-DAT", "Pipelines", true, false, false),
    ("F-SHAR", "P-DAT", "Data sharing", false, true, false),
    ("F-BOAR", "P-TEA", "Boards", true, false, false),
    ("F-ROUT", "P-TEA", "Routing", false, true, false),
    ("F-SSO", "P-SEC", "Single sign-on", true, false, false),
    ("F-AUDI", "P-SEC", "Audit trail", true, false, false),
    ("F-REPO", "P-COM", "Regulatory reports", false, true, false),
    ("F-HOOK", "P-API", "Webhooks", true, false, false),
    ("F-ASST", "P-TEA", "Assistant", false, true, true),
];

/// Jobs: id, name, department, industries.
pub(super) const USE_CASES: [(&str, &str, &str, &str); 6] = [
    ("U-FRD", "Fraud detection", "Risk", "financial_services,retail"),
    ("U-REG", "Regulatory reporting", "Compliance", "financial_services,healthcare"),
    ("U-CUS", "Customer analytics", "Marketing", "retail,media,software"),
    ("U-SUP", "Supply planning", "Operations", "manufacturing,logistics"),
    ("U-FIN", "Financial close", "Finance", "manufacturing,public_sector"),
    ("U-OBS", "Service observability", "IT", "software,healthcare"),
];

/// How many plays, from the start of the list, are tried against a loss.
pub(super) const PLAYS_AGAINST_LOSS: usize = 8;

/// Plays: id, name, lever, rule, tactic, metric, effect in millionths.
pub(super) const PLAYS: [(&str, &str, &str, &str, &str, &str, i64); 11] = [
    (
        "adoption_check_in",
        "Adoption check-in",
        "value",
        "declining_usage",
        "Look at adoption together",
        "contraction_mrr",
        -200_000,
    ),
    (
        "seat_sizing_review",
        "Seat sizing review",
        "sizing",
        "low_seat_utilization",
        "Size seats honestly",
        "contraction_mrr",
        -200_000,
    ),
    (
        "value_conversation",
        "Value conversation",
        "value",
        "low_seat_utilization",
        "Show outcomes before size",
        "contraction_mrr",
        -200_000,
    ),
    ("feature_campaign", "Feature campaign", "value", "feature_gap", "Train on idle features", "contraction_mrr", -300_000),
    ("quality_review", "Quality review", "services", "ticket_spike", "Fix what hurts", "contraction_mrr", -100_000),
    (
        "executive_business_review",
        "Executive review",
        "alignment",
        "executive_disengagement",
        "Meet the sponsor",
        "contraction_mrr",
        -150_000,
    ),
    ("roi_evidence", "Evidence of return", "value", "budget_signal", "Bring numbers", "contraction_mrr", -150_000),
    ("win_back", "Win back", "win_back", "contracted", "Come back with what is new", "contraction_recovered_mrr", 200_000),
    (
        "value_acceleration",
        "Value acceleration",
        "value",
        "low_utilization",
        "Bring idle value into use, fast",
        "contract_utilization_score",
        100_000,
    ),
    ("upsell_conversation", "Upsell conversation", "expansion", "high_utilization", "Offer room to grow", "expansion_mrr", 100_000),
    (
        "workflow_deepening",
        "Workflow deepening",
        "value",
        "shallow_broad_adoption",
        "Build on one workflow that matters",
        "adoption_depth_score",
        100_000,
    ),
];

/// Colleagues: id, name, function.
pub(super) const TEAM: [(&str, &str, &str); 12] = [
    ("T01", "Ines Marchetti", "cs"),
    ("T02", "Tomas Hale", "cs"),
    ("T03", "Noor Haddad", "cs"),
    ("T04", "Jun Okada", "cs"),
    ("T05", "Astrid Berg", "cs"),
    ("T06", "Owen Price", "cs"),
    ("T07", "Lucia Romero", "sales"),
    ("T08", "Felix Brandt", "sales"),
    ("T09", "Mei Tan", "sales"),
    ("T10", "Ravi Nair", "product"),
    ("T11", "Clara Voss", "technical"),
    ("T12", "Daniel Frost", "exec"),
];

/// Industries in the order of peer groups.
pub(super) const INDUSTRIES: [&str; 8] =
    ["financial_services", "retail", "manufacturing", "software", "healthcare", "logistics", "media", "public_sector"];

/// Writes every table of this file.
pub(super) fn write(rows: &mut Rows) {
    write_time(rows);
    let launch = day(date(2021, 1, 1));
    for (id, lower, upper, lower_inclusive, upper_inclusive) in [
        ("smb", Some(0), Some(dollars(10_000)), true, false),
        ("mid_market", Some(dollars(10_000)), Some(dollars(50_000)), true, true),
        ("enterprise", Some(dollars(50_000)), None, false, false),
    ] {
        let edge = |cents: Option<i64>| cents.map_or(Value::Null, money);
        let edges = [edge(lower), edge(upper), flag(lower_inclusive), flag(upper_inclusive), launch.clone()];
        rows.push("segment_definition", &[&[text(id), text("mrr")][..], &edges].concat());
    }
    for (id, name, region, code) in GEOGRAPHIES {
        rows.push("geography", &[text(id), text(name), text(region), text(code)]);
    }
    for (id, name) in [("L-PLATFORM", "Platform"), ("L-TRUST", "Trust"), ("L-CONNECT", "Connectivity"), ("L-SERVICES", "Services")]
    {
        rows.push("product_line", &[text(id), text(name)]);
    }
    for product in &PRODUCTS {
        rows.push("product", &[text(product.id), text(product.line), text(product.name)]);
    }
    for (rank, (name, price)) in TIERS.iter().enumerate() {
        let key = [text(tier_id(rank)), text("P-TEA"), text(*name), int(rank as i64 + 1), money(*price)];
        rows.push("plan_tier", &[&key[..], &[text("month"), text("USD"), launch.clone()]].concat());
    }
    for (id, product, name, core, premium, ai) in FEATURES {
        let tier = if product == "P-TEA" && premium { text(tier_id(1)) } else { Value::Null };
        rows.push("feature", &[text(id), text(product), tier, text(name), flag(core), flag(premium), flag(ai)]);
    }
    for (id, name, department, industries) in USE_CASES {
        rows.push("use_case", &[text(id), text(name), text(department), text(industries)]);
    }
    for (id, name, function) in TEAM {
        rows.push("team_member", &[text(id), text(name), text(function)]);
    }
    for industry in INDUSTRIES {
        rows.push(
            "peer_group",
            &[text(format!("PG-{industry}")), text(format!("Peers in {}", industry.replace('_', " "))), int(5)],
        );
    }
    for (id, name, lever, rule, tactic, metric, effect) in PLAYS {
        let what = [text(id), text(name), text(lever), text(rule), text(tactic)];
        rows.push("playbook", &[&what[..], &[text(metric), fixed(effect, 6), text("ratio"), text("S3")]].concat());
    }
}

/// Identifier of a tier by its rank from 0.
pub(super) fn tier_id(rank: usize) -> String {
    format!("PT-{}", TIERS[rank].0.to_lowercase())
}

fn write_time(rows: &mut Rows) {
    let calendar = holdfast_schema::time::Calendar::default();
    let mut today = first_day(0);
    while today < first_day(MONTHS + 12) {
        let weekend = matches!(today.weekday(), Weekday::Saturday | Weekday::Sunday);
        let week = calendar.label(Grain::Week, calendar.truncate(Grain::Week, today));
        let period = calendar.label(Grain::FiscalQuarter, calendar.truncate(Grain::FiscalQuarter, today));
        rows.push("calendar", &[day(today), text(week), text(period), flag(!weekend), int(i64::from(today.days_in_month()))]);
        today = days_after(today, 1);
    }
    for month in 0..MONTHS {
        for (place, (currency, rate)) in CURRENCIES.iter().enumerate().skip(1) {
            let wobble = (i64::from(month) * 37 + place as i64 * 11) % 41 - 20;
            for (kind, rate) in [("budget", *rate), ("period_end", rate + rate * wobble / 1000)] {
                rows.push("fx_rate", &[day(last_day(month)), text(*currency), text("USD"), text(kind), fixed(rate, 6)]);
            }
        }
    }
}
