//! The picture of a live rate, compared pixel by pixel with `tests/frames/desk-live.png`.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{Bpm, reading::Reading};
use pulsewing_screen::{Colours, Model, Palette, State, Theme};
use pulsewing_testkit::{
    at, golden,
    pictures::{PANEL, drawn},
    readings::{berlin, with_minutes},
};

const EVERY: SignedDuration = SignedDuration::from_mins(15);

/// A quarter of an hour until 13:59 on the wearer's clock, and the present.
fn reading() -> (Reading, Timestamp) {
    let now = at("2026-11-22T13:07:00Z");
    let minutes = (820..840).map(|minute| (minute, 60 + minute % 15));
    (with_minutes(berlin(), now, minutes), now)
}

fn model(reading: &Reading, now: Timestamp, theme: Theme) -> Model<'_> {
    let freshness = reading.freshness(now, EVERY, false);
    Model::new(reading, now, freshness, theme)
}

#[test]
fn a_live_rate_is_in_the_place_of_the_newest_minute_with_its_age_in_seconds() {
    let (reading, now) = reading();
    let model = model(&reading, now, Theme::Desk);
    let model = model.with_live(Bpm::new(148).unwrap(), SignedDuration::from_secs(3));
    golden::compare(
        "crates/pulsewing-screen/tests/frames",
        "desk-live",
        &drawn(&model, PANEL),
        &Colours::from(Palette::Day),
    );
}

#[test]
fn a_live_rate_is_current_whatever_prevents_updates() {
    let (reading, now) = reading();
    let later = now + SignedDuration::from_hours(30);
    for theme in [Theme::Desk, Theme::Big] {
        let pictures = [State::Offline, State::TokensNotStored].map(|state| {
            let model = model(&reading, later, theme).with_state(state);
            let old = drawn(&model, PANEL);
            let live = model.with_live(Bpm::new(148).unwrap(), SignedDuration::from_secs(3));
            let facts = live.facts.as_ref().unwrap();
            assert_eq!(facts.age, Some(SignedDuration::from_secs(3)));
            (old, drawn(&live, PANEL))
        });
        for (old, live) in pictures {
            assert_ne!(old.bytes(), live.bytes(), "{theme:?}");
        }
    }
}
