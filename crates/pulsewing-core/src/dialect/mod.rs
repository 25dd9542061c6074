//! The two clouds' data calls: requests as values, replies decoded as their bytes arrive.
//!
//! A request is a [`Request`](crate::request::Request) written into the caller's buffer. A successful
//! reply goes, in chunks of any size, through the decoder that belongs to the request; any other goes
//! through an [`ErrorDecoder`]. Nothing here sends, waits, allocates or reads a clock.
//!
//! | fact | Google Health API v4 | Fitbit Web API |
//! | --- | --- | --- |
//! | heart rate by the minute | [`google::roll_up`] → [`google::HeartDecoder`] | [`fitbit::heart`] → [`fitbit::HeartDecoder`] |
//! | battery, last sync | [`google::paired_devices`] → [`google::DevicesDecoder`] | [`fitbit::devices`] → [`fitbit::DevicesDecoder`] |
//! | time zone | [`google::settings`] → [`google::SettingsDecoder`] | [`fitbit::profile`] → [`fitbit::ProfileDecoder`] |
//! | who signed in | [`google::identity`] → [`google::IdentityDecoder`] | in the token's reply |
//! | resting heart rate | [`google::resting`] → [`google::RestingDecoder`] | in the heart-rate reply |
//! | heart-rate zones | [`google::zones`] → [`google::ZonesDecoder`] | in the heart-rate reply |
//!
//! # Contract of the decoders
//!
//! - A decoder is for one body: `new`, any number of `feed`, one `finish`.
//! - Result and error do not depend on how a body is cut into chunks.
//! - Data reaches its destination as it is decoded, but can be trusted only when `finish` has
//!   returned `Ok`. After an error, a decoder keeps returning that error.
//! - Members in any order, unknown members, and values of the wrong type are not errors; a fact that
//!   cannot be read is missing.
//! - A decoder's whole state is below 1 KiB, and no body makes it panic.
//!
//! # Example
//!
//! ```
//! use pulsewing_core::dialect::google::{HeartDecoder, HeartPoint};
//!
//! let mut minutes = Vec::new();
//! let mut decoder = HeartDecoder::new();
//! for chunk in [
//!     r#"{"rollupDataPoints":[{"startTime":"2026-11-22T09:2"#,
//!     r#"9:00Z","heartRate":{"beatsPerMinuteAvg":71.5}}]}"#,
//! ] {
//!     decoder.feed(chunk.as_bytes(), &mut |point| {
//!         if let HeartPoint::Minute(sample) = point {
//!             minutes.push(sample);
//!         }
//!     })?;
//! }
//! let page = decoder.finish()?;
//! assert_eq!((page.points, page.next_page), (1, None));
//! assert_eq!(minutes[0].bpm.get(), 72);
//! # Ok::<(), pulsewing_core::dialect::DecodeError>(())
//! ```

mod device;
mod error_body;
pub mod fitbit;
pub mod google;
mod page_token;
mod scalar;
mod usual;
mod walk;

use jiff::{Timestamp, tz::Offset};

pub use device::Trackers;
pub use error_body::{ErrorDecoder, ErrorReason};
pub use page_token::PageToken;

use crate::{Provider, json, reading::ZoneName};

/// A provider's facts about the wearer's time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneFacts {
    /// The IANA name.
    pub name: Option<ZoneName>,
    /// The offset from UTC at the time of the reply.
    pub offset: Option<Offset>,
}

/// Decodes the reply that has the wearer's time zone.
pub enum ZoneDecoder {
    /// Google's.
    Google(google::SettingsDecoder),
    /// Fitbit's.
    Fitbit(fitbit::ProfileDecoder),
}

impl ZoneDecoder {
    /// Returns a decoder at the beginning of a reply.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        match provider {
            Provider::Google => Self::Google(google::SettingsDecoder::new()),
            Provider::Fitbit => Self::Fitbit(fitbit::ProfileDecoder::new()),
        }
    }

    /// Decodes the next bytes of the reply.
    ///
    /// # Errors
    /// [`DecodeError`], now or in an earlier call.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        match self {
            Self::Google(decoder) => decoder.feed(chunk),
            Self::Fitbit(decoder) => decoder.feed(chunk),
        }
    }

    /// Ends the reply.
    ///
    /// # Errors
    /// [`DecodeError`] if the reply is incomplete, or was refused before.
    pub fn finish(self) -> Result<ZoneFacts, DecodeError> {
        match self {
            Self::Google(decoder) => decoder.finish(),
            Self::Fitbit(decoder) => decoder.finish(),
        }
    }
}

/// A provider's facts about the device on the wearer's wrist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceFacts {
    /// The battery in percent, 0 to 100.
    pub battery_percent: Option<u8>,
    /// The device's last sync with the phone.
    pub last_sync: Option<Timestamp>,
}

/// The reason why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is not JSON, or not all of it came.
    #[error("the body is not JSON: {0}")]
    Json(#[from] json::Error),
    /// It reports an error, whatever the status was; an [`ErrorDecoder`] finds out which.
    #[error("the body reports an error")]
    ErrorReport,
    /// It has none of the members that identify the reply.
    #[error("the body is not the expected reply")]
    NotTheReply,
    /// It has a day's summary without its minutes: the app may not read them (Fitbit Web API, Get
    /// Heart Rate Intraday by Date: only an app of type "Personal" may).
    #[error("the body has no minutes: the app is not allowed to read intraday data")]
    NoIntraday,
    /// Its averages are over more than a minute: its windows are longer (Google Health API,
    /// dataPoints.rollUp, `windowSize`), or its detail level is coarser (Fitbit Web API, Get Heart Rate
    /// Intraday by Date).
    #[error("the body has averages of more than one minute")]
    NotMinutes,
    /// It covers several days, whose clock times cannot be told apart.
    #[error("the body covers more than one day")]
    SeveralDays,
    /// It continues on a page whose token is too long to keep.
    #[error("the body has a page token of more than {max} bytes", max = PageToken::MAX)]
    PageTokenTooLong,
}

/// Returns a text as a time zone's name, if it can be one.
fn zone_name(text: &str) -> Option<ZoneName> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    if text.is_empty() || !text.bytes().all(fits) {
        return None;
    }
    ZoneName::try_from(text).ok()
}
