//! `pulsewing run`: the daemon.

use std::{net::SocketAddr, time::Duration};

use super::{cycle_report, outputs, print, updates};
use crate::{
    app::App,
    cli::Run,
    custody::chain_file::ChainFile,
    daemon::{Broadcast, Single, Supervision, UpdateLoop},
    engine::stop::Stop,
    faces::{
        presenter::Presenter,
        web::{self, Listener},
    },
    tell::problem::{Exit, Problem},
};

/// The interval of checks for a sign-in through another process.
const LOOK_FOR_SIGN_IN: Duration = Duration::from_secs(5);

pub(super) async fn run(app: &App, options: &Run) -> Result<(), Problem> {
    let _single = claim(app)?;
    let provider = app.provider(None);
    let mut outputs = outputs(app, &options.look, options.png.as_deref(), &[])?;
    // After the machine's boot a panel may appear later than this program.
    outputs
        .open_panels(&options.panels.specs)
        .map_err(Problem::may_pass)?;
    let listener = match options.no_web {
        true => None,
        false => Some(listen(app, options.listen).await?),
    };
    let mut updates = updates(app, provider)?;
    let broadcast = updates.broadcast().clone();
    let stop = Stop::listen();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        provider = provider.name(),
        state = %app.state_dir.display(),
        "started"
    );
    let supervision = Supervision::new(broadcast.clone(), updates.engine().progress());
    let address = listener.as_ref().map(Listener::address);
    let reachable = address.and_then(sign_in_address);
    let presenter = Presenter::new(broadcast.clone(), outputs, reachable, app.console);
    let page = listener
        .map(|listener| web::serve(app.config.clone(), app.console, broadcast.clone(), listener));
    if let Some(address) = address {
        tracing::info!(page = %format_args!("http://{address}/"), "listening");
    }
    tokio::select! {
        biased;
        () = cycles(&mut updates, &stop, app) => {}
        () = presenter.run() => {}
        () = look_for_sign_in(&broadcast) => {}
        () = supervision.run() => {}
        () = served(page) => {}
    }
    Supervision::stopping();
    tracing::info!("stopped");
    Ok(())
}

/// Listens on the page's address. Other machines can see the page only with a passphrase.
async fn listen(app: &App, asked: Option<SocketAddr>) -> Result<Listener, Problem> {
    let configured = &app.config.web;
    let address = asked.or(configured.listen).unwrap_or(web::LISTEN);
    if !address.ip().is_loopback() && configured.passphrase.is_none() {
        return Err(Problem::failed(format!(
            "every machine on the network could see the page at {address}"
        ))
        .hint("set a passphrase of at least 8 characters under [web] in the configuration")
        .hint("or listen on this machine only, such as with --listen 127.0.0.1:7373"));
    }
    // After the machine's boot an address may appear later than this program.
    Listener::bind(address).await.map_err(Problem::may_pass)
}

/// Returns the address where a user with a phone can sign in; `None` if no other machine can see
/// the page, or if it listens on all addresses.
fn sign_in_address(address: SocketAddr) -> Option<String> {
    let ip = address.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then(|| format!("http://{address}/sign-in"))
}

/// Serves the page, if there is one.
async fn served(page: Option<impl Future<Output = ()>>) {
    match page {
        Some(page) => page.await,
        None => std::future::pending().await,
    }
}

/// Takes the lock of the wearer's daemon.
fn claim(app: &App) -> Result<Single, Problem> {
    Single::claim(&app.state_dir)
        .map_err(|error| {
            Problem::failed("cannot use the state directory")
                .caused_by(&error)
                .hint("make it writable, or choose another with --state-dir")
                .may_pass()
        })?
        .ok_or_else(|| {
            Problem::failed("another pulsewing is already running with this state directory")
                .hint(
                    "follow it with `pulsewing show`, or choose another directory with --state-dir",
                )
                .may_pass()
        })
}

/// Runs cycles until a request to stop.
async fn cycles(updates: &mut UpdateLoop, stop: &Stop, app: &App) {
    loop {
        match updates.next(stop).await {
            Ok(()) => {
                // The reader of the reports may go away, or the disk may fill up; the cycles
                // continue.
                if let Err(problem) = print(&cycle_report::text(updates.engine(), true)) {
                    app.console.problem(&problem);
                }
                updates.repair(stop).await;
            }
            Err(problem) if problem.exit() == Exit::Interrupted => return,
            // No error ends the loop: the problem may be fixed while it runs.
            Err(problem) => app.console.problem(&problem),
        }
    }
}

/// Triggers an update after a `pulsewing login`, so that the user need not wait for the next try.
async fn look_for_sign_in(broadcast: &Broadcast) {
    let files = ChainFile::new(broadcast.state_dir().to_owned());
    let mut seen = files.modified();
    loop {
        let until = broadcast.now().up + LOOK_FOR_SIGN_IN;
        broadcast.clock().sleep_until(until).await;
        let now = files.modified();
        let wants_sign_in = broadcast
            .snapshot()
            .failed_update
            .as_ref()
            .is_some_and(|failed_update| failed_update.wants_sign_in());
        if now != seen && wants_sign_in {
            broadcast.update_now();
        }
        seen = now;
    }
}
