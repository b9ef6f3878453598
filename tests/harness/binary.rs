//! The `holdfast` program as its users start it.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// The program, built from the sources as they are.
///
/// # Panics
/// When it cannot be built.
pub fn holdfast() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            // The whole workspace, so that features are those of the tests and nothing is built twice.
            .args(["build", "--quiet", "--workspace", "--bin", "holdfast"])
            .current_dir(repository())
            .stdin(Stdio::null())
            .status()
            .expect("cargo can be started");
        assert!(status.success(), "the program cannot be built");
        // A test runs in `target/<profile>/deps`; the program of the default profile lies beside that profile's folder.
        let test = env::current_exe().expect("a test has a path");
        let target = test.ancestors().nth(3).expect("a test lies in target/<profile>/deps");
        target.join("debug").join("holdfast")
    })
}

/// The root of the repository.
///
/// # Panics
/// Never: the tests are a folder of it.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository")
}
