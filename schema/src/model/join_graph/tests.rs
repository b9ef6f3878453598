//! Ways through small graphs, written as `from.relationship: to kind`.

use super::*;
use crate::{diagnostic::Diagnostics, model::Model, source::SourceMap};

/// A model of entities with one key each and the relationships given.
fn model(entities: &[(&str, &str)]) -> Model {
    let files = entities.iter().map(|(name, relationships)| {
        let text = format!(
            "entity: {name}\nsource: {name}\nkey: {name}_id\nmeasures: {{{name}_rows: {{count: rows}}}}\nrelationships: {{{relationships}}}\n"
        );
        (format!("{name}.yaml"), text)
    });
    let sources = SourceMap::new(files);
    let mut out = Diagnostics::default();
    let definitions = crate::definition::parse(&sources, &mut out);
    let model = crate::model::resolve(&sources, &definitions, &mut out);
    model.unwrap_or_else(|| panic!("{:#?}", out.sorted()))
}

fn way(model: &Model, from: &str, to: &str, layer: Layer) -> String {
    let id = |name| model.entity_named(name).expect("the test names its own entities");
    let text = |path: &Path| path.iter().map(|hop| model.relationship(*hop).name.clone()).collect::<Vec<_>>().join(".");
    match JoinGraph::new(&model.entities).way(id(from), id(to), layer) {
        Way::None => "none".to_owned(),
        Way::One(path) => text(&path),
        Way::Ambiguous(one, other) => format!("{} or {}", text(&one), text(&other)),
    }
}

#[test]
fn safe_ways_are_the_shortest() {
    let model = model(&[
        ("fact", "component: {to: component, key: component_id}, contract: {to: contract, key: contract_id}"),
        ("component", "contract: {to: contract, key: contract_id}"),
        ("contract", "account: {to: account, key: account_id}"),
        ("account", "parent: {to: account, key: parent_id}, contracts: {to: contract, many: true, key: account_id}"),
    ]);
    for (from, to, expected) in [
        ("fact", "account", "contract.account"),
        ("fact", "fact", ""),
        ("component", "account", "contract.account"),
        // The parent is another account; the account itself is no hop away.
        ("account", "account", ""),
        ("account", "contract", "none"),
        ("account", "fact", "none"),
    ] {
        assert_eq!(way(&model, from, to, Layer::Safe), expected, "{from} to {to}");
    }
}

#[test]
fn two_relationships_to_one_entity_are_ambiguous_unless_one_bears_its_name() {
    let model = model(&[
        ("order", "buyer: {to: account, key: buyer_id}, seller: {to: account, key: seller_id}"),
        ("contract", "account: {to: account, key: account_id}, reseller: {to: account, key: reseller_id}"),
        ("account", ""),
    ]);
    assert_eq!(way(&model, "order", "account", Layer::Safe), "buyer or seller");
    assert_eq!(way(&model, "contract", "account", Layer::Safe), "account");
}

#[test]
fn a_diamond_is_ambiguous_also_beyond_it() {
    let model = model(&[
        ("fact", "left: {to: left, key: left_id}, right: {to: right, key: right_id}"),
        ("left", "end: {to: end, key: end_id}"),
        ("right", "end: {to: end, key: end_id}"),
        ("end", "region: {to: region, key: region_id}"),
        ("region", ""),
    ]);
    assert_eq!(way(&model, "fact", "end", Layer::Safe), "left.end or right.end");
    assert_eq!(way(&model, "fact", "region", Layer::Safe), "left.end.region or right.end.region");
    assert_eq!(way(&model, "left", "region", Layer::Safe), "end.region");
}

#[test]
fn a_hub_leads_to_its_many_with_one_multiplying_hop() {
    let model = model(&[
        ("fact", "component: {to: component, key: component_id}"),
        ("component", "account: {to: account, key: account_id}"),
        ("account", "stakeholders: {to: stakeholder, many: true, key: account_id}"),
        ("stakeholder", "account: {to: account, key: account_id}, role: {to: role, key: role_id}"),
        ("role", "holders: {to: holder, many: true, key: role_id}"),
        ("holder", ""),
    ]);
    assert_eq!(way(&model, "fact", "stakeholder", Layer::Safe), "none");
    assert_eq!(way(&model, "fact", "stakeholder", Layer::Overlapping), "component.account.stakeholders");
    assert_eq!(way(&model, "fact", "role", Layer::Overlapping), "component.account.stakeholders.role");
    // A second multiplying hop is never taken.
    assert_eq!(way(&model, "fact", "holder", Layer::Overlapping), "none");
}

#[test]
fn a_bridge_is_weighted_or_overlapping() {
    let through = "through: {entity: allocation, key: component_id, other_key: region_id";
    let model = model(&[
        ("fact", "component: {to: component, key: component_id}"),
        ("component", &format!("regions: {{to: region, key: component_id, {through}, weight: share}}}}")),
        ("usage", &format!("regions: {{to: region, key: component_id, {through}}}}}")),
        ("allocation", ""),
        ("region", "continent: {to: continent, key: continent_id}"),
        ("continent", ""),
    ]);
    assert_eq!(way(&model, "fact", "continent", Layer::Weighted), "component.regions.continent");
    assert_eq!(way(&model, "fact", "continent", Layer::Overlapping), "none");
    assert_eq!(way(&model, "usage", "region", Layer::Weighted), "none");
    assert_eq!(way(&model, "usage", "region", Layer::Overlapping), "regions");
}

#[test]
fn one_to_one_is_safe_in_the_direction_that_is_declared() {
    let model = model(&[("account", "profile: {to: profile, key: account_id, unique: true}"), ("profile", "")]);
    assert_eq!(way(&model, "account", "profile", Layer::Safe), "profile");
    assert_eq!(way(&model, "profile", "account", Layer::Safe), "none");
}
