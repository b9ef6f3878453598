//! A folder of YAML files, or the files shipped in the binary → `SourceMap`. Knows nothing of what is in them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use holdfast_schema::source::SourceMap;

/// The definitions shipped in the binary: path below `metrics-defs/`, text.
const SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/shipped_definitions.rs"));

/// Where definitions come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Files of a folder and the folders below it.
    Folder(PathBuf),
    /// The definitions of the demo, as they were when the binary was built.
    Shipped,
}

/// Definitions that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such folder.
    #[error("no folder of definitions at `{0}`")]
    Missing(PathBuf),
    /// A folder without definition files.
    #[error("no `.yaml` file in `{0}`")]
    Empty(PathBuf),
    /// The system says no.
    #[error("cannot read `{path}`: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Origin {
    /// Reads every file.
    pub fn read(&self) -> Result<SourceMap, ReadError> {
        let files = match self {
            Origin::Shipped => SHIPPED.iter().map(|(path, text)| (format!("metrics-defs/{path}"), (*text).to_owned())).collect(),
            Origin::Folder(folder) => {
                let paths = files_below(folder)?;
                if paths.is_empty() {
                    return Err(ReadError::Empty(folder.clone()));
                }
                paths.into_iter().map(|path| Ok((shown(&path), read_text(&path)?))).collect::<Result<Vec<_>, ReadError>>()?
            }
        };
        Ok(SourceMap::new(files))
    }

    /// Something that differs when a file was added, removed or written; cheap, for polling.
    pub fn stamp(&self) -> Vec<(PathBuf, u64, Option<SystemTime>)> {
        let Origin::Folder(folder) = self else {
            return Vec::new();
        };
        let paths = files_below(folder).unwrap_or_default();
        paths
            .into_iter()
            .map(|path| {
                let data = fs::metadata(&path).ok();
                let length = data.as_ref().map_or(0, fs::Metadata::len);
                (path, length, data.and_then(|data| data.modified().ok()))
            })
            .collect()
    }
}

/// Every definition file below a folder, sorted. Hidden files and folders are not looked at.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
    if !folder.is_dir() {
        return Err(ReadError::Missing(folder.to_owned()));
    }
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), ReadError> {
    let failed = |source| ReadError::Io { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<String, ReadError> {
    fs::read_to_string(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })
}

fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_swap_files_are_not_definitions() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("entities")).expect("created");
        for (name, text) in
            [("entities/a.yaml", "entity: a"), (".a.yaml.swp", "x"), (".#b.yaml", "x"), ("c.yaml~", "x"), ("b.yml", "")]
        {
            fs::write(folder.path().join(name), text).expect("written");
        }
        let sources = Origin::Folder(folder.path().to_owned()).read().expect("readable");
        let names: Vec<_> = sources.files().map(|(_, file)| file.path.rsplit('/').next().expect("a name").to_owned()).collect();
        assert_eq!(names, ["b.yml", "a.yaml"]);
    }

    #[test]
    fn an_empty_folder_is_a_mistake_and_not_an_empty_project() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(Origin::Folder(folder.path().to_owned()).read(), Err(ReadError::Empty(_))));
        assert!(matches!(Origin::Folder(folder.path().join("nowhere")).read(), Err(ReadError::Missing(_))));
    }
}
