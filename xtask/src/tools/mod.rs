//! The tools that the steps need: whether they are there, and how `--setup` gets them.
//!
//! Everything comes from a package registry by its package name; nothing is fetched by address. What the
//! firmware needs is unpacked below the target directory where there is apt, and installed nowhere.
//!
//! A tool is the machine's own, or it is unpacked with all that it needs; the two are never mixed. Before it
//! counts as present it is started on something real: a tool that is there and does not work would fail a
//! step minutes later, for a reason that nobody recognises.

pub(crate) mod bare_rust;
pub(crate) mod clang;
pub(crate) mod cmake;
mod debian;
pub(crate) mod mtools;
pub(crate) mod qemu;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use self::bare_rust::BareRust;
use self::clang::Clang;
use self::cmake::Cmake;
use crate::browser;
use crate::foreign;
use crate::process;
use crate::workspace::Workspace;

pub(crate) use self::debian::make_executable;

/// A program or toolchain that some step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Rustfmt,
    Clippy,
    CCompiler,
    CargoDeny,
    BareTarget,
    LibrarySources,
    ForeignClients,
    Clang,
    Cmake,
    Qemu,
    Mtools,
    SystemdAnalyze,
    Node,
    Chromium,
    BrowserPackages,
}

/// All of them.
pub(crate) const ALL: [Tool; 15] = [
    Tool::Rustfmt,
    Tool::Clippy,
    Tool::CCompiler,
    Tool::CargoDeny,
    Tool::BareTarget,
    Tool::LibrarySources,
    Tool::ForeignClients,
    Tool::Clang,
    Tool::Cmake,
    Tool::Qemu,
    Tool::Mtools,
    Tool::SystemdAnalyze,
    Tool::Node,
    Tool::Chromium,
    Tool::BrowserPackages,
];

impl Tool {
    /// What the step that installs it is called.
    pub(crate) fn setup_name(self) -> String {
        format!("setup: {}", self.name())
    }

    /// Whether getting it means compiling it.
    pub(crate) fn is_compiled(self) -> bool {
        self == Self::CargoDeny
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustfmt",
            Self::Clippy => "clippy",
            Self::CCompiler => "a C compiler",
            Self::CargoDeny => "cargo-deny",
            Self::BareTarget => "a toolchain for riscv32imac-unknown-none-elf",
            Self::LibrarySources => "the sources of a compiler's libraries",
            Self::ForeignClients => "the Python environment of the foreign clients",
            Self::Clang => "clang 19 with libclang",
            Self::Cmake => "cmake with make",
            Self::Qemu => "QEMU 10 for RISC-V",
            Self::Mtools => "mtools",
            Self::SystemdAnalyze => "systemd-analyze",
            Self::Node => "node 18 with npm",
            Self::Chromium => "Chromium",
            Self::BrowserPackages => "playwright-core and axe-core",
        }
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::Rustfmt => "checks the format",
            Self::Clippy => "lints",
            Self::CCompiler => "builds SQLite and the cryptography of TLS",
            Self::CargoDeny => "checks licences, banned crates and sources",
            Self::BareTarget => "shows that the board crates need neither std nor alloc",
            Self::LibrarySources => "type-check the FeatherS3's program",
            Self::ForeignClients => "holds clients that others wrote against the sandbox",
            Self::Clang => "compiles the boards' TLS",
            Self::Cmake => "configures the boards' TLS",
            Self::Qemu => "emulates a board",
            Self::Mtools => "writes and reads the emulated board's card",
            Self::SystemdAnalyze => "checks the service's unit",
            Self::Node => "runs the browser tests",
            Self::Chromium => "shows the page",
            Self::BrowserPackages => "drive the browser and judge the page",
        }
    }

    /// The command with which a person would install the tool.
    fn install_command(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustup component add rustfmt",
            Self::Clippy => "rustup component add clippy",
            Self::CCompiler => "apt-get install --yes --no-install-recommends build-essential",
            // Only the advisory check, which deny.toml leaves out, needs the default features.
            Self::CargoDeny => {
                "cargo install cargo-deny --version ^0.20 --locked --no-default-features --debug"
            }
            Self::BareTarget => "rustup target add riscv32imac-unknown-none-elf",
            Self::LibrarySources => "rustup component add rust-src",
            Self::ForeignClients => {
                "python3 -m venv target/foreign-clients && target/foreign-clients/bin/pip install -r \
                 crates/pulsewing-sandbox/tests/foreign/requirements.txt"
            }
            Self::Clang => "apt-get install --yes --no-install-recommends clang-19 libclang1-19",
            Self::Cmake => "apt-get install --yes --no-install-recommends cmake make",
            Self::Qemu => "apt-get install --yes --no-install-recommends qemu-system-riscv",
            Self::Mtools => "apt-get install --yes --no-install-recommends mtools",
            Self::SystemdAnalyze => "apt-get install --yes --no-install-recommends systemd",
            Self::Node => "apt-get install --yes --no-install-recommends nodejs npm",
            Self::Chromium => "apt-get install --yes --no-install-recommends chromium",
            Self::BrowserPackages => {
                "npm install --prefix target/browser crates/pulsewing/tests/browser"
            }
        }
    }

    fn state(self, workspace: &Workspace) -> State {
        let answers = |program: &str| process::succeeds(Command::new(program).arg("--version"));
        let cargo_answers =
            |command| process::succeeds(process::cargo().args([command, "--version"]));
        let found = match self {
            Self::Rustfmt => Ok(cargo_answers("fmt")),
            Self::Clippy => Ok(cargo_answers("clippy")),
            Self::CCompiler => Ok(answers("cc")),
            Self::CargoDeny => Ok(cargo_answers("deny")),
            Self::BareTarget => BareRust::find(workspace).map(|found| found.is_some()),
            Self::LibrarySources => {
                BareRust::find_with_sources(workspace).map(|found| found.is_some())
            }
            Self::ForeignClients => Ok(foreign::is_ready(workspace)),
            Self::Clang => Clang::find(workspace).map(|found| found.is_some()),
            Self::Cmake => Cmake::find(workspace).map(|found| found.is_some()),
            Self::Qemu => qemu::find(workspace).map(|found| found.is_some()),
            Self::Mtools => mtools::find(workspace).map(|found| found.is_some()),
            Self::SystemdAnalyze => Ok(answers("systemd-analyze")),
            Self::Node => Ok(browser::has_node()),
            Self::Chromium => Ok(browser::chromium().is_some()),
            Self::BrowserPackages => Ok(browser::has_packages(workspace)),
        };
        match found {
            Ok(true) => State::Ready,
            Ok(false) => State::Missing,
            Err(why) => State::Broken(why),
        }
    }

    /// Checks that the tool is there and works.
    ///
    /// # Errors
    ///
    /// When it does not, with the command that installs it.
    pub(crate) fn require(self, workspace: &Workspace) -> Result<(), String> {
        match self.state(workspace) {
            State::Ready => Ok(()),
            State::Missing => Err(format!(
                "{} is missing; install it with `{}`, or use --setup",
                self.name(),
                self.install_command()
            )),
            State::Broken(why) => Err(format!(
                "{} does not work: {why}; --setup unpacks it anew",
                self.name()
            )),
        }
    }

    /// Installs the tool, saying first what it is and how, and has it show that it works.
    ///
    /// # Errors
    ///
    /// When it cannot be had, or does not work even so.
    pub(crate) fn install(self, workspace: &Workspace) -> Result<(), String> {
        match self.state(workspace) {
            State::Ready => {
                println!("{} is there", self.name());
                return Ok(());
            }
            State::Missing => println!(
                "{} is missing ({}); the way to get it: {}",
                self.name(),
                self.purpose(),
                self.install_command()
            ),
            State::Broken(why) => {
                println!("{} does not work and is unpacked anew: {why}", self.name());
            }
        }
        self.fetch(workspace)?;
        self.require(workspace)
    }

    fn fetch(self, workspace: &Workspace) -> Result<(), String> {
        match self {
            Self::CCompiler | Self::SystemdAnalyze | Self::Node | Self::Chromium => {
                refresh_package_lists(workspace)?;
                self.run_install_command()
            }
            Self::BrowserPackages => browser::install_packages(workspace),
            Self::BareTarget | Self::LibrarySources if debian::has_apt() => {
                println!("on Debian: unpacking rustc-web and rust-web-src instead");
                BareRust::unpack(workspace).or_else(|problem| {
                    println!("{problem}");
                    self.run_install_command()
                })
            }
            Self::Clang if debian::has_apt() => Clang::unpack(workspace),
            Self::Cmake if debian::has_apt() => Cmake::unpack(workspace),
            Self::Qemu if debian::has_apt() => qemu::unpack(workspace),
            Self::Mtools if debian::has_apt() => mtools::unpack(workspace),
            Self::ForeignClients => {
                foreign::make_environment(workspace)
                    .or_else(|problem| install_venv(workspace, &problem))?;
                foreign::install(workspace)
            }
            // Whoever is there already need not wait long for a check that takes seconds.
            Self::CargoDeny => process::compile(
                self.install_command_line()
                    .env("CARGO_PROFILE_DEV_DEBUG", "0"),
            ),
            _ => self.run_install_command(),
        }
    }

    fn run_install_command(self) -> Result<(), String> {
        process::run(&mut self.install_command_line())
    }

    fn install_command_line(self) -> Command {
        let mut words = self.install_command().split_whitespace();
        let mut command = match words.next() {
            Some("cargo") | None => process::cargo(),
            Some(program) => Command::new(program),
        };
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}

/// Whether a tool can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is there and works.
    Ready,
    /// It is not there, or not in a version that will do.
    Missing,
    /// It was unpacked and does not work; what it says.
    Broken(String),
}

/// The first of the installed tools that works, else the unpacked one.
///
/// An installed one that does not work is passed over: it is not ours to put right.
///
/// # Errors
///
/// When the unpacked one is there and does not work.
fn pick<T>(
    installed: impl IntoIterator<Item = T>,
    unpacked_dir: &Path,
    unpacked: T,
    try_out: impl Fn(&T) -> Result<(), String>,
) -> Result<Option<T>, String> {
    let mut installed = installed.into_iter();
    if let Some(works) = installed.find(|tool| try_out(tool).is_ok()) {
        return Ok(Some(works));
    }
    if !unpacked_dir.exists() {
        return Ok(None);
    }
    match try_out(&unpacked) {
        Ok(()) => Ok(Some(unpacked)),
        Err(why) => Err(format!("{}: {why}", unpacked_dir.display())),
    }
}

/// A list of directories for a variable, before those that it has.
pub(crate) fn joined(name: &str, dirs: impl IntoIterator<Item = PathBuf>) -> OsString {
    let others = env::var_os(name).unwrap_or_default();
    let all = dirs
        .into_iter()
        .chain(env::split_paths(&others).filter(|dir| !dir.as_os_str().is_empty()));
    env::join_paths(all).unwrap_or_default()
}

/// Asks Debian's archive for its current lists.
fn refresh_package_lists(workspace: &Workspace) -> Result<(), String> {
    let stamp = workspace.target_dir.join("xtask/package-lists");
    once_an_hour(&stamp, || {
        process::run(Command::new("apt-get").args(["update", "--quiet=2"]))
    })
}

/// Does something unless it was done within the last hour, by this process or another, as a file says.
fn once_an_hour(stamp: &Path, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let done = fs::metadata(stamp).and_then(|file| file.modified());
    let is_recent = done.is_ok_and(|done| {
        let age = done.elapsed().unwrap_or(Duration::MAX);
        age < Duration::from_secs(3_600)
    });
    if is_recent {
        return Ok(());
    }
    work()?;
    let written = stamp
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(stamp, ""));
    written.map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

/// Installs what Debian leaves out of its Python, where that is possible.
fn install_venv(workspace: &Workspace, problem: &str) -> Result<(), String> {
    if !(is_root() && debian::has_apt()) {
        return Err(problem.to_owned());
    }
    println!("{problem}; on Debian as root: installing python3-venv");
    refresh_package_lists(workspace)?;
    let packages = ["python3", "python3-venv"];
    process::run(
        Command::new("apt-get")
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_come_before_those_that_a_variable_has() {
        let list = joined("PATH", [PathBuf::from("/first")]);
        assert_eq!(
            env::split_paths(&list).next(),
            Some(PathBuf::from("/first"))
        );
        let alone = joined("PULSEWING_NO_SUCH_VARIABLE", [PathBuf::from("/only")]);
        assert_eq!(alone, "/only");
    }

    #[test]
    fn the_machines_own_tool_comes_first_and_a_broken_unpacked_one_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let none = scratch.path().join("none");
        let there = scratch.path().join("there");
        fs::create_dir(&there).unwrap();
        let works = |tool: &&str| match *tool {
            "broken" => Err("it has no modules".to_owned()),
            _ => Ok(()),
        };
        assert_eq!(pick(["own"], &there, "unpacked", works), Ok(Some("own")));
        assert_eq!(
            pick(["broken", "own"], &there, "unpacked", works),
            Ok(Some("own"))
        );
        assert_eq!(
            pick(["broken"], &there, "unpacked", works),
            Ok(Some("unpacked"))
        );
        assert_eq!(pick(["broken"], &none, "unpacked", works), Ok(None));
        let complaint = pick(["broken"], &there, "broken", works).unwrap_err();
        assert!(complaint.contains("it has no modules"), "{complaint}");
        assert!(complaint.contains("there"), "{complaint}");
    }
}
