//! Conditions on related rows tell nothing of what is not there for the caller, whichever way leads to it.

use holdfast_schema::query::Caller;
use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;
use jiff::civil::date;

use super::{csm, restricted_and_smaller};

const DEFINITIONS: &str = "
project: related
version: 1
---
entity: account
source: account
key: account_id
dimensions: {name: string, region: string, tax_number: string, secret: string}
relationships:
  parent: {to: account, key: parent_id}
  top: {top_of: parent, levels: 3}
  contracts: {to: contract, key: account_id, many: true}
---
entity: contract
source: contract
key: contract_id
dimensions: {stage: string}
relationships: {account: {to: account, key: account_id}, payer: {to: account, key: payer_id}}
---
entity: line
source: line
key: line_id
relationships: {contract: {to: contract, key: contract_id}, moved_from: {to: contract, key: moved_from_id}}
---
segments:
  northern: {entity: account, where: region = 'emea'}
  secretive: {entity: account, where: secret = 'x'}
  taxed: {entity: account, where: tax_number = '33'}
---
policies:
  own_regions: {applies_to: account, roles: csm, rows: region in claims.regions, hide: secret, mask: [tax_number]}
";

/// Of the accounts `a3` and `a6` are not there for those who see `emea`, and with an account what belongs to it is not: `c3` and `l3`.
fn tables(regions: &[&str]) -> Vec<Table> {
    let only = |rows: &str| {
        let is_kept = |row: &&str| row.split_whitespace().next_back().is_some_and(|region| regions.contains(&region));
        rows.lines().filter(is_kept).collect::<Vec<_>>().join("\n")
    };
    vec![
        table(
            "account",
            "account_id text, parent_id text, name text, tax_number text, secret text, region text",
            &only(
                "a1 -  Alder 11 x emea
                 a2 a1 Birch 22 y emea
                 a3 a1 Cedar 33 x apac
                 a4 a3 Dogwood 44 z emea
                 a5 a5 Elm 55 z emea
                 a6 a3 - 66 z apac
                 a7 a9 Fir - - emea",
            ),
        ),
        table(
            "contract",
            "contract_id text, account_id text, payer_id text, stage text, owned_in text",
            &only(
                "c1 a1 a3 signed emea
                 c2 a2 a1 signed emea
                 c3 a3 a1 draft apac
                 c4 a4 a6 draft emea
                 c5 a5 -  signed emea",
            ),
        ),
        table(
            "line",
            "line_id text, contract_id text, moved_from_id text, owned_in text",
            &only(
                "l1 c1 c3 emea
                 l2 c2 c1 emea
                 l3 c3 c2 apac
                 l4 c4 -  emea",
            ),
        ),
    ]
}

const CONDITIONS: &[(&str, &str)] = &[
    ("accounts", r#"{parent: {region: {eq: "apac"}}}"#),
    ("accounts", r#"{parent: {region: {ne: "emea"}}}"#),
    ("accounts", r#"{not: {parent: {region: {eq: "emea"}}}}"#),
    ("accounts", r#"{parent: {name: {eq: "Cedar"}}}"#),
    ("accounts", r#"{parent: {name: {isNull: true}}}"#),
    ("accounts", r#"{parent: {id: {eq: "a3"}}}"#),
    ("accounts", r#"{not: {parent: {id: {eq: "a3"}}}}"#),
    ("accounts", r#"{parent: {}}"#),
    ("accounts", r#"{not: {parent: {}}}"#),
    ("accounts", r#"{parent: {parent: {}}}"#),
    ("accounts", r#"{parent: {parent: {name: {eq: "Alder"}}}}"#),
    ("accounts", r#"{parent: {inSegment: [NORTHERN]}}"#),
    ("accounts", r#"{not: {parent: {inSegment: [NORTHERN]}}}"#),
    ("accounts", r#"{top: {name: {eq: "Alder"}}}"#),
    ("accounts", r#"{top: {name: {eq: "Dogwood"}}}"#),
    ("accounts", r#"{or: [{parent: {name: {eq: "Cedar"}}}, {name: {eq: "Elm"}}]}"#),
    ("contracts", r#"{account: {region: {eq: "apac"}}}"#),
    ("contracts", r#"{account: {parent: {name: {eq: "Cedar"}}}}"#),
    ("contracts", r#"{payer: {}}"#),
    ("contracts", r#"{not: {payer: {}}}"#),
    ("contracts", r#"{payer: {name: {eq: "Cedar"}}}"#),
    ("contracts", r#"{payer: {inSegment: [NORTHERN]}}"#),
    ("contracts", r#"{not: {payer: {name: {eq: "Cedar"}}}, stage: {eq: "signed"}}"#),
    ("lines", r#"{movedFrom: {}}"#),
    ("lines", r#"{not: {movedFrom: {}}}"#),
    ("lines", r#"{movedFrom: {stage: {eq: "draft"}}}"#),
    ("lines", r#"{movedFrom: {account: {name: {eq: "Cedar"}}}}"#),
    ("lines", r#"{movedFrom: {payer: {region: {eq: "apac"}}}}"#),
    ("lines", r#"{contract: {payer: {id: {eq: "a3"}}}}"#),
    ("lines", r#"{not: {contract: {payer: {}}}}"#),
];

fn document(list: &str, condition: &str) -> String {
    format!("{{ {list}(first: 50, where: {condition}) {{ totalCount nodes {{ id }} }} }}")
}

#[tokio::test]
async fn what_is_not_there_for_the_caller_is_no_related_row() {
    let everything = tables(&["emea", "apac"]);
    let open = Desk::open(definitions(DEFINITIONS), &everything).await;
    let (restricted, smaller) = restricted_and_smaller(DEFINITIONS, &["emea"], &everything, &tables(&["emea"])).await;
    let mut differ = 0;
    for (list, condition) in CONDITIONS {
        let document = document(list, condition);
        let (found, expected) = (restricted.ask(&document).await, smaller.ask(&document).await);
        assert!(expected.codes().is_empty(), "{document} {:#}", expected.json);
        assert_eq!(found, expected, "{document}");
        differ += usize::from(open.ask(&document).await != expected);
    }
    assert!(differ > CONDITIONS.len() / 2, "{differ} conditions are about what is not there");
    let below = "{ accounts(first: 50) { nodes { id contracts(first: 5, where: {not: {payer: {}}}) { nodes { id } } } } }";
    assert_eq!(restricted.ask(below).await, smaller.ask(below).await);
}

/// Names and values of hidden and masked dimensions are refused as they are in conditions on the row itself.
#[tokio::test]
async fn what_is_hidden_or_masked_is_so_in_related_rows_too() {
    let restricted = Desk::open(definitions(DEFINITIONS), &tables(&["emea", "apac"])).await.asked_by(&csm(&["emea", "apac"]));
    for member in [r#"secret: {eq: "x"}"#, r#"taxNumber: {eq: "33"}"#, "inSegment: [TAXED]", "inSegment: [SECRETIVE]"] {
        let own = restricted.ask(&document("accounts", &format!("{{{member}}}"))).await;
        assert_eq!(own.codes().len(), 1, "{member}: {:#}", own.json);
        for (list, condition) in [
            ("accounts", format!("{{parent: {{{member}}}}}")),
            ("accounts", format!("{{not: {{top: {{{member}}}}}}}")),
            ("contracts", format!("{{or: [{{payer: {{parent: {{{member}}}}}}}, {{account: {{}}}}]}}")),
        ] {
            let answer = restricted.ask(&document(list, &condition)).await;
            assert_eq!(answer.codes(), own.codes(), "{condition}: {:#}", answer.json);
        }
    }
}

/// Versions of teams; the one of today decides whether a team is there.
const TEAMS: &str = "
project: teams
version: 1
---
entity: team
source: team
key: team_id
valid: {from: valid_from, to: valid_to}
dimensions: {region: string}
---
entity: plan
source: plan
key: plan_id
relationships: {team: {to: team, key: team_id}, former: {to: team, key: former_id}}
---
policies:
  own_regions: {applies_to: team, roles: csm, rows: region in claims.regions}
";

/// `t1` was in `emea` and `t2` in `apac`, and they changed places; for those who see `emea` there is `t2`, whenever it is looked at.
fn teams(is_whole: bool) -> Vec<Table> {
    let only = |rows: &str| {
        rows.lines()
            .filter(|row| is_whole || !row.ends_with('!'))
            .map(|row| row.trim_end_matches('!'))
            .collect::<Vec<_>>()
            .join("\n")
    };
    vec![
        table(
            "team",
            "team_id text, valid_from date, valid_to date, region text",
            &only(
                "t1 2025-01-01 2025-06-01 emea!
                 t1 2025-06-01 - apac!
                 t2 2025-01-01 2025-06-01 apac
                 t2 2025-06-01 - emea
                 t3 2025-01-01 - emea",
            ),
        ),
        table(
            "plan",
            "plan_id text, team_id text, former_id text",
            &only(
                "p1 t3 t1
                 p2 t3 t2
                 p3 t2 -
                 p4 t1 t3!",
            ),
        ),
    ]
}

#[tokio::test]
async fn the_version_of_today_decides_on_whatever_day_related_rows_are_read() {
    let (restricted, smaller) = restricted_and_smaller(TEAMS, &["emea"], &teams(true), &teams(false)).await;
    let restricted = restricted.asked_by(&Caller { today: date(2026, 1, 15), ..csm(&["emea"]) });
    let mut found = Vec::new();
    for day in ["2025-03-01", "2025-09-01"] {
        for condition in [
            "{former: {}}",
            "{not: {former: {}}}",
            r#"{former: {region: {eq: "emea"}}}"#,
            r#"{former: {region: {eq: "apac"}}}"#,
            r#"{team: {region: {eq: "apac"}}}"#,
            r#"{not: {team: {region: {eq: "apac"}}}}"#,
        ] {
            let document =
                format!("{{ plans(first: 50, asOf: \"{day}\", where: {condition}) {{ totalCount nodes {{ planId }} }} }}");
            let (answer, expected) = (restricted.ask(&document).await, smaller.ask(&document).await);
            assert!(expected.codes().is_empty(), "{document} {:#}", expected.json);
            assert_eq!(answer, expected, "{document}");
            found.push(answer.at("/data/plans/totalCount").as_u64().expect("a number"));
        }
    }
    assert_eq!(found, [1, 2, 0, 1, 1, 2, 1, 2, 1, 0, 0, 3]);
}
