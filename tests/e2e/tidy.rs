//! What must not be: the walls between the rooms, read from the repository's own files.
//!
//! ARCHITECTURE.md says who may know what; a breach of it fails here, with the file and the line.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A library, and the only places that may name it.
struct Wall {
    library: &'static str,
    rooms: &'static [&'static str],
}

const WALLS: &[Wall] = &[
    Wall { library: "granit_parser", rooms: &["schema/src/definition/yaml.rs", "tests/harness/yaml.rs"] },
    Wall { library: "annotate_snippets", rooms: &["schema/src/diagnostic/render/"] },
    Wall { library: "schemars", rooms: &["schema/src/definition/"] },
    Wall { library: "strsim", rooms: &["schema/src/suggest.rs"] },
    Wall { library: "apollo_compiler", rooms: &["resolvers/"] },
    // The command line and the tests hand documents to the surface as the server does.
    Wall {
        library: "async_graphql",
        rooms: &["resolvers/", "server/src/http/", "server/src/live.rs", "server/src/cli/document.rs", "tests/"],
    },
    Wall {
        library: "moka",
        rooms: &[
            "server/src/cache/",
            "server/src/engine/budget.rs",
            "server/src/engine/compiled.rs",
            "server/src/documents.rs",
            "server/src/generation.rs",
            "resolvers/src/document.rs",
        ],
    },
    Wall { library: "poem", rooms: &["server/src/http/", "server/tests/"] },
    Wall { library: "tokio_postgres", rooms: &["server/warehouse/src/postgres/", "tests/"] },
    Wall { library: "deadpool_postgres", rooms: &["server/warehouse/src/postgres/"] },
    Wall { library: "rustls", rooms: &["server/warehouse/src/postgres/", "server/src/identity/fetch.rs", "tests/"] },
    Wall { library: "jsonwebtoken", rooms: &["server/src/identity/"] },
    Wall { library: "ring", rooms: &["server/warehouse/src/postgres/", "server/src/identity/", "tests/"] },
    Wall { library: "hyper", rooms: &["server/src/identity/"] },
    Wall { library: "datafusion", rooms: &["server/warehouse/src/embedded/"] },
    Wall { library: "clap", rooms: &["server/src/cli/"] },
    Wall { library: "toml", rooms: &["server/src/config/", "server/src/identity/api_keys.rs"] },
    Wall { library: "notify", rooms: &["server/src/watch.rs"] },
    Wall { library: "opentelemetry", rooms: &["server/src/telemetry.rs"] },
    Wall { library: "tracing_subscriber", rooms: &["server/src/telemetry.rs", "server/src/config/telemetry.rs"] },
];

/// What the pure crates never touch: files, the environment, the network, the clock.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "fs::",
    "env::var",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
];

/// Which workspace crates each crate may depend on.
const DIRECTION: &[(&str, &[&str])] = &[
    ("schema", &[]),
    ("resolvers", &["holdfast-schema"]),
    ("server/warehouse", &["holdfast-schema"]),
    ("server", &["holdfast-schema", "holdfast-resolvers", "holdfast-warehouse"]),
    ("tests", &["holdfast-schema", "holdfast-resolvers", "holdfast-warehouse", "holdfast-server"]),
];

/// Sources of more lines than this are asked for their second idea.
const LONG: usize = 600;

#[test]
fn libraries_stay_in_their_rooms() {
    let mut breaches = Vec::new();
    for source in sources() {
        for wall in WALLS {
            if !wall.rooms.iter().any(|room| source.path.starts_with(room)) {
                breaches.extend(source.lines_that(|line| names_crate(line, wall.library)));
            }
        }
    }
    none("libraries outside their rooms", &breaches);
}

#[test]
fn the_compiler_and_the_surface_touch_nothing_outside() {
    let pure = ["schema/src/", "resolvers/src/"];
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| pure.iter().any(|room| source.path.starts_with(room))) {
        breaches.extend(source.lines_that(|line| OUTSIDE.iter().any(|word| starts_word(line, word))));
    }
    none("files, clocks or environment in pure crates", &breaches);
}

#[test]
fn crates_depend_downwards_only() {
    for (member, allowed) in DIRECTION {
        for dependency in table(&read(&format!("{member}/Cargo.toml")), "dependencies") {
            let fits = !dependency.starts_with("holdfast-") || allowed.contains(&dependency.as_str());
            assert!(fits, "{member} must not depend on {dependency}");
        }
    }
}

#[test]
fn every_dependency_is_used() {
    let mut idle = Vec::new();
    let mut taken = BTreeSet::new();
    let sources = sources();
    for (member, _) in DIRECTION {
        let manifest = read(&format!("{member}/Cargo.toml"));
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for dependency in table(&manifest, kind) {
                let name = dependency.replace('-', "_");
                let own = |source: &&Source| source.path.starts_with(&format!("{member}/"));
                if !sources.iter().filter(own).any(|source| source.text.lines().any(|line| names_crate(line, &name))) {
                    idle.push(format!("{member}/Cargo.toml: {dependency}"));
                }
                taken.insert(dependency);
            }
        }
    }
    let offered = table(&read("Cargo.toml"), "workspace.dependencies");
    idle.extend(offered.into_iter().filter(|name| !taken.contains(name)).map(|name| format!("Cargo.toml: {name}")));
    none("dependencies that nothing uses", &idle);
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [
        concat!("db", "g!("),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("TO", "DO"),
        concat!("#[al", "low("),
        concat!("#![al", "low("),
    ];
    let mut left = Vec::new();
    for source in sources() {
        for (index, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                left.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    none("work left for later", &left);
}

#[test]
fn files_speak_of_the_product_only() {
    let words = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("work", "tree"),
        concat!("sha", "red/design"),
        concat!("sha", "red/domain"),
        concat!("this ", "session"),
    ];
    let mut breaches = Vec::new();
    for path in files().iter().filter(|path| is_ours(path)) {
        let Ok(text) = fs::read_to_string(root().join(path)) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                breaches.push(format!("{path}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    none("words about how this was made", &breaches);
}

#[test]
fn every_module_says_what_it_is() {
    let silent = sources().into_iter().filter(|source| !source.path.ends_with("/tests.rs") && !source.text.starts_with("//!"));
    let silent: Vec<String> = silent.map(|source| source.path).collect();
    none("sources that do not begin with what they are", &silent);
}

#[test]
fn sources_hold_one_idea() {
    let mut long = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let lines = source.text.lines().count();
        if lines > LONG {
            long.push(format!("{}: {lines} lines", source.path));
        }
    }
    none("sources that are long", &long);
}

#[test]
fn documents_point_at_what_is_there() {
    let mut lost = Vec::new();
    for path in files().iter().filter(|path| path.ends_with(".md") && is_ours(path)) {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        for target in links(&read(path)) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !root().join(folder).join(file).exists() {
                lost.push(format!("{path}: {target}"));
            }
        }
    }
    none("links to nowhere", &lost);
}

/// One Rust file of the workspace.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.starts_with("tests/") || self.path.ends_with("/tests.rs")
    }

    /// `path:line: text` of the lines of code, without comments and unit tests, that something is true of.
    fn lines_that(&self, is_so: impl Fn(&str) -> bool) -> Vec<String> {
        if self.path.starts_with("schema/src/") && self.is_test() {
            return Vec::new();
        }
        let code = self.text.lines().enumerate().take_while(|(_, line)| !line.starts_with("mod tests {"));
        code.filter(|(_, line)| !line.trim_start().starts_with("//") && is_so(line))
            .map(|(index, line)| format!("{}:{}: {}", self.path, index + 1, line.trim()))
            .collect()
    }
}

/// Whether a line of code names a crate: in a path, or in a list of imports.
fn names_crate(line: &str, name: &str) -> bool {
    starts_word(line, &format!("{name}::")) || line.trim() == format!("use {name};") || starts_word(line, &format!("{name} as "))
}

/// Whether `word` is in the line, and not as the end of a longer word or path.
fn starts_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '"'))
    })
}

/// Names in a table of a manifest: the words before `=`, `.workspace` cut off.
fn table(manifest: &str, name: &str) -> Vec<String> {
    let inside =
        manifest.lines().skip_while(|line| line.trim() != format!("[{name}]")).skip(1).take_while(|line| !line.starts_with('['));
    inside
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key.trim().trim_end_matches(".workspace").to_owned())
        .filter(|key| !key.starts_with('#'))
        .collect()
}

/// Targets of the links in a Markdown text that lead into this repository.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    targets.filter(|target| !target.contains("://") && !target.contains(char::is_whitespace)).map(str::to_owned).collect()
}

/// Not vendored.
fn is_ours(path: &str) -> bool {
    path != "LICENSE" && path != "Cargo.lock" && !path.contains("/console/")
}

fn sources() -> Vec<Source> {
    let paths = files().into_iter().filter(|path| path.ends_with(".rs"));
    paths.map(|path| Source { text: read(&path), path }).collect()
}

/// Every file of the repository, as a path from its root, sorted. Nothing hidden but what is ours, nothing built.
fn files() -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder of the repository can be read").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            let hidden = name.starts_with('.') && ![".ci", ".config", ".cargo"].contains(&name.as_str());
            if hidden || name == "target" || name == "node_modules" {
                continue;
            }
            match path.to_str() {
                _ if entry.path().is_dir() => folders.push(path),
                Some(path) => drop(found.insert(path.to_owned())),
                None => panic!("the name of {} is not text", path.display()),
            }
        }
    }
    found.into_iter().collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the repository")
}

fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}
