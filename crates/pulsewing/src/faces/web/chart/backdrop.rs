//! What a line is drawn on: the bands of the zones, the night, the usual ranges, the resting rate, and
//! the marks of midnight and of the present.

use std::fmt::Write as _;

use jiff::{civil::Date, civil::Time};
use maud::{Markup, html};
use pulsewing_core::{Bpm, heart_zone::HeartZone};

use super::{Figure, Kind, clock, line, percent};
use crate::faces::{
    plot::{Plot, Scale},
    words,
};

/// The hours from which and until which it is night.
pub(super) const NIGHT: (i8, i8) = (22, 6);

/// The least share of a graph's height at which a band has its name in it.
const ROOM_FOR_A_NAME: f64 = 11.0;

/// A band of a zone: from a rate up to another.
struct Band {
    zone: HeartZone,
    from: u16,
    to: u16,
}

/// What is behind the line of a figure.
pub(super) struct Backdrop<'b> {
    plot: &'b Plot,
    scale: &'b Scale,
    bands: Vec<Band>,
    nights: Vec<(u16, u16)>,
    midnights: Vec<u16>,
    /// The path of the usual ranges.
    usual: String,
    resting: Option<u16>,
    /// The minute of the present.
    now: Option<u16>,
    is_latest: bool,
}

impl<'b> Backdrop<'b> {
    pub(super) fn new(figure: &'b Figure<'b>, scale: &'b Scale) -> Self {
        let plot = figure.plot;
        let is_latest = figure.kind == Kind::Latest;
        let minutes = || 0..plot.length();
        let resting = figure.resting.map(Bpm::get);
        let on_scale = |bpm: u16| bpm.clamp(scale.low, scale.high);
        let usual = |minute: u16| {
            let (low, high) = figure.usual?.at(clock(plot, minute))?;
            Some((on_scale(low), on_scale(high)))
        };
        Self {
            plot,
            scale,
            bands: bands(&line::limits(&figure.zones), scale),
            nights: runs(minutes().filter(|minute| !is_latest && is_night(clock(plot, *minute)))),
            midnights: minutes()
                .filter(|minute| {
                    !is_latest && *minute > 0 && date(plot, *minute) != date(plot, minute - 1)
                })
                .collect(),
            usual: ribbon(plot.length(), scale.high, usual),
            resting: resting.filter(|bpm| (scale.low..=scale.high).contains(bpm)),
            now: Some(plot.past).filter(|_| figure.has_now),
            is_latest,
        }
    }

    /// Draws what stretches with the graph.
    pub(super) fn shapes(&self) -> Markup {
        let (length, height) = (self.plot.length().max(1), self.scale.high - self.scale.low);
        let past = if self.is_latest {
            length
        } else {
            self.plot.past
        };
        let down = |bpm: u16| self.scale.high.saturating_sub(bpm);
        html! {
            @for band in &self.bands {
                rect class={ "band " (words::class_of(band.zone)) } x="0" y=(down(band.to)) width=(length) height=(band.to - band.from) {}
            }
            @for (from, to) in &self.nights {
                rect.night x=(from) y="0" width=(to - from) height=(height) {}
            }
            @if past < length {
                rect.to-come x=(past) y="0" width=(length - past) height=(height) {}
            }
            @for bpm in &self.scale.lines {
                line.rule x1="0" x2=(length) y1=(down(*bpm)) y2=(down(*bpm)) vector-effect="non-scaling-stroke" {}
            }
            @if !self.usual.is_empty() { path.usual d=(self.usual) vector-effect="non-scaling-stroke" {} }
            @if let Some(bpm) = self.resting {
                line.resting x1="0" x2=(length) y1=(down(bpm)) y2=(down(bpm)) vector-effect="non-scaling-stroke" {}
            }
            @for minute in &self.midnights {
                line.midnight x1=(minute) x2=(minute) y1="0" y2=(height) vector-effect="non-scaling-stroke" {}
            }
            @if let Some(minute) = self.now {
                line.present x1=(minute) x2=(minute) y1="0" y2=(height) vector-effect="non-scaling-stroke" {}
            }
        }
    }

    /// Names it, in words that do not stretch.
    pub(super) fn words(&self) -> Markup {
        let span = f64::from((self.scale.high - self.scale.low).max(1));
        let across = |minute: u16| f64::from(minute) * 100.0 / f64::from(self.plot.length().max(1));
        html! {
            @for band in &self.bands {
                @let share = f64::from(band.to - band.from) * 100.0 / span;
                @if share >= ROOM_FOR_A_NAME {
                    text.name x="0" dx="6" y=(percent(self.scale.percent(band.to))) dy="14" { (band.zone.name()) }
                }
            }
            @for minute in &self.midnights {
                @let left = across(*minute);
                @if self.now.is_some() && left > 15.0 { text.before x=(percent(left)) y="-5" dx="-5" { "yesterday" } }
                @if self.now.is_some() && left < 85.0 { text.after x=(percent(left)) y="-5" dx="5" { "today" } }
            }
            @if let Some(minute) = self.now { text.now-word x=(percent(across(minute))) y="-5" { "now" } }
        }
    }
}

/// Returns the parts of the zones' bands that are on a scale.
fn bands(limits: &[u16; 5], scale: &Scale) -> Vec<Band> {
    let starts = std::iter::once(0).chain(limits.iter().copied());
    let ends = limits.iter().copied().chain([u16::MAX]);
    let all = line::ZONES.into_iter().zip(starts.zip(ends));
    all.map(|(zone, (from, to))| Band {
        zone,
        from: from.max(scale.low),
        to: to.min(scale.high),
    })
    .filter(|band| band.from < band.to)
    .collect()
}

fn is_night(time: Time) -> bool {
    time.hour() >= NIGHT.0 || time.hour() < NIGHT.1
}

fn date(plot: &Plot, minute: u16) -> Date {
    let (at, offset) = plot.time(minute);
    offset.to_datetime(at).date()
}

/// Returns the first of consecutive minutes, and the one after the last.
fn runs(minutes: impl Iterator<Item = u16>) -> Vec<(u16, u16)> {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for minute in minutes {
        match runs.last_mut() {
            Some((_, end)) if *end == minute => *end += 1,
            _ => runs.push((minute, minute + 1)),
        }
    }
    runs
}

/// Returns the path around the usual ranges of some minutes. Those of a quarter of an hour are the same, so
/// there is a corner at each end of it only.
fn ribbon(length: u16, high: u16, usual: impl Fn(u16) -> Option<(u16, u16)>) -> String {
    let mut path = String::new();
    for (from, to) in runs((0..length).filter(|minute| usual(*minute).is_some())) {
        let mut corners: Vec<(f64, (u16, u16))> = Vec::new();
        let mut start = from;
        for minute in from..to {
            let is_last = minute + 1 == to || usual(minute + 1) != usual(minute);
            if let (true, Some(range)) = (is_last, usual(minute)) {
                // Sloping from the middle of a quarter to the middle of the next.
                corners.push((f64::midpoint(start.into(), (minute + 1).into()), range));
                start = minute + 1;
            }
        }
        let (Some(first), Some(last)) = (corners.first().copied(), corners.last().copied()) else {
            continue;
        };
        corners.insert(0, (from.into(), first.1));
        corners.push((to.into(), last.1));
        let down = |bpm: u16| high.saturating_sub(bpm);
        path.push('M');
        for (x, (_, top)) in &corners {
            let _ = write!(path, "{x} {} ", down(*top));
        }
        for (x, (bottom, _)) in corners.iter().rev() {
            let _ = write!(path, "{x} {} ", down(*bottom));
        }
        path.push('Z');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_cut_to_the_scale() {
        let scale = Scale {
            low: 50,
            high: 120,
            lines: Vec::new(),
        };
        let bands = bands(&[30, 90, 110, 135, 160], &scale);
        let cut: Vec<_> = bands.iter().map(|it| (it.zone, it.from, it.to)).collect();
        assert_eq!(
            cut,
            [
                (HeartZone::Easy, 50, 90),
                (HeartZone::Light, 90, 110),
                (HeartZone::Moderate, 110, 120)
            ]
        );
    }

    #[test]
    fn the_usual_ranges_are_one_ribbon_with_gaps_where_nothing_is_known() {
        let usual = |minute: u16| match minute {
            0..15 => Some((60, 70)),
            15..30 => Some((62, 80)),
            45.. => Some((50, 55)),
            _ => None,
        };
        let path = ribbon(60, 100, usual);
        assert_eq!(
            path,
            "M0 30 7.5 30 22.5 20 30 20 30 38 22.5 38 7.5 40 0 40 ZM45 45 52.5 45 60 45 60 50 52.5 50 45 50 Z"
        );
    }
}
