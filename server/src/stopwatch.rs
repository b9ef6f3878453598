//! The clock by which the planning of requests is timed.

use std::time::Instant;

use holdfast_resolvers::Planning;

/// How many times longer planning takes where nothing is optimised, about. Who develops meets the same limit as who serves.
const SLOWER: u32 = if cfg!(debug_assertions) { 20 } else { 1 };

/// The planning of one request, timed from now on.
pub(crate) fn planning() -> Planning {
    let started = Instant::now();
    Planning::timed(move || started.elapsed() / SLOWER)
}
