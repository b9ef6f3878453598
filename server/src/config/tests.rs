use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_last_layer_that_speaks_wins_and_is_named() {
    let sources = Sources {
        file: Some((
            "holdfast.toml".into(),
            "[http]\nlisten = \"127.0.0.1:1\"\nbody_limit = \"1KiB\"\n[warehouse]\npool_size = 3\n".into(),
        )),
        environment: environment(&[
            ("HOLDFAST_HTTP_LISTEN", "127.0.0.1:2"),
            ("HOLDFAST_WAREHOUSE_POOL_SIZE", "4"),
            ("PATH", "/bin"),
        ]),
        flags: vec![("http.listen", "127.0.0.1:3".into())],
    };
    let config = load(sources).expect("valid settings");
    assert_eq!(config.http.listen.port(), 3);
    assert_eq!(config.http.body_limit, 1024);
    assert_eq!(config.warehouse.pool_size, 4);
    let printed = print(&config);
    for (key, origin) in [
        ("http.listen ", "flag --listen"),
        ("http.body_limit ", "file holdfast.toml"),
        ("warehouse.pool_size ", "environment HOLDFAST_WAREHOUSE_POOL_SIZE"),
        ("cache.enabled ", "default"),
    ] {
        let line = printed.lines().find(|line| line.starts_with(key)).expect("a line for every setting");
        assert!(line.ends_with(origin), "{line}");
    }
}

#[test]
fn every_mistake_is_told_at_once_with_the_nearest_name() {
    let sources = Sources {
        file: Some(("holdfast.toml".into(), "[http]\nlisen = \"x\"\nrequest_timeout = 35\n".into())),
        environment: environment(&[("HOLDFAST_CACHE_ENABLE", "true"), ("HOLDFAST_CACHE_MAX_BYTES", "lots")]),
        flags: Vec::new(),
    };
    let errors: Vec<String> = load(sources).expect_err("four mistakes").iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 4, "{errors:#?}");
    assert!(errors[0].contains("`http.lisen`") && errors[0].contains("`http.listen`"), "{}", errors[0]);
    assert!(errors[1].contains("did you mean `HOLDFAST_CACHE_ENABLED`"), "{}", errors[1]);
    assert!(errors[2].contains("http.request_timeout") && errors[2].contains("file holdfast.toml"), "{}", errors[2]);
    assert!(errors[3].contains("found `lots`"), "{}", errors[3]);
}

#[test]
fn defaults_are_valid_and_secrets_are_masked() {
    let config = load(Sources::default()).expect("defaults are valid");
    assert_eq!(config.http.body_limit, 256 * 1024);
    let sources = Sources {
        flags: vec![("warehouse.url", "postgres://me:hidden@h/db".into())],
        environment: environment(&[("HOLDFAST_IDENTITY_JWT_SECRET", "hidden://hidden")]),
        ..Sources::default()
    };
    let config = load(sources).expect("valid");
    assert!(!print(&config).contains("hidden"));
    assert!(!format!("{config:?}").contains("hidden"));
}

#[test]
fn the_readme_has_the_table_of_settings() {
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&settings::markdown_table()),
        "server/README.md is out of date; the table is:\n{}",
        settings::markdown_table()
    );
}

fn one(key: &str, text: &str) -> Result<Config, Vec<String>> {
    let variable = settings::find(key).expect("a setting").variable();
    let sources = Sources { environment: environment(&[(&variable, text)]), ..Sources::default() };
    load(sources).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

#[test]
fn origins_are_written_as_browsers_write_them() {
    use http::Origins;
    let origins = |text: &str| one("http.cors_origins", text).map(|config| config.http.cors.origins);
    assert_eq!(origins(""), Ok(Origins::These(Vec::new())));
    assert_eq!(origins("*"), Ok(Origins::Any));
    let two = Origins::These(vec!["https://a.example".into(), "http://localhost:3000".into()]);
    assert_eq!(origins("https://a.example, http://localhost:3000"), Ok(two));
    assert!(origins("http://[::1]:3000").is_ok());
    for wrong in [
        "a.example",
        "https://a.example/",
        "https://A.example",
        "https://a.example:443",
        "http://a.example:80",
        "https://*.example",
        "https://",
        "null",
        "*, https://a.example",
    ] {
        let errors = origins(wrong).expect_err(wrong);
        assert!(errors.len() == 1 && errors[0].contains("origins such as `https://app.example.com`"), "{wrong}: {errors:?}");
    }
    let both = environment(&[("HOLDFAST_HTTP_CORS_ORIGINS", "*"), ("HOLDFAST_HTTP_CORS_CREDENTIALS", "true")]);
    let errors = load(Sources { environment: both, ..Sources::default() }).expect_err("browsers refuse it");
    assert!(errors.len() == 1 && errors[0].to_string().contains("while `http.cors_origins` is `*`"), "{errors:?}");
}

#[test]
fn sql_is_shown_where_someone_develops() {
    let shows = |pairs: &[(&str, &str)]| {
        let config = load(Sources { environment: environment(pairs), ..Sources::default() }).expect("valid");
        (config.warehouse.show_sql, config.over_demo().warehouse.show_sql)
    };
    assert_eq!(shows(&[]), (true, true));
    let public = ("HOLDFAST_HTTP_LISTEN", "0.0.0.0:4000");
    assert_eq!(shows(&[public]), (false, true));
    assert_eq!(shows(&[public, ("HOLDFAST_WAREHOUSE_SHOW_SQL", "true")]), (true, true));
    assert_eq!(shows(&[("HOLDFAST_WAREHOUSE_SHOW_SQL", "off")]), (false, false));
    assert_eq!(shows(&[("HOLDFAST_IDENTITY_JWT_SECRET", &"s".repeat(32))]), (false, true));
}

#[test]
fn names_are_suggested_where_someone_develops() {
    let suggests = |pairs: &[(&str, &str)]| {
        let config = load(Sources { environment: environment(pairs), ..Sources::default() }).expect("valid");
        (config.limits.suggestions, config.over_demo().limits.suggestions)
    };
    assert_eq!(suggests(&[]), (true, true));
    assert_eq!(suggests(&[("HOLDFAST_HTTP_LISTEN", "[::1]:4000")]), (true, true));
    let public = ("HOLDFAST_HTTP_LISTEN", "0.0.0.0:4000");
    assert_eq!(suggests(&[public]), (false, true));
    assert_eq!(suggests(&[public, ("HOLDFAST_LIMITS_SUGGESTIONS", "true")]), (true, true));
    assert_eq!(suggests(&[("HOLDFAST_LIMITS_SUGGESTIONS", "off")]), (false, false));
    assert!(one("limits.suggestions", "maybe").expect_err("no such word")[0].contains("`auto`, `true` or `false`"));
}

#[test]
fn a_time_of_none_is_refused_where_nothing_could_be_done_in_it() {
    let spans = settings::SETTINGS.iter().filter(|setting| read::duration(setting.default).is_some());
    let allowed: Vec<&str> = spans.map(|setting| setting.key).filter(|key| one(key, "0s").is_ok()).collect();
    // Without grace, leeway or waiting; answers that are not kept; data that is looked for at once; questions that are kept only.
    let expected = [
        "http.shutdown_grace",
        "identity.leeway",
        "warehouse.pool_wait",
        "warehouse.queue_wait",
        "cache.default_ttl",
        "cache.refresh_interval",
        "limits.planning",
    ];
    assert_eq!(allowed, expected);
    let errors = one("streams.keep_alive", "0s").expect_err("pings without pause");
    assert!(errors.len() == 1 && errors[0].contains("`streams.keep_alive`") && errors[0].contains("from `1ms`"), "{errors:?}");
}

#[test]
fn a_budget_may_be_none() {
    let budget = |text: &str| one("limits.budget", text).map(|config| config.engine().budget);
    assert_eq!((budget("0"), budget("1_000")), (Ok(0), Ok(1_000)));
    assert!(budget("-1").is_err());
}
