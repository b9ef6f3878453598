//! What Apollo's federation adds to a schema: `_service` and `_entities`.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/subgraph-spec>

use async_graphql::dynamic::{Field, Object, Scalar, TypeRef, Union};

use super::{Types, field, input, required, required_list};
use crate::surface::Surface;

/// `_service` and `_entities`.
pub(super) fn root_fields() -> [Field; 2] {
    [
        field("_service", required("_Service"), "The schema, as the gateway of a federated graph reads it."),
        field("_entities", required_list_of_nullable("_Entity"), "Rows by their keys, in that order; null where there is none.")
            .argument(input("representations", required_list("_Any"), "`__typename` with the fields of one of its keys.")),
    ]
}

/// Registers the types.
pub(super) fn register(surface: &Surface, types: &mut Types) {
    types.add(Scalar::new("_Any").description("What a gateway knows of a row: `__typename` and the fields of a key."));
    types.add(Object::new("_Service").description("The schema, as a gateway reads it.").field(field(
        "sdl",
        required("String"),
        "Schema language with keys.",
    )));
    let union = Union::new("_Entity").description("Any row.");
    types.add(surface.entities.iter().fold(union, |union, entity| union.possible_type(&entity.type_name)));
}

fn required_list_of_nullable(name: &str) -> TypeRef {
    TypeRef::named_list_nn(name)
}
