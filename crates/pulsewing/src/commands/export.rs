//! `pulsewing export`: the history, minute by minute.

use std::io::{self, BufWriter, Write};

use jiff::civil::Date;
use pulsewing_history::{
    History, HistoryError,
    archive::export::{ExportError, export},
};

use crate::{
    app::App,
    cli,
    tell::{
        console::Console,
        problem::{Exit, Problem},
    },
};

/// The maximum number of unreadable days to name.
const NAMED: usize = 20;

pub(super) fn run(app: &App, options: &cli::Export) -> Result<(), Problem> {
    let history = app.place.history().map_err(unusable)?.ok_or_else(|| {
        Problem::failed("there is no history yet")
            .hint("`pulsewing once` starts one, and `pulsewing import` fills it from exports")
    })?;
    export_from(&history, app.console, options)
}

/// Prints a history.
pub(super) fn export_from(
    history: &History,
    console: Console,
    options: &cli::Export,
) -> Result<(), Problem> {
    let from = options.from.unwrap_or(Date::MIN);
    let to = options.to.unwrap_or(Date::MAX);
    if from > to {
        return Err(Problem::new(
            Exit::Usage,
            format!("there are no days from {from} to {to}"),
        ));
    }
    let format = options.format.into();
    // A dry run first: if the history turns out to be damaged, stdout stays empty.
    let count = export(history, from, to, format, &mut io::sink()).map_err(problem)?;
    let unreadable = history.unreadable(from, to).map_err(unusable)?;
    if count == 0 && unreadable.is_empty() {
        console.warn("the history has no minutes for these days");
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let result = export(history, from, to, format, &mut out).and_then(|_| Ok(out.flush()?));
    match result {
        // A reader that has gone away, such as `head`, is not an error.
        Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(problem),
    }?;
    left_out(console, &unreadable)
}

/// Names the days with data that could not be read.
fn left_out(console: Console, unreadable: &[Date]) -> Result<(), Problem> {
    if unreadable.is_empty() {
        return Ok(());
    }
    for date in unreadable.iter().take(NAMED) {
        console.warn(&format!(
            "{date} was left out, at least in part: its data in the history cannot be read"
        ));
    }
    let count = unreadable.len();
    if count > NAMED {
        console.warn(&format!("and {} more", count - NAMED));
    }
    let days = match count {
        1 => "1 day of the history could not be read".to_owned(),
        _ => format!("{count} days of the history could not be read"),
    };
    Err(Problem::failed(format!("{days}; everything else was exported"))
        .hint("fetching or importing such a day again replaces it: `pulsewing run` fetches the last 30 days again on its own, and `pulsewing import` reads an export of that day"))
}

fn problem(error: ExportError) -> Problem {
    match error {
        ExportError::History(error) => unusable(error),
        ExportError::Write(error) => {
            Problem::failed("stdout could not be written").caused_by(&error)
        }
    }
}

/// Builds the problem for a command that needs the history but cannot use it.
pub(super) fn unusable(error: HistoryError) -> Problem {
    stopped(error.to_string(), &error)
}

/// Builds a problem for an operation that a history error stopped.
pub(super) fn stopped(what: impl Into<String>, error: &HistoryError) -> Problem {
    let exit = match error {
        HistoryError::Busy => Exit::Temporary,
        _ => Exit::Failed,
    };
    let mut problem = Problem::new(exit, what);
    if let Some(cause) = std::error::Error::source(error) {
        problem = problem.caused_by(cause);
    }
    if let Some(technical) = error.technical() {
        problem = problem.details(technical);
    }
    match error.advice() {
        Some(advice) => problem.hint(advice),
        None => problem,
    }
}
