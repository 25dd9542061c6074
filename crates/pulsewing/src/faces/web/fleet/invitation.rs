//! Invitations: the page that a link opens, on which a wearer signs in on their own phone.
//!
//! The link is all that is asked for. To look at it changes nothing, because other programs look at links
//! too; it is used up when the sign-in is stored.
//!
//! With an address that the provider may redirect to (`public_url`), the sign-in ends on this page by
//! itself. Without one the redirect leads to the phone itself, where nothing answers: the person pastes
//! the address where the browser ended up.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Form,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use pulsewing_core::{Provider, oauth::Redirect};
use pulsewing_fleet::Wearer;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    super::{
        Shared, layout,
        sign_in::{LONGEST, Pasted, WITHIN, for_a_page},
    },
    Fleet, unavailable,
};
use crate::{
    engine::http::Http,
    sign_in::{self, SignIn},
    tell::{
        phrases,
        problem::{Exit, Problem},
    },
};

/// The path to which the provider redirects, below the public address.
const DONE: &str = "/invitation/done";

/// The greatest number of sign-ins that have begun; a new one replaces the oldest.
const BEGUN: usize = 256;

/// The sign-ins that have begun, the one of each invitation that was begun last.
#[derive(Default)]
pub(super) struct Invited(Mutex<Vec<Begun>>);

struct Begun {
    invitation: Zeroizing<String>,
    wearer: Wearer,
    sign_in: SignIn,
    url: String,
    until: Duration,
}

impl Begun {
    fn is_of(&self, invitation: &str) -> bool {
        self.invitation
            .as_bytes()
            .ct_eq(invitation.as_bytes())
            .into()
    }
}

impl Invited {
    fn begin(&self, begun: Begun) {
        let mut all = self.all();
        all.retain(|other| !other.is_of(&begun.invitation));
        if all.len() >= BEGUN {
            all.remove(0);
        }
        all.push(begun);
    }

    /// Takes the sign-in that a redirect belongs to: by its state or, if a person pasted it, by the
    /// invitation too.
    fn take(&self, invitation: Option<&str>, redirect: &Redirect, up: Duration) -> Option<Begun> {
        let mut all = self.all();
        let place = all.iter().position(|begun| {
            let is_theirs = match invitation {
                Some(invitation) => begun.is_of(invitation),
                None => redirect.state.is_some(),
            };
            is_theirs && up < begun.until && begun.sign_in.is_ours(redirect)
        })?;
        Some(all.remove(place))
    }

    /// Returns the consent page's address, and what to paste, of an invitation's sign-in.
    fn way(&self, invitation: &str, up: Duration) -> Option<(String, String)> {
        let all = self.all();
        let mut all = all.iter();
        let begun = all.find(|begun| begun.is_of(invitation) && up < begun.until)?;
        Some((begun.url.clone(), begun.sign_in.what_to_paste()))
    }

    fn all(&self) -> MutexGuard<'_, Vec<Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves the page that the link opens.
pub(super) async fn page(State(site): State<Shared>, Path(digits): Path<String>) -> Response {
    let digits = Zeroizing::new(digits);
    match invited(&site, &digits).await {
        Ok((_, wearer)) => {
            let who = who(&wearer);
            let body = html! {
                div.card.narrow {
                    h1 { "Sign in, " (who) }
                    p { "You are invited to let Pulsewing read your heart rate from " (service(&wearer)) ". Whoever runs this Pulsewing, and those whom they have given a key for you, can then see it." }
                    p { "You can end that at any time, in your account's settings or by asking them." }
                    form method="post" action=(format!("/invitation/{}", *digits)) { button.main { "Begin" } }
                }
            };
            (StatusCode::OK, layout::bare("Invitation", &body)).into_response()
        }
        Err(reply) => reply,
    }
}

/// Begins the sign-in: shows the link to the consent page.
pub(super) async fn begin(State(site): State<Shared>, Path(digits): Path<String>) -> Response {
    let digits = Zeroizing::new(digits);
    let (fleet, wearer) = match invited(&site, &digits).await {
        Ok(found) => found,
        Err(reply) => return reply,
    };
    match sign_in_of(&site, &wearer) {
        Err(problem) => told(&problem),
        Ok((sign_in, url)) => {
            let is_public = site.config.web.public_url.is_some();
            let body = way(&digits, &url, is_public, None);
            fleet.invited.begin(Begun {
                invitation: digits,
                wearer,
                sign_in,
                url,
                until: site.clock.now().up + WITHIN,
            });
            (StatusCode::OK, body).into_response()
        }
    }
}

/// Handles the address that a person pasted.
pub(super) async fn paste(
    State(site): State<Shared>,
    Path(digits): Path<String>,
    Form(pasted): Form<Pasted>,
) -> Response {
    let digits = Zeroizing::new(digits);
    let fleet = match invited(&site, &digits).await {
        Ok((fleet, _)) => fleet,
        Err(reply) => return reply,
    };
    let up = site.clock.now().up;
    let Some((url, expected)) = fleet.invited.way(&digits, up) else {
        return over("This sign-in took more than ten minutes. Open the invitation again.");
    };
    let is_public = site.config.web.public_url.is_some();
    let again = |words: &str| {
        let body = way(&digits, &url, is_public, Some(words));
        (StatusCode::UNPROCESSABLE_ENTITY, body).into_response()
    };
    let text = pasted.pasted.trim();
    if text.len() > LONGEST {
        return again("That is too long for such an address.");
    }
    let redirect = match Redirect::parse(text) {
        Ok(redirect) => redirect,
        Err(error) => return again(&phrases::sentence(&format!("{error}; {expected}"))),
    };
    match fleet.invited.take(Some(&digits), &redirect, up) {
        Some(begun) => finished(&site, begun, redirect).await,
        None => again("That address belongs to another sign-in."),
    }
}

/// Handles the provider's redirect, to the public address or on this machine. Its state authorises it.
pub(super) async fn done(State(site): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let address = format!("http://127.0.0.1/?{}", query.unwrap_or_default());
    let redirect = match Redirect::parse(&address) {
        Ok(redirect) if address.len() <= LONGEST => redirect,
        _ => return over("Open the invitation again."),
    };
    let up = site.clock.now().up;
    let fleet = site.fleet.as_ref();
    match fleet.and_then(|fleet| fleet.invited.take(None, &redirect, up)) {
        Some(begun) => finished(&site, begun, redirect).await,
        None => over("This sign-in took more than ten minutes. Open the invitation again."),
    }
}

async fn finished(site: &Shared, begun: Begun, redirect: Redirect) -> Response {
    let Some(fleet) = &site.fleet else {
        return over("Open the invitation again.");
    };
    let backing = Arc::clone(&fleet.backing);
    // On a separate task: if the browser disconnects, the exchange must still complete.
    let exchange = tokio::spawn(async move {
        let sign_in = &begun.sign_in;
        let code = redirect.answer.map_err(|error| sign_in.denied(error))?;
        let kept = backing.accept(&begun.invitation, &begun.wearer, sign_in, &code);
        kept.await?;
        tracing::info!(wearer = %begun.wearer.id, "signed in with an invitation");
        Ok(())
    });
    let result = exchange.await.unwrap_or_else(|error| {
        Err(Problem::new(Exit::Failed, "the sign-in ended unexpectedly").caused_by(&error))
    });
    match result {
        Ok(()) => layout::plain(
            StatusCode::OK,
            "You are signed in",
            "That is all. You can close this page.",
        ),
        Err(problem) => told(&problem),
    }
}

/// Returns whom an invitation is for; otherwise what to reply. One that is none, one that is over and one
/// that was used look alike.
async fn invited<'s>(site: &'s Shared, digits: &str) -> Result<(&'s Fleet, Wearer), Response> {
    let Some(fleet) = &site.fleet else {
        return Err(over(""));
    };
    let checked = fleet.backing.database().check_invitation(digits).await;
    match checked {
        Ok(Some(wearer)) => Ok((fleet, wearer)),
        Ok(None) => Err(over(
            "An invitation is good for seven days and for one sign-in. Ask for another one.",
        )),
        Err(error) => Err(unavailable(false, &error)),
    }
}

fn over(words: &str) -> Response {
    let title = "This invitation is not good any more";
    layout::plain(StatusCode::NOT_FOUND, title, words)
}

fn told(problem: &Problem) -> Response {
    let words: Vec<String> = std::iter::once(phrases::sentence(problem.message()))
        .chain(for_a_page(problem))
        .collect();
    let status = match problem.exit() {
        Exit::Temporary => StatusCode::BAD_GATEWAY,
        _ => StatusCode::BAD_REQUEST,
    };
    layout::plain(status, "The sign-in was not completed", &words.join(" "))
}

fn sign_in_of(site: &Shared, wearer: &Wearer) -> Result<(SignIn, String), Problem> {
    let provider = provider(wearer);
    let config = &site.config;
    let client = sign_in::client(config, &[], provider)?.ok_or_else(|| {
        Problem::failed(format!(
            "Pulsewing has not been introduced to {provider} yet"
        ))
        .hint("the person who set it up has to do that once")
    })?;
    let redirect = match &config.web.public_url {
        Some(public) => format!("{public}{DONE}"),
        None => format!("http://127.0.0.1:{}/sign-in/done", site.address.port()),
    };
    let http = Http::new(provider, &config.endpoints)?;
    let sign_in = SignIn::new(http, client, redirect, site.clock.clone())?;
    let url = sign_in.url()?;
    Ok((sign_in, url))
}

fn provider(wearer: &Wearer) -> Provider {
    wearer.provider.parse().unwrap_or(Provider::Google)
}

fn service(wearer: &Wearer) -> String {
    provider(wearer).to_string()
}

fn who(wearer: &Wearer) -> &str {
    match wearer.name.as_str() {
        "" => wearer.id.as_str(),
        name => name,
    }
}

fn way(digits: &str, url: &str, is_public: bool, complaint: Option<&str>) -> Markup {
    let body = html! {
        h1 { "Sign in" }
        ol.way {
            li.card {
                p { "Open the consent page and allow Pulsewing to read the heart rate." }
                p { a.button.main href=(url) rel="noreferrer" { "To the consent page" } }
                @if is_public { p { "Afterwards you come back here, and that is all." } }
            }
            @if !is_public || complaint.is_some() {
                li.card {
                    p { "Afterwards the browser ends up at an address that it cannot open. That is as it should be: copy that address, come back to this page and paste it here." }
                    @if let Some(complaint) = complaint { p.complaint role="alert" { (complaint) } }
                    form method="post" action=(format!("/invitation/{digits}/paste")) {
                        label { "The address, or its code"
                            input type="text" name="pasted" autocomplete="off" spellcheck="false" required;
                        }
                        button { "Finish" }
                    }
                }
            }
        }
    };
    layout::bare("Sign in", &body)
}
