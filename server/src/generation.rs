//! Definition files → one generation of model and GraphQL surface, or everything that is wrong with them.

use std::{panic, sync::Arc};

use arc_swap::ArcSwapOption;
use holdfast_resolvers::{Api, Settings};
use holdfast_schema::{
    diagnostic::{Diagnostic, Diagnostics, Severity, render},
    model::Model,
    query::{Caller, Hidden, hidden_from},
    source::SourceMap,
};
use jiff::Timestamp;
use tokio::task::spawn_blocking;

use crate::definitions::ReadError;

/// Files that cannot be read.
const UNREADABLE: &str = "F002";

/// Surfaces of one generation that are kept, beside the one with everything in it.
const MOST_RESTRICTED: u64 = 16;

/// What serves requests: built as a whole, replaced as a whole.
#[derive(Debug)]
pub struct Generation {
    /// The validated definitions.
    pub model: Arc<Model>,
    /// The GraphQL surface over them, with everything in it.
    pub api: Arc<Api>,
    /// The surfaces of those for whom something does not exist, by what that is; made when the first of them asks.
    restricted: moka::future::Cache<Hidden, Arc<Api>>,
    /// When it was built.
    pub loaded_at: Timestamp,
    /// The files it was built from.
    pub sources: SourceMap,
    /// What there is to say about these files without looking at the warehouse: no errors.
    warnings: Diagnostics,
    /// What of the definitions the warehouse does not have; empty until it has been asked.
    misfits: ArcSwapOption<Diagnostics>,
}

impl Generation {
    /// The surface that a caller sees: what policies hide from them is not in it.
    pub async fn api_of(&self, caller: &Caller) -> Arc<Api> {
        let hidden = hidden_from(&self.model, caller);
        if hidden.is_empty() {
            return Arc::clone(&self.api);
        }
        let api = Arc::clone(&self.api);
        let build = async {
            let without = hidden.clone();
            match spawn_blocking(move || api.without(without)).await {
                Ok(api) => Arc::new(api),
                Err(error) => panic::resume_unwind(error.into_panic()),
            }
        };
        self.restricted.get_with_by_ref(&hidden, build).await
    }

    /// What of the definitions the warehouse does not have; `None` while it has not been asked.
    pub fn misfits(&self) -> Option<Arc<Diagnostics>> {
        self.misfits.load_full()
    }

    /// Takes note of a comparison with the warehouse; the last one counts, because tables change.
    pub fn compared(&self, misfits: Diagnostics) {
        self.misfits.store(Some(Arc::new(misfits)));
    }

    /// All there is to say about it, as editors read it.
    pub fn json(&self) -> String {
        let mut all = self.warnings.clone();
        all.extend(self.misfits().map(|misfits| (*misfits).clone()).unwrap_or_default());
        render::json(&self.sources, &all)
    }
}

/// The outcome of one load, good or bad.
#[derive(Debug)]
pub struct Load {
    /// The files as they were read.
    pub sources: SourceMap,
    /// What there is to say about them.
    pub diagnostics: Diagnostics,
    /// The generation, when there is no error among the diagnostics.
    pub generation: Option<Arc<Generation>>,
}

impl Load {
    /// Builds model and surface.
    pub fn run(sources: SourceMap, settings: Settings, now: Timestamp) -> Self {
        let (model, mut diagnostics) = holdfast_schema::load(sources.clone());
        let built = model.filter(|_| !diagnostics.has_errors()).and_then(|model| match Api::new(Arc::clone(&model), settings) {
            Ok(api) => Some((model, Arc::new(api))),
            Err(found) => {
                found.sorted().into_iter().cloned().for_each(|diagnostic| diagnostics.push(diagnostic));
                None
            }
        });
        let generation = built.map(|(model, api)| {
            let (sources, warnings) = (sources.clone(), diagnostics.clone());
            let restricted = moka::future::Cache::new(MOST_RESTRICTED);
            Arc::new(Generation { model, api, restricted, loaded_at: now, sources, warnings, misfits: ArcSwapOption::empty() })
        });
        Self { sources, diagnostics, generation }
    }

    /// The outcome for files that cannot be read: that is all there is to say about them.
    pub fn unreadable(error: &ReadError) -> Self {
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code: UNREADABLE,
            message: error.to_string(),
            primary: None,
            secondary: Vec::new(),
            help: vec!["mend or remove the file; it is read again by itself".to_owned()],
        });
        Self { sources: SourceMap::new([]), diagnostics, generation: None }
    }

    /// Number of errors and of warnings.
    pub fn counts(&self) -> (usize, usize) {
        counts(&self.diagnostics)
    }

    /// The diagnostics as people read them.
    pub fn human(&self, color: bool) -> String {
        render::human(&self.sources, &self.diagnostics, color)
    }

    /// The diagnostics as editors read them.
    pub fn json(&self) -> String {
        render::json(&self.sources, &self.diagnostics)
    }
}

/// Number of errors and of warnings.
pub fn counts(diagnostics: &Diagnostics) -> (usize, usize) {
    let sorted = diagnostics.sorted();
    let errors = sorted.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    (errors, sorted.len() - errors)
}
