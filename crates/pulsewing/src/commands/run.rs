//! `pulsewing run`: the daemon.

mod crew;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::task::JoinSet;

use self::crew::Crew;
use super::{outputs, style};
use crate::{
    app::Household,
    cli::Run,
    config::wearer::{WearerConfig, WearerId},
    daemon::{Supervision, open_files},
    engine::stop::Stop,
    faces::{
        influx::Feed,
        messages::Messages,
        mqtt::Mqtt,
        presenter::Presenter,
        web::{self, Listener},
    },
    tell::problem::{Exit, Problem},
};

/// The interval of checks for wearers that were added or removed by another process.
const LOOK_FOR_WEARERS: Duration = Duration::from_secs(5);

pub(super) async fn run(household: Household, options: &Run) -> Result<(), Problem> {
    if let Some(warning) = open_files::prepare(household.roster.all().len()) {
        household.console.warn(&warning);
    }
    let stop = Stop::listen();
    let mut crew = Crew::new(household)?;
    let household = crew.household();
    let look = options.look;
    let mut outputs = outputs(&look, options.png.as_deref(), &[])?;
    // After the machine's boot a panel may appear later than this program.
    outputs
        .open_panels(&options.panels.specs)
        .map_err(Problem::may_pass)?;
    let listener = match options.no_web {
        true => None,
        false => Some(listen(household, options.listen).await?),
    };
    let (console, clock) = (household.console, household.clock.clone());
    let (config, members) = (household.config.clone(), household.members.clone());
    let has_picture = options.png.is_some() || !options.panels.specs.is_empty();
    let pictured = pictured(household, has_picture)?;
    for id in household.roster.forgotten(&household.state_dir) {
        console.warn(&format!("there is a sign-in or a history of \"{id}\", who is not one of the wearers, so nobody polls it; make them a wearer with `pulsewing wearer add {id}`, or erase everything with `pulsewing wearer remove {id}`"));
    }
    let feed = Feed::new(&config, members.clone(), clock.clone())?;
    let address = listener.as_ref().map(Listener::address);
    let reachable = address.and_then(sign_in_address);
    let messages = Messages::start(&config, &household.state_dir, &clock, reachable.clone())?;
    let messages = messages.map(Arc::new);
    let home_assistant = Mqtt::new(
        &config,
        members.clone(),
        clock.clone(),
        &household.state_dir,
        reachable.clone(),
    )?;
    crew.start(&stop)?;
    let supervision = Supervision::new(members.clone(), clock.clone());
    let screen = config.screen.clone();
    let style_of = Box::new(move |wearer: &WearerConfig| style(&screen, wearer, console, &look));
    let presented = members.clone();
    let presenter = Presenter::new(
        presented,
        pictured,
        outputs,
        style_of,
        clock.clone(),
        console,
    )
    .reachable_at(reachable);
    let told = messages.clone().map(|it| it.run(members.clone()));
    let page = listener.map(|listener| {
        let messages = messages.clone();
        web::serve(config, console, clock.clone(), members, messages, listener)
    });
    if let Some(address) = address {
        tracing::info!(page = %format_args!("http://{address}/"), "listening");
    }
    let polling = async {
        loop {
            let up = clock.now().up;
            tokio::select! {
                biased;
                () = stop.requested() => break,
                () = clock.sleep_until(up + LOOK_FOR_WEARERS) => crew.refresh(&stop),
            }
        }
        crew.ended().await;
    };
    let home_assistant = async {
        if let Some(home_assistant) = home_assistant {
            home_assistant.run(&stop).await;
        }
    };
    let until_stopped = async { tokio::join!(polling, home_assistant) };
    tokio::select! {
        biased;
        ((), ()) = until_stopped => {}
        () = presenter.run() => {}
        () = supervision.run() => {}
        () = served(page) => {}
        () = served(told) => {}
        () = fed(feed) => {}
    }
    Supervision::stopping();
    // Nobody else has it any more.
    if let Some(messages) = messages.and_then(Arc::into_inner) {
        messages.close().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Returns the wearers whom the picture shows; if there are none, it shows the first two.
///
/// # Errors
/// A [`Problem`] when there are more than fit into a picture.
pub(super) fn pictured(household: &Household, has_picture: bool) -> Result<Vec<WearerId>, Problem> {
    let count = match household.chosen.len() {
        0 => household.roster.all().len(),
        chosen => chosen,
    };
    if has_picture && count > 2 {
        return Err(Problem::new(
            Exit::Usage,
            format!("a picture shows one or two wearers, not {count}"),
        )
        .hint("choose them with --wearer, such as --wearer anna,ben"));
    }
    Ok(household.chosen.clone())
}

/// Listens on the page's address. Other machines can see the page only with a passphrase.
async fn listen(household: &Household, asked: Option<SocketAddr>) -> Result<Listener, Problem> {
    let configured = &household.config.web;
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

/// Returns the address where a user with a phone can open the page; `None` if no other machine can
/// see it, or if it listens on all addresses.
fn sign_in_address(address: SocketAddr) -> Option<String> {
    let ip = address.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then(|| format!("http://{address}"))
}

/// Copies the minutes to InfluxDB, if there is one, in a task of its own.
async fn fed(feed: Option<Feed>) {
    let Some(feed) = feed else {
        return std::future::pending().await;
    };
    // Dropped with this, so that a request to stop does not wait for an answer: what was not confirmed is sent
    // again after the start.
    let mut task = JoinSet::new();
    task.spawn(feed.run());
    if let Some(Err(error)) = task.join_next().await
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// Serves a face, if there is one.
pub(super) async fn served(face: Option<impl Future<Output = ()>>) {
    match face {
        Some(face) => face.await,
        None => std::future::pending().await,
    }
}
