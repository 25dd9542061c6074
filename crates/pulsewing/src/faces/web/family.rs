//! The first page: of the only wearer, or a card for each of several, the worst news first.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::header,
    response::{
        IntoResponse, Redirect, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use jiff::Timestamp;
use maud::{Markup, html};
use pulsewing_core::{
    cycle::FailureKind,
    day::Sample,
    reading::{Freshness, LONG_AGO, Reading},
};
use tokio_stream::{StreamExt, wrappers::WatchStream};

use super::{Shared, alarms, events::STILL_THERE, layout, now, subject::Subject};
use crate::{
    config::wearer::WearerConfig,
    daemon::{Look, Snapshot},
    faces::words,
    tell::phrases,
};

/// The least time between two events: many wearers change often, and a page is fetched again after
/// each.
const APART: Duration = Duration::from_secs(3);

/// Serves the first page.
pub(super) async fn home(State(site): State<Shared>, request: Request) -> Response {
    let members = site.members.all();
    if members.len() == 1 {
        let (mut parts, _) = request.into_parts();
        return match Subject::from_request_parts(&mut parts, &site).await {
            Ok(subject) => now::page(subject).await,
            Err(reply) => reply,
        };
    }
    let at = site.now();
    let all = members.iter();
    let all: Vec<(WearerConfig, Arc<Snapshot>)> = all
        .map(|member| (member.wearer.clone(), member.broadcast.snapshot()))
        .collect();
    let each = all.iter().map(|(wearer, snapshot)| (wearer, &**snapshot));
    let alarms = alarms::of_several(each, &site.config, at);
    board(all, &alarms, at).into_response()
}

/// Builds the page with a card for each wearer, below their alarms.
pub(super) fn board(
    all: Vec<(WearerConfig, Arc<Snapshot>)>,
    alarms: &Markup,
    at: Timestamp,
) -> Markup {
    let cards = all.into_iter();
    let mut cards: Vec<Card> = cards
        .map(|(wearer, snapshot)| Card::new(wearer, snapshot, at))
        .collect();
    // Stable, so that cards with equally bad news stay in the order in which they came.
    cards.sort_by_key(|card| card.news);
    let title = title(&cards);
    let body = html! {
        h1.hidden { "All wearers" }
        (alarms)
        ul.family #now data-live data-clock=(at.as_millisecond()) aria-label="Wearers" {
            @for card in &cards { (card.html(at)) }
            @if cards.is_empty() { li.card { "There are no wearers. Add one with " code { "pulsewing wearer add ID" } "." } }
        }
    };
    layout::family(&title, &body)
}

/// Redirects to a wearer's first page.
pub(super) async fn to_wearer(subject: Subject) -> Redirect {
    Redirect::to(&format!("{}/", subject.base))
}

/// Streams an event at once and after changes, for the first page of several wearers: it fetches
/// itself again.
pub(super) async fn events(State(site): State<Shared>) -> Response {
    let changes = WatchStream::new(site.members.any_change().subscribe());
    let events = changes
        .throttle(APART)
        .map(|()| Ok::<_, Infallible>(Event::default().event("now").data("{}")));
    let keep_alive = KeepAlive::new().interval(STILL_THERE).text("still there");
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (headers, Sse::new(events).keep_alive(keep_alive)).into_response()
}

/// How bad the news about a wearer is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    /// The heart rate is beyond a limit.
    Alarm,
    /// Somebody has to do something: sign in, move to another service, correct the set-up.
    NeedsSomebody,
    /// The last update failed; Pulsewing tries again.
    UpdateFailed,
    /// There is no heart rate, or none of the last day.
    NoHeartRate,
    /// The heart rate is older than expected.
    Old,
    /// The heart rate is as recent as can be expected.
    Fresh,
}

impl News {
    fn new(snapshot: &Snapshot, at: Timestamp) -> Self {
        let mut active = snapshot.alarms.active.iter();
        if active.any(|alarm| alarm.kind.is_of_rate()) {
            return Self::Alarm;
        }
        if let Some(failed_update) = &snapshot.failed_update {
            return match failed_update.failure.kind() {
                FailureKind::Temporary => Self::UpdateFailed,
                FailureKind::Failed | FailureKind::ConsentNeeded | FailureKind::Gone => {
                    Self::NeedsSomebody
                }
            };
        }
        match snapshot.freshness(at) {
            None | Some(Freshness::Silent) => Self::NoHeartRate,
            Some(Freshness::Fresh) => Self::Fresh,
            Some(Freshness::Stale | Freshness::Cached) => Self::Old,
        }
    }
}

/// What the first page shows of one of several wearers.
struct Card {
    wearer: WearerConfig,
    snapshot: Arc<Snapshot>,
    news: News,
}

impl Card {
    fn new(wearer: WearerConfig, snapshot: Arc<Snapshot>, at: Timestamp) -> Self {
        Self {
            wearer,
            news: News::new(&snapshot, at),
            snapshot,
        }
    }

    fn html(&self, at: Timestamp) -> Markup {
        let wearer = &self.wearer;
        let reading = self.snapshot.reading.as_deref();
        let latest = reading.zip(self.snapshot.newest(at));
        let look = self.snapshot.look(at);
        // The time from which the page's script shows it as old, if nothing newer arrives.
        let later = |age| {
            let (_, sample) = latest?;
            Some(sample.at.checked_add(age).ok()?.as_millisecond())
        };
        html! {
            li.card data-look=[look.map(Look::name)]
                data-old-after=[later(Reading::stale_after(self.snapshot.every))] data-long-ago-at=[later(LONG_AGO)] {
                h2 { a href=(format!("/w/{}/", wearer.id)) { (wearer.title()) } }
                @match latest {
                    Some((reading, sample)) => (heart_rate(reading, sample, look, at)),
                    None => p.quiet { "No heart rate yet" },
                }
                @if let Some(words) = self.in_words(at) { p.news { (words) } }
            }
        }
    }

    /// Describes what is wrong, if anything is.
    fn in_words(&self, at: Timestamp) -> Option<String> {
        match &self.snapshot.failed_update {
            Some(failed_update) => Some(phrases::sentence(&failed_update.message)),
            None if self.news == News::Fresh => None,
            None => words::freshness(&self.snapshot, at).map(str::to_owned),
        }
    }
}

fn heart_rate(reading: &Reading, sample: Sample, look: Option<Look>, at: Timestamp) -> Markup {
    let zone = reading.heart_zones.zone(sample.bpm);
    let rate = html! {
        p.rate {
            span.was hidden[look == Some(Look::Fresh)] { "was " }
            span.bpm { (sample.bpm.get()) } " " span.unit { "bpm" } " "
            span class={ "zone " (words::class_of(zone)) } { (zone.name()) }
        }
    };
    let age = html! {
        p.age {
            time datetime=(format!("{:.0}", sample.at)) data-at=(sample.at.as_millisecond()) { (phrases::ago(sample.at, at)) }
        }
    };
    html! {
        // An old heart rate does not look new: its age comes first.
        @if look == Some(Look::Fresh) { (rate) (age) } @else { (age) (rate) }
    }
}

/// Returns the title of the tab, which is seen without the page.
fn title(cards: &[Card]) -> String {
    let bad = cards
        .iter()
        .filter(|card| card.news <= News::NoHeartRate)
        .count();
    let count = cards.len();
    match bad {
        _ if count == 0 => "No wearers".to_owned(),
        0 => format!("{count} wearers"),
        bad => format!("{bad} of {count} wearers with a problem"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use pulsewing_core::{Provider, cycle::Failure};
    use pulsewing_testkit::{at, readings};

    use super::*;
    use crate::daemon::FailedUpdate;

    #[test]
    fn the_worst_news_is_that_somebody_has_to_act() {
        let now = at("2026-11-22T13:07:00Z");
        let every = SignedDuration::from_mins(15);
        let failed = |failure| Snapshot {
            failed_update: Some(FailedUpdate {
                failure,
                message: String::new(),
                details: None,
                hint: None,
            }),
            ..Snapshot::new(Provider::Google, every)
        };
        let with = |minute| {
            let reading = readings::with_minutes(readings::berlin(), now, [(minute, 72)]);
            Snapshot {
                reading: Some(reading.into()),
                is_from_memory: false,
                ..Snapshot::new(Provider::Google, every)
            }
        };
        let news = [
            failed(Failure::NoChain),
            failed(Failure::OutOfTime),
            Snapshot::new(Provider::Google, every),
            with(10 * 60),
            with(13 * 60 + 58),
        ]
        .map(|snapshot| News::new(&snapshot, now));
        assert_eq!(
            news,
            [
                News::NeedsSomebody,
                News::UpdateFailed,
                News::NoHeartRate,
                News::Old,
                News::Fresh
            ]
        );
        assert!(news.is_sorted());
    }
}
