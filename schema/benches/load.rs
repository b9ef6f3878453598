//! How long it takes to read and check definitions: `cargo bench -p holdfast-schema --bench load`.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use criterion::{Criterion, criterion_group, criterion_main};
use holdfast_schema::{definition, diagnostic::Diagnostics, load, model, source::SourceMap};

#[path = "../tests/it/large_model.rs"]
mod large_model;

fn load_definitions(criterion: &mut Criterion) {
    let sources = SourceMap::new(large_model::files(100));
    assert!(load(sources.clone()).0.is_some());
    criterion.bench_function("load 1,000 metrics over 110 entities", |bencher| bencher.iter(|| load(sources.clone())));

    let definitions = definition::parse(&sources, &mut Diagnostics::default());
    criterion.bench_function("resolve 1,000 metrics over 110 entities", |bencher| {
        bencher.iter(|| model::resolve(&sources, &definitions, &mut Diagnostics::default()));
    });
}

criterion_group!(benches, load_definitions);
criterion_main!(benches);
