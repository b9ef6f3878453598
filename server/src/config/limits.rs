//! What one request may ask for.

use holdfast_resolvers::{Limits, Settings};

use super::read::Reader;

/// What a caller may spend, in units of cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// `limits.budget`; 0 is no budget.
    pub size: u64,
    /// `limits.budget_refill`
    pub refill_per_second: u64,
}

impl Budget {
    /// Reads it.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self { size: reader.number("limits.budget"), refill_per_second: reader.count("limits.budget_refill") as u64 }
    }
}

/// Reads section `limits`: the settings of the GraphQL surface. Names are suggested when that is said, or when only programs of this
/// machine are answered: who develops is helped, and nobody else learns names by guessing.
pub fn read(reader: &mut Reader<'_>, suggestions: Option<bool>, is_local: bool) -> Settings {
    Settings {
        limits: Limits {
            tokens: reader.count("limits.tokens"),
            recursion: reader.count("limits.recursion"),
            depth: reader.count("limits.depth"),
            height: reader.count("limits.height"),
            aliases: reader.count("limits.aliases"),
            root_fields: reader.count("limits.root_fields"),
            directives: reader.count("limits.directives"),
            introspection_fields: reader.count("limits.introspection_fields"),
            cost: reader.count("limits.cost") as u64,
            page: reader.count("limits.page") as u64,
            max_page: reader.count("limits.max_page") as u64,
            rows: reader.count("limits.rows") as u64,
            max_rows: reader.count("limits.max_rows") as u64,
            response_bytes: reader.bytes("limits.response_bytes"),
            planning: reader.duration_or_none("limits.planning"),
        },
        introspection: reader.flag("limits.introspection"),
        inferred_grouping: reader.flag("limits.inferred_grouping"),
        suggestions: suggestions.unwrap_or(is_local),
        show_cost: reader.flag("limits.show_cost"),
        document_cache: reader.count("limits.document_cache") as u64,
    }
}
