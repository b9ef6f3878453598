//! The whole product, from outside: real warehouses, the real binary, and the repository itself.

mod entities;
mod readme;
mod tidy;
