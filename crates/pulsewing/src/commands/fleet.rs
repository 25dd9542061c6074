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
    app::{self, Household, Options},
    cli::{self, Command, Global},
    fleet::Fleet,
    tell::{console::Console, problem::Problem},
};

/// Runs a command on a database, if it is about one; otherwise returns the command.
pub(super) async fn on_database(
    global: &Global,
    console: Console,
    command: Command,
) -> Result<Option<Command>, Problem> {
    if let Command::Fleet(cli::Fleet::Key) = &command {
        return keys::key(global.key_file.as_deref()).map(|()| None);
    }
    if let Command::Fleet(action) = &command {
        let household = Household::new(&global.surroundings(), console)?;
        return keys::run(household, action).await.map(|()| None);
    }
    // A broken configuration does not stop the commands that need none.
    if !has(&command) {
        return Ok(Some(command));
    }
    // Without a database the wearers are looked up later.
    let options = global.surroundings();
    let of_all = Options {
        wearers: Vec::new(),
        ..options.clone()
    };
    let mut household = Household::new(&of_all, console)?;
    if !household.is_fleet() {
        return Ok(Some(command));
    }
    household.chosen = options.wearers;
    if matches!(command, Command::Run(_)) {
        household.console = console.logged();
    }
    run(household, command).await.map(|()| None)
}

/// Runs a command on the database that the household names.
async fn run(household: Household, command: Command) -> Result<(), Problem> {
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
        _ => Err(app::files_only()),
    }
}

/// Returns whether a command can work on a database.
const fn has(command: &Command) -> bool {
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
