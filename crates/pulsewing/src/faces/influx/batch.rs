//! Minutes as lines of InfluxDB's line protocol:
//! <https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::{Timestamp, civil::Date};
use pulsewing_core::Bpm;
use pulsewing_history::{DayVersion, HistoryError};

use crate::config::{places::Place, wearer::WearerId};

/// The name of the measurement.
const MEASUREMENT: &str = "heart_rate";

/// The number of lines from which on a batch is sent: InfluxDB's documentation advises 5,000. The last day of
/// a batch may exceed it.
const ENOUGH: usize = 4_000;

/// The minutes of a day that were sent.
pub(super) type Minutes = BTreeMap<Timestamp, Bpm>;

/// Some days, as lines.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The lines.
    pub(super) lines: String,
    /// The number of lines.
    pub(super) points: usize,
    /// The days, in the order of their versions.
    pub(super) days: Vec<DayVersion>,
    /// The minutes of the last one.
    pub(super) last: Option<(Date, Minutes)>,
}

/// Reads the first of these days, until the batch has enough lines. Leaves out the minutes that `sent` has
/// with the same rates.
///
/// # Errors
/// [`HistoryError`].
pub(super) fn read(
    place: &Place,
    days: &[DayVersion],
    sent: &BTreeMap<Date, Minutes>,
) -> Result<Batch, HistoryError> {
    let mut batch = Batch::default();
    let Some(history) = place.history()? else {
        return Ok(batch);
    };
    for day in days {
        let known = sent.get(&day.date);
        let mut minutes = Minutes::new();
        history.minutes(day.date, day.date, |minute| {
            let (at, bpm) = (minute.at, minute.bpm);
            if known.and_then(|known| known.get(&at)) != Some(&bpm) {
                write_line(&mut batch.lines, &place.wearer, at, bpm);
                batch.points += 1;
            }
            minutes.insert(at, bpm);
            Ok::<(), HistoryError>(())
        })?;
        batch.days.push(*day);
        batch.last = Some((day.date, minutes));
        if batch.points >= ENOUGH {
            break;
        }
    }
    Ok(batch)
}

/// Writes a point. An id needs no escapes: it has only small letters, digits and hyphens.
fn write_line(lines: &mut String, wearer: &WearerId, at: Timestamp, bpm: Bpm) {
    let (bpm, at) = (bpm.get(), at.as_second());
    let _ = writeln!(lines, "{MEASUREMENT},wearer={wearer} bpm={bpm}i {at}");
}

#[cfg(test)]
mod tests {
    use pulsewing_testkit::at;

    use super::*;

    #[test]
    fn a_minute_is_a_point_with_its_own_time() {
        let mut lines = String::new();
        let bpm = Bpm::new(72).unwrap();
        write_line(
            &mut lines,
            &WearerId::default(),
            at("2026-11-22T13:59:00Z"),
            bpm,
        );
        assert_eq!(lines, "heart_rate,wearer=default bpm=72i 1795355940\n");
    }
}
