//! The wearer's time zone from Fitbit.

use super::super::{
    DecodeError, ZoneFacts, scalar,
    walk::{Kind, Place, Reader, Visitor},
    zone_name,
};
use crate::json::Event;

/// Decodes a reply of Get Profile (Fitbit Web API). It reads only the time zone, no other data about
/// the wearer.
#[derive(Default)]
pub struct ProfileDecoder(Reader<Profile, 64>);

#[derive(Default)]
struct Profile(ZoneFacts);

impl ProfileDecoder {
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
    pub fn finish(self) -> Result<ZoneFacts, DecodeError> {
        Ok(self.0.finish()?.0)
    }
}

#[derive(Clone, Copy)]
enum At {
    Body,
    User,
    TimeZone,
    OffsetMillis,
}

impl Place for At {
    const BODY: Self = Self::Body;

    fn kind(self) -> Kind<Self> {
        match self {
            Self::Body | Self::User => Kind::Object,
            Self::TimeZone | Self::OffsetMillis => Kind::Scalar,
        }
    }
}

impl Visitor for Profile {
    type Place = At;

    fn member(&mut self, object: At, key: &[u8]) -> Option<At> {
        Some(match (object, key) {
            (At::Body, b"user") => At::User,
            (At::User, b"timezone") => At::TimeZone,
            (At::User, b"offsetFromUTCMillis") => At::OffsetMillis,
            _ => return None,
        })
    }

    fn scalar(&mut self, place: At, event: Event<'_>) {
        match (place, event) {
            (At::TimeZone, Event::String(text)) => {
                self.0.name = text.as_str().and_then(zone_name);
            }
            (At::OffsetMillis, _) => {
                let seconds = scalar::whole(event).map(|millis| millis.div_euclid(1_000));
                self.0.offset = seconds.and_then(scalar::offset);
            }
            _ => {}
        }
    }
}
