//! The last known reading. It is shown after a restart until an update succeeds, and after a day
//! without data until there is something newer. However old it is, it stays, with its date.

use jiff::{Timestamp, tz::Offset};
use pulsewing_core::{
    Bpm, Provider,
    day::{Day, Sample, Window},
    dialect::ZoneFacts,
    heart_zone::HeartZones,
    reading::Reading,
};
use pulsewing_history::{History, HistoryError, Kind, LastKnown, Minute};

use crate::{
    config::places::Place,
    custody::state_file::{ReadingFacts, State},
    engine::zone,
};

/// Builds the last reading from the history and the state. Returns `None` if neither has one, or
/// they cannot be read: then the first update will show something.
pub(crate) fn last_reading(
    place: &Place,
    state: &State,
    provider: Provider,
    configured_zone: Option<&str>,
    now: Timestamp,
) -> Option<Reading> {
    let history = place.history().ok()??;
    reading_in(&history, state, provider, configured_zone, now)
}

/// Builds the last reading from this history and the state.
pub(crate) fn reading_in(
    history: &History,
    state: &State,
    provider: Provider,
    configured_zone: Option<&str>,
    now: Timestamp,
) -> Option<Reading> {
    let last = history.last_known(now).ok().flatten();
    let facts = state.reading.as_ref();
    let fetched_at = match (facts, &last) {
        (Some(facts), _) => facts.fetched_at,
        (None, last) => last.as_ref()?.fetched_at,
    };
    let zone_facts = state.zone_facts();
    // The zone that was stored with the minutes is more reliable than the machine's.
    let kept_zone = || {
        let newest = last.as_ref()?.window.latest()?;
        zone_of_minute(history, newest.at).filter(|own| !zone::is_machines(own))
    };
    let zone_facts = match configured_zone {
        None => zone_facts.or_else(kept_zone),
        Some(_) => zone_facts,
    };
    let time_zone = zone::resolve(&zone_facts.unwrap_or_default(), configured_zone, fetched_at);
    let mut reading = Reading {
        provider,
        day: Day::new(time_zone.offsets.day_of(fetched_at)),
        time_zone,
        window: Window::ending_at(fetched_at),
        battery_percent: facts.and_then(|facts| facts.battery_percent),
        last_sync: facts.and_then(|facts| facts.last_sync),
        resting: facts.and_then(|facts| facts.resting_bpm).and_then(Bpm::new),
        heart_zones: facts.map_or(HeartZones::PLAIN, ReadingFacts::heart_zones),
        fetched_at,
    };
    fill(&mut reading, history).ok()?;
    keep(&mut reading, last.as_ref(), None, now);
    Some(reading)
}

/// Returns the day before a reading's, from the history; `None` if it has no minute of it, or cannot be
/// read.
pub(crate) fn day_before(history: &History, reading: &Reading) -> Option<Day> {
    let date = reading.day.local().date().yesterday().ok()?;
    let mut day = Day::new(reading.time_zone.offsets.day(date));
    let local = *day.local();
    let take = |minute: Minute| {
        if let Some(of_day) = local.minute_of(minute.at) {
            day.record(of_day, minute.bpm);
        }
        Ok(())
    };
    history.minutes::<HistoryError>(date, date, take).ok()?;
    day.latest().is_some().then_some(day)
}

/// Returns the wearer's time zone at the time of a minute, from the history.
pub(crate) fn zone_of_minute(history: &History, at: Timestamp) -> Option<ZoneFacts> {
    let in_utc = Offset::UTC.to_datetime(at).date();
    // Somewhere on Earth it may be the day before, or the day after.
    let dates = [
        Some(in_utc),
        in_utc.yesterday().ok(),
        in_utc.tomorrow().ok(),
    ];
    dates.into_iter().flatten().find_map(|date| {
        let record = history.day(date).ok().flatten()?;
        // Those who only push do not know the zone.
        let sources = record.sources.iter();
        let mut clouds = sources.filter(|it| it.source.kind() != Kind::Push);
        clouds.find_map(|known| {
            let minute = known.day.local().minute_of(at)?;
            known.day.get(minute)?;
            Some(ZoneFacts {
                name: Some(known.zone.as_str())
                    .filter(|name| !name.is_empty())
                    .and_then(|name| name.try_into().ok()),
                offset: Some(known.day.local().offset_in(minute)),
            })
        })
    })
}

/// Fills a reading that has no minute of the last 24 hours with the last known values: from the
/// history, else from `before`.
pub(crate) fn keep_last_known(reading: &mut Reading, place: &Place, before: Option<&Reading>) {
    if reading.latest().is_none() {
        let history = place.history().ok().flatten();
        let last = history.and_then(|it| it.last_known(reading.fetched_at).ok().flatten());
        let now = reading.fetched_at;
        keep(reading, last.as_ref(), before, now);
    }
}

fn keep(reading: &mut Reading, last: Option<&LastKnown>, before: Option<&Reading>, now: Timestamp) {
    if let Some(last) = last {
        reading.keep_last_known(&last.day, &last.window);
    }
    if let Some(before) = before {
        reading.keep_last_known(&before.day, &before.window);
    }
    // The clock may have had another offset at that minute; include that offset, so that the time
    // is shown as it was.
    if let Some(newest) = reading.latest() {
        let from = newest.at.min(reading.fetched_at);
        reading.time_zone = zone::reaching(&reading.time_zone, from, now);
    }
}

/// Fills a reading's day and window as they were at the time of the fetch.
fn fill(reading: &mut Reading, history: &History) -> Result<(), HistoryError> {
    let local = *reading.day.local();
    let date = local.date();
    let before = date.yesterday().unwrap_or(date);
    history.minutes(before, date, |minute| {
        reading.window.insert(Sample {
            at: minute.at,
            bpm: minute.bpm,
        });
        if let Some(of_day) = local.minute_of(minute.at) {
            reading.day.record(of_day, minute.bpm);
        }
        Ok(())
    })
}
