//! The sign-in with the cloud, through the page.
//!
//! The consent page redirects the browser to the loopback address, because a desktop client may not
//! ask for any other. On this machine that is the page, and the sign-in is complete. On another
//! machine the browser ends at an address that it cannot open; when the user pastes that address
//! here, the sign-in is complete as well.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Form,
    extract::{Query, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Redirect as Onwards, Response},
};
use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};
use pulsewing_core::{Provider, oauth::Redirect};
use serde::Deserialize;

use super::{
    Shared, dates, layout,
    subject::{Polled, Subject},
};
use crate::{
    config::wearer::WearerId,
    custody::chain_file::ChainFile,
    daemon::{Member, Snapshot},
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
pub(super) const WITHIN: Duration = Duration::from_secs(10 * 60);

/// The length limit of a pasted address, in bytes.
pub(super) const LONGEST: usize = 8 * 1_024;

/// The sign-in of each wearer that was begun last; the redirect of an older one is not accepted.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<BTreeMap<WearerId, Begun>>);

#[derive(Debug)]
struct Begun {
    sign_in: SignIn,
    if_another: IfAnother,
    /// The beginning of the paths of the wearer's pages.
    base: String,
    until: Duration,
}

impl Pending {
    fn begin(&self, wearer: WearerId, begun: Begun) {
        self.begun().insert(wearer, begun);
    }

    /// Describes the text that the user has to paste, as the middle of a sentence.
    fn what_to_paste(&self, wearer: &WearerId, up: Duration) -> String {
        match self.begun().get(wearer).filter(|begun| up < begun.until) {
            Some(begun) => begun.sign_in.what_to_paste(),
            None => "start again".to_owned(),
        }
    }

    /// Takes the sign-in of a wearer that this pasted redirect belongs to, with a code or an error.
    /// A code without a state is accepted, because the user pasted it.
    fn take_pasted(&self, wearer: &WearerId, redirect: &Redirect, up: Duration) -> Option<Begun> {
        let mut begun = self.begun();
        let is_theirs = begun.get(wearer)?.accepts(redirect, up);
        if is_theirs {
            begun.remove(wearer)
        } else {
            None
        }
    }

    /// Takes the sign-in that this redirect from a browser belongs to, and its wearer. The state
    /// tells which one it is.
    fn take(&self, redirect: &Redirect, up: Duration) -> Option<(WearerId, Begun)> {
        redirect.state.as_ref()?;
        let mut begun = self.begun();
        let wearer = begun
            .iter()
            .find(|(_, begun)| begun.accepts(redirect, up))
            .map(|(wearer, _)| wearer.clone())?;
        begun.remove_entry(&wearer)
    }

    fn begun(&self) -> MutexGuard<'_, BTreeMap<WearerId, Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    fn accepts(&self, redirect: &Redirect, up: Duration) -> bool {
        up < self.until && self.sign_in.is_ours(redirect)
    }
}

/// Serves the page with the state of the sign-in, and the form to begin.
pub(super) async fn page(polled: Polled, Query(choice): Query<Choice>) -> Response {
    shown(&polled, StatusCode::OK, None, &choice)
}

/// What is chosen in the form to begin with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    /// The name of a service; the one that is set up without it.
    provider: Option<String>,
}

fn shown(
    polled: &Polled,
    status: StatusCode,
    complaint: Option<&Problem>,
    choice: &Choice,
) -> Response {
    let subject = &polled.subject;
    let snapshot = subject.snapshot();
    let place = polled.member.broadcast.place();
    let stored = ChainFile::new(place.clone()).stored();
    let provider = snapshot.provider;
    let chosen = choice.provider.as_deref();
    let chosen = chosen.unwrap_or_else(|| provider.name());
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
            form method="post" action=(format!("{}/sign-in", subject.base)) {
                fieldset {
                    legend { "Which service has the tracker's data?" }
                    @for (name, label) in [("google", "Google Health"), ("fitbit", "Fitbit, the older service (for a gateway or the sandbox)")] {
                        label { input type="radio" name="provider" value=(name) checked[name == chosen]; " " (label) }
                    }
                }
                @if pulsewing_history::bytes_on_disk(&place.dir) > 0 {
                    label {
                        input type="checkbox" name="replace" value="yes";
                        " Start over with another person: the history so far is set aside, not deleted"
                    }
                }
                button.main { "Begin" }
            }
        }
    };
    let today = snapshot.local(subject.now()).date();
    (
        status,
        layout::page(subject, layout::Place::SignIn, today, "Sign-in", &body),
    )
        .into_response()
}

/// Returns a problem's hints for a user who may have only a phone: leaves out those with commands
/// for a shell.
pub(super) fn for_a_page(problem: &Problem) -> impl Iterator<Item = String> {
    let is_typed = |hint: &str| hint.contains('`') || hint.contains("--");
    let hints = problem.hints().iter().filter(move |hint| !is_typed(hint));
    hints.map(|hint| phrases::sentence(hint))
}

/// Formats a date and time on the wearer's clock.
fn since(snapshot: &Snapshot, at: Timestamp) -> Markup {
    let offset = match &snapshot.reading {
        Some(reading) => reading.time_zone.offsets.at(at),
        None => TimeZone::system().to_offset(at),
    };
    let date = offset.to_datetime(at).date();
    html! { (dates::day(date, dates::Form::Long)) ", " (phrases::clock_at(at, offset)) }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    provider: String,
    /// Present if its box is ticked.
    replace: Option<String>,
}

/// Begins a sign-in: shows the link to the consent page, and the field for the paste.
pub(super) async fn begin(polled: Polled, Form(wanted): Form<Wanted>) -> Response {
    match begun(&polled, &wanted) {
        Ok(url) => (StatusCode::OK, way(&polled.subject, &url, None)).into_response(),
        Err(problem) => {
            let choice = Choice {
                provider: Some(wanted.provider),
            };
            shown(&polled, StatusCode::CONFLICT, Some(&problem), &choice)
        }
    }
}

fn begun(polled: &Polled, wanted: &Wanted) -> Result<String, Problem> {
    let Polled { subject, member } = polled;
    let site = &subject.site;
    let provider: Provider = wanted
        .provider
        .parse()
        .map_err(|_| Problem::failed("there is no such service"))?;
    let running = subject.snapshot().provider;
    let wearer = &subject.wearer;
    let is_fixed = wearer.provider.or(site.config.provider).is_some();
    if provider != running && is_fixed {
        return Err(Problem::failed(format!(
            "Pulsewing is set up for {running} only"
        ))
        .hint("ask the person who set it up to change that; then sign in here")
        .details(format!("the configuration names {running} as the provider: set provider = \"{}\" there and restart Pulsewing", provider.name())));
    }
    let mut places = vec![member.broadcast.place().clone()];
    places.extend(site.members.others(member));
    let client = sign_in::client(&site.config, &places, provider)?.ok_or_else(|| {
        Problem::failed(format!("Pulsewing has not been introduced to {provider} yet"))
            .hint("the person who set it up has to do that once, in about ten minutes; docs/accounts.md is the guide. Then sign in here")
            .details(format!("there is no OAuth client for {provider}: put its client_id and client_secret into the configuration and restart Pulsewing, or sign in once on the machine itself with the client's JSON"))
    })?;
    let redirect = format!("http://127.0.0.1:{}/sign-in/done", site.address.port());
    let http = Http::new(provider, &site.config.endpoints)?;
    let sign_in = SignIn::new(http, client, redirect, site.clock.clone())?;
    let url = sign_in.url()?;
    let begun = Begun {
        sign_in,
        if_another: IfAnother::new(wanted.replace.is_some()),
        base: subject.base.clone(),
        until: site.clock.now().up + WITHIN,
    };
    site.sign_in.begin(wearer.id.clone(), begun);
    Ok(url)
}

fn way(subject: &Subject, url: &str, complaint: Option<&str>) -> Markup {
    let snapshot = subject.snapshot();
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
                form method="post" action=(format!("{}/sign-in/paste", subject.base)) {
                    label { "The address, or its code"
                        input type="text" name="pasted" autocomplete="off" spellcheck="false" required;
                    }
                    input type="hidden" name="url" value=(url);
                    button { "Finish" }
                }
            }
        }
    };
    let today = snapshot.local(subject.now()).date();
    layout::page(subject, layout::Place::SignIn, today, "Sign-in", &body)
}

#[derive(Deserialize)]
pub(super) struct Pasted {
    pub(super) pasted: String,
    /// The consent page's address, to show again if the paste was wrong. It contains no secret.
    #[serde(default)]
    url: String,
}

/// Handles the pasted address.
pub(super) async fn paste(polled: Polled, Form(pasted): Form<Pasted>) -> Response {
    let Polled { subject, member } = polled;
    let pending = &subject.site.sign_in;
    let wearer = &subject.wearer.id;
    let up = subject.site.clock.now().up;
    let text = pasted.pasted.trim();
    let again = |words: &str| {
        let is_web = pasted.url.starts_with("https://") || pasted.url.starts_with("http://");
        let start = format!("{}/sign-in", subject.base);
        let url = match is_web {
            true => pasted.url.as_str(),
            false => start.as_str(),
        };
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            way(&subject, url, Some(words)),
        )
            .into_response()
    };
    if text.len() > LONGEST {
        return again("That is too long for such an address.");
    }
    let redirect = match Redirect::parse(text) {
        Ok(redirect) => redirect,
        Err(error) => {
            let expected = pending.what_to_paste(wearer, up);
            return again(&phrases::sentence(&format!("{error}; {expected}")));
        }
    };
    match pending.take_pasted(wearer, &redirect, up) {
        Some(begun) => finished(&subject.site, &member, begun, redirect).await,
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
    let taken = site.sign_in.take(&redirect, site.clock.now().up);
    let members = site.members.all();
    let found = taken.and_then(|(wearer, begun)| {
        let member = members.iter().find(|member| member.wearer.id == wearer)?;
        Some((member, begun))
    });
    match found {
        Some((member, begun)) => finished(&site, member, begun, redirect).await,
        None => {
            refused("It belongs to another sign-in, or took more than ten minutes. Start again.")
        }
    }
}

async fn finished(site: &Shared, member: &Member, begun: Begun, redirect: Redirect) -> Response {
    let Begun {
        sign_in,
        if_another,
        base,
        ..
    } = begun;
    let wearer = Wearer {
        place: member.broadcast.place().clone(),
        others: site.members.others(member),
        keep: site.config.history.keep,
        clock: site.clock.clone(),
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
            member.broadcast.update_now();
            Onwards::to(&format!("{base}/")).into_response()
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
