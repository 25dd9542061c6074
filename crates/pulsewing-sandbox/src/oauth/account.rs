//! The tokens of one wearer with one provider.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Provider, fingerprint,
    tokens::{Access, Granted},
};
use crate::{
    settings::{Replay, Settings},
    wearer::Wearer,
};

/// One wearer's grant to one app.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// 0 until the first consent or seed.
    pub(super) generation: u64,
    pub(super) refresh: Vec<RefreshToken>,
    pub(super) access: Vec<AccessToken>,
}

/// A refresh token that was issued.
pub(super) struct RefreshToken {
    pub(super) token: String,
    pub(super) scopes: Vec<String>,
    pub(super) issued_at: Timestamp,
    /// Whether it was issued while the app was in testing; publishing the app later does not change
    /// that.
    pub(super) testing: bool,
    pub(super) state: State,
}

/// The state of a refresh token.
pub(super) enum State {
    Active,
    Spent {
        first_used: Timestamp,
        pair: Granted,
        pair_used: bool,
        answering: Arc<()>,
    },
    Revoked,
}

/// An access token that was issued.
pub(super) struct AccessToken {
    pub(super) token: String,
    pub(super) scopes: Vec<String>,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    /// The Google refresh token whose end also ends this one.
    pub(super) parent: Option<String>,
}

impl Account {
    /// Stores a refresh token as active. Returns the token that it had to forget for that.
    pub(super) fn add_refresh(
        &mut self,
        token: String,
        scopes: Vec<String>,
        issued_at: Timestamp,
        testing: bool,
    ) -> Option<String> {
        let forgotten = (self.refresh.len() >= KEPT).then(|| self.refresh.remove(0).token);
        self.refresh.push(RefreshToken {
            token,
            scopes,
            issued_at,
            testing,
            state: State::Active,
        });
        forgotten
    }

    /// Stores an access token. Returns the token that it had to forget for that.
    pub(super) fn add_access(
        &mut self,
        token: String,
        scopes: Vec<String>,
        issued_at: Timestamp,
        expires_at: Timestamp,
        parent: Option<String>,
    ) -> Option<String> {
        let forgotten = (self.access.len() >= KEPT).then(|| self.access.remove(0).token);
        self.access.push(AccessToken {
            token,
            scopes,
            issued_at,
            expires_at,
            parent,
        });
        forgotten
    }

    /// Finds a refresh token.
    pub(super) fn refresh_token(&mut self, token: &str) -> Option<&mut RefreshToken> {
        self.refresh.iter_mut().find(|known| known.token == token)
    }

    /// Returns whether a token that still works was granted with a scope.
    pub(super) fn has_consented(&self, scope: &str, settings: &Settings, now: Timestamp) -> bool {
        let has = |scopes: &[String]| scopes.iter().any(|granted| granted == scope);
        let mut refresh = self.refresh.iter();
        let mut access = self.access.iter();
        refresh.any(|token| has(&token.scopes) && token.is_alive(settings, now))
            // Without a refresh token, consent lasts as long as the access token.
            || access.any(|token| {
                token.parent.is_none() && has(&token.scopes) && now < token.expires_at
            })
    }

    /// Moves the access tokens of one refresh token to another.
    pub(super) fn hand_over_access(&mut self, old: &str, new: &str) {
        for access in &mut self.access {
            if access.parent.as_deref() == Some(old) {
                access.parent = Some(new.to_owned());
            }
        }
    }

    /// Notes the use of a token: the token that it replaced can no longer be replayed.
    pub(super) fn mark_used(&mut self, token: &str) {
        for refresh in &mut self.refresh {
            if let State::Spent {
                pair, pair_used, ..
            } = &mut refresh.state
            {
                let is_new =
                    pair.access_token == token || pair.refresh_token.as_deref() == Some(token);
                *pair_used |= is_new;
            }
        }
    }

    /// Looks up an access token, and notes that it was used if it is valid.
    pub(super) fn use_access(
        &mut self,
        token: &str,
        settings: &Settings,
        now: Timestamp,
    ) -> Access {
        let Some(found) = self.access.iter().find(|known| known.token == token) else {
            return Access::Unknown;
        };
        let parent = found.parent.as_ref();
        let mut parents = self
            .refresh
            .iter()
            .filter(|refresh| Some(&refresh.token) == parent);
        if parents.any(|refresh| !refresh.is_alive(settings, now)) {
            return Access::Unknown;
        }
        if now >= found.expires_at {
            return Access::Expired;
        }
        let scopes = found
            .scopes
            .iter()
            .filter(|scope| settings.allows(scope))
            .cloned()
            .collect();
        self.mark_used(token);
        Access::Valid(scopes)
    }

    /// Revokes everything if `token` is a token of this account that is not revoked yet; otherwise
    /// returns `None`. Returns the access tokens, which it forgets.
    pub(super) fn revoke(&mut self, token: &str) -> Option<Vec<AccessToken>> {
        let is_revoked = |refresh: &RefreshToken| matches!(refresh.state, State::Revoked);
        let known = self.access.iter().any(|access| access.token == token)
            || self
                .refresh
                .iter()
                .any(|refresh| refresh.token == token && !is_revoked(refresh));
        known.then(|| {
            self.revoke_refresh_tokens();
            std::mem::take(&mut self.access)
        })
    }

    /// Revokes every refresh token; access tokens live until they expire.
    pub(super) fn revoke_refresh_tokens(&mut self) {
        for refresh in &mut self.refresh {
            refresh.state = State::Revoked;
        }
    }

    /// Limits a Google account to 100 live refresh tokens per app: the oldest one ends without
    /// notice.
    pub(super) fn drop_oldest_google_refresh(&mut self) {
        let is_active = |token: &RefreshToken| matches!(token.state, State::Active);
        let active = self.refresh.iter().filter(|token| is_active(token)).count();
        let oldest = self.refresh.iter_mut().find(|token| is_active(token));
        if let Some(oldest) = oldest.filter(|_| active >= GOOGLE_LIVE_REFRESH_TOKENS) {
            oldest.state = State::Revoked;
        }
    }

    /// Describes the grant without any token.
    pub(super) fn describe(
        &self,
        (wearer, provider): (Wearer, Provider),
        settings: &Settings,
        now: Timestamp,
    ) -> Value {
        let refresh: Vec<Value> = self
            .refresh
            .iter()
            .map(|token| {
                let state = match &token.state {
                    State::Active if token.is_alive(settings, now) => "active",
                    State::Active | State::Revoked => "revoked",
                    spent if spent.is_replayable(settings.replay, now) => "replayable",
                    State::Spent { .. } => "spent",
                };
                json!({ "fp": fingerprint(&token.token), "state": state })
            })
            .collect();
        let access: Vec<Value> = self
            .access
            .iter()
            .map(|token| {
                json!({ "fp": fingerprint(&token.token), "expires_at": token.expires_at.to_string() })
            })
            .collect();
        json!({
            "provider": provider.name(),
            "user_id": provider.user_id(wearer),
            "generation": self.generation,
            "refresh": refresh,
            "access": access,
        })
    }
}

impl RefreshToken {
    /// Returns whether the token can be used to refresh.
    pub(super) fn is_alive(&self, settings: &Settings, now: Timestamp) -> bool {
        let in_testing = self.testing || settings.testing_status;
        let has_ended = in_testing && self.testing_seconds_left(now) <= 0;
        matches!(self.state, State::Active) && !has_ended
    }

    /// Returns how many seconds a grant of an app in testing has left.
    pub(super) fn testing_seconds_left(&self, now: Timestamp) -> i64 {
        (TESTING_LIFE - now.duration_since(self.issued_at)).as_secs()
    }
}

impl State {
    /// Returns whether a refresh with a spent token still returns its pair.
    pub(super) fn is_replayable(&self, replay: Replay, now: Timestamp) -> bool {
        let Self::Spent {
            first_used,
            pair_used,
            ..
        } = self
        else {
            return false;
        };
        let in_time = match replay {
            Replay::TwoMinutes => now.duration_since(*first_used) <= REPLAY_WINDOW,
            Replay::UntilUsed => true,
        };
        in_time && !pair_used
    }
}

// Written by hand, so that no Debug output contains a token.
impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshToken")
            .field("fp", &fingerprint(&self.token))
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken")
            .field("fp", &fingerprint(&self.token))
            .finish_non_exhaustive()
    }
}

/// Fitbit answers a repeated refresh with the same pair for two minutes.
const REPLAY_WINDOW: SignedDuration = SignedDuration::from_secs(120);

/// Live refresh tokens per Google account and client id.
const GOOGLE_LIVE_REFRESH_TOKENS: usize = 100;

/// How many refresh and access tokens are remembered per account.
const KEPT: usize = 1_000;
/// Grants of a Google app in publishing status "Testing" end after seven days.
const TESTING_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
