//! Conditions of lists on the rows that they lead to, on both warehouses against SQL written by hand: there is one, and it fulfils
//! them. What is not there for a caller: `policies/related.rs`.

use holdfast_tests::{
    answer::cells,
    desk::{Desk, definitions, without_cache},
    tables::table,
};
use holdfast_warehouse::table::Table;

use crate::cases::SHIPPED;

const DEFINITIONS: &str = "
project: related
version: 1
---
entity: account
source: account
key: account_id
dimensions: {name: string, tier: int}
relationships:
  parent: {to: account, key: parent_id}
  top: {top_of: parent, levels: 2}
  team: {to: team, key: team_id}
  detail: {to: account_detail, key: account_id, unique: true}
  contracts: {to: contract, key: account_id, many: true}
---
entity: account_detail
source: account_detail
key: account_id
dimensions: {note: string}
---
entity: division
source: division
key: [country, division_id]
dimensions: {name: string}
---
entity: team
source: team
key: team_id
valid: {from: valid_from, to: valid_to, recorded: recorded_at}
dimensions: {region: {values: [emea, apac]}, country: {type: string, hidden: true}}
relationships: {division: {to: division, key: [country, division_id]}}
---
entity: contract
source: contract
key: contract_id
dimensions: {stage: string}
relationships: {account: {to: account, key: account_id}, payer: {to: account, key: payer_id}}
---
entity: balance
source: balance
key: [account_id, month]
time: {month: {grain: month, snapshot: end_of_period}}
relationships: {account: {to: account, key: account_id}}
measures: {mrr: {sum: mrr, over_time: last}}
---
metrics: {mrr: {measure: balance.mrr}}
---
view: portfolio
metrics: [mrr]
dimensions: [account]
---
segments:
  large: {entity: account, where: tier >= 3}
";

/// `a5` is its own parent, that of `a7` is not known; the team of `a6` is not known, that of `a2` changes its region in February and
/// that of `a4` its division, which became known in March.
fn tables() -> Vec<Table> {
    vec![
        table(
            "account",
            "account_id text, parent_id text, team_id text, name text, tier int",
            "a1 -  t1 Alder 3
             a2 a1 t2 Birch 2
             a3 a1 -  Cedar 3
             a4 a3 t3 Dogwood -
             a5 a5 t1 Elm 1
             a6 a3 t9 - 3
             a7 a9 t2 Fir -
             a8 a6 -  Gum 2",
        ),
        table("account_detail", "account_id text, note text", "a1 large\na3 -\na4 small"),
        table("division", "country text, division_id int, name text", "de 1 North\nde 2 South\nfr 1 West"),
        table(
            "team",
            "team_id text, valid_from date, valid_to date, region text, country text, division_id int, recorded_at timestamp",
            "t1 2025-01-01 - emea de 1 2025-01-01T00:00:00Z
             t2 2025-01-01 2025-02-01 emea de 2 2025-01-01T00:00:00Z
             t2 2025-02-01 - apac - 2 2025-02-01T00:00:00Z
             t3 2025-01-01 - apac de 2 2025-01-01T00:00:00Z
             t3 2025-01-01 - apac fr 1 2025-03-01T00:00:00Z",
        ),
        table(
            "contract",
            "contract_id text, account_id text, payer_id text, stage text",
            "c1 a1 a3 signed
             c2 a2 a1 signed
             c3 a3 a1 draft
             c4 a4 a6 draft
             c5 a5 -  signed
             c6 -  a4 draft
             c7 a4 a8 -
             c8 a6 a2 signed
             c9 a3 -  draft",
        ),
        table("balance", "account_id text, month date, mrr decimal", "a2 2025-12-31 5\na3 2025-12-31 7\na4 2025-12-31 5"),
    ]
}

/// Accounts with what is above them.
const ACCOUNTS: &str = "select a.account_id from account a
    left join account p on p.account_id = a.parent_id left join account g on g.account_id = p.parent_id";

/// Contracts with those whose they are, and who pays.
const CONTRACTS: &str = "select c.contract_id from contract c left join account a on a.account_id = c.account_id
    left join account p on p.account_id = c.payer_id left join account o on o.account_id = a.parent_id";

/// What may be asked of related rows, and which rows have such, in SQL.
const CONDITIONS: &[(&str, &str, &str)] = &[
    ("accounts", r#"{parent: {name: {eq: "Alder"}}}"#, "p.name = 'Alder'"),
    ("accounts", r#"{parent: {}}"#, "p.account_id is not null"),
    ("accounts", r#"{not: {parent: {}}}"#, "p.account_id is null"),
    ("accounts", r#"{parent: null}"#, "true"),
    ("accounts", r#"{not: {parent: null}}"#, "true"),
    ("accounts", r#"{parent: {not: {name: {eq: "Alder"}}}}"#, "p.name <> 'Alder'"),
    // A name that is not known is not known to be another; where nobody is, nobody has the name.
    ("accounts", r#"{not: {parent: {name: {eq: "Alder"}}}}"#, "p.account_id is null or p.name <> 'Alder'"),
    ("accounts", r#"{not: {parent: {name: {isNull: true}}}}"#, "p.account_id is null or p.name is not null"),
    ("accounts", r#"{parent: {name: {isNull: true}}}"#, "p.account_id is not null and p.name is null"),
    ("accounts", r#"{parent: {name: {ne: "Alder"}}, tier: {gte: 2}}"#, "p.name <> 'Alder' and a.tier >= 2"),
    ("accounts", r#"{parent: {id: {eq: "a3"}}}"#, "p.account_id = 'a3'"),
    ("accounts", r#"{parent: {id: {in: ["account:a3", "a9"]}}}"#, "p.account_id in ('a3', 'a9')"),
    ("accounts", r#"{parent: {id: {notIn: ["a3"]}}}"#, "p.account_id <> 'a3'"),
    ("accounts", r#"{not: {parent: {id: {in: ["a3"]}}}}"#, "p.account_id is null or p.account_id <> 'a3'"),
    ("accounts", r#"{parent: {parent: {name: {startsWith: "A"}}}}"#, "g.name like 'A%'"),
    ("accounts", r#"{parent: {not: {parent: {}}}}"#, "p.account_id is not null and g.account_id is null"),
    ("accounts", r#"{not: {parent: {parent: {tier: {gt: 1}}}}}"#, "g.account_id is null or g.tier <= 1"),
    ("accounts", r#"{parent: {inSegment: [LARGE]}}"#, "p.tier >= 3"),
    ("accounts", r#"{not: {inSegment: [LARGE]}, parent: {inSegment: [LARGE]}}"#, "a.tier < 3 and p.tier >= 3"),
    ("accounts", r#"{or: [{parent: {name: {eq: "Cedar"}}}, {name: {eq: "Elm"}}]}"#, "p.name = 'Cedar' or a.name = 'Elm'"),
    ("accounts", r#"{or: [{parent: {tier: {lt: 3}}}, {not: {parent: {}}}]}"#, "p.tier < 3 or p.account_id is null"),
    (
        "accounts",
        r#"{parent: {and: [{name: {ne: "Alder"}}, {or: [{tier: {eq: 3}}, {parent: {name: {eq: "Elm"}}}]}]}}"#,
        "p.name <> 'Alder' and (p.tier = 3 or g.name = 'Elm')",
    ),
    ("accounts", r#"{detail: {note: {isNull: true}}}"#, "a.account_id = 'a3'"),
    ("accounts", r#"{not: {detail: {}}}"#, "a.account_id not in ('a1', 'a3', 'a4')"),
    // Above `a8` are three, one more than `levels`: its top is not known.
    ("accounts", r#"{top: {name: {eq: "Alder"}}}"#, "a.account_id in ('a1', 'a2', 'a3', 'a4', 'a6')"),
    ("accounts", r#"{not: {top: {}}}"#, "a.account_id = 'a8'"),
    ("contracts", r#"{account: {tier: {eq: 3}}}"#, "a.tier = 3"),
    ("contracts", r#"{payer: {tier: {eq: 3}}}"#, "p.tier = 3"),
    (
        "contracts",
        r#"{account: {tier: {eq: 3}}, not: {payer: {tier: {eq: 3}}}}"#,
        "a.tier = 3 and (p.account_id is null or p.tier <> 3)",
    ),
    ("contracts", r#"{account: {parent: {name: {eq: "Cedar"}}}, stage: {eq: "draft"}}"#, "o.name = 'Cedar' and c.stage = 'draft'"),
    ("contracts", r#"{not: {account: {}}}"#, "c.account_id is null"),
    (
        "contracts",
        r#"{or: [{not: {payer: {}}}, {payer: {parent: {parent: {}}}}]}"#,
        "c.payer_id is null or c.payer_id in ('a4', 'a6', 'a8')",
    ),
];

fn document(list: &str, arguments: &str) -> String {
    let key = if list == "accounts" { "accountId" } else { "contractId" };
    format!("{{ {list}({arguments}) {{ totalCount nodes {{ {key} }} }} }}")
}

#[tokio::test]
async fn there_is_a_related_row_that_fulfils_a_condition() {
    let desk = Desk::open(definitions(DEFINITIONS), &tables()).await;
    for (list, condition, by_hand) in CONDITIONS {
        let answer = desk.ask(&document(list, &format!("first: 50, where: {condition}"))).await;
        assert_eq!(answer.codes(), [""; 0], "{condition}: {:#}", answer.json);
        let from = if *list == "accounts" { ACCOUNTS } else { CONTRACTS };
        let rows = desk.by_hand(&format!("{from} where {by_hand} order by 1")).await.concat();
        assert_eq!(cells(answer.at(&format!("/data/{list}/nodes"))), rows, "{condition}");
        assert_eq!(answer.at(&format!("/data/{list}/totalCount")), rows.len(), "{condition}");
        assert!(!rows.is_empty(), "{condition} finds something");
    }
}

#[tokio::test]
async fn related_rows_are_those_of_the_day_as_known_then() {
    let desk = Desk::open(definitions(DEFINITIONS), &tables()).await;
    let known = "2025-02-15T00:00:00Z";
    for (day, as_known_at) in [("2024-12-31", None), ("2025-01-31", None), ("2025-02-01", None), ("2025-02-01", Some(known))] {
        for (condition, by_hand) in [
            ("{team: {}}", "t.team_id is not null"),
            ("{not: {team: {}}}", "t.team_id is null"),
            ("{team: {region: {eq: EMEA}}}", "t.region = 'emea'"),
            ("{not: {team: {region: {eq: EMEA}}}}", "t.team_id is null or t.region <> 'emea'"),
            (r#"{team: {division: {name: {in: ["South", "West"]}}}}"#, "d.name in ('South', 'West')"),
            (r#"{team: {division: {id: {eq: "de:2"}}}}"#, "d.name = 'South'"),
            ("{team: {not: {division: {}}}}", "t.team_id is not null and d.name is null"),
            (
                r#"{parent: {team: {division: {name: {eq: "North"}}}}}"#,
                "a.parent_id in ('a1', 'a5') and date '{day}' >= '2025-01-01'",
            ),
        ] {
            let known = as_known_at.map(|known| format!(", asKnownAt: \"{known}\"")).unwrap_or_default();
            let answer = desk.ask(&document("accounts", &format!("first: 50, asOf: \"{day}\"{known}, where: {condition}"))).await;
            assert_eq!(answer.codes(), [""; 0], "{condition}: {:#}", answer.json);
            let sql = format!(
                "select a.account_id from account a
                 left join (select distinct on (team_id, valid_from) * from team where recorded_at <= '{}'
                            order by team_id, valid_from, recorded_at desc) t
                   on t.team_id = a.team_id and t.valid_from <= '{day}' and (t.valid_to is null or t.valid_to > '{day}')
                 left join division d on d.country = t.country and d.division_id = t.division_id
                 where {} order by 1",
                as_known_at.unwrap_or("2100-01-01"),
                by_hand.replace("{day}", day)
            );
            assert_eq!(cells(answer.at("/data/accounts/nodes")), desk.by_hand(&sql).await.concat(), "{day} {known} {condition}");
        }
    }
}

#[tokio::test]
async fn conditions_hold_below_rows_beside_cursors_and_with_metrics() {
    let desk = Desk::open(definitions(DEFINITIONS), &tables()).await;
    let below = desk
        .ask("{ accounts(first: 50) { nodes { accountId contracts(first: 5, where: {payer: {tier: {eq: 3}}}) { totalCount nodes { contractId } } } } }")
        .await;
    let by_hand = "select a.account_id, (select count(*) from contract c join account p on p.account_id = c.payer_id where c.account_id = a.account_id and p.tier = 3),
                     (select min(c.contract_id) from contract c join account p on p.account_id = c.payer_id where c.account_id = a.account_id and p.tier = 3)
                   from account a order by 1";
    let expected: Vec<String> = desk.by_hand(by_hand).await.concat().into_iter().filter(|cell| cell != "null").collect();
    assert_eq!(cells(below.at("/data/accounts/nodes")), expected);

    // A cursor is one of the list's order, whichever rows are chosen.
    let page = |arguments: &str| {
        format!("{{ accounts({arguments}) {{ edges {{ cursor node {{ accountId }} }} pageInfo {{ hasNextPage endCursor }} }} }}")
    };
    let whole = desk.ask(&page("first: 50")).await;
    let cursors = cells(whole.at("/data/accounts/edges"));
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let answer = desk.ask(&page(&format!("first: 2, where: {{parent: {{tier: {{gte: 3}}}}}}{after}"))).await;
        for edge in answer.at("/data/accounts/edges").as_array().expect("a list") {
            let edge = cells(edge);
            assert!(cursors.chunks(2).any(|known| known == edge), "{edge:?}");
            found.push(edge[1].clone());
        }
        if answer.at("/data/accounts/pageInfo/hasNextPage") == false {
            break;
        }
        after = format!(", after: {}", answer.at("/data/accounts/pageInfo/endCursor"));
    }
    assert_eq!(found, ["a2", "a3", "a4", "a6", "a8"]);

    let metrics = r#"metrics: {range: {between: {from: "2025-12-01", to: "2026-01-01"}}}, having: {mrr: {gte: "5"}},
                     orderBy: [{metrics: {mrr: {dir: DESC}}}], where: {parent: {name: {ne: "Cedar"}}}"#;
    let answer = desk.ask(&document("accounts", metrics)).await;
    assert_eq!(cells(answer.at("/data/accounts")), ["2", "a3", "a2"]);
}

#[tokio::test]
async fn a_list_follows_so_many_relationships_and_no_more() {
    let desk = Desk::open(definitions(DEFINITIONS), &tables()).await;
    let nested = |times: usize| format!("{}{{}}{}", "{parent: ".repeat(times), "}".repeat(times));
    let answer = desk.ask(&document("accounts", &format!("where: {}", nested(16)))).await;
    assert_eq!(cells(answer.at("/data/accounts")), ["1", "a5"], "its own parent: {:#}", answer.json);
    let refused = desk.ask(&document("accounts", &format!("where: {}", nested(17)))).await;
    assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{:#}", refused.json);
    let tops = r#"where: {top: {top: {top: {top: {}}}}}"#;
    let answer = desk.ask(&document("accounts", tops)).await;
    assert_eq!(answer.at("/data/accounts/totalCount"), 7, "{:#}", answer.json);
    let refused = desk.ask(&document("accounts", r#"where: {top: {top: {top: {top: {top: {}}}}}}"#)).await;
    assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{:#}", refused.json);
    // Fields that lead to many rows are none of conditions.
    let many = desk.ask(&document("accounts", "where: {contracts: {}}")).await;
    assert_eq!(many.codes(), ["GRAPHQL_VALIDATION_FAILED"], "{:#}", many.json);
}

#[tokio::test]
async fn shipped_lists_are_chosen_by_what_their_rows_belong_to() {
    let desk = Desk::with(&SHIPPED, &holdfast_server::demo::portfolio(), &without_cache()).await;
    let answer = desk
        .ask(
            r#"{ valueComponents(asOf: "2026-01-01", where: {account: {segment: {eq: ENTERPRISE}}}) { totalCount }
                 accounts(asOf: "2026-01-01", where: {parent: {region: {ne: EMEA}}}) { totalCount } }"#,
        )
        .await;
    let now = |table: &str, key: &str| {
        format!(
            "(select * from (select distinct on ({key}, valid_from) * from {table} order by {key}, valid_from, recorded_at desc) v
              where valid_from <= '2026-01-01' and (valid_to is null or valid_to > '2026-01-01'))"
        )
    };
    let (accounts, components) = (now("account", "account_id"), now("value_component", "component_id"));
    let by_hand = format!(
        "select (select count(*) from {components} c join {accounts} a on a.account_id = c.account_id where a.segment = 'enterprise'),
                (select count(*) from {accounts} a join {accounts} p on p.account_id = a.parent_account_id where p.region <> 'emea')"
    );
    let found = cells(answer.at("/data"));
    assert_eq!(found, desk.by_hand(&by_hand).await.concat(), "{:#}", answer.json);
    assert!(found.iter().all(|count| count != "0"), "{found:?}");
}
