//! Tests of the page's colours, as the style sheet has them: they can be read, and the zones can be told
//! apart whatever eyes one has.

use std::collections::BTreeMap;

use pulsewing_testkit::sight::{NORMAL, SIGHTS, apart, contrast, lab};

use super::icons;

const STYLE: &str = include_str!("assets/page.css");

/// The zones' properties, from the lowest.
const ZONES: [&str; 5] = ["--easy", "--light", "--moderate", "--vigorous", "--peak"];

/// The opacity of a zone's band behind a graph, as the style sheet has it.
const BAND: f64 = 0.1;

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
            for (place, one) in ZONES.into_iter().enumerate() {
                for other in &ZONES[..place] {
                    let apart = apart(matrix, of[one].0, of[other].0);
                    assert!(
                        apart >= 20.0,
                        "{palette}, {sight}: {one}, {other}: {apart:.0}"
                    );
                }
            }
            // Neighbours differ by a step of lightness, not by their hue alone.
            for pair in ZONES.windows(2) {
                let [one, next] = [pair[0], pair[1]].map(|zone| lab(matrix, of[zone].0)[0]);
                let step = (one - next).abs();
                assert!(step >= 7.0, "{palette}, {sight}: {pair:?}: {step:.0}");
            }
        }
    }
}

#[test]
fn a_colour_of_a_zone_means_nothing_else() {
    for (palette, of) in palettes() {
        let others = of.iter().filter(|(name, _)| !ZONES.contains(name));
        for (name, (rgb, _)) in others {
            let [.., a, b] = lab(NORMAL, *rgb);
            let is_grey = a.hypot(b) < 12.0;
            let is_amber = name.starts_with("--warn");
            for zone in ZONES.iter().filter(|_| is_amber && *name == "--warn-edge") {
                let apart = apart(NORMAL, *rgb, of[zone].0);
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
