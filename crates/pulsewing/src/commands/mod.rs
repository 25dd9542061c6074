//! The commands, one module each.

mod adopt;
mod board;
mod completions;
mod cycle_report;
#[cfg(feature = "sandbox")]
mod demo;
mod doctor;
mod export;
mod import;
mod login;
mod logout;
mod once;
mod render;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod service;
mod show;
mod status;

use crate::{
    app::App,
    cli::{Cli, Command},
    console::{self, Console},
    problem::Problem,
};

/// Runs the command that was asked for.
///
/// # Errors
/// What went wrong, in words.
pub async fn run(cli: Cli, console: Console) -> Result<(), Problem> {
    let global = cli.global;
    match cli.command {
        // These two keep nothing, so a broken configuration does not stop them.
        #[cfg(feature = "sandbox")]
        Command::Demo(options) => demo::run(&options, &global, console).await,
        #[cfg(feature = "sandbox")]
        Command::Sandbox(options) => sandbox::run(&options, &global).await,
        Command::Login(options) => login::run(&App::new(&global, console)?, &options).await,
        Command::Logout => logout::run(&App::new(&global, console)?).await,
        Command::Adopt(options) => adopt::run(&App::new(&global, console)?, &options).await,
        Command::Once(options) => once::run(&App::new(&global, console)?, &options).await,
        Command::Run(options) => {
            let console = console.logged();
            run::run(&App::new(&global, console)?, &options).await
        }
        Command::Service(action) => service::run(&action, &global, console),
        Command::Show => show::run(&global, console).await,
        Command::Status(options) => status::run(&App::new(&global, console)?, &options),
        Command::Import(options) => import::run(&App::new(&global, console)?, &options),
        Command::Export(options) => export::run(&App::new(&global, console)?, &options),
        Command::Board(options) => board::run(&App::new(&global, console)?, &options).await,
        // These also work, or say why, where the configuration does not.
        Command::Doctor(options) => doctor::run(&options, &global, console).await,
        Command::Completions(options) => completions::completions(&options),
        Command::Man(options) => completions::man(&options),
        Command::Render(options) => render::run(&App::new(&global, console)?, &options),
    }
}

/// Writes data to stdout.
fn print(data: &str) -> Result<(), Problem> {
    console::print(data)
        .map_err(|error| Problem::failed("stdout could not be written").caused_by(&error))
}
