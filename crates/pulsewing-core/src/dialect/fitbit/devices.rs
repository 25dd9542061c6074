//! Battery and last sync from Fitbit.

use jiff::Timestamp;

use super::super::{
    DecodeError, Trackers,
    device::{Device, DeviceKind, PHONE_AS_TRACKER, percent},
    scalar,
    walk::{Kind, Place, Reader, Visitor},
};
use crate::{
    civil::Offsets,
    instant::{date_time, rfc3339},
    json::Event,
};

/// Decodes a reply of Get Devices (Fitbit Web API).
///
/// The order of the list means nothing: scales, phones and old trackers can be anywhere in it.
pub struct DevicesDecoder(Reader<List, 64>);

struct List {
    offsets: Offsets,
    device: Device,
    /// Whether it is the phone's own step counter.
    phone: bool,
    trackers: Trackers,
}

impl DevicesDecoder {
    /// Returns a decoder at the beginning of a reply; `offsets` are the wearer's.
    #[must_use]
    pub fn new(offsets: &Offsets) -> Self {
        Self(Reader::new(List {
            offsets: offsets.clone(),
            device: Device::default(),
            phone: false,
            trackers: Trackers::default(),
        }))
    }

    /// Decodes the next bytes of the reply.
    ///
    /// # Errors
    /// [`DecodeError`], now or in an earlier call; [`DecodeError::NotTheReply`] if the body is not an
    /// array, as with every error body.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        self.0.feed(chunk)
    }

    /// Ends the reply.
    ///
    /// # Errors
    /// [`DecodeError`] if the reply is incomplete, or was refused before.
    pub fn finish(self) -> Result<Trackers, DecodeError> {
        Ok(self.0.finish()?.trackers)
    }
}

#[derive(Clone, Copy)]
enum At {
    Body,
    Device,
    Type,
    Version,
    Level,
    LastSync,
}

impl Place for At {
    const BODY: Self = Self::Body;

    fn kind(self) -> Kind<Self> {
        match self {
            Self::Body => Kind::Array(Self::Device),
            Self::Device => Kind::Object,
            Self::Type | Self::Version | Self::Level | Self::LastSync => Kind::Scalar,
        }
    }
}

impl Visitor for List {
    type Place = At;

    fn member(&mut self, _: At, key: &[u8]) -> Option<At> {
        match key {
            b"type" => Some(At::Type),
            b"deviceVersion" => Some(At::Version),
            b"batteryLevel" => Some(At::Level),
            b"lastSyncTime" => Some(At::LastSync),
            _ => None,
        }
    }

    fn begin(&mut self, place: At) {
        if let At::Device = place {
            self.device = Device::default();
            self.phone = false;
        }
    }

    fn end(&mut self, place: At) {
        if let At::Device = place {
            if self.phone {
                self.device.kind = DeviceKind::NotWorn;
            }
            self.trackers.offer(self.device);
        }
    }

    fn scalar(&mut self, place: At, event: Event<'_>) {
        let text = match event {
            Event::String(text) => text.as_bytes().unwrap_or_default(),
            _ => &[],
        };
        match place {
            At::Type => self.device.kind = DeviceKind::from_name(text),
            At::Version => self.phone = text == PHONE_AS_TRACKER,
            At::Level => self.device.level = scalar::whole(event).and_then(percent),
            At::LastSync => {
                let with_offset = rfc3339(text);
                self.device.last_sync = with_offset.or_else(|| local_instant(text, &self.offsets));
            }
            At::Body | At::Device => {}
        }
    }
}

/// Reads a date and time of the wearer's clock. In the hour that comes twice, the first pass is meant;
/// a time that the clock skipped is read as if it had not been skipped.
fn local_instant(text: &[u8], offsets: &Offsets) -> Option<Timestamp> {
    let local = date_time(text)?;
    let day = offsets.day(local.date());
    let time = local.time();
    let minute = day
        .minute_at(time, false)
        .or_else(|| day.minute_at(time, true));
    let offset = minute.map_or_else(|| day.offset(), |minute| day.offset_in(minute));
    offset.to_timestamp(local).ok()
}
