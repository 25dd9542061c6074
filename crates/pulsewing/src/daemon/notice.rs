//! The text on a picture when something is wrong.

use std::borrow::Cow;

use jiff::Timestamp;
use pulsewing_core::{
    Provider,
    alarm::{Active, Event, Kind, Level, Mute, Signal},
    cycle::{Failure, FailureKind},
    oauth::{NoAnswer, OAuthError},
};
use pulsewing_screen::State;

use super::Snapshot;
use crate::{
    config::wearer::WearerId,
    engine::Activity,
    tell::{banner_words, problem::command_for},
};

/// The command to sign in.
const LOGIN: &str = "pulsewing login";

/// The command to sign in with Fitbit's dialect.
const LOGIN_FITBIT: &str = "pulsewing login --provider fitbit";

/// The command to move to Google Health.
const LOGIN_GOOGLE: &str = "pulsewing login --provider google";

/// How to silence an alarm.
const SILENCE: &str = "Silence it on the page.";

/// The texts of a [`State`].
#[derive(Debug)]
pub(crate) struct Notice<'l> {
    snapshot: &'l Snapshot,
    address: Option<&'l str>,
    /// The commands to sign in: with the provider, and with Google.
    commands: [Cow<'static, str>; 2],
    alarm: Option<Alarm>,
}

/// The alarm to show.
#[derive(Debug)]
struct Alarm {
    signal: Signal,
    sentence: String,
}

impl Alarm {
    /// Returns the alarm that matters most and that nobody has silenced; else what is over, and that nobody
    /// has seen. What the picture says anyway, such as that data are old, is not repeated.
    fn of(snapshot: &Snapshot, now: Timestamp) -> Option<Self> {
        let alarms = &snapshot.alarms;
        let is_silent = |mute: Mute, level| mute.up_to() >= level;
        let loud = alarms.active.iter().find(|alarm| {
            let is_said = matches!(alarm.kind, Kind::Stale | Kind::Sync);
            !is_said && !alarm.mute.is_some_and(|mute| is_silent(mute, alarm.level))
        });
        let past = || {
            let (kind, unseen) = alarms.unseen.first()?;
            Some(unseen.as_signal(*kind))
        };
        let signal = loud.map(Active::as_signal).or_else(past)?;
        Some(Self {
            sentence: signal.sentence(&snapshot.offsets(now), now).to_string(),
            signal,
        })
    }

    fn state(&self) -> State<'_> {
        State::Alarm {
            kind: self.signal.kind,
            level: self.signal.level,
            heading: self.signal.heading(),
            sentence: &self.sentence,
            advice: SILENCE,
        }
    }

    /// Returns whether it comes before anything else that the picture may say.
    fn is_first(&self) -> bool {
        self.signal.kind.is_of_rate() && self.signal.event == Event::Raised
    }
}

impl<'l> Notice<'l> {
    /// Builds the notice for a snapshot. `address` is the page where a user can sign in with
    /// another machine's browser.
    pub(crate) fn new(snapshot: &'l Snapshot, address: Option<&'l str>, now: Timestamp) -> Self {
        let login = match snapshot.provider {
            Provider::Google => LOGIN,
            Provider::Fitbit => LOGIN_FITBIT,
        };
        Self {
            snapshot,
            address,
            commands: [Cow::Borrowed(login), Cow::Borrowed(LOGIN_GOOGLE)],
            alarm: Alarm::of(snapshot, now),
        }
    }

    /// Names the wearer in the commands, because there are several wearers.
    pub(crate) fn for_wearer(self, id: &WearerId) -> Self {
        let commands = self
            .commands
            .map(|command| Cow::Owned(command_for(&command, id.as_str())));
        Self { commands, ..self }
    }

    /// Returns whether something waits for a person, so that it has to be seen.
    pub(crate) fn needs_a_person(&self) -> bool {
        let failed = self.snapshot.failed_update.as_ref();
        let alarm = self.alarm.as_ref();
        alarm.is_some_and(|alarm| alarm.is_first() && alarm.signal.level == Level::Urgent)
            || self.snapshot.activity == Activity::TokensNotStored
            || failed.is_some_and(|update| update.failure.kind() != FailureKind::Temporary)
    }

    /// Returns the state to show, if something is wrong or there is no reading yet.
    pub(crate) fn state(&self) -> Option<State<'_>> {
        let alarm = self.alarm.as_ref();
        let first = alarm.filter(|alarm| alarm.is_first());
        let trouble = || self.trouble();
        first
            .map(Alarm::state)
            .or_else(trouble)
            .or_else(|| alarm.map(Alarm::state))
    }

    /// Returns what is wrong with updates.
    fn trouble(&self) -> Option<State<'_>> {
        if self.snapshot.activity == Activity::TokensNotStored {
            return Some(State::TokensNotStored);
        }
        let [login, login_google] = &self.commands;
        let Some(failed_update) = &self.snapshot.failed_update else {
            return match self.snapshot.reading {
                Some(_) => None,
                None => Some(State::FirstStart),
            };
        };
        Some(match failed_update.failure {
            Failure::TokensNotStored => State::TokensNotStored,
            Failure::Gone => State::ServiceGone {
                command: login_google,
            },
            Failure::RateLimited { until } => State::RateLimited {
                until: self.snapshot.clock_at(until),
            },
            Failure::NoAnswer {
                cause: NoAnswer::NeverLeft | NoAnswer::TimedOut | NoAnswer::Disconnected,
                ..
            }
            | Failure::OutOfTime => State::Offline,
            // A task for the account's owner or administrator comes before another sign-in.
            failure
                if failure.kind() == FailureKind::ConsentNeeded
                    && !matches!(failure, Failure::OAuth(error) if error != OAuthError::AccessDenied) =>
            {
                State::SignInNeeded {
                    command: login,
                    address: self.address,
                }
            }
            failure => {
                let (what, advice) = banner_words::lines(failure);
                State::Fault { what, advice }
            }
        })
    }
}
