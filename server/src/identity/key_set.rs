//! A JSON Web Key Set that changes: keys of a file or an address, as of the last time that they could be read.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::{ArcSwapOption, Guard};
use hyper::Uri;
use jsonwebtoken::jwk::Jwk;
use tokio::sync::Mutex;

use super::{fetch, key::Key};
use crate::{config::identity::Jwks, panics, watched::Watched};

/// How often at most a file is read because a token names a key that is not in it; as often as without such a token.
const FILE_PAUSE: Duration = Duration::from_secs(1);

/// How often at most a set is fetched because a token names a key that is not in it. Anybody can send such tokens.
const PAUSE: Duration = Duration::from_secs(10);

/// A set of keys and where it is from.
pub(super) enum KeySet {
    /// A file.
    File(Read),
    /// An address.
    Url(Fetched),
}

/// A set that is read.
pub(super) struct Read {
    file: Arc<Watched<Vec<Key>>>,
    /// When it was last looked at for a key that is not known. Held while reading, so that one reads and the others wait for that.
    looked: Mutex<Option<Instant>>,
}

/// A set that is fetched.
pub(super) struct Fetched {
    uri: Uri,
    every: Duration,
    /// The keys; nothing before the first success.
    keys: ArcSwapOption<Vec<Key>>,
    /// When it was last tried. Held while fetching, so that one fetches and the others wait for that.
    tried: Mutex<Option<Instant>>,
}

impl KeySet {
    /// Reads a file; an address is not asked yet.
    pub(super) fn open(place: &Jwks, every: Duration) -> Result<Self, String> {
        Ok(match place {
            Jwks::File(path) => Self::file(path)?,
            Jwks::Url(url) => {
                Self::Url(Fetched { uri: fetch::address(url)?, every, keys: ArcSwapOption::empty(), tried: Mutex::new(None) })
            }
        })
    }

    fn file(path: &Path) -> Result<Self, String> {
        let file = Arc::new(Watched::open(path, keys)?);
        Ok(Self::File(Read { file, looked: Mutex::new(None) }))
    }

    /// The keys there are; `None` when they were never fetched.
    pub(super) fn keys(&self) -> Option<Arc<Vec<Key>>> {
        match self {
            KeySet::File(read) => Some(Guard::into_inner(read.file.get())),
            KeySet::Url(fetched) => fetched.keys.load_full(),
        }
    }

    /// Whether what is read could have been changed on its way.
    pub(super) fn is_safe(&self) -> bool {
        match self {
            KeySet::File(_) => true,
            KeySet::Url(fetched) => fetch::is_safe(&fetched.uri),
        }
    }

    /// Reads the set again, now.
    pub(super) async fn refresh(&self) -> Result<(), String> {
        match self {
            KeySet::File(read) => {
                read.look_again().await;
                Ok(())
            }
            KeySet::Url(fetched) => {
                let mut tried = fetched.tried.lock().await;
                fetched.refresh(&mut tried).await
            }
        }
    }

    /// Reads the set again because a token names a key that is not in it, unless that was done just now.
    pub(super) async fn look_for_unknown(&self) {
        match self {
            KeySet::File(read) => read.look_for_unknown().await,
            KeySet::Url(fetched) => fetched.refresh_after(PAUSE).await,
        }
    }

    /// Reads the set again when it is due.
    pub(super) async fn look_again(&self) {
        match self {
            KeySet::File(read) => read.look_again().await,
            KeySet::Url(fetched) => {
                let is_there = fetched.keys.load().is_some();
                fetched.refresh_after(if is_there { fetched.every } else { PAUSE.min(fetched.every) }).await;
            }
        }
    }
}

impl Read {
    async fn look_for_unknown(&self) {
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|looked| looked.elapsed() < FILE_PAUSE) {
            return;
        }
        *looked = Some(Instant::now());
        self.look_again().await;
    }

    /// Reads the file beside what answers requests: a disk may be slow.
    async fn look_again(&self) {
        let file = Arc::clone(&self.file);
        if let Err(error) = tokio::task::spawn_blocking(move || file.look_again()).await {
            panics::note_task(error, "reading the file of keys");
        }
    }
}

impl Fetched {
    async fn refresh_after(&self, pause: Duration) {
        let mut tried = self.tried.lock().await;
        if tried.is_some_and(|tried| tried.elapsed() < pause) {
            return;
        }
        if let Err(error) = self.refresh(&mut tried).await {
            tracing::warn!(error, "the key set cannot be fetched; keys that are known hold");
        }
    }

    async fn refresh(&self, tried: &mut Option<Instant>) -> Result<(), String> {
        *tried = Some(Instant::now());
        let outcome = async { keys(&fetch::text(&self.uri).await?) }.await;
        let label = if outcome.is_ok() { "fetched" } else { "failed" };
        metrics::counter!("holdfast_identity_key_set_fetches_total", "outcome" => label).increment(1);
        self.keys.store(Some(Arc::new(outcome?)));
        Ok(())
    }
}

/// The keys of a set that can be used here; the others are no mistake, sets serve many purposes.
fn keys(text: &str) -> Result<Vec<Key>, String> {
    let set: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    let members = set["keys"].as_array().ok_or("no key set: a list `keys` is expected")?;
    let mut usable = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let jwk = serde_json::from_value::<Jwk>(member.clone()).map_err(|error| error.to_string());
        match jwk.and_then(|jwk| Key::of_set(&jwk)) {
            Ok(key) => usable.push(key),
            Err(why) => tracing::debug!(index, why, "a key of the set is not used"),
        }
    }
    if usable.is_empty() {
        return Err(format!("none of the {} keys is for RS256 or ES256 signatures", members.len()));
    }
    Ok(usable)
}
