//! The target of the redirect: a server on this machine that waits for one visit, and shows the
//! visitor the result of the sign-in.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, REFERRER_POLICY},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use maud::{DOCTYPE, PreEscaped, html};
use pulsewing_core::{AuthorizationCode, oauth::Redirect};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    time::{self, Instant},
};

use crate::{
    sign_in::SignIn,
    tell::{
        phrases::sentence,
        problem::{Exit, Problem},
    },
};

/// The time limit for the user to sign in.
const WAIT_FOR: Duration = Duration::from_secs(10 * 60);

/// The time limit for a visitor's request, and for receiving the page.
const PAGE_FOR: Duration = Duration::from_secs(2);

/// The maximum number of simultaneous visitors.
const MOST_VISITORS: usize = 256;

const STYLE: &str =
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}";

type Page = Response<Full<Bytes>>;

/// A visit with the answer to the sign-in; its page is shown when there is an outcome.
struct Visit {
    redirect: Redirect,
    page: oneshot::Sender<Page>,
}

/// A server that waits for the redirect.
pub(super) struct Loopback {
    listener: TcpListener,
    redirect_uri: String,
    path: String,
}

impl Loopback {
    /// Listens on a registered address, or on a free port of this machine.
    pub(super) async fn bind(registered: Option<&str>) -> Result<Self, Problem> {
        let url = registered.and_then(|uri| reqwest::Url::parse(uri).ok());
        let port = url
            .as_ref()
            .map_or(0, |url| url.port_or_known_default().unwrap_or(80));
        let cannot = |error: std::io::Error| {
            Problem::failed("cannot listen for the browser's redirect")
                .caused_by(&error)
                .hint("use --paste, which needs no redirect")
        };
        // A host name can only be localhost, which browsers resolve to both IPv4 and IPv6.
        let host = url
            .as_ref()
            .and_then(|url| url.host_str()?.trim_matches(['[', ']']).parse().ok());
        let host = host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let listener = TcpListener::bind(SocketAddr::new(host, port))
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

    /// Returns the redirect address.
    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits until the browser brings an answer to this sign-in, passes the code to `finish`, and
    /// shows the result in the browser. Other visitors get a page which says that this is the wrong
    /// address.
    pub(super) async fn complete<T>(
        self,
        sign_in: &SignIn,
        finish: impl AsyncFnOnce(&SignIn, &AuthorizationCode) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (visits, mut arrived) = mpsc::channel(1);
        let until = Instant::now() + WAIT_FOR;
        // Visitors are served concurrently, so that a slow one does not block the others.
        let mut visitors = FuturesUnordered::new();
        let Visit { redirect, page } = loop {
            tokio::select! {
                biased;
                Some(visit) = arrived.recv() => break visit,
                Some(()) = visitors.next() => {}
                accepted = time::timeout_at(until, self.listener.accept()) => match accepted {
                    Ok(Ok((stream, _))) if visitors.len() < MOST_VISITORS => {
                        visitors.push(self.serve(stream, sign_in, visits.clone()));
                    }
                    // Too many idle connections: drop this one; the visitor can try again.
                    Ok(Ok(_)) => {}
                    Ok(Err(_)) => time::sleep(Duration::from_millis(50)).await,
                    Err(_) => {
                        return Err(Problem::new(
                            Exit::ConsentNeeded,
                            "nobody signed in within ten minutes",
                        )
                        .hint("run the command again"));
                    }
                },
            }
        };
        // Only the first answer counts.
        drop((visits, arrived));
        let outcome = async {
            let code = redirect.answer.map_err(|error| sign_in.denied(error))?;
            finish(sign_in, &code).await
        };
        let mut outcome = pin!(outcome);
        // The exchange is completed even if the browser goes away meanwhile.
        let outcome = loop {
            tokio::select! {
                outcome = &mut outcome => break outcome,
                Some(()) = visitors.next() => {}
            }
        };
        let _ = page.send(match &outcome {
            Ok(_) => signed_in(),
            Err(problem) => failed(problem),
        });
        let all_served = async { while visitors.next().await.is_some() {} };
        let _ = time::timeout(PAGE_FOR, all_served).await;
        outcome
    }

    /// Serves a visitor, and gives up if nothing arrives. A visitor with the answer gets the
    /// result.
    async fn serve(&self, stream: TcpStream, sign_in: &SignIn, visits: mpsc::Sender<Visit>) {
        let brings_it = AtomicBool::new(false);
        let service = service_fn(|request: Request<Incoming>| {
            let visits = visits.clone();
            let redirect = self.redirect_of(&request, sign_in);
            brings_it.store(redirect.is_some(), Ordering::Relaxed);
            async move {
                let Some(redirect) = redirect else {
                    return Ok(foreign());
                };
                let (page, shown) = oneshot::channel();
                let _ = visits.try_send(Visit { redirect, page });
                drop(visits);
                Ok::<_, Infallible>(shown.await.unwrap_or_else(|_| foreign()))
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let in_time = time::timeout(PAGE_FOR, &mut connection).await;
        if in_time.is_err() && brings_it.load(Ordering::Relaxed) {
            let _ = connection.await;
        }
    }

    /// Returns the answer to this sign-in, if the visit brings one.
    fn redirect_of(&self, request: &Request<Incoming>, sign_in: &SignIn) -> Option<Redirect> {
        let uri = request.uri();
        let redirect = Redirect::from_query(uri.query().unwrap_or_default()).ok()?;
        // Unlike a pasted code, a visit without the state is not the user's own.
        let is_ours = redirect.state.is_some() && sign_in.is_ours(&redirect);
        (is_ours && uri.path() == self.path).then_some(redirect)
    }
}

fn foreign() -> Page {
    page(
        StatusCode::BAD_REQUEST,
        "Pulsewing is waiting for a different sign-in.",
        &["Start again from the address that Pulsewing shows.".to_owned()],
    )
}

fn signed_in() -> Page {
    page(
        StatusCode::OK,
        "You are signed in.",
        &["You can close this window and go back to Pulsewing.".to_owned()],
    )
}

/// Builds the page for a problem, with the same text as in the terminal.
fn failed(problem: &Problem) -> Page {
    let status = match problem.exit() {
        Exit::ConsentNeeded => StatusCode::BAD_REQUEST,
        _ => StatusCode::BAD_GATEWAY,
    };
    let words = std::iter::once(problem.message())
        .chain(problem.causes().iter().map(String::as_str))
        .chain(problem.hints().iter().map(String::as_str))
        .map(sentence);
    let details = problem
        .technical()
        .map(|technical| format!("Details: {technical}."));
    let words: Vec<String> = words.chain(details).collect();
    page(status, "You are not signed in.", &words)
}

fn page(status: StatusCode, title: &str, words: &[String]) -> Page {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width";
            title { "Pulsewing" }
            style { (PreEscaped(STYLE)) }
            h1 { (title) }
            @for words in words { p { (words) } }
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(html.into_string())));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        // The address contains the code: it must be neither stored nor passed on.
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
