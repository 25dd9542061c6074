//! The task runner: every job that needs more than one command.
//!
//! `cargo xtask test` is what a contributor runs before a commit and what continuous integration runs.
//! Tools are never installed silently: only `--setup` installs, and it prints first what it installs.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to the person who started it"
)]

mod browser;
mod emulated;
mod firmware;
mod foreign;
mod members;
mod no_std;
mod plan;
mod process;
mod schedule;
mod step;
mod table;
mod test_programs;
mod tidy;
mod tools;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use crate::{schedule::Manner, step::Step, workspace::Workspace};

const HELP: &str = "\
Pulsewing's task runner.

Usage: cargo xtask <COMMAND> [--setup] [--quick] [--repeat N]

Commands:
  test     everything that must hold: format, lints, tests, fuzz targets, foreign clients, browser,
           docs, tidy, no-std, licences, benches, boards
  bench    run the benchmarks of the workspace
  tidy     check the house rules: crate edges, file names, forbidden calls, dead links
  no-std   check the no_std crates for a target that has neither std nor alloc
  e2e      the program from outside: its commands, its page, its files, against the sandbox
  browser  the daemon's page in Chromium: playwright and axe (leaves pictures in target/browser)
  qemu     the emulated board from end to end, against the sandbox
  firmware build and weigh the Feather ESP32-C6's program, type-check the FeatherS3's
  image    the same for the C6, and the files to flash (needs espflash)
  frames   draw the pictures of docs/frames and of the tests anew (then look at each)

Options:
  --setup     first install the tools that are missing (says what and how)
  --quick     of test only format, tidy, lints, and the tests that take seconds
  --repeat N  run each check of e2e, browser or qemu N times, beside a busy loop for each processor
  -h, --help  this text

PULSEWING_CHECK=WORDS lets qemu and browser run only what has these words in its name.

Without --setup nothing is installed: a missing tool is named with the command that
installs it, and what needs it fails.

Exit codes: 0 all passed, 1 something failed, 2 wrong usage.
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Test,
    Bench,
    Tidy,
    NoStd,
    EndToEnd,
    Browser,
    Qemu,
    Firmware,
    Image,
    Frames,
}

const TASKS: [(&str, Task); 10] = [
    ("test", Task::Test),
    ("bench", Task::Bench),
    ("tidy", Task::Tidy),
    ("no-std", Task::NoStd),
    ("e2e", Task::EndToEnd),
    ("browser", Task::Browser),
    ("qemu", Task::Qemu),
    ("firmware", Task::Firmware),
    ("image", Task::Image),
    ("frames", Task::Frames),
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Request {
    Help,
    Run {
        task: (&'static str, Task),
        options: Options,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Options {
    setup: bool,
    quick: bool,
    times: u32,
    /// The name of a single step to run, and the file for its report. A plan runs each of its steps as a
    /// separate process with these.
    step: Option<(String, PathBuf)>,
}

fn main() -> ExitCode {
    let (task, options) = match parse(std::env::args().skip(1)) {
        Ok(Request::Help) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(Request::Run { task, options }) => (task, options),
        Err(problem) => {
            eprintln!("error: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(task, options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a task; returns whether every step of it passed.
fn run((word, task): (&'static str, Task), options: Options) -> Result<bool, String> {
    let workspace = Workspace::load()?;
    let scratch = std::env::temp_dir();
    if !scratch.is_dir() {
        return Err(format!(
            "{} is not a directory, and every step needs one for temporary files: set TMPDIR to one that is",
            scratch.display()
        ));
    }
    // Started from a crate's directory, cargo-deny would miss its configuration.
    std::env::set_current_dir(&workspace.root)
        .map_err(|error| format!("cannot enter {}: {error}", workspace.root.display()))?;
    let mut plan = match task {
        Task::Test if options.quick => plan::quick(&workspace),
        Task::Test => plan::test(&workspace),
        Task::Bench => plan::bench(),
        Task::Tidy => vec![plan::tidy()],
        Task::NoStd => vec![plan::no_std()],
        Task::EndToEnd => plan::e2e(&workspace),
        Task::Browser => plan::browser(),
        Task::Qemu => plan::qemu(&workspace),
        Task::Firmware => plan::firmware(),
        Task::Image => plan::image(),
        Task::Frames => plan::frames(),
    };
    if let Some((name, report)) = options.step {
        plan.extend(tools::ALL.iter().map(|tool| Step::install(tool)));
        schedule::run_one(plan, &name, &report, &workspace, options.times)?;
        return Ok(true);
    }
    if options.setup {
        plan = plan::with_setup(plan, &workspace);
    }
    let manner = Manner {
        task: if options.quick { "test --quick" } else { word },
        times: options.times,
        remark: options.quick.then_some(plan::LEFT_OUT),
    };
    Ok(schedule::run_all(plan, &workspace, manner))
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Request, String> {
    let mut task = None;
    let mut options = Options {
        setup: false,
        quick: false,
        times: 1,
        step: None,
    };
    let (mut step, mut report) = (None, None);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "-h" | "--help" | "help" => return Ok(Request::Help),
            "--setup" => options.setup = true,
            "--quick" => options.quick = true,
            "--repeat" => {
                options.times = value()?
                    .parse()
                    .ok()
                    .filter(|times| *times > 0)
                    .ok_or("--repeat needs a number from 1 on")?;
            }
            "--step" => step = Some(value()?),
            "--report" => report = Some(PathBuf::from(value()?)),
            word => {
                let known = TASKS.into_iter().find(|(known, _)| *known == word);
                let known = known.ok_or_else(|| format!("unknown argument `{word}`"))?;
                if task.replace(known).is_some() {
                    return Err("one command at a time".to_owned());
                }
            }
        }
    }
    options.step = step.zip(report);
    let task = task.ok_or("no command given")?;
    if options.quick && task.1 != Task::Test {
        return Err("--quick belongs to test".to_owned());
    }
    if options.times > 1 && ![Task::EndToEnd, Task::Browser, Task::Qemu].contains(&task.1) {
        return Err("--repeat belongs to e2e, browser and qemu".to_owned());
    }
    Ok(Request::Run { task, options })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(line: &str) -> Result<Request, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    fn options(line: &str) -> Options {
        match parse_words(line) {
            Ok(Request::Run { options, .. }) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_may_stand_before_or_after_the_command() {
        assert_eq!(parse_words("no-std --setup"), parse_words("--setup no-std"));
        assert!(options("no-std --setup").setup);
        assert!(options("test --quick").quick);
        assert_eq!(options("--repeat 20 qemu").times, 20);
    }

    #[test]
    fn nothing_is_installed_or_left_out_or_repeated_unless_asked_for() {
        let expected = Options {
            setup: false,
            quick: false,
            times: 1,
            step: None,
        };
        assert_eq!(options("test"), expected);
    }

    #[test]
    fn help_wins_over_everything_before_a_mistake() {
        assert_eq!(parse_words("test --help"), Ok(Request::Help));
    }

    #[test]
    fn unknown_missing_and_doubled_words_are_refused() {
        for line in [
            "tests",
            "",
            "--setup",
            "test tidy",
            "tidy --quick",
            "test --repeat 2",
            "qemu --repeat",
            "qemu --repeat 0",
        ] {
            assert!(parse_words(line).is_err(), "{line}");
        }
    }
}
