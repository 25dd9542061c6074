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
mod home_assistant;
mod members;
mod no_std;
mod numbers;
mod plan;
mod process;
mod python;
mod schedule;
mod step;
mod table;
mod test_programs;
mod tidy;
mod tools;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, Parser, ValueEnum, error::ErrorKind};

use crate::{schedule::Manner, step::Step, workspace::Workspace};

/// Pulsewing's task runner.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", after_help = AFTER_HELP)]
struct Arguments {
    task: Task,
    /// First install the tools that are missing (says what and how)
    #[arg(long)]
    setup: bool,
    /// Of test only format, tidy, lints, and the tests that take seconds
    #[arg(long)]
    quick: bool,
    /// Run each check of e2e, browser, numbers or qemu N times, beside a busy loop for each processor
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// The name of a single step to run. A plan runs each of its steps as a separate process with this.
    #[arg(long, hide = true, requires = "report")]
    step: Option<String>,
    /// The file for the step's report.
    #[arg(long, hide = true, requires = "step")]
    report: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
With PULSEWING_CHECK=WORDS, qemu and browser run only checks with these words in their names.

Without --setup nothing is installed: a step whose tool is missing fails and names the command
that installs it.

Exit codes: 0 all passed, 1 something failed, 2 wrong usage.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Task {
    /// Run every check: format, lints, tests, fuzz targets, foreign clients, browser, numbers, docs,
    /// tidy, no-std, licences, benches, boards
    Test,
    /// Run the workspace's benchmarks
    Bench,
    /// Check the house rules: crate edges, file names, dead links
    Tidy,
    /// Build the no_std crates for a target that has neither std nor alloc
    NoStd,
    /// Test the program from outside against the sandbox: its commands, page and files
    E2e,
    /// Test the daemon's page in Chromium with playwright and axe (pictures in target/browser)
    Browser,
    /// Have Prometheus, OpenAPI validators and a line protocol parser judge a running daemon
    Numbers,
    /// Test the emulated board end to end against the sandbox
    Qemu,
    /// Build and measure the Feather ESP32-C6's program, type-check the FeatherS3's
    Firmware,
    /// Build the C6's program and the files to flash (needs espflash)
    Image,
    /// Redraw the pictures of docs/frames and of the tests (then look at each)
    Frames,
    /// Have a real Home Assistant judge what the daemon shows it (needs Python 3.13; not part of test)
    HomeAssistant,
    /// Take the pictures of the page in docs anew, in Chromium (then look at each)
    PagePictures,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(problem) = arguments.check() {
        let usage = Arguments::command().error(ErrorKind::ArgumentConflict, problem);
        usage.exit();
    }
    match run(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    /// Checks that the options belong to the task.
    fn check(&self) -> Result<(), &'static str> {
        if self.quick && self.task != Task::Test {
            return Err("--quick only works with test");
        }
        if self.repeat > 1
            && ![Task::E2e, Task::Browser, Task::Numbers, Task::Qemu].contains(&self.task)
        {
            return Err("--repeat only works with e2e, browser, numbers and qemu");
        }
        Ok(())
    }

    /// Returns the words that start this task again.
    fn words(&self) -> String {
        let task = self.task.to_possible_value();
        let name = task.as_ref().map_or("", |task| task.get_name());
        format!("{name}{}", if self.quick { " --quick" } else { "" })
    }
}

/// Runs a task; returns whether every step of it passed.
fn run(arguments: Arguments) -> Result<bool, String> {
    let workspace = Workspace::load()?;
    let scratch = std::env::temp_dir();
    if !scratch.is_dir() {
        return Err(format!(
            "{} is not a directory, but every step needs one for temporary files: set TMPDIR to a directory",
            scratch.display()
        ));
    }
    // Started from a crate's directory, cargo-deny would miss its configuration.
    std::env::set_current_dir(&workspace.root)
        .map_err(|error| format!("cannot enter {}: {error}", workspace.root.display()))?;
    let mut plan = match arguments.task {
        Task::Test if arguments.quick => plan::quick(&workspace),
        Task::Test => plan::test(&workspace),
        Task::Bench => plan::bench(),
        Task::Tidy => vec![plan::tidy()],
        Task::NoStd => vec![plan::no_std()],
        Task::E2e => plan::e2e(&workspace),
        Task::Browser => plan::browser(),
        Task::Numbers => plan::numbers(),
        Task::Qemu => plan::qemu(),
        Task::Firmware => plan::firmware(),
        Task::Image => plan::image(),
        Task::Frames => plan::frames(),
        Task::HomeAssistant => plan::home_assistant(),
        Task::PagePictures => plan::page_pictures(),
    };
    let words = arguments.words();
    if let Some((name, report)) = arguments.step.zip(arguments.report) {
        plan.extend(tools::ALL.iter().map(|tool| Step::install(tool)));
        schedule::run_one(plan, &name, &report, &workspace, arguments.repeat)?;
        return Ok(true);
    }
    if arguments.setup {
        plan = plan::with_setup(plan, &workspace);
    }
    let manner = Manner {
        task: &words,
        times: arguments.repeat,
        remark: arguments.quick.then_some(plan::LEFT_OUT),
    };
    Ok(schedule::run_all(plan, &workspace, manner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        let words = ["xtask"].into_iter().chain(line.split_whitespace());
        let arguments = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        arguments.check()?;
        Ok(arguments)
    }

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_step_is_started_with_the_words_of_its_task() {
        for line in ["no-std", "test --quick", "e2e"] {
            assert_eq!(parse(line).unwrap().words(), line);
        }
    }

    #[test]
    fn options_belong_to_their_tasks() {
        assert_eq!(parse("--repeat 20 qemu").unwrap().repeat, 20);
        for line in [
            "tidy --quick",
            "test --repeat 2",
            "qemu --repeat 0",
            "test --step a",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
