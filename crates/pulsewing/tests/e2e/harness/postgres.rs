//! A PostgreSQL for the tests: one a process, over a socket file, gone when the process is.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Seek, Write},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// A running server. Its guard, a shell that waits for the end of its input, stops it when this process
/// ends, however that happens: then the kernel closes the input.
pub(crate) struct Postgres {
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

impl Postgres {
    /// Returns this process's server.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts one for a test that stops it.
    pub(crate) fn start() -> Self {
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
            dir,
            programs,
            guard,
        };
        if is_root() {
            chown(&server.dir, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut initdb = server.command("initdb");
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--no-sync",
            "--no-locale",
            "--encoding=UTF8",
            "--pgdata",
        ]);
        done(initdb.arg(server.dir.join("data")));
        server.control(&["start"]);
        server
    }

    /// Stops it in this mode, `fast` or, as a crash would, `immediate`.
    pub(crate) fn stop(&self, mode: &str) {
        self.control(&["stop", "-m", mode]);
    }

    /// Starts it again.
    pub(crate) fn start_again(&self) {
        self.control(&["start"]);
    }

    fn control(&self, arguments: &[&str]) {
        let settings = format!(
            "-c listen_addresses='' -k {} -c fsync=off -c full_page_writes=off -c max_connections=200",
            self.dir.display()
        );
        let mut control = self.command("pg_ctl");
        control.args(arguments);
        control.args(["-w", "-s", "-o", &settings, "-D"]);
        control.arg(self.dir.join("data"));
        done(control.arg("-l").arg(self.dir.join("log")));
    }

    /// Returns the socket file.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join(".s.PGSQL.5432")
    }

    /// Makes a new database, and returns its name.
    pub(crate) fn new_database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create database {name}"));
        name
    }

    /// Returns the URL of a database.
    pub(crate) fn url(&self, name: &str) -> String {
        url_at(&self.dir, name)
    }

    /// Lets the server's own client carry out a text, and returns what it prints.
    pub(crate) fn sql(&self, database: &str, text: &str) -> String {
        let mut psql = self.client("psql", database);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        done(psql.args(["-c", text]))
    }

    /// Returns a database as a text.
    pub(crate) fn dump(&self, database: &str) -> String {
        done(&mut self.client("pg_dump", database))
    }

    /// Puts a dump into a new database, and returns its name.
    pub(crate) fn restore(&self, dump: &str) -> String {
        let name = self.new_database();
        let file = self.dir.join(format!("{name}.sql"));
        fs::write(&file, dump).unwrap();
        let mut psql = self.client("psql", &name);
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]);
        done(psql.arg(&file));
        name
    }

    /// Opens a session of the server's own client, for many texts that return nothing.
    pub(crate) fn session(&self, database: &str) -> Session {
        let mut psql = self.client("psql", database);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        let psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut psql = psql.spawn().unwrap();
        let answers = BufReader::new(psql.stdout.take().unwrap());
        Session { psql, answers }
    }

    fn client(&self, program: &str, database: &str) -> Command {
        let mut command = self.command(program);
        command.args(["-U", "postgres", "-d", database, "-h"]);
        command.arg(&self.dir);
        command
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

/// An open session.
pub(crate) struct Session {
    psql: Child,
    answers: BufReader<ChildStdout>,
}

impl Session {
    /// Lets it carry out a text.
    pub(crate) fn sql(&mut self, text: &str) {
        let input = self.psql.stdin.as_mut().unwrap();
        writeln!(input, "{text};\n\\echo done").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n", "{text}");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.psql.stdin.take());
        let _ = self.psql.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Returns the URL of a database whose server's socket file is in this directory.
pub(crate) fn url_at(dir: &Path, name: &str) -> String {
    let dir = dir.display();
    format!("postgres:///{name}?host={dir}&user=postgres&sslmode=disable")
}

/// Finds the directory of the server's programs: the given one, `pg_config`'s, or Debian's newest.
fn programs() -> Option<PathBuf> {
    let given = env::var_os("PULSEWING_POSTGRES").map(PathBuf::from);
    let asked = Command::new("pg_config").arg("--bindir").output();
    let asked = asked
        .ok()
        .map(|answer| PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim()));
    let debians = fs::read_dir("/usr/lib/postgresql");
    let mut debians: Vec<PathBuf> = debians
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path().join("bin"))
        .collect();
    debians.sort();
    let mut all = given
        .into_iter()
        .chain(asked)
        .chain(debians.into_iter().rev());
    let wanted = ["initdb", "pg_ctl", "postgres", "psql", "pg_dump"];
    all.find(|dir| wanted.iter().all(|name| dir.join(name).exists()))
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs a command that must succeed, and returns what it prints.
fn done(command: &mut Command) -> String {
    // The server that pg_ctl starts inherits these, so they must not be pipes that somebody reads to the
    // end of.
    let mut output = tempfile::tempfile().unwrap();
    let clone = || output.try_clone().unwrap();
    let mut errors = tempfile::tempfile().unwrap();
    let status = command
        .stdin(Stdio::null())
        .stdout(clone())
        .stderr(errors.try_clone().unwrap())
        .status()
        .unwrap();
    let mut text = String::new();
    let mut complaint = String::new();
    for (file, into) in [(&mut output, &mut text), (&mut errors, &mut complaint)] {
        file.rewind().unwrap();
        file.read_to_string(into).unwrap();
    }
    assert!(status.success(), "{command:?}: {text}{complaint}");
    text
}
