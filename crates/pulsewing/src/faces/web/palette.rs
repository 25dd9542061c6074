//! Tests of the page's colours, as the style sheet has them: they can be read, and the zones can be told
//! apart whatever eyes one has.

use std::collections::BTreeMap;

use super::icons;

const STYLE: &str = include_str!("assets/page.css");

/// The zones' properties, from the lowest.
const ZONES: [&str; 5] = ["--easy", "--light", "--moderate", "--vigorous", "--peak"];

/// The opacity of a zone's band behind a graph, as the style sheet has it.
const BAND: f64 = 0.1;

/// The conversions of linear red, green and blue for normal sight and for the common colour-vision
/// deficiencies: Machado, Oliveira and Fernandes 2009, severity 1.
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

/// Red, green and blue from 0 to 1, and the opacity.
type Colour = ([f64; 3], f64);

fn colour(hex: &str) -> Colour {
    let channel = |place: usize| {
        let digits = hex.get(place..place + 2)?;
        Some(f64::from(u8::from_str_radix(digits, 16).unwrap()) / 255.0)
    };
    let rgb = [1, 3, 5].map(|place| channel(place).unwrap());
    (rgb, channel(7).unwrap_or(1.0))
}

/// Returns the custom properties of the light palette and of the dark one.
fn palettes() -> [(&'static str, BTreeMap<&'static str, Colour>); 2] {
    let dark = STYLE.find("@media (prefers-color-scheme: dark)").unwrap();
    [("light", &STYLE[..dark]), ("dark", &STYLE[dark..])].map(|(name, text)| {
        let block = text
            .split_once(":root {")
            .unwrap()
            .1
            .split('}')
            .next()
            .unwrap();
        let properties = block.split(';').filter_map(|line| {
            let (name, value) = line.trim().split_once(": ")?;
            value.starts_with('#').then(|| (name, colour(value)))
        });
        (name, properties.collect())
    })
}

/// Returns what is seen of a colour on another.
fn over((rgb, opacity): Colour, ground: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|it| rgb[it] * opacity + ground[it] * (1.0 - opacity))
}

fn linear(rgb: [f64; 3]) -> [f64; 3] {
    rgb.map(|c| match c {
        ..=0.040_45 => c / 12.92,
        _ => ((c + 0.055) / 1.055).powf(2.4),
    })
}

/// Relative luminance (WCAG 2.2).
fn luminance(rgb: [f64; 3]) -> f64 {
    let [r, g, b] = linear(rgb);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

/// CIE 1976 L*a*b*, D65, of a colour as it is seen.
fn lab(matrix: [[f64; 3]; 3], rgb: [f64; 3]) -> [f64; 3] {
    let rgb = linear(rgb);
    let seen = matrix.map(|row| row.iter().zip(rgb).map(|(m, c)| m * c).sum::<f64>());
    let [r, g, b] = seen.map(|c| c.clamp(0.0, 1.0));
    let f = |t: f64| match t {
        ..=0.008_856 => 7.787 * t + 16.0 / 116.0,
        _ => t.cbrt(),
    };
    let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[test]
fn text_can_be_read_in_light_and_dark() {
    for (palette, of) in palettes() {
        let [ground, card, to_come, warn] =
            ["--ground", "--card", "--to-come", "--warn-ground"].map(|name| of[name].0);
        let mut grounds = vec![("ground", ground), ("card", card), ("to come", to_come)];
        // The names of bands, by day, at night, and where it is usual to be.
        for zone in ZONES {
            let band = over((of[zone].0, BAND), card);
            grounds.push((zone, band));
            grounds.push((zone, over(of["--night"], band)));
            grounds.push((zone, over(of["--usual"], band)));
        }
        for (place, on) in grounds.iter().copied() {
            let quiet = contrast(of["--quiet"].0, on);
            // In a band all words are in the colour of text.
            let is_band = place.starts_with("--");
            assert!(
                is_band || quiet >= 4.5,
                "{palette}: quiet on {place}: {quiet:.2}"
            );
            let text = contrast(of["--text"].0, on);
            assert!(text >= 7.0, "{palette}: text on {place}: {text:.2}");
        }
        for (name, on) in [
            ("--warn", warn),
            ("--warn", card),
            ("--text", warn),
            ("--quiet", warn),
        ] {
            let contrast = contrast(of[name].0, on);
            assert!(
                contrast >= 4.5,
                "{palette}: {name} on a warning: {contrast:.2}"
            );
        }
    }
}

#[test]
fn lines_and_marks_can_be_seen_in_light_and_dark() {
    for (palette, of) in palettes() {
        let card = of["--card"].0;
        for zone in ZONES {
            let colour = of[zone].0;
            let band = over((colour, BAND), card);
            for on in [
                card,
                of["--ground"].0,
                of["--to-come"].0,
                band,
                over(of["--night"], band),
            ] {
                let contrast = contrast(colour, on);
                assert!(contrast >= 3.0, "{palette}: {zone}: {contrast:.2}");
            }
        }
        for name in ["--text", "--quiet", "--warn-edge"] {
            assert!(contrast(of[name].0, card) >= 3.0, "{palette}: {name}");
        }
        let warning = contrast(of["--warn-edge"].0, of["--warn-ground"].0);
        assert!(
            warning >= 3.0,
            "{palette}: the edge of a warning: {warning:.2}"
        );
    }
}

#[test]
fn zones_can_be_told_apart_whatever_eyes_one_has() {
    for (palette, of) in palettes() {
        for (sight, matrix) in SIGHTS {
            let seen = ZONES.map(|zone| lab(matrix, of[zone].0));
            for (place, one) in seen.iter().enumerate() {
                for (before, other) in seen.iter().enumerate().take(place) {
                    let apart = one.iter().zip(other).map(|(a, b)| (a - b) * (a - b));
                    let apart = apart.sum::<f64>().sqrt();
                    let names = (ZONES[before], ZONES[place]);
                    assert!(apart >= 20.0, "{palette}, {sight}: {names:?}: {apart:.0}");
                }
            }
            // Neighbours differ by a step of lightness, not by their hue alone.
            for (place, pair) in seen.windows(2).enumerate() {
                let step = (pair[0][0] - pair[1][0]).abs();
                assert!(
                    step >= 7.0,
                    "{palette}, {sight}: {}: {step:.0}",
                    ZONES[place]
                );
            }
        }
    }
}

#[test]
fn a_colour_of_a_zone_means_nothing_else() {
    for (palette, of) in palettes() {
        let others = of.iter().filter(|(name, _)| !ZONES.contains(name));
        for (name, (rgb, _)) in others {
            let [.., a, b] = lab(SIGHTS[0].1, *rgb);
            let is_grey = a.hypot(b) < 12.0;
            let is_amber = name.starts_with("--warn");
            for zone in ZONES.iter().filter(|_| is_amber && *name == "--warn-edge") {
                let pair = [*rgb, of[zone].0].map(|rgb| lab(SIGHTS[0].1, rgb));
                let apart = pair[0].iter().zip(pair[1]).map(|(a, b)| (a - b) * (a - b));
                let apart = apart.sum::<f64>().sqrt();
                assert!(apart >= 20.0, "{palette}: {name} and {zone}: {apart:.0}");
            }
            // The night is a shade of blue that is hardly one.
            assert!(
                is_grey || is_amber || *name == "--night",
                "{palette}: {name}"
            );
        }
    }
    assert!(STYLE.contains(&format!("fill-opacity: {BAND};").replace("0.", ".")));
    // Nor does the style sheet use one outside of the properties.
    let rules = STYLE.split("--peak:").last().unwrap();
    assert!(!rules.contains('#') || !rules.contains(": #"), "{rules}");
}

#[test]
fn the_icon_of_a_tab_has_the_dark_palette() {
    let [_, (_, dark)] = palettes();
    for (place, zone) in ZONES.into_iter().enumerate() {
        let (name, drawn) = icons::zone_colour(place + 1);
        assert_eq!(format!("--{name}"), zone);
        assert_eq!(colour(drawn), dark[zone]);
    }
}
