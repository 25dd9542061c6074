//! Access control, and the headers of every reply.
//!
//! Every web page that the user visits can reach a page on this machine, through the browser. Three
//! checks prevent that:
//!
//! - **The host**: an attacker's domain can be made to point here (DNS rebinding), so only
//!   addresses, `localhost`, this machine's own name and configured names are answered.
//! - **The origin**: requests that change something, and every API call, have to come from the page
//!   itself, or from no page at all.
//! - **The passphrase**, as soon as other machines can reach the page.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Shared, api, health, layout, samples,
    sessions::{self, Sessions, Try},
};
use crate::{
    config::{WebConfig, passphrase::Passphrase},
    faces::messages::Messages,
};

/// The characters that are not escaped in the address to which the browser continues.
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

/// The content security policy: the page may load only from itself, and run only its own script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The rules of access.
#[derive(Debug)]
pub(super) struct Guard {
    /// Names that are answered in addition to addresses and `localhost`, in lower case.
    names: Vec<String>,
    passphrase: Option<Passphrase>,
    sessions: Sessions,
}

/// The reason for a refusal.
enum Refusal {
    /// The host is not one of ours.
    Host,
    /// It comes from another web page.
    Origin,
    /// The passphrase is missing or wrong.
    Passphrase(Try),
}

impl Guard {
    pub(super) fn new(web: &WebConfig, address: SocketAddr) -> Self {
        let mut names: Vec<String> = web
            .hosts
            .iter()
            .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
            .collect();
        names.extend(web.public_url.as_ref().map(|url| url.host().to_owned()));
        if !address.ip().is_loopback()
            && let Some(name) = hostname()
        {
            names.push(format!("{name}.local"));
            names.push(name);
        }
        Self {
            names,
            passphrase: web.passphrase.clone(),
            sessions: Sessions::default(),
        }
    }

    pub(super) const fn passphrase(&self) -> Option<&Passphrase> {
        self.passphrase.as_ref()
    }

    pub(super) const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    fn admit(
        &self,
        request: &Request,
        messages: Option<&Messages>,
        up: std::time::Duration,
    ) -> Result<(), Refusal> {
        let headers = request.headers();
        if !host_of(headers, request.uri()).is_some_and(|host| self.is_ours(host)) {
            return Err(Refusal::Host);
        }
        let path = request.uri().path();
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        if (!is_read || is_call(path)) && is_from_elsewhere(headers) {
            return Err(Refusal::Origin);
        }
        let Some(passphrase) = &self.passphrase else {
            return Ok(());
        };
        // The redirect from the consent page comes without the cookie; its state authorises it.
        // A program that pushes samples comes with a token of its own, which that call checks.
        let is_open = matches!(path, "/passphrase" | "/sign-in/done" | health::PATH)
            || path.starts_with("/assets/")
            || samples::is_call(request.method(), path);
        if is_open || self.sessions.has(headers, up) || is_snooze(request, messages) {
            return Ok(());
        }
        match sessions::from_basic(headers) {
            None => Err(Refusal::Passphrase(Try::Wrong)),
            Some(given) => match self.sessions.judge(passphrase, &given, up) {
                Try::Right => Ok(()),
                other => Err(Refusal::Passphrase(other)),
            },
        }
    }

    /// Returns whether a host, with or without its port, is this page's.
    fn is_ours(&self, host: &str) -> bool {
        let name = without_port(host)
            .trim_end_matches('.')
            .to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        // An address cannot be rebound.
        address.parse::<IpAddr>().is_ok() || name == "localhost" || self.names.contains(&name)
    }
}

/// Returns whether a button of a message asks for a snooze: it shows the token that the message carried.
fn is_snooze(request: &Request, messages: Option<&Messages>) -> bool {
    let path = request.uri().path();
    let is_meant = request.method() == Method::POST
        && path.starts_with("/api/v1/")
        && path.contains("/alarms/")
        && path.ends_with("/snooze");
    let value = request.headers().get(header::AUTHORIZATION);
    let token = value.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    is_meant
        && messages
            .zip(token)
            .is_some_and(|(messages, token)| messages.may_snooze(token))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

fn host_of<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| uri.host())
}

/// Returns whether the browser's headers show that another web page sent this request. Other
/// programs send no such headers.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    match text("origin") {
        None => false,
        Some(origin) => {
            let host = text("host").unwrap_or_default();
            origin.split_once("://").map(|(_, host)| host) != Some(host)
        }
    }
}

/// Returns an address on this site as a value in a query.
pub(super) fn escaped(uri: &Uri) -> String {
    let wanted = uri.path_and_query().map_or("/", |it| it.as_str());
    utf8_percent_encode(wanted, AS_IT_IS).to_string()
}

/// Returns whether this is an API call, rather than a page for a person.
pub(super) fn is_call(path: &str) -> bool {
    path.starts_with("/api/") || path == "/metrics"
}

/// Returns this machine's name.
fn hostname() -> Option<String> {
    #[cfg(unix)]
    let name = rustix::system::uname()
        .nodename()
        .to_str()
        .map(str::to_ascii_lowercase)
        .ok();
    #[cfg(not(unix))]
    let name: Option<String> = None;
    name.filter(|name| !name.is_empty())
}

/// Passes or refuses a request, and adds the common headers to its reply.
pub(super) async fn check(State(site): State<Shared>, request: Request, next: Next) -> Response {
    let is_call = is_call(request.uri().path());
    let messages = site.messages.as_deref();
    let mut reply = match site.guard.admit(&request, messages, site.clock.now().up) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refused(&refusal, &request, is_call),
    };
    let headers = reply.headers_mut();
    let mut say = |name: &'static str, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    say("content-security-policy", POLICY);
    say("x-content-type-options", "nosniff");
    say("referrer-policy", "no-referrer");
    say("cross-origin-opener-policy", "same-origin");
    say("cross-origin-resource-policy", "same-origin");
    say("cache-control", "no-store");
    reply
}

fn refused(refusal: &Refusal, request: &Request, is_call: bool) -> Response {
    let (status, title, words) = match refusal {
        Refusal::Host => (
            StatusCode::MISDIRECTED_REQUEST,
            "Pulsewing does not know this name",
            "Open the page by its machine's address instead, or ask whoever set up Pulsewing to add the name to hosts under [web] in the configuration.",
        ),
        Refusal::Origin => (
            StatusCode::FORBIDDEN,
            "Another web page asked for this",
            "Only Pulsewing's own page may do that: open it and do it there.",
        ),
        Refusal::Passphrase(Try::TooMany) => (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many wrong passphrases",
            "Try again in a minute.",
        ),
        Refusal::Passphrase(_) if !is_call && request.method() == Method::GET => {
            let next = escaped(request.uri());
            return Redirect::to(&format!("/passphrase?next={next}")).into_response();
        }
        Refusal::Passphrase(_) => (
            StatusCode::UNAUTHORIZED,
            "The passphrase is missing or wrong",
            if is_call {
                "Enter it as the password, with any user name (HTTP basic authentication)."
            } else {
                "Go back to the page and enter the passphrase there."
            },
        ),
    };
    let mut reply = if is_call {
        api::Error::new(status, words).into_response()
    } else {
        layout::message(status, title, words)
    };
    if status == StatusCode::UNAUTHORIZED {
        let ask = HeaderValue::from_static("Basic realm=\"Pulsewing\", charset=\"UTF-8\"");
        reply.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(names: &[&str]) -> Guard {
        Guard {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            passphrase: None,
            sessions: Sessions::default(),
        }
    }

    #[test]
    fn addresses_and_own_names_are_answered_and_no_others() {
        let guard = guard(&["pi.local"]);
        for ours in [
            "127.0.0.1:7373",
            "[::1]:7373",
            "::1",
            "192.168.1.20",
            "localhost",
            "LOCALHOST:80",
            "pi.local:7373",
            "Pi.local.",
        ] {
            assert!(guard.is_ours(ours), "{ours}");
        }
        for other in [
            "evil.example",
            "localhost.evil.example",
            "pi",
            "",
            "127.0.0.1.evil.example",
        ] {
            assert!(!guard.is_ours(other), "{other}");
        }
    }

    #[test]
    fn a_browser_that_comes_from_another_page_is_told_apart() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect::<HeaderMap>()
        };
        let here = ("host", "127.0.0.1:7373");
        for (pairs, expected) in [
            (vec![here], false),
            (vec![here, ("origin", "http://127.0.0.1:7373")], false),
            (vec![here, ("origin", "http://127.0.0.1:8080")], true),
            (vec![here, ("origin", "null")], true),
            (vec![here, ("origin", "https://evil.example")], true),
            (vec![here, ("sec-fetch-site", "same-origin")], false),
            (vec![here, ("sec-fetch-site", "none")], false),
            (vec![here, ("sec-fetch-site", "cross-site")], true),
            (vec![here, ("sec-fetch-site", "same-site")], true),
        ] {
            assert_eq!(is_from_elsewhere(&headers(&pairs)), expected, "{pairs:?}");
        }
    }
}
