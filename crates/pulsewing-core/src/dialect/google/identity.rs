//! The identity of the user who signed in with Google.

use super::super::{
    DecodeError,
    walk::{Kind, Place, Reader, Visitor},
};
use crate::{chain::UserId, json::Event};

/// Google's ids of the user who signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Google Health's id.
    pub health: Option<UserId>,
    /// The id of the Fitbit account that this one was migrated from.
    pub legacy: Option<UserId>,
}

/// Decodes the reply of `getIdentity` (Google Health API).
#[derive(Default)]
pub struct IdentityDecoder(Reader<Told, 64>);

#[derive(Default)]
struct Told(Identity);

impl IdentityDecoder {
    /// Returns a decoder at the beginning of a reply.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes the next bytes of the reply.
    ///
    /// # Errors
    /// [`DecodeError`], now or in an earlier call.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        self.0.feed(chunk)
    }

    /// Ends the reply.
    ///
    /// # Errors
    /// [`DecodeError`] if the reply is incomplete, or was refused before.
    pub fn finish(self) -> Result<Identity, DecodeError> {
        Ok(self.0.finish()?.0)
    }
}

#[derive(Clone, Copy)]
enum At {
    Body,
    HealthUserId,
    LegacyUserId,
}

impl Place for At {
    const BODY: Self = Self::Body;

    fn kind(self) -> Kind<Self> {
        match self {
            Self::Body => Kind::Object,
            Self::HealthUserId | Self::LegacyUserId => Kind::Scalar,
        }
    }
}

impl Visitor for Told {
    type Place = At;

    fn member(&mut self, _: At, key: &[u8]) -> Option<At> {
        match key {
            b"healthUserId" => Some(At::HealthUserId),
            b"legacyUserId" => Some(At::LegacyUserId),
            _ => None,
        }
    }

    fn scalar(&mut self, place: At, event: Event<'_>) {
        let Event::String(text) = event else {
            return;
        };
        // A text longer than any id is not an id.
        let id = text
            .as_str()
            .filter(|id| !id.is_empty())
            .and_then(|id| id.try_into().ok());
        match place {
            At::HealthUserId => self.0.health = id,
            At::LegacyUserId => self.0.legacy = id,
            At::Body => {}
        }
    }
}
