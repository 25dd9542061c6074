//! Alarms on the page, with the buttons to silence them, and the API calls about them.
//!
//! The page's script plays a melody when a signal is newer than the page, if the reader has allowed
//! sound.

use axum::{
    Form,
    extract::{Path, Query, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use pulsewing_core::{
    alarm::{Active, Kind, Level, Limits, Mute, Note, Unseen},
    civil::Offsets,
};
use serde::Deserialize;

use super::{
    api, layout,
    subject::{Polled, Subject},
};
use crate::{
    alarms::{Request, next_morning},
    config::{Config, wearer::WearerConfig},
    daemon::{Broadcast, Snapshot},
    faces::alarms_json::AlarmsJson,
    tell::phrases,
};

/// The choices of a snooze, in minutes.
const SNOOZES: [(u16, &str); 3] = [(30, "30 min"), (60, "1 h"), (120, "2 h")];

/// The longest snooze that can be asked for, in minutes. The alarms' own limits apply as well.
const LONGEST: u16 = 12 * 60;

/// Returns the alarms of a wearer; an empty section while there are none.
pub(super) fn of(subject: &Subject, snapshot: &Snapshot, now: Timestamp) -> Markup {
    let is_heard = has_rates(&subject.site.config.limits(&subject.wearer));
    html! {
        section #alarms data-live aria-label="Alarms" data-sound[is_heard] {
            (all(&subject.base, None, snapshot, now))
        }
    }
}

/// Returns the alarms of several wearers.
pub(super) fn of_several<'w>(
    wearers: impl Iterator<Item = (&'w WearerConfig, &'w Snapshot)>,
    config: &Config,
    now: Timestamp,
) -> Markup {
    let wearers: Vec<(&WearerConfig, &Snapshot)> = wearers.collect();
    let is_heard = wearers
        .iter()
        .any(|(wearer, _)| has_rates(&config.limits(wearer)));
    html! {
        section #alarms data-live aria-label="Alarms" data-sound[is_heard] {
            @for (wearer, snapshot) in wearers {
                (all(&format!("/w/{}", wearer.id), Some(wearer.title()), snapshot, now))
            }
        }
    }
}

/// Returns whether the heart rate has limits: then alarms are meant to be heard.
const fn has_rates(limits: &Limits) -> bool {
    limits.high.is_some()
        || limits.high_urgent.is_some()
        || limits.low.is_some()
        || limits.low_urgent.is_some()
}

fn all(base: &str, whose: Option<&str>, snapshot: &Snapshot, now: Timestamp) -> Markup {
    let shown = &snapshot.alarms;
    let offsets = snapshot.offsets(now);
    let (muted, loud): (Vec<&Active>, Vec<&Active>) = shown
        .active
        .iter()
        .partition(|alarm| alarm.mute.is_some_and(|mute| mute.up_to() >= alarm.level));
    let whose = whose.map(|whose| format!("{whose}: ")).unwrap_or_default();
    html! {
        @for alarm in loud { (banner(base, &whose, alarm, &offsets, now)) }
        @for (kind, unseen) in &shown.unseen { (past(base, &whose, *kind, unseen, &offsets, now)) }
        @for alarm in muted { (silenced(&whose, alarm, &offsets, now)) }
    }
}

fn banner(base: &str, whose: &str, alarm: &Active, offsets: &Offsets, now: Timestamp) -> Markup {
    let signal = alarm.as_signal();
    let melody = melody(signal.melody());
    html! {
        div.alarm role="alert" data-level=(alarm.level) data-melody=[melody]
            data-told=[alarm.told_at.map(|at| format!("{base} {} {}", alarm.kind, at.as_millisecond()))] {
            h2 { (whose) (signal.heading()) }
            p {
                (signal.sentence(offsets, now))
                @if let Some((_, at, _)) = signal.rate() {
                    " " time datetime=(format!("{at:.0}")) data-at=(at.as_millisecond()) { (phrases::ago(at, now)) }
                }
            }
            @if alarm.kind.is_of_rate() {
                (silence(base, alarm))
            } @else {
                // What helps is said below it.
                details { summary { "Silence" } (silence(base, alarm)) }
            }
        }
    }
}

fn silence(base: &str, alarm: &Active) -> Markup {
    html! {
        form.silence method="post" action=(format!("{base}/alarms")) {
            input type="hidden" name="kind" value=(alarm.kind);
            input type="hidden" name="level" value=(alarm.level);
            button name="do" value="acknowledge" { "Seen" }
            span.quiet { "or no signals for" }
            @for (minutes, words) in SNOOZES { button name="do" value=(minutes) { (words) } }
            button name="do" value="morning" { "until morning" }
        }
    }
}

/// Shows what is over, until somebody has looked.
fn past(
    base: &str,
    whose: &str,
    kind: Kind,
    unseen: &Unseen,
    offsets: &Offsets,
    now: Timestamp,
) -> Markup {
    let signal = unseen.as_signal(kind);
    html! {
        div.alarm role="status" data-level="past" {
            h2 { (whose) (signal.heading()) }
            p { (signal.sentence(offsets, now)) }
            form.silence method="post" action=(format!("{base}/alarms")) {
                button name="do" value="look" { "Seen" }
            }
        }
    }
}

fn silenced(whose: &str, alarm: &Active, offsets: &Offsets, now: Timestamp) -> Markup {
    let signal = alarm.as_signal();
    html! {
        p.silenced {
            (whose) (signal.heading()) ": "
            @match alarm.mute {
                Some(Mute::Snoozed { until, .. }) => { "no signals until " (phrases::until(until, now, offsets)) }
                _ => "seen",
            }
            ". " (signal.sentence(offsets, now))
        }
    }
}

/// Returns a melody for the page's script: pitches in hertz and durations in milliseconds, such as
/// `1319:180 0:90`. `None` for one without notes.
fn melody(notes: &[Note]) -> Option<String> {
    let notes: Vec<String> = notes
        .iter()
        .map(|note| format!("{}:{}", note.hertz, note.ms))
        .collect();
    (!notes.is_empty()).then(|| notes.join(" "))
}

/// What a person presses.
#[derive(Debug, Deserialize)]
pub(super) struct Pressed {
    #[serde(rename = "do")]
    what: String,
    kind: Option<String>,
    level: Option<String>,
}

/// Does what a person pressed, and shows the page again.
pub(super) async fn press(polled: Polled, Form(pressed): Form<Pressed>) -> Response {
    let Polled { subject, member } = polled;
    let now = subject.now();
    match pressed.request(&member.broadcast, now) {
        Some(request) => {
            obey(&member.broadcast, request).await;
            Redirect::to(&format!("{}/", subject.base)).into_response()
        }
        None => layout::message(
            StatusCode::BAD_REQUEST,
            "That did not work",
            "The page is older than this program. Open it again.",
        ),
    }
}

impl Pressed {
    fn request(&self, broadcast: &Broadcast, now: Timestamp) -> Option<Request> {
        if self.what == "look" {
            return Some(Request::Look);
        }
        let kind: Kind = self.kind.as_deref()?.parse().ok()?;
        let up_to: Level = self.level.as_deref()?.parse().ok()?;
        let until = match self.what.as_str() {
            "acknowledge" => return Some(Request::Acknowledge { kind }),
            "morning" => {
                let offsets = broadcast.snapshot().offsets(now);
                next_morning(&broadcast.lookout().limits(), &offsets, now)
            }
            minutes => after(now, minutes.parse().ok()?)?,
        };
        Some(Request::Snooze { kind, up_to, until })
    }
}

/// Returns when a snooze of this many minutes ends; `None` for one that is too short or too long.
fn after(now: Timestamp, minutes: u16) -> Option<Timestamp> {
    let length = SignedDuration::from_mins(i64::from(minutes));
    (1..=LONGEST)
        .contains(&minutes)
        .then(|| now.checked_add(length).ok())?
}

/// Does what a person wants on a separate thread: the alarms are in files.
async fn obey(broadcast: &Broadcast, request: Request) {
    let broadcast = broadcast.clone();
    // It does not panic, and nobody cancels it.
    let _ = tokio::task::spawn_blocking(move || broadcast.obey(&request)).await;
}

/// Returns the alarms that are active, and what happened in the last 90 days.
pub(super) async fn list(Polled { subject, member }: Polled) -> Result<Response, api::Error> {
    let now = subject.now();
    let broadcast = member.broadcast;
    let read = tokio::task::spawn_blocking(move || {
        let snapshot = broadcast.snapshot();
        let lookout = broadcast.lookout();
        let log = lookout.log().entries(now)?;
        let (limits, offsets) = (lookout.limits(), snapshot.offsets(now));
        let wearer = member.wearer.id.as_str();
        let json = AlarmsJson::new(wearer, &snapshot.alarms, &limits, log, &offsets, now);
        std::io::Result::Ok(json)
    });
    let failed = |error: String| {
        let words = format!("the log of alarms cannot be read: {error}");
        api::Error::new(StatusCode::INTERNAL_SERVER_ERROR, words)
    };
    match read.await {
        Ok(Ok(json)) => Ok(api::json(StatusCode::OK, &json)),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// A kind of alarm in a path.
#[derive(Debug, Deserialize)]
pub(super) struct KindPath {
    kind: String,
}

impl KindPath {
    fn kind(&self) -> Result<Kind, api::Error> {
        let kind = self.kind.parse();
        kind.map_err(|error: pulsewing_core::alarm::UnknownKind| {
            api::Error::new(StatusCode::NOT_FOUND, error.to_string())
        })
    }
}

/// The length of a snooze.
#[derive(Debug, Deserialize)]
pub(super) struct Snooze {
    minutes: u16,
    level: Option<String>,
}

/// Stops the signals of a kind for some minutes.
pub(super) async fn snooze(
    Polled { subject, member }: Polled,
    Path(path): Path<KindPath>,
    snooze: Result<Query<Snooze>, QueryRejection>,
) -> Result<StatusCode, api::Error> {
    let kind = path.kind()?;
    let wrong = |words: String| api::Error::new(StatusCode::BAD_REQUEST, words);
    let Query(snooze) = snooze.map_err(|error| wrong(error.body_text()))?;
    let until = after(subject.now(), snooze.minutes)
        .ok_or_else(|| wrong(format!("minutes must be from 1 to {LONGEST}")))?;
    let up_to = match snooze.level.as_deref() {
        None => kind.levels().first().copied().unwrap_or(Level::Info),
        Some(level) => level
            .parse()
            .map_err(|error: pulsewing_core::alarm::UnknownLevel| wrong(error.to_string()))?,
    };
    obey(&member.broadcast, Request::Snooze { kind, up_to, until }).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Says that an alarm is known.
pub(super) async fn acknowledge(
    Polled { member, .. }: Polled,
    Path(path): Path<KindPath>,
) -> Result<StatusCode, api::Error> {
    let kind = path.kind()?;
    obey(&member.broadcast, Request::Acknowledge { kind }).await;
    Ok(StatusCode::NO_CONTENT)
}
