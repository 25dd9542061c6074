//! The parts of a picture, one by one, in characters: a wrong pixel fails the test of its own part.
//!
//! Whole pictures are compared in `tests/frames.rs`; a change to a part fails dozens of those at once, and here
//! one. [`sketch`] says what the characters mean.

use std::{string::String, vec};

use embedded_graphics::{prelude::*, primitives::Rectangle};
use jiff::{SignedDuration, tz::Offset};
use pulsewing_core::civil::Offsets;
use pulsewing_testkit::{at, readings};

use super::{
    graph,
    layout::{Layout, StripPlace},
    strip,
};
use crate::{
    Frame, Ink, State, banner,
    frame::sketch,
    model::Facts,
    slot::{Family, Letters, Slot},
    state::Notice,
    text::Align,
};

fn frame(width: u32, height: u32) -> Frame<vec::Vec<u8>> {
    let size = Size::new(width, height);
    Frame::new(size, vec![0; Frame::<vec::Vec<u8>>::bytes_for(size)]).unwrap()
}

/// Compares with a sketch, without the empty rows around it.
#[track_caller]
fn assert_sketch(drawn: &str, expected: &str) {
    let drawn = drawn.trim_matches('\n');
    assert!(
        drawn == expected.trim_matches('\n'),
        "this is drawn (if it is right, put it into the file in desk/sketches):\n{drawn}"
    );
}

/// Draws the facts of a reading at noon, with these rates from an hour before on.
fn with_facts<T>(rates: &[u16], draw: impl FnOnce(&Facts<'_>) -> T) -> T {
    let now = at("2026-11-22T12:00:00Z");
    let minutes = (11 * 60..).zip(rates.iter().copied());
    let reading = readings::with_minutes(Offsets::fixed(Offset::UTC), now, minutes);
    let freshness = reading.freshness(now, SignedDuration::from_mins(15), false);
    draw(&Facts::new(&reading, now, freshness))
}

#[test]
fn a_text_stands_at_its_side_of_its_slot_and_is_cut_at_the_end() {
    let mut picture = String::new();
    for (align, text) in [
        (Align::Left, "72"),
        (Align::Centre, "72"),
        (Align::Right, "7200000"),
    ] {
        let mut frame = frame(30, 10);
        let slot = Slot::new(Letters::of(8), align, 2..28, 1);
        slot.write(text, Ink::Text, &mut frame).unwrap();
        picture += &sketch(&frame);
    }
    assert_sketch(&picture, include_str!("sketches/slot.txt"));
}

#[test]
fn a_day_in_a_strip() {
    let mut frame = frame(72, 22);
    let label = Letters::of(8);
    let place = StripPlace {
        bars: Rectangle::new(Point::new(0, 0), Size::new(72, 10)),
        hours: Slot::new(label, Align::Centre, 0..72, 12),
        ends: None,
    };
    let rates: vec::Vec<u16> = (0..60).map(|minute| 60 + minute).collect();
    with_facts(&rates, |facts| strip::draw(facts, &place, &mut frame)).unwrap();
    assert_sketch(&sketch(&frame), include_str!("sketches/strip.txt"));
}

#[test]
fn full_hours_stand_where_the_clock_shows_them_though_it_changes_by_half_an_hour() {
    // Lord Howe Island on 4 October 2026: at 02:00 the clock becomes 02:30.
    let mut offsets = Offsets::fixed(Offset::from_seconds(37_800).unwrap());
    let change = at("2026-10-03T15:30:00Z");
    offsets
        .push_change(change, Offset::from_seconds(39_600).unwrap())
        .unwrap();
    let now = at("2026-10-04T03:00:00Z");
    let reading = readings::with_minutes(offsets.clone(), now, [(700, 70)]);
    let facts = Facts::new(
        &reading,
        now,
        reading.freshness(now, SignedDuration::from_mins(15), false),
    );
    let mut frame = frame(1_500, 30);
    let place = StripPlace {
        bars: Rectangle::new(Point::new(0, 0), Size::new(1_500, 10)),
        hours: Slot::new(Letters::of(8), Align::Centre, 0..1_500, 16),
        ends: None,
    };
    strip::draw(&facts, &place, &mut frame).unwrap();
    // A column is a minute; the axis begins 24 hours before the running hour.
    let start = at("2026-10-03T03:00:00Z");
    let marked = (0..1_499).filter(|x| frame.pixel(Point::new(*x, 11)) == Some(Ink::Mid));
    let clocks: vec::Vec<_> = marked
        .map(|x| {
            offsets
                .local(start + SignedDuration::from_mins(x.into()))
                .time()
        })
        .collect();
    assert!(clocks.len() >= 8, "{clocks:?}");
    assert!(
        clocks
            .iter()
            .all(|time| time.minute() == 0 && time.hour() % 3 == 0),
        "{clocks:?}"
    );
}

#[test]
fn fifteen_minutes_in_a_graph() {
    let mut frame = frame(160, 80);
    let layout = Layout::new(Size::new(160, 80), false);
    let rates: vec::Vec<u16> = (0..60).map(|minute| 70 + minute % 7).collect();
    with_facts(&rates, |facts| graph::draw(facts, &layout, &mut frame)).unwrap();
    assert_sketch(&sketch(&frame), include_str!("sketches/graph.txt"));
}

#[test]
fn a_notice_in_a_banner() {
    let mut frame = frame(160, 80);
    let notice = Notice::from_state(State::Offline);
    banner::draw(&notice, Family::Barlow, &mut frame).unwrap();
    assert_sketch(&sketch(&frame), include_str!("sketches/banner.txt"));
}
