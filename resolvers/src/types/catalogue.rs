//! The types of the catalogue: the definitions as data.

use async_graphql::dynamic::{Field, Object};

use super::{Types, field, input, list, named, required, required_list};

/// The catalogue's root fields.
pub(super) fn root_fields() -> Vec<Field> {
    vec![
        field("metrics", list("Metric"), "Metrics, by name.")
            .argument(input(
                "compatibleWith",
                list("String"),
                "Only those that can be grouped by all of these dimensions of one view.",
            ))
            .argument(input("view", named("String"), "Only those of this view.")),
        field("metric", named("Metric"), "One metric.").argument(input(
            "name",
            required("String"),
            "As written in the definitions.",
        )),
        field("dimensions", list("Dimension"), "Dimensions of the views.").argument(input(
            "forMetrics",
            list("String"),
            "Only those that all of these metrics can be grouped by.",
        )),
        field("views", list("View"), "Subject areas."),
        field("entities", list("Entity"), "Entities and facts."),
        field("rules", list("Rule"), "Thresholds with actions."),
        field("segments", list("Segment"), "Named filters."),
        field("savedQueries", list("SavedQuery"), "Questions with a name."),
    ]
}

/// Registers the catalogue's types.
pub(super) fn register(types: &mut Types) {
    words(types);
    types.add(metric());
    types.add(
        named_object("Dimension", "Something a view can be grouped and filtered by.")
            .field(field("view", required("View"), ""))
            .field(field("valueType", required("ValueType"), ""))
            .field(field("entity", required("Entity"), "Where it comes from."))
            .field(field("isEntity", required("Boolean"), "Whether it is an entity by its key."))
            .field(field("overlapping", required("Boolean"), "Whether a member may count in several groups."))
            .field(field("unit", named("String"), ""))
            .field(field("values", required_list("String"), "Declared values.")),
    );
    types.add(
        named_object("View", "A subject area: metrics and the dimensions that fit all of them.")
            .field(field("field", required("String"), "Its root field."))
            .field(field("metrics", required_list("Metric"), ""))
            .field(field("dimensions", required_list("Dimension"), ""))
            .field(field("movementGrains", required_list("String"), "The first is the default.")),
    );
    types.add(
        named_object("Entity", "A kind of thing, or a kind of fact.")
            .field(field("typeName", required("String"), "Its object type."))
            .field(field("owner", named("String"), ""))
            .field(field("tags", required_list("String"), ""))
            .field(field("key", required_list("String"), "Dimensions that identify a row."))
            .field(field("isEffectiveDated", required("Boolean"), ""))
            .field(field("dimensions", required_list("EntityDimension"), ""))
            .field(field("relationships", required_list("Relationship"), ""))
            .field(field("metrics", required_list("Metric"), "Metrics that can be grouped by it.")),
    );
    types.add(
        named_object("EntityDimension", "A dimension of an entity.")
            .field(field("valueType", required("ValueType"), ""))
            .field(field("unit", named("String"), ""))
            .field(field("values", required_list("String"), "Declared values."))
            .field(field("isTime", required("Boolean"), "")),
    );
    types.add(
        Object::new("Relationship")
            .description("A way from one entity to another.")
            .field(field("name", required("String"), ""))
            .field(field("description", named("String"), ""))
            .field(field("to", required("Entity"), ""))
            .field(field("cardinality", required("Cardinality"), "")),
    );
    types.add(
        named_object("Rule", "A threshold with an action.")
            .field(field("per", required("Entity"), "Evaluated for each of these."))
            .field(field("metric", required("Metric"), ""))
            .field(field("operator", required("RuleOperator"), ""))
            .field(field("threshold", required("Decimal"), ""))
            .field(field("at", required("RuleTime"), ""))
            .field(field("persistence", required("Int"), "Consecutive periods it must hold."))
            .field(field("firesWhenUnknown", required("Boolean"), ""))
            .field(field("severity", required("RuleSeverity"), ""))
            .field(field("plays", required_list("String"), "Recommended plays."))
            .field(field("source", named("String"), "Where it comes from.")),
    );
    types.add(named_object("Segment", "A named filter.").field(field("entity", required("Entity"), "Whose rows it selects.")));
    types.add(named_object("SavedQuery", "A question with a name.").field(field(
        "document",
        named("String"),
        "Its GraphQL document, which can be asked by `documentId`; null for a question about metrics.",
    )));
}

fn words(types: &mut Types) {
    types.add_words(
        "MetricType",
        "The ways to compute a metric.",
        &[
            "SIMPLE",
            "RATIO",
            "DERIVED",
            "CUMULATIVE",
            "OFFSET",
            "MOVEMENT",
            "PER_ENTITY",
            "SHARE",
            "SCORE",
            "OF_SCORE",
            "SERIES",
            "COHORT",
            "PEERS",
        ],
    );
    types.add_words("MetricDirection", "Which way is good.", &["HIGHER_IS_BETTER", "LOWER_IS_BETTER", "NEUTRAL"]);
    types.add_enum(
        "Additivity",
        "How answers may be added up.",
        &[
            ("ADDITIVE".to_owned(), Some("Over everything.".to_owned())),
            ("MOVEMENT".to_owned(), Some("Over members at one movement grain.".to_owned())),
            ("SEMI_ADDITIVE".to_owned(), Some("Over everything except time.".to_owned())),
            ("NOT_ADDITIVE".to_owned(), Some("Never: ask again.".to_owned())),
        ],
    );
    types.add_words("ValueType", "Types of values.", &["BOOL", "INT", "DECIMAL", "STRING", "DATE", "TIMESTAMP"]);
    types.add_words(
        "Cardinality",
        "How many rows the other side has.",
        &["MANY_TO_ONE", "ONE_TO_ONE", "ONE_TO_MANY", "MANY_TO_MANY"],
    );
    types.add_words("RuleTime", "When a rule looks.", &["LAST_COMPLETE_MONTH", "LAST_COMPLETE_QUARTER", "AS_OF"]);
    types.add_words("RuleSeverity", "How bad it is.", &["INFO", "WARNING", "CRITICAL"]);
    types.add_words("RuleOperator", "Comparisons.", &["EQ", "NE", "LT", "LTE", "GT", "GTE"]);
}

fn named_object(name: &str, description: &str) -> Object {
    Object::new(name)
        .description(description)
        .field(field("name", required("String"), "As written in the definitions."))
        .field(field("label", required("String"), "What people call it."))
        .field(field("description", named("String"), ""))
}

fn metric() -> Object {
    named_object("Metric", "A number with a definition.")
        .field(field("field", required("String"), "Its field in GraphQL."))
        .field(field("type", required("MetricType"), ""))
        .field(field("valueType", required("ValueType"), ""))
        .field(field("formula", required("String"), "In the definitions' names."))
        .field(field("owner", named("String"), ""))
        .field(field("version", required("Int"), "Of the definition."))
        .field(field("unit", named("String"), ""))
        .field(field("format", named("String"), ""))
        .field(field("direction", required("MetricDirection"), ""))
        .field(field("additivity", required("Additivity"), ""))
        .field(field("source", named("String"), "Where the formula comes from."))
        .field(field("tags", required_list("String"), ""))
        .field(field("deprecation", named("String"), "Why not to use it, and what instead."))
        .field(field("isMovement", required("Boolean"), "Whether `movementGrain` applies."))
        .field(field("facts", required_list("Entity"), "What it reads."))
        .field(field("views", required_list("View"), "Where it can be asked for."))
        .field(field("validDimensions", required_list("Dimension"), "What it can be grouped by.").argument(input(
            "view",
            named("String"),
            "",
        )))
        .field(field("lineage", required_list("Metric"), "Metrics it is computed from, directly."))
        .field(field("usedBy", required_list("Metric"), "Metrics that are computed from it, directly."))
        .field(field("sql", named("String"), "The statement for one number per month, where the server shows it."))
}
