//! The token chain: the grant that keeps Pulsewing signed in, and who may use it when.
//!
//! A provider that rotates (Fitbit) gives one refresh token at a time. Each refresh spends it, so
//! losing the next one means being signed out. The types here enforce the rule that follows:
//!
//! ```text
//!   the store ── Record::decode ──▶ Stored ── tokens may be sent
//!                                     │ refresh (after an Intent was stored)
//!                                     ▼
//!                                  Unstored ── gives out nothing but its bytes for the store
//!                                     │ the store confirmed it (the cycle alone may say so)
//!                                     ▼
//!                                  Stored
//! ```
//!
//! A new token is therefore used only when it can no longer be lost. [`Intent`] marks that a refresh
//! may be under way: after a crash, that refresh is repeated first.
//!
//! The bytes that are stored are described in [`codec`].

pub mod codec;

use jiff::{SignedDuration, Timestamp};

use crate::{
    AccessToken, ClientSecret, Provider, RefreshToken,
    instant::later,
    oauth::{Grant, Scopes},
};

/// An origin such as `https://api.fitbit.com`: scheme, host and port, without a slash at the end.
pub type Issuer = heapless::String<256>;

/// The OAuth client's id.
pub type ClientId = heapless::String<256>;

/// The provider's name for the wearer.
pub type UserId = heapless::String<64>;

/// The OAuth client that a chain was granted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Its secret; Fitbit's personal and public apps have none.
    pub secret: Option<ClientSecret>,
}

/// Whether a chain may be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Active,
    /// No: the provider itself refused it. It is kept and never sent again.
    Refused,
    /// No: it is on its way to a board, which owns it from now on.
    Moving,
}

/// An access token and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The token.
    pub token: AccessToken,
    /// The time at which the provider stops accepting it.
    pub expires_at: Timestamp,
    /// The lifetime that it was issued with, in seconds.
    pub lifetime_s: u32,
}

impl Access {
    /// Returns when to ask for the next one: a twelfth of its lifetime before it ends, at most half an
    /// hour.
    #[must_use]
    pub fn refresh_at(&self) -> Timestamp {
        let margin = (self.lifetime_s / 12).min(30 * 60);
        later(
            self.expires_at,
            -SignedDuration::from_secs(i64::from(margin)),
        )
        .unwrap_or(Timestamp::MIN)
    }
}

/// The parts of a chain, stored or not.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Chain {
    provider: Provider,
    issuer: Issuer,
    client: Client,
    user_id: Option<UserId>,
    refresh: RefreshToken,
    refresh_expires_at: Option<Timestamp>,
    access: Option<Access>,
    scopes: Scopes,
    obtained_at: Timestamp,
    generation: u32,
    standing: Standing,
}

impl Chain {
    /// Returns the next chain, from a `grant` received at `now`. Members that the grant leaves out are
    /// kept, except for the access token: an old one cannot replace a new one.
    fn granted(&self, grant: Grant, now: Timestamp) -> Self {
        let rotated = grant.refresh.is_some();
        Self {
            provider: self.provider,
            issuer: self.issuer.clone(),
            client: self.client.clone(),
            user_id: grant.user_id.or_else(|| self.user_id.clone()),
            refresh: grant.refresh.unwrap_or_else(|| self.refresh.clone()),
            refresh_expires_at: grant
                .refresh_lifetime_s
                .and_then(|s| after(now, s))
                .or(self.refresh_expires_at),
            access: access(grant.access, now),
            scopes: grant.scopes.unwrap_or(self.scopes),
            obtained_at: now,
            generation: self.generation.saturating_add(u32::from(rotated)),
            standing: Standing::Active,
        }
    }
}

fn after(now: Timestamp, seconds: u32) -> Option<Timestamp> {
    later(now, SignedDuration::from_secs(i64::from(seconds)))
}

fn access(granted: Option<(AccessToken, u32)>, now: Timestamp) -> Option<Access> {
    let (token, lifetime_s) = granted?;
    Some(Access {
        token,
        expires_at: after(now, lifetime_s)?,
        lifetime_s,
    })
}

/// A refresh that was about to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The generation whose refresh token is being spent.
    pub generation: u32,
    /// The time at which it was first sent: the beginning of the provider's replay window.
    pub first_sent_at: Timestamp,
}

/// A chain that is in the store. Only such a chain's tokens can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored(Chain);

/// A chain that is not in the store yet. It gives out its bytes for the store, but not its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstored(Chain);

impl Stored {
    /// Returns the provider that issued it.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        self.0.provider
    }

    /// Returns the origin of the token endpoint that issued it. Its refresh token is sent nowhere else.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Returns the client that it was granted to.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.0.client
    }

    /// Returns the provider's name for the wearer.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.0.user_id.as_deref()
    }

    /// Returns the refresh token.
    #[must_use]
    pub const fn refresh_token(&self) -> &RefreshToken {
        &self.0.refresh
    }

    /// Returns when the refresh token ends, if it does.
    #[must_use]
    pub const fn refresh_expires_at(&self) -> Option<Timestamp> {
        self.0.refresh_expires_at
    }

    /// Returns the access token, if there is one.
    #[must_use]
    pub const fn access(&self) -> Option<&Access> {
        self.0.access.as_ref()
    }

    /// Returns the scopes that the wearer granted.
    #[must_use]
    pub const fn scopes(&self) -> Scopes {
        self.0.scopes
    }

    /// Returns when this generation was obtained.
    #[must_use]
    pub const fn obtained_at(&self) -> Timestamp {
        self.0.obtained_at
    }

    /// Returns the number of sign-ins and rotations so far; in the store it never decreases.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.0.generation
    }

    /// Returns whether it may be refreshed.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.0.standing
    }

    /// Returns the chain that results from `grant`. It has to be stored before it is used.
    #[must_use]
    pub fn granted(&self, grant: Grant, now: Timestamp) -> Unstored {
        Unstored(self.0.granted(grant, now))
    }

    /// Returns this chain with another access token, for an answer without a refresh token, so that
    /// nothing can be lost. `None` if the answer has a refresh token, or no access token.
    #[must_use]
    pub fn with_access(&self, grant: &Grant, now: Timestamp) -> Option<Self> {
        (grant.refresh.is_none() && grant.access.is_some())
            .then(|| Self(self.0.granted(grant.clone(), now)))
    }

    /// Returns whether both are the same generation of the same grant, whatever their access tokens.
    pub(crate) fn is_same_grant(&self, other: &Self) -> bool {
        let (this, other) = (&self.0, &other.0);
        this.provider == other.provider
            && this.issuer == other.issuer
            && this.client == other.client
            && this.refresh == other.refresh
            && this.generation == other.generation
            && this.standing == other.standing
    }

    /// Returns the same chain without its access token: its refresh token has to prove itself before
    /// anything else is asked for, such as after the store was put back to an earlier time.
    #[must_use]
    pub fn unproven(self) -> Self {
        Self(Chain {
            access: None,
            ..self.0
        })
    }

    /// Returns this chain with another standing: on its way to a board, or taken back from there.
    #[must_use]
    pub fn with_standing(&self, standing: Standing) -> Unstored {
        Unstored(Chain {
            standing,
            ..self.0.clone()
        })
    }

    /// Returns this chain as its next owner gets it, under a `generation` of its own: without an access
    /// token, so that the owner has to fetch one, which shows that the chain works.
    #[must_use]
    pub fn handed_over(&self, generation: u32, now: Timestamp) -> Unstored {
        Unstored(Chain {
            access: None,
            obtained_at: now,
            generation,
            standing: Standing::Active,
            ..self.0.clone()
        })
    }

    /// Returns this chain, marked as refused by its provider.
    #[must_use]
    pub fn refused(&self) -> Unstored {
        Unstored(Chain {
            standing: Standing::Refused,
            access: None,
            ..self.0.clone()
        })
    }
}

impl Unstored {
    /// Creates the chain of a sign-in; it replaces the chain of generation `replaces`, if there is one.
    /// `None` if the grant has no refresh token.
    #[must_use]
    pub fn signed_in(
        provider: Provider,
        issuer: Issuer,
        client: Client,
        grant: Grant,
        requested: Scopes,
        replaces: Option<u32>,
        now: Timestamp,
    ) -> Option<Self> {
        Some(Self(Chain {
            provider,
            issuer,
            client,
            user_id: grant.user_id,
            refresh: grant.refresh?,
            refresh_expires_at: grant.refresh_lifetime_s.and_then(|s| after(now, s)),
            access: access(grant.access, now),
            // RFC 6749, section 5.1: left out if it equals the requested scope.
            scopes: grant.scopes.unwrap_or(requested),
            obtained_at: now,
            generation: replaces.unwrap_or(0).saturating_add(1),
            standing: Standing::Active,
        }))
    }

    /// Returns this chain as its owner so far keeps it while it is on its way to a board.
    #[must_use]
    pub fn moving(&self) -> Self {
        Self(Chain {
            standing: Standing::Moving,
            ..self.0.clone()
        })
    }

    /// Returns the provider that issued it.
    #[must_use]
    pub const fn provider(&self) -> Provider {
        self.0.provider
    }

    /// Returns the generation that it will have in the store.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.0.generation
    }

    /// Returns the scopes that the wearer granted.
    #[must_use]
    pub const fn scopes(&self) -> Scopes {
        self.0.scopes
    }

    /// Returns when its refresh token ends, if it does.
    #[must_use]
    pub const fn refresh_expires_at(&self) -> Option<Timestamp> {
        self.0.refresh_expires_at
    }

    /// Turns the chain into a stored one, after the store has confirmed it.
    pub(crate) fn confirmed(self) -> Stored {
        Stored(self.0)
    }
}

/// The content of the store: a chain, and perhaps the intent to refresh it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The chain.
    pub chain: Stored,
    /// The refresh that was about to be sent; its generation is the chain's.
    pub intent: Option<Intent>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    pub(crate) fn grant(refresh: Option<&str>, access: Option<&str>) -> Grant {
        Grant {
            refresh: refresh.map(|text| RefreshToken::new(text).unwrap()),
            access: access.map(|text| (AccessToken::new(text).unwrap(), 28_800)),
            scopes: None,
            refresh_lifetime_s: None,
            user_id: None,
        }
    }

    pub(crate) fn signed_in(provider: Provider) -> Unstored {
        Unstored::signed_in(
            provider,
            "https://api.fitbit.com".try_into().unwrap(),
            Client {
                id: "23ABCD".try_into().unwrap(),
                secret: Some(ClientSecret::new("hush").unwrap()),
            },
            grant(Some("refresh-1"), Some("access-1")),
            Scopes::ALL,
            None,
            now(),
        )
        .unwrap()
    }

    #[test]
    fn an_access_token_is_renewed_a_twelfth_before_its_end_but_at_most_half_an_hour() {
        let chain = signed_in(Provider::Fitbit).confirmed();
        let access = chain.access().unwrap();
        assert_eq!(
            access.expires_at.duration_since(access.refresh_at()),
            SignedDuration::from_mins(30)
        );
        let short = Access {
            lifetime_s: 3_599,
            ..access.clone()
        };
        assert_eq!(
            short.expires_at.duration_since(short.refresh_at()),
            SignedDuration::from_secs(299)
        );
    }

    #[test]
    fn a_rotation_raises_the_generation_and_drops_the_old_access_token() {
        let chain = signed_in(Provider::Fitbit).confirmed();
        let next = chain
            .granted(grant(Some("refresh-2"), None), now())
            .confirmed();
        assert_eq!((chain.generation(), next.generation()), (1, 2));
        assert_eq!(next.refresh_token().expose(), "refresh-2");
        assert_eq!(next.access(), None);
    }

    #[test]
    fn only_an_answer_without_a_refresh_token_can_be_used_unstored() {
        let chain = signed_in(Provider::Google).confirmed();
        assert_eq!(
            chain.with_access(&grant(Some("refresh-2"), Some("access-2")), now()),
            None
        );
        let next = chain
            .with_access(&grant(None, Some("access-2")), now())
            .unwrap();
        assert_eq!(
            (next.generation(), next.refresh_token().expose()),
            (1, "refresh-1")
        );
    }

    #[test]
    fn a_chain_is_handed_over_without_its_access_token_and_is_in_one_place_at_a_time() {
        let chain = signed_in(Provider::Fitbit).confirmed();
        let later = now() + SignedDuration::from_hours(1);
        let handed = chain.handed_over(7, later);
        let kept = handed.moving().confirmed();
        assert_eq!(kept.standing(), Standing::Moving);
        assert_eq!(kept.with_standing(Standing::Active), handed);
        let handed = handed.confirmed();
        assert_eq!(
            (handed.generation(), handed.standing()),
            (7, Standing::Active)
        );
        assert_eq!((handed.access(), handed.obtained_at()), (None, later));
        assert_eq!(handed.refresh_token(), chain.refresh_token());
        assert_eq!(handed.client(), chain.client());
    }

    #[test]
    fn a_new_sign_in_never_goes_back_a_generation() {
        let again = Unstored::signed_in(
            Provider::Google,
            Issuer::new(),
            Client {
                id: ClientId::new(),
                secret: None,
            },
            grant(Some("refresh-9"), None),
            Scopes::ALL,
            Some(41),
            now(),
        );
        assert_eq!(again.map(|chain| chain.generation()), Some(42));
    }
}
