//! The look of pictures: themes, palettes, the night, and the user's own wallpaper.

use std::fs;

use pulsewing_testkit::pictures::Picture;

use crate::harness::{
    hermetic::Home,
    picture::{self, render, save_day, save_ordinary_day},
};

/// Returns the picture that is drawn with this configuration at this time.
fn drawn(home: &Home, heart: &str, screen: &str, now: &str, more: &[&str]) -> Picture {
    home.configure(&format!("[screen]\n{screen}\n"));
    let mut args = vec!["render", "--provider", "fitbit", "--heart", heart];
    args.extend(["--png", "look.png", "--now", now]);
    args.extend(more);
    home.run(&args).exits(0);
    picture::read(home, "look.png")
}

const AFTERNOON: &str = "2026-11-22T14:07:30Z";

#[test]
fn palettes_come_from_the_configuration_and_from_the_command_line() {
    let home = Home::new();
    let heart = save_ordinary_day(&home);
    let day = drawn(&home, &heart, "", AFTERNOON, &[]);
    let dim = drawn(&home, &heart, "palette = \"dim\"", AFTERNOON, &[]);
    let night = drawn(&home, &heart, "palette = \"night\"", AFTERNOON, &[]);
    assert!(day.brightness() > dim.brightness() && dim.brightness() > night.brightness());
    assert!(night.colours().iter().all(|[_, _, blue]| *blue < 50));
    let asked = drawn(
        &home,
        &heart,
        "palette = \"night\"",
        AFTERNOON,
        &["--palette", "dim"],
    );
    assert_eq!(asked, dim);
    home.run(&render(&heart, &["--png", "x.png", "--palette", "dark"]))
        .exits(2)
        .says("day, dim or night");
}

#[test]
fn the_night_is_the_wearers() {
    let home = Home::new();
    let heart = save_ordinary_day(&home);
    let screen = "palette = \"dim\"\nnight = \"22:00-07:00\"";
    let is_night = |now: &str, more: &[&str]| {
        let picture = drawn(&home, &heart, screen, now, more);
        picture.colours().iter().all(|[_, _, blue]| *blue < 50)
    };
    // The offset of `--now` is the zone here, because nothing better is known.
    assert!(!is_night("2026-11-22T14:07:00+00:00", &[]));
    assert!(!is_night("2026-11-22T21:59:59+00:00", &[]));
    assert!(is_night("2026-11-22T22:00:00+00:00", &[]));
    assert!(is_night("2026-11-23T06:59:59+00:00", &[]));
    assert!(!is_night("2026-11-23T07:00:00+00:00", &[]));
    // The same instant as the first, in a zone where it is late.
    assert!(is_night("2026-11-22T23:07:00+09:00", &[]));
    // A configured palette applies at any time.
    assert!(!is_night(
        "2026-11-22T23:07:00+00:00",
        &["--palette", "day"]
    ));
}

/// Returns a PNG of two halves, red on the left and blue on the right.
fn two_halves(width: u32, height: u32) -> Vec<u8> {
    let colour = |x| match x < width / 2 {
        true => [210, 30, 20],
        false => [20, 40, 230],
    };
    let picture = Picture {
        size: (width, height),
        rgb: (0..height).flat_map(|_| (0..width).map(colour)).collect(),
    };
    let mut bytes = Vec::new();
    picture.write(&mut bytes);
    bytes
}

#[test]
fn the_users_wallpaper_is_seen_while_there_are_no_values() {
    let home = Home::new();
    let empty = save_day(&home, std::iter::empty());
    let usual = drawn(&home, &empty, "", AFTERNOON, &[]);
    // In the directory of the configuration file, which names it.
    let path = home.path("config/pulsewing/mine.png");
    fs::write(&path, two_halves(900, 600)).unwrap();
    let mine = drawn(&home, &empty, "wallpaper = \"mine.png\"", AFTERNOON, &[]);
    assert_ne!(mine, usual);
    let is_near = |[r, g, b]: [u8; 3], [x, y, z]: [u8; 3]| {
        r.abs_diff(x) < 6 && g.abs_diff(y) < 6 && b.abs_diff(z) < 6
    };
    let at = |picture: &Picture, x: usize, y: usize| picture.rgb[y * 480 + x];
    for y in [5, 60, 120] {
        assert!(
            is_near(at(&mine, 20, y), [210, 30, 20]),
            "{:?}",
            at(&mine, 20, y)
        );
        assert!(
            is_near(at(&mine, 460, y), [20, 40, 230]),
            "{:?}",
            at(&mine, 460, y)
        );
    }
    // The notice below it is the usual one.
    assert_eq!(mine.rgb[480 * 250..], usual.rgb[480 * 250..]);

    // With another path, in another format, and at night.
    let absolute = format!("wallpaper = \"{}\"", path.display());
    assert_eq!(drawn(&home, &empty, &absolute, AFTERNOON, &[]), mine);
    let by_night = drawn(&home, &empty, &absolute, AFTERNOON, &["--palette", "night"]);
    assert!(by_night.brightness() < mine.brightness() / 2.0);
    // With values, the wallpaper does not show.
    let heart = save_ordinary_day(&home);
    assert_eq!(
        drawn(&home, &heart, &absolute, AFTERNOON, &[]),
        drawn(&home, &heart, "", AFTERNOON, &[])
    );
}

#[test]
fn a_wallpaper_that_cannot_be_used_is_told_and_the_usual_one_is_shown() {
    let home = Home::new();
    let empty = save_day(&home, std::iter::empty());
    let usual = drawn(&home, &empty, "", AFTERNOON, &[]);
    let whole = two_halves(200, 100);
    // A header that claims 50,000 by 50,000 pixels.
    let mut bomb = whole.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    let crc = crc_32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    for (name, bytes, words) in [
        ("none.png", None, "could not be read"),
        ("bomb.png", Some(&bomb[..]), "50000x50000 pixels"),
        (
            "half.png",
            Some(&whole[..whole.len() / 2]),
            "cannot be decoded",
        ),
        (
            "photo.jpg",
            Some(b"\xff\xd8\xff\xe0 jpeg"),
            "neither a PNG nor a BMP",
        ),
        ("empty.bmp", Some(b""), "neither a PNG nor a BMP"),
        (
            "short.bmp",
            Some(b"BM"),
            "a BMP that ends before its last pixel",
        ),
    ] {
        if let Some(bytes) = bytes {
            fs::write(home.path("config/pulsewing").join(name), bytes).unwrap();
        }
        home.configure(&format!("[screen]\nwallpaper = \"{name}\"\n"));
        let args = render(&empty, &["--png", "look.png"]);
        home.run(&args)
            .exits(0)
            .says("warning:")
            .says(name)
            .says(words);
        assert_eq!(picture::read(&home, "look.png"), usual);
    }
}

/// Computes the CRC-32 bit by bit, as in the standard.
fn crc_32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ (0xedb8_8320 * (crc & 1))
        })
    })
}
