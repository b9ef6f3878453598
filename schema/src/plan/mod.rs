//! What is to be done, in nodes small enough to print: checked questions become plans, plans become SQL. No names, no SQL.

pub mod entity;
mod entity_text;
pub(crate) mod keyset;

pub use entity_text::entity_text;
