//! The command line: what can be asked for, and nothing of how it is done.
//!
//! | module | what |
//! |---|---|
//! | here | the program, its commands, and the options of all of them |
//! | `options.rs`, `board.rs` | the options of each command |
//! | `variables.rs` | the environment variable of each option |
//! | `passed.rs` | the options of `run`, turned back into a command line |

mod board;
mod options;
mod passed;
mod variables;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{app, engine::clock::StartTime, tell::console::Colour};

pub(crate) use board::*;
pub(crate) use options::*;
pub(crate) use passed::Passed;

/// Shows a wearer's latest heart rate.
///
/// No medical device: what it shows lags the body by a quarter to three quarters of an hour.
#[derive(Debug, Parser)]
#[command(
    name = "pulsewing",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads this program's arguments and its environment; ends the program if they are no command.
    pub(crate) fn read() -> Self {
        let matches = variables::without_empty(command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Returns the whole command line, environment variables included.
pub(crate) fn command() -> clap::Command {
    variables::for_every_option(Cli::command())
}

/// Options of every command; they stand before or after it.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the sign-in and what is remembered are kept
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Start the program's clock at this time, such as 2026-11-22T14:07:00+01:00
    #[arg(long, global = true, value_name = "RFC3339")]
    pub now: Option<StartTime>,
    /// Show what is sent and what comes back
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Colour,
}

impl Global {
    /// The options that a command's surroundings depend on.
    pub(crate) fn surroundings(&self) -> app::Options {
        app::Options {
            config: self.config.clone(),
            state_dir: self.state_dir.clone(),
            now: self.now,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try the whole system without an account: a stand-in for the cloud, a sign-in, the picture
    #[cfg(feature = "sandbox")]
    Demo(Demo),
    /// Sign in
    Login(LoginHere),
    /// Sign out: give the grant back and erase the tokens
    Logout,
    /// Take over the original sketch's settings.toml
    Adopt(Adopt),
    /// Fetch once and print the heart rate and the report
    Once(Once),
    /// Run unattended: an update every quarter of an hour, a history, pictures
    Run(Run),
    /// Have it run unattended from now on: a systemd service of yours
    #[command(subcommand)]
    Service(Service),
    /// Show the heart rate in this terminal, live
    Show,
    /// Show what is stored and how the last update went
    Status(Status),
    /// Draw saved API replies, offline
    Render(Render),
    /// Take exports of earlier years into the history: Google Takeout's, Fitbit's, Apple Health's, or CSV
    Import(Import),
    /// Print the history, minute by minute
    Export(Export),
    /// Set a board up over its serial port, and look after it
    Board(Board),
    /// Look at everything that Pulsewing needs, and say what to fix; changes nothing
    Doctor(Doctor),
    /// Print the completions of a shell, for it to read
    Completions(Completions),
    /// Print the manual page
    Man(Man),
    /// Run a stand-in for both clouds until stopped
    #[cfg(feature = "sandbox")]
    Sandbox(SandboxArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn global_options_stand_before_or_after_the_command() {
        for line in [["pulsewing", "-v", "logout"], ["pulsewing", "logout", "-v"]] {
            assert!(Cli::try_parse_from(line).unwrap().global.verbose);
        }
    }
}
