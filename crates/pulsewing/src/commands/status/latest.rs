//! The newest known heart rate, with its time on the wearer's clock at that moment.

use jiff::Timestamp;
use pulsewing_core::{
    Bpm,
    day::{Day, Sample, Window},
    heart_zone::HeartZones,
    reading::{Freshness, Reading},
};
use pulsewing_history::History;
use serde::Serialize;

use crate::{
    app::App, custody::state_file::State, daemon::zone_of_minute, engine::zone, tell::phrases,
};

/// The newest known heart rate.
#[derive(Debug, Serialize)]
pub(super) struct Latest {
    at: Timestamp,
    bpm: u16,
    zone_name: &'static str,
    freshness: &'static str,
    #[serde(skip)]
    pub(super) in_words: String,
}

impl Latest {
    /// Returns the heart rate of the last update or of the history, whichever is newer. Ignores a
    /// minute in the future.
    pub(super) fn new(app: &App, state: &State, history: Option<&History>) -> Option<Self> {
        let now = app.now();
        let reading = reading(app, state, history)?;
        let sample = reading.latest()?;
        let freshness = reading.freshness(now, app.interval(), state.last_error.is_some());
        let line = phrases::heart_rate(&reading, freshness, now)?;
        Some(Self {
            at: sample.at,
            bpm: sample.bpm.get(),
            zone_name: reading.heart_zone()?.name(),
            freshness: freshness.name(),
            in_words: match freshness {
                Freshness::Fresh => {
                    format!("{line} ({})", phrases::moment(&reading, sample.at, now))
                }
                _ => line,
            },
        })
    }
}

/// Builds a reading of that one minute, with the other remembered values.
fn reading(app: &App, state: &State, history: Option<&History>) -> Option<Reading> {
    let now = app.now();
    let fetched = state.last_minute.zip(state.last_bpm.and_then(Bpm::new));
    let fetched = fetched.map(|(at, bpm)| Sample { at, bpm });
    // An unreadable history is reported elsewhere.
    let last = history.and_then(|history| history.last_known(now).ok().flatten());
    let kept = last.as_ref().and_then(|last| last.window.latest());
    let sample = fetched
        .into_iter()
        .chain(kept)
        .filter(|sample| sample.at <= now)
        .max_by_key(|sample| sample.at)?;
    let configured = app.wearer.time_zone.as_deref();
    let remembered = state.memory().zone.map(|(facts, _)| facts);
    let kept_zone = history.and_then(|history| {
        let is_guess_again = remembered.is_none() && configured.is_none();
        zone_of_minute(history, sample.at).filter(|own| !is_guess_again || !zone::is_machines(own))
    });
    let time_zone = zone::resolve(
        &kept_zone.or(remembered).unwrap_or_default(),
        configured,
        sample.at,
    );
    let time_zone = zone::reaching(&time_zone, sample.at, now);
    let mut window = Window::ending_at(sample.at);
    window.insert(sample);
    let facts = state.reading.as_ref();
    let heart_zones = match facts {
        Some(facts) => facts.heart_zones(),
        None => {
            let year = time_zone.offsets.local(sample.at).date().year();
            let own = app.wearer.zones;
            own.or_else(|| app.wearer.born?.zones_in(year, None))
                .unwrap_or(HeartZones::PLAIN)
        }
    };
    Some(Reading {
        provider: app.provider(None),
        day: Day::new(time_zone.offsets.day_of(sample.at)),
        time_zone,
        window,
        battery_percent: facts.and_then(|facts| facts.battery_percent),
        last_sync: facts.and_then(|facts| facts.last_sync),
        resting: None,
        heart_zones,
        fetched_at: match (facts, &last) {
            (Some(facts), _) => facts.fetched_at,
            (None, Some(last)) => last.fetched_at,
            (None, None) => sample.at,
        },
    })
}
