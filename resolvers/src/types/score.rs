//! The types that say what a score is made of.

use async_graphql::dynamic::Object;

use super::{Types, field, named, required};

/// Registers them.
pub(super) fn register(types: &mut Types) {
    types.add(
        Object::new("Contribution")
            .description("One input of a score, and what it adds to it. Contributions add up to the score.")
            .field(field("input", required("String"), "Name of the input within the score."))
            .field(field("label", required("String"), "What people call its metric."))
            .field(field("metric", required("String"), "The metric, as written in the definitions."))
            .field(field("weight", required("Decimal"), "Its weight, before weights are divided among the known."))
            .field(field("known", required("Boolean"), "Whether its value is known; what is not known takes no part."))
            .field(field("value", named("Decimal"), "Its value; true is 1, false is 0."))
            .field(field("scaled", named("Decimal"), "Its value from 0 to 1."))
            .field(field("contribution", named("Decimal"), "What it adds to the score; null where the score is null."))
            .field(field("delta", named("Decimal"), "Contribution minus that at the other time."))
            .field(field("previous", named("PreviousContribution"), "The same at the other time; null without `compare`.")),
    );
    types.add(
        Object::new("PreviousContribution")
            .description("One input of a score at the time compared with.")
            .field(field("known", required("Boolean"), ""))
            .field(field("value", named("Decimal"), ""))
            .field(field("scaled", named("Decimal"), ""))
            .field(field("contribution", named("Decimal"), "")),
    );
}
