//! The top of a chain of rows, on both warehouses: as it was on a day, as far as a caller sees, and of chains that do not end.

use std::collections::BTreeMap;

use holdfast_schema::{query::Caller, value::Value};
use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;

const DEFINITIONS: &str = "
project: tops
version: 1
---
entity: company
source: company
key: company_id
valid: {from: valid_from, to: valid_to}
dimensions: {region: string}
relationships:
  top: {top_of: owner, levels: 3}
  owner: {to: company, key: owner_id}
---
entity: sale
source: sale
key: sale_id
time: {day: {}}
relationships: {company: {to: company, key: company_id}}
measures: {amount: {sum: amount}}
---
metrics:
  amount: {measure: sale.amount}
  large_groups: {measure: sale.amount, where: company.top.region = 'emea'}
---
view: selling
metrics: \"*\"
dimensions: [company, {name: top, path: company.top.company_id}, {name: top_region, path: company.top.region}]
---
policies:
  own_regions:
    applies_to: company
    roles: csm
    rows: region in claims.regions
";

/// `a` owns `b` owns `c` owns `d` owns `e`; `x` and `y` own each other, `s` itself; the owner of `u` is not known; `m` changed hands.
fn tables() -> Vec<Table> {
    vec![
        table(
            "company",
            "company_id text, valid_from date, valid_to date, region text, owner_id text",
            "a 2020-01-01 - emea -
             b 2020-01-01 - emea a
             c 2020-01-01 - apac b
             d 2020-01-01 - emea c
             e 2020-01-01 - emea d
             m 2020-01-01 2025-02-01 emea a
             m 2025-02-01 - emea s
             s 2020-01-01 - amer s
             u 2020-01-01 - emea zz
             x 2020-01-01 - emea y
             y 2020-01-01 - emea x",
        ),
        table(
            "sale",
            "sale_id int, company_id text, day date, amount decimal",
            "1 a 2025-01-10 1
             2 b 2025-01-10 2
             3 c 2025-01-10 4
             4 d 2025-01-10 8
             5 e 2025-01-10 16
             6 x 2025-01-10 32
             7 y 2025-01-10 64
             8 s 2025-01-10 128
             9 u 2025-01-10 256
             10 m 2025-01-10 512
             11 m 2025-03-10 1024",
        ),
    ]
}

/// Each company with the last of at most three owners above it, on the day of each sale; an owner is one of `seen` companies.
fn by_hand(seen: &str) -> String {
    format!(
        "with recursive seen as (select * from company where {seen}),
         step as (
           select sale_id, amount, day, c.company_id, c.owner_id, c.region, 0 as hops
           from sale join seen c using (company_id) where day >= valid_from and (valid_to is null or day < valid_to)
           union all
           select sale_id, amount, day, o.company_id, o.owner_id, o.region, hops + 1
           from step join seen o on o.company_id = step.owner_id and o.company_id <> step.company_id
           where day >= o.valid_from and (o.valid_to is null or day < o.valid_to) and hops < 4),
         last as (select distinct on (sale_id) * from step order by sale_id, hops desc)
         select case when hops < 4 then company_id end as top, case when hops < 4 then region end as region, sum(amount)
         from last group by 1, 2 order by 1 nulls last"
    )
}

const BY_TOP: &str = r#"{ selling(by: [{dimension: TOP}, {dimension: TOP_REGION}], range: {between: {from: "2025-01-01", to: "2025-04-01"}}) { rows { top topRegion amount } } }"#;

fn csm(regions: &[&str]) -> Caller {
    let regions = regions.iter().map(|region| Value::Text((*region).to_owned())).collect();
    Caller { roles: vec!["csm".to_owned()], claims: BTreeMap::from([("regions".to_owned(), regions)]), ..Caller::default() }
}

async fn desk() -> Desk {
    Desk::open(definitions(DEFINITIONS), &tables()).await
}

#[tokio::test]
async fn facts_are_grouped_by_the_top_of_their_day() {
    let answer = desk().await.check("selling", BY_TOP, &by_hand("true")).await;
    let expected = [["a", "emea", "527"], ["s", "amer", "1152"], ["u", "emea", "256"], ["null", "null", "112"]];
    assert_eq!(answer.rows("selling"), expected, "a chain of four hops and a circle have no known end");
}

#[tokio::test]
async fn the_top_chooses_facts() {
    let desk = desk().await;
    let range = r#"range: {between: {from: "2025-01-01", to: "2025-04-01"}}"#;
    let of_a = format!(r#"{{ selling({range}, where: {{top: {{eq: "a"}}}}) {{ rows {{ amount largeGroups }} }} }}"#);
    assert_eq!(desk.ask(&of_a).await.rows("selling"), [["527", "527"]]);
    let all = format!("{{ selling({range}) {{ rows {{ amount largeGroups }} }} }}");
    assert_eq!(desk.ask(&all).await.rows("selling"), [["2047", "783"]]);
}

#[tokio::test]
async fn a_chain_ends_below_what_is_not_there_for_the_caller() {
    let emea = desk().await.asked_by(&csm(&["emea"]));
    let answer = emea.check("selling", BY_TOP, &by_hand("region = 'emea'")).await;
    // `m` leads to `s` since February, which is not seen; `d` to `c`.
    let expected = [["a", "emea", "515"], ["d", "emea", "24"], ["m", "emea", "1024"], ["u", "emea", "256"], ["null", "null", "96"]];
    assert_eq!(answer.rows("selling"), expected);
    let apac = emea.asked_by(&csm(&["apac"]));
    assert_eq!(apac.check("selling", BY_TOP, &by_hand("region = 'apac'")).await.rows("selling"), [["c", "apac", "4"]]);
}

#[tokio::test]
async fn a_row_leads_to_its_top_as_to_any_other() {
    let everyone = desk().await;
    let document = r#"{ companies(first: 20, asOf: "2025-01-20") { nodes { companyId top { companyId owner { companyId } } } } }"#;
    let tops = |answer: &serde_json::Value| {
        let nodes = answer.as_array().expect("a list").clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        nodes.iter().map(|node| text(&node["companyId"]) + &text(&node["top"]["companyId"])).collect::<Vec<_>>().join(" ")
    };
    let answer = everyone.ask(document).await;
    assert_eq!(tops(answer.at("/data/companies/nodes")), "aa ba ca da e- ma ss uu x- y-");
    let later = everyone.ask(&document.replace("2025-01-20", "2025-02-01")).await;
    assert_eq!(tops(later.at("/data/companies/nodes")), "aa ba ca da e- ms ss uu x- y-");
    let emea = everyone.asked_by(&csm(&["emea"]));
    let restricted = emea.ask(&document.replace("2025-01-20", "2025-02-01")).await;
    assert_eq!(tops(restricted.at("/data/companies/nodes")), "aa ba dd ed mm uu x- y-");
}

/// Two companies of tenants of their own with the same number, each below an owner of its own.
const TENANTS: &str = "
project: tenants
version: 1
---
entity: company
source: company
key: [tenant, company_id]
dimensions: {name: string}
relationships:
  owner: {to: company, key: [tenant, owner_id]}
  top: {top_of: owner, levels: 2}
---
entity: sale
source: sale
key: sale_id
time: {day: {}}
relationships: {company: {to: company, key: [tenant, company_id]}}
measures: {amount: {sum: amount}}
---
metrics: {amount: {measure: sale.amount}}
---
view: selling
metrics: \"*\"
dimensions: [{name: top_tenant, path: company.top.tenant}, {name: top, path: company.top.name}]
";

#[tokio::test]
async fn a_key_of_two_columns_is_followed_as_a_whole() {
    let tables = [
        table(
            "company",
            "tenant text, company_id int, owner_id int, name text",
            "t 1 - north
             t 2 1 north-west
             t 3 2 north-west-shop
             u 1 - south
             u 2 1 south-east
             u 3 3 south-alone",
        ),
        table(
            "sale",
            "sale_id int, tenant text, company_id int, day date, amount decimal",
            "1 t 1 2025-01-10 1
             2 t 2 2025-01-10 2
             3 t 3 2025-01-10 4
             4 u 1 2025-01-10 8
             5 u 2 2025-01-10 16
             6 u 3 2025-01-10 32",
        ),
    ];
    let desk = Desk::open(definitions(TENANTS), &tables).await;
    let document = r#"{ selling(by: [{dimension: TOP_TENANT}, {dimension: TOP}], range: {between: {from: "2025-01-01", to: "2025-02-01"}}) { rows { topTenant top amount } } }"#;
    let by_hand = "select tenant,
                     case when company_id = 3 and tenant = 'u' then 'south-alone' when tenant = 'u' then 'south' else 'north' end as top,
                     sum(amount)
                   from sale group by 1, 2 order by 1, 2";
    let answer = desk.check("selling", document, by_hand).await;
    assert_eq!(answer.rows("selling"), [["t", "north", "7"], ["u", "south", "24"], ["u", "south-alone", "32"]]);
}
