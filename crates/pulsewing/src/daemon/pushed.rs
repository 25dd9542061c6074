//! What programs pushed, as the views see it: the newest sample while it is live, and the minutes over the
//! cloud's reading.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Bpm,
    day::{Day, Sample, Window},
    reading::Reading,
};
use pulsewing_files::{private, regular_file};
use pulsewing_intake::SourceName;
use serde::{Deserialize, Serialize};

use crate::config::places::Place;

/// The age up to which a sample is live: a sensor that has sent nothing for ten seconds is out of reach.
pub(crate) const LIVE_FOR: SignedDuration = SignedDuration::from_secs(10);

/// The file with the newest sample, in the wearer's directory.
pub(crate) const LIVE_FILE: &str = "live-now.json";

/// The size limit for reading that file, in bytes.
const MAX_LIVE_FILE: u64 = 4_096;

/// How long minutes stay known: a day and the hours by which a day can be longer.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(26);

/// The newest sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    /// The time of the measurement, or of its arrival if the sender's clock is ahead.
    pub at: Timestamp,
    /// The rate.
    pub bpm: Bpm,
    /// The source.
    pub source: SourceName,
}

/// Returns the newest sample that a daemon in another process took; `None` if there is none, or if it is
/// being written at this moment.
pub(crate) fn live_elsewhere(place: &Place) -> Option<Live> {
    let text = regular_file::read(&place.dir.join(LIVE_FILE), MAX_LIVE_FILE).ok()?;
    let told: Told = serde_json::from_slice(&text).ok()?;
    Some(Live {
        at: told.at,
        bpm: Bpm::new(told.bpm)?,
        source: told.source,
    })
}

/// The live sample in its file.
#[derive(Serialize, Deserialize)]
struct Told {
    at: Timestamp,
    bpm: u16,
    source: SourceName,
}

impl Live {
    /// Writes the sample for other processes, such as `pulsewing show`. The file is written in its place and
    /// not synced: it matters for seconds, and a memory card has to last for years.
    pub(crate) fn tell(&self, place: &Place) -> io::Result<()> {
        let told = serde_json::to_vec(&Told {
            at: self.at,
            bpm: self.bpm.get(),
            source: self.source.clone(),
        })?;
        let mut options = private::options();
        let options = options.write(true).create(true).truncate(true);
        regular_file::open_with(options, &place.dir.join(LIVE_FILE))?.write_all(&told)
    }

    /// Returns the sample's age.
    pub(crate) fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.at).max(SignedDuration::ZERO)
    }

    /// Returns whether it still tells how fast the heart beats now.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.age(now) <= LIVE_FOR
    }
}

/// What programs pushed in the last hours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pushed {
    /// The newest sample; the views ask whether it is still live.
    pub live: Option<Live>,
    minutes: Arc<BTreeMap<Timestamp, Bpm>>,
}

impl Pushed {
    /// Adds minutes, and forgets those that are too old to be shown.
    pub(crate) fn add(&mut self, minutes: &[Sample], now: Timestamp) {
        let known = Arc::make_mut(&mut self.minutes);
        known.extend(minutes.iter().map(|minute| (minute.at, minute.bpm)));
        let oldest = now.checked_sub(KEPT_FOR).unwrap_or(Timestamp::MIN);
        *known = known.split_off(&oldest);
    }

    /// Returns whether a minute was pushed.
    pub(crate) fn has(&self, at: Timestamp) -> bool {
        self.minutes.contains_key(&at)
    }

    /// Puts the minutes over a reading, and over the day before it: they come before the cloud's. If they
    /// are of a later day than the reading, that begins.
    pub(crate) fn overlay(&self, reading: &mut Reading, earlier: &mut Option<Arc<Day>>) {
        let Some((newest, _)) = self.minutes.last_key_value() else {
            return;
        };
        let newest = *newest;
        let local = *reading.day.local();
        if newest >= local.instant(local.minutes()) {
            let day = Day::new(reading.time_zone.offsets.day_of(newest));
            let before = std::mem::replace(&mut reading.day, day);
            let yesterday = reading.day.local().date().yesterday().ok();
            *earlier = Some(Arc::new(before)).filter(|it| Some(it.local().date()) == yesterday);
        }
        let record = |day: &mut Day| {
            for (at, bpm) in self.minutes.iter() {
                if let Some(minute) = day.local().minute_of(*at) {
                    day.record(minute, *bpm);
                }
            }
        };
        record(&mut reading.day);
        if let Some(earlier) = earlier {
            record(Arc::make_mut(earlier));
        }
        if reading.latest().is_some_and(|known| known.at > newest) {
            return insert(&mut reading.window, &self.minutes);
        }
        // Its 24 hours end later than the cloud's.
        let mut window = Window::ending_at(newest.max(reading.fetched_at));
        for sample in reading.window.samples() {
            window.insert(*sample);
        }
        insert(&mut window, &self.minutes);
        reading.window = window;
    }
}

fn insert(window: &mut Window, minutes: &BTreeMap<Timestamp, Bpm>) {
    for (at, bpm) in minutes {
        window.insert(Sample { at: *at, bpm: *bpm });
    }
}

#[cfg(test)]
mod tests {
    use pulsewing_testkit::{at, readings};

    use super::*;

    fn pushed(minutes: &[(&str, u16)], now: &str) -> Pushed {
        let minutes: Vec<Sample> = minutes
            .iter()
            .map(|(time, bpm)| Sample {
                at: at(time),
                bpm: Bpm::new(*bpm).unwrap(),
            })
            .collect();
        let mut pushed = Pushed::default();
        pushed.add(&minutes, at(now));
        pushed
    }

    #[test]
    fn pushed_minutes_come_before_the_clouds_and_the_rest_stays() {
        let now = at("2026-11-22T12:00:00Z");
        let minutes = (700..720).map(|minute| (minute, 60));
        let mut reading = readings::with_minutes(readings::berlin(), now, minutes);
        // 11:39 UTC is minute 759 of the day in Berlin.
        let pushed = pushed(
            &[("2026-11-22T10:50:00Z", 90), ("2026-11-22T11:59:00Z", 91)],
            "2026-11-22T12:00:30Z",
        );
        pushed.overlay(&mut reading, &mut None);
        assert_eq!(reading.day.logged_minutes(), 21);
        assert_eq!(reading.day.get(710), Bpm::new(90));
        assert_eq!(reading.day.get(711), Bpm::new(60));
        let latest = reading.latest().unwrap();
        assert_eq!(
            (latest.at, latest.bpm.get()),
            (at("2026-11-22T11:59:00Z"), 91)
        );
        assert!(pushed.has(latest.at) && !pushed.has(at("2026-11-22T10:51:00Z")));
    }

    #[test]
    fn a_day_begins_with_its_first_pushed_minute() {
        let now = at("2026-11-22T22:50:00Z");
        let mut reading = readings::with_minutes(readings::berlin(), now, [(1_420, 60)]);
        let pushed = pushed(&[("2026-11-22T23:05:00Z", 80)], "2026-11-22T23:06:00Z");
        let mut earlier = None;
        pushed.overlay(&mut reading, &mut earlier);
        assert_eq!(reading.day.local().date().to_string(), "2026-11-23");
        assert_eq!(reading.day.get(5), Bpm::new(80));
        assert_eq!(earlier.unwrap().get(1_420), Bpm::new(60));
        assert_eq!(reading.window.samples().len(), 2);
    }

    #[test]
    fn minutes_are_forgotten_after_a_day() {
        let mut pushed = pushed(&[("2026-11-22T12:00:00Z", 80)], "2026-11-22T12:01:00Z");
        pushed.add(&[], at("2026-11-23T14:00:01Z"));
        assert!(!pushed.has(at("2026-11-22T12:00:00Z")));
    }

    #[test]
    fn a_sample_is_live_for_ten_seconds() {
        let live = Live {
            at: at("2026-11-22T12:00:00Z"),
            bpm: Bpm::new(70).unwrap(),
            source: "strap".parse().unwrap(),
        };
        assert!(live.is_live(at("2026-11-22T12:00:10Z")));
        assert!(!live.is_live(at("2026-11-22T12:00:10.001Z")));
        assert_eq!(live.age(at("2026-11-22T11:59:00Z")), SignedDuration::ZERO);
    }
}
