//! Which of an account's devices is the one on the wrist.

use jiff::Timestamp;

use super::DeviceFacts;

/// One entry of a list of devices, as far as it has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Device {
    pub(super) kind: DeviceKind,
    /// The battery in percent.
    pub(super) level: Option<u8>,
    pub(super) last_sync: Option<Timestamp>,
}

/// What a device is, from what is never wanted to what is wanted most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DeviceKind {
    /// A scale, or a phone that counts steps.
    NotWorn,
    /// The entry does not say, or says something new.
    #[default]
    Unknown,
    Tracker,
}

impl DeviceKind {
    /// From the `deviceType` (Google) or `type` (Fitbit) of an entry.
    pub(super) fn of(device_type: &[u8]) -> Self {
        match device_type {
            b"TRACKER" => Self::Tracker,
            b"SCALE" | b"PHONE" => Self::NotWorn,
            _ => Self::Unknown,
        }
    }
}

/// The product name of the phone itself, which lists as a tracker that counts its own steps.
pub(super) const PHONE_AS_TRACKER: &[u8] = b"MobileTrack";

/// A battery level, if it is a percentage.
pub(super) fn percent(level: i64) -> Option<u8> {
    u8::try_from(level).ok().filter(|level| *level <= 100)
}

/// The best device so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice(Option<Device>);

impl Choice {
    /// Takes `device` if it is worn and `rank` puts it above the one chosen so far.
    pub(super) fn offer<R: Ord>(&mut self, device: Device, rank: impl Fn(&Device) -> R) {
        let better = match &self.0 {
            Some(chosen) => rank(&device) > rank(chosen),
            None => true,
        };
        if device.kind != DeviceKind::NotWorn && better {
            self.0 = Some(device);
        }
    }

    pub(super) fn facts(self) -> DeviceFacts {
        self.0
            .map_or_else(DeviceFacts::default, |device| DeviceFacts {
                battery_percent: device.level,
                last_sync: device.last_sync,
            })
    }
}
