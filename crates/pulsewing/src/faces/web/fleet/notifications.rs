//! The endpoint for notifications of the Google Health API: a wearer whose data changed is due at once.
//!
//! It answers before it looks anybody up, because Google waits. A notification that is then lost costs
//! only time: everybody is polled as well. Somebody whom nobody knows is counted, and is nobody.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use pulsewing_core::Provider;
use pulsewing_fleet::{Database, Error};
use pulsewing_webhook::{
    Headers, KEYSET_URL, Keys, MAX_BODY, MAX_KEYSET, Outcome, SIGNATURE_HEADER, Secret, receive,
};
use tokio::sync::Notify;

use super::super::Shared;
use crate::{
    engine::{
        clock::Clock,
        http::cloud::{Asked, Cloud},
    },
    tell::problem::Problem,
};

/// The path of the endpoint.
pub(crate) const PATH: &str = "/google/notifications";

/// The interval between looks whether the keys must be fetched, in real time.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The endpoint's secret, Google's keys, and what came.
pub(super) struct Notifications {
    secret: Secret,
    keys: Mutex<Keys>,
    cloud: Cloud,
    clock: Clock,
    /// Notified when the keys may have to be fetched.
    look: Notify,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    verifications: AtomicU64,
    accepted: AtomicU64,
    keys_needed: AtomicU64,
    refused: AtomicU64,
    known: AtomicU64,
    unknown: AtomicU64,
    failed: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Notifications {
    pub(super) fn new(secret: Secret, cloud: Cloud, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            secret,
            keys: Mutex::new(Keys::new()),
            cloud,
            clock,
            look: Notify::new(),
            counts: Counts::default(),
        })
    }

    /// Returns how many requests came, by what they were.
    pub(super) fn requests(&self) -> [(&'static str, u64); 4] {
        let counts = &self.counts;
        [
            ("verification", &counts.verifications),
            ("accepted", &counts.accepted),
            ("keys-needed", &counts.keys_needed),
            ("refused", &counts.refused),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }

    /// Returns how many persons they were about, by whether they are wearers.
    pub(super) fn persons(&self) -> [(&'static str, u64); 3] {
        let counts = &self.counts;
        [
            ("known", &counts.known),
            ("unknown", &counts.unknown),
            ("not-looked-up", &counts.failed),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.now().utc
    }

    /// Keeps Google's keys as fresh as they must be. Never returns.
    pub(super) async fn keep_keys(&self) {
        loop {
            let is_due = self.keys().poll_fetch(self.now());
            if is_due && let Err(problem) = self.fetch().await {
                tracing::warn!(%problem, "the keys that sign notifications could not be fetched");
            }
            tokio::select! {
                () = self.look.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn fetch(&self) -> Result<(), Problem> {
        let asked = Asked {
            method: "GET",
            url: KEYSET_URL,
            authorization: None,
            body: None,
        };
        let (status, body) = self.cloud.ask(asked, MAX_KEYSET).await?;
        if status != 200 {
            return Err(Problem::failed(format!(
                "the keyset's server answered with status {status}"
            )));
        }
        let taken = self.keys().handle_keyset(&body, self.now());
        taken.map_err(|error| Problem::failed("that is no keyset").caused_by(&error))
    }

    /// Judges a request. Its body is read only if it has the secret.
    async fn judge(&self, request: Request) -> Outcome {
        let (parts, body) = request.into_parts();
        let headers = headers_of(&parts.headers);
        let has_secret = headers
            .authorization
            .is_some_and(|value| self.secret.authorizes(value));
        let body = match has_secret {
            // One byte too many is enough to tell that it is too long.
            true => match to_bytes(body, MAX_BODY).await {
                Ok(body) => body,
                Err(_) => vec![b' '; MAX_BODY + 1].into(),
            },
            false => axum::body::Bytes::new(),
        };
        let now = self.now();
        let mut keys = self.keys();
        let outcome = receive(&self.secret, headers, &body, now, &mut keys);
        let must_fetch = keys.next_fetch(now) <= now;
        drop(keys);
        if must_fetch {
            self.look.notify_one();
        }
        outcome
    }

    /// Makes these persons due, if they are wearers.
    async fn wake(&self, database: &Database, persons: BTreeSet<String>) {
        for person in persons {
            match wake(database, &person).await {
                Ok(true) => count(&self.counts.known),
                Ok(false) => count(&self.counts.unknown),
                Err(error) => {
                    count(&self.counts.failed);
                    tracing::warn!(%error, "a notification was not followed; polling goes on");
                }
            }
        }
    }
}

/// Makes the wearer who is this person due; returns whether there is one.
async fn wake(database: &Database, health_user_id: &str) -> Result<bool, Error> {
    let google = Provider::Google.name();
    let Some(wearer) = database.find_person(google, health_user_id).await? else {
        return Ok(false);
    };
    match database.wake(&wearer).await {
        // Removed just now.
        Err(Error::NoSuchWearer(_)) => Ok(false),
        woken => woken.map(|()| true),
    }
}

fn headers_of(headers: &HeaderMap) -> Headers<'_> {
    let first = |name: &str| headers.get(name).map(|value| value.as_bytes());
    Headers {
        authorization: first(header::AUTHORIZATION.as_str()),
        signature: first(SIGNATURE_HEADER),
    }
}

/// Answers what Google sends.
pub(super) async fn endpoint(State(site): State<Shared>, request: Request) -> Response {
    let fleet = site.fleet.as_ref();
    let Some((fleet, all)) = fleet.and_then(|fleet| Some((fleet, fleet.notifications.as_ref()?)))
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let outcome = all.judge(request).await;
    let status = StatusCode::from_u16(outcome.status()).unwrap_or(StatusCode::FORBIDDEN);
    match outcome {
        Outcome::Verification => count(&all.counts.verifications),
        Outcome::Accepted(notifications) => {
            count(&all.counts.accepted);
            let persons = notifications.all.into_iter();
            let persons = persons.map(|it| it.health_user_id).collect();
            let (all, backing) = (Arc::clone(all), Arc::clone(&fleet.backing));
            tokio::spawn(async move { all.wake(backing.database(), persons).await });
        }
        Outcome::KeysNeeded => count(&all.counts.keys_needed),
        _ => count(&all.counts.refused),
    }
    status.into_response()
}
