//! Ids: the same for the same object, and only for it.

use serde_json::json;

use super::{Asked, ask};

#[test]
fn a_row_of_a_chosen_day_has_an_id_of_its_own_which_leads_back_to_it() {
    let (today, _) = ask("{ accounts(first: 1) { nodes { id contracts(first: 1) { nodes { id } } } } }");
    assert_eq!(today["data"]["accounts"]["nodes"][0]["id"], "account:A1");
    let text = "{ accounts(first: 1, asOf: \"2024-06-01\") { nodes { id contracts(first: 1) { nodes { id account { id } } } } } }";
    let (then, _) = ask(text);
    let node = &then["data"]["accounts"]["nodes"][0];
    assert_eq!(node["id"], "account:A1@2024-06-01");
    assert_eq!(node["contracts"]["nodes"][0]["id"], "contract:A1-C1@2024-06-01");
    assert_eq!(node["contracts"]["nodes"][0]["account"]["id"], "account:A1@2024-06-01");
    let id = "account:A1@2024-06-01@2025-02-01T00:00:00Z";
    for text in [
        format!("{{ found: node(id: \"{id}\") {{ id ... on Account {{ name }} }} }}"),
        format!("{{ found: account(id: \"{id}\") {{ id name }} }}"),
        "{ found: account(id: \"A1\", asOf: \"2024-06-01\", asKnownAt: \"2025-02-01T00:00:00Z\") { id name } }".to_owned(),
    ] {
        let (body, asked) = ask(&text);
        assert_eq!(body["data"]["found"]["id"], id, "{text}");
        let [Asked::Entities(query)] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!(
            (query.as_of.to_string(), query.as_known_at.map(|known| known.to_string())),
            ("2024-06-01".to_owned(), Some("2025-02-01T00:00:00Z".to_owned()))
        );
    }
}

#[test]
fn rows_of_several_days_are_asked_for_together_by_day() {
    let ids =
        r#"["account:A1", "account:A1@2024-06-01", "account:A2@2024-06-01", "account:A1@soon", "account:A1@2024-06-01@never"]"#;
    let (body, asked) = ask(&format!("{{ nodes(ids: {ids}) {{ id ... on Account {{ name }} }} }}"));
    let found: Vec<_> = body["data"]["nodes"].as_array().into_iter().flatten().map(|node| node["id"].clone()).collect();
    assert_eq!(json!(found), json!(["account:A1", "account:A1@2024-06-01", "account:A2@2024-06-01", null, null]));
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[test]
fn an_id_of_a_day_is_a_condition_on_the_row() {
    let (_, asked) = ask("{ accounts(where: {id: {in: [\"account:A1@2024-06-01\", \"A2\"]}}) { nodes { id } } }");
    assert!(format!("{asked:?}").contains("[Text(\"A1\")], [Text(\"A2\")]"), "{asked:?}");
}
