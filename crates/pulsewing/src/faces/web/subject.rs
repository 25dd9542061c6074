//! The wearer whom a request is about.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use jiff::Timestamp;
use pulsewing_history::{History, HistoryError};

use super::{Shared, api, guard, layout};
use crate::daemon::{Broadcast, Member, Snapshot};

/// The wearer whom a request is about: the one in its path, else the only one.
pub(super) struct Subject {
    /// The site.
    pub site: Shared,
    /// The wearer.
    pub member: Member,
    /// The beginning of the paths of this wearer's pages, such as `/w/anna`; empty for the only
    /// wearer's.
    pub base: String,
}

impl Subject {
    /// Returns the wearer's current state.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.broadcast().snapshot()
    }

    /// Returns the broadcast of the wearer's state.
    pub(super) const fn broadcast(&self) -> &Broadcast {
        &self.member.broadcast
    }

    /// Returns the time on the program's clock.
    pub(super) fn now(&self) -> Timestamp {
        self.site.now()
    }

    /// Returns the path of the wearer's API calls.
    pub(super) fn api(&self) -> String {
        match self.base.as_str() {
            "" => "/api/v1".to_owned(),
            _ => format!("/api/v1/wearers/{}", self.member.wearer.id),
        }
    }

    /// Reads the wearer's history on a separate thread; `None` while there is none.
    pub(super) async fn history<T: Send + 'static>(
        &self,
        read: impl FnOnce(&History) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<Option<T>, HistoryError> {
        let place = self.broadcast().place().clone();
        let read = tokio::task::spawn_blocking(move || match place.history()? {
            Some(history) => read(&history).map(Some),
            None => Ok(None),
        });
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
        let all = site.members.all();
        let found = match &named {
            Some(id) => all.iter().find(|member| member.wearer.id.as_str() == id),
            None => match all.as_slice() {
                [only] => Some(only),
                _ => None,
            },
        };
        match found {
            Some(member) => Ok(Self {
                site: Arc::clone(site),
                member: member.clone(),
                base: named.map_or_else(String::new, |id| format!("/w/{id}")),
            }),
            None => Err(unknown(parts, named.is_some(), all.first())),
        }
    }
}

/// Builds the reply to a request about nobody in particular, or about nobody we know.
fn unknown(parts: &Parts, is_named: bool, one: Option<&Member>) -> Response {
    let example = one.map_or("ID", |member| member.wearer.id.as_str());
    match (guard::is_call(parts.uri.path()), is_named) {
        (true, true) => api::Error::new(
            StatusCode::NOT_FOUND,
            "there is no such wearer; /api/v1/wearers lists them",
        )
        .into_response(),
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
        (false, _) => layout::message(
            StatusCode::NOT_FOUND,
            "There is no such wearer",
            "Choose one on the first page.",
        ),
    }
}
