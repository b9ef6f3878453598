//! A file that is read again when its content changes. Small files only: all of it is compared.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::{ArcSwap, Guard};

/// What a file means, as of its last good content.
pub(crate) struct Watched<T> {
    path: PathBuf,
    read: fn(&str) -> Result<T, String>,
    /// What was seen last, good or not, so that a mistake is told once.
    seen: Mutex<Result<String, String>>,
    meaning: ArcSwap<T>,
}

impl<T: Send + Sync> Watched<T> {
    /// Reads a file for the first time.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub(crate) fn open(path: &Path, read: fn(&str) -> Result<T, String>) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let meaning = ArcSwap::from_pointee(read(&text)?);
        Ok(Self { path: path.to_owned(), read, seen: Mutex::new(Ok(text)), meaning })
    }

    /// What it means now.
    pub(crate) fn get(&self) -> Guard<Arc<T>> {
        self.meaning.load()
    }

    /// Reads it again. A content that cannot be understood is told once, and the earlier meaning stays.
    pub(crate) fn look_again(&self) {
        let found = fs::read_to_string(&self.path).map_err(|error| error.to_string());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == found {
            return;
        }
        match found.as_ref().map_err(Clone::clone).and_then(|text| (self.read)(text)) {
            Ok(meaning) => {
                self.meaning.store(Arc::new(meaning));
                tracing::info!(path = %self.path.display(), "read again");
            }
            Err(error) => {
                tracing::error!(path = %self.path.display(), error, "this file cannot be used; what it said before holds");
            }
        }
        *seen = found;
    }
}
