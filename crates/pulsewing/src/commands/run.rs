//! `pulsewing run`: the daemon.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use super::{cycle_report, print};
use crate::{
    app::App,
    cli::Run,
    daemon::{Hub, Presenter, Rounds, Single},
    outputs::Outputs,
    problem::{Exit, Problem},
    stop::Stop,
    web::{self, Listener},
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
    let listener = match options.no_web {
        true => None,
        false => Some(listen(app, options.listen).await?),
    };
    let mut rounds = Rounds::new(app, app.engine(provider, None)?);
    let hub = rounds.hub().clone();
    let mut stop = Stop::listen();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        provider = provider.name(),
        state = %app.state_dir().display(),
        "started"
    );
    let address = listener.as_ref().map(Listener::address);
    let reachable = address.and_then(sign_in_address);
    let presenter = Presenter::new(hub.clone(), outputs, reachable, app.console);
    let page = match listener {
        Some(listener) => Some(web::serve(app, &hub, listener)?),
        None => None,
    };
    if let Some(address) = address {
        tracing::info!(page = %format_args!("http://{address}/"), "listening");
    }
    tokio::select! {
        biased;
        result = cycles(&mut rounds, &mut stop, app) => result?,
        () = presenter.run() => {}
        () = look_for_sign_in(&hub) => {}
        () = served(page) => {}
    }
    tracing::info!("stopped");
    Ok(())
}

/// Listens where the page is to be. Other machines see it only with a passphrase.
async fn listen(app: &App, asked: Option<SocketAddr>) -> Result<Listener, Problem> {
    let configured = &app.config.web;
    let address = asked.or(configured.listen).unwrap_or(web::LISTEN);
    if !address.ip().is_loopback() && configured.passphrase.is_none() {
        return Err(Problem::failed(format!(
            "the page at {address} could be seen by every machine in reach"
        ))
        .hint("set a passphrase under [web] in the configuration, of at least 8 characters")
        .hint("or listen on this machine alone, such as --listen 127.0.0.1:7373"));
    }
    Listener::bind(address).await
}

/// Where somebody with a phone can sign in; `None` where nobody else can see the page, or where its
/// address is every address.
fn sign_in_address(address: SocketAddr) -> Option<String> {
    let ip = address.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then(|| format!("http://{address}/sign-in"))
}

/// The page, if there is one.
async fn served(page: Option<impl Future<Output = ()>>) {
    match page {
        Some(page) => page.await,
        None => std::future::pending().await,
    }
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
