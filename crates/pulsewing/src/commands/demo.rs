//! `pulsewing demo`: the whole system in one process, without an account.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use pulsewing_core::{Provider, oauth::Redirect};
use pulsewing_sandbox::{Sandbox, SandboxConfig};

use super::{cycle_report, member, outputs, print, sandbox, style, updates};
use crate::{
    app::{App, Household},
    cli::{Demo, Global, Look},
    config::{
        Config, EndpointsConfig,
        client::ClientConfig,
        places::Place,
        wearer::{WearerConfig, WearerId},
    },
    daemon::{UpdateLoop, watch_alarms},
    engine::{clock::Clock, http::Http, stop::Stop},
    faces::{
        outputs::{Outputs, PictureSize, Style, View},
        presenter::Presenter,
        web::{self, Listener},
    },
    sign_in::{
        SignIn,
        person::{IfAnother, Wearer},
    },
    tell::{
        console::Console,
        problem::{Exit, Problem},
    },
};

/// The file of the picture.
const PICTURE: &str = "pulsewing-demo.png";

/// The time from the sign-in to the beginning of the demo: longer than the lifetime of either
/// access token.
const SIGNED_IN_BEFORE: SignedDuration = SignedDuration::from_hours(9);

pub(super) async fn run(options: &Demo, global: &Global, console: Console) -> Result<(), Problem> {
    let zone = zone();
    let data = match &options.data {
        Some(path) => sandbox::recordings(std::slice::from_ref(path), &zone)?,
        None => Vec::new(),
    };
    let start = match global.now {
        Some(start) => start.at,
        None => match data.iter().filter_map(|recording| recording.last()).max() {
            Some(last) => seven_past_the_step(last),
            None => seven_past_two(&zone)?,
        },
    };
    let sandbox = Sandbox::start(SandboxConfig {
        data,
        zone,
        now: Some(start.checked_sub(SIGNED_IN_BEFORE).unwrap_or(start)),
        // The clock stands still during the sign-in, however fast the demo is: a sign-in takes real
        // time, and codes expire soon.
        speed: 0,
        ..SandboxConfig::default()
    })
    .await
    .map_err(|error| Problem::failed("cannot start the sandbox").caused_by(&error))?;
    console.say(&format!(
        "A stand-in for {} answers at {}; nothing leaves this machine.",
        options.provider,
        sandbox.url()
    ));
    // From here on we have something to clean up.
    let stop = Stop::listen();
    let place = PrivateDir::new()?;
    let config = config(options.provider, &sandbox);
    sign_in(options.provider, &config, &sandbox, start, &place, console).await?;
    sandbox.clock().set(start);
    sandbox.clock().set_speed(options.speed);
    let clock = Clock::from_sandbox(sandbox.clock().clone());
    let app = Household::of(config, console, clock, place.0.clone())?.one()?;
    let look = Look {
        theme: None,
        size: PictureSize {
            width: 480,
            height: 320,
        },
        palette: options.palette,
    };
    let mut outputs = outputs(&look, Some(PICTURE.as_ref()), &options.panels.specs)?;
    let mut updates = updates(&app, options.provider)?;
    if options.once {
        let style = style(&app.config.screen, &app.wearer, console, &look);
        return once(&app, &mut updates, &mut outputs, style, &stop).await;
    }
    let listener = match options.listen {
        Some(address) => Listener::bind(address).await?,
        None => Listener::bind_near(web::LISTEN).await?,
    };
    console.say(&format!(
        "The page is http://{}/ and the picture {PICTURE}, redrawn as it changes.",
        listener.address()
    ));
    let members = app.members.clone();
    let member = member(&app, &updates);
    let intake = member.intake.clone();
    members.change(|members| members.push(member));
    let page = web::serve(
        app.config.clone(),
        console,
        app.clock.clone(),
        members.clone(),
        None,
        listener,
    );
    let screen = app.config.screen.clone();
    let style_of = Box::new(move |wearer: &WearerConfig| style(&screen, wearer, console, &look));
    let clock = app.clock.clone();
    let presenter = Presenter::new(members, Vec::new(), outputs, style_of, clock, console);
    let broadcast = updates.broadcast().clone();
    tokio::select! {
        biased;
        result = cycles(&mut updates, &stop, console) => result,
        () = watch_alarms(&broadcast, Some(&intake)) => Ok(()),
        () = presenter.run() => Ok(()),
        () = intake.run() => Ok(()),
        () = page => Ok(()),
    }
}

/// Runs one cycle, and writes its report and its picture.
async fn once(
    app: &App,
    updates: &mut UpdateLoop,
    outputs: &mut Outputs,
    mut style: Style,
    stop: &Stop,
) -> Result<(), Problem> {
    match updates.next(stop).await {
        Ok(()) => {}
        Err(problem) if problem.exit() == Exit::Interrupted => return Ok(()),
        Err(problem) => return Err(problem),
    }
    let earlier = updates.day_before(stop).await;
    let engine = updates.engine();
    if let Some(reading) = engine.reading() {
        let now = engine.clock().now();
        let freshness = reading.freshness(now.utc, app.interval(), false);
        let view = View::new(reading, freshness, now).with_earlier(earlier.as_ref());
        outputs.show(now.up, |size| style.picture(&view, size))?;
    }
    print(&cycle_report::text(updates.engine(), false))?;
    app.console.say(&format!("The picture is {PICTURE}."));
    Ok(())
}

/// Runs cycles until Ctrl-C, which is the normal end of a demo. A failed cycle is reported: on a
/// machine that is too slow for the demo's speed, tokens expire in the middle of a cycle.
async fn cycles(updates: &mut UpdateLoop, stop: &Stop, console: Console) -> Result<(), Problem> {
    loop {
        match updates.next(stop).await {
            Ok(()) => {
                print(&cycle_report::text(updates.engine(), true))?;
                updates.repair(stop).await;
            }
            Err(problem) if problem.exit() == Exit::Interrupted => return Ok(()),
            Err(problem) => console.problem(&problem),
        }
    }
}

/// Signs in as the wearer would have done, hours before.
async fn sign_in(
    provider: Provider,
    config: &Config,
    sandbox: &Sandbox,
    start: Timestamp,
    place: &PrivateDir,
    console: Console,
) -> Result<(), Problem> {
    let earlier = start.checked_sub(SIGNED_IN_BEFORE).unwrap_or(start);
    let wearer = Wearer {
        place: Place::new(&place.0, &WearerId::default()),
        others: Vec::new(),
        keep: config.history.keep,
        clock: Clock::starting_at(earlier),
        console,
    };
    let http = Http::new(provider, &config.endpoints)?;
    let client = config.client(provider).to_client(provider)?;
    let client = client.ok_or_else(|| Problem::failed("the sandbox did not name a client"))?;
    let uri = format!("{}/demo", sandbox.url());
    let sign_in = SignIn::new(http.clone(), client, uri, wearer.clock.clone())?;
    // The consent page approves at once when asked to.
    let redirect = http
        .redirect_of(&format!("{}&auto=1", sign_in.url()?))
        .await?;
    let redirect = Redirect::parse(&redirect).map_err(|error| {
        Problem::failed("the sandbox's consent page did not redirect back").caused_by(&error)
    })?;
    let code = redirect.answer.map_err(|error| sign_in.denied(error))?;
    sign_in.finish(&code, &wearer, IfAnother::Refuse).await?;
    console.say(&format!(
        "The demo signed in nine hours ago, so its access token has expired and is refreshed first. In the demo it is {start}."
    ));
    Ok(())
}

/// Returns the configuration for a sandbox.
pub(crate) fn config(provider: Provider, sandbox: &Sandbox) -> Config {
    let ready = sandbox.ready_line();
    let text = |provider: &str, key: &str| ready[provider][key].as_str().map(str::to_owned);
    let client = |provider: &str| ClientConfig {
        client_id: text(provider, "client_id"),
        client_secret: text(provider, "client_secret"),
        user_id: None,
    };
    Config {
        provider: Some(provider),
        google: client("google"),
        fitbit: client("fitbit"),
        endpoints: EndpointsConfig {
            base_url: Some(sandbox.url()),
            ..EndpointsConfig::default()
        },
        ..Config::default()
    }
}

/// Returns the machine's zone, if it has a name that the wearer's profile can show.
fn zone() -> TimeZone {
    let system = TimeZone::system();
    if system.iana_name().is_some() {
        system
    } else {
        TimeZone::UTC
    }
}

/// Returns 14:07 of today: late enough for the day to have data to show.
fn seven_past_two(zone: &TimeZone) -> Result<Timestamp, Problem> {
    let today = zone.to_datetime(Clock::system().now().utc).date();
    zone.to_timestamp(today.to_datetime(civil::time(14, 7, 0, 0)))
        .map_err(|error| {
            Problem::failed("this machine's clock shows an impossible date").caused_by(&error)
        })
}

/// Returns the time seven minutes after the sync that brings a recording's last sample.
fn seven_past_the_step(last: Timestamp) -> Timestamp {
    let step = (last.as_second().div_euclid(900) + 1) * 900;
    Timestamp::from_second(step + 7 * 60).unwrap_or(last)
}

/// A temporary directory for the demo, removed when it ends.
struct PrivateDir(std::path::PathBuf);

impl PrivateDir {
    fn new() -> Result<Self, Problem> {
        let unusable = |error: &(dyn std::error::Error + 'static)| {
            Problem::failed("cannot create a temporary directory").caused_by(error)
        };
        let random = getrandom::u64()
            .map_err(|error| unusable(&std::io::Error::other(error.to_string())))?;
        let path = std::env::temp_dir().join(format!("pulsewing-demo-{random:016x}"));
        pulsewing_files::private::make_dir(&path).map_err(|error| unusable(&error))?;
        Ok(Self(path))
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        // If this fails, the system will clean up; the tokens in it are only the sandbox's.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
