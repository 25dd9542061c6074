//! The door: a key in the header `Authorization: Bearer`, or a session that began with a key in a form.
//!
//! A key is looked up for every request, so that it ends when it is revoked. On a machine that nobody
//! else can reach no key is asked for until there is one; from then on, always.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Form,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use pulsewing_fleet::{Database, Error};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    super::{
        Shared, api, guard, layout, passphrase,
        sessions::{self, COOKIE, SESSION_FOR},
    },
    unavailable,
    visitor::{Owner, Visitor},
};
use crate::config::WebConfig;

/// The maximum number of sessions; a new one replaces the oldest.
const SESSIONS: usize = 1_024;

/// Who is let in.
pub(super) struct Door {
    /// Whether a key is asked for; once it is, it stays so.
    is_locked: AtomicBool,
    sessions: Mutex<VecDeque<Session>>,
}

struct Session {
    /// The digest of the cookie's value.
    digest: [u8; 32],
    until: Duration,
    key: Zeroizing<String>,
}

impl Door {
    pub(super) fn new(web: &WebConfig, address: SocketAddr) -> Self {
        Self {
            is_locked: AtomicBool::new(web.is_reachable_at(address)),
            sessions: Mutex::default(),
        }
    }

    /// Asks everybody for a key from now on, if there are any.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn lock_if_there_are_keys(&self, database: &Database) -> Result<(), Error> {
        if database.has_api_keys().await? {
            self.is_locked.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Finds out who sends a request; `None` for somebody without a valid key who needs one.
    async fn visitor(
        &self,
        database: &Database,
        headers: &HeaderMap,
        up: Duration,
    ) -> Result<Option<Visitor>, Error> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            // Whoever names a key wants to be its owner, and nobody else.
            let value = value.to_str().unwrap_or_default();
            let key = value
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let owner = match key {
                Some((_, key)) => owner(database, key.trim()).await?,
                None => None,
            };
            // From the first key on nobody is let in without one, also after it was revoked.
            if owner.is_some() {
                self.is_locked.store(true, Ordering::Relaxed);
            }
            return Ok(owner);
        }
        if let Some(key) = self.key_of(headers, up) {
            return owner(database, &key).await;
        }
        if !self.is_locked.load(Ordering::Relaxed) {
            self.lock_if_there_are_keys(database).await?;
        }
        let is_open = !self.is_locked.load(Ordering::Relaxed);
        Ok(is_open.then_some(Visitor::Local))
    }

    /// Returns the key with which the session of a request began.
    fn key_of(&self, headers: &HeaderMap, up: Duration) -> Option<Zeroizing<String>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cookies = sessions::cookies(headers).map(sessions::digest);
        cookies.find_map(|digest| {
            let mut sessions = sessions.iter();
            let session = sessions.find(|session| session.is(&digest) && up < session.until)?;
            Some(session.key.clone())
        })
    }

    fn begin(&self, cookie: &str, key: Zeroizing<String>, up: Duration) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= SESSIONS {
            sessions.pop_front();
        }
        sessions.push_back(Session {
            digest: sessions::digest(cookie),
            until: up + SESSION_FOR,
            key,
        });
    }

    fn end(&self, headers: &HeaderMap) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for digest in sessions::cookies(headers).map(sessions::digest) {
            sessions.retain(|session| !session.is(&digest));
        }
    }
}

impl Session {
    fn is(&self, digest: &[u8; 32]) -> bool {
        self.digest.ct_eq(digest).into()
    }
}

async fn owner(database: &Database, key: &str) -> Result<Option<Visitor>, Error> {
    let access = database.check_api_key(key).await?;
    Ok(access.map(|access| {
        Visitor::Owner(Arc::new(Owner {
            access,
            key: Zeroizing::new(key.to_owned()),
        }))
    }))
}

/// Lets a request in with its visitor, or refuses it.
pub(super) async fn check(
    State(site): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_call = guard::is_call(path);
    let is_open = path == "/key"
        || path == "/key/forget"
        || path == "/sign-in/done"
        || path.starts_with("/assets/")
        || path.starts_with("/invitation/");
    let Some(fleet) = site.fleet.as_ref().filter(|_| !is_open) else {
        return next.run(request).await;
    };
    let up = site.clock.now().up;
    let database = fleet.backing.database();
    match fleet.door.visitor(database, request.headers(), up).await {
        Ok(Some(visitor)) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Ok(None) => refused(&request, is_call),
        Err(error) => unavailable(is_call, &error),
    }
}

fn refused(request: &Request, is_call: bool) -> Response {
    if !is_call && request.method() == Method::GET {
        return Redirect::to(&format!("/key?next={}", guard::escaped(request.uri())))
            .into_response();
    }
    let words = "the key is missing, wrong or revoked: send Authorization: Bearer KEY";
    let mut reply = match is_call {
        true => api::Error::new(StatusCode::UNAUTHORIZED, words).into_response(),
        false => layout::message(
            StatusCode::UNAUTHORIZED,
            "The key is missing, wrong or revoked",
            "Go back to the page and enter your key there.",
        ),
    };
    let ask = HeaderValue::from_static("Bearer realm=\"Pulsewing\"");
    reply.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    reply
}

/// Serves the page that asks for a key.
pub(super) async fn page(Query(next): Query<passphrase::Next>) -> Response {
    form(StatusCode::OK, next.path(), None)
}

fn form(status: StatusCode, next: &str, complaint: Option<&str>) -> Response {
    let body = html! {
        form.card.narrow method="post" action="/key" {
            h1 { "Your key" }
            p { "This page shows what your key allows: yourself, those who agreed, or the states of all." }
            @if let Some(complaint) = complaint {
                p.complaint role="alert" { (complaint) }
            }
            input type="hidden" name="next" value=(next);
            label { "Key"
                input type="password" name="key" autocomplete="current-password" required autofocus;
            }
            button.main { "Open" }
        }
        form.card.narrow method="post" action="/key/forget" {
            p { "On a machine that others use, have this browser forget the key when you leave." }
            button { "Forget the key" }
        }
    };
    (status, layout::bare("Key", &body)).into_response()
}

#[derive(Deserialize)]
pub(super) struct Entered {
    key: Zeroizing<String>,
    #[serde(flatten)]
    next: passphrase::Next,
}

/// Begins a session with the key from the form.
pub(super) async fn enter(State(site): State<Shared>, Form(entered): Form<Entered>) -> Response {
    let next = entered.next.path().to_owned();
    let Some(fleet) = &site.fleet else {
        return Redirect::to(&next).into_response();
    };
    let key = Zeroizing::new(entered.key.trim().to_owned());
    match fleet.backing.database().check_api_key(&key).await {
        Err(error) => unavailable(false, &error),
        Ok(None) => form(
            StatusCode::FORBIDDEN,
            &next,
            Some("That is no key, or it was revoked."),
        ),
        Ok(Some(_)) => match sessions::secret() {
            Err(problem) => layout::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "That did not work",
                problem.message(),
            ),
            Ok(secret) => {
                fleet.door.begin(&secret, key, site.clock.now().up);
                with_cookie(&site, &next, &secret, SESSION_FOR)
            }
        },
    }
}

/// Ends the session of this browser.
pub(super) async fn forget(State(site): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(fleet) = &site.fleet {
        fleet.door.end(&headers);
    }
    with_cookie(&site, "/key", "", Duration::ZERO)
}

fn with_cookie(site: &Shared, next: &str, secret: &str, age: Duration) -> Response {
    let age = age.as_secs();
    let public = site.config.web.public_url.as_ref();
    let secure = match public.is_some_and(crate::config::PublicUrl::is_https) {
        true => "; Secure",
        false => "",
    };
    let cookie =
        format!("{COOKIE}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    let mut reply = Redirect::to(next).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        reply.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    reply
}
