//! `pulsewing status`: what is stored, and how the last update went; never a secret.

use std::fmt::Write;

use jiff::Timestamp;
use pulsewing_core::chain::{Record, Standing};
use serde::Serialize;

use super::print;
use crate::{app::App, cli, history, places, problem::Problem, state_file::State};

/// What is shown.
#[derive(Debug, Serialize)]
struct Status {
    state_dir: String,
    chain: Option<Chain>,
    last_update: Option<Timestamp>,
    last_success: Option<Timestamp>,
    next_update: Option<Timestamp>,
    last_error: Option<String>,
    history: History,
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
struct History {
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
        Self {
            state_dir: app.state_dir().display().to_string(),
            chain: record.map(Chain::new),
            last_update: state.last_update,
            last_success: state.last_success,
            next_update: state.next_update,
            last_error: state.last_error.clone(),
            history: History::new(app),
        }
    }

    fn in_words(&self, now: Timestamp) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let mut row = |label: &str, value: &str| {
            let _ = writeln!(text, "{label:<16}{value}");
        };
        match &self.chain {
            None => row("Signed in:", "no; `pulsewing login` signs in"),
            Some(chain) => chain.in_words(now, &mut row),
        }
        row("Last update:", &when(self.last_update, now));
        row("Last reading:", &when(self.last_success, now));
        row("Next update:", &when(self.next_update, now));
        row("Last error:", self.last_error.as_deref().unwrap_or("none"));
        row("History:", &self.history.in_words());
        row("State:", &self.state_dir);
        text
    }
}

impl History {
    fn new(app: &App) -> Self {
        let span = history::History::open_existing(app.state_dir(), places::WEARER)
            .and_then(|history| history.map_or(Ok(None), |history| history.span()));
        let (span, error) = match span {
            Ok(span) => (span, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self {
            bytes: history::bytes_on_disk(app.state_dir()),
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
