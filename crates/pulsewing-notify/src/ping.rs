//! The dead man's switch: somebody else notices that Pulsewing is dead, because its pings stop.
//!
//! A ping says that an update was complete, or what trouble Pulsewing itself is in. It has no health data: the
//! type of its trouble has room for none.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pulsewing_core::alarm::Trouble;
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::{sync::watch, task::JoinHandle, time::Instant};
use zeroize::Zeroizing;

use crate::{
    address::{self, AddressError, Shape},
    attempt::{How, persist},
    carrier::Carrier,
    form::Request,
    outbox::Clock,
    verdict::{Failure, success},
};

/// healthchecks.io leaves out more than five pings a minute, and several wearers update within one.
const APART: Duration = Duration::from_secs(60);

/// The address of a dead man's switch. It is a secret, so `Debug` does not show it.
///
/// | service | address | a ping | trouble |
/// |---|---|---|---|
/// | healthchecks.io and its like | `https://hc-ping.com/UUID`, or with key and slug | `GET` it | `POST` a line to `/fail` below it |
/// | Uptime Kuma's push monitor | has `/api/push/` in its path | `GET` it with `?status=up&msg=OK` | `GET` it with `?status=down&msg=LINE` |
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PingUrl(Url);

impl TryFrom<String> for PingUrl {
    type Error = PingUrlError;

    fn try_from(text: String) -> Result<Self, PingUrlError> {
        // A switch in the same house may have no TLS; nothing about a wearer is in a ping.
        let url = address::parse(&text, Shape::Any, true).map_err(PingUrlError)?;
        Ok(Self(url))
    }
}

/// The address of a dead man's switch cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`ping` {0}")]
pub struct PingUrlError(AddressError);

impl std::fmt::Debug for PingUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PingUrl({}/..)", address::origin(&self.0))
    }
}

impl PingUrl {
    /// Returns the request that tells how Pulsewing is.
    fn request(&self, trouble: Option<Trouble>) -> Request {
        let line = trouble.map(line);
        if self.0.path().contains("/api/push/") {
            return Request::get(self.of_kuma(line.as_deref()));
        }
        match line {
            None => Request::get(self.0.clone()),
            Some(line) => {
                let body = Zeroizing::new(line.into_bytes());
                let url = address::below(&self.0, "/fail");
                Request::post(url, "text/plain; charset=utf-8", body)
            }
        }
    }

    /// Uptime Kuma shows an address with a query to copy: ours takes its place.
    fn of_kuma(&self, line: Option<&str>) -> Url {
        let mut url = self.0.clone();
        let (status, message) = match line {
            None => ("up", "OK"),
            Some(line) => ("down", line),
        };
        url.query_pairs_mut()
            .clear()
            .append_pair("status", status)
            .append_pair("msg", message)
            .append_pair("ping", "");
        url
    }
}

/// Says the trouble in one line.
fn line(trouble: Trouble) -> String {
    match trouble {
        Trouble::UpdatesFail { since } => {
            let at = since.strftime("%Y-%m-%d %H:%M UTC");
            format!("updates have failed since {at}")
        }
        Trouble::TokensNotStored => "new tokens cannot be stored".to_owned(),
        Trouble::NothingWritten => "nothing can be written to the disk".to_owned(),
        Trouble::ClockSetBack => "the machine's clock was set back".to_owned(),
    }
}

/// Sends pings, in a task of its own. A ping that is overtaken by a newer one is not sent.
///
/// Dropping it ends the task.
pub struct Ping {
    latest: watch::Sender<Option<Beat>>,
    failure: Arc<Mutex<Option<Failure>>>,
    task: JoinHandle<()>,
}

/// How Pulsewing is.
type Beat = Option<Trouble>;

impl Ping {
    /// Starts the task. It must be called within a Tokio runtime.
    #[must_use]
    pub fn start(url: PingUrl, client: Client, clock: Clock) -> Self {
        Self::start_with(url, client, clock)
    }

    fn start_with(url: PingUrl, carrier: impl Carrier, clock: Clock) -> Self {
        let (latest, beats) = watch::channel(None);
        let failure = Arc::default();
        let heart = Heart {
            url,
            carrier,
            clock,
            beats,
            failure: Arc::clone(&failure),
            last_good: None,
        };
        let task = tokio::spawn(heart.run());
        Self {
            latest,
            failure,
            task,
        }
    }

    /// Tells that an update was complete, signed in and answered; or what trouble Pulsewing itself is in. It
    /// returns at once. Of pings without trouble one a minute is sent.
    pub fn beat(&self, trouble: Option<Trouble>) {
        self.latest.send_replace(Some(trouble));
    }

    /// Returns why the last ping could not be sent; `None` if it was, or if there was none.
    #[must_use]
    pub fn last_error(&self) -> Option<Failure> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone()
    }
}

impl Drop for Ping {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl std::fmt::Debug for Ping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ping(..)")
    }
}

/// The task.
struct Heart<C> {
    url: PingUrl,
    carrier: C,
    clock: Clock,
    beats: watch::Receiver<Option<Beat>>,
    failure: Arc<Mutex<Option<Failure>>>,
    /// When the last ping without trouble was taken, if no other came after it.
    last_good: Option<Instant>,
}

impl<C: Carrier> Heart<C> {
    async fn run(mut self) {
        while self.beats.changed().await.is_ok() {
            let Some(beat) = *self.beats.borrow_and_update() else {
                continue;
            };
            let is_soon = self.last_good.is_some_and(|at| at.elapsed() < APART);
            if beat.is_some() || !is_soon {
                self.send(beat).await;
            }
        }
    }

    /// Sends a ping up to four times; each try sends the newest one.
    async fn send(&mut self, mut beat: Beat) {
        let (url, beats) = (&self.url, &mut self.beats);
        let request = || {
            beat = (*beats.borrow_and_update()).unwrap_or(beat);
            Some(url.request(beat))
        };
        let judge = |reply| success(reply, (self.clock)(), |_| None);
        let ended = persist(&self.carrier, request, judge).await;
        match ended.how {
            How::Taken(_) => {
                self.last_good = beat.is_none().then(Instant::now);
                self.note(None);
            }
            How::Failed(failure) => {
                tracing::warn!("the ping was not taken: {failure}");
                self.note(Some(failure));
            }
            How::Withdrawn => {}
        }
    }

    fn note(&self, failure: Option<Failure>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

#[cfg(test)]
mod tests;
