//! The workspace's test programs: built all at once, then run package by package, without cargo and its
//! locks.

use std::{
    env, fs,
    num::NonZero,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use serde_json::{Value, json};

use crate::{
    emulated, process,
    step::all_of,
    workspace::{Package, Workspace},
};

/// The variable for the number of parallel tests (rustc's book, "Tests").
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// The end-to-end tests of the program: they take minutes.
const END_TO_END: &str = "e2e";

/// Tests that simulate weeks: they are in a module of this name.
const WEEKS: &str = "virtual_time";

/// A selection of the test programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    /// The tests that take seconds.
    Quick,
    EndToEnd,
    /// The checks of the emulated board, and the end-to-end tests, with which the program is built.
    Emulated,
}

impl Which {
    /// Returns whether a package has any of them.
    pub(crate) fn has_programs(self, package: &Package) -> bool {
        package
            .targets
            .iter()
            .any(|target| self.includes(&target.kind, &target.name))
    }

    fn includes(self, kind: &str, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Quick => kind != "bench" && ![END_TO_END, emulated::SUITE].contains(&name),
            Self::EndToEnd => name == END_TO_END,
            Self::Emulated => [END_TO_END, emulated::SUITE].contains(&name),
        }
    }

    /// Returns cargo's options for them. They always cover the whole workspace: otherwise the
    /// dependencies would be rebuilt with other features.
    fn options(self, workspace: &Workspace) -> Vec<String> {
        let mut options = vec!["--workspace".to_owned()];
        if [Self::All, Self::Quick].contains(&self) {
            options.extend(["--lib", "--bins", "--examples"].map(str::to_owned));
        }
        for target in workspace
            .packages
            .iter()
            .flat_map(|package| &package.targets)
        {
            let kind = target.kind.as_str();
            if ["test", "bench"].contains(&kind) && self.includes(kind, &target.name) {
                options.extend([format!("--{kind}"), target.name.clone()]);
            }
        }
        options
    }
}

/// A test program.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    package: String,
    kind: String,
    name: String,
    executable: PathBuf,
}

/// Builds the test programs, and the program that some of them start.
///
/// # Errors
///
/// If something does not build.
pub(crate) fn build(workspace: &Workspace, which: Which) -> Result<(), String> {
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--no-run", "--message-format"])
        .arg("json-render-diagnostics")
        .args(which.options(workspace));
    let messages = process::compile_for(&mut cargo)?;
    let programs: Vec<Value> = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter_map(|message: Value| Program::from_message(&message, workspace))
        .map(|program| program.to_value())
        .collect();
    let list = list(workspace);
    let written = list
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&list, Value::from(programs).to_string()));
    written.map_err(|error| format!("cannot write {}: {error}", list.display()))
}

/// Returns the path of the program, as it was built with the tests.
pub(crate) fn pulsewing(workspace: &Workspace) -> PathBuf {
    let name = format!("pulsewing{}", env::consts::EXE_SUFFIX);
    workspace.target_dir.join("debug").join(name)
}

/// Returns the path of a test program.
///
/// # Errors
///
/// If it was not built.
pub(crate) fn find(workspace: &Workspace, package: &str, name: &str) -> Result<PathBuf, String> {
    let mut programs = read_list(workspace)?.into_iter();
    programs
        .find(|program| program.package == package && program.name == name)
        .map(|program| program.executable)
        .ok_or_else(|| format!("{name} of {package} was not built"))
}

/// Runs each test program of a package `times` times, except for the checks of the emulated board, which are
/// steps of their own.
///
/// # Errors
///
/// If one fails: which, and how often.
pub(crate) fn run(
    workspace: &Workspace,
    package: &str,
    which: Which,
    times: u32,
) -> Result<(), String> {
    let place = workspace
        .packages
        .iter()
        .find(|known| known.name == package)
        .and_then(|package| package.manifest.parent())
        .ok_or_else(|| format!("there is no package {package}"))?;
    let mut problems = Vec::new();
    for program in read_list(workspace)? {
        let is_wanted = which.includes(&program.kind, &program.name);
        if program.package != package || program.name == emulated::SUITE || !is_wanted {
            continue;
        }
        let started = Instant::now();
        let mut failed = 0;
        for _ in 0..times {
            let mut command = Command::new(&program.executable);
            // The same environment as under cargo.
            command
                .current_dir(place)
                .env("CARGO_MANIFEST_DIR", place)
                .stdin(Stdio::null());
            if which == Which::Quick {
                command.args(["--skip", WEEKS]);
            }
            if env::var_os(TEST_THREADS).is_none() {
                command.env(TEST_THREADS, at_once().to_string());
            }
            failed += u32::from(process::run(&mut command).is_err());
        }
        let seconds = started.elapsed().as_secs_f64();
        println!("{} took {seconds:.1} s", program.title());
        match failed {
            0 => {}
            _ if times == 1 => problems.push(format!("{} failed", program.title())),
            _ => problems.push(format!(
                "{} failed {failed} of {times} times",
                program.title()
            )),
        }
    }
    all_of(problems)
}

/// Returns the number of parallel tests, unless the user has set it. Most tests wait for programs that
/// wait, so running more of them than there are processors keeps these busy.
fn at_once() -> usize {
    3 * thread::available_parallelism().map_or(1, NonZero::get)
}

impl Program {
    /// Reads one of cargo's messages, if it describes a test program.
    fn from_message(message: &Value, workspace: &Workspace) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let manifest = PathBuf::from(message["manifest_path"].as_str()?);
        let package = workspace
            .packages
            .iter()
            .find(|package| package.manifest == manifest)?;
        (message["profile"]["test"] == true).then_some(())?;
        Some(Self {
            package: package.name.clone(),
            kind: text(&message["target"]["kind"][0])?,
            name: text(&message["target"]["name"])?,
            executable: text(&message["executable"])?.into(),
        })
    }

    fn to_value(&self) -> Value {
        json!({
            "package": self.package,
            "kind": self.kind,
            "name": self.name,
            "executable": self.executable,
        })
    }

    fn from_value(value: &Value) -> Option<Self> {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        Some(Self {
            package: text("package")?,
            kind: text("kind")?,
            name: text("name")?,
            executable: text("executable")?.into(),
        })
    }

    fn title(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// Returns the path of the list of what was built.
fn list(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("xtask/test-programs.json")
}

fn read_list(workspace: &Workspace) -> Result<Vec<Program>, String> {
    let list = list(workspace);
    let text = fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let value: Value =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", list.display()))?;
    let programs = value.as_array().into_iter().flatten();
    Ok(programs.filter_map(Program::from_value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_messages_name_the_test_programs_alone() {
        let workspace = Workspace::load().unwrap();
        let manifest = workspace.root.join("crates/pulsewing/Cargo.toml");
        let message = |test: bool, executable: Value| {
            json!({
                "reason": "compiler-artifact",
                "manifest_path": manifest,
                "target": { "kind": ["test"], "name": "e2e" },
                "profile": { "test": test },
                "executable": executable,
            })
        };
        let program = Program::from_message(&message(true, json!("/t/e2e-1")), &workspace).unwrap();
        assert_eq!(program.package, "pulsewing");
        assert_eq!(program.title(), "test e2e");
        assert_eq!(Program::from_value(&program.to_value()), Some(program));
        for other in [
            message(false, json!("/t/pulsewing")),
            message(true, Value::Null),
            json!({ "reason": "build-finished", "success": true }),
        ] {
            assert_eq!(Program::from_message(&other, &workspace), None);
        }
    }

    #[test]
    fn the_quick_ones_are_all_but_those_that_take_minutes() {
        let workspace = Workspace::load().unwrap();
        let all = Which::All.options(&workspace);
        let quick = Which::Quick.options(&workspace);
        for slow in [END_TO_END, emulated::SUITE, "history"] {
            assert!(all.iter().any(|option| option == slow), "{slow}");
            assert!(!quick.iter().any(|option| option == slow), "{slow}");
        }
        assert!(quick.iter().any(|option| option == "cycle"));
    }
}
