//! Real clients and conformance suites against a running server: `run.mjs` in this folder, with what its lock file names.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use holdfast_tests::binary::{Server, holdfast, repository};

#[test]
fn every_suite_passes() {
    let clients = repository().join("tests/clients");
    have("node", &["nodejs", "npm"]);
    have("npm", &["npm"]);
    have("python3", &["python3", "python3-venv"]);
    install(&clients);
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path(), &["--demo"]);
    let status = Command::new("node")
        .arg("run.mjs")
        .current_dir(&clients)
        .env("HOLDFAST_URL", format!("{}/graphql", server.url))
        .env("HOLDFAST_BIN", holdfast())
        .stdin(Stdio::null())
        .status()
        .expect("node can be started");
    assert!(status.success(), "a suite failed; the table above tells which");
}

/// A program, from Debian's packages where it is missing.
fn have(program: &str, packages: &[&str]) {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return;
    }
    for arguments in [&["update"][..], &[&["install", "--yes", "--no-install-recommends"], packages].concat()] {
        let status =
            Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "`{program}` is not installed, and apt-get {arguments:?} failed: put it in PATH, or run as root"
        );
    }
}

/// What the lock file names, unless it is there already.
fn install(clients: &Path) {
    let newest = |path: PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let installed = newest(clients.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= newest(clients.join("package-lock.json")) {
        return;
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(clients)
        .stdin(Stdio::null())
        .status()
        .expect("npm can be started");
    assert!(status.success(), "npm ci failed");
}
