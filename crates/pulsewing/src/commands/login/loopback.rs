//! The other end of the redirect: a server on this machine that waits for one visit.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use pulsewing_core::oauth::{Redirect, RedirectError};
use tokio::{net::TcpListener, sync::mpsc, time};

use crate::problem::{Exit, Problem};

/// How long somebody may take to sign in.
const WAIT_FOR: Duration = Duration::from_secs(10 * 60);

/// How long the browser may take to get its page.
const PAGE_FOR: Duration = Duration::from_secs(2);

/// A server that waits for the redirect.
pub(super) struct Loopback {
    listener: TcpListener,
    redirect_uri: String,
    path: String,
}

impl Loopback {
    /// Listens at a registered address, or at a free port of this machine.
    pub(super) async fn bind(registered: Option<&str>) -> Result<Self, Problem> {
        let url = registered.and_then(|uri| reqwest::Url::parse(uri).ok());
        let port = url
            .as_ref()
            .map_or(0, |url| url.port_or_known_default().unwrap_or(80));
        let cannot = |error: std::io::Error| {
            Problem::failed("the browser's way back cannot be prepared")
                .caused_by(&error)
                .hint("use --paste, which needs no way back")
        };
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)))
            .await
            .map_err(cannot)?;
        let bound = listener.local_addr().map_err(cannot)?;
        let redirect_uri = registered.map_or_else(|| format!("http://{bound}/"), str::to_owned);
        Ok(Self {
            listener,
            redirect_uri,
            path: url.map_or_else(|| "/".to_owned(), |url| url.path().to_owned()),
        })
    }

    /// The address to come back to.
    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits until the browser comes back with an answer to this sign-in. Other visitors are shown
    /// that this is the wrong door.
    pub(super) async fn wait(
        self,
        is_ours: impl Fn(&Redirect) -> bool,
    ) -> Result<Redirect, Problem> {
        let (answers, mut arrived) = mpsc::channel(1);
        let visits = async {
            loop {
                let Ok((stream, _)) = self.listener.accept().await else {
                    time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let service = service_fn(|request: Request<Incoming>| {
                    let (page, answer) = self.visit(&request, &is_ours);
                    let answers = answers.clone();
                    async move {
                        if let Some(answer) = answer {
                            // Only the first answer counts.
                            let _ = answers.try_send(answer);
                        }
                        Ok::<_, Infallible>(page)
                    }
                });
                let visit = hyper::server::conn::http1::Builder::new()
                    .keep_alive(false)
                    .serve_connection(TokioIo::new(stream), service);
                // A visitor who dawdles keeps nobody else out for long.
                let _ = time::timeout(PAGE_FOR, visit).await;
                if let Ok(answer) = arrived.try_recv() {
                    return answer;
                }
            }
        };
        match time::timeout(WAIT_FOR, visits).await {
            Ok(Ok(redirect)) => Ok(redirect),
            Ok(Err(error)) => Err(super::refused(&error)),
            Err(_) => Err(
                Problem::new(Exit::ConsentNeeded, "nobody signed in within ten minutes")
                    .hint("run the command again"),
            ),
        }
    }

    fn visit(
        &self,
        request: &Request<Incoming>,
        is_ours: &impl Fn(&Redirect) -> bool,
    ) -> (
        Response<Full<Bytes>>,
        Option<Result<Redirect, RedirectError>>,
    ) {
        if request.uri().path() != self.path {
            return (
                page(StatusCode::NOT_FOUND, "This is not the way back.", ""),
                None,
            );
        }
        match Redirect::from_query(request.uri().query().unwrap_or_default()) {
            // Unlike a pasted code, a visit without the state is not the user's own.
            Ok(redirect) if redirect.state.is_some() && is_ours(&redirect) => (
                page(
                    StatusCode::OK,
                    "You are signed in.",
                    "You can close this window and go back to Pulsewing.",
                ),
                Some(Ok(redirect)),
            ),
            Ok(_) | Err(RedirectError::NoCode | RedirectError::Damaged) => (
                page(
                    StatusCode::BAD_REQUEST,
                    "This sign-in is not the one that is waited for.",
                    "Start again from the address that Pulsewing shows.",
                ),
                None,
            ),
            Err(error) => (
                page(
                    StatusCode::OK,
                    "The sign-in was not completed.",
                    "Pulsewing says what to do next. You can close this window.",
                ),
                Some(Err(error)),
            ),
        }
    }
}

fn page(status: StatusCode, title: &str, text: &str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Pulsewing</title><style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}}</style><h1>{title}</h1><p>{text}</p></html>\n"
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        "content-type",
        hyper::header::HeaderValue::from_static("text/html; charset=utf-8"),
    );
    // The address holds the code: it is to be neither kept nor passed on.
    headers.insert(
        "cache-control",
        hyper::header::HeaderValue::from_static("no-store"),
    );
    headers.insert(
        "referrer-policy",
        hyper::header::HeaderValue::from_static("no-referrer"),
    );
    response
}
