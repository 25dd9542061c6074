//! What is usual for a wearer at a time of day: the middle half of the minutes of the fortnight
//! before.

use jiff::{ToSpan, civil::Date, civil::Time};
use pulsewing_history::{Dates, History, HistoryError};

use super::subject::Subject;

/// The number of days that are looked at.
pub(super) const DAYS: i8 = 14;

/// With fewer days, nothing is called usual: a quarter of an hour needs a minute on each of so many.
const FEWEST: usize = 4;

/// The number of quarters of an hour in a civil day.
const QUARTERS: usize = 96;

/// The usual range of each quarter of an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Usual {
    quarters: Vec<Option<(u16, u16)>>,
}

/// Returns what was usual in the fortnight before a date; `None` while too little is known, and if
/// the history cannot be read, which the pages of its days tell.
pub(super) async fn before(subject: &Subject, date: Date) -> Option<Usual> {
    let dates = Dates {
        from: date.checked_sub(i64::from(DAYS).days()).ok()?,
        to: date.yesterday().ok()?,
    };
    let read = subject.history(dates, move |history| Usual::of(history, dates));
    read.await.ok().flatten().flatten()
}

impl Usual {
    fn of(history: &History, dates: Dates) -> Result<Option<Self>, HistoryError> {
        let mut minutes = Vec::new();
        history.minutes::<HistoryError>(dates.from, dates.to, |minute| {
            let local = minute.local();
            minutes.push((local.date(), local.time(), minute.bpm.get()));
            Ok(())
        })?;
        Ok(Self::from_minutes(minutes))
    }

    /// Computes the ranges from minutes in the order of time.
    fn from_minutes(minutes: impl IntoIterator<Item = (Date, Time, u16)>) -> Option<Self> {
        let mut quarters = vec![(Vec::new(), Vec::new()); QUARTERS];
        for (date, time, bpm) in minutes {
            if let Some((dates, rates)) = quarters.get_mut(quarter(time)) {
                // A repeated hour belongs to the same date.
                if dates.last() != Some(&date) {
                    dates.push(date);
                }
                rates.push(bpm);
            }
        }
        let ranges = quarters.into_iter().map(|(dates, mut rates)| {
            rates.sort_unstable();
            let enough = dates.len() >= FEWEST;
            Some((quantile(&rates, 1)?, quantile(&rates, 3)?)).filter(|_| enough)
        });
        let quarters: Vec<_> = ranges.collect();
        quarters
            .iter()
            .any(Option::is_some)
            .then_some(Self { quarters })
    }

    /// Returns the usual range at a time of day, from the 25th to the 75th percentile.
    pub(super) fn at(&self, time: Time) -> Option<(u16, u16)> {
        self.quarters.get(quarter(time)).copied().flatten()
    }

    /// Returns the lowest and the highest rate of all ranges.
    pub(super) fn extent(&self) -> Option<(u16, u16)> {
        let known = || self.quarters.iter().flatten();
        Some((
            known().map(|(low, _)| *low).min()?,
            known().map(|(_, high)| *high).max()?,
        ))
    }
}

/// Returns the quarter of an hour of a time of day.
fn quarter(time: Time) -> usize {
    let quarter = i32::from(time.hour()) * 4 + i32::from(time.minute()) / 15;
    usize::try_from(quarter).unwrap_or_default()
}

/// Returns a quartile of sorted rates: the value at its nearest rank.
fn quantile(sorted: &[u16], quarters: usize) -> Option<u16> {
    let rank = (sorted.len() * quarters).div_ceil(4);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    /// Fifteen minutes from eight o'clock on each of so many days, with this rate in each minute.
    fn mornings(days: i8, bpm: impl Fn(i8, i8) -> u16) -> Vec<(Date, Time, u16)> {
        let minutes = (1..=days).flat_map(|day| (0..15).map(move |minute| (day, minute)));
        minutes
            .map(|(day, minute)| {
                let at = time(8, minute, 0, 0);
                (date(2026, 11, day), at, bpm(day, minute))
            })
            .collect()
    }

    #[test]
    fn the_middle_half_is_usual() {
        // 60 to 74 on each day.
        let usual =
            Usual::from_minutes(mornings(14, |_, minute| 60 + minute.unsigned_abs() as u16));
        let usual = usual.unwrap();
        assert_eq!(usual.at(time(8, 14, 0, 0)), Some((63, 71)));
        assert_eq!(usual.at(time(8, 15, 0, 0)), None);
        assert_eq!(usual.at(time(7, 59, 0, 0)), None);
        assert_eq!(usual.extent(), Some((63, 71)));
    }

    #[test]
    fn one_odd_day_changes_little() {
        let usual = Usual::from_minutes(mornings(14, |day, _| if day == 3 { 150 } else { 62 }));
        assert_eq!(usual.unwrap().at(time(8, 0, 0, 0)), Some((62, 62)));
    }

    #[test]
    fn three_days_are_too_few() {
        assert_eq!(Usual::from_minutes(mornings(3, |_, _| 60)), None);
        assert!(Usual::from_minutes(mornings(4, |_, _| 60)).is_some());
        assert_eq!(Usual::from_minutes(Vec::new()), None);
    }
}
