//! The wearer whom a request is about.

use std::{pin::Pin, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use pulsewing_history::{Dates, History, HistoryError};
use tokio_stream::{Stream, wrappers::WatchStream};

#[cfg(feature = "fleet")]
use super::fleet::Stored;
use super::{Shared, api, guard, layout};
use crate::{
    config::wearer::WearerConfig,
    daemon::{Member, Snapshot},
    tell::problem::Problem,
};

/// A wearer's states, as they change.
pub(super) type Changes = Pin<Box<dyn Stream<Item = Arc<Snapshot>> + Send>>;

/// The wearer whom a request is about: the one in its path, else the only one. The visitor may see
/// this wearer's heart rate, or there would be no subject.
pub(super) struct Subject {
    /// The site.
    pub site: Shared,
    /// The wearer.
    pub wearer: WearerConfig,
    /// The beginning of the paths of this wearer's pages, such as `/w/anna`; empty for the only
    /// wearer's.
    pub base: String,
    /// The state at the time of the request.
    snapshot: Arc<Snapshot>,
    source: Source,
}

/// Where a wearer's state and history come from.
enum Source {
    /// This program polls the wearer.
    Polled(Box<Member>),
    /// The fleet's database has them.
    #[cfg(feature = "fleet")]
    Stored(Stored),
}

impl Subject {
    /// Returns the wearer's state at the time of the request.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    /// Returns the time on the program's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.site.now()
    }

    /// Returns the path of the wearer's API calls.
    pub(super) fn api(&self) -> String {
        match self.base.as_str() {
            "" => "/api/v1".to_owned(),
            _ => format!("/api/v1/wearers/{}", self.wearer.id),
        }
    }

    /// Returns whether there is a page to sign this wearer in.
    pub(super) const fn has_sign_in(&self) -> bool {
        match self.source {
            Source::Polled(_) => true,
            #[cfg(feature = "fleet")]
            Source::Stored(_) => false,
        }
    }

    /// Has the wearer updated soon.
    ///
    /// # Errors
    /// A [`Problem`] with the database.
    pub(super) async fn update_now(&self) -> Result<(), Problem> {
        match &self.source {
            Source::Polled(member) => {
                member.broadcast.update_now();
                Ok(())
            }
            #[cfg(feature = "fleet")]
            Source::Stored(stored) => stored.update_now().await,
        }
    }

    /// Returns the wearer's states, from now on.
    pub(super) fn changes(&self) -> Changes {
        match &self.source {
            Source::Polled(member) => Box::pin(WatchStream::new(member.broadcast.subscribe())),
            #[cfg(feature = "fleet")]
            Source::Stored(stored) => stored.changes(self.snapshot()),
        }
    }

    /// Reads the wearer's history of these dates on a separate thread; `None` while there is none.
    pub(super) async fn history<T: Send + 'static>(
        &self,
        dates: Dates,
        read: impl FnOnce(&History) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<Option<T>, HistoryError> {
        let read = match &self.source {
            Source::Polled(member) => {
                let place = member.broadcast.place().clone();
                tokio::task::spawn_blocking(move || match place.history()? {
                    Some(history) => read(&history).map(Some),
                    None => Ok(None),
                })
            }
            #[cfg(feature = "fleet")]
            Source::Stored(stored) => {
                let history = stored.history(dates).await?;
                tokio::task::spawn_blocking(move || read(history.history()).map(Some))
            }
        };
        #[cfg(not(feature = "fleet"))]
        let _ = dates;
        match read.await {
            Ok(result) => result,
            Err(error) => Err(std::io::Error::other(error).into()),
        }
    }
}

impl FromRequestParts<Shared> for Subject {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Response> {
        let params = RawPathParams::from_request_parts(parts, site).await;
        let named = params.ok().and_then(|params| {
            let mut params = params.iter();
            let wearer = params.find(|(name, _)| *name == "wearer")?;
            Some(wearer.1.to_owned())
        });
        #[cfg(feature = "fleet")]
        if let Some(fleet) = &site.fleet {
            let found = fleet.subject(parts, named.as_deref().unwrap_or_default());
            let (stored, wearer, snapshot) = found.await?;
            return Ok(Self {
                site: Arc::clone(site),
                base: format!("/w/{}", wearer.id),
                wearer,
                snapshot: Arc::new(snapshot),
                source: Source::Stored(stored),
            });
        }
        let all = site.members.all();
        let found = match &named {
            Some(id) => all.iter().find(|member| member.wearer.id.as_str() == id),
            None => match all.as_slice() {
                [only] => Some(only),
                _ => None,
            },
        };
        let Some(member) = found.cloned() else {
            return Err(unknown(parts, named.is_some(), all.first()));
        };
        let base = named.map_or_else(String::new, |id| format!("/w/{id}"));
        Ok(Self {
            site: Arc::clone(site),
            wearer: member.wearer.clone(),
            base,
            snapshot: member.broadcast.snapshot(),
            source: Source::Polled(Box::new(member)),
        })
    }
}

/// A subject whom this program polls, and so can sign in.
pub(super) struct Polled {
    /// The wearer whom the request is about.
    pub subject: Subject,
    /// The same, as one of those that are polled.
    pub member: Member,
}

impl FromRequestParts<Shared> for Polled {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Response> {
        let subject = Subject::from_request_parts(parts, site).await?;
        match &subject.source {
            Source::Polled(member) => Ok(Self {
                member: (**member).clone(),
                subject,
            }),
            #[cfg(feature = "fleet")]
            Source::Stored(_) => Err(layout::message(
                StatusCode::NOT_FOUND,
                "There is no such page",
                "Wearers of this fleet sign in with an invitation.",
            )),
        }
    }
}

/// Builds the reply to a request about nobody in particular, or about nobody we know.
fn unknown(parts: &Parts, is_named: bool, one: Option<&Member>) -> Response {
    let example = one.map_or("ID", |member| member.wearer.id.as_str());
    match (guard::is_call(parts.uri.path()), is_named) {
        (_, true) => nobody(parts),
        (true, false) if one.is_none() => {
            api::Error::new(StatusCode::NOT_FOUND, "there are no wearers").into_response()
        }
        (true, false) => api::Error::new(
            StatusCode::NOT_FOUND,
            format!("this call is for an only wearer; ask for one of several, such as with /api/v1/wearers/{example}/now"),
        )
        .into_response(),
        // A program would take the page for a picture.
        (false, false) if parts.uri.path() == "/frame.png" => {
            let words = format!("There are several wearers, and a picture of each, such as /w/{example}/frame.png.");
            layout::message(StatusCode::NOT_FOUND, "Whose picture?", &words)
        }
        // Such as a bookmark from before there were several wearers.
        (false, false) if parts.method == Method::GET => Redirect::to("/").into_response(),
        (false, false) => no_such_page(),
    }
}

/// Builds the reply to a request about a wearer whom nobody knows, or of whom this visitor is not to
/// know: the two must look alike.
pub(super) fn nobody(parts: &Parts) -> Response {
    if guard::is_call(parts.uri.path()) {
        return api::Error::new(
            StatusCode::NOT_FOUND,
            "there is no such wearer; /api/v1/wearers lists them",
        )
        .into_response();
    }
    no_such_page()
}

fn no_such_page() -> Response {
    layout::message(
        StatusCode::NOT_FOUND,
        "There is no such wearer",
        "Choose one on the first page.",
    )
}
