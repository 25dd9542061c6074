//! An environment independent of the machine's: its own home, time zone and browser.

use std::{
    cell::RefCell,
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::Duration,
};

use tempfile::TempDir;

use crate::harness::{patience::SOON, secret_watch};

/// A home directory for one test.
pub(crate) struct Home {
    root: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new()
            .prefix("pulsewing-e2e-")
            .tempdir()
            .unwrap();
        for dir in ["home", "config/pulsewing", "state", "tmp", "work", "bin"] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        Self { root }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Returns a path in the working directory of the programs.
    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.path("work").join(name)
    }

    /// Returns a path in the directory of the wearer's chain and state.
    pub(crate) fn state(&self, name: &str) -> PathBuf {
        self.path("state/pulsewing/default").join(name)
    }

    /// Writes a file that only its owner can read into the working directory, and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.work(name);
        write_private(&path, text);
        path.to_str().unwrap().to_owned()
    }

    /// Writes the default configuration file.
    pub(crate) fn configure(&self, text: &str) {
        write_private(&self.path("config/pulsewing/config.toml"), text);
    }

    /// Adds to the configuration.
    pub(crate) fn configure_more(&self, text: &str) {
        let path = self.path("config/pulsewing/config.toml");
        let config = fs::read_to_string(&path).unwrap();
        fs::write(&path, config + text).unwrap();
    }

    /// Returns a program with these arguments, ready to start.
    pub(crate) fn program(&self, args: &[&str]) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pulsewing"));
        command
            .args(args)
            .current_dir(self.path("work"))
            .env_clear()
            .env("HOME", self.path("home"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("TMPDIR", self.path("tmp"))
            .env("PATH", self.path("bin"))
            .env("TZ", "UTC");
        Program {
            command,
            title: args.join(" "),
            stdin: None,
            state: self.path("state/pulsewing"),
            shows_secrets: false,
            prints_first: false,
            is_journal: false,
            stdout: None,
        }
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        self.program(args).run()
    }
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Splits a command line at its blanks, as `once --png small.png`.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// A program that has not been started yet.
pub(crate) struct Program {
    command: Command,
    title: String,
    stdin: Option<String>,
    state: PathBuf,
    shows_secrets: bool,
    prints_first: bool,
    is_journal: bool,
    stdout: Option<fs::File>,
}

impl Program {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Preloads a library, in addition to others.
    pub(crate) fn preload(mut self, library: &Path) -> Self {
        let others = self
            .command
            .get_envs()
            .find(|(name, _)| *name == "LD_PRELOAD");
        let mut libraries = others
            .and_then(|(_, value)| value)
            .unwrap_or_default()
            .to_owned();
        if !libraries.is_empty() {
            libraries.push(":");
        }
        libraries.push(library);
        self.command.env("LD_PRELOAD", libraries);
        self
    }

    /// Makes stderr look like the journal to the program.
    pub(crate) const fn under_the_journal(mut self) -> Self {
        self.is_journal = true;
        self
    }

    /// Redirects stdout to this file.
    pub(crate) fn printing_to(mut self, file: fs::File) -> Self {
        self.stdout = Some(file);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Sets the program's stdin; by default it is empty.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// Skips the search for secrets.
    pub(crate) const fn showing_secrets(mut self) -> Self {
        self.shows_secrets = true;
        self
    }

    /// Allows output on stdout before the program knows whether it succeeds.
    pub(crate) const fn printing_first(mut self) -> Self {
        self.prints_first = true;
        self
    }

    pub(crate) fn run(self) -> Finished {
        self.start().finish()
    }

    /// Returns the command, for a test that starts it in a terminal.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Starts it with a stdout that nobody reads.
    pub(crate) fn run_into_a_broken_pipe(mut self) -> Finished {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        self.command.stdout(writer);
        self.spawn()
    }

    fn spawn(mut self) -> Finished {
        self.command.stdin(Stdio::null()).stderr(Stdio::piped());
        let child = self.command.spawn().unwrap();
        self.running(child).finish()
    }

    pub(crate) fn start(mut self) -> Running {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(file) = self.stdout.take() {
            self.command.stdout(file);
        }
        let journal = self.is_journal.then(|| {
            let (reader, writer) = std::io::pipe().unwrap();
            let about = rustix::fs::fstat(&writer).unwrap();
            let stream = format!("{}:{}", about.st_dev, about.st_ino);
            self.command.env("JOURNAL_STREAM", stream).stderr(writer);
            reader
        });
        let mut child = self.command.spawn().unwrap();
        if let Some(text) = &self.stdin {
            // A program that fails early does not read it.
            let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        }
        match journal {
            Some(reader) => self.running_with(child, lines_of(reader)),
            None => self.running(child),
        }
    }

    fn running(self, mut child: Child) -> Running {
        let stderr = lines_of(child.stderr.take().unwrap());
        self.running_with(child, stderr)
    }

    fn running_with(self, mut child: Child, stderr: Receiver<String>) -> Running {
        let stdout = child.stdout.take().map(lines_of);
        Running {
            child,
            stdout,
            stderr,
            printed: RefCell::default(),
            complained: RefCell::default(),
            title: self.title,
            state: self.state,
            shows_secrets: self.shows_secrets,
            prints_first: self.prints_first,
        }
    }
}

/// Reads lines on a thread, so that waiting for one can time out.
fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = String::new();
        while matches!(pipe.read_line(&mut line), Ok(1..)) {
            if sender.send(std::mem::take(&mut line)).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A running program. It is killed when this value is dropped.
pub(crate) struct Running {
    child: Child,
    stdout: Option<Receiver<String>>,
    stderr: Receiver<String>,
    printed: RefCell<String>,
    complained: RefCell<String>,
    title: String,
    state: PathBuf,
    shows_secrets: bool,
    prints_first: bool,
}

impl Running {
    /// Returns the next line of stdout, without its end.
    pub(crate) fn line(&self) -> String {
        match self.stdout.as_ref().unwrap().recv_timeout(SOON) {
            Ok(line) => {
                self.printed.borrow_mut().push_str(&line);
                line.trim_end_matches('\n').to_owned()
            }
            Err(error) => {
                let stderr: String = self.stderr.try_iter().collect();
                panic!("{}: no line on stdout: {error}\n{stderr}", self.title)
            }
        }
    }

    /// Returns the next line of stderr, without its end.
    pub(crate) fn error_line(&self) -> String {
        let line = self.stderr.recv_timeout(SOON).unwrap();
        self.complained.borrow_mut().push_str(&line);
        line.trim_end_matches('\n').to_owned()
    }

    /// Reads stderr up to a line with these words, and returns that line.
    #[track_caller]
    pub(crate) fn error_line_with(&self, words: &str) -> String {
        loop {
            match self.stderr.recv_timeout(SOON) {
                Ok(line) => {
                    self.complained.borrow_mut().push_str(&line);
                    if line.contains(words) {
                        return line.trim_end_matches('\n').to_owned();
                    }
                }
                Err(error) => panic!(
                    "{}: \"{words}\" is not on stderr: {error}\n{}",
                    self.title,
                    self.complained.borrow()
                ),
            }
        }
    }

    /// Writes a line to stdin.
    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let status = Command::new("/bin/sh").args(["-c", &command]).status();
        assert!(status.unwrap().success(), "{command}");
    }

    /// Stops it as a service manager does, and waits for its end.
    #[track_caller]
    pub(crate) fn stop(self) -> Finished {
        self.signal("TERM");
        self.finish().exits(0)
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill(mut self) -> Finished {
        self.child.kill().unwrap();
        self.finish()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub(crate) fn finish(self) -> Finished {
        self.finish_within(SOON)
    }

    /// Waits for its end, up to a limit.
    pub(crate) fn finish_within(mut self, limit: Duration) -> Finished {
        drop(self.child.stdin.take());
        let mut stdout = self.printed.take();
        if let Some(lines) = &self.stdout {
            gather(lines, limit, &mut stdout, &self.title);
        }
        let mut stderr = self.complained.take();
        gather(&self.stderr, limit, &mut stderr, &self.title);
        let status = self.child.wait().unwrap();
        let finished = Finished {
            code: status.code(),
            signal: status.signal(),
            title: self.title.clone(),
            stdout,
            stderr,
        };
        finished.check(self.shows_secrets, self.prints_first);
        check_state(&self.state);
        finished
    }
}

fn gather(lines: &Receiver<String>, limit: Duration, text: &mut String, title: &str) {
    loop {
        match lines.recv_timeout(limit) {
            Ok(line) => text.push_str(&line),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => panic!("{title}: still running after {limit:?}"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    title: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Checks the rules for every run: no secret in any output, and nothing on stdout after a failure.
    fn check(&self, shows_secrets: bool, prints_first: bool) {
        if !shows_secrets {
            secret_watch::assert_clean(&format!("stdout of {}", self.title), &self.stdout);
        }
        secret_watch::assert_clean(&format!("stderr of {}", self.title), &self.stderr);
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        if self.code != Some(0) && self.signal.is_none() && !prints_first {
            assert_eq!(self.stdout, "", "{self:?}");
        }
    }

    /// Asserts an exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "pulsewing {}\nsignal: {:?}\nstdout:\n{}\nstderr:\n{}",
            self.title,
            self.signal,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Asserts that stderr contains these words.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(
            self.stderr.contains(words),
            "pulsewing {}: \"{words}\" is not in\n{}",
            self.title,
            self.stderr
        );
        self
    }

    /// Asserts that stdout contains these words.
    #[track_caller]
    pub(crate) fn prints(self, words: &str) -> Self {
        assert!(
            self.stdout.contains(words),
            "pulsewing {}: \"{words}\" is not in\n{}",
            self.title,
            self.stdout
        );
        self
    }

    /// Asserts that stderr does not contain these words.
    #[track_caller]
    pub(crate) fn says_nothing_of(self, words: &str) -> Self {
        assert!(
            !self.stderr.contains(words),
            "pulsewing {}: \"{words}\" is in\n{}",
            self.title,
            self.stderr
        );
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.matches('\n').count(), 1, "{}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap()
    }
}

fn mode(path: &Path) -> std::io::Result<u32> {
    fs::metadata(path).map(|file| file.permissions().mode() & 0o777)
}

/// Checks the rules for the state directory and the wearers' directories in it after every run: only
/// their owner can read them, and no secret is outside the chain's files.
fn check_state(dir: &Path) {
    check_files(dir);
    let wearers = fs::read_dir(dir).into_iter().flatten();
    for wearer in wearers.map(|entry| entry.unwrap().path()) {
        // A process that removes a wearer may be active here.
        if let (true, Ok(mode)) = (wearer.is_dir(), mode(&wearer)) {
            assert_eq!(mode, 0o700, "{}", wearer.display());
            check_files(&wearer);
        }
    }
}

fn check_files(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        // An obstacle that a test put there has no content, and reading it might block.
        if !path.is_file() {
            continue;
        }
        // Another process may be active here: files come and go.
        let (Ok(mode), Ok(bytes)) = (mode(&path), fs::read(&path)) else {
            continue;
        };
        assert_eq!(mode, 0o600, "{}", path.display());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("chain") {
            secret_watch::assert_clean(&name, &String::from_utf8_lossy(&bytes));
        }
    }
}
