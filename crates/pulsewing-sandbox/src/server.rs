//! HTTP on accepted connections: whole requests in, replies out, and the ways a reply can fail.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Response, StatusCode,
    body::{Body, Frame, Incoming, SizeHint},
    header::{CONTENT_LENGTH, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::Sleep,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    cloud::{self, Endpoint, Outcome},
    control,
    faults::Cut,
    gzip,
    message::{Reply, Request},
    oauth::document,
    page,
    settings::HeaderCase,
    state::Shared,
};

/// Accepts connections until stopped.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop_signal(&mut stopped) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // A reply is written in two pieces, head and body; neither should be delayed.
                    let _ = stream.set_nodelay(true);
                    let shared = Arc::clone(&shared);
                    connections.spawn(secured(stream, tls.clone(), peer.ip(), shared, stopped.clone()));
                }
                // Probably out of file descriptors; they become free as connections close.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, finish).await;
}

/// Serves one connection, over TLS if it is on.
async fn secured(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    peer: IpAddr,
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
) {
    let Some(tls) = tls else {
        return connection(stream, peer, shared, stopped).await;
    };
    // A client that does not trust the certificate, or does not speak TLS at all, is not served.
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
        connection(stream, peer, shared, stopped).await;
    }
}

async fn connection<S>(
    stream: S,
    peer: IpAddr,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let is_title_case = shared.state().settings.header_case == HeaderCase::Title;
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { respond(request, peer, &shared).await }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .title_case_headers(is_title_case)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    // An error here means that the client went away or that the connection was dropped on purpose.
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = stop_signal(&mut stopped) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    drop(result);
}

async fn stop_signal(stopped: &mut watch::Receiver<bool>) {
    // An error means that the sandbox is gone, which also stops the server.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// The error that closes a connection without a reply: hyper does so when the service fails.
#[derive(Debug, thiserror::Error)]
#[error("connection dropped")]
struct Dropped;

async fn respond(
    request: hyper::Request<Incoming>,
    peer: IpAddr,
    shared: &Shared,
) -> Result<Response<ReplyBody>, Dropped> {
    let (parts, body) = request.into_parts();
    // The sandbox's time, not this computer's: a client may compare it with its own.
    let dated = |reply: Reply| reply.with_header("Date", http_date(shared.clock.now()));
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        let reply = Reply::empty(StatusCode::PAYLOAD_TOO_LARGE);
        return Ok(response(dated(reply), None));
    };
    let request = Request::new(parts, body.to_bytes());
    let wants_gzip = request
        .header("accept-encoding")
        .is_some_and(gzip::is_wanted);
    let whole = |reply: Reply| {
        let reply = if wants_gzip {
            gzip::compressed(reply)
        } else {
            reply
        };
        response(dated(reply), None)
    };
    if request.path == page::PATH {
        return Ok(whole(page::answer(&request, peer, shared)));
    }
    if request.path.starts_with(control::PREFIX) {
        return Ok(whole(control::answer(&request, peer, shared)));
    }
    let Some(endpoint) = Endpoint::find(&request.method, &request.path) else {
        let page = document("Not found", "<p>Neither cloud has this path.</p>");
        return Ok(whole(Reply::html(StatusCode::NOT_FOUND, page)));
    };
    match cloud::answer(&endpoint, &request, shared).await {
        Outcome::Send(reply) => Ok(whole(reply)),
        // Cut where the fault requires it, counted in bytes of the plain body.
        Outcome::SendCut(reply, cut) => Ok(response(dated(reply), Some(cut))),
        Outcome::Drop => Err(Dropped),
    }
}

/// Formats an instant for HTTP (RFC 9110, section 5.6.7).
fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn response(reply: Reply, cut: Option<Cut>) -> Response<ReplyBody> {
    let length = reply.body.len();
    let mut bytes = Bytes::from(reply.body);
    if let Some(cut) = cut {
        bytes.truncate(cut.length);
    }
    let body = ReplyBody {
        breaks_off: cut
            .filter(|_| bytes.len() < length)
            .map(|cut| FLUSH.max(cut.hold)),
        bytes: Some(bytes),
        closing: None,
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    for (name, value) in reply.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// A reply's body, which may break off before its promised end.
struct ReplyBody {
    bytes: Option<Bytes>,
    /// How long the connection stays open after a premature end.
    breaks_off: Option<Duration>,
    closing: Option<Pin<Box<Sleep>>>,
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if let Some(bytes) = self.bytes.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let Some(hold) = self.breaks_off else {
            return Poll::Ready(None);
        };
        // An error closes the connection at once and discards hyper's buffer, so the bytes sent so
        // far get a moment to reach the socket.
        let closing = self
            .closing
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(hold)));
        ready!(closing.as_mut().poll(context));
        Poll::Ready(Some(Err(Dropped)))
    }

    fn is_end_stream(&self) -> bool {
        self.breaks_off.is_none() && self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.bytes {
            Some(bytes) if self.breaks_off.is_none() => SizeHint::with_exact(bytes.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

/// The maximum size of a request body.
const MAX_BODY: usize = 1 << 20;

/// How long open connections may continue after a stop.
const GRACE: Duration = Duration::from_secs(1);

/// How long a client may take for its part of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a truncated reply has to reach the client.
const FLUSH: Duration = Duration::from_millis(50);
