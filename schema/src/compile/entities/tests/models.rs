//! A small model made by hand: every cardinality, a composite key, an effective-dated entity, a segment.

use crate::{
    expr::{BinaryOp, CaseArm, Expr},
    model::{
        Cardinality, Dimension, DimensionId, DimensionIndex, Entity, EntityId, Model, Path, Project, Relationship, RelationshipId,
        Segment,
        entity::{ColumnName, Freshness, ReadAt, Recorded, Source, Validity},
        path::{Fan, PathDimension, Reach},
    },
    source::{FileId, Span},
    time::Calendar,
    value::{Value, ValueType},
};

pub(super) fn model() -> Model {
    let mut account = entity("account", &[("account_id", ValueType::Text)]);
    account.freshness = Freshness { ttl_seconds: Some(60), refresh: Some(ColumnName::new("updated_at")) };
    account.dimensions.extend([
        plain("name", ValueType::Text),
        plain("region", ValueType::Text),
        plain("renews_on", ValueType::Date),
        band(),
    ]);
    account.relationships = vec![
        to("parent", ACCOUNT, Cardinality::ManyToOne, &["parent_account_id"], &["account_id"]),
        to("subsidiaries", ACCOUNT, Cardinality::OneToMany, &["account_id"], &["parent_account_id"]),
        to("contracts", CONTRACT, Cardinality::OneToMany, &["account_id"], &["account_id"]),
    ];
    let mut contract = entity("contract", &[("contract_id", ValueType::Text)]);
    contract.dimensions.push(plain("value", ValueType::Decimal));
    contract.relationships = vec![
        to("account", ACCOUNT, Cardinality::ManyToOne, &["account_id"], &["account_id"]),
        to("components", COMPONENT, Cardinality::OneToMany, &["contract_id"], &["contract_id"]),
    ];
    let mut component = entity("component", &[("contract_id", ValueType::Text), ("line", ValueType::Int)]);
    component.dimensions.push(plain("name", ValueType::Text));
    let bridge = |near: &[&str], far: &[&str]| Cardinality::ManyToMany {
        bridge: RESPONSIBILITY,
        near: columns(near),
        far: columns(far),
        weight: None,
    };
    component.relationships = vec![
        to("contract", CONTRACT, Cardinality::ManyToOne, &["contract_id"], &["contract_id"]),
        to(
            "stakeholders",
            STAKEHOLDER,
            bridge(&["contract_id", "line"], &["stakeholder_id"]),
            &["contract_id", "line"],
            &["stakeholder_id"],
        ),
    ];
    let mut stakeholder = entity("stakeholder", &[("stakeholder_id", ValueType::Text)]);
    stakeholder.dimensions.push(plain("name", ValueType::Text));
    stakeholder.relationships = vec![to(
        "components",
        COMPONENT,
        bridge(&["stakeholder_id"], &["contract_id", "line"]),
        &["stakeholder_id"],
        &["contract_id", "line"],
    )];
    let text = ValueType::Text;
    let responsibility =
        entity("responsibility", &[("stakeholder_id", text), ("contract_id", text), ("line", ValueType::Int), ("role", text)]);
    let mut price = entity("price", &[("price_id", text)]);
    let column = |name: &str| ColumnName::new(name);
    price.validity = Some(Validity { from: column("valid_from"), to: column("valid_to") });
    price.recorded = Some(Recorded { column: column("recorded_at"), is_corrected: true });
    price.dimensions.push(plain("amount", ValueType::Decimal));
    price.relationships = vec![to("contract", CONTRACT, Cardinality::ManyToOne, &["contract_id"], &["contract_id"])];
    finish(vec![account, contract, component, stakeholder, responsibility, price])
}

const ACCOUNT: EntityId = EntityId(0);
const CONTRACT: EntityId = EntityId(1);
const COMPONENT: EntityId = EntityId(2);
const STAKEHOLDER: EntityId = EntityId(3);
const RESPONSIBILITY: EntityId = EntityId(4);

pub(super) fn dimension(model: &Model, entity: &str, name: &str) -> DimensionId {
    let entity = model.entity_named(entity).expect("it is defined");
    DimensionId { entity, index: model.entity(entity).dimension_named(name).expect("it is defined") }
}

fn relationship(model: &Model, entity: &str, name: &str) -> RelationshipId {
    let entity = model.entity_named(entity).expect("it is defined");
    RelationshipId { entity, index: model.entity(entity).relationship_named(name).expect("it is defined") }
}

fn finish(entities: Vec<Entity>) -> Model {
    let mut model = Model {
        project: Project {
            name: "small".to_owned(),
            description: None,
            time_zone: "UTC".to_owned(),
            calendar: Calendar::default(),
            currency: None,
            exchange_rates: None,
        },
        metrics: Vec::new(),
        views: Vec::new(),
        segments: Vec::new(),
        rules: Vec::new(),
        policies: Vec::new(),
        metric_policies: Vec::new(),
        saved_queries: Vec::new(),
        fixtures: Vec::new(),
        tests: Vec::new(),
        fingerprint: String::new(),
        names: Default::default(),
        paths: Default::default(),
        entities,
    };
    model.names.entities =
        model.entities.iter().enumerate().map(|(index, entity)| (entity.name.clone(), EntityId(index as u16))).collect();
    let value = PathDimension { path: Path::new(), dimension: dimension(&model, "contract", "value") };
    model.segments.push(Segment {
        name: "large".to_owned(),
        label: "Large".to_owned(),
        description: None,
        entity: CONTRACT,
        filter: Expr::binary(BinaryOp::GreaterOrEqual, Expr::Ref(value), Expr::Literal(Value::Int(50_000))),
        span: nowhere(),
    });
    let hop = |entity: &str, name: &str| relationship(&model, entity, name);
    let ways = [
        (CONTRACT, ACCOUNT, vec![hop("contract", "account")]),
        (COMPONENT, CONTRACT, vec![hop("component", "contract")]),
        (COMPONENT, ACCOUNT, vec![hop("component", "contract"), hop("contract", "account")]),
    ];
    model.paths.reaches =
        ways.into_iter().map(|(from, to, path)| ((from, to, Vec::new()), Reach { path, fan: Fan::None })).collect();
    model
}

fn entity(name: &str, key: &[(&str, ValueType)]) -> Entity {
    Entity {
        name: name.to_owned(),
        label: name.to_owned(),
        description: None,
        owner: None,
        tags: Vec::new(),
        source: Source::Table { schema: Some("warehouse".to_owned()), table: name.to_owned() },
        key: (0..key.len()).map(|index| DimensionIndex(index as u16)).collect(),
        validity: None,
        recorded: None,
        display: None,
        freshness: Freshness::default(),
        dimensions: key.iter().map(|(name, value_type)| plain(name, *value_type)).collect(),
        time: None,
        relationships: Vec::new(),
        measures: Vec::new(),
        movements: None,
        span: nowhere(),
    }
}

fn plain(name: &str, value_type: ValueType) -> Dimension {
    Dimension {
        name: name.to_owned(),
        label: name.to_owned(),
        description: None,
        value_type,
        unit: None,
        values: Vec::new(),
        expr: Expr::Ref(ColumnName::new(name)),
        time: None,
        read: ReadAt::default(),
        hidden: false,
        span: nowhere(),
    }
}

fn band() -> Dimension {
    let mrr = Expr::Ref(ColumnName::new("mrr"));
    let large = Expr::binary(BinaryOp::Greater, mrr, Expr::Literal(Value::Int(50_000)));
    let name = |text: &str| Expr::Literal(Value::Text(text.to_owned()));
    let arms = vec![CaseArm { when: large, then: name("large") }];
    Dimension { expr: Expr::Case { arms, otherwise: Some(Box::new(name("small"))) }, ..plain("band", ValueType::Text) }
}

fn to(name: &str, to: EntityId, cardinality: Cardinality, own: &[&str], other: &[&str]) -> Relationship {
    Relationship {
        name: name.to_owned(),
        description: None,
        to,
        cardinality,
        own: columns(own),
        other: columns(other),
        top: None,
        span: nowhere(),
    }
}

fn columns(names: &[&str]) -> Vec<ColumnName> {
    names.iter().map(|name| ColumnName::new(name)).collect()
}

pub(super) fn nowhere() -> Span {
    Span { file: FileId(0), start: 0, end: 0 }
}
