//! Errors without suggestions: they hold no name that their reader did not write.

use std::collections::HashSet;

use async_graphql::{Request, Variables};
use holdfast_resolvers::Settings;
use serde_json::{Value, json};

use crate::fake::{Fake, api, send};

/// Every name that the definitions give to something, as the API and the definitions write it.
fn names() -> HashSet<String> {
    let api = api(Settings::default());
    let sdl = api.sdl();
    let mut names: HashSet<String> =
        ["account", "contract", "revenue", "name", "segment", "opened_on", "contracts", "title", "seats"]
            .into_iter()
            .chain([
                "mrr",
                "invoiced",
                "opening_mrr",
                "contraction_mrr",
                "contraction_rate",
                "initial_mrr",
                "retention",
                "vintages",
                "enterprise",
            ])
            .map(str::to_owned)
            .collect();
    // Everything in the schema that has one of them in its own name: types, fields, enums.
    let words: HashSet<&str> = sdl.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    let of_model: Vec<String> = names.iter().map(|name| name.replace('_', "")).collect();
    names
        .extend(words.into_iter().filter(|word| of_model.iter().any(|name| word.to_lowercase().contains(name))).map(str::to_owned));
    names
}

/// Requests that are wrong in every way there is, by names that are nearly right.
fn wrong() -> Vec<(&'static str, Value)> {
    vec![
        ("{ retentoin { asOf } }", json!({})),
        ("{ retention { rows { mrrr } } }", json!({})),
        ("{ retention { rowz { mrr } } }", json!({})),
        ("{ retention(by: []) { rows } }", json!({})),
        ("{ retention(bye: []) { asOf } }", json!({})),
        ("{ retention(by: [{dimension: SEGMNT}]) { asOf } }", json!({})),
        ("{ retention(by: [{dimensoin: SEGMENT}]) { asOf } }", json!({})),
        ("{ retention(by: [{}]) { asOf } }", json!({})),
        ("{ retention(by: {dimension: 1}) { asOf } }", json!({})),
        ("{ retention(where: {segmnt: {eq: ENTERPRISE}}) { asOf } }", json!({})),
        ("{ retention(where: {segment: {eq: ENTERPRIZE}}) { asOf } }", json!({})),
        ("{ retention(where: {segment: {equals: ENTERPRISE}}) { asOf } }", json!({})),
        ("{ retention(where: 7) { asOf } }", json!({})),
        ("{ retention(having: {mrrr: {gt: \"1\"}}) { asOf } }", json!({})),
        ("{ retention(orderBy: [{mrrr: {}}]) { asOf } }", json!({})),
        ("{ retention(orderBy: [{mrr: {}, invoiced: {}}]) { asOf } }", json!({})),
        ("{ retention(by: []) { rows { segment } } }", json!({})),
        ("{ retention(by: []) { rows { account { id } } } }", json!({})),
        ("{ retention(by: [{time: {grain: DAY}}]) { rows { mrr } } }", json!({})),
        ("{ retention(by: [{cohort: {grain: MONTH}}]) { rows { mrr } } }", json!({})),
        ("{ vintages(by: []) { rows { initialMrr } } }", json!({})),
        ("{ vintages(by: [], compare: {previousYear: true}) { rows { initialMrr } } }", json!({})),
        ("{ retention(by: [], movementGrain: CONTRACT) { rows { openingMrr } } }", json!({})),
        ("{ retention(by: [], currency: \"EUR\") { rows { mrr } } }", json!({})),
        ("{ accounts(orderBy: [{nme: {}}]) { nodes { id } } }", json!({})),
        ("{ accounts(where: {nmae: {eq: \"x\"}}) { nodes { id } } }", json!({})),
        ("{ contracts(where: {acount: {}}) { nodes { id } } }", json!({})),
        ("{ contracts(where: {account: {nmae: {eq: \"x\"}}}) { nodes { id } } }", json!({})),
        ("{ accounts(after: \"x\") { nodes { id } } }", json!({})),
        ("{ accounts { nodes { nme } } }", json!({})),
        ("{ accounts { nodes { contracts { nodes { titel } } } } }", json!({})),
        ("{ acounts { nodes { id } } }", json!({})),
        ("{ account { name } }", json!({})),
        ("{ node(id: \"account:A1\") { name } }", json!({})),
        ("{ node(id: \"account:A1\") { ... on Acount { name } } }", json!({})),
        ("{ node(id: \"account:A1\") { ... on RetentionRow { mrr } } }", json!({})),
        ("{ metric { name } }", json!({})),
        ("{ metrics(compatibleWith: [\"mrrr\"]) { name } }", json!({})),
        ("{ signals(where: {rule: [\"nothing\"]}) { totalCount } }", json!({})),
        ("query ($where: RetentionWher) { retention(where: $where) { asOf } }", json!({})),
        ("query ($by: [RetentionBy!]) { retention(by: $by) { asOf } }", json!({"by": [{"dimension": "SEGMNT"}]})),
        ("query ($by: [RetentionBy!]) { retention(by: $by) { asOf } }", json!({"by": [{"dimensoin": "SEGMENT"}]})),
        ("query ($by: [RetentionBy!]) { retention(by: $by) { asOf } }", json!({"by": 7})),
        (
            "query ($where: RetentionWhere) { retention(where: $where) { asOf } }",
            json!({"where": {"segmnt": {"eq": "ENTERPRISE"}}}),
        ),
        ("query ($where: RetentionWhere) { retention(where: $where) { asOf } }", json!({"where": {"segment": {"eq": "NOBODY"}}})),
        ("query ($id: ID!) { account(id: $id) { name } }", json!({})),
        ("query ($id: String!) { account(id: $id) { name } }", json!({"id": "A1"})),
        ("query A { __typename } query B { __typename }", json!({})),
        ("mutation { x }", json!({})),
        ("subscription { x }", json!({})),
        ("{ retention { asOf } } fragment F on Retention { asOf }", json!({})),
        ("{ retention { ...F } } fragment F on RetentionRow { mrr }", json!({})),
        ("{ __type(name: \"Retentoin\") { fields { nme } } }", json!({})),
    ]
}

fn parts(text: &str) -> HashSet<&str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect()
}

#[test]
fn wrong_requests_learn_no_names() {
    let names = names();
    let settings = Settings { suggestions: false, ..Settings::default() };
    let (mut refusals, mut teaching) = (0, 0);
    for (text, variables) in wrong() {
        let ask = |settings| {
            let request = Request::new(text).variables(Variables::from_json(variables.clone()));
            send(settings, Fake::default(), request).1["errors"].clone()
        };
        let written = format!("{text} {variables}").to_lowercase().replace('_', "");
        let learns = |errors: &Value| {
            let errors = errors.as_array().cloned().unwrap_or_default();
            let texts = errors.iter().flat_map(|error| {
                let extensions = &error["extensions"];
                [error["message"].to_string(), extensions["help"].to_string(), extensions["suggestions"].to_string()]
            });
            let texts: Vec<String> = texts.collect();
            // Plain words of sentences are not told from names of one lower-case word outside of backticks.
            let quoted: Vec<&str> = texts.iter().flat_map(|text| text.split('`').skip(1).step_by(2)).collect();
            let all = texts
                .iter()
                .flat_map(|text| parts(text))
                .filter(|part| part.chars().any(|letter| letter == '_' || letter.is_uppercase()));
            let found = quoted.iter().flat_map(|text| parts(text)).chain(all).filter(|part| {
                names.contains(*part)
                    && !written
                        .split(|letter: char| !letter.is_alphanumeric())
                        .any(|word| word == part.to_lowercase().replace('_', ""))
            });
            found.map(str::to_owned).collect::<HashSet<_>>()
        };
        let silent = ask(settings);
        refusals += usize::from(silent.is_array());
        assert_eq!(learns(&silent), HashSet::new(), "{text} {variables}: {silent:#}");
        assert!(!silent.to_string().contains("suggestions"), "{silent:#}");
        teaching += usize::from(!learns(&ask(Settings::default())).is_empty());
    }
    assert!(refusals > 45, "only {refusals} of them are refused");
    assert!(teaching > 20, "with suggestions only {teaching} of them teach anything");
}

#[test]
fn what_the_reader_wrote_and_words_of_the_api_stay_readable() {
    let settings = Settings { suggestions: false, ..Settings::default() };
    let messages = |text: &str| {
        let (_, body, _) = send(settings, Fake::default(), Request::new(text));
        body["errors"].to_string()
    };
    assert!(messages("{ retention(by: []) { rows { mrrr } } }").contains("type `…` does not have a field `mrrr`"));
    assert!(messages("{ accounts(first: 1, last: 1) { nodes { id } } }").contains("`first` and `last`"));
    assert!(messages("query A { __typename } query B { __typename }").contains("no specified `operationName`"));
    let nested = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }";
    assert!(!messages(nested).contains('…'), "{}", messages(nested));
    assert!(messages("{ retention(by: [], timeZone: \"Mars\") { rows { mrr } } }").contains("`Europe/Berlin`"));
}
