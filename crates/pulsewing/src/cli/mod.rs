//! The command line: what can be asked for, and nothing of how it is done.
//!
//! | module | what |
//! |---|---|
//! | here | the program, its commands, and the options of all of them |
//! | `options.rs`, `alarms.rs`, `board.rs` | the options of each command |
//! | `variables.rs` | the environment variable of each option |
//! | `passed.rs` | the options of `run`, turned back into a command line |

mod alarms;
mod board;
mod options;
mod passed;
mod variables;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{app, config::wearer::WearerId, engine::clock::StartTime, tell::console::Colour};

pub(crate) use alarms::*;
pub(crate) use board::*;
pub(crate) use options::*;
pub(crate) use passed::Passed;

/// Shows a wearer's latest heart rate.
///
/// Not a medical device: what it shows lags the body by 15 to 45 minutes.
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
    /// The directory for the sign-in, the history and the state
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// The wearer's id, if there are several; for `run`, the one or two whom its picture shows
    #[arg(long, global = true, value_name = "ID", value_delimiter = ',')]
    pub wearer: Vec<WearerId>,
    /// Keep everything in this database instead of files: postgres://USER@HOST/NAME
    ///
    /// The process list shows the command line: a password belongs into the configuration, under
    /// [store], or into the variable.
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    pub store: Option<String>,
    /// The file of the keys under which the database's sign-ins are sealed
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Start the program's clock at this time, such as 2026-11-22T14:07:00+01:00
    #[arg(long, global = true, value_name = "RFC3339")]
    pub now: Option<StartTime>,
    /// Show requests and replies
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
            wearers: self.wearer.clone(),
            store: self.store.clone(),
            key_file: self.key_file.clone(),
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
    /// Sign out: revoke the grant and erase the tokens
    Logout,
    /// Take over the original sketch's settings.toml
    Adopt(Adopt),
    /// Fetch once and print the heart rate and the report
    Once(Once),
    /// Run unattended: update every 15 minutes, keep a history, draw pictures
    Run(Run),
    /// Install, remove or show a systemd user service that runs it unattended
    #[command(subcommand)]
    Service(Service),
    /// Show the heart rate in this terminal, live
    Show,
    /// Add, list and remove wearers
    #[command(subcommand)]
    Wearer(Wearer),
    /// Show what is stored and how the last update went
    Status(Status),
    /// Show the alarms; snooze and acknowledge them
    Alarms(Alarms),
    /// Draw saved API replies, offline
    Render(Render),
    /// Import exports into the history: from Google Takeout, Fitbit or Apple Health, or CSV
    Import(Import),
    /// Print the history, minute by minute
    Export(Export),
    /// Maintain a database of many wearers
    #[cfg(feature = "fleet")]
    #[command(subcommand)]
    Fleet(Fleet),
    /// Says that this build has no database.
    #[cfg(not(feature = "fleet"))]
    #[command(hide = true, disable_help_flag = true)]
    Fleet {
        /// Whatever was asked.
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        words: Vec<std::ffi::OsString>,
    },
    /// Set up and maintain a board over its serial port
    Board(Board),
    /// Check everything that Pulsewing needs and say what to fix, without changing anything
    Doctor(Doctor),
    /// Print completions for a shell
    Completions(Completions),
    /// Print a manual page
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
