//! Writes the history as CSV or JSON.

use std::io::{self, Write};

use jiff::{civil::Date, fmt::temporal::DateTimePrinter};

use crate::history::{History, HistoryError, Minute};

/// How minutes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A header, then `time,bpm`: what the sandbox's `--data` and `import` read.
    #[default]
    Csv,
    /// One object a line: `{"time":"...","bpm":N}`.
    Json,
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It could not be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes every minute of the days from a date to another, both included; returns how many. Times
/// are ISO 8601, the wearer's clock with its offset.
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
    if format == Format::Csv {
        out.write_all(b"time,bpm\n")?;
    }
    let mut count = 0;
    let mut time = String::new();
    history.minutes(from, to, |minute: Minute| {
        time.clear();
        let printed = DateTimePrinter::new().print_timestamp_with_offset(
            &minute.at,
            minute.offset,
            &mut time,
        );
        printed.map_err(io::Error::other)?;
        match format {
            Format::Csv => writeln!(out, "{time},{}", minute.bpm)?,
            Format::Json => writeln!(out, "{{\"time\":\"{time}\",\"bpm\":{}}}", minute.bpm)?,
        }
        count += 1;
        Ok::<(), ExportError>(())
    })?;
    Ok(count)
}
