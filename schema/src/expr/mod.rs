//! The small typed expression language of definitions: arithmetic, comparison, logic, `case`, a listed set of functions.

pub mod ast;

pub use ast::{BinaryOp, CaseArm, Expr, Function, UnaryOp};
