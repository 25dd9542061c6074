//! Runs third-party clients against the sandbox: the driver in Python, in a virtual environment with the
//! packages from its two lists.

use std::{path::PathBuf, process::Command};

use crate::{process, test_programs, workspace::Workspace};

/// The directory of the driver, relative to the root of the checkout.
const DRIVER: &str = "crates/pulsewing-sandbox/tests/foreign";

/// The package that verifies signatures. It asks for a newer Python than its verifier needs, so it is
/// installed without regard to that; what it requires is in the other list.
const SIGNATURES: &str = "signatures.txt";

/// Fails unless every package of the given lists is installed in the version that it names, and every file
/// of every installed package is there.
const ARE_INSTALLED: &str = "\
import sys
from importlib.metadata import distributions, version
for path in sys.argv[1:]:
    for line in open(path, encoding='utf-8'):
        name, _, wanted = line.partition('#')[0].strip().partition('==')
        if name and version(name) != wanted:
            sys.exit(1)
for package in distributions():
    for file in package.files or []:
        if file.suffix != '.pyc' and not file.locate().exists():
            sys.exit(1)
";

/// Returns whether the environment has every package in the required version.
pub(crate) fn is_ready(workspace: &Workspace) -> bool {
    let python = python(workspace);
    python.exists()
        && process::succeeds(
            Command::new(&python)
                .args(["-c", ARE_INSTALLED])
                .args(lists(workspace)),
        )
        && process::succeeds(Command::new(python).args(["-m", "pip", "check"]))
}

/// Installs the packages from PyPI into the environment.
///
/// # Errors
///
/// If a package cannot be installed.
pub(crate) fn install(workspace: &Workspace) -> Result<(), String> {
    let [requirements, signatures] = lists(workspace);
    let pip = |more: &[&str]| {
        let mut pip = Command::new(python(workspace));
        pip.args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "--no-compile"])
            .args(more);
        pip
    };
    process::run(pip(&["--requirement"]).arg(requirements))?;
    let alone = ["--no-deps", "--ignore-requires-python", "--requirement"];
    process::run(pip(&alone).arg(signatures))
}

/// Creates an empty environment, in place of an old one: pip would not notice that a file is gone.
///
/// # Errors
///
/// If Python is missing, or comes without its `venv`, as Debian packages it.
pub(crate) fn make_environment(workspace: &Workspace) -> Result<(), String> {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"])
        .arg(environment(workspace));
    process::run(&mut venv)
}

/// Runs the driver with the program.
///
/// # Errors
///
/// If a client and the sandbox disagree.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let mut driver = Command::new(python(workspace));
    // Without -B, Python would leave its compiled modules in the checkout.
    driver
        .arg("-B")
        .arg(workspace.root.join(DRIVER).join("drive.py"))
        .arg("--program")
        .arg(test_programs::pulsewing(workspace));
    process::run(&mut driver)
}

/// Returns the lists of packages: those that are installed with what they require, and the one that is not.
fn lists(workspace: &Workspace) -> [PathBuf; 2] {
    ["requirements.txt", SIGNATURES].map(|name| workspace.root.join(DRIVER).join(name))
}

fn environment(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("foreign-clients")
}

fn python(workspace: &Workspace) -> PathBuf {
    let name = if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    };
    environment(workspace).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_and_its_requirements_are_there_and_every_version_is_pinned() {
        let workspace = Workspace::load().unwrap();
        assert!(workspace.root.join(DRIVER).join("drive.py").is_file());
        for list in lists(&workspace) {
            let text = std::fs::read_to_string(list).unwrap();
            let packages: Vec<&str> = text
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .collect();
            assert!(!packages.is_empty());
            assert!(packages.iter().all(|package| package.contains("==")));
        }
    }
}
