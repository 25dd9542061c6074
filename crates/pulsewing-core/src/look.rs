//! The look of a picture as a user chooses it: theme, palette, the night, and the backlight.
//!
//! A board keeps these words on its flash, a host in its configuration; `pulsewing-screen` draws what
//! they mean.

mod backlight;

use core::{fmt, str::FromStr};

use jiff::civil::Time;

pub use backlight::{Backlight, Brightness, NotABrightness};

/// A theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Pulsewing's own picture: large digits and two graphs.
    #[default]
    Desk,
    /// The original sketch's own picture.
    Classic,
    /// Rate, age and colour alone, to be read across a room.
    Big,
}

impl Theme {
    /// All themes.
    pub const ALL: [Self; 3] = [Self::Desk, Self::Classic, Self::Big];

    /// Returns the name in settings and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Classic => "classic",
            Self::Big => "big",
        }
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Theme {
    type Err = UnknownTheme;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|theme| theme.name() == name);
        known.ok_or(UnknownTheme)
    }
}

/// There is no theme of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the theme must be desk, classic or big")]
pub struct UnknownTheme;

/// The colours of a picture.
///
/// A picture is drawn in inks, so a change of the palette needs no drawing: the same frame is sent
/// again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Palette {
    /// Full brightness.
    #[default]
    Day,
    /// The same colours at about two fifths of the light.
    Dim,
    /// Dark reds and ambers, without blue, for a bedroom. Zones are distinguished by their words.
    Night,
}

impl Palette {
    /// Every palette.
    pub const ALL: [Self; 3] = [Self::Day, Self::Dim, Self::Night];

    /// Returns the name in settings and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Dim => "dim",
            Self::Night => "night",
        }
    }
}

impl fmt::Display for Palette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Palette {
    type Err = UnknownPalette;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|palette| palette.name() == name);
        known.ok_or(UnknownPalette)
    }
}

/// There is no palette of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the palette must be day, dim or night")]
pub struct UnknownPalette;

/// A part of every day, such as 22:00-07:00, on the wearer's clock. It may span midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    from: u16,
    until: u16,
}

impl Night {
    /// Creates the span between two minutes since midnight, 0 to 1,439, that differ.
    #[must_use]
    pub const fn new(from: u16, until: u16) -> Option<Self> {
        if from < 1_440 && until < 1_440 && from != until {
            Some(Self { from, until })
        } else {
            None
        }
    }

    /// Returns its first minute, since midnight.
    #[must_use]
    pub const fn from(self) -> u16 {
        self.from
    }

    /// Returns the first minute after it, since midnight.
    #[must_use]
    pub const fn until(self) -> u16 {
        self.until
    }

    /// Returns whether it is night at a time of day.
    #[must_use]
    pub fn has(self, time: Time) -> bool {
        let minute = u16::try_from(i16::from(time.hour()) * 60 + i16::from(time.minute()));
        minute.is_ok_and(|minute| {
            if self.from < self.until {
                (self.from..self.until).contains(&minute)
            } else {
                minute >= self.from || minute < self.until
            }
        })
    }
}

impl fmt::Display for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        let (from_h, from_m, until_h, until_m) = (from / 60, from % 60, until / 60, until % 60);
        write!(f, "{from_h:02}:{from_m:02}-{until_h:02}:{until_m:02}")
    }
}

impl FromStr for Night {
    type Err = NotANight;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('-').and_then(|(from, until)| {
            Self::new(minute_of_day(from.trim())?, minute_of_day(until.trim())?)
        });
        parts.ok_or(NotANight)
    }
}

/// The text is not a part of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a part of the day is written like \"22:00-07:00\"")]
pub struct NotANight;

/// Reads a time such as 7:00 or 22:30 as a minute since midnight.
fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let is_plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| is_plain)
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_name_leads_back_to_its_theme_and_palette() {
        for theme in Theme::ALL {
            assert_eq!(theme.name().parse(), Ok(theme));
        }
        for palette in Palette::ALL {
            assert_eq!(palette.name().parse(), Ok(palette));
        }
        assert_eq!("Classic".parse::<Theme>(), Err(UnknownTheme));
        assert_eq!("dark".parse::<Palette>(), Err(UnknownPalette));
    }

    #[test]
    fn a_night_may_reach_over_midnight() {
        let has = |night: &str, times: [&str; 6]| {
            let night: Night = night.parse().unwrap();
            times.map(|at| night.has(at.parse().unwrap()))
        };
        let times = ["21:59", "22:00", "23:59", "00:00", "06:59", "07:00"];
        let expected = [false, true, true, true, true, false];
        assert_eq!(has("22:00-07:00", times), expected);
        let times = ["00:59", "01:00", "04:00", "05:29", "05:30", "23:00"];
        let expected = [false, true, true, true, false, false];
        assert_eq!(has("1:00 - 5:30", times), expected);
    }

    #[test]
    fn a_night_is_shown_as_it_is_read() {
        let night: Night = "7:05-23:00".parse().unwrap();
        assert_eq!(night.to_string(), "07:05-23:00");
        assert_eq!(night.to_string().parse(), Ok(night));
        for bad in [
            "",
            "22:00",
            "22-7",
            "22:00-22:00",
            "24:00-07:00",
            "22:60-07:00",
            "+2:00-07:00",
            "22:00-07:00:00",
            "night",
        ] {
            assert_eq!(bad.parse::<Night>(), Err(NotANight), "{bad}");
        }
    }
}
