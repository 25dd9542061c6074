//! The palette: every colour that a picture may use, in one place.

use embedded_graphics::pixelcolor::{PixelColor, Rgb565, Rgb888, raw::RawU4};
use pulsewing_core::heart_zone::ClassicZone;

/// One of at most sixteen colours; its number is what a 4-bit frame stores.
///
/// A target of another colour type takes a picture through embedded-graphics' `color_converted()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ink {
    /// The background: black.
    Ground,
    /// Text, ticks and the plot: white.
    Text,
    /// What is said quietly: grey.
    Quiet,
    /// What the viewer ought to notice: amber.
    Warning,
    /// "Dangerously Low".
    Red,
    /// "Very Low".
    Violet,
    /// "Sleeping".
    Blue,
    /// "Relaxing".
    Green,
    /// "Awake".
    Cyan,
    /// "Active".
    Yellow,
    /// "Very Active".
    Orange,
    /// "Exertion".
    Pink,
}

impl Ink {
    /// Every colour, by its number.
    pub const ALL: [Self; 12] = [
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
    ];

    /// The colour of a zone of the classic theme. Green for "Relaxing" is the original's.
    #[must_use]
    pub const fn of_zone(zone: ClassicZone) -> Self {
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

    /// Its number, 0 to 15.
    #[must_use]
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// The colour of a number; those that are not in use are the background.
    #[must_use]
    pub fn from_index(index: u8) -> Self {
        Self::ALL
            .get(usize::from(index))
            .copied()
            .unwrap_or(Self::Ground)
    }

    /// Red, green and blue, 0 to 255 each.
    #[must_use]
    pub const fn rgb(self) -> [u8; 3] {
        match self {
            Self::Ground => [0, 0, 0],
            Self::Text => [255, 255, 255],
            Self::Quiet => [160, 160, 160],
            Self::Warning => [255, 184, 0],
            Self::Red => [255, 72, 72],
            Self::Violet => [190, 120, 255],
            Self::Blue => [88, 152, 255],
            Self::Green => [0, 255, 0],
            Self::Cyan => [0, 232, 224],
            Self::Yellow => [255, 240, 64],
            Self::Orange => [255, 140, 32],
            Self::Pink => [255, 88, 200],
        }
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

    /// Relative luminance (WCAG 2.2).
    fn luminance(ink: Ink) -> f64 {
        let [r, g, b] = ink.rgb().map(|channel| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    #[test]
    fn every_colour_can_be_read_on_black() {
        for ink in &Ink::ALL[1..] {
            let contrast = (luminance(*ink) + 0.05) / 0.05;
            assert!(
                contrast >= 6.0,
                "{ink:?} has a contrast of {contrast:.1} only"
            );
        }
    }

    #[test]
    fn a_colours_number_leads_back_to_it() {
        for (number, ink) in (0..).zip(Ink::ALL) {
            assert_eq!((ink.index(), Ink::from_index(number)), (number, ink));
        }
        assert_eq!(Ink::from_index(15), Ink::Ground);
    }
}
