//! Lists the shipped definition files, so that the demo works where the folder is not at hand.

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let folder = manifest.parent().expect("the package is in the workspace").join("metrics-defs");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    if folder.is_dir() {
        collect(&folder, &mut files)?;
    }
    files.sort();
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("shipped_definitions.rs");
    let mut out = fs::File::create(target)?;
    writeln!(out, "&[")?;
    for file in files {
        let shown = file.strip_prefix(&folder).expect("found below the folder").to_string_lossy().replace('\\', "/");
        writeln!(out, "    ({shown:?}, include_str!({:?})),", file.display().to_string())?;
    }
    writeln!(out, "]")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    Ok(())
}
