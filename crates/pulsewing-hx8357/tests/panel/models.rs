//! Pictures for our panel: those of `pulsewing-screen`.

use embedded_graphics::prelude::*;
use jiff::{SignedDuration, Timestamp, civil, tz::Offset};
use proptest::prelude::*;
use pulsewing_core::{Bpm, civil::Offsets, day::Sample, reading::Reading};
use pulsewing_screen::{Ink, Model, Palette, State, Theme, Wallpaper};
use pulsewing_testkit::{
    at,
    pictures::{self, PANEL, blank},
    readings,
};

/// The contents of a screen at some moment.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    /// Minutes since some midnight when the reading was taken.
    pub(crate) taken: i64,
    /// Minutes that passed since then.
    pub(crate) later: i64,
    /// Whether the tracker is worn.
    pub(crate) is_worn: bool,
    pub(crate) theme: Theme,
    pub(crate) palette: Palette,
    /// The index of the state to show, if any.
    pub(crate) state: Option<usize>,
}

const STATES: [State<'static>; 6] = [
    State::Offline,
    State::NoValuesYet,
    State::TokensNotStored,
    State::SignInNeeded {
        command: "pulsewing login",
        address: Some("http://192.168.1.20:7373"),
    },
    State::RateLimited {
        until: civil::time(14, 30, 0, 0),
    },
    State::FirstStart,
];

impl Moment {
    /// Returns a quiet poll on the desk theme.
    pub(crate) const fn poll(taken: i64) -> Self {
        Self {
            taken,
            later: 0,
            is_worn: true,
            theme: Theme::Desk,
            palette: Palette::Day,
            state: None,
        }
    }

    pub(crate) fn any() -> impl Strategy<Value = Self> {
        (
            0_i64..4_000,
            prop_oneof![3 => 0_i64..15, 1 => 0_i64..2_000],
            prop::bool::weighted(0.8),
            prop::sample::select(Theme::ALL.to_vec()),
            prop::sample::select(Palette::ALL.to_vec()),
            prop::option::weighted(0.3, 0..STATES.len()),
        )
            .prop_map(|(taken, later, is_worn, theme, palette, state)| Self {
                taken,
                later,
                is_worn,
                theme,
                palette,
                state,
            })
    }

    /// Passes the model to `draw`.
    pub(crate) fn with_model<T>(&self, draw: impl FnOnce(&Model<'_>) -> T) -> T {
        let start = at("2026-11-22T00:00:00Z");
        let taken = start + SignedDuration::from_mins(self.taken);
        let now = taken + SignedDuration::from_mins(self.later);
        let reading = reading(start, taken, self.is_worn);
        let wallpaper = wallpaper();
        let freshness = reading.freshness(now, SignedDuration::from_mins(15), false);
        let model = Model::new(&reading, now, freshness, self.theme)
            .with_wallpaper(Wallpaper::parse(&wallpaper).unwrap());
        match self.state.and_then(|state| STATES.get(state)) {
            Some(state) => draw(&model.with_state(*state)),
            None => draw(&model),
        }
    }
}

fn bpm(minute: i64) -> Option<Bpm> {
    let wave = |length: i64| (minute.rem_euclid(length) - length / 2).abs() * 40 / length;
    let rate = 52 + wave(1_440) + wave(97) + wave(11);
    Bpm::from_whole(rate).filter(|_| minute.rem_euclid(53) != 7)
}

fn reading(start: Timestamp, now: Timestamp, is_worn: bool) -> Reading {
    let minutes = now.duration_since(start).as_mins();
    let mut reading = Reading {
        battery_percent: u8::try_from(97 - minutes.rem_euclid(1_440) / 20).ok(),
        last_sync: Some(now - SignedDuration::from_mins(9)),
        resting: Bpm::new(57),
        ..readings::empty(Offsets::fixed(Offset::UTC), now)
    };
    for minute in (minutes - 1_440..minutes - 8).filter(|_| is_worn) {
        let at = start + SignedDuration::from_mins(minute);
        if let Some(bpm) = bpm(minute) {
            readings::add(&mut reading, Sample { at, bpm });
        }
    }
    reading
}

/// Returns a wallpaper of stripes in its own colours.
fn wallpaper() -> Vec<u8> {
    let mut picture = blank(PANEL);
    let all = picture.bounding_box();
    let stripes = all
        .points()
        .map(|at| Pixel(at, Ink::from_index(((at.x + at.y) / 9) as u8)));
    picture.draw_iter(stripes).unwrap();
    let own = std::array::from_fn(|index| [index as u8 * 28, 255 - index as u8 * 25, 90]);
    pictures::wallpaper(&picture, &own)
}
