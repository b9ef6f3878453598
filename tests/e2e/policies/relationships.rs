//! What is hidden or masked is not told by a relationship whose rows meet by it: neither as the key of the other side, nor as a group, a
//! condition or an order along the way there.

use std::sync::Arc;

use holdfast_schema::{
    query::{
        Caller, Comparator, Direction, EntityMetrics, EntityOrderBy, EntityOrderKey, EntityQuery, Filter, MetricQuery,
        MetricSelection, Page, Parents, QueryErrorCode, Scope, bind, bind_entities, hidden_from,
    },
    value::Value,
};
use holdfast_tests::{
    desk::{Desk, api, definitions, model, without_cache},
    tables::table,
};
use holdfast_warehouse::table::Table;

const DEFINITIONS: &str = "
project: relationships
version: 1
---
entity: rank
source: rank
key: rank_id
dimensions: {rank_id: string, pay: int}
relationships: {members: {to: person, many: true, key: rank_id}}
---
entity: town
source: town
key: town_id
dimensions: {town_id: string, country: string}
---
entity: language
source: language
key: language_id
dimensions: {language_id: string, script: string}
---
entity: speaker
source: speaker
key: speaker_id
dimensions: {speaker_id: string, language_name: {column: language_id}}
---
entity: person
source: person
key: person_id
dimensions:
  person_id: string
  name: string
  rank_id: string
  town: {column: town_id}
  loud_town: {expr: upper(town_id)}
  loud_id: {expr: upper(person_id)}
  boss: {column: boss_id}
relationships:
  held_rank: {to: rank, key: rank_id}
  home: {to: town, key: town_id}
  superior: {to: person, key: boss_id}
  head: {top_of: superior, levels: 2}
  languages: {to: language, through: {entity: speaker, key: person_id, other_key: language_id}}
measures: {people: {count: rows, over_time: as_of}}
---
metrics:
  people: {measure: person.people}
---
view: staff
metrics: [people]
dimensions: [person, person.name, rank, rank.pay, town, town.country, {path: person.head.name, name: head_name}]
---
segments:
  well_paid: {entity: person, where: held_rank.pay > 5}
  at_home: {entity: person, where: home.country = 'de'}
---
rules:
  crowded: {per: rank, when: people > 1, at: as_of}
  busy: {per: town, when: people > 1, at: as_of}
---
policies:
  without_rank: {applies_to: person, roles: guest, hide: rank_id}
  without_boss: {applies_to: person, roles: worker, mask: boss}
  without_loudness: {applies_to: person, roles: quiet, hide: [loud_town, loud_id]}
  without_language: {applies_to: speaker, roles: mute, mask: language_name}
  without_town: {applies_to: person, roles: stranger, hide: town, mask: loud_town}
";

fn tables() -> Vec<Table> {
    vec![
        table("rank", "rank_id text, pay int", "high 9\nlow 1"),
        table("town", "town_id text, country text", "bonn de\nbern ch"),
        table("language", "language_id text, script text", "de latin"),
        table("speaker", "speaker_id text, person_id text, language_id text", "s1 p1 de"),
        table(
            "person",
            "person_id text, name text, rank_id text, town_id text, boss_id text",
            "p1 ann high bonn -\np2 bob low bern p1\np3 cid low bonn p2",
        ),
    ]
}

fn caller(role: &str) -> Caller {
    Caller { roles: vec![role.to_owned()], ..Caller::default() }
}

/// What somebody of a role asks: their own surface, as the server chooses it.
async fn desk_of(role: &str) -> Desk {
    let model = model(definitions(DEFINITIONS));
    let caller = caller(role);
    let hidden = hidden_from(&model, &caller);
    Desk::with(&Arc::new(api(&model).without(hidden)), &tables(), &without_cache()).await.asked_by(&caller)
}

/// What is asked, and which roles may not.
const QUESTIONS: [(&str, &[&str]); 22] = [
    ("{ persons { nodes { name heldRank { rankId } } } }", &["guest"]),
    ("{ person(id: \"p1\") { heldRank { id } } }", &["guest"]),
    ("{ node(id: \"person:p1\") { ... on Person { heldRank { id } } } }", &["guest"]),
    (
        "{ _entities(representations: [{__typename: \"Person\", id: \"person:p1\"}]) { ... on Person { heldRank { id } } } }",
        &["guest"],
    ),
    ("{ ranks { nodes { rankId members { nodes { name } } } } }", &["guest"]),
    ("{ ranks { nodes { rankId members(first: 1) { totalCount } } } }", &["guest"]),
    ("{ ranks { nodes { rankId metrics { people } } } }", &["guest"]),
    ("{ ranks(having: {people: {gt: \"1\"}}) { totalCount } }", &["guest"]),
    ("{ ranks { nodes { signals { severity } } } }", &["guest"]),
    ("{ staff(by: [{dimension: RANK}]) { rows { rank { rankId } people } } }", &["guest"]),
    ("{ staff(by: [{dimension: PERSON}, {dimension: PAY}]) { rows { person { name } pay people } } }", &["guest"]),
    ("{ staff(by: [], where: {pay: {gt: \"5\"}}) { rows { people } } }", &["guest"]),
    ("{ staff(by: [{dimension: PAY}], orderBy: [{pay: {dir: ASC}}]) { rows { pay people } } }", &["guest"]),
    ("{ persons(where: {inSegment: [WELL_PAID]}) { totalCount } }", &["guest"]),
    ("{ persons { nodes { name superior { name } } } }", &["worker"]),
    ("{ persons { nodes { name head { name } } } }", &["worker"]),
    ("{ staff(by: [{dimension: PERSON}, {dimension: HEAD_NAME}]) { rows { headName people } } }", &["worker"]),
    ("{ persons { nodes { name home { townId } } } }", &["stranger"]),
    ("{ persons(where: {inSegment: [AT_HOME]}) { totalCount } }", &["stranger"]),
    ("{ staff(by: [{dimension: TOWN}]) { rows { town { country } people } } }", &["stranger"]),
    ("{ persons { nodes { name languages { nodes { script } } } } }", &["mute"]),
    ("{ persons { nodes { personId name } } ranks { nodes { pay } } speakers { nodes { speakerId } } }", &[]),
];

#[tokio::test]
async fn nothing_is_told_along_a_relationship_by_what_may_not_be_read() {
    for role in ["", "guest", "worker", "quiet", "mute", "stranger"] {
        let desk = desk_of(role).await;
        for (document, refused_to) in QUESTIONS {
            let answer = desk.ask(document).await;
            let expected: &[&str] = if refused_to.contains(&role) { &["GRAPHQL_VALIDATION_FAILED"] } else { &[] };
            let mut codes = answer.codes();
            codes.dedup();
            assert_eq!(codes, expected, "{role} asks {document}: {:#}", answer.json);
        }
    }
}

#[tokio::test]
async fn what_would_tell_has_no_name() {
    let desk = desk_of("guest").await;
    let names = "{ __schema { types { name fields { name } inputFields { name } enumValues { name } } } }";
    let catalogue = "{ entities { name relationships { name } metrics { name } } views { dimensions { name } } rules { name } \
                     segments { name } dimensions(forMetrics: [\"people\"]) { name } metric(name: \"people\") { validDimensions { name } } }";
    let told = format!("{}{}", desk.ask(names).await.json, desk.ask(catalogue).await.json);
    for hidden in ["heldRank", "held_rank", "members", "\"pay\"", "PAY", "RankMetrics", "crowded", "well_paid", "WELL_PAID"] {
        let is_of_another = hidden == "\"pay\"";
        let count = told.matches(hidden).count();
        // What somebody is paid is a dimension of ranks still, and theirs alone.
        assert!(if is_of_another { count > 0 } else { count == 0 }, "{hidden}: {told}");
    }
    for shown in ["home", "superior", "busy", "AT_HOME", "TownMetrics", "languages"] {
        assert!(told.contains(shown), "{shown}: {told}");
    }
}

/// Questions in words name dimensions of other entities by the way there.
#[test]
fn questions_in_words_find_no_way_either() {
    let model = model(definitions(DEFINITIONS));
    let today = "2026-01-15".parse().expect("a day");
    let list = EntityQuery {
        entity: "person".to_owned(),
        dimensions: vec!["name".to_owned()],
        parents: None,
        filter: None,
        having: None,
        order_by: Vec::new(),
        metrics: EntityMetrics::default(),
        page: Page { limit: 10, offset: 0, after: None, before: None, backwards: false },
        as_of: today,
        as_known_at: None,
    };
    let where_ = |filter| EntityQuery { filter: Some(filter), ..list.clone() };
    let pay = Filter::Compare { field: "held_rank.pay".to_owned(), operator: Comparator::Equal, value: Value::Int(9) };
    let high = vec![vec![Value::Text("high".to_owned())]];
    let by = |name: &str| {
        let by = EntityOrderKey::Dimension(name.to_owned());
        EntityQuery { order_by: vec![EntityOrderBy { by, direction: Direction::Ascending, nulls: None }], ..list.clone() }
    };
    let members = Parents { entity: "rank".to_owned(), relationship: "members".to_owned(), keys: high.clone() };
    for query in [
        where_(pay),
        where_(Filter::KeyIn { field: "held_rank".to_owned(), keys: high }),
        where_(Filter::InSegment("well_paid".to_owned())),
        by("held_rank.pay"),
        by("superior.held_rank.rank_id"),
        EntityQuery { parents: Some(members), ..list.clone() },
    ] {
        assert!(bind_entities(&model, &query, &caller("quiet")).is_ok(), "{query:?}");
        let refused = bind_entities(&model, &query, &caller("guest")).expect_err("there is no such way");
        assert_eq!(refused.code, QueryErrorCode::NameNotFound, "{refused:?}");
        assert!(!refused.suggestions.iter().any(|name| name.contains("rank") || name == "members"), "{refused:?}");
    }
    let of_rank = MetricQuery::new(Scope::Entity("rank".to_owned()), vec![MetricSelection::of("people")], today);
    assert!(bind(&model, &of_rank, &caller("quiet")).is_ok());
    let refused = bind(&model, &of_rank, &caller("guest")).expect_err("ranks have no metric");
    assert_eq!(refused.code, QueryErrorCode::NameNotFound, "{refused:?}");
}
