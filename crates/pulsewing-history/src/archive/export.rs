//! Writes the history as CSV or JSON.
//!
//! Both formats are complete: every minute with the time on the wearer's clock, its offset and
//! zone, and each day's resting heart rate, on the day's first line. `import` reads them back.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use jiff::{Timestamp, civil::Date, fmt::temporal::DateTimePrinter, tz::Offset};
use pulsewing_core::Bpm;

use crate::{History, HistoryError, Kind, Minute};

/// The format of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Columns: `time,bpm,offset,zone,resting_bpm`.
    #[default]
    Csv,
    /// One object per line: `{"time":"...","bpm":N,"zone":"..."}`, with `"source":"push/NAME"` if a program
    /// sent the minute.
    Json,
}

/// The reason why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The history could not be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The output could not be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes every minute of the days from one date to another, both included, and their resting heart
/// rates; returns the number of lines. Times are on the wearer's clock. In CSV, the offset from UTC
/// has a separate column: spreadsheets, and programs that read a whole column at once, do not
/// accept times with varying offsets.
///
/// # Errors
/// [`ExportError`].
pub fn export(
    history: &History,
    from: Date,
    to: Date,
    format: Format,
    out: &mut dyn Write,
) -> Result<u64, ExportError> {
    let resting = history
        .overview(from, to)?
        .into_iter()
        .filter_map(|day| Some((day.date, day.resting?)))
        .collect();
    let mut lines = Lines {
        history,
        format,
        out,
        resting,
        time: String::new(),
        source: String::new(),
        count: 0,
    };
    if format == Format::Csv {
        lines.out.write_all(b"time,bpm,offset,zone,resting_bpm\n")?;
    }
    history.minutes(from, to, |minute: Minute| lines.minute(&minute))?;
    lines.days_before(Date::MAX)?;
    Ok(lines.count)
}

struct Lines<'a> {
    history: &'a History,
    format: Format,
    out: &'a mut dyn Write,
    /// The resting heart rates that are not written yet.
    resting: BTreeMap<Date, Bpm>,
    time: String,
    /// The source of the line, if it is told.
    source: String,
    count: u64,
}

impl Lines<'_> {
    fn minute(&mut self, minute: &Minute) -> Result<(), ExportError> {
        let date = minute.local().date();
        self.days_before(date)?;
        let resting = self.resting.remove(&date);
        self.source.clear();
        if minute.source.kind() == Kind::Push {
            write!(self.source, "{}", minute.source).map_err(io::Error::other)?;
        }
        self.line(
            minute.at,
            minute.offset,
            &minute.zone,
            Some(minute.bpm),
            resting,
        )
    }

    /// Writes the days before a date that have a resting heart rate but no minute.
    fn days_before(&mut self, date: Date) -> Result<(), ExportError> {
        while let Some(first) = self
            .resting
            .first_entry()
            .filter(|first| *first.key() < date)
        {
            let (first, resting) = first.remove_entry();
            let known = match self.history.day(first) {
                Ok(Some(known)) => known,
                // An unreadable day does not affect the others; the caller reports it.
                Ok(None) | Err(HistoryError::UnreadableDay(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            let local = known.day.local();
            self.source.clear();
            self.line(
                local.start(),
                local.offset(),
                known.zone(),
                None,
                Some(resting),
            )?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        at: Timestamp,
        offset: Offset,
        zone: &str,
        bpm: Option<Bpm>,
        resting: Option<Bpm>,
    ) -> Result<(), ExportError> {
        self.time.clear();
        DateTimePrinter::new()
            .print_timestamp_with_offset(&at, offset, &mut self.time)
            .map_err(io::Error::other)?;
        self.count += 1;
        match self.format {
            Format::Csv => self.csv(zone, bpm, resting)?,
            Format::Json => self.json(zone, bpm, resting)?,
        }
        Ok(())
    }

    fn csv(&mut self, zone: &str, bpm: Option<Bpm>, resting: Option<Bpm>) -> io::Result<()> {
        // The time on the wearer's clock, followed by the offset.
        let (date, rest) = self.time.split_at_checked(10).unwrap_or_default();
        let (time, offset) = rest.split_at_checked(9).unwrap_or_default();
        let time = time.trim_start_matches('T');
        write!(self.out, "{date} {time},")?;
        if let Some(bpm) = bpm {
            write!(self.out, "{bpm}")?;
        }
        write!(self.out, ",{offset},{zone},")?;
        if let Some(resting) = resting {
            write!(self.out, "{resting}")?;
        }
        writeln!(self.out)
    }

    fn json(&mut self, zone: &str, bpm: Option<Bpm>, resting: Option<Bpm>) -> io::Result<()> {
        write!(self.out, "{{\"time\":\"{}\"", self.time)?;
        if let Some(bpm) = bpm {
            write!(self.out, ",\"bpm\":{bpm}")?;
        }
        write!(self.out, ",\"zone\":{}", serde_json::Value::from(zone))?;
        if let Some(resting) = resting {
            write!(self.out, ",\"resting_bpm\":{resting}")?;
        }
        if !self.source.is_empty() {
            let source = serde_json::Value::from(self.source.as_str());
            write!(self.out, ",\"source\":{source}")?;
        }
        writeln!(self.out, "}}")
    }
}
