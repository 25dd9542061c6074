//! The inks: all colours that a picture may use, by purpose.

use embedded_graphics::pixelcolor::{PixelColor, Rgb565, Rgb888, raw::RawU4};
use pulsewing_core::heart_zone::{ClassicZone, HeartZone};

use crate::Palette;

/// One of sixteen colours; a 4-bit frame stores its number, and a [`Palette`] defines its
/// appearance.
///
/// To draw on a target of another colour type, use embedded-graphics' `color_converted()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ink {
    /// The background: black.
    Ground,
    /// Text, ticks and the plot: white.
    Text,
    /// Less important text: grey.
    Quiet,
    /// Text that the viewer should notice: amber.
    Warning,
    /// "Dangerously Low".
    Red,
    /// "Very Low".
    Violet,
    /// "Sleeping"; "Easy" in the desk theme.
    Blue,
    /// "Relaxing".
    Green,
    /// "Awake"; "Light" in the desk theme.
    Cyan,
    /// "Active"; "Moderate" in the desk theme.
    Yellow,
    /// "Very Active"; "Vigorous" in the desk theme.
    Orange,
    /// "Exertion"; "Peak" in the desk theme.
    Pink,
    /// Faint lines, and the darkest step between background and text: dark grey.
    Faint,
    /// The step between dark grey and grey.
    Mid,
    /// The step between the background and the cool colours.
    DimCool,
    /// The step between the background and the warm colours.
    DimWarm,
}

impl Ink {
    /// All inks, by number.
    pub const ALL: [Self; 16] = [
        Self::Ground,
        Self::Text,
        Self::Quiet,
        Self::Warning,
        Self::Red,
        Self::Violet,
        Self::Blue,
        Self::Green,
        Self::Cyan,
        Self::Yellow,
        Self::Orange,
        Self::Pink,
        Self::Faint,
        Self::Mid,
        Self::DimCool,
        Self::DimWarm,
    ];

    /// Returns the colour of a zone of the classic theme. Green for "Relaxing" comes from the
    /// original.
    #[must_use]
    pub const fn from_zone(zone: ClassicZone) -> Self {
        match zone {
            ClassicZone::DangerouslyLow => Self::Red,
            ClassicZone::VeryLow => Self::Violet,
            ClassicZone::Sleeping => Self::Blue,
            ClassicZone::Relaxing => Self::Green,
            ClassicZone::Awake => Self::Cyan,
            ClassicZone::Active => Self::Yellow,
            ClassicZone::VeryActive => Self::Orange,
            ClassicZone::Exertion => Self::Pink,
        }
    }

    /// Returns the number of the ink, 0 to 15.
    #[must_use]
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// Returns the ink with this number; only the lower four bits are used.
    #[must_use]
    pub fn from_index(index: u8) -> Self {
        Self::ALL
            .get(usize::from(index & 0x0f))
            .copied()
            .unwrap_or(Self::Ground)
    }

    /// Returns the colour of a zone of the desk theme.
    #[must_use]
    pub const fn from_heart_zone(zone: HeartZone) -> Self {
        match zone {
            HeartZone::VeryLow => Self::Warning,
            HeartZone::Easy => Self::Blue,
            HeartZone::Light => Self::Cyan,
            HeartZone::Moderate => Self::Yellow,
            HeartZone::Vigorous => Self::Orange,
            HeartZone::Peak => Self::Pink,
        }
    }

    /// Returns red, green and blue by [day](Palette::Day), 0 to 255 each.
    #[must_use]
    pub const fn rgb(self) -> [u8; 3] {
        self.in_palette(Palette::Day)
    }
}

impl PixelColor for Ink {
    type Raw = RawU4;
}

impl From<Ink> for RawU4 {
    fn from(ink: Ink) -> Self {
        Self::new(ink.index())
    }
}

impl From<Ink> for Rgb888 {
    fn from(ink: Ink) -> Self {
        let [red, green, blue] = ink.rgb();
        Self::new(red, green, blue)
    }
}

impl From<Ink> for Rgb565 {
    fn from(ink: Ink) -> Self {
        Rgb888::from(ink).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colours_number_leads_back_to_it() {
        for (number, ink) in (0..).zip(Ink::ALL) {
            assert_eq!((ink.index(), Ink::from_index(number)), (number, ink));
        }
        assert_eq!(Ink::from_index(16), Ink::Ground);
    }
}
