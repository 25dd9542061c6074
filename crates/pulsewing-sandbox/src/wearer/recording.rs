//! Recordings: heart-rate samples read from CSV.

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

use super::Sample;

/// Heart-rate samples of one wearer, in chronological order.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    samples: Vec<Sample>,
}

impl Recording {
    /// Reads a recording from CSV text.
    ///
    /// The first line is `time,bpm`, optionally with further columns, as `pulsewing export` writes
    /// them: a column `offset` contains the UTC offset of the row's clock; other columns are
    /// ignored, and so are rows without a bpm. Times are ISO 8601; those without an offset are
    /// local to `zone`. Samples may have any spacing. In an hour that the zone repeats, a time that
    /// runs backwards begins the second pass. Bpm are whole beats per minute, 1 to 300.
    ///
    /// # Errors
    /// Returns what is wrong and the number of the line, counted from 1.
    pub fn from_csv(text: &str, zone: &TimeZone) -> Result<Self, RecordingError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text
            .lines()
            .zip(1..)
            .map(|(line, number)| (line.trim(), number));
        let (header, line) = lines
            .find(|(line, _)| !line.is_empty())
            .ok_or(RecordingError::Empty)?;
        let header = header.replace(' ', "").to_ascii_lowercase();
        let further = match header.strip_prefix("time,bpm") {
            Some("") => None,
            Some(further) => Some(
                further
                    .strip_prefix(',')
                    .ok_or(RecordingError::Header { line })?,
            ),
            None => return Err(RecordingError::Header { line }),
        };
        let offset_column =
            further.and_then(|names| names.split(',').position(|name| name == "offset"));
        let mut samples: Vec<Sample> = Vec::new();
        for (row, line) in lines.filter(|(line, _)| !line.is_empty()) {
            let (time, bpm) = row
                .split_once(',')
                .ok_or(RecordingError::Columns { line })?;
            let (bpm, further_cells) = match further {
                Some(_) => bpm.split_once(',').unwrap_or((bpm, "")),
                None => (bpm, ""),
            };
            let offset = offset_column.and_then(|column| further_cells.split(',').nth(column));
            let time = format!("{}{}", time.trim(), offset.unwrap_or_default().trim());
            let (time, bpm) = (time.as_str(), bpm.trim());
            if further.is_some() && bpm.is_empty() {
                continue;
            }
            let bpm: u16 = bpm
                .parse()
                .ok()
                .filter(|bpm| (1..=300).contains(bpm))
                .ok_or_else(|| RecordingError::Bpm {
                    line,
                    found: shortened(bpm),
                })?;
            let at =
                instant(time, zone, samples.last().map(|sample| sample.at)).ok_or_else(|| {
                    RecordingError::Time {
                        line,
                        found: shortened(time),
                    }
                })?;
            samples.push(Sample { at, bpm });
        }
        if samples.is_empty() {
            return Err(RecordingError::Empty);
        }
        samples.sort_by_key(|sample| sample.at);
        Ok(Self { samples })
    }

    /// Joins recordings of one wearer, for example one file per day.
    pub fn joined(recordings: impl IntoIterator<Item = Self>) -> Self {
        let mut samples: Vec<Sample> = recordings.into_iter().flat_map(|r| r.samples).collect();
        samples.sort_by_key(|sample| sample.at);
        Self { samples }
    }

    /// Returns the instant of the first sample, or `None` if there is no sample.
    pub fn first(&self) -> Option<Timestamp> {
        self.samples.first().map(|sample| sample.at)
    }

    /// Returns the instant of the last sample, or `None` if there is no sample.
    pub fn last(&self) -> Option<Timestamp> {
        self.samples.last().map(|sample| sample.at)
    }

    pub(super) fn samples(&self, from: Timestamp, to: Timestamp) -> &[Sample] {
        let start = self.samples.partition_point(|sample| sample.at < from);
        let end = self.samples.partition_point(|sample| sample.at < to);
        self.samples.get(start..end).unwrap_or_default()
    }
}

/// Why a text is not a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// There is no sample in it.
    #[error("the recording contains no samples")]
    Empty,
    /// The first line is not the header.
    #[error("line {line}: expected the header `time,bpm`")]
    Header {
        /// The line's number, from 1.
        line: usize,
    },
    /// A row has no comma.
    #[error("line {line}: expected two columns, time and bpm")]
    Columns {
        /// The line's number, from 1.
        line: usize,
    },
    /// A time is not ISO 8601.
    #[error("line {line}: `{found}` is not an ISO 8601 time such as 2026-11-22T09:30:05")]
    Time {
        /// The line's number, from 1.
        line: usize,
        /// The beginning of the text found there.
        found: String,
    },
    /// A bpm is not a whole number from 1 to 300.
    #[error("line {line}: `{found}` is not a whole bpm from 1 to 300")]
    Bpm {
        /// The line's number, from 1.
        line: usize,
        /// The beginning of the text found there.
        found: String,
    },
}

fn instant(text: &str, zone: &TimeZone, previous: Option<Timestamp>) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // Only a plain civil time: a date alone or a text with trailing parts is more likely a mistake.
    if !text.contains(':') || text.contains('[') {
        return None;
    }
    let civil: DateTime = text.parse().ok()?;
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    if let AmbiguousOffset::Fold { before, after } = ambiguous.offset() {
        let first = before.to_timestamp(civil).ok()?;
        return match previous {
            Some(previous) if previous > first => after.to_timestamp(civil).ok(),
            _ => Some(first),
        };
    }
    ambiguous.compatible().ok()
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn instants(text: &str) -> Vec<String> {
        let recording = Recording::from_csv(text, &berlin()).unwrap();
        recording
            .samples
            .iter()
            .map(|sample| sample.at.to_string())
            .collect()
    }

    #[test]
    fn times_are_local_unless_they_carry_an_offset() {
        let text = "\u{feff}time,bpm\r\n2026-07-01T12:00:00,60\r\n\r\n2026-07-01T12:00:05Z,61\r\n\
                    2026-07-01 12:00:10+05:30,62\r\n";
        assert_eq!(
            instants(text),
            [
                "2026-07-01T06:30:10Z",
                "2026-07-01T10:00:00Z",
                "2026-07-01T12:00:05Z"
            ]
        );
    }

    #[test]
    fn an_exports_further_columns_say_which_clock_it_was() {
        let text = "time,bpm,offset,zone,resting_bpm\n2026-07-01 00:00:00,,+05:30,Asia/Kolkata,55\n\
                    2026-07-01 12:00:00,60,+05:30,Asia/Kolkata,\n2026-07-01 12:00:00,61,,,\n";
        assert_eq!(
            instants(text),
            ["2026-07-01T06:30:00Z", "2026-07-01T10:00:00Z"]
        );
        let other = Recording::from_csv("time,bpms\n", &berlin()).unwrap_err();
        assert_eq!(other, RecordingError::Header { line: 1 });
    }

    #[test]
    fn a_time_that_runs_backwards_begins_the_repeated_hour() {
        let text = "time,bpm\n2026-10-25T02:59:00,60\n2026-10-25T02:00:00,61\n2026-10-25T02:59:30,62\n\
                    2026-10-25T03:00:00,63\n";
        assert_eq!(
            instants(text),
            [
                "2026-10-25T00:59:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T01:59:30Z",
                "2026-10-25T02:00:00Z"
            ]
        );
    }

    #[test]
    fn an_error_names_the_line() {
        let error = |text: &str| Recording::from_csv(text, &berlin()).unwrap_err();
        assert_eq!(error(""), RecordingError::Empty);
        assert_eq!(error("time,bpm\n"), RecordingError::Empty);
        assert_eq!(
            error("\n2026-01-01T00:00:00,60\n"),
            RecordingError::Header { line: 2 }
        );
        assert_eq!(
            error("time,bpm\n2026-01-01T00:00:00\n"),
            RecordingError::Columns { line: 2 }
        );
        assert_eq!(
            error("time,bpm\n2026-01-01T00:00:00,60\n\nyesterday,61\n").to_string(),
            "line 4: `yesterday` is not an ISO 8601 time such as 2026-11-22T09:30:05"
        );
        for bpm in ["0", "301", "61.5", "-1", ""] {
            let text = format!("time,bpm\n2026-01-01T00:00:00,{bpm}\n");
            assert_eq!(
                error(&text),
                RecordingError::Bpm {
                    line: 2,
                    found: bpm.to_owned()
                }
            );
        }
        assert!(matches!(
            error("time,bpm\n2026-01-01,60\n"),
            RecordingError::Time { line: 2, .. }
        ));
    }

    #[test]
    fn several_files_are_several_days() {
        let day = |text| Recording::from_csv(text, &TimeZone::UTC).unwrap();
        let joined = Recording::joined([
            day("time,bpm\n2026-01-02T00:00:00,61\n"),
            day("time,bpm\n2026-01-01T00:00:00,60\n"),
        ]);
        assert_eq!(joined.first(), "2026-01-01T00:00:00Z".parse().ok());
        assert_eq!(joined.last(), "2026-01-02T00:00:00Z".parse().ok());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(time,bpm|\n|,|[0-9]{1,4}|-|T|:|Z|é| )*") {
            let _ = Recording::from_csv(&text, &berlin());
        }

        #[test]
        fn what_is_written_in_a_zone_is_read_back(seconds in proptest::collection::vec(0i64..4_000_000, 1..50)) {
            let mut seconds = seconds;
            seconds.sort_unstable();
            seconds.dedup();
            // The autumn of 2026, with the repeated hour in it.
            let at = |second: &i64| Timestamp::from_second(1_790_000_000 + second).unwrap();
            let mut text = "time,bpm\n".to_owned();
            for second in &seconds {
                let local = at(second).to_zoned(berlin());
                text += &format!("{},60\n", local.strftime("%Y-%m-%dT%H:%M:%S%:z"));
            }
            let recording = Recording::from_csv(&text, &berlin()).unwrap();
            let read: Vec<Timestamp> = recording.samples.iter().map(|sample| sample.at).collect();
            proptest::prop_assert_eq!(read, seconds.iter().map(at).collect::<Vec<_>>());
        }
    }
}
