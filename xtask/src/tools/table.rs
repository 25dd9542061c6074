//! Every tool, with the functions that find and fetch it: one row each.

use std::{fs, path::Path, process::Command, time::Duration};

use super::{
    Tool, bare_rust::BareRust, clang::Clang, cmake::Cmake, debian, mosquitto, mtools, postgresql,
    prometheus, qemu,
};
use crate::{
    browser, foreign, home_assistant, numbers, process, python::Environment, workspace::Workspace,
};

/// All tools.
pub(crate) const ALL: [&Tool; 20] = [
    RUSTFMT,
    CLIPPY,
    C_COMPILER,
    CARGO_DENY,
    BARE_TARGET,
    LIBRARY_SOURCES,
    FOREIGN_CLIENTS,
    NUMBERS_JUDGES,
    PROMETHEUS,
    HOME_ASSISTANT,
    CLANG,
    CMAKE,
    QEMU,
    MTOOLS,
    MOSQUITTO,
    SYSTEMD_ANALYZE,
    POSTGRESQL,
    NODE,
    CHROMIUM,
    BROWSER_PACKAGES,
];

pub(crate) const RUSTFMT: &Tool = &Tool {
    name: "rustfmt",
    purpose: "checks the format",
    command: "rustup component add rustfmt",
    is_compiled: false,
    find: |_| Ok(cargo_answers("fmt")),
    fetch: |tool, _| tool.run_command(),
};

pub(crate) const CLIPPY: &Tool = &Tool {
    name: "clippy",
    purpose: "lints",
    command: "rustup component add clippy",
    is_compiled: false,
    find: |_| Ok(cargo_answers("clippy")),
    fetch: |tool, _| tool.run_command(),
};

pub(crate) const C_COMPILER: &Tool = &Tool {
    name: "a C compiler",
    purpose: "builds SQLite and the cryptography of TLS",
    command: "apt-get install --yes --no-install-recommends build-essential",
    is_compiled: false,
    find: |_| Ok(answers("cc")),
    fetch: install_from_archive,
};

pub(crate) const CARGO_DENY: &Tool = &Tool {
    name: "cargo-deny",
    purpose: "checks licences, banned crates and sources",
    // Only the advisory check, which deny.toml leaves out, needs the default features.
    command: "cargo install cargo-deny --version ^0.20 --locked --no-default-features --debug",
    is_compiled: true,
    // deny.toml is written for this version.
    find: |_| {
        let version = process::output(process::cargo().args(["deny", "--version"]));
        Ok(version.is_ok_and(|version| version.contains(" 0.20.")))
    },
    fetch: |tool, _| {
        // Nobody debugs it, and without debug information it compiles in a fraction of the time.
        process::compile(tool.command_line().env("CARGO_PROFILE_DEV_DEBUG", "0"))
    },
};

pub(crate) const BARE_TARGET: &Tool = &Tool {
    name: "a toolchain for riscv32imac-unknown-none-elf",
    purpose: "shows that the board crates need neither std nor alloc",
    command: "rustup target add riscv32imac-unknown-none-elf",
    is_compiled: false,
    find: |workspace| Ok(BareRust::find(workspace)?.is_some()),
    fetch: unpack_rust,
};

pub(crate) const LIBRARY_SOURCES: &Tool = &Tool {
    name: "the sources of a compiler's libraries",
    purpose: "type-check the FeatherS3's program",
    command: "rustup component add rust-src",
    is_compiled: false,
    find: |workspace| Ok(BareRust::find_with_sources(workspace)?.is_some()),
    fetch: unpack_rust,
};

pub(crate) const FOREIGN_CLIENTS: &Tool = &Tool {
    name: "the Python environment of the foreign clients",
    purpose: "tests the sandbox and MQTT with third-party clients",
    command: "python3 -m venv target/foreign-clients && target/foreign-clients/bin/pip install -r crates/pulsewing-sandbox/tests/foreign/requirements.txt && target/foreign-clients/bin/pip install --no-deps --ignore-requires-python -r crates/pulsewing-sandbox/tests/foreign/signatures.txt",
    is_compiled: false,
    find: |workspace| Ok(foreign::ENVIRONMENT.is_ready(workspace)),
    fetch: |_, workspace| fetch_packages(workspace, &foreign::ENVIRONMENT),
};

pub(crate) const NUMBERS_JUDGES: &Tool = &Tool {
    name: "the Python environment of the numbers' judges",
    purpose: "judges the API's description, its replies and the line protocol",
    command: "python3 -m venv target/numbers && target/numbers/bin/pip install -r crates/pulsewing/tests/numbers/requirements.txt",
    is_compiled: false,
    find: |workspace| Ok(numbers::ENVIRONMENT.is_ready(workspace)),
    fetch: |_, workspace| fetch_packages(workspace, &numbers::ENVIRONMENT),
};

pub(crate) const PROMETHEUS: &Tool = &Tool {
    name: "Prometheus with promtool",
    purpose: "reads the metrics, and evaluates the dashboard and the alert rules",
    command: "apt-get install --yes --no-install-recommends prometheus",
    is_compiled: false,
    find: |workspace| Ok(prometheus::find(workspace)?.is_some()),
    fetch: |tool, workspace| unpack_or_install(tool, workspace, prometheus::unpack),
};

pub(crate) const HOME_ASSISTANT: &Tool = &Tool {
    name: "Home Assistant 2025.4.4 on Python 3.13",
    purpose: "judges what the daemon shows it",
    command: "python3.13 -m venv target/home-assistant && target/home-assistant/bin/pip install uv && target/home-assistant/bin/uv pip install -r crates/pulsewing/tests/home-assistant/requirements.txt",
    is_compiled: false,
    find: |workspace| Ok(home_assistant::is_ready(workspace)),
    fetch: |_, workspace| home_assistant::install(workspace),
};

pub(crate) const CLANG: &Tool = &Tool {
    name: "clang 19 with libclang",
    purpose: "compiles the boards' TLS",
    command: "apt-get install --yes --no-install-recommends clang-19 libclang1-19",
    is_compiled: false,
    find: |workspace| Ok(Clang::find(workspace)?.is_some()),
    fetch: |tool, workspace| unpack_or_install(tool, workspace, Clang::unpack),
};

pub(crate) const CMAKE: &Tool = &Tool {
    name: "cmake with make",
    purpose: "configures the boards' TLS",
    command: "apt-get install --yes --no-install-recommends cmake make",
    is_compiled: false,
    find: |workspace| Ok(Cmake::find(workspace)?.is_some()),
    fetch: |tool, workspace| unpack_or_install(tool, workspace, Cmake::unpack),
};

pub(crate) const QEMU: &Tool = &Tool {
    name: "QEMU 10 for RISC-V",
    purpose: "emulates a board",
    command: "apt-get install --yes --no-install-recommends qemu-system-riscv",
    is_compiled: false,
    find: |workspace| Ok(qemu::find(workspace)?.is_some()),
    fetch: |tool, workspace| unpack_or_install(tool, workspace, qemu::unpack),
};

pub(crate) const MTOOLS: &Tool = &Tool {
    name: "mtools",
    purpose: "writes and reads the emulated board's card",
    command: "apt-get install --yes --no-install-recommends mtools",
    is_compiled: false,
    find: |workspace| Ok(mtools::find(workspace)?.is_some()),
    fetch: |tool, workspace| unpack_or_install(tool, workspace, mtools::unpack),
};

pub(crate) const MOSQUITTO: &Tool = &Tool {
    name: "Mosquitto",
    purpose: "is the broker of the tests of MQTT",
    command: "apt-get install --yes --no-install-recommends mosquitto",
    is_compiled: false,
    find: |workspace| Ok(mosquitto::find(workspace)?.is_some()),
    fetch: |tool, workspace| unpack_or_install(tool, workspace, mosquitto::unpack),
};

pub(crate) const SYSTEMD_ANALYZE: &Tool = &Tool {
    name: "systemd-analyze",
    purpose: "checks the service's unit",
    command: "apt-get install --yes --no-install-recommends systemd",
    is_compiled: false,
    find: |_| Ok(answers("systemd-analyze")),
    fetch: install_from_archive,
};

pub(crate) const POSTGRESQL: &Tool = &Tool {
    name: "a PostgreSQL server, 13 or later",
    purpose: "keeps the wearers of a fleet",
    command: "apt-get install --yes --no-install-recommends postgresql-15",
    is_compiled: false,
    find: |_| Ok(postgresql::is_there()),
    fetch: |tool, workspace| {
        if debian::has_apt() {
            postgresql::ask_for_no_cluster()?;
        }
        install_from_archive(tool, workspace)
    },
};

pub(crate) const NODE: &Tool = &Tool {
    name: "node 18 with npm",
    purpose: "runs the browser tests",
    command: "apt-get install --yes --no-install-recommends nodejs npm",
    is_compiled: false,
    find: |_| Ok(browser::has_node()),
    fetch: install_from_archive,
};

pub(crate) const CHROMIUM: &Tool = &Tool {
    name: "Chromium",
    purpose: "shows the page",
    command: "apt-get install --yes --no-install-recommends chromium",
    is_compiled: false,
    find: |_| Ok(browser::chromium().is_some()),
    fetch: install_from_archive,
};

pub(crate) const BROWSER_PACKAGES: &Tool = &Tool {
    name: "playwright-core and axe-core",
    purpose: "drive the browser and judge the page",
    command: "npm install --prefix target/browser crates/pulsewing/tests/browser",
    is_compiled: false,
    find: |workspace| Ok(browser::has_packages(workspace)),
    fetch: |_, workspace| browser::install_packages(workspace),
};

fn answers(program: &str) -> bool {
    process::succeeds(Command::new(program).arg("--version"))
}

fn cargo_answers(command: &str) -> bool {
    process::succeeds(process::cargo().args([command, "--version"]))
}

fn install_from_archive(tool: &Tool, workspace: &Workspace) -> Result<(), String> {
    refresh_package_lists(workspace)?;
    tool.run_command()
}

/// Unpacks the tool below the target directory if there is apt; otherwise runs its command.
fn unpack_or_install(
    tool: &Tool,
    workspace: &Workspace,
    unpack: fn(&Workspace) -> Result<(), String>,
) -> Result<(), String> {
    match debian::has_apt() {
        true => unpack(workspace),
        false => tool.run_command(),
    }
}

fn unpack_rust(tool: &Tool, workspace: &Workspace) -> Result<(), String> {
    if !debian::has_apt() {
        return tool.run_command();
    }
    println!("on Debian: unpacking rustc-web and rust-web-src instead");
    BareRust::unpack(workspace).or_else(|problem| {
        println!("{problem}");
        tool.run_command()
    })
}

/// Updates the package lists from Debian's archive.
fn refresh_package_lists(workspace: &Workspace) -> Result<(), String> {
    let stamp = workspace.target_dir.join("xtask/package-lists");
    once_an_hour(&stamp, || {
        process::run(Command::new("apt-get").args(["update", "--quiet=2"]))
    })
}

/// Runs `work` unless this or another process did so within the last hour, judging by the age of a file.
pub(super) fn once_an_hour(
    stamp: &Path,
    work: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
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

/// Makes a Python environment anew, with its packages.
fn fetch_packages(workspace: &Workspace, environment: &Environment) -> Result<(), String> {
    environment.make(workspace).or_else(|problem| {
        install_venv(workspace, &problem)?;
        environment.make(workspace)
    })?;
    environment.install(workspace)
}

/// Installs the part of Python that Debian packages separately, if possible.
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

pub(super) fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
