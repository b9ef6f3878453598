//! A PostgreSQL server for tests: found or installed, run by an unprivileged user on a free port, gone with the test process.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio_postgres::{Client, NoTls};

/// A running server. It stops, and its data is removed, when this is dropped or the process ends, however it ends.
pub struct Postgres {
    port: u16,
    databases: AtomicU32,
    keeper: Mutex<Keeper>,
}

/// What an encrypting server proves itself with, both as PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its certificate.
    pub certificate: String,
    /// The key of it.
    pub key: String,
}

/// One database of a server, empty at first and used by one test.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its address, with user and without password.
    pub url: String,
}

impl Postgres {
    /// The server that all tests of this process share. Starting it takes about two seconds, once.
    pub fn shared() -> &'static Postgres {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Postgres::start)
    }

    /// A server of one's own, for tests that stop it.
    ///
    /// # Panics
    /// When no PostgreSQL can be found, installed or started: a missing database is a failure, not a skipped test.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// A server of one's own that can encrypt.
    ///
    /// # Panics
    /// As for [`Postgres::start`].
    pub fn start_encrypted(identity: &Identity) -> Self {
        Self::start_with(Some(identity))
    }

    fn start_with(identity: Option<&Identity>) -> Self {
        let programs = programs();
        let port = free_port();
        let keeper = Keeper::start(&programs, port, identity);
        Self { port, databases: AtomicU32::new(0), keeper: Mutex::new(keeper) }
    }

    /// A new, empty database.
    pub async fn database(&self) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let admin = connect(&self.url("postgres")).await;
        admin.batch_execute(&format!("create database {name} template template0")).await.expect("a database can be created");
        Database { url: self.url(&name) }
    }

    /// Stops the server as an administrator would: connections are cut, data is kept.
    pub fn stop(&self) {
        self.tell("stop");
    }

    /// Kills the server, which has no time to say goodbye.
    pub fn kill(&self) {
        self.tell("kill");
    }

    /// Starts it again on the same port, and returns when it accepts connections.
    pub fn restart(&self) {
        self.tell("start");
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://holdfast@127.0.0.1:{}/{database}", self.port)
    }

    fn tell(&self, command: &str) {
        self.keeper.lock().expect("no test panics while it holds the keeper").tell(command);
    }
}

impl Database {
    /// A plain connection, for fixtures and check SQL.
    pub async fn connect(&self) -> Client {
        connect(&self.url).await
    }

    /// Runs statements that return nothing.
    pub async fn execute(&self, sql: &str) {
        self.connect().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?} in\n{sql}"));
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap_or_else(|error| panic!("{url}: {error:?}"));
    tokio::spawn(connection);
    client
}

/// The shell that owns the server process. It reads commands; when its input ends, because the test process did, it stops the
/// server and removes the data, which nothing in a killed test process could do.
struct Keeper {
    shell: Child,
    input: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

const KEEPER: &str = r#"
set -u
home=$(mktemp -d /tmp/holdfast-postgres-XXXXXX) || exit 1
finish() { kill -INT $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$home"; }
start() {
    launch
    tries=0
    until "$programs/pg_isready" -q -h 127.0.0.1 -p $port; do
        tries=$((tries + 1))
        if [ $tries -gt 300 ]; then cat "$home/log" >&2; return 1; fi
        if ! kill -0 $server 2>/dev/null; then
            # What a killed server leaves behind keeps the data for a moment.
            if [ $tries -gt 50 ]; then cat "$home/log" >&2; return 1; fi
            launch
        fi
        sleep 0.1
    done
}
launch() {
    "$programs/postgres" -D "$home/data" -p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 \
        -c log_min_messages=fatal $encryption >>"$home/log" 2>&1 </dev/null &
    server=$!
}
server=
trap finish EXIT
trap 'exit 1' INT TERM HUP
"$programs/initdb" -D "$home/data" -A trust -U holdfast -E UTF8 --locale=C.UTF-8 --no-sync >"$home/log" 2>&1 || { cat "$home/log" >&2; exit 1; }
encryption=
if [ -n "$certificate" ]; then
    echo "$certificate" >"$home/server.crt"
    (umask 077 && echo "$key" >"$home/server.key")
    encryption="-c ssl=on -c ssl_cert_file=$home/server.crt -c ssl_key_file=$home/server.key"
fi
start && echo ready || exit 1
while read -r command; do
    case $command in
        stop) kill -INT $server; wait $server ;;
        kill) kill -KILL $server; wait $server ;;
        start) start || exit 1 ;;
    esac
    echo ready
done
"#;

impl Keeper {
    fn start(programs: &Path, port: u16, identity: Option<&Identity>) -> Self {
        let (certificate, key) = identity.map_or(("", ""), |identity| (&identity.certificate, &identity.key));
        let script = format!("programs='{}'; port={port}; certificate='{certificate}'; key='{key}';{KEEPER}", programs.display());
        let mut command = match unprivileged_user() {
            None => Command::new("sh"),
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--", "sh"]);
                command
            }
        };
        let mut shell = command
            .args(["-c", &script])
            .current_dir("/")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell can be started");
        let input = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("the output is piped"));
        let mut keeper = Self { shell, input, answers };
        keeper.wait_ready();
        keeper
    }

    fn tell(&mut self, command: &str) {
        let input = self.input.as_mut().expect("the input stays open until drop");
        writeln!(input, "{command}").expect("the keeper of the server listens");
        self.wait_ready();
    }

    fn wait_ready(&mut self) {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the keeper of the server answers");
        assert_eq!(line, "ready\n", "PostgreSQL did not start or stop; its log is above");
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.input.take();
        // Nothing is left to do when waiting fails: the shell finishes by itself.
        self.shell.wait().ok();
    }
}

/// The newest installation's folder of programs; installs one when there is none and we may.
fn programs() -> PathBuf {
    if let Some(found) = find_programs() {
        return found;
    }
    assert!(
        is_root(),
        "PostgreSQL is not installed: put initdb and postgres in PATH, or run as root so that apt-get can install them"
    );
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends", "postgresql"][..]] {
        let status =
            Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).status();
        assert!(status.is_ok_and(|status| status.success()), "PostgreSQL is not installed, and apt-get {arguments:?} failed");
    }
    find_programs().expect("apt-get installed PostgreSQL into /usr/lib/postgresql")
}

fn find_programs() -> Option<PathBuf> {
    let mut installed: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    installed.sort();
    let in_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let candidates = in_path.into_iter().chain(installed.into_iter().rev().map(|(_, folder)| folder));
    candidates.into_iter().find(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|program| folder.join(program).is_file()))
}

/// The user to run the server as when we are root, which PostgreSQL refuses to be run by.
fn unprivileged_user() -> Option<&'static str> {
    if !is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    Some(if users.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" })
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a bound listener has an address").port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_test_has_a_database_of_its_own_and_the_server_comes_back() {
        let server = Postgres::start();
        let first = server.database().await;
        first.execute("create table t (x int)").await;
        let second = server.database().await;
        assert!(second.connect().await.query("select * from t", &[]).await.is_err());
        server.kill();
        assert!(tokio_postgres::connect(&first.url, NoTls).await.is_err());
        server.restart();
        assert!(first.connect().await.query("select * from t", &[]).await.is_ok());
    }
}
