//! The steps of `test` and `bench`: what each runs, what it needs, and the table at the end.
//!
//! A failed step does not stop the ones after it, so that one run shows everything that is wrong.

use std::env;
use std::num::NonZero;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::browser;
use crate::firmware::{feather, xtensa};
use crate::foreign;
use crate::members;
use crate::no_std;
use crate::process;
use crate::qemu;
use crate::setup::Tool;
use crate::tidy;
use crate::workspace::Workspace;

/// One line of the closing table.
pub(crate) struct Step {
    name: String,
    needs: &'static [Tool],
    work: Work,
}

enum Work {
    Command(Box<Command>),
    Benches(&'static [&'static str]),
    Tidy,
    NoStd,
    Foreign,
    Browser,
    QemuBuild,
    Qemu(&'static str),
    Board(fn(&Workspace) -> Result<(), String>),
}

/// Everything that must hold before a change goes in: quick checks first.
pub(crate) fn test_plan(workspace: &Workspace) -> Vec<Step> {
    let mut plan = vec![
        command("format", &[Tool::Rustfmt], &["fmt", "--all", "--check"]),
        tidy(),
    ];
    plan.extend(clippy(workspace));
    plan.extend([
        tests(),
        command(
            "doc tests",
            &[],
            &["test", "--workspace", "--doc", "--no-fail-fast"],
        ),
        fuzz_seeds(workspace),
        Step {
            name: "foreign clients".to_owned(),
            needs: &[Tool::CCompiler, Tool::ForeignClients],
            work: Work::Foreign,
        },
        browser(),
        Step {
            name: "benches run once".to_owned(),
            needs: &[],
            work: Work::Benches(&["test", "--workspace", "--bench", "*"]),
        },
        docs(),
        no_std(),
        command(
            "licences and sources",
            &[Tool::CargoDeny],
            &[
                "deny",
                "--workspace",
                "check",
                // A licence that cannot be told is not one that deny.toml allows.
                "-Dno-license-field",
                "-Dgather-failure",
                "licenses",
                "bans",
                "sources",
            ],
        ),
    ]);
    plan.extend(qemu_plan(workspace));
    plan.extend(firmware_plan());
    plan
}

/// The tests of every member.
fn tests() -> Step {
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--workspace", "--lib", "--bins", "--tests"])
        .args(["--examples", "--no-fail-fast"]);
    if env::var_os(TEST_THREADS).is_none() {
        cargo.env(TEST_THREADS, at_once().to_string());
    }
    Step {
        name: "tests".to_owned(),
        needs: TOOLS_OF_TESTS,
        work: Work::Command(Box::new(cargo)),
    }
}

/// Says how many tests run at a time (rustc's book, "Tests").
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// How many tests run at a time, unless somebody has said it: most of them wait for programs that wait, so that more of them than there are
/// processors keep these busy.
fn at_once() -> usize {
    3 * thread::available_parallelism().map_or(1, NonZero::get)
}

/// systemd is on Linux alone, and so are the tests that ask it.
const TOOLS_OF_TESTS: &[Tool] = if cfg!(target_os = "linux") {
    &[Tool::CCompiler, Tool::SystemdAnalyze]
} else {
    &[Tool::CCompiler]
};

/// The page in a real browser.
pub(crate) fn browser() -> Step {
    Step {
        name: "browser".to_owned(),
        needs: &[
            Tool::CCompiler,
            Tool::Node,
            Tool::Chromium,
            Tool::BrowserPackages,
        ],
        work: Work::Browser,
    }
}

/// The measurements; they take minutes.
pub(crate) fn bench() -> Step {
    Step {
        name: "bench".to_owned(),
        needs: &[],
        work: Work::Benches(&["bench", "--workspace", "--bench", "*"]),
    }
}

/// The house rules.
pub(crate) fn tidy() -> Step {
    Step {
        name: "tidy".to_owned(),
        needs: &[],
        work: Work::Tidy,
    }
}

/// The pictures that the tests compare with, drawn anew by the tests themselves.
pub(crate) fn frames() -> Step {
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--package", "pulsewing-screen"])
        .args(["--test", "frames", "--test", "gallery"])
        .env("PULSEWING_ACCEPT_FRAMES", "1");
    Step {
        name: "frames".to_owned(),
        needs: &[],
        work: Work::Command(Box::new(cargo)),
    }
}

/// The emulated board: its program and the host's, then each group of checks.
pub(crate) fn qemu_plan(workspace: &Workspace) -> Vec<Step> {
    let build = Step {
        name: "build the emulated board".to_owned(),
        needs: &[Tool::CCompiler, Tool::BareTarget, Tool::CTools],
        work: Work::QemuBuild,
    };
    let groups = qemu::groups().map(|group| Step {
        name: format!("qemu: {group}"),
        needs: &[Tool::Qemu, Tool::Mtools],
        work: Work::Qemu(group),
    });
    [build, board_net(workspace)]
        .into_iter()
        .chain(groups)
        .collect()
}

/// The Feathers: one is built, the other, whose compiler is in no registry, type-checked.
pub(crate) fn firmware_plan() -> Vec<Step> {
    vec![
        board("build feather-c6", feather::build_c6),
        board("type-check feather-s3", xtensa::check),
    ]
}

/// The files to flash.
pub(crate) fn image() -> Step {
    board("image of feather-c6", feather::image)
}

fn board(name: &str, work: fn(&Workspace) -> Result<(), String>) -> Step {
    Step {
        name: name.to_owned(),
        needs: &[Tool::BareTarget, Tool::CTools],
        work: Work::Board(work),
    }
}

/// The parts of the boards' network code that need no board.
fn board_net(workspace: &Workspace) -> Step {
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--manifest-path", "firmware/Cargo.toml"])
        .args(["--package", "pulsewing-net", "--no-default-features"])
        .args(["--lib", "--target-dir"])
        .arg(&workspace.target_dir);
    Step {
        name: "board network tests".to_owned(),
        needs: &[],
        work: Work::Command(Box::new(cargo)),
    }
}

/// The proof that board crates need neither std nor alloc.
pub(crate) fn no_std() -> Step {
    Step {
        name: "no-std".to_owned(),
        needs: &[Tool::BareTarget],
        work: Work::NoStd,
    }
}

/// Each crate is linted alone: built together, one crate's features would leak into another's dependencies
/// and hide what it lacks. The board crates are linted once more without their tests' dependencies.
fn clippy(workspace: &Workspace) -> Vec<Step> {
    let mut steps = Vec::new();
    for package in &workspace.packages {
        let lint = |name: String, targets: &str| {
            let arguments = [
                "clippy",
                "-p",
                &package.name,
                targets,
                "--no-deps",
                "--",
                "-D",
                "warnings",
            ];
            command(&name, &[Tool::Clippy], &arguments)
        };
        steps.push(lint(format!("clippy {}", package.name), "--all-targets"));
        if members::find(&package.name).is_some_and(|member| member.no_std) {
            steps.push(lint(format!("clippy {} alone", package.name), "--lib"));
        }
    }
    steps
}

/// Every fuzz target over its seeds and mutations of them. The targets are a workspace of their own; in our
/// target directory they find most of what they need already built.
fn fuzz_seeds(workspace: &Workspace) -> Step {
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--lib", "--manifest-path", "fuzz/Cargo.toml"])
        .arg("--target-dir")
        .arg(&workspace.target_dir);
    Step {
        name: "fuzz targets over seeds".to_owned(),
        needs: &[Tool::CCompiler],
        work: Work::Command(Box::new(cargo)),
    }
}

fn docs() -> Step {
    let mut cargo = process::cargo();
    cargo
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-Dwarnings");
    Step {
        name: "docs".to_owned(),
        needs: &[],
        work: Work::Command(Box::new(cargo)),
    }
}

fn command(name: &str, needs: &'static [Tool], arguments: &[&str]) -> Step {
    let mut cargo = process::cargo();
    cargo.args(arguments);
    Step {
        name: name.to_owned(),
        needs,
        work: Work::Command(Box::new(cargo)),
    }
}

/// The tools that a plan needs, each once.
pub(crate) fn tools(plan: &[Step]) -> Vec<Tool> {
    let mut tools = Vec::new();
    for tool in plan.iter().flat_map(|step| step.needs) {
        if !tools.contains(tool) {
            tools.push(*tool);
        }
    }
    tools
}

/// Runs every step, then prints what took how long and how many failed; returns whether none did.
///
/// The closing line, `N passed, N failed`, is the last one printed: programs look for it.
pub(crate) fn run_all(plan: Vec<Step>, workspace: &Workspace) -> bool {
    let mut results = Vec::new();
    for step in plan {
        println!("\n=== {}", step.name);
        let started = Instant::now();
        let name = step.name.clone();
        let outcome = step.run(workspace);
        if let Err(problem) = &outcome {
            println!("{name}: {problem}");
        }
        results.push(Finished {
            name,
            took: started.elapsed(),
            outcome,
        });
    }
    let failed = results.iter().filter(|step| step.outcome.is_err()).count();
    print!("\n{}", table(&results));
    println!("{} passed, {failed} failed", results.len() - failed);
    failed == 0
}

impl Step {
    fn run(self, workspace: &Workspace) -> Result<(), String> {
        for tool in self.needs {
            tool.require(workspace)?;
        }
        match self.work {
            Work::Command(mut command) => process::run(&mut command),
            Work::Benches(arguments) if workspace.has_benches() => {
                process::run(process::cargo().args(arguments))
            }
            Work::Benches(_) => Err("the workspace has no benchmark".to_owned()),
            Work::Tidy => tidy::run(workspace),
            Work::NoStd => no_std::run(workspace),
            Work::Foreign => foreign::run(workspace),
            Work::Browser => browser::run(workspace),
            Work::QemuBuild => qemu::build(workspace),
            Work::Qemu(group) => qemu::run(workspace, group),
            Work::Board(work) => work(workspace),
        }
    }
}

struct Finished {
    name: String,
    took: Duration,
    outcome: Result<(), String>,
}

fn table(results: &[Finished]) -> String {
    let widest = results
        .iter()
        .map(|step| step.name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for step in results {
        let seconds = step.took.as_secs_f64();
        let (word, why) = match &step.outcome {
            Ok(()) => ("ok", ""),
            Err(problem) => ("FAILED", problem.as_str()),
        };
        let line = format!("{:widest$}  {seconds:7.1} s  {word:6}  {why}", step.name);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_lints_every_member_and_the_board_crates_once_more() {
        let workspace = Workspace::load().unwrap();
        let plan = test_plan(&workspace);
        let names: Vec<&str> = plan.iter().map(|step| step.name.as_str()).collect();
        for package in &workspace.packages {
            assert!(
                names.contains(&format!("clippy {}", package.name).as_str()),
                "{names:?}"
            );
        }
        assert!(names.contains(&"clippy pulsewing-core alone"), "{names:?}");
        assert!(!names.contains(&"clippy pulsewing alone"), "{names:?}");
    }

    #[test]
    fn each_tool_is_asked_for_once() {
        let plan = test_plan(&Workspace::load().unwrap());
        let tools = tools(&plan);
        assert_eq!(
            tools.iter().filter(|tool| **tool == Tool::Clippy).count(),
            1
        );
        assert!(tools.contains(&Tool::CargoDeny));
        assert!(tools.contains(&Tool::ForeignClients));
    }

    #[cfg(unix)]
    #[test]
    fn steps_after_a_failed_one_still_run_and_the_failure_counts() {
        let workspace = Workspace::load().unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let mark = scratch.path().join("ran");
        let step = |program: &str| {
            let mut command = Command::new(program);
            command.arg(&mark);
            Step {
                name: program.to_owned(),
                needs: &[],
                work: Work::Command(Box::new(command)),
            }
        };
        assert!(!run_all(vec![step("false"), step("touch")], &workspace));
        assert!(mark.exists());
        assert!(run_all(vec![step("true")], &workspace));
    }

    #[test]
    fn the_table_names_step_time_verdict_and_reason() {
        let step = |name: &str, outcome| Finished {
            name: name.to_owned(),
            took: Duration::from_millis(1_250),
            outcome,
        };
        let text = table(&[
            step("tidy", Ok(())),
            step("doc tests", Err("2 broken".to_owned())),
        ]);
        assert_eq!(
            text,
            "tidy           1.2 s  ok\ndoc tests      1.2 s  FAILED  2 broken\n"
        );
    }
}
