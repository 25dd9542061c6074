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

/// Two thirds of the value are about two fifths of the light.
const fn dimmed(channel: u8) -> u8 {
    channel / 3 * 2
}

const fn day(ink: Ink) -> [u8; 3] {
    match ink {
        Ink::Ground => [0, 0, 0],
        Ink::Text => [255, 255, 255],
        Ink::Quiet => [160, 160, 160],
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
        Ink::Mid => [102, 102, 104],
        Ink::DimCool => [28, 74, 96],
        Ink::DimWarm => [116, 68, 36],
    }
}

const fn night(ink: Ink) -> [u8; 3] {
    match ink {
        Ink::Ground => [0, 0, 0],
        Ink::Text => [212, 88, 28],
        Ink::Quiet => [160, 58, 16],
        Ink::Warning => [208, 100, 0],
        Ink::Red => [208, 24, 24],
        Ink::Violet => [164, 40, 48],
        Ink::Blue => [172, 54, 38],
        Ink::Green => [140, 84, 12],
        Ink::Cyan => [168, 76, 28],
        Ink::Yellow => [200, 108, 12],
        Ink::Orange => [216, 68, 0],
        Ink::Pink => [224, 28, 28],
        Ink::Faint => [40, 12, 4],
        Ink::Mid => [112, 40, 12],
        Ink::DimCool => [58, 18, 10],
        Ink::DimWarm => [84, 32, 6],
    }
}

#[cfg(test)]
mod tests {
    use pulsewing_core::heart_zone::HeartZone;

    use super::*;

    /// The conversions of linear red, green and blue for the common colour-vision deficiencies, and
    /// for normal sight: Machado, Oliveira and Fernandes 2009, severity 1.
    const SIGHTS: [(&str, [[f64; 3]; 3]); 4] = [
        ("all", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        ),
    ];

    fn linear(rgb: [u8; 3]) -> [f64; 3] {
        rgb.map(|channel| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(rgb: [u8; 3]) -> f64 {
        let [r, g, b] = linear(rgb);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast_on_ground(palette: Palette, ink: Ink) -> f64 {
        (luminance(ink.in_palette(palette)) + 0.05) / 0.05
    }

    /// CIE 1976 L*a*b*, D65.
    fn lab(linear: [f64; 3]) -> [f64; 3] {
        let [r, g, b] = linear.map(|c| c.clamp(0.0, 1.0));
        let f = |t: f64| {
            if t > 0.008_856 {
                t.cbrt()
            } else {
                7.787 * t + 16.0 / 116.0
            }
        };
        let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn seen(matrix: [[f64; 3]; 3], rgb: [u8; 3]) -> [f64; 3] {
        let rgb = linear(rgb);
        lab(matrix.map(|row| row.iter().zip(rgb).map(|(m, c)| m * c).sum()))
    }

    fn apart(a: [f64; 3], b: [f64; 3]) -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f64>()
            .sqrt()
    }

    #[test]
    fn zones_can_be_told_apart_whatever_eyes_one_has() {
        for palette in [Palette::Day, Palette::Dim] {
            for (sight, matrix) in SIGHTS {
                for (place, a) in HeartZone::ORDINARY.into_iter().enumerate() {
                    for b in &HeartZone::ORDINARY[..place] {
                        let [one, other] = [a, *b].map(|zone| {
                            seen(matrix, Ink::from_heart_zone(zone).in_palette(palette))
                        });
                        let apart = apart(one, other);
                        assert!(
                            apart > 20.0,
                            "{palette}, {sight}: {a:?} and {b:?}: {apart:.0}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn text_can_be_read_in_every_palette() {
        let steps = [
            Ink::Ground,
            Ink::Faint,
            Ink::Mid,
            Ink::DimCool,
            Ink::DimWarm,
        ];
        for (palette, text, quiet) in [
            (Palette::Day, 15.0, 6.0),
            (Palette::Dim, 7.0, 3.0),
            (Palette::Night, 5.0, 2.8),
        ] {
            assert!(contrast_on_ground(palette, Ink::Text) >= text, "{palette}");
            for ink in Ink::ALL.into_iter().filter(|ink| !steps.contains(ink)) {
                let contrast = contrast_on_ground(palette, ink);
                assert!(
                    contrast >= quiet,
                    "{palette}: {ink:?} has {contrast:.1} only"
                );
            }
        }
    }

    #[test]
    fn the_night_is_dark_and_has_no_blue() {
        for ink in Ink::ALL {
            let [red, green, blue] = ink.in_palette(Palette::Night);
            assert!(blue < 50 && green <= red, "{ink:?}");
            assert!(luminance([red, green, blue]) < 0.25, "{ink:?}");
        }
    }

    #[test]
    fn steps_lie_between_the_background_and_their_colours() {
        for palette in Palette::ALL {
            let light = |ink: Ink| luminance(ink.in_palette(palette));
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
