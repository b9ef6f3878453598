//! How long a question takes from names to SQL: `cargo bench -p holdfast-schema --bench compile`.
//!
//! Besides criterion's mean it prints the 99th percentile of single calls, and the ratio to hashing the finished SQL (the
//! same run, the same machine), because the promise is about the slowest of a hundred.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::{
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use holdfast_schema::{
    compile, load,
    model::Model,
    query::{Caller, GroupBy, GroupItem, MetricQuery, MetricSelection, Scope, TimeRange},
    source::SourceMap,
    sql::Dialect,
    time::Grain,
};
use jiff::civil::date;

fn shipped() -> std::sync::Arc<Model> {
    fn collect(folder: &Path, base: &Path, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, base, files);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix(base).unwrap().to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let base = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../metrics-defs"));
    let mut files = Vec::new();
    collect(base, base, &mut files);
    load(SourceMap::new(files)).0.unwrap()
}

fn question(view: &str, metrics: &[&str], dimensions: &[&str], totals: bool) -> MetricQuery {
    let selection = |name: &&str| MetricSelection::of(*name);
    let period = GroupBy { key: "period".to_owned(), item: GroupItem::Time { dimension: None, grain: Grain::Month } };
    let dimension = |name: &&str| GroupBy { key: (*name).to_owned(), item: GroupItem::Dimension((*name).to_owned()) };
    MetricQuery {
        by: std::iter::once(period).chain(dimensions.iter().map(dimension)).collect(),
        range: Some(TimeRange { from: Some(date(2025, 1, 1)), to: Some(date(2026, 1, 1)) }),
        limit: Some(1000),
        row_count: true,
        totals,
        ..MetricQuery::new(Scope::View(view.to_owned()), metrics.iter().map(selection).collect(), date(2026, 1, 1))
    }
}

fn percentile(mut times: Vec<Duration>, share: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share) as usize]
}

fn compile_questions(criterion: &mut Criterion) {
    let model = shipped();
    let caller = Caller::default();
    let cases = [
        ("one balance", question("value", &["mrr"], &[], false)),
        (
            "retention with totals",
            question("retention", &["nrr", "grr", "contraction_rate", "contracted_accounts"], &["segment"], true),
        ),
        ("every metric of the view", {
            let view = model.view(model.view_named("retention").unwrap());
            let names: Vec<&str> = view.metrics.iter().map(|id| model.metric(*id).name.as_str()).collect();
            question("retention", &names, &["segment"], false)
        }),
    ];
    for (name, question) in &cases {
        let once = || compile::metrics(&model, black_box(question), &caller, Dialect::Postgres).unwrap();
        criterion.bench_function(&format!("compile {name}"), |bencher| bencher.iter(once));
        let times = |run: &dyn Fn()| -> Vec<Duration> {
            (0..2_000)
                .map(|_| {
                    let started = Instant::now();
                    run();
                    started.elapsed()
                })
                .collect()
        };
        let compiled = once();
        let copied = times(&|| drop(black_box(compiled.rows.digest())));
        let whole = times(&|| drop(black_box(once())));
        let (p50, p99) = (percentile(whole.clone(), 0.5), percentile(whole, 0.99));
        let digest = percentile(copied, 0.5);
        println!(
            "compile {name}: p50 {p50:?}, p99 {p99:?}; {:.1} times hashing its {} bytes of SQL ({digest:?})",
            p50.as_secs_f64() / digest.as_secs_f64(),
            compiled.rows.sql.as_str().len(),
        );
    }
}

criterion_group!(benches, compile_questions);
criterion_main!(benches);
