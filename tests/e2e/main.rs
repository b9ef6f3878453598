//! The whole product, from outside: real warehouses, the real binary, and the repository itself.

mod cases;
mod entities;
mod hazards;
mod movements_properties;
mod readme;
mod tidy;
