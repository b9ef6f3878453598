//! The binary as people and scripts use it: output and exit codes.

use std::{
    path::Path,
    process::{Command, Output},
};

use crate::support::write_project;

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the binary in a folder, without any setting of the surroundings.
fn holdfast(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HOLDFAST_") {
            command.env_remove(name);
        }
    }
    let Output { status, stdout, stderr } = command.args(arguments).current_dir(folder).output().expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// A folder with the project below `metrics-defs/`.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("metrics-defs")).expect("created");
    write_project(&folder.path().join("metrics-defs"));
    folder
}

#[test]
fn check_tells_every_mistake_with_its_place_and_fails() {
    let folder = project();
    let good = holdfast(folder.path(), &["check"]);
    assert_eq!(good.code, Some(0), "{}{}", good.out, good.err);
    let view = folder.path().join("metrics-defs/view.yaml");
    std::fs::write(&view, "view: selling\nmetrics: [revenu]\ndimensions: [sale.regio]\n").expect("written");
    let bad = holdfast(folder.path(), &["check"]);
    assert_eq!(bad.code, Some(1), "{}{}", bad.out, bad.err);
    assert!(bad.out.contains("metrics-defs/view.yaml:2") && bad.out.contains("did you mean"), "{}", bad.out);
    assert!(bad.out.contains("metrics-defs/view.yaml:3"), "{}", bad.out);
    let json = holdfast(folder.path(), &["check", "--format", "json"]);
    assert_eq!(json.code, Some(1));
    serde_json::from_str::<serde_json::Value>(&json.out).expect("JSON and nothing else");
}

#[test]
fn tests_pass_and_fail_with_what_was_expected_and_found() {
    let folder = project();
    let good = holdfast(folder.path(), &["test"]);
    assert_eq!(good.code, Some(0), "{}{}", good.out, good.err);
    assert!(good.out.contains("1 passed, 0 failed"), "{}", good.out);
    let path = folder.path().join("metrics-defs/metrics.yaml");
    let text = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, text.replace("revenue: 1.5}]", "revenue: 1.6}]")).expect("written");
    let bad = holdfast(folder.path(), &["test"]);
    assert_eq!(bad.code, Some(1), "{}{}", bad.out, bad.err);
    assert!(bad.out.contains("row 2, `revenue`: expected 1.6, found 1.5"), "{}", bad.out);
    assert!(bad.out.contains("metrics-defs/metrics.yaml:5"), "{}", bad.out);
    assert_eq!(holdfast(folder.path(), &["test", "no such test"]).code, Some(2));
}

#[test]
fn compile_shows_sql_and_points_at_the_word_that_is_wrong() {
    let folder = project();
    let words =
        ["compile", "--metrics", "revenue", "--by", "region", "--range", "2025-Q1", "--where", "region = 'north'", "--explain"];
    let good = holdfast(folder.path(), &words);
    assert_eq!(good.code, Some(0), "{}{}", good.out, good.err);
    assert!(good.out.to_lowercase().contains("select") && good.out.contains("north"), "{}", good.out);
    let bad = holdfast(folder.path(), &["compile", "--metrics", "revenue", "--where", "regio = 'north'"]);
    assert_eq!(bad.code, Some(1), "{}{}", bad.out, bad.err);
    assert!(bad.err.contains("did you mean `region`?") && bad.err.contains('^'), "{}", bad.err);
    std::fs::write(folder.path().join("q.graphql"), crate::support::QUERY).expect("written");
    let document = holdfast(folder.path(), &["compile", "q.graphql", "--dialect", "embedded"]);
    assert_eq!(document.code, Some(0), "{}{}", document.out, document.err);
    assert!(document.out.contains("question 1: revenue by region"), "{}", document.out);
}

#[test]
fn everything_that_is_defined_can_be_described() {
    let folder = project();
    let all = holdfast(folder.path(), &["describe"]);
    assert!(all.out.contains("revenue") && all.out.contains("selling") && all.out.contains("sale"), "{}", all.out);
    let json = holdfast(folder.path(), &["describe", "revenue", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!((json["kind"].as_str(), json["views"][0].as_str()), (Some("metric"), Some("selling")));
    let unknown = holdfast(folder.path(), &["describe", "revenu"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("did you mean `revenue`?"), "{}", unknown.err);
    assert!(holdfast(folder.path(), &["sdl"]).out.contains("type Query"));
    let schema = holdfast(folder.path(), &["schema"]);
    serde_json::from_str::<serde_json::Value>(&schema.out).expect("JSON Schema");
}

#[test]
fn changes_of_the_schema_are_told_and_breaking_ones_fail() {
    let folder = project();
    let old = holdfast(folder.path(), &["sdl"]).out;
    std::fs::write(folder.path().join("old.graphql"), &old).expect("written");
    let same = holdfast(folder.path(), &["sdl", "--diff", "old.graphql"]);
    assert_eq!((same.code, same.out.as_str()), (Some(0), "0 breaking, 0 dangerous, 0 safe changes\n"));
    let folder_of_definitions = folder.path().join("metrics-defs");
    let view = folder_of_definitions.join("view.yaml");
    let text = std::fs::read_to_string(&view).expect("a view");
    std::fs::write(&view, text.replace("dimensions: [sale.region]", "dimensions: []").split("---").next().unwrap_or_default())
        .expect("written");

    std::fs::write(
        folder_of_definitions.join("metrics.yaml"),
        "metrics: {revenue: {measure: sale.amount, deprecated: use other}}\n",
    )
    .expect("written");
    let changed = holdfast(folder.path(), &["sdl", "--diff", "old.graphql"]);
    assert_eq!(changed.code, Some(1), "{}{}", changed.out, changed.err);
    for line in [
        "breaking   SellingRow.region: field is gone",
        "breaking   SellingDimension: enum is gone",
        "safe       SellingRow.revenue: is deprecated now",
    ] {
        assert!(changed.out.contains(line), "{line}: {}", changed.out);
    }
    let json = holdfast(folder.path(), &["sdl", "--diff", "old.graphql", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json[0]["severity"], "breaking");
    std::fs::write(folder.path().join("old.graphql"), "type {").expect("written");
    assert_eq!(holdfast(folder.path(), &["sdl", "--diff", "old.graphql"]).code, Some(2));
    assert!(holdfast(folder.path(), &["sdl", "--federation"]).out.contains("@key(fields: \"id\")"));
}

#[test]
fn settings_that_are_wrong_stop_everything_with_exit_code_2() {
    let folder = project();
    std::fs::write(folder.path().join("holdfast.toml"), "[http]\nlistn = \"127.0.0.1:1\"\n").expect("written");
    let unknown = holdfast(folder.path(), &["print-config"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("did you mean `http.listen`?"), "{}", unknown.err);
    std::fs::write(folder.path().join("holdfast.toml"), "[http]\nlisten = \"127.0.0.1:1\"\n").expect("written");
    let shown = holdfast(folder.path(), &["print-config", "--warehouse", "postgres://u:hidden@h/d"]);
    assert_eq!(shown.code, Some(0));
    assert!(shown.out.contains("file holdfast.toml") && !shown.out.contains("hidden"), "{}", shown.out);
    let nobody = holdfast(folder.path(), &["serve", "--warehouse", "postgres://h/d"]);
    assert_eq!(nobody.code, Some(2), "{}", nobody.err);
    assert!(nobody.err.contains("--anonymous") && nobody.err.contains("identity.jwks"), "{}", nobody.err);
    let public = holdfast(folder.path(), &["serve", "--anonymous", "--listen", "0.0.0.0:0", "--warehouse", "postgres://h/d"]);
    assert_eq!(public.code, Some(2), "{}", public.err);
    assert!(public.err.contains("--allow-public"), "{}", public.err);
    let nothing = holdfast(folder.path(), &["serve"]);
    assert_eq!(nothing.code, Some(2));
    assert!(nothing.err.contains("--demo"), "{}", nothing.err);
}

#[test]
fn credentials_are_made_for_development_and_never_without_a_good_secret() {
    let folder = project();
    let words = ["token", "--subject", "ann", "--role", "csm", "--claim", "regions=EMEA", "--claim", "desk:=7", "--expires", "1h"];
    let unsigned = holdfast(folder.path(), &words);
    assert_eq!(unsigned.code, Some(2), "{}", unsigned.out);
    assert!(unsigned.err.contains("identity.jwt_secret"), "{}", unsigned.err);
    let settings = folder.path().join("holdfast.toml");
    std::fs::write(&settings, "[identity]\njwt_secret = \"short\"\n").expect("written");
    let short = holdfast(folder.path(), &words);
    assert_eq!(short.code, Some(2), "{}", short.out);
    assert!(short.err.contains("5 bytes") && !short.err.contains("`short`"), "{}", short.err);
    std::fs::write(&settings, "[identity]\njwt_secret = \"a secret of tests, which is long enough\"\n").expect("written");
    let token = holdfast(folder.path(), &words);
    assert_eq!((token.code, token.out.trim().split('.').count(), token.err.as_str()), (Some(0), 3, ""));
    assert!(!holdfast(folder.path(), &["print-config"]).out.contains("secret of tests"));
    for wrong in [["--claim", "regions"], ["--claim", "=x"], ["--claim", "desk:={"], ["--expires", "soon"], ["--subject", ""]] {
        let ran = holdfast(folder.path(), &[&["token", "--subject", "ann"][..], &wrong].concat());
        assert_eq!(ran.code, Some(2), "{wrong:?}: {}", ran.out);
    }
    let key = holdfast(folder.path(), &["token", "--api-key", "--subject", "bot", "--role", "csm", "--claim", "regions=EMEA"]);
    assert_eq!(key.code, Some(0), "{}", key.err);
    let shown = key.err.lines().last().expect("the key").to_owned();
    assert!(shown.starts_with("hf_") && !key.out.contains(&shown), "{}", key.err);
    assert!(key.out.starts_with("[[key]]\nname = \"bot\"\nsha256 = \"") && key.out.contains("regions"), "{}", key.out);
}

#[test]
fn metrics_that_do_not_exist_for_somebody_are_not_asked_as_them() {
    let folder = project();
    let policy = "policies: {few: {roles: guest, metrics: []}}\n";
    std::fs::write(folder.path().join("metrics-defs/policy.yaml"), policy).expect("written");
    std::fs::write(folder.path().join("q.graphql"), crate::support::QUERY).expect("written");
    for (question, told) in [(&["--metrics", "revenue"][..], "there is no view `selling`"), (&["q.graphql"], "`selling`")] {
        let compiled = |role: &str| {
            let claims = format!("{{\"sub\": \"ann\", \"roles\": [\"{role}\"]}}");
            holdfast(folder.path(), &[&["compile", "--as", &claims], question].concat())
        };
        let (guest, other) = (compiled("guest"), compiled("csm"));
        assert_eq!((guest.code, other.code), (Some(1), Some(0)), "{} {}", guest.err, other.err);
        assert!(guest.err.contains(told) && guest.out.is_empty(), "{}{}", guest.out, guest.err);
    }
}

#[test]
fn questions_are_explained_and_asked_as_somebody() {
    let folder = project();
    let policy = "policies:\n  own_regions:\n    applies_to: sale\n    roles: csm\n    rows: region in claims.regions\n";
    std::fs::write(folder.path().join("metrics-defs/policy.yaml"), policy).expect("written");
    let ann = r#"{"sub": "ann", "roles": ["csm"], "regions": ["north"]}"#;
    std::fs::write(folder.path().join("ann.json"), ann).expect("written");
    std::fs::write(folder.path().join("q.graphql"), crate::support::QUERY).expect("written");
    for question in [&["--metrics", "revenue"][..], &["q.graphql"]] {
        let compiled = |more: &[&str]| holdfast(folder.path(), &[&["compile", "--explain"], question, more].concat());
        let nobody = compiled(&[]);
        assert_eq!(nobody.code, Some(0), "{}", nobody.err);
        assert!(!nobody.out.contains("own_regions") && !nobody.out.contains("north"), "{}", nobody.out);
        for claims in [ann, "ann.json"] {
            let somebody = compiled(&["--as", claims]);
            assert_eq!(somebody.code, Some(0), "{}", somebody.err);
            assert!(somebody.out.contains("own_regions") && somebody.out.contains("north"), "{}", somebody.out);
        }
    }
    for wrong in ["{}", "{\"sub\": \"ann\", \"roles\": 1}", "{", "nowhere.json"] {
        let ran = holdfast(folder.path(), &["compile", "--metrics", "revenue", "--as", wrong]);
        assert_eq!(ran.code, Some(2), "{wrong}: {}", ran.out);
        assert!(ran.err.contains("--as"), "{}", ran.err);
    }
}

/// 25 hours lie between these zones, so their days are never the same.
#[test]
fn today_is_the_day_of_the_project_wherever_the_machine_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("metrics-defs")).expect("created");
    let definitions = folder.path().join("metrics-defs/all.yaml");
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        let text = format!(
            "project: days\nversion: 1\ntime_zone: {zone}\n---\nentity: account\nsource: account\nkey: account_id\n\
             valid: {{from: valid_from, to: valid_to}}\nmeasures: {{accounts: {{count: rows}}}}\n---\n\
             metrics: {{accounts: {{measure: account.accounts}}}}\n---\nview: all_of_them\nmetrics: [accounts]\n---\n\
             saved_queries: {{how_many: {{ask: {{view: all_of_them, metrics: [accounts]}}}}}}\n"
        );
        std::fs::write(&definitions, text).expect("written");
        let day = || holdfast_schema::time::day_in(zone, jiff::Timestamp::now()).to_string();
        let before = day();
        let compiled = holdfast(folder.path(), &["compile", "--metrics", "accounts"]);
        let days = [before, day()];
        assert_eq!(compiled.code, Some(0), "{}{}", compiled.out, compiled.err);
        assert!(days.iter().any(|day| compiled.out.contains(day.as_str())), "{days:?} in {}", compiled.out);
    }
}
