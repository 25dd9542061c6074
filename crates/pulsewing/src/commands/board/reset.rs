//! `board reset`: restarts a board, or erases it.

use std::{
    io::{self, IsTerminal},
    path::Path,
    time::{Duration, Instant},
};

use super::{super::login, open};
use crate::{
    app::App,
    board::{self, Command, session::PATIENCE, settle::settle, status::BoardChain},
    cli::Reset,
    tell::problem::{Exit, Problem},
};

/// The interval between checks of a board that is being erased.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(app: &App, port: Option<&Path>, options: &Reset) -> Result<(), Problem> {
    let mut board = open(app, port).await?;
    let console = app.console;
    if options.factory {
        console.say("This erases the board's networks, settings, wallpaper and sign-in.");
        if let BoardChain::Held(held) = board.status.chain() {
            console.say(&format!(
                "If its sign-in ({held}) was moved to the board or made for it, there is no other copy; `pulsewing board login` makes a new one.",
            ));
        }
        if !options.yes && !is_wanted(app)? {
            return Err(Problem::new(Exit::Usage, "nothing was erased")
                .hint("to erase the board without this question, add --yes"));
        }
    }
    let command = if options.factory {
        Command::new("reset factory yes")
    } else {
        Command::new("reset")
    };
    let session = &mut board.session;
    console.say("The board restarts.");
    let mut status = board::explained(session.restart(&command), session)?;
    if !options.factory {
        console.say(&format!(
            "It is back: {} {}, up for {}.",
            status.board(),
            status.serial(),
            status.get("uptime").unwrap_or("an unknown time")
        ));
        return Ok(());
    }
    // It may have answered once more before it erased itself.
    let until = Instant::now() + PATIENCE;
    while status.chain() != BoardChain::Missing && Instant::now() < until {
        #[expect(
            clippy::disallowed_methods,
            reason = "a board tells nobody: it is asked"
        )]
        std::thread::sleep(LOOK_EVERY);
        status = board::explained(session.resync(PATIENCE), session)?;
    }
    if status.chain() != BoardChain::Missing {
        return Err(Problem::failed("the board still has a sign-in")
            .hint("run the command again; `pulsewing board log` may say why"));
    }
    console
        .say("The board is back in its factory state. Set it up with `pulsewing board provision`.");
    // A sign-in on its way to this board, if the outcome was unclear, can be taken back now.
    settle(app.chain_file(), session, &status, console).await?;
    Ok(())
}

fn is_wanted(app: &App) -> Result<bool, Problem> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    app.console.say("Type yes to continue:");
    Ok(login::read_line()?.is_some_and(|line| line == "yes"))
}
