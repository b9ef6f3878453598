//! The `holdfast` program as its users start it, on a free port and in a folder of its own.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::answer::Answer;

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

/// Runs the program to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the program can be started")
}

/// Copies the shipped definitions into `metrics-defs` of a folder.
///
/// # Panics
/// When they cannot be written.
pub fn copy_definitions(folder: &Path) {
    copy(&repository().join("metrics-defs"), &folder.join("metrics-defs"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder can be read").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}

/// The program without settings from outside.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(holdfast());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HOLDFAST_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// Longest wait for a line of the log, which is written before the answer it is about.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

/// A running server; it stops when this is dropped.
pub struct Server {
    process: Child,
    /// Where it listens, without a path.
    pub url: String,
    client: reqwest::Client,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts `holdfast serve` with more arguments, and returns when it listens.
    ///
    /// # Panics
    /// When it ends before it listens.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::run(command(folder, &["serve"]).args(arguments))
    }

    /// Runs a command that serves, on a free port instead of its own, and returns when it listens.
    ///
    /// # Panics
    /// When it ends before it listens.
    pub fn run(command: &mut Command) -> Self {
        let spawned = command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut process = spawned.expect("the program can be started");
        let mut lines = BufReader::new(process.stderr.take().expect("the log is piped"));
        let url = address(&mut lines).unwrap_or_else(|log| panic!("the server did not start:\n{log}"));
        let log = Arc::new(Mutex::new(String::new()));
        // A full pipe would stop the server.
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in lines.lines().map_while(Result::ok) {
                    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                    log.push_str(&line);
                    log.push('\n');
                }
            }
        });
        Self { process, url, client: reqwest::Client::new(), log }
    }

    /// What it has logged since it listens.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has logged a text; false when that does not come.
    pub async fn has_logged(&self, text: &str) -> bool {
        let began = Instant::now();
        while !self.log().contains(text) {
            if began.elapsed() > LOG_PATIENCE {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// Asks over HTTP.
    ///
    /// # Panics
    /// When the server does not answer with JSON.
    pub async fn ask(&self, document: &str) -> Answer {
        let sent = self.client.post(format!("{}/graphql", self.url)).json(&json!({ "query": document })).send().await;
        Answer { json: sent.expect("the server answers").json().await.expect("the answer is JSON") }
    }

    /// Asks over HTTP with more headers; the status and the answer.
    ///
    /// # Panics
    /// When the server does not answer with JSON.
    pub async fn ask_with(&self, document: &str, headers: &[(&str, &str)]) -> (u16, Answer) {
        let mut request = self.client.post(format!("{}/graphql", self.url)).json(&json!({ "query": document }));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = request.send().await.expect("the server answers");
        (sent.status().as_u16(), Answer { json: sent.json().await.expect("the answer is JSON") })
    }

    /// What is at a path: the status and the body.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let sent = self.client.get(format!("{}{path}", self.url)).send().await.expect("the server answers");
        (sent.status().as_u16(), sent.text().await.expect("the answer is text"))
    }

    /// What is at a path, as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub async fn get_json(&self, path: &str) -> Value {
        let (_, body) = self.get(path).await;
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error} in {body}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is left to do when it has ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Reads a log up to the line that says where GraphQL is; without one, all of it.
fn address(log: &mut BufReader<ChildStderr>) -> Result<String, String> {
    let mut read = String::new();
    loop {
        let begin = read.len();
        if log.read_line(&mut read).expect("the log is text") == 0 {
            return Err(read);
        }
        let line = &read[begin..];
        if let Some(found) = line.find("http://").and_then(|from| line[from..].find("/graphql").map(|to| &line[from..from + to])) {
            return Ok(found.to_owned());
        }
    }
}
