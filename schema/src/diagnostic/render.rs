//! [`Diagnostics`](super::Diagnostics) → text for people and JSON for editors.

mod human;
mod json;

pub use human::human;
pub use json::json;
