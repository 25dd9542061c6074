//! The last reading, after a restart: shown, dated and from memory, until an update succeeds.

use std::path::Path;

use pulsewing_core::{
    Bpm, Provider,
    day::{Day, Sample, Window},
    heart_zone::HeartZones,
    reading::Reading,
};

use crate::{history::History, places, state_file::State, zone};

/// Puts the last reading together from what the history and the state remember; `None` where they do
/// not, or cannot be read: then the first update shows something.
#[must_use]
pub fn last_reading(
    dir: &Path,
    state: &State,
    provider: Provider,
    configured_zone: Option<&str>,
) -> Option<Reading> {
    let facts = state.reading.as_ref()?;
    let history = History::open_existing(dir, places::WEARER).ok()??;
    let memory = state.memory();
    let zone_facts = memory.zone.map(|(facts, _)| facts).unwrap_or_default();
    let time_zone = zone::resolve(&zone_facts, configured_zone, facts.fetched_at);
    let local = time_zone.offsets.day_of(facts.fetched_at);
    let mut day = Day::new(local);
    let mut window = Window::ending_at(facts.fetched_at);
    let date = local.date();
    let before = date.yesterday().unwrap_or(date);
    history
        .minutes(before, date, |minute| {
            window.insert(Sample {
                at: minute.at,
                bpm: minute.bpm,
            });
            if let Some(of_day) = local.minute_of(minute.at) {
                day.record(of_day, minute.bpm);
            }
            Ok::<_, crate::history::HistoryError>(())
        })
        .ok()?;
    let [light, moderate, vigorous, peak] = facts.heart_zones.map(Bpm::new);
    let limits = light.zip(moderate).zip(vigorous.zip(peak));
    let heart_zones = limits
        .and_then(|((light, moderate), (vigorous, peak))| {
            HeartZones::new([light, moderate, vigorous, peak])
        })
        .unwrap_or(HeartZones::PLAIN);
    Some(Reading {
        provider,
        time_zone,
        day,
        window,
        battery_percent: facts.battery_percent,
        last_sync: facts.last_sync,
        resting: facts.resting_bpm.and_then(Bpm::new),
        heart_zones,
        fetched_at: facts.fetched_at,
    })
}
