//! Minutes that programs pushed: the newest source wins a minute.

use super::{Batch, Kind, SourceDay, error::HistoryError, merge::rate_at};

impl Batch<'_> {
    /// Merges minutes that a program pushed into the history, as [`record`](Self::record) does, and takes
    /// them from the other programs that had pushed them: a minute belongs to the one that sent it last.
    /// What the clouds know of the minutes stays.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn record_pushed(&self, known: &SourceDay) -> Result<(), HistoryError> {
        let local = known.day.local();
        let mut rows = self.rows_between(local.start(), local.instant(local.minutes()))?;
        rows.retain(|row| row.known.source.kind() == Kind::Push);
        rows.retain(|row| row.known.source != known.source);
        for row in &mut rows {
            row.known.fetched_at = row.known.fetched_at.max(known.fetched_at);
        }
        self.thin_out(rows, |at, _| rate_at(&known.day, at).is_none())?;
        self.record(known)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};
    use proptest::prelude::*;
    use pulsewing_core::{
        Bpm, Provider,
        day::{Day, Sample},
    };
    use pulsewing_testkit::at;

    use crate::{
        Arrival, History, HistoryError, Source, SourceDay, archive::zone::day_of, tests::opened,
    };

    fn zone() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn minute(number: i64) -> Timestamp {
        at("2026-11-22T09:00:00Z") + SignedDuration::from_mins(number)
    }

    fn push(history: &mut History, source: &str, minutes: &[(i64, u16)], came: i64) {
        let minutes: Vec<Sample> = minutes
            .iter()
            .map(|(number, bpm)| Sample {
                at: minute(*number),
                bpm: Bpm::new(*bpm).unwrap(),
            })
            .collect();
        let arrival = Arrival::of_pushed(source, &minutes, &zone(), minute(came)).unwrap();
        let batch = history.batch().unwrap();
        arrival.write(&batch).unwrap();
        batch.commit().unwrap();
    }

    fn fetch(history: &mut History, minutes: &[(i64, u16)], came: i64) {
        let mut day = Day::new(day_of(&zone(), minute(0)));
        for (number, bpm) in minutes {
            let of_day = day.local().minute_of(minute(*number)).unwrap();
            day.record(of_day, Bpm::new(*bpm).unwrap());
        }
        let known = SourceDay {
            source: Source::from(Provider::Google),
            zone: "Europe/Berlin".into(),
            day,
            resting: None,
            fetched_at: minute(came),
        };
        history.record(&known).unwrap();
    }

    /// Returns the minutes, each with its rate and source.
    fn minutes(history: &History) -> Vec<(i64, u16, String)> {
        let mut found = Vec::new();
        let day = date(2026, 11, 22);
        let each = |it: crate::Minute| {
            let number = it.at.duration_since(minute(0)).as_mins();
            found.push((number, it.bpm.get(), it.source.to_string()));
            Ok::<_, HistoryError>(())
        };
        history.minutes(day, day, each).unwrap();
        found
    }

    #[test]
    fn a_minute_belongs_to_the_source_that_sent_it_last_and_not_to_the_last_to_send_anything() {
        let (_dir, mut history) = opened();
        push(&mut history, "strap", &[(0, 70), (1, 71)], 2);
        push(&mut history, "watch", &[(1, 81)], 3);
        push(&mut history, "strap", &[(2, 72)], 4);
        let told = |n, bpm, source: &str| (n, bpm, format!("push/{source}"));
        let expected = [
            told(0, 70, "strap"),
            told(1, 81, "watch"),
            told(2, 72, "strap"),
        ];
        assert_eq!(minutes(&history), expected);
        push(&mut history, "strap", &[(1, 75)], 5);
        assert_eq!(minutes(&history)[1], told(1, 75, "strap"));
    }

    #[test]
    fn what_was_pushed_comes_before_a_cloud_whenever_that_fetches_and_averages_nothing_with_it() {
        let (_dir, mut history) = opened();
        fetch(&mut history, &[(0, 60), (1, 61), (2, 62)], 3);
        push(&mut history, "strap", &[(1, 91)], 4);
        fetch(&mut history, &[(0, 60), (1, 63), (2, 62)], 900);
        let told = minutes(&history);
        let rates: Vec<u16> = told.iter().map(|(_, bpm, _)| *bpm).collect();
        assert_eq!(rates, [60, 91, 62]);
        assert_eq!(told[1].2, "push/strap");
        assert_eq!(told[2].2, "google");
        let record = history.day(date(2026, 11, 22)).unwrap().unwrap();
        assert_eq!(record.sources.len(), 2, "each keeps its own row");
        assert_eq!(record.zone(), "Europe/Berlin");
        assert_eq!(record.day.logged_minutes(), 3);
    }

    #[test]
    fn a_traveller_sees_the_day_as_the_cloud_cuts_it() {
        let (_dir, mut history) = opened();
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let sample = Sample {
            at: minute(0),
            bpm: Bpm::new(88).unwrap(),
        };
        let arrival = Arrival::of_pushed("strap", &[sample], &tokyo, minute(1)).unwrap();
        let batch = history.batch().unwrap();
        arrival.write(&batch).unwrap();
        batch.commit().unwrap();
        fetch(&mut history, &[(0, 60), (1, 61)], 900);
        let record = history.day(date(2026, 11, 22)).unwrap().unwrap();
        assert_eq!(record.zone(), "Europe/Berlin");
        let rates: Vec<u16> = record.day.iter().map(|(_, bpm)| bpm.get()).collect();
        assert_eq!(rates, [88, 61]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_last_to_send_a_minute_has_it(
            sent in proptest::collection::vec((0_usize..3, 0_i64..30, 40_u16..200), 1..60)
        ) {
            let (_dir, mut history) = opened();
            let mut expected = BTreeMap::new();
            for (came, (source, number, bpm)) in (100..).zip(sent) {
                let source = ["strap", "watch", "phone"][source];
                push(&mut history, source, &[(number, bpm)], came);
                expected.insert(number, (bpm, format!("push/{source}")));
            }
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(number, (bpm, source))| (number, bpm, source))
                .collect();
            prop_assert_eq!(minutes(&history), expected);
        }
    }
}
