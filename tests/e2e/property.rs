//! Properties over generated warehouses.

use proptest::{
    prelude::Strategy,
    test_runner::{Config, TestRng, TestRunner},
};
use tokio::runtime::Runtime;

/// Runs a property on so many generated cases, the same in every run; a failure shows the smallest that fails.
pub(super) fn property<T, F>(cases: u32, data: impl Strategy<Value = T>, check: impl Fn(T) -> F)
where
    T: std::fmt::Debug + Clone,
    F: Future<Output = ()>,
{
    let runtime = Runtime::new().expect("a runtime starts");
    let config = Config { cases, max_shrink_iters: 5 * cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new_with_rng(config, TestRng::deterministic_rng(Default::default())).run(&data, |data| {
        runtime.block_on(check(data));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
