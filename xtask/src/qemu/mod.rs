//! End-to-end tests of the emulated board: the boards' own program under QEMU, against the sandbox.
//!
//! Everything in a Feather except its radio and its pins runs here as it would be flashed: the app loop,
//! TLS, flash, the picture on a screen, the console. The host program sets the board up over a
//! pseudo-terminal. A group of checks is a file in `checks/`; a check is a function whose error
//! describes what does not hold.

mod board;
mod checks;
mod clouds;
mod expected;
mod host;
mod images;
mod impostor;
mod lines;
mod picture;
mod qmp;
mod time_server;
mod wire;

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use self::{board::Bench, checks::Check, clouds::Clouds, host::Host, time_server::TimeServer};
use crate::{firmware, process, step::all_of, test_programs, tools, workspace::Workspace};

/// The address at which QEMU's network exposes this machine's loopback.
pub(crate) const HOST_SEEN_BY_BOARD: &str = "10.0.2.2";

/// The factor by which the number of parallel checks grows when they are repeated.
const CROWD: usize = 3;

/// Returns the names of the groups, in the order in which they run.
pub(crate) fn groups() -> impl Iterator<Item = &'static str> {
    checks::GROUPS.iter().map(|group| group.name)
}

/// Runs each check of a group `times` times.
///
/// # Errors
///
/// Names the checks that failed, and how often; the reasons are printed before.
pub(crate) fn run(workspace: &Workspace, group: &str, times: u32) -> Result<(), String> {
    let only = std::env::var("PULSEWING_CHECK").ok();
    let is_wanted = |check: &Check| only.as_ref().is_none_or(|only| check.name.contains(only));
    let Some(group) = checks::GROUPS.iter().find(|known| known.name == group) else {
        return Err(format!("there are no checks called {group}"));
    };
    let wanted = group.checks.iter().filter(|check| is_wanted(check));
    let rounds = wanted.flat_map(|check| (0..times).map(move |_| check));
    let next = Mutex::new(rounds);
    let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
    let failed = Mutex::new(BTreeMap::<&str, u32>::new());
    // In a repeated run, more checks run at the same time to put each other under load.
    let at_once = match times {
        1 => group.at_once,
        _ => group.at_once * CROWD,
    };
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(check) = take() {
                    if !passes(workspace, check) {
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        *failed.entry(check.name).or_default() += 1;
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let counted = failed.into_iter().map(|(name, count)| match times {
        1 => name.to_owned(),
        _ => format!("{name} ({count} of {times} times)"),
    });
    all_of(counted.collect())
}

/// Runs a check, and reports the result.
fn passes(workspace: &Workspace, Check { name, run }: &Check) -> bool {
    let started = Instant::now();
    let result = Rig::new(workspace).and_then(|rig| {
        run(&rig).map_err(|problem| match rig.keep(name) {
            Some(kept) => format!("{problem}\nits files are in {}", kept.display()),
            None => problem,
        })
    });
    let seconds = started.elapsed().as_secs_f64();
    match &result {
        Ok(()) => println!("ok      {seconds:5.1} s  {name}"),
        Err(problem) => println!("FAILED  {seconds:5.1} s  {name}\n{problem}"),
    }
    result.is_ok()
}

/// The resources of a check. Every check has a rig of its own.
pub(crate) struct Rig<'w> {
    workspace: &'w Workspace,
    program: PathBuf,
    elf: PathBuf,
    qemu: PathBuf,
    mtools: PathBuf,
    /// A short path, because it holds sockets.
    dir: OnceCell<tempfile::TempDir>,
}

impl<'w> Rig<'w> {
    fn new(workspace: &'w Workspace) -> Result<Self, String> {
        let missing = |tool: &str| format!("{tool} is missing; use --setup");
        let dir = tempfile::tempdir().map_err(|error| format!("no directory: {error}"))?;
        Ok(Self {
            workspace,
            program: test_programs::pulsewing(workspace),
            elf: firmware::program(workspace, "pulsewing-virt"),
            qemu: tools::qemu::find(workspace)?.ok_or_else(|| missing("QEMU"))?,
            mtools: tools::mtools::find(workspace)?.ok_or_else(|| missing("mtools"))?,
            dir: OnceCell::from(dir),
        })
    }

    fn dir(&self) -> &Path {
        self.dir
            .get()
            .map_or_else(|| Path::new("."), tempfile::TempDir::path)
    }

    /// Keeps the files of a failed check for inspection, and returns their directory.
    fn keep(&self, check: &str) -> Option<PathBuf> {
        let name: String = check
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let kept = self.workspace.target_dir.join("qemu-failed").join(name);
        let _ = std::fs::remove_dir_all(&kept);
        std::fs::create_dir_all(kept.parent()?).ok()?;
        let moved = process::output(
            Command::new("cp")
                .args(["--recursive", "--sparse=always"])
                .arg(self.dir())
                .arg(&kept),
        );
        moved.is_ok().then_some(kept)
    }

    /// Returns a board fresh from the factory.
    pub(crate) fn bench(&self) -> Result<Bench, String> {
        Bench::new(
            &self.dir().join("board"),
            &self.elf,
            &self.qemu,
            &self.mtools,
        )
    }

    /// Starts both clouds.
    pub(crate) fn clouds(&self, options: &[&str]) -> Result<Clouds, String> {
        Clouds::start(&self.program, &self.dir().join("clouds"), options)
    }

    /// Returns the host program, set up for a provider.
    pub(crate) fn host(&self, clouds: &Clouds, provider: &str) -> Result<Host, String> {
        Host::new(&self.program, &self.dir().join(provider), clouds, provider)
    }

    /// Returns a board that the host program has set up and signed in, with these additional settings,
    /// switched off. It does not hold off after a start, and has no cap of its own.
    pub(crate) fn signed_in(
        &self,
        clouds: &Clouds,
        time: &TimeServer,
        provider: &str,
        settings: &[&str],
    ) -> Result<Bench, String> {
        let bench = self.bench()?;
        let host = self.host(clouds, provider)?;
        let mut board = bench.start_with(board::Power {
            pty: true,
            ..board::Power::default()
        })?;
        let port = board.pty()?;
        let port = port.to_string_lossy();
        let connect = format!("endpoint.connect={HOST_SEEN_BY_BOARD}");
        let server = format!("sntp.1={}", time.address());
        let mut provision = vec!["board", "provision", "--port", &port];
        let always = [
            connect.as_str(),
            server.as_str(),
            "poll.hold_off=0",
            "poll.hourly_cap=10000",
        ];
        for setting in always.iter().chain(settings) {
            provision.extend(["--set", setting]);
        }
        host.run(&provision)?;
        host.sign_in(&["board", "login", "--port", &port], clouds)?;
        board.cut_power()?;
        Ok(bench)
    }

    /// Switches on a board that has been set up, signs it in with a provider, and switches it off.
    pub(crate) fn sign_in(
        &self,
        bench: &Bench,
        clouds: &Clouds,
        provider: &str,
    ) -> Result<(), String> {
        let mut board = bench.start_with(board::Power {
            pty: true,
            ..board::Power::default()
        })?;
        let port = board.pty()?;
        let login = ["board", "login", "--port", &port.to_string_lossy()];
        self.host(clouds, provider)?.sign_in(&login, clouds)?;
        board.cut_power()
    }
}
