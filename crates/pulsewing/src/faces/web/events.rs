//! Changes as they happen (server-sent events, WHATWG HTML section 9.2).

use std::{convert::Infallible, time::Duration};

use axum::{
    http::header,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use tokio_stream::StreamExt;

use super::{api, subject::Subject};

/// The interval between keep-alive lines, which reveal a dead connection. In real time, because it
/// concerns the connection.
pub(super) const STILL_THERE: Duration = Duration::from_secs(25);

/// Streams the current state, at once and after each change: `event: now`, with the same JSON as
/// the API call of that name.
pub(super) async fn stream(subject: Subject) -> Response {
    let events = subject.changes().map(move |snapshot| {
        let now = api::Now::of(&snapshot, subject.now()).to_json();
        Ok::<_, Infallible>(Event::default().event("now").data(now))
    });
    let keep_alive = KeepAlive::new().interval(STILL_THERE).text("still there");
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (headers, Sse::new(events).keep_alive(keep_alive)).into_response()
}
