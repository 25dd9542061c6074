//! The CSV files of an export, and any recording with the columns `time,bpm`.
//!
//! | header | what | times |
//! |---|---|---|
//! | `timestamp,beats per minute` | an export's samples | UTC |
//! | `timestamp,beats per minute,data source` | the same, with the device or app | UTC |
//! | `time,bpm` | `pulsewing export`, or a recording | with an offset, else the wearer's clock |
//!
//! A kind of data of which there is none is a file that holds `no data`, or only the header.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader};

use super::{Failure, FileError};

/// The most devices that a file may name.
pub(crate) const MAX_DEVICES: usize = 32;

/// The longest line, and the most columns.
const MAX_LINE: usize = 4_096;
const MAX_COLUMNS: usize = 32;

/// A line of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) time: &'a [u8],
    pub(crate) rate: &'a [u8],
    pub(crate) device: &'a [u8],
}

/// Which header a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// An export's.
    Export,
    /// `time,bpm`.
    Recording,
}

/// Where the columns are.
#[derive(Clone, Copy, Debug)]
struct Columns {
    header: Header,
    time: usize,
    rate: usize,
    device: Option<usize>,
}

/// Hands over a file's lines, in chunks of this buffer's size.
pub(crate) fn read(
    content: &mut dyn Read,
    buffer: &mut [u8],
    mut each: impl FnMut(Header, Line<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut reader = Reader::new();
    let mut line = [0; MAX_LINE];
    let mut ends = [0; MAX_COLUMNS];
    let (mut line_length, mut columns) = (0, 0);
    let mut known: Option<Columns> = None;
    loop {
        let count = match content.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            result => result?,
        };
        let mut chunk = buffer.get(..count).unwrap_or_default();
        // An empty chunk is the end of the file, so only the file's end may be handed on as one.
        while !chunk.is_empty() || count == 0 {
            let (result, taken, written, ended) = reader.read_record(
                chunk,
                line.get_mut(line_length..).unwrap_or_default(),
                ends.get_mut(columns..).unwrap_or_default(),
            );
            chunk = chunk.get(taken..).unwrap_or_default();
            line_length += written;
            columns += ended;
            match result {
                ReadRecordResult::InputEmpty => break,
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(FileError::LongLine(reader.line()).into());
                }
                ReadRecordResult::Record => {
                    let fields = Fields {
                        line: line.get(..line_length).unwrap_or_default(),
                        ends: ends.get(..columns).unwrap_or_default(),
                    };
                    match &known {
                        Some(columns) => each(columns.header, fields.line(columns))?,
                        None if fields.is_no_data() => {}
                        None => known = Some(fields.columns().ok_or(FileError::NotHeartRate)?),
                    }
                    (line_length, columns) = (0, 0);
                }
                ReadRecordResult::End => return Ok(()),
            }
        }
    }
}

/// The fields of a line.
struct Fields<'a> {
    line: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Fields<'a> {
    fn get(&self, column: usize) -> &'a [u8] {
        let start = match column.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(0),
        };
        start
            .zip(self.ends.get(column).copied())
            .and_then(|(start, end)| self.line.get(start..end))
            .unwrap_or_default()
            .trim_ascii()
    }

    fn line(&self, columns: &Columns) -> Line<'a> {
        Line {
            time: self.get(columns.time),
            rate: self.get(columns.rate),
            device: columns.device.map_or(&[], |device| self.get(device)),
        }
    }

    fn is_no_data(&self) -> bool {
        self.ends.len() <= 1 && matches!(self.get(0), b"" | b"no data")
    }

    fn columns(&self) -> Option<Columns> {
        let find = |name: &str| {
            (0..self.ends.len()).find(|&column| {
                let field = self.get(column);
                // Some programs put a byte order mark before the first column.
                let field = field.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(field);
                field.eq_ignore_ascii_case(name.as_bytes())
            })
        };
        if let Some((time, rate)) = find("timestamp").zip(find("beats per minute")) {
            return Some(Columns {
                header: Header::Export,
                time,
                rate,
                device: find("data source"),
            });
        }
        let (time, rate) = find("time").zip(find("bpm"))?;
        Some(Columns {
            header: Header::Recording,
            time,
            rate,
            device: None,
        })
    }
}

/// Reads a rate in thousandths of a beat per minute; `None` when it is none.
pub(crate) fn rate(text: &[u8]) -> Option<u32> {
    let value: f64 = str::from_utf8(text).ok()?.parse().ok()?;
    let thousandths = (value * 1_000.0).round();
    // No rate is beyond this; NaN is in no range.
    (0.0..=1e6)
        .contains(&thousandths)
        .then_some(thousandths as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &[u8], chunk: usize) -> Result<Vec<(Header, String)>, FileError> {
        let mut found = Vec::new();
        let each = |header, line: Line<'_>| {
            let field = |bytes| String::from_utf8_lossy(bytes).into_owned();
            let text = [line.time, line.rate, line.device].map(field).join("|");
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
            let text = b"\xEF\xBB\xBFtime,bpm\n2024-10-27T00:00:04,65";
            assert_eq!(
                lines(text, chunk).unwrap(),
                [(Header::Recording, "2024-10-27T00:00:04|65|".to_owned())]
            );
        }
    }

    #[test]
    fn nothing_is_fine_and_something_else_is_not() {
        for text in ["", "no data", "no data\r\n", "timestamp,beats per minute\n"] {
            assert_eq!(lines(text.as_bytes(), 5).unwrap(), [], "{text}");
        }
        for text in ["a,b\n1,2\n", "<html>", "timestamp,steps\n"] {
            assert!(
                matches!(lines(text.as_bytes(), 5), Err(FileError::NotHeartRate)),
                "{text}"
            );
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

    #[test]
    fn a_rate_is_a_number_within_reason() {
        assert_eq!(rate(b"65.0"), Some(65_000));
        assert_eq!(rate(b"65.4996"), Some(65_500));
        for bad in ["", "x", "-1", "1e999", "NaN", "inf", "1001"] {
            assert_eq!(rate(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), chunk in 1_usize..50) {
            let text = [b"time,bpm\n", bytes.as_slice()].concat();
            // Either verdict will do.
            let _ = lines(&text, chunk);
            let _ = lines(&bytes, chunk);
        }
    }
}
