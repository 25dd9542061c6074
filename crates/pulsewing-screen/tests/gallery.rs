//! Themes, states, palettes and sizes, compared pixel by pixel with `docs/frames/*.png`.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::LazyLock;

use embedded_graphics::{Pixel, prelude::*};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time, date},
    tz::Offset,
};
use pulsewing_core::{
    Bpm, Provider,
    alarm::{Kind, Level},
    civil::Offsets,
    day::Day,
    reading::{Reading, ZoneSource},
};
use pulsewing_screen::{Model, Palette, State, Theme, Wallpaper, wallpaper};
use pulsewing_testkit::{
    golden,
    pictures::{self, PANEL, blank, drawn},
    readings::berlin,
    wearer,
};

const EVERY: SignedDuration = SignedDuration::from_mins(15);
const DAY: Date = date(2026, 11, 22);

/// Width and height of panels that are not the boards'.
const OTHER_SIZES: [(u32, u32); 3] = [(320, 240), (800, 480), (160, 80)];

fn offsets() -> Offsets {
    Offsets::fixed(Offset::constant(1))
}

/// Returns an instant of the day.
fn at(hour: i8, minute: i8) -> Timestamp {
    offsets().day(DAY).start() + SignedDuration::from_mins(i64::from(hour) * 60 + i64::from(minute))
}

fn reading_at(now: Timestamp) -> Reading {
    wearer::reading(&offsets(), now, DAY, wearer::bpm)
}

/// The day before the readings', as the same wearer lived it.
static EARLIER: LazyLock<Day> = LazyLock::new(|| {
    let date = DAY.yesterday().unwrap();
    let end = offsets().day(DAY).start() - SignedDuration::from_mins(1);
    wearer::reading(&offsets(), end, date, wearer::bpm).day
});

fn model(reading: &Reading, now: Timestamp) -> Model<'_> {
    let freshness = reading.freshness(now, EVERY, false);
    Model::new(reading, now, freshness, Theme::Desk).with_earlier(&EARLIER)
}

/// Compares with the accepted picture of the boards' panel by day.
fn compare(name: &str, model: &Model<'_>) {
    compare_in(Palette::Day, name, model, PANEL);
}

/// Compares with the accepted picture of another size, whose name ends with it.
fn compare_sized(name: &str, model: &Model<'_>, (width, height): (u32, u32)) {
    let name = format!("{name}-{width}x{height}");
    compare_in(Palette::Day, &name, model, Size::new(width, height));
}

fn compare_in(palette: Palette, name: &str, model: &Model<'_>, size: Size) {
    let colours = pulsewing_screen::colours(model, size, palette);
    golden::compare("docs/frames", name, &drawn(model, size), &colours);
}

#[test]
fn the_desk_theme_in_the_afternoon() {
    let now = at(14, 7);
    let reading = reading_at(now);
    let model = model(&reading, now);
    compare("desk", &model);
    compare_in(Palette::Dim, "desk-dim", &model, PANEL);
    compare_in(Palette::Night, "desk-night", &model, PANEL);
    let wide = [(320, 240), (800, 480), (160, 80), (240, 135), (1_024, 600)];
    for size in wide.into_iter().chain([(320, 480)]) {
        compare_sized("desk", &model, size);
    }
}

#[test]
fn the_desk_theme_during_a_run() {
    let now = at(18, 50);
    let reading = reading_at(now);
    compare("desk-run", &model(&reading, now));
}

#[test]
fn the_desk_theme_when_there_are_few_minutes() {
    let now = at(7, 42);
    let few = |minute: i64| wearer::bpm(minute).filter(|_| minute >= 445);
    let reading = wearer::reading(&offsets(), now, DAY, few);
    compare("desk-few", &model(&reading, now));
    let one = |minute: i64| wearer::bpm(minute).filter(|_| minute == 452);
    let reading = wearer::reading(&offsets(), now, DAY, one);
    compare("desk-one", &model(&reading, now));
}

#[test]
fn the_desk_theme_with_gaps() {
    let now = at(15, 20);
    let gappy = |minute: i64| {
        wearer::bpm(minute).filter(|_| minute % 97 < 50 && minute % 7 != 3 && minute % 11 > 2)
    };
    let mut reading = wearer::reading(&offsets(), now, DAY, gappy);
    reading.battery_percent = None;
    compare("desk-gaps", &model(&reading, now));
}

#[test]
fn an_alarm_is_a_banner_on_the_picture() {
    let now = at(18, 50);
    let reading = reading_at(now);
    let alarm = |level, heading| State::Alarm {
        kind: Kind::High,
        level,
        heading,
        sentence: "163 bpm at 18:40, above 120 since 18:25.",
        advice: "Silence it on the page.",
    };
    let urgent = alarm(Level::Urgent, "Heart rate very high");
    let model = |state| model(&reading, now).with_state(state);
    compare(
        "desk-alarm",
        &model(alarm(Level::Warning, "Heart rate high")),
    );
    compare("desk-alarm-urgent", &model(urgent));
    for size in OTHER_SIZES {
        compare_sized("desk-alarm-urgent", &model(urgent), size);
    }
    compare_in(
        Palette::Night,
        "desk-alarm-urgent-night",
        &model(urgent),
        PANEL,
    );
}

#[test]
fn the_desk_theme_when_data_is_stale() {
    let taken = at(14, 7);
    let now = taken + SignedDuration::from_mins(149);
    let mut reading = reading_at(taken);
    reading.fetched_at = now;
    let model = model(&reading, now);
    compare("desk-stale", &model);
    compare_in(Palette::Night, "desk-stale-night", &model, PANEL);
    for size in OTHER_SIZES {
        compare_sized("desk-stale", &model, size);
    }
}

#[test]
fn the_desk_theme_tells_why_there_is_nothing_newer() {
    let taken = at(10, 7);
    let now = at(14, 7);
    let mut reading = reading_at(taken);
    reading.fetched_at = now;
    let last_sync = reading.last_sync;
    reading.last_sync = Some(at(14, 0));
    compare("desk-not-worn", &model(&reading, now));
    reading.last_sync = last_sync;
    reading.battery_percent = Some(4);
    compare("desk-not-charged", &model(&reading, now));
    reading.last_sync = None;
    compare("desk-no-data", &model(&reading, now));
}

#[test]
fn the_desk_theme_says_that_a_zone_is_guessed() {
    let now = at(14, 7);
    let mut reading = reading_at(now);
    reading.time_zone.source = ZoneSource::Machine;
    compare("desk-guess", &model(&reading, now));
    compare_sized("desk-guess", &model(&reading, now), (320, 240));
    // The clock times of a zone three hours to the west.
    let now = now + SignedDuration::from_hours(3);
    reading.provider = Provider::Fitbit;
    reading.fetched_at = now;
    compare("desk-guessed-age", &model(&reading, now));
    let classic = Model {
        theme: Theme::Classic,
        ..model(&reading, now)
    };
    compare("classic-guessed-age", &classic);
}

#[test]
fn the_desk_theme_when_nothing_came_for_days() {
    let taken = at(21, 30);
    let mut reading = reading_at(taken);
    let now = taken + SignedDuration::from_hours(50);
    reading.fetched_at = now;
    compare("desk-silent", &model(&reading, now));
    // A board remembers the last window, and the fact that today has no values yet.
    reading.day = Day::new(offsets().day_of(now));
    compare("desk-silent-today", &model(&reading, now));
}

#[test]
fn the_desk_theme_from_memory() {
    let now = at(9, 12);
    let reading = reading_at(now);
    let model = Model::new(
        &reading,
        now,
        reading.freshness(now, EVERY, true),
        Theme::Desk,
    );
    compare("desk-cached", &model);
    let offline = model.with_state(State::Offline);
    compare("desk-offline", &offline);
}

const LIMITED: State<'_> = State::RateLimited {
    until: Time::constant(14, 45, 0, 0),
};

const GONE: State<'_> = State::ServiceGone {
    command: "pulsewing login --provider google",
};

fn sign_in(command: &'static str, address: Option<&'static str>) -> State<'static> {
    State::SignInNeeded { command, address }
}

#[test]
fn banners_on_a_fresh_picture() {
    let now = at(14, 7);
    let reading = reading_at(now);
    let states = [
        ("limited", LIMITED),
        ("tokens", State::TokensNotStored),
        ("sign-in", sign_in("pulsewing login", None)),
        (
            "sign-in-code",
            sign_in("pulsewing board login", Some("http://192.168.178.41/")),
        ),
        ("gone", GONE),
    ];
    for (name, state) in states {
        let model = model(&reading, now).with_state(state);
        compare(&format!("desk-{name}"), &model);
    }
    let classic = Model {
        theme: Theme::Classic,
        ..model(&reading, now).with_state(State::TokensNotStored)
    };
    compare("classic-tokens", &classic);
    let classic = Model {
        state: None,
        ..classic
    };
    compare("classic", &classic);
}

#[test]
fn pages_before_the_first_reading() {
    let states = [
        ("start", State::FirstStart),
        (
            "set-up",
            State::SetUpNeeded {
                command: "pulsewing board provision --wifi NAME",
            },
        ),
        (
            "wifi",
            State::JoiningWifi {
                network: "Lindenhof 24",
            },
        ),
        ("clock", State::WaitingForClock),
        ("sign-in", sign_in("pulsewing login", None)),
        (
            "sign-in-code",
            sign_in(
                "pulsewing board login",
                Some("http://192.168.178.41:7373/sign-in"),
            ),
        ),
        ("offline", State::Offline),
        ("limited", LIMITED),
        ("gone", GONE),
        (
            "fault",
            State::Fault {
                what: "The client secret is not the one that the provider knows.",
                advice: "Copy it again from the provider's console into config.toml.",
            },
        ),
        ("tokens", State::TokensNotStored),
        ("erasing", State::Erasing { seconds: 7 }),
        ("no-values", State::NoValuesYet),
    ];
    for (name, state) in states {
        let model = Model::from_state(state, Theme::Desk);
        compare(&format!("page-{name}"), &model);
        if ["sign-in-code", "no-values"].contains(&name) {
            for size in OTHER_SIZES {
                compare_sized(&format!("page-{name}"), &model, size);
            }
        }
    }
}

/// Colours between black and the sun of a hazy evening.
const EVENING: [[u8; 3]; 9] = [
    [44, 28, 72],
    [84, 40, 92],
    [132, 52, 92],
    [184, 72, 76],
    [224, 104, 60],
    [244, 148, 68],
    [252, 196, 108],
    [255, 232, 176],
    [22, 18, 40],
];

/// Returns a picture of the sun over hills, converted as a host would.
fn sunset(size: Size) -> Vec<u8> {
    let mut picture = blank(size);
    let colours = wallpaper::colours_of(&EVENING);
    let (width, height) = (size.width.cast_signed(), size.height.cast_signed());
    let pixels = picture.bounding_box().points().map(|at| {
        let from_sun = (at.x - width / 2).pow(2) + (at.y - height / 2).pow(2);
        let hill = height * 3 / 5 + ((at.x - width / 3).pow(2) / 900).min(height / 6);
        // Neighbouring colours are mixed.
        let dither = (at.x * 7 + at.y * 13).rem_euclid(16) - 8;
        let channel = |from: i32, to: i32| {
            let share = at.y * 256 / height;
            let value = from + (to - from) * share / 160 + dither;
            u8::try_from(value.clamp(0, 255)).unwrap()
        };
        let rgb = match (from_sun, at.y >= hill) {
            (_, true) => [22, 18, 40],
            (..1_600, _) => [255, 232, 176],
            _ => [channel(36, 250), channel(24, 150), channel(76, 70)],
        };
        Pixel(at, colours.nearest(rgb))
    });
    let pixels: Vec<_> = pixels.collect();
    picture.draw_iter(pixels).unwrap();
    pictures::wallpaper(&picture, &EVENING)
}

#[test]
fn the_users_own_wallpaper() {
    let bytes = sunset(PANEL);
    let wallpaper = Wallpaper::parse(&bytes).unwrap();
    let waiting = Model::from_state(State::NoValuesYet, Theme::Desk);
    let model = waiting.with_wallpaper(wallpaper.clone());
    compare("page-wallpaper", &model);
    compare_in(Palette::Night, "page-wallpaper-night", &model, PANEL);

    let now = at(14, 7);
    let reading = reading_at(now);
    let behind = self::model(&reading, now)
        .with_wallpaper(wallpaper.clone())
        .with_background();
    compare("desk-background", &behind);
    compare_in(Palette::Dim, "desk-background-dim", &behind, PANEL);
    let offline = behind.with_state(State::Offline);
    compare("desk-background-offline", &offline);

    let now = at(0, 21);
    let reading = reading_at(now);
    let classic = Model {
        theme: Theme::Classic,
        ..self::model(&reading, now).with_wallpaper(wallpaper)
    };
    compare("classic-wallpaper", &classic);
}

#[test]
fn the_big_face() {
    let now = at(14, 7);
    let reading = reading_at(now);
    let big = Model {
        theme: Theme::Big,
        ..model(&reading, now)
    };
    compare("big", &big);
    compare_in(Palette::Night, "big-night", &big, PANEL);
    for size in OTHER_SIZES.into_iter().chain([(320, 480)]) {
        compare_sized("big", &big, size);
    }
    let signed_out = big.clone().with_state(sign_in("pulsewing login", None));
    compare("big-sign-in", &signed_out);
    for size in OTHER_SIZES {
        compare_sized(
            "desk-sign-in",
            &Model {
                theme: Theme::Desk,
                ..signed_out.clone()
            },
            size,
        );
    }

    let now = at(18, 50);
    let reading = reading_at(now);
    compare(
        "big-run",
        &Model {
            theme: Theme::Big,
            ..model(&reading, now)
        },
    );

    let taken = at(14, 7);
    let mut reading = reading_at(taken);
    let now = taken + SignedDuration::from_mins(149);
    reading.fetched_at = now;
    compare(
        "big-stale",
        &Model {
            theme: Theme::Big,
            ..model(&reading, now)
        },
    );
}

#[test]
fn a_day_of_25_hours() {
    let now = pulsewing_testkit::at("2026-10-25T21:40:00Z");
    let reading = wearer::reading(&berlin(), now, date(2026, 10, 25), wearer::bpm);
    compare("desk-25-hours", &model(&reading, now));
}

#[test]
fn rates_of_one_and_three_digits() {
    let now = at(14, 7);
    for (name, rate) in [("low", 9), ("high", 188)] {
        let same = |minute: i64| Bpm::new(rate + u16::try_from(minute % 3).unwrap());
        let reading = wearer::reading(&offsets(), now, DAY, same);
        compare(&format!("desk-{name}"), &model(&reading, now));
    }
}
