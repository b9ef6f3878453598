//! The whole product, from outside: real warehouses, the real binary, and the repository itself.

mod as_of;
mod cache;
mod cases;
mod catalogue;
mod cli;
mod entities;
mod failure;
mod hazards;
mod identity;
mod invariants;
mod limits;
mod live;
mod movements_properties;
mod pages;
mod peers;
mod policies;
mod property;
mod readme;
mod related;
mod series;
mod signals;
mod tidy;
mod today;
mod tops;
