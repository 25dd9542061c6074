//! Finds the device on the wrist among those of an account.

use jiff::{SignedDuration, Timestamp};

use super::{DeviceFacts, scalar::Second};
use crate::instant::later;

/// The time by which the list of devices may be older than the heart rate: providers update them
/// separately.
const LIST_LAGS: SignedDuration = SignedDuration::from_hours(1);

/// One entry of a list of devices, as read so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Device {
    pub(super) kind: DeviceKind,
    /// The battery in percent.
    pub(super) level: Option<u8>,
    pub(super) last_sync: Option<Timestamp>,
}

/// The kind of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DeviceKind {
    /// A scale, or a phone that counts steps.
    NotWorn,
    /// The entry has no type, or an unknown one.
    #[default]
    Unknown,
    Tracker,
}

impl DeviceKind {
    /// Returns the kind for the `deviceType` (Google) or `type` (Fitbit) of an entry.
    pub(super) fn from_name(device_type: &[u8]) -> Self {
        match device_type {
            b"TRACKER" => Self::Tracker,
            b"SCALE" | b"PHONE" => Self::NotWorn,
            _ => Self::Unknown,
        }
    }
}

/// The product name of the phone itself, which is listed as a tracker because it counts its own steps.
pub(super) const PHONE_AS_TRACKER: &[u8] = b"MobileTrack";

/// Returns a battery level, if it is a percentage.
pub(super) fn percent(level: i64) -> Option<u8> {
    u8::try_from(level).ok().filter(|level| *level <= 100)
}

/// The devices of an account that can be on a wrist, as far as a provider reports them.
///
/// An account keeps every tracker that it ever had, in any order, and each may lack its battery level
/// or its last sync. [`worn`](Self::worn) picks one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trackers {
    /// The devices that are listed as trackers.
    trackers: Group,
    /// The devices of an unknown or missing type.
    others: Group,
}

/// Devices of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Group {
    /// The latest sync of any of them.
    last_sync: Second,
    /// The battery, in percent, of the device that synced last.
    level: Option<u8>,
    /// The battery of the device without a sync time; of several, the value that they agree on.
    silent: Option<Option<u8>>,
}

impl Trackers {
    /// Adds a device.
    pub(super) fn offer(&mut self, device: Device) {
        let group = match device.kind {
            DeviceKind::NotWorn => return,
            DeviceKind::Unknown => &mut self.others,
            DeviceKind::Tracker => &mut self.trackers,
        };
        group.merge(if device.last_sync.is_some() {
            Group {
                last_sync: device.last_sync.into(),
                level: device.level,
                silent: None,
            }
        } else {
            Group {
                silent: Some(device.level),
                ..Group::default()
            }
        });
    }

    /// Adds the devices of another page.
    pub fn merge(&mut self, more: Self) {
        self.trackers.merge(more.trackers);
        self.others.merge(more.others);
    }

    /// Returns the known facts about the device on the wrist. `newest` is the latest minute of heart
    /// rate, if there is one.
    ///
    /// It is the tracker that synced last. But no tracker can have measured minutes after its last sync:
    /// if there is a newer one, it comes from a device without a sync time, and the last sync is
    /// unknown.
    #[must_use]
    pub fn worn(&self, newest: Option<Timestamp>) -> DeviceFacts {
        let groups = [self.trackers, self.others];
        let facts = |last_sync, battery_percent| DeviceFacts {
            battery_percent,
            last_sync,
        };
        let delivers = |at: &Timestamp| {
            let covered = later(*at, LIST_LAGS).unwrap_or(Timestamp::MAX);
            newest.is_none_or(|newest| newest <= covered)
        };
        let chosen = groups.iter().find_map(|group| {
            let synced = group.synced().filter(delivers);
            let synced = synced.map(|at| facts(Some(at), group.level));
            synced.or_else(|| group.silent.map(|level| facts(None, level)))
        });
        // None of the rest can have measured it; the one that synced last is still the best guess.
        let last = || {
            let mut synced = groups.iter();
            synced.find_map(|group| Some(facts(Some(group.synced()?), group.level)))
        };
        chosen.or_else(last).unwrap_or_default()
    }
}

impl Group {
    fn synced(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.last_sync.get()?).ok()
    }

    fn merge(&mut self, more: Self) {
        if (more.last_sync, more.level) > (self.last_sync, self.level) {
            (self.last_sync, self.level) = (more.last_sync, more.level);
        }
        self.silent = match (self.silent, more.silent) {
            (Some(one), Some(other)) => Some(one.filter(|level| other == Some(*level))),
            (one, other) => one.or(other),
        };
    }
}
