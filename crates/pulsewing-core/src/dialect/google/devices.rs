//! Battery and last sync from Google.

use super::super::{
    DecodeError, PageToken, Trackers,
    device::{Device, DeviceKind, PHONE_AS_TRACKER, percent},
    page_token::NextPage,
    scalar,
    walk::{Kind, Place, Reader, Visitor},
};
use crate::{
    instant::rfc3339,
    json::{Event, Text},
};

/// The end of a page of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicesPage {
    /// The page's trackers; those of all pages are needed to find the worn one.
    pub trackers: Trackers,
    /// The next page.
    pub next_page: Option<PageToken>,
}

/// Decodes one page of `pairedDevices.list` (Google Health API).
#[derive(Default)]
pub struct DevicesDecoder(Reader<List, { PageToken::MAX }>);

#[derive(Default)]
struct List {
    device: Device,
    /// Whether `batteryStatus` is "Empty".
    empty: bool,
    /// Whether it is a phone, whatever its type.
    phone: bool,
    trackers: Trackers,
    next: NextPage,
}

impl DevicesDecoder {
    /// Returns a decoder at the beginning of a page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes the next bytes of the page.
    ///
    /// # Errors
    /// [`DecodeError`], now or in an earlier call.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        self.0.feed(chunk)
    }

    /// Ends the page.
    ///
    /// # Errors
    /// [`DecodeError`] if the page is incomplete, or was refused before.
    pub fn finish(self) -> Result<DevicesPage, DecodeError> {
        let list = self.0.finish()?;
        Ok(DevicesPage {
            trackers: list.trackers,
            next_page: list.next.into_token(),
        })
    }
}

#[derive(Clone, Copy)]
enum At {
    Body,
    Devices,
    Device,
    Type,
    Version,
    Level,
    Status,
    LastSync,
    NextPageToken,
}

impl Place for At {
    const BODY: Self = Self::Body;

    fn kind(self) -> Kind<Self> {
        match self {
            Self::Body | Self::Device => Kind::Object,
            Self::Devices => Kind::Array(Self::Device),
            Self::Type
            | Self::Version
            | Self::Level
            | Self::Status
            | Self::LastSync
            | Self::NextPageToken => Kind::Scalar,
        }
    }
}

impl Visitor for List {
    type Place = At;

    fn member(&mut self, object: At, key: &[u8]) -> Option<At> {
        Some(match (object, key) {
            (At::Body, b"pairedDevices") => At::Devices,
            (At::Body, b"nextPageToken") => At::NextPageToken,
            (At::Device, b"deviceType") => At::Type,
            (At::Device, b"deviceVersion") => At::Version,
            (At::Device, b"batteryLevel") => At::Level,
            (At::Device, b"batteryStatus") => At::Status,
            (At::Device, b"lastSyncTime") => At::LastSync,
            _ => return None,
        })
    }

    fn begin(&mut self, place: At) {
        if let At::Device = place {
            self.device = Device::default();
            self.empty = false;
            self.phone = false;
        }
    }

    fn end(&mut self, place: At) {
        if let At::Device = place {
            if self.phone {
                self.device.kind = DeviceKind::NotWorn;
            }
            if self.empty {
                // Protocol buffers leave out a member that is 0.
                self.device.level = self.device.level.or(Some(0));
            }
            self.trackers.offer(self.device);
        }
    }

    fn scalar(&mut self, place: At, event: Event<'_>) {
        let text = match event {
            Event::String(text) => Text::as_bytes(text).unwrap_or_default(),
            _ => &[],
        };
        match place {
            At::Type => self.device.kind = DeviceKind::from_name(text),
            At::Version => self.phone = text == PHONE_AS_TRACKER,
            At::Level => self.device.level = scalar::whole(event).and_then(percent),
            At::Status => self.empty = text.eq_ignore_ascii_case(b"empty"),
            At::LastSync => self.device.last_sync = rfc3339(text),
            At::NextPageToken => self.next = NextPage::read(event),
            _ => {}
        }
    }

    fn verdict(&self) -> Result<(), DecodeError> {
        self.next.verdict()
    }
}
