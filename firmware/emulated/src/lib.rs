//! End-to-end tests of the emulated board: the boards' own program under QEMU, against the sandbox.
//!
//! Everything in a Feather except its radio and its pins runs here as it would be flashed: the app loop,
//! TLS, flash, the picture on a screen, the console. The host program sets the board up over a
//! pseudo-terminal. The checks are in `tests/suite`; this is what they are made with.
//!
//! | module | what |
//! |---|---|
//! | here | the rig of a check: a directory, and everything below started in it |
//! | [`board`], [`images`] | the board, its flash and its card |
//! | [`lines`], [`qmp`] | its serial line, and QEMU's control connection |
//! | [`wire`], [`time_server`] | its network and its time, with the faults that a check asks for |
//! | [`clouds`], [`impostor`] | the sandbox, and servers that nobody should talk to |
//! | [`host`] | the host program |
//! | [`picture`], [`expected`] | what the screen shows, and what it should show |

#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    reason = "QEMU runs in real time, and so do its checks"
)]

pub mod board;
pub mod clouds;
pub mod expected;
pub mod host;
pub mod images;
pub mod impostor;
pub mod lines;
pub mod picture;
pub mod qmp;
pub mod time_server;
pub mod wire;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{board::Bench, clouds::Clouds, host::Host, time_server::TimeServer};

/// The address at which QEMU's network exposes this machine's loopback.
pub const HOST_SEEN_BY_BOARD: &str = "10.0.2.2";

/// The programs that the checks start.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The host program, with the sandbox in it.
    pub pulsewing: PathBuf,
    /// The board's program, an ELF file.
    pub board: PathBuf,
    /// QEMU for the board's processor.
    pub qemu: PathBuf,
    /// The one program behind all mtools.
    pub mtools: PathBuf,
}

impl Programs {
    /// Takes the paths from the variables that `cargo xtask qemu` sets; `None` if one is missing.
    #[must_use]
    pub fn from_env() -> Option<Self> {
        let path = |name| env::var_os(name).map(PathBuf::from);
        Some(Self {
            pulsewing: path("PULSEWING_PROGRAM")?,
            board: path("PULSEWING_BOARD")?,
            qemu: path("PULSEWING_QEMU")?,
            mtools: path("PULSEWING_MTOOLS")?,
        })
    }
}

/// The resources of a check. Every check has a rig of its own.
#[derive(Debug)]
pub struct Rig {
    programs: Programs,
    /// A short path, because it holds sockets.
    dir: tempfile::TempDir,
}

impl Rig {
    /// Creates a rig with an empty directory.
    pub fn new(programs: Programs) -> Result<Self> {
        let dir = tempfile::tempdir().context("no directory")?;
        Ok(Self { programs, dir })
    }

    /// Keeps the files of a failed check below a directory, for inspection; returns their own.
    pub fn keep(&self, below: &Path, check: &str) -> Option<PathBuf> {
        let name: String = check
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        // Repeated, a check can fail several times at once.
        let kept = below.join(name).join(self.dir.path().file_name()?);
        fs::create_dir_all(kept.parent()?).ok()?;
        let mut copy = Command::new("cp");
        copy.args(["--recursive", "--sparse=always"])
            .arg(self.dir.path())
            .arg(&kept);
        output(&mut copy).is_ok().then_some(kept)
    }

    /// Returns a board fresh from the factory.
    pub fn bench(&self) -> Result<Bench> {
        let Programs {
            board,
            qemu,
            mtools,
            ..
        } = &self.programs;
        Bench::new(&self.dir.path().join("board"), board, qemu, mtools)
    }

    /// Starts both clouds.
    pub fn clouds(&self, options: &[&str]) -> Result<Clouds> {
        let dir = self.dir.path().join("clouds");
        Clouds::start(&self.programs.pulsewing, &dir, options)
    }

    /// Returns the host program, set up for a provider.
    pub fn host(&self, clouds: &Clouds, provider: &str) -> Result<Host> {
        let dir = self.dir.path().join(provider);
        Host::new(&self.programs.pulsewing, &dir, clouds, provider)
    }

    /// Starts both clouds with options and a time server, and returns them with a board for a provider: see
    /// [`board_for`](Self::board_for).
    pub fn signed_in(
        &self,
        provider: &str,
        options: &[&str],
    ) -> Result<(Clouds, TimeServer, Bench)> {
        let clouds = self.clouds(options)?;
        let time = TimeServer::start()?;
        let bench = self.board_for(&clouds, &time, provider)?;
        Ok((clouds, time, bench))
    }

    /// Returns a board that the host program has set up and signed in, switched off. It does not hold off
    /// after a start, and has no cap of its own.
    pub fn board_for(&self, clouds: &Clouds, time: &TimeServer, provider: &str) -> Result<Bench> {
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
        let settings = [
            connect.as_str(),
            server.as_str(),
            "poll.hold_off=0",
            "poll.hourly_cap=10000",
        ];
        for setting in &settings {
            provision.extend(["--set", setting]);
        }
        host.run(&provision)?;
        host.sign_in(&["board", "login", "--port", &port], clouds)?;
        board.cut_power()?;
        Ok(bench)
    }

    /// Switches on a board that has been set up, signs it in with a provider, and switches it off.
    pub fn sign_in(&self, bench: &Bench, clouds: &Clouds, provider: &str) -> Result<()> {
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

/// Runs a command silently; an error holds what it said.
fn output(command: &mut Command) -> Result<()> {
    let name = command.get_program().display().to_string();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{name}`"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{name}`: {}", complaint.trim());
    Ok(())
}
