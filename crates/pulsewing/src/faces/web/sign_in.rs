//! The sign-in with the cloud, through the page.
//!
//! The consent page redirects the browser to the loopback address, because a desktop client may not
//! ask for any other. On this machine that is the page, and the sign-in is complete. On another
//! machine the browser ends at an address that it cannot open; when the user pastes that address
//! here, the sign-in is complete as well.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Form,
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect as Onwards, Response},
};
use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};
use pulsewing_core::{Provider, oauth::Redirect};
use serde::Deserialize;

use super::{Shared, layout};
use crate::{
    custody::chain_file::ChainFile,
    daemon::Snapshot,
    engine::http::Http,
    sign_in::{
        self, SignIn,
        person::{IfAnother, Wearer},
    },
    tell::{
        phrases,
        problem::{Exit, Problem},
    },
};

/// The time limit for a sign-in.
const WITHIN: Duration = Duration::from_secs(10 * 60);

/// The length limit of a pasted address, in bytes.
const LONGEST: usize = 8 * 1_024;

/// The sign-in that was begun last; the redirect of an older one is not accepted.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<Option<Begun>>);

#[derive(Debug)]
struct Begun {
    sign_in: SignIn,
    if_another: IfAnother,
    until: Duration,
}

impl Pending {
    fn begin(&self, sign_in: SignIn, if_another: IfAnother, up: Duration) {
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *begun = Some(Begun {
            sign_in,
            if_another,
            until: up + WITHIN,
        });
    }

    /// Describes the text that the user has to paste, as the middle of a sentence.
    fn what_to_paste(&self, up: Duration) -> String {
        let begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match begun.as_ref().filter(|begun| up < begun.until) {
            Some(begun) => begun.sign_in.what_to_paste(),
            None => "start again".to_owned(),
        }
    }

    /// Takes the sign-in that this redirect belongs to, with a code or an error. A code without a
    /// state is accepted only if the user pasted it, not from a browser.
    fn take(&self, redirect: &Redirect, is_pasted: bool, up: Duration) -> Option<Begun> {
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ours = begun.as_ref().is_some_and(|begun| {
            up < begun.until
                && begun.sign_in.is_ours(redirect)
                && (is_pasted || redirect.state.is_some())
        });
        if is_ours { begun.take() } else { None }
    }
}

/// Serves the page with the state of the sign-in, and the form to begin.
pub(super) async fn page(State(site): State<Shared>) -> Response {
    shown(&site, StatusCode::OK, None)
}

fn shown(site: &Shared, status: StatusCode, complaint: Option<&Problem>) -> Response {
    let snapshot = site.snapshot();
    let stored = chain_file(site).stored();
    let provider = snapshot.provider;
    let body = html! {
        h1 { "Sign-in" }
        section.card {
            @match &stored {
                None => p { "Nobody has signed in yet." },
                Some(chain) => p {
                    "Signed in with " (chain.provider().to_string()) " since "
                    (since(&snapshot, chain.obtained_at())) "."
                    @if snapshot.failed_update.as_ref().is_some_and(|it| it.wants_sign_in()) { " The sign-in has to be renewed." }
                },
            }
            @if let Some(problem) = complaint {
                div.complaint role="alert" {
                    p { (phrases::sentence(problem.message())) }
                    @for hint in for_a_page(problem) { p { (hint) } }
                    @if let Some(details) = problem.technical() { (layout::details(details)) }
                }
            }
            form method="post" action="/sign-in" {
                fieldset {
                    legend { "Which service has the tracker's data?" }
                    @for (name, label) in [("google", "Google Health"), ("fitbit", "Fitbit, the older service (for a gateway or the sandbox)")] {
                        label { input type="radio" name="provider" value=(name) checked[name == provider.name()]; " " (label) }
                    }
                }
                @if pulsewing_history::bytes_on_disk(site.broadcast.state_dir()) > 0 {
                    label {
                        input type="checkbox" name="replace" value="yes";
                        " Start over with another person: the history so far is set aside, not deleted"
                    }
                }
                button.main { "Begin" }
            }
        }
    };
    let today = snapshot.local(site.now()).date();
    (
        status,
        layout::page(site, layout::Place::SignIn, today, "Sign-in", &body),
    )
        .into_response()
}

fn chain_file(site: &Shared) -> ChainFile {
    ChainFile::new(site.broadcast.state_dir().clone())
}

/// Returns a problem's hints for a user who may have only a phone: leaves out those with commands
/// for a shell.
fn for_a_page(problem: &Problem) -> impl Iterator<Item = String> {
    let is_typed = |hint: &str| hint.contains('`') || hint.contains("--");
    let hints = problem.hints().iter().filter(move |hint| !is_typed(hint));
    hints.map(|hint| phrases::sentence(hint))
}

/// Formats a date and time on the wearer's clock.
fn since(snapshot: &Snapshot, at: Timestamp) -> String {
    let offset = match &snapshot.reading {
        Some(reading) => reading.time_zone.offsets.at(at),
        None => TimeZone::system().to_offset(at),
    };
    let date = offset.to_datetime(at).date();
    format!("{}, {}", phrases::date(date), phrases::clock_at(at, offset))
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    provider: String,
    /// Present if its box is ticked.
    replace: Option<String>,
}

/// Begins a sign-in: shows the link to the consent page, and the field for the paste.
pub(super) async fn begin(State(site): State<Shared>, Form(wanted): Form<Wanted>) -> Response {
    match begun(&site, &wanted) {
        Ok(url) => (StatusCode::OK, way(&site, &url, None)).into_response(),
        Err(problem) => shown(&site, StatusCode::CONFLICT, Some(&problem)),
    }
}

fn begun(site: &Shared, wanted: &Wanted) -> Result<String, Problem> {
    let provider: Provider = wanted
        .provider
        .parse()
        .map_err(|_| Problem::failed("there is no such service"))?;
    let running = site.snapshot().provider;
    if provider != running && site.config.provider.is_some() {
        return Err(Problem::failed(format!(
            "Pulsewing is set up for {running} only"
        ))
        .hint("ask the person who set it up to change that; then sign in here")
        .details(format!("the configuration names {running} as the provider: set provider = \"{}\" there and restart Pulsewing", provider.name())));
    }
    let client = sign_in::client(&site.config, &chain_file(site), provider)?.ok_or_else(|| {
        Problem::failed(format!("Pulsewing has not been introduced to {provider} yet"))
            .hint("the person who set it up has to do that once, in about ten minutes; docs/accounts.md is the guide. Then sign in here")
            .details(format!("there is no OAuth client for {provider}: put its client_id and client_secret into the configuration and restart Pulsewing, or sign in once on the machine itself with the client's JSON"))
    })?;
    let redirect = format!("http://127.0.0.1:{}/sign-in/done", site.address.port());
    let http = Http::new(provider, &site.config.endpoints)?;
    let sign_in = SignIn::new(http, client, redirect, site.broadcast.clock().clone())?;
    let url = sign_in.url()?;
    let if_another = IfAnother::new(wanted.replace.is_some());
    site.sign_in
        .begin(sign_in, if_another, site.broadcast.now().up);
    Ok(url)
}

fn way(site: &Shared, url: &str, complaint: Option<&str>) -> Markup {
    let snapshot = site.snapshot();
    let body = html! {
        h1 { "Sign-in" }
        ol.way {
            li.card {
                p { "Open the consent page and allow Pulsewing to read the heart rate." }
                p { a.button.main href=(url) rel="noreferrer" { "To the consent page" } }
            }
            li.card {
                p { "If you are at the machine that Pulsewing runs on, that is all. On another machine, the browser ends up at an address that it cannot open: copy that address and paste it here." }
                @if let Some(complaint) = complaint { p.complaint role="alert" { (complaint) } }
                form method="post" action="/sign-in/paste" {
                    label { "The address, or its code"
                        input type="text" name="pasted" autocomplete="off" spellcheck="false" required;
                    }
                    input type="hidden" name="url" value=(url);
                    button { "Finish" }
                }
            }
        }
    };
    let today = snapshot.local(site.now()).date();
    layout::page(site, layout::Place::SignIn, today, "Sign-in", &body)
}

#[derive(Deserialize)]
pub(super) struct Pasted {
    pasted: String,
    /// The consent page's address, to show again if the paste was wrong. It contains no secret.
    #[serde(default)]
    url: String,
}

/// Handles the pasted address.
pub(super) async fn paste(State(site): State<Shared>, Form(pasted): Form<Pasted>) -> Response {
    let text = pasted.pasted.trim();
    let again = |words: &str| {
        let is_web = pasted.url.starts_with("https://") || pasted.url.starts_with("http://");
        let url = if is_web {
            pasted.url.as_str()
        } else {
            "/sign-in"
        };
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            way(&site, url, Some(words)),
        )
            .into_response()
    };
    if text.len() > LONGEST {
        return again("That is too long for such an address.");
    }
    let redirect = match Redirect::parse(text) {
        Ok(redirect) => redirect,
        Err(error) => {
            let expected = site.sign_in.what_to_paste(site.broadcast.now().up);
            return again(&phrases::sentence(&format!("{error}; {expected}")));
        }
    };
    match site.sign_in.take(&redirect, true, site.broadcast.now().up) {
        Some(begun) => finished(&site, begun, redirect).await,
        None => again(
            "That address belongs to another sign-in, or this one took more than ten minutes. Start again.",
        ),
    }
}

/// Handles the redirect from the consent page, on this machine.
pub(super) async fn done(State(site): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let refused = |words: &str| {
        layout::message(
            StatusCode::BAD_REQUEST,
            "The sign-in was not completed",
            words,
        )
    };
    let address = format!("http://127.0.0.1/?{}", query.unwrap_or_default());
    if address.len() > LONGEST {
        return refused("Start again.");
    }
    let redirect = match Redirect::parse(&address) {
        Ok(redirect) => redirect,
        Err(error) => {
            return refused(&format!(
                "{} Start again.",
                phrases::sentence(&error.to_string())
            ));
        }
    };
    match site.sign_in.take(&redirect, false, site.broadcast.now().up) {
        Some(begun) => finished(&site, begun, redirect).await,
        None => {
            refused("It belongs to another sign-in, or took more than ten minutes. Start again.")
        }
    }
}

async fn finished(site: &Shared, begun: Begun, redirect: Redirect) -> Response {
    let Begun {
        sign_in,
        if_another,
        ..
    } = begun;
    let wearer = Wearer {
        dir: site.broadcast.state_dir().clone(),
        keep: site.config.history.keep,
        clock: site.broadcast.clock().clone(),
        console: site.console,
    };
    // On a separate task: if the browser disconnects, the exchange must still complete.
    let exchange = tokio::spawn(async move {
        let code = redirect.answer.map_err(|error| sign_in.denied(error))?;
        sign_in.finish(&code, &wearer, if_another).await.map(drop)
    });
    let result = exchange.await.unwrap_or_else(|error| {
        Err(Problem::new(Exit::Failed, "the sign-in ended unexpectedly").caused_by(&error))
    });
    match result {
        Ok(()) => {
            tracing::info!("signed in from the page");
            site.broadcast.update_now();
            Onwards::to("/").into_response()
        }
        Err(problem) => {
            let words: Vec<String> = std::iter::once(phrases::sentence(problem.message()))
                .chain(for_a_page(&problem))
                .collect();
            let status = match problem.exit() {
                Exit::ConsentNeeded => StatusCode::BAD_REQUEST,
                _ => StatusCode::BAD_GATEWAY,
            };
            layout::message_with(
                status,
                "The sign-in was not completed",
                &words.join(" "),
                problem.technical(),
            )
        }
    }
}
