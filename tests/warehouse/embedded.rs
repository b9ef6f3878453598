//! The embedded engine's limits.

use std::time::{Duration, Instant};

use holdfast_schema::value::Value;
use holdfast_warehouse::{
    Error, Limits, Warehouse as _,
    embedded::Embedded,
    table::{ColumnType, Table},
};
use tokio::time::{sleep, timeout};

use crate::{shown, statement};

fn numbers(count: i64, limits: Limits) -> Embedded {
    let mut table = Table::new(None, "n", &[("i", ColumnType::Int)]);
    for i in 0..count {
        table.push(&[Value::Int(i)]);
    }
    Embedded::new("numbers", &[table], limits).expect("the table fits")
}

/// Runs for minutes.
const LONG: &str = "select count(*) from n a join n b on a.i % 7 = b.i % 7 join n c on b.i % 7 = c.i % 7";

#[tokio::test]
async fn a_plan_that_takes_too_long_is_stopped() {
    let warehouse = numbers(3_000, Limits { timeout: Duration::from_millis(200), ..Limits::default() });
    let started = Instant::now();
    let result = warehouse.run(&statement("i", LONG, vec![])).await;
    assert_eq!(result, Err(Error::Timeout { limit: Duration::from_millis(200) }));
    assert!(started.elapsed() < Duration::from_secs(2));
    idle(&warehouse).await;
}

#[tokio::test]
async fn a_plan_whose_asker_goes_away_is_stopped() {
    let warehouse = numbers(3_000, Limits::default());
    assert!(timeout(Duration::from_millis(200), warehouse.run(&statement("i", LONG, vec![]))).await.is_err());
    idle(&warehouse).await;
}

async fn idle(warehouse: &Embedded) {
    for _ in 0..50 {
        if warehouse.status().running == 0 {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("the plan still runs");
}

#[tokio::test]
async fn rows_and_bytes_are_bounded() {
    let rows = numbers(10_000, Limits { rows: 9_999, ..Limits::default() });
    let result = rows.run(&statement("i", "select i from n", vec![])).await;
    assert_eq!(result, Err(Error::ResultTooLarge { limit: "9999 rows".into() }));
    let bytes = numbers(200_000, Limits { bytes: 1 << 20, ..Limits::default() });
    let result = bytes.run(&statement("i", "select i from n", vec![])).await;
    assert_eq!(result, Err(Error::ResultTooLarge { limit: "1 MiB".into() }));
}

#[tokio::test]
async fn a_statement_that_needs_more_memory_than_there_is_is_refused_and_others_go_on() {
    let warehouse = numbers(300_000, Limits { memory: 1 << 20, ..Limits::default() });
    let too_large = Err(Error::ResultTooLarge { limit: "the memory of the embedded engine".into() });
    // Each ends in one row: what is large is what has to be kept on the way.
    for large in [
        "select count(*) from (select i, count(*) from n group by i)",
        "select count(*) from n a join n b on a.i = b.i",
        "select max(place) from (select row_number() over (order by -i) as place from n)",
    ] {
        assert_eq!(warehouse.run(&statement("i", large, vec![])).await, too_large, "{large}");
        let small = warehouse.run(&statement("i", "select sum(i) from n", vec![])).await.expect("there is room again");
        assert_eq!(shown(&small), ["44999850000"]);
    }
}

#[tokio::test]
async fn only_selects_run_and_floats_are_refused() {
    let warehouse = numbers(1, Limits::default());
    for text in
        ["create table x as select 1", "drop table n", "insert into n values (1)", "set datafusion.execution.batch_size = 1"]
    {
        assert!(matches!(warehouse.run(&statement("i", text, vec![])).await, Err(Error::Statement(_))), "{text}");
    }
    assert!(matches!(warehouse.run(&statement("n", "select cast(i as double) from n", vec![])).await, Err(Error::Statement(_))));
    assert!(matches!(warehouse.run(&statement("i", "select 1 / i from n", vec![])).await, Err(Error::Data(_))));
}
