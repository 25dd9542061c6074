//! The calls that fill a reading, and their order: one route a dialect.
//!
//! A route is a function of the call that was made and of the data so far; it returns the call to make
//! next.

mod fitbit;
mod google;

use jiff::{Timestamp, civil::Date};

pub(super) use self::{fitbit::FitbitCall, google::GoogleCall};
use super::{draft::Draft, failure::CallName, fetch::Memory};
use crate::{
    AccessToken, Provider,
    dialect::{self, PageToken, google::SourceFamily},
    oauth::Scopes,
    request::{BufferFull, Request},
};

/// A data call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Google(GoogleCall),
    Fitbit(FitbitCall),
}

/// The facts that decide on the next call.
pub(super) struct Known<'k> {
    pub(super) draft: &'k Draft,
    pub(super) memory: &'k Memory,
    pub(super) scopes: Scopes,
    /// Whether the wearer's own heart-rate zones are known, so that the provider's do not count.
    pub(super) has_own_zones: bool,
    pub(super) now: Timestamp,
}

impl Call {
    /// Returns the first call of a route.
    pub(super) const fn first(provider: Provider) -> Self {
        match provider {
            Provider::Google => Self::Google(GoogleCall::Today(SourceFamily::Wearables)),
            Provider::Fitbit => Self::Fitbit(FitbitCall::Today),
        }
    }

    /// Returns the call that follows this one, whether it was answered or not; `None` at the end of the
    /// route.
    pub(super) fn next(self, known: &Known<'_>) -> Option<Self> {
        match self {
            Self::Google(call) => call.next(known).map(Self::Google),
            Self::Fitbit(call) => call.next(known).map(Self::Fitbit),
        }
    }

    pub(super) const fn name(self) -> CallName {
        match self {
            Self::Google(GoogleCall::Today(_) | GoogleCall::Earlier(_))
            | Self::Fitbit(FitbitCall::Today | FitbitCall::Yesterday) => CallName::Heart,
            Self::Google(GoogleCall::Devices) | Self::Fitbit(FitbitCall::Devices) => {
                CallName::Devices
            }
            Self::Google(GoogleCall::Resting) => CallName::Resting,
            Self::Google(GoogleCall::HeartZones) => CallName::HeartZones,
            Self::Fitbit(FitbitCall::ZoneAgain) => CallName::Zone,
        }
    }

    /// Returns whether a cycle fails without this call's reply. Completing the window beyond today's
    /// range is optional.
    pub(super) const fn is_vital(self) -> bool {
        matches!(
            self,
            Self::Google(GoogleCall::Today(_)) | Self::Fitbit(FitbitCall::Today)
        )
    }

    /// Writes the request to `buffer`. Only Google has pages, and only Fitbit names the `user`.
    pub(super) fn request(
        self,
        draft: &Draft,
        page: Option<&PageToken>,
        access: &AccessToken,
        user: &str,
        buffer: &mut [u8],
    ) -> Result<Request, BufferFull> {
        match self {
            Self::Google(call) => call.request(draft, page, access, buffer),
            Self::Fitbit(call) => call.request(draft, access, user, buffer),
        }
    }
}

/// Writes the request for the wearer's zone.
pub(super) fn zone_request(
    provider: Provider,
    access: &AccessToken,
    user: &str,
    buffer: &mut [u8],
) -> Result<Request, BufferFull> {
    match provider {
        Provider::Google => dialect::google::settings(buffer, access),
        Provider::Fitbit => dialect::fitbit::profile(buffer, access, user),
    }
}

/// Returns the date before another.
pub(super) fn day_before(date: Date) -> Date {
    date.yesterday().unwrap_or(date)
}
