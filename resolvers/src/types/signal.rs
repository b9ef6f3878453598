//! The types of signals: rules evaluated for entities.

use async_graphql::dynamic::{Field, InputObject, Object};
use holdfast_schema::model::Model;

use super::{Root, Types, entity, field, input, list, named, required, required_list};
use crate::{limits::Limits, surface::Surface};

/// The root field.
pub(super) fn root(limits: &Limits) -> Root {
    Root::new("signals", named("SignalList"), "Rules evaluated for entities: what deserves attention.")
        .argument(input("where", named("SignalWhere"), "Signals that are shown; conditions given must all hold."))
        .argument(input("orderBy", list("SignalOrder"), "Left out: the most severe first, then by rule and entity."))
        .argument(input("first", named("Int"), format!("Signals from the start; {} unless told.", limits.page)))
        .argument(input("offset", named("Int"), "Signals passed over.").default_value(0))
        .argument(input("asOf", named("Date"), "The day that counts as today."))
        .argument(input("asKnownAt", named("DateTime"), "Only what was recorded by then."))
}

/// The field of an entity that rules are evaluated for.
pub(super) fn entity_field() -> Field {
    let mut signals = field("signals", list("Signal"), "Rules evaluated for this one, at the day of the rows.");
    for condition in conditions() {
        signals = signals.argument(condition);
    }
    signals
}

fn conditions() -> [async_graphql::dynamic::InputValue; 4] {
    [
        input("rule", list("String"), "Of these rules, by name."),
        input("severity", list("RuleSeverity"), "Of these severities."),
        input("fired", named("Boolean"), "Only those that fire, or that do not."),
        input("unknown", named("Boolean"), "Only those that are not known, or that are."),
    ]
}

/// Registers the types.
pub(super) fn register(model: &Model, surface: &Surface, types: &mut Types) {
    let mut filter = InputObject::new("SignalWhere").description("Conditions on signals; those given must all hold.");
    for condition in conditions() {
        filter = filter.field(condition);
    }
    for entity in surface.rule_entities(model) {
        let names = surface.entity(entity);
        let description = format!("Only of rules per: {}, and of those that fulfil this.", model.entity(entity).label);
        let own = format!("{}OwnWhere", names.type_name);
        filter = filter.field(input(&names.field, named(&own), description));
        types.add(entity::conditions(model, surface, entity, &own));
    }
    types.add(filter);
    types.add(
        InputObject::new("SignalOrder")
            .description("One part of an order. Exactly one field.")
            .oneof()
            .field(input("severity", named("Sort"), "From info to critical."))
            .field(input("rule", named("Sort"), "By name of the rule."))
            .field(input("value", named("Sort"), "By value of the metric."))
            .field(input("entity", named("Sort"), "By key of the entity.")),
    );
    types.add(
        Object::new("SignalList")
            .description("Signals.")
            .field(field("nodes", required_list("Signal"), ""))
            .field(field("totalCount", required("Int"), "Signals there are, regardless of `first`."))
            .field(field("asOf", required("Date"), "The day that counted as today.")),
    );
    types.add(
        Object::new("Signal")
            .description("One rule, evaluated for one entity.")
            .field(field("id", required("ID"), "The same for the same rule, entity and day."))
            .field(field("rule", required("Rule"), ""))
            .field(field("entity", named("Node"), "What it is about."))
            .field(field(
                "fired",
                named("Boolean"),
                "Whether the condition holds for as long as the rule asks; null when not known.",
            ))
            .field(field("value", named("Decimal"), "The metric now; true is 1, false is 0."))
            .field(field("operator", required("RuleOperator"), "How value and threshold are compared."))
            .field(field("threshold", required("Decimal"), ""))
            .field(field("severity", required("RuleSeverity"), ""))
            .field(field("plays", required_list("String"), "What may be done about it; the choice is yours."))
            .field(field("period", named("Period"), "The period of the value; null for a rule about a day."))
            .field(field(
                "since",
                named("Date"),
                "First day of the earliest period since when it holds without a gap; null unless it fires.",
            ))
            .field(field("periods", required("Int"), "In how many periods up to now it has held without a gap; 12 may mean more."))
            .field(field("coverage", named("Decimal"), "Share of the evidence that is known."))
            .field(field("evidence", required_list("SignalEvidence"), "What the metric is computed from.")),
    );
    types.add(
        Object::new("SignalEvidence")
            .description("A metric behind a signal.")
            .field(field("metric", required("String"), "As written in the definitions."))
            .field(field("label", required("String"), "What people call it."))
            .field(field("unit", named("String"), ""))
            .field(field("known", required("Boolean"), ""))
            .field(field("value", named("String"), "Its value as text.")),
    );
}
