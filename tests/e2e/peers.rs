//! Peers: each entity among the others of its group, on both engines against SQL written by hand, which compares every two of them.

use std::collections::BTreeMap;

use holdfast_schema::{query::Caller, source::SourceMap, value::Value};
use holdfast_tests::{
    desk::{Desk, definitions},
    tables::table,
};
use holdfast_warehouse::table::Table;

const PEERS: &str = include_str!("peers/use.yaml");

fn sources() -> SourceMap {
    definitions(PEERS)
}

/// Equal values, fractions and gaps; `a3` moves from small to big in February, `a8` is in no segment, `a9` is no known account.
fn tables() -> Vec<Table> {
    vec![
        table("tag", "tag_id int, account_id text, tag text", "1 a1 loud\n 2 a1 old\n 3 a6 loud\n 4 a8 old"),
        table("person", "person_id text, team text", "p1 north\n p2 south\n p3 -"),
        table(
            "account",
            "account_id text, valid_from date, valid_to date, name text, segment text, is_key bool, region text, person_id text",
            "a1 2024-01-01 - a1 small true emea p1
             a2 2024-01-01 - a2 small true emea p1
             a3 2024-01-01 2025-02-10 a3 small false apac p1
             a3 2025-02-10 - a3 big false apac p1
             a4 2024-01-01 - a4 small true apac p1
             a5 2024-01-01 - a5 big false emea p2
             a6 2024-01-01 - a6 big false apac p2
             a7 2024-01-01 - a7 big true emea p3
             a8 2024-01-01 - a8 - true emea -",
        ),
        table(
            "use_day",
            "use_id int, account_id text, product text, day date, amount decimal",
            "1  a1 core 2025-01-03 60
             2  a2 core 2025-01-20 55
             3  a3 core 2025-01-14 60.00
             4  a4 core 2025-01-31 70.25
             5  a5 core 2025-01-01 10
             6  a6 core 2025-01-05 20
             7  a7 plus 2025-01-30 0.5
             8  a8 plus 2025-01-09 99
             9  a9 core 2025-01-31 5
             10 a1 plus 2025-02-01 3
             11 a1 core 2025-02-15 4
             12 a2 core 2025-02-01 3
             13 a3 core 2025-02-01 12.5
             14 a3 plus 2025-02-27 1
             15 a4 core 2025-02-01 -
             16 a5 core 2025-02-01 1
             17 a6 core 2025-02-01 13.5
             18 -  core 2025-02-02 9
             19 a8 core 2025-02-03 4
             20 a1 core 2025-03-05 6
             21 a2 plus 2025-03-01 1000
             22 a4 plus 2025-03-12 2
             23 a4 plus 2025-03-13 0.000001
             24 a7 core 2025-03-01 7",
        ),
    ]
}

async fn desk() -> Desk {
    Desk::open(sources(), &tables()).await
}

/// Values `y` of accounts `a` in periods `p` (and within `w`), and their segments `g` at the last day of the period: every two compared.
fn compared(values: &str) -> String {
    format!(
        "with v as ({values}),
         known as (
           select v.*, account.segment as g from v
           join account on account.account_id = a and valid_from <= last and (valid_to is null or valid_to > last)
           where a is not null and y is not null and segment is not null),
         said as (
           select own.p, own.w, own.a, own.g, count(peer.a) as n,
                  round((100 * count(*) filter (where peer.y < own.y) + 50 * count(*) filter (where peer.y = own.y))::numeric
                        / nullif(count(peer.a), 0), 16) as standing,
                  own.y - (percentile_disc(0.5) within group (order by peer.y)
                           + percentile_disc(0.5) within group (order by peer.y desc)) / 2 as gap,
                  (percentile_disc(0.5) within group (order by peer.y) + percentile_disc(0.5) within group (order by peer.y desc)) / 2 as middle
           from known own left join known peer
             on peer.p = own.p and peer.w is not distinct from own.w and peer.g = own.g and peer.a <> own.a
           group by own.p, own.w, own.a, own.g, own.y),
         shown as (
           select v.p, v.w, v.a, v.y, g, n, case when n >= 2 then standing end as standing, case when n >= 2 then gap end as gap,
                  case when n >= 2 then middle end as middle
           from v left join said on said.a = v.a and said.p = v.p and said.w is not distinct from v.w)"
    )
}

const BY_MONTH: &str =
    "select date_trunc('month', day)::date as p, (date_trunc('month', day) + interval '1 month - 1 day')::date as last,
    null::text as w, account_id as a, sum(amount) as y from use_day group by 1, 2, 4";
const QUARTER: &str = "select date '2025-01-01' as p, date '2025-03-31' as last, null::text as w, account_id as a, sum(amount) as y
    from use_day group by account_id";
const Q1: &str = r#"range: {between: {from: "2025-01-01", to: "2025-04-01"}}"#;

#[tokio::test]
async fn each_month_has_its_peers() {
    let months = compared(BY_MONTH);
    desk()
        .await
        .check(
            "standings",
            &format!("{{ standings(by: [{{time: {{grain: MONTH}}}}, {{dimension: ACCOUNT}}], {Q1}) {{ rows {{ period(grain: MONTH) {{ start }} account {{ name }} used standing gap middle others }} }} }}"),
            // An account nobody knows has no name.
            &format!("{months} select p, case when a <> 'a9' then a end, y, standing, gap, middle, n from shown order by p, a nulls last"),
        )
        .await;
}

#[tokio::test]
async fn conditions_on_accounts_choose_who_is_shown_and_take_nobodys_peers_away() {
    let quarter = compared(QUARTER);
    let desk = desk().await;
    for (condition, check) in [
        (r#"{account: {in: ["a1", "a6"]}}"#, "a in ('a1', 'a6')"),
        (r#"{tag: {eq: "loud"}}"#, "a in ('a1', 'a6')"),
        (r#"{region: {eq: "emea"}}"#, "a in ('a1', 'a2', 'a5', 'a7', 'a8')"),
        (r#"{segment: {eq: "small"}, account: {ne: "a4"}}"#, "a in ('a1', 'a2')"),
        (r#"{or: [{name: {eq: "a7"}}, {account: {eq: "a2"}}]}"#, "a in ('a2', 'a7')"),
    ] {
        // `a3` was small when a part of it was used; that part is a row, but not of this check.
        let and = if condition.contains("segment") { r#", {name: {ne: "a3"}}"# } else { "" };
        desk.check(
            "standings",
            &format!("{{ standings(by: [{{dimension: ACCOUNT}}], {Q1}, where: {{and: [{condition}{and}]}}) {{ rows {{ account {{ id }} standing gap middle others }} }} }}").replace("account { id }", "account { name }"),
            &format!("{quarter} select a, standing, gap, middle, n from shown where {check} order by a"),
        )
        .await;
    }
}

#[tokio::test]
async fn what_belongs_to_an_account_divides_its_rows_and_not_its_peers() {
    // In the quarter `a3` was in two segments: both rows tell how the whole account stands in the one of the last day.
    let quarter = compared(QUARTER);
    desk()
        .await
        .check(
            "standings",
            &format!("{{ standings(by: [{{dimension: ACCOUNT}}, {{dimension: SEGMENT}}], {Q1}) {{ rows {{ account {{ name }} segment used standing others }} }} }}"),
            &format!(
                "{quarter}, parts as (
                   select use_day.account_id as a, segment, sum(amount) as part from use_day
                   left join account on account.account_id = use_day.account_id and valid_from <= day and (valid_to is null or valid_to > day)
                   group by 1, 2)
                 select case when parts.a <> 'a9' then parts.a end, segment, part, standing, n
                 from parts left join shown on shown.a = parts.a order by parts.a nulls last, segment nulls last"
            ),
        )
        .await;
}

#[tokio::test]
async fn other_groups_are_compared_within() {
    let products = compared(
        "select date '2025-01-01' as p, date '2025-03-31' as last, product as w, account_id as a, sum(amount) as y from use_day group by 3, 4",
    );
    desk()
        .await
        .check(
            "standings",
            &format!("{{ standings(by: [{{dimension: PRODUCT}}, {{dimension: ACCOUNT}}], {Q1}) {{ rows {{ product account {{ name }} used standing others }} }} }}"),
            &format!("{products} select w, case when a <> 'a9' then a end, y, standing, n from shown order by w, a nulls last"),
        )
        .await;
}

#[tokio::test]
async fn what_is_said_of_peers_is_counted_averaged_moved_and_followed() {
    let desk = desk().await;
    let quarter = compared(QUARTER);
    let answer = desk
        .check(
            "bySegment",
            &format!("{{ bySegment(by: [{{dimension: SEGMENT}}], {Q1}, where: {{segment: {{in: [\"big\", \"small\"]}}}}) {{ rows {{ segment behind typicalStanding }} totals {{ behind typicalStanding }} }} }}"),
            // Part of `a3` was used while it was small: it counts there as the account that it is.
            &format!(
                "{quarter}, of_segments as (
                   select distinct segment, account.account_id as a from use_day
                   join account on account.account_id = use_day.account_id and valid_from <= day and (valid_to is null or valid_to > day))
                 select segment, count(*) filter (where standing < 50), round(avg(standing), 16)
                 from of_segments join shown using (a) where segment is not null group by segment order by segment"
            ),
        )
        .await;
    let totals =
        desk.by_hand(&format!("{quarter} select count(*) filter (where standing < 50), round(avg(standing), 16) from shown")).await;
    assert_eq!(answer.totals("bySegment"), totals[0]);
    let months = compared(BY_MONTH);
    desk.check(
        "standings",
        r#"{ standings(by: [{time: {grain: MONTH}}, {dimension: ACCOUNT}], range: {between: {from: "2025-02-01", to: "2025-04-01"}}) { rows { period(grain: MONTH) { start } account { name } standing standingBefore } } }"#,
        &format!(
            "{months}, moved as (select (p + interval '1 month')::date as p, a, standing from shown)
             select p, case when a <> 'a9' then a end, s.standing, m.standing
             from (select * from shown where p >= date '2025-02-01') s full join (select * from moved where p < date '2025-04-01') m using (p, a)
             order by p, a nulls last"
        ),
    )
    .await;
    let months = compared(BY_MONTH);
    desk.check(
        "standings",
        r#"{ standings(by: [{dimension: ACCOUNT}], range: {between: {from: "2025-01-01", to: "2025-04-01"}}, having: {standingSlope: {isNull: false}}) { rows { account { name } standingSlope } } }"#,
        &format!(
            "{months}, points as (select a, extract(month from p) as x, standing as y from shown where standing is not null)
             select a, round((count(*) * sum(x * y) - sum(x) * sum(y)) / (count(*) * sum(x * x) - sum(x) * sum(x)), 16)
             from points group by a having count(*) > 1 order by a"
        ),
    )
    .await;
}

#[tokio::test]
async fn without_a_group_everybody_is_a_peer_and_groups_may_lie_beyond_a_relationship() {
    let desk = desk().await;
    desk.check(
        "standings",
        &format!("{{ standings(by: [{{dimension: ACCOUNT}}], {Q1}, having: {{useDays: {{gt: \"0\"}}}}) {{ rows {{ account {{ name }} useDays standingOfAll middleOfAll }} }} }}"),
        "with v as (select account_id as a, count(*) as y from use_day group by 1)
         select case when own.a <> 'a9' then own.a end, own.y,
                case when own.a is not null then round((100 * count(*) filter (where peer.y < own.y) + 50 * count(*) filter (where peer.y = own.y))::numeric / count(peer.a), 16) end,
                case when own.a is not null then (percentile_disc(0.5) within group (order by peer.y) + percentile_disc(0.5) within group (order by peer.y desc)) * 0.5 end
         from v own left join v peer on peer.a <> own.a group by own.a, own.y order by own.a nulls last",
    )
    .await;
    desk.check(
        "standings",
        &format!("{{ standings(by: [{{dimension: ACCOUNT}}], {Q1}) {{ rows {{ account {{ name }} standingInTeam }} }} }}"),
        "with v as (select account_id as a, sum(amount) as y from use_day group by 1),
              g as (select account_id as a, team, is_key from account join person using (person_id)
                    where valid_to is null and team is not null)
         select case when own.a <> 'a9' then own.a end,
                round((100 * count(*) filter (where peer.y < own.y) + 50 * count(*) filter (where peer.y = own.y))::numeric / nullif(count(peer.a), 0), 16)
         from v own left join g on g.a = own.a
         left join (select * from v join g using (a)) peer on peer.a <> own.a and peer.team = g.team and peer.is_key = g.is_key
         group by own.a, own.y order by own.a nulls last",
    )
    .await;
}

#[tokio::test]
async fn pages_totals_and_reasons() {
    let desk = desk().await;
    let page = desk
        .ask(&format!(
            "{{ accounts(first: 2, asOf: \"2025-04-01\", where: {{segment: {{eq: \"small\"}}}}, orderBy: [{{name: {{dir: ASC}}}}]) {{ nodes {{ name metrics({Q1}) {{ standing others }} }} }} }}"
        ))
        .await;
    let quarter = compared(QUARTER);
    let by_hand = desk.by_hand(&format!("{quarter} select standing, n from shown where a in ('a1', 'a2') order by a")).await;
    for (n, row) in by_hand.iter().enumerate() {
        let cells = holdfast_tests::answer::cells(page.at(&format!("/data/accounts/nodes/{n}/metrics")));
        assert_eq!(cells, *row, "{page:?}");
    }
    let answer = desk
        .ask(&format!("{{ standings(by: [{{dimension: ACCOUNT}}], {Q1}) {{ rows {{ account {{ name }} status {{ standing }} }} totals {{ standing usedToMiddle gapTwice standingSlope status {{ standing others usedToMiddle }} }} }} }}"))
        .await;
    let status: Vec<(String, String)> = answer.rows("standings").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let of = |name: &str| status.iter().find(|(known, _)| known == name).map(|(_, status)| status.as_str());
    // Two peers are enough; `a8` is in no segment.
    assert_eq!((of("a1"), of("a5"), of("a8")), (Some("null"), Some("null"), Some("NO_ROWS")), "{status:?}");
    assert_eq!(answer.totals("standings"), ["null", "null", "null", "null", "NOT_APPLICABLE", "NOT_APPLICABLE", "NULL_INPUT"]);
    let alone = desk
        .ask(&format!(
            "{{ standings(by: [{{dimension: ACCOUNT}}], {Q1}) {{ totals {{ standing others status {{ standing }} }} }} }}"
        ))
        .await;
    assert_eq!(alone.totals("standings"), ["null", "null", "NOT_APPLICABLE"]);
    let march = r#"range: {between: {from: "2025-03-01", to: "2025-04-01"}}"#;
    let answer = desk
        .ask(&format!("{{ standings(by: [{{dimension: ACCOUNT}}], {march}, where: {{account: {{eq: \"a7\"}}}}) {{ rows {{ standing others status {{ standing gap others }} }} }} }}"))
        .await;
    assert_eq!(answer.rows("standings"), [["null", "0", "SUPPRESSED", "SUPPRESSED", "null"]]);
    for question in ["by: [{dimension: SEGMENT}]", "by: []", "by: [{time: {grain: MONTH}}]"] {
        let refused = desk.ask(&format!("{{ standings({question}, {Q1}) {{ rows {{ standing }} }} }}")).await;
        assert_eq!(refused.codes(), ["E_UNSAFE_REAGGREGATION"], "{question}");
    }
}

#[tokio::test]
async fn whom_a_caller_may_not_see_is_nobodys_peer() {
    let regions = vec![Value::Text("emea".to_owned())];
    let csm =
        Caller { roles: vec!["csm".to_owned()], claims: BTreeMap::from([("regions".to_owned(), regions)]), ..Caller::default() };
    let desk = desk().await.asked_by(&csm);
    // `a1` and `a2` are each other's only peers, which is too few; so are `a5` and `a7`.
    let answer = desk
        .ask(&format!("{{ standings(by: [{{dimension: ACCOUNT}}], {Q1}) {{ rows {{ account {{ name }} standing others }} }} }}"))
        .await;
    let expected = [["a1", "null", "1"], ["a2", "null", "1"], ["a5", "null", "1"], ["a7", "null", "1"], ["a8", "null", "null"]];
    assert_eq!(answer.rows("standings"), expected);
    let desk = desk.asked_by(&Caller { roles: vec!["clerk".to_owned()], ..Caller::default() });
    let refused = desk.ask(&format!("{{ standings(by: [{{dimension: ACCOUNT}}], {Q1}) {{ rows {{ standing }} }} }}")).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
}

/// Customers see how they stand among all others, and nothing of any of these.
#[tokio::test]
async fn a_policy_may_let_everyone_count_as_a_peer() {
    let companies = vec![Value::Text("a1".to_owned()), Value::Text("a8".to_owned())];
    let customer = Caller {
        roles: vec!["customer".to_owned()],
        claims: BTreeMap::from([("companies".to_owned(), companies)]),
        ..Caller::default()
    };
    let by = "{time: {grain: MONTH}}, {dimension: ACCOUNT}";
    let values =
        "period(grain: MONTH) { start } account { name } used standing gap middle others standingBefore gapTwice usedToMiddle";
    let document = |by: &str, filter: &str, values: &str| {
        format!("{{ standings(by: [{by}], {Q1}{filter}) {{ rowCount rows {{ {values} }} }} }}")
    };
    let desk = desk().await;
    let everyone = desk.ask(&document(by, r#", where: {account: {in: ["a1", "a8"]}}"#, values)).await;
    let desk = desk.asked_by(&customer);
    let own = desk.ask(&document(by, "", values)).await;
    assert_eq!(own, everyone);
    assert!(own.rows("standings").iter().any(|row| row[4] != "null"), "{:#}", own.json);
    // What is counted over entities counts those that are there.
    let counted = desk.ask(&document("", "", "behind typicalStanding used")).await;
    let standing = desk.ask(&document("{dimension: ACCOUNT}", "", "account { name } standing")).await;
    assert_eq!(standing.rows("standings").len(), 2);
    assert_eq!(counted.rows("standings"), [["0", "50", "176"]]);
    let listed = desk.ask("{ accounts { totalCount } bySegment(by: [{dimension: SEGMENT}]) { rows { segment used } } }").await;
    assert_eq!(listed.at("/data/accounts/totalCount"), &2);
    assert_eq!(listed.rows("bySegment"), [["small", "73"], ["null", "103"]]);
}

#[tokio::test]
async fn what_the_largest_have_of_the_sum() {
    desk()
        .await
        .check(
            "bySegment",
            &format!("{{ bySegment(by: [{{time: {{grain: MONTH}}}}], {Q1}) {{ rows {{ period(grain: MONTH) {{ start }} topHalf }} }} }}"),
            "with v as (select date_trunc('month', day)::date as p, account_id as a, sum(amount) as y from use_day
                        where account_id is not null group by 1, 2),
                  placed as (select p, y, row_number() over (partition by p order by y desc) as place, count(*) over (partition by p) as n
                             from v where y is not null)
             select p, round(sum(y) filter (where place <= ceil(0.5 * n)) / sum(y), 16) from placed group by p order by p",
        )
        .await;
    let desk = desk().await;
    let answer = desk.ask(&format!("{{ bySegment(by: [], {Q1}) {{ totals {{ topHalf topDays }} }} }}")).await;
    let by_hand = desk
        .by_hand(
            "with v as (select account_id as a, sum(amount) as y, count(*) as d from use_day where account_id is not null group by 1),
                  sums as (select y, row_number() over (order by y desc nulls last) as place, count(y) over () as n from v),
                  days as (select d, row_number() over (order by d desc) as place, count(*) over () as n from v where d > 1)
             select (select round(sum(y) filter (where place <= ceil(0.5 * n)) / sum(y), 16) from sums),
                    (select round(sum(d) filter (where place <= ceil(0.4 * n)) / sum(d), 16) from days where n >= 4)",
        )
        .await;
    assert_eq!(answer.totals("bySegment"), by_hand[0]);
}
