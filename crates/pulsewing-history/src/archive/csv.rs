//! CSV with samples: that of an export, of `pulsewing export`, and any other with a time and a
//! rate.
//!
//! | header | contents | times |
//! |---|---|---|
//! | `timestamp,beats per minute` | an export's samples | UTC |
//! | `timestamp,beats per minute,data source` | the same, with the device or app | UTC |
//! | `time,bpm,offset,zone,resting_bpm` | `pulsewing export` | the wearer's clock and its offset |
//! | `Id,Time,Value` | public data sets of many wearers | American, the wearer's clock |
//! | a time and a rate under their usual names | a recording | with an offset, else the wearer's clock |
//! | the same, with the date in a separate column | a recording | the wearer's clock |
//!
//! Columns are separated by commas, semicolons or tabs, as in the header. For a kind of data
//! without values, the file contains `no data`, or only the header.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{
    Failure, FileError,
    columns::{Fields, Header, Line, Places},
    text::each_chunk,
};

/// The maximum length of a line in bytes, and the maximum number of columns.
const MAX_LINE: usize = 4_096;
const MAX_COLUMNS: usize = 32;

/// The maximum length of a line that is parsed in place.
const SHORT_LINE: usize = 512;

/// Hands over a file's lines. Reads chunks of this buffer's size.
pub(crate) fn read(
    content: &mut dyn Read,
    buffer: &mut [u8],
    mut each: impl FnMut(Header, Line<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut start = Vec::new();
    (&mut *content)
        .take(MAX_LINE as u64 + 1)
        .read_to_end(&mut start)?;
    let mut lines = Lines::new(delimiter(&start));
    let content = &mut start.as_slice().chain(content);
    each_chunk(content, buffer, |chunk| lines.feed(chunk, &mut each))?;
    // The first empty chunk ends the last line, the second one the file.
    lines.record(&[], &mut each)?;
    lines.record(&[], &mut each)?;
    Ok(())
}

/// Returns the separator of the columns: the most frequent of the three in the first line. A
/// spreadsheet's `sep=;` line names the separator, and fits this rule because it contains one.
fn delimiter(start: &[u8]) -> u8 {
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    [b';', b'\t']
        .into_iter()
        .find(|other| count(*other) > count(b','))
        .unwrap_or(b',')
}

/// Lines as their bytes arrive.
struct Lines {
    reader: Reader,
    delimiter: u8,
    known: Option<(Header, Places)>,
    /// The unfinished line, without its quotes, and the ends of its finished columns.
    line: [u8; MAX_LINE],
    line_length: usize,
    ends: [usize; MAX_COLUMNS],
    columns: usize,
    /// Whether the next byte begins a line.
    is_between: bool,
    /// The number of lines that were parsed in place.
    passed: u64,
}

impl Lines {
    fn new(delimiter: u8) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            delimiter,
            known: None,
            line: [0; MAX_LINE],
            line_length: 0,
            ends: [0; MAX_COLUMNS],
            columns: 0,
            is_between: false,
            passed: 0,
        }
    }

    fn feed(
        &mut self,
        mut chunk: &[u8],
        each: &mut impl FnMut(Header, Line<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while !chunk.is_empty() {
            if self.is_between
                && let Some((header, columns)) = self.known
            {
                chunk = self.plain(chunk, &columns, |line| each(header, line))?;
                if chunk.is_empty() {
                    break;
                }
            }
            chunk = self.record(chunk, each)?;
        }
        Ok(())
    }

    /// Parses lines in place, as long as they are complete, short and without quotes, as nearly all
    /// are; returns the rest.
    fn plain<'c>(
        &mut self,
        mut chunk: &'c [u8],
        columns: &Places,
        mut each: impl FnMut(Line<'_>) -> Result<(), Failure>,
    ) -> Result<&'c [u8], Failure> {
        let last = columns.last();
        let mut ends = [0; MAX_COLUMNS];
        while let Some(end) = memchr::memchr(b'\n', chunk) {
            let line = chunk.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > SHORT_LINE || memchr::memchr2(b'"', b'\r', line).is_some() {
                break;
            }
            // We need only the first columns of the line.
            let mut count = 0;
            for at in memchr::memchr_iter(self.delimiter, line) {
                if count > last {
                    break;
                }
                if let Some(place) = ends.get_mut(count) {
                    *place = at;
                }
                count += 1;
            }
            if count <= last
                && let Some(place) = ends.get_mut(count)
            {
                *place = line.len();
                count += 1;
            }
            chunk = chunk.get(end + 1..).unwrap_or_default();
            self.passed += 1;
            if line.is_empty() {
                continue;
            }
            let fields = Fields {
                line,
                ends: ends.get(..count).unwrap_or_default(),
                between: 1,
            };
            each(fields.line(columns))?;
        }
        Ok(chunk)
    }

    /// Reads one line, or the beginning of one; returns the rest. An empty chunk is the end of the
    /// file.
    fn record<'c>(
        &mut self,
        chunk: &'c [u8],
        each: &mut impl FnMut(Header, Line<'_>) -> Result<(), Failure>,
    ) -> Result<&'c [u8], Failure> {
        let (result, taken, written, ended) = self.reader.read_record(
            chunk,
            self.line.get_mut(self.line_length..).unwrap_or_default(),
            self.ends.get_mut(self.columns..).unwrap_or_default(),
        );
        self.line_length += written;
        self.columns += ended;
        self.is_between = matches!(result, ReadRecordResult::Record);
        match result {
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                let line = self.passed.saturating_add(self.reader.line());
                return Err(FileError::LongLine(line).into());
            }
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            ReadRecordResult::Record => {
                let fields = Fields {
                    line: self.line.get(..self.line_length).unwrap_or_default(),
                    ends: self.ends.get(..self.columns).unwrap_or_default(),
                    between: 0,
                };
                match &self.known {
                    Some((header, columns)) => each(*header, fields.line(columns))?,
                    None if fields.says_nothing() => {}
                    None => self.known = Some(fields.columns()?),
                }
                (self.line_length, self.columns) = (0, 0);
            }
        }
        Ok(chunk.get(taken..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &[u8], chunk: usize) -> Result<Vec<(Header, String)>, FileError> {
        let mut found = Vec::new();
        let each = |header, line: Line<'_>| {
            let field = |bytes| String::from_utf8_lossy(bytes).into_owned();
            let mut text = [line.time, line.rate, line.device].map(field).join("|");
            if !line.date.is_empty() {
                text = format!("{} {text}", field(line.date));
            }
            found.push((header, text));
            Ok(())
        };
        match read(&mut &*text, &mut vec![0; chunk], each) {
            Ok(()) => Ok(found),
            Err(Failure::File(error)) => Err(error),
            Err(Failure::History(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn every_header_is_read_in_any_chunks() {
        for chunk in [1, 9, 4_096] {
            let text = b"timestamp,beats per minute,data source\r\n2024-10-27T00:00:04Z,65.0,\"Charge \"\"6\"\", new\"\r\n2024-10-27T00:00:09Z,,x\r\n";
            assert_eq!(
                lines(text, chunk).unwrap(),
                [
                    (
                        Header::Export,
                        "2024-10-27T00:00:04Z|65.0|Charge \"6\", new".to_owned()
                    ),
                    (Header::Export, "2024-10-27T00:00:09Z||x".to_owned()),
                ]
            );
            let text = b"time,bpm\n2024-10-27T00:00:04,65";
            assert_eq!(
                lines(text, chunk).unwrap(),
                [(Header::Recording, "2024-10-27T00:00:04|65|".to_owned())]
            );
        }
    }

    #[test]
    fn columns_are_known_by_their_usual_names_whatever_lies_between_them() {
        for (text, expected) in [
            (
                "timestamp;beats per minute;data source\r\n2026-05-07T00:00:02Z;48,0;Tracker\r\n",
                (Header::Export, "2026-05-07T00:00:02Z|48,0|Tracker"),
            ),
            (
                "timestamp,bpm,source\n2024-01-01T00:00:00.000Z,55,awake\n",
                (Header::Recording, "2024-01-01T00:00:00.000Z|55|"),
            ),
            (
                "sep=;\nStart_Time;Steps;Heart Rate\n2024-01-01 00:00:00;0;55\n",
                (Header::Recording, "2024-01-01 00:00:00|55|"),
            ),
            (
                "Heart-Rate\tDate/Time\tnote\n55\t2024-01-01 00:00:00\t\"a\ttab\"\n",
                (Header::Recording, "2024-01-01 00:00:00|55|"),
            ),
            (
                "Date;Time;Heart rate (bpm)\n2024-01-01;00:00:00;55\n",
                (Header::Recording, "2024-01-01 00:00:00|55|"),
            ),
            (
                "Id,Time,Value\n2022484408,4/12/2016 7:21:00 AM,97\n",
                (Header::People, "4/12/2016 7:21:00 AM|97|"),
            ),
            (
                "time,bpm,offset,zone,resting_bpm\n2024-01-01 00:00:00,55,+01:00,Europe/Berlin,\n",
                (Header::Own, "2024-01-01 00:00:00|55|"),
            ),
        ] {
            for chunk in [1, 9, 4_096] {
                let (header, line) = expected;
                assert_eq!(
                    lines(text.as_bytes(), chunk).unwrap(),
                    [(header, line.to_owned())],
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_fine_and_something_else_is_not() {
        for text in ["", "no data", "no data\r\n", "timestamp,beats per minute\n"] {
            assert_eq!(lines(text.as_bytes(), 5).unwrap(), [], "{text}");
        }
        for (text, told) in [
            (
                "a,b\n1,2\n",
                "its columns are \"a, b\", and none is recognised as a time or a heart rate",
            ),
            (
                "<html>",
                "its columns are \"<html>\", and none is recognised",
            ),
            (
                "timestamp,\u{1b}steps\n",
                "its columns are \"timestamp, ?steps\", and none is recognised as a heart rate",
            ),
            (
                "bpm,note\n",
                "its columns are \"bpm, note\", and none is recognised as a time",
            ),
        ] {
            let error = lines(text.as_bytes(), 5).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        let endless = format!("time,bpm\n\"{}", "x".repeat(10_000));
        assert!(matches!(
            lines(endless.as_bytes(), 999),
            Err(FileError::LongLine(_))
        ));
        let wide = format!("time,bpm\n{}", ",".repeat(100));
        assert!(matches!(
            lines(wide.as_bytes(), 999),
            Err(FileError::LongLine(_))
        ));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), chunk in 1_usize..50) {
            let text = [b"time,bpm\n", bytes.as_slice()].concat();
            // Any result will do, as long as it does not panic.
            let _ = lines(&text, chunk);
            let _ = lines(&bytes, chunk);
        }

        #[test]
        fn chunks_do_not_matter(rows in "([0-9:T-]{1,12}|\"|,|;|\n|\r\n|\r| ){0,60}", chunk in 1_usize..50) {
            let text = format!("time,bpm\n{rows}");
            prop_assert_eq!(
                lines(text.as_bytes(), chunk).map_err(|error| error.to_string()),
                lines(text.as_bytes(), 100_000).map_err(|error| error.to_string())
            );
        }
    }
}
