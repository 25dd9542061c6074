//! The tools that the steps need: finds them, and gets them with `--setup`.
//!
//! Everything comes from a package registry by its package name; nothing is fetched by address. If the
//! machine has apt, the tools for the firmware are unpacked below the target directory and installed
//! nowhere.
//!
//! A tool is either the machine's own, or unpacked with everything it needs; the two are never mixed.
//! Before it counts as present it is tried out on something real: a tool that is present but broken
//! would fail a step minutes later, for a reason that nobody recognises.

pub(crate) mod bare_rust;
pub(crate) mod clang;
pub(crate) mod cmake;
mod debian;
pub(crate) mod mosquitto;
pub(crate) mod mtools;
mod postgresql;
pub(crate) mod prometheus;
pub(crate) mod qemu;
mod sources;
mod table;

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{process, workspace::Workspace};

pub(crate) use self::debian::make_executable;
pub(crate) use self::table::*;

/// A program or toolchain that some step needs. [`table`] has all of them.
#[derive(Debug)]
pub(crate) struct Tool {
    name: &'static str,
    purpose: &'static str,
    /// The command with which a person would install it.
    command: &'static str,
    /// Whether it has to be compiled.
    pub(crate) is_compiled: bool,
    /// Looks for the tool and tries it out; an error describes a broken one.
    find: fn(&Workspace) -> Result<bool, String>,
    /// Gets it.
    fetch: fn(&Self, &Workspace) -> Result<(), String>,
}

impl PartialEq for Tool {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Tool {
    /// Returns the name of the step that installs it.
    pub(crate) fn setup_name(&self) -> String {
        format!("setup: {}", self.name)
    }

    fn state(&self, workspace: &Workspace) -> State {
        match (self.find)(workspace) {
            Ok(true) => State::Ready,
            Ok(false) => State::Missing,
            Err(why) => State::Broken(why),
        }
    }

    /// Checks that the tool is installed and works.
    ///
    /// # Errors
    ///
    /// If it does not, with the command that installs it.
    pub(crate) fn require(&self, workspace: &Workspace) -> Result<(), String> {
        let Self { name, command, .. } = self;
        match self.state(workspace) {
            State::Ready => Ok(()),
            State::Missing => Err(format!(
                "{name} is missing; install it with `{command}`, or use --setup"
            )),
            State::Broken(why) => Err(format!(
                "{name} does not work: {why}; --setup unpacks it again"
            )),
        }
    }

    /// Prints what it will install and how, installs the tool, and checks that it works.
    ///
    /// # Errors
    ///
    /// If it cannot be installed, or still does not work.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<(), String> {
        let Self {
            name,
            purpose,
            command,
            ..
        } = self;
        // Another run in this checkout would remove what this one unpacks.
        let _alone = lock(workspace)?;
        match self.state(workspace) {
            State::Ready => {
                println!("{name} is there");
                return Ok(());
            }
            State::Missing => {
                println!("{name} is missing ({purpose}); installing it with {command}");
            }
            State::Broken(why) => println!("{name} does not work and is unpacked again: {why}"),
        }
        (self.fetch)(self, workspace)?;
        self.require(workspace)
    }

    fn run_command(&self) -> Result<(), String> {
        process::run(&mut self.command_line())
    }

    fn command_line(&self) -> Command {
        let mut words = self.command.split_whitespace();
        let mut command = match words.next() {
            Some("cargo") | None => process::cargo(),
            Some(program) => Command::new(program),
        };
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}

/// Waits until no other process installs a tool in this checkout. The lock ends with the file.
fn lock(workspace: &Workspace) -> Result<File, String> {
    let path = workspace.target_dir.join("xtask/setup.lock");
    let locked = fs::create_dir_all(workspace.target_dir.join("xtask"))
        .and_then(|()| File::create(&path))
        .and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| format!("cannot lock {}: {error}", path.display()))
}

/// The state of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is present and works.
    Ready,
    /// It is missing, or too old.
    Missing,
    /// It was unpacked but does not work; the text is its error.
    Broken(String),
}

/// Returns the first of the installed tools that works, else the unpacked one.
///
/// An installed tool that does not work is skipped: it is not ours to repair.
///
/// # Errors
///
/// If the unpacked one is present and does not work.
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

/// Creates a directory to try out a tool in.
fn scratch() -> Result<tempfile::TempDir, String> {
    tempfile::tempdir().map_err(|error| format!("no directory: {error}"))
}

/// Returns the value of a path variable with these directories in front.
pub(crate) fn joined(name: &str, dirs: impl IntoIterator<Item = PathBuf>) -> OsString {
    in_front(dirs, &env::var_os(name).unwrap_or_default())
}

/// Returns a list of paths with these directories in front.
pub(crate) fn in_front(dirs: impl IntoIterator<Item = PathBuf>, list: &OsStr) -> OsString {
    let others = env::split_paths(list).filter(|dir| !dir.as_os_str().is_empty());
    env::join_paths(dirs.into_iter().chain(others)).unwrap_or_default()
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
