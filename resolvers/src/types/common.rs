//! Types that every surface has: scalars, operators, time, comparison, provenance, `Node`.

use async_graphql::dynamic::{Field, InputObject, Interface, InterfaceField, Object, Scalar};
use holdfast_schema::{model::Model, query::Ages, time::Grain, value::ValueType};

use super::{FILTERED, Types, field, input, list, named, required, required_list, text};
use crate::{
    naming::screaming,
    range::Preset,
    scalar::{SCALARS, filter_type, output_type},
    surface::{Enumeration, Surface},
};

/// `node` and `nodes`.
pub(super) fn root_fields() -> Vec<Field> {
    vec![
        field("node", named("Node"), "Any row by its global id.").argument(input("id", required("ID"), "")),
        field(
            "nodes",
            async_graphql::dynamic::TypeRef::named_list("Node"),
            "Rows by their global ids, in that order; null where there is none.",
        )
        .argument(input("ids", required_list("ID"), "")),
    ]
}

/// Registers the common types.
pub(super) fn register(model: &Model, surface: &Surface, types: &mut Types) {
    for (name, description, url) in SCALARS {
        types.add(Scalar::new(name).description(description).specified_by_url(url));
    }
    types.add(Interface::new("Node").description("Anything with a global id.").field(InterfaceField::new("id", required("ID"))));
    types.add(
        // Every other graph with pages has the same type.
        Object::new("PageInfo")
            .shareable()
            .description("Where a page of a list lies.")
            .field(field("hasNextPage", required("Boolean"), ""))
            .field(field("hasPreviousPage", required("Boolean"), ""))
            .field(field("startCursor", named("String"), ""))
            .field(field("endCursor", named("String"), "")),
    );
    time(types);
    if surface.views.iter().any(|view| view.has_cohorts) {
        cohorts(types);
    }
    filters(types);
    let mut enums: Vec<&Enumeration> = surface.enums.values().collect();
    enums.sort_by(|a, b| a.type_name.cmp(&b.type_name));
    for item in enums {
        let values: Vec<_> = item.values.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
        types.add_enum(&item.type_name, "Declared values.", &values);
        types.add(
            InputObject::new(format!("{}Filter", item.type_name))
                .field(input("eq", named(&item.type_name), ""))
                .field(input("ne", named(&item.type_name), ""))
                .field(input("in", list(&item.type_name), "An empty list does not hold."))
                .field(input("notIn", list(&item.type_name), ""))
                .field(input("isNull", named("Boolean"), "")),
        );
    }
    segments(model, surface, types);
    answers(types);
}

fn time(types: &mut Types) {
    let grains: Vec<_> = Grain::ALL.iter().map(|grain| grain.name().to_ascii_uppercase()).collect();
    types.add_words("Grain", "How finely time is cut.", &grains.iter().map(String::as_str).collect::<Vec<_>>());
    types.add(
        Object::new("Period")
            .description("A span of days.")
            .field(field("start", required("Date"), "First day."))
            .field(field("end", required("Date"), "One past the last day."))
            .field(field("label", required("String"), "Such as `2025-01`, `2025-Q1`, `FY2026`."))
            .field(field("isComplete", required("Boolean"), "Whether it ended before the day that counts as today.")),
    );
    types.add(
        InputObject::new("TimeRange")
            .description("Which time. Exactly one field.")
            .oneof()
            .field(input("between", named("DateRange"), ""))
            .field(input("preset", named("RangePreset"), "Seen from the day that counts as today."))
            .field(input("trailing", named("TrailingRange"), ""))
            .field(input("upcoming", named("UpcomingRange"), "")),
    );
    types.add(
        InputObject::new("DateRange")
            .description("A half-open span of days; an end that is left out is open.")
            .field(input("from", named("Date"), "First day."))
            .field(input("to", named("Date"), "One past the last day.")),
    );
    types.add(
        InputObject::new("TrailingRange")
            .description("The last periods of a grain.")
            .field(input("n", required("Int"), "How many."))
            .field(input("grain", required("Grain"), ""))
            .field(
                input("complete", named("Boolean"), "Only periods that are over; otherwise the current one is the last.")
                    .default_value(true),
            ),
    );
    types.add(
        InputObject::new("UpcomingRange")
            .description("The next periods of a grain, the current one being the first.")
            .field(input("n", required("Int"), "How many."))
            .field(input("grain", required("Grain"), "")),
    );
    let presets: Vec<_> = Preset::ALL.iter().map(|preset| preset.name()).collect();
    types.add_words("RangePreset", "Named spans, seen from the day that counts as today.", &presets);
    types.add(
        InputObject::new("Comparison")
            .description("The same at another time. Exactly one field.")
            .oneof()
            .field(input("previousPeriods", named("Int"), "So many periods of the time key earlier; without a time key, ranges."))
            .field(input("previousYear", named("Boolean"), "A year earlier; with weeks, 52 weeks."))
            .field(input("range", named("DateRange"), "Exactly this span; periods are matched by their distance from its start.")),
    );
    types.add_enum(
        "Fill",
        "Which periods are shown.",
        &[
            ("NONE".to_owned(), Some("Those with rows.".to_owned())),
            ("DENSE".to_owned(), Some("Every period of a closed range.".to_owned())),
        ],
    );
    types.add_enum(
        "MovementBasis",
        "How a movement looks at a period.",
        &[
            ("POINT_TO_POINT".to_owned(), Some("Opening against closing of the period.".to_owned())),
            ("FLOW".to_owned(), Some("Every step inside the period, added up.".to_owned())),
        ],
    );
    types.add_enum(
        "DimensionBasis",
        "When dimensions and what identifies members are read.",
        &[
            (
                "OPENING".to_owned(),
                Some("As they were; of a movement, at the opening, unless a dimension says otherwise.".to_owned()),
            ),
            ("CLOSING".to_owned(), Some("As they were; of a movement, at the closing.".to_owned())),
            ("CURRENT".to_owned(), Some("As they are now, for all of history: companies merged since are one.".to_owned())),
        ],
    );
    types.add_words("SortDirection", "Which way.", &["ASC", "DESC"]);
    types.add_words("NullOrder", "Where missing values go.", &["FIRST", "LAST"]);
    types.add(
        InputObject::new("Sort")
            .description("How to order by one field; missing values come last unless told.")
            .field(
                input("dir", named("SortDirection"), "").default_value(async_graphql::Value::Enum(async_graphql::Name::new("ASC"))),
            )
            .field(input("nulls", named("NullOrder"), "")),
    );
}

fn filters(types: &mut Types) {
    types.add(
        InputObject::new("IdFilter")
            .description("Conditions on an entity by its id (global, or the bare key).")
            .field(input("eq", named("ID"), ""))
            .field(input("ne", named("ID"), ""))
            .field(input("in", list("ID"), "An empty list does not hold."))
            .field(input("notIn", list("ID"), ""))
            .field(input("isNull", named("Boolean"), "")),
    );
    for value_type in FILTERED {
        let kind = output_type(value_type);
        let mut filter = InputObject::new(filter_type(value_type))
            .description("Operators; those given must all hold. Null is not a value here: use `isNull`.")
            .field(input("eq", named(kind), ""))
            .field(input("ne", named(kind), ""))
            .field(input("isNull", named("Boolean"), ""));
        if value_type != ValueType::Bool {
            filter = filter
                .field(input("in", list(kind), "An empty list does not hold."))
                .field(input("notIn", list(kind), ""))
                .field(input("gt", named(kind), ""))
                .field(input("gte", named(kind), ""))
                .field(input("lt", named(kind), ""))
                .field(input("lte", named(kind), ""));
        }
        if value_type == ValueType::Text {
            filter = filter
                .field(input("like", named(kind), "Pattern with `%` and `_`."))
                .field(input("iLike", named(kind), "The same, regardless of case."))
                .field(input("startsWith", named(kind), "Literally."))
                .field(input("contains", named(kind), "Literally."));
        }
        if matches!(value_type, ValueType::Date | ValueType::Timestamp) {
            filter = filter.field(input("between", named("DateRange"), "Half-open.")).field(input(
                "inRange",
                named("TimeRange"),
                "A span seen from the day that counts as today.",
            ));
        }
        types.add(filter);
    }
}

/// Group keys of cohort metrics.
fn cohorts(types: &mut Types) {
    let grains = Ages::GRAINS.map(|grain| grain.name().to_ascii_uppercase());
    types.add_words("AgeGrain", "What ages are counted in.", &grains.each_ref().map(String::as_str));
    types.add(InputObject::new("ByCohort").description("Periods of a grain in which members began.").field(input(
        "grain",
        required("Grain"),
        "",
    )));
    types.add(
        InputObject::new("ByAge")
            .description("Every `step`-th age from `from` to `upTo`. Age 0 is the period in which a member began.")
            .field(input("grain", required("AgeGrain"), ""))
            .field(input("step", named("Int"), "From age to age.").default_value(1))
            .field(input("from", named("Int"), "Left out, the first step."))
            .field(input("upTo", named("Int"), "Left out, two years.")),
    );
}

fn segments(model: &Model, surface: &Surface, types: &mut Types) {
    let values: Vec<_> = model
        .segments
        .iter()
        .filter(|segment| surface.shows_segment(segment))
        .filter_map(|segment| Some((screaming(&segment.name)?, Some(text(&segment.label, segment.description.as_ref(), None)))))
        .collect();
    if !values.is_empty() {
        types.add_enum("SegmentName", "Named filters.", &values);
    }
}

fn answers(types: &mut Types) {
    types.add_words(
        "CellStatus",
        "Why a value is missing.",
        &["NO_ROWS", "NULL_INPUT", "ZERO_DENOMINATOR", "FILLED", "MASKED", "NOT_APPLICABLE", "IMMATURE", "SUPPRESSED", "NO_RATE"],
    );
    types.add(
        Object::new("MetricComparison")
            .description("A value beside its value at another time.")
            .field(field("previous", named("Decimal"), "The value at the other time."))
            .field(field("delta", named("Decimal"), "Value − previous, exactly."))
            .field(field("deltaPct", named("Decimal"), "(Value − previous) ÷ |previous|, to 16 decimals.")),
    );
    types.add_words("CacheState", "Whether an answer was reused.", &["HIT", "MISS", "BYPASS"]);
    types.add(
        Object::new("Provenance")
            .description("Where an answer comes from.")
            .field(field("definitions", required("String"), "Digest of the definitions."))
            .field(field("statement", required("String"), "Digest of the statement and its values."))
            .field(field("dataVersion", named("String"), "Version of the data, where entities declare a refresh key."))
            .field(field("cache", required("CacheState"), ""))
            .field(field("ageSeconds", required("Int"), "How old the answer is."))
            .field(field("maxAgeSeconds", required("Int"), "How long it may still be reused."))
            .field(field("policies", required_list("String"), "Policies that were applied."))
            .field(field("movementGrain", named("String"), "Members that movements were computed over."))
            .field(field("dimensionBasis", required("DimensionBasis"), "When dimensions were read."))
            .field(field(
                "overlappingMembers",
                required("Boolean"),
                "Whether a member may count in several groups, so that rows do not add up to totals.",
            ))
            .field(as_known_now())
            .field(field("sql", named("String"), "The statement, where the server shows it.")),
    );
}

/// What could not be read as it was known earlier: beside every answer that can be asked for as of an earlier knowledge.
pub(super) fn as_known_now() -> Field {
    field(
        "asKnownNow",
        required_list("String"),
        "Entities that were read as they are known now although `asKnownAt` asks for earlier: they keep no record of when rows became known.",
    )
}
