//! The sixteen colours of the inks, applied when a picture is sent.

use embedded_graphics::pixelcolor::{Rgb565, Rgb888};

use crate::Ink;

/// The colours of the sixteen inks, applied when a picture is sent.
///
/// [`colours`](crate::colours) returns those of a picture. Frames hold only inks, so two frames
/// with different colours cannot be compared: if the colours are not those on the panel, everything
/// is sent (see [`Tiles::forget`](crate::Tiles::forget)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colours([[u8; 3]; 16]);

impl Colours {
    /// Creates the colours from `rgb` of each ink.
    pub(crate) fn from_rgb(rgb: impl FnMut(Ink) -> [u8; 3]) -> Self {
        Self(Ink::ALL.map(rgb))
    }

    /// Returns red, green and blue of an ink, 0 to 255 each.
    #[must_use]
    pub fn rgb(&self, ink: Ink) -> [u8; 3] {
        let colour = self.0.get(usize::from(ink.index()));
        colour.copied().unwrap_or_default()
    }

    /// Returns the colours in the order of [`Ink::index`], as image files take them.
    #[must_use]
    pub const fn rgb888(&self) -> &[[u8; 3]; 16] {
        &self.0
    }

    /// Returns the colours in the order of [`Ink::index`], as panels take them.
    #[must_use]
    pub fn rgb565(&self) -> [Rgb565; 16] {
        self.0
            .map(|[red, green, blue]| Rgb888::new(red, green, blue).into())
    }

    /// Returns the ink with the nearest colour, for the conversion of pictures.
    #[must_use]
    pub fn nearest(&self, rgb: [u8; 3]) -> Ink {
        let far = |ink: &Ink| -> u32 {
            let channels = self.rgb(*ink).into_iter().zip(rgb);
            // Eyes tell greens apart better than reds, and reds better than blues.
            channels
                .zip([3, 6, 1])
                .map(|((a, b), weight)| weight * u32::from(a.abs_diff(b)).pow(2))
                .sum()
        };
        Ink::ALL.into_iter().min_by_key(far).unwrap_or(Ink::Ground)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Palette;

    #[test]
    fn a_panels_colours_are_in_the_order_of_the_inks() {
        let colours = Colours::from(Palette::Day);
        for (ink, expected) in [
            (Ink::Text, Rgb565::new(31, 63, 31)),
            (Ink::Green, Rgb565::new(0, 63, 0)),
        ] {
            assert_eq!(colours.rgb565()[usize::from(ink.index())], expected);
            assert_eq!(colours.rgb888()[usize::from(ink.index())], ink.rgb());
        }
    }

    #[test]
    fn the_ink_nearest_to_an_inks_own_colour_is_that_ink() {
        for palette in Palette::ALL {
            let colours = Colours::from(palette);
            for ink in Ink::ALL {
                assert_eq!(colours.nearest(colours.rgb(ink)), ink, "{palette}");
            }
        }
    }
}
