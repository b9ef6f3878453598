//! README.md, followed to the letter: its commands run, its files are written, its questions are asked, its answers compared.
//!
//! The fences are worked off in their order, in a folder that holds a copy of `metrics-defs/`. In `sh` each line is a command; `serve`
//! starts a server that the following questions go to; `text` is what the last command printed. `yaml` is a file, named in its first
//! line. `graphql` is a question, and `json` the answer to it.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use holdfast_tests::{
    binary::{self, Server, copy_definitions, repository},
    postgres::Postgres,
};
use serde_json::Value;

/// How long a change of a definition file may take to be served, on a machine that does much else.
const RELOAD: Duration = Duration::from_secs(10);

/// The command that passes all tests; `.ci/run` runs it, and this test is part of it.
const TEST_COMMAND: &str = "cargo test --workspace";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_does_what_it_says() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("README.md can be read");
    let fences = fences(&readme);
    let mut reader = Reader::new();
    for (index, fence) in fences.iter().enumerate() {
        let next = fences.get(index + 1);
        match fence.language {
            "sh" => reader.run(fence, next.filter(|next| next.language == "text")).await,
            "yaml" => reader.write(fence),
            "graphql" => {
                let answer = next.filter(|next| next.language == "json");
                reader
                    .ask(fence, answer.unwrap_or_else(|| panic!("README.md:{}: a question without its answer", fence.line)))
                    .await;
            }
            // Looked at by the fence before.
            "text" | "json" => {}
            other => panic!("README.md:{}: nothing is known of `{other}`", fence.line),
        }
    }
}

/// One fenced block.
struct Fence<'a> {
    language: &'a str,
    body: String,
    line: usize,
}

fn fences(text: &str) -> Vec<Fence<'_>> {
    let mut fences: Vec<Fence<'_>> = Vec::new();
    let mut is_open = false;
    for (index, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if is_open => is_open = false,
            Some(language) => {
                is_open = true;
                fences.push(Fence { language, body: String::new(), line: index + 1 });
            }
            None if is_open => {
                let fence = fences.last_mut().expect("an open fence was pushed");
                fence.body.push_str(line);
                fence.body.push('\n');
            }
            None => {}
        }
    }
    fences
}

/// Someone who follows the README.
struct Reader {
    folder: tempfile::TempDir,
    /// What the reader has exported.
    environment: Vec<(&'static str, String)>,
    server: Option<Server>,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy_definitions(folder.path());
        Self { folder, environment: Vec::new(), server: None }
    }

    async fn run(&mut self, fence: &Fence<'_>, output: Option<&Fence<'_>>) {
        for (index, line) in fence.body.lines().enumerate() {
            let place = format!("README.md:{}: {line}", fence.line + 1 + index);
            let command = line.split(" #").next().unwrap_or_default().trim();
            if command == TEST_COMMAND {
                let ci = fs::read_to_string(repository().join(".ci/run")).expect("CI's script can be read");
                assert!(ci.contains(TEST_COMMAND), "{place}: CI runs another command");
            } else if command.starts_with("export HOLDFAST_WAREHOUSE_URL=") {
                self.environment.push(("HOLDFAST_WAREHOUSE_URL", warehouse().await));
            } else if command.starts_with("export HOLDFAST_IDENTITY_JWT_SECRET=") {
                self.environment.push(("HOLDFAST_IDENTITY_JWT_SECRET", "what a reader's machine makes up at random".to_owned()));
            } else if let Some(name) = command.strip_prefix("rm ") {
                fs::remove_file(self.folder.path().join(name)).unwrap_or_else(|error| panic!("{place}: {error}"));
            } else if let Some(arguments) = command.strip_prefix("cargo run -- ") {
                // A shell takes the quotes away; none of the commands has a space between them.
                let arguments: Vec<&str> = arguments.split_whitespace().map(|word| word.trim_matches('\'')).collect();
                if arguments[0] == "serve" {
                    // The earlier one stops first: a reader has one terminal.
                    self.server = None;
                    self.server = Some(Server::run(&mut self.command(&arguments)));
                } else {
                    self.finish(&arguments, output, &place);
                }
            } else {
                panic!("{place}: this command is not understood");
            }
        }
    }

    /// Runs a command to its end. It fails only where the README shows that.
    fn finish(&self, arguments: &[&str], output: Option<&Fence<'_>>, place: &str) {
        let ran = self.command(arguments).output().unwrap_or_else(|error| panic!("{place}: {error}"));
        let printed = String::from_utf8_lossy(&ran.stdout);
        let expected = output.map(|output| output.body.as_str());
        let fails = expected.is_some_and(|text| text.starts_with("error"));
        assert_eq!(ran.status.success(), !fails, "{place}\n{printed}{}", String::from_utf8_lossy(&ran.stderr));
        if let Some(expected) = expected {
            assert_eq!(printed.trim_end(), expected.trim_end(), "{place}");
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary::command(self.folder.path(), arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn write(&self, fence: &Fence<'_>) {
        let name = fence.body.lines().next().and_then(|line| line.strip_prefix("# "));
        let name = name.unwrap_or_else(|| panic!("README.md:{}: the file has no name", fence.line));
        fs::write(self.folder.path().join(name), &fence.body).unwrap_or_else(|error| panic!("README.md:{}: {error}", fence.line));
    }

    /// Asks until the answer is the expected one: a definition may have been written just before.
    async fn ask(&self, question: &Fence<'_>, answer: &Fence<'_>) {
        let place = format!("README.md:{}", question.line);
        let expected: Value =
            serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("README.md:{}: {error}", answer.line));
        let server = self.server.as_ref().unwrap_or_else(|| panic!("{place}: no server runs"));
        let began = Instant::now();
        loop {
            let found = server.ask(&question.body).await.json;
            if found == expected {
                return;
            }
            if began.elapsed() > RELOAD {
                panic!("{place}: the answer is\n{found:#}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A database with two tables of somebody's own.
async fn warehouse() -> String {
    let database = Postgres::shared().database().await;
    let tables = "create table customer (customer_id text primary key, name text not null, since date);
                  create table invoice (invoice_id bigint primary key, customer_id text references customer, amount numeric(12,2));
                  insert into customer values ('c1', 'One', '2024-02-29');
                  insert into invoice values (1, 'c1', 12.50)";
    database.execute(tables).await;
    database.url
}
