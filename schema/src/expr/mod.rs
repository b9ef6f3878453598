//! The small typed expression language of definitions: arithmetic, comparison, logic, `case`, a listed set of functions.

pub mod ast;
pub mod name;
pub mod types;

mod functions;
mod lexer;
mod parser;
mod precedence;
mod print;

pub use ast::{BinaryOp, CaseArm, Expr, Function, UnaryOp};
pub use name::Name;
pub use parser::parse;
