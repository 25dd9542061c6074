//! The time in each zone: one bar, and the same in words.

use maud::{Markup, html};
use pulsewing_core::{
    Bpm,
    heart_zone::{HeartZone, HeartZones},
};

use super::chart::{ZONES, limits, percent};
use crate::faces::words;

/// The least share of the bar that a zone has.
const LEAST_SHARE: f64 = 0.015;

/// Returns the zones that have minutes, from the lowest up: a stacked bar, and a list with their limits and
/// times.
pub(super) fn of(rates: &[Bpm], zones: &HeartZones) -> Markup {
    let parts = parts(rates, zones);
    let all: usize = parts.iter().map(|part| part.minutes).sum();
    if all == 0 {
        return html! {};
    }
    // A few minutes are wide enough to be seen; the words below are exact.
    let seen = |minutes: usize| (minutes as f64 / all as f64).max(LEAST_SHARE);
    let widths: f64 = parts.iter().map(|part| seen(part.minutes)).sum();
    let share = |minutes: usize| seen(minutes) * 100.0 / widths;
    let mut left = 0.0;
    let stack = parts.iter().map(|part| {
        let start = left;
        left += share(part.minutes);
        (part.zone, start, share(part.minutes))
    });
    html! {
        h3 { "Time in each zone" }
        svg.stack aria-hidden="true" {
            @for (zone, start, width) in stack {
                rect class={ "fill " (words::class_of(zone)) } x=(percent(start)) width=(percent(width)) y="0" height="100%" {}
            }
        }
        ul.zones {
            @for part in &parts {
                li {
                    span class={ "zone " (words::class_of(part.zone)) } { (part.zone.name()) }
                    " " b { (spent(part.minutes)) }
                    " " span.limits { (part.limits) }
                }
            }
        }
    }
}

/// A zone that has minutes.
struct Part {
    zone: HeartZone,
    limits: String,
    minutes: usize,
}

fn parts(rates: &[Bpm], zones: &HeartZones) -> Vec<Part> {
    let limits = limits(zones);
    let name = |place: usize| match (place.checked_sub(1), limits.get(place)) {
        (None, Some(end)) => format!("below {end} bpm"),
        (Some(0), Some(end)) => format!("below {end} bpm"),
        (Some(start), Some(end)) => {
            let start = limits.get(start).copied().unwrap_or_default();
            format!("{start} to {} bpm", end - 1)
        }
        (_, None) => format!(
            "{} bpm and above",
            limits.last().copied().unwrap_or_default()
        ),
    };
    let all = ZONES.into_iter().enumerate().map(|(place, zone)| Part {
        zone,
        limits: name(place),
        minutes: rates.iter().filter(|bpm| zones.zone(**bpm) == zone).count(),
    });
    all.filter(|part| part.minutes > 0).collect()
}

/// Formats a number of minutes: `19 h 30 min`.
pub(super) fn spent(minutes: usize) -> String {
    match (minutes / 60, minutes % 60) {
        (0, left) => format!("{left} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, left) => format!("{hours} h {left} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rates: &[u16]) -> Vec<(&'static str, String, usize)> {
        let rates: Vec<Bpm> = rates.iter().filter_map(|bpm| Bpm::new(*bpm)).collect();
        let parts = parts(&rates, &HeartZones::PLAIN);
        parts
            .into_iter()
            .map(|part| (part.zone.name(), part.limits, part.minutes))
            .collect()
    }

    #[test]
    fn only_zones_with_minutes_are_told_with_their_limits() {
        assert_eq!(
            told(&[29, 60, 61, 109, 170]),
            [
                ("Very low", "below 30 bpm".to_owned(), 1),
                ("Easy", "below 90 bpm".to_owned(), 2),
                ("Light", "90 to 109 bpm".to_owned(), 1),
                ("Peak", "160 bpm and above".to_owned(), 1)
            ]
        );
        assert_eq!(told(&[]), []);
    }

    #[test]
    fn a_zone_of_a_minute_can_be_seen_in_the_bar() {
        let mut rates = vec![Bpm::new(60).unwrap(); 1_439];
        rates.push(Bpm::new(140).unwrap());
        let bar = of(&rates, &HeartZones::PLAIN).into_string();
        let widths = bar.split("width=\"").skip(1).map(|rest| {
            let (width, _) = rest.split_once('%').unwrap();
            width.parse::<f64>().unwrap()
        });
        let widths: Vec<f64> = widths.collect();
        assert!(widths.iter().all(|width| *width > 1.4), "{widths:?}");
        assert!(
            (widths.iter().sum::<f64>() - 100.0).abs() < 0.1,
            "{widths:?}"
        );
    }

    #[test]
    fn time_in_a_zone_is_told_in_hours_and_minutes() {
        assert_eq!(
            [0, 59, 60, 125].map(spent),
            ["0 min", "59 min", "1 h", "2 h 5 min"]
        );
    }
}
