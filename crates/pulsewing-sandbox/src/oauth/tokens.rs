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

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    Provider,
    account::{Account, State},
    mint::Mint,
    owner::Owners,
};
use crate::{settings::Settings, wearer::Wearer};

/// The circumstances in which tokens are granted, to the wearer of the mint.
pub(crate) struct Issue<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) mint: &'a mut Mint,
    pub(crate) now: Timestamp,
}

impl Issue<'_> {
    /// Returns the wearer to whom the tokens are granted.
    const fn wearer(&self) -> Wearer {
        self.mint.wearer()
    }

    /// Returns those of the scopes that the wearer still allows.
    fn allowed(&self, scopes: Vec<String>) -> Vec<String> {
        let allowed = scopes.into_iter();
        allowed
            .filter(|scope| self.settings.allows(scope))
            .collect()
    }
}

/// Every grant of all wearers and both providers.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// The accounts of the wearers who have signed in.
    accounts: BTreeMap<Wearer, Accounts>,
    owners: Owners,
    /// The lifetime of an access token in seconds, if it is not the provider's own.
    token_life: Option<u32>,
}

/// One wearer's accounts.
#[derive(Debug, Default)]
struct Accounts {
    fitbit: Account,
    google: Account,
}

impl Accounts {
    const fn of(&self, provider: Provider) -> &Account {
        match provider {
            Provider::Fitbit => &self.fitbit,
            Provider::Google => &self.google,
        }
    }

    const fn of_mut(&mut self, provider: Provider) -> &mut Account {
        match provider {
            Provider::Fitbit => &mut self.fitbit,
            Provider::Google => &mut self.google,
        }
    }
}

/// The result of a token endpoint.
#[derive(Clone)]
pub(crate) struct Granted {
    pub(crate) wearer: Wearer,
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
            accounts: BTreeMap::new(),
            owners: Owners::default(),
            token_life,
        }
    }

    /// Grants a Fitbit consent: the chain starts over, and earlier refresh tokens are revoked.
    pub(crate) fn fitbit_consent(&mut self, scopes: Vec<String>, issue: &mut Issue<'_>) -> Granted {
        let account = self.account_mut(issue.wearer(), Provider::Fitbit);
        account.revoke_refresh_tokens();
        account.generation = 1;
        self.issue_pair(scopes, issue)
    }

    /// Plants a wearer's Fitbit chain that begins with a known refresh token.
    pub(crate) fn fitbit_seed(
        &mut self,
        wearer: Wearer,
        token: String,
        scopes: Vec<String>,
        now: Timestamp,
    ) {
        if let Some(before) = self.owner(&token) {
            let account = self.account_mut(before, Provider::Fitbit);
            account.refresh.retain(|old| old.token != token);
        }
        let account = self.account_mut(wearer, Provider::Fitbit);
        account.revoke_refresh_tokens();
        account.generation = 1;
        self.add_refresh((wearer, Provider::Fitbit), token, scopes, now, false);
    }

    /// Refreshes the Fitbit chain of the token's wearer.
    pub(crate) fn fitbit_refresh(&mut self, token: &str, issue: &mut Issue<'_>) -> FitbitRefresh {
        let now = issue.now;
        let account = self.account_mut(issue.wearer(), Provider::Fitbit);
        let Some(found) = account.refresh_token(token) else {
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
        account.mark_used(token);
        let pair = self.issue_pair(scopes, issue);
        let answering = Arc::new(());
        let account = self.account_mut(issue.wearer(), Provider::Fitbit);
        if let Some(spent) = account.refresh_token(token) {
            spent.state = State::Spent {
                first_used: now,
                pair: pair.clone(),
                pair_used: false,
                answering: Arc::clone(&answering),
            };
        }
        account.generation += 1;
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
        let wearer = issue.wearer();
        let account = self.account_mut(wearer, Provider::Google);
        account.generation = account.generation.max(1);
        let length = settings.refresh_token_length;
        let refresh_token = offline.then(|| issue.mint.google_refresh(length));
        if let Some(token) = &refresh_token {
            let testing = settings.testing_status;
            account.drop_oldest_google_refresh();
            let account = (wearer, Provider::Google);
            self.add_refresh(account, token.clone(), scopes.clone(), issue.now, testing);
        }
        Granted {
            refresh_token: refresh_token.clone(),
            ..self.issue_google_access(scopes, refresh_token, issue)
        }
    }

    /// Refreshes a Google grant of the token's wearer.
    pub(crate) fn google_refresh(&mut self, token: &str, issue: &mut Issue<'_>) -> GoogleRefresh {
        let settings = issue.settings;
        let wearer = issue.wearer();
        let account = self.account_mut(wearer, Provider::Google);
        let found = account.refresh_token(token);
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
            account.hand_over_access(token, next);
            account.generation += 1;
            let account = (wearer, Provider::Google);
            self.add_refresh(account, next.clone(), scopes.clone(), issued_at, testing);
        }
        let parent = next.clone().unwrap_or_else(|| token.to_owned());
        GoogleRefresh::Access(Granted {
            refresh_token: next,
            ..self.issue_google_access(scopes, Some(parent), issue)
        })
    }

    /// Returns whether the wearer has a live Google grant with a refresh token.
    pub(crate) fn has_google_grant(
        &self,
        wearer: Wearer,
        settings: &Settings,
        now: Timestamp,
    ) -> bool {
        let accounts = self.accounts.get(&wearer);
        let mut refresh = accounts.iter().flat_map(|both| &both.google.refresh);
        refresh.any(|token| token.is_alive(settings, now))
    }

    /// Returns the wearers who let the Google app see what a scope covers, in order.
    pub(crate) fn google_consents(
        &self,
        scope: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> impl Iterator<Item = Wearer> {
        let is_allowed = settings.allows(scope);
        let accounts = self
            .accounts
            .iter()
            .filter(move |(_, both)| is_allowed && both.google.has_consented(scope, settings, now));
        accounts.map(|(wearer, _)| *wearer)
    }

    /// Returns whose token it is; `None` if it is unknown.
    pub(crate) fn owner(&self, token: &str) -> Option<Wearer> {
        self.owners.find(token)
    }

    /// Looks up an access token, and notes that it was used if it is valid.
    pub(crate) fn use_access(
        &mut self,
        provider: Provider,
        token: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Access {
        match self.owner(token) {
            Some(wearer) => self
                .account_mut(wearer, provider)
                .use_access(token, settings, now),
            None => Access::Unknown,
        }
    }

    /// Returns when an access token was issued and when it expires.
    pub(crate) fn access_times(
        &self,
        provider: Provider,
        token: &str,
    ) -> Option<(Timestamp, Timestamp)> {
        let account = self.accounts.get(&self.owner(token)?)?.of(provider);
        let found = account.access.iter().find(|known| known.token == token)?;
        Some((found.issued_at, found.expires_at))
    }

    /// Revokes the grant that an access or refresh token belongs to, with all its tokens.
    ///
    /// Returns whether the token was known and alive.
    pub(crate) fn revoke(&mut self, provider: Provider, token: &str) -> bool {
        let account = self
            .owner(token)
            .map(|wearer| self.account_mut(wearer, provider));
        let Some(forgotten) = account.and_then(|account| account.revoke(token)) else {
            return false;
        };
        for access in forgotten {
            self.owners.remove(&access.token);
        }
        true
    }

    /// Describes every grant without any token, wearer by wearer, as returned by
    /// `GET /_sandbox/tokens`.
    pub(crate) fn describe(
        &self,
        settings: &Settings,
        now: Timestamp,
    ) -> impl Iterator<Item = Value> {
        self.accounts.iter().flat_map(move |(wearer, accounts)| {
            let granted = [Provider::Fitbit, Provider::Google].into_iter();
            let granted = granted.filter(|provider| accounts.of(*provider).generation > 0);
            granted.map(move |provider| {
                let account = accounts.of(provider);
                account.describe((*wearer, provider), settings, now)
            })
        })
    }

    /// Returns how many wearers have signed in.
    pub(crate) fn wearers(&self) -> usize {
        self.accounts.len()
    }

    fn issue_pair(&mut self, scopes: Vec<String>, issue: &mut Issue<'_>) -> Granted {
        let now = issue.now;
        let life = self.token_life.unwrap_or(FITBIT_ACCESS_LIFE_S);
        let expires_at = after(now, life);
        let length = issue.settings.refresh_token_length;
        let access_token = issue.mint.fitbit_access(&scopes, now, expires_at);
        let refresh_token = issue.mint.fitbit_refresh(length);
        let account = (issue.wearer(), Provider::Fitbit);
        self.add_access(
            account,
            access_token.clone(),
            scopes.clone(),
            (now, expires_at),
            None,
        );
        self.add_refresh(account, refresh_token.clone(), scopes.clone(), now, false);
        Granted {
            wearer: issue.wearer(),
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
        let wearer = issue.wearer();
        let account = self.account_mut(wearer, Provider::Google);
        let refresh_expires_in = account
            .refresh
            .iter()
            .find(|refresh| Some(&refresh.token) == parent.as_ref())
            .filter(|refresh| refresh.testing || issue.settings.testing_status)
            .map(|refresh| refresh.testing_seconds_left(now) - 1);
        self.add_access(
            (wearer, Provider::Google),
            access_token.clone(),
            scopes.clone(),
            (now, after(now, life)),
            parent,
        );
        Granted {
            wearer,
            access_token,
            refresh_token: None,
            expires_in: life,
            refresh_expires_in,
            scopes: issue.allowed(scopes),
        }
    }

    fn add_refresh(
        &mut self,
        (wearer, provider): (Wearer, Provider),
        token: String,
        scopes: Vec<String>,
        issued_at: Timestamp,
        testing: bool,
    ) {
        self.owners.add(&token, wearer);
        let account = self.account_mut(wearer, provider);
        if let Some(forgotten) = account.add_refresh(token, scopes, issued_at, testing) {
            self.owners.remove(&forgotten);
        }
    }

    fn add_access(
        &mut self,
        (wearer, provider): (Wearer, Provider),
        token: String,
        scopes: Vec<String>,
        (issued_at, expires_at): (Timestamp, Timestamp),
        parent: Option<String>,
    ) {
        self.owners.add(&token, wearer);
        let account = self.account_mut(wearer, provider);
        let forgotten = account.add_access(token, scopes, issued_at, expires_at, parent);
        if let Some(forgotten) = forgotten {
            self.owners.remove(&forgotten);
        }
    }

    fn account_mut(&mut self, wearer: Wearer, provider: Provider) -> &mut Account {
        self.accounts.entry(wearer).or_default().of_mut(provider)
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
