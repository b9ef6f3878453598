//! Changes of definition files → new generations. Listens to the system, and compares files now and then where it says nothing.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::{app::App, definitions::Origin, generation::Load, panics};

/// How long files must be quiet before they are read: editors write in several steps.
const QUIET: Duration = Duration::from_millis(50);

/// How long quiet is waited for: something that is written all the time must not keep the rest from being read.
const PATIENCE: Duration = Duration::from_millis(400);

/// Watches until the app is gone. Never returns an error: a folder that cannot be watched is polled.
pub async fn run(app: Arc<App>, origin: Origin, poll_interval: Duration) {
    let Origin::Folder(folder) = &origin else {
        return;
    };
    let (sender, mut changes) = mpsc::channel(1);
    let _watcher = watcher(folder, sender);
    let mut stamp = origin.stamp();
    let mut read = origin.read().ok();
    // Why files could not be read: they are tried again until they can, and told once.
    let mut unreadable = None;
    loop {
        // Either a report of the system, or the time to look for ourselves; a closed channel means only polling is left.
        tokio::select! {
            Some(()) = changes.recv() => settle(&mut changes).await,
            () = tokio::time::sleep(poll_interval) => {}
        }
        let newest = look(&origin).await;
        if newest == stamp && unreadable.is_none() {
            continue;
        }
        stamp = newest;
        let sources = match read_again(&origin).await {
            Ok(sources) => sources,
            Err(error) => {
                let told = Some(error.to_string());
                if unreadable != told {
                    app.take_over(&Load::unreadable(&error), Timestamp::now());
                }
                (read, unreadable) = (None, told);
                continue;
            }
        };
        unreadable = None;
        if read.as_ref() == Some(&sources) {
            continue;
        }
        read = Some(sources.clone());
        let settings = app.settings();
        let load = tokio::task::spawn_blocking(move || Load::run(sources, settings, Timestamp::now())).await;
        match load {
            Ok(load) => app.take_over(&load, Timestamp::now()),
            Err(error) => panics::note_task(error, "loading definitions, of which the earlier ones keep serving,"),
        }
    }
}

fn watcher(folder: &Path, sender: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let created = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_read = event.as_ref().is_ok_and(|event| event.kind.is_access());
        if !is_read {
            // A full channel already holds the news.
            let _ = sender.try_send(());
        }
    });
    match created.and_then(|mut watcher| watcher.watch(folder, RecursiveMode::Recursive).map(|()| watcher)) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!(%error, "the system does not report changes of definitions; they are polled");
            None
        }
    }
}

/// Waits until nothing has been reported for a while, but not for ever.
async fn settle(changes: &mut mpsc::Receiver<()>) {
    let quiet = async { while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {} };
    // What is read too early is read again with the next report.
    let _ = tokio::time::timeout(PATIENCE, quiet).await;
}

async fn look(origin: &Origin) -> Vec<(std::path::PathBuf, u64, Option<std::time::SystemTime>)> {
    let origin = origin.clone();
    tokio::task::spawn_blocking(move || origin.stamp()).await.unwrap_or_default()
}

async fn read_again(origin: &Origin) -> Result<holdfast_schema::source::SourceMap, crate::definitions::ReadError> {
    let origin = origin.clone();
    match tokio::task::spawn_blocking(move || origin.read()).await {
        Ok(result) => result,
        Err(error) => Err(crate::definitions::ReadError::Io {
            path: std::path::PathBuf::new(),
            source: std::io::Error::other(error.to_string()),
        }),
    }
}
