//! Tests of the daemon's page in a real browser: node's test runner with playwright-core and axe-core,
//! and Chromium.
//!
//! The two packages are installed below the target directory; node and Chromium come from the system.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{process, test_programs, tools::in_front, workspace::Workspace};

/// The directory of the tests, relative to the root of the checkout.
const TESTS: &str = "crates/pulsewing/tests/browser";

/// The files of tests in it.
const FILES: [&str; 4] = [
    "family.test.mjs",
    "page.test.mjs",
    "states.test.mjs",
    "touch.test.mjs",
];

/// The script that takes the pictures in docs.
const PICTURES: &str = "pictures.mjs";

/// The usual paths of Chromium.
const CHROMIUM: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/// Returns the path of the browser, if one is installed.
pub(crate) fn chromium() -> Option<&'static Path> {
    CHROMIUM
        .into_iter()
        .map(Path::new)
        .find(|path| process::succeeds(Command::new(path).arg("--version")))
}

/// Returns whether node and its package manager are installed.
pub(crate) fn has_node() -> bool {
    node_dir(&env::var_os("PATH").unwrap_or_default()).is_some()
}

/// Returns the first directory of a path that has a node with a test runner, which came with version 18. The
/// package manager must run with that node.
fn node_dir(path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path).find(|dir| {
        let version = process::output(Command::new(dir.join("node")).arg("--version"));
        let major = version.ok().and_then(|version| {
            let (major, _) = version.strip_prefix('v')?.split_once('.')?;
            major.parse::<u32>().ok()
        });
        let mut npm = Command::new("npm");
        npm.env("PATH", in_front([dir.clone()], path));
        major.is_some_and(|major| major >= 18) && process::succeeds(npm.arg("--version"))
    })
}

/// Returns a command with the usable node first in its path.
fn with_node(program: &str) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    if let Some(dir) = node_dir(&path) {
        command.env("PATH", in_front([dir], &path));
    }
    command
}

/// Returns whether the packages are installed whole, in the required versions.
pub(crate) fn has_packages(workspace: &Workspace) -> bool {
    let installed = packages(workspace).join("package.json");
    let same = fs::read(installed).ok() == fs::read(wanted(workspace)).ok();
    same && process::succeeds(
        with_node("node")
            .args(["-e", "require('playwright-core'); require('axe-core')"])
            .current_dir(packages(workspace)),
    )
}

/// Installs the packages from the npm registry.
///
/// # Errors
///
/// If they cannot be installed.
pub(crate) fn install_packages(workspace: &Workspace) -> Result<(), String> {
    let place = packages(workspace);
    // npm keeps a list of what it installed, and would not notice that a file is gone.
    let modules = place.join("node_modules");
    if modules.exists() {
        fs::remove_dir_all(&modules)
            .map_err(|error| format!("cannot remove {}: {error}", modules.display()))?;
    }
    let copied = fs::create_dir_all(&place)
        .and_then(|()| fs::copy(wanted(workspace), place.join("package.json")));
    copied.map_err(|error| format!("cannot write {}: {error}", place.display()))?;
    let mut npm = with_node("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .arg("--prefix")
        .arg(&place);
    process::run(&mut npm)
}

/// Runs the tests with the program, `times` times. Their screenshots stay below the target directory for
/// a person to look at. `PULSEWING_CHECK` selects tests by a pattern of their names.
///
/// # Errors
///
/// If a test fails.
pub(crate) fn run(workspace: &Workspace, times: u32) -> Result<(), String> {
    let pictures = packages(workspace).join("pictures");
    fs::create_dir_all(&pictures)
        .map_err(|error| format!("cannot make {}: {error}", pictures.display()))?;
    let mut node = node(workspace)?;
    node.arg("--test");
    if let Ok(words) = env::var("PULSEWING_CHECK") {
        node.arg(format!("--test-name-pattern={words}"));
    }
    node.args(FILES.map(|name| workspace.root.join(TESTS).join(name)));
    let failed = (0..times)
        .filter(|_| process::run(&mut node).is_err())
        .count();
    match failed {
        0 => Ok(()),
        _ => Err(format!("failed {failed} of {times} times")),
    }
}

/// Takes the pictures of the page in docs anew.
///
/// # Errors
///
/// If one cannot be taken.
pub(crate) fn take_pictures(workspace: &Workspace) -> Result<(), String> {
    let mut node = node(workspace)?;
    node.arg(workspace.root.join(TESTS).join(PICTURES))
        .arg(workspace.root.join("docs"));
    process::run(&mut node)
}

/// Returns a command for a script that uses the browser and the program.
fn node(workspace: &Workspace) -> Result<Command, String> {
    let chromium = chromium().ok_or("Chromium is missing")?;
    let mut node = with_node("node");
    node.env("PULSEWING_BROWSER_PACKAGES", packages(workspace))
        .env("PULSEWING_CHROMIUM", chromium)
        .env("PULSEWING_PROGRAM", test_programs::pulsewing(workspace));
    Ok(node)
}

fn wanted(workspace: &Workspace) -> PathBuf {
    workspace.root.join(TESTS).join("package.json")
}

fn packages(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("browser")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use crate::tools::make_executable;

    #[cfg(unix)]
    #[test]
    fn an_old_node_does_not_hide_a_newer_one() {
        let scratch = tempfile::tempdir().unwrap();
        let dirs = ["old", "new"].map(|name| scratch.path().join(name));
        for (dir, version) in dirs.iter().zip(["v16.20.2", "v20.1.0"]) {
            fs::create_dir(dir).unwrap();
            for program in ["node", "npm"] {
                let file = dir.join(program);
                fs::write(&file, format!("#!/bin/sh\necho {version}\n")).unwrap();
                make_executable(&file).unwrap();
            }
        }
        let [old, new] = &dirs;
        assert_eq!(
            node_dir(&env::join_paths([old, new]).unwrap()).as_ref(),
            Some(new)
        );
        assert_eq!(node_dir(old.as_os_str()), None);
    }

    #[test]
    fn the_tests_are_there_and_every_version_is_pinned() {
        let workspace = Workspace::load().unwrap();
        for name in FILES.into_iter().chain([PICTURES]) {
            assert!(workspace.root.join(TESTS).join(name).is_file(), "{name}");
        }
        let text = fs::read_to_string(wanted(&workspace)).unwrap();
        let (_, packages) = text.split_once("\"dependencies\"").unwrap();
        let versions: Vec<&str> = packages
            .lines()
            .filter_map(|line| line.split('"').nth(3))
            .collect();
        assert_eq!(versions.len(), 2);
        for version in versions {
            assert!(
                version.starts_with(|first: char| first.is_ascii_digit()),
                "{version}"
            );
        }
    }
}
