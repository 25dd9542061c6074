//! The commands on a database of many wearers: those of a household, with the same words and outputs,
//! and `pulsewing fleet`, which maintains the database.

mod data;
mod keys;
mod oversight;
mod run;
mod sign_in;
mod subscribe;
mod tokens;
mod wearers;

use crate::{
    app::Household,
    cli::Command,
    fleet::Fleet,
    tell::problem::{Exit, Problem},
};

pub(super) use keys::{key, run as maintain};

/// Runs a command on the database that the household names.
pub(super) async fn run(household: Household, command: Command) -> Result<(), Problem> {
    let fleet = Fleet::connect(household).await?;
    match command {
        Command::Run(options) => run::run(fleet, &options).await,
        Command::Wearer(action) => wearers::run(&fleet, &action).await,
        Command::Login(options) => sign_in::login(&fleet, &options).await,
        Command::Logout => sign_in::logout(&fleet).await,
        Command::Once(options) => data::once(&fleet, &options).await,
        Command::Status(options) => data::status(&fleet, &options).await,
        Command::Export(options) => data::export(&fleet, &options).await,
        Command::Import(options) => data::import(&fleet, &options).await,
        Command::Adopt(options) => sign_in::adopt(&fleet, &options).await,
        _ => Err(files_only()),
    }
}

/// Builds the problem for a command that cannot work on a database.
pub(super) fn files_only() -> Problem {
    Problem::new(
        Exit::Usage,
        "this command works with files of this machine, not with a database",
    )
    .hint("leave out --store, PULSEWING_STORE and [store] url")
}

/// Returns whether a command can work on a database.
pub(super) const fn has(command: &Command) -> bool {
    matches!(
        command,
        Command::Run(_)
            | Command::Wearer(_)
            | Command::Login(_)
            | Command::Logout
            | Command::Once(_)
            | Command::Status(_)
            | Command::Export(_)
            | Command::Import(_)
            | Command::Adopt(_)
    )
}
