//! The page that asks for the passphrase.

use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    Shared, layout,
    sessions::{COOKIE, SESSION_FOR, Try},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Next {
    next: String,
}

impl Next {
    /// Returns a path on this site, whatever the query contains.
    pub(super) fn path(&self) -> &str {
        let is_ours = self.next.starts_with('/')
            && !self.next.starts_with("//")
            && !self.next.contains(['\\', '\r', '\n']);
        if is_ours { &self.next } else { "/" }
    }
}

/// Serves the page that asks for the passphrase.
pub(super) async fn page(Query(next): Query<Next>) -> Response {
    form(StatusCode::OK, next.path(), None)
}

fn form(status: StatusCode, next: &str, complaint: Option<&str>) -> Response {
    let body = html! {
        form.card.narrow method="post" action="/passphrase" {
            h1 { "Passphrase" }
            p { "Other machines can open this page, so it asks for a passphrase." }
            @if let Some(complaint) = complaint {
                p.complaint role="alert" { (complaint) }
            }
            input type="hidden" name="next" value=(next);
            label { "Passphrase"
                input type="password" name="passphrase" autocomplete="current-password" required autofocus;
            }
            button.main { "Open" }
        }
    };
    (status, layout::bare("Passphrase", &body)).into_response()
}

#[derive(Deserialize)]
pub(super) struct Entered {
    passphrase: Zeroizing<String>,
    #[serde(flatten)]
    next: Next,
}

/// Checks the passphrase from the form.
pub(super) async fn enter(State(site): State<Shared>, Form(entered): Form<Entered>) -> Response {
    let next = entered.next.path().to_owned();
    let Some(passphrase) = site.guard.passphrase() else {
        return Redirect::to(&next).into_response();
    };
    let up = site.clock.now().up;
    let sessions = site.guard.sessions();
    match sessions.judge(passphrase, entered.passphrase.as_bytes(), up) {
        Try::Wrong => form(
            StatusCode::FORBIDDEN,
            &next,
            Some("That is not the passphrase."),
        ),
        Try::TooMany => form(
            StatusCode::TOO_MANY_REQUESTS,
            &next,
            Some("Too many wrong passphrases. Try again in a minute."),
        ),
        Try::Right => match sessions.begin(up) {
            Err(problem) => layout::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "That did not work",
                problem.message(),
            ),
            Ok(secret) => {
                let age = SESSION_FOR.as_secs();
                let cookie =
                    format!("{COOKIE}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict");
                let mut reply = Redirect::to(&next).into_response();
                if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                    reply.headers_mut().insert(header::SET_COOKIE, cookie);
                }
                reply
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_on_is_a_path_of_ours() {
        for (next, path) in [
            ("/day/2026-11-22", "/day/2026-11-22"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("", "/"),
        ] {
            let next = Next {
                next: next.to_owned(),
            };
            assert_eq!(next.path(), path);
        }
    }
}
