//! Pulsewing on a host: the commands, and what connects the core to the machine.
//!
//! The core ([`pulsewing_core`]) decides; this crate does. It owns the files, the network, the clock and
//! the terminal. It decides nothing that a board would have to decide as well: the token chain, the
//! cycle, the decoders and the picture are in the crates below.
//!
//! The crate is divided into areas, and each uses only those below it in this table (`cargo xtask
//! tidy` checks that):
//!
//! | area | contents |
//! |---|---|
//! | `cli`, `commands` | the command line, and one module per command; nothing else knows clap |
//! | `fleet` | many wearers in a database that several collectors share |
//! | `app` | the context that every command gets; what it calls gets values |
//! | `faces`, `doctor`, `service` | outputs: page, terminal, pictures; the checkup; the systemd unit |
//! | `daemon`, `sign_in`, `board` | endless cycles; from a consent page to a chain; a chain on a board |
//! | `engine` | execution of the cycle's actions: HTTP, clock, time zone, signals |
//! | `custody` | the token chain and the state in files |
//! | `alarms` | the alarms of a wearer: kept, changed by people, told, logged |
//! | `config` | the user's settings, and the locations of files |
//! | `tell` | messages to people |
//!
//! Where to start reading: `engine` drives the cycle; `custody::chain_file` keeps the tokens.
#![deny(unsafe_code)]
#![deny(missing_docs)]

mod alarms;
mod app;
mod board;
mod cli;
mod commands;
mod config;
mod custody;
mod daemon;
mod doctor;
mod engine;
mod faces;
#[cfg(feature = "fleet")]
mod fleet;
mod service;
mod sign_in;
mod tell;

#[cfg(test)]
mod virtual_time;

use std::process::ExitCode;

use cli::Cli;
use tell::{console::Console, problem::Problem};

// For a test that panics in its own terminal.
#[doc(hidden)]
pub use faces::terminal::take as take_terminal;

/// Runs the program: reads the command line, runs the command, and turns an error into a message
/// and an exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::read();
    let console = Console::new(cli.global.verbose, cli.global.color);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli, console)),
        Err(error) => Err(Problem::failed("the program cannot start").caused_by(&error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            console.problem(&problem);
            problem.exit().code().into()
        }
    }
}
