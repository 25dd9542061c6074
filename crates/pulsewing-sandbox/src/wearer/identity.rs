//! Who a wearer is: a number, and everything about them that follows from it.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{chance::Chance, synthetic::Synthetic};

/// One of the wearers, by number, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "u32")]
pub(crate) struct Wearer(u32);

impl Wearer {
    /// The first wearer, and in most sandboxes the only one.
    pub(crate) const FIRST: Self = Self(1);

    /// Returns the wearer with a number, if there are that many.
    pub(crate) fn numbered(number: u32, wearers: NonZeroU32) -> Option<Self> {
        (1..=wearers.get())
            .contains(&number)
            .then_some(Self(number))
    }

    /// Returns the wearer's number, from 1.
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// Returns how many wearers come before this one.
    const fn index(self) -> u32 {
        self.0 - 1
    }

    /// Returns the user id with the Fitbit stand-in.
    pub(crate) fn fitbit_id(self) -> String {
        format!("PW7SB{}", self.0)
    }

    /// Returns the health user id with the Google stand-in.
    pub(crate) fn google_id(self) -> String {
        (111_122_223_333_444_455 + u64::from(self.index())).to_string()
    }

    /// Returns the id in all of Google; the Google Health API has an id of its own.
    pub(crate) fn google_account_id(self) -> String {
        (108_642_097_531_864_209_753 + u128::from(self.index())).to_string()
    }

    /// Returns a text of the first wearer as it is for this one.
    pub(crate) fn own(self, text: &str) -> String {
        match self {
            Self::FIRST => text.to_owned(),
            Self(number) => format!("{text} {number}"),
        }
    }

    /// Returns the e-mail address.
    pub(crate) fn email(self) -> String {
        match self {
            Self::FIRST => "sandy.box@example.com".to_owned(),
            Self(number) => format!("sandy.box{number}@example.com"),
        }
    }

    /// Returns the id of a device, which is the same in both clouds.
    pub(crate) fn device_id(self, device: Device) -> String {
        let first: u32 = match device {
            Device::Tracker => 816_713_257,
            Device::Scale => 305_551_212,
            Device::Phone => 201_456_789,
            Device::Drawer => 190_022_334,
        };
        (first + self.index()).to_string()
    }

    /// Returns the hardware address of a device.
    pub(crate) fn device_address(self, device: Device) -> String {
        // The last byte tells a wearer's devices apart, those before it the wearers.
        let first: u64 = match device {
            Device::Scale => 0x0011_2233_44AA,
            Device::Tracker => 0x0011_2233_44BB,
            Device::Phone => 0x0011_2233_44CC,
            Device::Drawer => 0x0011_2233_44DD,
        };
        format!("{:012X}", first + (u64::from(self.index()) << 8))
    }

    /// Returns by how many hours the tracker's charge is ahead of the first wearer's.
    pub(crate) fn charge_phase_hours(self) -> i64 {
        i64::from(self.index()) * 17
    }

    /// Returns the seed of the wearer's data and tokens in a sandbox with this one.
    pub(crate) fn seed(self, sandbox: u64) -> u64 {
        match self {
            Self::FIRST => sandbox,
            Self(number) => Chance::new(sandbox, number.into()).next(),
        }
    }

    /// Returns the wearer's made-up life.
    pub(crate) fn life(self, sandbox: u64) -> Synthetic {
        let seed = self.seed(sandbox);
        let resting_offset = match self {
            Self::FIRST => 0.0,
            _ => Chance::new(seed, 0).within(-5.0, 14.0),
        };
        Synthetic {
            seed,
            resting_offset,
        }
    }
}

/// A device that a wearer can have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Device {
    /// The one that is worn.
    Tracker,
    Scale,
    /// A phone that counts steps.
    Phone,
    /// An old tracker that lies in a drawer.
    Drawer,
}

impl TryFrom<u32> for Wearer {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if !(1..=MOST_WEARERS).contains(&number) {
            return Err(format!("`user` must be 1 to {MOST_WEARERS}, not {number}"));
        }
        Ok(Self(number))
    }
}

/// The most wearers that a sandbox can have.
pub const MOST_WEARERS: u32 = 100_000;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_wearers_share_anything() {
        let mut seen = HashSet::new();
        let all = (1..=MOST_WEARERS).map(|number| Wearer::try_from(number).unwrap());
        for wearer in all {
            let texts = [
                wearer.fitbit_id(),
                wearer.google_id(),
                wearer.google_account_id(),
                wearer.email(),
                wearer.device_id(Device::Tracker),
                wearer.device_id(Device::Scale),
                wearer.device_id(Device::Phone),
                wearer.device_id(Device::Drawer),
                wearer.device_address(Device::Tracker),
                wearer.device_address(Device::Scale),
                wearer.seed(0).to_string(),
            ];
            for text in texts {
                assert!(seen.insert(text.clone()), "{wearer:?}: {text}");
            }
        }
    }

    #[test]
    fn hearts_differ_in_how_fast_they_beat_at_rest() {
        let offset = |number: u32| Wearer::try_from(number).unwrap().life(0).resting_offset;
        assert!(offset(1).abs() < f64::EPSILON);
        let offsets: Vec<f64> = (2..=50).map(offset).collect();
        let lowest = offsets.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = offsets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!((-5.0..0.0).contains(&lowest), "{lowest}");
        assert!((10.0..=14.0).contains(&highest), "{highest}");
    }

    #[test]
    fn there_are_as_many_wearers_as_there_are() {
        let three = NonZeroU32::new(3).unwrap();
        assert_eq!(Wearer::numbered(1, three), Some(Wearer::FIRST));
        assert_eq!(Wearer::numbered(3, three), Some(Wearer(3)));
        assert_eq!(Wearer::numbered(0, three), None);
        assert_eq!(Wearer::numbered(4, three), None);
        assert!(Wearer::try_from(0).is_err() && Wearer::try_from(MOST_WEARERS + 1).is_err());
    }
}
