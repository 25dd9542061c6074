//! The daemon's page: the heart rate in any browser, and the same data for programs.
//!
//! Everything is rendered here, as HTML and SVG, so that the essentials need no script.
//! `assets/page.js` only keeps an open page up to date: it receives changes (server-sent events),
//! fetches the page's own address again and replaces the new parts, updates the age, and shows the
//! minute under the pointer. There is no second renderer that could show something else.
//!
//! Nothing here can delay a cycle: requests see the newest
//! [`Snapshot`](crate::daemon::Snapshot) of a wearer, and the history is read on a separate thread.
//!
//! | file | contents |
//! |---|---|
//! | `server.rs` | connections, and their limits |
//! | `guard.rs` | access control: hosts, origins, the passphrase; and the headers of every reply |
//! | `passphrase.rs` | its check, and sessions |
//! | `subject.rs` | the wearer whom a request is about |
//! | `family.rs` | the first page if there are several wearers |
//! | `now.rs`, `day.rs`, `overview.rs`, `sign_in.rs` | the pages |
//! | `headline.rs`, `notice.rs`, `hours.rs` | the present's parts: the rate, what is wrong, the last 24 hours |
//! | `alarms.rs` | alarms on the page, and the API calls about them |
//! | `calendar.rs`, `range.rs` | a month's cells, and a day as a bar |
//! | `layout.rs`, `dates.rs`, `assets.rs`, `icons.rs` | what all pages share |
//! | `chart` | graphs: lines, what is behind them, legends |
//! | `zone_bar.rs`, `usual.rs` | the time in each zone, and what is usual at a time of day |
//! | `fleet` | the pages of a fleet: wearers in a database, and keys instead of the passphrase |
//! | `samples.rs` | the way in for samples that programs push |
//! | `api.rs`, `events.rs`, `metrics.rs`, `frame.rs` | the same data for programs |
//! | `openapi.rs`, `health.rs` | the description of the API; whether the daemon works |
//!
//! HTML is written with maud: it is checked at compile time, and every inserted value is escaped.

mod alarms;
mod api;
mod assets;
mod calendar;
mod chart;
mod dates;
mod day;
mod events;
mod family;
#[cfg(feature = "fleet")]
mod fleet;
mod frame;
mod guard;
mod headline;
mod health;
mod hours;
mod icons;
mod layout;
mod metrics;
mod notice;
mod now;
mod openapi;
mod overview;
#[cfg(test)]
mod palette;
mod passphrase;
mod range;
mod samples;
mod server;
mod sessions;
mod sign_in;
mod subject;
mod usual;
mod zone_bar;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use pulsewing_history::HistoryError;

use crate::{
    config::Config, daemon::Members, engine::clock::Clock, faces::messages::Messages,
    tell::console::Console,
};

#[cfg(feature = "fleet")]
pub(crate) use fleet::{Backing, NOTIFICATIONS, serve_fleet};
pub(crate) use server::Listener;

/// The default address of the page.
pub(crate) const LISTEN: SocketAddr =
    SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7373);

/// The data that every request can use.
struct Site {
    config: Arc<Config>,
    console: Console,
    clock: Clock,
    /// The wearers that this program polls itself; those of a fleet are in its database.
    members: Members,
    /// The channels that tell of alarms elsewhere, if there are any.
    messages: Option<Arc<Messages>>,
    #[cfg(feature = "fleet")]
    fleet: Option<fleet::Fleet>,
    guard: guard::Guard,
    frames: frame::Cache,
    sign_in: sign_in::Pending,
    /// The address of the page.
    address: SocketAddr,
}

/// The site, shared by all handlers.
type Shared = Arc<Site>;

impl Site {
    /// Returns the time on the program's clock.
    fn now(&self) -> Timestamp {
        self.clock.now().utc
    }
}

/// Serves the page. Returns only if the listener fails for good, which does not happen.
pub(crate) fn serve(
    config: Arc<Config>,
    console: Console,
    clock: Clock,
    members: Members,
    messages: Option<Arc<Messages>>,
    listener: Listener,
) -> impl Future<Output = ()> + use<> {
    let address = listener.address();
    let site = Arc::new(Site {
        guard: guard::Guard::new(&config.web, address),
        frames: frame::Cache::default(),
        sign_in: sign_in::Pending::default(),
        #[cfg(feature = "fleet")]
        fleet: None,
        config,
        console,
        clock,
        members,
        messages,
        address,
    });
    server::run(listener, router(site))
}

fn router(site: Shared) -> Router {
    // The only wearer's pages and calls, and those of each of several.
    let router = polled_pages(pages(Router::new(), ""), "").route("/", get(family::home));
    let router = polled_pages(pages(router, "/w/{wearer}"), "/w/{wearer}")
        .route("/w/{wearer}", get(family::to_wearer))
        .route("/w/{wearer}/", get(now::page));
    let of_one = "/api/v1/wearers/{wearer}";
    let router = samples::route(samples::route(router, "/api/v1"), of_one);
    let router = alarm_calls(calls(router, "/api/v1"), "/api/v1");
    alarm_calls(calls(router, of_one), of_one)
        .route("/family/events", get(family::events))
        .route("/api/v1/wearers", get(api::wearers))
        .route(openapi::PATH, get(openapi::document))
        .route(health::PATH, get(health::check))
        .route("/sign-in/done", get(sign_in::done))
        .route("/passphrase", get(passphrase::page).post(passphrase::enter))
        .route("/metrics", get(metrics::page))
        .route("/assets/{name}", get(assets::file))
        .route("/assets/state.svg", get(icons::state))
        .route("/favicon.ico", get(icons::state))
        .fallback(not_found)
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&site),
            guard::check,
        ))
        .layer(axum::extract::DefaultBodyLimit::max(16 * 1_024))
        .with_state(site)
}

/// Adds a wearer's pages, whose paths begin with `base`.
fn pages(router: Router<Shared>, base: &str) -> Router<Shared> {
    let path = |rest: &str| format!("{base}{rest}");
    router
        .route(&path("/update"), post(now::update))
        .route(&path("/day"), get(day::choose))
        .route(&path("/day/{date}"), get(day::page))
        .route(&path("/week/{date}"), get(overview::week))
        .route(&path("/month/{month}"), get(overview::month))
        .route(&path("/frame.png"), get(frame::png))
}

/// Adds the pages of a wearer who is polled here, whose paths begin with `base`: to sign in, and to silence
/// alarms.
fn polled_pages(router: Router<Shared>, base: &str) -> Router<Shared> {
    let path = |rest: &str| format!("{base}{rest}");
    router
        .route(&path("/sign-in"), get(sign_in::page).post(sign_in::begin))
        .route(&path("/sign-in/paste"), post(sign_in::paste))
        .route(&path("/alarms"), post(alarms::press))
}

/// Adds the API calls about a wearer, whose paths begin with `base`.
fn calls(router: Router<Shared>, base: &str) -> Router<Shared> {
    let path = |rest: &str| format!("{base}{rest}");
    router
        .route(&path("/now"), get(api::now))
        .route(&path("/days"), get(api::days))
        .route(&path("/days/{date}"), get(api::day))
        .route(&path("/events"), get(events::stream))
}

/// Adds the API calls about the alarms of a wearer who is polled here, whose paths begin with `base`.
fn alarm_calls(router: Router<Shared>, base: &str) -> Router<Shared> {
    let path = |rest: &str| format!("{base}{rest}");
    router
        .route(&path("/alarms"), get(alarms::list))
        .route(&path("/alarms/{kind}/snooze"), post(alarms::snooze))
        .route(
            &path("/alarms/{kind}/acknowledge"),
            post(alarms::acknowledge),
        )
}

async fn not_found(request: axum::extract::Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        return api::Error::new(StatusCode::NOT_FOUND, "there is no such API call").into_response();
    }
    layout::message(
        StatusCode::NOT_FOUND,
        "There is no such page",
        "There is nothing at this address. Start from the first page.",
    )
}

/// Builds the site of a daemon without settings.
#[cfg(test)]
fn empty_site(clock: Clock, members: Members) -> Shared {
    let config = Config::default();
    Arc::new(Site {
        guard: guard::Guard::new(&config.web, LISTEN),
        frames: frame::Cache::default(),
        sign_in: sign_in::Pending::default(),
        #[cfg(feature = "fleet")]
        fleet: None,
        console: Console::new(false, crate::tell::console::Colour::Never),
        config: Arc::new(config),
        clock,
        members,
        messages: None,
        address: LISTEN,
    })
}

/// Builds the page for a history that cannot be read.
fn unreadable(error: &HistoryError) -> Response {
    layout::message_with(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Past days cannot be shown",
        "Ask whoever set up Pulsewing to check its history. Today's values still update.",
        Some(&error.to_string()),
    )
}
