//! Requests to an endpoint: the verification of its owner, and notifications.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Uri,
    client::conn::http1,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::oauth::is_loopback;

/// A verification that is to be made: two requests, with the secret and without.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) endpoint_uri: String,
    pub(crate) secret: String,
    /// The value of the signature header: Google signs whatever it sends.
    pub(crate) signature: String,
}

/// What came of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    Verified,
    /// In words.
    Failed(String),
}

impl Probe {
    /// The body of both requests (discovery document, `subscribers.create`).
    pub(crate) const BODY: &[u8] = br#"{"type": "verification"}"#;

    /// Asks the endpoint.
    pub(crate) async fn run(&self) -> Proof {
        let ask = |authorization| {
            post(
                &self.endpoint_uri,
                authorization,
                Some(&self.signature),
                Bytes::from_static(Self::BODY),
            )
        };
        match ask(Some(&self.secret)).await {
            // Only 201 is documented; 200 is accepted as well, as users report.
            Some(200 | 201) => {}
            other => {
                return Proof::Failed(format!(
                    "with the Authorization header it {}, but 201 is needed",
                    in_words(other)
                ));
            }
        }
        match ask(None).await {
            Some(401 | 403) => Proof::Verified,
            other => Proof::Failed(format!(
                "without the Authorization header it {}, but 401 or 403 is needed",
                in_words(other)
            )),
        }
    }
}

fn in_words(status: Option<u16>) -> String {
    match status {
        Some(status) => format!("answered {status}"),
        None => "did not answer".to_owned(),
    }
}

/// Returns whether the sandbox would send something to an address: http on this computer. It has
/// nothing to tell others, and a test must not reach the internet.
pub(crate) fn is_allowed(endpoint_uri: &str) -> bool {
    endpoint_uri.starts_with("http://")
        && is_loopback(endpoint_uri)
        && endpoint_uri.parse::<Uri>().is_ok()
}

/// Sends a body and returns the status of the answer; `None` if none comes in time.
pub(super) async fn post(
    endpoint_uri: &str,
    authorization: Option<&String>,
    signature: Option<&String>,
    body: Bytes,
) -> Option<u16> {
    let sending = send(endpoint_uri, authorization, signature, body);
    tokio::time::timeout(PATIENCE, sending).await.ok()?
}

async fn send(
    endpoint_uri: &str,
    authorization: Option<&String>,
    signature: Option<&String>,
    body: Bytes,
) -> Option<u16> {
    let uri: Uri = endpoint_uri.parse().ok()?;
    let authority = uri.authority()?;
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)))
        .await
        .ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = hyper::Request::builder()
        .method(Method::POST)
        .uri(target)
        .header(HOST, authority.as_str())
        .header(CONTENT_TYPE, "application/json");
    if let Some(authorization) = authorization {
        let mut value = HeaderValue::from_str(authorization).ok()?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    if let Some(signature) = signature {
        request = request.header(SIGNATURE, signature.as_str());
    }
    let mut answer = pin!(sender.send_request(request.body(Full::new(body)).ok()?));
    // The connection works as long as it is polled, and may end with the answer. The answer's body
    // is not read.
    let answer = tokio::select! {
        answer = answer.as_mut() => answer,
        _ = connection => answer.await,
    };
    Some(answer.ok()?.status().as_u16())
}

/// The header with the signature (discovery document, `EndpointAuthorization`).
const SIGNATURE: &str = "google-health-api-signature";

/// How long an endpoint may take to answer, in real time.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_this_computer() {
        for allowed in [
            "http://127.0.0.1:8080/hook",
            "http://localhost/x?y=1",
            "http://[::1]:1",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for other in [
            "https://pulse.example/hook",
            "http://pulse.example/hook",
            "http://127.0.0.1.evil.example/",
            "https://127.0.0.1/",
            "http://127.0.0.1:x/",
            "",
        ] {
            assert!(!is_allowed(other), "{other}");
        }
    }
}
