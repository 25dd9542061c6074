//! The page of a fleet: its wearers are in a database, and this program need not poll them itself.
//!
//! Who may see what is decided by the key that a request brings (`door.rs`), before anything is looked
//! up. Whatever a visitor is not to know of does not exist for them.
//!
//! | file | contents |
//! |---|---|
//! | `door.rs` | keys: of programs, and of people in a form; the visitor of a request |
//! | `visitor.rs` | **what a visitor may see, and the audit of it** |
//! | `stored.rs` | a wearer's state and history, loaded for a request |
//! | `home.rs` | the first page: the family board, or a list |
//! | `invitation.rs` | the page on which an invited wearer signs in |
//! | `notifications.rs` | the endpoint of the Google Health API |
//! | `list.rs` | the list of wearers, and the metrics, for programs |
//!
//! [`Backing`] is all that the page knows of the fleet.

mod door;
mod home;
mod invitation;
mod list;
mod notifications;
mod stored;
mod visitor;

use std::sync::Arc;

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::future::BoxFuture;
use pulsewing_core::AuthorizationCode;
use pulsewing_fleet::{Database, Error, Wearer};
use pulsewing_history::{Dates, MemoryHistory};

use super::{
    Shared, Site, api, assets, calls, family, frame, guard, health, icons, layout, not_found, now,
    openapi, pages,
};
use crate::{
    config::{Config, WebConfig, wearer::WearerConfig},
    daemon::{Members, Snapshot},
    engine::{clock::Clock, http::cloud::Cloud},
    faces::web::{Listener, server, sign_in},
    sign_in::SignIn,
    tell::{console::Console, problem::Problem},
};

pub(crate) use notifications::PATH as NOTIFICATIONS;
pub(super) use stored::Stored;

/// What the page needs of a fleet.
pub(crate) trait Backing: Send + Sync {
    /// Returns the database.
    fn database(&self) -> &Database;

    /// Returns a wearer's settings.
    fn settings(&self, wearer: &Wearer) -> WearerConfig;

    /// Returns a wearer's current state.
    fn snapshot<'a>(&'a self, wearer: &'a Wearer) -> BoxFuture<'a, Result<Snapshot, Problem>>;

    /// Loads these dates of a wearer's history.
    fn history<'a>(
        &'a self,
        wearer: &'a Wearer,
        dates: Dates,
    ) -> BoxFuture<'a, Result<MemoryHistory, Problem>>;

    /// Signs a wearer in with an invitation, which is used up then.
    fn accept<'a>(
        &'a self,
        invitation: &'a str,
        wearer: &'a Wearer,
        sign_in: &'a SignIn,
        code: &'a AuthorizationCode,
    ) -> BoxFuture<'a, Result<(), Problem>>;

    /// Returns how many turns this program has given, by their results.
    fn turns(&self) -> Vec<(&'static str, u64)>;
}

/// A fleet's part of the site.
pub(super) struct Fleet {
    backing: Arc<dyn Backing>,
    door: door::Door,
    invited: invitation::Invited,
    notifications: Option<Arc<notifications::Notifications>>,
}

/// Serves the page of a fleet, and the endpoint for notifications if there is a secret for it. Returns
/// only if the listener fails for good, which does not happen.
///
/// # Errors
/// A [`Problem`] with the addresses or certificates in the configuration.
pub(crate) fn serve_fleet(
    config: Arc<Config>,
    console: Console,
    clock: Clock,
    backing: Arc<dyn Backing>,
    listener: Listener,
) -> Result<impl Future<Output = ()> + use<>, Problem> {
    let address = listener.address();
    let secret = config.webhook.secret.clone();
    let notifications = match secret {
        Some(secret) => {
            let cloud = Cloud::new(&config.endpoints)?;
            let all = notifications::Notifications::new(secret, cloud, clock.clone());
            Some(all)
        }
        None => None,
    };
    // Keys take the place of the passphrase.
    let web = WebConfig {
        passphrase: None,
        ..config.web.clone()
    };
    let site = Arc::new(Site {
        // A fleet has no alarms.
        messages: None,
        guard: guard::Guard::new(&web, address),
        frames: frame::Cache::default(),
        sign_in: sign_in::Pending::default(),
        fleet: Some(Fleet {
            backing,
            door: door::Door::new(&web, address),
            invited: invitation::Invited::default(),
            notifications: notifications.clone(),
        }),
        config,
        console,
        clock,
        members: Members::default(),
        address,
    });
    let serving = server::run(listener, router(Arc::clone(&site)));
    Ok(async move {
        if let Some(fleet) = &site.fleet
            && let Err(error) = fleet
                .door
                .lock_if_there_are_keys(fleet.backing.database())
                .await
        {
            // The first visitor's request asks again.
            tracing::warn!(%error, "could not look whether there are keys");
        }
        match notifications {
            None => serving.await,
            Some(all) => tokio::select! {
                () = serving => {}
                () = all.keep_keys() => {}
            },
        }
    })
}

pub(super) fn router(site: Shared) -> Router {
    let router = pages(Router::new(), "/w/{wearer}")
        .route("/w/{wearer}", get(family::to_wearer))
        .route("/w/{wearer}/", get(now::page));
    calls(router, "/api/v1/wearers/{wearer}")
        .route("/", get(home::page))
        .route("/family/events", get(home::events))
        .route("/api/v1/wearers", get(list::wearers))
        .route(openapi::PATH, get(openapi::document))
        .route("/metrics", get(list::metrics))
        .route("/key", get(door::page).post(door::enter))
        .route("/key/forget", post(door::forget))
        .route("/invitation/done", get(invitation::done))
        .route("/sign-in/done", get(invitation::done))
        .route(
            "/invitation/{digits}",
            get(invitation::page).post(invitation::begin),
        )
        .route("/invitation/{digits}/paste", post(invitation::paste))
        .route("/assets/{name}", get(assets::file))
        .route("/assets/state.svg", get(icons::state))
        .route("/favicon.ico", get(icons::state))
        .fallback(not_found)
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&site),
            door::check,
        ))
        // A supervisor has no key, and is told nothing of anybody.
        .route(health::PATH, get(health::check))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&site),
            guard::check,
        ))
        // Google authenticates itself, and comes by whatever name the proxy has.
        .route(NOTIFICATIONS, post(notifications::endpoint))
        .layer(axum::extract::DefaultBodyLimit::max(16 * 1_024))
        .with_state(site)
}

/// Builds the reply for a database that does not answer. What it said is for the log: it may name
/// machines.
fn unavailable(is_call: bool, error: &Error) -> Response {
    tracing::warn!(%error, "the page could not ask the database");
    let words = "the database does not answer; try again in a minute";
    match is_call {
        true => api::Error::new(StatusCode::SERVICE_UNAVAILABLE, words).into_response(),
        false => layout::message(
            StatusCode::SERVICE_UNAVAILABLE,
            "The database does not answer",
            "Nothing is lost. Try again in a minute.",
        ),
    }
}

/// Builds the reply for a wearer whose data cannot be loaded.
fn unloadable(is_call: bool, problem: &Problem) -> Response {
    tracing::warn!(%problem, "the page could not load a wearer");
    let words = "the wearer's data could not be loaded; try again in a minute";
    match is_call {
        true => api::Error::new(StatusCode::SERVICE_UNAVAILABLE, words).into_response(),
        false => layout::message(
            StatusCode::SERVICE_UNAVAILABLE,
            "This wearer's data could not be loaded",
            "Nothing is lost. Try again in a minute.",
        ),
    }
}
