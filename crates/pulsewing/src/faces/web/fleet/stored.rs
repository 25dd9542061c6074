//! A wearer whose state and history are in the fleet's database, loaded for a request.

use std::{io, sync::Arc, time::Duration};

use axum::{
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use pulsewing_fleet::{Error, Wearer, WearerId};
use pulsewing_history::{Dates, HistoryError, MemoryHistory};
use tokio_stream::StreamExt as _;

use super::{
    super::{
        api, guard, layout,
        subject::{Changes, nobody},
    },
    Backing, Fleet, unavailable, unloadable,
    visitor::Visitor,
};
use crate::{config::wearer::WearerConfig, daemon::Snapshot, tell::problem::Problem};

/// The interval between looks at a wearer's state while somebody listens to its changes. In real time,
/// like everything that concerns a connection.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// The length limit of the path in a line of the audit.
const LONGEST_NOTE: usize = 120;

/// A wearer of the fleet, for a visitor who may see the heart rate.
pub(in super::super) struct Stored {
    backing: Arc<dyn Backing>,
    wearer: Wearer,
    visitor: Visitor,
}

impl Fleet {
    /// Returns the wearer with this id and their state, if the visitor may see them, and notes that.
    pub(in super::super) async fn subject(
        &self,
        parts: &Parts,
        id: &str,
    ) -> Result<(Stored, WearerConfig, Snapshot), Response> {
        let path = parts.uri.path();
        let is_call = guard::is_call(path);
        let database = self.backing.database();
        // Without the door's word nobody is let in.
        let visitor = parts.extensions.get::<Visitor>().cloned();
        let (Some(visitor), Ok(id)) = (visitor, id.parse::<WearerId>()) else {
            return Err(nobody(parts));
        };
        let wearer = match database.wearer(&id).await {
            Ok(wearer) if visitor.knows(&wearer) => wearer,
            Ok(_) | Err(Error::NoSuchWearer(_)) => return Err(nobody(parts)),
            Err(error) => return Err(unavailable(is_call, &error)),
        };
        if !visitor.sees_rates(&wearer) {
            return Err(no_rates(is_call));
        }
        // Whatever was asked for, a line of the audit stays short.
        let what: String = path.chars().take(LONGEST_NOTE).collect();
        let noted = visitor.note(database, std::slice::from_ref(&wearer), &what);
        if let Err(error) = noted.await {
            return Err(unavailable(is_call, &error));
        }
        let snapshot = self.backing.snapshot(&wearer).await;
        let snapshot = snapshot.map_err(|problem| unloadable(is_call, &problem))?;
        let settings = self.backing.settings(&wearer);
        let stored = Stored {
            backing: Arc::clone(&self.backing),
            wearer,
            visitor,
        };
        Ok((stored, settings, snapshot))
    }
}

fn no_rates(is_call: bool) -> Response {
    match is_call {
        true => api::Error::new(
            StatusCode::FORBIDDEN,
            "an operator's key shows states, never heart rates",
        )
        .into_response(),
        false => layout::message(
            StatusCode::FORBIDDEN,
            "Your key does not show heart rates",
            "An operator sees the states of wearers, on the first page.",
        ),
    }
}

impl Stored {
    /// Makes the wearer due.
    ///
    /// # Errors
    /// The database's, in words.
    pub(in super::super) async fn update_now(&self) -> Result<(), Problem> {
        let woken = self.backing.database().wake(&self.wearer).await;
        woken.map_err(|error| {
            tracing::warn!(%error, "a wearer could not be woken");
            Problem::failed("the database does not answer; try again in a minute")
        })
    }

    /// Loads these dates of the history.
    ///
    /// # Errors
    /// A [`HistoryError`] without details, which are in the log.
    pub(in super::super) async fn history(
        &self,
        dates: Dates,
    ) -> Result<MemoryHistory, HistoryError> {
        let loaded = self.backing.history(&self.wearer, dates).await;
        loaded.map_err(|problem| {
            tracing::warn!(%problem, "a history could not be loaded");
            io::Error::other("the database does not answer").into()
        })
    }

    /// Returns this state and those that follow, for as long as the visitor may see them.
    pub(in super::super) fn changes(&self, first: Arc<Snapshot>) -> Changes {
        let listener = Listener {
            backing: Arc::clone(&self.backing),
            wearer: self.wearer.clone(),
            visitor: self.visitor.clone(),
            seen: None,
        };
        let later = futures_util::stream::unfold(listener, Listener::next);
        Box::pin(tokio_stream::once(first).chain(later))
    }
}

/// Somebody who listens to a wearer's changes.
struct Listener {
    backing: Arc<dyn Backing>,
    wearer: Wearer,
    visitor: Visitor,
    /// The state that was looked at last, as it is stored.
    seen: Option<Option<String>>,
}

impl Listener {
    /// Waits for another state; `None` once the visitor may see none, or there is no such wearer.
    async fn next(mut self) -> Option<(Arc<Snapshot>, Self)> {
        loop {
            // The first look follows the state that was sent at once by little, so it is compared with
            // what is stored now: a change in between is seen as the next one at the latest.
            if self.seen.is_some() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            match self.look().await {
                Ok(Some(snapshot)) => return Some((Arc::new(snapshot), self)),
                Ok(None) => {}
                Err(Ended::Refused) => return None,
                // It is asked again.
                Err(Ended::Unanswered) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn look(&mut self) -> Result<Option<Snapshot>, Ended> {
        let database = self.backing.database();
        if !self.visitor.still_sees(database, &self.wearer).await? {
            return Err(Ended::Refused);
        }
        // Somebody else may have come under the same id, or nobody.
        if database.wearer(&self.wearer.id).await? != self.wearer {
            return Err(Ended::Refused);
        }
        let state = database.load_state(&self.wearer).await?;
        if self.seen.as_ref() == Some(&state) {
            return Ok(None);
        }
        let is_first = self.seen.is_none();
        if is_first {
            self.seen = Some(state);
            return Ok(None);
        }
        let what = "a change in a stream of events";
        let noted = self
            .visitor
            .note(database, std::slice::from_ref(&self.wearer), what);
        noted.await?;
        let snapshot = self.backing.snapshot(&self.wearer).await;
        let snapshot = snapshot.map_err(|_| Ended::Unanswered)?;
        self.seen = Some(state);
        Ok(Some(snapshot))
    }
}

/// Why there is no state to show.
enum Ended {
    /// The visitor may not see it any more, or the wearer was removed.
    Refused,
    /// The database did not answer.
    Unanswered,
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchWearer(_) => Self::Refused,
            _ => Self::Unanswered,
        }
    }
}
