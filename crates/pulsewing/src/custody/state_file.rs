//! The state that is remembered between runs, apart from the chain: limits, the zone, the outcome
//! of the last cycle.
//!
//! Losing this file costs a few requests and nothing else, so a damaged one is replaced.

use std::{
    io::{self, Write},
    path::Path,
};

use jiff::{Timestamp, civil::Date};
use pulsewing_core::{
    Bpm,
    cycle::{Consent, Failure, FailureKind, Memory, Pacing},
    dialect::ZoneFacts,
    heart_zone::{HeartZones, ProviderZones},
    reading::Reading,
};
use pulsewing_files::{Replacement, private, regular_file};
use serde::{Deserialize, Serialize};

use crate::{config::places::Place, tell::console::Console};

const NAME: &str = "state.json";

/// The size limit for reading the file, in bytes.
const MAX_BYTES: u64 = 64 * 1_024;

/// The contents of the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// The wearer whose state this is.
    pub wearer: String,
    /// The end of the last cycle, successful or not.
    pub last_update: Option<Timestamp>,
    /// The last time that a cycle yielded a reading.
    pub last_success: Option<Timestamp>,
    /// The newest minute in any reading.
    pub last_minute: Option<Timestamp>,
    /// The heart rate of that minute in bpm.
    pub last_bpm: Option<u16>,
    /// The time when the next cycle is due.
    pub next_update: Option<Timestamp>,
    /// When the first of the cycles failed that have failed since; `None` after a success.
    pub failing_since: Option<Timestamp>,
    /// The error of the last cycle, in one sentence; `None` after a success.
    pub last_error: Option<String>,
    /// The remedy for it: failed, sign-in, gone or temporary.
    pub last_trouble: Option<String>,
    /// The same in technical terms, where they differ.
    pub last_details: Option<String>,
    /// The suggested next step.
    pub last_hint: Option<String>,
    /// The name of the OAuth error in the answer to the last refresh; `None` after a success.
    pub oauth_error: Option<String>,
    /// The day on which no past day was missing in the history, if that was looked at.
    pub settled_on: Option<Date>,
    /// Whether the sign-in was moved to a board and erased here.
    pub is_moved: bool,
    /// Facts from the last reading, apart from heart rates, which are in the history.
    pub reading: Option<ReadingFacts>,
    pacing: PacingState,
    zone: Option<ZoneState>,
    resting: Option<RestingState>,
    heart_zones: Option<HeartZonesState>,
}

/// Facts from a reading, apart from heart rates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadingFacts {
    /// The time when it was fetched.
    pub fetched_at: Timestamp,
    /// The lower bounds of the wearer's light, moderate, vigorous and peak zones, in bpm.
    pub heart_zones: [u16; 4],
    /// The tracker's battery in percent.
    pub battery_percent: Option<u8>,
    /// The time of the tracker's last sync.
    pub last_sync: Option<Timestamp>,
    /// The resting heart rate in bpm.
    pub resting_bpm: Option<u16>,
}

impl From<&Reading> for ReadingFacts {
    fn from(reading: &Reading) -> Self {
        Self {
            fetched_at: reading.fetched_at,
            heart_zones: reading.heart_zones.limits().map(Bpm::get),
            battery_percent: reading.battery_percent,
            last_sync: reading.last_sync,
            resting_bpm: reading.resting.map(Bpm::get),
        }
    }
}

impl ReadingFacts {
    /// Returns the wearer's heart-rate zones; [`HeartZones::PLAIN`] if the file's values are not
    /// valid.
    pub(crate) fn heart_zones(&self) -> HeartZones {
        let [light, moderate, vigorous, peak] = self.heart_zones.map(Bpm::new);
        let limits = light.zip(moderate).zip(vigorous.zip(peak));
        limits
            .and_then(|((light, moderate), (vigorous, peak))| {
                HeartZones::new([light, moderate, vigorous, peak])
            })
            .unwrap_or(HeartZones::PLAIN)
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct PacingState {
    next_allowed: Option<Timestamp>,
    unauthorized_refresh_at: Option<Timestamp>,
    recent: Vec<u16>,
    newest_span: i64,
    failures: u8,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ZoneState {
    name: Option<String>,
    offset_s: Option<i32>,
    asked_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct RestingState {
    bpm: Option<u16>,
    asked_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct HeartZonesState {
    /// Where moderate, vigorous and peak begin, in bpm, if the provider has zones.
    limits: Option<[u16; 3]>,
    asked_at: Timestamp,
}

impl HeartZonesState {
    fn zones(&self) -> Option<ProviderZones> {
        let [moderate, vigorous, peak] = self.limits?.map(Bpm::new);
        ProviderZones::new([moderate?, vigorous?, peak?])
    }
}

impl State {
    /// Reads the state of a wearer's directory; an absent or damaged file is an empty one.
    ///
    /// # Errors
    /// Whatever the file system reports. The caller can then continue with an empty state: the next
    /// save replaces whatever is there.
    pub(crate) fn load(dir: &Path) -> io::Result<Self> {
        match regular_file::read(&dir.join(NAME), MAX_BYTES) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Returns the state as it would be by our clock, if a machine whose clock is ahead of ours has saved
    /// it: what it may not do before some time is not put off by that much.
    #[cfg(feature = "fleet")]
    pub(crate) fn by_our_clock(mut self, now: Timestamp) -> Self {
        let ahead = self.last_update.map(|at| at.duration_since(now));
        let Some(ahead) = ahead.filter(|ahead| ahead.is_positive()) else {
            return self;
        };
        let pacing = &mut self.pacing;
        for at in [
            &mut pacing.next_allowed,
            &mut pacing.unauthorized_refresh_at,
        ] {
            *at = at.and_then(|at| at.checked_sub(ahead).ok());
        }
        self
    }

    /// Reads the state; if it cannot be read, reports that and begins with an empty one.
    pub(crate) fn load_or_warn(dir: &Path, console: Console) -> Self {
        Self::load(dir).unwrap_or_else(|error| {
            console.warn(&format!("the state file could not be read: {error}"));
            Self::default()
        })
    }

    /// Writes the state; an error is only reported.
    pub(crate) fn save_or_warn(&mut self, place: &Place, console: Console) {
        if let Err(error) = self.save(place) {
            console.warn(&format!("the state file could not be written: {error}"));
        }
    }

    /// Forgets everything that belongs to a sign-in: another account has another zone and other
    /// limits.
    pub(crate) fn forget(place: &Place, console: Console) {
        Self::default().save_or_warn(place, console);
    }

    /// Forgets the same, because the sign-in is on a board from now on.
    pub(crate) fn moved(place: &Place, console: Console) {
        let mut moved = Self {
            is_moved: true,
            ..Self::default()
        };
        moved.save_or_warn(place, console);
    }

    fn save(&mut self, place: &Place) -> io::Result<()> {
        place.wearer.as_str().clone_into(&mut self.wearer);
        let dir = &place.dir;
        private::make_dir(dir)?;
        let text = serde_json::to_vec(self)?;
        // Not durable: an older state is good enough after a power cut.
        Replacement::new(&dir.join(NAME))
            .of_anything()
            .private()
            .write(|file| file.write_all(&text))
    }

    /// Returns a failure with the remedy of the last one, if it failed: the failure itself is not
    /// remembered, and its words are in [`last_error`](Self::last_error).
    pub(crate) fn remembered_failure(&self) -> Option<Failure> {
        self.last_error.as_ref()?;
        let remedy = self.last_trouble.as_deref().and_then(FailureKind::named);
        Some(match remedy {
            Some(FailureKind::ConsentNeeded) => Failure::ConsentNeeded(Consent::Refused),
            Some(FailureKind::Gone) => Failure::Gone,
            Some(FailureKind::Failed | FailureKind::Temporary) | None => Failure::OutOfTime,
        })
    }

    /// Returns the limits that were in force.
    pub(crate) fn pacing(&self) -> Pacing {
        let mut recent = [0; 60];
        for (slot, count) in recent.iter_mut().zip(&self.pacing.recent) {
            *slot = *count;
        }
        Pacing {
            next_allowed: self.pacing.next_allowed,
            unauthorized_refresh_at: self.pacing.unauthorized_refresh_at,
            recent,
            newest_span: self.pacing.newest_span,
            failures: self.pacing.failures,
        }
    }

    /// Returns the data that was fetched earlier in the day.
    pub(crate) fn memory(&self) -> Memory {
        let zone = self.zone.as_ref().map(|zone| {
            let facts = ZoneFacts {
                name: zone.name.as_deref().and_then(|name| name.try_into().ok()),
                offset: zone
                    .offset_s
                    .and_then(|s| jiff::tz::Offset::from_seconds(s).ok()),
            };
            (facts, zone.asked_at)
        });
        let resting = self
            .resting
            .as_ref()
            .map(|resting| (resting.bpm.and_then(Bpm::new), resting.asked_at));
        let heart_zones = self
            .heart_zones
            .as_ref()
            .map(|zones| (zones.zones(), zones.asked_at));
        Memory {
            zone,
            resting,
            heart_zones,
        }
    }

    /// Returns what the provider last said of the wearer's zone.
    pub(crate) fn zone_facts(&self) -> Option<ZoneFacts> {
        Some(self.memory().zone?.0)
    }

    /// Takes over the limits and the memory of a cycle.
    pub(crate) fn remember(&mut self, pacing: &Pacing, memory: &Memory) {
        self.pacing = PacingState {
            next_allowed: pacing.next_allowed,
            unauthorized_refresh_at: pacing.unauthorized_refresh_at,
            recent: pacing.recent.to_vec(),
            newest_span: pacing.newest_span,
            failures: pacing.failures,
        };
        self.zone = memory.zone.as_ref().map(|(facts, asked_at)| ZoneState {
            name: facts.name.as_ref().map(|name| name.as_str().to_owned()),
            offset_s: facts.offset.map(jiff::tz::Offset::seconds),
            asked_at: *asked_at,
        });
        self.resting = memory.resting.map(|(bpm, asked_at)| RestingState {
            bpm: bpm.map(Bpm::get),
            asked_at,
        });
        self.heart_zones = memory.heart_zones.map(|(zones, asked_at)| HeartZonesState {
            limits: zones.map(|zones| zones.limits().map(Bpm::get)),
            asked_at,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_remembered_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut pacing = Pacing {
            next_allowed: Some(at),
            failures: 3,
            newest_span: 7,
            ..Pacing::default()
        };
        pacing.recent[59] = 4;
        let facts = ZoneFacts {
            name: Some("Europe/Berlin".try_into().unwrap()),
            offset: Some(jiff::tz::Offset::constant(1)),
        };
        let memory = Memory {
            zone: Some((facts, at)),
            resting: Some((Bpm::new(58), at)),
            heart_zones: Some((
                ProviderZones::new([109, 133, 163].map(|bpm| Bpm::new(bpm).unwrap())),
                at,
            )),
        };
        let mut state = State::default();
        state.remember(&pacing, &memory);
        let place = Place::new(dir.path(), &"anna".parse().unwrap());
        state.save(&place).unwrap();
        let loaded = State::load(&place.dir).unwrap();
        assert_eq!((loaded.pacing(), loaded.memory()), (pacing, memory));
        assert_eq!(loaded.wearer, "anna");
    }

    #[test]
    fn a_damaged_file_is_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), "{").unwrap();
        assert_eq!(State::load(dir.path()).unwrap().last_update, None);
    }
}
