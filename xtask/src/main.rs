//! The task runner: every job around the code that needs more than one command.
//!
//! `cargo xtask test` is what a contributor runs before a commit and what continuous integration runs.
//! A missing tool is never installed behind anyone's back: only `--setup` installs, and says what first.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to the person who started it"
)]

mod browser;
mod debian;
mod firmware;
mod foreign;
mod members;
mod no_std;
mod process;
mod qemu;
mod setup;
mod steps;
mod tidy;
mod workspace;

use std::process::ExitCode;

use crate::workspace::Workspace;

const HELP: &str = "\
Pulsewing's task runner.

Usage: cargo xtask <COMMAND> [--setup]

Commands:
  test     everything that must hold: format, lints, tests, fuzz targets, foreign clients, browser,
           docs, tidy, no-std, licences, benches, boards
  bench    run the benchmarks of the workspace
  tidy     check the house rules: crate edges, file names, forbidden calls, dead links
  no-std   build the no_std crates for a target that has neither std nor alloc
  browser  the daemon's page in Chromium: playwright and axe (leaves pictures in target/browser)
  qemu     the emulated board from end to end, against the sandbox
  firmware build and weigh the Feather ESP32-C6's program, type-check the FeatherS3's
  image    the same for the C6, and the files to flash (needs espflash)
  frames   draw the pictures of docs/frames and of the tests anew (then look at each)

Options:
  --setup     first install the tools that are missing (says what and how)
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
    Browser,
    Qemu,
    Firmware,
    Image,
    Frames,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Help,
    Run { task: Task, setup: bool },
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, setup) = match parse(&arguments) {
        Ok(Request::Help) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(Request::Run { task, setup }) => (task, setup),
        Err(problem) => {
            eprintln!("error: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(task, setup) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Does a task; returns whether every step of it passed.
fn run(task: Task, setup: bool) -> Result<bool, String> {
    let workspace = Workspace::load()?;
    // Started from a crate's directory, cargo-deny would miss its configuration.
    std::env::set_current_dir(&workspace.root)
        .map_err(|error| format!("cannot enter {}: {error}", workspace.root.display()))?;
    let plan = match task {
        Task::Test => steps::test_plan(&workspace),
        Task::Bench => vec![steps::bench()],
        Task::Tidy => vec![steps::tidy()],
        Task::NoStd => vec![steps::no_std()],
        Task::Browser => vec![steps::browser()],
        Task::Qemu => steps::qemu_plan(&workspace),
        Task::Firmware => steps::firmware_plan(),
        Task::Image => vec![steps::image()],
        Task::Frames => vec![steps::frames()],
    };
    if setup {
        setup::install_missing(&steps::tools(&plan), &workspace);
    }
    Ok(steps::run_all(plan, &workspace))
}

fn parse(arguments: &[String]) -> Result<Request, String> {
    let mut task = None;
    let mut setup = false;
    for argument in arguments {
        let named = match argument.as_str() {
            "-h" | "--help" | "help" => return Ok(Request::Help),
            "--setup" => {
                setup = true;
                continue;
            }
            "test" => Task::Test,
            "bench" => Task::Bench,
            "tidy" => Task::Tidy,
            "no-std" => Task::NoStd,
            "browser" => Task::Browser,
            "qemu" => Task::Qemu,
            "firmware" => Task::Firmware,
            "image" => Task::Image,
            "frames" => Task::Frames,
            other => return Err(format!("unknown argument `{other}`")),
        };
        if task.replace(named).is_some() {
            return Err("one command at a time".to_owned());
        }
    }
    match task {
        Some(task) => Ok(Request::Run { task, setup }),
        None => Err("no command given".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(line: &str) -> Result<Request, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn setup_may_stand_before_or_after_the_command() {
        let expected = Ok(Request::Run {
            task: Task::NoStd,
            setup: true,
        });
        assert_eq!(parse_words("no-std --setup"), expected);
        assert_eq!(parse_words("--setup no-std"), expected);
    }

    #[test]
    fn nothing_is_installed_unless_asked_for() {
        assert_eq!(
            parse_words("test"),
            Ok(Request::Run {
                task: Task::Test,
                setup: false
            })
        );
    }

    #[test]
    fn help_wins_over_everything_before_a_mistake() {
        assert_eq!(parse_words("test --help"), Ok(Request::Help));
    }

    #[test]
    fn unknown_missing_and_doubled_commands_are_refused() {
        assert!(parse_words("tests").is_err());
        assert!(parse_words("").is_err());
        assert!(parse_words("--setup").is_err());
        assert!(parse_words("test tidy").is_err());
    }
}
