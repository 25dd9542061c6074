//! The JSON API, version 1: fields may be added, but not removed.

use std::str::FromStr;

use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, ToSpan, civil::Date};
use pulsewing_core::{
    Bpm,
    reading::{Absence, Reading},
};
use pulsewing_history::{Dates, DaySummary, HistoryError};
use serde::{Deserialize, Serialize};

use super::{Shared, subject::Subject};
use crate::{
    custody::standing::Standing,
    daemon::{Repair, Snapshot},
    engine::Activity,
    faces::reading_json::{ReadingJson, instant},
};

/// The maximum number of days in one answer.
const MOST_DAYS: i32 = 3_700;

/// An error, for a program.
#[derive(Debug)]
pub(super) struct Error {
    status: StatusCode,
    words: String,
}

impl Error {
    pub(super) fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self {
            status,
            words: words.into(),
        }
    }
}

impl From<HistoryError> for Error {
    fn from(error: HistoryError) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the history cannot be read: {error}"),
        )
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        json(self.status, &serde_json::json!({ "error": self.words }))
    }
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // There are only numbers and strings, so the serialisation cannot fail.
    let text = serde_json::to_string(value).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The current state.
#[derive(Debug, Serialize)]
pub(super) struct Now {
    now: String,
    provider: &'static str,
    reading: Option<ReadingJson>,
    age_s: Option<i64>,
    live: Option<LiveJson>,
    absence: Option<&'static str>,
    is_time_zone_guessed: bool,
    activity: &'static str,
    last_update: Option<String>,
    last_success: Option<String>,
    next_update: Option<String>,
    trouble: Option<TroubleJson>,
    repair: Option<Repair>,
}

/// A rate that a program pushed, while it is live.
#[derive(Debug, Serialize)]
struct LiveJson {
    at: String,
    bpm: u16,
    age_s: i64,
    source: String,
}

#[derive(Debug, Serialize)]
struct TroubleJson {
    kind: &'static str,
    message: String,
    details: Option<String>,
    hint: Option<String>,
}

impl Now {
    pub(super) fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        let reading = snapshot.reading.as_deref();
        Self {
            now: instant(now),
            provider: snapshot.provider.name(),
            reading: reading
                .zip(snapshot.freshness(now))
                .map(|(reading, freshness)| {
                    ReadingJson::new(reading, freshness).dated(reading, now)
                }),
            age_s: reading
                .and_then(|reading| reading.age(now))
                .map(|age| age.as_secs()),
            live: snapshot.live(now).map(|live| LiveJson {
                at: instant(live.at),
                bpm: live.bpm.get(),
                age_s: live.age(now).as_secs(),
                source: live.source.to_string(),
            }),
            absence: snapshot.absence(now).map(Absence::name),
            is_time_zone_guessed: reading.is_some_and(|it| it.time_zone.is_guessed()),
            activity: match snapshot.activity {
                Activity::Waiting => "waiting",
                Activity::Updating => "updating",
                Activity::TokensNotStored => "tokens-not-stored",
            },
            last_update: snapshot.last_update.map(instant),
            last_success: snapshot.last_success.map(instant),
            next_update: snapshot.next_update.map(instant),
            trouble: snapshot
                .failed_update
                .as_ref()
                .map(|failed_update| TroubleJson {
                    kind: failed_update.failure.kind().name(),
                    message: failed_update.message.clone(),
                    details: failed_update.details.clone(),
                    hint: failed_update.hint.clone(),
                }),
            repair: snapshot.repair,
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

pub(super) async fn now(subject: Subject) -> Response {
    let now = Now::of(&subject.snapshot(), subject.now());
    json(StatusCode::OK, &now)
}

#[derive(Debug, Serialize)]
struct WearerJson {
    id: String,
    name: Option<String>,
    provider: &'static str,
    state: Standing,
}

/// Lists the wearers.
pub(super) async fn wearers(State(site): State<Shared>) -> Response {
    let members = site.members.all();
    // The chains and states are in files.
    let read = tokio::task::spawn_blocking(move || {
        let wearers = members.iter().map(|member| {
            let snapshot = member.broadcast.snapshot();
            WearerJson {
                id: member.wearer.id.to_string(),
                name: member.wearer.name.clone(),
                provider: snapshot.provider.name(),
                state: Standing::at(member.broadcast.place()),
            }
        });
        wearers.collect::<Vec<_>>()
    });
    match read.await {
        Ok(wearers) => json(StatusCode::OK, &wearers),
        Err(error) => {
            let words = format!("the wearers could not be listed: {error}");
            Error::new(StatusCode::INTERNAL_SERVER_ERROR, words).into_response()
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Range {
    from: Option<String>,
    to: Option<String>,
}

#[derive(Debug, Serialize)]
struct DayJson {
    date: String,
    logged_minutes: u16,
    min: Option<u16>,
    mean: Option<u16>,
    max: Option<u16>,
    resting_bpm: Option<u16>,
}

impl From<&DaySummary> for DayJson {
    fn from(day: &DaySummary) -> Self {
        Self {
            date: day.date.to_string(),
            logged_minutes: day.logged_minutes,
            min: day.extent.map(|it| it.min.get()),
            mean: day.extent.map(|it| it.mean.get()),
            max: day.extent.map(|it| it.max.get()),
            resting_bpm: day.resting.map(Bpm::get),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct DatePath {
    date: String,
}

fn date(text: &str) -> Result<Date, Error> {
    Date::from_str(text).map_err(|_| {
        Error::new(
            StatusCode::BAD_REQUEST,
            format!(
                "\"{}\" is not a date; write it as in 2026-11-22",
                text.escape_debug()
            ),
        )
    })
}

/// Returns an overview, one row per day; of the last thirty days by default.
pub(super) async fn days(subject: Subject, Query(range): Query<Range>) -> Result<Response, Error> {
    let today = subject.snapshot().local(subject.now()).date();
    let to = range.to.as_deref().map_or(Ok(today), date)?;
    let from = match range.from.as_deref() {
        Some(text) => date(text)?,
        None => to.checked_sub(29.days()).unwrap_or(to),
    };
    if (to - from).get_days() > MOST_DAYS {
        return Err(Error::new(
            StatusCode::BAD_REQUEST,
            format!("request at most {MOST_DAYS} days at a time"),
        ));
    }
    let days = subject
        .history(Dates { from, to }, move |history| {
            history.overview(from, to)
        })
        .await?;
    let days: Vec<DayJson> = days.iter().flatten().map(DayJson::from).collect();
    Ok(json(StatusCode::OK, &days))
}

#[derive(Debug, Serialize)]
struct MinuteJson {
    at: String,
    time: String,
    bpm: u16,
}

/// Returns the minutes of a day on the wearer's clock; gaps are left out.
pub(super) async fn day(subject: Subject, Path(path): Path<DatePath>) -> Result<Response, Error> {
    let wanted = date(&path.date)?;
    let record = subject
        .history(of_day(wanted), move |history| history.day(wanted))
        .await?;
    let Some(record) = record.flatten() else {
        return Err(Error::new(
            StatusCode::NOT_FOUND,
            format!("there is no data for {wanted}"),
        ));
    };
    let local = record.day.local();
    let minutes: Vec<MinuteJson> = record
        .day
        .iter()
        .map(|(minute, bpm)| {
            let clock = local.clock(minute);
            MinuteJson {
                at: instant(local.instant(minute)),
                time: format!("{:02}:{:02}", clock.hour(), clock.minute()),
                bpm: bpm.get(),
            }
        })
        .collect();
    let body = serde_json::json!({
        "date": wanted.to_string(),
        "time_zone": Some(record.zone()),
        "resting_bpm": record.resting.map(Bpm::get),
        "minutes": minutes,
    });
    Ok(json(StatusCode::OK, &body))
}

/// Returns the dates of a single day.
pub(super) const fn of_day(date: Date) -> Dates {
    Dates {
        from: date,
        to: date,
    }
}

/// Returns the newest minute of a reading, for the metrics.
pub(super) fn newest(reading: &Reading) -> Option<(Timestamp, u16)> {
    reading.latest().map(|sample| (sample.at, sample.bpm.get()))
}
