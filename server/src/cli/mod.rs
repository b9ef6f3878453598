//! The command line: words of the user → one of the commands, and its outcome → an exit code.

mod ask;
mod caller;
mod check;
mod compile;
mod demo;
mod describe;
mod document;
mod init;
mod misfits;
mod place;
mod schema;
mod sdl;
mod serve;
mod settings;
mod survey;
mod test;
mod token;
mod words;

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use settings::Settings;

/// What the exit codes mean; shown below `--help`.
const EXIT_CODES: &str = "Exit codes: 0 all is well; 1 what was looked at is wrong (definitions, tests, a query); \
                          2 the command line or a setting is wrong; 3 something outside failed (a file, the warehouse, the network).";

/// A GraphQL semantic layer over your warehouse.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, about, after_help = EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    global: settings::Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve GraphQL over HTTP.
    Serve(serve::Arguments),
    /// Say everything that is wrong with the definitions.
    Check(check::Arguments),
    /// Ask a question and print the answer.
    Ask(Box<ask::Arguments>),
    /// Ask every metric once and print value, rows and time.
    Survey(survey::Arguments),
    /// Show the SQL of a question, without running it.
    Compile(Box<compile::Arguments>),
    /// Run the tests in the definitions: rows in, question, expected answer.
    Test(test::Arguments),
    /// Print the GraphQL schema.
    Sdl(sdl::Arguments),
    /// Describe a metric, a view or an entity, or list all of them.
    Describe(describe::Arguments),
    /// Work with the demo's data.
    Demo(demo::Arguments),
    /// Read a warehouse's catalogue and write starter definitions.
    Init(init::Arguments),
    /// Make credentials: a token for development, or an API key.
    Token(token::Arguments),
    /// Print the JSON Schema of the definition language, for editors.
    Schema,
    /// Print every setting with its effective value and where it is from.
    PrintConfig(settings::Common),
}

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All is well.
    Well,
    /// What was looked at is wrong, and that has been said.
    Wrong,
}

/// A command that could not do its work.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// The command line or a setting is wrong.
    fn usage(message: impl fmt::Display) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    /// Something outside failed.
    fn outside(message: impl fmt::Display) -> Self {
        Self { code: 3, message: message.to_string() }
    }

    /// The same with one more piece of advice.
    fn or(self, advice: &str) -> Self {
        Self { message: format!("{}; {advice}", self.message), ..self }
    }
}

/// Runs the command of the process's arguments.
pub fn main() -> ExitCode {
    let Arguments { global, command } = Arguments::parse();
    let result = match command {
        Command::Serve(arguments) => serve::run(&global, arguments),
        Command::Check(arguments) => check::run(&global, arguments),
        Command::Ask(arguments) => ask::run(&global, *arguments),
        Command::Survey(arguments) => survey::run(&global, arguments),
        Command::Compile(arguments) => compile::run(&global, *arguments),
        Command::Test(arguments) => test::run(&global, arguments),
        Command::Sdl(arguments) => sdl::run(&global, arguments),
        Command::Describe(arguments) => describe::run(&global, arguments),
        Command::Demo(arguments) => demo::run(&global, arguments),
        Command::Init(arguments) => init::run(&global, arguments),
        Command::Token(arguments) => token::run(&global, &arguments),
        Command::Schema => schema::run(),
        Command::PrintConfig(common) => settings::print(&global, &common),
    };
    match result {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::Wrong) => ExitCode::from(1),
        Err(failure) => {
            complain(&failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// Writes to standard output; a reader that went away is not an error.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::outside(format!("cannot write: {error}"))),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes to standard error. Nobody is left to tell when that is gone.
fn complain(text: &str) {
    let mark = if io::stderr().is_terminal() { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
    let _ = writeln!(io::stderr(), "{mark}: {text}");
}

/// Writes diagnostics and the like to standard error as they are.
fn show(text: &str) {
    let _ = write!(io::stderr(), "{text}");
}

/// Whether colours may be used on standard output.
fn color() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// `1 error`, `2 errors`.
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// Runs the asynchronous part of a command.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map(|runtime| runtime.block_on(work)).map_err(|error| Failure::outside(format!("cannot start the runtime: {error}")))
}
