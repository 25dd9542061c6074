//! Fitbit's route.
//!
//! ```text
//! Today ─▶ Yesterday ───────────────▶ Devices ─▶ ZoneAgain
//!          if the window is not full             if the wearer may have travelled
//! ```

use jiff::SignedDuration;

use super::{Known, day_before};
use crate::{
    AccessToken, Provider,
    cycle::draft::{Draft, Zone},
    dialect::fitbit::{self, HeartDay},
    request::{BufferFull, Request},
};

/// The newest data is never older than this while a tracker syncs every quarter of an hour.
const SYNCS_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// A data call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cycle) enum FitbitCall {
    /// The heart rate of today, as the cloud understands it.
    Today,
    /// The heart rate of the day before.
    Yesterday,
    Devices,
    /// The zone, because the clock times that came do not fit the known one.
    ZoneAgain,
}

impl FitbitCall {
    pub(super) fn next(self, known: &Known<'_>) -> Option<Self> {
        match self {
            Self::Today if !known.draft.reading.window.is_complete() => Some(Self::Yesterday),
            Self::Today | Self::Yesterday if known.scopes.has_settings() => Some(Self::Devices),
            Self::Today | Self::Yesterday | Self::Devices if doubts_zone(known) => {
                Some(Self::ZoneAgain)
            }
            _ => None,
        }
    }

    pub(super) fn request(
        self,
        draft: &Draft,
        access: &AccessToken,
        user: &str,
        buffer: &mut [u8],
    ) -> Result<Request, BufferFull> {
        let day = match self {
            Self::Today => HeartDay::Today,
            Self::Yesterday => HeartDay::Date(day_before(draft.reading.day.local().date())),
            Self::Devices => return fitbit::devices(buffer, access, user),
            Self::ZoneAgain => return fitbit::profile(buffer, access, user),
        };
        fitbit::heart(buffer, access, user, day)
    }
}

/// Returns whether the wearer may have travelled since the zone was asked for. Fitbit reports clock
/// times: in a zone to the east they seem to lie in the future, in one to the west the tracker seems
/// not to have synced.
fn doubts_zone(known: &Known<'_>) -> bool {
    let draft = known.draft;
    let is_remembered = matches!(draft.zone, Zone::Remembered(_));
    let may_ask = is_remembered && known.scopes.has_time_zone(Provider::Fitbit);
    let is_late = || {
        let newest = draft.newest();
        newest.is_none_or(|newest| known.now.duration_since(newest) > SYNCS_WITHIN)
    };
    may_ask && (draft.has_future() || is_late())
}
