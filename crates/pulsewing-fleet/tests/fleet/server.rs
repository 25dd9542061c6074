//! A PostgreSQL for the tests: one a process, over a socket file, gone when the process is.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use pulsewing_fleet::{Database, Options};

/// A running server. Its guard, a shell that waits for the end of its input, stops it when this process
/// ends, however that happens: then the kernel closes the input.
pub(crate) struct Server {
    settings: String,
    dir: PathBuf,
    programs: PathBuf,
    guard: Child,
}

/// The user who runs the server where the tests are run by root: `nobody`.
const NOBODY: u32 = 65_534;

/// Stops the server and removes its files when there is no more input. `$1` is the directory.
const GUARD: &str = r#"
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
rm -rf "$1"
"#;

impl Server {
    /// Returns this process's server.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts one for a test that stops it.
    pub(crate) fn start() -> Self {
        Self::start_with("-c listen_addresses=''", &[])
    }

    /// Starts one with more settings, which may use these files of its directory.
    pub(crate) fn start_with(settings: &str, files: &[(&str, &str)]) -> Self {
        let programs = programs().unwrap_or_else(|| {
            panic!(
                "these tests need the PostgreSQL server: install the package postgresql-15, \
                or run `cargo xtask test --setup`"
            )
        });
        let made = tempfile::Builder::new().prefix("pulsewing-pg-").tempdir();
        let dir = made.unwrap().keep();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(&dir)
            .stdin(Stdio::piped())
            // An interrupt at the terminal ends the tests, and they the guard.
            .process_group(0)
            .spawn()
            .unwrap();
        let server = Self {
            settings: format!("{settings} -k {}", dir.display()),
            dir,
            programs,
            guard,
        };
        if is_root() {
            chown(&server.dir, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        for (name, text) in files {
            let path = server.dir.join(name);
            fs::write(&path, text).unwrap();
            // A server refuses a key that others can read.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let data = server.dir.join("data");
        let mut initdb = server.command("initdb");
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
            "--no-locale",
        ]);
        done(initdb.args(["--encoding=UTF8", "--pgdata"]).arg(&data));
        // One user needs a password.
        let rules = data.join("pg_hba.conf");
        let others = fs::read_to_string(&rules).unwrap();
        fs::write(&rules, format!("local all locked scram-sha-256\n{others}")).unwrap();
        server.control(&["start"]);
        server
    }

    /// Stops it as a crash would, and starts it again.
    pub(crate) fn crash(&self) {
        self.control(&["stop", "-m", "immediate"]);
        self.control(&["start"]);
    }

    fn control(&self, arguments: &[&str]) {
        let settings = format!(
            "{} -c fsync=off -c full_page_writes=off -c max_connections=200",
            self.settings
        );
        let mut control = self.command("pg_ctl");
        control
            .args(arguments)
            .args(["-w", "-s", "-o", &settings, "-D"]);
        control
            .arg(self.dir.join("data"))
            .arg("-l")
            .arg(self.dir.join("log"));
        done(&mut control);
    }

    /// Returns the directory of the socket file.
    pub(crate) fn socket_dir(&self) -> &Path {
        &self.dir
    }

    /// Makes a new database, and returns its URL.
    pub(crate) fn new_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create database {name}"));
        self.url(&name)
    }

    /// Returns the URL of a database.
    pub(crate) fn url(&self, name: &str) -> String {
        format!(
            "postgres:///{name}?host={}&user=postgres&sslmode=disable",
            self.dir.display()
        )
    }

    /// Lets the server's own client carry out a text, and returns what it prints.
    pub(crate) fn sql(&self, database: &str, text: &str) -> String {
        let mut psql = self.command("psql");
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-h",
        ]);
        done(psql.arg(&self.dir).args(["-d", database, "-c", text]))
    }

    /// The same on a server with this port, in the database that every server has.
    pub(crate) fn sql_at(&self, port: u16, text: &str) -> String {
        let mut psql = self.command("psql");
        psql.env("PGPORT", port.to_string());
        psql.args(["-X", "-q", "-A", "-t", "-U", "postgres", "-h"]);
        done(psql.arg(&self.dir).args(["-d", "postgres", "-c", text]))
    }

    /// Begins a transaction with this statement, and keeps it open until the result is dropped.
    pub(crate) fn hold(&self, database: &str, statement: &str) -> Held {
        let mut psql = self.command("psql");
        psql.args(["-X", "-q", "-A", "-t", "-U", "postgres", "-h"]);
        psql.arg(&self.dir).args(["-d", database]);
        let psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut psql = psql.spawn().unwrap();
        let text = format!("begin; {statement}; \\echo held\n");
        psql.stdin
            .as_mut()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let answers = BufReader::new(psql.stdout.take().unwrap());
        assert!(answers.lines().any(|line| line.unwrap() == "held"));
        Held(psql)
    }

    /// Returns a program of the server, to be run by a user whom it accepts: it refuses root.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("setpriv");
                let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
                command.args(ids).arg("--clear-groups").arg(path);
                command
            }
            false => Command::new(path),
        };
        command.current_dir(&self.dir).env_remove("PGOPTIONS");
        command
    }
}

/// An open transaction.
pub(crate) struct Held(Child);

impl Held {
    /// Ends the transaction, and keeps what it did.
    pub(crate) fn commit(mut self) {
        let input = self.0.stdin.as_mut().unwrap();
        input.write_all(b"commit;\n").unwrap();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Connects to a new database of this process's server.
pub(crate) async fn new_database() -> (String, Database) {
    let url = Server::shared().new_database();
    let database = connect(&url, Options::default()).await;
    (url, database)
}

/// Connects to a database that must be there.
pub(crate) async fn connect(url: &str, options: Options) -> Database {
    Database::connect(url, tls(), options).await.unwrap()
}

/// Returns the last part of a URL's path.
pub(crate) fn name_of(url: &str) -> &str {
    let path = url.strip_prefix("postgres:///").unwrap();
    path.split('?').next().unwrap()
}

/// Returns a configuration that trusts nobody.
pub(crate) fn tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// Finds the directory of the server's programs: `pg_config`'s, or the newest that Debian has.
fn programs() -> Option<PathBuf> {
    let asked = Command::new("pg_config").arg("--bindir").output();
    let asked = asked
        .ok()
        .map(|answer| PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim()));
    let mut debians: Vec<PathBuf> = match fs::read_dir("/usr/lib/postgresql") {
        Ok(entries) => entries
            .map(|entry| entry.unwrap().path().join("bin"))
            .collect(),
        Err(_) => Vec::new(),
    };
    debians.sort();
    let given = env::var_os("PULSEWING_POSTGRES").map(PathBuf::from);
    given
        .into_iter()
        .chain(asked)
        .chain(debians.into_iter().rev())
        .find(|dir| {
            ["initdb", "pg_ctl", "postgres", "psql"]
                .iter()
                .all(|name| dir.join(name).exists())
        })
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs a command that must succeed, and returns what it prints.
fn done(command: &mut Command) -> String {
    // The server that pg_ctl starts inherits these, so they must not be pipes that somebody reads to the
    // end of.
    let output = tempfile::tempfile().unwrap();
    let clone = || output.try_clone().unwrap();
    let status = command
        .stdin(Stdio::null())
        .stdout(clone())
        .stderr(clone())
        .status();
    let mut text = String::new();
    let mut output = output;
    io::Seek::rewind(&mut output).unwrap();
    io::Read::read_to_string(&mut output, &mut text).unwrap();
    assert!(status.unwrap().success(), "{command:?}: {text}");
    text
}
