//! Two wearers in one picture, compared pixel by pixel with `tests/frames/pair-*.png`. To accept new
//! ones, see `pulsewing_testkit::golden`.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use embedded_graphics::prelude::*;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::Offset,
};
use proptest::prelude::*;
use pulsewing_core::{Bpm, civil::Offsets, reading::Reading};
use pulsewing_screen::{
    Colours, Frame, Model, Palette, State, Theme,
    pair::{self, Half},
};
use pulsewing_testkit::{
    golden,
    pictures::{Watched, blank},
    wearer,
};

const EVERY: SignedDuration = SignedDuration::from_mins(15);
const DAY: Date = date(2026, 11, 22);

fn offsets() -> Offsets {
    Offsets::fixed(Offset::constant(1))
}

/// Seven minutes past two in the afternoon.
fn now() -> Timestamp {
    offsets().day(DAY).start() + SignedDuration::from_mins(14 * 60 + 7)
}

/// Returns what was known of a wearer this long ago, whose rate is so much higher than usual.
fn reading(ago: SignedDuration, higher: u16) -> Reading {
    let bpm = |minute: i64| Bpm::new(wearer::bpm(minute)?.get() + higher);
    let mut reading = wearer::reading(&offsets(), now() - ago, DAY, bpm);
    reading.fetched_at = now();
    reading
}

fn model(reading: &Reading, theme: Theme) -> Model<'_> {
    let freshness = reading.freshness(now(), EVERY, false);
    Model::new(reading, now(), freshness, theme)
}

fn drawn(halves: &[Half<'_>; 2], size: Size) -> Frame<Vec<u8>> {
    let mut frame = blank(size);
    let Ok(()) = pair::draw(halves, &mut frame);
    frame
}

fn compare(name: &str, halves: &[Half<'_>; 2], (width, height): (u32, u32)) {
    golden::compare(
        "crates/pulsewing-screen/tests/frames",
        &format!("pair-{name}-{width}x{height}"),
        &drawn(halves, Size::new(width, height)),
        &Colours::from(Palette::Day),
    );
}

#[test]
fn two_are_side_by_side_or_one_above_the_other() {
    let (first, second) = (
        reading(SignedDuration::ZERO, 0),
        reading(SignedDuration::ZERO, 25),
    );
    let halves = [
        ("Anna", model(&first, Theme::Desk)),
        (
            "J\u{f6}rg M\u{fc}ller-L\u{fc}denscheidt \u{1f493}",
            model(&second, Theme::Desk),
        ),
    ]
    .map(|(name, model)| Half { name, model });
    for size in [(480, 320), (240, 320), (320, 480), (800, 480)] {
        compare("fresh", &halves, size);
    }
}

#[test]
fn each_has_a_theme_and_a_problem_of_their_own() {
    let (old, fresh) = (
        reading(SignedDuration::from_hours(3), 0),
        reading(SignedDuration::ZERO, 25),
    );
    let command = "pulsewing login --wearer ben";
    let signed_out = State::SignInNeeded {
        command,
        address: None,
    };
    let halves = [
        ("Anna", model(&old, Theme::Desk)),
        ("Ben", Model::from_state(signed_out, Theme::Desk)),
    ]
    .map(|(name, model)| Half { name, model });
    compare("problems", &halves, (480, 320));
    compare("problems", &halves, (240, 320));
    let halves = [
        ("Anna", model(&old, Theme::Classic)),
        ("Ben", model(&fresh, Theme::Desk)),
    ]
    .map(|(name, model)| Half { name, model });
    compare("themes", &halves, (800, 480));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_size_and_name_stays_inside(name in ".{0,40}", width in 160_u32..900, height in 80_u32..700) {
        let reading = reading(SignedDuration::ZERO, 0);
        let halves = [name.as_str(), "Ben"].map(|name| Half { name, model: model(&reading, Theme::Desk) });
        let mut watched = Watched::new(Size::new(width, height));
        let Ok(()) = pair::draw(&halves, &mut watched);
        prop_assert_eq!(watched.beside, 0);
    }
}
