//! What pages and metrics cost over the demo's portfolio in the embedded engine: `cargo bench -p holdfast-server --bench pages`.
//!
//! Of the saved pages it shows statements, milliseconds and bytes, with nothing kept and again with the answers kept; of all metrics,
//! asked one by one, how many there are above a second and which are the slowest.
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::process::Command;

/// The first day after the portfolio's last month.
const AS_OF: &str = "2026-01-01";

fn main() {
    let variables = format!(r#"{{"asOf":"{AS_OF}","account":"account:A0207"}}"#);
    print!("{}", survey(&["--saved", "account_page,portfolio_page", "--variables", &variables]));
    let metrics = survey(&["--as-of", AS_OF]);
    let summary = metrics.split("\n\n").last().unwrap();
    println!("\n{summary}");
}

fn survey(arguments: &[&str]) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let output =
        Command::new(env!("CARGO_BIN_EXE_holdfast")).current_dir(root).args(["survey", "--demo"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
