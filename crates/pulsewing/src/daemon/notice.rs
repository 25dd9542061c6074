//! What a picture says when something is wrong.

use pulsewing_core::{
    Provider,
    cycle::{Failure, FailureKind},
    oauth::{NoAnswer, OAuthError},
};
use pulsewing_screen::State;

use super::Snapshot;
use crate::{engine::Activity, tell::banner_words};

/// What to type to sign in.
const LOGIN: &str = "pulsewing login";

/// What to type to sign in with Fitbit's dialect.
const LOGIN_FITBIT: &str = "pulsewing login --provider fitbit";

/// What to type to move to Google Health.
const LOGIN_GOOGLE: &str = "pulsewing login --provider google";

/// The texts of a [`State`].
#[derive(Debug)]
pub(crate) struct Notice<'l> {
    snapshot: &'l Snapshot,
    address: Option<&'l str>,
}

impl<'l> Notice<'l> {
    /// What there is to say of this. `address` is where one can sign in with another machine's browser.
    #[must_use]
    pub(crate) const fn new(snapshot: &'l Snapshot, address: Option<&'l str>) -> Self {
        Self { snapshot, address }
    }

    /// What there is to say, if there is something.
    #[must_use]
    pub(crate) fn state(&self) -> Option<State<'_>> {
        if self.snapshot.activity == Activity::TokensNotStored {
            return Some(State::TokensNotStored);
        }
        let Some(failed_update) = &self.snapshot.failed_update else {
            return match self.snapshot.reading {
                Some(_) => None,
                None => Some(State::FirstStart),
            };
        };
        Some(match failed_update.failure {
            Failure::TokensNotStored => State::TokensNotStored,
            Failure::Gone => State::ServiceGone {
                command: LOGIN_GOOGLE,
            },
            Failure::RateLimited { until } => State::RateLimited {
                until: self.snapshot.clock_at(until),
            },
            Failure::NoAnswer {
                cause: NoAnswer::NeverLeft | NoAnswer::TimedOut | NoAnswer::Disconnected,
                ..
            }
            | Failure::OutOfTime => State::Offline,
            // What the account's owner or administrator has to do comes before another sign-in.
            failure
                if failure.kind() == FailureKind::ConsentNeeded
                    && !matches!(failure, Failure::OAuth(error) if error != OAuthError::AccessDenied) =>
            {
                State::SignInNeeded {
                    command: match self.snapshot.provider {
                        Provider::Google => LOGIN,
                        Provider::Fitbit => LOGIN_FITBIT,
                    },
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
