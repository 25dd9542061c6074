//! Pictures for our panel: those of `pulsewing-screen`.

use embedded_graphics::prelude::*;
use jiff::{SignedDuration, Timestamp, civil, tz::Offset};
use proptest::prelude::*;
use pulsewing_core::{
    Bpm, Provider,
    civil::Offsets,
    day::{Day, Sample, Window},
    heart_zone::HeartZones,
    reading::{Reading, TimeZone, ZoneName, ZoneSource},
};
use pulsewing_screen::{Frame, Ink, Model, Palette, State, Theme, Wallpaper};

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
        let start: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
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
    let offsets = Offsets::fixed(Offset::UTC);
    let local = offsets.day_of(now);
    let mut day = Day::new(local);
    let mut window = Window::ending_at(now);
    let minutes = now.duration_since(start).as_mins();
    for minute in (minutes - 1_440..minutes - 8).filter(|_| is_worn) {
        let at = start + SignedDuration::from_mins(minute);
        if let Some(bpm) = bpm(minute) {
            window.insert(Sample { at, bpm });
            if let Some(of_day) = local.minute_of(at) {
                day.record(of_day, bpm);
            }
        }
    }
    Reading {
        provider: Provider::Google,
        day,
        time_zone: TimeZone {
            name: ZoneName::new(),
            source: ZoneSource::Machine,
            offsets,
        },
        window,
        battery_percent: u8::try_from(97 - minutes.rem_euclid(1_440) / 20).ok(),
        last_sync: Some(now - SignedDuration::from_mins(9)),
        resting: Bpm::new(57),
        heart_zones: HeartZones::PLAIN,
        fetched_at: now,
    }
}

/// Returns a wallpaper of stripes in its own colours.
fn wallpaper() -> Vec<u8> {
    let size = Size::new(480, 320);
    let mut picture = Frame::new(size, vec![0; Frame::<Vec<u8>>::bytes_for(size)]).unwrap();
    let all = picture.bounding_box();
    let stripes = all
        .points()
        .map(|at| Pixel(at, Ink::from_index(((at.x + at.y) / 9) as u8)));
    picture.draw_iter(stripes).unwrap();
    let own = std::array::from_fn(|index| [index as u8 * 28, 255 - index as u8 * 25, 90]);
    let mut bytes = vec![0; Wallpaper::bytes_for(size)];
    Wallpaper::encode(&picture, &own, &mut bytes).unwrap();
    bytes
}
