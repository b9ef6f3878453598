//! Documents that clients send by name or by digest instead of by text: those that are trusted beforehand (manifests), and those
//! that a client registered with its first request (automatic persisted queries).

mod manifest;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use holdfast_schema::hex;
use metrics::counter;
use sha2::{Digest as _, Sha256};

use crate::watched::Watched;

/// Bytes of registered documents that are kept.
const REGISTERED_BYTES: u64 = 16 << 20;

/// How often manifests are looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Which documents are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All, by text; by name those that are trusted or saved.
    Off,
    /// All; digests register texts.
    Apq,
    /// As [`Mode::Apq`], and every document that [`Mode::AllowList`] would refuse is noted in the log.
    LogOnly,
    /// Only documents that are trusted, or saved in the definitions.
    AllowList,
}

impl Mode {
    /// The mode of that name in the settings.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Mode::Off),
            "apq" => Some(Mode::Apq),
            "log_only" => Some(Mode::LogOnly),
            "allow_list" => Some(Mode::AllowList),
            _ => None,
        }
    }
}

/// How a request says which document it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// Its text.
    Text(String),
    /// Its name: an id of a manifest, or the name of a saved query.
    Name(String),
    /// Its digest (SHA-256, lower-case hex) of the protocol of automatic persisted queries, and its text with the first request.
    Digest {
        /// The digest.
        digest: String,
        /// The text.
        text: Option<String>,
    },
}

/// Why a reference leads to no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No manifest and no saved query has this name.
    #[error(
        "`documentId` names neither a trusted document nor a saved query that is one; `savedQueries {{ name document }}` lists the latter"
    )]
    UnknownName,
    /// Not registered yet: the client sends the text once. The words are the protocol's.
    #[error("PersistedQueryNotFound")]
    NotRegistered,
    /// The words are the protocol's.
    #[error("PersistedQueryNotSupported")]
    NotSupported,
    /// The digest is not that of the text.
    #[error("`sha256Hash` is not the SHA-256 of `query`")]
    DigestMismatch,
    /// The allow-list does not hold it.
    #[error(
        "only trusted documents are answered here: add this one to the manifest of the client, or send the `documentId` of one"
    )]
    NotTrusted,
}

impl Refusal {
    /// The code in `extensions`.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::UnknownName => "DOCUMENT_NOT_FOUND",
            Refusal::NotRegistered => "PERSISTED_QUERY_NOT_FOUND",
            Refusal::NotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Refusal::DigestMismatch => "BAD_REQUEST",
            Refusal::NotTrusted => "DOCUMENT_NOT_TRUSTED",
        }
    }
}

/// A manifest of trusted documents that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("manifest of trusted documents {}: {message}", path.display())]
pub struct ManifestError {
    /// Which file.
    path: PathBuf,
    /// Found and expected.
    message: String,
}

/// The known documents.
pub struct Documents {
    mode: Mode,
    manifests: Vec<Watched<Trusted>>,
    registered: moka::sync::Cache<String, Arc<str>>,
}

/// Documents of a manifest.
#[derive(Debug, Default)]
struct Trusted {
    by_name: HashMap<String, Arc<str>>,
    by_digest: HashMap<String, Arc<str>>,
}

impl Trusted {
    fn read(manifest: &str) -> Result<Self, String> {
        let mut trusted = Self::default();
        for (name, text) in manifest::read(manifest)? {
            let text: Arc<str> = text.into();
            trusted.by_digest.insert(digest(&text), Arc::clone(&text));
            trusted.by_name.insert(name, text);
        }
        Ok(trusted)
    }

    /// A document by its id in a manifest, or by its own digest, with or without the prefix that tools write.
    fn named(&self, name: &str) -> Option<&Arc<str>> {
        let bare = name.strip_prefix("sha256:").unwrap_or(name);
        self.by_name.get(name).or_else(|| self.by_digest.get(bare))
    }
}

impl Documents {
    /// Reads the manifests.
    pub fn new(mode: Mode, manifests: &[PathBuf]) -> Result<Self, ManifestError> {
        let open =
            |path: &Path| Watched::open(path, Trusted::read).map_err(|message| ManifestError { path: path.to_owned(), message });
        let manifests = manifests.iter().map(|path| open(path)).collect::<Result<_, _>>()?;
        let registered = moka::sync::Cache::builder()
            .max_capacity(REGISTERED_BYTES)
            .weigher(|key: &String, text: &Arc<str>| u32::try_from(key.len() + text.len()).unwrap_or(u32::MAX))
            .build();
        Ok(Self { mode, manifests, registered })
    }

    /// The text that a reference means. `saved` tells documents of the definitions by their names.
    pub fn text<'s>(&self, reference: &Reference, saved: impl Fn(&str) -> Option<&'s str>) -> Result<Arc<str>, Refusal> {
        match reference {
            Reference::Text(text) => self.allowed(text),
            Reference::Name(name) => {
                let found = self.trusted(|manifest| manifest.named(name)).or_else(|| saved(name).map(Arc::from));
                found.ok_or(Refusal::UnknownName)
            }
            Reference::Digest { .. } if self.mode == Mode::Off => Err(Refusal::NotSupported),
            Reference::Digest { digest: given, text: Some(text) } => {
                if *given != digest(text) {
                    return Err(Refusal::DigestMismatch);
                }
                self.allowed(text)
            }
            Reference::Digest { digest, text: None } => match self.trusted(|manifest| manifest.by_digest.get(digest)) {
                Some(text) => Ok(text),
                None if self.mode == Mode::AllowList => Err(Refusal::NotTrusted),
                None => self.registered.get(digest).ok_or(Refusal::NotRegistered),
            },
        }
    }

    /// Remembers the text of a digest, once it has turned out to be a document that is answered.
    pub fn register(&self, reference: &Reference) {
        if let Reference::Digest { digest, text: Some(text) } = reference
            && self.mode != Mode::AllowList
        {
            self.registered.insert(digest.clone(), text.as_str().into());
        }
    }

    /// A document of the first manifest that has it.
    fn trusted(&self, find: impl Fn(&Trusted) -> Option<&Arc<str>>) -> Option<Arc<str>> {
        self.manifests.iter().find_map(|manifest| find(&manifest.get()).cloned())
    }

    fn allowed(&self, text: &str) -> Result<Arc<str>, Refusal> {
        if !matches!(self.mode, Mode::LogOnly | Mode::AllowList) {
            return Ok(text.into());
        }
        let digest = digest(text);
        if let Some(known) = self.trusted(|manifest| manifest.by_digest.get(&digest)) {
            return Ok(known);
        }
        counter!("holdfast_documents_not_trusted_total").increment(1);
        if self.mode == Mode::AllowList {
            return Err(Refusal::NotTrusted);
        }
        tracing::warn!(sha256 = digest, "this document is not trusted; an allow-list would refuse it");
        Ok(text.into())
    }
}

/// Looks at manifests for as long as the process runs.
pub async fn watch(documents: Arc<Documents>) {
    while !documents.manifests.is_empty() {
        tokio::time::sleep(LOOK_EVERY).await;
        documents.manifests.iter().for_each(Watched::look_again);
    }
}

fn digest(text: &str) -> String {
    hex::digits(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "{ known }";

    fn documents(mode: Mode) -> Documents {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("manifest.json");
        std::fs::write(&path, serde_json::json!({ "id1": KNOWN }).to_string()).expect("written");
        Documents::new(mode, &[path]).expect("the manifest is right")
    }

    fn saved(name: &str) -> Option<&'static str> {
        (name == "page").then_some("{ page }")
    }

    fn by_digest(text: &str, with: Option<&str>) -> Reference {
        Reference::Digest { digest: digest(text), text: with.map(str::to_owned) }
    }

    #[test]
    fn names_lead_to_trusted_and_saved_documents_in_every_mode() {
        for mode in [Mode::Off, Mode::Apq, Mode::LogOnly, Mode::AllowList] {
            let documents = documents(mode);
            let ask = |name: &str| documents.text(&Reference::Name(name.to_owned()), saved);
            assert_eq!(ask("id1").as_deref(), Ok(KNOWN));
            assert_eq!(ask(&digest(KNOWN)).as_deref(), Ok(KNOWN));
            assert_eq!(ask(&format!("sha256:{}", digest(KNOWN))).as_deref(), Ok(KNOWN));
            assert_eq!(ask("page").as_deref(), Ok("{ page }"));
            assert_eq!(ask("other"), Err(Refusal::UnknownName));
        }
    }

    #[test]
    fn a_manifest_that_changes_is_read_again_and_one_that_is_wrong_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("manifest.json");
        let write = |text: &str| std::fs::write(&path, text).expect("written");
        write(&serde_json::json!({ "id1": KNOWN }).to_string());
        let documents = Documents::new(Mode::AllowList, std::slice::from_ref(&path)).expect("the manifest is right");
        let known = |name: &str| {
            documents.manifests[0].look_again();
            documents.text(&Reference::Name(name.to_owned()), saved).is_ok()
        };
        assert_eq!((known("id1"), known("id2")), (true, false));
        write(&serde_json::json!({ "id2": KNOWN }).to_string());
        assert_eq!((known("id1"), known("id2")), (false, true));
        write("{");
        assert_eq!((known("id1"), known("id2")), (false, true));
        let error = Documents::new(Mode::AllowList, &[path]).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("manifest.json: not JSON"), "{error}");
    }

    #[test]
    fn a_text_is_answered_where_it_may_be() {
        for (mode, other) in [(Mode::Off, true), (Mode::Apq, true), (Mode::LogOnly, true), (Mode::AllowList, false)] {
            let documents = documents(mode);
            assert_eq!(documents.text(&Reference::Text(KNOWN.to_owned()), saved).as_deref(), Ok(KNOWN));
            let answer = documents.text(&Reference::Text("{ other }".to_owned()), saved);
            assert_eq!(answer.is_ok(), other, "{mode:?}");
        }
    }

    #[test]
    fn digests_register_texts() {
        let documents = documents(Mode::Apq);
        let (first, both) = (by_digest("{ a }", None), by_digest("{ a }", Some("{ a }")));
        assert_eq!(documents.text(&first, saved), Err(Refusal::NotRegistered));
        assert_eq!(documents.text(&both, saved).as_deref(), Ok("{ a }"));
        assert_eq!(documents.text(&first, saved), Err(Refusal::NotRegistered), "only what was answered is registered");
        documents.register(&both);
        assert_eq!(documents.text(&first, saved).as_deref(), Ok("{ a }"));
        assert_eq!(documents.text(&by_digest("{ a }", Some("{ b }")), saved), Err(Refusal::DigestMismatch));
    }

    #[test]
    fn digests_get_nothing_past_an_allow_list() {
        let documents = documents(Mode::AllowList);
        let both = by_digest("{ a }", Some("{ a }"));
        assert_eq!(documents.text(&both, saved), Err(Refusal::NotTrusted));
        documents.register(&both);
        assert_eq!(documents.text(&by_digest("{ a }", None), saved), Err(Refusal::NotTrusted));
        assert_eq!(documents.text(&by_digest(KNOWN, None), saved).as_deref(), Ok(KNOWN));
        assert_eq!(self::documents(Mode::Off).text(&both, saved), Err(Refusal::NotSupported));
    }
}
