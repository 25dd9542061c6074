//! `pulsewing run`: the daemon.

use std::{fs, path::Path, time::Duration};

use super::{cycle_report, print};
use crate::{
    app::App,
    cli::Run,
    daemon::{Hub, Presenter, Rounds, Single},
    outputs::Outputs,
    problem::{Exit, Problem},
    stop::Stop,
};

/// How often it is looked whether somebody has signed in with another process.
const LOOK_FOR_SIGN_IN: Duration = Duration::from_secs(5);

pub(super) async fn run(app: &App, options: &Run) -> Result<(), Problem> {
    let _single = claim(app)?;
    let provider = app.provider(None)?;
    let outputs = Outputs::open(
        app,
        &options.look,
        options.png.clone(),
        &options.panels.specs,
    )?;
    let mut rounds = Rounds::new(app, app.engine(provider, None)?);
    let hub = rounds.hub().clone();
    let mut stop = Stop::listen();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        provider = provider.name(),
        state = %app.state_dir().display(),
        "started"
    );
    let presenter = Presenter::new(hub.clone(), outputs, None, app.console);
    tokio::select! {
        biased;
        result = cycles(&mut rounds, &mut stop, app) => result?,
        () = presenter.run() => {}
        () = look_for_sign_in(&hub) => {}
    }
    tracing::info!("stopped");
    Ok(())
}

/// The right to be the wearer's daemon.
fn claim(app: &App) -> Result<Single, Problem> {
    Single::claim(app.state_dir())
        .map_err(|error| {
            Problem::failed("the state directory cannot be used")
                .caused_by(&error)
                .hint("make it writable, or name another with --state-dir")
        })?
        .ok_or_else(|| {
            Problem::failed("another pulsewing is already running with this state directory")
                .hint("`pulsewing show` follows it; --state-dir names another directory")
        })
}

/// Cycle after cycle, until it is told to stop.
async fn cycles(rounds: &mut Rounds, stop: &mut Stop, app: &App) -> Result<(), Problem> {
    loop {
        match rounds.next(stop).await {
            Ok(()) => {
                print(&cycle_report::of(rounds.engine(), true))?;
                rounds.repair(stop).await;
            }
            Err(problem) if problem.exit() == Exit::Interrupted => return Ok(()),
            // Nothing ends it: what is wrong may be mended while it runs.
            Err(problem) => app.console.problem(&problem),
        }
    }
}

/// Somebody who signs in with `pulsewing login` does not want to wait for the next try.
async fn look_for_sign_in(hub: &Hub) {
    let changed = |dir: &Path| fs::metadata(dir.join("chain")).and_then(|file| file.modified());
    let mut seen = changed(hub.state_dir()).ok();
    loop {
        let until = hub.now().up + LOOK_FOR_SIGN_IN;
        hub.clock().sleep_until(until).await;
        let now = changed(hub.state_dir()).ok();
        let wants_sign_in = hub
            .live()
            .trouble
            .as_ref()
            .is_some_and(|trouble| trouble.wants_sign_in());
        if now != seen && wants_sign_in {
            hub.update_now();
        }
        seen = now;
    }
}
