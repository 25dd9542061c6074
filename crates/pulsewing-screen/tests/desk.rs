//! Properties of every picture, whatever its contents and size.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::LazyLock;

use embedded_graphics::{prelude::*, primitives::Rectangle};
use jiff::{SignedDuration, Timestamp, civil::Time, tz::Offset};
use proptest::prelude::*;
use pulsewing_core::{
    Bpm,
    civil::Offsets,
    reading::{Freshness, Reading},
};
use pulsewing_screen::{
    Band, Colours, Frame, Ink, Model, Palette, State, Theme, Wallpaper,
    desk::{Graph, Layout},
    draw,
    model::Facts,
    wallpaper,
};
use pulsewing_testkit::{
    at,
    pictures::{PANEL, Watched, any_large_size, any_size, blank, drawn, plain_wallpaper},
    readings::berlin,
    wearer,
};

prop_compose! {
    /// A poll at any time of a year with two changes of offset, for a wearer with any habits.
    fn any_reading()(
        minute in 0_i64..525_600,
        floor in 1_u16..=250,
        swing in 0_u16..=120,
        missing in 1_i64..=40,
        every in 1_i64..=60,
        battery in prop::option::of(any::<u8>()),
    ) -> (Reading, Timestamp) {
        let offsets = berlin();
        let new_year: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let now = new_year + SignedDuration::from_mins(minute);
        let bpm = |minute: i64| {
            let rate = wearer::bpm(minute)?.get() % (swing + 1) + floor;
            Bpm::new(rate.min(300)).filter(|_| minute.rem_euclid(every) < every.max(missing) - missing + 1)
        };
        let first = offsets.day_of(now).date();
        let mut reading = wearer::reading(&offsets, now, first, bpm);
        reading.battery_percent = battery;
        (reading, now)
    }
}

fn any_state() -> impl Strategy<Value = Option<State<'static>>> {
    const LONG: &str = "a name as long as a network may have, and then some more of it";
    let any = prop::sample::select(vec![
        State::FirstStart,
        State::SetUpNeeded { command: LONG },
        State::Erasing { seconds: u64::MAX },
        State::JoiningWifi { network: LONG },
        State::WaitingForClock,
        State::SignInNeeded {
            command: "pulsewing login",
            address: None,
        },
        State::SignInNeeded {
            command: LONG,
            address: Some("http://10.0.0.7/sign-in"),
        },
        State::NoValuesYet,
        State::Offline,
        State::RateLimited { until: Time::MAX },
        State::ServiceGone {
            command: "pulsewing login --provider google",
        },
        State::Fault {
            what: LONG,
            advice: LONG,
        },
        State::TokensNotStored,
    ]);
    // The states that may be shown with a wallpaper are more likely than the rest.
    prop_oneof![
        4 => Just(None),
        2 => Just(Some(State::NoValuesYet)),
        6 => any.prop_map(Some),
    ]
}

/// Everything except the data that a reading borrows, which comes from `any_reading`.
#[derive(Clone, Copy, Debug)]
struct Circumstance {
    freshness: Freshness,
    /// The minutes since the reading was taken.
    later: i64,
    state: Option<State<'static>>,
    theme: Theme,
    has_reading: bool,
    has_wallpaper: bool,
    has_background: bool,
}

prop_compose! {
    fn any_circumstance()(
        freshness in prop::sample::select(vec![
            Freshness::Fresh, Freshness::Stale, Freshness::Silent, Freshness::Cached,
        ]),
        later in prop_oneof![0_i64..90, -200_i64..200_000],
        state in any_state(),
        theme in prop::sample::select(Theme::ALL.to_vec()),
        has_reading in prop::bool::weighted(0.7),
        has_wallpaper in any::<bool>(),
        has_background in any::<bool>(),
    ) -> Circumstance {
        Circumstance {
            freshness, later, state, theme, has_reading, has_wallpaper, has_background,
        }
    }
}

fn model<'r>((reading, taken): &'r (Reading, Timestamp), circumstance: Circumstance) -> Model<'r> {
    let now = *taken + SignedDuration::from_mins(circumstance.later);
    let facts = || Facts::new(reading, now, circumstance.freshness);
    Model {
        theme: circumstance.theme,
        facts: circumstance.has_reading.then(facts),
        state: circumstance.state,
        wallpaper: circumstance
            .has_wallpaper
            .then(|| Wallpaper::parse(&PINK).unwrap()),
        has_background: circumstance.has_background,
    }
}

/// A wallpaper of one colour, smaller than some pictures and larger than others.
static PINK: LazyLock<Vec<u8>> =
    LazyLock::new(|| plain_wallpaper(Size::new(400, 300), Ink::Pink, [200, 60, 120]));

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_drawn_beside_the_target_in_any_state(
        reading in any_reading(), circumstance in any_circumstance(), size in any_size(),
    ) {
        let model = model(&reading, circumstance);
        let mut watched = Watched::new(size);
        draw(&model, &mut watched).unwrap();
        prop_assert_eq!(watched.beside, 0);
        // Drawing by whole rectangles or pixel by pixel gives the same picture.
        let frame = drawn(&model, size);
        prop_assert_eq!(frame.bytes(), watched.frame.bytes());
    }

    #[test]
    fn a_target_of_any_size_is_drawn_on(
        reading in any_reading(), circumstance in any_circumstance(),
        width in 0_u32..200, height in 0_u32..120,
    ) {
        draw(&model(&reading, circumstance), &mut blank(Size::new(width, height))).unwrap();
    }

    #[test]
    fn bands_have_the_pixels_of_the_whole(
        reading in any_reading(), circumstance in any_circumstance(), size in any_size(),
        rows in 8_u32..64,
    ) {
        let model = model(&reading, circumstance);
        let whole = drawn(&model, size);
        let mut buffer = vec![0; Frame::<Vec<u8>>::bytes_for(Size::new(size.width, rows))];
        let mut together = Vec::new();
        for first_row in (0..size.height).step_by(rows as usize) {
            let mut band = Band::new(size, first_row, &mut buffer[..]).unwrap();
            draw(&model, &mut band).unwrap();
            together.extend_from_slice(band.rows().bytes());
        }
        prop_assert_eq!(together, whole.bytes());
    }

    #[test]
    fn every_reading_of_the_window_is_seen_inside_the_plot(
        reading in any_reading(), size in any_large_size(), has_banner in any::<bool>(),
    ) {
        let facts = Facts::new(&reading.0, reading.1, Freshness::Fresh);
        let state = has_banner.then_some(State::Offline);
        let layout = Layout::new(size, has_banner);
        let plot = layout.plot();
        prop_assert_eq!(plot.intersection(&Rectangle::new(Point::zero(), size)), plot);
        let Some(graph) = Graph::new(&facts, &layout) else {
            return Ok(());
        };
        let model = Model {
            theme: Theme::Desk,
            facts: Some(facts.clone()),
            state,
            wallpaper: None,
            has_background: false,
        };
        let frame = drawn(&model, size);
        let mut before = None;
        for sample in facts.window.samples() {
            let at = graph.point(*sample);
            prop_assert!(plot.contains(at), "{at} is not in {plot:?}");
            prop_assert!(before.is_none_or(|x| x <= at.x), "time runs to the right");
            before = Some(at.x);
            // On low panels a row stands for several rates, one of which determines the colour.
            let rows = plot.rows();
            let scale = layout.scale(facts.window.extent().unwrap());
            let of_row = scale.rate(at.y, rows.start, rows.end - 1);
            prop_assert_eq!(layout.row(&scale, of_row), at.y);
            let is_low = rows.len() <= usize::from(scale.high() - scale.low());
            prop_assert!(is_low || of_row == sample.bpm, "{of_row} of {sample:?}");
            let zone = Ink::from_heart_zone(facts.heart_zones.zone(of_row));
            let neighbours = Rectangle::with_center(at, Size::new_equal(3));
            let is_seen = frame.pixel(at) == Some(Ink::Text)
                || frame.pixels_in(&neighbours).any(|ink| ink == zone);
            prop_assert!(is_seen, "{sample:?} at {at}: {:?}", frame.pixel(at));
        }
    }

    #[test]
    fn a_picture_has_the_wallpapers_colours_where_that_is_seen_and_nowhere_else(
        reading in any_reading(), circumstance in any_circumstance(), size in any_size(),
        palette in prop::sample::select(Palette::ALL.to_vec()),
    ) {
        let with = model(&reading, Circumstance { has_wallpaper: true, ..circumstance });
        let without = Model { wallpaper: None, ..with.clone() };
        let [one, other] = [&with, &without].map(|model| drawn(model, size));
        let is_seen = one.bytes() != other.bytes();
        let colours = pulsewing_screen::colours(&with, size, palette);
        prop_assert_eq!(colours != Colours::from(palette), is_seen);
        prop_assert_eq!(pulsewing_screen::colours(&without, size, palette), Colours::from(palette));
        // Only the wallpaper uses the inks whose colours are its own: behind a reading three.
        let own = |ink: Ink| ink != Ink::Pink && wallpaper::OWN_INKS.contains(&ink);
        prop_assert!(!is_seen || with.has_background || !one.pixels().any(own));
    }

    #[test]
    fn text_is_in_its_place_and_places_do_not_overlap(
        reading in any_reading(), circumstance in any_circumstance(), size in any_large_size(),
    ) {
        let circumstance = Circumstance {
            state: Some(State::Offline),
            theme: Theme::Desk,
            has_reading: true,
            has_wallpaper: false,
            ..circumstance
        };
        let model = model(&reading, circumstance);
        prop_assume!(model.facts.as_ref().unwrap().rate.is_some());
        let layout = Layout::new(size, true);
        let frame = drawn(&model, size);

        let areas: Vec<_> = layout.text_areas().collect();
        let whole = frame.bounding_box();
        for (place, (name, area)) in areas.iter().enumerate() {
            prop_assert_eq!(area.intersection(&whole), *area, "{} at {}", name, size);
            for (other_name, other) in &areas[..place] {
                let shared = area.intersection(other);
                prop_assert!(shared.is_zero_sized(), "{name} and {other_name} at {size}: {shared:?}");
            }
            prop_assert!(area.intersection(&layout.plot()).is_zero_sized(), "{name} at {size}");
        }
        // The axes' numbers are to the left of plot and strip, whose marks may stick out a little.
        let axis = |area: Rectangle| {
            let rows = area.rows();
            Rectangle::with_corners(
                Point::new(0, rows.start - 12),
                Point::new(area.columns().end + 4, rows.end + 12),
            )
        };
        let places: Vec<_> = areas
            .iter()
            .map(|(_, area)| *area)
            .chain([axis(layout.plot())])
            .chain([axis(layout.strip())])
            .collect();
        for (at, ink) in frame.bounding_box().points().zip(frame.pixels()) {
            let is_placed = ink == Ink::Ground || places.iter().any(|area| area.contains(at));
            prop_assert!(is_placed, "{ink:?} at {at} of {size}");
        }
    }
}

#[test]
fn digits_are_at_least_96_pixels_high_at_480x320() {
    for has_banner in [false, true] {
        assert!(Layout::new(PANEL, has_banner).digit_height() >= 96);
    }
}

/// Returns a reading at noon of a wearer in UTC, and its time.
fn at_noon(bpm: impl Fn(i64) -> Option<Bpm>) -> (Reading, Timestamp) {
    let offsets = Offsets::fixed(Offset::UTC);
    let now = at("2026-11-22T12:00:00Z");
    let first = offsets.day_of(now).date();
    (wearer::reading(&offsets, now, first, bpm), now)
}

#[test]
fn a_minute_that_is_missing_leaves_a_hole_in_the_line() {
    let (reading, now) = at_noon(|minute| Bpm::new(80).filter(|_| minute != 704));
    let facts = Facts::new(&reading, now, Freshness::Fresh);
    let layout = Layout::new(PANEL, false);
    let graph = Graph::new(&facts, &layout).unwrap();
    let frame = drawn(
        &Model::new(&reading, now, Freshness::Fresh, Theme::Desk),
        PANEL,
    );
    let samples = facts.window.samples();
    for pair in samples.windows(2) {
        let (from, to) = (graph.point(pair[0]), graph.point(pair[1]));
        let between = Point::new(i32::midpoint(from.x, to.x), from.y);
        let is_joined = pair[1].at.duration_since(pair[0].at) == SignedDuration::from_mins(1);
        let is_drawn = frame.pixel(between) == Some(Ink::Blue);
        assert_eq!(is_joined, is_drawn, "{pair:?}");
    }
}

#[test]
fn an_old_number_never_looks_new() {
    let (reading, now) = at_noon(wearer::bpm);
    for freshness in [
        Freshness::Fresh,
        Freshness::Stale,
        Freshness::Silent,
        Freshness::Cached,
    ] {
        let frame = drawn(&Model::new(&reading, now, freshness, Theme::Desk), PANEL);
        let layout = Layout::new(PANEL, freshness != Freshness::Fresh);
        let areas: Vec<_> = layout.text_areas().collect();
        let count = |name: &str, ink: Ink| {
            let (_, area) = areas.iter().find(|(area, _)| *area == name).unwrap();
            frame.pixels_in(area).filter(|pixel| *pixel == ink).count()
        };
        let is_fresh = freshness == Freshness::Fresh;
        assert_eq!(count("rate", Ink::Text) > 1_000, is_fresh, "{freshness:?}");
        assert_eq!(count("large", Ink::Warning) == 0, is_fresh, "{freshness:?}");
        // In the corner or in the banner, but not twice.
        let is_said =
            count("freshness", Ink::Warning) > 0 || !is_fresh && count("banner", Ink::Warning) > 0;
        assert_eq!(is_said, !is_fresh, "{freshness:?}");
    }
}

#[test]
fn the_day_and_its_three_numbers_are_there_at_the_usual_sizes() {
    for (width, height) in [(480, 320), (400, 300), (800, 480), (1_024, 600)] {
        for has_banner in [false, true] {
            let layout = Layout::new(Size::new(width, height), has_banner);
            assert!(
                layout.strip().size.height >= height / 10,
                "{width}x{height}"
            );
            let numbers = layout.text_areas().filter(|(name, _)| *name == "number");
            assert_eq!(numbers.count(), 3, "{width}x{height}");
        }
    }
}

#[test]
fn a_failure_is_not_told_as_no_values_yet() {
    let (reading, now) = at_noon(|_| None);
    let picture = |freshness| {
        let frame = drawn(&Model::new(&reading, now, freshness, Theme::Desk), PANEL);
        frame.bytes().to_vec()
    };
    let no_values = drawn(&Model::from_state(State::NoValuesYet, Theme::Desk), PANEL);
    assert!(picture(Freshness::Silent) == no_values.bytes());
    assert!(picture(Freshness::Cached) != no_values.bytes());
}

#[test]
fn a_clock_that_was_set_back_is_not_trusted() {
    let (reading, taken) = at_noon(wearer::bpm);
    let now = taken - SignedDuration::from_hours(3);
    let frame = drawn(
        &Model::new(&reading, now, Freshness::Fresh, Theme::Desk),
        PANEL,
    );
    let layout = Layout::new(PANEL, false);
    let (_, rate) = layout
        .text_areas()
        .find(|(name, _)| *name == "rate")
        .unwrap();
    assert!(frame.pixels_in(&rate).all(|ink| ink != Ink::Text));
}
