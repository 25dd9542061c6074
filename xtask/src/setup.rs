//! The tools that the steps need: whether they are there, and how `--setup` gets them.
//!
//! Everything comes from a package registry by its package name; nothing is fetched by address. What the
//! firmware needs is unpacked below the target directory where there is apt, and installed nowhere.

use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use crate::browser;
use crate::debian;
use crate::firmware;
use crate::foreign;
use crate::no_std::toolchain;
use crate::process;
use crate::qemu;
use crate::workspace::Workspace;

/// A program or toolchain that some step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Rustfmt,
    Clippy,
    CCompiler,
    CargoDeny,
    BareTarget,
    ForeignClients,
    CTools,
    Qemu,
    Mtools,
    SystemdAnalyze,
    Node,
    Chromium,
    BrowserPackages,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustfmt",
            Self::Clippy => "clippy",
            Self::CCompiler => "a C compiler",
            Self::CargoDeny => "cargo-deny",
            Self::BareTarget => "a toolchain for riscv32imac-unknown-none-elf",
            Self::ForeignClients => "the Python environment of the foreign clients",
            Self::CTools => "clang 19 with cmake and libclang",
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
            Self::ForeignClients => "holds clients that others wrote against the sandbox",
            Self::CTools => "builds the boards' TLS",
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
                "cargo install cargo-deny --version ^0.20 --locked --no-default-features"
            }
            Self::BareTarget => "rustup target add riscv32imac-unknown-none-elf",
            Self::ForeignClients => {
                "python3 -m venv target/foreign-clients && target/foreign-clients/bin/pip install -r \
                 crates/pulsewing-sandbox/tests/foreign/requirements.txt"
            }
            Self::CTools => {
                "apt-get install --yes --no-install-recommends clang-19 cmake libclang-19-dev"
            }
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

    fn is_present(self, workspace: &Workspace) -> bool {
        match self {
            Self::Rustfmt => process::succeeds(process::cargo().args(["fmt", "--version"])),
            Self::Clippy => process::succeeds(process::cargo().args(["clippy", "--version"])),
            Self::CCompiler => process::succeeds(Command::new("cc").arg("--version")),
            Self::CargoDeny => process::succeeds(process::cargo().args(["deny", "--version"])),
            Self::BareTarget => toolchain::find(workspace).is_some(),
            Self::ForeignClients => foreign::is_ready(workspace),
            Self::CTools => firmware::c_tools::CTools::find(workspace).is_some(),
            Self::Qemu => qemu::tools::qemu(workspace).is_some(),
            Self::Mtools => qemu::tools::mtools(workspace).is_some(),
            Self::SystemdAnalyze => {
                process::succeeds(Command::new("systemd-analyze").arg("--version"))
            }
            Self::Node => browser::has_node(),
            Self::Chromium => browser::chromium().is_some(),
            Self::BrowserPackages => browser::has_packages(workspace),
        }
    }

    /// Checks that the tool is there.
    ///
    /// # Errors
    ///
    /// When it is missing, with the command that installs it.
    pub(crate) fn require(self, workspace: &Workspace) -> Result<(), String> {
        if self.is_present(workspace) {
            return Ok(());
        }
        Err(format!(
            "{} is missing; install it with `{}`, or use --setup",
            self.name(),
            self.install_command()
        ))
    }

    fn install(self, workspace: &Workspace) -> Result<(), String> {
        match self {
            Self::CCompiler | Self::SystemdAnalyze | Self::Node | Self::Chromium => {
                refresh_package_lists()?;
                self.run_install_command()
            }
            Self::BrowserPackages => browser::install_packages(workspace),
            Self::BareTarget if debian::has_apt() => {
                println!("setup: on Debian: unpacking rustc-web and rust-web-src instead");
                toolchain::unpack(workspace).or_else(|problem| {
                    println!("setup: {problem}");
                    self.run_install_command()
                })
            }
            Self::CTools if debian::has_apt() => firmware::c_tools::CTools::unpack(workspace),
            Self::Qemu if debian::has_apt() => qemu::tools::unpack_qemu(workspace),
            Self::Mtools if debian::has_apt() => qemu::tools::unpack_mtools(workspace),
            Self::ForeignClients => {
                foreign::make_environment(workspace).or_else(|problem| install_venv(&problem))?;
                foreign::install(workspace)
            }
            _ => self.run_install_command(),
        }
    }

    fn run_install_command(self) -> Result<(), String> {
        let mut words = self.install_command().split_whitespace();
        let mut command = match words.next() {
            Some("cargo") | None => process::cargo(),
            Some(program) => Command::new(program),
        };
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        process::run(&mut command)
    }
}

/// Installs what is missing, saying first what it is and how. A failure here is only told: the step that
/// needs the tool fails with it later, and the others still run.
pub(crate) fn install_missing(tools: &[Tool], workspace: &Workspace) {
    for tool in tools {
        if tool.is_present(workspace) {
            println!("setup: {} is there", tool.name());
            continue;
        }
        println!(
            "setup: {} is missing ({}); the way to get it: {}",
            tool.name(),
            tool.purpose(),
            tool.install_command()
        );
        let started = Instant::now();
        match tool.install(workspace) {
            Ok(()) => {
                let seconds = started.elapsed().as_secs_f64();
                println!("setup: {} took {seconds:.0} s", tool.name());
            }
            Err(problem) => println!("setup: {} could not be installed: {problem}", tool.name()),
        }
    }
}

/// Asks Debian's archive for its current lists, once in a run.
fn refresh_package_lists() -> Result<(), String> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    DONE.get_or_init(|| process::run(Command::new("apt-get").args(["update", "--quiet=2"])))
        .clone()
}

/// Installs what Debian leaves out of its Python, where that is possible.
fn install_venv(problem: &str) -> Result<(), String> {
    if !(is_root() && debian::has_apt()) {
        return Err(problem.to_owned());
    }
    println!("setup: {problem}; on Debian as root: installing python3-venv");
    refresh_package_lists()?;
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
