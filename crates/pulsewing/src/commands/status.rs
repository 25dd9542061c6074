//! `pulsewing status`: the last heart rate, what is stored, and how the last update went; never a secret.

use std::{error::Error, fmt::Write};

use jiff::Timestamp;
use pulsewing_core::{
    Bpm,
    chain::{Record, Standing},
    day::Sample,
    heart_zone::HeartZones,
};
use serde::Serialize;

use super::print;
use crate::{
    app::App,
    cli,
    history::{History, HistoryError, bytes_on_disk},
    places,
    problem::Problem,
    state_file::State,
    words, zone,
};

/// What is shown.
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
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_details: Option<String>,
    history: Kept,
}

/// The newest heart rate that is known.
#[derive(Debug, Serialize)]
struct Latest {
    at: Timestamp,
    bpm: u16,
    zone_name: &'static str,
    #[serde(skip)]
    in_words: String,
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

/// What is kept of earlier days.
#[derive(Debug, Serialize)]
struct Kept {
    bytes: u64,
    #[serde(flatten)]
    days: Option<Days>,
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
    let loaded = app.chain_file().load()?;
    let status = Status::new(app, loaded.record.as_ref(), &app.state());
    if options.json {
        let json = serde_json::to_string(&status)
            .map_err(|error| Problem::failed("the status cannot be printed").caused_by(&error))?;
        return print(&format!("{json}\n"));
    }
    print(&status.in_words(app.now()))
}

impl Status {
    fn new(app: &App, record: Option<&Record>, state: &State) -> Self {
        let history = History::open_existing(app.state_dir(), places::WEARER);
        let facts = state.reading.as_ref();
        Self {
            state_dir: app.state_dir().display().to_string(),
            latest: Latest::new(app, state, history.as_ref().ok().and_then(Option::as_ref)),
            battery_percent: facts.and_then(|facts| facts.battery_percent),
            last_sync: facts.and_then(|facts| facts.last_sync),
            chain: record.map(Chain::new),
            last_update: state.last_update,
            last_success: state.last_success,
            next_update: state.next_update,
            last_error: state.last_error.clone(),
            last_details: state.last_details.clone(),
            history: Kept::new(app, &history),
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
            None => row("Signed in:", "no; `pulsewing login` signs in"),
            Some(chain) => chain.in_words(now, &mut row),
        }
        row("Last update:", &when(self.last_update, now));
        row("Last success:", &when(self.last_success, now));
        row("Next update:", &when(self.next_update, now));
        row("Last error:", self.last_error.as_deref().unwrap_or("none"));
        if let Some(details) = &self.last_details {
            row("Details:", details);
        }
        row("History:", &self.history.in_words());
        row("State:", &self.state_dir);
        text
    }

    fn tracker_in_words(&self, now: Timestamp) -> Option<String> {
        let battery = self
            .battery_percent
            .map(|percent| format!("battery {percent} %"));
        let sync = self
            .last_sync
            .map(|at| format!("last sync {}", words::ago(at, now)));
        let facts: Vec<String> = battery.into_iter().chain(sync).collect();
        (!facts.is_empty()).then(|| facts.join(", "))
    }
}

impl Latest {
    /// What the last update or the history knows, whichever is newer. A minute that is yet to come is
    /// not believed.
    fn new(app: &App, state: &State, history: Option<&History>) -> Option<Self> {
        let now = app.now();
        let fetched = state.last_minute.zip(state.last_bpm.and_then(Bpm::new));
        let fetched = fetched.map(|(at, bpm)| Sample { at, bpm });
        // That a history cannot be read is said in its own place.
        let kept = history.and_then(|history| history.last_known(now).ok().flatten());
        let kept = kept.and_then(|last| last.window.latest());
        let sample = fetched
            .into_iter()
            .chain(kept)
            .filter(|sample| sample.at <= now)
            .max_by_key(|sample| sample.at)?;
        let zones = match &state.reading {
            Some(facts) => facts.heart_zones(),
            None => app
                .config
                .heart_zones()
                .ok()
                .flatten()
                .unwrap_or(HeartZones::PLAIN),
        };
        let heart_zone = zones.zone(sample.bpm);
        let zone_facts = state
            .memory()
            .zone
            .map(|(facts, _)| facts)
            .unwrap_or_default();
        let configured = app.config.wearer.time_zone.as_deref();
        let offset_at = |at| zone::resolve(&zone_facts, configured, at).offsets.at(at);
        let (offset, today) = (offset_at(sample.at), offset_at(now).to_datetime(now).date());
        let (date, clock) = (
            offset.to_datetime(sample.at).date(),
            words::clock_at(sample.at, offset),
        );
        let newest = words::heart_rate(sample, heart_zone, now);
        Some(Self {
            at: sample.at,
            bpm: sample.bpm.get(),
            zone_name: heart_zone.name(),
            in_words: match date == today {
                true => format!("{newest} ({clock})"),
                false => format!("{newest} ({}, {clock})", words::date(date)),
            },
        })
    }
}

impl Kept {
    fn new(app: &App, history: &Result<Option<History>, HistoryError>) -> Self {
        let span = match history {
            Ok(Some(history)) => history.span().map_err(|error| with_cause(&error)),
            Ok(None) => Ok(None),
            Err(error) => Err(with_cause(error)),
        };
        let (span, error) = match span {
            Ok(span) => (span, None),
            Err(error) => (None, Some(error)),
        };
        Self {
            bytes: bytes_on_disk(app.state_dir()),
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
            (None, None) => "none is kept yet".into(),
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
            "refused" => "no longer: the provider refused it; `pulsewing login` signs in again",
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
                when(Some(self.obtained_at), now)
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

/// An error and what caused it, in one line.
fn with_cause(error: &HistoryError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn expiry(at: Option<Timestamp>, now: Timestamp) -> String {
    match at {
        None => "none".into(),
        Some(at) if at <= now => format!("expired {}", when(Some(at), now)),
        Some(at) => format!("until {}", when(Some(at), now)),
    }
}

/// An instant, and how far away it is.
fn when(at: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = at else {
        return "never".into();
    };
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
