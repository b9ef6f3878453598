//! Slips of the pen in one whole model: each is told once, and none hides another.

use super::resolve;

/// A model in which everything may be written wrong, each in a document of its own.
const WHOLE: &str = "project: whole
currency: EUR
---
entity: account
source: account
key: account_id
display: name
dimensions: {name: string, segment: {values: [smb, large]}, region: string, began: date, seats: int}
relationships: {parent: {to: account, key: parent_id}, top: {top_of: parent, levels: 3}}
---
entity: balance
source: balance
key: [component_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures: {mrr: {sum: mrr, unit: currency/month, over_time: last}, booked: {sum: booked, where: booked > 0}}
movements: {owner: account, cohort: began, grains: {account: [account], component: [account, component_id]}}
---
metrics:
  mrr:
    measure: balance.mrr
    direction: higher_is_better
    tests: [{name: t, given: rows, ask: {metrics: [mrr], by: [region], range: 2025-01, order_by: mrr desc}, expect: {mrr: 100}}]
  booked: {measure: balance.booked}
  booked_6: {cumulative: {of: booked, window: 6 months}, empty: zero}
  before: {offset: {of: mrr, by: 1 month}}
  growth: {ratio: mrr / before, format: percent(1)}
  lost: {movement: {of: balance.mrr, with: {seats: account.seats}, is: contraction, grain: component, when: closing < opening * 0.9 and closing_seats < opening_seats}}
  both: {expr: lost + mrr}
  typical: {per_entity: {entity: account, of: mrr, aggregate: median}}
  slope: {series: {of: mrr, grain: month, window: 6 months, take: slope}}
  rank: {peers: {of: mrr, entity: account, group: [segment], take: median}}
parameters: {floor: {value: 0.7}}
---
view: v
metrics: [mrr, booked, booked_6, growth, lost, both, typical, slope]
dimensions: [account, account.segment, account.region]
---
view: w
metrics: [rank]
dimensions: [account, account.name, {path: account.parent.region, name: parent_region}]
---
segments: {large: {entity: account, where: segment = 'large'}}
---
policies: {own: {applies_to: account, roles: csm, rows: region in claims.regions, mask: [name]}}
---
policies: {few: {roles: guest, metrics: [mrr, growth]}}
---
rules: {low: {per: account, when: growth < parameters.floor, at: last_complete_month}}
---
fixtures: {rows: {tables: {account: [{account_id: a, segment: smb, seats: 3}], balance: [{component_id: c, mrr: 100}]}}}
---
saved_queries: {q: {ask: {view: v, metrics: [mrr], by: [segment], where: segment = 'smb', having: mrr > 0}}}
";

/// Slips of the pen in it.
const SLIPS: &[(&str, &str)] = &[
    ("currency: EUR", "currency: EURO"),
    ("source: account", "sorce: account"),
    ("source: balance", "sorce: balance"),
    ("key: [component_id, month]", "ky: [component_id, month]"),
    ("display: name", "display: nam"),
    ("region: string", "region: strng"),
    ("parent: {to: account", "parent: {to: acount"),
    ("top_of: parent", "top_of: parnt"),
    ("levels: 3", "levels: 30"),
    ("grain: month, snapshot", "grain: mnth, snapshot"),
    ("end_of_period", "end_of_perod"),
    ("over_time: last", "over_time: lst"),
    ("sum: booked", "summ: booked"),
    ("booked > 0", "booked >"),
    ("owner: account", "owner: acount"),
    ("cohort: began", "cohort: begn"),
    ("[account, component_id]", "[acount, component_id]"),
    ("measure: balance.mrr", "measure: balance.mr"),
    ("higher_is_better", "higher_is_beter"),
    ("by: [region]", "by: [regoin]"),
    ("range: 2025-01", "range: 2025-1"),
    ("order_by: mrr desc", "order_by: nrr desc"),
    ("expect: {mrr", "expect: {nrr"),
    ("given: rows", "given: rowz"),
    ("window: 6 months}, empty", "window: 6}, empty"),
    ("empty: zero", "empty: zeero"),
    ("by: 1 month", "by: 1"),
    ("mrr / before", "mrr / befor"),
    ("percent(1)", "percnt(1)"),
    ("of: balance.mrr, with", "of: balance.mr, with"),
    ("seats: account.seats", "seats: account.region"),
    ("is: contraction", "is: contracton"),
    ("grain: component, when", "grain: componnt, when"),
    ("closing < opening", "closng < opening"),
    ("closing_seats < opening_seats", "closing_seats < opening_seat"),
    ("lost + mrr", "lost +"),
    ("{entity: account, of: mrr, agg", "{entity: acount, of: mrr, agg"),
    ("aggregate: median", "aggregate: medin"),
    ("of: mrr, grain: month", "of: mmrr, grain: month"),
    ("grain: month, window", "grain: mnth, window"),
    ("window: 6 months, take", "window: 6 mnths, take"),
    ("take: slope", "take: slpe"),
    ("peers: {", "pers: {"),
    ("group: [segment]", "group: [segmnt]"),
    ("{value: 0.7}", "{value: lots}"),
    ("metrics: [mrr, booked,", "metrics: [mrr, boked,"),
    ("account.region", "account.regoin"),
    ("metrics: [rank]", "metrcs: [rank]"),
    ("account.name", "account.nme"),
    ("{entity: account, where", "{entity: acount, where"),
    ("segment = 'large'", "segment = 'lrge'"),
    ("applies_to: account", "applies_to: acount"),
    ("claims.regions", "claim.regions"),
    ("mask: [name]", "mask: [nme]"),
    ("metrics: [mrr, growth]", "metrics: [mrr, grwth]"),
    ("per: account", "per: acount"),
    ("when: growth <", "when: grwth <"),
    ("parameters.floor", "parameters.flor"),
    ("last_complete_month", "last_complete_mnth"),
    ("roles: csm,", "roles: [csm,"),
    ("segment: smb, seats", "segmnt: smb, seats"),
    ("seats: 3", "seats: three"),
    ("balance: [{", "ballance: [{"),
    ("view: v, metrics: [mrr]", "view: vv, metrics: [mrr]"),
    ("having: mrr > 0", "having: nrr > 0"),
];

/// Of two slips these are told together only where the first leaves what the second is about.
const HIDING: &[(&str, &[&str])] = &[
    // The words of a document that is not YAML are not looked at, nor are rows where entities are wrong; a key has names of its own.
    ("roles: csm,", &["applies_to: account", "claims.regions", "mask: [name]"]),
    ("applies_to: account", &["mask: [name]"]),
    ("{entity: account, where", &["segment = 'large'"]),
    ("peers: {", &["group: [segment]"]),
    ("sum: booked", &["booked > 0"]),
    ("key: [component_id, month]", &["[account, component_id]"]),
    ("owner: account", &["cohort: began"]),
];

#[test]
fn one_slip_is_one_message() {
    for (right, wrong) in SLIPS {
        assert_eq!(WHOLE.matches(right).count(), 1, "{right}");
        let (_, messages) = resolve(&WHOLE.replace(right, wrong));
        assert_eq!(messages.len(), 1, "{wrong}: {messages:#?}");
    }
}

#[test]
fn of_two_slips_each_is_told() {
    let alone: Vec<String> = SLIPS.iter().map(|(right, wrong)| resolve(&WHOLE.replace(right, wrong)).1.remove(0)).collect();
    let is_of_entity = |slip: usize| (1..17).contains(&slip);
    let is_of_rows = |message: &str| ["M080", "M081", "M082"].contains(&&message[..4]);
    let mut hidden = Vec::new();
    // Neighbours, and some of the others: all pairs would take a minute.
    for first in 0..SLIPS.len() {
        for second in
            [1, 2, 3, 5, 8, 13, 21, 34].map(|distance| first + distance).into_iter().filter(|second| *second < SLIPS.len())
        {
            let text = WHOLE.replace(SLIPS[first].0, SLIPS[first].1).replace(SLIPS[second].0, SLIPS[second].1);
            let (_, messages) = resolve(&text);
            for message in &messages {
                assert!([&alone[first], &alone[second]].contains(&message), "{}, {}: {message}", SLIPS[first].1, SLIPS[second].1);
            }
            let is_explained = HIDING.iter().any(|(one, others)| {
                let is = |n: usize, text: &str| SLIPS[n].0 == text;
                others.iter().any(|other| is(first, one) && is(second, other) || is(second, one) && is(first, other))
            }) || is_of_entity(first) && is_of_rows(&alone[second]);
            if !is_explained && (!messages.contains(&alone[first]) || !messages.contains(&alone[second])) {
                hidden.push(format!("{} + {}", SLIPS[first].1, SLIPS[second].1));
            }
        }
    }
    assert!(hidden.is_empty(), "{hidden:#?}");
}

#[test]
fn a_name_that_is_defined_twice_hides_nothing_else() {
    for (twice, message) in [
        ("metrics: {mrr: {measure: balance.booked}}", "M002: metric `mrr` is defined twice"),
        ("entity: account\nsource: other\nkey: other_id", "M002: entity `account` is defined twice"),
        ("view: v\nmetrics: [booked]", "M002: view `v` is defined twice"),
    ] {
        let text = format!("{WHOLE}---\n{twice}\n");
        assert_eq!(resolve(&text).1, [message]);
        let text = text.replace("empty: zero", "empty: zeero").replace("percent(1)", "percnt(1)").replace("by: 1 month", "by: 1");
        assert_eq!(resolve(&text).1.len(), 4, "{:#?}", resolve(&text).1);
    }
}

#[test]
fn what_a_broken_document_defines_is_not_unknown_elsewhere() {
    for right in [
        "key: account_id\n",
        "snapshot: end_of_period}}\n",
        "currency: EUR\n",
        "metrics: [rank]\n",
        "  booked: {measure: balance.booked}\n",
    ] {
        assert!(WHOLE.contains(right));
        let text = WHOLE.replace(right, &format!("{}: [\n", right.trim_end()));
        let messages = resolve(&text).1;
        assert!(messages.len() == 1 && messages[0].starts_with("S001"), "{right}: {messages:#?}");
    }
}
