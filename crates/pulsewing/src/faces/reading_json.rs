//! A reading as JSON.

use jiff::{Timestamp, tz::Offset};
use pulsewing_core::{
    day::Sample,
    reading::{Freshness, Reading},
};
use serde::Serialize;

/// The output of `pulsewing once --json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReadingJson {
    provider: &'static str,
    date: String,
    time_zone: Option<String>,
    latest: Option<Minute>,
    window: Option<Vec<Minute>>,
    logged_minutes: u16,
    min: Option<u16>,
    mean: Option<u16>,
    max: Option<u16>,
    zone_name: Option<&'static str>,
    battery_percent: Option<u8>,
    last_sync: Option<String>,
    resting_bpm: Option<u16>,
    freshness: &'static str,
    fetched_at: String,
}

#[derive(Clone, Debug, Serialize)]
struct Minute {
    time: String,
    bpm: u16,
    /// The time when it began, if its date is not obvious.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

impl ReadingJson {
    /// Builds the JSON for a reading.
    pub(crate) fn new(reading: &Reading, freshness: Freshness) -> Self {
        let minute = |sample: &Sample| {
            let local = reading.time_zone.offsets.local(sample.at);
            Minute {
                time: format!("{:02}:{:02}", local.hour(), local.minute()),
                bpm: sample.bpm.get(),
                at: None,
            }
        };
        let window = &reading.window;
        let extent = window.extent().filter(|_| window.is_complete());
        Self {
            provider: reading.provider.name(),
            date: reading.day.local().date().to_string(),
            time_zone: zone_name(reading),
            latest: window.latest().as_ref().map(minute),
            window: window
                .is_complete()
                .then(|| window.samples().iter().map(minute).collect()),
            logged_minutes: reading.day.logged_minutes(),
            min: extent.map(|extent| extent.min.get()),
            mean: extent.map(|extent| extent.mean.get()),
            max: extent.map(|extent| extent.max.get()),
            zone_name: reading.heart_zone().map(|zone| zone.name()),
            battery_percent: reading.battery_percent,
            last_sync: reading.last_sync.map(instant),
            resting_bpm: reading.resting.map(|bpm| bpm.get()),
            freshness: freshness.name(),
            fetched_at: instant(reading.fetched_at),
        }
    }

    /// Adapts it for a reading that may be of any day: adds the instant of every minute, in UTC, and
    /// drops a resting heart rate from before yesterday.
    pub(crate) fn dated(mut self, reading: &Reading, now: Timestamp) -> Self {
        self.resting_bpm = reading.resting_at(now).map(|bpm| bpm.get());
        // The minutes are those of the window, in its order.
        let minutes = self.window.iter_mut().flatten();
        for (minute, sample) in minutes.zip(reading.window.samples()) {
            minute.at = Some(instant(sample.at));
        }
        let newest = reading.latest();
        if let Some((latest, newest)) = self.latest.as_mut().zip(newest) {
            latest.at = Some(instant(newest.at));
        }
        self
    }

    /// Returns one line of JSON.
    pub(crate) fn to_line(&self) -> String {
        // There are only strings and numbers, so the serialisation cannot fail.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

/// Returns the zone's name, or its offset if only that is known.
fn zone_name(reading: &Reading) -> Option<String> {
    let zone = &reading.time_zone;
    if !zone.name.is_empty() {
        return Some(zone.name.as_str().to_owned());
    }
    let offset = zone.offsets.at(reading.fetched_at);
    Some(if offset == Offset::UTC {
        "UTC".into()
    } else {
        offset.to_string()
    })
}

/// Formats an instant as RFC 3339 in UTC, to the second.
pub(crate) fn instant(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    whole.to_string()
}
