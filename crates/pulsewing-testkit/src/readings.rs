//! Readings, as a cycle yields them. A test states the fields that it is about:
//!
//! ```ignore
//! Reading { battery_percent: Some(4), ..readings::with_minutes(berlin(), now, [(600, 72)]) }
//! ```

use jiff::{Timestamp, tz::Offset};
use pulsewing_core::{
    Bpm, Provider,
    civil::Offsets,
    day::{Day, Sample, Window},
    heart_zone::HeartZones,
    reading::{Reading, TimeZone, ZoneName, ZoneSource},
};

use crate::at;

/// Returns a reading without a single minute, fetched from Google at `now`: nothing is known of the tracker,
/// and nobody has named the wearer's zone.
#[must_use]
pub fn empty(offsets: Offsets, now: Timestamp) -> Reading {
    Reading {
        provider: Provider::Google,
        day: Day::new(offsets.day_of(now)),
        time_zone: TimeZone {
            name: ZoneName::new(),
            source: ZoneSource::Machine,
            offsets,
        },
        window: Window::ending_at(now),
        battery_percent: None,
        last_sync: None,
        resting: None,
        heart_zones: HeartZones::PLAIN,
        fetched_at: now,
    }
}

/// Returns the same with these minutes since midnight and their rates. The window has those before `now`.
///
/// # Panics
///
/// If a rate is out of range.
#[must_use]
pub fn with_minutes(
    offsets: Offsets,
    now: Timestamp,
    minutes: impl IntoIterator<Item = (u16, u16)>,
) -> Reading {
    let mut reading = empty(offsets, now);
    for (minute, rate) in minutes {
        let bpm = Bpm::new(rate).unwrap();
        reading.day.record(minute, bpm);
        let at = reading.day.local().instant(minute);
        if at < now {
            reading.window.insert(Sample { at, bpm });
        }
    }
    reading
}

/// Adds a minute to the window, and to the day if it is one of that day.
pub fn add(reading: &mut Reading, sample: Sample) {
    reading.window.insert(sample);
    if let Some(minute) = reading.day.local().minute_of(sample.at) {
        reading.day.record(minute, sample.bpm);
    }
}

/// Returns Berlin's offsets from 2026 to the summer of 2028, before and after it winter time and summer time.
#[must_use]
pub fn berlin() -> Offsets {
    let mut offsets = Offsets::fixed(Offset::constant(1));
    for (change, hours) in [
        ("2026-03-29T01:00:00Z", 2),
        ("2026-10-25T01:00:00Z", 1),
        ("2027-03-28T01:00:00Z", 2),
        ("2027-10-31T01:00:00Z", 1),
        ("2028-03-26T01:00:00Z", 2),
    ] {
        offsets
            .push_change(at(change), Offset::constant(hours))
            .unwrap();
    }
    offsets
}
