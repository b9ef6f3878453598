//! What one request may ask for.

use holdfast_resolvers::{Limits, Settings};

use super::read::Reader;

/// Reads section `limits`: the settings of the GraphQL surface.
pub fn read(reader: &mut Reader<'_>) -> Settings {
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
            page: reader.count("limits.page") as u64,
            max_page: reader.count("limits.max_page") as u64,
            rows: reader.count("limits.rows") as u64,
            max_rows: reader.count("limits.max_rows") as u64,
            response_bytes: reader.bytes("limits.response_bytes"),
        },
        introspection: reader.flag("limits.introspection"),
        inferred_grouping: reader.flag("limits.inferred_grouping"),
        suggestions: reader.flag("limits.suggestions"),
        document_cache: reader.count("limits.document_cache") as u64,
    }
}
