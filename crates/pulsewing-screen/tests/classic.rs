//! Properties of every classic picture, whatever its contents and size.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::LazyLock;

use embedded_graphics::{prelude::*, primitives::Rectangle};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::Offset,
};
use proptest::prelude::*;
use pulsewing_core::{
    Bpm,
    civil::Offsets,
    day::{Day, Window},
    heart_zone::HeartZones,
    reading::{Absence, Freshness},
};
use pulsewing_screen::{
    Frame, Ink,
    classic::{Layout, draw},
    model::{Facts, Latest, LatestFifteen, Minute},
};
use pulsewing_testkit::pictures::{Watched, any_size, blank};

/// Data that the facts borrow but the classic theme never uses.
static BLANK: LazyLock<(Day, Window, Offsets)> = LazyLock::new(|| {
    let offsets = Offsets::fixed(Offset::UTC);
    let day = Day::new(offsets.day_of(Timestamp::UNIX_EPOCH));
    (day, Window::ending_at(Timestamp::UNIX_EPOCH), offsets)
});

fn facts(latest: Latest) -> Facts<'static> {
    let date = Date::constant(2024, 3, 3);
    Facts {
        now: Timestamp::UNIX_EPOCH,
        clock: Some(Time::midnight()),
        today: date,
        date,
        is_today: true,
        latest,
        newest: None,
        rate: None,
        trend: None,
        resting: None,
        age: Some(SignedDuration::from_mins(20)),
        is_live: false,
        freshness: Freshness::Fresh,
        absence: Absence::NotSynced,
        is_zone_guessed: false,
        earlier: None,
        battery_percent: Some(40),
        window: &BLANK.1,
        day: &BLANK.0,
        offsets: &BLANK.2,
        heart_zones: HeartZones::PLAIN,
    }
}

fn any_minute() -> impl Strategy<Value = Minute> {
    (0_u16..1_500, 1_u16..=300).prop_map(|(of_day, bpm)| Minute {
        of_day,
        clock: Time::midnight() + SignedDuration::from_mins(i64::from(of_day)),
        bpm: Bpm::new(bpm).unwrap(),
    })
}

/// Fifteen minutes in chronological order, often consecutive, with rates from a narrow or a wide
/// range.
fn any_fifteen() -> impl Strategy<Value = LatestFifteen> {
    let steps = prop::array::uniform15(prop_oneof![3 => Just(1_u16), 1 => 2_u16..90]);
    let rates = (1_u16..=300, 1_u16..=300).prop_flat_map(|(a, b)| {
        let (low, high) = (a.min(b), a.max(b).min(a.min(b).saturating_add(30)));
        prop_oneof![
            prop::array::uniform15(low..=high),
            prop::array::uniform15(1_u16..=300)
        ]
    });
    (steps, rates).prop_map(|(steps, rates)| {
        let mut of_day = 0;
        let mut index = 0;
        LatestFifteen(steps.map(|step| {
            of_day += step;
            index += 1;
            Minute {
                of_day,
                clock: Time::midnight() + SignedDuration::from_mins(i64::from(of_day)),
                bpm: Bpm::new(rates[index - 1]).unwrap(),
            }
        }))
    })
}

prop_compose! {
    fn any_facts(latest: impl Strategy<Value = Latest> + 'static)(
        latest in latest,
        day in 0_i32..2_900_000,
        newest in prop::option::of((0_i8..24, 0_i8..60, 0_i32..2_900_000)),
        age in prop::option::of(prop_oneof![-200_i64..200_000, any::<i64>()]),
        freshness in prop::sample::select(vec![
            Freshness::Fresh, Freshness::Stale, Freshness::Silent, Freshness::Cached,
        ]),
        absence in prop::sample::select(vec![
            Absence::ZoneGuessed, Absence::NotAsked, Absence::NotWorn, Absence::NotCharged,
            Absence::NotSynced, Absence::NothingRecorded,
        ]),
        is_zone_guessed in any::<bool>(),
        is_today in any::<bool>(),
        battery_percent in prop::option::of(0_u8..=100),
    ) -> Facts<'static> {
        let date = |day| Date::constant(0, 1, 1) + SignedDuration::from_hours(24 * i64::from(day));
        Facts {
            date: date(day),
            is_today,
            newest: newest.map(|(hour, minute, day)| date(day).at(hour, minute, 0, 0)),
            age: age.map(SignedDuration::from_secs),
            freshness,
            absence,
            is_zone_guessed,
            battery_percent,
            ..facts(latest)
        }
    }
}

fn any_latest() -> impl Strategy<Value = Latest> {
    prop_oneof![
        any_fifteen().prop_map(Latest::Fifteen),
        prop::array::uniform15(any_minute())
            .prop_map(|minutes| Latest::Fifteen(LatestFifteen(minutes))),
        any::<u16>().prop_map(Latest::TooFew),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_drawn_beside_the_target(facts in any_facts(any_latest()), size in any_size()) {
        let mut watched = Watched::new(size);
        draw(&facts, &mut watched).unwrap();
        prop_assert_eq!(watched.beside, 0);
        // Drawing by whole rectangles or pixel by pixel gives the same picture.
        let mut frame = blank(size);
        draw(&facts, &mut frame).unwrap();
        prop_assert!(frame.pixels().eq(watched.frame.pixels()));
    }

    #[test]
    fn a_target_of_any_size_is_drawn_on(
        facts in any_facts(any_latest()), width in 0_u32..200, height in 0_u32..120,
    ) {
        draw(&facts, &mut blank(Size::new(width, height))).unwrap();
    }

    #[test]
    fn every_reading_is_seen_inside_the_plot_in_the_order_of_time(
        fifteen in any_fifteen(), size in any_size(),
    ) {
        let layout = Layout::new(size);
        let plot = layout.plot();
        prop_assert_eq!(plot.intersection(&Rectangle::new(Point::zero(), size)), plot);
        let frame = drawn(fifteen, size);
        let scale = layout.scale(fifteen.min(), fifteen.max());
        let mut before = plot.top_left.x;
        for (index, minute) in fifteen.0.iter().enumerate() {
            let at = Point::new(layout.column(index), layout.row(&scale, minute.bpm.get()));
            prop_assert!(plot.contains(at));
            prop_assert!(at.x > before);
            prop_assert_eq!(frame.pixel(at), Some(Ink::Text));
            before = at.x;
        }
    }

    #[test]
    fn a_line_goes_on_where_the_next_minute_is_there_and_only_there(
        fifteen in any_fifteen(), size in any_size(),
    ) {
        let (layout, frame) = (Layout::new(size), drawn(fifteen, size));
        for index in 0..14 {
            let between = i32::midpoint(layout.column(index), layout.column(index + 1));
            let is_joined = layout.plot().rows().any(|y| {
                frame.pixel(Point::new(between, y)) == Some(Ink::Text)
            });
            prop_assert_eq!(is_joined, !fifteen.has_gap_after(index));
        }
    }

    #[test]
    fn a_rate_lies_at_the_height_of_the_tick_that_names_it(
        fifteen in any_fifteen(), size in any_size(),
    ) {
        let (layout, frame) = (Layout::new(size), drawn(fifteen, size));
        let scale = layout.scale(fifteen.min(), fifteen.max());
        let plot = layout.plot();
        // To the left of the axis, which has a zone's colour, the ticks are white.
        let axis = (0..plot.top_left.x).rev().find(|x| {
            frame.pixel(Point::new(*x, plot.center().y)) != Some(Ink::from_zone(fifteen.zone()))
        });
        let ticked: Vec<i32> = plot
            .rows()
            .filter(|y| frame.pixel(Point::new(axis.unwrap(), *y)) == Some(Ink::Text))
            .collect();
        for rate in scale.major_ticks() {
            prop_assert!(ticked.contains(&layout.row(&scale, rate)));
        }
        let whole: Vec<i32> = (scale.low()..=scale.high()).map(|rate| layout.row(&scale, rate)).collect();
        prop_assert!(ticked.iter().all(|row| whole.contains(row)));
    }
}

fn drawn(fifteen: LatestFifteen, size: Size) -> Frame<Vec<u8>> {
    let mut frame = blank(size);
    draw(&facts(Latest::Fifteen(fifteen)), &mut frame).unwrap();
    frame
}
