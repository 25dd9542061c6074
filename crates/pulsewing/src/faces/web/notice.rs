//! What is wrong, and the one button that helps.

use jiff::Timestamp;
use maud::{Markup, html};
use pulsewing_core::{
    cycle::{Failure, FailureKind},
    reading::{Absence, LONG_AGO, Reading},
};

use super::{layout, subject::Subject};
use crate::{
    daemon::{FailedUpdate, Snapshot},
    tell::{failure_words, phrases},
};

/// Returns the notice; an empty section while all is well.
pub(super) fn of(subject: &Subject, snapshot: &Snapshot, now: Timestamp) -> Markup {
    html! {
        section #trouble data-live {
            @if let Some(failed_update) = &snapshot.failed_update {
                (complaint(subject, failed_update))
            } @else if let Some(absence) = snapshot.absence(now) {
                (silence(subject, snapshot, absence, now))
            }
        }
    }
}

/// Returns whether there is a notice: its button is the only one then.
pub(super) fn is_needed(snapshot: &Snapshot, now: Timestamp) -> bool {
    snapshot.failed_update.is_some() || snapshot.absence(now).is_some()
}

fn complaint(subject: &Subject, failed_update: &FailedUpdate) -> Markup {
    html! {
        div.trouble role="status" {
            h2 { (phrases::sentence(&failed_update.message)) }
            p { (failure_words::advice(failed_update.failure)) }
            (button(subject, failed_update))
            @if let Some(details) = &failed_update.details { (layout::details(details)) }
        }
    }
}

/// Returns the button that helps; none where only waiting does, or where a person has to be asked.
fn button(subject: &Subject, failed_update: &FailedUpdate) -> Markup {
    let sign_in = format!("{}/sign-in", subject.base);
    match (failed_update.failure, failed_update.failure.kind()) {
        (Failure::Gone, _) if subject.has_sign_in() => html! {
            p { a.button.main href=(format!("{sign_in}?provider=google")) { "Move to Google" } }
        },
        _ if failed_update.wants_sign_in() && subject.has_sign_in() => html! {
            p { a.button.main href=(sign_in) { "Sign in" } }
        },
        // Asking again at once would be refused again.
        (Failure::RateLimited { .. }, _) | (_, FailureKind::ConsentNeeded | FailureKind::Gone) => {
            html! {}
        }
        (_, FailureKind::Temporary | FailureKind::Failed) => update_now(&subject.base),
    }
}

/// Returns the button that starts an update.
pub(super) fn update_now(base: &str) -> Markup {
    html! {
        form method="post" action=(format!("{base}/update")) { button { "Update now" } }
    }
}

fn silence(subject: &Subject, snapshot: &Snapshot, absence: Absence, now: Timestamp) -> Markup {
    let (what, advice) = words(absence);
    let age = snapshot.reading.as_deref().and_then(|it| it.age(now));
    let is_long = age.is_none_or(|age| age >= LONG_AGO);
    let latest = snapshot.reading.as_deref().and_then(Reading::latest);
    html! {
        div.trouble role="status" {
            h2 { (what) }
            p {
                @if is_long && latest.is_some() { "There has been no heart rate for a day or longer. " }
                (advice)
            }
            (update_now(&subject.base))
        }
    }
}

/// Returns the reason for a silence, and what helps.
const fn words(absence: Absence) -> (&'static str, &'static str) {
    match absence {
        Absence::ZoneGuessed => (
            "The age may be wrong",
            "The wearer's time zone did not come with the data. Ask whoever set up Pulsewing to name it.",
        ),
        Absence::NotAsked => (
            "Not updated",
            "The heart rate was not asked for in a while. The next update comes by itself.",
        ),
        Absence::NotWorn => (
            "Not worn",
            "The tracker sends, but measures no heart rate. It may be off the wrist, or sit too loosely.",
        ),
        Absence::NotCharged => (
            "Not charged",
            "The tracker's battery was low when it last sent. Charge it; then open its app near it.",
        ),
        Absence::NotSynced => (
            "Not synced",
            "The tracker has sent nothing for a while. Opening its app on the phone, near the tracker, helps.",
        ),
        Absence::NothingRecorded => (
            "Nothing recorded",
            "No newer heart rate has come. Is the tracker worn and charged, and is its phone near?",
        ),
    }
}
