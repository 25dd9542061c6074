//! How bright a backlight is by day and by night.

use core::{fmt, str::FromStr};

use jiff::civil::Time;

use super::Night;

/// The brightness of a backlight in percent: 0 is off, 100 is all it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Brightness(u8);

impl Brightness {
    /// No light.
    pub const OFF: Self = Self(0);

    /// All the light there is.
    pub const FULL: Self = Self(100);

    /// The least light for something that has to be seen: readable in a dark room, and too little
    /// to light it.
    pub const SEEN: Self = Self(10);

    /// Creates a brightness; `None` for more than 100 percent.
    #[must_use]
    pub const fn new(percent: u8) -> Option<Self> {
        if percent <= 100 {
            Some(Self(percent))
        } else {
            None
        }
    }

    /// Returns the percentage, 0 to 100.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// Returns whether there is no light.
    #[must_use]
    pub const fn is_off(self) -> bool {
        self.0 == 0
    }

    /// Returns this part of `most`, rounded. It is 0 only when this is off, or `most` is 0: light
    /// that somebody wished for is not rounded away.
    #[must_use]
    pub const fn of(self, most: u32) -> u32 {
        let percent = self.0 as u32;
        // In two parts, which cannot overflow: each is at most as large as what it is a part of.
        let part = most / 100 * percent + (most % 100 * percent + 50) / 100;
        match part {
            0 if self.0 > 0 && most > 0 => 1,
            part => part,
        }
    }
}

impl fmt::Display for Brightness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Brightness {
    type Err = NotABrightness;

    fn from_str(text: &str) -> Result<Self, NotABrightness> {
        let is_plain = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let percent = text.parse().ok().filter(|_| is_plain);
        percent.and_then(Self::new).ok_or(NotABrightness)
    }
}

/// The text is not a brightness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a brightness is a whole number of percent, from 0 (off) to 100")]
pub struct NotABrightness;

/// What the wearer wishes of the backlight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlight {
    /// By day, and at night unless that has its own; all of it by default.
    pub day: Option<Brightness>,
    /// At night.
    pub night: Option<Brightness>,
}

impl Backlight {
    /// Returns how bright it is at this time on the wearer's clock.
    ///
    /// While the time is unknown it is as by day: the device has just started, and somebody may be
    /// waiting for it. If `must_be_seen`, it is never darker than [`Brightness::SEEN`]: for a
    /// message that needs a person, and for somebody who has just asked for light.
    #[must_use]
    pub fn at(self, now: Option<Time>, night: Option<Night>, must_be_seen: bool) -> Brightness {
        let is_night = matches!((night, now), (Some(night), Some(now)) if night.has(now));
        let by_day = self.day.unwrap_or(Brightness::FULL);
        let wished = match self.night {
            Some(at_night) if is_night => at_night,
            _ => by_day,
        };
        match must_be_seen {
            true => wished.max(Brightness::SEEN),
            false => wished,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{format, string::ToString};

    use super::*;

    fn percent(percent: u8) -> Brightness {
        Brightness::new(percent).unwrap()
    }

    #[test]
    fn a_brightness_is_shown_as_it_is_read() {
        for text in ["0", "5", "80", "100"] {
            assert_eq!(text.parse::<Brightness>().unwrap().to_string(), text);
        }
        for bad in ["", "101", "-1", "+5", "5 ", "5%", "0.5", "1000", "full"] {
            assert_eq!(bad.parse::<Brightness>(), Err(NotABrightness), "{bad}");
        }
        assert_eq!(Brightness::new(101), None);
        assert_eq!(format!("{:>3}", percent(5)), "  5");
    }

    #[test]
    fn a_part_of_the_light_is_rounded_but_never_to_nothing() {
        assert_eq!(percent(80).of(255), 204);
        assert_eq!(percent(50).of(31), 16);
        assert_eq!(percent(1).of(15), 1);
        assert_eq!((Brightness::OFF.of(255), percent(5).of(0)), (0, 0));
        assert_eq!(Brightness::FULL.of(u32::MAX), u32::MAX);
        for one in 1..=100 {
            assert!(percent(one).of(1_000_000) > percent(one - 1).of(1_000_000));
        }
    }

    #[test]
    fn it_follows_the_wearers_night() {
        let night = "22:00-07:00".parse().ok();
        let wish = Backlight {
            day: Some(percent(80)),
            night: Some(percent(5)),
        };
        let at = |time: &str| wish.at(time.parse().ok(), night, false).percent();
        let times = ["21:59", "22:00", "23:59", "00:00", "06:59", "07:00"];
        assert_eq!(times.map(at), [80, 5, 5, 5, 5, 80]);
        // Without a clock it is as by day, and without a night it is always day.
        assert_eq!(wish.at(None, night, false), percent(80));
        assert_eq!(wish.at("03:00".parse().ok(), None, false), percent(80));
    }

    #[test]
    fn what_nobody_wished_for_stays_as_it_was() {
        let night = "22:00-07:00".parse().ok();
        let [day, dark] = ["12:00", "03:00"].map(|time| time.parse().ok());
        let unset = Backlight::default();
        for time in [day, dark, None] {
            assert_eq!(unset.at(time, night, false), Brightness::FULL);
        }
        let always = Backlight {
            day: Some(percent(40)),
            night: None,
        };
        assert_eq!(always.at(dark, night, false), percent(40));
        let off_at_night = Backlight {
            day: None,
            night: Some(Brightness::OFF),
        };
        assert_eq!(off_at_night.at(day, night, false), Brightness::FULL);
        assert!(off_at_night.at(dark, night, false).is_off());
    }

    #[test]
    fn what_must_be_seen_is_never_dark_and_blinds_nobody() {
        let night = "22:00-07:00".parse().ok();
        let dark = "03:00".parse().ok();
        for (wished, seen) in [(0, 10), (5, 10), (10, 10), (30, 30)] {
            let wish = Backlight {
                day: None,
                night: Some(percent(wished)),
            };
            assert_eq!(wish.at(dark, night, true), percent(seen));
        }
        let never = Backlight {
            day: Some(Brightness::OFF),
            night: None,
        };
        assert_eq!(never.at(None, None, true), Brightness::SEEN);
    }
}
