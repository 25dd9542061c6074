//! Carries a request to a server and a reply back, within a time.

use std::{error::Error, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
    redirect,
};
use tokio::time::timeout;

use crate::{
    address::origin,
    form::Request,
    verdict::{Lost, Reply},
};

/// The time from the connection to the end of the reply.
pub(crate) const WITHIN: Duration = Duration::from_secs(10);

/// A service answers with a few hundred bytes. Of more nothing is kept.
const MAX_REPLY: usize = 64 << 10;

/// Carries requests: over HTTP, or to a simulated server.
pub(crate) trait Carrier: Clone + Send + Sync + 'static {
    fn carry(&self, request: Request) -> impl Future<Output = Result<Reply, Lost>> + Send;
}

/// HTTP cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("HTTP cannot be set up for messages")]
pub struct ClientError(#[source] reqwest::Error);

/// Returns a client for an [`Outbox`](crate::Outbox) and a [`Ping`](crate::Ping), with the caller's TLS: the
/// same certificates as for everything else.
///
/// It follows no redirects, because a token would go to another server.
///
/// # Errors
/// Whatever the library reports.
pub fn client(tls: rustls::ClientConfig) -> Result<Client, ClientError> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .connect_timeout(WITHIN)
        // Alarms are rare: a connection that was idle for longer is dead.
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("pulsewing/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(ClientError)
}

impl Carrier for Client {
    async fn carry(&self, request: Request) -> Result<Reply, Lost> {
        timeout(WITHIN, exchange(self, request))
            .await
            .unwrap_or(Err(Lost::TimedOut))
    }
}

async fn exchange(client: &Client, request: Request) -> Result<Reply, Lost> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        // Names are ours, and secrets are visible ASCII: both fit.
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let sending = client
        .request(request.method, request.url)
        .headers(headers)
        .body(request.body.to_vec())
        .send();
    // The address may be a secret.
    let lost = |error: reqwest::Error| lost(&error.without_url());
    let mut response = sending.await.map_err(lost)?;
    let header = |name: HeaderName| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let mut reply = Reply {
        status: response.status().as_u16(),
        retry_after: header(RETRY_AFTER),
        leads_to: header(LOCATION).and_then(|target| target_of(&response, &target)),
        body: Some(Vec::new()),
    };
    // The status has said what became of the request: half a body is enough.
    while let Some(body) = &mut reply.body {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_REPLY => {
                body.extend_from_slice(&chunk);
            }
            Ok(None) => break,
            Ok(Some(_)) | Err(_) => reply.body = None,
        }
    }
    Ok(reply)
}

/// Returns the origin that a redirect leads to. The rest of the address may be a secret.
fn target_of(response: &Response, target: &str) -> Option<String> {
    let is_redirect = StatusCode::is_redirection(&response.status());
    let target = response.url().join(target).ok()?;
    is_redirect.then(|| origin(&target))
}

fn lost(error: &reqwest::Error) -> Lost {
    if error.is_connect() {
        Lost::NoConnection(last_cause(error))
    } else if error.is_timeout() {
        Lost::TimedOut
    } else {
        Lost::Broken
    }
}

fn last_cause(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
