//! SQL as a tree, and the only place where it becomes text.

pub mod ast;
pub mod dialect;
pub(crate) mod lower;
mod prune;
pub mod render;
pub mod statement;
mod walk;

pub use dialect::Dialect;
pub use statement::{OutputColumn, Param, SqlText, Statement};
