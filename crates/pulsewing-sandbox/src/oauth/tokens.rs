//! The token table: which tokens are granted, which are spent, and which may still be replayed.
//!
//! ```text
//!            refresh                 120 s over, or the new pair used
//!  active ───────────▶ replayable ───────────────────────────────────▶ spent
//!     │                    │  ▲ │
//!     │ revoke,            │  └─┘ the same refresh again: the same pair again
//!     ▼ new consent        ▼
//!  revoked ◀───────────────┘            (Fitbit Web API; Google's tokens stay active)
//! ```
//!
//! Fitbit: one active refresh token per user and app, and each refresh returns a new pair. A
//! refresh with the token just spent returns the same pair for 120 seconds and until the new access
//! or refresh token is used (Fitbit Web API, Refresh Token; Best Practices). Google: refresh tokens
//! do not rotate; in publishing status "Testing" they end after seven days. Access tokens live
//! until their expiry, whatever happens to the refresh token, unless the grant is revoked. With the
//! switch `google_rotates` a refresh with Google ends the refresh token that was used, and there is
//! no replay.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    Mint, Provider,
    account::{Account, State},
};
use crate::settings::Settings;

/// The circumstances in which tokens are granted.
pub(crate) struct Issue<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) mint: &'a mut Mint,
    pub(crate) now: Timestamp,
}

impl Issue<'_> {
    /// Returns those of the scopes that the wearer still allows.
    fn allowed(&self, scopes: Vec<String>) -> Vec<String> {
        let allowed = scopes.into_iter();
        allowed
            .filter(|scope| self.settings.allows(scope))
            .collect()
    }
}

/// Every grant of both providers.
#[derive(Debug)]
pub(crate) struct Tokens {
    fitbit: Account,
    google: Account,
    /// The lifetime of an access token in seconds, if it is not the provider's own.
    token_life: Option<u32>,
}

/// The result of a token endpoint.
#[derive(Clone)]
pub(crate) struct Granted {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) expires_in: u32,
    /// Seconds until the refresh token ends, for Google apps in testing.
    pub(crate) refresh_expires_in: Option<i64>,
    pub(crate) scopes: Vec<String>,
}

/// The result of a Fitbit refresh.
pub(crate) enum FitbitRefresh {
    /// A pair; the marker is held until the reply has been sent.
    Pair(Granted, Arc<()>),
    /// Another request with this token is still being answered.
    Conflict,
    Invalid,
}

/// The result of a Google refresh.
pub(crate) enum GoogleRefresh {
    Access(Granted),
    Invalid,
}

/// The validity of an access token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Valid(Vec<String>),
    Expired,
    Unknown,
}

impl Tokens {
    pub(crate) fn new(token_life: Option<u32>) -> Self {
        Self {
            fitbit: Account::default(),
            google: Account::default(),
            token_life,
        }
    }

    /// Grants a Fitbit consent: the chain starts over, and earlier refresh tokens are revoked.
    pub(crate) fn fitbit_consent(&mut self, scopes: Vec<String>, issue: &mut Issue<'_>) -> Granted {
        self.fitbit.revoke_refresh_tokens();
        self.fitbit.generation = 1;
        self.issue_pair(scopes, issue)
    }

    /// Plants a Fitbit chain that begins with a known refresh token.
    pub(crate) fn fitbit_seed(&mut self, token: String, scopes: Vec<String>, now: Timestamp) {
        self.fitbit.revoke_refresh_tokens();
        self.fitbit.refresh.retain(|old| old.token != token);
        self.fitbit.generation = 1;
        self.fitbit.add_refresh(token, scopes, now, false);
    }

    /// Refreshes a Fitbit chain.
    pub(crate) fn fitbit_refresh(&mut self, token: &str, issue: &mut Issue<'_>) -> FitbitRefresh {
        let now = issue.now;
        let Some(found) = self.fitbit.refresh_token(token) else {
            return FitbitRefresh::Invalid;
        };
        match &found.state {
            State::Revoked => return FitbitRefresh::Invalid,
            State::Spent { answering, .. } if Arc::strong_count(answering) > 1 => {
                return FitbitRefresh::Conflict;
            }
            State::Spent {
                pair, answering, ..
            } => {
                return if found.state.is_replayable(issue.settings.replay, now) {
                    FitbitRefresh::Pair(pair.clone(), Arc::clone(answering))
                } else {
                    FitbitRefresh::Invalid
                };
            }
            State::Active => {}
        }
        let scopes = found.scopes.clone();
        self.fitbit.mark_used(token);
        let pair = self.issue_pair(scopes, issue);
        let answering = Arc::new(());
        if let Some(spent) = self.fitbit.refresh_token(token) {
            spent.state = State::Spent {
                first_used: now,
                pair: pair.clone(),
                pair_used: false,
                answering: Arc::clone(&answering),
            };
        }
        self.fitbit.generation += 1;
        FitbitRefresh::Pair(pair, answering)
    }

    /// Grants a Google consent. Without `offline` there is no refresh token.
    pub(crate) fn google_consent(
        &mut self,
        scopes: Vec<String>,
        offline: bool,
        issue: &mut Issue<'_>,
    ) -> Granted {
        let settings = issue.settings;
        self.google.generation = self.google.generation.max(1);
        let length = settings.refresh_token_length;
        let refresh_token = offline.then(|| issue.mint.google_refresh(length));
        if let Some(token) = &refresh_token {
            let testing = settings.testing_status;
            self.google.drop_oldest_google_refresh();
            self.google
                .add_refresh(token.clone(), scopes.clone(), issue.now, testing);
        }
        Granted {
            refresh_token: refresh_token.clone(),
            ..self.issue_google_access(scopes, refresh_token, issue)
        }
    }

    /// Refreshes a Google grant.
    pub(crate) fn google_refresh(&mut self, token: &str, issue: &mut Issue<'_>) -> GoogleRefresh {
        let settings = issue.settings;
        let found = self.google.refresh_token(token);
        let Some(found) = found.filter(|found| found.is_alive(settings, issue.now)) else {
            return GoogleRefresh::Invalid;
        };
        let scopes = found.scopes.clone();
        let length = settings.refresh_token_length;
        let next = settings
            .google_rotates
            .then(|| issue.mint.google_refresh(length));
        if let Some(next) = &next {
            // The grant keeps its age: a new token does not extend its life.
            let (issued_at, testing) = (found.issued_at, found.testing);
            found.state = State::Revoked;
            self.google.hand_over_access(token, next);
            self.google
                .add_refresh(next.clone(), scopes.clone(), issued_at, testing);
            self.google.generation += 1;
        }
        let parent = next.clone().unwrap_or_else(|| token.to_owned());
        GoogleRefresh::Access(Granted {
            refresh_token: next,
            ..self.issue_google_access(scopes, Some(parent), issue)
        })
    }

    /// Returns whether the wearer has a live Google grant with a refresh token.
    pub(crate) fn has_google_grant(&self, settings: &Settings, now: Timestamp) -> bool {
        self.google
            .refresh
            .iter()
            .any(|token| token.is_alive(settings, now))
    }

    /// Looks up an access token, and notes that it was used if it is valid.
    pub(crate) fn use_access(
        &mut self,
        provider: Provider,
        token: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Access {
        self.account_mut(provider).use_access(token, settings, now)
    }

    /// Returns when an access token was issued and when it expires.
    pub(crate) fn access_times(
        &self,
        provider: Provider,
        token: &str,
    ) -> Option<(Timestamp, Timestamp)> {
        let found = self
            .account(provider)
            .access
            .iter()
            .find(|known| known.token == token)?;
        Some((found.issued_at, found.expires_at))
    }

    /// Revokes the grant that an access or refresh token belongs to, with all its tokens.
    ///
    /// Returns whether the token was known and alive.
    pub(crate) fn revoke(&mut self, provider: Provider, token: &str) -> bool {
        self.account_mut(provider).revoke(token)
    }

    /// Describes every grant without any token, as returned by `GET /_sandbox/tokens`.
    pub(crate) fn describe(&self, settings: &Settings, now: Timestamp) -> Value {
        let granted = [Provider::Fitbit, Provider::Google];
        let granted = granted
            .into_iter()
            .filter(|provider| self.account(*provider).generation > 0);
        granted
            .map(|provider| self.account(provider).describe(provider, settings, now))
            .collect()
    }

    fn issue_pair(&mut self, scopes: Vec<String>, issue: &mut Issue<'_>) -> Granted {
        let now = issue.now;
        let life = self.token_life.unwrap_or(FITBIT_ACCESS_LIFE_S);
        let expires_at = after(now, life);
        let length = issue.settings.refresh_token_length;
        let access_token = issue.mint.fitbit_access(&scopes, now, expires_at);
        let refresh_token = issue.mint.fitbit_refresh(length);
        self.fitbit
            .add_access(access_token.clone(), scopes.clone(), now, expires_at, None);
        self.fitbit
            .add_refresh(refresh_token.clone(), scopes.clone(), now, false);
        Granted {
            access_token,
            refresh_token: Some(refresh_token),
            expires_in: life,
            refresh_expires_in: None,
            scopes: issue.allowed(scopes),
        }
    }

    fn issue_google_access(
        &mut self,
        scopes: Vec<String>,
        parent: Option<String>,
        issue: &mut Issue<'_>,
    ) -> Granted {
        let now = issue.now;
        let life = self.token_life.unwrap_or(GOOGLE_ACCESS_LIFE_S);
        let access_token = issue.mint.google_access();
        let refresh_expires_in = self
            .google
            .refresh
            .iter()
            .find(|refresh| Some(&refresh.token) == parent.as_ref())
            .filter(|refresh| refresh.testing || issue.settings.testing_status)
            .map(|refresh| refresh.testing_seconds_left(now) - 1);
        self.google.add_access(
            access_token.clone(),
            scopes.clone(),
            now,
            after(now, life),
            parent,
        );
        Granted {
            access_token,
            refresh_token: None,
            expires_in: life,
            refresh_expires_in,
            scopes: issue.allowed(scopes),
        }
    }

    fn account(&self, provider: Provider) -> &Account {
        match provider {
            Provider::Fitbit => &self.fitbit,
            Provider::Google => &self.google,
        }
    }

    fn account_mut(&mut self, provider: Provider) -> &mut Account {
        match provider {
            Provider::Fitbit => &mut self.fitbit,
            Provider::Google => &mut self.google,
        }
    }
}

fn after(now: Timestamp, seconds: u32) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds.into()))
        .unwrap_or(Timestamp::MAX)
}

const FITBIT_ACCESS_LIFE_S: u32 = 28_800;
const GOOGLE_ACCESS_LIFE_S: u32 = 3_599;

#[cfg(test)]
mod tests;
