use holdfast_schema::{source::SourceMap, *};
use holdfast_server::{demo, engine, warehouse::embedded::Embedded};
use std::sync::Arc;
fn read(dir: &std::path::Path, base: &std::path::Path, out: &mut Vec<(String, String)>) {
    for e in std::fs::read_dir(dir).unwrap() {
        let p = e.unwrap().path();
        if p.is_dir() {
            read(&p, base, out)
        } else if p.extension().is_some_and(|x| x == "yaml") {
            out.push((p.strip_prefix(base).unwrap().display().to_string(), std::fs::read_to_string(&p).unwrap()));
        }
    }
}
#[tokio::main]
async fn main() {
    let base = std::path::Path::new("metrics-defs");
    let mut files = Vec::new();
    read(base, base, &mut files);
    let map = SourceMap::new(files);
    let t = std::time::Instant::now();
    let (model, d) = load(map.clone());
    println!("load {:?}", t.elapsed());
    println!("{}", diagnostic::render::human(&map, &d, false));
    let model = model.unwrap();
    let which = std::env::args().nth(1).unwrap();
    let tables = if which == "golden" {
        demo::golden()
    } else if which == "portfolio" {
        demo::portfolio()
    } else {
        demo::fixture(&model.fixtures.iter().find(|f| f.0 == which).unwrap().1).unwrap()
    };
    let w = Embedded::new("probe", &tables, Default::default()).unwrap();
    let e = Arc::new(engine::Engine::new(Arc::new(w), Default::default()));
    let api = holdfast_resolvers::Api::new(model.clone(), Default::default())
        .map_err(|d| println!("{}", diagnostic::render::human(&map, &d, false)))
        .unwrap();
    for file in std::env::args().skip(2) {
        let q = std::fs::read_to_string(&file).unwrap();
        let cx = holdfast_resolvers::RequestContext {
            model: model.clone(),
            caller: Default::default(),
            now: jiff::Timestamp::now(),
            correlation_id: "x".into(),
        };
        let t = std::time::Instant::now();
        let a = api.execute(e.clone(), cx, async_graphql::Request::new(q)).await;
        println!("{:?} {}", t.elapsed(), String::from_utf8_lossy(&a.body));
    }
}
