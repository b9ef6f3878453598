//! Rows that come with the program: a portfolio to look at, and small cases with known answers. Knows no engine.

mod cell;
mod fixture;
mod golden;
mod layout;
mod portfolio;
mod random;

pub use fixture::{FixtureError, fixture};
pub use golden::{golden, golden_end};
pub use layout::layout;
pub use portfolio::{portfolio, portfolio_end};

#[cfg(test)]
mod tests;
