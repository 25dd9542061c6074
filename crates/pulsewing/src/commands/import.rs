//! `pulsewing import`: imports exports of earlier years into the history.

use std::io::{self, IsTerminal, Write};

use jiff::tz::TimeZone;
use pulsewing_core::{Bpm, dialect::ZoneFacts};
use pulsewing_history::{
    History, HistoryError, Retention,
    archive::{
        FileError,
        import::{Doubt, JsonTimes, Settings, Summary, Watcher, import},
    },
    rescue,
};

use super::export::{stopped, unusable};
use crate::{
    app::App,
    cli,
    tell::{console::Console, problem::Problem},
};

pub(super) fn run(app: &App, options: &cli::Import) -> Result<(), Problem> {
    let settings = settings(app, app.state().zone_facts(), options)?;
    let mut history = open(app)?;
    let summary = import_into(app, &mut history, options, &settings)?;
    // So that a copy of the file is complete even while a daemon has it open.
    history.write_through().map_err(unusable)?;
    verdict(&summary)
}

/// Returns the settings of an import. `reported` is the time zone that the provider reported.
///
/// # Errors
/// A [`Problem`] with the retention or the time zone.
pub(super) fn settings(
    app: &App,
    reported: Option<ZoneFacts>,
    options: &cli::Import,
) -> Result<Settings, Problem> {
    if app.config.history.keep == Retention::Nothing {
        return Err(
            Problem::failed("the configuration says not to keep a history")
                .hint("to keep one, set keep under [history] to \"forever\", or to a time such as \"400 days\""),
        );
    }
    let (zone, who) = zone(app, reported, options.zone.as_deref())?;
    let name = zone
        .iana_name()
        .map_or_else(|| zone.to_offset(app.now()).to_string(), str::to_owned);
    app.console.say(&format!(
        "Days begin at midnight in {name}, {who}; to use another time zone, add --zone."
    ));
    Ok(Settings {
        zone,
        json_times: options.json_times.into(),
        now: app.now(),
    })
}

/// Imports into a history, and tells a person about it.
///
/// # Errors
/// A [`Problem`] with the history.
pub(super) fn import_into(
    app: &App,
    history: &mut History,
    options: &cli::Import,
    settings: &Settings,
) -> Result<Summary, Problem> {
    let keep = app.config.history.keep;
    let mut progress = Progress::new(app.console);
    let result = import(history, &options.paths, settings, &mut progress);
    progress.clear();
    let summary = result.map_err(unusable)?;
    tell(app.console, &summary, settings);
    let today = settings.zone.to_datetime(settings.now).date();
    if let Some(earliest) = keep.earliest(today) {
        let removed = history.prune(earliest).map_err(unusable)?;
        if removed > 0 {
            app.console.warn(&format!(
                "[history] keep = \"{keep}\": anything before {earliest} was not kept"
            ));
        }
    }
    Ok(summary)
}

/// Returns the zone, and its source.
fn zone(
    app: &App,
    reported: Option<ZoneFacts>,
    asked: Option<&str>,
) -> Result<(TimeZone, &'static str), Problem> {
    if let Some(name) = asked {
        let zone = TimeZone::get(name).map_err(|_| {
            Problem::failed(format!("there is no time zone \"{name}\""))
                .hint("use a name such as \"Europe/Berlin\"")
        })?;
        return Ok((zone, "as given"));
    }
    if let Some(facts) = reported {
        let named = facts.name.and_then(|name| TimeZone::get(&name).ok());
        if let Some(zone) = named.or_else(|| facts.offset.map(TimeZone::fixed)) {
            return Ok((zone, "as reported by the provider"));
        }
    }
    let configured = app.wearer.time_zone.as_deref();
    Ok(match configured.and_then(|name| TimeZone::get(name).ok()) {
        Some(zone) => (zone, "as configured"),
        None => (TimeZone::system(), "this machine's time zone"),
    })
}

fn open(app: &App) -> Result<History, Problem> {
    let open = || {
        History::open_waiting(
            &app.place.dir,
            app.wearer.id.as_str(),
            app.history_listener(),
        )
    };
    let opened = match open() {
        Err(HistoryError::Damaged(_)) => {
            let rescued = rescue(&app.place.dir, app.wearer.id.as_str(), app.now()).map_err(|error| {
                let what =
                    "the history is damaged and was left as it is, because a new one could not be started";
                stopped(what, &error)
            })?;
            if let Some(rescued) = rescued {
                app.console.warn(&rescued.to_string());
            }
            open()
        }
        result => result,
    };
    opened.map_err(unusable)
}

fn tell(console: Console, summary: &Summary, settings: &Settings) {
    let now = settings.now;
    let dates = &summary.dates;
    let span = match (dates.first(), dates.last()) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    if summary.files > 0 {
        let taken = match summary.values {
            0 => "no heart rate imported".to_owned(),
            values => format!(
                "{} of {}{span}",
                counted(values, "value"),
                counted(dates.len() as u64, "day")
            ),
        };
        console.say(&format!(
            "Read {}: {taken}.",
            counted(summary.files, "file")
        ));
    }
    if let Some(untrusted) = untrusted(summary.doubtful, summary.doubtful_twins) {
        console.say(&untrusted);
    }
    if summary.doubtful_beyond > 0 {
        console.warn(&format!(
            "the tracker did not trust {} more, but their copies in the CSV could not be identified: import fewer years at once",
            counted(summary.doubtful_beyond, "value")
        ));
    }
    if summary.future > 0 {
        console.warn(&format!(
            "left out {} later than now ({now:.0} by this machine's clock)",
            that(summary.future, "is", "are")
        ));
    }
    if summary.refused > 0 {
        console.warn(&format!(
            "left out {} no time or no heart rate from 1 to {} bpm",
            that(summary.refused, "has", "have"),
            Bpm::MAX
        ));
    }
    let passed_over = &summary.passed_over;
    if passed_over.files > 0 {
        console.say(&format!(
            "Skipped {} that do not have the name of a heart-rate export, such as {}; to import one anyway, name it on the command line.",
            counted(passed_over.files, "file"),
            passed_over.example
        ));
    }
    if let Some(doubt) = summary.other_clock {
        console.warn(&other_clock(settings.json_times, doubt));
    }
}

/// Describes values that the tracker itself did not trust, in the JSON and in the CSV with the same
/// values.
fn untrusted(values: u64, copies: u64) -> Option<String> {
    Some(match (values, copies) {
        (0, 0) => return None,
        (0, copies) => format!(
            "Left out of the CSV: {}, which the tracker did not trust according to JSON imported earlier.",
            counted(copies, "value")
        ),
        (values, 0) => format!(
            "Left out: {}, which the tracker itself did not trust.",
            counted(values, "value")
        ),
        (values, copies) => format!(
            "Left out: {}, which the tracker itself did not trust, and their {copies} copies in the CSV.",
            counted(values, "value")
        ),
    })
}

/// Formats `1 value that is`, `12 values that are`.
fn that(values: u64, is: &str, are: &str) -> String {
    let verb = if values == 1 { is } else { are };
    format!("{} that {verb}", counted(values, "value"))
}

/// Explains that the times in the JSON seem to be from the other clock, and what to do.
fn other_clock(read_by: JsonTimes, doubt: Doubt) -> String {
    let what = match (read_by, doubt) {
        (JsonTimes::Utc, Doubt::Days(files)) => format!(
            "the times of {} were read as UTC, but only as local time would they fall on the day in the file's name: if the time zone is right,",
            counted(files, "JSON file"),
        ),
        (JsonTimes::Local, Doubt::Days(files)) => format!(
            "the times of {} were read as local time, but some fall outside the day in the file's name, which only happens with UTC:",
            counted(files, "JSON file"),
        ),
        (_, Doubt::Twins) => {
            "the times in the JSON were read as local time, but the CSV has the same samples at the same times in UTC:".to_owned()
        }
    };
    let option = match read_by {
        JsonTimes::Utc => "local",
        JsonTimes::Local => "utc",
    };
    format!("{what} import again with --json-times {option}, which replaces what was just imported")
}

pub(super) fn verdict(summary: &Summary) -> Result<(), Problem> {
    if summary.left_out > 0 {
        return Err(Problem::failed(format!(
            "{} left out, and {} imported",
            match summary.left_out {
                1 => "1 file was".to_owned(),
                files => format!("{files} files were"),
            },
            match summary.files {
                0 => "nothing was".to_owned(),
                1 => "the other one was".to_owned(),
                files => format!("the other {files} were"),
            }
        ))
        .hint("each is named above; it is safe to import again"));
    }
    let has_values = summary.values + summary.doubtful + summary.doubtful_twins > 0;
    if !has_values {
        return Err(Problem::failed("found no heart rate in these files")
            .hint("the files of an export have names such as heart_rate-2023-01-26.json or heart_rate_2023-01-26.csv; to import a file with another name, unpack it and name it on the command line"));
    }
    Ok(())
}

fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// The maximum number of skipped files to name.
const MAX_NAMED: u64 = 50;

/// Reports files as they are processed; on a terminal, with a counter.
struct Progress {
    console: Console,
    is_terminal: bool,
    shown: Option<u64>,
    left_out: u64,
}

impl Progress {
    fn new(console: Console) -> Self {
        Self {
            console,
            is_terminal: io::stderr().is_terminal(),
            shown: None,
            left_out: 0,
        }
    }

    fn clear(&mut self) {
        if self.is_terminal && self.shown.take().is_some() {
            // If the terminal is gone, nobody can read this.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Watcher for Progress {
    fn left_out(&mut self, name: &str, error: &FileError) {
        self.clear();
        self.left_out += 1;
        match self.left_out {
            ..=MAX_NAMED => self.console.warn(&format!("{name} was left out: {error}")),
            _ => self
                .console
                .detail(|| format!("{name} was left out: {error}")),
        }
        if self.left_out == MAX_NAMED {
            self.console
                .say("Further files that are left out are only counted; --verbose names them all.");
        }
    }

    fn read(&mut self, name: &str) {
        self.console.detail(|| format!("read {name}"));
    }

    fn progress(&mut self, done: u64, total: u64) {
        let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100);
        if self.is_terminal && self.shown != Some(percent) {
            self.shown = Some(percent);
            let mib = total.div_ceil(1 << 20);
            let _ = write!(io::stderr(), "\rImporting: {percent} % of {mib} MiB");
        }
    }
}
