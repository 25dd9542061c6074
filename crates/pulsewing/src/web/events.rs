//! Changes as they happen (server-sent events, WHATWG HTML section 9.2).

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use hyper::body::{Body as HttpBody, Frame};
use tokio::sync::mpsc;

use super::{Shared, api};

/// How often a line without meaning is sent, so that a connection that is gone is noticed.
const STILL_THERE: Duration = Duration::from_secs(25);

/// The present, now and after each change: `event: now`, with the same JSON as the call of that name.
pub(super) async fn stream(State(site): State<Shared>) -> Response {
    let (to, from) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut changes = site.hub.subscribe();
        loop {
            let live = changes.borrow_and_update().clone();
            let now = api::Now::of(&live, site.hub.now().utc).to_json();
            if to
                .send(format!("event: now\ndata: {now}\n\n"))
                .await
                .is_err()
            {
                return;
            }
            loop {
                tokio::select! {
                    changed = changes.changed() => match changed {
                        Ok(()) => break,
                        Err(_) => return,
                    },
                    () = to.closed() => return,
                    // In real time: it is about the connection.
                    () = tokio::time::sleep(STILL_THERE) => {
                        if to.send(": still there\n\n".to_owned()).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::new(Events(from))).into_response()
}

/// The body: what comes through the channel, as it comes.
struct Events(mpsc::Receiver<String>);

impl HttpBody for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|event| event.map(|event| Ok(Frame::data(Bytes::from(event)))))
    }
}
