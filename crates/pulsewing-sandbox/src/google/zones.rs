//! Heart-rate zones: the limits of a day, and the time spent in each zone (Google Health API, data
//! types daily-heart-rate-zones and time-in-heart-rate-zone).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::wearer::{
    Bucket, MINUTE, Sample, buckets,
    zones::{HIGHEST, LOWEST, MODERATE, PEAK, VIGOROUS},
};

/// Consecutive minutes in one zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    pub(super) zone: &'static str,
    pub(super) start: Timestamp,
    /// The end of the last minute.
    pub(super) end: Timestamp,
}

/// Returns the zones with their limits.
pub(super) fn limits() -> Value {
    let zone = |(name, min, max): &(&str, u64, u64)| {
        json!({
            "heartRateZoneType": name,
            "minBeatsPerMinute": min.to_string(),
            "maxBeatsPerMinute": max.to_string(),
        })
    };
    ZONES.iter().map(zone).collect()
}

/// Returns the wearer's stays in the zones, oldest first. `from` is the start of a minute.
pub(super) fn stays(samples: &[Sample], from: Timestamp) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    for minute in buckets(samples, from, MINUTE) {
        let start = from.checked_add(SignedDuration::from_mins(minute.index));
        let Ok(start) = start else { continue };
        let Ok(end) = start.checked_add(MINUTE) else {
            continue;
        };
        let zone = zone_of(&minute);
        match stays.last_mut() {
            Some(last) if last.zone == zone && last.end == start => last.end = end,
            _ => stays.push(Stay { zone, start, end }),
        }
    }
    stays
}

/// Returns the rolled-up value of a window: the wearer's time in each zone.
///
/// Every started minute counts as a whole, but the time in a zone is never longer than the window.
pub(super) fn time_in(samples: &[Sample], from: Timestamp, window: SignedDuration) -> Value {
    let minutes = buckets(samples, from, MINUTE);
    let time_in_zone = |(name, _, _): &(&str, u64, u64)| {
        let count = minutes.iter().filter(|m| zone_of(m) == *name).count();
        let time = SignedDuration::from_mins(i64::try_from(count).unwrap_or(0)).min(window);
        (count > 0).then(|| json!({ "heartRateZone": name, "duration": seconds(time) }))
    };
    let zones: Vec<Value> = ZONES.iter().filter_map(time_in_zone).collect();
    json!({ "timeInHeartRateZones": zones })
}

/// Returns a duration in the JSON form of proto3.
fn seconds(duration: SignedDuration) -> String {
    match duration.subsec_nanos() {
        0 => format!("{}s", duration.as_secs()),
        nanos => format!("{}.{nanos:09}s", duration.as_secs()),
    }
}

fn zone_of(minute: &Bucket) -> &'static str {
    let bpm = minute.rounded();
    let zone = ZONES.iter().find(|(_, _, max)| bpm <= *max);
    zone.map_or("PEAK", |(name, _, _)| name)
}

/// The zones, from the lowest; both limits are inclusive.
const ZONES: [(&str, u64, u64); 4] = [
    ("LIGHT", LOWEST, MODERATE - 1),
    ("MODERATE", MODERATE, VIGOROUS - 1),
    ("VIGOROUS", VIGOROUS, PEAK - 1),
    ("PEAK", PEAK, HIGHEST),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wearer::tests::sample;

    #[test]
    fn a_stay_ends_with_another_zone_and_with_a_gap() {
        let samples = [
            sample(0, 60),
            sample(60, 108),
            sample(120, 109),
            sample(240, 109),
            sample(300, 250),
        ];
        let found: Vec<(&str, i64, i64)> = stays(&samples, Timestamp::UNIX_EPOCH)
            .iter()
            .map(|stay| (stay.zone, stay.start.as_second(), stay.end.as_second()))
            .collect();
        assert_eq!(
            found,
            [
                ("LIGHT", 0, 120),
                ("MODERATE", 120, 180),
                ("MODERATE", 240, 300),
                ("PEAK", 300, 360)
            ]
        );
    }

    #[test]
    fn time_in_a_zone_is_never_longer_than_its_window() {
        let window = SignedDuration::from_millis(1500);
        assert_eq!(
            time_in(&[sample(0, 60)], Timestamp::UNIX_EPOCH, window),
            json!({ "timeInHeartRateZones": [{ "heartRateZone": "LIGHT", "duration": "1.500000000s" }] })
        );
    }

    #[test]
    fn every_bpm_lies_in_one_zone() {
        for pair in ZONES.windows(2) {
            assert_eq!(pair[0].2 + 1, pair[1].1);
        }
    }
}
