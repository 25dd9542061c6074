//! The parts that all pages share: head, navigation, footer.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::civil::Date;
use maud::{DOCTYPE, Markup, html};

use super::{assets, icons, subject::Subject};
use crate::tell::phrases::sentence;

/// The address of the icon without a state.
const LOGO: &str = "/assets/state.svg";

/// The page in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Now,
    Day(Date),
    Week(Date),
    Month(Date),
    SignIn,
}

/// Builds a whole page. `today` is the target of the navigation on pages without a date.
pub(super) fn page(
    subject: &Subject,
    place: Place,
    today: Date,
    title: &str,
    body: &Markup,
) -> Markup {
    let date = match place {
        Place::Now | Place::SignIn => today,
        Place::Day(date) | Place::Week(date) | Place::Month(date) => date,
    };
    let month = date.strftime("%Y-%m").to_string();
    let (base, api) = (subject.base.as_str(), subject.api());
    // Of several wearers, it is always clear whose page this is.
    let wearer = &subject.wearer;
    let name = match base {
        "" => wearer.name.as_deref(),
        _ => Some(wearer.title()),
    };
    let is_one_of_several = !base.is_empty();
    // Several tabs may be open.
    let whose = is_one_of_several.then(|| wearer.title());
    let title = match whose {
        Some(whose) => format!("{whose}: {title}"),
        None => title.to_owned(),
    };
    // The present's tab shows it even if it is too narrow for its title.
    let icon = match place {
        Place::Now => icons::of_state(&subject.snapshot(), subject.now()),
        _ => LOGO.to_owned(),
    };
    let current = |is_it: bool| is_it.then_some("page");
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&title, true, &icon))
            body data-events=(format!("{api}/events")) data-whose=[whose] {
                a.skip href="#main" { "To the content" }
                header {
                    a.brand href="/" { (mark()) "Pulsewing" }
                    @if let Some(name) = name { span.wearer { (name) } }
                    nav aria-label="Pages" {
                        @if is_one_of_several { a href="/" { "All" } }
                        a href=(format!("{base}/")) aria-current=[current(place == Place::Now)] { "Now" }
                        a href=(format!("{base}/day/{date}")) aria-current=[current(matches!(place, Place::Day(_)))] { "Day" }
                        a href=(format!("{base}/week/{date}")) aria-current=[current(matches!(place, Place::Week(_)))] { "Week" }
                        a href=(format!("{base}/month/{month}")) aria-current=[current(matches!(place, Place::Month(_)))] { "Month" }
                    }
                }
                (lost())
                @if place == Place::Now { (sound()) }
                main #main { (body) }
                footer {
                    (not_medical())
                    p {
                        @if subject.has_sign_in() { a href=(format!("{base}/sign-in")) { "Sign-in" } " · " }
                        a href=(format!("{base}/frame.png")) { "The device's picture" }
                        " · For programs: " a href=(format!("{api}/now")) { "JSON" } ", " a href="/metrics" { "metrics" }
                    }
                }
            }
        }
    }
}

/// Builds the page of all wearers.
pub(super) fn family(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, true, LOGO))
            body data-events="/family/events" {
                a.skip href="#main" { "To the content" }
                header { a.brand href="/" { (mark()) "Pulsewing" } }
                (lost())
                (sound())
                main.family #main { (body) }
                footer {
                    (not_medical())
                    p { "For programs: " a href="/api/v1/wearers" { "JSON" } ", " a href="/metrics" { "metrics" } }
                }
            }
        }
    }
}

/// Builds the notice that the script shows while there is no connection.
fn lost() -> Markup {
    html! {
        p.lost #lost role="status" hidden { "No connection to Pulsewing. You see the last known values; their age keeps counting." }
    }
}

/// Builds the line that says whether alarms are heard. The script shows it.
fn sound() -> Markup {
    html! { p.sound #sound hidden { span { "Sound is off." } button type="button" { "Press to allow" } } }
}

fn not_medical() -> Markup {
    html! {
        p { "Pulsewing is not a medical device. What it shows lags the body by 15 to 45 minutes." }
    }
}

/// Builds a page without navigation, for a visitor who has not entered the passphrase yet.
pub(super) fn bare(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, false, LOGO))
            body.bare {
                header { a.brand href="/" { (mark()) "Pulsewing" } }
                main #main { (body) }
            }
        }
    }
}

/// Builds the technical details of an error, for a user who opens them.
pub(super) fn details(technical: &str) -> Markup {
    html! {
        details.technical {
            summary { "Details" }
            p { (sentence(technical)) }
        }
    }
}

/// Builds a page with one message.
pub(super) fn message(status: StatusCode, title: &str, words: &str) -> Response {
    message_with(status, title, words, None)
}

/// Builds a page with one message, and its technical details below it.
pub(super) fn message_with(
    status: StatusCode,
    title: &str,
    words: &str,
    technical: Option<&str>,
) -> Response {
    let body = html! {
        div.card.narrow {
            h1 { (title) }
            p { (words) }
            @if let Some(technical) = technical { (details(technical)) }
            p { a.button href="/" { "To the present" } }
        }
    };
    (status, bare(title, &body)).into_response()
}

/// Builds a page with one message for a visitor who cannot open any other.
#[cfg(feature = "fleet")]
pub(super) fn plain(status: StatusCode, title: &str, words: &str) -> Response {
    let body = html! {
        div.card.narrow {
            h1 { (title) }
            p { (words) }
        }
    };
    (status, bare(title, &body)).into_response()
}

fn head(title: &str, is_live: bool, icon: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · Pulsewing" }
            meta name="theme-color" media="(prefers-color-scheme: light)" content="#f4f5f6";
            meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0c0f12";
            link rel="icon" href=(icon) type="image/svg+xml";
            link rel="apple-touch-icon" href=(format!("/assets/{}", icons::name(192, true)));
            link rel="manifest" href=(assets::manifest_path());
            link rel="stylesheet" href=(assets::style_path());
            @if is_live { script src=(assets::script_path()) defer {} }
        }
    }
}

/// Draws the logo: a beat between two wings.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 20" aria-hidden="true" {
            path d="M1 10h7l3-7 5 14 4-10 2 3h9" {}
        }
    }
}
