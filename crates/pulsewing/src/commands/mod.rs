//! The commands, one module each.

mod adopt;
mod alarms;
mod board;
mod byte_order_mark;
mod completions;
mod cycle_report;
#[cfg(feature = "sandbox")]
pub(crate) mod demo;
mod doctor;
mod export;
#[cfg(feature = "fleet")]
mod fleet;
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
mod wearer;

use std::path::Path;

use pulsewing_core::Provider;
use pulsewing_panels::PanelSpec;

use crate::{
    app::{self, App, Household, Options},
    cli::{Cli, Command, Look},
    config::{ScreenConfig, wearer::WearerConfig},
    daemon::{Intake, Member, UpdateLoop},
    faces::outputs::{Outputs, Style},
    tell::{
        console::{self, Console},
        problem::Problem,
    },
};

/// Runs the requested command.
pub(crate) async fn run(cli: Cli, console: Console) -> Result<(), Problem> {
    let global = cli.global;
    let is_about_files = matches!(cli.command, Command::Doctor(_) | Command::Show);
    if is_about_files && app::names_database(&global.surroundings()) {
        return Err(app::files_only());
    }
    #[cfg(feature = "fleet")]
    // Otherwise it was about a database.
    let Some(command) = fleet::on_database(&global, console, cli.command).await? else {
        return Ok(());
    };
    #[cfg(not(feature = "fleet"))]
    let command = cli.command;
    let app = || App::new(&global.surroundings(), console);
    match command {
        // These two store nothing, so a broken configuration does not stop them.
        #[cfg(feature = "sandbox")]
        Command::Demo(options) => demo::run(&options, &global, console).await,
        #[cfg(feature = "sandbox")]
        Command::Sandbox(options) => sandbox::run(&options, &global).await,
        Command::Login(options) => {
            about_one(app()?, async |app| login::run(app, &options).await).await
        }
        Command::Logout => about_one(app()?, async |app| logout::run(app).await).await,
        Command::Adopt(options) => {
            about_one(app()?, async |app| adopt::run(app, &options).await).await
        }
        Command::Once(options) => {
            about_one(app()?, async |app| once::run(app, &options).await).await
        }
        Command::Run(options) => {
            let household = Household::new(&global.surroundings(), console.logged())?;
            run::run(household, &options).await
        }
        Command::Service(action) => service::run(&action, &global, console),
        Command::Show => show::run(&global, console).await,
        Command::Wearer(action) => {
            // A shell's variable may name a wearer who is yet to be added.
            let options = Options {
                wearers: Vec::new(),
                ..global.surroundings()
            };
            let household = Household::new(&options, console)?;
            wearer::run(&household, &action).await
        }
        Command::Status(options) => about_one(app()?, async |app| status::run(app, &options)).await,
        Command::Alarms(options) => {
            about_one(app()?, async |app| alarms::run(app, &options).await).await
        }
        Command::Import(options) => about_one(app()?, async |app| import::run(app, &options)).await,
        Command::Export(options) => about_one(app()?, async |app| export::run(app, &options)).await,
        // Handled above.
        #[cfg(feature = "fleet")]
        Command::Fleet(_) => Ok(()),
        #[cfg(not(feature = "fleet"))]
        Command::Fleet { .. } => Err(app::files_only()),
        Command::Board(options) => {
            about_one(app()?, async |app| board::run(app, &options).await).await
        }
        // These work, or explain the problem, even if the configuration is broken.
        Command::Doctor(options) => doctor::run(&options, &global, console).await,
        Command::Completions(options) => completions::completions(&options),
        Command::Man(options) => completions::man(&options),
        Command::Render(options) => render::run(&app()?, &options),
    }
}

/// Runs a command about one wearer. If there are several, the hints of its problem name this one.
async fn about_one(
    app: App,
    run: impl AsyncFnOnce(&App) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let done = run(&app).await;
    done.map_err(|problem| app.about_whom(problem))
}

/// Opens the outputs of the picture.
fn outputs(look: &Look, png: Option<&Path>, panels: &[PanelSpec]) -> Result<Outputs, Problem> {
    let png = png.map(|path| (path.to_owned(), look.size));
    Outputs::open(png, panels)
}

/// Returns the style of a wearer's pictures: the requested one, else the wearer's, else the
/// configured one.
fn style(screen: &ScreenConfig, wearer: &WearerConfig, console: Console, look: &Look) -> Style {
    let theme = look.theme.or(wearer.theme);
    Style::new(screen, console, theme, look.palette)
}

/// Builds the loop that polls a provider.
pub(crate) fn updates(app: &App, provider: Provider) -> Result<UpdateLoop, Problem> {
    Ok(UpdateLoop::new(
        app.engine(provider, None)?,
        app.place.clone(),
        app.history_writer(),
        app.config.history.keep,
        app.interval(),
        app.members.any_change().clone(),
        app.lookout(),
    ))
}

/// Returns a wearer who is polled by this loop, as the views see them.
pub(crate) fn member(app: &App, updates: &UpdateLoop) -> Member {
    Member {
        wearer: app.wearer.clone(),
        broadcast: updates.broadcast().clone(),
        intake: Intake::new(
            updates.broadcast().clone(),
            &app.wearer,
            app.history_writer(),
        ),
        progress: updates.engine().progress(),
    }
}

/// Writes data to stdout.
fn print(data: &str) -> Result<(), Problem> {
    console::print(data)
        .map_err(|error| Problem::failed("stdout could not be written").caused_by(&error))
}
