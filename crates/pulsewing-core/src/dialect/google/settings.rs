//! The wearer's time zone from Google.

use jiff::tz::Offset;

use super::super::{
    DecodeError, ZoneFacts, scalar,
    walk::{Kind, Place, Reader, Visitor},
    zone_name,
};
use crate::json::Event;

/// Decodes the reply of `getSettings` (Google Health API).
#[derive(Default)]
pub struct SettingsDecoder(Reader<Settings, 64>);

#[derive(Default)]
struct Settings(ZoneFacts);

impl SettingsDecoder {
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
    TimeZone,
    UtcOffset,
}

impl Place for At {
    const BODY: Self = Self::Body;

    fn kind(self) -> Kind<Self> {
        match self {
            Self::Body => Kind::Object,
            Self::TimeZone | Self::UtcOffset => Kind::Scalar,
        }
    }
}

impl Visitor for Settings {
    type Place = At;

    fn member(&mut self, _: At, key: &[u8]) -> Option<At> {
        match key {
            b"timeZone" => Some(At::TimeZone),
            b"utcOffset" => Some(At::UtcOffset),
            _ => None,
        }
    }

    fn scalar(&mut self, place: At, event: Event<'_>) {
        match (place, event) {
            (At::TimeZone, Event::String(text)) => {
                self.0.name = text.as_str().and_then(zone_name);
            }
            (At::UtcOffset, Event::String(text)) => {
                self.0.offset = text.as_str().and_then(duration_as_offset);
            }
            (At::UtcOffset, _) => {
                self.0.offset = scalar::whole(event).and_then(scalar::offset);
            }
            _ => {}
        }
    }
}

/// Reads a protocol buffers duration such as `3600s` or `-14400s`; offsets have no fractions.
fn duration_as_offset(text: &str) -> Option<Offset> {
    let seconds = text.strip_suffix('s').unwrap_or(text);
    let whole = seconds.split_once('.').map_or(seconds, |(whole, _)| whole);
    scalar::offset(whole.parse().ok()?)
}
