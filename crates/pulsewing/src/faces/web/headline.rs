//! The card with the current heart rate.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use pulsewing_core::{
    cycle::Failure,
    day::Sample,
    reading::{LONG_AGO, Reading},
    trend::Trend,
};

use super::{dates, usual::Usual};
use crate::{
    daemon::{LIVE_FOR, Look, Snapshot},
    faces::words,
    tell::phrases,
};

/// Returns the title of the tab. A tab is seen without the page, so the title has the age, and has
/// it first once that matters; before everything, that something is wrong. The page's script keeps it
/// up to date.
pub(super) fn title(snapshot: &Snapshot, now: Timestamp) -> String {
    let newest = snapshot.newest(now);
    let rate = match (newest, snapshot.look(now)) {
        (Some(sample), Some(Look::Fresh)) => {
            format!("{} bpm, {}", sample.bpm.get(), phrases::ago(sample.at, now))
        }
        (Some(sample), _) => {
            format!(
                "{}: was {} bpm",
                phrases::ago(sample.at, now),
                sample.bpm.get()
            )
        }
        (None, _) => "No heart rate yet".to_owned(),
    };
    match trouble(snapshot) {
        Some(trouble) => format!("{trouble}. {rate}"),
        None => rate,
    }
}

/// Returns what is wrong, for the title, if anything is.
pub(super) fn trouble(snapshot: &Snapshot) -> Option<&'static str> {
    let mut active = snapshot.alarms.active.iter();
    let rate = active.find(|alarm| alarm.kind.is_of_rate());
    if let Some(alarm) = rate {
        return Some(alarm.as_signal().heading());
    }
    let failed = snapshot.failed_update.as_ref()?;
    Some(match failed.failure {
        Failure::Gone => "Service ended",
        _ if failed.wants_sign_in() => "Sign-in needed",
        _ => "Update failed",
    })
}

/// Returns the card.
pub(super) fn card(snapshot: &Snapshot, usual: Option<&Usual>, now: Timestamp) -> Markup {
    let reading = snapshot.reading.as_deref();
    let latest = reading.zip(snapshot.newest(now));
    let at = latest.map(|(_, sample)| sample.at);
    // The time from which the page's script shows it as old, if nothing newer arrives.
    let later = |age: SignedDuration| Some(at?.checked_add(age).ok()?.as_millisecond());
    let freshness = snapshot.freshness(now);
    let is_fresh = snapshot.look(now) == Some(Look::Fresh);
    html! {
        section.now.card #now data-live data-clock=(now.as_millisecond()) aria-label="Heart rate now"
            data-look=[snapshot.look(now).map(Look::name)] data-trouble=[trouble(snapshot)]
            data-old-after=[later(Reading::stale_after(snapshot.every))] data-long-ago-at=[later(LONG_AGO)] {
            @match latest {
                Some((reading, sample)) if is_fresh => {
                    (rate(reading, sample, snapshot, now))
                    (age(reading, sample, snapshot, now))
                    @if let Some(words) = usual.and_then(|usual| compared(usual, reading, sample)) {
                        p.usual-now { (words) }
                    }
                }
                Some((reading, sample)) => {
                    (age(reading, sample, snapshot, now))
                    (rate(reading, sample, snapshot, now))
                }
                None => {
                    h1 aria-live="polite" { "No heart rate yet" }
                    @if snapshot.failed_update.is_none() {
                        p.quiet { "The first one appears here by itself." }
                    }
                }
            }
            p.state {
                @if let (Some(freshness), Some(words)) = (freshness, words::freshness(snapshot, now)) {
                    span.freshness title=[snapshot.live(now).map(|live| format!("From {}", live.source))] data-fresh=(freshness.name()) data-old="Old: this page has received nothing newer" { (words) }
                }
                @if let Some(guess) = reading.and_then(phrases::guess) { span.guess { (guess) } }
                @if let Some(activity) = words::activity(snapshot) { span.activity { (activity) } }
            }
        }
    }
}

fn rate(reading: &Reading, sample: Sample, snapshot: &Snapshot, now: Timestamp) -> Markup {
    let zone = reading.heart_zones.zone(sample.bpm);
    let is_fresh = snapshot.look(now) == Some(Look::Fresh);
    // What was rising an hour ago need not be rising.
    let trend = Trend::of(&reading.window).filter(|_| is_fresh);
    html! {
        h1 aria-live="polite" {
            span.was hidden[is_fresh] { "was " }
            span.figure { span.bpm { (sample.bpm.get()) } " " span.unit { "bpm" } }
            " " span.beside {
                span class={ "zone " (words::class_of(zone)) } { (zone.name()) }
                @if let Some(trend) = trend {
                    " " span.trend { span aria-hidden="true" { (arrow(trend)) " " } (trend.name()) }
                }
            }
        }
    }
}

const fn arrow(trend: Trend) -> &'static str {
    match trend {
        Trend::Rising => "↗",
        Trend::Steady => "→",
        Trend::Falling => "↘",
    }
}

fn age(reading: &Reading, sample: Sample, snapshot: &Snapshot, now: Timestamp) -> Markup {
    let live = snapshot.live(now);
    let live_for = live.map(|_| LIVE_FOR.as_millis());
    let words = match live {
        Some(live) => format!("{} s ago", live.age(now).as_secs()),
        None => phrases::ago(sample.at, now),
    };
    html! {
        p.age {
            time datetime=(format!("{:.0}", sample.at)) data-at=(sample.at.as_millisecond()) data-live-for=[live_for] { (words) }
            " " span.at { (dates::at_moment(reading, sample.at, now)) }
        }
    }
}

/// Says what is usual at this time of day, and where the newest minute lies.
fn compared(usual: &Usual, reading: &Reading, sample: Sample) -> Option<String> {
    let (low, high) = usual.at(reading.time_zone.offsets.local(sample.at).time())?;
    let bpm = sample.bpm.get();
    let compared = match bpm {
        _ if bpm < low => ". This is lower",
        _ if bpm > high => ". This is higher",
        _ => "",
    };
    Some(format!("Usual for this time: {low} to {high}{compared}."))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use pulsewing_core::Provider;
    use pulsewing_testkit::{at, readings};

    use super::*;
    use crate::daemon::FailedUpdate;

    fn snapshot(minutes: impl IntoIterator<Item = (u16, u16)>) -> Snapshot {
        let now = at("2026-11-22T13:07:00Z");
        let reading = readings::with_minutes(readings::berlin(), now, minutes);
        Snapshot {
            reading: Some(reading.into()),
            is_from_memory: false,
            ..Snapshot::new(Provider::Google, SignedDuration::from_mins(15))
        }
    }

    #[test]
    fn a_trend_is_told_only_while_it_is_fresh() {
        // 13:45 to 13:59 on the wearer's clock.
        let snapshot = snapshot((825..840).map(|minute| (minute, minute - 760)));
        let now = at("2026-11-22T13:07:00Z");
        let told = |now| card(&snapshot, None, now).into_string();
        assert!(told(now).contains("rising"), "{}", told(now));
        let later = now + SignedDuration::from_hours(3);
        assert!(!told(later).contains("rising"), "{}", told(later));
    }

    #[test]
    fn what_is_wrong_is_in_the_title_and_nothing_is_called_up_to_date() {
        let now = at("2026-11-22T13:07:00Z");
        for (failure, trouble) in [
            (Failure::NoChain, "Sign-in needed"),
            (Failure::Gone, "Service ended"),
            (Failure::OutOfTime, "Update failed"),
        ] {
            let snapshot = Snapshot {
                is_from_memory: true,
                failed_update: Some(FailedUpdate {
                    failure,
                    message: String::new(),
                    details: None,
                    hint: None,
                }),
                ..snapshot([(839, 72)])
            };
            let expected = format!("{trouble}. 8 min ago: was 72 bpm");
            assert_eq!(title(&snapshot, now), expected);
            let card = card(&snapshot, None, now).into_string();
            assert!(!card.contains("Up to date"), "{card}");
        }
    }
}
