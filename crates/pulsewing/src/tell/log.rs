//! The log of a program that runs unattended: one line per event on stderr.
//!
//! Under systemd the journal adds the time, and takes the level from a number in front
//! (sd-daemon(3)). Elsewhere the line begins with time and level:
//!
//! ```text
//! <6>updated bpm=72 age_min=9 next=14:16
//! 2026-11-22T14:07:05Z INFO updated bpm=72 age_min=9 next=14:16
//! ```
//!
//! The messages of [`Console`](crate::tell::console::Console) come here as well.

use std::{
    fmt::{self, Write as _},
    io::{self, IsTerminal},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    filter::LevelFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, format::Writer},
    registry::LookupSpan,
};

/// The format of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// For the journal: `<6>`.
    Journal,
    /// For people and files: time and level.
    Plain { has_colour: bool },
    /// The message alone.
    Bare,
}

/// Starts the log; with `is_verbose` it includes details, such as every request.
pub(crate) fn begin(is_verbose: bool, has_colour: bool) {
    let style = if is_journal() {
        Style::Journal
    } else {
        let has_colour = has_colour && io::stderr().is_terminal();
        Style::Plain { has_colour }
    };
    let level = if is_verbose {
        LevelFilter::DEBUG
    } else {
        LevelFilter::INFO
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        // If stderr cannot be written to, reporting that would panic.
        .log_internal_errors(false)
        .event_format(Line { style })
        .finish();
    // Fails if a program that embeds this logs already; then its log stays in place.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The newest warning, for a program that uses the whole terminal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newest(Arc<Mutex<String>>);

impl Newest {
    /// Returns the line, if there was one.
    pub(crate) fn line(&self) -> Option<String> {
        let line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!line.is_empty()).then(|| line.clone())
    }
}

impl io::Write for Newest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.trim_end().clone_into(&mut line);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts to keep the newest warning, without writing anything.
pub(crate) fn keep_newest() -> Newest {
    let newest = Newest::default();
    let to = newest.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_writer(move || to.clone())
        .event_format(Line { style: Style::Bare })
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    newest
}

/// Returns whether stderr leads to the journal (systemd.exec(5), `JOURNAL_STREAM`).
#[cfg(unix)]
fn is_journal() -> bool {
    use std::os::fd::AsFd;
    let Ok(stderr) = rustix::fs::fstat(io::stderr().as_fd()) else {
        return false;
    };
    let stream = format!("{}:{}", stderr.st_dev, stderr.st_ino);
    std::env::var_os("JOURNAL_STREAM").is_some_and(|journal| journal.as_os_str() == stream.as_str())
}

#[cfg(not(unix))]
fn is_journal() -> bool {
    false
}

struct Line {
    style: Style,
}

/// Formats the fields of the spans around an event, such as the wearer that it is about.
struct Around<'a, 'c, S, N>(&'a FmtContext<'c, S, N>);

impl<S, N> fmt::Display for Around<'_, '_, S, N>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for span in self.0.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>();
            if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
                write!(f, " {fields}")?;
            }
        }
        Ok(())
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        // Details from other crates, such as idle connections, are not useful here.
        if level > Level::WARN && !event.metadata().target().starts_with("pulsewing") {
            return Ok(());
        }
        match self.style {
            Style::Bare => {}
            Style::Journal => write!(line, "<{}>", severity(level))?,
            Style::Plain { has_colour } => {
                let now = Timestamp::now();
                let colour = if has_colour { ansi(level) } else { "" };
                let end = if colour.is_empty() { "" } else { "\x1b[0m" };
                write!(line, "{now:.0} {colour}{level}{end} ")?;
            }
        }
        let mut text = Text::default();
        event.record(&mut text);
        writeln!(line, "{}{}{}", text.message, text.fields, Around(context))
    }
}

/// Returns the journal's number for a level (syslog(3)).
const fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

const fn ansi(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31;1m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        _ => "\x1b[2m",
    }
}

/// An event as text: its message, then its fields as `name=value`. Always one line, whatever the
/// event contains.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn take(&mut self, field: &Field, value: &dyn fmt::Display) {
        let value = value.to_string();
        let value = value.trim_end().replace('\n', "; ");
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        if field.name() == "message" {
            self.message = value;
        } else if value.contains([' ', '"', '=']) {
            let _ = write!(self.fields, " {}={value:?}", field.name());
        } else {
            let _ = write!(self.fields, " {}={value}", field.name());
        }
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, &format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(style: Style, tell: impl FnOnce()) -> String {
        let lines = Lines::default();
        let to = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || to.clone())
            .event_format(Line { style })
            .finish();
        tracing::subscriber::with_default(subscriber, tell);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_journal_gets_a_number_and_one_line_whatever_is_in_it() {
        let text = logged(Style::Journal, || {
            tracing::info!(bpm = 72, next = "14:16", zone = "a b", "updated");
            tracing::warn!("first\nsecond \x1b[31m");
        });
        assert_eq!(
            text,
            "<6>updated bpm=72 next=14:16 zone=\"a b\"\n<4>first; second [31m\n"
        );
    }

    #[test]
    fn a_line_names_the_wearer_it_is_about() {
        let text = logged(Style::Journal, || {
            let span = tracing::info_span!("wearer", wearer = %"anna");
            span.in_scope(|| tracing::info!(bpm = 72, "updated"));
            tracing::info!("stopped");
        });
        assert_eq!(text, "<6>updated bpm=72 wearer=anna\n<6>stopped\n");
    }

    #[test]
    fn elsewhere_a_line_begins_with_time_and_level() {
        let text = logged(Style::Plain { has_colour: false }, || {
            tracing::error!(code = 4_u8, "gone");
        });
        let (time, rest) = text.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && time.contains('T'), "{time}");
        assert_eq!(rest, "ERROR gone code=4\n");
    }
}
