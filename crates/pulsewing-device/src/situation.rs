//! The messages to the viewer, in addition to heart rates: turns the facts into one screen state.
//!
//! The first one that applies is shown. Problems that need a person come before those that pass by
//! themselves; activities that must not be interrupted come before both.

use core::time::Duration;

use jiff::{SignedDuration, Timestamp, civil::Time, tz::Offset};
use pulsewing_core::{
    cycle::{CallName, Consent, Failure, FailureKind, Reason, StoreTrouble},
    instant::later,
    oauth::{NoAnswer, OAuthError},
};
use pulsewing_screen::State;

use crate::{
    alarms::Shown,
    ports::{ConnectError, JoinError},
    serial_queue::text,
    shared::{Facts, Network},
};

/// The command to sign in. The program finds the port by itself if there is only one board.
pub const LOGIN: &str = "pulsewing board login";

/// The command to move to Google Health.
pub const LOGIN_GOOGLE: &str = "pulsewing board login --provider google";

/// The command to set up a board.
pub const PROVISION: &str = "pulsewing board provision --wifi NAME";

/// For how long after the start a panic of the previous run is shown.
const PANIC_IS_SHOWN_FOR: Duration = Duration::from_secs(60);

/// Texts that are composed for a state and live as long as it.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    what: heapless::String<192>,
    ssid: heapless::String<32>,
}

/// The two clocks, and the wearer's offset at an instant.
pub(crate) struct When<'w> {
    pub(crate) up: Duration,
    pub(crate) utc: Option<Timestamp>,
    pub(crate) offset_at: &'w dyn Fn(Timestamp) -> Offset,
    pub(crate) has_reading: bool,
}

/// Returns the state to show, if any. An alarm about a heart rate that somebody should look at comes
/// before problems, others after them.
pub(crate) fn state<'t>(
    facts: &Facts,
    when: &When<'_>,
    alarm: Option<&'t Shown>,
    texts: &'t mut Texts,
) -> Option<State<'t>> {
    if let Some(seconds) = facts.erasing_in {
        return Some(State::Erasing { seconds });
    }
    alarm
        .filter(|alarm| alarm.is_first())
        .map(Shown::state)
        .or_else(|| problem(facts, when, texts))
        .or_else(|| alarm.map(Shown::state))
}

/// Returns what is wrong, or not known yet.
fn problem<'t>(facts: &Facts, when: &When<'_>, texts: &'t mut Texts) -> Option<State<'t>> {
    if facts.has_store_failed {
        return Some(State::TokensNotStored);
    }
    if let Some(panic) = &facts.panic
        && when.up < PANIC_IS_SHOWN_FOR
    {
        texts.what = text(format_args!("It restarted after a fault: {panic}"));
        return Some(State::Fault {
            what: &texts.what,
            advice: "It continues by itself. If this happens again, report these words.",
        });
    }
    if let Some(what) = facts.settings_fault {
        return Some(State::Fault {
            what,
            advice: "Set it up again on the computer, or hold the button for a factory reset.",
        });
    }
    match &facts.network {
        Network::Joined(..) => {}
        Network::Untried if when.has_reading => {}
        network => return Some(of_network(network, texts)),
    }
    if when.utc.is_none() {
        return Some(State::WaitingForClock);
    }
    match facts.ended {
        None => Some(State::FirstStart),
        Some(Ok(())) => None,
        Some(Err(failure)) => Some(of_failure(failure, facts, when, texts)),
    }
}

/// Returns whether something waits for a person, who has to see it: a dark screen is lit for it.
///
/// A board without a network or a cloud goes on by itself, and so does the one that was just
/// switched on.
pub(crate) fn needs_a_person(facts: &Facts) -> bool {
    let needs_network = matches!(
        facts.network,
        Network::Unknown | Network::Joining(_, Some(JoinError::Refused))
    );
    let failed =
        matches!(facts.ended, Some(Err(failure)) if failure.kind() != FailureKind::Temporary);
    facts.erasing_in.is_some()
        || facts.has_store_failed
        || facts.settings_fault.is_some()
        || needs_network
        || failed
}

fn of_network<'t>(network: &Network, texts: &'t mut Texts) -> State<'t> {
    let (name, error) = match network {
        Network::Unknown => {
            return State::SetUpNeeded { command: PROVISION };
        }
        Network::Untried | Network::Joined(..) => return State::FirstStart,
        Network::Cable(JoinError::NotFound) => return State::Offline,
        Network::Cable(error) => ("The network", *error),
        Network::Joining(ssid, None | Some(JoinError::NotFound)) => {
            texts.ssid.clone_from(ssid);
            return State::JoiningWifi {
                network: &texts.ssid,
            };
        }
        Network::Joining(ssid, Some(error)) => (ssid.as_str(), *error),
    };
    texts.what = match error {
        JoinError::NotFound => text(format_args!("{name} is not in reach.")),
        JoinError::Refused => text(format_args!("{name} refuses the password.")),
        JoinError::NoAddress => text(format_args!("{name} gives no address (DHCP).")),
        JoinError::Radio => text(format_args!("The radio does not work.")),
    };
    State::Fault {
        what: &texts.what,
        advice: match error {
            JoinError::Refused => "Type on the computer: pulsewing board provision --wifi NAME",
            _ => "Trying again by itself. If this lasts, restart the router.",
        },
    }
}

fn of_failure<'t>(
    failure: Failure,
    facts: &Facts,
    when: &When<'_>,
    texts: &'t mut Texts,
) -> State<'t> {
    let sign_in = State::SignInNeeded {
        command: LOGIN,
        address: None,
    };
    match failure {
        Failure::NoChain | Failure::ForeignChain | Failure::ChainMoved => sign_in,
        Failure::ConsentNeeded(consent) => of_consent(consent).map_or(sign_in, fault),
        Failure::OAuth(error) => of_oauth(error).map_or(sign_in, fault),
        Failure::Store(trouble) => of_store(trouble).map_or(sign_in, fault),
        Failure::IntentNotStored => fault(BAD_FLASH),
        Failure::TokensNotStored => State::TokensNotStored,
        Failure::Gone => State::ServiceGone {
            command: LOGIN_GOOGLE,
        },
        Failure::RateLimited { until } => State::RateLimited {
            until: minute_from(until, when),
        },
        Failure::Unauthorized => fault((
            "The cloud is not accepting the sign-in right now.",
            "Trying again by itself. If this lasts, sign in again.",
        )),
        Failure::NoAnswer {
            cause: NoAnswer::NeverLeft,
            ..
        } => match facts.connect_error.and_then(connect_words) {
            Some((what, advice)) => {
                texts.what = what;
                fault((&texts.what, advice))
            }
            None => State::Offline,
        },
        Failure::NoAnswer { cause, .. } => of_strange_answer(cause).map_or(State::Offline, fault),
        Failure::OutOfTime => State::Offline,
        Failure::Rejected { call, reason, .. } => fault(of_rejection(call, reason)),
    }
}

/// A problem and what to do about it, in a sentence each.
type Words<'w> = (&'w str, &'w str);

const fn fault<'w>((what, advice): Words<'w>) -> State<'w> {
    State::Fault { what, advice }
}

/// Returns the words for a consent that is missing; `None` if a sign-in gives it.
const fn of_consent(consent: Consent) -> Option<Words<'static>> {
    match consent {
        Consent::Refused | Consent::ResourcePermissionDenied | Consent::HeartRateScopeMissing => {
            None
        }
        Consent::AccountNotLinked => Some((
            "This Google account is not linked to Google Health.",
            "Set it up at fitbit.google.com, or sign in with the wearer's own account.",
        )),
    }
}

/// Returns the words for an error of the authorization server; `None` if a sign-in is all it needs.
const fn of_oauth(error: OAuthError) -> Option<Words<'static>> {
    Some(match error {
        OAuthError::InvalidClient | OAuthError::UnauthorizedClient => (
            "The cloud does not know the sign-in's client, or its secret is wrong.",
            "Check the client on the computer, then sign in again.",
        ),
        OAuthError::DeletedClient | OAuthError::DisabledClient => (
            "The sign-in's client was deleted or disabled at the cloud.",
            "Make a new one on the computer, then sign in again.",
        ),
        OAuthError::PolicyEnforced | OAuthError::AdminPolicyEnforced | OAuthError::OrgInternal => (
            "This account's owner or administrator does not allow the app.",
            "Ask them to allow it, or sign in with another account.",
        ),
        _ => return None,
    })
}

const BAD_FLASH: Words<'_> = (
    "The board's flash does not work as it should.",
    "Trying again by itself; the sign-in is safe. If this lasts, the flash is worn out.",
);

/// Returns the words for a store that does not give the sign-in; `None` if a new one is needed.
const fn of_store(trouble: StoreTrouble) -> Option<Words<'static>> {
    Some(match trouble {
        StoreTrouble::Damaged => return None,
        StoreTrouble::Newer(_) => (
            "The stored sign-in is from a newer firmware.",
            "Put that firmware back; nothing was changed.",
        ),
        StoreTrouble::Busy => (
            "The sign-in is being replaced over the serial line.",
            "Trying again by itself.",
        ),
        StoreTrouble::Io => BAD_FLASH,
    })
}

/// Returns the words for a call that the cloud rejects. The console's `status` shows the technical
/// details.
const fn of_rejection(call: CallName, reason: Reason) -> Words<'static> {
    match (reason, call) {
        (Reason::ServiceDisabled, _) => (
            "The Google Health API is not enabled in the client's project.",
            "Enable it in the Google Cloud console; updates then resume.",
        ),
        (Reason::ProjectGone, _) => (
            "The Google Cloud project of the client was deleted.",
            "Make a new project and client on the computer, then sign in again.",
        ),
        (Reason::IntradayNotAllowed, _) => (
            "The Fitbit app may not read minutes.",
            "Set its type to Personal at dev.fitbit.com/apps.",
        ),
        (_, CallName::Token) => (
            "The cloud refuses to renew the sign-in.",
            "Trying again by itself.",
        ),
        _ => (
            "The cloud refuses to give the heart rate.",
            "Trying again by itself.",
        ),
    }
}

/// Returns the message for an invalid answer that arrived over a working network; `None` if we are
/// plainly offline.
const fn of_strange_answer(cause: NoAnswer) -> Option<Words<'static>> {
    Some(match cause {
        _ if cause.is_login_page() => (
            "A network's login page answers in the cloud's place.",
            "Sign in to the network in a browser, or join another one.",
        ),
        NoAnswer::Foreign(_) => (
            "Something on the way answers in the cloud's place.",
            "The network may want a sign-in of its own, or block the cloud.",
        ),
        NoAnswer::Redirected(_) => (
            "The cloud's address redirects elsewhere.",
            "Check the addresses in the settings. Trying again by itself.",
        ),
        NoAnswer::Compressed => (
            "The cloud's answer is compressed, and should not be.",
            "A gateway or proxy on the way does that; it must not.",
        ),
        NoAnswer::NoRefreshToken | NoAnswer::UnfitToken => (
            "The answer has no refresh token that can be stored.",
            "If a gateway answers, it has to be fixed. The sign-in is kept.",
        ),
        NoAnswer::Named { .. } => (
            "The cloud does not renew the sign-in, for a reason of its own.",
            "Trying again less often. If this lasts, sign in again.",
        ),
        NoAnswer::TimedOut
        | NoAnswer::Disconnected
        | NoAnswer::NeverLeft
        | NoAnswer::Status(_)
        | NoAnswer::Malformed
        | NoAnswer::TooLong => return None,
    })
}

/// Returns the message for a TLS problem; `None` if we are plainly offline.
fn connect_words(connect_error: ConnectError) -> Option<(heapless::String<192>, &'static str)> {
    let advice = match connect_error {
        ConnectError::Dns | ConnectError::Connect => return None,
        ConnectError::WrongName => {
            "Is somebody in between, or the address wrong? Nothing was sent there."
        }
        ConnectError::UnknownIssuer => {
            "Is somebody in between, or are the board's roots old? Nothing was sent there."
        }
        ConnectError::Expired | ConnectError::NotYetValid => {
            "Asking for the time again. If this lasts, the server's owner has to act."
        }
        ConnectError::Tls(_) => "Trying again by itself. Nothing was sent.",
    };
    Some((
        text(format_args!("No safe connection: {connect_error}.")),
        advice,
    ))
}

/// Returns the minute from which on something is allowed again, on the wearer's clock.
fn minute_from(until: Timestamp, when: &When<'_>) -> Time {
    // Seconds are not shown, and the shown time must not be too early.
    let rounding_up = SignedDuration::new(59, 999_999_999);
    let shown = later(until, rounding_up).unwrap_or(until);
    let local = (when.offset_at)(until).to_datetime(shown).time();
    Time::new(local.hour(), local.minute(), 0, 0).unwrap_or(local)
}

#[cfg(test)]
mod tests;
