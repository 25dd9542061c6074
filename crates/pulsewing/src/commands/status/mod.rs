//! `pulsewing status`: the last heart rate, the stored data, and the result of the last update; never
//! a secret.

mod latest;
mod next;

use std::{error::Error, fmt::Write, io};

use jiff::{Timestamp, civil::Date};
use pulsewing_core::chain::{Record, Standing};
use pulsewing_history::{History, HistoryError, Span, bytes_on_disk};
use serde::Serialize;

use self::{latest::Latest, next::Next};
use super::print;
use crate::{
    app::App,
    cli,
    custody::state_file::State,
    daemon::Single,
    tell::{phrases, problem::Problem},
};

/// The data to show.
#[derive(Debug, Serialize)]
struct Status {
    state_dir: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<Latest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    battery_percent: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sync: Option<Timestamp>,
    chain: Option<Chain>,
    last_update: Option<Timestamp>,
    last_success: Option<Timestamp>,
    next_update: Option<Timestamp>,
    #[serde(skip)]
    next: Next,
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_details: Option<String>,
    /// The error, if the state of earlier updates cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_error: Option<String>,
    history: Kept,
}

#[derive(Debug, Serialize)]
struct Chain {
    provider: &'static str,
    issuer: String,
    client_id: String,
    user_id: Option<String>,
    standing: &'static str,
    generation: u32,
    obtained_at: Timestamp,
    refresh_token_fingerprint: String,
    refresh_token_expires_at: Option<Timestamp>,
    access_token_expires_at: Option<Timestamp>,
    heart_rate_allowed: bool,
    devices_allowed: bool,
    time_zone_allowed: bool,
    refresh_under_way_since: Option<Timestamp>,
}

/// The history of earlier days.
#[derive(Debug, Serialize)]
pub(super) struct Kept {
    bytes: u64,
    #[serde(flatten)]
    days: Option<Days>,
    /// The days with data that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Days {
    days: u32,
    first_day: String,
    last_day: String,
}

pub(super) fn run(app: &App, options: &cli::Status) -> Result<(), Problem> {
    let loaded = app.chain_file().look()?;
    let history = app.place.history();
    let parts = Parts {
        place: app.place.dir.display().to_string(),
        record: loaded.record.as_ref(),
        state: State::load(&app.place.dir),
        newest: history.as_ref().ok().and_then(Option::as_ref),
        history: Kept::of_files(app, &history),
        // If the lock is not accessible, no daemon could have taken it.
        is_polled: Single::is_claimed(&app.place.dir).unwrap_or(false),
    };
    print_status(app, parts, options.json)
}

/// What a status is made of, wherever it is kept.
pub(super) struct Parts<'p> {
    /// Where it is kept.
    pub(super) place: String,
    /// The sign-in.
    pub(super) record: Option<&'p Record>,
    /// What was remembered after the last update, or why that cannot be read.
    pub(super) state: io::Result<State>,
    /// The newest days of the history.
    pub(super) newest: Option<&'p History>,
    /// The extent of the history.
    pub(super) history: Kept,
    /// Whether a daemon or a collector polls the wearer.
    pub(super) is_polled: bool,
}

/// Prints a status.
pub(super) fn print_status(app: &App, parts: Parts<'_>, as_json: bool) -> Result<(), Problem> {
    let status = Status::new(app, parts);
    if as_json {
        let json = serde_json::to_string(&status)
            .map_err(|error| Problem::failed("cannot print the status").caused_by(&error))?;
        return print(&format!("{json}\n"));
    }
    print(&app.say_whose(&status.in_words(app.now())))
}

impl Status {
    fn new(app: &App, parts: Parts<'_>) -> Self {
        let (state, state_error) = match parts.state {
            Ok(state) => (state, None),
            Err(error) => (State::default(), Some(error.to_string())),
        };
        let next = Next::new(parts.record, &state, parts.is_polled);
        let facts = state.reading.as_ref();
        Self {
            state_dir: parts.place,
            latest: Latest::new(app, &state, parts.newest),
            battery_percent: facts.and_then(|facts| facts.battery_percent),
            last_sync: facts.and_then(|facts| facts.last_sync),
            chain: parts.record.map(Chain::new),
            last_update: state.last_update,
            last_success: state.last_success,
            next_update: next.at(),
            next,
            last_error: state.last_error,
            last_details: state.last_details,
            state_error,
            history: parts.history,
        }
    }

    fn in_words(&self, now: Timestamp) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let mut row = |label: &str, value: &str| {
            let _ = writeln!(text, "{label:<16}{value}");
        };
        let newest = self.latest.as_ref().map(|latest| latest.in_words.as_str());
        row("Heart rate:", newest.unwrap_or("none yet"));
        if let Some(tracker) = self.tracker_in_words(now) {
            row("Tracker:", &tracker);
        }
        match &self.chain {
            None => row("Signed in:", "no; sign in with `pulsewing login`"),
            Some(chain) => chain.in_words(now, &mut row),
        }
        let absent = match self.state_error {
            Some(_) => "unknown",
            None => "never",
        };
        let past = |at: Option<Timestamp>| at.map_or_else(|| absent.to_owned(), |at| when(at, now));
        row("Last update:", &past(self.last_update));
        row("Last success:", &past(self.last_success));
        match self.next {
            Next::At(at) => row("Next update:", &when(at, now)),
            Next::Soon => row("Next update:", "soon"),
            Next::IfAsked(_) => row(
                "Next update:",
                "none: no daemon is running; start one with `pulsewing run`, or update now with `pulsewing once`",
            ),
            Next::Never(why) => row("Next update:", &format!("none: {why}")),
        }
        let no_error = match self.state_error {
            Some(_) => "unknown",
            None => "none",
        };
        row(
            "Last error:",
            self.last_error.as_deref().unwrap_or(no_error),
        );
        if let Some(details) = &self.last_details {
            row("Details:", details);
        }
        row("History:", &self.history.in_words());
        if !self.history.unreadable.is_empty() {
            let days = phrases::days(&self.history.unreadable);
            row(
                "Unreadable:",
                &format!("{days}; fetching or importing such a day again replaces it"),
            );
        }
        row("State:", &self.state_dir);
        if let Some(error) = &self.state_error {
            row(
                "Remembered:",
                &format!("nothing: {error}; the next update writes a new file"),
            );
        }
        text
    }

    fn tracker_in_words(&self, now: Timestamp) -> Option<String> {
        let battery = self
            .battery_percent
            .map(|percent| format!("battery {percent} %"));
        let sync = self
            .last_sync
            .map(|at| format!("last sync {}", phrases::ago(at, now)));
        let facts: Vec<String> = battery.into_iter().chain(sync).collect();
        (!facts.is_empty()).then(|| facts.join(", "))
    }
}

impl Kept {
    fn of_files(app: &App, history: &Result<Option<History>, HistoryError>) -> Self {
        let span = match history {
            Ok(Some(history)) => history.span().map_err(|error| with_cause(&error)),
            Ok(None) => Ok(None),
            Err(error) => Err(with_cause(error)),
        };
        let whole = history.as_ref().ok().and_then(Option::as_ref);
        // An error of the whole history is reported already.
        let unreadable = whole.and_then(|history| history.unreadable(Date::MIN, Date::MAX).ok());
        Self::new(
            span,
            bytes_on_disk(&app.place.dir),
            unreadable.unwrap_or_default(),
        )
    }

    /// Builds the description of a history with this extent and size.
    pub(super) fn new(
        span: Result<Option<Span>, String>,
        bytes: u64,
        unreadable: Vec<Date>,
    ) -> Self {
        let (span, error) = match span {
            Ok(span) => (span, None),
            Err(error) => (None, Some(error)),
        };
        Self {
            unreadable,
            bytes,
            days: span.map(|span| Days {
                days: span.days,
                first_day: span.first.to_string(),
                last_day: span.last.to_string(),
            }),
            error,
        }
    }

    fn in_words(&self) -> String {
        match (&self.error, &self.days) {
            (Some(error), _) => error.clone(),
            (None, None) => "none yet".into(),
            (None, Some(days)) => {
                let noun = if days.days == 1 { "day" } else { "days" };
                let (count, first, last) = (days.days, &days.first_day, &days.last_day);
                let kib = self.bytes.div_ceil(1_024);
                format!("{count} {noun}, {first} to {last}, {kib} KiB")
            }
        }
    }
}

impl Chain {
    fn new(record: &Record) -> Self {
        let chain = &record.chain;
        let scopes = chain.scopes();
        Self {
            provider: chain.provider().name(),
            issuer: chain.issuer().to_owned(),
            client_id: chain.client().id.as_str().to_owned(),
            user_id: chain.user_id().map(str::to_owned),
            standing: match chain.standing() {
                Standing::Active => "active",
                Standing::Refused => "refused",
                Standing::Moving => "moving",
            },
            generation: chain.generation(),
            obtained_at: chain.obtained_at(),
            refresh_token_fingerprint: chain.refresh_token().fingerprint().to_string(),
            refresh_token_expires_at: chain.refresh_expires_at(),
            access_token_expires_at: chain.access().map(|access| access.expires_at),
            heart_rate_allowed: scopes.has_heart_rate(),
            devices_allowed: scopes.has_settings(),
            time_zone_allowed: scopes.has_time_zone(chain.provider()),
            refresh_under_way_since: record.intent.map(|intent| intent.first_sent_at),
        }
    }

    fn in_words(&self, now: Timestamp, row: &mut impl FnMut(&str, &str)) {
        let standing = match self.standing {
            "active" => "yes",
            "refused" => "no longer: the provider refused it; sign in again with `pulsewing login`",
            _ => "no: the sign-in was moved to a board",
        };
        row("Signed in:", standing);
        row("Provider:", &format!("{} ({})", self.provider, self.issuer));
        row("Client:", &self.client_id);
        row(
            "Chain:",
            &format!(
                "generation {}, {}",
                self.generation,
                when(self.obtained_at, now)
            ),
        );
        row("Access token:", &expiry(self.access_token_expires_at, now));
        if self.refresh_token_expires_at.is_some() {
            row(
                "Refresh token:",
                &expiry(self.refresh_token_expires_at, now),
            );
        }
        if let Some(since) = self.refresh_under_way_since {
            row(
                "Refresh:",
                &format!("under way since {since}; the next start repeats it"),
            );
        }
        let missing: Vec<&str> = [
            (self.heart_rate_allowed, "heart rate"),
            (self.devices_allowed, "tracker battery and last sync"),
            (self.time_zone_allowed, "time zone"),
        ]
        .into_iter()
        .filter_map(|(is_allowed, name)| (!is_allowed).then_some(name))
        .collect();
        if !missing.is_empty() {
            row("Not allowed:", &missing.join(", "));
        }
    }
}

/// Formats an error and its cause in one line.
fn with_cause(error: &HistoryError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn expiry(at: Option<Timestamp>, now: Timestamp) -> String {
    match at {
        None => "none".into(),
        Some(at) if at <= now => format!("expired {}", when(at, now)),
        Some(at) => format!("until {}", when(at, now)),
    }
}

/// Formats an instant, and its distance from now.
fn when(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second());
    let (ago, is_past) = (seconds.unsigned_abs(), seconds >= 0);
    let distance = match ago {
        ..120 => format!("{ago} s"),
        120..7_200 => format!("{} min", ago / 60),
        7_200..172_800 => format!("{} h", ago / 3_600),
        172_800.. => format!("{} days", ago / 86_400),
    };
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    if is_past {
        format!("{whole} ({distance} ago)")
    } else {
        format!("{whole} (in {distance})")
    }
}
