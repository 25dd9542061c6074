//! The daemon's page: the heart rate in any browser, and the same data for programs.
//!
//! Everything is rendered here, as HTML and SVG, so that the essentials need no script.
//! `assets/page.js` only keeps an open page up to date: it receives changes (server-sent events),
//! fetches the page's own address again and replaces the new parts, updates the age, and shows the
//! minute under the pointer. There is no second renderer that could show something else.
//!
//! Nothing here can delay a cycle: requests see the [`Broadcast`]'s newest [`Snapshot`], and the
//! history is read on a separate thread.
//!
//! | file | contents |
//! |---|---|
//! | `server.rs` | connections, and their limits |
//! | `guard.rs` | access control: hosts, origins, the passphrase; and the headers of every reply |
//! | `passphrase.rs` | its check, and sessions |
//! | `now.rs`, `day.rs`, `overview.rs`, `sign_in.rs` | the pages |
//! | `layout.rs` | the parts that all pages share |
//! | `chart.rs` | graphs |
//! | `api.rs`, `events.rs`, `metrics.rs`, `frame.rs` | the same data for programs |
//!
//! HTML is written with maud: it is checked at compile time, and every inserted value is escaped.

mod api;
mod assets;
mod chart;
mod day;
mod events;
mod frame;
mod guard;
mod layout;
mod metrics;
mod now;
mod overview;
mod passphrase;

mod server;
mod sessions;
mod sign_in;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use pulsewing_history::{History, HistoryError};

use crate::{
    config::{Config, places},
    daemon::{Broadcast, Snapshot},
    faces::outputs::Style,
    tell::console::Console,
};

pub(crate) use server::Listener;

/// The default address of the page.
pub(crate) const LISTEN: SocketAddr =
    SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7373);

/// The data that every request can use.
struct Site {
    config: Config,
    console: Console,
    broadcast: Broadcast,
    guard: guard::Guard,
    style: Mutex<Style>,
    frames: frame::Cache,
    sign_in: sign_in::Pending,
    /// The address of the page.
    address: SocketAddr,
}

/// The site, shared by all handlers.
type Shared = Arc<Site>;

impl Site {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.broadcast.snapshot()
    }

    /// Returns the time on the program's clock.
    fn now(&self) -> Timestamp {
        self.broadcast.now().utc
    }

    fn style(&self) -> std::sync::MutexGuard<'_, Style> {
        self.style.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the history on a separate thread; `None` while there is none.
    async fn history<T: Send + 'static>(
        &self,
        read: impl FnOnce(&History) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<Option<T>, HistoryError> {
        let dir = self.broadcast.state_dir().clone();
        let read = tokio::task::spawn_blocking(move || {
            match History::open_existing(&dir, places::WEARER)? {
                Some(history) => read(&history).map(Some),
                None => Ok(None),
            }
        });
        match read.await {
            Ok(result) => result,
            Err(error) => Err(std::io::Error::other(error).into()),
        }
    }
}

/// Serves the page. Returns only if the listener fails for good, which does not happen.
pub(crate) fn serve(
    config: Config,
    console: Console,
    broadcast: Broadcast,
    listener: Listener,
) -> impl Future<Output = ()> + use<> {
    let address = listener.address();
    let site = Arc::new(Site {
        guard: guard::Guard::new(&config.web, address),
        style: Mutex::new(Style::new(&config.screen, console, None, None)),
        frames: frame::Cache::default(),
        sign_in: sign_in::Pending::default(),
        config,
        console,
        broadcast,
        address,
    });
    server::run(listener, router(site))
}

fn router(site: Shared) -> Router {
    Router::new()
        .route("/", get(now::page))
        .route("/update", post(now::update))
        .route("/day", get(day::choose))
        .route("/day/{date}", get(day::page))
        .route("/week/{date}", get(overview::week))
        .route("/month/{month}", get(overview::month))
        .route("/sign-in", get(sign_in::page).post(sign_in::begin))
        .route("/sign-in/paste", post(sign_in::paste))
        .route("/sign-in/done", get(sign_in::done))
        .route("/passphrase", get(passphrase::page).post(passphrase::enter))
        .route("/frame.png", get(frame::png))
        .route("/metrics", get(metrics::page))
        .route("/api/v1/now", get(api::now))
        .route("/api/v1/days", get(api::days))
        .route("/api/v1/days/{date}", get(api::day))
        .route("/api/v1/events", get(events::stream))
        .route("/assets/{name}", get(assets::file))
        .route("/favicon.ico", get(assets::icon))
        .fallback(not_found)
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&site),
            guard::check,
        ))
        .layer(axum::extract::DefaultBodyLimit::max(16 * 1_024))
        .with_state(site)
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

/// Builds the page for a history that cannot be read.
fn unreadable(error: &HistoryError) -> Response {
    layout::message_with(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Past days cannot be shown",
        "Ask whoever set up Pulsewing to check its history. Today's values still update.",
        Some(&error.to_string()),
    )
}
