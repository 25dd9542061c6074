//! Evidence about the clock of the times in an export's JSON, which have no offset.
//!
//! Every file is named after a day of the wearer. Times of the wearer's own clock are in that day,
//! in any zone. Times in UTC are in it only if we know the right zone, which we do not for a wearer
//! who travels: a day that began further east or west may look as if its times were local. So a
//! single file with times outside the day of its name is proof of UTC. So is the CSV of the same
//! export, whose times are known to be UTC, if it has the same samples.

use std::collections::HashMap;

use jiff::{civil::Date, tz::TimeZone};

use super::{
    import::JsonTimes,
    instant::shown_by_clock,
    zone::{LocalClock, day_on},
};

/// The tolerance for a sample outside its day, in seconds: the correction of a clock may have moved
/// it.
const SLACK: i64 = 300;

/// The minimum distance between two samples that are looked up in the CSV, in seconds.
const APART: i64 = 3 * 3_600;

/// The maximum number of samples to look up, of one file and of all files.
const WITNESSES_OF_A_FILE: usize = 4;
const WITNESSES: usize = 16_384;

/// The times of a JSON file, as written in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// The first and the last one.
    pub(crate) extent: Option<(i64, i64)>,
    witnesses: Vec<(i64, u32)>,
}

impl Shown {
    /// Takes a sample's time, and its rate, which is whole but in thousandths, if the tracker
    /// trusted it.
    #[inline]
    pub(crate) fn sample(&mut self, shown: i64, rate: Option<u32>) {
        let (first, last) = self.extent.get_or_insert((shown, shown));
        *first = shown.min(*first);
        *last = shown.max(*last);
        if self.witnesses.len() < WITNESSES_OF_A_FILE
            && let Some(rate) = rate
        {
            let before = self.witnesses.last();
            if before.is_none_or(|(before, _)| shown.abs_diff(*before) >= APART.unsigned_abs()) {
                self.witnesses.push((shown, rate));
            }
        }
    }
}

/// The evidence from all files.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// The number of files whose times are in the day of their names only by the wearer's clock.
    fits_local_only: u64,
    /// The number of files whose times cannot be those of the wearer's clock.
    not_local: u64,
    files: u64,
    witnesses: Vec<(i64, u32)>,
    /// The instants at which the CSV must have a sample with this rate, if the JSON uses this
    /// clock.
    wanted: HashMap<i64, (u32, JsonTimes)>,
    in_csv_as_utc: u64,
    in_csv_as_local: u64,
}

/// The reason to doubt the clock by which the JSON was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// This many files have times that fit the day of their names only by the other clock.
    Days(u64),
    /// The CSV has the same samples at the instants that the other clock gives.
    Twins,
}

impl Evidence {
    /// Takes the evidence of a file that is named after a day.
    pub(crate) fn file(&mut self, date: Date, zone: &TimeZone, shown: &Shown) {
        let (Some((first, last)), Some(midnight)) =
            (shown.extent, shown_by_clock(date.at(0, 0, 0, 0)))
        else {
            return;
        };
        self.files += 1;
        let holds = |start: i64, seconds: i64| {
            let day = start - SLACK..start + seconds + SLACK;
            day.contains(&first) && day.contains(&last)
        };
        let is_utc = day_on(zone, date)
            .is_some_and(|day| holds(day.start().as_second(), i64::from(day.minutes()) * 60));
        let is_local = holds(midnight, 86_400);
        self.not_local += u64::from(!is_local);
        self.fits_local_only += u64::from(is_local && !is_utc);
        let room = WITNESSES.saturating_sub(self.witnesses.len());
        self.witnesses.extend(shown.witnesses.iter().take(room));
    }

    /// Ends the JSON: prepares for the samples of the CSV, if they could decide.
    pub(crate) fn settle(&mut self, read_by: JsonTimes, zone: &TimeZone) {
        let witnesses = std::mem::take(&mut self.witnesses);
        let is_open = match read_by {
            JsonTimes::Utc => self.not_local == 0 && self.fits_local_only > 0,
            JsonTimes::Local => self.not_local == 0,
        };
        if !is_open {
            return;
        }
        let mut clock = LocalClock::new(zone.clone());
        for (shown, rate) in witnesses {
            self.wanted.insert(shown, (rate, JsonTimes::Utc));
            // If both clocks agree, the sample cannot distinguish them.
            if let Some(at) = clock.instant(shown).filter(|at| *at != shown) {
                self.wanted.entry(at).or_insert((rate, JsonTimes::Local));
            } else {
                self.wanted.remove(&shown);
            }
        }
    }

    /// Returns whether samples of the CSV could decide.
    pub(crate) fn is_open(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Takes a sample of an export's CSV: its instant, and its rate in thousandths.
    pub(crate) fn twin(&mut self, at: i64, rate: u32) {
        if let Some((wanted, clock)) = self.wanted.get(&at)
            && *wanted == (rate + 500) / 1_000 * 1_000
        {
            match clock {
                JsonTimes::Utc => self.in_csv_as_utc += 1,
                JsonTimes::Local => self.in_csv_as_local += 1,
            }
        }
    }

    /// Returns the evidence for the other clock, rather than the one by which the files were read;
    /// `None` if there is none, or if there is evidence against it.
    pub(crate) fn against(&self, read_by: JsonTimes) -> Option<Doubt> {
        match read_by {
            JsonTimes::Utc => {
                let is_local = self.fits_local_only > 0 && self.not_local == 0;
                let twins_agree =
                    self.in_csv_as_utc == 0 || self.in_csv_as_utc < self.in_csv_as_local;
                (is_local && twins_agree).then_some(Doubt::Days(self.fits_local_only))
            }
            JsonTimes::Local if self.not_local > 0 => Some(Doubt::Days(self.not_local)),
            JsonTimes::Local => (self.in_csv_as_utc > self.in_csv_as_local).then_some(Doubt::Twins),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn seconds(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    /// Weighs files with one sample per hour, each given as (day of the name, first and last time).
    fn weighed(files: &[(&str, &str, &str)], read_by: JsonTimes) -> Evidence {
        let zone = TimeZone::get("America/Chicago").unwrap();
        let mut evidence = Evidence::default();
        for (date, first, last) in files {
            let mut shown = Shown::default();
            let hours = (seconds(first)..=seconds(last)).step_by(3_600);
            for (at, rate) in hours.zip(60..) {
                shown.sample(at, Some(rate * 1_000));
            }
            evidence.file(date.parse().unwrap(), &zone, &shown);
        }
        evidence.settle(read_by, &zone);
        evidence
    }

    const HOME: (&str, &str, &str) = ("2024-09-10", "2024-09-10T05:00:00Z", "2024-09-11T04:00:00Z");
    const ABROAD: (&str, &str, &str) =
        ("2025-06-10", "2025-06-10T01:00:00Z", "2025-06-10T16:00:00Z");

    #[test]
    fn one_file_that_leaves_its_day_settles_it() {
        let both = weighed(&[HOME, ABROAD], JsonTimes::Utc);
        assert_eq!(both.against(JsonTimes::Utc), None);
        assert!(!both.is_open());
        let both = weighed(&[HOME, ABROAD], JsonTimes::Local);
        assert_eq!(both.against(JsonTimes::Local), Some(Doubt::Days(1)));
        let abroad = weighed(&[ABROAD], JsonTimes::Utc);
        assert_eq!(abroad.against(JsonTimes::Utc), Some(Doubt::Days(1)));
        let home = weighed(&[HOME], JsonTimes::Utc);
        assert_eq!(home.against(JsonTimes::Utc), None);
    }

    #[test]
    fn the_csv_of_the_same_samples_settles_it() {
        for read_by in [JsonTimes::Utc, JsonTimes::Local] {
            let offset = 5 * 3_600;
            for (is_utc, later) in [(true, 0), (false, offset)] {
                let mut evidence = weighed(&[ABROAD], read_by);
                assert!(evidence.is_open());
                for (at, rate) in (seconds(ABROAD.1)..=seconds(ABROAD.2))
                    .step_by(3_600)
                    .zip(60..)
                {
                    evidence.twin(at + later, rate * 1_000);
                }
                let expected = match (read_by, is_utc) {
                    (JsonTimes::Utc, false) => Some(Doubt::Days(1)),
                    (JsonTimes::Local, true) => Some(Doubt::Twins),
                    _ => None,
                };
                assert_eq!(evidence.against(read_by), expected, "{read_by:?} {is_utc}");
            }
        }
    }
}
