//! The appearance of the inks: by day, in a dim room, at night.

use pulsewing_core::look::Palette;

use crate::{Colours, Ink};

impl Ink {
    /// Returns red, green and blue in a palette, 0 to 255 each.
    #[must_use]
    pub const fn in_palette(self, palette: Palette) -> [u8; 3] {
        match palette {
            Palette::Day => day(self),
            Palette::Dim => {
                let [red, green, blue] = day(self);
                [dimmed(red), dimmed(green), dimmed(blue)]
            }
            Palette::Night => night(self),
        }
    }
}

impl From<Palette> for Colours {
    /// Returns the colours of all inks, for a picture without the user's wallpaper. For a model use
    /// [`colours`](crate::colours).
    fn from(palette: Palette) -> Self {
        Self::from_rgb(|ink| ink.in_palette(palette))
    }
}

/// Converts a colour by day to a palette.
pub(crate) fn shade(palette: Palette, rgb: [u8; 3]) -> [u8; 3] {
    match palette {
        Palette::Day => rgb,
        Palette::Dim => rgb.map(dimmed),
        Palette::Night => {
            // The lightness of the colour, in the hue of text.
            let lightness: u32 = rgb
                .into_iter()
                .zip([54, 183, 19])
                .map(|(channel, share)| u32::from(channel) * share / 256)
                .sum();
            night(Ink::Text).map(|channel| {
                u8::try_from(u32::from(channel) * lightness / 255).unwrap_or(channel)
            })
        }
    }
}

/// Three quarters of the value are about half of the light.
const fn dimmed(channel: u8) -> u8 {
    channel / 4 * 3
}

/// The brightest grey behind a reading that leaves text a contrast of 4.5:1, and large text and graphics
/// one of 3:1 (WCAG 2.2, 1.4.3 and 1.4.11): none at night.
pub(crate) const fn brightest_backdrop(palette: Palette) -> u8 {
    match palette {
        Palette::Day => 54,
        Palette::Dim => 16,
        Palette::Night => 0,
    }
}

const fn day(ink: Ink) -> [u8; 3] {
    match ink {
        Ink::Ground => [0, 0, 0],
        Ink::Text => [255, 255, 255],
        Ink::Quiet => [178, 178, 178],
        Ink::Warning => [255, 180, 0],
        Ink::Red => [255, 72, 72],
        Ink::Violet => [190, 120, 255],
        Ink::Blue => [84, 140, 255],
        Ink::Green => [0, 255, 0],
        Ink::Cyan => [48, 224, 210],
        Ink::Yellow => [244, 228, 128],
        Ink::Orange => [246, 132, 16],
        Ink::Pink => [255, 60, 108],
        Ink::Faint => [44, 44, 48],
        Ink::Mid => [128, 128, 130],
        Ink::DimCool => [32, 66, 124],
        Ink::DimWarm => [116, 68, 36],
    }
}

const fn night(ink: Ink) -> [u8; 3] {
    match ink {
        Ink::Ground => [0, 0, 0],
        Ink::Text => [218, 124, 48],
        Ink::Quiet => [170, 99, 40],
        Ink::Warning => [204, 136, 0],
        Ink::Red => [208, 24, 24],
        Ink::Violet => [164, 52, 48],
        // The zones cannot differ much in hue here, so that they differ in lightness and strength.
        Ink::Blue => [157, 57, 41],
        Ink::Green => [140, 84, 12],
        Ink::Cyan => [153, 118, 48],
        Ink::Yellow => [255, 98, 0],
        Ink::Orange => [184, 0, 2],
        Ink::Pink => [255, 4, 41],
        Ink::Faint => [40, 12, 4],
        Ink::Mid => [140, 70, 28],
        Ink::DimCool => [58, 18, 10],
        Ink::DimWarm => [84, 32, 6],
    }
}

#[cfg(test)]
mod tests {
    use pulsewing_core::heart_zone::HeartZone;
    use pulsewing_testkit::sight::{NORMAL, SIGHTS, apart, contrast, lab, luminance, of_bytes};

    use super::*;
    use crate::wallpaper::BACKDROP;

    fn seen(ink: Ink, palette: Palette) -> [f64; 3] {
        of_bytes(ink.in_palette(palette))
    }

    #[test]
    fn zones_can_be_told_apart_whatever_eyes_one_has() {
        for (palette, least) in [
            (Palette::Day, 20.0),
            (Palette::Dim, 20.0),
            // There is no blue at night, and little light.
            (Palette::Night, 11.0),
        ] {
            for (sight, matrix) in SIGHTS {
                for (place, a) in HeartZone::ORDINARY.into_iter().enumerate() {
                    for b in &HeartZone::ORDINARY[..place] {
                        let [one, other] =
                            [a, *b].map(|zone| seen(Ink::from_heart_zone(zone), palette));
                        let apart = apart(matrix, one, other);
                        assert!(
                            apart > least,
                            "{palette}, {sight}: {a:?} and {b:?}: {apart:.0}"
                        );
                    }
                }
            }
        }
    }

    /// WCAG 2.2, 1.4.3 and 1.4.11: 4.5:1 for text, 3:1 for large text and graphics. Words in the colour of a
    /// zone are large.
    #[test]
    fn text_and_graphics_can_be_seen_in_every_palette() {
        let text = [Ink::Text, Ink::Quiet, Ink::Warning];
        let steps = [Ink::Ground, Ink::Faint, Ink::DimCool, Ink::DimWarm];
        for palette in Palette::ALL {
            let grey = of_bytes([brightest_backdrop(palette); 3]);
            let black = of_bytes([0; 3]);
            for ink in Ink::ALL.into_iter().filter(|ink| !steps.contains(ink)) {
                // The inks of the backdrop itself are the classic theme's, which has none.
                let behind = if BACKDROP.contains(&ink) { black } else { grey };
                let contrast = contrast(seen(ink, palette), behind);
                let least = if text.contains(&ink) { 4.5 } else { 3.0 };
                assert!(
                    contrast >= least,
                    "{palette}: {ink:?} has {contrast:.2} only"
                );
            }
        }
    }

    #[test]
    fn zones_next_to_each_other_differ_by_more_than_hue() {
        for palette in Palette::ALL {
            for pair in HeartZone::ORDINARY.windows(2) {
                let lightness = |zone| {
                    let [lightness, ..] = lab(NORMAL, seen(Ink::from_heart_zone(zone), palette));
                    lightness
                };
                let apart = (lightness(pair[0]) - lightness(pair[1])).abs();
                assert!(apart > 5.0, "{palette}: {pair:?}: {apart:.1}");
            }
        }
    }

    #[test]
    fn the_night_is_dark_and_has_no_blue() {
        for ink in Ink::ALL {
            let [red, green, blue] = ink.in_palette(Palette::Night);
            assert!(blue < 50 && green <= red, "{ink:?}");
            assert!(luminance(seen(ink, Palette::Night)) < 0.31, "{ink:?}");
        }
    }

    #[test]
    fn steps_lie_between_the_background_and_their_colours() {
        for palette in Palette::ALL {
            let light = |ink: Ink| luminance(seen(ink, palette));
            let greys = [Ink::Ground, Ink::Faint, Ink::Mid, Ink::Quiet, Ink::Text];
            assert!(greys.windows(2).all(|pair| light(pair[0]) < light(pair[1])));
            for (step, ink) in [
                (Ink::DimCool, Ink::Blue),
                (Ink::DimCool, Ink::Cyan),
                (Ink::DimWarm, Ink::Yellow),
                (Ink::DimWarm, Ink::Orange),
                (Ink::DimWarm, Ink::Pink),
                (Ink::DimWarm, Ink::Warning),
            ] {
                assert!(
                    light(step) < light(ink) / 2.0,
                    "{palette}: {step:?}, {ink:?}"
                );
            }
        }
    }
}
