//! Has a real Home Assistant judge the daemon: the judge is in Python, in a virtual environment with Home Assistant.
//!
//! It is no part of `test`: the environment is a download of hundreds of megabytes, and wants one version of Python.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{process, test_programs, tools, workspace::Workspace};

/// The directory of the judge, relative to the root of the checkout.
const JUDGE: &str = "crates/pulsewing/tests/home-assistant";

/// The version of Python that this Home Assistant wants.
const PYTHON: &str = "python3.13";

/// Fails unless every package of the list is installed in the version that it names.
const ARE_INSTALLED: &str = "\
import sys
from importlib.metadata import version
for line in open(sys.argv[1], encoding='utf-8'):
    name, _, wanted = line.partition('#')[0].strip().partition('==')
    if name and version(name) != wanted:
        sys.exit(1)
";

/// Takes the list of Home Assistant's own constraints out of its package.
const UNPACK: &str = "\
import sys, zipfile
zipfile.ZipFile(sys.argv[1]).extract('homeassistant/package_constraints.txt', sys.argv[2])
";

/// Returns whether the environment is there.
pub(crate) fn is_ready(workspace: &Workspace) -> bool {
    let python = python(workspace);
    let mut ask = Command::new(&python);
    ask.args(["-c", ARE_INSTALLED]).arg(list(workspace));
    python.exists() && process::succeeds(&mut ask)
}

/// Makes the environment. pip alone tries versions for a quarter of an hour, so uv does it, with the constraints
/// that are in Home Assistant's package.
///
/// # Errors
///
/// If that Python is missing, or a package cannot be installed.
pub(crate) fn install(workspace: &Workspace) -> Result<(), String> {
    let base = base_python().ok_or_else(|| format!("{PYTHON} is missing"))?;
    let dir = environment(workspace);
    process::run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&dir))?;
    let pip = |words: &[&str]| {
        let mut pip = Command::new(python(workspace));
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"])
            .args(words)
            .current_dir(&dir);
        pip
    };
    process::run(&mut pip(&["install", "uv"]))?;
    let wanted = fs::read_to_string(list(workspace))
        .map_err(|error| format!("cannot read the list of packages: {error}"))?;
    let home_assistant = wanted
        .lines()
        .find(|line| line.starts_with("homeassistant=="))
        .ok_or("the list of packages lacks Home Assistant")?;
    process::run(&mut pip(&["download", "--no-deps", home_assistant]))?;
    let package = fs::read_dir(&dir)
        .map_err(|error| format!("cannot read {}: {error}", dir.display()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|kind| kind == "whl"))
        .ok_or("Home Assistant's package was not downloaded")?;
    let mut unpack = Command::new(python(workspace));
    process::run(unpack.args(["-c", UNPACK]).arg(package).arg(&dir))?;
    let mut uv = Command::new(dir.join("bin/uv"));
    uv.args(["pip", "install", "--quiet", "--python"])
        .arg(python(workspace))
        .arg("--constraint")
        .arg(dir.join("homeassistant/package_constraints.txt"))
        .arg("--requirement")
        .arg(list(workspace));
    process::run(&mut uv)
}

/// Runs the judge with the program.
///
/// # Errors
///
/// If Home Assistant does not show what it should, or complains.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let mosquitto = tools::mosquitto::find(workspace)?.ok_or("Mosquitto is missing")?;
    let mut judge = Command::new(python(workspace));
    // Without -B, Python would leave its compiled modules in the checkout.
    judge
        .arg("-B")
        .arg(workspace.root.join(JUDGE).join("judge.py"))
        .arg("--program")
        .arg(test_programs::pulsewing(workspace))
        .arg("--mosquitto")
        .arg(mosquitto.join("mosquitto"));
    process::run(&mut judge)
}

/// Finds that Python: in the path, or where pyenv keeps it, whose own commands answer only to chosen versions.
fn base_python() -> Option<PathBuf> {
    let answers = |python: &Path| process::succeeds(Command::new(python).arg("--version"));
    let pyenv = env::home_dir().map(|home| home.join(".pyenv/versions"));
    let kept = pyenv.into_iter().flat_map(fs::read_dir).flatten().flatten();
    let mut kept: Vec<PathBuf> = kept
        .map(|version| version.path().join("bin").join(PYTHON))
        .filter(|python| python.exists())
        .collect();
    kept.sort();
    let mut all = [PathBuf::from(PYTHON)].into_iter().chain(kept);
    all.find(|python| answers(python))
}

fn list(workspace: &Workspace) -> PathBuf {
    workspace.root.join(JUDGE).join("requirements.txt")
}

fn environment(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("home-assistant")
}

fn python(workspace: &Workspace) -> PathBuf {
    environment(workspace).join("bin/python")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_judge_is_there_and_every_version_is_pinned() {
        let workspace = Workspace::load().unwrap();
        assert!(workspace.root.join(JUDGE).join("judge.py").is_file());
        let text = fs::read_to_string(list(&workspace)).unwrap();
        let packages: Vec<&str> = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        assert!(packages[0].starts_with("homeassistant=="));
        assert!(packages.iter().all(|package| package.contains("==")));
    }
}
